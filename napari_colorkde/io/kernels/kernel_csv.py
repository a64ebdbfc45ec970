"""Kernel sets as a table for spreadsheets: CSV with one kernel per row.

Columns: ``set, kernel, mean_r, mean_g, mean_b, var_r, var_g, var_b, weight``. `set` and `kernel`
may be missing. The mean columns stand in channel order: R, G, B, or B, G, R for kernels of BGR
images, or 1, 2, 3, … for any number of channels. Off-diagonal covariances follow as ``cov_rg,
cov_rb, cov_gb`` (``cov_1_2`` for numbered channels); kernels that have none leave them blank.
Optional: ``class``, ``name``, ``visible``. Numbers are written with a decimal point and in full, so
that they read back as the same float64.

Tables of other spreadsheets are read, too: separated by semicolons or tabs, with decimal commas
(see `napari_colorkde.io.kernels.delimited`), and with the header that the window's table shows:
``μ R``, ``σ R`` or ``σ² R``. What is pasted into the table of
kernels comes here through `app.kernels.clipboard`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.core.colorspaces import channel_names
from napari_colorkde.core.csv_and_frames import csv_of_columns
from napari_colorkde.core.mixture.kernel_arrays import KernelError, build_kernels
from napari_colorkde.core.mixture.kernel_table import (
    ChannelColumns,
    kernel_columns,
)
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.kernels.delimited import Decimal, number_of, read_delimited

_TEXT_COLUMNS = ("set", "kernel", "class", "name", "visible")
_VISIBLE = {"": True, "true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class _Columns(ChannelColumns):
    """Which columns a table has."""

    names: tuple[str, ...] = ()

    is_sigma: bool = False
    """Whether the columns of spreads hold standard deviations."""

    @property
    def space(self) -> str:
        return "bgr" if self.channels == ("b", "g", "r") else "rgb"


def kernels_from_csv(text: str, file: str, default_set: str) -> dict[str, KernelSet]:
    """Read kernel sets from a table.

    Parameters
    ----------
    text
        The table; empty lines are skipped.
    file
        How to name the file, for messages.
    default_set
        Name of the set where the table has no column `set`.

    Raises
    ------
    ValueError
        If the table is not of the form the module describes; the message names line and column.
    """
    table = read_delimited(text, file)
    if not table.rows:
        raise ValueError(f"{file} is empty; give a header and one row for each kernel.")
    columns, *rows = _header(table.rows[0], file), *table.rows[1:]
    members: dict[str, _Members] = {}
    for cells, line in zip(rows, table.lines[1:], strict=True):
        where = f"{file}, line {line}"
        if len(cells) != len(columns.names):
            raise ValueError(
                f"{where} has {len(cells)} cells, but the header has {len(columns.names)}; "
                "give one cell for each column."
            )
        row = _Row(dict(zip(columns.names, cells, strict=True)), where, table.decimal)
        members.setdefault(row.cells.get("set", default_set), _Members()).add(row, columns)
    if not members:
        raise ValueError(f"{file} has a header but no kernels; give one row for each kernel.")
    return {name: KernelSet(rows.kernels(), name, columns.space) for name, rows in members.items()}


def is_kernel_header(cells: Sequence[str]) -> bool:
    """Whether a row of cells begins a table of kernels: it names columns of means."""
    return any(name.startswith("mean_") for name in _plain_names(cells))


def csv_names_colors(text: str) -> bool:
    """Whether the columns of a table that could be read have letters of colors, not numbers."""
    return "mean_r" in _plain_names(read_delimited(text, "the table").rows[0])


def kernels_to_csv(kernel_sets: Mapping[str, KernelSet]) -> str:
    """Write kernel sets as a table.

    Raises
    ------
    ValueError
        If a set is empty, has other channels than the first one, lies in a color space other than
        RGB, or has a matrix that is not symmetric to the last bit: JSON has room for these.
    """
    first = next(iter(kernel_sets.values()))
    for name, kernels in kernel_sets.items():
        _require_tabular(name, kernels, first)
    return csv_of_columns(kernel_columns(kernel_sets, channel_names(first.space, first.n_channels)))


_MEAN = re.compile(r"μ\s+(\S.*)")
_SIGMA = re.compile(r"σ\s+(\S.*)")
_VARIANCE = re.compile(r"σ²\s+(\S.*)")


def _plain_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a header's columns; those that the window's table shows in ours.

    Its channels have letters if they are red, green and blue, and else the numbers of their order.
    """
    shown = [match[1].lower() for cell in cells if (match := _MEAN.fullmatch(cell))]
    channels = shown if shown in (["r", "g", "b"], ["b", "g", "r"]) else range(1, len(shown) + 1)
    numbers = {name: str(channel) for name, channel in zip(shown, channels, strict=True)}
    names = []
    for cell in cells:
        for pattern, kind in ((_MEAN, "mean"), (_VARIANCE, "var"), (_SIGMA, "var")):
            match = pattern.fullmatch(cell)
            if match is not None and match[1].lower() in numbers:
                names.append(f"{kind}_{numbers[match[1].lower()]}")
                break
        else:
            # The boxes before the kernels have no title.
            names.append(cell.lower() or ("visible" if shown else ""))
    return tuple(names)


