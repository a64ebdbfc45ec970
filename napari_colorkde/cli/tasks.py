"""What the commands do, step by step: read, count, compute. Each step says what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from napari_colorkde.cli.console import report, step

if TYPE_CHECKING:
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


def read(path: Path, mask: Path | None, channel_axis: int | None) -> Picture:
    """Read an image and, if one is given, its mask."""
    from napari_colorkde.io.images import read_image, read_mask

    with step(f"Reading {path}") as work:
        pixels = read_image(path)
        marked = None if mask is None else read_mask(mask)
        work.outcome = f"{' × '.join(map(str, pixels.shape))}, {pixels.dtype}"
    return Picture(path, pixels, marked, channel_axis)


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


def choose_set(file: Path, name: str | None) -> "KernelSet":
    """Load one set of a kernel file: the only one, or the one of that name."""
    from napari_colorkde.io.kernel_files import load_kernels, summarize_kernels

    kernel_sets = load_kernels(file)
    names = ", ".join(repr(known) for known in kernel_sets)
    if name is None and len(kernel_sets) > 1:
        raise ValueError(f"kernel file {str(file)!r} holds the sets {names}; choose with --set.")
    chosen = next(iter(kernel_sets)) if name is None else name
    if chosen not in kernel_sets:
        raise ValueError(f"kernel file {str(file)!r} has no set {chosen!r}; it holds {names}.")
    report(f"Kernels of {summarize_kernels({chosen: kernel_sets[chosen]})[0]}")
    return kernel_sets[chosen]


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
    return tried[-1]


def sigmas_text(covariance: Any) -> str:
    """The standard deviations of a covariance: one number if all are the same."""
    sigmas = [f"{float(covariance[i, i]) ** 0.5:.4g}" for i in range(len(covariance))]
    return f"sigma {sigmas[0] if len(set(sigmas)) == 1 else ', '.join(sigmas)}"
