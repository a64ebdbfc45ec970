"""A picture that stays fitted to its window while docks take room from it."""

from typing import TYPE_CHECKING

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from napari import Viewer

CameraState = tuple[float, ...]
"""Zoom, center and angles."""

LIKE_FITTED = 0.2
"""Most that the logarithm of a zoom differs from that of a fitted view."""


class FittedView(QObject):
    """Fits the view anew when its canvas changes size, until the user has moved or zoomed it.

    Parameters
    ----------
    viewer
        Whose view is fitted now.
    window
        Its window.
    """

    def __init__(self, viewer: "Viewer", window: QMainWindow) -> None:
        super().__init__(window)
        self._viewer = viewer
        self._fitted = _camera(viewer)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._on_later)
        self._canvas = window.centralWidget()
        if self._canvas is not None:
            self._canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """See the canvas change size; hold nothing back."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self.fit_soon()  # napari hears of it only now
        return False

    def fit_soon(self) -> None:
        """Fit the view to the canvas as it is when Qt has laid out its window."""
        self._later.start()

    def close(self) -> None:
        """Leave the view alone. May be called twice."""
        if self._canvas is None:
            return
        self._later.stop()
        if isalive(self._canvas):
            self._canvas.removeEventFilter(self)
        self._canvas = None
        self.setParent(None)
        self.deleteLater()

    def _on_later(self) -> None:
        if not np.allclose(_camera(self._viewer), self._fitted):
            self.close()
            return
        self._viewer.reset_view()
        self._fitted = _camera(self._viewer)


def is_fitted(viewer: "Viewer") -> bool:
    """Whether a view of planes is about as napari fits it: nobody has moved or zoomed it.

    Only about, as the controls of the first layer take room from the view that was fitted to it.
    """
    if not viewer.layers or viewer.dims.ndisplay == 3:
        return False
    camera, before = viewer.scene.camera, _camera(viewer)
    zoom, center = camera.zoom, camera.center
    with camera.events.blocker_all():
        viewer.reset_view()
        fitted = _camera(viewer)
        camera.zoom, camera.center = zoom, center
    return np.allclose(before[1:], fitted[1:]) and abs(np.log(before[0] / fitted[0])) < LIKE_FITTED


def keep_fitted(viewer: "Viewer", window: QMainWindow) -> None:
    """Fit a view anew when docks have taken room from it; what already does so goes on."""
    if window.findChild(FittedView) is None:
        FittedView(viewer, window).fit_soon()


def _camera(viewer: "Viewer") -> CameraState:
    camera = viewer.scene.camera
    return (float(camera.zoom), *map(float, camera.center), *map(float, camera.angles))
