"""Images classified by kernels with classes: posteriors, likelihood ratios, class maps.

Everything is computed once per distinct color, in float64, and painted back. The decisions on
log-densities themselves are in `napari_colorkde.core.classification.bayes`.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice, fraction
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS, beyond_rgb
from napari_colorkde.core.classification.bayes import (
    log_likelihood_ratio,
    log_mixture_of_classes,
    most_likely_class,
    posterior,
    reject_outliers,
)
from napari_colorkde.core.classification.classes import (
    ClassKernels,
    class_names,
    class_position,
    kernels_and_classes,
    kernels_in,
    log_class_weights,
    numbers_of_classes,
    prior_of_classes,
    ratio_classes,
    refuse_single_class,
)
from napari_colorkde.core.classification.pixel_by_pixel import pixel_by_pixel
from napari_colorkde.core.colorspaces import KernelSpace, refusal_for
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.kernel_spaces import (
    UnitsWatch,
    image_dtype_of,
    points_for,
    refuse_other_channels,
)
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]
ClassOutput = Literal["posterior", "ratio", "class"]
CLASS_OUTPUTS: tuple[ClassOutput, ...] = get_args(ClassOutput)

BLOCK_DENSITIES = 1 << 22
"""Classes times colors classified in one go: 32 MB of log-densities."""

MIN_COLORS = 1 << 12
"""Colors in one go, however many classes there are: preparing a class takes as long as these."""


class ClassOptions(TypedDict, total=False):
    """What is asked of classes: see `classify_image`."""

    cls: str | None
    against: str | None
    priors: Mapping[str, float] | None
    keep_mass: float | None
    device: DeviceLike


def classify_image(
    image: Palette | ArrayLike,
    kernels: ClassKernels,
    *,
    show: ClassOutput = "class",
    cls: str | None = None,
    against: str | None = None,
    priors: Mapping[str, float] | None = None,
    keep_mass: float | None = None,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    space: KernelSpace | str | None = None,
    device: DeviceLike = "auto",
    numbers: Mapping[str, int] | Literal["names"] | None = None,
    none_below: float | None = None,
) -> NDArray[Any]:
    """Classify every pixel of an image by the classes of kernels.

    Parameters
    ----------
    image
        ``(..., H, W, C)`` with the channels of the kernels in their order, RGBA, or gray; or a
        `Palette`, for its colors.
    kernels
        A `KernelSet`, or several by name as `load_kernels` gives them. A kernel without a class
        takes the name of its set.
    show
        "posterior": P(cls | color). "ratio": log p(color | cls) − log p(color | against), in nats,
        which does not depend on the priors: their ratio is its threshold. "class": the most likely
        class, counted from 1 in the order of `class_names`.
    cls
        Class of the posterior or the ratio; None takes the first.
    against
        The other class of the ratio; None if there are only two classes.
    priors
        P(class) by name. Classes that are not named share the rest of 1 equally; if all are named,
        only their ratios matter. None gives all classes the same prior.
    keep_mass
        For "class": probability mass in (0, 1]. A pixel is left unclassified (outlier rejection) if
        its density, Σ P(c) p(color | c), is below the level that the densest pixels, this fraction
        of the image, reach.
    mask
        ``(..., H, W)``; a pixel counts where it is nonzero.
    channel_axis
        Axis of the channels; None if there is none.
    space
        Color space of the kernels' densities, see `compute_densities`.
    device
        Where to compute; float64, so on the host where a device has none.
    numbers
        For "class": the number that each class has in the result, by name. "names": the numbers
        that are the classes' names, as `fit_classes` takes them from labels. None: their order.
    none_below
        Former name of `keep_mass`.

    Returns
    -------
    ndarray
        The image's shape without channels, ``(U,)`` of a palette. Posteriors and ratios are
        float32, NaN where a pixel does not count. Classes are unsigned integers (int64 with
        `numbers`), 0 where a pixel does not count or is unclassified, so that napari shows them as
        a Labels layer. For a dask image, a dask array, equal to the last bit: the image is read
        once to count its colors, and painted block by block when the result is computed.

    Raises
    ------
    ValueError
        If the channels do not fit, there are too few classes, or an argument is not known or out of
        range.

    Notes
    -----
    p(color | c) is the mixture of the kernels of class c with their weights divided by their sum: a
    density, so how much was picked or fitted for a class is not its prior. If all weights of a
    class are 0, it is 0. If that leaves no class with a prior, posteriors are 0 and pixels are
    unclassified; the ratio of two such classes is 0. O(pixels + colors · K); dtypes are those of
    `ColorKDE`. Images of very many colors are binned, see `Palette.from_image`. Images of more than
    three channels are classified pixel by pixel instead, in bounded memory, unless `keep_mass`
    needs all colors; a dask image is then not read in advance.
    """
    keep_mass = _keep_mass(keep_mass, none_below, show)
    own_numbers = numbers_of_classes(class_names(kernels), numbers)
    if own_numbers is not None and show != "class":
        raise ValueError(f"numbers is for show='class', not {show!r}; leave it out.")

    def evaluate(palette: Palette, kernels: ClassKernels = kernels) -> NDArray[Any]:
        values = classify_palette(
            palette,
            kernels,
            show=show,
            cls=cls,
            against=against,
            priors=priors,
            keep_mass=keep_mass,
            device=device,
        )
        return values if own_numbers is None else own_numbers[values]

    everything, _ = kernels_and_classes(kernels)
    if not isinstance(image, Palette) and keep_mass is None and goes_by_pixels(everything, space):
        none = 0 if show == "class" else np.nan
        return pixel_by_pixel(evaluate, image, everything, mask, channel_axis, none)
    palette, members = palette_and_kernels(image, kernels, mask, channel_axis, space)
    values = evaluate(palette, members)
    if isinstance(image, Palette):
        return values
    nothing = 0 if values.dtype.kind in "iu" else np.nan
    return palette.paint_lazily(values, nothing, image, mask, channel_axis)


def goes_by_pixels(kernels: KernelSet, space: str | None) -> bool:
    """Whether an image is classified pixel by pixel: of more than three channels, in its own."""
    return kernels.n_channels > MAX_GRID_CHANNELS and space in (None, kernels.space)


def palette_and_kernels(
    image: Palette | ArrayLike,
    kernels: ClassKernels,
    mask: ArrayLike | None,
    channel_axis: int | None,
    space: str | None,
) -> tuple[Palette, ClassKernels]:
    """Return an image's colors, and kernels in the space asked for; warnings are the caller's."""
    members, _ = kernels_and_classes(kernels)
    refuse = refusal_for(members.space if space is None else space)
    n_wanted = beyond_rgb(members.n_channels)
    palette = palette_of(image, mask, channel_axis, n_channels=n_wanted, refuse=refuse)
    units = UnitsWatch(members)
    units.look(palette.colors)
    units.warn(stacklevel=3)
    return palette, kernels_in(kernels, space, image_dtype_of(palette))


def classify_palette(
    palette: Palette,
    kernels: ClassKernels,
    *,
    show: ClassOutput = "class",
    cls: str | None = None,
    against: str | None = None,
    priors: Mapping[str, float] | None = None,
    keep_mass: float | None = None,
    device: DeviceLike = "auto",
    none_below: float | None = None,
) -> NDArray[Any]:
    """Classify the colors of a palette, (U,): see `classify_image`."""
    show = choice(show, "show", CLASS_OUTPUTS)
    keep_mass = _keep_mass(keep_mass, none_below, show)
    names = class_names(kernels)
    logs = class_log_densities(palette, kernels, device)
    prior = prior_of_classes(names, priors)
    if show == "ratio":
        first, second = ratio_classes(names, cls, against)
        ratios = [log_likelihood_ratio(block[first], block[second]) for block in logs]
        return np.concatenate(ratios, dtype=np.float32, casting="same_kind")
    if show == "posterior":
        of = class_position(names, names[0] if cls is None else cls, "cls")
        refuse_single_class(names, show)
        posteriors = [posterior(block, of, prior) for block in logs]
        return np.concatenate(posteriors, dtype=np.float32, casting="same_kind")
    best = np.empty(len(palette), np.intp)
    total = np.empty(len(palette))
    start = 0
    for block in logs:
        part = slice(start, start + block.shape[1])
        best[part] = most_likely_class(block, prior)
        if keep_mass is not None:
            total[part] = log_mixture_of_classes(block, prior)
        start = part.stop
    if keep_mass is not None:
        best = reject_outliers(best, total, palette.counts, keep_mass)
    return (best + 1).astype(np.min_scalar_type(len(names)))


def _log_densities_in_blocks(
    palette: Palette, members: KernelSet, classes: Sequence[str], device: DeviceLike
) -> Iterator[Array]:
    """Yield the log-density of each class, (M, n), for so many colors at a time as fit."""
    names = tuple(dict.fromkeys(classes))
    sets = [KernelSet([k for k, c in zip(members, classes, strict=True) if c == n]) for n in names]
    scales = log_class_weights(members, [names.index(c) for c in classes])[:, np.newaxis]
    size = max(MIN_COLORS, BLOCK_DENSITIES // len(names))
    for start in range(0, len(palette), size):
        colors = palette.colors[start : start + size]
        yield np.stack([mixture_log_density(colors, each, device=device) for each in sets]) - scales


def class_log_densities(
    palette: Palette, kernels: ClassKernels, device: DeviceLike = "auto"
) -> Iterator[Array]:
    """Yield the log-density of each class at the colors of a palette, (M, n), part by part.

    Raises
    ------
    ValueError
        If the channels do not fit, or there is no kernel.
    """
    members, classes = kernels_and_classes(kernels)
    refuse_other_channels(palette, members)
    points = points_for(palette, members.space)
    return _log_densities_in_blocks(points, members, classes, device)


def _keep_mass(keep_mass: float | None, none_below: float | None, show: str) -> float | None:
    """Return the one that is given, under its name of today or its former one."""
    name, given = "keep_mass", keep_mass
    if none_below is not None:
        if keep_mass is not None:
            raise TypeError(
                "keep_mass was given along with none_below, its former name; give only keep_mass."
            )
        warnings.warn("none_below is now called keep_mass.", DeprecationWarning, stacklevel=3)
        name, given = "none_below", none_below
    if given is None:
        return None
    mass = fraction(given, name, one=True)
    if show != "class":
        raise ValueError(f"{name}={given} is for show='class', not {show!r}; leave it out.")
    return mass
