"""Results as tables: pandas data frames or CSV text, through the only CSV writer."""

import csv
import io
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

Cell = str | int | float | None
Row = dict[str, Cell]
Columns = dict[str, Sequence[Any] | NDArray[Any]]
"""Columns of one length by name."""


def cell_text(value: Cell) -> str:
    """Write a cell in full; NaN and None are empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def csv_text(header: Iterable[str], rows: Iterable[Iterable[Cell]], delimiter: str = ",") -> str:
    """Write rows below their header as CSV; with tabs as spreadsheets paste them."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(cell_text, row) for row in rows)
    return text.getvalue()


def csv_of_columns(columns: Columns) -> str:
    """Write columns as CSV; numbers of NumPy as those of Python."""
    lists = [c.tolist() if isinstance(c, np.ndarray) else c for c in columns.values()]
    return csv_text(columns, zip(*lists, strict=True))


def csv_of_rows(rows: Sequence[Mapping[str, Cell]], delimiter: str = ",") -> str:
    """Write rows by the names of their columns as CSV; what a row lacks is empty."""
    names = column_names(rows)
    return csv_text(names, ([row.get(name) for name in names] for row in rows), delimiter)


def column_names(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Return the columns of rows, in the order of their first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))


class Table(ABC):
    """A result with rows: what has `to_frame` and `to_csv`."""

    __slots__ = ()

    @abstractmethod
    def _columns(self) -> Columns: ...

    def to_frame(self) -> "pandas.DataFrame":
        """Return the rows as a table of pandas.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return import_pandas().DataFrame(self._columns())

    def to_csv(self) -> str:
        """Return the rows as comma-separated values, with a header; numbers to their last digit."""
        return csv_of_columns(self._columns())


def import_pandas() -> ModuleType:
    """Return pandas, which nothing else here needs.

    Raises
    ------
    ImportError
        If it is not installed; the message says how to get it.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(
            "to_frame needs pandas, which is not installed; run pip install pandas, or use to_csv."
        ) from None
    module: ModuleType = pandas
    return module


def numbered_columns(name: str, values: NDArray[Any]) -> Columns:
    """Return one column for each channel of ``(n, C)`` values: "sigma_1", "sigma_2" …."""
    return {f"{name}_{c}": column for c, column in enumerate(values.T, start=1)}
