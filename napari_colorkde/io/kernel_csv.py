"""Kernel sets as a table for spreadsheets: CSV with one kernel a row.

Columns: ``set, kernel, mean_r, mean_g, mean_b, var_r, var_g, var_b, weight``. `set` and `kernel`
may be missing. The mean columns stand in channel order: R, G, B, or B, G, R for kernels of BGR
images, or 1, 2, 3, … for any number of channels. Off-diagonal covariances follow as ``cov_rg,
cov_rb, cov_gb`` (``cov_1_2`` for numbered channels); kernels that have none leave them blank.
Optional: ``class``, ``name``, ``visible``. Numbers have a decimal point and are written in full, so
that they read back as the same float64. What is pasted into the table of kernels comes here through
`app.kernels.edits`.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from napari_colorkde.core.mixture.kernel_arrays import KernelError, build_kernels
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.kernel_json import channel_names

_TEXT_COLUMNS = ("set", "kernel", "class", "name", "visible")
_VISIBLE = {"": True, "true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class _Columns:
    """Which columns a table has, by channel."""

    names: tuple[str, ...]
    channels: tuple[str, ...]

    @property
    def means(self) -> list[str]:
        return [f"mean_{channel}" for channel in self.channels]

    @property
    def variances(self) -> list[str]:
        return [f"var_{channel}" for channel in self.channels]

    @property
    def covariances(self) -> list[str]:
        """Columns of the upper triangle, row by row."""
        between = "_" if self.channels[0].isdigit() else ""
        return [f"cov_{a}{between}{b}" for a, b in combinations(self.channels, 2)]

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
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    members: dict[str, _Members] = {}
    columns = None
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if columns is None:
                columns = _header(cells, file)
                continue
            where = f"{file}, line {reader.line_num}"
            if len(cells) != len(columns.names):
                raise ValueError(
                    f"{where} has {len(cells)} cells, but the header has {len(columns.names)}; "
                    "give one cell for each column."
                )
            row_cells = dict(zip(columns.names, cells, strict=True))
            set_name = row_cells.get("set", default_set)
            members.setdefault(set_name, _Members()).add(row_cells, columns, where)
    except csv.Error as error:
        raise ValueError(f"{file}, line {reader.line_num}: {error}.") from None
    if columns is None or not members:
        raise ValueError(f"{file} has a header but no kernels; give one row for each kernel.")
    return {name: KernelSet(rows.kernels(), name, columns.space) for name, rows in members.items()}


def csv_names_colors(text: str) -> bool:
    """Whether the columns of a table that could be read have letters of colors, not numbers."""
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(row for row in rows if any(cell.strip() for cell in row))
    return "mean_r" in (cell.strip().lower() for cell in header)


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
    everything = [kernel for kernels in kernel_sets.values() for kernel in kernels]
    columns = _Columns((), tuple(channel_names(first.space, first.n_channels)))
    full = any(kernel.covariance.ndim == 2 for kernel in everything)
    header = ["set", "kernel", *columns.means, *columns.variances]
    header += [*(columns.covariances if full else []), "weight"]
    header += ["class"] if any(kernel.cls for kernel in everything) else []
    header += ["name"] if any(kernel.name for kernel in everything) else []
    header += ["visible"] if not all(kernel.visible for kernel in everything) else []
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for name, kernels in kernel_sets.items():
        for number, kernel in enumerate(kernels, start=1):
            cells = _cells(kernel, columns) | {"set": name, "kernel": str(number)}
            writer.writerow([cells[column] for column in header])
    return buffer.getvalue()


def _header(cells: Sequence[str], file: str) -> _Columns:
    names = tuple(cell.lower() for cell in cells)
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise ValueError(f"{file} is not separated by commas; save it as comma-separated values.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{file}: the column {twice[0]!r} appears twice; keep one of them.")
    sigmas = [name for name in names if name.startswith(("sigma_", "std_", "sd_"))]
    if sigmas:
        raise ValueError(
            f"{file}: the column {sigmas[0]!r} holds standard deviations; "
            "give variances (their squares), in var_ columns."
        )
    columns = _Columns(names, tuple(name[5:] for name in names if name.startswith("mean_")))
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

    def add(self, cells: Mapping[str, str], columns: _Columns, where: str) -> None:
        """Read a row."""
        mean = [_number(cells, name, where) for name in columns.means]
        variances = [_number(cells, name, where) for name in columns.variances]
        weight = _number(cells, "weight", where)
        if any(cells.get(name) for name in columns.covariances):
            matrix = np.diag(variances)
            pairs = combinations(range(len(mean)), 2)
            for (i, j), name in zip(pairs, columns.covariances, strict=True):
                matrix[i, j] = matrix[j, i] = _number(cells, name, where)
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


def _number(cells: Mapping[str, str], column: str, where: str) -> float:
    text = cells.get(column, "")
    try:
        value = float(text.replace("_", "x"))  # Python would read 1_000, spreadsheets do not
    except ValueError:
        what = f"{text!r} is not a number" if text else "the cell is empty"
        raise ValueError(
            f"{where}, column {column!r}: {what}; write it like 765.4, with a decimal point."
        ) from None
    if not math.isfinite(value):
        raise ValueError(f"{where}, column {column!r}: {text!r} is not a finite number.")
    return value


def _require_tabular(name: str, kernels: KernelSet, first: KernelSet) -> None:
    if len(kernels) == 0:
        raise ValueError(f"set {name!r} is empty, and a table would lose it; save it as JSON.")
    if (kernels.n_channels, kernels.space) != (first.n_channels, first.space):
        raise ValueError(
            f"set {name!r} has other channels than the first one; save them as JSON, "
            "or in a table each."
        )
    rgb = kernels.space == "rgb" or (kernels.space == "bgr" and kernels.n_channels == 3)
    if not rgb:
        raise ValueError(
            f"set {name!r} lies in the space {kernels.space!r}, which a table cannot record; "
            "save it as JSON."
        )
    if any((k.covariance_matrix != k.covariance_matrix.T).any() for k in kernels):
        raise ValueError(
            f"set {name!r} has a covariance that is not symmetric to the last bit; save it as JSON."
        )


def _cells(kernel: Kernel, columns: _Columns) -> dict[str, str]:
    numbers = dict(zip(columns.means, kernel.mean.tolist(), strict=True))
    numbers |= dict(zip(columns.variances, kernel.variances.tolist(), strict=True))
    numbers["weight"] = kernel.weight
    cells = {column: repr(number) for column, number in numbers.items()}
    upper = kernel.covariance_matrix[np.triu_indices(kernel.n_channels, 1)]
    full = kernel.covariance.ndim == 2
    cells |= {
        column: repr(number) if full else ""
        for column, number in zip(columns.covariances, upper.tolist(), strict=True)
    }
    return cells | {
        "class": kernel.cls,
        "name": kernel.name,
        "visible": "true" if kernel.visible else "false",
    }
