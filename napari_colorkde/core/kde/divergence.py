"""Comparing two images' colors: Kullback–Leibler and Jensen–Shannon divergences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.checks.covariance import log_normalizer
from napari_colorkde.core.colorspaces import (
    COLOR_SPACES,
    SpaceName,
    color_space,
    palette_in_space,
    refusal_for,
)
from napari_colorkde.core.device import Device, DeviceLike, resolve_device
from napari_colorkde.core.kde.bandwidth import Bandwidth, bandwidth_covariance
from napari_colorkde.core.kde.statistics import draw_colors
from napari_colorkde.core.kernel_sums.grids.grid_logs import MeshSums
from napari_colorkde.core.kernel_sums.kernel_sums import KernelSums, kernel_sums
from napari_colorkde.core.kernel_sums.lattice_sums import FLOAT32_FLOOR, LatticeSums
from napari_colorkde.core.kernel_sums.spread_sums import SpreadSums
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.merge import refuse_unlike
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.vectors.comparison import Estimate
from napari_colorkde.core.vectors.vector_sums import VectorSums

Axes = tuple[NDArray[np.float64], ...]

REACH = 6.0
"""Standard deviations the grid reaches beyond the colors: 1e-9 of the mass is outside."""

SPACINGS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
"""Grid spacings in standard deviations. At the widest the trapezoid rule errs by 4e-14 of a
Gaussian and, on photographs, by 1e-5 of ``f_a log(f_a / f_b)``. But halfway between far colors of
b the log has a kink, and the rule errs by spacing² · (distance of those colors) · f_a / 12."""

FINE_POINTS = 1 << 19
"""The finest spacing is taken whose grid has no more points than this; if none has, the widest."""

MAX_POINTS = 1 << 28
"""Grid points at most: those of 8-bit colors at a bandwidth of 0.6 levels."""

SLAB_POINTS = 1 << 23
"""Grid points summed at a time: 64 MB for each density."""

SIGNIFICANT = 1e-9
"""Fraction of the peak below which the first density's share of the integral is left out."""

ALLOWED_NATS, ALLOWED_PART = 1e-5, 2e-5
"""Nats, and part of a divergence, that logs on the grid may add to its error: the points that add
most are summed from the colors themselves until the rest is within."""

N_DRAWN, SEED = 4000, 0
"""Colors that are drawn from each density of more than three channels, and the seed."""

TINY = 1e-300
"""What is put in the place of sums that underflow, until they are summed from the colors."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Divergences between the color densities of images a and b, in nats.

    Attributes
    ----------
    kl_ab, kl_ba
        ``∫ f_a log(f_a / f_b)`` and the reverse: not symmetric.
    js
        Jensen–Shannon divergence, symmetric, between 0 and ln 2.
    standard_errors
        Of the three, where they are means over colors that are drawn; None of integrals.
    """

    kl_ab: float
    kl_ba: float
    js: float
    standard_errors: tuple[float, float, float] | None = None


def compare(
    image_a: Palette | ArrayLike,
    image_b: Palette | ArrayLike,
    bandwidth: Bandwidth = None,
    *,
    space: SpaceName | str = "rgb",
    mask_a: ArrayLike | None = None,
    mask_b: ArrayLike | None = None,
    channel_axis: int | None = -1,
    device: DeviceLike = "auto",
    n_channels: int | None = None,
) -> Comparison:
    """Compare the colors of two images by the divergence of their KDEs.

    Parameters
    ----------
    image_a, image_b
        Images with the same channels and dtype (see `Palette.from_image`), or palettes. They may
        differ in size.
    bandwidth
        See `ColorKDE`; both densities use it. None and the named methods choose it from both images
        together.
    space
        Color space of the densities and the bandwidth, see `ColorKDE`.
    mask_a, mask_b, channel_axis, n_channels
        See `Palette.from_image`; for images.
    device
        See `resolve_device`.

    Returns
    -------
    Comparison
        Integrals of the densities, not of samples: to 1e-4 nats + 1e-4 of the value; 3e-3 of the
        value in three dimensions, where both have only a few colors spread over the whole range.
        For more than three channels, means over 4000 colors drawn from each density, with their
        standard errors.

    Raises
    ------
    ValueError
        If the images differ in kind, or the bandwidth is so narrow compared with the colors' range
        that the grid would exceed 268 million points.

    Notes
    -----
    Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991).
    """
    space = choice(space, "space", COLOR_SPACES)
    place = resolve_device(device)
    refuse = refusal_for(space)
    a, b = (
        palette_of(
            image, mask, channel_axis, n_channels=n_channels, refuse=refuse, name=f"image_{name}"
        )
        for name, image, mask in (("a", image_a, mask_a), ("b", image_b, mask_b))
    )
    refuse_unlike(a, b, "image_a", "image_b")
    a, b, both = in_one_space([a, b, a.merge(b)], space)
    return compare_palettes(a, b, bandwidth_covariance(bandwidth, both, place), place)


