"""A second napari viewer that shows the density over the color space.

A volume beside an image would make napari drop the image's units, and red would become a slider of
the photograph: hence a viewer of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.settings import get_settings
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QMainWindow

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.ui.volume.axes import AxisLines, axis_lines
from napari_colorkde.ui.volume.layers import (
    SHELL_FRACTIONS,
    Mesh,
    Options,
    shell_layers,
    volume_layers,
)
from napari_colorkde.ui.window.dock_cleanup import close_at_exit
from napari_colorkde.ui.window.gl_context import keep_current, main_windows

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.scene.geometry.box_colors import ColorOf

AROUND, FROM_ABOVE = 30.0, 25.0
"""Whence the first view looks, in degrees."""


@dataclass(frozen=True, eq=False, slots=True)
class VolumeLayers:
    """What a viewer of a density volume shows.

    Attributes
    ----------
    images, surfaces
        Data and options of layers.
    axes
        Of three channels.
    up
        The channel that points up.
    """

    images: list[tuple[NDArray[Any], Options]]
    surfaces: list[tuple[Mesh, Options]]
    axes: AxisLines | None = None
    up: int = 0


def make_layers(
    volume: DensityVolume,
    names: Sequence[str],
    *,
    color_of: "ColorOf | None" = None,
    shells: Sequence[float] = SHELL_FRACTIONS,
    up: int = 0,
    unit: str = "levels",
) -> Iterator[Progress | VolumeLayers]:
    """Make the layers of a density volume; yields them at the end. Takes a second or two.

    Parameters
    ----------
    volume
        In one, two or three dimensions.
    names
        Of the channels: they become axis labels.
    color_of
        Maps colors ``(N, C)`` to sRGB ``(N, 3)`` in 0..1; None takes the view's own.
    shells
        Shares of the pixels within the surfaces that are added, hidden at first.
    up
        The channel that points up.
    unit
        What distances between colors are measured in: one of `UNITS`, or "" for plain numbers.
    """
    yield Progress("making the volume's layers")
    images = volume_layers(volume, names, color_of, unit)
    surfaces = []
    for done, fraction in enumerate(sorted(shells, reverse=True), 1):
        surfaces += shell_layers(volume, names, (fraction,), color_of, unit)
        yield Progress("making the volume's layers", done / len(shells))
    axes = axis_lines(volume, names, color_of, unit) if volume.values.ndim == 3 else None
    yield VolumeLayers(images, surfaces, axes, up)


def open_viewer(layers: VolumeLayers, title: str) -> "Viewer":
    """Show the layers of a density volume in a new viewer, one after the other.

    napari takes a second or two for all of them; other windows live meanwhile.

    Parameters
    ----------
    layers
        From `make_layers`.
    title
        What the colors are of.
    """
    from napari import Viewer

    before = set(main_windows())
    viewer = Viewer(title=f"Colors of {title}")
    for window in set(main_windows()) - before:
        keep_current(viewer, window)
        close_at_exit(window, viewer.close)
        _Steps(window, _fill(viewer, layers))
    return viewer


def _fill(viewer: "Viewer", layers: VolumeLayers) -> Iterator[None]:
    """Add layers; between yields the window may draw."""
    yield
    # What is hidden first: it is at the end of the layer list, which shows few.
    for surface, options in layers.surfaces:
        viewer.add_surface(surface, **options)
        yield
    for data, options in layers.images:
        image = viewer.add_image(data, **options)
        yield
    if layers.axes is not None:
        viewer.dims.ndisplay = 3
        viewer.scene.camera.set_view_direction(*view_directions(layers.up))
        viewer.reset_view(reset_camera_angle=False)
        yield
        # napari's own axes have no numbers, and colors that are not those of the channels.
        viewer.add_vectors(layers.axes.lines, **layers.axes.line_options)
        yield
        font_size = get_settings().appearance.font_size
        viewer.add_points(layers.axes.places, **layers.axes.text_options(viewer.theme, font_size))
    viewer.reset_view(reset_camera_angle=False)
    viewer.layers.selection.active = image


class _Steps(QObject):
    """Goes on with an iterator whenever nothing else is to be done, while a window is open."""

    def __init__(self, window: QMainWindow, steps: Iterator[None]) -> None:
        super().__init__(window)
        self._window, self._steps = window, steps
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._go_on)
        self._timer.start()

    def _go_on(self) -> None:
        is_open = self._window.isVisible()
        if not is_open or next(self._steps, self) is self:
            self._timer.stop()
            self.deleteLater()


def view_directions(up: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return where to look and what is up: along no axis, so that the cloud has depth."""
    around, above = np.radians([AROUND, FROM_ABOVE])
    right, back = (channel for channel in range(3) if channel != up)
    ahead, upwards = np.zeros(3), np.zeros(3)
    ahead[[right, back]] = np.cos(above) * np.array([-np.sin(around), np.cos(around)])
    ahead[up], upwards[up] = -np.sin(above), 1.0
    return tuple(ahead.tolist()), tuple(upwards.tolist())
