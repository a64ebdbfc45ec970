"""The results table: rows for all images of a session, as the command `measure` writes them."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from psygnal import Signal

from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.core.csv_and_frames import Cell, Row, column_names, csv_of_rows
from napari_colorkde.io.csv_files import write_rows

MAX_UNDO = 20
"""Earlier tables that are kept."""


class ResultsTable:
    """Rows of results. Those of an image are replaced when they come again, and keep their place.

    Attributes
    ----------
    rows
        In the order in which their images came.
    """

    changed = Signal(description="There are other rows.")

    def __init__(self) -> None:
        self.rows: tuple[Row, ...] = ()
        self._before: list[tuple[Row, ...]] = []

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return column_names(self.rows)

    @property
    def can_undo(self) -> bool:
        """Whether there are rows that were taken away."""
        return bool(self._before)

    def put(self, rows: Iterable[Row]) -> None:
        """Add rows, or replace those of the same images, frames and kind of regions."""
        fresh: dict[tuple[Cell, ...], list[Row]] = {}
        for row in map(_plain, rows):
            fresh.setdefault(_group(row), []).append(row)
        groups, after = list(fresh), list[Row]()
        for row in self.rows:
            group = _group(row)
            if not any(_replaces(new, group) for new in groups):
                after.append(row)
            elif group in fresh:
                after += fresh.pop(group)
        for group_rows in fresh.values():
            after += group_rows
        self._show(tuple(after))

    def has(self, image: str, *, by_region: bool = False) -> bool:
        """Whether there are rows of an image: of its regions, or of the whole."""
        wanted = _group({"image": image})[0]
        return any(
            _group(row)[0] == wanted and bool(row.get("region")) == by_region for row in self.rows
        )

    def remove(self, positions: Iterable[int]) -> None:
        """Take rows away; `undo` brings them back."""
        gone = set(positions)
        kept = tuple(row for at, row in enumerate(self.rows) if at not in gone)
        if len(kept) < len(self.rows):
            self._before = [*self._before, self.rows][-MAX_UNDO:]
            self._show(kept)

    def clear(self) -> None:
        """Take all rows away; `undo` brings them back."""
        self.remove(range(len(self.rows)))

    def undo(self) -> None:
        """Bring back the rows that were taken away last, behind what has come since."""
        if not self._before:
            return
        before = self._before.pop()
        there = {_group(row) for row in before}
        self._show((*before, *(row for row in self.rows if _group(row) not in there)))

    def text(self, positions: Sequence[int] | None = None) -> str:
        """Return rows, all of them by default, for the clipboard: cells separated by tabs."""
        chosen = self.rows if positions is None else [self.rows[at] for at in positions]
        return csv_of_rows(chosen, "\t")

    def save(self, path: str | Path) -> None:
        """Write the table as CSV.

        Raises
        ------
        ValueError, OSError
            If there are no rows, or the file cannot be written.
        """
        if not self.rows:
            raise ValueError("the table has no rows to save yet; add some first.")
        write_rows(Path(path), self.rows)

    def _show(self, rows: tuple[Row, ...]) -> None:
        if rows != self.rows:
            self.rows = rows
            self.changed.emit()


def image_label(source: ImageSource) -> str:
    """Return what an image is called in the table: its file, or the name of its layer."""
    if not source.path:
        return source.name
    path = Path(source.path)
    if source.name in (path.stem, path.name):
        return source.path
    return f"{source.path} ({source.name})"


def short_names(images: Iterable[str]) -> dict[str, str]:
    """Return what images are called where there is little room: their files' names.

    With as many folders before it as tell it from the others.
    """
    parts = {image: Path(image).parts for image in dict.fromkeys(images)}
    names: dict[str, str] = {}
    left, length = list(parts), 1
    while left:
        found = {image: str(Path(*parts[image][-length:])) if image else "" for image in left}
        counts = Counter(found.values())
        is_clear = {i: counts[found[i]] == 1 or length >= len(parts[i]) for i in left}
        names |= {image: found[image] for image in left if is_clear[image]}
        left, length = [image for image in left if not is_clear[image]], length + 1
    return {image: names[image] for image in parts}


def _group(row: Row) -> tuple[Cell, ...]:
    # A file is the same by whatever path it was opened.
    image = os.path.abspath(str(row.get("image")))
    return image, row.get("frame"), bool(row.get("region"))


def _replaces(new: tuple[Cell, ...], old: tuple[Cell, ...]) -> bool:
    """Whether rows take the place of others: a stack's do of its frames', and the reverse."""
    same_image = (new[0], new[2]) == (old[0], old[2])
    return same_image and (new[1] == old[1] or None in (new[1], old[1]))


def _plain(row: Row) -> Row:
    """Return a row in which nothing is not a number, so that equal rows are equal."""
    return {
        name: None if isinstance(cell, float) and math.isnan(cell) else cell
        for name, cell in row.items()
    }
