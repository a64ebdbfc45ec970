"""Saving a picture of the color-space view: how large, and where."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from napari_colorkde.io.atomic import atomic_path, check_target

LARGEST = 8192
DEFAULT_HEIGHT = 1200


class PictureDialog(QDialog):
    """Asks for width and height in pixels.

    Parameters
    ----------
    shape
        Width and height of the view, whose proportions are proposed.
    """

    def __init__(self, shape: tuple[int, int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save picture")
        width, height = (max(side, 1) for side in shape)
        self.width_box = _side(round(DEFAULT_HEIGHT * width / height))
        self.height_box = _side(DEFAULT_HEIGHT)
        note = QLabel("Text and lines scale with the picture.")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("width", self.width_box)
        form.addRow("height", self.height_box)
        form.addRow(note)
        form.addRow(buttons)

    @property
    def chosen(self) -> tuple[int, int]:
        """Width and height."""
        return self.width_box.value(), self.height_box.value()


def ask_picture(parent: QWidget, shape: tuple[int, int]) -> tuple[str, tuple[int, int]] | None:
    """Ask for size and file; None if the user thinks better of it."""
    dialog = PictureDialog(shape, parent)
    agreed = dialog.exec() == QDialog.DialogCode.Accepted
    size = dialog.chosen
    dialog.deleteLater()
    if not agreed:
        return None
    path, _ = QFileDialog.getSaveFileName(
        parent, "Save picture", "color space.png", "Picture (*.png)"
    )
    if not path:
        return None
    return path if Path(path).suffix else f"{path}.png", size


def save_picture(path: str | Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture as PNG, whole or not at all.

    Raises
    ------
    ValueError, OSError
        If the path is no ``.png``, or cannot be written to.
    """
    import imageio.v3 as iio

    target = check_target(path, (".png",))
    with atomic_path(target) as scratch:
        iio.imwrite(scratch, picture, extension=".png")


def _side(value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(16, LARGEST)
    box.setValue(value)
    box.setSuffix(" px")
    box.setToolTip("Pixels.")
    return box
