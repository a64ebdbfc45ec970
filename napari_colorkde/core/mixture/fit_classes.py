"""One mixture per label of a label image: kernels with classes, from drawn regions."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypedDict, Unpack, overload

from numpy.typing import ArrayLike

from napari_colorkde.core.checks.arguments import generator_of, seed_of
from napari_colorkde.core.checks.options import flag
from napari_colorkde.core.colorspaces import KernelSpace
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.mixture.em.iterate import EMStep, FitOptions, iterate_fit
from napari_colorkde.core.mixture.em.many import fit_palettes
from napari_colorkde.core.mixture.em.start import number_or_bic
from napari_colorkde.core.mixture.em.steps import CovarianceType, checked_covariance_type
from napari_colorkde.core.mixture.fit_kernels import FitReport, report_of
from napari_colorkde.core.mixture.kernel_checks import checked_kernel_space
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.mixture.label_palettes import palettes_of_labels
from napari_colorkde.core.number_text import counted
from napari_colorkde.core.palette.palette import Palette


class _Options(TypedDict):
    """How each label is fitted."""

    covariance_type: CovarianceType
    reg_covar: float | None
    random_state: int | None
    device: DeviceLike


class LabelWarning(UserWarning):
    """A label was fitted otherwise than was asked for; the others were not affected."""


@overload
def fit_classes(
    image: ArrayLike,
    labels: ArrayLike,
    n_kernels: int | Literal["bic", "auto"],
    *,
    names: Mapping[int, str] | None = ...,
    covariance_type: CovarianceType | Literal["diagonal"] = ...,
    reg_covar: float | None = ...,
    random_state: int | None = ...,
    mask: ArrayLike | None = ...,
    channel_axis: int | None = ...,
    space: KernelSpace | str = ...,
    device: DeviceLike = ...,
    seed: int | None = ...,
    n_channels: int | None = ...,
    return_report: Literal[False] = ...,
) -> dict[str, KernelSet]: ...


@overload
def fit_classes(
    image: ArrayLike,
    labels: ArrayLike,
    n_kernels: int | Literal["bic", "auto"],
    *,
    names: Mapping[int, str] | None = ...,
    covariance_type: CovarianceType | Literal["diagonal"] = ...,
    reg_covar: float | None = ...,
    random_state: int | None = ...,
    mask: ArrayLike | None = ...,
    channel_axis: int | None = ...,
    space: KernelSpace | str = ...,
    device: DeviceLike = ...,
    seed: int | None = ...,
    n_channels: int | None = ...,
    return_report: Literal[True],
) -> tuple[dict[str, KernelSet], dict[str, FitReport]]: ...


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
    return_report: bool = False,
) -> dict[str, KernelSet] | tuple[dict[str, KernelSet], dict[str, FitReport]]:
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
    return_report
        Return how each fit went, too. Labels are then fitted one after the other, which takes
        longer for many small ones.

    Returns
    -------
    dict
        A set for each label, in ascending order, under the name of its class; its kernels have that
        class, and weights that sum to 1, as `classify_image` expects.
    dict of FitReport
        How each fit went, under the same names, with `return_report`.

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

    Notes
    -----
    The image's dtypes are those of `ColorKDE`. O(pixels log pixels) for the labels, then the time
    of `fit_kernels` for the distinct colors of each.
    """
    if names is not None and not isinstance(names, Mapping):
        raise TypeError(f"names is {names!r}; give a name for each label, such as {{1: 'skin'}}.")
    random_state = seed_of(random_state, seed)
    generator_of(random_state)
    n_kernels = number_or_bic(n_kernels)
    covariance_type = checked_covariance_type(covariance_type)
    space = checked_kernel_space(space)
    return_report = flag(return_report, "return_report")
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
    reports: dict[str, FitReport] = {}
    results = _fit_each(found, n_kernels, options, stepwise=return_report)
    for (label, result), cls in zip(results.items(), classes, strict=True):
        if isinstance(result, ValueError):
            problems.append(f"label {label}: {result}")
        elif isinstance(result, EMStep):
            fitted[cls] = replace(as_class(result.kernels, cls), space=space)
            reports[cls] = report_of(found[label], result, covariance_type, device)
        else:
            fitted[cls] = replace(as_class(result, cls), space=space)
    if not fitted:
        raise ValueError(problems[0])
    for problem in problems:
        warnings.warn(f"{problem} The other labels were fitted.", LabelWarning, stacklevel=2)
    return (fitted, reports) if return_report else fitted


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
    palettes: Mapping[int, Palette],
    n_kernels: int | Literal["bic"],
    options: _Options,
    *,
    stepwise: bool,
) -> dict[int, KernelSet | EMStep | ValueError]:
    """Fit a mixture to each palette; one of fewer colors than kernels has a kernel a color.

    With `stepwise` a result is the last step of its fit, which says how it went.
    """
    few = {
        label: len(palette)
        for label, palette in palettes.items()
        if isinstance(n_kernels, int) and len(palette) < n_kernels
    }
    many = {label: palette for label, palette in palettes.items() if label not in few}
    fit = _last_steps if stepwise else fit_palettes
    results: dict[int, KernelSet | EMStep | ValueError] = {}
    results.update(zip(many, fit(list(many.values()), n_kernels, **options), strict=True))
    for label, n_colors in few.items():
        warnings.warn(fewer_kernels(label, n_colors, n_kernels), LabelWarning, stacklevel=3)
        results[label] = fit([palettes[label]], n_colors, **options)[0]
    return {label: results[label] for label in palettes}


def _last_steps(
    palettes: Sequence[Palette], n_kernels: int | Literal["bic"], **options: Unpack[_Options]
) -> list[EMStep | ValueError]:
    """Fit a mixture to each palette, one after the other: the last step, or why there is none."""
    results: list[EMStep | ValueError] = []
    for palette in palettes:
        try:
            *_, last = iterate_fit(palette, n_kernels, **options)
            results.append(last)
        except ValueError as error:
            results.append(error)
    return results


def fewer_kernels(label: object, n_colors: int, n_kernels: object) -> str:
    """Say that a label has fewer colors than kernels were asked for, and what it has."""
    return (
        f"label {label} has {counted(n_colors, 'color')}, so it was fitted with "
        f"{counted(n_colors, 'kernel')}, not {n_kernels}."
    )


def class_of_label(label: int, names: Mapping[int, str] | None = None) -> str:
    """Return the class that a label stands for: its name, or its number."""
    return (names or {}).get(label, str(label))


def as_class(kernels: KernelSet, cls: str) -> KernelSet:
    """Return the set under this name, all its kernels of this class."""
    return replace(kernels, kernels=tuple(replace(k, cls=cls) for k in kernels), name=cls)
