"""Measurements of regions: pixels per class, mean colors, certainty."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.channels import RGBA_CHANNELS, beyond_rgb
from napari_colorkde.core.classification.classes import (
    ClassKernels,
    kernels_and_classes,
)
from napari_colorkde.core.classification.classify_colors import ClassifiedColors, classify_colors
from napari_colorkde.core.classification.lazy_regions import RegionCounts, count_regions
from napari_colorkde.core.classification.regions import Region
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.core.palette.lookup.color_lookup import index_image
from napari_colorkde.core.palette.palette import Palette


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """The pixels of a class in a region.

    Attributes
    ----------
    region, cls
        Names; "" where there are no regions, or no classes. `NONE` is of no class.
    pixels
        How many there are.
    fraction
        Part of the region's pixels that count; NaN where none do.
    mean_color
        (C,) in the image's units; NaN where there is no pixel.
    mean_log_likelihood
        Mean of log Σ P(c) p(color | c), nats per pixel; NaN without classes.
    entropy
        Mean entropy of the posteriors, nats: 0 where all is certain, at most log of the number of
        classes; NaN without classes.
    n_masked, n_transparent, n_not_finite
        Pixels of the region that do not count, whatever their class.
    """

    region: str
    cls: str
    pixels: int
    fraction: float
    mean_color: NDArray[np.float64]
    mean_log_likelihood: float
    entropy: float
    n_masked: int
    n_transparent: int
    n_not_finite: int


def measure_regions(
    image: ArrayLike,
    regions: Iterable[Region] | None = None,
    kernels: ClassKernels | None = None,
    *,
    priors: Mapping[str, float] | None = None,
    keep_mass: float | None = None,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    device: DeviceLike = "auto",
    n_channels: int | None = None,
) -> list[Measurement]:
    """Measure each class in each region of an image.

    Parameters
    ----------
    image, kernels, priors, keep_mass, mask, channel_axis, device
        As in `classify_image`; without kernels a region's pixels are measured together.
    n_channels
        See `Palette.from_image`; with kernels it is theirs.
    regions
        Parts of the image, which may overlap; None measures the whole.

    Returns
    -------
    list of Measurement
        Region by region: its classes in the order of `class_names`, then `NONE`.

    Raises
    ------
    ValueError
        As from `classify_image`.

    Notes
    -----
    O(colors · K + pixels). Colors are classified once, all together.
    """
    n_wanted = n_channels
    if kernels is not None:
        n_wanted = beyond_rgb(kernels_and_classes(kernels)[0].n_channels)
    palette = Palette.from_image(image, mask, channel_axis, n_channels=n_wanted)
    classified = classify_colors(
        palette, kernels, priors=priors, keep_mass=keep_mass, device=device
    )
    if regions is None:
        return measure_palette(classified)
    why = partial(_reasons, may_have_alpha=palette.n_channels < RGBA_CHANNELS)
    if is_dask(image):
        known = [(region.name, RegionCounts(region.box, region.inside)) for region in regions]
        count_regions([r for _, r in known], palette, image, mask, channel_axis, why)
        return [
            measurement
            for name, region in known
            for measurement in _measured(name, *region.counted(), region.left_out, classified)
        ]
    index = index_image(palette.lookup, image, mask, channel_axis)
    reasons = why(image, mask, channel_axis, index)
    found = []
    for region in regions:
        entries = index[region.box][region.inside]
        left_out = {
            name: int(np.count_nonzero(where[region.box][region.inside]))
            for name, where in reasons.items()
        }
        found += measure_entries(classified, region.name, entries, left_out)
    return found


def measure_palette(classified: ClassifiedColors) -> list[Measurement]:
    """Measure each class in the whole image that a palette was counted in. O(U)."""
    palette = classified.palette
    left_out = {
        "n_masked": palette.n_masked,
        "n_transparent": palette.n_transparent,
        "n_not_finite": palette.n_not_finite,
    }
    every = np.arange(len(palette))
    return list(_measured("", every, palette.counts, left_out, classified))


def measure_entries(
    classified: ClassifiedColors,
    name: str,
    entries: NDArray[np.integer[Any]],
    left_out: Mapping[str, int],
) -> list[Measurement]:
    """Measure each class in a region.

    Parameters
    ----------
    classified
        The image's colors.
    name
        Of the region.
    entries
        ``(n,)`` the palette's entry of each of its pixels, negative where it does not count.
    left_out
        Numbers of pixels that do not count, by the names in `Measurement`.

    Notes
    -----
    O(n log n).
    """
    codes, counts = np.unique(entries[entries >= 0], return_counts=True)
    return list(_measured(name, codes, counts, left_out, classified))


def _measured(
    region: str,
    entries: NDArray[np.integer[Any]],
    counts: NDArray[np.int64],
    left_out: Mapping[str, int],
    classified: ClassifiedColors,
) -> Iterator[Measurement]:
    """Measure pixels of which `counts` have the color of each of these different entries."""
    classes, n_classes = classified.classes[entries], len(classified.names)
    n = np.bincount(classes, weights=counts, minlength=n_classes)

    def means(values: NDArray[Any]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            weights = values[entries] * counts
            return np.asarray(np.bincount(classes, weights, minlength=n_classes) / n)

    channels = classified.palette.colors.T.astype(np.float64)
    colors = np.stack([means(channel) for channel in channels], axis=-1)
    likelihood, entropy = means(classified.log_likelihood), means(classified.entropy)
    total = int(counts.sum())
    for i, name in enumerate(classified.names):
        yield Measurement(
            region,
            name,
            int(n[i]),
            float(n[i] / total) if total else float("nan"),
            colors[i],
            float(likelihood[i]),
            float(entropy[i]),
            **left_out,
        )


def _reasons(
    image: ArrayLike,
    mask: ArrayLike | None,
    channel_axis: int | None,
    index: NDArray[Any],
    *,
    may_have_alpha: bool = True,
) -> dict[str, NDArray[np.bool_]]:
    """Say where pixels do not count, and why: masked, else transparent, else not finite."""
    array: Any = image
    excluded = index < 0
    masked = np.zeros(index.shape, np.bool_)
    if mask is not None:
        masked |= np.asarray(mask) == 0
    has_channels = channel_axis is not None and np.ndim(array) > 2
    if np.ma.isMaskedArray(array):
        hidden = np.ma.getmaskarray(array)
        masked |= hidden.any(axis=channel_axis) if has_channels else hidden
    transparent = np.zeros(index.shape, np.bool_)
    if may_have_alpha and has_channels and np.shape(array)[channel_axis or 0] == RGBA_CHANNELS:
        transparent = np.asarray(np.take(array, 3, axis=channel_axis)) == 0
    masked &= excluded
    transparent &= excluded & ~masked
    return {
        "n_masked": masked,
        "n_transparent": transparent,
        "n_not_finite": excluded & ~masked & ~transparent,
    }
