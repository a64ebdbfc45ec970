"""What the commands do, step by step: read, count, compute. Each step says what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from napari_colorkde.cli.console import report, say, step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorkde.cli.peers import Task
    from napari_colorkde.core.bandwidth import BandwidthSelection, Method
    from napari_colorkde.core.kernels import KernelSet
    from napari_colorkde.core.palette import Palette

USUAL_CANDIDATES = 16
"""About so many sigmas are tried where none are given; for the progress bar only."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image as it was read, with what belongs to it.

    Attributes
    ----------
    path
        Where it came from.
    pixels
        ``(..., H, W, C)`` or ``(..., H, W)``.
    mask
        ``(..., H, W)`` bool, or None.
    channel_axis
        Axis of the channels, None if there is none.
    """

    path: Path
    pixels: Any
    mask: Any
    channel_axis: int | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape without channels."""
        from napari_colorkde.core.image import pixel_shape

        return tuple(pixel_shape(self.pixels.shape, self.channel_axis))


def read(
    path: Path,
    mask: Path | None,
    channel_axis: int | None,
    channels: list[int] | None = None,
) -> Picture:
    """Read an image (some of its channels, if they are given) and, if there is one, its mask."""
    from napari_colorkde.io.images import read_image, read_mask

    with step(f"Reading {path}") as work:
        pixels = read_image(path)
        marked = None if mask is None else read_mask(mask)
        work.outcome = f"{' × '.join(map(str, pixels.shape))}, {pixels.dtype}"
    if channels is not None:
        pixels = _entries(pixels, channel_axis, channels)
        channel_axis = -1
    return Picture(path, pixels, marked, channel_axis)


def _entries(pixels: Any, channel_axis: int | None, channels: list[int]) -> Any:
    """Keep these entries of the channel axis, which then stands last."""
    import numpy as np

    if channel_axis is None or not -pixels.ndim <= channel_axis < pixels.ndim or pixels.ndim < 3:
        raise ValueError(
            f"channels={channels} needs an axis of channels, but the image has the shape "
            f"{pixels.shape} and --channel-axis is {channel_axis}; name the axis."
        )
    n_entries = pixels.shape[channel_axis]
    if max(channels) >= n_entries:
        raise ValueError(
            f"channels={channels}: the channel axis has {n_entries} entries; "
            f"give numbers from 0 to {n_entries - 1}."
        )
    return np.moveaxis(pixels, channel_axis, -1)[..., channels]


def count(picture: Picture) -> "Palette":
    """Count the colors; say how many pixels were left out, and why."""
    from napari_colorkde.core.palette import Palette

    with step("Counting colors") as work:
        palette = Palette.from_image(picture.pixels, picture.mask, picture.channel_axis)
        work.outcome = f"{len(palette)} colors in {palette.n_pixels} pixels"
        reasons = {
            "masked": palette.n_masked,
            "transparent": palette.n_transparent,
            "not finite": palette.n_not_finite,
        }
        left_out = ", ".join(f"{n} {reason}" for reason, n in reasons.items() if n)
        if left_out:
            work.outcome += f"; left out: {left_out}"
        widths = palette.bin_width
        if widths is not None and widths.any():
            work.outcome += f"; binned, at most {widths.max():.3g} wide"
    return palette


def load_sets(file: Path, name: str | None) -> "dict[str, KernelSet]":
    """Load all sets of a kernel file, or the one of that name, and say what they are."""
    from napari_colorkde.io.kernel_files import summarize_kernels

    kernel_sets = chosen_sets(file, name)
    for line in summarize_kernels(kernel_sets):
        report(f"Kernels of {line}")
    return kernel_sets


def chosen_sets(file: Path, name: str | None) -> "dict[str, KernelSet]":
    """Load all sets of a kernel file, or the one of that name."""
    from napari_colorkde.io.kernel_files import load_kernels

    kernel_sets = load_kernels(file)
    if name is not None:
        if name not in kernel_sets:
            known = ", ".join(map(repr, kernel_sets))
            raise ValueError(f"kernel file {str(file)!r} has no set {name!r}; it holds {known}.")
        kernel_sets = {name: kernel_sets[name]}
    return kernel_sets


def single_set(file: Path, kernel_sets: "dict[str, KernelSet]") -> "KernelSet":
    """Return the only set there is, or ask for a choice."""
    if len(kernel_sets) > 1:
        names = ", ".join(map(repr, kernel_sets))
        raise ValueError(f"kernel file {str(file)!r} holds the sets {names}; choose with --set.")
    return next(iter(kernel_sets.values()))


