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
import numpy as np
import tifffile
from napari.settings import get_settings
from numpy.typing import NDArray
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QPixmap
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from scipy.ndimage import gaussian_filter
from skimage.data import immunohistochemistry

from napari_colorkde import Kernel, KernelSet
from napari_colorkde.io.images import read_image
from napari_colorkde.io.sample_data import sample_path

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
DIGITS = IMAGES.parents[1] / "tests" / "data" / "mnist_30_digits.npz"
SIZE = (1440, 960)
SETTLE_SECONDS = 1.5
"""The color space is drawn finely once nothing has moved for a while."""


PICKS = {
    "brown": [(440, 319), (334, 75), (63, 59), (129, 411), (194, 394)],
    "blue": [(427, 212), (328, 440), (273, 243), (392, 181), (279, 297)],
    "background": [(350, 20), (430, 420), (330, 370), (120, 490)],
}
"""Pixels (row, column) of the stained tissue that are clicked on, by class."""


FIBERS = {
    "purple": (170, 60, 210),
    "yellow": (220, 190, 40),
    "green": (60, 200, 90),
    "blue": (50, 110, 230),
    "red": (225, 70, 60),
}
"""Colors of the fibers of the stack that is drawn."""

FIBERS_SHAPE = (48, 128, 128)
"""Planes, rows and columns of that stack."""


@contextmanager
def workbench(
    image: NDArray[Any], name: str, theme: str = "dark"
) -> Iterator[tuple[napari.Viewer, Any]]:
    """A napari window with a photograph and the plugin docked, which was never used before."""
    with TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        viewer = napari.Viewer(show=True)
        viewer.theme = theme
        viewer.window.resize(*SIZE)
        viewer.add_image(image, name=name, rgb=True)
        _, widget = viewer.window.add_plugin_dock_widget("napari-colorkde", "Color KDE")
        settle(widget)
        viewer.reset_view()
        settle(widget)
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
    """Open the windows one after the other and take their pictures."""
    get_settings(path=None)  # not those of who runs this: fonts, theme, window
    with workbench(sample("coffee.png"), "coffee") as (viewer, widget):
        take(viewer.window._qt_window, "window")
        widget.session.bandwidth = 1.5
        settle(widget)
        take(viewer.window._qt_window, "narrow")
        search_digits(widget)
        take(viewer.window._qt_window, "likelihood")
    with workbench(sample("retina.jpg"), "retina", theme="light") as (viewer, widget):
        take(viewer.window._qt_window, "light")
    with workbench(immunohistochemistry(), "tissue") as (viewer, widget):
        pick_stains(viewer, widget)
        take(viewer.window._qt_window, "kernels")
        separate_stain(viewer, widget)
        take(viewer.window._qt_window, "stain")
        fill_table(viewer, widget)
        take(viewer.window._qt_window, "results")
    with workbench(fibers(), "fibers") as (viewer, widget):
        take_voxels(viewer, widget)
    with workbench(immunohistochemistry(), "tissue") as (viewer, widget):
        take_slide(viewer, widget)


def search_digits(widget: Any) -> None:
    """Search the bandwidth of thirty digits in the tab Likelihood."""
    panel = widget.likelihood
    widget.tabs.setCurrentWidget(page_of(widget, panel))
    panel.likelihood.open(DIGITS)
    panel.likelihood.wait(120)
    panel.vectors.scale.value = 256
    panel.search_button.native.click()
    panel.likelihood.wait(120)
    panel.montage_button.native.click()
    widget.colorspace.parent().hide()  # for all of the tab to be seen
    settle(widget)


def sample(file_name: str) -> NDArray[Any]:
    """Read a sample photograph."""
    return read_image(sample_path(file_name))


def pick_stains(viewer: napari.Viewer, widget: Any) -> None:
    """Click on a few pixels of each class; with Ctrl held, the class's kernel takes more."""
    widget.tabs.setCurrentWidget(page_of(widget, widget.kernels))
    widget.picking.pick_button.click()
    for cls, places in PICKS.items():
        widget.kernels.table.clearSelection()
        widget.picking.cls.setEditText(cls)
        for number, place in enumerate(places):
            click(viewer, widget, place, more=number > 0)
    widget.picking.pick_button.click()
    settle(widget)


def separate_stain(viewer: napari.Viewer, widget: Any) -> None:
    """Show the probability of the brown stain, and make labels of what is above the threshold."""
    widget.tabs.setCurrentWidget(page_of(widget, widget.classification))
    widget.classification.controls.show_what.value = "posterior"
    widget.classification.controls.cls.value = "brown"
    settle(widget)
    widget.classification.controls.masked.value = True
    settle(widget)
    widget.classification.controls.labels_button.native.click()
    settle(widget)
    # A selected Labels layer lights its colors up in the cube.
    viewer.layers.selection.active = viewer.layers[-1]
    settle(widget)


