"""Keeps a canvas and the session's view settings in sync, including the viewpoint."""

from collections.abc import Callable

from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.connections import Connections
from napari_colorkde.scene.canvas import ColorSpaceCanvas


class CanvasSettings:
    """Shows the view settings of a session on a canvas.

    The session is told the viewpoint when the canvas has come to rest, and when it is left.

    Parameters
    ----------
    session
        Whose view settings are shown, at once and whenever they change.
    canvas
        A new one.
    """

    def __init__(self, session: Session, canvas: ColorSpaceCanvas) -> None:
        self._session, self._canvas = session, canvas
        self._due: tuple[float, ...] | None = None
        # As a new canvas is.
        self._shown = ViewSettings(background=session.view.background)
        self._on_view(session.view)
        self._connections = Connections()
        self._connections.add(session.view_changed, self._on_view)
        self._connections.add(session.idle, self._on_session_idle)
        self._connections.add(canvas.idle, self._on_canvas_idle)

    def close(self) -> None:
        """Let go of both; the session keeps the settings."""
        self._connections.close()
        # A view that turns by itself has not come to rest.
        self._session.set_view(viewpoint=self._canvas.viewpoint)

    def on_new_volume(self, *, is_of_another: bool) -> None:
        """Cut at the same place of the axes, whatever they are by now.

        The volume of another image or space has reset the camera: it goes to the viewpoint that
        waited for it.
        """
        if is_of_another and self._due is not None:
            self._canvas.viewpoint, self._due = self._due, None
        self._show_cut()

    def _on_view(self, view: ViewSettings) -> None:
        canvas, before = self._canvas, self._shown
        self._shown = view
        setters: dict[str, Callable[[ViewSettings], None]] = {
            "mode": lambda view: canvas.set_mode(view.mode),
            "scale": lambda view: canvas.set_scale(view.scale),
            "exposure": lambda view: canvas.set_exposure(view.exposure),
            "density_floor": lambda view: canvas.set_density_floor(view.density_floor),
            "marginals": lambda view: canvas.show_marginals(view.marginals),
            "legend": lambda view: canvas.set_legend(view.legend),
            "background": lambda view: canvas.set_theme(view.background),
            "shells": lambda view: canvas.set_shells(view.shells),
        }
        for name, show in setters.items():
            if getattr(view, name) != getattr(before, name):
                show(view)
        if view.perspective != before.perspective:
            canvas.perspective = view.perspective
        if view.auto_rotate != before.auto_rotate:
            canvas.auto_rotate = view.auto_rotate
        if (view.cut, view.cut_at) != (before.cut, before.cut_at):
            self._show_cut()
        if view.viewpoint not in (before.viewpoint, canvas.viewpoint):
            canvas.viewpoint = view.viewpoint
            if self._session.estimate is None or self._session.busy:
                # What is about to come may be of another space, and reset the camera.
                self._due = view.viewpoint

    def _show_cut(self) -> None:
        channel = self._session.view.cut
        if channel is None:
            self._canvas.set_cut(None)
            return
        through = self._canvas.color_within([self._session.view.cut_at] * 3)
        if through is not None and len(through) == 3:
            self._canvas.set_cut([float(c == channel) for c in range(3)], through)

    def _on_canvas_idle(self) -> None:
        self._session.set_view(viewpoint=self._canvas.viewpoint)

    def _on_session_idle(self) -> None:
        self._due = None
