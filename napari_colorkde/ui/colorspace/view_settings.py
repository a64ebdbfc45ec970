"""Keeps how the color space is looked at: the session remembers what the view has, and back."""

from dataclasses import replace
from typing import Any

from napari_colorkde.app.session import Session
from napari_colorkde.app.view_settings import ViewSettings
from napari_colorkde.ui.colorspace.menu import ColorSpaceMenu
from napari_colorkde.ui.colorspace.toolbar import ColorSpaceToolbar


class LookKeeper:
    """Ties the choices of one view to those that outlive it.

    Parameters
    ----------
    session
        Its look is shown at once and whenever it is set; what the user chooses becomes its look.
    canvas
        A `napari_colorkde.scene.canvas.ColorSpaceCanvas`, which knows the viewpoint.
    controls, menu
        Which know all else, and have their effect on the canvas themselves.
    """

    def __init__(
        self, session: Session, canvas: Any, controls: ColorSpaceToolbar, menu: ColorSpaceMenu
    ) -> None:
        self._session, self._canvas = session, canvas
        self._controls, self._menu = controls, menu
        self._due: tuple[float, ...] | None = None
        self._showing = False
        self._show(session.view)
        for widget in (controls.mode, controls.scale, controls.exposure, controls.density_floor):
            widget.changed.connect(self._note)
        menu.changed.connect(self._note)
        canvas.on_idle = self._note
        session.view_changed.connect(self._show)
        session.idle.connect(self._on_settled)

    def close(self) -> None:
        """Let go of all of them; the session keeps the look."""
        self._session.view_changed.disconnect(self._show)
        self._session.idle.disconnect(self._on_settled)
        self._canvas.on_idle = None
        # A view that turns by itself has not come to rest. The widgets may be gone by now.
        self._session.view = replace(self._session.view, viewpoint=self._canvas.viewpoint)
        self._canvas = None

    @property
    def look(self) -> ViewSettings:
        """What the view shows."""
        chosen = {**self._controls.choices, **self._menu.choices}
        return ViewSettings(**chosen, viewpoint=self._canvas.viewpoint)

    def on_new_box(self) -> None:
        """Go to the viewpoint that waited for what is shown now, which has reset the view."""
        if self._due is not None:
            self._canvas.viewpoint, self._due = self._due, None

    # --- within

    def _show(self, look: ViewSettings) -> None:
        if look == self.look:
            return
        self._showing = True
        self._controls.show_look(look)
        self._menu.show_look(look)
        self._canvas.viewpoint = look.viewpoint
        if self._session.estimate is None or self._session.busy:
            # What is about to come may be of another space, and reset the view.
            self._due = look.viewpoint
        self._showing = False

    def _note(self, *args: Any) -> None:
        if not self._showing:
            self._session.view = self.look

    def _on_settled(self) -> None:
        self._due = None