def _header(cells: Sequence[str], file: str) -> _Columns:
    names = _plain_names(cells)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{file}: the column {twice[0]!r} appears twice; keep one of them.")
    sigmas = [name for name in names if name.startswith(("sigma_", "std_", "sd_"))]
    is_sigma = any(_SIGMA.fullmatch(cell) for cell in cells)
    if sigmas:
        raise ValueError(
            f"{file}: the column {sigmas[0]!r} holds standard deviations; "
            "give variances (their squares), in var_ columns."
        )
    channels = tuple(name[5:] for name in names if name.startswith("mean_"))
    columns = _Columns(channels, names, is_sigma)
    numbered = tuple(str(i + 1) for i in range(len(columns.channels)))
    if columns.channels not in (("r", "g", "b"), ("b", "g", "r"), numbered) or not numbered:
        given = ", ".join(columns.means) or "none"
        raise ValueError(
            f"{file}: the mean columns are {given}; they must be mean_r, mean_g, mean_b "
            "in this order (or b, g, r; or mean_1, mean_2, and so on)."
        )
    missing = [name for name in (*columns.variances, "weight") if name not in names]
    if missing:
        raise ValueError(f"{file}: the column {missing[0]!r} is missing; add it to the header.")
    required = (*columns.means, *columns.variances, "weight")
    unknown = set(names) - {*required, *_TEXT_COLUMNS, *columns.covariances}
    if unknown:
        first = next(name for name in cells if name.lower() in unknown)
        raise ValueError(f"{file}: the column {first!r} is not known; remove or rename it.")
    return columns


@dataclass(frozen=True)
class _Row:
    """The cells of a row by column, and where it stands."""

    cells: Mapping[str, str]
    where: str
    decimal: Decimal

    def number(self, column: str) -> float:
        """Read a number."""
        try:
            return number_of(self.cells.get(column, ""), self.decimal)
        except ValueError as error:
            raise ValueError(f"{self.where}, column {column!r}: {error}") from None


class _Members:
    """The kernels of one set, row by row, validated together at the end."""

    def __init__(self) -> None:
        self._places: list[str] = []
        self._means: list[list[float]] = []
        self._covariances: list[ArrayLike] = []
        self._weights: list[float] = []
        self._classes: list[str] = []
        self._names: list[str] = []
        self._visible: list[bool] = []

    def add(self, row: _Row, columns: _Columns) -> None:
        """Read a row."""
        cells, where = row.cells, row.where
        mean = [row.number(name) for name in columns.means]
        variances = [row.number(name) for name in columns.variances]
        if columns.is_sigma:
            variances = [sigma * abs(sigma) for sigma in variances]  # a negative one is refused
        weight = row.number("weight")
        if any(cells.get(name) for name in columns.covariances):
            matrix = np.diag(variances)
            pairs = combinations(range(len(mean)), 2)
            for (i, j), name in zip(pairs, columns.covariances, strict=True):
                matrix[i, j] = matrix[j, i] = row.number(name)
            self._covariances.append(matrix)
        else:
            self._covariances.append(variances)
        if cells.get("visible", "").lower() not in _VISIBLE:
            raise ValueError(
                f"{where}, column 'visible': {cells['visible']!r} is neither true nor false."
            )
        self._means.append(mean)
        self._weights.append(weight)
        self._places.append(where)
        # A kernel's label that is not just its number is its name.
        label = cells.get("kernel", "")
        number = str(len(self._places))
        self._classes.append(cells.get("class", ""))
        self._names.append(cells.get("name", "" if label == number else label))
        self._visible.append(_VISIBLE[cells.get("visible", "").lower()])

    def kernels(self) -> tuple[Kernel, ...]:
        """Make the kernels."""
        try:
            return build_kernels(
                self._means,
                self._covariances,
                self._weights,
                classes=self._classes,
                names=self._names,
                visible=self._visible,
            )
        except KernelError as error:
            raise ValueError(f"{self._places[error.index]}: {error}") from None


def _require_tabular(name: str, kernels: KernelSet, first: KernelSet) -> None:
    if len(kernels) == 0:
        raise ValueError(f"set {name!r} is empty, and a table would lose it; save it as JSON.")
    if (kernels.n_channels, kernels.space) != (first.n_channels, first.space):
        raise ValueError(
            f"set {name!r} has different channels from the first one; save them as JSON, or in "
            "separate tables."
        )
    rgb = kernels.space == "rgb" or (kernels.space == "bgr" and kernels.n_channels == 3)
    if not rgb:
        raise ValueError(
            f"set {name!r} is in the space {kernels.space!r}, which a table cannot record; save it "
            "as JSON."
        )
    if any((k.covariance_matrix != k.covariance_matrix.T).any() for k in kernels):
        raise ValueError(
            f"set {name!r} has a covariance that is not symmetric to the last bit; save it as JSON."
        )
