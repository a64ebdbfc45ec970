"""A logarithmic slider with a box to type the number."""

import math

from magicgui.widgets import Container, FloatSpinBox, Slider
from psygnal import Signal

STEPS = 1000


class LogSlider(Container):
    """A positive number, by slider or by keyboard.

    The number is what was typed or set, not the slider's nearest step.

    Parameters
    ----------
    value, low, high
        The number and the slider's ends; a number beyond them can be typed.
    name, tooltip
        As for every magicgui widget.
    """

    moved = Signal(float, description="The user chose this number.")

    def __init__(self, value: float, low: float, high: float, *, name: str, tooltip: str) -> None:
        self.slider = Slider(min=0, max=STEPS, name="slider", tooltip=tooltip, readout=False)
        self.box = FloatSpinBox(min=0, max=1e9, step=None, name="box", tooltip=tooltip)
        super().__init__(
            widgets=[self.slider, self.box], layout="horizontal", labels=False, name=name
        )
        self.margins = (0, 0, 0, 0)
        self._low, self._high = low, high
        self.set(value)
        self.slider.changed.connect(self._on_slider)
        self.box.changed.connect(self._on_box)

    def set(self, value: float) -> None:
        """Show a number without announcing it."""
        with self.slider.changed.blocked(), self.box.changed.blocked():
            self._show_in_box(value)
            self.slider.value = self._position(value)

    def set_range(self, low: float, high: float) -> None:
        """Change the slider's ends; the number stays."""
        self._low, self._high = low, high
        self.set(self.box.value)

    def _show_in_box(self, value: float) -> None:
        # Three significant digits, at any scale of the image's values.
        digits = max(0, 2 - math.floor(math.log10(value)))
        native = self.box.native
        native.setDecimals(min(digits, 12))
        native.setSingleStep(10.0 ** -min(max(digits - 1, 0), 12))
        self.box.value = value

    def _position(self, value: float) -> int:
        part = math.log(value / self._low) / math.log(self._high / self._low)
        return round(STEPS * min(max(part, 0.0), 1.0))

    def _on_slider(self, position: int) -> None:
        value = self._low * (self._high / self._low) ** (position / STEPS)
        value = float(f"{value:.3g}")
        with self.box.changed.blocked():
            self._show_in_box(value)
        self.moved.emit(value)

    def _on_box(self, value: float) -> None:
        if value > 0:
            with self.slider.changed.blocked():
                self.slider.value = self._position(value)
            self.moved.emit(float(value))
