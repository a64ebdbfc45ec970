"""Dims a layer while you work on what lies below it."""

from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from napari.layers import Image

FAINT = 0.15


class LayerDimmer:
    """Lowers the opacity of a layer, and gives back what it was.

    What the user sets meanwhile stays.
    """

    def __init__(self) -> None:
        self._layer: ref[Image] | None = None
        self._before = 1.0

    def start(self, layer: "Image | None") -> None:
        """Dim a layer; nothing happens if it is as faint already."""
        self.stop()
        if layer is None or layer.opacity <= FAINT:
            return
        self._layer, self._before = ref(layer), layer.opacity
        layer.opacity = FAINT

    def stop(self) -> None:
        """Show the layer as before. May be called twice."""
        layer = None if self._layer is None else self._layer()
        self._layer = None
        if layer is not None and layer.opacity == FAINT:
            layer.opacity = self._before
