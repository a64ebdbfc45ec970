"""How much of the image is marked, or belongs to each class: numbers next to map colors."""

from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QHBoxLayout, QLabel, QToolButton, QWidget

from napari_colorkde.app.classification.sizes import NO_CLASS, shown_sizes
from napari_colorkde.app.image.pixels.pixels_and_area import RegionSize, sizes_text
from napari_colorkde.app.layers.overlay_colormap import class_color
from napari_colorkde.app.session import Session
from napari_colorkde.core.number_text import NARROW_NBSP


class SizesView(QWidget):
    """Pixels, percent and area of what is shown, and a button that copies them.

    Of a map of classes it is the legend, too.

    Parameters
    ----------
    session
        What is counted.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.sizes: tuple[RegionSize, ...] = ()
        self.text = QLabel()
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setWordWrap(True)
        self.text.setAccessibleName("Pixels, percent and area")
        self.copy_button = QToolButton()
        self.copy_button.setText("Copy")
        self.copy_button.setToolTip("Copy these numbers with all their digits, for a spreadsheet.")
        self.copy_button.setAccessibleName("Copy pixels, percent and area")
        self.copy_button.clicked.connect(self.copy)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.text, 1)
        line.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignTop)
        self.update_sizes()

    def update_sizes(self) -> None:
        """Count anew."""
        self.sizes = shown_sizes(self._session)
        query = None
        if self._session.densities is not None:
            query = self._session.densities.request.query
        is_map = query is not None and query.show == "class"
        self.text.setText(_lines(self.sizes, is_map))
        self.setVisible(bool(self.sizes))

    def copy(self) -> None:
        """Put the numbers on the clipboard, separated by tabs."""
        QApplication.clipboard().setText(sizes_text(self.sizes))


def _lines(sizes: tuple[RegionSize, ...], is_map: bool) -> str:
    """Return a line for each region, which is broken between its numbers alone."""
    lines = []
    for number, size in enumerate(sizes):
        mark = ""
        if is_map and size.name != NO_CLASS:
            color = "".join(f"{round(255 * part):02x}" for part in class_color(number))
            mark = f"<font color='#{color}'>■</font>&nbsp;"
        numbers = (f"{size.pixels_text} pixels", size.percent_text, size.area_text)
        whole = (part.replace(NARROW_NBSP, " ").replace(" ", "&nbsp;") for part in numbers)
        parts = [part for part in whole if part]
        lines.append(f"{mark}{escape(size.name)}: {' · '.join(parts)}")
    return "<br>".join(lines)
