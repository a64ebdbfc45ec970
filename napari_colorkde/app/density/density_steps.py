"""From requests to results: pure generators that can be stopped between their yields.

A request is a frozen value with all that is needed; results name what they are made of. Long steps
tell how far they are. Nothing here knows the session, napari or a thread. There is one value for
each distinct color: the sums are those of `core.kde.color_kde` and
`core.mixture.density`, and `app.layers.painting` spreads them over the pixels.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.color_coordinates import PaletteCoordinates, look_at_palette
from napari_colorkde.app.density.estimation import (
    CoordinatesKDE,
    density_in_steps,
    display_volume,
    display_volume_in_steps,
    drawn_kde,
    resolve_bandwidth,
)
from napari_colorkde.app.density.request import ColorValues, DensityRequest, Estimate
from napari_colorkde.app.density.sketch import interpolated, needs_sketch
from napari_colorkde.app.settings.view_settings import Axes
from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection
from napari_colorkde.core.mixture.cached_terms import Contributions
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.number_text import counted
from napari_colorkde.io.colors.coloring import default_limits

BINS = {1: 512, 2: 256, 3: 128}
"""Grid points per axis of the color-space volume, by the number of channels."""

FEW_COLORS = 20_000
"""Palettes this small need no preview: the exact density is as quick."""

PARTS = ("previous", "contributions", "coordinates", "read_codes", "on_screen", "others")
"""Fields of a request that only make it quicker."""

LIMIT_COLORS = 1 << 19
"""Colors that contrast limits are found from, at least."""


def compute(request: DensityRequest) -> Iterator[Progress | Estimate | ColorValues]:
    """Compute the volume, a preview of the densities, and the densities.

    Of many colors on no lattice the first volume is a sketch, and the exact one comes last: what is
    on the screen never waits for it.
    """
    started = time.perf_counter()
    palette = request.palette
    bins = BINS[min(palette.n_channels, MAX_GRID_CHANNELS)]
    estimate = request.previous
    kde = None if estimate is None else estimate.kde
    if estimate is None or kde is None:
        yield Progress("estimating the density")
        coordinates = request.coordinates
        coordinates = coordinates or look_at_palette(palette, request.space, request.axes)
        sigmas, notice = None, ""
        steps = resolve_bandwidth(coordinates.own, request.bandwidth, request.device)
        if estimate is not None and isinstance(request.bandwidth, str):
            # What a rule has chosen before, it chooses again.
            steps = iter((estimate.covariance,))
        for step in steps:
            if isinstance(step, Progress):
                yield step
            elif isinstance(step, BandwidthSelection):
                sigmas = step.covariance
                # In a window no candidates can be given.
                doubt = step.doubt("choose leave one color out", "choose one by hand")
                notice = f"{doubt[:1].upper()}{doubt[1:]}"
            else:
                sigmas = step
        kde = kde_of(request, coordinates, sigmas)
        is_sketch = needs_sketch(coordinates.drawn)
        drawn = drawn_kde(kde, coordinates)
        drawn = drawn.of_points(coordinates.sketch) if is_sketch else drawn
        volume = yield from display_volume(drawn, coordinates, bins)
        estimate = Estimate(
            palette,
            request.bandwidth,
            None if is_sketch else kde,
            volume,
            coordinates,
            time.perf_counter() - started,
            notice,
            request.boundary,
            request.varying,
            None if coordinates.projection is None else kde.covariance,
        )
        yield estimate
    if request.kernels is None:
        if palette.n_channels == 3 and len(palette) > FEW_COLORS:
            colors = estimate.coordinates.points.colors
            drawn_values = interpolated(estimate.volume, colors, request.log)
            yield color_values(request, drawn_values, False, started)
            if request.is_sample:
                return
        values = yield from density_in_steps(kde, request.log)
    else:
        if (preview := kernels_on_screen(request)) is not None:
            yield preview
        values = evaluate_kernels(request)
    yield color_values(request, values, True, started)
    if estimate.kde is None:
        drawn = drawn_kde(kde, estimate.coordinates)
        volume = yield from display_volume_in_steps(drawn, estimate.coordinates, bins)
        seconds = time.perf_counter() - started
        yield replace(estimate, kde=kde, volume=volume, seconds=seconds, notice="")


def look_along(estimate: Estimate, axes: Axes, device: Device) -> Iterator[Progress | Estimate]:
    """Look at the same density of more than three channels along other axes."""
    yield Progress("estimating the density")
    coordinates = look_at_palette(estimate.palette, "rgb", axes)
    kde = CoordinatesKDE(coordinates, estimate.covariance, device)
    drawn, bins = drawn_kde(kde, coordinates), BINS[MAX_GRID_CHANNELS]
    if needs_sketch(coordinates.drawn):
        sketched = drawn.of_points(coordinates.sketch)
        volume = yield from display_volume(sketched, coordinates, bins)
        yield replace(estimate, coordinates=coordinates, volume=volume)
    volume = yield from display_volume_in_steps(drawn, coordinates, bins)
    yield replace(estimate, coordinates=coordinates, volume=volume, notice="")


def kde_of(
    request: DensityRequest, coordinates: PaletteCoordinates, sigmas: NDArray[np.float64] | None
) -> CoordinatesKDE:
    """Return the KDE that is asked for, with a bandwidth: sigmas or a covariance."""
    return CoordinatesKDE(
        coordinates, sigmas, request.device, boundary=request.boundary, varying=request.varying
    )


def check_channels(kernels: KernelSet, n_channels: int) -> None:
    """Refuse kernels of other channels than an image has.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    n = kernels.n_channels
    if n != n_channels:
        raise ValueError(
            f"these kernels are for {counted(n, 'channel')}; the image has {n_channels}. Choose "
            f"{counted(n, 'color channel')}, or another set."
        )


