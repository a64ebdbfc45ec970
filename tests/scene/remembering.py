"""A canvas that only remembers what it was told, and whose signals are real."""

from __future__ import annotations

from typing import Any
from unittest.mock import create_autospec

from psygnal import Signal, SignalInstance

from napari_colorkde.scene.canvas import ColorSpaceCanvas


def make_canvas() -> Any:
    """Return a canvas without a window."""
    canvas = create_autospec(ColorSpaceCanvas, instance=True)
    for kind in ColorSpaceCanvas.__mro__:
        for name, signal in vars(kind).items():
            if isinstance(signal, Signal):
                setattr(canvas, name, SignalInstance(signal.signature))
    canvas.region_mode = "new"
    return canvas
