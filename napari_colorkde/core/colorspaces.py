"""Color spaces: where an sRGB color lies in each, and back.

Each is one entry of `COLOR_SPACES`, with all that the window, the library and the command line know
of it; a new one is written there.

Conversions are scikit-image's where it has them. They act on palettes, so their cost is that of the
distinct colors. "rgb" means the image's own channels, whatever they are; every other space reads
three channels as sRGB.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core import color_conversions as convert
from napari_colorkde.core.checks.arguments import choice
from napari_colorkde.core.number_text import counted

if TYPE_CHECKING:
    from napari_colorkde.core.image import Pixels
    from napari_colorkde.core.palette.palette import Palette

Colors = NDArray[np.float64]

SpaceName = Literal["rgb", "linear", "lab", "oklab", "hsv", "ycbcr", "principal"]
"""The spaces that come with the program; `COLOR_SPACES` may have more."""

KernelSpace = SpaceName | Literal["bgr"]
"""Those that kernels may lie in."""

OWN_CHANNELS = ("rgb", "bgr")
"""Names for the image's own channels: not converted."""

RGB_CHANNELS = 3

BLOCK_COLORS = 1 << 15
"""Colors converted in one go: with what formulas leave on the way, some MB."""


@dataclass(frozen=True, slots=True, eq=False)
class ColorSpace:
    """A three-dimensional color space.

    Attributes
    ----------
    name, title
        The name in the interface and the one for people.
    channels
        Names of the axes.
    low, high
        ``(3,)`` box around the sRGB gamut, in the space's own units.
    from_rgb, to_rgb
        ``(n, 3)`` sRGB in 0..1 to coordinates and back; the way back is not clipped.
    up_axis
        Position of the channel that stands for lightness, which points up in the view.
    unit
        What distances are measured in; "" for fractions.
    is_affine
        Whether a Gaussian of the sRGB cube is one again.
    fit
        Makes the space of a palette, where it depends on one.
    """

    name: str
    title: str
    channels: tuple[str, str, str]
    low: Colors
    high: Colors
    from_rgb: Callable[[Colors], Colors]
    to_rgb: Callable[[Colors], Colors]
    up_axis: int = 0
    unit: str = ""
    is_affine: bool = False
    fit: "Callable[[Palette], ColorSpace] | None" = None


def color_space(name: str, palette: "Palette | None" = None) -> ColorSpace:
    """Return the space of this name, one of `COLOR_SPACES`.

    Parameters
    ----------
    name
        "rgb" is sRGB itself: callers leave an image's own channels as they are.
    palette
        For a space that depends on one: principal.

    Raises
    ------
    ValueError
        If there is no such space, or it depends on a palette and none is given.
    """
    space = COLOR_SPACES[choice(name, "space", COLOR_SPACES)]
    if space.fit is None:
        return space
    if palette is None:
        raise ValueError(f"space={name!r} depends on the colors of an image; give its palette.")
    return space.fit(palette)


def channel_names(space: str, n_channels: int) -> list[str]:
    """Letters for red, green and blue in the order of the space, otherwise numbers from 1."""
    if space in OWN_CHANNELS and n_channels == RGB_CHANNELS:
        return list(space)
    return [str(i + 1) for i in range(n_channels)]


def names_of_axes(space: str, n_channels: int) -> tuple[str, ...]:
    """Return the names of a space's axes; where there are not three, numbers from 1."""
    known = COLOR_SPACES.get(space)
    if known is not None and n_channels == len(known.channels):
        return known.channels
    return tuple(f"channel {i + 1}" for i in range(n_channels))


def rgb_fractions(colors: NDArray[Any], dtype: "np.dtype[Any] | None" = None) -> Colors:
    """Return three-channel colors as sRGB in 0..1.

    Parameters
    ----------
    dtype
        Of the image, where colors are means of its bins; None if they have it themselves.

    Raises
    ------
    ValueError
        If there are not three channels, or float colors are outside 0..1.
    """
    if colors.shape[-1] != 3:
        raise ValueError(
            f"image has {counted(colors.shape[-1], 'color channel')}; only sRGB images have other "
            'color spaces. Use space="rgb", the image\'s own channels.'
        )
    dtype = colors.dtype if dtype is None else dtype
    if dtype.kind == "u":
        return colors / float(np.iinfo(dtype).max)
    if colors.size and (colors.min() < 0 or colors.max() > 1):
        raise ValueError(
            f"image has float values from {colors.min():.4g} to {colors.max():.4g}; sRGB lies "
            'between 0 and 1. Divide by the white level, or use space="rgb".'
        )
    return colors.astype(np.float64)


