"""A picture that stays fitted to its window while docks take room from it."""

from typing import TYPE_CHECKING

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from napari import Viewer

CameraState = tuple[float, ...]


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
        self._fitted = self._camera()
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
            self._later.start()  # napari hears of it only now
        return False

    def close(self) -> None:
        """Leave the view alone. May be called twice."""
        self._later.stop()
        if self._canvas is not None and isalive(self._canvas):
            self._canvas.removeEventFilter(self)
        self._canvas = None

    def _on_later(self) -> None:
        if not np.allclose(self._camera(), self._fitted):
            self.close()
            return
        self._viewer.reset_view()
        self._fitted = self._camera()

    def _camera(self) -> CameraState:
        camera = self._viewer.scene.camera
        return (float(camera.zoom), *map(float, camera.center), *map(float, camera.angles))
