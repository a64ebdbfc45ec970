"""The two rows of controls under the color-space view."""

import numpy as np
from magicgui.widgets import ComboBox, Slider
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.connections import Connections
from napari_colorkde.core.colorspaces import COLOR_SPACES
from napari_colorkde.ui.colorspace.icons import SIDE, icon, pixmap
from napari_colorkde.ui.widgets.forms import name_for_readers

MODES = {"cloud": "cloud", "maximum": "maximum", "shells": "shells", "counts": "points"}
SCALES = {"linear": "linear", "logarithmic": "log", "equalized": "equalized"}

COMBINE_TIP = "Shift adds to the selection, Alt subtracts from it."

TOOLS = {
    "rotate": "Drag to rotate the view, or to move and stretch kernels.",
    "lasso": f"Drag around colors to select their pixels in the image. {COMBINE_TIP}",
    "rectangle": f"Drag a rectangle over colors to select their pixels in the image. {COMBINE_TIP}",
    "ball": "Drag outward from the densest color under the mouse to select the pixels of all "
    f"colors within that distance, in the units of the color space. {COMBINE_TIP}",
}

LARGE_TIP = "Enlarge the color space to two thirds of the screen. Esc restores it."

EXPOSURE_STEPS = 10
"""Slider steps that double the exposure."""

FLOOR_STEPS = 200

MIN_SLIDER_WIDTH = 12

SPACE_TIP = (
    "Color space of the density: bandwidth, volume and overlay are in its units. RGB means the "
    "image's own channels."
)

SCALE_TIP = "How densities are mapped to opacity: linearly, logarithmically, or by rank."


