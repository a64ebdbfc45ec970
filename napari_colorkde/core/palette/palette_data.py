"""The data of a palette: its fields, their validation, equality, and what follows from them."""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import whole_number
from napari_colorkde.core.checks.palette_fields import refuse_bad_fields
from napari_colorkde.core.csv_and_frames import Columns, Table, numbered_columns
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.bins.bin_widths import extremes
from napari_colorkde.core.palette.bins.binning import (
    BinMoments,
    BinnedColors,
    bin_colors,
    within_bins,
)
from napari_colorkde.core.palette.integer_levels import are_whole, level_bits, range_of_levels
from napari_colorkde.core.palette.lattice import Lattice, lattice_of
from napari_colorkde.core.palette.sorted_rows.distinct_rows import (
    CountedColors,
    Counts,
    are_in_order,
)

NO_BINS: NDArray[np.float64] = np.zeros(0)
"""Stands for a bin width of 0 along each axis, however many there are."""


@dataclass(frozen=True, eq=False, repr=False)
class PaletteData(Table):
    """The fields of `Palette`, which says what they are.

    Palettes are equal if all their fields are, dtypes included. O(U).
    """

    colors: NDArray[Any]
    counts: Counts
    bin_width: NDArray[np.float64] = field(default_factory=lambda: NO_BINS)
    n_masked: int = 0
    n_transparent: int = 0
    n_not_finite: int = 0
    ranges: NDArray[np.float64] | None = None
    moments: BinMoments | None = field(default=None)
    image_dtype: np.dtype[Any] | None = None
    n_rare: int = 0

    def __post_init__(self) -> None:
        """Refuse fields that are none, and colors that are not in order."""
        if self.bin_width is NO_BINS:
            object.__setattr__(self, "bin_width", np.zeros(np.shape(self.colors)[-1:]))
        refuse_bad_fields(self, BinMoments)
        if self.counts.shape != (len(self.colors),) or not (self.counts > 0).all():
            raise ValueError(
                f"counts of shape {self.counts.shape} for {len(self.colors)} colors; give a "
                "number above 0 for each color."
            )

        rows = self.colors if self.moments is None else self.moments.bins
        if not self._may_be_unordered and not are_in_order(rows):
            raise ValueError(
                "colors are not sorted or not unique; give the rows that np.unique(colors, axis=0) "
                "returns, with their counts, or Palette.from_image(colors[np.newaxis])."
            )

    @property
    def _may_be_unordered(self) -> bool:
        """Whether the order is that of other colors: those of an image, in its own channels."""
        is_elsewhere = self.ranges is not None and not self.bin_width.any()
        is_by_hand = self.moments is None and self.bin_width.any()
        return bool(is_elsewhere or is_by_hand)

    @property
    def n_pixels(self) -> int:
        """Number of pixels that count; of a weighted palette the rounded sum of the weights."""
        return round(self.total_weight) if self.is_weighted else int(self.counts.sum())

    @property
    def is_weighted(self) -> bool:
        """Whether counts are weights."""
        return self.counts.dtype.kind == "f"

    @property
    def total_weight(self) -> float:
        """Sum of the counts, or of the weights."""
        return float(self.counts.sum())

    @property
    def n_excluded(self) -> int:
        """Number of pixels left out, for whatever reason."""
        return sum(self.left_out.values())

    @property
    def left_out(self) -> dict[str, int]:
        """Numbers of pixels left out, by reason: those that there are, in words."""
        reasons = {
            "masked": self.n_masked,
            "transparent": self.n_transparent,
            "not finite": self.n_not_finite,
            "of rare colors": self.n_rare,
        }
        return {reason: n for reason, n in reasons.items() if n}

    @property
    def n_channels(self) -> int:
        """Number of color channels C."""
        return int(self.colors.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """dtype of the colors."""
        return self.colors.dtype

    @cached_property
    def lattice(self) -> Lattice | None:
        """The lattice of the colors; None if it would be too large to keep dense."""
        return lattice_of(self.colors)

    @cached_property
    def extremes(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Smallest and largest value of each channel, ``(C,)`` each."""
        return extremes(self.colors)

    @cached_property
    def step(self) -> NDArray[np.float64] | None:
        """The step between the image's levels, ``(C,)``; None if it has none that are known.

        1 of integers, and of floats beyond 0 to 1 that are all whole numbers; 1/(2ⁿ − 1) of floats
        that are multiples of it, n = 8 … 16, whatever part of 0 to 1 they fill.
        """
        dtype = self.colors.dtype if self.image_dtype is None else self.image_dtype
        if dtype.kind == "u":
            return np.ones(self.n_channels)
        if self.bin_width.any() or self.ranges is not None:
            return None
        if self._level_bits is not None:
            return np.full(self.n_channels, 1 / ((1 << self._level_bits) - 1))
        return np.ones(self.n_channels) if are_whole(self.colors) else None

    @cached_property
    def level_ranges(self) -> NDArray[np.float64] | None:
        """The range of values that the image's levels say, ``(C,)``, see `range_of_levels`."""
        if self.ranges is not None:
            return self.ranges
        largest = float(self.extremes[1].max())
        known = range_of_levels(self.dtype, self._level_bits, largest)
        return None if known is None else np.full(self.n_channels, known)

    @cached_property
    def within_bin(self) -> NDArray[np.float64] | None:
        """Covariances of each bin's pixels, ``(U, C(C+1)/2)``; None where every color was kept.

        In squared image units; pairs in the order of `np.triu_indices(C)`.
        """
        return within_bins(self.bins) if self.bin_width.any() else None

    @property
    def bins(self) -> BinnedColors:
        """The bins of a binned palette, with all that merging them needs."""
        if self.moments is None:  # made by hand: a bin's pixels are all at its mean
            return bin_colors(CountedColors(self.colors, self.counts), self.bin_width)
        return BinnedColors(self.bin_width, self.counts, self.moments)

    def with_bins(self, bins: BinnedColors, ranges: NDArray[np.float64] | None) -> Self:
        """Return the palette of these bins, with what else is known of its pixels."""
        return replace(
            self,
            colors=bins.means(),
            counts=bins.counts,
            bin_width=bins.width,
            moments=bins.moments,
            ranges=ranges,
            image_dtype=self.image_dtype or self.dtype,
        )

    def most_common(self, n: int = 10) -> tuple[NDArray[Any], Counts]:
        """Return the colors that most pixels have, ``(n, C)``, and their counts ``(n,)``.

        Parameters
        ----------
        n
            How many; fewer where there are no more. Equal counts are in the order of the colors.

        Raises
        ------
        ValueError
            If `n` is below 1.
        """
        n = whole_number(n, "n")
        order = np.argsort(-self.counts, kind="stable")[:n]
        return self.colors[order], self.counts[order]

    @cached_property
    def _level_bits(self) -> int | None:
        is_exact = self.dtype.kind == "f" and not self.bin_width.any()
        return level_bits(self.colors) if is_exact else None

    def _columns(self) -> Columns:
        amount = "weight" if self.is_weighted else "count"
        return {**numbered_columns("channel", self.colors), amount: self.counts}

    def __len__(self) -> int:
        return len(self.counts)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, PaletteData):
            return NotImplemented
        names = (known.name for known in fields(self))
        return all(_is_same(getattr(self, name), getattr(other, name)) for name in names)

    def __hash__(self) -> int:
        return hash((self.colors.shape, self.dtype, self.n_excluded))

    def __getstate__(self) -> dict[str, object]:
        """Leave out what is found from the fields when it is asked for."""
        return {known.name: getattr(self, known.name) for known in fields(self)}

    def __repr__(self) -> str:
        kind = f"{counted(self.n_channels, 'channel')} of {self.image_dtype or self.dtype}"
        bins = "bins" if self.bin_width.any() else "colors"
        size = f"weight {self.total_weight:.6g}" if self.is_weighted else f"{self.n_pixels} pixels"
        return f"Palette({len(self)} {bins}, {kind}, {size})"


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, BinMoments) and isinstance(other, BinMoments):
        names = (known.name for known in fields(one))
        return all(_is_same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(type(one) is type(other) and one == other)
