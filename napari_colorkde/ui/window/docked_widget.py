"""A widget in its dock: what it needs of the window, and how it hears that both are closed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import SignalInstance
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_colorkde.app.session import Session
from napari_colorkde.ui.window.dock_cleanup import CloseWatcher, TitleOverride, close_at_exit
from napari_colorkde.ui.window.gl_context import CurrentContext
from napari_colorkde.ui.window.undo_keys import UndoKeys

if TYPE_CHECKING:
    from napari import Viewer


class Docked:
    """Keeps a dock's title, and says when the dock or the window is closed.

    Parameters
    ----------
    dock, window
        Where the widget is.
    title
        Of the dock.
    on_window_closing, on_dock_closed
        The dock's ✕ orphans the widget and deletes the dock; a window takes both with it.
    """

    def __init__(
        self,
        dock: QDockWidget,
        window: QMainWindow,
        title: str,
        on_window_closing: Callable[[], None],
        on_dock_closed: Callable[..., None],
    ) -> None:
        self.dock, self._window, self._on_dock_closed = dock, window, on_dock_closed
        self._watcher = CloseWatcher(window, on_window_closing)
        dock.destroyed.connect(on_dock_closed)
        close_at_exit(window, on_window_closing)
        TitleOverride(dock, title)
        self._context: CurrentContext | None = None
        self._keys: UndoKeys | None = None

    def serve(self, viewer: "Viewer", session: Session, picking: SignalInstance) -> None:
        """Keep the viewer's context current, and undo by keys; `picking` says whose these are."""
        self._context = CurrentContext(viewer, self._window)
        self._keys = UndoKeys(self._window, viewer, session)
        picking.connect(self._keys.set_picking)

    def leave_dock(self) -> None:
        """Let go of the dock, which the window takes along."""
        self.dock.destroyed.disconnect(self._on_dock_closed)

    def close(self) -> None:
        """Let go of the window."""
        if self._context is not None:
            self._context.close()
        if self._keys is not None:
            self._keys.close()
            self._keys = None
        self._watcher.close()
