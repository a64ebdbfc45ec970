"""Edits of kernel sets: what the table does, as functions from one set to another.

A cell's text is turned into a number here and nowhere else, so that the table, a paste and a script
refuse the same things with the same sentence. Nothing is changed in place.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.palette.ranges import channel_ranges
from napari_colorkde.io.kernels.delimited import decimal_mark, number_of

Kind = Literal["visible", "cls", "name", "mean", "spread", "weight"]

MAX_KERNELS = 1000
"""Kernels that a set may have here: each is kept for every color of the image."""

TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table: a field of the kernels, for `mean` and `spread` of one channel."""

    kind: Kind
    channel: int = 0

    @property
    def is_number(self) -> bool:
        """Whether its cells hold numbers."""
        return self.kind in ("mean", "spread", "weight")


def columns(n_channels: int) -> tuple[Column, ...]:
    """All columns of a table of kernels, from left to right."""
    channels = range(n_channels)
    return (
        Column("visible"),
        Column("cls"),
        Column("name"),
        *(Column("mean", c) for c in channels),
        *(Column("spread", c) for c in channels),
        Column("weight"),
    )


def cell_value(kernel: Kernel, column: Column, *, variances: bool = False) -> bool | str | float:
    """What stands in a cell: a bool, a text or a number.

    Spreads are sigmas or, with `variances`, variances; those of a kernel with a full covariance are
    of its principal axes, the longest first.
    """
    if column.kind == "mean":
        return float(kernel.mean[column.channel])
    if column.kind == "spread":
        variance = float(_principal_variances(kernel)[column.channel])
        return variance if variances else sigma_of(variance)
    fields: dict[str, bool | str | float] = {
        "visible": kernel.visible,
        "cls": kernel.cls,
        "name": kernel.name,
        "weight": kernel.weight,
    }
    return fields[column.kind]


def cell_text(kernel: Kernel, column: Column, *, variances: bool = False) -> str:
    """A cell in full, so that it reads back as the same number."""
    content = cell_value(kernel, column, variances=variances)
    if isinstance(content, bool):
        return "true" if content else "false"
    return content if isinstance(content, str) else repr(content).removesuffix(".0")


def sigma_of(variance: float) -> float:
    """The shortest decimal number whose square this is, so that a typed sigma stays as typed."""
    root = math.sqrt(variance)
    for digits in range(1, 17):
        short = float(f"{root:.{digits}g}")
        if short * short == variance:
            return short
    return root


def with_cell(
    kernels: KernelSet, rows: Iterable[int], column: Column, text: str, *, variances: bool = False
) -> KernelSet:
    """Write a text into one column of some rows.

    Raises
    ------
    ValueError
        If it cannot be; one sentence with the reason.
    """
    content = _parsed(text, column, variances=variances)
    if isinstance(content, float) and column.kind == "spread" and not variances:
        content = content * content
    members = list(kernels)
    for row in rows:
        members[row] = _with_value(members[row], column, content)
    return replace(kernels, kernels=tuple(members))


def with_block(
    kernels: KernelSet,
    rows: Sequence[int],
    column: int,
    block: Sequence[Sequence[str]],
    *,
    variances: bool = False,
) -> KernelSet:
    """Write a rectangle of texts into the table, its corner at the first row and a column.

    Parameters
    ----------
    rows
        Kernels from the corner downwards, as the table shows them; the last may be left over.

    Raises
    ------
    ValueError
        If a text cannot be, or the rectangle is larger than the table.
    """
    every = columns(kernels.n_channels)
    wide = max(map(len, block))
    if column + wide > len(every) or len(block) > len(rows):
        size = f"{len(block)} row{'s' if len(block) > 1 else ''} of {wide} cells"
        raise ValueError(
            f"{size} {'do' if len(block) > 1 else 'does'} not fit here; select the cell for the "
            "upper left corner, or include the header when copying to add new kernels."
        )
    places = [
        (row, at, cell)
        for row, cells in zip(rows, block, strict=False)
        for at, cell in zip(every[column:], cells, strict=False)
    ]
    mark = decimal_mark(cell.strip() for _, at, cell in places if at.is_number)
    for row, at, cell in places:
        plain = cell.replace(mark, ".") if at.is_number else cell
        kernels = with_cell(kernels, [row], at, plain, variances=variances)
    return kernels


def with_covariance(kernels: KernelSet, row: int, covariance: ArrayLike) -> KernelSet:
    """Give a kernel variances ``(C,)`` or a matrix ``(C, C)``.

    Raises
    ------
    ValueError
        If it is not symmetric and positive definite.
    """
    return with_kernel(kernels, row, replace_kernel(kernels[row], covariance=covariance))


