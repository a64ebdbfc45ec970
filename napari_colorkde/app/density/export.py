"""Writing the density shown to a file, with a record of how to reproduce it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_colorkde.app.background.callback_progress import Tell, told_progress
from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.background.reports import Reports
from napari_colorkde.app.density.class_query import class_map
from napari_colorkde.app.density.computation import Computation
from napari_colorkde.app.density.open_image import OpenImage
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.image.file_reading import reading_of
from napari_colorkde.app.image.pixels.pixel_blocks import painted_in_blocks
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.state import State
from napari_colorkde.app.state_store import StateStore
from napari_colorkde.core.checks.arguments import Keywords
from napari_colorkde.core.kde.estimators.choose import estimator_facts
from napari_colorkde.core.palette.image_tiles import is_dask
from napari_colorkde.io.export_formats import check_export
from napari_colorkde.io.formats.addresses import Address, path_or_address
from napari_colorkde.io.formats.blocks import no_progress
from napari_colorkde.io.formats.resumable import discard_unfinished
from napari_colorkde.io.provenance import provenance


@dataclass(frozen=True, eq=False)
class ExportRequest:
    """A density to be written to a file.

    Attributes
    ----------
    path
        Where; its suffix names the format.
    densities
        The exact ones that are shown.
    colormap, limits
        For a picture.
    description
        How to get it again.
    """

    path: Path
    index: PixelIndex = field(repr=False)
    densities: ColorValues
    colormap: str | NDArray[Any]
    limits: tuple[float, float] | None
    description: dict[str, object]


def export(request: ExportRequest) -> Iterator[Progress | Path]:
    """Paint the densities on the image and write them; yields the path at the end."""
    yield from paint_and_write(
        request.path,
        request.index,
        request.densities,
        request.description,
        request.colormap,
        request.limits,
    )
    yield request.path


def paint_and_write(
    path: Path,
    index: PixelIndex,
    densities: ColorValues,
    description: Mapping[str, object],
    colormap: str | NDArray[Any],
    limits: tuple[float, float] | None,
) -> Iterator[Progress]:
    """Paint values on the image and write them; of a slide block by block.

    Raises
    ------
    ValueError, OSError
        If the file cannot be written.
    """
    dtype = painted_dtype(densities)
    blocks = painted_in_blocks(index, densities.values, dtype)
    if blocks is None:
        painted = np.empty(index.frame_shape, dtype)
        for done in index.paint(densities.values, painted):
            yield Progress("painting the density", 0.5 * done)
        write_painted(path, painted, densities, description, colormap, limits)
        return
    values = cast("NDArray[Any]", blocks)
    sources = written_from(index.source, path)
    yield from told_progress(
        f"writing {path.name}",
        lambda tell: write_painted(
            path, values, densities, description, colormap, limits, sources=sources, progress=tell
        ),
    )


def written_from(source: ImageSource, path: Path) -> Sequence[Path]:
    """Return the files by which writing is known again, to be gone on with after it was stopped.

    Where there are none, as the layer is not what its file holds, what another run has left of the
    target is removed.
    """
    path_of_it = path_or_address(source.path) if source.path else None
    if path_of_it is not None and is_dask(source.array):
        is_there = path_of_it.exists() or isinstance(path_of_it, Address)
        if is_there and reading_of(source) is not None:
            return (path_of_it,)
    discard_unfinished(path)
    return ()


def painted_dtype(densities: ColorValues) -> type[np.floating[Any]]:
    """Return the type of the array that values are painted into."""
    return np.float64 if densities.values.dtype == np.float64 else np.float32


def write_painted(
    path: Path,
    painted: NDArray[Any],
    densities: ColorValues,
    description: Mapping[str, object],
    colormap: str | NDArray[Any],
    limits: tuple[float, float] | None,
    *,
    sources: Sequence[Path] = (),
    progress: Tell = no_progress,
) -> None:
    """Write painted values: as classes where these are shown, else as a density.

    Those of a dask array block by block; then `sources` and `progress` are as in `write_density`.

    Raises
    ------
    ValueError, OSError
        If the file cannot be written.
    """
    from napari_colorkde.io.class_maps import write_class_map
    from napari_colorkde.io.densities import write_density

    query = densities.request.query
    if query is not None and query.show == "class":
        write_class_map(
            path,
            class_map(painted, len(query.names)),
            query.names,
            description=description,
            sources=sources,
            progress=progress,
        )
        return
    write_density(
        path,
        painted,
        log=densities.log,
        description=description,
        colormap=colormap,
        contrast_limits=limits,
        sources=sources,
        progress=progress,
    )


def density_origin(
    source: ImageSource, state: State, densities: ColorValues, sigmas: Sequence[float] | None
) -> dict[str, object]:
    """Say how to get densities again: for files that are written.

    Parameters
    ----------
    sigmas
        Standard deviations of the kernels, in units of the space; None where they are not known.
    """
    facts: Keywords = {"image": source.path or source.name}
    if state.channels is not None:
        facts["channels"] = state.channels.label
    if frame := source.frame(state.channels or source.choices[0]):
        facts["frame"] = list(frame)
    request = densities.request
    kernels, query = request.kernels, request.query
    if kernels is not None:
        if query is not None:
            return provenance(**facts, **query.metadata)
        facts["kernel set"] = state.kernel_set
        facts["kernels"] = [
            {"mean": k.mean, "covariance": k.covariance, "weight": k.weight} for k in kernels
        ]
    elif sigmas is not None:
        facts["space"] = request.space
        facts["bandwidth"] = sigmas
        facts |= estimator_facts(request.boundary, request.varying)
        if isinstance(request.bandwidth, str):
            facts["bandwidth rule"] = request.bandwidth
    return provenance(**facts, log=request.log)


class Exporter:
    """Writes what a computation shows, in the background, one file after the other.

    Parameters
    ----------
    store, image, computation
        What is chosen, for which image, and what has come of it.
    jobs
        Where the work is done: in the lane "export".
    reports
        Hears of progress and failures.
    """

    exported = Signal(Path)

    def __init__(
        self,
        store: StateStore,
        image: OpenImage,
        computation: Computation,
        jobs: Jobs,
        reports: Reports,
    ) -> None:
        self._store, self._image, self._computation = store, image, computation
        self._jobs, self._reports = jobs, reports

    def export(
        self,
        path: str | Path,
        *,
        colormap: str | NDArray[Any] | None = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Write the density that is shown to a file, once it is exact.

        Parameters
        ----------
        path
            Where; the suffix says the format.
        colormap, limits
            Of a picture; None: those of the overlay.
        """
        target = check_export(path)
        self._reports.forget_task()
        self._computation.when_ready(lambda: self._start(target, colormap, limits))

    def description(self) -> dict[str, object]:
        """Return how to get the density that is shown again: for files that are written."""
        state, source = self._store.state, self._image.source
        densities, estimate = self._computation.densities, self._computation.estimate
        if source is None or densities is None:
            return provenance()
        return density_origin(
            source, state, densities, None if estimate is None else estimate.sigmas
        )

    def _start(
        self,
        target: Path,
        colormap: str | NDArray[Any] | None,
        limits: tuple[float, float] | None,
    ) -> None:
        densities, index = self._computation.densities, self._image.index
        if densities is None or index is None:
            return
        colors = self._store.state.colormap if colormap is None else colormap
        request = ExportRequest(target, index, densities, colors, limits, self.description())
        self._jobs.submit(
            "export", lambda: export(request), self._on_result, self._reports.end_task, keep=True
        )

    def _on_result(self, result: Progress | Path) -> None:
        if isinstance(result, Progress):
            self._reports.progressed.emit(result)
        else:
            self.exported.emit(result)
