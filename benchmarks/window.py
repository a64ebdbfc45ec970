"""A napari window with the plugin docked, for measurements in a process of its own."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.ui.dock import ColorKDEWidget

PLUGIN, WIDGET = "napari-colorkde", "Color KDE"

PATIENCE = 300.0
"""Seconds after which something is broken, not slow."""


@contextmanager
def open_window() -> Iterator[tuple[Viewer, ColorKDEWidget]]:
    """Open napari with the plugin docked and no image, drawn and at rest; close it at the end."""
    with empty_window() as viewer:
        _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
        wait_for_colorspace(widget)
        settle(widget)
        yield viewer, widget


@contextmanager
def empty_window() -> Iterator[Viewer]:
    """Open napari; close it at the end."""
    os.environ["NAPARI_CONFIG"] = ""  # the user's settings are neither read nor written
    import napari

    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder  # nor are the user's sessions
        viewer = napari.Viewer()
        try:
            yield viewer
        finally:
            viewer.close()


def settle(widget: Any) -> None:
    """Wait until the density is on the screen and Qt has nothing to do."""
    from qtpy.QtWidgets import QApplication

    widget.session.wait(PATIENCE)
    for _ in range(3):  # drawing asks for more drawing
        QApplication.processEvents()


def wait_for_colorspace(widget: Any) -> None:
    """Let Qt's events pass until the view of the color space is there."""
    from qtpy.QtWidgets import QApplication

    deadline = time.monotonic() + PATIENCE
    while widget.colorspace is None:
        QApplication.processEvents()
        if time.monotonic() > deadline:
            raise TimeoutError(f"the color space did not open within {PATIENCE:g} s.")


def show_image(viewer: Viewer, widget: Any, image: NDArray[Any]) -> None:
    """Add the photograph and wait for its overlay."""
    viewer.add_image(image, name="photograph", rgb=True)
    settle(widget)


def show_something(viewer: Viewer, widget: Any, dtype: Any) -> None:
    """Show a picture of a few pixels and remove it: the first one loads what all need."""
    show_image(viewer, widget, np.zeros((16, 16, 3), dtype))
    viewer.layers.clear()
    settle(widget)
