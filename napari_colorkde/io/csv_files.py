"""Results tables in files; `core.csv_and_frames` makes their text."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from napari_colorkde.core.csv_and_frames import Cell, Row, csv_of_rows


def write_csv(path: Path, text: str) -> None:
    """Write the text of a table in UTF-8, whole or not at all.

    Raises
    ------
    ValueError
        If the suffix is not ``.csv``.
    OSError
        If the file cannot be written.
    """
    from napari_colorkde.io.writers.atomic import atomic_path
    from napari_colorkde.io.writers.targets import check_target

    check_target(path, (".csv",))
    with atomic_path(path) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="")


def write_rows(path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Write rows as CSV, see `write_csv`."""
    write_csv(path, csv_of_rows(rows))


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a CSV table; cells are texts.

    Raises
    ------
    OSError, UnicodeDecodeError
        If it cannot be read.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]
