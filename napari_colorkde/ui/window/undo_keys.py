"""Undo and redo by keyboard, wherever the focus is in napari's window.

Text fields keep their own undo: Qt asks the widget with the focus first. While a Labels or Shapes
layer is selected, the keys outside of our docks are napari's, which undoes strokes with them; while
pixels are picked they are ours.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QMainWindow, QShortcut, QWidget

from napari_colorkde.app.image.source import is_labels, is_shapes
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.ui.window.dock_cleanup import delete_later

if TYPE_CHECKING:
    from napari import Viewer

UNDO = (QKeySequence("Ctrl+Z"),)
REDO = (QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y"))


def undo_action(session: Session, event: QKeyEvent) -> Callable[[], None] | None:
    """Return what a key does to the history; None if it does nothing to it."""
    keys = QKeySequence(event.keyCombination())
    if keys in UNDO:
        return session.undo
    return session.redo if keys in REDO else None


class UndoKeysWidget(QWidget):
    """A widget that undoes and redoes by keyboard while the focus is within.

    Parameters
    ----------
    session
        What is undone.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def event(self, event: QEvent | None) -> bool:
        """Claim the keys of undo and redo while the focus is in the dock."""
        if event is None:
            return False
        if event.type() == QEvent.Type.ShortcutOverride and undo_action(self.session, event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Undo and redo; elsewhere these keys are napari's."""
        if event is None:
            return
        action = undo_action(self.session, event)
        if action is None:
            super().keyPressEvent(event)
        else:
            action()
            event.accept()


class UndoKeys(QObject):
    """Shortcuts of a window that undo and redo what was done in the session.

    Parameters
    ----------
    window
        Whose keys they are.
    viewer
        Whose selected layer may have an undo of its own.
    session
        What is undone.
    """

    def __init__(self, window: QMainWindow, viewer: "Viewer", session: Session) -> None:
        super().__init__(window)
        self._viewer, self._is_picking = viewer, False
        self._shortcuts: list[QShortcut] = []
        for sequences, action in ((UNDO, session.undo), (REDO, session.redo)):
            for keys in sequences:
                shortcut = QShortcut(keys, window)
                shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
                shortcut.activated.connect(action)
                # Of several docks in one window each has a turn.
                shortcut.activatedAmbiguously.connect(action)
                self._shortcuts.append(shortcut)
        self._connections = Connections()
        self._connections.add(viewer.layers.selection.events.active, self._on_active)
        self._follow()

    def set_picking(self, is_picking: bool) -> None:
        """Take the keys for picks, whatever layer is selected."""
        self._is_picking = is_picking
        self._follow()

    def close(self) -> None:
        """Give the keys back."""
        self._connections.close()
        while self._shortcuts:
            shortcut = self._shortcuts.pop()
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        delete_later(self)

    def _on_active(self, event: object) -> None:
        self._follow()

    def _follow(self) -> None:
        active = self._viewer.layers.selection.active
        is_napari = active is not None and (is_labels(active) or is_shapes(active))
        for shortcut in self._shortcuts:
            shortcut.setEnabled(self._is_picking or not is_napari)
