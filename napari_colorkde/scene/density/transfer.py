"""What a density volume needs to be displayed: mass levels, exposure, transfer functions.

Everything is derived from one pass over the volume, so that it can follow a live edit.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# float32 bit patterns ascend like the numbers they mean; the upper 16 bits are the exponent and
# seven bits of the mantissa: 128 classes an octave, 0.8 % wide.
_UPPER_HALF = 1 if sys.byteorder == "little" else 0
_INFINITY = 0x7F80  # above come NaN and everything negative


@dataclass(frozen=True, eq=False)
class CumulativeMass:
    """How much of a volume's mass lies in cells at least as dense as a level.

    Attributes
    ----------
    levels : (K,) float64 array
        Lower bounds of the density classes that occur, descending; empty without any mass.
    mass : (K,) float64 array
        Fraction of the mass in cells of at least that level; ascending, the last is 1.
    peak : float
        The highest density.
    """

    levels: NDArray[np.float64]
    mass: NDArray[np.float64]
    peak: float

    @classmethod
    def from_values(cls, values: NDArray[np.float32]) -> CumulativeMass:
        """Count the mass by density class. O(number of cells), without sorting.

        Levels are known to 0.8 %. Negative and non-finite cells count as empty.
        """
        flat = np.ascontiguousarray(values, dtype=np.float32).ravel()
        # The upper halves of the words, as they lie in memory.
        upper = flat.view(np.uint16)[_UPPER_HALF::2]
        counts = np.bincount(upper, minlength=_INFINITY)[:_INFINITY]
        counts[0] = 0  # zero itself, and what is as good as zero
        # A class is so narrow that its middle stands for the densities in it.
        middles = ((np.arange(_INFINITY, dtype=np.uint32) << 16) | 0x8000).view(np.float32)
        mass = counts * middles.astype(np.float64)
        occupied = np.flatnonzero(mass)[::-1]
        if len(occupied) == 0:
            return cls(np.empty(0), np.empty(0), 0.0)
        levels = (occupied.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        held = np.cumsum(mass[occupied])
        in_densest = upper == occupied[0]
        peak = float(flat[in_densest].max())
        return cls(levels, held / held[-1], peak)

    def level_holding(self, fraction: float) -> float:
        """Return the density whose superlevel set holds `fraction` of the mass.

        This is the border of the highest-density region (Hyndman 1996). 0 gives the peak, 1 gives
        the least density that occurs.
        """
        if not 0 <= fraction <= 1:
            raise ValueError(f"fraction must lie between 0 and 1, not {fraction}.")
        if len(self.levels) == 0:
            return 0.0
        # Interpolated within a class, on the logarithm of the density.
        levels = np.log(np.concatenate([[self.peak], self.levels]))
        mass = np.concatenate([[0.0], self.mass])
        return float(np.exp(np.interp(fraction, mass, levels)))

    def mass_above(self, level: ArrayLike) -> NDArray[np.float64]:
        """Return the fraction of the mass in cells denser than `level`."""
        level = np.asarray(level, dtype=float)
        if len(self.levels) == 0:
            return np.zeros_like(level)
        levels = np.concatenate([[self.peak * (1 + 1e-12)], self.levels])[::-1]
        mass = np.concatenate([[0.0], self.mass])[::-1]
        return np.asarray(np.interp(level, levels, mass, left=1.0, right=0.0))


SCALES = ("linear", "log", "equalized")
# Optical depth of one edge length of the cube at f = 1 and exposure 1. Chosen by eye on photographs
# so that turning from one scale to another keeps the picture about as bright.
_DEPTH = {"linear": 3.0, "log": 9.0, "equalized": 24.0}
# At the border of this fraction of the mass f is about 1: there the cloud begins to be seen well.
_TYPICAL_FRACTION = 0.9
# The equalizing curve spans the densities that hold this fraction of the mass.
_RANKED_FRACTION = 0.9999
# A whole edge length of the cube that hides less than this cannot be seen.
_INVISIBLE = 1 / 512
RANK_POINTS = 256


@dataclass(frozen=True, eq=False)
class TransferFunction:
    """From densities to what the eye is shown: f(density) and its optical depth.

    The cloud's shader computes the same from the same numbers (`volume.glsl`, `visible_*.glsl`).

    Attributes
    ----------
    scale : str
        "linear", "log" or "equalized".
    depth : float
        Optical depth per unit of f and per edge length of the box.
    gain : float
        Brings densities to a scale on which 1 is typical.
    floor : float
        Densities at or below are not shown: what `from_curve` was asked to leave out, and what is
        too faint to be seen at all.
    log_range : tuple of float
        Natural logarithms of the densities at both ends of `rank`.
    rank : (256,) float32 array
        The fraction of the mass in sparser cells, at densities evenly spaced in the logarithm.
    """

    scale: str
    depth: float
    gain: float
    floor: float
    log_range: tuple[float, float]
    rank: NDArray[np.float32]

    @classmethod
    def from_curve(
        cls,
        curve: CumulativeMass,
        *,
        scale: str = "linear",
        exposure: float = 1.0,
        density_floor: float = 0.0,
    ) -> TransferFunction:
        """Fit the transfer to a volume.

        Parameters
        ----------
        curve : CumulativeMass
            Of the volume.
        scale : str
            "linear": f = density over the density at the border of 90 % of the mass.
            "log": log(1 + that). "equalized": the fraction of the mass that lies in sparser cells.
        exposure : float
            Factor on the optical depth; 1 looks well on photographs, whatever their size.
        density_floor : float
            Share of the mass, the sparsest, that is not shown: 0 to 1.
        """
        if scale not in SCALES:
            raise ValueError(f"scale must be one of {', '.join(SCALES)}, not {scale!r}.")
        if not (np.isfinite(exposure) and exposure > 0):
            raise ValueError(f"exposure must be a positive number, not {exposure}.")
        if not 0 <= density_floor <= 1:
            raise ValueError(
                f"density_floor must be a fraction of the mass, 0 to 1, not {density_floor}."
            )
        depth = _DEPTH[scale] * exposure
        typical = curve.level_holding(_TYPICAL_FRACTION)
        lowest = curve.level_holding(_RANKED_FRACTION)
        if typical <= 0:  # nothing to see
            zeros = np.zeros(RANK_POINTS, np.float32)
            return cls(scale, depth, 1.0, 0.0, (0.0, 1.0), zeros)
        low, high = np.log(lowest), np.log(curve.peak)
        high = max(high, low + 1e-6)
        rank = 1.0 - curve.mass_above(np.exp(np.linspace(low, high, RANK_POINTS)))
        rank -= rank[0]  # what is sparser still shall not shine
        # For the logarithm as for the linear scale: log(1 + x) is x where it is small.
        faintest = lowest if scale == "equalized" else _INVISIBLE * typical / depth
        return cls(
            scale=scale,
            depth=depth,
            gain=1.0 / typical,
            floor=max(
                curve.level_holding(1.0 - density_floor) if density_floor > 0 else 0.0, faintest
            ),
            log_range=(float(low), float(high)),
            rank=rank.astype(np.float32),
        )

    def visible(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how strongly densities show, before exposure: the transfer function of them."""
        densities = np.asarray(values, dtype=float)
        shown = densities > self.floor
        if self.scale == "equalized":
            logs = np.log(np.where(shown, densities, 1.0))
            f = np.interp(logs, np.linspace(*self.log_range, RANK_POINTS), self.rank)
        else:
            f = densities * self.gain
            if self.scale == "log":
                f = np.log1p(np.where(shown, f, 0.0))
        return np.where(shown, f, 0.0)

    def opacity(self, values: NDArray[np.floating], length: float) -> NDArray[np.float64]:
        """Return the opacity of a stretch of `length` (in edge lengths of the box)."""
        return -np.expm1(-self.depth * length * self.visible(values))


@dataclass(frozen=True, slots=True)
class TransferSettings:
    """What is chosen of a transfer function; see `TransferFunction.from_curve`."""

    scale: str = "linear"
    exposure: float = 1.0
    density_floor: float = 0.0

    def fitted(self, curve: CumulativeMass) -> TransferFunction:
        """Return the transfer function of a volume; `ValueError` says what cannot be chosen."""
        return TransferFunction.from_curve(
            curve, scale=self.scale, exposure=self.exposure, density_floor=self.density_floor
        )
