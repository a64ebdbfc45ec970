"""Which controls of the color space have an effect now; the others are gray and say why."""

from napari_colorkde.app.session import Session
from napari_colorkde.ui.colorspace.menus.menu import ColorSpaceMenu
from napari_colorkde.ui.colorspace.toolbar import ColorSpaceToolbar

NO_COUNTS = "Not available while a difference is shown: counts belong to a single image."
NO_DEPTH = "Available for images with three color channels."
NO_SCALE = "Available while densities are shown; counts have no opacity."
NO_SHELLS = "Available in shells mode, for images with three color channels."
NO_MARGINALS = "Not available while a difference is shown: marginals belong to a single image."


class AvailableControls:
    """Enables what applies to what is shown.

    Parameters
    ----------
    session
        What is shown.
    controls, menu
        What is enabled.
    """

    def __init__(self, session: Session, controls: ColorSpaceToolbar, menu: ColorSpaceMenu) -> None:
        self._session, self._controls, self._menu = session, controls, menu

    def show_for(self, *, signed: bool, n_channels: int) -> None:
        """Enable what a density has and a difference has not, and a cube and nothing flat."""
        flat = "" if n_channels == 3 else NO_DEPTH
        self._controls.set_counts_enabled(NO_COUNTS if signed else "")
        if signed and self._session.view.mode == "points":
            self._session.set_view(mode="cloud")
        self._controls.set_depth_enabled(flat)
        self._menu.set_marginals_enabled(flat or (NO_MARGINALS if signed else ""))
        self._menu.set_depth_enabled(flat)
        self.show()

    def show(self) -> None:
        """Enable what has an effect in the mode that is chosen."""
        view, estimate = self._session.view, self._session.estimate
        n_channels = 3 if estimate is None else estimate.volume.values.ndim
        # The curve of one channel stays above its counts, and marginals beside them.
        has_density = n_channels == 1 or (n_channels == 3 and view.marginals)
        self._controls.set_scales_enabled("" if view.mode != "points" or has_density else NO_SCALE)
        has_shells = view.mode == "shells" and n_channels == 3
        self._menu.set_shells_enabled("" if has_shells else NO_SHELLS)

    def show_spaces(self) -> None:
        """Enable the color spaces that the image has."""
        self._controls.set_spaces_enabled(self._session.space_obstacle())
