"""The palette of each label of a label image."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import MASK, as_array
from napari_colorkde.core.checks.channels import pixel_shape
from napari_colorkde.core.colorspaces import refusal_for
from napari_colorkde.core.image import as_sliceable
from napari_colorkde.core.mixture.kernel_spaces import points_for
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.lookup.color_lookup import index_image
from napari_colorkde.core.palette.palette import Palette

DENSE_LABELS = 1 << 20
"""Span of labels up to which they are counted in a table."""


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
