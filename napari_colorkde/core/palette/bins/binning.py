"""Bins of colors: nested, anchored at zero, with what is needed to merge them without a rounding.

A color is a whole number of *units* per channel. A bin is a power of two of units wide, so every
wider bin is a union of narrower ones. A bin keeps the number of its pixels and the sums of their
offsets from its low corner, and of the offsets' products, as whole numbers: sums of whole numbers
do not depend on the order in which they are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.palette.bins.bin_widths import (
    MAX_DOUBLINGS,
    MAX_OFFSET_BITS,
    as_units,
    color_unit,
    count_distinct,
    shifted_rows,
    too_many_bins,
)
from napari_colorkde.core.palette.map_blocks import map_blocks
from napari_colorkde.core.palette.sorted_rows.distinct_rows import CountedColors, Counts
from napari_colorkde.core.palette.sorted_rows.packing import Packing
from napari_colorkde.core.palette.sorted_rows.sorting import sorted_order

BINS_TOGETHER = 1 << 13
"""Bins whose rows are added up in one go, on one thread."""


@dataclass(frozen=True, slots=True, eq=False)
class BinMoments:
    """What bins keep of their pixels beside their number.

    Attributes
    ----------
    unit
        ``(C,)`` powers of two in image units: 1 for integers. Floats are cut off to it, by less
        than 2⁻³² of their largest magnitude.
    bins
        ``(U, C)`` int64: the numbers of the bins, ``floor(color / bin_width)``.
    first
        ``(U, C)`` int64: sums over pixels of their offset from the bin's low corner, in units;
        float64 where counts are weights.
    second
        ``(U, C(C+1)/2)`` float64: sums of products of two channels' offsets, in squared units;
        pairs in the order of `np.triu_indices(C)`. Whole numbers, exact up to 2⁵³, which integer
        images do not reach; beyond it to 1e-16 of the sum.
    """

    unit: NDArray[np.float64]
    bins: NDArray[np.int64]
    first: Counts
    second: NDArray[np.float64]

    def of(self, bins: NDArray[np.bool_]) -> "BinMoments":
        """Return what these bins keep."""
        parts = {name: getattr(self, name)[bins] for name in ("bins", "first", "second")}
        return replace(self, **parts)


@dataclass(frozen=True, slots=True, eq=False)
class BinnedColors:
    """Bins ``(U,)`` of one width, sorted by their numbers; see `BinMoments`.

    Attributes
    ----------
    width
        ``(C,)`` powers of two in image units.
    """

    width: NDArray[np.float64]
    counts: Counts
    moments: BinMoments

    def __len__(self) -> int:
        return len(self.counts)

    def means(self) -> NDArray[np.float64]:
        """Return the mean color of each bin's pixels, ``(U, C)``; it lies in the bin."""
        moments = self.moments
        means = np.empty(moments.first.shape)
        for c, (width, unit) in enumerate(zip(self.width, moments.unit, strict=True)):
            low = moments.bins[:, c] * width
            mean = low + moments.first[:, c] / self.counts * unit
            # A bin may hold a single number, and rounding must not carry a mean out of it.
            means[:, c] = np.clip(mean, low, np.maximum(low, np.nextafter(low + width, -np.inf)))
        return means


def within_bins(binned: BinnedColors) -> NDArray[np.float64]:
    """Return the covariances of each bin's pixels, ``(U, C(C+1)/2)``, in squared image units."""
    moments, counts = binned.moments, binned.counts
    covariances = np.empty(moments.second.shape)
    for p, (a, b) in enumerate(_pairs(len(moments.unit))):
        means = (moments.first[:, a] / counts) * (moments.first[:, b] / counts)
        scale = moments.unit[a] * moments.unit[b]
        covariances[:, p] = (moments.second[:, p] / counts - means) * scale
    return covariances


def bin_colors(
    counted: CountedColors, width: NDArray[np.float64], unit: NDArray[np.float64] | None = None
) -> BinnedColors:
    """Put colors into bins of this width, a power of two of each channel.

    Parameters
    ----------
    unit
        See `BinMoments`; None for that of these colors.
    """
    unit = color_unit(counted.colors, width) if unit is None else unit
    rows = as_units(counted.colors, unit)
    return _grouped(width, unit, _shifts(width, unit), rows, counted.counts, None)


def widen_bins(
    binned: BinnedColors, width: NDArray[np.float64], unit: NDArray[np.float64] | None = None
) -> BinnedColors:
    """Unite bins to wider ones of this width, with offsets in these units."""
    moments = binned.moments
    unit = moments.unit if unit is None else unit
    finer = np.rint(np.log2(moments.unit / unit)).astype(np.int64)
    old_shift = _shifts(binned.width, unit)
    first = [_scaled(moments.first[:, c], int(finer[c])) for c in range(len(width))]
    second = moments.second.copy()
    for p, (a, b) in enumerate(_pairs(len(width))):
        second[:, p] *= 2.0 ** (finer[a] + finer[b])
    shift = _shifts(width, unit) - old_shift
    return _grouped(width, unit, shift, moments.bins, binned.counts, (old_shift, first, second))


