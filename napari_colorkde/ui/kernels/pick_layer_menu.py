"""The menu of layers whose marked pixels become kernels."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QWidget

from napari_colorkde.app.image.source import is_labels, is_points, is_shapes
from napari_colorkde.app.kernels.picked_kernels import NamingRule
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.app.selection.selections import LabelMode

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

Ways = tuple[tuple[str, LabelMode | bool, NamingRule], ...]

LABELS: Ways = (
    ("selected label: one kernel", "selected", ""),
    ("all labels: one kernel", "together", ""),
    ("each label: a kernel and a class", "each", "label"),
)
SHAPES: Ways = (
    ("all shapes: one kernel", True, ""),
    ("each shape: a kernel", False, "shape"),
)
POINTS: Ways = (
    ("all points: one kernel", True, ""),
    ("each point: a kernel", False, "point"),
)


class PickLayerMenu(QMenu):
    """Offers the Labels, Shapes and Points layers of a viewer, each in some ways.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    """

    chosen = Signal(
        object,
        object,
        str,
        description="The layer; which of its labels, or whether its shapes or points "
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
            ways: Ways = ()
            if METADATA_KEY not in layer.metadata:
                kinds: tuple[tuple[Callable[[Layer], bool], Ways], ...] = (
                    (is_labels, LABELS),
                    (is_shapes, SHAPES),
                    (is_points, POINTS),
                )
                ways = next((ways for is_kind, ways in kinds if is_kind(layer)), ())
            if ways:
                self.addSection(layer.name)
            for text, which, titles in ways:
                action = self.addAction(text)
                action.setData((layer.name, which, titles))
        if not self.actions():
            empty = self.addAction("Draw on a Labels, Shapes or Points layer first")
            empty.setEnabled(False)

    def _on_triggered(self, action: QAction) -> None:
        name, which, titles = action.data()
        self.chosen.emit(self._viewer.layers[name], which, titles)
