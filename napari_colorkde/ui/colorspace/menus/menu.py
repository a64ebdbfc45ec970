"""The menu "View" of the color space: where to look from, and what else is shown."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMenu,
    QSlider,
    QWidget,
    QWidgetAction,
)

from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.connections import Connections
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.ui.colorspace.menus.look_menu import LookMenu

if TYPE_CHECKING:
    from napari.layers import Layer

SIGMAS = (1.0, 2.0, 3.0)
CUT_STEPS = 200
BACKGROUND_CHOICES = [
    ("gray: shows every color", "gray"),
    ("dark", "dark"),
    ("light", "light"),
]


class DifferenceSource(Protocol):
    """Which images there are to compare with, and which one is."""

    @property
    def subtracted(self) -> "Layer | None":
        """The layer whose density is taken away, None if there is none."""

    def others(self) -> "Sequence[Layer]":
        """Return the image layers that may be compared with."""

    def choose(self, layer: "Layer | None") -> None:
        """Show the difference from the density of this layer; None: the density itself."""


class ColorSpaceMenu(QMenu):
    """Where a view is looked at from, and what else is shown.

    Parameters
    ----------
    session
        Whose view settings are set and followed.
    canvas
        Whose camera is moved.
    names
        Gives the names of the channels.

    Attributes
    ----------
    difference_source
        Gives and takes the image whose density is taken away; None offers none.
    backgrounds
        What may be behind the cloud.
    sizes, colorings
        What may be chosen for ellipsoids: their radii, and whether they are colored by class.
    looks
        The images that looks made of the one at hand.
    cut_slider
        Where the cloud is cut.
    """

    failed = Signal(str, description="What the user asked for cannot be done; a sentence.")
    picture_asked = Signal()

    def __init__(
        self,
        session: Session,
        canvas: ColorSpaceCanvas,
        names: Callable[[], Sequence[str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._names = session, names
        self._canvas: ColorSpaceCanvas | None = canvas
        self._checks: dict[str, QAction] = {}
        self.difference_source: DifferenceSource | None = None
        self.setToolTipsVisible(True)
        self.along = self._submenu("Look along", self._fill_along)
        self.reset = self._action("Reset the view", self._on_reset)
        self.addSeparator()
        self.perspective = self._check("Perspective", "perspective")
        self.auto_rotate = self._check("Rotate automatically", "auto_rotate")
        self.marginals = self._check("Marginals on the walls", "marginals")
        self.outline = self._check("Gamut outline", "outline")
        self.legend = self._check("Legend", "legend")
        backgrounds = self.addMenu("Background") or QMenu()
        self.backgrounds = self._choices(backgrounds, "background", BACKGROUND_CHOICES)
        self.addSeparator()
        self.cut = self._submenu("Clipping plane", self._fill_cut)
        self.cut_slider = QSlider(Qt.Orientation.Horizontal)
        self.cut_slider.setRange(1, CUT_STEPS - 1)
        self.cut_slider.setMinimumWidth(140)
        self.cut_slider.setToolTip("Where the plane clips the cloud.")
        self.cut_slider.setAccessibleName("position of the clipping plane")
        self._cut_row = _labeled("position", self.cut_slider, self)
        self.addAction(self._cut_row)
        self.shells = self._action("Shell fractions…", self._on_shells)
        self.ellipsoids = self.addMenu("Ellipsoids") or QMenu()
        self.sizes = self._choices(
            self.ellipsoids, "radius", [(f"{sigma:g} σ", sigma) for sigma in SIGMAS]
        )
        self.ellipsoids.addSeparator()
        self.colorings = self._choices(
            self.ellipsoids, "by_class", [("colored by mean", False), ("colored by class", True)]
        )
        self.difference = self._submenu("Difference from", self._fill_difference)
        self.looks = LookMenu(self)
        self.addMenu(self.looks)
        self.aboutToShow.connect(self.looks.name_current)
        self.addSeparator()
        self.picture = self._action("Save figure…", self.picture_asked.emit)
        self._on_view(session.view)
        self.cut_slider.valueChanged.connect(self._on_cut_moved)
        self._connections = Connections()
        self._connections.add(session.view_changed, self._on_view)

    def set_cut(self, channel: int | None, fraction: float = 0.5) -> None:
        """Cut the cloud open at a value of one channel, `fraction` along its axis; None: no cut."""
        self._session.set_view(cut=channel, cut_at=fraction)

    def set_marginals_enabled(self, reason: str = "") -> None:
        """Let marginals be shown, or say why they cannot be."""
        self.marginals.setEnabled(not reason)
        self.marginals.setToolTip(reason)

    def set_depth_enabled(self, reason: str = "") -> None:
        """Let be chosen what only a cube has, or say why it cannot be; what is chosen stays."""
        for action in (self.perspective, self.auto_rotate):
            action.setEnabled(not reason)
            action.setToolTip(reason)

    def set_shells_enabled(self, reason: str = "") -> None:
        """Let the fractions of the shells be chosen, or say why they cannot be."""
        self.shells.setEnabled(not reason)
        self.shells.setToolTip(reason)

    def set_shells(self, text: str) -> None:
        """Choose the shells by a list of per cents; say so if they cannot be."""
        try:
            percents = [float(each) for each in text.replace("%", "").split(",") if each.strip()]
            self._session.set_view(shells=tuple(sorted(each / 100 for each in percents)))
        except ValueError:
            self.failed.emit(
                "shells must be one to three numbers between 0 and 100, such as 50, 90, 99, "
                f"not {text!r}."
            )

    def close_menu(self) -> None:
        """Let go of the session, the canvas and its owner."""
        self._connections.close()
        self._canvas = self.difference_source = None
        self.looks.close_menu()
        self._names = tuple
        for action in (self.reset, self.shells, self.picture):
            action.triggered.disconnect()
        for action in self._checks.values():
            action.toggled.disconnect()
        for group in (self.sizes, self.colorings, self.backgrounds):
            group.triggered.disconnect()
        for menu in (self.along, self.cut, self.difference):
            menu.aboutToShow.disconnect()
            menu.clear()

    # --- what it is made of

    def _action(self, text: str, do: Callable[[], object]) -> QAction:
        action = self.addAction(text) or QAction()
        action.triggered.connect(lambda *args: do())
        return action

    def _check(self, text: str, field: str) -> QAction:
        """Add what switches a view setting on and off."""
        action = self.addAction(text) or QAction()
        action.setCheckable(True)
        action.toggled.connect(lambda on: self._session.set_view(**{field: on}))
        self._checks[field] = action
        return action

    def _choices(
        self, menu: QMenu, field: str, choices: Sequence[tuple[str, object]]
    ) -> QActionGroup:
        """Add what chooses among values of a view setting to a menu."""
        group = QActionGroup(self)
        for text, value in choices:
            action = menu.addAction(text) or QAction()
            action.setCheckable(True)
            action.setData(value)
            group.addAction(action)
        group.triggered.connect(lambda action: self._session.set_view(**{field: action.data()}))
        return group

    def _submenu(self, text: str, fill: Callable[[], None]) -> QMenu:
        menu = self.addMenu(text) or QMenu()
        # Filled when it opens: layers and channels come and go.
        menu.aboutToShow.connect(fill)
        return menu

    def _fill_along(self) -> None:
        self.along.clear()
        for channel, name in enumerate(self._names()):
            _entry(self.along, name, lambda *args, c=channel: self._look_along(c))

    def _fill_cut(self) -> None:
        self.cut.clear()
        names = self._names()
        entries = list(enumerate(names)) if len(names) == 3 else []
        for channel, name in [(None, "none"), *entries]:
            action = _entry(self.cut, name, lambda *args, c=channel: self.set_cut(c))
            action.setCheckable(True)
            action.setChecked(channel == self._session.view.cut)

    def _fill_difference(self) -> None:
        self.difference.clear()
        source = self.difference_source
        if source is None:
            return
        for layer in (None, *source.others()):
            name = "nothing" if layer is None else str(layer.name)
            action = _entry(self.difference, name, lambda *args, e=layer: source.choose(e))
            action.setCheckable(True)
            action.setChecked(layer is source.subtracted)

    # --- what follows

    def _on_view(self, view: ViewSettings) -> None:
        # Checks are set to what is chosen already: they set nothing.
        for field, action in self._checks.items():
            action.setChecked(getattr(view, field))
        self._cut_row.setVisible(view.cut is not None)
        blocked = self.cut_slider.blockSignals(True)
        self.cut_slider.setValue(round(CUT_STEPS * view.cut_at))
        self.cut_slider.blockSignals(blocked)
        for group, chosen in (
            (self.sizes, view.radius),
            (self.colorings, view.by_class),
            (self.backgrounds, view.background),
        ):
            for action in group.actions():
                action.setChecked(action.data() == chosen)

    def _on_cut_moved(self, step: int) -> None:
        self._session.set_view(cut_at=step / CUT_STEPS)

    def _look_along(self, channel: int) -> None:
        if self._canvas is not None:
            self._canvas.look_along(channel)

    def _on_reset(self) -> None:
        if self._canvas is not None:
            self._canvas.reset_camera()

    def _on_shells(self) -> None:
        shown = ", ".join(f"{100 * fraction:g}" for fraction in self._session.view.shells)
        text, agreed = QInputDialog.getText(
            self,
            "Shells",
            "Percentage of the pixels within each shell (one to three numbers):",
            text=shown,
        )
        if agreed:
            self.set_shells(text)


def _entry(menu: QMenu, text: str, do: Callable[..., object]) -> QAction:
    action = menu.addAction(text) or QAction()
    action.triggered.connect(do)
    return action


def _labeled(text: str, widget: QWidget, menu: QMenu) -> QWidgetAction:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(28, 2, 8, 2)
    line.addWidget(QLabel(text))
    line.addWidget(widget, 1)
    action = QWidgetAction(menu)
    action.setDefaultWidget(row)
    return action
