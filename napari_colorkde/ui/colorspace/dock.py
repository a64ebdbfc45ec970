"""The dock "Color space": opened above the plugin's own, shown again, and closed in order."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QObject, QPoint, QRect, Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_colorkde.app.kernels.picking import Picker
from napari_colorkde.app.layers.looks import Looks
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.ui.colorspace.base_view import BaseColorSpaceView
from napari_colorkde.ui.colorspace.color_space_links import ColorSpaceLinks
from napari_colorkde.ui.colorspace.view import ColorSpaceView, make_view
from napari_colorkde.ui.kernels.kernel_table_view import KernelTableView
from napari_colorkde.ui.window.dock_cleanup import delete_later, window_of
from napari_colorkde.ui.window.dock_column import Column
from napari_colorkde.ui.window.open_files import refuse_open_file

if TYPE_CHECKING:
    from napari import Viewer

TITLE = "Color space"
LARGE_FRACTION = 2 / 3
"""What it has of the screen, both ways, where it is shown large."""


class ColorSpaceDock(QObject):
    """Opens and closes the view of the color space, in a dock of its own.

    Parameters
    ----------
    viewer
        In whose window.
    session, overlay, table, picker, looks
        What the view is tied to.

    Attributes
    ----------
    view
        None while it is closed.
    links
        What ties it to all else; None while it is closed, and where it has no canvas.
    """

    failed = Signal(str, description="What the user asked for cannot be done; a sentence.")
    saved = Signal(Path, description="A picture of the view was written.")
    opened = Signal(QWidget, description="The view that was made; files can be dropped on it.")
    shown = Signal(bool, description="Whether the dock is on the screen.")

    def __init__(
        self,
        viewer: "Viewer",
        session: Session,
        overlay: Overlay,
        table: KernelTableView,
        picker: Picker,
        looks: Looks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._overlay = viewer, session, overlay
        self._table, self._picker, self._looks = table, picker, looks
        self._dock: QDockWidget | None = None
        self._column: Column | None = None
        self.view: BaseColorSpaceView | None = None
        self.links: ColorSpaceLinks | None = None

    def open_above(self, neighbor: QDockWidget) -> None:
        """Open the view above another dock, or bring it to the front."""
        window = window_of(neighbor)
        if self._dock is not None:
            self._dock.show()  # napari's titles have a sign that hides a dock, too
            self._dock.raise_()  # it may be one of several tabs
        elif window is not None:
            self._open(window, neighbor)

    def set_large(self, large: bool) -> None:
        """Show the view at two thirds of the screen, or where it was."""
        dock = self._dock
        if dock is None or large == dock.isFloating():
            return
        dock.setFloating(large)
        if large:
            free = dock.screen().availableGeometry()
            size = free.size() * LARGE_FRACTION
            dock.resize(size)
            dock.move(free.center() - QRect(QPoint(), size).center())
            dock.activateWindow()
        elif self._column is not None:
            self._column.arrange()
        if isinstance(self.view, ColorSpaceView) and self.view.canvas is not None:
            self.view.canvas.native.setFocus()

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        if self.view is not None:
            self.view.set_theme(theme)

    def leave_window(self) -> None:
        """Know that the window is closing: it takes the dock along."""
        dock, self._dock = self._dock, None
        if dock is not None:
            dock.destroyed.disconnect(self._on_gone)

    def close(self) -> None:
        """Close the view and its dock. May be called twice."""
        self._close_view()
        dock, self._dock = self._dock, None
        if dock is not None:
            dock.destroyed.disconnect(self._on_gone)
            self._viewer.window.remove_dock_widget(dock)

    def _open(self, window: QMainWindow, neighbor: QDockWidget) -> None:
        self.view = make_view(self._session, self._viewer.theme)
        left = window.dockWidgetArea(neighbor) == Qt.DockWidgetArea.LeftDockWidgetArea
        self._dock = dock = self._viewer.window.add_dock_widget(
            self.view, name=TITLE, area="left" if left else "right", add_vertical_stretch=False
        )
        self.view.saved.connect(self.saved)
        dock.toggleViewAction().toggled.connect(self.shown.emit)
        dock.destroyed.connect(self._on_gone)
        dock.topLevelChanged.connect(self._on_floating)
        self._column = Column(window, dock, neighbor)
        if isinstance(self.view, ColorSpaceView):
            self.view.large_asked.connect(self.set_large)
            self.view.pictures.check_target = partial(refuse_open_file, self._viewer)
            self.links = ColorSpaceLinks(
                self._viewer,
                self._session,
                self._overlay,
                self.view,
                self._table,
                self._picker,
                self._looks,
                self._on_failed,
            )
        self.opened.emit(self.view)
        self.shown.emit(True)

    def _on_floating(self, floating: bool) -> None:
        if isinstance(self.view, ColorSpaceView):
            self.view.show_large(floating)

    def _on_failed(self, sentence: str) -> None:
        self.failed.emit(sentence)

    def _on_gone(self, *args: object) -> None:
        self._dock = None
        self._close_view()
        self.shown.emit(False)

    def _close_view(self) -> None:
        column, self._column = self._column, None
        if column is not None:
            column.close()
        view, self.view = self.view, None
        links, self.links = self.links, None
        if links is not None:
            links.close()
        if view is not None:
            view.close_view()
            delete_later(view)