def with_kernel(kernels: KernelSet, row: int, kernel: Kernel) -> KernelSet:
    """Put a kernel in the place of another."""
    members = list(kernels)
    members[row] = kernel
    return replace(kernels, kernels=tuple(members))


def append(kernels: KernelSet, new: Iterable[Kernel]) -> KernelSet:
    """Append kernels.

    Raises
    ------
    ValueError
        If they have other channels, or there would be more than `MAX_KERNELS`.
    """
    members = (*kernels, *new)
    if len(members) > MAX_KERNELS:
        raise ValueError(
            f"the set would have {len(members)} kernels; at most {MAX_KERNELS} can be "
            "edited here, but the command line evaluates more."
        )
    return replace(kernels, kernels=members)


def new_kernel(palette: Palette, kernels: KernelSet | None) -> Kernel:
    """A kernel to begin with: at the image's mean color, 1/16 of the range wide.

    Its weight is the mean of those that are there.
    """
    mean = np.average(palette.colors, axis=0, weights=palette.counts)
    weight = float(kernels.weights.mean()) if kernels else 1.0
    return Kernel(np.round(mean, 6), (channel_ranges(palette) / 16) ** 2, weight)


def duplicate(kernels: KernelSet, rows: Iterable[int]) -> KernelSet:
    """Append copies of some kernels."""
    return append(kernels, [kernels[row] for row in sorted(rows)])


def delete(kernels: KernelSet, rows: Iterable[int]) -> KernelSet:
    """Leave some kernels out."""
    gone = set(rows)
    return replace(kernels, kernels=tuple(k for i, k in enumerate(kernels) if i not in gone))


def normalize_weights(kernels: KernelSet) -> KernelSet:
    """Divide all weights by their sum.

    Raises
    ------
    ValueError
        If all weights are 0.
    """
    total = float(kernels.weights.sum())
    if not total > 0:
        raise ValueError(
            "the weights sum to 0 and cannot be normalized; make one of them positive."
        )
    members = (replace_kernel(k, weight=k.weight / total) for k in kernels)
    return replace(kernels, kernels=tuple(members))


def replace_kernel(kernel: Kernel, **fields: object) -> Kernel:
    """Return a kernel with some fields changed.

    Raises
    ------
    ValueError
        If a field is refused. The sentence does not repeat the kernel's name: the cell that is
        refused says which kernel it is.
    """
    names = ("mean", "covariance", "weight", "cls", "name", "visible")
    merged = {name: getattr(kernel, name) for name in names} | fields
    try:
        return Kernel(**merged)
    except ValueError as error:
        reason = str(error).removeprefix(f"kernel {merged['name']!r}: ")
        raise ValueError(reason) from None


def _with_value(kernel: Kernel, column: Column, content: bool | str | float) -> Kernel:
    if column.kind == "mean":
        mean = kernel.mean.copy()
        mean[column.channel] = content
        return replace_kernel(kernel, mean=mean)
    if column.kind == "spread":
        return replace_kernel(kernel, covariance=_stretched(kernel, column.channel, float(content)))
    return replace_kernel(kernel, **{column.kind: content})


def _parsed(text: str, column: Column, *, variances: bool) -> bool | str | float:
    text = text.strip()
    if column.kind in ("cls", "name"):
        if "\t" in text or "\n" in text:
            raise ValueError("a name must be a single line without tabs.")
        return text
    if column.kind == "visible":
        if text.lower() not in TRUE + FALSE:
            raise ValueError(f"{text!r} is neither true nor false.")
        return text.lower() in TRUE
    number = number_of(text, decimal_mark([text]))
    if column.kind == "spread" and number <= 0:
        raise ValueError(f"{'σ²' if variances else 'σ'} must be above 0, not {number:g}.")
    if column.kind == "weight" and number < 0:
        raise ValueError(f"the weight must be 0 or more, not {number:g}.")
    return number


def _principal_variances(kernel: Kernel) -> NDArray[np.float64]:
    if kernel.covariance.ndim == 1:
        return kernel.covariance
    return np.asarray(np.linalg.eigvalsh(kernel.covariance)[::-1], np.float64)


def _stretched(kernel: Kernel, axis: int, variance: float) -> NDArray[np.float64]:
    """The covariance with the variance along one channel, or one principal axis, changed."""
    if kernel.covariance.ndim == 1:
        variances = kernel.covariance.copy()
        variances[axis] = variance
        return variances
    squares, axes = np.linalg.eigh(kernel.covariance)
    squares[len(squares) - 1 - axis] = variance
    stretched = (axes * squares) @ axes.T
    return np.asarray((stretched + stretched.T) / 2)
