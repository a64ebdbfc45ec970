"""Writing the density that is shown to a file: a pure generator, like those of `compute.py`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_colorkde.app.density.class_query import class_map
from napari_colorkde.app.density.compute import ColorValues
from napari_colorkde.app.image.pixel_index import PixelIndex
from napari_colorkde.app.jobs import Progress


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
    colormap: Any
    limits: tuple[float, float] | None
    description: dict[str, Any]


def export(request: ExportRequest) -> Iterator[Progress | Path]:
    """Paint the densities on the image and write them; yields the path at the end."""
    from napari_colorkde.io.class_maps import write_class_map
    from napari_colorkde.io.densities import write_density

    index, values = request.index, request.densities.values
    query = request.densities.request.query
    painted = np.empty(index.shape, np.float64 if values.dtype == np.float64 else np.float32)
    table = np.concatenate([[np.nan], values]).astype(painted.dtype)
    for done in index.paint(table, painted):
        yield Progress("painting the density", 0.5 * done)
    if query is not None and query.show == "class":
        write_class_map(
            request.path,
            class_map(painted),
            query.names,
            description=request.description,
        )
    else:
        write_density(
            request.path,
            painted,
            log=request.densities.log,
            description=request.description,
            colormap=request.colormap,
            contrast_limits=request.limits,
        )
    yield request.path
