"""A linear slider with a box to type the number, which knows when it rests."""

import math

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

STEPS = 1000
SETTLE_MS = 300
"""A number that was moved by keys or the wheel rests after this long."""

PLAIN_DECIMALS = 6
"""With more, numbers are written with an exponent."""

MAX_DECIMALS = 40
"""Those of float32, whose least number is 1e-38."""


class NumberBox(QDoubleSpinBox):
    """A box for a number that can be very small."""

    def textFromValue(self, value: float) -> str:
        """Write a number."""
        return f"{value:.4g}" if self._is_fine else str(super().textFromValue(value))

    def valueFromText(self, text: str | None) -> float:
        """Read a number."""
        number = _number(text) if self._is_fine else None
        return float(super().valueFromText(text)) if number is None else number

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Say whether a text is a number, or could become one."""
        if not self._is_fine:
            plain: tuple[QValidator.State, str, int] = super().validate(text, position)
            return plain
        number = _number(text)
        state = QValidator.State.Intermediate
        if number is not None and self.minimum() <= number <= self.maximum():
            state = QValidator.State.Acceptable
        elif not set((text or "").lower()) <= set("0123456789+-.,e "):
            state = QValidator.State.Invalid
        return state, text or "", position

    @property
    def _is_fine(self) -> bool:
        return bool(self.decimals() > PLAIN_DECIMALS)


def _number(text: str | None) -> float | None:
    try:
        number = float((text or "").strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class LinearSlider(QWidget):
    """A number, by slider or by keyboard; one beyond the slider's ends can be typed.

    Parameters
    ----------
    low, high
        The slider's ends.
    minimum, maximum
        The numbers that can be.
    decimals
        Digits after the point, or more where the slider's steps are finer.
    tooltip
        What it does.
    """

    moved = Signal(float, description="The user chose this number.")
    editing_finished = Signal(description="The user has stopped moving it.")

    def __init__(
        self,
        low: float,
        high: float,
        *,
        minimum: float,
        maximum: float,
        decimals: int,
        tooltip: str,
    ) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(STEPS // 20)
        self.slider.setToolTip(tooltip)
        self.box = NumberBox()
        self.box.setRange(minimum, maximum)
        self.box.setKeyboardTracking(False)
        self.box.setMinimumWidth(84)
        self.box.setToolTip(tooltip)
        self._low, self._high = low, high
        self._value = low
        self._decimals = decimals
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(SETTLE_MS)
        self._rest.timeout.connect(self._on_rest)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.slider, 1)
        line.addWidget(self.box)
        self._set_step()
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderReleased.connect(self._on_rest)
        self.box.valueChanged.connect(self._on_box)

    @property
    def native(self) -> QWidget:
        """Itself, as forms of magicgui widgets ask for it."""
        return self

    @property
    def value(self) -> float:
        """The number that is shown."""
        return self._value

    def set(self, value: float) -> None:
        """Show a number without announcing it."""
        self._value = value
        self._show()

    def set_range(self, low: float, high: float) -> None:
        """Change the slider's ends; the number stays."""
        self._low, self._high = low, high
        self._set_step()
        self._show()

    def _set_step(self) -> None:
        width = self._high - self._low
        finest = math.ceil(-math.log10(width / STEPS)) if width > 0 else 0
        with QSignalBlocker(self.box):
            self.box.setDecimals(min(max(self._decimals, finest), MAX_DECIMALS))
        self.box.setSingleStep((self._high - self._low) / 100)

    def _show(self) -> None:
        for widget in (self.slider, self.box):
            widget.blockSignals(True)
        part = (self._value - self._low) / (self._high - self._low)
        if not self.slider.isSliderDown():
            self.slider.setValue(round(STEPS * min(max(part, 0.0), 1.0)))
        self.box.setValue(self._value)
        for widget in (self.slider, self.box):
            widget.blockSignals(False)

    def _on_slider(self, position: int) -> None:
        self._move(self._low + (self._high - self._low) * position / STEPS)

    def _on_box(self, value: float) -> None:
        self._move(value)

    def _move(self, value: float) -> None:
        self._value = value
        self._show()
        if not self.slider.isSliderDown():
            self._rest.start()
        self.moved.emit(value)

    def _on_rest(self) -> None:
        self._rest.stop()
        self.editing_finished.emit()