def refuse_other_than_srgb(pixels: "Pixels") -> None:
    """Refuse pixels that are no sRGB, before their colors are counted.

    Raises
    ------
    ValueError
        If there are not three channels, or float colors that count are outside 0..1.
    """
    values = pixels.values
    if values.shape[-1] == RGB_CHANNELS and values.dtype.kind == "f" and pixels.shape:
        values = pixels.included()
        if len(values):
            values = np.array([[values.min()] * RGB_CHANNELS, [values.max()] * RGB_CHANNELS])
    rgb_fractions(values if values.dtype.kind == "f" else values[..., :0, :])


def refusal_for(space: str) -> "Callable[[Pixels], None] | None":
    """Return what refuses pixels that have no place in a space; None where all have one."""
    return None if space in OWN_CHANNELS else refuse_other_than_srgb


def palette_in_space(palette: "Palette", space: ColorSpace) -> "Palette":
    """Return the palette with its colors in another space, in the order of the original's entries.

    What it knows of its bins is in the image's own units and is left behind.
    """
    return replace(
        palette,
        colors=_in_blocks(space.from_rgb, rgb_fractions(palette.colors, palette.image_dtype)),
        ranges=space.high - space.low,
        bin_width=np.zeros(palette.n_channels),
        moments=None,
        image_dtype=None,
    )


def _in_blocks(convert_colors: Callable[[Colors], Colors], rgb: Colors) -> Colors:
    """Convert colors ``(n, 3)`` on several threads, so many at a time as the cache holds."""
    from napari_colorkde.core.palette.map_blocks import map_blocks  # loads torch; help does not

    converted = np.empty(rgb.shape)

    def fill(block: slice) -> None:
        converted[block] = convert_colors(rgb[block])

    map_blocks(fill, len(rgb), BLOCK_COLORS)
    return converted


def principal_axes(palette: "Palette") -> ColorSpace:
    """The principal axes of a palette's sRGB colors: centered, widest spread first."""
    rgb = rgb_fractions(palette.colors, palette.image_dtype)
    weights = palette.counts / palette.total_weight
    mean = weights @ rgb
    covariance = (rgb - mean).T @ ((rgb - mean) * weights[:, np.newaxis])
    axes = np.linalg.eigh(covariance)[1][:, ::-1]
    # An axis points where its channels increase, so that the same image gives the same picture.
    axes = axes * np.where(axes.sum(axis=0) < 0, -1.0, 1.0)
    corners = (_CUBE_CORNERS - mean) @ axes
    return replace(
        COLOR_SPACES["principal"],
        low=corners.min(axis=0),
        high=corners.max(axis=0),
        from_rgb=lambda rgb: (rgb - mean) @ axes,
        to_rgb=lambda values: values @ axes.T + mean,
        fit=None,
    )


_CUBE_CORNERS = np.array([(r, g, b) for r in (0.0, 1) for g in (0.0, 1) for b in (0.0, 1)])


COLOR_SPACES = {
    space.name: space
    for space in (
        ColorSpace(
            "rgb",
            "RGB",
            ("R", "G", "B"),
            np.zeros(3),
            np.ones(3),
            convert.same,
            convert.same,
            is_affine=True,
        ),
        ColorSpace(
            "linear",
            "linear RGB",
            ("R", "G", "B"),
            np.zeros(3),
            np.ones(3),
            convert.linear_from_rgb,
            convert.rgb_from_linear,
        ),
        ColorSpace(
            "lab",
            "CIELAB",
            ("L*", "a*", "b*"),
            np.array([0.0, -86.2, -107.9]),
            np.array([100.0, 98.3, 94.5]),
            convert.lab_from_rgb,
            convert.rgb_from_lab,
            unit="ΔE*ab",
        ),
        ColorSpace(
            "oklab",
            "OKLab",
            ("L", "a", "b"),
            np.array([0.0, -0.234, -0.312]),
            np.array([1.0, 0.277, 0.199]),
            convert.oklab_from_rgb,
            convert.rgb_from_oklab,
            unit="ΔE OK",
        ),
        ColorSpace(
            "hsv",
            "HSV cylinder",
            ("S cos H", "S sin H", "V"),
            np.array([-1.0, -1.0, 0.0]),
            np.ones(3),
            convert.cylinder_from_rgb,
            convert.rgb_from_cylinder,
            up_axis=2,
        ),
        ColorSpace(
            "ycbcr",
            "YCbCr",
            ("Y", "Cb", "Cr"),
            np.full(3, 16.0),
            np.array([235.0, 240.0, 240.0]),
            convert.ycbcr_from_rgb,
            convert.rgb_from_ycbcr,
            unit="levels",
            is_affine=True,
        ),
        ColorSpace(
            "principal",
            "principal axes",
            ("axis 1", "axis 2", "axis 3"),
            np.zeros(3),
            np.ones(3),
            convert.same,
            convert.same,
            is_affine=True,
            fit=principal_axes,
        ),
    )
}
"""All spaces by name, in the order in which they are offered; "rgb" is the image's own channels."""
