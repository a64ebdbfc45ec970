"""How long the color KDE of a photograph on a grid of 128³ takes, from the array on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.harness import Contender, Setup, compete, time_of
from benchmarks.report import Figure, Question, Row, Target
from napari_colorkde import Palette, color_kde

SIGMA = 5.0
LEVELS = 256

OURS = "color_kde"
HISTOGRAM = "`np.histogramdd`, `scipy.ndimage.gaussian_filter`"
KDEPY = "KDEpy `FFTKDE`, all pixels"
KDEPY_WEIGHTED = "KDEpy `FFTKDE`, distinct colors as weights"
COUNT = "floor: np.bincount of ready codes"
PRODUCT = "floor: one matrix product"
FLOOR = "one `np.bincount` of ready codes, and the matrix products at this machine's rate"

Points = tuple[NDArray[np.float64], NDArray[np.int64]]


def measure(setup: Setup) -> Question:
    image = setup.photograph.image
    bins = 64 if setup.quick else 128
    codes = byte_codes(image)
    gaussian, counts = torch.rand(bins, LEVELS), torch.rand(LEVELS, LEVELS**2)
    outcomes = compete(
        [
            Contender(OURS, lambda: color_kde(image, SIGMA, bins=bins).values),
            Contender(COUNT, lambda: len(np.bincount(codes, minlength=LEVELS**3))),
            Contender(PRODUCT, lambda: len(gaussian @ counts)),
            Contender(HISTOGRAM, lambda: histogram_and_filter(image, bins), 3),
            Contender(KDEPY_WEIGHTED, lambda: kdepy_weighted(image, bins), 2, needs="KDEpy"),
            Contender(KDEPY, lambda: kdepy(image.reshape(-1, 3), None, bins), 1, needs="KDEpy"),
        ],
        setup.repeats,
    )
    ours = outcomes[OURS].time
    targets = {HISTOGRAM: Target("times", 12), KDEPY: Target("times", 150)}
    what = f"{bins}³ grid, σ = {SIGMA:g}, counting included"
    rows = [
        Row(what, ours, peer, time_of(outcomes, peer), targets.get(peer))
        for peer in (HISTOGRAM, KDEPY, KDEPY_WEIGHTED)
    ]
    floor = floor_of(outcomes[COUNT].time, outcomes[PRODUCT].time, bins)
    rows.append(Row(what, ours, FLOOR, floor, Target("floor", 1.5)))
    rate = 2 * bins * LEVELS**3 / outcomes[PRODUCT].time.value / 1e9
    notes = [
        f"The floor is {outcomes[COUNT].time} for the counts and {operations(bins) / 1e9:.2g} "
        f"GFLOP at {rate:.3g} GFLOP/s (float32, {bins} × {LEVELS} by {LEVELS} × {LEVELS**2}).",
        errors(image, bins, {name: outcomes[name].result
                             for name in (OURS, HISTOGRAM, KDEPY) if name in outcomes}),
        "KDEpy and ours answer on the same grid, `linspace(0, 255)`; KDEpy's has one more point on "
        "each side, as it refuses data on its edge. The histogram answers at the centers of its "
        "cells. Given distinct colors (`np.unique`, included) KDEpy has no more to bin.",
    ]  # fmt: skip
    text = "A density volume of the photograph's colors, from the uint8 array."
    return Question("Volume", text, rows, notes)


def byte_codes(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """One number for each pixel's color."""
    red, green, blue = (image[..., c].astype(np.int64).ravel() for c in range(3))
    return (red << 16) | (green << 8) | blue


def operations(bins: int) -> int:
    """Floating point operations of three dense products from 256³ to bins³."""
    return sum(2 * bins**k * LEVELS ** (4 - k) for k in (1, 2, 3))


def floor_of(count: Figure, product: Figure, bins: int) -> Figure:
    """The least that counting once and multiplying can take."""
    share = operations(bins) / (2 * bins * LEVELS**3)
    low, value, high = (
        c + share * p
        for c, p in zip(
            (count.low, count.value, count.high),
            (product.low, product.value, product.high),
            strict=True,
        )
    )
    return Figure(value, low, high)


def grid_axis(bins: int) -> NDArray[np.float64]:
    return np.linspace(0, LEVELS - 1, bins)


def cell_centers(bins: int) -> NDArray[np.float64]:
    return (np.arange(bins) + 0.5) * LEVELS / bins


def histogram_and_filter(image: NDArray[np.uint8], bins: int) -> NDArray[Any]:
    """What most people write. The filter is cut at 4 sigma, SciPy's default."""
    pixels = image.reshape(-1, 3)
    counts, _ = np.histogramdd(pixels, bins=bins, range=[(0, LEVELS)] * 3)
    width = LEVELS / bins
    density = counts.astype(np.float32) / (len(pixels) * width**3)
    return np.asarray(gaussian_filter(density, SIGMA / width, mode="constant"))


def kdepy_weighted(image: NDArray[np.uint8], bins: int) -> NDArray[Any]:
    codes, counts = np.unique(byte_codes(image), return_counts=True)
    colors = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)
    return kdepy(colors, counts, bins)


def kdepy(points: NDArray[Any], weights: NDArray[Any] | None, bins: int) -> NDArray[Any]:
    from KDEpy import FFTKDE

    inner = grid_axis(bins)
    step = inner[1]
    axis = np.concatenate([[-step], inner, [inner[-1] + step]])
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    density = FFTKDE(kernel="gaussian", bw=SIGMA).fit(points, weights).evaluate(grid)
    return np.asarray(density.reshape((bins + 2,) * 3)[1:-1, 1:-1, 1:-1])


def errors(image: NDArray[np.uint8], bins: int, volumes: dict[str, NDArray[Any]]) -> str:
    """Say how far each volume is from the float64 direct sum."""
    palette = Palette.from_image(image)
    peak = volumes[OURS].max()
    parts = []
    for name, volume in volumes.items():
        axis = cell_centers(bins) if name == HISTOGRAM else grid_axis(bins)
        error = largest_error(palette, axis, volume, lambda points: direct_sum(palette, points))
        parts.append(f"{'ours' if name == OURS else name} {error / peak:.0e}")
    return f"Largest error at 128 grid points, as a part of the peak: {'; '.join(parts)}."


def largest_error(
    palette: Palette,
    axis: NDArray[np.float64],
    volume: NDArray[Any],
    truth: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> float:
    """Compare at random grid points, half of them drawn by density, half anywhere."""
    random = np.random.default_rng(0)
    chance = np.maximum(volume.ravel().astype(np.float64), 0)
    dense = random.choice(volume.size, 64, p=chance / chance.sum())
    places = np.concatenate([dense, random.integers(0, volume.size, 64)])
    points = axis[np.stack(np.unravel_index(places, volume.shape), axis=-1)]
    return float(np.abs(volume.ravel()[places] - truth(points)).max())


def direct_sum(palette: Palette, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The KDE at a few colors by its definition, float64 (Silverman 1986, eq. 4.1)."""
    colors = palette.colors.astype(np.float64)
    sums = [
        palette.counts @ np.exp(-0.5 * ((colors - point) ** 2).sum(axis=1) / SIGMA**2)
        for point in points
    ]
    return np.array(sums) / (palette.n_pixels * (2 * np.pi) ** 1.5 * SIGMA**3)