def in_one_space(palettes: list[Palette], space: str) -> list[Palette]:
    """Return palettes in a color space: one that depends on an image is that of the last."""
    if space == "rgb":
        return palettes
    known = color_space(space, palettes[-1])
    return [palette_in_space(palette, known) for palette in palettes]


def compare_palettes(
    a: Palette, b: Palette, covariance: NDArray[np.float64], place: Device
) -> Comparison:
    """Compare two palettes by the divergence of their KDEs of this bandwidth."""
    if a.n_channels > MAX_GRID_CHANNELS:
        return _by_drawing(a, b, covariance, place)
    axes = _grid([a, b], covariance)
    cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
    totals = np.zeros(4)
    for log_a, log_b in _log_densities(a, b, covariance, axes, place):
        totals += (
            _divergence(log_a, log_b),
            _divergence(log_b, log_a),
            _to_middle(log_a, log_b),
            _to_middle(log_b, log_a),
        )
    kl_ab, kl_ba, a_to_middle, b_to_middle = (totals * cell).tolist()
    return Comparison(kl_ab=kl_ab, kl_ba=kl_ba, js=0.5 * (a_to_middle + b_to_middle))


def _by_drawing(
    a: Palette, b: Palette, covariance: NDArray[np.float64], place: Device
) -> Comparison:
    """Compare densities of many channels by means over colors drawn from them."""
    random = np.random.default_rng(SEED)
    sums = [VectorSums(p.colors, p.counts, covariance, place) for p in (a, b)]
    drawn = [draw_colors(p, covariance, N_DRAWN, random) for p in (a, b)]
    (a_at_a, a_at_b), (b_at_a, b_at_b) = (
        [s.log_at(colors) - np.log(p.total_weight) for colors in drawn]
        for s, p in zip(sums, (a, b), strict=True)
    )
    ab, ba = Estimate.of(a_at_a - b_at_a), Estimate.of(b_at_b - a_at_b)
    to_middle = (
        a_at_a - np.logaddexp(a_at_a, b_at_a) + np.log(2),
        b_at_b - np.logaddexp(a_at_b, b_at_b) + np.log(2),
    )
    js = Estimate.of(*to_middle)
    errors = ab.standard_error, ba.standard_error, js.standard_error
    return Comparison(ab.value, ba.value, max(js.value, 0.0), errors)


def _grid(palettes: list[Palette], covariance: NDArray[np.float64]) -> Axes:
    sigmas = np.sqrt(np.diag(covariance))
    # The narrowest direction of a full covariance sets the spacing of every axis.
    narrow = 1 / np.sqrt(np.diag(np.linalg.inv(covariance)))
    low = np.min([p.colors.min(axis=0) for p in palettes], axis=0) - REACH * sigmas
    high = np.max([p.colors.max(axis=0) for p in palettes], axis=0) + REACH * sigmas
    for spacing in SPACINGS:
        step = spacing * narrow
        lengths = np.ceil((high - low) / step) + 1
        if lengths.prod() <= FINE_POINTS:
            break
    if lengths.prod() > MAX_POINTS:
        raise ValueError(
            f"bandwidth {[float(f'{s:.3g}') for s in narrow]} is narrow compared with the colors' "
            f"range: the integral would need {lengths.prod():.3g} points, more than {MAX_POINTS}. "
            "Give a wider bandwidth."
        )
    return tuple(a + s * np.arange(n) for a, s, n in zip(low, step, lengths, strict=True))


