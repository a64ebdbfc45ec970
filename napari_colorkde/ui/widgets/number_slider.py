"""A slider, linear or logarithmic, with a box to type the number."""

import math
from typing import Literal

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, QSize, Qt, QTimer
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

Scale = Literal["linear", "log"]

STEPS = 1000
SETTLE_MS = 300
"""Editing by keys or wheel is finished when nothing has changed for this long."""

FIXED_DECIMALS = 6
"""With more, linear numbers are written with an exponent."""

MAX_DECIMALS = 40
"""Those of float32, whose smallest number is 1e-38."""

LOG_DIGITS = 3
"""Significant digits of a logarithmic slider."""

MAX_LOG_DECIMALS = 12

BOX_DIGITS = 10
"""Least width of the box, its arrows included, in digits of its font."""

HINT_DIGITS = 14
"""Width that it asks for."""

MIN_SLIDER_WIDTH = 40


class NumberBox(QDoubleSpinBox):
    """A box for a number that can be very small."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.has_exponent = False

    def sizeHint(self) -> QSize:
        """Ask for the room of usual numbers, not of the largest that can be typed."""
        return self._narrowed(super().sizeHint(), HINT_DIGITS)

    def minimumSizeHint(self) -> QSize:
        """Ask for a few digits at least."""
        return self._narrowed(super().minimumSizeHint(), BOX_DIGITS)

    def _narrowed(self, hint: QSize, digits: int) -> QSize:
        hint.setWidth(min(hint.width(), self.fontMetrics().horizontalAdvance("0" * digits)))
        return hint

    def textFromValue(self, value: float) -> str:
        """Write a number."""
        return f"{value:.4g}" if self.has_exponent else str(super().textFromValue(value))

    def valueFromText(self, text: str | None) -> float:
        """Read a number."""
        number = _number(text) if self.has_exponent else None
        return float(super().valueFromText(text)) if number is None else number

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Say whether a text is a number, or could become one."""
        if not self.has_exponent:
            plain: tuple[QValidator.State, str, int] = super().validate(text, position)
            return plain
        number = _number(text)
        state = QValidator.State.Intermediate
        if number is not None and self.minimum() <= number <= self.maximum():
            state = QValidator.State.Acceptable
        elif not set((text or "").lower()) <= set("0123456789+-.,e "):
            state = QValidator.State.Invalid
        return state, text or "", position


def _number(text: str | None) -> float | None:
    try:
        number = float((text or "").strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class NumberSlider(QWidget):
    """A number, by slider or by keyboard; one beyond the slider's ends can be typed.

    The number is what was typed or set, not the slider's nearest step.

    Parameters
    ----------
    low, high
        The slider's ends; above 0 on a logarithmic scale.
    minimum, maximum
        The numbers that are allowed. A logarithmic slider ignores 0.
    tooltip
        What it does.
    decimals
        On a linear scale the digits after the point, or more where the slider's steps are finer; a
        logarithmic one shows three significant digits.
    scale
        Whether equal steps add or multiply.
    value
        The number to begin with; by default the lower end.
    name
        For screen readers.
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
        tooltip: str,
        decimals: int = 0,
        scale: Scale = "linear",
        value: float | None = None,
        name: str = "",
    ) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(STEPS // 20)
        self.slider.setToolTip(tooltip)
        self.slider.setMinimumWidth(MIN_SLIDER_WIDTH)
        self.box = NumberBox()
        self.box.setRange(minimum, maximum)
        self.box.setKeyboardTracking(False)
        self.box.setToolTip(tooltip)
        if scale == "log":
            self.box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.setAccessibleName(name)
        self._low, self._high = low, high
        self._value = low if value is None else value
        self._decimals, self._scale = decimals, scale
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLE_MS)
        self._settling.timeout.connect(self._on_settled)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.slider, 1)
        line.addWidget(self.box)
        self._show()
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderReleased.connect(self._on_settled)
        self.box.valueChanged.connect(self._on_box)

    @property
    def native(self) -> QWidget:
        """Itself, as forms of magicgui widgets ask for it."""
        return self

    @property
    def value(self) -> float:
        """The number that is shown."""
        return self._value

    def setAccessibleName(self, name: str | None) -> None:
        """Name the slider and its box for screen readers."""
        super().setAccessibleName(name)
        self.slider.setAccessibleName(name)
        self.box.setAccessibleName(name)

    def set(self, value: float) -> None:
        """Show a number without announcing it."""
        self._value = value
        self._show()

    def set_range(self, low: float, high: float) -> None:
        """Change the slider's ends; the number stays."""
        self._low, self._high = low, high
        self._show()

    # --- how it is shown

    def _show(self) -> None:
        with QSignalBlocker(self.slider), QSignalBlocker(self.box):
            self._show_step()
            if not self.slider.isSliderDown():
                self.slider.setValue(round(STEPS * min(max(self._position(), 0.0), 1.0)))
            self.box.setValue(self._value)

    def _show_step(self) -> None:
        if self._scale == "log":
            digits = max(0, LOG_DIGITS - 1 - math.floor(math.log10(self._value)))
            self.box.setDecimals(min(digits, MAX_LOG_DECIMALS))
            return
        width = self._high - self._low
        finest = math.ceil(-math.log10(width / STEPS)) if width > 0 else 0
        decimals = min(max(self._decimals, finest), MAX_DECIMALS)
        self.box.has_exponent = decimals > FIXED_DECIMALS
        self.box.setDecimals(decimals)
        self.box.setSingleStep(width / 100)

    def _position(self) -> float:
        """Where the number is between the ends, 0 to 1 within them."""
        if self._scale == "log":
            return math.log(self._value / self._low) / math.log(self._high / self._low)
        return (self._value - self._low) / (self._high - self._low)

    # --- what the user does

    def _on_slider(self, step: int) -> None:
        fraction = step / STEPS
        if self._scale == "log":
            value = self._low * (self._high / self._low) ** fraction
            self._move(float(f"{value:.{LOG_DIGITS}g}"))
        else:
            self._move(self._low + (self._high - self._low) * fraction)

    def _on_box(self, value: float) -> None:
        if self._scale == "log" and value <= 0:
            self._show()
        else:
            self._move(float(value))

    def _move(self, value: float) -> None:
        self._value = value
        self._show()
        if not self.slider.isSliderDown():
            self._settling.start()
        self.moved.emit(value)

    def _on_settled(self) -> None:
        self._settling.stop()
        self.editing_finished.emit()
