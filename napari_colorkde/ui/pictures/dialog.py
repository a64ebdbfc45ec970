"""The dialog "Save figure": size, contents, and destination."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from psygnal import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.scene.figure import CM_PER_INCH, PIXELS_PER_INCH, make_figure, pixels_of
from napari_colorkde.ui.pictures.figure_painting import FORMATS, TITLE_HEIGHT, write_figure
from napari_colorkde.ui.window.save_dialog import with_suffix

DEFAULT_WIDTH, DEFAULT_DPI = 8.5, 300
"""Centimeters of a journal's column, and dots per inch."""

BACKGROUNDS = {
    "white": "white",
    "gray: shows every color": "gray",
    "dark": "dark",
    "light": "light",
    "transparent": "transparent",
}
"""What may be behind the cloud on paper, and which theme that is."""


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """What is chosen of a picture.

    Attributes
    ----------
    size_cm
        Width and height, title included.
    dpi
        Dots per inch.
    background
        One of the values of `BACKGROUNDS`.
    axes, legend
        Whether they are there.
    title
        Over the picture; empty for none.
    """

    size_cm: tuple[float, float] = (DEFAULT_WIDTH, DEFAULT_WIDTH)
    dpi: float = DEFAULT_DPI
    background: str = "white"
    axes: bool = True
    legend: bool = True
    title: str = ""

    @classmethod
    def of_pixels(cls, size: tuple[int, int], background: str) -> "PictureSettings":
        """Return what a picture of so many pixels has, whose texts are those of the screen."""
        width, height = (side * CM_PER_INCH / PIXELS_PER_INCH for side in size)
        return cls((width, height), PIXELS_PER_INCH, background)


class Pictures:
    """Asks for pictures of a canvas and writes them.

    Attributes
    ----------
    check_target
        Raises `ValueError` for a file that must not be written.
    """

    failed = Signal(str, description="Why a picture cannot be written; a sentence.")
    saved = Signal(Path, description="A picture was written.")

    def __init__(self) -> None:
        self.check_target: Callable[[str | Path], None] = lambda path: None

    def ask(self, canvas: ColorSpaceCanvas, title: str, parent: QWidget) -> None:
        """Ask for size, parts and file; write the picture.

        Parameters
        ----------
        canvas
            Whose view.
        title
            Is proposed.
        parent
            Of the dialogs.
        """
        native = canvas.native
        dialog = PictureDialog((native.width(), native.height()), title, parent)
        agreed = dialog.exec() == QDialog.DialogCode.Accepted
        settings = dialog.settings
        dialog.deleteLater()
        if not agreed:
            return
        path, kind = QFileDialog.getSaveFileName(
            parent, "Save figure", "color space.png", file_filter()
        )
        if path:
            self.save(canvas, with_suffix(path, kind, FORMATS), settings)

    def save(self, canvas: ColorSpaceCanvas, path: str | Path, settings: PictureSettings) -> None:
        """Write a picture; say so if that fails."""
        try:
            self.check_target(path)
            save_picture(canvas, path, settings)
        except (ValueError, OSError) as error:
            self.failed.emit(user_message(error))
        else:
            self.saved.emit(Path(path))


def save_picture(canvas: ColorSpaceCanvas, path: str | Path, settings: PictureSettings) -> None:
    """Write a picture of a canvas: ``.png``, ``.tif``, ``.svg`` or ``.pdf``.

    Raises
    ------
    ValueError, OSError
        If there is no room for the view, no such format, or the file cannot be written to.
    """
    width, height = settings.size_cm
    if settings.title:
        height -= TITLE_HEIGHT / PIXELS_PER_INCH * CM_PER_INCH
    is_transparent = settings.background == "transparent"
    figure = make_figure(
        canvas,
        (width, height),
        settings.dpi,
        theme="white" if is_transparent else settings.background,
        transparent=is_transparent,
        axes=settings.axes,
        legend=settings.legend,
    )
    write_figure(path, figure, settings.dpi, settings.title)


def file_filter() -> str:
    """Return the formats as a file dialog wants them."""
    return ";;".join(
        f"{kind}, {suffix[1:].upper()} (*{suffix})" for suffix, (kind, _) in FORMATS.items()
    )


class PictureDialog(QDialog):
    """Asks for size, resolution and parts of a picture.

    Parameters
    ----------
    shape
        Width and height of the view, whose proportions are proposed.
    title
        Is proposed.
    """

    def __init__(
        self, shape: tuple[int, int], title: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save figure")
        width, height = (max(side, 1) for side in shape)
        self.width_box = _centimeters(DEFAULT_WIDTH, "Width on paper.")
        self.height_box = _centimeters(DEFAULT_WIDTH * height / width, "Height on paper.")
        self.dpi_box = QSpinBox()
        self.dpi_box.setRange(36, 1200)
        self.dpi_box.setValue(DEFAULT_DPI)
        self.dpi_box.setSuffix(" dpi")
        self.dpi_box.setToolTip("Resolution in dots per inch; in vector files, that of the cloud.")
        self.pixels = QLabel()
        self.background_box = QComboBox()
        for text, background in BACKGROUNDS.items():
            self.background_box.addItem(text, background)
        self.background_box.setToolTip("Background of the cloud.")
        self.axes_box, self.legend_box = QCheckBox("axes"), QCheckBox("legend")
        for box in (self.axes_box, self.legend_box):
            box.setChecked(True)
        self.title_box = QLineEdit()
        self.title_box.setPlaceholderText(title)
        self.title_box.setToolTip("Title above the figure; leave it empty for none.")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("width", self.width_box)
        form.addRow("height", self.height_box)
        form.addRow("resolution", self.dpi_box)
        form.addRow("", self.pixels)
        form.addRow("background", self.background_box)
        form.addRow("parts", self.axes_box)
        form.addRow("", self.legend_box)
        form.addRow("title", self.title_box)
        form.addRow(buttons)
        for spin in (self.width_box, self.height_box, self.dpi_box):
            spin.valueChanged.connect(self._show_pixels)
        self._show_pixels()

    @property
    def settings(self) -> PictureSettings:
        """What is chosen."""
        return PictureSettings(
            size_cm=(self.width_box.value(), self.height_box.value()),
            dpi=float(self.dpi_box.value()),
            background=str(self.background_box.currentData()),
            axes=self.axes_box.isChecked(),
            legend=self.legend_box.isChecked(),
            title=self.title_box.text().strip(),
        )

    def _show_pixels(self, *args: object) -> None:
        chosen = self.settings
        self.pixels.setText("{} × {} pixels".format(*pixels_of(chosen.size_cm, chosen.dpi)))


def _centimeters(value: float, tip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(2.0, 60.0)
    box.setDecimals(1)
    box.setSingleStep(0.5)
    box.setValue(value)
    box.setSuffix(" cm")
    box.setToolTip(tip)
    return box