def _log_densities(
    a: Palette,
    b: Palette,
    covariance: NDArray[np.float64],
    axes: Axes,
    device: Device,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Log densities of both at the grid points where either is significant, slab by slab.

    Yields
    ------
    log_a, log_b
        ``(n,)`` each.
    """
    sides = [_Side.of(p, covariance, device) for p in (a, b)]
    slabs = list(_slabs(axes))
    first = [side.on_grid(slabs[0]) for side in sides]
    peaks = [values.max() for values in first]
    for slab in slabs[1:]:
        # Twice, since what is significant is known only at the end; keeping all takes gigabytes.
        peaks = [
            max(peak, side.on_grid(slab).max()) for peak, side in zip(peaks, sides, strict=True)
        ]
    cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
    scale = log_normalizer(covariance)
    for number, slab in enumerate(slabs):
        on_grid = first if number == 0 else [side.on_grid(slab) for side in sides]
        first = []
        keep = np.zeros(on_grid[0].shape, bool)
        for values, peak in zip(on_grid, peaks, strict=True):
            keep |= values > SIGNIFICANT * peak
        places = np.nonzero(keep)
        if not len(places[0]):
            continue
        points = np.stack([axis[i] for axis, i in zip(slab, places, strict=True)], axis=1)
        found = [values[keep].astype(np.float64) for values in on_grid]
        logs = [
            np.log(np.maximum(values, TINY)) - np.log(side.palette.total_weight) - scale
            for values, side in zip(found, sides, strict=True)
        ]
        mass = sum(np.exp(log) for log in logs) * cell
        # Both divergences are sums of such terms, of which none is negative.
        differences = logs[0] - logs[1]
        allowed = [
            ALLOWED_NATS
            + ALLOWED_PART * cell * float(np.sum(np.exp(p) * d - np.exp(p) + np.exp(q)))
            for p, q, d in ((logs[1], logs[0], -differences), (logs[0], logs[1], differences))
        ]
        for side, values, log, most in zip(sides, found, logs, allowed, strict=True):
            errors = mass * side.log_errors(values)
            order = np.argsort(errors)
            again = order[np.cumsum(errors[order]) > most / len(slabs)]
            if len(again):
                exact = side.log_at(points[again]) - np.log(side.palette.total_weight)
                log[again] = exact - scale
        yield logs[0], logs[1]


def _slabs(axes: Axes) -> Iterator[Axes]:
    """Cut a grid across its first axis."""
    rows = max(1, SLAB_POINTS // max(1, int(np.prod([len(axis) for axis in axes[1:]]))))
    for start in range(0, len(axes[0]), rows):
        yield axes[0][start : start + rows], *axes[1:]


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The sums of one image's kernels on grids, and at the points where a grid's do not do."""

    palette: Palette
    sums: KernelSums
    mesh: MeshSums | None

    @classmethod
    def of(cls, palette: Palette, covariance: NDArray[np.float64], device: Device) -> "_Side":
        sums = kernel_sums(palette, covariance, device)
        mesh = sums.for_logs_on_grids() if isinstance(sums, SpreadSums) else None
        return cls(palette, sums, mesh)

    def on_grid(self, axes: Axes) -> NDArray[Any]:
        """Sums on a grid."""
        return self.sums.on_grid(axes) if self.mesh is None else self.mesh.on_grid(axes)

    def log_errors(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the logs of sums on a grid may be off by, infinite where nothing is known."""
        if self.mesh is not None:
            return self.mesh.log_errors(values)
        if not isinstance(self.sums, LatticeSums):
            return np.full(len(values), np.inf)
        # On a lattice all terms are positive: the sums are good to 1e-6 of themselves.
        return np.where(values < FLOAT32_FLOOR * self.palette.total_weight, np.inf, 0.0)

    def log_at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log sums at points where those on the grid do not do."""
        if self.mesh is not None and isinstance(self.sums, SpreadSums):
            return self.sums.log_directly_at(points)
        return self.sums.log_at(points)


def _divergence(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> float:
    return float(np.sum(np.exp(log_p) * (log_p - log_q)))


def _to_middle(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> float:
    return _divergence(log_p, np.logaddexp(log_p, log_q) - np.log(2))
