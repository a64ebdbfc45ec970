"""Palettes as results: many images merged into one as they finish, and written."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_colorkde.cli.console import timed_step
from napari_colorkde.core.number_text import counted

if TYPE_CHECKING:
    import numpy as np

    from napari_colorkde.core.palette.palette import Palette

MinCountOption = Annotated[
    int,
    typer.Option(
        "--min-count",
        metavar="K",
        min=1,
        help="Leave out colors with fewer pixels than this; the number of those pixels is "
        "recorded.",
    ),
]


class MergedPalettes:
    """Merges palettes as a tree, so that each is merged log₂ n times, not n times.

    Attributes
    ----------
    files
        Where they came from.
    """

    def __init__(self) -> None:
        self.files: list[Path] = []
        self._waiting: list[tuple[int, Palette]] = []
        self._kind: tuple[int, np.dtype[Any], bool] | None = None

    def add(self, path: Path, palette: "Palette") -> None:
        """Add a palette.

        Raises
        ------
        ValueError
            If it differs from the first in its channels, the type of its numbers, or by weights.
        """
        kind = (palette.n_channels, palette.image_dtype or palette.dtype, palette.is_weighted)
        if self._kind is None:
            self._kind = kind
        if kind != self._kind:
            raise ValueError(
                f"{str(path)!r} has {_named(kind)}, {str(self.files[0])!r} has "
                f"{_named(self._kind)}; merge palettes of the same kind."
            )
        self.files.append(path)
        level = 0
        while self._waiting and self._waiting[-1][0] == level:
            palette = self._waiting.pop()[1].merge(palette)
            level += 1
        self._waiting.append((level, palette))

    def palette(self) -> "Palette":
        """Return the palette of all; at least one was added."""
        *others, (_, merged) = self._waiting
        for _, palette in reversed(others):
            merged = palette.merge(merged)
        return merged


def _named(kind: "tuple[int, np.dtype[Any], bool]") -> str:
    n_channels, dtype, is_weighted = kind
    return f"{counted(n_channels, 'channel')} of {dtype}{' with weights' if is_weighted else ''}"


def is_palette_name(output: Path | None) -> bool:
    """Whether a palette is written to this name."""
    from napari_colorkde.io.palettes import PALETTE_SUFFIX

    return output is not None and output.suffix.lower() == PALETTE_SUFFIX


def write_palette(output: Path, palette: "Palette", command: str, files: Sequence[Path]) -> None:
    """Write a palette with how to get it again."""
    from napari_colorkde.io.palettes import save_palette
    from napari_colorkde.io.provenance import provenance

    with timed_step(f"Writing {output}") as work:
        record = provenance(command, images=[str(path) for path in files])
        save_palette(output, palette, description=record)
        work.outcome = f"{len(palette)} colors, {palette.n_pixels} pixels"
