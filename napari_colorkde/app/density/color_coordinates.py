"""A palette's colors in the chosen color space: coordinates, names, display colors, gamut.

Conversion happens once per palette and space, on the distinct colors. Pure functions and values.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.app.density.sketch import sketch
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.projection import (
    Projection,
    distinct_places,
    known_axes,
    projection_of,
    seen_palette,
)
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.settings.state_values import Bandwidth, sigmas_given
from napari_colorkde.app.settings.view_settings import Axes
from napari_colorkde.app.state import State
from napari_colorkde.core.colorspaces import (
    ColorSpace,
    color_space,
    palette_in_space,
    rgb_fractions,
)
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges

Floats = NDArray[np.float64]
ColorOf = Callable[[Floats], Floats]

EDGE_POINTS = 33


@dataclass(frozen=True, eq=False)
class PaletteCoordinates:
    """A palette in a color space.

    Attributes
    ----------
    palette
        With its own numbers.
    points
        The same entries in the same order, as coordinates in the space; the palette itself for its
        own channels.
    space
        None for the image's own channels.
    color_of
        Maps coordinates ``(N, C)`` to sRGB ``(N, 3)``, outside 0..1 where a color cannot be
        displayed; the same function for the same space. None for the image's own channels.
    projection
        How colors of more than three channels are looked at: `points` are where they are seen.
        None of others.
    """

    palette: Palette = field(repr=False)
    points: Palette = field(repr=False)
    space: ColorSpace | None = None
    color_of: ColorOf | None = field(default=None, repr=False)
    projection: Projection | None = None

    @property
    def own(self) -> Palette:
        """What densities are of: the points, or of more than three channels the palette itself."""
        return self.points if self.projection is None else self.palette

    @cached_property
    def drawn(self) -> Palette:
        """The points as they are drawn, each once."""
        return self.points if self.projection is None else distinct_places(self.points)

    @cached_property
    def sketch(self) -> Palette:
        """The drawn points on a coarse lattice, see `sketch.sketch`."""
        return sketch(self.drawn)

    @property
    def name(self) -> str:
        """Name of the space."""
        return "rgb" if self.space is None else self.space.name

    @property
    def extent(self) -> Floats | None:
        """``(C, 2)`` box around the gamut, None for the image's own channels."""
        return None if self.space is None else np.stack([self.space.low, self.space.high], axis=1)

    @property
    def up(self) -> int:
        """The channel that points up in the view."""
        return 0 if self.space is None else self.space.up_axis

    @property
    def unit(self) -> str:
        """What distances are measured in; "" for plain numbers."""
        if self.space is None:
            return "levels" if self.palette.dtype.kind in "ui" else ""
        return self.space.unit

    def names(self, channels: Channels) -> tuple[str, ...]:
        """Names of the axes."""
        if self.projection is not None:
            return self.projection.names(channels.names)
        return channels.names if self.space is None else self.space.channels

    def all_names(self, channels: Channels) -> tuple[str, ...]:
        """Names of all channels of the density, seen or not."""
        return channels.names if self.projection is not None else self.names(channels)

    def is_along(self, axes: Axes) -> bool:
        """Whether this is how a view along these axes looks at the colors."""
        return self.projection is None or self.projection.axes == known_axes(
            axes, self.projection.n_channels
        )

    def from_colors(self, colors: ArrayLike) -> Floats:
        """Coordinates ``(N, C)`` of colors ``(N, C)`` in image units, those outside sRGB too."""
        values = np.asarray(colors, np.float64)
        if self.projection is not None:
            return self.projection.points(values)
        if self.space is None:
            return values
        return _quietly(self.space.from_rgb, values / white_level(self.palette))

    def to_colors(self, coordinates: ArrayLike) -> Floats:
        """Invert `from_colors`; not clipped."""
        values = np.asarray(coordinates, np.float64)
        if self.space is None:
            return values
        return _quietly(self.space.to_rgb, values) * white_level(self.palette)


def look_at_palette(palette: Palette, name: str, axes: Axes) -> PaletteCoordinates:
    """Convert a palette, or look at one of more than three channels along these axes.

    Raises
    ------
    ValueError
        As `convert_palette`.
    """
    projection = projection_of(palette, axes)
    if projection is None:
        return convert_palette(palette, name)
    points = seen_palette(palette, projection)
    return PaletteCoordinates(palette, points, projection=projection)


