"""Samples of an image's colors, and the kernels that follow from them.

A selection of pixels becomes `Samples`: its colors and how often each was picked. Samples add and
take away, so that a kernel is always that of the pixels it stands for, refitted from all of them.
Which pixels a click or a layer means is said in `selections`; nothing here knows napari.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.mixture.kernels import Kernel
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import rounding_variances
from napari_colorkde.core.palette.sorted_rows.distinct_rows import (
    CountedColors,
    count_rows,
    merge_counted,
)

STORE_BYTES = 1 << 28
"""Samples of kernels that were there once are forgotten beyond this, the oldest first."""


@dataclass(frozen=True, slots=True, eq=False)
class PseudoSamples:
    """A kernel that was not picked, as so many pixels of its mean and covariance.

    Attributes
    ----------
    n_pixels
        At least 1.
    """

    kernel: Kernel
    n_pixels: int


def pseudo_samples_of(kernel: Kernel, palette: Palette) -> PseudoSamples:
    """A kernel's weight is a part of the image's pixels: as many stand for it, at least one."""
    return PseudoSamples(kernel, max(round(kernel.weight * palette.n_pixels), 1))


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Colors that were picked, and how often.

    Attributes
    ----------
    colors
        ``(N, C)``, distinct, sorted lexicographically, in the palette's dtype.
    counts
        ``(N,)`` int64, at least 1.
    start
        The kernel that they were added to; None if it was made of them alone.
    """

    colors: NDArray[Any]
    counts: NDArray[np.int64]
    start: PseudoSamples | None = None

    @property
    def n_pixels(self) -> int:
        """Number of pixels, those picked twice counted twice; without those of the start."""
        return int(self.counts.sum())

    @property
    def n_total(self) -> int:
        """Number of pixels, with those of the start."""
        return self.n_pixels + (0 if self.start is None else self.start.n_pixels)

    @property
    def n_bytes(self) -> int:
        """Memory."""
        return int(self.colors.nbytes + self.counts.nbytes)

    @property
    def n_channels(self) -> int:
        """Number of color channels C."""
        return int(self.colors.shape[1])

    def __len__(self) -> int:
        return len(self.counts)

    def add(self, other: "Samples") -> "Samples":
        """Both together, with the start of these. O(N log N).

        Raises
        ------
        ValueError
            If they have other channels.
        """
        self._agree(other)
        parts = [CountedColors(s.colors, s.counts) for s in (self, other)]
        merged = merge_counted(parts)
        return Samples(merged.colors, merged.counts, self.start)

    def subtract(self, other: "Samples") -> "Samples":
        """What is left when other pixels are taken away, color by color; perhaps none.

        Undoes `add` exactly. Colors that are not among these change nothing.

        Raises
        ------
        ValueError
            If they have other channels.
        """
        self._agree(other)
        colors = np.concatenate([self.colors, other.colors])
        rest = count_rows(colors, np.concatenate([self.counts, -other.counts]))
        left = rest.counts > 0
        return Samples(rest.colors[left].astype(self.colors.dtype), rest.counts[left], self.start)

    def _agree(self, other: "Samples") -> None:
        if self.n_channels != other.n_channels:
            raise ValueError(
                f"the samples have {counted(self.n_channels, 'channel')}, those "
                f"picked {other.n_channels}; pick from an image with the same color channels."
            )


def samples_of_counts(palette: Palette, counts: NDArray[np.int64]) -> Samples:
    """Samples with `counts`, ``(U,)``, pixels of each palette entry."""
    chosen = np.flatnonzero(counts)
    return Samples(palette.colors[chosen], np.asarray(counts[chosen], np.int64))


def samples_of_colors(palette: Palette, chosen: NDArray[np.bool_]) -> Samples:
    """All of the image's pixels that have a chosen color; `chosen` is ``(U,)`` bool."""
    return samples_of_counts(palette, np.where(chosen, palette.counts, 0))


def gaussian_of(samples: Samples, palette: Palette, *, cls: str = "", name: str = "") -> Kernel:
    """The Gaussian of some samples: their mean, covariance, and part of the image's pixels.

    Parameters
    ----------
    samples
        What was picked.
    palette
        Of the image: how many pixels there are, and how they are rounded. The variance of rounding
        is added, so that samples of one color have a kernel, too.

    Raises
    ------
    ValueError
        If there are no samples.

    Notes
    -----
    With a start of n pixels, mean a and covariance A beside m samples of mean b and covariance B,
    rounding included, the mean is (na + mb) / (n + m) and the covariance, rounding included once,
    (nA + mB) / (n + m) + nm / (n + m)² (a − b)(a − b)ᵀ: that of all pixels together (Chan, Golub
    and LeVeque 1983).
    """
    start = samples.start
    if start is not None and samples.n_pixels == 0:
        return replace(start.kernel, cls=cls, name=name)
    if samples.n_pixels == 0:
        raise ValueError(
            "the selection has no pixel that counts; choose opaque, finite pixels inside the image."
        )
    colors = samples.colors.astype(np.float64)
    parts = samples.counts / samples.n_pixels
    # Sums about some sample, so that nothing is lost in subtracting means.
    shifted = colors - colors[0]
    shift = parts @ shifted
    shifted -= shift
    covariance = (shifted * parts[:, None]).T @ shifted
    covariance = (covariance + covariance.T) / 2 + np.diag(rounding_variances(palette))
    mean = colors[0] + shift
    if start is not None:
        part = samples.n_pixels / samples.n_total
        apart = mean - start.kernel.mean
        mean = start.kernel.mean + part * apart
        covariance = (1 - part) * start.kernel.covariance_matrix + part * covariance
        covariance += part * (1 - part) * np.outer(apart, apart)
    if not np.any(covariance - np.diag(np.diagonal(covariance))):
        covariance = np.diagonal(covariance)
    return Kernel(mean, covariance, samples.n_total / palette.n_pixels, cls=cls, name=name)


class SampleStore:
    """Remembers of which samples a kernel was made.

    A kernel is found by its mean and covariance, so that undo and redo find it, and it may be
    renamed and weighted; once its numbers were typed over, the samples are not its own any more.
    """

    def __init__(self, budget: int = STORE_BYTES) -> None:
        self._budget = budget
        self._kept: OrderedDict[Hashable, Samples] = OrderedDict()

    def keep(self, kernel: Kernel, samples: Samples) -> None:
        """Remember the samples of a kernel."""
        self._kept[_key(kernel)] = samples
        self._kept.move_to_end(_key(kernel))
        while len(self._kept) > 1 and sum(s.n_bytes for s in self._kept.values()) > self._budget:
            self._kept.popitem(last=False)

    def of(self, kernel: Kernel) -> Samples | None:
        """The samples of a kernel; None if it was not picked."""
        return self._kept.get(_key(kernel))


def _key(kernel: Kernel) -> Hashable:
    return kernel.mean.tobytes(), kernel.covariance_matrix.tobytes()
