"""What a click, a Ctrl+click and an Alt+click do while pixels are picked: one table."""

from collections.abc import Collection
from typing import NamedTuple

from qtpy.QtCore import Qt

from napari_colorkde.app.kernels.picked_kernels import PickMode


class PickModifier(NamedTuple):
    """A key that is held, and what a pick does meanwhile."""

    key: str
    """As napari's mouse events name it."""
    qt_key: Qt.KeyboardModifier
    mode: PickMode
    label: str
    """For people, key included."""


# The first that is held counts.
PICK_MODIFIERS = (
    PickModifier("Alt", Qt.KeyboardModifier.AltModifier, "subtract", "Alt: subtract"),
    PickModifier(
        "Control", Qt.KeyboardModifier.ControlModifier, "add", "Ctrl: add to the selected kernel"
    ),
)
PLAIN: PickMode = "new"
PLAIN_LABEL = "Click or drag on the image: new kernel"

HELP_TEXT = " · ".join(
    [PLAIN_LABEL, *(row.label for row in reversed(PICK_MODIFIERS)), "Esc: finish"]
)


def mode_of_event(held: Collection[str]) -> PickMode:
    """Return what a pick does, from the modifiers of napari's mouse event."""
    return next((row.mode for row in PICK_MODIFIERS if row.key in held), PLAIN)


def mode_of_keyboard(held: Qt.KeyboardModifier) -> PickMode:
    """Return what a pick does, from Qt's modifiers."""
    return next((row.mode for row in PICK_MODIFIERS if row.qt_key & held), PLAIN)