def convert_palette(palette: Palette, name: str) -> PaletteCoordinates:
    """Convert a palette. 0.1 s for 440 000 colors.

    Raises
    ------
    ValueError
        If there is no such space, or the colors are not sRGB.
    """
    if name == "rgb":
        return PaletteCoordinates(palette, palette)
    space = color_space(name, palette)
    show = _display(space) if name == "principal" else _display_named(name)
    return PaletteCoordinates(palette, palette_in_space(palette, space), space, show)


def conversion_error(
    source: ImageSource, channels: Channels, palette: Palette | None = None
) -> str:
    """Say in a sentence why an image has no color space but its own channels; "" if it has.

    Parameters
    ----------
    palette
        Its colors, None while they are not counted.
    """
    if len(channels) != 3:
        plural = "" if len(channels) == 1 else "s"
        return f"Other color spaces need red, green and blue; {len(channels)} channel{plural} " + (
            "is chosen." if len(channels) == 1 else "are chosen."
        )
    if not source.rgb:
        return f"Other color spaces need sRGB; {source.name!r} is not an RGB layer."
    if palette is not None:
        try:
            # Integers need no look at their values.
            dtype = palette.image_dtype or palette.dtype
            rgb_fractions(palette.colors[:0] if dtype.kind == "u" else palette.colors, dtype)
        except ValueError as error:
            return str(error)
    return ""


def with_rgb_space(state: State) -> State:
    """The state in the image's own channels; sigmas in other units are let go."""
    if state.space == "rgb":
        return state
    bandwidth = None if isinstance(state.bandwidth, tuple) else state.bandwidth
    return state.replace(space="rgb", bandwidth=bandwidth)


def converted_bandwidth(
    bandwidth: Bandwidth, palette: Palette, before: str, after: str
) -> Bandwidth:
    """Sigmas in one space as the same parts of the channels' ranges in another; rules stay.

    A covariance has none in another space, but for its sigmas.
    """
    given = sigmas_given(bandwidth)
    if given is None or before == after:
        return bandwidth
    scaled = np.array(given) / channel_spans(palette, before) * channel_spans(palette, after)
    sigmas = tuple(float(f"{sigma:.4g}") for sigma in scaled)
    return sigmas[:1] if len(set(sigmas)) == 1 else sigmas


def channel_spans(palette: Palette, name: str) -> Floats:
    """The range of values of each channel in a space, ``(C,)``."""
    if name == "rgb":
        return np.asarray(channel_ranges(palette))
    space = color_space(name, palette)
    return np.asarray(space.high - space.low)


def white_level(palette: Palette) -> float:
    """The value of a channel at its brightest, by which sRGB colors are divided."""
    return float(np.iinfo(palette.dtype).max) if palette.dtype.kind == "u" else 1.0


def gamut_outline(coordinates: PaletteCoordinates) -> list[Floats]:
    """The 12 edges of the RGB cube as lines ``(N, 3)`` in the space; none for the own channels."""
    if coordinates.space is None:
        return []
    along = np.linspace(0, 1, EDGE_POINTS)
    lines = []
    for axis in range(3):
        for corner in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)):
            rgb = np.empty((EDGE_POINTS, 3))
            rgb[:, axis] = along
            rgb[:, [c for c in range(3) if c != axis]] = corner
            lines.append(_quietly(coordinates.space.from_rgb, rgb))
    return lines


def display_of_rgb(palette: Palette) -> ColorOf:
    """Colors of an RGB image in its own channels, on whatever scale, as sRGB in 0..1.

    The same function for the same scale: the view then uploads only the density.
    """
    return _display_within(tuple(channel_ranges(palette)))


@lru_cache(maxsize=8)
def _display_within(ranges: tuple[float, ...]) -> ColorOf:
    return lambda colors: np.clip(colors / np.array(ranges), 0, 1)


@lru_cache(maxsize=16)
def _display_named(name: str) -> ColorOf:
    return _display(color_space(name))


def _display(space: ColorSpace) -> ColorOf:
    def color_of(coordinates: Floats) -> Floats:
        rgb = _quietly(space.to_rgb, np.asarray(coordinates, np.float64))
        return np.nan_to_num(rgb)

    return color_of


def _quietly(convert: Callable[[Floats], Floats], values: Floats) -> Floats:
    """Convert what may lie outside the gamut; it is meant."""
    with np.errstate(all="ignore"):
        return np.asarray(convert(values), np.float64)
