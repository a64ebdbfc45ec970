"""What a batch does with one image: count its colors, measure it, write what is shown.

Generators that can be stopped between their yields, of the same steps as the session's own.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.class_query import shown_query
from napari_colorkde.app.density.color_coordinates import conversion_error, convert_palette
from napari_colorkde.app.density.density_steps import color_values, evaluate_kernels, kde_of
from napari_colorkde.app.density.estimation import density_in_steps, resolve_bandwidth
from napari_colorkde.app.density.export import (
    density_origin,
    painted_dtype,
    write_painted,
)
from napari_colorkde.app.density.request import ColorValues, DensityRequest
from napari_colorkde.app.image.counting_steps import CountedImage, count_colors
from napari_colorkde.app.image.frames import Frame, frame_source, frames_of
from napari_colorkde.app.image.pixels.pixel_blocks import colors_in_blocks, painted_in_blocks
from napari_colorkde.app.results.batch_images import BatchImage
from napari_colorkde.app.results.measure_image import ClassChoices
from napari_colorkde.app.results.row_layout import measured_rows, read_regions, regions_of_frame
from napari_colorkde.app.state import State
from napari_colorkde.core.classification.classify_colors import classify_colors
from napari_colorkde.core.classification.measure import measure_palette, measure_regions
from napari_colorkde.core.classification.regions import Region
from napari_colorkde.core.csv_and_frames import Row
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection


@dataclass(frozen=True, eq=False)
class ImageWork:
    """What is done with each image.

    Attributes
    ----------
    state
        Bandwidth, space, kernels, classification.
    measures
        Whether it gets rows in the table.
    per_frame
        Whether the frames of a stack are images of their own.
    device
        Where to compute.
    """

    state: State
    measures: bool
    per_frame: bool
    device: Device


def do_image(
    image: BatchImage, work: ImageWork, target: Path | None, regions: Path | None = None
) -> Generator[Progress, None, list[Row]]:
    """Measure an image and write what the state shows of it. Returns its rows.

    Parameters
    ----------
    target
        Where it is written; None for nowhere.
    regions
        Labels, or polygons as GeoJSON, each of which has rows of its own; None for the whole.

    Raises
    ------
    ValueError, OSError
        If the state does not fit the image, or the file cannot be written.
    """
    source, channels = image.source, image.channels
    state, rows = work.state.replace(channels=channels), list[Row]()
    if state.space != "rgb" and (reason := conversion_error(source, channels, None)):
        raise ValueError(reason)
    parts = None
    if regions is not None and work.measures:
        parts = read_regions(regions, source.shape(channels))
    frames: list[Frame] = frames_of(source, channels) if work.per_frame else [()]
    painted: Any = None
    shown, sigmas = None, list[tuple[float, ...] | None]()
    for number, frame in enumerate(frames):
        alone, its_channels = frame_source(source, channels, frame)
        counted = None
        for step in count_colors(alone, its_channels):
            if isinstance(step, CountedImage):
                counted = step
            else:
                yield _of_frame(step, number, len(frames))
        if counted is None or counted.index.is_preview:
            raise ValueError(f"the colors of {source.name!r} cannot be counted.")
        if work.measures:
            yield _of_frame(Progress("measuring"), number, len(frames))
            rows += _rows(image, counted, work, frame, regions_of_frame(parts, frame))
        if target is None:
            continue
        request = _request(counted, state, work.device)
        steps = exact_values(request)
        try:
            while True:
                yield _of_frame(next(steps), number, len(frames))
        except StopIteration as end:
            shown, its_sigmas = end.value
        sigmas.append(its_sigmas)
        if len(frames) == 1:
            painted = painted_in_blocks(counted.index, shown.values, painted_dtype(shown))
            if painted is not None:
                continue
        if painted is None:
            painted = np.empty(source.shape(channels), painted_dtype(shown))
        for done in counted.index.paint(shown.values, painted[frame]):
            yield _of_frame(Progress("painting the density", done), number, len(frames))
    if target is not None and painted is not None and shown is not None:
        yield Progress(f"writing {target.name}")
        origin = density_origin(source, state, shown, sigmas[0] if len(frames) == 1 else None)
        if len(frames) > 1 and shown.request.kernels is None:
            origin["bandwidth of each frame"] = [None if s is None else list(s) for s in sigmas]
        limits = shown.limits if len(frames) == 1 or shown.request.query is not None else None
        write_painted(target, painted, shown, image.origin | origin, state.colormap, limits)
    return rows


def exact_values(
    request: DensityRequest,
) -> Generator[Progress, None, tuple[ColorValues, tuple[float, ...] | None]]:
    """Compute exact values alone, without a volume or a preview.

    Returns
    -------
    values : ColorValues
    sigmas : tuple of float, or None
        Of the image's own density, in units of its space.
    """
    started = time.perf_counter()
    if request.kernels is not None:
        yield Progress("evaluating the kernels")
        return color_values(request, evaluate_kernels(request), True, started), None
    yield Progress("estimating the density")
    coordinates = convert_palette(request.palette, request.space)
    bandwidth = None
    for step in resolve_bandwidth(coordinates.points, request.bandwidth, request.device):
        if isinstance(step, Progress):
            yield step
        else:
            bandwidth = step.covariance if isinstance(step, BandwidthSelection) else step
    kde = kde_of(request, coordinates, bandwidth)
    values = yield from density_in_steps(kde, request.log)
    sigmas = tuple(np.sqrt(np.diagonal(kde.covariance)).tolist())
    return color_values(request, values, True, started), sigmas


def _request(counted: CountedImage, state: State, device: Device) -> DensityRequest:
    kernels = state.kernels if state.show == "kernels" else None
    query = shown_query(state)
    if query is not None:
        kernels = query.kernels
    return DensityRequest(
        counted.palette,
        state.bandwidth,
        state.log,
        kernels,
        device,
        query=query,
        space=state.space,
        boundary=state.boundary,
        varying=state.varying,
    )


def _rows(
    image: BatchImage,
    counted: CountedImage,
    work: ImageWork,
    frame: Frame,
    regions: list[Region] | None,
) -> list[Row]:
    choices = ClassChoices.of(work.state)
    choices.check(counted.palette.n_channels)
    classes, options = choices.kernels, choices.options(work.device)
    if regions is None:
        found = measure_palette(classify_colors(counted.palette, classes, **options))
    else:
        index = counted.index
        pixels: Any = colors_in_blocks(index.source, index.channels)
        if index.cached_stride == 1:
            pixels = index.source.read(index.channels, (slice(None),) * len(index.shape))
        found = measure_regions(pixels, regions, classes, **options)
    return measured_rows(image.source, found, frame, image.area)


def _of_frame(progress: Progress, number: int, n_frames: int) -> Progress:
    """Return how much of a stack is done by the progress within a frame."""
    if n_frames == 1:
        return progress
    return Progress(progress.what, (number + (progress.fraction or 0.0)) / n_frames)
