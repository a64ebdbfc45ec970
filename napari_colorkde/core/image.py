"""The input boundary of the engine: what counts as an image, and which of its pixels count.

Channels are brought last, RGBA loses its alpha, and masked, transparent and non-finite pixels are
marked. Nothing is computed here and nothing is copied that need not be.
"""

from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import (
    IMAGE,
    MASK,
    Wanted,
    as_array,
    refuse_no_array,
)
from napari_colorkde.core.checks.channels import (
    RGBA_CHANNELS,
    advice_for,
    channels_last,
    refuse_unclear_channels,
)


class SliceableArray(Protocol):
    """An array that may be read piece by piece: NumPy's, dask's, zarr's, HDF5's."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        ...

    def __getitem__(self, index: tuple[int | slice, ...], /) -> ArrayLike: ...
    def __array__(self) -> NDArray[Any]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """The pixels of an image, channels last.

    Attributes
    ----------
    values
        ``(..., C)``; uint8, uint16, float32 or float64. A view of the image where possible.
    excluded
        ``(...)`` bool, True where a pixel does not count; None if all do.
    n_masked, n_transparent, n_not_finite
        Why pixels do not count. A pixel is counted once, under the first reason in this order.
    """

    values: NDArray[Any]
    excluded: NDArray[np.bool_] | None = None
    n_masked: int = 0
    n_transparent: int = 0
    n_not_finite: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image without its channels."""
        return self.values.shape[:-1]

    @property
    def n_channels(self) -> int:
        """Number of color channels C."""
        return int(self.values.shape[-1])

    @property
    def n_excluded(self) -> int:
        """Number of pixels that do not count."""
        return self.n_masked + self.n_transparent + self.n_not_finite

    def included(self) -> NDArray[Any]:
        """The pixels that count, ``(n, C)``."""
        if self.excluded is None:
            return self.values.reshape(-1, self.n_channels)
        return self.values[~self.excluded]


def as_pixels(
    image: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    n_channels: int | None = None,
    name: str = "image",
) -> Pixels:
    """Bring an image to the form the engine works on.

    Parameters
    ----------
    image
        Any array. Two-dimensional ones are gray and have no channel axis. bool becomes float32 0/1,
        integers other than uint8 and uint16 become float64, float16 becomes float32.
    mask
        Same shape as the image without its channels; a pixel counts where it is nonzero. What a
        NumPy masked array masks, in any channel, does not count either.
    channel_axis
        Which axis holds the channels; None if there is none.
    n_channels
        How many color channels are wanted; None accepts what `checked_channels` does.
    name
        How the caller names the argument, for messages.

    Notes
    -----
    Four channels are RGBA: alpha is dropped and pixels with alpha 0 do not count, unless four
    color channels are wanted.

    Raises
    ------
    TypeError
        If the image does not hold real numbers.
    ValueError
        If it is empty, or its channels or the mask's shape do not fit.
    """
    hidden = None
    if np.ma.isMaskedArray(image):
        hidden = channels_last(np.ma.getmaskarray(image), channel_axis, name).any(axis=-1)
    values = _real(image if isinstance(image, np.ndarray) else as_array(image, name, IMAGE), name)
    values = channels_last(values, channel_axis, name)
    broken = _not_finite(values)
    transparent = None
    wanted = n_channels
    if wanted is None:
        refuse_unclear_channels(values.shape, channel_axis, name)
    if values.shape[-1] == RGBA_CHANNELS and (wanted is None or wanted < RGBA_CHANNELS):
        transparent = values[..., 3] == 0
        values = values[..., :3]
    given = values.shape[-1]
    if wanted is not None and given != wanted:
        needed = f"{_channels(wanted)} {'is' if wanted == 1 else 'are'} needed"
        raise ValueError(
            f"{name} has {_channels(given)}, but {needed}; {advice_for(values.shape, wanted)}."
        )
    masked: NDArray[np.bool_] | None = None
    if mask is not None:
        masked = ~left_in(checked_mask(mask, values.shape[:-1], name))
    if hidden is not None:
        masked = np.asarray(hidden if masked is None else masked | hidden)
    return _exclude(values, masked, transparent, broken)


def as_sliceable(image: ArrayLike, name: str = "image", wanted: Wanted = IMAGE) -> SliceableArray:
    """Return an array as it is, which may be lazy; numbers in lists and tensors as an array.

    Raises
    ------
    TypeError, ValueError
        If it is no array, see `refuse_no_array`.
    """
    if hasattr(image, "shape") and not hasattr(image, "detach"):
        refuse_no_array(image, name, wanted)
        return cast(SliceableArray, image)
    return cast(SliceableArray, as_array(image, name, wanted))


def left_in(marks: SliceableArray) -> NDArray[np.bool_]:
    """Where a mask is not zero; fractions are refused, as they may be meant as weights."""
    mask = np.asarray(marks)
    if mask.dtype.kind == "f" and not ((mask <= 0) | (mask >= 1)).all():
        raise ValueError(
            "mask holds fractions or NaN, but a mask is yes or no; give mask >= 0.5, or pass the "
            "fractions as weights to Palette.from_image."
        )
    return np.asarray(mask != 0)


def checked_mask(mask: ArrayLike, shape: tuple[int, ...], name: str = "image") -> SliceableArray:
    """Return the mask as it is, which may be a lazy array.

    Raises
    ------
    ValueError
        If it is not one value per pixel of an image of this shape (without channels).
    """
    marks = as_sliceable(mask, "mask", MASK)
    if marks.dtype.kind not in "buif":
        raise TypeError(f"mask holds {marks.dtype}; give numbers or bools.")
    if tuple(marks.shape) != tuple(shape):
        raise ValueError(
            f"mask has shape {tuple(marks.shape)}, but the pixels of {name} have {tuple(shape)}; "
            "give one value per pixel."
        )
    return marks


def _not_finite(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Which pixels have a channel that is no finite number; None if none has."""
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return None
    return np.asarray(~np.isfinite(values).all(axis=-1))


def _real(array: NDArray[Any], name: str) -> NDArray[Any]:
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.float32)
    if kind in "ui":
        if array.dtype.itemsize <= 2 and kind == "u":
            return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
        return array.astype(np.float64)
    if kind == "f":
        dtype = np.float32 if array.dtype.itemsize <= 4 else np.float64
        return array.astype(dtype, copy=False)
    raise TypeError(
        f"{name} holds {array.dtype}; give real numbers (uint8, uint16, float or bool)."
    )


def _exclude(values: NDArray[Any], *reasons: NDArray[np.bool_] | None) -> Pixels:
    """Unite the reasons, counting each pixel under its first."""
    excluded: NDArray[np.bool_] | None = None
    counted = []
    for reason in reasons:
        if reason is None or not reason.any():
            counted.append(0)
            continue
        before = 0 if excluded is None else int(np.count_nonzero(excluded))
        excluded = reason if excluded is None else excluded | reason
        counted.append(int(np.count_nonzero(excluded)) - before)
    return Pixels(values, excluded, *counted)


def _channels(n: int) -> str:
    return "1 channel" if n == 1 else f"{n} channels"