class ColorSpaceToolbar(QWidget):
    """What is shown and how, and what dragging does.

    Parameters
    ----------
    session
        Whose view settings are set and followed.
    theme
        "dark" or "light".

    Attributes
    ----------
    space, mode, scale, exposure, density_floor
        magicgui widgets.
    tools
        One button per tool, by name.
    large_button
        Asks for most of the screen, or for the way back.
    view_button
        Opens the menu that `set_menu` was given.
    """

    def __init__(self, session: Session, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.space = ComboBox(
            name="space",
            choices=[(space.title, space.name) for space in COLOR_SPACES.values()],
            tooltip=SPACE_TIP,
        )
        self.mode = ComboBox(
            name="mode",
            choices=list(MODES.items()),
            tooltip="Cloud: the denser a color, the more opaque it is. Maximum: the densest color "
            "along each line of sight. Shells: surfaces that enclose set fractions of the pixels. "
            "Counts: each color as a point, without smoothing.",
        )
        self.scale = ComboBox(
            name="scale",
            choices=list(SCALES.items()),
            tooltip=SCALE_TIP,
        )
        self.exposure = Slider(
            name="exposure",
            min=-5 * EXPOSURE_STEPS,
            max=5 * EXPOSURE_STEPS,
            value=0,
            readout=False,
            tooltip="Exposure: how quickly the cloud becomes opaque as density rises.",
        )
        self.density_floor = Slider(
            name="floor",
            min=0,
            max=FLOOR_STEPS,
            value=0,
            readout=False,
            tooltip="Floor: hide the sparsest colors.",
        )
        self.tools = {name: _tool_button(name, tip) for name, tip in TOOLS.items()}
        self.tools["rotate"].setChecked(True)
        self.tool_group = QButtonGroup(self)
        for button in self.tools.values():
            self.tool_group.addButton(button)
        self.view_button = QToolButton()
        self.view_button.setText("View ▾")
        self.view_button.setAccessibleName("View")
        self.view_button.setToolTip("Set the viewpoint, and choose what else is shown.")
        self.view_button.setStyleSheet(
            "QToolButton { padding: 3px 6px; } QToolButton::menu-indicator { image: none; }"
        )
        self.view_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.large_button = _tool_button("large", LARGE_TIP)
        self._signs = {name: QLabel() for name in ("exposure", "floor")}
        for name, slider in (("exposure", self.exposure), ("floor", self.density_floor)):
            # The box beside it is hidden, and there for screen readers.
            for inner in slider.native.findChildren(QWidget):
                inner.setAccessibleName(name)
        for choice, name in (
            (self.space, "color space"),
            (self.mode, "shown as"),
            (self.scale, "scale of densities"),
        ):
            name_for_readers(choice.native, name)
        self._lay_out()
        self.set_theme(theme)
        self._on_view(session.view)
        self.mode.changed.connect(self._on_mode)
        self.scale.changed.connect(self._on_scale)
        self.exposure.changed.connect(self._on_exposure)
        self.density_floor.changed.connect(self._on_density_floor)
        self._connections = Connections()
        self._connections.add(session.view_changed, self._on_view)

    def close_toolbar(self) -> None:
        """Let go of the session."""
        self._connections.close()

    @property
    def tool(self) -> str:
        """What dragging does."""
        return next(name for name, button in self.tools.items() if button.isChecked())

    def set_menu(self, menu: QMenu) -> None:
        """Give the View button its menu."""
        self.view_button.setMenu(menu)

    def set_theme(self, theme: str) -> None:
        """Draw the icons so that they are seen."""
        for name, button in self.tools.items():
            button.setIcon(icon(name, theme))
        self.large_button.setIcon(icon("large", theme))
        for name, sign in self._signs.items():
            sign.setPixmap(pixmap(name, theme))

    def set_spaces_enabled(self, reason: str = "") -> None:
        """Let a color space be chosen, or say why it cannot be."""
        self.space.enabled = not reason
        self.space.tooltip = reason or SPACE_TIP

    def set_counts_enabled(self, reason: str = "") -> None:
        """Let counts be chosen, or say why they cannot be."""
        self._set_mode_enabled("counts", reason)

    def set_depth_enabled(self, reason: str = "") -> None:
        """Let modes be chosen that need three channels, or say why not; what is chosen stays."""
        for title in ("maximum", "shells"):
            self._set_mode_enabled(title, reason)

    def set_scales_enabled(self, reason: str = "") -> None:
        """Let the scale be chosen, or say why it has no effect."""
        self.scale.enabled = not reason
        self.scale.tooltip = reason or SCALE_TIP

    # --- the session

    def _on_view(self, view: ViewSettings) -> None:
        """Show settings, as finely as the sliders are."""
        steps = {
            self.exposure: EXPOSURE_STEPS * np.log2(view.exposure),
            self.density_floor: FLOOR_STEPS * np.cbrt(view.density_floor),
        }
        for slider, step in steps.items():
            with slider.changed.blocked():
                slider.value = _within(slider, step)
        for choice, value in ((self.mode, view.mode), (self.scale, view.scale)):
            with choice.changed.blocked():
                choice.value = value

    def _on_mode(self, mode: str) -> None:
        self._session.set_view(mode=mode)

    def _on_scale(self, scale: str) -> None:
        self._session.set_view(scale=scale)

    def _on_exposure(self, step: int) -> None:
        self._session.set_view(exposure=2.0 ** (step / EXPOSURE_STEPS))

    def _on_density_floor(self, step: int) -> None:
        # Fine steps where it is small.
        self._session.set_view(density_floor=(step / FLOOR_STEPS) ** 3)

    def _set_mode_enabled(self, title: str, reason: str) -> None:
        item = self.mode.native.model().item(list(MODES).index(title))
        item.setEnabled(not reason)
        item.setToolTip(reason)

    def _lay_out(self) -> None:
        first = _row()
        for choice in (self.space, self.mode, self.scale):
            native = choice.native
            native.setMinimumWidth(40)
            native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            first.addWidget(native, 1)
        second = _row()
        for button in self.tools.values():
            second.addWidget(button)
        for name, slider in (("exposure", self.exposure), ("floor", self.density_floor)):
            sign = self._signs[name]
            sign.setToolTip(slider.tooltip)
            second.addSpacing(4)
            second.addWidget(sign)
            slider.native.setMinimumWidth(MIN_SLIDER_WIDTH)
            slider.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            second.addWidget(slider.native, 1)
        second.addWidget(self.large_button)
        second.addWidget(self.view_button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(3, 0, 3, 2)
        rows.setSpacing(3)
        rows.addLayout(first)
        rows.addLayout(second)


def _within(slider: Slider, value: float) -> int:
    return int(np.clip(round(value), slider.min, slider.max))


def _row() -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(3)
    return row


def _tool_button(name: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setCheckable(True)
    button.setToolTip(tip)
    button.setAccessibleName(name)
    button.setIconSize(QSize(SIDE, SIDE))
    button.setFixedSize(QSize(26, 26))
    button.setStyleSheet("QToolButton:checked { background: palette(highlight); }")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
