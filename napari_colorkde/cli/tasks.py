"""What the commands compute, step by step. Each step reports its outcome."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from napari_colorkde.cli.console import print_warning, timed_step
from napari_colorkde.cli.inputs.image_inputs import ImageInput, count_colors, frames
from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.core.number_text import shape_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_colorkde.core.classification.classify_image import ClassOptions
    from napari_colorkde.core.kde.bandwidth import Bandwidth
    from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
    from napari_colorkde.core.mixture.em.iterate import EMStep, FitOptions
    from napari_colorkde.core.mixture.kernels import KernelSet
    from napari_colorkde.core.palette.palette import Palette


def classify(
    image: ImageInput,
    kernel_sets: "dict[str, KernelSet]",
    show: str,
    options: "ClassOptions",
    numbers: dict[str, int] | Literal["names"] | None = None,
) -> "NDArray[Any]":
    """Posterior, ratio or class of each pixel: see `classify_image`."""
    from napari_colorkde.core.classification.classify_image import ClassOutput, classify_image

    image.check_kernels(kernel_sets.values())
    title = {"posterior": "Posterior", "ratio": "Likelihood ratio"}.get(show, "Class")
    with timed_step(f"{title} of each pixel"):
        return classify_image(
            image.pixels,
            kernel_sets,
            show=cast(ClassOutput, show),
            mask=image.mask,
            channel_axis=image.channel_axis,
            numbers=numbers,
            **options,
        )


def kde_volume(
    palette: "Palette",
    bandwidth: "Bandwidth",
    *,
    bins: int,
    extent: list[list[float]],
    sampling: str,
    estimator: Keywords,
) -> "DensityVolume":
    """The color KDE on a grid: a `DensityVolume`. No extent means the default one.

    `estimator` holds what `ColorKDE` is given beside the bandwidth.
    """
    from napari_colorkde.core.kde.color_kde import ColorKDE

    pairs = extent[0] if len(extent) == 1 else extent or None
    with timed_step("Density of colors") as work:
        kde = ColorKDE(palette, bandwidth, **estimator)
        grid = kde.volume(bins, pairs, sampling=cast(Literal["points", "cells"], sampling))
        size = shape_text(grid.values.shape)
        work.outcome = (
            f"{size} points, {sigmas_text(grid.covariance)}, {grid.mass_inside:.4f} of the mass "
            f"inside, on {kde.device.name}"
        )
    return grid


def chosen_by_image(
    image: ImageInput, bandwidth: "Bandwidth", space: str, device: str
) -> "Bandwidth":
    """Return the covariance that a rule chooses that needs the image; others as they are."""
    from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES

    if not isinstance(bandwidth, str) or not BANDWIDTH_RULES[bandwidth].needs_image:
        return bandwidth
    return select_bandwidth(image, bandwidth, None, device, space=space).covariance


def kde_density(
    image: ImageInput,
    bandwidth: "Bandwidth",
    *,
    log: bool,
    estimator: Keywords,
    per_frame: bool = False,
) -> "tuple[NDArray[Any], NDArray[np.float64]]":
    """The KDE of an image's own colors at each of its pixels, and the bandwidth's covariance.

    With `per_frame` each frame of a stack has a KDE of its own, and there is one covariance for
    each.
    """
    import numpy as np

    from napari_colorkde.core.kde.color_kde import ColorKDE
    from napari_colorkde.core.palette.image_tiles import is_dask

    if per_frame and len(image.shape) > 2:
        found = [
            kde_density(frame, bandwidth, log=log, estimator=estimator)
            for _, frame in frames(image, per_frame=True)
        ]
        values = np.stack([value for value, _ in found])
        return values.reshape(image.shape), np.stack([covariance for _, covariance in found])

    bandwidth = chosen_by_image(image, bandwidth, estimator["space"], estimator["device"])
    palette = count_colors(image)
    with timed_step("Density of each color") as work:
        kde = ColorKDE(palette, bandwidth, **estimator)
        values = kde.density(log=log)
        work.outcome = f"{sigmas_text(kde.covariance)}, on {kde.device.name}"
    with timed_step("Density of each pixel"):
        paint = functools.partial(palette.paint, values)
        if is_dask(image.pixels):
            paint = functools.partial(palette.paint_lazily, values, np.nan)
        painted = paint(image.pixels, image.mask, image.channel_axis)
    return painted, kde.covariance


def mixture_density(
    image: ImageInput, mixture: "KernelSet", *, log: bool, device: str
) -> "NDArray[Any]":
    """The density of a kernel set at each pixel; NaN at masked ones."""
    import numpy as np

    from napari_colorkde.core.mixture.density import compute_densities

    mask = image.mask
    if mask is not None and mask.shape != image.shape:
        raise ValueError(
            f"mask has shape {mask.shape}, but the image's pixels have {image.shape}; "
            "give one value per pixel."
        )
    image.check_kernels([mixture])
    with timed_step("Density of each pixel"):
        values = compute_densities(
            image.pixels, mixture, log=log, channel_axis=image.channel_axis, device=device
        )
        if mask is not None:
            values = np.where(mask, values, values.dtype.type(np.nan))
    return values


def fit(
    image: ImageInput,
    labels: Path | None,
    number: int | Literal["bic"],
    names: dict[int, str],
    options: "FitOptions",
    space: str = "rgb",
) -> "dict[str, KernelSet]":
    """Fit a mixture to an image, or one to each label: sets by name, of a color space."""
    from dataclasses import replace

    from napari_colorkde.core.mixture.fit_classes import (
        as_class,
        class_of_label,
        fewer_kernels,
    )
    from napari_colorkde.core.mixture.kernel_spaces import points_for
    from napari_colorkde.core.mixture.label_palettes import palettes_of_labels
    from napari_colorkde.io.images import read_labels

    if labels is None:
        palette = points_for(count_colors(image), space)
        found = _fit_palette("", palette, number, options, "")
        if isinstance(found, ValueError):
            raise found
        return {image.path.stem: replace(found, space=space)}
    with timed_step(f"Reading {labels}") as work:
        marks = read_labels(labels)
        work.outcome = f"{' × '.join(map(str, marks.shape))}, {marks.dtype}"
    for label, name in names.items():
        if not (marks == label).any():
            raise ValueError(f"name: {name!r} is for label {label}, which no pixel has.")
    fitted: dict[str, KernelSet] = {}
    problems: dict[str, str] = {}
    palettes = palettes_of_labels(
        image.pixels, marks, image.mask, image.channel_axis, space, image.n_channels
    )
    for label, palette in palettes:
        cls = class_of_label(label, names)
        if cls in fitted or cls in problems:
            raise ValueError(
                f"name: {cls!r} is the class of two labels; give each a different one."
            )
        title = f" to label {label}" if cls == str(label) else f" to label {label} ({cls})"
        if isinstance(number, int) and len(palette) < number:
            print_warning(fewer_kernels(label, len(palette), number))
        found = _fit_palette(str(label), palette, number, options, title)
        if isinstance(found, ValueError):
            problems[cls] = str(found)
        else:
            fitted[cls] = replace(as_class(found, cls), space=space)
    if not fitted:
        raise ValueError(next(iter(problems.values())))
    for problem in problems.values():
        print_warning(f"{problem} The other labels were fitted.")
    return fitted


def _fit_palette(
    label: str,
    palette: "Palette",
    number: int | Literal["bic"],
    options: "FitOptions",
    title: str,
) -> "KernelSet | ValueError":
    from napari_colorkde.core.mixture.fit_classes import iterate_fits

    n_tried = len(list(options["candidates"])) if number == "bic" else 1
    tried = 0
    last: EMStep | None = None
    with timed_step(f"Fitting kernels{title}") as work:
        for _, step in iterate_fits({label: palette}, number, **options):
            if isinstance(step, ValueError):
                work.outcome = "none"
                return step
            last = step
            tried += last.iteration == 1
            done = min(tried - 1, n_tried - 1) + last.iteration / options["max_iter"]
            work.progress(min(done / n_tried, 1.0))
        if last is None:
            raise ValueError("no mixture was fitted; give -k a number of 1 or more.")
        work.outcome = (
            f"{len(last.kernels)} to {len(palette)} colors, {last.iteration} iterations, "
            f"log-likelihood {last.log_likelihood:.6f} nats per pixel"
        )
    if not last.converged:
        print_warning(
            f"EM did not converge in {last.iteration} iterations; give a larger --max-iter."
        )
    return last.kernels


def select_bandwidth(
    image: ImageInput,
    method: str,
    candidates: list[float] | None,
    device: str,
    *,
    shape: str = "isotropic",
    space: str = "rgb",
    exact: bool = False,
) -> "BandwidthSelection":
    """Choose a bandwidth by a rule, showing progress where it tries candidates."""
    from napari_colorkde.core.device import resolve_device
    from napari_colorkde.core.kde.bandwidth import in_space, iterate_selection
    from napari_colorkde.core.kde.bandwidth_rules import Shape, bandwidth_rule
    from napari_colorkde.core.kde.selectors.held_out_pixels import halves_by_blocks

    rule = bandwidth_rule(method)
    palette, halves = count_colors(image), None
    if rule.needs_image:
        with timed_step("Holding out blocks") as work:
            halves = halves_by_blocks(
                image.pixels, image.mask, image.channel_axis, n_channels=image.n_channels
            )
            work.outcome = f"{halves.valid.n_pixels} pixels of them"
    points, halves = in_space(palette, halves, space)
    selections = iterate_selection(
        points,
        method,
        candidates,
        resolve_device(device),
        exact=exact,
        shape=cast(Shape, shape),
        halves=halves,
    )
    if not rule.tries_candidates:
        *_, selection = selections
        return selection
    total = len(candidates) if candidates else rule.n_tried
    with timed_step("Log-likelihoods") as work:
        for selection in selections:
            work.progress(min(len(selection.candidates) / total, 1.0))
        work.outcome = f"{len(selection.candidates)} candidates"
    if caveat := selection.caveat:
        print_warning(caveat)
    return selection


def sigmas_text(covariance: "NDArray[np.float64]") -> str:
    """The standard deviations of a covariance: one number if all are the same."""
    sigmas = [f"{float(covariance[i, i]) ** 0.5:.4g}" for i in range(len(covariance))]
    return f"sigma {sigmas[0] if len(set(sigmas)) == 1 else ', '.join(sigmas)}"
