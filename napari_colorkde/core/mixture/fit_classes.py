"""One mixture for each label of a label image: kernels with classes, from drawn regions."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.image import pixel_shape
from napari_colorkde.core.mixture.em import fit_palette
from napari_colorkde.core.mixture.em_steps import CovarianceType
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette


def fit_classes(
    image: Any,
    labels: Any,
    n_kernels: int | Literal["bic"],
    *,
    names: Mapping[int, str] | None = None,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    random_state: int | None = None,
    channel_axis: int | None = -1,
) -> dict[str, KernelSet]:
    """Fit a Gaussian mixture to the colors under each label.

    Parameters
    ----------
    image
        ``(..., H, W, C)`` with 1 to 3 channels, RGBA, or gray.
    labels
        ``(..., H, W)`` whole numbers; 0 is no label.
    n_kernels, covariance_type, reg_covar
        For each label, see `fit_kernels`.
    names
        Class of a label; its number where there is none.
    random_state
        Seed of the starting kernels, the same for each label.
    channel_axis
        Axis of the channels; None if there is none.

    Returns
    -------
    dict
        A set for each label, in ascending order, under the name of its class; its kernels have that
        class, and weights that sum to 1: what `classify_image` wants.

    Raises
    ------
    ValueError
        If the labels do not fit the image, there is none, two have the same name, or the colors of
        one allow no fit; the message names it.
    TypeError
        If the labels are not whole numbers.
    """
    fitted: dict[str, KernelSet] = {}
    for label, palette in palettes_of_labels(image, labels, channel_axis=channel_axis):
        cls = class_of_label(label, names)
        if cls in fitted:
            raise ValueError(f"names gives {cls!r} to two labels; give each one of its own.")
        try:
            found = fit_palette(
                palette,
                n_kernels,
                covariance_type=covariance_type,
                reg_covar=reg_covar,
                random_state=random_state,
            )
        except ValueError as error:
            raise ValueError(f"label {label}: {error}") from None
        fitted[cls] = as_class(found, cls)
    return fitted


def palettes_of_labels(
    image: Any, labels: Any, mask: Any = None, channel_axis: int | None = -1
) -> Iterator[tuple[int, Palette]]:
    """Yield each label and the palette of its pixels, in ascending order. The image is read twice.

    Raises
    ------
    ValueError
        If the labels do not fit the image, there is none, or no pixel of one counts.
    TypeError
        If the labels are not whole numbers.
    """
    image = image if hasattr(image, "shape") else np.asarray(image)
    marks = checked_labels(labels, pixel_shape(image.shape, channel_axis))
    palette = Palette.from_image(image, mask, channel_axis)
    index = palette.index(image, mask, channel_axis)
    for label in np.unique(marks[marks != 0]).tolist():
        entries = index[marks == label]
        counts = np.bincount(entries[entries >= 0], minlength=len(palette))
        if not counts.any():
            raise ValueError(
                f"label {label}: none of its pixels counts (they are masked, transparent or not "
                "finite); draw it elsewhere."
            )
        yield label, part_of_palette(palette, counts)


def part_of_palette(palette: Palette, counts: NDArray[np.int64]) -> Palette:
    """Return the palette of some of an image's pixels, with `counts` (U,) in place of its own."""
    keep = counts > 0
    return replace(
        palette,
        colors=palette.colors[keep],
        counts=counts[keep].astype(np.int64),
        n_masked=palette.n_masked + int(palette.counts.sum() - counts.sum()),
    )


def class_of_label(label: int, names: Mapping[int, str] | None = None) -> str:
    """Return the class that a label stands for: its name, or its number."""
    return (names or {}).get(label, str(label))


def as_class(kernels: KernelSet, cls: str) -> KernelSet:
    """Return the set under this name, all its kernels of this class."""
    return replace(kernels, kernels=tuple(replace(k, cls=cls) for k in kernels), name=cls)


def checked_labels(labels: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Refuse what are no labels for pixels of this shape; see `palettes_of_labels`."""
    marks = np.asarray(labels)
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