def evaluate_kernels(request: DensityRequest) -> NDArray[np.float32]:
    """What is asked of the kernels, at the palette's colors ``(U,)``."""
    palette, contributions = request.palette, request.contributions
    if contributions is None:
        contributions = Contributions(palette.colors, request.device)
    return _evaluated(request, contributions, palette.counts)


def kernels_on_screen(request: DensityRequest) -> ColorValues | None:
    """The same for what is on the screen, before the rest; None where all are few."""
    started = time.perf_counter()
    screen, read, counts = request.on_screen, request.read_codes, request.palette.counts
    if screen is None or read is None or request.others is None:
        return None
    screen.look_at(read())
    if screen.contributions is None:
        return None
    counts = counts[screen.entries]
    values = _evaluated(request, screen.contributions, counts)
    limits = _limits(request, values, counts)
    spread = screen.spread(values, request.others)
    return ColorValues(_without_parts(request), spread, limits, False, _since(started))


def _evaluated(
    request: DensityRequest, contributions: Contributions, counts: NDArray[Any]
) -> NDArray[np.float32]:
    kernels = request.kernels
    if kernels is None:
        raise ValueError("there are no kernels; choose a kernel set.")
    check_channels(kernels, request.palette.n_channels)
    if (query := request.query) is not None:
        query.check()
        logs = contributions.log_class_densities(kernels, query.members)
        return query.evaluate(logs, counts)
    values = contributions.log_density(kernels)
    return values if request.log else np.exp(values, out=values)


def color_values(
    request: DensityRequest, values: NDArray[Any], is_exact: bool, started: float
) -> ColorValues:
    """Return values with the limits that suit them; `started` is by `time.perf_counter`."""
    # Of many some will do: all would take as long as the values.
    some = slice(None, None, max(1, len(values) // LIMIT_COLORS))
    limits = _limits(request, values[some], request.palette.counts[some])
    return ColorValues(_without_parts(request), values, limits, is_exact, _since(started))


def _limits(
    request: DensityRequest, values: NDArray[Any], counts: NDArray[Any]
) -> tuple[float, float]:
    if request.query is not None:
        return request.query.limits
    return default_limits(values, request.log, counts)


def _without_parts(request: DensityRequest) -> DensityRequest:
    """Return a request without what was at hand for it: no part of the question, and large."""
    nothing: Keywords = dict.fromkeys(PARTS)
    return replace(request, **nothing)


def _since(started: float) -> float:
    return time.perf_counter() - started
