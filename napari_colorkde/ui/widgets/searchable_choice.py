"""A list of many choices that can be searched by typing."""

from collections.abc import Hashable, Iterable

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QComboBox, QCompleter, QWidget

MAX_VISIBLE = 20


class SearchableChoice(QComboBox):
    """A combo box whose choices are found by any part of their text.

    Parameters
    ----------
    tooltip
        What is chosen.
    name
        For screen readers.
    """

    changed = Signal(object, description="The user chose this.")

    def __init__(self, *, tooltip: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: list[Hashable] = []
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMaxVisibleItems(MAX_VISIBLE)
        self.setToolTip(tooltip)
        self.setAccessibleName(name)
        completer = self.completer()
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.activated.connect(self._on_activated)
        self.lineEdit().editingFinished.connect(self._on_typed)

    @property
    def native(self) -> QWidget:
        """Itself, as forms of magicgui widgets ask for it."""
        return self

    @property
    def value(self) -> Hashable:
        """What is chosen; None if there is nothing to choose."""
        at = self.currentIndex()
        return self._values[at] if 0 <= at < len(self._values) else None

    @value.setter
    def value(self, value: Hashable) -> None:
        self._take(self._values.index(value))

    def set_choices(self, choices: Iterable[tuple[str, Hashable]], value: Hashable) -> None:
        """Offer texts with their values, and show one of them. Announces nothing."""
        pairs = list(choices)
        values = [each for _, each in pairs]
        with QSignalBlocker(self):
            if values != self._values:
                self.clear()
                self.addItems([text for text, _ in pairs])
                self._values = values
            if value in values:
                self.setCurrentIndex(values.index(value))

    def _take(self, at: int) -> None:
        if at != self.currentIndex():
            self.setCurrentIndex(at)
            self.changed.emit(self.value)

    def _on_activated(self, at: int) -> None:
        self.changed.emit(self.value)

    def _on_typed(self) -> None:
        at = self.findText(self.currentText().strip())
        if at >= 0:
            self._take(at)
        else:
            self.setEditText(self.itemText(self.currentIndex()))
