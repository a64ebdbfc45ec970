"""A Labels layer from what is shown: from the pixels above the threshold, or the classes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.classification.threshold import above_threshold, active_threshold
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.layers.mask_layer import add_labels, paint_labels
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.layers.overlay_colormap import class_color
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State

if TYPE_CHECKING:
    from napari import Viewer
    from napari.utils.colormaps import DirectLabelColormap

MAX_CLASSES = 255


@dataclass(frozen=True, eq=False)
class _LabelsRequest:
    """Numbers of palette entries, and what the layer is called and looks like."""

    values: NDArray[np.generic]
    suffix: str
    options: dict[str, object] = field(default_factory=dict)


def make_labels(
    viewer: "Viewer", session: Session, overlay: Overlay, on_end: Callable[[str | None], None]
) -> None:
    """Add a Labels layer of what is shown, painted in the background.

    Parameters
    ----------
    viewer
        Gets the layer.
    session, overlay
        What is shown, and where.
    on_end
        Is given the sentence with which it failed, or None.

    Raises
    ------
    ValueError
        If there is nothing to make labels of.
    """
    densities, index, image = session.densities, session.index, overlay.image
    if densities is None or index is None or image is None or index.is_preview:
        raise ValueError(
            "there is nothing to make labels from yet; wait until the overlay is shown."
        )
    if not densities.is_exact:
        raise ValueError("the overlay is still a preview; wait until it is exact.")
    request = _request(densities, session.state)
    if request.values.max(initial=0) > MAX_CLASSES:
        raise ValueError(
            f"a Labels layer holds up to {MAX_CLASSES} classes; give the kernels fewer classes."
        )
    name = f"{image.name} {request.suffix}"

    def done(labels: NDArray[np.uint8]) -> None:
        if overlay.image is image:
            add_labels(viewer, overlay, labels, name, **request.options)

    session.run("labels", lambda: paint_labels(index, request.values), done, on_end, keep=True)


def _request(densities: ColorValues, state: State) -> _LabelsRequest:
    query = densities.request.query
    if query is not None and query.show == "class":
        options: dict[str, object] = {
            "colormap": _class_colors(len(query.names)),
            "features": {"class": ["none", *query.names]},
        }
        return _LabelsRequest(np.nan_to_num(densities.values), "classes", options)
    threshold = active_threshold(densities, state)
    if threshold is None:
        raise ValueError("there is no threshold yet; wait until the overlay is shown.")
    suffix = "dense" if query is None else query.cls
    return _LabelsRequest(above_threshold(densities, threshold), suffix)


def _class_colors(n: int) -> "DirectLabelColormap":
    from napari.utils.colormaps import DirectLabelColormap

    colors: dict[int | None, tuple[float, ...]] = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0)}
    colors |= {number + 1: (*class_color(number), 1) for number in range(n)}
    return DirectLabelColormap(color_dict=colors)