def kernels_of_class(kernel_sets: "dict[str, KernelSet]", cls: str) -> "KernelSet":
    """Return the kernels of one class, of whatever set."""
    from napari_colorkde.core.class_maps import kernels_and_classes
    from napari_colorkde.core.kernels import KernelSet

    members, classes = kernels_and_classes(kernel_sets)
    found = [kernel for kernel, its_class in zip(members, classes, strict=True) if its_class == cls]
    if not found:
        known = ", ".join(map(repr, dict.fromkeys(classes)))
        raise ValueError(f"class: no kernel has the class {cls!r}; use one of {known}.")
    return KernelSet(found, cls)


def judge(
    picture: Picture, kernel_sets: "dict[str, KernelSet]", show: str, **options: Any
) -> "NDArray[Any]":
    """Posterior, ratio or class of each pixel: see `classify_image`."""
    from napari_colorkde.core.class_maps import Judged, classify_image

    title = {"posterior": "Posterior", "ratio": "Likelihood ratio"}.get(show, "Class")
    with step(f"{title} of each pixel"):
        return classify_image(
            picture.pixels,
            kernel_sets,
            show=cast(Judged, show),
            mask=picture.mask,
            channel_axis=picture.channel_axis,
            **options,
        )


def kde_volume(
    palette: "Palette",
    bandwidth: Any,
    *,
    bins: int,
    extent: list[list[float]],
    space: str,
    sampling: str,
    device: str,
) -> Any:
    """The color KDE on a grid: a `DensityVolume`. No extent means the default one."""
    from napari_colorkde.core.kde import ColorKDE

    pairs = extent[0] if len(extent) == 1 else extent or None
    with step("Density of colors") as work:
        kde = ColorKDE(palette, bandwidth, space=space, device=device)
        grid = kde.volume(bins, pairs, sampling=cast(Literal["points", "cells"], sampling))
        size = " × ".join(map(str, grid.values.shape))
        work.outcome = (
            f"{size} points, {sigmas_text(grid.covariance)}, {grid.mass_inside:.4f} of the mass "
            f"inside, on {kde.device.name}"
        )
    return grid


def kde_density(
    picture: Picture, bandwidth: Any, *, space: str, log: bool, device: str
) -> tuple[Any, Any]:
    """The KDE of an image's own colors at each of its pixels, and the bandwidth's covariance."""
    from napari_colorkde.core.kde import ColorKDE

    palette = count(picture)
    with step("Density of each color") as work:
        kde = ColorKDE(palette, bandwidth, space=space, device=device)
        values = kde.density(log=log)
        work.outcome = f"{sigmas_text(kde.covariance)}, on {kde.device.name}"
    with step("Density of each pixel"):
        painted = palette.paint(values, picture.pixels, picture.mask, picture.channel_axis)
    return painted, kde.covariance


def mixture_density(picture: Picture, mixture: "KernelSet", *, log: bool, device: str) -> Any:
    """The density of a kernel set at each pixel; NaN at masked ones."""
    import numpy as np

    from napari_colorkde.core.mixture import compute_densities

    mask = picture.mask
    if mask is not None and mask.shape != picture.shape:
        raise ValueError(
            f"mask has shape {mask.shape}, but the image's pixels have {picture.shape}; "
            "give one value per pixel."
        )
    with step("Density of each pixel"):
        values = compute_densities(
            picture.pixels, mixture, log=log, channel_axis=picture.channel_axis, device=device
        )
        if mask is not None:
            values = np.where(mask, values, values.dtype.type(np.nan))
    return values


def fit(
    picture: Picture,
    labels: Path | None,
    number: int | str,
    names: dict[int, str],
    options: dict[str, Any],
) -> "dict[str, KernelSet]":
    """Fit a mixture to an image, or one to each label: sets by name."""
    from napari_colorkde.core.label_fits import as_class, class_of_label, palettes_of_labels
    from napari_colorkde.io.images import read_image

    if labels is None:
        return {picture.path.stem: _fit_palette(count(picture), number, options, "")}
    with step(f"Reading {labels}") as work:
        marks = read_image(labels)
        work.outcome = f"{' × '.join(map(str, marks.shape))}, {marks.dtype}"
    for label, name in names.items():
        if not (marks == label).any():
            raise ValueError(f"name: {name!r} is for label {label}, which no pixel has.")
    fitted: dict[str, KernelSet] = {}
    for label, palette in palettes_of_labels(
        picture.pixels, marks, picture.mask, picture.channel_axis
    ):
        cls = class_of_label(label, names)
        if cls in fitted:
            raise ValueError(f"name: {cls!r} is the class of two labels; give each its own.")
        title = f" to label {label}" if cls == str(label) else f" to label {label} ({cls})"
        try:
            fitted[cls] = as_class(_fit_palette(palette, number, options, title), cls)
        except ValueError as error:
            raise ValueError(f"label {label}: {error}") from None
    return fitted


