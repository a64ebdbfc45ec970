"""One mixture per label of a label image: kernels with classes, from drawn regions."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import MASK, as_array, generator_of, seed_of
from napari_colorkde.core.checks.channels import pixel_shape
from napari_colorkde.core.colorspaces import KernelSpace, refusal_for
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.image import as_sliceable
from napari_colorkde.core.mixture.em.iterate import EMStep, FitOptions, iterate_fit
from napari_colorkde.core.mixture.em.many import fit_palettes
from napari_colorkde.core.mixture.em.start import number_or_bic
from napari_colorkde.core.mixture.em.steps import CovarianceType, checked_covariance_type
from napari_colorkde.core.mixture.kernel_checks import checked_kernel_space
from napari_colorkde.core.mixture.kernel_spaces import points_for
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.lookup import index_image
from napari_colorkde.core.palette.palette import Palette


class _Options(TypedDict):
    """How each label is fitted."""

    covariance_type: CovarianceType
    reg_covar: float | None
    random_state: int | None
    device: DeviceLike


class LabelWarning(UserWarning):
    """A label was fitted otherwise than was asked for; the others were not affected."""


DENSE_LABELS = 1 << 20
"""Span of labels up to which they are counted in a table."""


def fit_classes(
    image: ArrayLike,
    labels: ArrayLike,
    n_kernels: int | Literal["bic", "auto"],
    *,
    names: Mapping[int, str] | None = None,
    covariance_type: CovarianceType | Literal["diagonal"] = "full",
    reg_covar: float | None = None,
    random_state: int | None = None,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    space: KernelSpace | str = "rgb",
    device: DeviceLike = "auto",
    seed: int | None = None,
    n_channels: int | None = None,
) -> dict[str, KernelSet]:
    """Fit a Gaussian mixture to the colors under each label.

    Parameters
    ----------
    image
        ``(..., H, W, C)`` with 1 to 32 channels, RGBA, or gray.
    labels
        ``(..., H, W)`` whole numbers; 0 is no label.
    n_kernels, covariance_type, reg_covar
        For each label, see `fit_kernels`.
    names
        Class of a label; its number if there is none.
    random_state
        Seed of the starting kernels, the same for each label.
    mask, channel_axis, n_channels
        See `Palette.from_image`.
    space, device
        See `fit_kernels`.
    seed
        Another name for `random_state`.

    Returns
    -------
    dict
        A set for each label, in ascending order, under the name of its class; its kernels have that
        class, and weights that sum to 1, as `classify_image` expects.

    Warns
    -----
    LabelWarning
        If a label was left out because its colors cannot be fitted, or has fewer kernels than
        requested because it has fewer colors.

    Raises
    ------
    ValueError
        If the labels do not fit the image, there are none, two have the same name, or no label can
        be fitted; the message names the first.
    TypeError
        If the labels are not whole numbers.
    """
    if names is not None and not isinstance(names, Mapping):
        raise TypeError(f"names is {names!r}; give a name for each label, such as {{1: 'skin'}}.")
    random_state = seed_of(random_state, seed)
    generator_of(random_state)
    n_kernels = number_or_bic(n_kernels)
    covariance_type = checked_covariance_type(covariance_type)
    space = checked_kernel_space(space)
    found = dict(palettes_of_labels(image, labels, mask, channel_axis, space, n_channels))
    classes = [class_of_label(label, names) for label in found]
    for cls in classes:
        if classes.count(cls) > 1:
            raise ValueError(
                f"names gives {cls!r} to two labels; give each label a different name."
            )
    options: _Options = {
        "covariance_type": covariance_type,
        "reg_covar": reg_covar,
        "random_state": random_state,
        "device": device,
    }
    fitted: dict[str, KernelSet] = {}
    problems: list[str] = []
    results = _fit_each(found, n_kernels, options)
    for (label, result), cls in zip(results.items(), classes, strict=True):
        if isinstance(result, ValueError):
            problems.append(f"label {label}: {result}")
        else:
            fitted[cls] = replace(as_class(result, cls), space=space)
    if not fitted:
        raise ValueError(problems[0])
    for problem in problems:
        warnings.warn(f"{problem} The other labels were fitted.", LabelWarning, stacklevel=2)
    return fitted


def iterate_fits(
    palettes: Mapping[str, Palette], n_kernels: int | Literal["bic"], **options: Unpack[FitOptions]
) -> Iterator[tuple[str, EMStep | ValueError]]:
    """Fit a mixture to the palette of each label, yielding the label and every step of its fit.

    For callers who show progress or stop early; `fit_classes` is quicker. A label's last step is
    its result, and an error if it cannot be fitted; the message begins with the label. One of fewer
    colors than kernels has a kernel for each color. "" is no label: all there is.

    Raises
    ------
    ValueError
        As `fit_kernels`, where there is no label.
    """
    for label, palette in palettes.items():
        number = n_kernels
        if label and isinstance(number, int):
            number = min(number, len(palette))
        try:
            for step in iterate_fit(palette, number, **options):
                yield label, step
        except ValueError as error:
            if not label:
                raise
            yield label, ValueError(f"label {label}: {error}")


def _fit_each(
    palettes: Mapping[int, Palette], n_kernels: int | Literal["bic"], options: _Options
) -> dict[int, KernelSet | ValueError]:
    """Fit a mixture to each palette; one of fewer colors than kernels has a kernel a color."""
    few = {
        label: len(palette)
        for label, palette in palettes.items()
        if isinstance(n_kernels, int) and len(palette) < n_kernels
    }
    many = {label: palette for label, palette in palettes.items() if label not in few}
    results = dict(zip(many, fit_palettes(list(many.values()), n_kernels, **options), strict=True))
    for label, n_colors in few.items():
        warnings.warn(fewer_kernels(label, n_colors, n_kernels), LabelWarning, stacklevel=3)
        results[label] = fit_palettes([palettes[label]], n_colors, **options)[0]
    return {label: results[label] for label in palettes}


def fewer_kernels(label: object, n_colors: int, n_kernels: object) -> str:
    """Say that a label has fewer colors than kernels were asked for, and what it has."""
    return (
        f"label {label} has {counted(n_colors, 'color')}, so it was fitted with "
        f"{counted(n_colors, 'kernel')}, not {n_kernels}."
    )


def palettes_of_labels(
    image: ArrayLike,
    labels: ArrayLike,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    space: str = "rgb",
    n_channels: int | None = None,
) -> Iterator[tuple[int, Palette]]:
    """Yield each label and the palette of its pixels, in ascending order. The image is read twice.

    O(pixels log pixels), whatever the number of labels.

    Raises
    ------
    ValueError
        If the labels do not fit the image, there is none, or no pixel of one counts.
    TypeError
        If the labels are not whole numbers.
    """
    image = as_sliceable(image)
    marks = checked_labels(labels, pixel_shape(image.shape, channel_axis))
    refuse = refusal_for(space)
    palette = palette_of(image, mask, channel_axis, n_channels=n_channels, refuse=refuse)
    index = index_image(palette.lookup, image, mask, channel_axis)
    palette = points_for(palette, space)
    is_counted = (marks != 0) & (index >= 0)
    present, ranks = distinct_labels(marks)
    ranks, entries = ranks[is_counted], index[is_counted]
    # Label by label: small integers are sorted without comparing them.
    order = np.argsort(ranks, kind="stable")
    bounds = np.searchsorted(ranks[order], np.arange(len(present) + 1))
    for rank, label in enumerate(present.tolist()):
        if label == 0:
            continue
        members = entries[order[bounds[rank] : bounds[rank + 1]]]
        if not len(members):
            raise ValueError(
                f"label {label}: none of its pixels counts (they are masked, transparent or not "
                "finite); draw it elsewhere."
            )
        found, counts = np.unique(members, return_counts=True)
        yield label, some_of_palette(palette, found, counts)


def distinct_labels(marks: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the distinct labels, ascending, and which of them each is, in as few bytes as do."""
    low, high = int(marks.min()), int(marks.max())
    if high - low >= DENSE_LABELS:
        present, ranks = np.unique(marks, return_inverse=True)
        return present, ranks.astype(np.min_scalar_type(len(present)))
    offsets = marks if low == 0 and marks.dtype.kind == "u" else marks.astype(np.int64) - low
    present = np.flatnonzero(np.bincount(offsets.ravel(), minlength=high - low + 1))
    table = np.zeros(high - low + 1, np.min_scalar_type(len(present)))
    table[present] = np.arange(len(present))
    return present + low, table[offsets]