def fill_table(viewer: napari.Viewer, widget: Any) -> None:
    """Put the classes of two images into the table of results."""
    viewer.layers.remove(viewer.layers[-1])
    widget.classification.controls.show_what.value = "class"
    settle(widget)
    widget.classification.add_button.native.click()
    settle(widget)
    half = viewer.layers["tissue"].data[::2, ::2]
    viewer.add_image(half, name="half", rgb=True, translate=(0, 530))
    widget.chooser.look_at(viewer.layers["half"])
    settle(widget)
    widget.classification.add_button.native.click()
    settle(widget)
    viewer.reset_view()
    settle(widget)


def fibers() -> NDArray[np.uint8]:
    """Make a noisy stack of winding fibers of several colors, as in a brainbow mouse."""
    rng = np.random.default_rng(4)
    light = np.zeros((*FIBERS_SHAPE, 3))
    for color in [*FIBERS.values()] * 2:
        places = np.zeros(FIBERS_SHAPE)
        steps = gaussian_filter(rng.normal(size=(3, 900)), (0, 25))
        walk = np.cumsum(3 * steps / steps.std() / 12, axis=1)
        walk += rng.uniform(0.25, 0.75, (3, 1)) * np.array(FIBERS_SHAPE)[:, np.newaxis]
        inside = (walk >= 0).all(axis=0) & (walk.T < FIBERS_SHAPE).all(axis=1)
        places[tuple(walk[:, inside].astype(int))] = 1
        amount = np.clip(40 * gaussian_filter(places, 1.6), 0, 1)[..., np.newaxis]
        light = light * (1 - amount) + amount * np.array(color)
    return np.clip(light + rng.normal(8, 4, light.shape), 0, 255).astype(np.uint8)


def take_voxels(viewer: napari.Viewer, widget: Any) -> None:
    """Take a picture of the stack as napari draws it, and of the purple fibers alone beside it."""
    kernels = [Kernel(color, [200, 200, 200], 1 / 6, cls=cls) for cls, color in FIBERS.items()]
    kernels += [Kernel([8, 8, 8], [400, 400, 400], 1 / 6, cls="background")]
    widget.session.kernels = KernelSet(kernels)
    widget.session.set_classification(show="posterior", cls="purple")
    settle(widget)
    viewer.layers[-1].visible = False
    viewer.dims.ndisplay = 3
    viewer.scene.camera.angles = (-20, 35, 140)
    pictures = []
    for shown in (False, True):
        widget.session.set_voxels(show=shown)
        settle(widget)
        pictures.append(viewer.screenshot(size=(360, 420), flash=False)[..., :3])
    target = IMAGES / "voxels.png"
    Image.fromarray(np.concatenate(pictures, axis=1)).quantize(128).save(target, optimize=True)
    print(f"{target.relative_to(IMAGES.parents[1])}: {2 * 420} x 360")


def take_slide(viewer: napari.Viewer, widget: Any) -> None:
    """Take a picture of a slide that is zoomed in on: the tissue and its mirror images."""
    kernels = [
        Kernel([130, 85, 60], [500, 500, 500], 0.2, cls="brown"),
        Kernel([150, 155, 185], [500, 400, 300], 0.3, cls="blue"),
        Kernel([205, 205, 205], [400, 400, 400], 0.5, cls="background"),
    ]
    tissue = immunohistochemistry()
    level = np.pad(tissue, ((0, 7 * len(tissue)),) * 2 + ((0, 0),), mode="symmetric")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "slide.tif"
        with tifffile.TiffWriter(path) as tiff:
            options: dict[str, Any] = {"tile": (256, 256), "photometric": "rgb"}
            options |= {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
            for number in range(3):
                more = {"subfiletype": 1} if number else {"subifds": 2}
                tiff.write(level[:: 4**number, :: 4**number], compression="zlib", **options, **more)
        viewer.layers.clear()
        widget.chooser.open_image(path)
        settle(widget)
        viewer.canvas.overlays.scale_bar.visible = True
        widget.session.kernels = KernelSet(kernels)
        widget.session.set_classification(show="posterior", cls="brown")
        widget.tabs.setCurrentWidget(page_of(widget, widget.classification))
        viewer.reset_view()
        viewer.scene.camera.zoom *= 4
        settle(widget)
        take(viewer.window._qt_window, "slide")
        picture = IMAGES / "slide.png"  # full of small things: a third of the size with few colors
        Image.open(picture).convert("RGB").quantize(192).save(picture, optimize=True)
        viewer.layers.clear()


def click(
    viewer: napari.Viewer, widget: Any, place: tuple[int, int], *, more: bool = False
) -> None:
    """Click on a pixel of the canvas."""
    canvas = widget.window().centralWidget().findChild(QOpenGLWidget)
    camera = viewer.scene.camera
    size = np.array([canvas.height(), canvas.width()])
    row, column = (np.array(place) - np.array(camera.center)[-2:]) * camera.zoom + size / 2
    keys = Qt.KeyboardModifier.ControlModifier if more else Qt.KeyboardModifier.NoModifier
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, keys, QPoint(round(column), round(row)))
    widget.session.wait()


def page_of(widget: Any, panel: Any) -> Any:
    """The page of the tabs on which a panel lies."""
    pages = (widget.tabs.widget(number) for number in range(widget.tabs.count()))
    return next(page for page in pages if page is panel or page.isAncestorOf(panel))


if __name__ == "__main__":
    main()
