"""A density on a regular grid of colors."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_colorkde.core.checks.arguments import choice, real_number
from napari_colorkde.core.colorspaces import names_of_axes
from napari_colorkde.core.kde.volumes.field_checks import CHOICES, refuse_bad_volume
from napari_colorkde.core.kde.volumes.picture import picture_of

if TYPE_CHECKING:
    import xarray

    from napari_colorkde.core.kernel_sums.separable import Sampling


@dataclass(frozen=True, slots=True, eq=False)
class DensityVolume:
    """A density on a regular grid of colors; ``np.asarray(volume)`` is its values.

    Attributes
    ----------
    values
        ``(B_0, …, B_{C−1})`` float32, per unit volume of color space. Axis 0 is the image's first
        channel. Natural logarithms if `is_log`.
    axes
        C float64 arrays: the grid's coordinates in image units.
    covariance
        ``(C, C)`` bandwidth of the KDE.
    mass_inside
        Fraction of the density that lies within the extent, from the first grid point to the last;
        for cell averages, within the cells, which reach half a step further. NaN of a `slice`.
    space
        Color space of the axes.
    boundary
        How the density ends at the boundary of the color range, see `ColorKDE`.
    sampling
        "points" or "cells", see `ColorKDE.volume`.
    is_log
        Whether values are natural logarithms, see `ColorKDE.log_volume`.
    names
        Names of the axes: those of the color space, or their numbers from 1.

    Notes
    -----
    ``values.sum() * np.prod(spacing)`` is not `mass_inside`. Values are the density at the grid
    points. The outermost points lie on the ends of the extent, where half of a cell is outside: the
    trapezoid rule, which `marginal` uses, counts them half. It is still inaccurate where kernels
    are narrow compared with the spacing; `mass_inside` is not, because it comes from the kernels
    themselves. With ``sampling="cells"`` values are averages over whole cells, and the sum is
    `mass_inside`; those of cells cut by the boundary are averages over what is inside, and a
    boundary at the ends of the extent cuts the outermost cells in half, as in the trapezoid rule.
    """

    values: NDArray[np.float32]
    axes: tuple[NDArray[np.float64], ...]
    covariance: NDArray[np.float64]
    mass_inside: float
    space: str = "rgb"
    boundary: str = "none"
    sampling: "Sampling" = "points"
    is_log: bool = False
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse fields that do not belong together."""
        refuse_bad_volume(self)
        for name, known in CHOICES.items():
            object.__setattr__(self, name, choice(getattr(self, name), name, known))
        if not self.names:
            object.__setattr__(self, "names", names_of_axes(self.space, len(self.axes)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of grid points, C of them."""
        return self.values.shape

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Distance between grid points along each axis, ``(C,)``, in image units."""
        return np.array([a[1] - a[0] if len(a) > 1 else 1.0 for a in self.axes])

    @property
    def extent(self) -> NDArray[np.float64]:
        """First and last grid point of each axis, ``(C, 2)``, in image units."""
        return np.array([[axis[0], axis[-1]] for axis in self.axes])

    def marginal(self, axes: "int | str | Sequence[int | str]") -> "DensityVolume":
        """Return the density of some channels, in the order given: the integral over the others.

        By the trapezoid rule, or the sum over cells, within the extent; `ColorKDE.marginal` is the
        density without a grid and its limits.

        Parameters
        ----------
        axes
            Numbers or names of the channels to keep.

        Raises
        ------
        ValueError
            If one does not exist or appears twice, there is none, or values are logarithms.
        """
        if self.is_log:
            raise ValueError("a volume of logarithms has no marginal; make one with volume().")
        kept = self._numbers(axes, "axes")
        total: NDArray[Any] = self.values.astype(np.float64)
        for axis in reversed([a for a in range(total.ndim) if a not in kept]):
            if self.sampling == "cells" and self.boundary == "none":
                total = np.asarray(total.sum(axis=axis) * self.spacing[axis])
            else:
                total = np.asarray(np.trapezoid(total, self.axes[axis], axis=axis))
        order = [sorted(kept).index(axis) for axis in kept]
        return self._part(total.transpose(order), kept)

    def slice(self, at: "Mapping[int | str, float]") -> "DensityVolume":
        """Return the density in a plane, or on a line, where channels have these values.

        Interpolated linearly between grid points. Values are still per unit volume of all channels,
        so they do not integrate to 1 (`ColorKDE.conditional` does), and `mass_inside` is NaN.

        Parameters
        ----------
        at
            Values by number or name of the channel: ``{"R": 120}``.

        Raises
        ------
        ValueError, TypeError
            If a channel does not exist, a value lies outside the extent, or no channel is left.
        """
        if not isinstance(at, Mapping) or not at:
            raise ValueError(f"at={at!r}; give values by channel, such as {{0: 120}}.")
        fixed = self._numbers(list(at), "at")
        kept = [axis for axis in range(len(self.axes)) if axis not in fixed]
        if not kept:
            raise ValueError("at fixes every channel; leave one free, or use ColorKDE.evaluate.")
        values: NDArray[Any] = self.values
        for axis, value in sorted(zip(fixed, at.values(), strict=True), reverse=True):
            grid, name = self.axes[axis], f"at[{self.names[axis]!r}]"
            allowed = f"a number from {grid[0]:g} to {grid[-1]:g}"
            number = real_number(value, name, allowed)
            if not grid[0] <= number <= grid[-1]:
                raise ValueError(f"{name}={number:g}; give {allowed}.")
            low = min(int(np.searchsorted(grid, number, side="right")) - 1, len(grid) - 2)
            part = (number - grid[low]) / (grid[low + 1] - grid[low])
            ends = (np.take(values, low + end, axis=axis).astype(np.float64) for end in (0, 1))
            before, after = ends
            values = np.asarray(before + part * (after - before))
        return replace(self._part(values, kept), mass_inside=float("nan"))

    def to_xarray(self) -> "xarray.DataArray":
        """Return the volume as an xarray.DataArray, with the names and coordinates of its axes.

        Raises
        ------
        ImportError
            If xarray is not installed.
        """
        try:
            import xarray
        except ImportError:
            raise ImportError(
                "to_xarray needs xarray, which is not installed; run pip install xarray, or use "
                "values and axes."
            ) from None
        return xarray.DataArray(
            self.values,
            coords=dict(zip(self.names, self.axes, strict=True)),
            dims=self.names,
            name="log_density" if self.is_log else "density",
            attrs={
                "space": self.space,
                "boundary": self.boundary,
                "sampling": self.sampling,
                "mass_inside": self.mass_inside,
                "covariance": self.covariance.tolist(),
            },
        )

    def save(
        self, path: str | os.PathLike[str], *, description: Mapping[str, object] | None = None
    ) -> None:
        """Write the volume to a file, in the format of its suffix, as `save_volume` does.

        Parameters
        ----------
        path, description
            See `save_volume`; ``.npz`` stores everything, for `load`.

        Raises
        ------
        TypeError, ValueError, OSError
            As `save_volume`.
        """
        from napari_colorkde.io.volumes import save_volume

        save_volume(path, self, description=description)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "DensityVolume":
        """Read a volume that `save` wrote as ``.npz``, as `load_volume` does.

        Raises
        ------
        TypeError, ValueError, OSError
            As `load_volume`.
        """
        from napari_colorkde.io.volumes import load_volume

        return load_volume(path)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        ends = ", ".join(
            f"{name} {low:g} to {high:g}"
            for name, (low, high) in zip(self.names, self.extent, strict=True)
        )
        kind = "log-densities" if self.is_log else f"{self.mass_inside:.3g} of the mass inside"
        if np.isnan(self.mass_inside):
            kind = "a slice" if not self.is_log else f"{kind} of a slice"
        return f"DensityVolume({' × '.join(map(str, self.shape))}, {ends}, {kind})"

    def _repr_png_(self) -> bytes:
        return picture_of(self.values, self.is_log)

    def _part(self, values: NDArray[Any], kept: list[int]) -> "DensityVolume":
        return replace(
            self,
            values=values.astype(np.float32),
            axes=tuple(self.axes[axis] for axis in kept),
            covariance=self.covariance[np.ix_(kept, kept)],
            names=tuple(self.names[axis] for axis in kept),
        )

    def _numbers(self, axes: "int | str | Sequence[int | str]", name: str) -> list[int]:
        from napari_colorkde.core.kde.statistics import checked_axes

        given = [axes] if isinstance(axes, str) or not isinstance(axes, Sequence) else list(axes)
        known: list[Any] = [
            self.names.index(axis) if isinstance(axis, str) and axis in self.names else axis
            for axis in given
        ]
        return checked_axes(known, len(self.axes), name)
