"""The color of an ellipsoid: that of its mean, or of its kernel's class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.density.class_query import resolve_classes
from napari_colorkde.app.layers.overlay_colormap import class_color
from napari_colorkde.app.session import Session


def ellipsoid_colors(session: Session, shown: Sequence[int]) -> NDArray[np.float64] | None:
    """Return the colors of some kernels by class, or None where each has the color of its mean.

    Parameters
    ----------
    session
        Whose view settings say whether colors are by class, and whose state has the classes.
    shown
        Positions of the kernels in the chosen set.

    Returns
    -------
    (K, 3) array or None
        Red, green and blue from 0 to 1, one row per kernel; no row where there are no classes.
        None: the canvas knows the color of each mean in its color space
        (`napari_colorkde.scene.canvas.ColorSpaceCanvas.set_ellipsoids`).
    """
    if not session.view.by_class:
        return None
    state = session.state
    query, kernels = resolve_classes(state), state.kernels
    if query is None or kernels is None:
        return np.empty((0, 3))
    # A kernel without a class is of the class of its set.
    classes = [kernels[k].cls or state.kernel_set for k in shown]
    return np.array([class_color(query.names.index(str(cls))) for cls in classes])
