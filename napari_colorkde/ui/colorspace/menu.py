"""The menu "View" of the color space: where to look from, and what else is shown."""

from collections.abc import Callable, Sequence
from typing import Any

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

from napari_colorkde.app.view_settings import ViewSettings

SIGMAS = (1.0, 2.0, 3.0)
CUT_STEPS = 200


class ColorSpaceMenu(QMenu):
    """Where a view is looked at from, and what else is shown.

    Parameters
    ----------
    canvas
        A `napari_colorkde.scene.canvas.ColorSpaceCanvas`.
    names
        Gives the names of the channels.
    images
        Gives the other image layers, whose densities may be taken away.
    """

    failed = Signal(str, description="What the user asked for cannot be; a sentence.")
    changed = Signal(description="Another choice was made.")
    outline_toggled = Signal(bool)
    size_chosen = Signal(float, description="Of ellipsoids, in standard deviations.")
    by_class_chosen = Signal(bool, description="Whether ellipsoids have the colors of classes.")
    difference_chosen = Signal(object, description="An image layer, or None.")
    picture_asked = Signal()

    def __init__(
        self,
        canvas: Any,
        names: Callable[[], Sequence[str]],
        images: Callable[[], Sequence[Any]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._canvas, self._names, self._images = canvas, names, images
        self.subtracted: Any = None
        self._cut_channel: int | None = None
        self.setToolTipsVisible(True)
        self.along = self._submenu("Look along", self._fill_along)
        self.reset = self._action("Reset the view", canvas.reset_camera)
        self.addSeparator()
        self.perspective = self._check("Perspective", True, self._on_perspective)
        self.auto_rotate = self._check("Rotate automatically", False, self._on_rotate)
        self.marginals = self._check("Marginals on the walls", False, canvas.show_marginals)
        self.outline = self._check("Outline of the gamut", True, self.outline_toggled.emit)
        self.legend = self._check("Legend", True, canvas.set_legend)
        self.addSeparator()
        self.cut = self._submenu("Cut open", self._fill_cut)
        self._cut_slider = QSlider(Qt.Orientation.Horizontal)
        self._cut_slider.setRange(1, CUT_STEPS - 1)
        self._cut_slider.setValue(CUT_STEPS // 2)
        self._cut_slider.setMinimumWidth(140)
        self._cut_slider.setToolTip("Where the cloud is cut.")
        self._cut_slider.valueChanged.connect(self._on_cut_moved)
        self._cut_row = _labeled("position", self._cut_slider, self)
        self.addAction(self._cut_row)
        self._cut_row.setVisible(False)
        for check in (
            self.perspective,
            self.auto_rotate,
            self.marginals,
            self.outline,
            self.legend,
        ):
            check.toggled.connect(self._on_changed)
        self.shells = self._action("Fractions within the shells…", self._on_shells)
        self.ellipsoids = self.addMenu("Ellipsoids") or QMenu()
        self._size_group = QActionGroup(self)
        for sigma in SIGMAS:
            action = self.ellipsoids.addAction(f"{sigma:g} σ") or QAction()
            action.setCheckable(True)
            action.setData(sigma)
            self._size_group.addAction(action)
        self._size_group.triggered.connect(self._on_size)
        self.ellipsoids.addSeparator()
        self._color_group = QActionGroup(self)
        for text, by_class in (("colored by mean", False), ("colored by class", True)):
            action = self.ellipsoids.addAction(text) or QAction()
            action.setCheckable(True)
            action.setData(by_class)
            self._color_group.addAction(action)
        self._color_group.triggered.connect(self._on_coloring)
        self.radius, self.by_class = 2.0, False
        self._check_ellipsoids()
        self.difference = self._submenu("Difference from", self._fill_difference)
        self.addSeparator()
        self.picture = self._action("Save picture…", self.picture_asked.emit)

    def set_cut(self, channel: int | None, fraction: float = 0.5) -> None:
        """Cut the cloud open at a value of one channel, `fraction` along its axis; None: no cut."""
        self._cut_channel = channel
        self._cut_row.setVisible(channel is not None)
        self._cut_slider.setValue(round(CUT_STEPS * fraction))
        self.follow_space()
        self.changed.emit()

    def offer_marginals(self, reason: str) -> None:
        """Let marginals be shown, or say why they cannot be."""
        self.marginals.setEnabled(not reason)
        self.marginals.setToolTip(reason)

    def offer_depth(self, reason: str) -> None:
        """Let be chosen what only a cube has, or say why it cannot be; what is chosen stays."""
        for action in (self.perspective, self.auto_rotate):
            action.setEnabled(not reason)
            action.setToolTip(reason)

    def offer_shells(self, reason: str) -> None:
        """Let the fractions of the shells be chosen, or say why they cannot be."""
        self.shells.setEnabled(not reason)
        self.shells.setToolTip(reason)

    def follow_space(self) -> None:
        """Cut at the same part of the axis, whatever the axis is by now."""
        if self._cut_channel is None:
            self._canvas.set_cut(None)
            return
        through = self._canvas.color_within([self._cut_slider.value() / CUT_STEPS] * 3)
        if through is not None and len(through) == 3:
            normal = [float(channel == self._cut_channel) for channel in range(3)]
            self._canvas.set_cut(normal, through)

    def set_shells(self, text: str) -> None:
        """Choose the shells by a list of per cents; say so if they cannot be."""
        try:
            fractions = [
                float(part) / 100 for part in text.replace("%", "").split(",") if part.strip()
            ]
            self._canvas.set_shells(fractions)
        except ValueError:
            self.failed.emit(
                f"shells={text!r}: give one to three numbers between 0 and 100, such as 50, 90, 99."
            )
        else:
            self.changed.emit()

    @property
    def choices(self) -> dict[str, Any]:
        """What is chosen of a `ViewSettings`, by the names of its fields."""
        return {
            "perspective": self.perspective.isChecked(),
            "auto_rotate": self.auto_rotate.isChecked(),
            "marginals": self.marginals.isChecked(),
            "outline": self.outline.isChecked(),
            "legend": self.legend.isChecked(),
            "cut": self._cut_channel,
            "cut_at": self._cut_slider.value() / CUT_STEPS,
            "shells": tuple(self._canvas.shells),
            "radius": self.radius,
            "by_class": self.by_class,
        }

    def show_look(self, look: ViewSettings) -> None:
        """Choose what a look has."""
        self.perspective.setChecked(look.perspective)
        self.auto_rotate.setChecked(look.auto_rotate)
        self.marginals.setChecked(look.marginals)
        self.outline.setChecked(look.outline)
        self.legend.setChecked(look.legend)
        self.set_cut(look.cut, look.cut_at)
        self._canvas.set_shells(look.shells)
        self.radius, self.by_class = look.radius, look.by_class
        self._check_ellipsoids()
        self.size_chosen.emit(self.radius)
        self.by_class_chosen.emit(self.by_class)

    def close_menu(self) -> None:
        """Let go of the canvas and its owner."""
        self._canvas = self.subtracted = None
        self._names = self._images = tuple
        for action in (self.reset, self.shells, self.picture):
            action.triggered.disconnect()
        for action in (
            self.perspective,
            self.auto_rotate,
            self.marginals,
            self.outline,
            self.legend,
        ):
            action.toggled.disconnect()
        for menu in (self.along, self.cut, self.difference):
            menu.aboutToShow.disconnect()
            menu.clear()

    # --- within

    def _action(self, text: str, do: Callable[[], Any]) -> QAction:
        action = self.addAction(text) or QAction()
        action.triggered.connect(lambda *args: do())
        return action

    def _check(self, text: str, checked: bool, do: Callable[[bool], Any]) -> QAction:
        action = self.addAction(text) or QAction()
        action.setCheckable(True)
        action.setChecked(checked)
        action.toggled.connect(do)
        return action

    def _submenu(self, text: str, fill: Callable[[], None]) -> QMenu:
        menu = self.addMenu(text) or QMenu()
        # Filled when it opens: layers and channels come and go.
        menu.aboutToShow.connect(fill)
        return menu

    def _fill_along(self) -> None:
        self.along.clear()
        for channel, name in enumerate(self._names()):
            _entry(self.along, name, lambda *args, c=channel: self._canvas.look_along(c))

    def _fill_cut(self) -> None:
        self.cut.clear()
        names = self._names()
        entries = list(enumerate(names)) if len(names) == 3 else []
        for channel, name in [(None, "not at all"), *entries]:
            action = _entry(self.cut, name, lambda *args, c=channel: self.set_cut(c))
            action.setCheckable(True)
            action.setChecked(channel == self._cut_channel)

    def _fill_difference(self) -> None:
        self.difference.clear()
        for layer in (None, *self._images()):
            name = "nothing" if layer is None else str(layer.name)
            action = _entry(self.difference, name, lambda *args, e=layer: self._subtract(e))
            action.setCheckable(True)
            action.setChecked(layer is self.subtracted)

    def _subtract(self, layer: Any) -> None:
        self.subtracted = layer
        self.difference_chosen.emit(layer)

    def _on_perspective(self, on: bool) -> None:
        self._canvas.perspective = on

    def _on_rotate(self, on: bool) -> None:
        self._canvas.auto_rotate = on

    def _on_cut_moved(self, step: int) -> None:
        if self._cut_channel is not None:
            self.follow_space()
            self.changed.emit()

    def _on_changed(self, *args: Any) -> None:
        self.changed.emit()

    def _on_shells(self) -> None:
        shown = ", ".join(f"{100 * fraction:g}" for fraction in self._canvas.shells)
        text, agreed = QInputDialog.getText(
            self, "Shells", "Per cent of the pixels within each (one to three):", text=shown
        )
        if agreed:
            self.set_shells(text)

    def _on_size(self, action: QAction) -> None:
        self.radius = float(action.data())
        self.size_chosen.emit(self.radius)
        self.changed.emit()

    def _on_coloring(self, action: QAction) -> None:
        self.by_class = bool(action.data())
        self.by_class_chosen.emit(self.by_class)
        self.changed.emit()

    def _check_ellipsoids(self) -> None:
        for group, chosen in ((self._size_group, self.radius), (self._color_group, self.by_class)):
            for action in group.actions():
                action.setChecked(action.data() == chosen)


def _entry(menu: QMenu, text: str, do: Callable[..., Any]) -> QAction:
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
