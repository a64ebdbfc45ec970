"""The kernels of a set as arrays, and as a table: one kernel per row."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.colorspaces import channel_names
from napari_colorkde.core.csv_and_frames import Columns, Table
from napari_colorkde.core.mixture.kernel_checks import read_only
from napari_colorkde.core.number_text import counted

if TYPE_CHECKING:
    from napari_colorkde.core.mixture.kernels import Kernel

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ChannelColumns:
    """How the columns of a table of kernels are called.

    Attributes
    ----------
    channels
        Names of the channels.
    """

    channels: tuple[str, ...]

    @property
    def means(self) -> list[str]:
        """Columns of means."""
        return [f"mean_{channel}" for channel in self.channels]

    @property
    def variances(self) -> list[str]:
        """Columns of variances."""
        return [f"var_{channel}" for channel in self.channels]

    @property
    def covariances(self) -> list[str]:
        """Columns of the upper triangle, row by row."""
        between = "_" if self.channels[0].isdigit() else ""
        return [f"cov_{a}{between}{b}" for a, b in combinations(self.channels, 2)]


def kernel_columns(sets: "Mapping[str, Sequence[Kernel]]", channels: Sequence[str]) -> Columns:
    """Return kernels as the columns of a file, without those that say nothing.

    Parameters
    ----------
    sets
        Kernels of these channels, by the name of their set.
    channels
        Names of the channels.
    """
    names = ChannelColumns(tuple(channels))
    rows: list[dict[str, Any]] = []
    for name, kernels in sets.items():
        for number, kernel in enumerate(kernels, start=1):
            is_full = kernel.covariance.ndim == 2
            upper = kernel.covariance_matrix[np.triu_indices(kernel.n_channels, 1)].tolist()
            rows.append(
                {
                    "set": name,
                    "kernel": number,
                    **dict(zip(names.means, kernel.mean.tolist(), strict=True)),
                    **dict(zip(names.variances, kernel.variances.tolist(), strict=True)),
                    **{
                        c: v if is_full else None
                        for c, v in zip(names.covariances, upper, strict=True)
                    },
                    "weight": kernel.weight,
                    "class": kernel.cls,
                    "name": kernel.name,
                    "visible": "true" if kernel.visible else "false",
                }
            )
    header = ["set", "kernel", *names.means, *names.variances]
    everything = [kernel for kernels in sets.values() for kernel in kernels]
    header += names.covariances if any(k.covariance.ndim == 2 for k in everything) else []
    header += ["weight"]
    header += ["class"] if any(kernel.cls for kernel in everything) else []
    header += ["name"] if any(kernel.name for kernel in everything) else []
    header += ["visible"] if not all(kernel.visible for kernel in everything) else []
    return {column: [row[column] for row in rows] for column in header}


class KernelTable(Table):
    """What a set of kernels says of all of them; `KernelSet` has it."""

    kernels: "tuple[Kernel, ...]"
    name: str
    space: str

    @property
    @abstractmethod
    def n_channels(self) -> int:
        """Number of channels C; 0 for an empty set."""

    @cached_property
    def means(self) -> Array:
        """(K, C) means, read-only."""
        return self._stack([kernel.mean for kernel in self.kernels], 1)

    @cached_property
    def covariances(self) -> Array:
        """(K, C, C) covariance matrices, read-only."""
        return self._stack([kernel.covariance_matrix for kernel in self.kernels], 2)

    @cached_property
    def variances(self) -> Array:
        """(K, C) variance of each channel, read-only."""
        return self._stack([kernel.variances for kernel in self.kernels], 1)

    @cached_property
    def weights(self) -> Array:
        """(K,) weights as given, read-only."""
        return self._stack([np.asarray(kernel.weight) for kernel in self.kernels], 0)

    @cached_property
    def is_diagonal(self) -> bool:
        """Whether every kernel is diagonal."""
        return all(kernel.is_diagonal for kernel in self.kernels)

    @property
    def classes(self) -> tuple[str, ...]:
        """Distinct classes, in order of first appearance."""
        return tuple(dict.fromkeys(kernel.cls for kernel in self.kernels))

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        size = counted(len(self.kernels), "kernel")
        return f"KernelSet({name}{size} of {counted(self.n_channels, 'channel')}, {self.space})"

    def _columns(self) -> Columns:
        return kernel_columns({self.name: self.kernels}, channel_names(self.space, self.n_channels))

    def _stack(self, arrays: list[Array], ndim: int) -> Array:
        empty = np.zeros((0,) * (ndim + 1))
        return read_only(np.stack(arrays) if arrays else empty)
