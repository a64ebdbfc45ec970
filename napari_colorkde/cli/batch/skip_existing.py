"""Which outputs of a batch are there already: --skip-existing goes on where a run was ended.

Rows of a table that are there are found in `csv_rows`, half-written Zarr in `io.formats.resumable`.
"""

from pathlib import Path

from napari_colorkde.cli.console import print_warning


def is_done(target: Path, skips: bool, *, quiet: bool = False) -> bool:
    """Whether an output that is there already shall be left; say so."""
    if not (skips and target.exists()):
        return False
    if not quiet:
        print_warning(f"{target} is there already; nothing is done.")
    return True
