"""The menu of layers whose marked pixels become kernels."""

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QWidget

from napari_colorkde.app.image.source import is_labels, is_shapes
from napari_colorkde.app.kernels.picked_kernels import NamingRule
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.app.selection.selections import LabelMode

if TYPE_CHECKING:
    from napari import Viewer

LABELS: tuple[tuple[str, LabelMode, NamingRule], ...] = (
    ("selected label: one kernel", "selected", ""),
    ("all labels: one kernel", "together", ""),
    ("each label: a kernel and a class", "each", "label"),
)
SHAPES: tuple[tuple[str, bool, NamingRule], ...] = (
    ("all shapes: one kernel", True, ""),
    ("each shape: a kernel", False, "shape"),
)


class PickLayerMenu(QMenu):
    """Offers the Labels and Shapes layers of a viewer, each in some ways.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    """

    chosen = Signal(
        object,
        object,
        str,
        description="The layer; which of its labels, or whether its shapes "
        "are taken together; how the kernels are named.",
    )

    def __init__(self, viewer: "Viewer", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.aboutToShow.connect(self._fill)
        self.triggered.connect(self._on_triggered)

    def _fill(self) -> None:
        self.clear()
        for layer in reversed(list(self._viewer.layers)):
            if METADATA_KEY in layer.metadata or not (is_labels(layer) or is_shapes(layer)):
                continue
            self.addSection(layer.name)
            ways = LABELS if is_labels(layer) else SHAPES
            for text, which, titles in ways:
                action = self.addAction(text)
                action.setData((layer.name, which, titles))
        if not self.actions():
            empty = self.addAction("Draw on a Labels or Shapes layer first")
            empty.setEnabled(False)

    def _on_triggered(self, action: QAction) -> None:
        name, which, titles = action.data()
        self.chosen.emit(self._viewer.layers[name], which, titles)
