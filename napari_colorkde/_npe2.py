"""What the manifest `napari.yaml` points to: the dock widgets, a writer, sample images.

Imported by napari when it looks at the manifest's commands: Qt and torch are loaded only with the
widget.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorkde.app.image.file_as_layer import open_image_file
from napari_colorkde.io.densities import write_density
from napari_colorkde.io.images import read_image
from napari_colorkde.io.sample_data import sample_path
from napari_colorkde.io.writers.atomic import atomic_path
from napari_colorkde.napari_version import check_napari
from napari_colorkde.openmp import wait_without_spinning

if TYPE_CHECKING:
    from napari_colorkde.ui.dock import ColorKDEWidget
    from napari_colorkde.ui.results.panel import ResultsPanel

    make_dock_widget = ColorKDEWidget

LayerData = tuple[Any, dict[str, Any], str]


def __getattr__(name: str) -> Any:
    if name == "make_dock_widget":
        check_napari()
        wait_without_spinning()
        from napari_colorkde.ui.dock import ColorKDEWidget

        return ColorKDEWidget
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def make_results() -> "ResultsPanel":
    """Make the table of results of the viewer at hand."""
    from napari import current_viewer

    check_napari()
    wait_without_spinning()
    from napari_colorkde.ui.launcher import results_panel

    viewer = current_viewer()
    if viewer is None:
        raise RuntimeError("there is no viewer; open napari first.")
    return results_panel(viewer)


def sample_astronaut() -> list[LayerData]:
    """Open the astronaut."""
    return _sample("astronaut.png")


def sample_coffee() -> list[LayerData]:
    """Open the cup of coffee."""
    return _sample("coffee.png")


def sample_retina() -> list[LayerData]:
    """Open the retina."""
    return _sample("retina.jpg")


def get_reader(path: str | list[str]) -> Any:
    """Return what reads these files as layers, as the command line reads them; slides lazily."""
    return _read_layers


def _read_layers(path: str | list[str]) -> list[LayerData]:
    layers: list[LayerData] = []
    for name in [path] if isinstance(path, str) else path:
        opened = open_image_file(name)
        layers.append((opened.data, {"name": Path(name).stem, **opened.arguments}, "image"))
    return layers


def write_density_layer(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Write a density overlay at full resolution; any other image layer as napari would.

    npe2 may ask this writer first for any image layer with one of its suffixes, not only for ours.

    Parameters
    ----------
    path
        ``.tif``, ``.npy`` or ``.png``.
    data
        The layer's data; of a multiscale layer the finest level is written.
    attributes
        The layer's state, of which contrast limits and colormap matter for a picture.

    Returns
    -------
    list of str
        The path, if the file was written.

    Raises
    ------
    ValueError
        If the suffix is not known, or the file is open as a layer.
    """
    from napari.utils.colormaps import ensure_colormap
    from napari.utils.io import imsave

    from napari_colorkde.app.layers.mask_drawing import marked_pixels
    from napari_colorkde.app.layers.metadata import OverlayMetadata

    _refuse_open_file(path)
    mark = OverlayMetadata.of(attributes.get("metadata", {}))
    level = data[0] if attributes.get("multiscale") else data
    if mark is not None and mark.mask:
        # What is drawn may be an outline; what is meant are the marked pixels.
        level = marked_pixels(level)
    if mark is None or mark.mask or mark.voxels:
        image = np.asarray(level)
        if mark is not None and mark.voxels and mark.channel_axis is not None:
            image = image.take(0, axis=mark.channel_axis)
        with atomic_path(path) as scratch:
            if path.lower().endswith(".npy"):
                np.save(scratch, image)
            else:
                imsave(str(scratch), image)
        return [path]
    if (axis := mark.channel_axis) is not None:
        # Repeated along the image's channels; once is enough.
        level = level[(slice(None),) * axis + (0,)]
    if mark.classes:
        from napari_colorkde.app.density.class_query import class_map
        from napari_colorkde.io.class_maps import write_class_map

        write_class_map(path, class_map(np.asarray(level)), mark.classes, description=mark.origin)
        return [path]
    colors = attributes.get("colormap", "magma")
    limits = attributes.get("contrast_limits")
    write_density(
        path,
        np.asarray(level),
        log=mark.log,
        description=mark.origin,
        colormap=ensure_colormap(colors).map(np.linspace(0, 1, 256))[:, :3],
        contrast_limits=None if limits is None else (float(limits[0]), float(limits[1])),
    )
    return [path]


def _refuse_open_file(path: str) -> None:
    from napari import current_viewer

    viewer = current_viewer()
    if viewer is not None:
        from napari_colorkde.ui.window.open_files import refuse_open_file

        refuse_open_file(viewer, path)


def _sample(file_name: str) -> list[LayerData]:
    path = sample_path(file_name)
    return [(read_image(path), {"name": path.stem, "rgb": True}, "image")]
