"""The bandwidth: a slider for all channels, and a box for each if they differ."""

from collections.abc import Sequence

import numpy as np
from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_colorkde.ui.widgets.flow_layout import FlowLayout
from napari_colorkde.ui.widgets.number_slider import NumberBox, NumberSlider

MAX_SIGMA = 1e9
MIN_SIGMA = 1e-9
DIGITS = 4
FIRST_CHANNELS = 3
BOX_DIGITS = 8
"""Width of a channel's box in digits; those of three channels fit into a line."""


Sigmas = tuple[float, ...]


class BandwidthControl(QWidget):
    """Sigmas of the channels of a color space.

    The slider makes all of them wider or narrower by the same factor. Linked, so does the box of
    one channel; otherwise it changes that channel alone.
    """

    moved = Signal(tuple, description="The sigmas that the user chose: one if all are the same.")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sigma = NumberSlider(
            0.25,
            64.0,
            minimum=0,
            maximum=MAX_SIGMA,
            scale="log",
            value=4.0,
            tooltip="Standard deviation of the kernels, in units of the color space. Moving it "
            "sets the bandwidth by hand and scales all channels by the same factor.",
            name="bandwidth σ",
        )
        self.link_button = QToolButton()
        self.link_button.setText("Link")
        self.link_button.setCheckable(True)
        self.link_button.setChecked(True)
        self.link_button.setAccessibleName("Link the channels")
        self.link_button.setToolTip(
            "Linked: all channels change by the same factor. Unlinked: each has its own σ."
        )
        self.sigmas: Sigmas = (4.0,)
        self._titles: list[QLabel] = []
        self.boxes: list[SigmaBox] = []
        self._pairs: list[QWidget] = []
        self._channels = QWidget()
        self._flow = FlowLayout((), spacing=6, parent=self._channels)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.sigma, 1)
        row.addWidget(self.link_button)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        lines.addLayout(row)
        lines.addWidget(self._channels)
        self.sigma.moved.connect(self._on_slider)
        self.link_button.toggled.connect(self._show)
        self._make_boxes(FIRST_CHANNELS)
        self.set(self.sigmas, ("",))

    @property
    def native(self) -> QWidget:
        """Itself, as forms of magicgui widgets ask for it."""
        return self

    @property
    def value(self) -> float | Sigmas:
        """The sigmas: one number if they are the same."""
        return self.sigmas[0] if len(set(self.sigmas)) == 1 else self.sigmas

    def set(self, sigmas: Sequence[float], names: Sequence[str]) -> None:
        """Show sigmas without announcing them; one stands for all channels."""
        given = tuple(map(float, sigmas))
        self.sigmas = given * len(names) if len(given) == 1 else given
        self._make_boxes(len(self.sigmas))
        for title, name in zip(self._titles, names, strict=False):
            title.setText(name)
        for box, name in zip(self.boxes, names, strict=False):
            box.setAccessibleName(f"bandwidth σ of {name}")
        self._show()

    def set_range(self, low: float, high: float) -> None:
        """Change the slider's ends."""
        self.sigma.set_range(low, high)

    # --- how it is shown

    def _make_boxes(self, n_channels: int) -> None:
        """Have a box for each channel."""
        while len(self.boxes) < n_channels:
            title, box = QLabel(), _box()
            box.valueChanged.connect(self._on_box)
            self._titles.append(title)
            self.boxes.append(box)
            self._pairs.append(_pair(title, box))
            self._flow.addWidget(self._pairs[-1])

    def _show(self, *args: object) -> None:
        is_one = len(set(self.sigmas)) == 1
        middle = _middle(self.sigmas)
        self.sigma.set(middle if is_one else float(f"{middle:.3g}"))
        # Beside a box for each channel a number for all would be true of none.
        by_channel = len(self.sigmas) > 1 and (not is_one or not self.link_button.isChecked())
        self.sigma.box.setVisible(not by_channel)
        self.link_button.setVisible(len(self.sigmas) > 1)
        self._channels.setVisible(by_channel)
        for at, (pair, box) in enumerate(zip(self._pairs, self.boxes, strict=True)):
            pair.setVisible(at < len(self.sigmas))
            if at < len(self.sigmas):
                box.set(self.sigmas[at])

    # --- what the user does

    def _on_slider(self, sigma: float) -> None:
        if len(set(self.sigmas)) == 1:
            self._choose((sigma,) * len(self.sigmas))
        else:
            self._scale(sigma / _middle(self.sigmas))

    def _on_box(self, sigma: float) -> None:
        channel = self.boxes.index(self.sender())
        if sigma <= 0:  # within the box's range, whose end is rounded to its digits
            self._show()
        elif self.link_button.isChecked():
            self._scale(sigma / self.sigmas[channel], channel, sigma)
        else:
            self._choose(tuple(sigma if at == channel else s for at, s in enumerate(self.sigmas)))

    def _scale(self, factor: float, channel: int | None = None, sigma: float = 0.0) -> None:
        """Multiply all; the channel that was typed becomes exactly what was typed."""
        self._choose(
            tuple(sigma if at == channel else s * factor for at, s in enumerate(self.sigmas))
        )

    def _choose(self, sigmas: Sigmas) -> None:
        self.sigmas = sigmas
        self._show()
        self.moved.emit(sigmas[:1] if len(set(sigmas)) == 1 else sigmas)


class SigmaBox(NumberBox):
    """A box for one sigma, four digits of which are shown."""

    def set(self, sigma: float) -> None:
        """Show a number without announcing it."""
        blocked = self.blockSignals(True)
        digits = DIGITS - 1 - int(np.floor(np.log10(sigma)))
        self.setDecimals(min(max(digits, 0), 12))
        self.setValue(sigma)
        self.blockSignals(blocked)


def _box() -> SigmaBox:
    box = SigmaBox()
    box.setRange(MIN_SIGMA, MAX_SIGMA)
    box.setKeyboardTracking(False)
    box.setButtonSymbols(SigmaBox.ButtonSymbols.NoButtons)
    box.setFixedWidth(box.fontMetrics().horizontalAdvance("0" * BOX_DIGITS))
    box.setStepType(SigmaBox.StepType.AdaptiveDecimalStepType)
    box.setToolTip("Standard deviation of the kernels along this channel.")
    return box


def _pair(title: QLabel, box: QWidget) -> QWidget:
    pair = QWidget()
    line = QHBoxLayout(pair)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(3)
    line.addWidget(title)
    line.addWidget(box)
    return pair


def _middle(sigmas: Sigmas) -> float:
    """Return the geometric mean."""
    # The logarithm does not give the number back to the last digit.
    return sigmas[0] if len(set(sigmas)) == 1 else float(np.exp(np.mean(np.log(sigmas))))
