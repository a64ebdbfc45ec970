"""The data of a palette: its fields, their validation, and equality."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import whole_number
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.bins.binning import BinMoments
from napari_colorkde.core.palette.sorted_rows.distinct_rows import Counts, are_in_order
from napari_colorkde.core.tables import Columns, Table, numbered_columns


@dataclass(frozen=True, eq=False, repr=False)
class PaletteData(Table):
    """The fields of `Palette`, which says what they are.

    Palettes are equal if all their fields are, dtypes included. O(U).
    """

    colors: NDArray[Any]
    counts: Counts
    bin_width: NDArray[np.float64]
    n_masked: int = 0
    n_transparent: int = 0
    n_not_finite: int = 0
    ranges: NDArray[np.float64] | None = None
    moments: BinMoments | None = field(default=None)
    image_dtype: np.dtype[Any] | None = None
    n_rare: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that are none, and colors that are not in order."""
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
