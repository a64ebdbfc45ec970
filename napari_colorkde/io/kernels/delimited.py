"""Tables as spreadsheets write them: cell separators and decimal separators.

Excel writes the list separator of the country, ``;`` where the comma is the decimal mark, and may
say so in a first line ``sep=;``; what is copied from a spreadsheet is separated by tabs.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Decimal = Literal[".", ","]

_SEPARATORS = ("\t", ";", ",")
_POINT = re.compile(r"[+−-]?\d*\.\d+(e[+-]?\d+)?|[+−-]?\d+\.(e[+-]?\d+)?", re.IGNORECASE)
_COMMA = re.compile(r"[+−-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+−-]?[1-9]\d{0,2}(,\d{3})+")


@dataclass(frozen=True)
class DelimitedText:
    """Rows of cells, without empty rows and without space around cells.

    Attributes
    ----------
    rows
        Cells, row by row.
    lines
        The line that each row ends on, from 1.
    decimal
        What stands before decimals.
    """

    rows: list[list[str]]
    lines: list[int]
    decimal: Decimal = "."


def read_delimited(text: str, what: str) -> DelimitedText:
    """Split a table into cells.

    Parameters
    ----------
    text
        Separated by tabs, semicolons or commas: the first of these in its first line. A first line
        ``sep=`` says it.
    what
        How to name the text, for messages.

    Raises
    ------
    ValueError
        If quotation marks do not match, or it cannot be told whether commas stand before decimals.
    """
    text = text.removeprefix("\ufeff")
    skipped = 0
    head = re.match(r'"?sep=(.)"?[ \t]*(\r\n|\r|\n|$)', text, re.IGNORECASE)
    if head is not None:
        separator, text, skipped = head[1], text[head.end() :], 1
    else:
        separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
                lines.append(reader.line_num + skipped)
    except csv.Error as error:
        raise ValueError(f"{what}, line {reader.line_num + skipped}: {error}.") from None
    decimal = "." if separator == "," else decimal_mark(_cells(rows), what)
    return DelimitedText(rows, lines, decimal)


def _cells(rows: Iterable[list[str]]) -> Iterator[str]:
    return (cell for row in rows for cell in row)


def _separator(text: str) -> str:
    """Return what separates the cells of the first line that is not empty."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    outside = re.sub(r'"[^"]*"', "", first)
    return next((mark for mark in _SEPARATORS if mark in outside), ",")


def decimal_mark(cells: Iterable[str], what: str = "") -> Decimal:
    """Return what stands before the decimals of some cells; those that are no numbers are skipped.

    Raises
    ------
    ValueError
        If it cannot be told: a comma could also group thousands.
    """
    cells = list(cells)
    commas = [cell for cell in cells if _COMMA.fullmatch(cell) or _THOUSANDS.fullmatch(cell)]
    if not commas:
        return "."
    head = f"{what}: " if what else ""
    points = [cell for cell in cells if _POINT.fullmatch(cell)]
    if points:
        raise ValueError(
            f"{head}{commas[0]!r} has a comma and {points[0]!r} a point; use one decimal separator "
            "throughout, and no thousands separators."
        )
    if all(_THOUSANDS.fullmatch(cell) for cell in commas):
        raise ValueError(
            f"{head}the comma in {commas[0]!r} may be a decimal or a thousands separator; write "
            "decimals with a point, and thousands without a separator."
        )
    return ","


def number_of(text: str, decimal: Decimal = ".") -> float:
    """Read a number.

    Raises
    ------
    ValueError
        If it is none, or not finite; the sentence says how to write it.
    """
    plain = text.strip().replace("−", "-")
    if decimal == "," and _COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    try:
        value = float(plain.replace("_", "x"))  # Python would read 1_000, spreadsheets do not
    except ValueError:
        reason = f"{text!r} is not a number" if text else "the cell is empty"
        raise ValueError(f"{reason}; write it like 765.4, with a decimal point.") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number.")
    return value
