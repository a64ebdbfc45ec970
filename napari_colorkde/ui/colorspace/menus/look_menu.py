"""The menu "Look" of the color space: what a lookup table does to the image and its cloud."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from qtpy.QtGui import QAction
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from napari_colorkde.io.formats.color_space.cube_reader import LOOK_SUFFIX

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_colorkde.app.layers.looks import GradedLayer

OPEN_TIP = (
    "Grade the image with a lookup table (.cube), as a new layer. The cloud shows colors gained in "
    "orange and colors lost in blue."
)
NONE_TIP = "Show the original image and hide the layers that looks have made from it."
NO_IMAGE = "Looks apply to red, green and blue; choose an RGB image first."


class LookSource(Protocol):
    """Which layers looks have made of the image at hand, and what makes more."""

    @property
    def original(self) -> "Layer | None":
        """The image before any look."""

    @property
    def current(self) -> "GradedLayer | None":
        """The one that is looked at."""

    def graded(self) -> "Sequence[GradedLayer]":
        """Return the layers that looks have made."""

    def apply(self, path: str | Path) -> None:
        """Make another one."""

    def show(self, layer: "Layer | None") -> None:
        """Look at one of them; None: at the image before any look."""


class LookMenu(QMenu):
    """Opens looks, chooses among those that were opened, and goes back.

    Attributes
    ----------
    source
        Makes and knows the layers; None offers nothing.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Look", parent)
        self.setToolTipsVisible(True)
        self.source: LookSource | None = None
        self.aboutToShow.connect(self._fill)

    def close_menu(self) -> None:
        """Let go of the layers."""
        self.source = None
        self.aboutToShow.disconnect(self._fill)
        self.clear()

    def name_current(self) -> None:
        """Show the name of the look that is on in the menu's own."""
        current = None if self.source is None else self.source.current
        self.setTitle("Look" if current is None else f"Look: {current.name}".replace("&", "&&"))

    def ask_look(self) -> None:
        """Ask for a lookup table and apply it."""
        path, _ = QFileDialog.getOpenFileName(
            self.parentWidget(), "Open a look", "", f"Looks (*{LOOK_SUFFIX});;All files (*)"
        )
        if path and self.source is not None:
            self.source.apply(path)

    def _fill(self) -> None:
        self.clear()
        source = self.source
        if source is None:
            return
        original, current = source.original, source.current
        none = self._entry("none", lambda: source.show(None), NONE_TIP)
        none.setCheckable(True)
        none.setChecked(current is None)
        none.setEnabled(original is not None)
        for each in source.graded():
            layer = each.layer
            entry = self._entry(each.name, partial(source.show, layer), layer.name)
            entry.setCheckable(True)
            entry.setChecked(current is not None and layer is current.layer)
        self.addSeparator()
        can_grade = original is not None and bool(getattr(original, "rgb", False))
        asks = self._entry("Open look…", self.ask_look, OPEN_TIP if can_grade else NO_IMAGE)
        asks.setEnabled(can_grade)

    def _entry(self, text: str, do: Callable[[], object], tip: str) -> QAction:
        action = self.addAction(text.replace("&", "&&")) or QAction()
        action.setToolTip(tip)
        action.triggered.connect(lambda *args: do())
        return action
