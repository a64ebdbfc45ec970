"""Per-pixel results that a session can write, and what each file will contain."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.callback_progress import told_progress
from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.classification.threshold import above_threshold, active_threshold
from napari_colorkde.app.density.class_query import ClassQuery, resolve_classes
from napari_colorkde.app.density.density_steps import color_values, evaluate_kernels
from napari_colorkde.app.density.export import (
    density_origin,
    paint_and_write,
    written_from,
)
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.image.pixels.pixel_blocks import painted_in_blocks
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.class_settings import OVERLAY_VALUES
from napari_colorkde.io.class_maps import write_class_map
from napari_colorkde.io.export_formats import density_suffixes

PICTURE_FRACTION = 0.4
"""About what is left of a colored picture when it is compressed."""

Write = Callable[[Path], Iterator[Progress]]


@dataclass(frozen=True, eq=False)
class ExportItem:
    """A file that can be written.

    Attributes
    ----------
    title
        What it holds, for people.
    stem
        Its name without a suffix.
    suffixes
        Of the formats that hold it; the first is the usual one.
    sizes
        About how many bytes it has, by suffix; "" for all others.
    write
        Writes it, in the background.
    """

    title: str
    stem: str
    suffixes: tuple[str, ...]
    sizes: Mapping[str, float]
    write: Write = field(repr=False)

    def size(self, suffix: str) -> int:
        """Return about how many bytes the file has."""
        return round(self.sizes.get(suffix, self.sizes[""]))


def pixel_items(
    session: Session,
    stem: str,
    index: PixelIndex,
    densities: ColorValues,
    limits: tuple[float, float] | None,
) -> list[ExportItem]:
    """Return what has a number for each pixel: what is shown, classes, marked pixels."""
    state, query = session.state, densities.request.query
    what = "density" if query is None else query.show
    items = [
        _painted_item(session, f"{stem}_{what}", OVERLAY_VALUES[what], index, densities, limits),
    ]
    classes = resolve_classes(state)
    n_channels = densities.request.palette.n_channels
    if (
        classes is not None
        and len(classes.names) > 1
        and what != "class"
        and classes.kernels.n_channels == n_channels
    ):
        items.append(_classes_item(session, stem, index, densities, classes))
    threshold = active_threshold(densities, state)
    if threshold is not None and state.classification.show_mask:
        name = "dense" if query is None else query.cls
        marked = above_threshold(densities, threshold)

        def write_mask(path: Path) -> Iterator[Progress]:
            blocks = painted_in_blocks(index, marked, np.uint8, nothing=0)
            if blocks is not None:
                mask, sources = blocks, written_from(index.source, path)
                yield from told_progress(
                    f"writing {path.name}",
                    lambda tell: write_class_map(
                        path, mask, [name], sources=sources, progress=tell
                    ),
                )
                return
            labels = np.zeros(index.frame_shape, np.uint8)
            for done in index.paint(marked, labels, nothing=0):
                yield Progress("painting the labels", done)
            write_class_map(path, labels, [name])

        items.append(
            ExportItem(
                f"marked pixels ({name})",
                f"{stem}_mask",
                _picture_suffixes(index),
                _pixel_sizes(index, 1),
                write_mask,
            )
        )
    return items


def _painted_item(
    session: Session,
    stem: str,
    title: str,
    index: PixelIndex,
    densities: ColorValues,
    limits: tuple[float, float] | None,
) -> ExportItem:
    source, state, estimate = session.source, session.state, session.estimate
    sigmas = None if estimate is None else estimate.sigmas
    origin = density_origin(source or index.source, state, densities, sigmas)
    query = densities.request.query
    n_bytes = 1 if query is not None and query.show == "class" else 4

    def write(path: Path) -> Iterator[Progress]:
        yield from paint_and_write(path, index, densities, origin, state.colormap, limits)

    return ExportItem(title, stem, _picture_suffixes(index), _pixel_sizes(index, n_bytes), write)


def _classes_item(
    session: Session, stem: str, index: PixelIndex, densities: ColorValues, classes: ClassQuery
) -> ExportItem:
    query = replace(classes, classification=classes.classification.replace(show="class"))
    request = replace(densities.request, kernels=query.kernels, query=query)
    source, state = session.source or index.source, session.state

    def write(path: Path) -> Iterator[Progress]:
        yield Progress("classifying")
        found = color_values(request, evaluate_kernels(request), True, 0.0)
        origin = density_origin(source, state, found, None)
        yield from paint_and_write(path, index, found, origin, state.colormap, None)

    return ExportItem(
        OVERLAY_VALUES["class"],
        f"{stem}_class",
        _picture_suffixes(index),
        _pixel_sizes(index, 1),
        write,
    )


def labels_item(stem: str, name: str, labels: NDArray[np.integer[Any]]) -> ExportItem:
    """Return a Labels layer as a file."""

    def write(path: Path) -> Iterator[Progress]:
        yield Progress("writing labels")
        array, most = np.asarray(labels), int(np.max(labels, initial=0))
        if most > np.iinfo(np.uint16).max or int(np.min(labels, initial=0)) < 0:
            raise ValueError(
                f"the labels {name!r} go up to {most}; files of labels hold numbers from 0 to "
                "65535."
            )
        numbers = array.astype(np.min_scalar_type(most))
        write_class_map(path, numbers, [str(n + 1) for n in range(most)])

    suffixes = (".tif", ".npy", ".npz", *((".png",) if labels.ndim == 2 else ()))
    sizes = {"": float(labels.size), ".png": 0.1 * labels.size}
    return ExportItem(f"labels {name}", stem, suffixes, sizes, write)


def _picture_suffixes(index: PixelIndex) -> tuple[str, ...]:
    is_picture = len(index.frame_shape) == 2
    return tuple(s for s in density_suffixes() if s != ".png" or is_picture)


def _pixel_sizes(index: PixelIndex, n_bytes: int) -> dict[str, float]:
    n_pixels = float(np.prod(index.frame_shape, dtype=np.int64))
    whole = n_bytes * n_pixels
    picture = PICTURE_FRACTION * n_pixels * (3 if n_bytes > 1 else 0.3)
    return {"": whole, ".png": picture, ".zarr": 0.8 * whole, ".ome.tif": whole}