def some_of_palette(
    palette: Palette, entries: NDArray[np.int64], counts: NDArray[np.int64]
) -> Palette:
    """Return the palette of some entries, ascending, with these counts in place of its own."""
    return replace(
        palette,
        colors=palette.colors[entries],
        counts=counts,
        n_masked=palette.n_masked + palette.n_pixels - int(counts.sum()),
    )


def class_of_label(label: int, names: Mapping[int, str] | None = None) -> str:
    """Return the class that a label stands for: its name, or its number."""
    return (names or {}).get(label, str(label))


def as_class(kernels: KernelSet, cls: str) -> KernelSet:
    """Return the set under this name, all its kernels of this class."""
    return replace(kernels, kernels=tuple(replace(k, cls=cls) for k in kernels), name=cls)


def checked_labels(labels: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Refuse what are no labels for pixels of this shape; see `palettes_of_labels`."""
    marks = as_array(labels, "labels", MASK)
    if marks.dtype == np.bool_:
        marks = marks.view(np.uint8)
    if marks.dtype.kind not in "iu":
        raise TypeError(f"labels is an array of {marks.dtype}; give whole numbers, 0 for no label.")
    if marks.shape != tuple(shape):
        raise ValueError(
            f"labels has shape {marks.shape}, but the image's pixels have {tuple(shape)}; "
            "give one label per pixel."
        )
    if not marks.any():
        raise ValueError("labels are all 0; label some pixels.")
    return marks
