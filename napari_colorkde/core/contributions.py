"""What each kernel adds to a mixture, kept: an edit computes the edited kernel alone.

Terms are log-densities in float32, which do not underflow and hold 1e-4 nats + 1e-6 |log f|. They
are added in pairs, as a binary tree over the kernels, and the sums of all nodes are kept: after an
edit the log₂ K nodes above the edited kernel are added again. Nothing is ever subtracted, and the
same kernels give the same numbers whatever was edited before.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.kernels import Kernel, KernelSet

KEPT_BYTES = 1 << 29
"""What terms and sums may take; above that nothing is kept from one evaluation to the next."""


class Contributions:
    """The terms of kernel sets at a list of colors.

    Parameters
    ----------
    colors
        (U, C), such as those of a palette.
    device
        Where to compute; it must have float64 or the host is used.
    """

    def __init__(self, colors: NDArray[Any], device: "str | Device" = "auto") -> None:
        self._device = resolve_device(device).exact
        center = colors.mean(axis=0, dtype=np.float64)
        self._center: NDArray[np.float64] = np.asarray(center)
        centered = np.ascontiguousarray((colors - self._center).T)
        self._colors = self._device.put(centered, torch.float64)
        self._kept: dict[tuple[Kernel, ...], torch.Tensor] = {}
        self._used: dict[tuple[Kernel, ...], torch.Tensor] = {}

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
        sums = []
        for cls in range(max(classes) + 1):
            # Whether a kernel is shown, and its name, do not change its term.
            members = [_bare(k) for k, c in zip(kernels, classes, strict=True) if c == cls]
            sums.append(self._sum(tuple(members)))
        n_bytes = 4 * self._colors.shape[1] * len(self._used)
        self._kept, self._used = (self._used if n_bytes <= KEPT_BYTES else {}), {}
        return np.stack([np.asarray(self._device.get(each)) for each in sums])

    def _sum(self, kernels: tuple[Kernel, ...]) -> torch.Tensor:
        found = self._used.get(kernels)
        if found is None:
            found = self._kept.get(kernels)
            if len(kernels) > 1:
                half = len(kernels) // 2
                if found is None:
                    found = torch.logaddexp(self._sum(kernels[:half]), self._sum(kernels[half:]))
                else:
                    # Keep what is below, too, for the next edit.
                    self._keep_below(kernels)
            elif found is None:
                found = self._term(kernels[0])
            self._used[kernels] = found
        return found

    def _keep_below(self, kernels: tuple[Kernel, ...]) -> None:
        half = len(kernels) // 2
        for part in (kernels[:half], kernels[half:]):
            kept = self._kept.get(part)
            if kept is not None and part not in self._used:
                self._used[part] = kept
                if len(part) > 1:
                    self._keep_below(part)

    def _term(self, kernel: Kernel) -> torch.Tensor:
        """``log w − ½ (C log 2π + log det Σ + |L⁻¹(x − μ)|²)`` with Σ = L Lᵀ, differences first."""
        cholesky = np.linalg.cholesky(kernel.covariance_matrix)
        with np.errstate(divide="ignore"):
            log_weight = np.log(kernel.weight)
        constant = log_weight - np.log(np.diagonal(cholesky)).sum()
        constant -= 0.5 * kernel.n_channels * np.log(2 * np.pi)
        differences = self._colors - self._device.put(
            (kernel.mean - self._center)[:, np.newaxis], torch.float64
        )
        whitener = np.linalg.inv(cholesky)
        if kernel.is_diagonal:
            differences *= self._device.put(np.diagonal(whitener)[:, np.newaxis], torch.float64)
        else:
            differences = self._device.put(whitener, torch.float64) @ differences
        squared = differences.square_().sum(dim=0)
        return squared.mul_(-0.5).add_(float(constant)).float()


def _bare(kernel: Kernel) -> Kernel:
    return Kernel(kernel.mean, kernel.covariance, kernel.weight)
