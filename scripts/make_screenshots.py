"""Take the pictures of the documentation: real windows, real photographs.

Run by ``make docs``, on a display of its own. Writes docs/images/*.png.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import napari
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QApplication, QTabWidget

from napari_colorkde.io.images import read_image
from napari_colorkde.io.samples import sample_path

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZE = (1400, 860)
SETTLE_SECONDS = 1.5
"""The colour space is drawn finely once nothing has moved for a while."""


@contextmanager
def workbench(sample: str, theme: str = "dark") -> Iterator[tuple[napari.Viewer, Any]]:
    """A napari window with a sample photograph and the plugin docked."""
    viewer = napari.Viewer(show=True)
    viewer.theme = theme
    viewer.window.resize(*SIZE)
    viewer.add_image(read_image(sample_path(sample)), name=Path(sample).stem, rgb=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-colorkde", "Color KDE")
    settle(widget)
    viewer.reset_view()
    yield viewer, widget
    viewer.close()


def settle(widget: Any) -> None:
    """Wait until everything that was asked for is on the screen."""
    widget.session.wait(120)
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)


def take(window: Any, name: str) -> None:
    """Save what the screen shows of a window; OpenGL is in no other picture of it."""
    handle = window.windowHandle()
    shot: QPixmap = handle.screen().grabWindow(window.winId())
    IMAGES.mkdir(parents=True, exist_ok=True)
    target = IMAGES / f"{name}.png"
    if not shot.save(str(target)):
        sys.exit(f"{target} could not be written.")
    print(f"{target.relative_to(IMAGES.parents[1])}: {shot.width()} x {shot.height()}")


def main() -> None:
    """Take all pictures, as on a machine where the plugin was never used."""
    with TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        take_all()


def take_all() -> None:
    """Open the windows one after the other."""
    with workbench("coffee.png") as (viewer, widget):
        take(viewer.window._qt_window, "window")
        widget.session.bandwidth = 1.5
        settle(widget)
        take(viewer.window._qt_window, "narrow")
    with workbench("astronaut.png") as (viewer, widget):
        widget.session.load_kernels(sample_path("jones_rehg_1999.csv"), "skin")
        tabs = widget.findChild(QTabWidget)
        tabs.setCurrentIndex(tabs.count() - 1)
        settle(widget)
        take(viewer.window._qt_window, "skin")
    with workbench("retina.jpg", theme="light") as (viewer, widget):
        take(viewer.window._qt_window, "light")


if __name__ == "__main__":
    main()
