"""Rows of magicgui widgets with labels that line up, across sections too; pages to put them on."""

from collections.abc import Sequence
from typing import Protocol

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayoutItem,
    QSizePolicy,
    QWidget,
)

LABEL_WORDS = "unlabeled", "bandwidth"
"""The labels of a form are at least as wide as these words: those of all sections line up."""

MIN_FIELD_WIDTH = 46


class HasNative(Protocol):
    """A widget of magicgui, or one of ours that behaves like it."""

    @property
    def native(self) -> QWidget:
        """The widget of Qt."""


def form(rows: Sequence[tuple[str, Sequence[HasNative]]], parent: QWidget) -> QGridLayout:
    """Lay out labeled rows in `parent`.

    Parameters
    ----------
    rows
        A label and the magicgui widgets beside it, of which the first takes the room that is left.
    parent
        Gets the layout.
    """
    grid = QGridLayout(parent)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(5)
    grid.setHorizontalSpacing(8)
    metrics = parent.fontMetrics()
    grid.setColumnMinimumWidth(0, max(map(metrics.horizontalAdvance, LABEL_WORDS)))
    grid.setColumnStretch(1, 1)
    for number, (text, widgets) in enumerate(rows):
        label = QLabel(text)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        label.setBuddy(widgets[0].native)
        grid.addWidget(label, number, 0)
        line = QHBoxLayout()
        line.setSpacing(4)
        for position, widget in enumerate(widgets):
            native = widget.native
            name_for_readers(native, text)
            if position == 0:
                take_room(native)
            line.addWidget(native, 1 if position == 0 else 0)
        grid.addLayout(line, number, 1)
    return grid


def set_row_visible(grid: QGridLayout, row: int, visible: bool) -> None:
    """Show or hide a row of a form."""
    for column in range(grid.columnCount()):
        item = grid.itemAtPosition(row, column)
        if item is not None:
            set_item_visible(item, visible)


def set_item_visible(item: QLayoutItem, visible: bool) -> None:
    """Show or hide what is in a cell of a layout."""
    if item.widget() is not None:
        item.widget().setVisible(visible)
    elif item.layout() is not None:
        for at in range(item.layout().count()):
            set_item_visible(item.layout().itemAt(at), visible)


def name_for_readers(native: QWidget, label: str) -> None:
    """Give a widget the name of its row, where it shows no text of its own and has no name."""
    shown = native.text() if isinstance(native, QAbstractButton) else ""
    if not native.accessibleName() and not shown:
        native.setAccessibleName(" ".join(label.split()) or native.toolTip().split(".")[0])


def take_room(native: QWidget) -> None:
    """Let a widget take the room that is left; what it holds need not be seen whole."""
    policy = native.sizePolicy()
    policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
    if isinstance(native, QComboBox | QAbstractSpinBox):
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        native.setMinimumWidth(MIN_FIELD_WIDTH)
    native.setSizePolicy(policy)


class Beside:
    """Several fields in one row, each with as much room: their names, shown or for those who hear.

    Attributes
    ----------
    native
        The row.
    """

    def __init__(self, *fields: tuple[str, HasNative], shows_names: bool = True) -> None:
        self.native = QWidget()
        line = QHBoxLayout(self.native)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        for number, (name, field) in enumerate(fields):
            if shows_names and number:  # the first one's is that of the row
                label = QLabel(name)
                label.setBuddy(field.native)
                line.addWidget(label)
            field.native.setAccessibleName(name)
            take_room(field.native)
            line.addWidget(field.native, 1)
