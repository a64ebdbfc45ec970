"""Images judged by kernels that have classes: posteriors, likelihood ratios, class maps.

Everything is computed once per distinct color, in float64, and painted back. The decisions on
log-densities themselves are in `napari_colorkde.core.classification.bayes`.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice, fraction, real_number
from napari_colorkde.core.classification.bayes import (
    log_likelihood_ratio,
    log_mixture_of_classes,
    most_likely_class,
    posterior,
    reject_outliers,
)
from napari_colorkde.core.colorspaces import refusal_for
from napari_colorkde.core.device import Device
from napari_colorkde.core.mixture.density import mixture_log_density
from napari_colorkde.core.mixture.kernel_spaces import (
    UnitsWatch,
    image_dtype_of,
    kernels_for,
    points_for,
    refuse_other_channels,
)
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]
ClassKernels = KernelSet | Mapping[str, KernelSet] | Iterable[Kernel]
ClassOutput = Literal["posterior", "ratio", "class"]
CLASS_OUTPUTS: tuple[ClassOutput, ...] = get_args(ClassOutput)
DeviceLike = str | torch.device | Device

BLOCK_DENSITIES = 1 << 22
"""Classes times colors judged in one go: 32 MB of log-densities."""

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
    space: str | None = None,
    device: DeviceLike = "auto",
    none_below: float | None = None,
) -> NDArray[Any]:
    """Judge every pixel of an image by the classes of kernels.

    Parameters
    ----------
    image
        ``(..., H, W, C)`` with the channels of the kernels in their order, RGBA, or gray; or a
        `Palette`, for its colors.
    kernels
        A `KernelSet`, or several by name as `load_kernels` gives them. A kernel without a class has
        the name of its set for one.
    show
        "posterior": P(cls | color). "ratio": log p(color | cls) − log p(color | against), in nats,
        which priors do not change: their ratio is its threshold. "class": the most likely class of
        all, counted from 1 in the order of `class_names`.
    cls
        Class of the posterior or the ratio; None takes the first.
    against
        The other class of the ratio; None is right where there are two classes.
    priors
        P(class) by name. Classes that are not named share what is left of 1 equally; where all are
        named, only the ratios matter. None gives all classes the same.
    keep_mass
        For "class": probability mass in (0, 1]. A pixel is of no class where its density,
        Σ P(c) p(color | c), is below the level that the densest pixels reach which are this
        fraction of the image.
    mask
        ``(..., H, W)``; a pixel counts where it is non-zero.
    channel_axis
        Axis of the channels; None if there is none.
    space
        Color space of the kernels' densities, see `compute_densities`.
    device
        Where to compute; float64, so on the host where a device has none.
    none_below
        Former name of `keep_mass`.

    Returns
    -------
    ndarray
        The image's shape without channels, ``(U,)`` of a palette. Posteriors and ratios are
        float32, NaN where a pixel does not count. Classes are unsigned integers, 0 where a pixel
        does not count or is of no class, so that napari shows them as a Labels layer. Of a dask
        image a dask array, equal to the last bit: the image is read once to count its colors, and
        painted block by block when the result is computed.

    Raises
    ------
    ValueError
        If the channels do not fit, there are too few classes, or an argument is not known or out of
        range.

    Notes
    -----
    p(color | c) is the mixture of the kernels of class c with their weights divided by their sum:
    a density, so that how much was picked or fitted for a class is not its prior. Where all weights
    of a class are 0 it is 0. If that leaves no class with a prior, posteriors are 0 and pixels of
    no class; the ratio of two such classes is 0.
    O(pixels + colors · K). Images of very many colors are binned, see `Palette.from_image`.
    """
    members, _ = kernels_and_classes(kernels)
    refuse = refusal_for(members.space if space is None else space)
    palette = palette_of(image, mask, channel_axis, refuse=refuse)
    units = UnitsWatch(members)
    units.look(palette.colors)
    units.warn(stacklevel=2)
    values = classify_palette(
        palette,
        kernels_in(kernels, space, image_dtype_of(palette)),
        show=show,
        cls=cls,
        against=against,
        priors=priors,
        keep_mass=_keep_mass(keep_mass, none_below),
        device=device,
    )
    if isinstance(image, Palette):
        return values
    nothing = 0 if values.dtype.kind == "u" else np.nan
    return palette.paint_lazily(values, nothing, image, mask, channel_axis)


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
    """Judge the colors of a palette, (U,): see `classify_image`."""
    show = choice(show, "show", CLASS_OUTPUTS)
    keep_mass = _keep_mass(keep_mass, none_below)
    if keep_mass is not None and show != "class":
        raise ValueError(f"keep_mass={keep_mass} is for show='class', not {show!r}; leave it out.")
    names = class_names(kernels)
    logs = class_log_densities(palette, kernels, device)
    prior = prior_of_classes(names, priors)
    if show == "ratio":
        first, second = ratio_classes(names, cls, against)
        ratios = [log_likelihood_ratio(block[first], block[second]) for block in logs]
        return np.concatenate(ratios, dtype=np.float32, casting="same_kind")
    if show == "posterior":
        of = _position(names, names[0] if cls is None else cls, "cls")
        if len(names) < 2:
            raise ValueError(
                f"kernels have the one class {names[0]!r}; a posterior needs two classes or more."
            )
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


def class_names(kernels: ClassKernels) -> tuple[str, ...]:
    """Return the distinct classes, in order of first appearance.

    Parameters
    ----------
    kernels
        As in `classify_image`.
    """
    return tuple(dict.fromkeys(kernels_and_classes(kernels)[1]))


def kernels_and_classes(kernels: ClassKernels) -> tuple[KernelSet, tuple[str, ...]]:
    """Return all kernels in one set, and the class of each: its own, or else the name of its set.

    Raises
    ------
    ValueError
        If there is no kernel, or sets have different channels, or spaces.
    """
    if isinstance(kernels, Mapping):
        pairs = list(kernels.items())
        for name, each in pairs:
            if not isinstance(each, KernelSet):
                raise TypeError(
                    f"kernels[{name!r}] is a {type(each).__name__}; give a KernelSet for each name."
                )
    else:
        single = kernels if isinstance(kernels, KernelSet) else KernelSet(kernels)
        pairs = [(single.name, single)]
    members = [kernel for _, kernel_set in pairs for kernel in kernel_set]
    classes = tuple(kernel.cls or name for name, kernel_set in pairs for kernel in kernel_set)
    if not members:
        raise ValueError("kernels is empty; classes need at least one kernel.")
    spaces = list(dict.fromkeys(kernel_set.space for _, kernel_set in pairs if len(kernel_set)))
    if len(spaces) > 1:
        raise ValueError(
            f"kernels lie in the spaces {', '.join(spaces)}; give sets of one space, such as "
            "KernelSet.to_space makes."
        )
    return KernelSet(members, space=spaces[0]), classes


def kernels_in(
    kernels: ClassKernels, space: str | None, image_dtype: "np.dtype[Any]"
) -> ClassKernels:
    """Return kernels, or sets of them, in this space; None: as they are, see `kernels_for`."""
    if space is None:
        return kernels
    if isinstance(kernels, Mapping):
        return {name: kernels_for(each, space, image_dtype) for name, each in kernels.items()}
    single = kernels if isinstance(kernels, KernelSet) else KernelSet(kernels)
    return kernels_for(single, space, image_dtype)


def log_class_weights(kernels: KernelSet, members: Sequence[int]) -> Array:
    """Return the log of the sum of weights of each class, (M,); 0 where all are 0.

    Parameters
    ----------
    members
        (K,) class of each kernel, counted from 0 without gaps.
    """
    sums = np.bincount(np.asarray(members), weights=kernels.weights)
    return np.log(np.where(sums > 0, sums, 1.0))


def prior_of_classes(names: Sequence[str], priors: Mapping[str, float] | None) -> Array:
    """Return P(class) for each name, (M,), summing to 1; see `classify_image`.

    Raises
    ------
    ValueError
        If a class is not known, or the numbers leave nothing for the others.
    """
    if priors is not None and not isinstance(priors, Mapping):
        raise TypeError(f"priors is {priors!r}; give probabilities by class, {{'skin': 0.2}}.")
    given = {} if priors is None else dict(priors)
    for name, prior in given.items():
        _position(names, name, "priors")
        number = real_number(prior, f"priors[{name!r}]", "a number of 0 or more")
        if not 0 <= number < np.inf:
            raise ValueError(f"priors has {prior} for {name!r}; give a number of 0 or more.")
    others = [name for name in names if name not in given]
    total = float(sum(given.values()))
    if others and total > 1:
        raise ValueError(
            f"priors sum to {total:g}, which leaves nothing for {', '.join(map(repr, others))}; "
            "give a sum below 1, or a prior for each class."
        )
    if not others and total == 0:
        raise ValueError("priors are all 0; give at least one class a number above 0.")
    rest = (1 - total) / len(others) if others else 0.0
    values = np.array([float(given.get(name, rest)) for name in names])
    return np.asarray(values / values.sum())


def ratio_classes(names: Sequence[str], cls: str | None, against: str | None) -> tuple[int, int]:
    """Return the positions of the two classes of a ratio; see `classify_image`.

    Raises
    ------
    ValueError
        If there is one class only, one is not known, both are the same, or the other is not told.
    """
    if len(names) < 2:
        raise ValueError(f"kernels have the one class {names[0]!r}; a ratio needs two classes.")
    first = 0 if cls is None else _position(names, cls, "cls")
    if against is None:
        if len(names) > 2:
            listed = ", ".join(map(repr, names))
            raise ValueError(f"against is not given, but there are the classes {listed}; name one.")
        return first, 1 - first
    second = _position(names, against, "against")
    if first == second:
        raise ValueError(f"against={against!r} is the class itself; name another one.")
    return first, second


def _position(names: Sequence[str], name: str, argument: str) -> int:
    if name not in names:
        listed = ", ".join(map(repr, names))
        raise ValueError(f"{argument}: no kernel has the class {name!r}; use one of {listed}.")
    return list(names).index(name)


def _keep_mass(keep_mass: float | None, none_below: float | None) -> float | None:
    """Return the one that is given, under its name of today or its former one."""
    if none_below is None:
        return keep_mass if keep_mass is None else fraction(keep_mass, "keep_mass", one=True)
    if keep_mass is not None:
        raise TypeError("keep_mass was given twice, also as none_below; give it once.")
    warnings.warn("none_below is now called keep_mass.", DeprecationWarning, stacklevel=3)
    return fraction(none_below, "none_below", one=True)
