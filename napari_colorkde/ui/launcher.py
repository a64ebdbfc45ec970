"""Starts napari with the plugin docked: the commands `demo` and `open`.

OpenGL contexts are shared, which only the program that makes the QApplication can ask for: a
floated view need not be rebuilt. The image is there at once; torch is imported beside the window,
but on Windows before Qt, since it may not load afterwards.
"""

import importlib
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from qtpy.QtCore import QCoreApplication, QEventLoop, Qt, QTimer

from napari_colorkde.app.image.file_as_layer import OpenedImage, open_image_file
from napari_colorkde.app.image.layer_files import remember_file
from napari_colorkde.core.number_text import shape_text
from napari_colorkde.io.formats.addresses import path_or_address
from napari_colorkde.io.sample_data import SAMPLES, sample_path
from napari_colorkde.ui.window.background_import import BackgroundImport
from napari_colorkde.ui.window.fitted_picture import keep_fitted
from napari_colorkde.ui.window.gl_context import main_windows

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.ui.dock import ColorKDEWidget
    from napari_colorkde.ui.results.panel import ResultsPanel

PLUGIN_MODULES = ("torch", "napari_colorkde.app.session", "napari_colorkde.app.layers.overlay")
"""What may be imported in a thread: nothing of Qt."""

DEMO_IMAGE = "coffee.png"
WINDOW = (1280, 800)
DOCK_NAME = "Color KDE (Color KDE)"
"""As napari names the dock when it is opened from the menu, which then knows that it is open."""

REST_SECONDS = 0.6
"""The color space is drawn finely once nothing has moved for a while."""


def open_images(paths: Sequence[str | Path]) -> None:
    """Open images in napari with the plugin docked, and stay until the window is closed.

    The first one is looked at, and lies above the others.

    Raises
    ------
    ValueError, OSError
        If an image cannot be read.
    """
    import napari

    images = [(open_image_file(path), path_or_address(path)) for path in reversed(paths)]
    viewer = _viewer()
    for image, path in images:
        _add(viewer, image, path)
    _keep_fitted(viewer)
    _dock_soon(viewer)
    napari.run()


def run_demo(output: str | Path | None = None) -> None:
    """Show a sample photograph with its density and the cloud of its colors.

    Parameters
    ----------
    output
        None: stay until the window is closed. A folder: write the density, the volume and a picture
        of the window there, and return.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    import napari

    path = sample_path(DEMO_IMAGE)
    folder = None if output is None else Path(output)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    typer.echo(f"{path.name}: {SAMPLES[path.name]}")
    with _timed("read the photograph"):
        image = open_image_file(path)
    with _timed("opened napari"):
        viewer = _viewer()
        _add(viewer, image, path)
        _keep_fitted(viewer)
    with _timed("opened the plugin, counted colors, computed volume and density"):
        widget = dock_plugin(viewer)
        widget.session.wait()
    _report(widget)
    if folder is None:
        typer.echo("Close the window to quit.")
        napari.run()
        return
    _write_results(viewer, widget, folder, path.stem)
    viewer.close()


def dock_plugin(viewer: "Viewer") -> "ColorKDEWidget":
    """Dock the plugin in a viewer's window, as its menu entry does."""
    from napari_colorkde.ui.dock import ColorKDEWidget

    widget = ColorKDEWidget(viewer)
    viewer.window.add_dock_widget(widget, name=DOCK_NAME, area="right", add_vertical_stretch=False)
    return widget


def results_panel(viewer: "Viewer") -> "ResultsPanel":
    """Return the table of results of the plugin in a viewer, which is docked if it is not there."""
    from napari_colorkde.ui.dock import ColorKDEWidget

    docked = viewer.window.dock_widgets.values()
    widget = next((w for w in docked if isinstance(w, ColorKDEWidget)), None)
    return (widget or dock_plugin(viewer)).results.make_panel()


def _dock_soon(viewer: "Viewer") -> None:
    """Dock the plugin once what it needs is imported, beside the window."""

    def dock(error: BaseException | None) -> None:
        if error is not None:
            raise error
        if any(w.windowTitle() == viewer.title for w in main_windows()):  # not closed meanwhile
            dock_plugin(viewer)

    BackgroundImport(PLUGIN_MODULES, dock, parent=QCoreApplication.instance())


def _viewer() -> "Viewer":
    if sys.platform == "win32":
        importlib.import_module("torch")
    if QCoreApplication.instance() is None:
        QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(*WINDOW)
    return viewer


def _add(viewer: "Viewer", image: OpenedImage, path: Path) -> None:
    layer = viewer.add_image(image.data, name=path.stem, **image.arguments)
    remember_file(layer, path)


def _keep_fitted(viewer: "Viewer") -> None:
    keep_fitted(viewer, next(w for w in main_windows() if w.windowTitle() == viewer.title))


def _report(widget: "ColorKDEWidget") -> None:
    session = widget.session
    counted, estimate, densities = session.counted, session.estimate, session.densities
    if counted is None or estimate is None or densities is None:
        return
    palette, volume = counted.palette, estimate.volume
    grid = shape_text(volume.values.shape)
    typer.echo(f"  device: {session.device.name}")
    typer.echo(
        f"  {palette.n_pixels} pixels, {len(palette)} colors, {palette.n_excluded} left out: "
        f"{counted.seconds:.2f} s"
    )
    sigmas = ", ".join(f"{sigma:g}" for sigma in estimate.sigmas)
    typer.echo(f"  volume {grid}, sigma {sigmas}: {estimate.seconds:.2f} s")
    typer.echo(f"  density of every color: {densities.seconds - estimate.seconds:.2f} s")


def _write_results(viewer: "Viewer", widget: "ColorKDEWidget", folder: Path, stem: str) -> None:
    from napari_colorkde.io.volumes import save_volume

    session = widget.session
    density, volume = folder / f"{stem}-density.tif", folder / f"{stem}-volume.npz"
    picture = folder / f"{stem}-window.png"
    with _timed(f"wrote {picture}"):
        # First, before napari tells in the window what was written.
        # What was done here before is no part of the sample.
        widget.offer.hide()
        _let_draw()
        viewer.window.screenshot(str(picture), flash=False)
    with _timed(f"wrote {density}"):
        session.export(density)
        session.wait()
    if session.estimate is not None:
        with _timed(f"wrote {volume}"):
            save_volume(volume, session.estimate.volume, description=session.description())


def _let_draw() -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(REST_SECONDS * 1000), loop.quit)
    loop.exec()


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    typer.echo(f"{what}: {time.perf_counter() - started:.2f} s")