def merge_bins(parts: Sequence[BinnedColors]) -> BinnedColors:
    """Add up several sets of bins: in the widest of their widths and the finest of their units."""
    width = np.max([part.width for part in parts], axis=0)
    unit = np.min([part.moments.unit for part in parts], axis=0)
    unit = np.maximum(unit, width * 2.0**-MAX_OFFSET_BITS)
    parts = [widen_bins(part, width, unit) for part in parts]
    moments = BinMoments(
        unit,
        np.concatenate([part.moments.bins for part in parts]),
        np.concatenate([part.moments.first for part in parts]),
        np.concatenate([part.moments.second for part in parts]),
    )
    together = BinnedColors(width, np.concatenate([part.counts for part in parts]), moments)
    return widen_bins(together, width)


def widen_to(binned: BinnedColors, budget: int) -> BinnedColors:
    """Double the width of bins until there are at most `budget`."""
    if len(binned) <= budget:
        return binned
    rows, one = binned.moments.bins, np.ones(len(binned.width), np.int64)
    for doublings in range(MAX_DOUBLINGS):
        if count_distinct(rows) <= budget:
            return widen_bins(binned, binned.width * 2.0**doublings)
        rows = shifted_rows(rows, one)
    raise too_many_bins(len(one), budget)


def _shifts(width: NDArray[np.float64], unit: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(np.rint(np.log2(width / unit)).astype(np.int64))


def _scaled(sums: Counts, bits: int) -> Counts:
    """Return sums in units that are so many bits finer; in coarser ones they are rounded."""
    if sums.dtype.kind == "f":
        return sums * 2.0**bits
    return sums << bits if bits >= 0 else (sums + (1 << (-bits - 1))) >> -bits


def _grouped(
    width: NDArray[np.float64],
    unit: NDArray[np.float64],
    shift: NDArray[np.int64],
    rows: NDArray[np.integer[Any]],
    counts: Counts,
    inside: tuple[NDArray[np.int64], list[Counts], NDArray[np.float64]] | None,
) -> BinnedColors:
    """Bring together rows ``(n, C)`` that are equal but for the lowest `shift` bits.

    `inside`: log2 of the rows' own step in units, and the moments of each about its corner. None
    for colors, which are in units and have no extent.
    """
    n_rows, n_channels = rows.shape
    order, starts = _order_of(shifted_rows(rows, shift))
    numbers = np.empty((len(starts), n_channels), np.int64)
    totals = np.empty(len(starts), counts.dtype)
    first = np.empty((len(starts), n_channels), counts.dtype)
    second = np.empty((len(starts), n_channels * (n_channels + 1) // 2))

    def add_up(bins: slice) -> None:
        stop = n_rows if bins.stop == len(starts) else starts[bins.stop]
        own = order[starts[bins.start] : stop]
        edges = starts[bins] - starts[bins.start]
        weights = counts.take(own)
        totals[bins] = np.add.reduceat(weights, edges)
        offsets: list[NDArray[np.int64]] = []
        inner: list[Counts] = []
        own_rows = rows.take(own, axis=0).astype(np.int64)
        for c, moved in enumerate(own_rows.T):
            numbers[bins, c] = moved[edges] >> shift[c]
            offset = moved & ((1 << int(shift[c])) - 1)
            if inside is not None:
                offset <<= inside[0][c]
                inner.append(inside[1][c].take(own))
            sums = offset * weights
            first[bins, c] = np.add.reduceat(sums if inside is None else sums + inner[c], edges)
            offsets.append(offset)
        products_inside = None if inside is None else inside[2].take(own, axis=0)
        for p, (a, b) in enumerate(_pairs(n_channels)):
            products = offsets[a].astype(np.float64) * offsets[b] * weights
            if products_inside is not None:
                products += products_inside[:, p]
                products += offsets[a] * inner[b].astype(np.float64)
                products += offsets[b] * inner[a].astype(np.float64)
            second[bins, p] = np.add.reduceat(products, edges)

    map_blocks(add_up, len(starts), BINS_TOGETHER)
    return BinnedColors(width, totals, BinMoments(unit, numbers, first, second))


def _order_of(rows: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lexicographic order of whole numbers, and where in it a new row begins."""
    packing = Packing.of(rows)
    if packing.fits:
        order, is_first = sorted_order([(packing.pack(rows), sum(packing.bits))])
    else:
        order, is_first = sorted_order(packing.digits(rows))
    return order, np.flatnonzero(is_first)


def _pairs(n_channels: int) -> list[tuple[int, int]]:
    return list(zip(*(axis.tolist() for axis in np.triu_indices(n_channels)), strict=True))
