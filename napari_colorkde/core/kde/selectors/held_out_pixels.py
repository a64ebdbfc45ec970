"""How well a KDE of some of an image's pixels predicts the rest: random pixels or blocks.

Neighboring pixels are not independent: a random pixel's neighbors, which are of much the same
color, are mostly among those that predict it, so that random pixels ask for too narrow kernels.
Blocks of pixels that are held out together leave that to their edges.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.channels import pixel_shape
from napari_colorkde.core.checks.covariance import log_normalizer
from napari_colorkde.core.device import Device
from napari_colorkde.core.image import as_sliceable, checked_mask, left_in
from napari_colorkde.core.kde.leave_one_out import SEED, Score, number_drawn
from napari_colorkde.core.kernel_sums.kernel_sums import kernel_sums
from napari_colorkde.core.palette.count_image import count_image
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]

BLOCKS_ACROSS = 16
"""Blocks along the shorter edge of an image."""

MIN_BLOCK = 8
"""Pixels along a block, at least: fewer are no more than neighbors."""


@dataclass(frozen=True, eq=False)
class Halves:
    """The pixels of an image in two halves.

    Attributes
    ----------
    train, valid
        Those that predict, and those that are predicted.
    """

    train: Palette
    valid: Palette

    def converted(self, convert: Callable[[Palette], Palette]) -> "Halves":
        """Return both with their colors in another space."""
        return Halves(convert(self.train), convert(self.valid))


def random_halves(palette: Palette, seed: int = SEED) -> Halves:
    """Hold out every pixel of a palette with probability one half.

    Raises
    ------
    ValueError
        If a half has no pixel, or the palette is weighted.
    """
    if palette.is_weighted:
        raise ValueError("palette has weights, not counts; give one that counts pixels.")
    return split_counts(palette, np.random.default_rng(seed).binomial(palette.counts, 0.5))


def split_counts(palette: Palette, held_out: NDArray[np.int64]) -> Halves:
    """Hold out so many pixels of each color of a palette, ``(U,)``.

    Raises
    ------
    ValueError
        If a half has no pixel.
    """
    return _halves(_part(palette, palette.counts - held_out), _part(palette, held_out))


def halves_by_blocks(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    *,
    seed: int = SEED,
    n_channels: int | None = None,
) -> Halves:
    """Hold out half of the square blocks that an image is cut into.

    Parameters
    ----------
    image, mask, channel_axis, n_channels
        See `Palette.from_image`.
    seed
        Of the draw of the blocks.

    Raises
    ------
    TypeError, ValueError
        If the image or mask is not of that form, or a half has no pixel.
    """
    array = as_sliceable(image)
    blocks = blocks_held_out(pixel_shape(array.shape, channel_axis), seed)
    given = True if mask is None else left_in(checked_mask(mask, blocks.shape))
    parts = []
    for part in (~blocks, blocks):
        counted = np.logical_and(part, given)
        if not counted.any():
            raise ValueError(
                f"image has {math.prod(blocks.shape)} pixels, too few to split into blocks; use "
                '"pixels".'
            )
        parts.append(count_image(array, counted, channel_axis, n_channels=n_channels))
    return _halves(*parts)


def blocks_held_out(shape: tuple[int, ...], seed: int = SEED) -> NDArray[np.bool_]:
    """Return which pixels ``(..., H, W)`` are held out: half of the blocks, drawn at random.

    A block has 1/16 of the shorter edge, and at least 8 pixels; the same in all planes of a stack,
    whose planes are alike.
    """
    height, width = shape[-2:]
    side = max(MIN_BLOCK, math.ceil(min(height, width) / BLOCKS_ACROSS))
    n_rows, n_columns = -(-height // side), -(-width // side)
    n = n_rows * n_columns
    drawn = np.zeros(n, bool)
    drawn[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
    rows, columns = np.arange(height) // side, np.arange(width) // side
    plane = drawn.reshape(n_rows, n_columns)[rows[:, np.newaxis], columns]
    return np.broadcast_to(plane, shape)


class HeldOutScorer:
    """Mean log-density of held-out pixels under the KDE of the others.

    Parameters
    ----------
    halves
        The pixels; of more than a million colors on no small lattice, 65 536 random held-out pixels
        stand for all, unless `exact`; of more than three channels fewer of fewer colors.
    """

    def __init__(self, halves: Halves, device: Device, *, exact: bool = False) -> None:
        self._train, self._device = halves.train, device
        valid = halves.valid
        self.n_drawn = 0 if exact else number_drawn(valid, halves.train)
        self._colors, self._counts = valid.colors, valid.counts.astype(np.float64)
        if self.n_drawn:
            drawn = np.random.default_rng(SEED).choice(
                len(valid), self.n_drawn, p=valid.counts / valid.total_weight
            )
            rows, multiples = np.unique(drawn, return_counts=True)
            self._colors, self._counts = valid.colors[rows], multiples.astype(np.float64)
        self._same = _counts_of(self._train, self._colors)

    def score(self, covariance: Array) -> Score:
        """Return the score of one bandwidth."""
        logs = kernel_sums(self._train, covariance, self._device).log_at(self._colors)
        n = self._counts.sum()
        with np.errstate(divide="ignore"):
            own = float(self._counts @ np.exp(np.log(self._same) - logs) / n)
        logs = logs - math.log(self._train.total_weight) - log_normalizer(covariance)
        mean = float(self._counts @ logs / n)
        error = 0.0
        if self.n_drawn:
            variance = float(self._counts @ (logs - mean) ** 2 / (n - 1))
            error = math.sqrt(variance / n)
        return Score(mean, error, own)


def _halves(train: Palette, valid: Palette) -> Halves:
    if not (len(train) and len(valid)):
        raise ValueError("image has too few pixels to hold half of them out; give a larger image.")
    return Halves(train, valid)


def _part(palette: Palette, counts: NDArray[np.int64]) -> Palette:
    """Return the palette of some of its pixels; those of a bin are taken to be at its mean."""
    rows = counts > 0
    return replace(
        palette,
        colors=palette.colors[rows],
        counts=counts[rows],
        ranges=palette.level_ranges,
        moments=None,
    )


def _counts_of(palette: Palette, colors: NDArray[np.float64]) -> Array:
    """Return how many pixels of a palette have each of these very colors, ``(n,)``."""
    known = np.ascontiguousarray(palette.colors)
    asked = np.ascontiguousarray(colors.astype(known.dtype, copy=False))
    whole = np.dtype((np.void, known.dtype.itemsize * known.shape[1]))
    known_keys, asked_keys = (x.view(whole).ravel() for x in (known, asked))
    order = np.argsort(known_keys)
    places = np.minimum(np.searchsorted(known_keys, asked_keys, sorter=order), len(order) - 1)
    rows = order[places]
    is_same = (known[rows] == asked).all(axis=1)
    return np.where(is_same, palette.counts[rows], 0).astype(np.float64)
