"""Cached terms of a mixture: an edit recomputes only the edited kernel.

Terms are log-densities in float32, which do not underflow and hold 1e-4 nats + 1e-6 |log f|. They
are added in pairs, as a binary tree over the kernels, and the sums of all nodes are kept: after an
edit the log₂ K nodes above the edited kernel are added again. Nothing is ever subtracted, and the
same kernels give the same numbers whatever was edited before.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import DeviceLike, resolve_device
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

KEPT_BYTES = 1 << 29
"""What terms and sums that are kept may take, 512 MB: of 10 million colors those of the upper
levels of the tree. Sums of few kernels are then computed again, those of many are kept."""

CHUNK_COLORS = 1 << 16
"""Colors whose term is computed in one go, so that its steps stay in the cache."""

Numbers = tuple[int, ...]
Key = tuple[bytes, bytes, float]


class Contributions:
    """The terms of kernel sets at a list of colors.

    Parameters
    ----------
    colors
        (U, C), such as those of a palette.
    device
        Where to compute; it must have float64 or the host is used.
    """

    def __init__(self, colors: NDArray[Any], device: DeviceLike = "auto") -> None:
        self._device = resolve_device(device).exact
        center = colors.mean(axis=0, dtype=np.float64)
        self._center: NDArray[np.float64] = np.asarray(center)
        centered = np.ascontiguousarray((colors - self._center).T)
        self._colors = self._device.put(centered, torch.float64)
        self._scratch = torch.empty_like(self._colors[:, :CHUNK_COLORS])
        # Kernels go by numbers, never used twice: comparing them takes longer than adding terms.
        self._numbers: dict[Key, int] = {}
        self._next = 0
        self._min_kept = 1
        self._kept: dict[Numbers, torch.Tensor] = {}
        self._used: dict[Numbers, torch.Tensor] = {}

    def log_density(self, kernels: KernelSet) -> NDArray[np.float32]:
        """Return the log-density of a mixture at the colors, (U,) nats.

        −inf where all weights are 0.

        Raises
        ------
        ValueError
            If there is no kernel, or the channels do not fit.
        """
        return np.asarray(self.log_class_densities(kernels, [0] * len(kernels))[0])

    def log_class_densities(
        self, kernels: KernelSet, classes: Sequence[int]
    ) -> NDArray[np.float32]:
        """Return the log-density of each class, (M, U) nats.

        Parameters
        ----------
        classes
            (K,) class of each kernel, counted from 0 without gaps.
        """
        if not kernels or kernels.n_channels != len(self._center):
            raise ValueError(
                f"kernels has {len(kernels)} kernels of {kernels.n_channels} channels; give at "
                f"least one with the {len(self._center)} of the colors."
            )
        self._used = {}
        numbered = self._numbered(kernels)
        by_number = dict(zip(numbered, kernels, strict=True))
        of_classes = [
            tuple(n for n, c in zip(numbered, classes, strict=True) if c == cls)
            for cls in range(max(classes) + 1)
        ]
        n_kept = KEPT_BYTES // (4 * max(1, self._colors.shape[1]))
        self._min_kept = _smallest_kept([len(members) for members in of_classes], n_kept)
        sums = [self._sum(members, by_number) for members in of_classes]
        self._kept, self._used = self._used, {}
        return np.stack([np.asarray(self._device.get(each)) for each in sums])

    def _numbered(self, kernels: KernelSet) -> list[int]:
        """Number the kernels: those of the last evaluation keep theirs."""
        numbers: dict[Key, int] = {}
        keys = [_key(kernel) for kernel in kernels]
        for key in keys:
            if key not in numbers:
                numbers[key] = self._numbers.get(key, self._next)
                self._next += numbers[key] == self._next
        self._numbers = numbers
        return [numbers[key] for key in keys]

    def _sum(self, members: Numbers, kernels: dict[int, Kernel]) -> torch.Tensor:
        found = self._used.get(members)
        if found is None:
            found = self._kept.get(members)
            if len(members) > 1:
                half = len(members) // 2
                if found is None:
                    parts = (members[:half], members[half:])
                    found = torch.logaddexp(*(self._sum(part, kernels) for part in parts))
                else:
                    # Keep what is below, too, for the next edit.
                    self._keep_below(members)
            elif found is None:
                found = self._term(kernels[members[0]])
            if len(members) >= self._min_kept:
                self._used[members] = found
        return found

    def _keep_below(self, members: Numbers) -> None:
        half = len(members) // 2
        for part in (members[:half], members[half:]):
            kept = self._kept.get(part)
            if kept is not None and part not in self._used:
                self._used[part] = kept
                if len(part) > 1:
                    self._keep_below(part)

    def _term(self, kernel: Kernel) -> torch.Tensor:
        """``log w − ½ (C log 2π + log det Σ + |L⁻¹x − L⁻¹μ|²)``, Σ = L Lᵀ, from the mean color."""
        cholesky = np.linalg.cholesky(kernel.covariance_matrix)
        with np.errstate(divide="ignore"):
            log_weight = np.log(kernel.weight)
        constant = log_weight - np.log(np.diagonal(cholesky)).sum()
        constant -= 0.5 * kernel.n_channels * np.log(2 * np.pi)
        whitener = np.linalg.inv(cholesky)
        shift = self._device.put(
            (whitener @ (kernel.mean - self._center))[:, np.newaxis], torch.float64
        )
        scales = self._device.put(np.diagonal(whitener)[:, np.newaxis], torch.float64)
        turn = self._device.put(whitener, torch.float64)
        result = torch.empty(self._colors.shape[1], device=self._colors.device)
        for start in range(0, len(result), CHUNK_COLORS):
            colors = self._colors[:, start : start + CHUNK_COLORS]
            # Into memory that is there already: fresh pages take longer than the arithmetic.
            whitened = self._scratch[:, : colors.shape[1]]
            if kernel.is_diagonal:
                torch.mul(colors, scales, out=whitened)
            else:
                torch.matmul(turn, colors, out=whitened)
            squared = whitened.sub_(shift).square_().sum(dim=0)
            result[start : start + CHUNK_COLORS] = squared.mul_(-0.5).add_(float(constant))
        return result


def _smallest_kept(n_members: Sequence[int], n_kept: int) -> int:
    """Return how many kernels a sum must be of to be kept, if `n_kept` sums and terms may be.

    Parameters
    ----------
    n_members
        How many kernels each tree has.
    """
    # Trees halve again and again: at each level there are twice as many, half as large.
    sizes: Counter[int] = Counter(n_members)
    of_size: Counter[int] = Counter()
    while sizes:
        of_size.update(sizes)
        halves: Counter[int] = Counter()
        for size, n in sizes.items():
            if size > 1:
                halves[size // 2] += n
                halves[size - size // 2] += n
        sizes = halves
    n_so_far, smallest = 0, max(of_size) + 1
    for size in sorted(of_size, reverse=True):
        n_so_far += of_size[size]
        if n_so_far > n_kept:
            break
        smallest = size
    return smallest


def _key(kernel: Kernel) -> Key:
    """What a kernel's term depends on: neither its name nor whether it is shown."""
    return kernel.mean.tobytes(), kernel.covariance.tobytes(), kernel.weight
