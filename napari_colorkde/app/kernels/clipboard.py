"""Kernels and cells as text on the clipboard, compatible with spreadsheets."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

from napari_colorkde.app.kernels.edits import cell_text, columns
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernels.delimited import read_delimited
from napari_colorkde.io.kernels.kernel_csv import is_kernel_header, kernels_from_csv, kernels_to_csv

CLIPBOARD = "the clipboard"

_TITLES = {"visible": "visible", "cls": "class", "name": "name", "weight": "weight"}
"""Of the columns of a kernel file, for those of the table."""


def rows_text(kernels: KernelSet, rows: Sequence[int]) -> str:
    """Whole kernels for a spreadsheet: the table of a CSV file, separated by tabs."""
    chosen = replace(kernels, kernels=tuple(kernels[row] for row in rows))
    table = kernels_to_csv({chosen.name or "kernels": chosen})
    return "".join("\t".join(cells) + "\n" for cells in csv.reader(io.StringIO(table, newline="")))


def block_text(
    kernels: KernelSet, rows: Sequence[int], at: Sequence[int], *, variances: bool = False
) -> str:
    """Some cells for a spreadsheet, separated by tabs."""
    every = columns(kernels.n_channels)
    lines = (
        "\t".join(cell_text(kernels[row], every[i], variances=variances) for i in at)
        for row in rows
    )
    return "\n".join(lines) + "\n"


def pasted_kernels(text: str) -> KernelSet | None:
    """Read kernels from a spreadsheet's text if it begins with the header of a table of kernels.

    Raises
    ------
    ValueError
        If it has the header, but a value or a column is missing or cannot be.
    """
    first = next((line for line in text.splitlines() if line.strip()), "").lower()
    if not ("mean_" in first or "μ" in first):
        return None
    table = read_delimited(text, CLIPBOARD)
    if not is_kernel_header(table.rows[0]):
        return None
    sets = kernels_from_csv(text, CLIPBOARD, "pasted")
    return KernelSet([kernel for kernels in sets.values() for kernel in kernels], "pasted")


def kernels_without_header(
    text: str, n_channels: int, *, variances: bool = False
) -> KernelSet | None:
    """Read kernels from rows that are as long as the table's; None if they are not.

    Parameters
    ----------
    text
        Rows of means, spreads and a weight; before them may stand class and name, or visibility,
        class and name.
    variances
        Whether the spreads are variances, as the table shows them, or sigmas.

    Raises
    ------
    ValueError
        If a value cannot be, or it cannot be told what the columns are.
    """
    table = read_delimited(text, CLIPBOARD)
    every = columns(n_channels)
    titles = [_TITLES.get(column.kind, "") for column in every]
    numbered = iter(range(2 * n_channels))
    for at, column in enumerate(every):
        if column.kind in ("mean", "spread"):
            kind = "μ" if column.kind == "mean" else "σ²" if variances else "σ"
            titles[at] = f"{kind} {next(numbered) % n_channels + 1}"
    widths = {len(row) for row in table.rows}
    left_out = {len(every): 0, len(every) - 1: 1, len(every) - 3: 3}
    if len(widths) != 1 or (width := widths.pop()) not in left_out:
        return None
    if left_out[width] == 1 and all(row[1].isdigit() for row in table.rows):
        raise ValueError(
            "the rows may begin with class and name or with set and number; include the header "
            "when copying."
        )
    header = "\t".join(titles[left_out[width] :])
    rows = "\n".join("\t".join(map(_quoted, row)) for row in table.rows)
    (kernels,) = kernels_from_csv(f"{header}\n{rows}", CLIPBOARD, "pasted").values()
    return kernels


def cells_of(text: str, *, is_text: bool = False) -> list[list[str]]:
    """Split a spreadsheet's text into rows of cells; a last empty line is no row.

    Without tabs, lines of several semicolons or commas are split at these, unless `is_text`; a
    single comma is taken for a decimal one.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    lines = plain.split("\n")
    if "\t" in plain:
        return [line.split("\t") for line in lines]
    has_columns = ";" in plain or any(line.count(",") > 1 for line in lines)
    if is_text or not has_columns:
        return [[line] for line in lines]
    return read_delimited(plain, CLIPBOARD).rows


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if cell else ""
