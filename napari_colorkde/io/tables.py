"""Tables with a row for each result: as CSV, and for the clipboard."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

Cell = str | int | float | None
Row = dict[str, Cell]


def column_names(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Return the columns of rows, in the order of their first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))


def cell_text(value: Cell) -> str:
    """Write a cell in full; NaN and None are empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def csv_text(rows: Sequence[Mapping[str, Cell]], delimiter: str = ",") -> str:
    """Write rows as CSV, or with tabs between their cells as spreadsheets paste them."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, column_names(rows), restval="", delimiter=delimiter, lineterminator="\n"
    )
    writer.writeheader()
    for row in rows:
        writer.writerow({name: cell_text(value) for name, value in row.items()})
    return text.getvalue()


def write_rows(path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Write a table as CSV in UTF-8, whole or not at all.

    Raises
    ------
    ValueError
        If the suffix is not ``.csv``.
    OSError
        If the file cannot be written.
    """
    from napari_colorkde.io.atomic import atomic_path, check_target

    check_target(path, (".csv",))
    with atomic_path(path) as scratch:
        scratch.write_text(csv_text(rows), encoding="utf-8", newline="")


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a CSV table; cells are texts.

    Raises
    ------
    OSError, UnicodeDecodeError
        If it cannot be read.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]
