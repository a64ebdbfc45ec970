"""Everything in a session as files: what there is, how large it will be, and writing it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.export import density_origin
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import file_stem
from napari_colorkde.app.results.export_pixels import (
    ExportItem,
    labels_item,
    pixel_items,
)
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.app.session import Session
from napari_colorkde.app.session_file import state_to_json
from napari_colorkde.core.csv_and_frames import csv_of_rows
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.io.csv_files import write_rows
from napari_colorkde.io.export_formats import suffixes_for_volume
from napari_colorkde.io.kernels.kernel_files import save_kernels
from napari_colorkde.io.palettes import save_palette
from napari_colorkde.io.volumes import save_volume
from napari_colorkde.io.writers.atomic import atomic_files

KERNEL_BYTES = 400
"""About what a kernel takes in a file."""


def export_items(
    session: Session,
    table: ResultsTable,
    labels: Mapping[str, NDArray[np.integer[Any]]] | None = None,
    limits: tuple[float, float] | None = None,
) -> list[ExportItem]:
    """Return all that a session has to write, in the order in which it is offered.

    Parameters
    ----------
    session
        Whose image is shown, exactly.
    table
        The table of results.
    labels
        Labels layers of the image's shape, by name.
    limits
        Contrast limits of the overlay, for pictures.
    """
    items: list[ExportItem] = []
    source, index, densities = session.source, session.index, session.densities
    state = session.state
    stem = "session" if source is None else file_stem(source.name)
    if source is not None and index is not None and densities is not None:
        estimate = session.estimate
        sigmas = None if estimate is None else estimate.sigmas
        items += pixel_items(session, stem, index, densities, limits)
        if estimate is not None:
            volume, origin = estimate.volume, density_origin(source, state, densities, sigmas)
            if estimate.coordinates.projection is not None and session.channels is not None:
                origin["axes"] = list(estimate.coordinates.names(session.channels))

            def write_it(path: Path) -> Iterator[Progress]:
                yield Progress("writing the volume")
                save_volume(path, volume, description=origin)

            sizes = {"": volume.values.nbytes, ".cube": 27 * volume.values.size, ".ply": 5e6}
            items.append(
                ExportItem("volume", f"{stem}_volume", _volume_suffixes(volume), sizes, write_it)
            )
        items.append(_palette_item(stem, index, density_origin(source, state, densities, sigmas)))
    for name, array in (labels or {}).items():
        items.append(labels_item(f"{stem}_{file_stem(name)}", name, array))
    if state.kernel_sets:
        sets = dict(state.kernel_sets)

        def write_sets(path: Path) -> Iterator[Progress]:
            yield Progress("writing the kernels")
            save_kernels(path, sets)

        n_kernels = sum(map(len, sets.values()))
        sizes = {"": 200 + KERNEL_BYTES * n_kernels}
        items.append(ExportItem("kernels", f"{stem}_kernels", (".json", ".csv"), sizes, write_sets))
    if rows := table.rows:

        def write_table(path: Path) -> Iterator[Progress]:
            yield Progress("writing the table")
            write_rows(path, rows)

        sizes = {"": len(csv_of_rows(rows).encode())}
        items.append(ExportItem("results", "results", (".csv",), sizes, write_table))
    text = state_to_json(state, session.view, table.rows)

    def write_session(path: Path) -> Iterator[Progress]:
        yield Progress("writing the settings")
        path.write_text(text, encoding="utf-8", newline="\n")

    sizes = {"": len(text.encode())}
    items.append(
        ExportItem("settings", f"{stem}_settings", (".session.json",), sizes, write_session)
    )
    return items


def write_everything(
    chosen: Sequence[tuple[ExportItem, str]], folder: Path
) -> Iterator[Progress | Path]:
    """Write files, all of them or none; yields the folder at the end.

    Parameters
    ----------
    chosen
        What is written, and the name of its file.
    folder
        Where.

    Raises
    ------
    ValueError, OSError
        If one cannot be written; the folder is then as it was before.
    """
    names = [name for _, name in chosen]
    with atomic_files(folder, names) as scratch:
        for number, (item, name) in enumerate(chosen):
            for step in item.write(scratch / name):
                part = 0.0 if step.fraction is None else step.fraction
                yield Progress(f"exporting {item.title}", (number + part) / len(chosen))
    yield folder


def _palette_item(stem: str, index: PixelIndex, origin: Mapping[str, object]) -> ExportItem:
    palette = index.palette
    facts = {name: origin[name] for name in ("software", "image", "channels") if name in origin}

    def write(path: Path) -> Iterator[Progress]:
        yield Progress("writing the palette")
        save_palette(path, palette, description=facts)

    sizes = {"": float(palette.colors.nbytes + palette.counts.nbytes + 1000)}
    return ExportItem("palette", f"{stem}_palette", (".npz",), sizes, write)


def _volume_suffixes(volume: DensityVolume) -> tuple[str, ...]:
    """Return the suffixes for a volume, first the one that keeps everything."""
    return (".npz", *(s for s in suffixes_for_volume(volume) if s != ".npz"))
