"""A canvas that is turned: its viewpoint, its projection, and turning without end."""

from napari_colorkde.scene.base_canvas import BaseCanvas
from napari_colorkde.scene.input.motion import AutoRotation
from napari_colorkde.scene.theme import Theme


class TurntableCanvas(BaseCanvas):
    """A canvas whose camera is moved by scripts and menus as well as by the mouse.

    Parameters
    ----------
    theme : str or Theme
        "gray", "dark", "light", or one's own.
    """

    def __init__(self, theme: str | Theme = "dark") -> None:
        super().__init__(theme)
        self._rotation = AutoRotation(self.rotate)

    def reset_camera(self) -> None:
        """Go back to the first view."""
        self.camera.reset()
        self.draw_fast()

    @property
    def viewpoint(self) -> tuple[float, ...] | None:
        """Where it is looked from, see `FittedCamera.viewpoint`; None: the first view."""
        return self.camera.viewpoint

    @viewpoint.setter
    def viewpoint(self, viewpoint: tuple[float, ...] | None) -> None:
        self.camera.viewpoint = viewpoint
        self.draw_fast()

    @property
    def perspective(self) -> bool:
        """Whether the projection is perspective, not orthographic."""
        return self.camera.perspective

    @perspective.setter
    def perspective(self, on: bool) -> None:
        self.camera.perspective = on
        self._canvas.update()

    @property
    def auto_rotate(self) -> bool:
        """Whether the view turns by itself."""
        return self._rotation.is_on

    @auto_rotate.setter
    def auto_rotate(self, on: bool) -> None:
        self._rotation.is_on = on and not self._closed

    def rotate(self, azimuth: float, elevation: float = 0.0) -> None:
        """Rotate the view by degrees, to the right and upwards."""
        self.camera.orbit(azimuth, elevation)
        self.draw_fast()

    def close(self) -> None:
        """Release everything and delete the widget. May be called twice."""
        if not self._closed:
            self._rotation.close()
        super().close()