def _fit_palette(
    palette: "Palette", number: int | str, options: dict[str, Any], title: str
) -> "KernelSet":
    from napari_colorkde.core.em import iterate_fit

    candidates, tried, last = options["candidates"], 0, None
    with step(f"Fitting kernels{title}") as work:
        for last in iterate_fit(palette, cast(Any, number), **options):
            tried += last.iteration == 1
            done = (tried - 1) / len(candidates) if number == "bic" else 0.0
            share = 1 / len(candidates) if number == "bic" else 1.0
            work.progress(min(done + share * last.iteration / options["max_iter"], 1.0))
        if last is None:
            raise ValueError("no mixture was fitted; give -k a number from 1.")
        work.outcome = (
            f"{len(last.kernels)} to {len(palette)} colors, {last.iteration} iterations, "
            f"log-likelihood {last.log_likelihood:.6f} nats per pixel"
        )
    if not last.converged:
        say(f"warning: EM has not converged in {last.iteration} iterations; give --max-iter more.")
    return last.kernels


def select(
    palette: "Palette", method: str, candidates: list[float] | None, device: str
) -> "BandwidthSelection":
    """Choose a bandwidth, showing progress; "auto" is the one that does not depend on pixels."""
    import numpy as np

    from napari_colorkde.core import bandwidth as bw
    from napari_colorkde.core.device import resolve_device

    place = resolve_device(device)
    if method == "auto":
        sigmas = bw.default_sigmas(palette)
        return bw.BandwidthSelection(sigmas, sigmas[np.newaxis], np.empty(0), method)
    known = cast("Method", method)
    if method in ("scott", "silverman"):
        return bw.select_bandwidth(palette, known, device=place)
    total = len(candidates) if candidates else USUAL_CANDIDATES
    tried = []
    with step("Log-likelihoods") as work:
        for selection in bw.iterate_selection(palette, known, candidates, place):
            tried.append(selection)
            work.progress(min(len(tried) / total, 1.0))
        work.outcome = f"{len(tried)} candidates"
    if caveat := tried[-1].caveat:
        say(f"warning: {caveat}")
    return tried[-1]


def sigmas_text(covariance: Any) -> str:
    """The standard deviations of a covariance: one number if all are the same."""
    sigmas = [f"{float(covariance[i, i]) ** 0.5:.4g}" for i in range(len(covariance))]
    return f"sigma {sigmas[0] if len(set(sigmas)) == 1 else ', '.join(sigmas)}"


def colors_to_check(
    picture: Picture, sigmas: list[float] | None, samples: int, points: int, seed: int
) -> "Task":
    """Draw pixels of an image, and colors to ask about: half of them pixels, half anywhere."""
    import numpy as np

    from napari_colorkde.cli.peers import Task
    from napari_colorkde.core.bandwidth import default_sigmas

    palette = count(picture)
    random = np.random.default_rng(seed)
    drawn = random.choice(
        len(palette), samples + points - points // 2, p=palette.counts / palette.n_pixels
    )
    data, pixels = np.split(palette.colors[drawn], [samples])
    low, high = palette.colors.min(axis=0), palette.colors.max(axis=0)
    anywhere = low + random.random((points // 2, palette.n_channels)) * (high - low)
    asked = np.concatenate([pixels, anywhere.astype(palette.dtype)])
    spread = _spread(sigmas, default_sigmas(palette))
    return Task(data, asked, len(pixels), spread, is_image=True)


def vectors_to_check(
    file: Path, scale: float | None, sigmas: list[float] | None, samples: int, points: int
) -> "Task":
    """The first vectors of a data set: training ones, and validation ones to ask about."""
    import numpy as np

    from napari_colorkde.cli.peers import Task
    from napari_colorkde.io.datasets import read_dataset

    if sigmas is None:
        raise ValueError("--bandwidth is missing; vectors need one, as in --bandwidth 0.2.")
    with step(f"Reading {file}") as work:
        vectors = read_dataset(file, scale=scale)
        data, asked = vectors.train[:samples], vectors.valid[:points]
        work.outcome = f"{len(data)} training and {len(asked)} validation vectors of them"
    spread = _spread(sigmas, np.empty(data.shape[1]))
    return Task(data, asked, len(asked), spread, is_image=False)


def _spread(sigmas: list[float] | None, default: Any) -> Any:
    """One sigma for each axis."""
    import numpy as np

    if sigmas is None:
        return default
    if len(sigmas) not in (1, len(default)):
        raise ValueError(
            f"bandwidth has {len(sigmas)} sigmas for {len(default)} axes; give one, or one for "
            "each."
        )
    return np.broadcast_to(np.asarray(sigmas, np.float64), len(default)).copy()
