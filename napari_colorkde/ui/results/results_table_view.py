"""The table of results as it is seen: read, selected and copied, not edited."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QTableView, QWidget


class ResultsTableView(QTableView):
    """A table that is copied with Ctrl+C, and keeps other keys from the viewer.

    Parameters
    ----------
    copy
        Copies the selected rows.
    parent
        The widget that it is part of.
    """

    def __init__(self, copy: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._copy = copy
        self.setAccessibleName("Results")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Copy; nothing else reaches the viewer."""
        if event is None:
            return
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        else:
            super().keyPressEvent(event)
        event.accept()
