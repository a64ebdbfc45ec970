"""The color spaces of kernels, and the conversion of Gaussians between them.

"bgr" is the image's own channels in the order of OpenCV; all others are those of `COLOR_SPACES`.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import real_number
from napari_colorkde.core.colorspaces import (
    COLOR_SPACES,
    OWN_CHANNELS,
    color_space,
    palette_in_space,
)
from napari_colorkde.core.image import SliceableArray
from napari_colorkde.core.mixture.kernel_arrays import build_kernels
from napari_colorkde.core.mixture.kernel_checks import checked_kernel_space
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import ColorUnitsWarning

Array = NDArray[np.float64]

LEVELS_FROM = 1.5
"""Kernels with a mean above this are of whole levels."""


def kernels_to_space(kernels: KernelSet, space: str, white: float = 255.0) -> KernelSet:
    """Return kernels as the same Gaussians in another space, see `KernelSet.to_space`."""
    space = checked_kernel_space(space)
    if space == kernels.space or not kernels:
        return KernelSet(kernels.kernels, kernels.name, space)
    if not real_number(white, "white", "a number above 0, such as 255") > 0:
        raise ValueError(f"white={white}; give a number above 0, such as 255.")
    if kernels.n_channels != 3:
        raise ValueError(
            f"kernels has {kernels.n_channels} channels; give kernels of three channels to use "
            "another space."
        )
    matrix, offset = _between(kernels.space, space, white)
    means = kernels.means @ matrix.T + offset
    covariances = matrix @ kernels.covariances @ matrix.T
    covariances = (covariances + covariances.transpose(0, 2, 1)) / 2
    moved = build_kernels(
        means,
        covariances,
        kernels.weights,
        classes=[kernel.cls for kernel in kernels],
        names=[kernel.name for kernel in kernels],
        visible=[kernel.visible for kernel in kernels],
    )
    return KernelSet(moved, kernels.name, space)


def kernels_for(kernels: KernelSet, space: str | None, image_dtype: "np.dtype[Any]") -> KernelSet:
    """Return kernels in the space that a caller asks for; None: in their own.

    Parameters
    ----------
    image_dtype
        Of the image, whose level of white the kernels share.
    """
    if space is None:
        return kernels
    is_integer = image_dtype.kind == "u"
    white = float(np.iinfo(image_dtype).max) if is_integer else 1.0
    return kernels_to_space(kernels, space, white)


def image_dtype_of(image: Palette | SliceableArray) -> "np.dtype[Any]":
    """Return the dtype of an image, or of the one that a palette was counted from."""
    if isinstance(image, Palette):
        return image.image_dtype or image.dtype
    return image.dtype


def refuse_other_channels(palette: Palette, kernels: KernelSet) -> None:
    """Refuse kernels of other channels than the colors have.

    Raises
    ------
    ValueError
        If they have.
    """
    if kernels.n_channels != palette.n_channels:
        raise ValueError(
            f"kernels has {counted(kernels.n_channels, 'channel')}, but the image's colors have "
            f"{palette.n_channels}; give an image with the channels of the kernels."
        )


class UnitsWatch:
    """Looks whether colors from 0 to 1 meet kernels of whole levels, or the other way round.

    The answer then looks plausible and says nothing. Kernels of levels have means above 1; those
    of fractions have none, and sigmas below 1.

    Parameters
    ----------
    kernels
        Of one channel or more.
    """

    def __init__(self, kernels: KernelSet) -> None:
        is_own = kernels.space in OWN_CHANNELS
        self._mean = float(kernels.means.max())
        self._of_levels = is_own and self._mean > LEVELS_FROM
        variance = float(kernels.variances.max())
        self._of_fractions = is_own and 0 < self._mean <= 1 and variance < 1
        self._low, self._high = np.inf, -np.inf
        self._is_float = self._has_fractions = False

    def look(self, colors: NDArray[Any]) -> None:
        """Look at colors ``(n, C)``, finite ones; a part of the image after the other."""
        if not (self._of_levels or self._of_fractions) or not len(colors):
            return
        self._is_float |= colors.dtype.kind == "f"
        if self._is_float != self._of_levels:
            return
        self._low = min(self._low, float(colors.min()))
        self._high = max(self._high, float(colors.max()))
        if self._is_float and self._low >= 0 and self._high <= 1 and not self._has_fractions:
            self._has_fractions = bool(((colors > 0) & (colors < 1)).any())

    def warn(self, stacklevel: int) -> None:
        """Warn if all that was seen is in other units.

        Warns
        -----
        ColorUnitsWarning
            Then.
        """
        said = ""
        if self._of_levels and self._has_fractions and self._low >= 0 and self._high <= 1:
            said = (
                f"image has floats from 0 to 1, kernels have means up to {self._mean:.4g}; multiply"
            )
        elif self._of_fractions and not self._is_float and self._high > 1:
            said = f"image has levels, kernels have means up to {self._mean:.4g}; divide"
        if said:
            text = f"{said} the image by its white level, such as 255."
            warnings.warn(text, ColorUnitsWarning, stacklevel=stacklevel + 1)


def points_for(palette: Palette, space: str) -> Palette:
    """Return a palette with its colors where kernels of this space are."""
    if space in OWN_CHANNELS:
        return palette
    return palette_in_space(palette, color_space(space, palette))


def _between(given: str, wanted: str, white: float) -> tuple[Array, Array]:
    """Return the matrix (3, 3) and the offset (3,) from one space to another.

    Raises
    ------
    ValueError
        If Gaussians of the one are none in the other.
    """
    for name in (given, wanted):
        is_affine = name == "bgr" or (COLOR_SPACES[name].is_affine and not COLOR_SPACES[name].fit)
        if not is_affine:
            raise ValueError(
                f"space={wanted!r}: kernels of {given!r} are not Gaussians there; give "
                f"space={given!r}, or fit kernels in the space that you need, as with "
                f"fit_kernels(image, n, space={wanted!r})."
            )
    to_rgb, rgb_offset = _from_rgb(given, white)
    from_rgb, offset = _from_rgb(wanted, white)
    matrix = from_rgb @ np.linalg.inv(to_rgb)
    return matrix, offset - matrix @ rgb_offset


def _from_rgb(space: str, white: float) -> tuple[Array, Array]:
    """Return the matrix and the offset from an image's own R, G, B to a space."""
    if space == "rgb":
        return np.eye(3), np.zeros(3)
    if space == "bgr":
        return np.eye(3)[::-1], np.zeros(3)
    convert = color_space(space).from_rgb
    offset = convert(np.zeros((1, 3)))[0]
    return (convert(np.eye(3)) - offset).T / white, offset
