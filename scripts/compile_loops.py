"""Compile the loops once, so that all processes of a test run find them compiled."""

from __future__ import annotations

import importlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Import the modules of compiled loops, each of which compiles its own."""
    for path in sorted((ROOT / "napari_colorkde").rglob("numba_*.py")):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


if __name__ == "__main__":
    main()
