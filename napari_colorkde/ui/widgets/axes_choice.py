"""Chooses three of many channels to view, or their principal axes, and shows the choice."""

from collections.abc import Sequence

from magicgui.widgets import ComboBox
from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_colorkde.ui.widgets.forms import name_for_readers

CHANNELS, PRINCIPAL = "channels", "principal"
KINDS = {"channels": CHANNELS, "principal axes": PRINCIPAL}

N_AXES = 3


class AxesChoice(QWidget):
    """A row of choices, with a line that says what is looked at; hidden of up to three channels.

    Attributes
    ----------
    kind
        Channels, or the principal axes.
    channels
        The channel along each of the three axes.
    text
        What is looked at.
    """

    changed = Signal(object, description="Three numbers of channels; None: the principal axes.")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._axes: tuple[int, ...] = tuple(range(N_AXES))
        self.kind = ComboBox(
            name="axes",
            choices=list(KINDS.items()),
            tooltip="The color space has three axes, the colors have more channels. See three of "
            "them, or the axes along which the colors vary most. Densities and kernels are of all "
            "channels; what is drawn here are their marginals.",
        )
        self.channels = [
            ComboBox(
                name=f"axis_{i}",
                choices=[],
                tooltip=f"The channel along axis {i} of the color space.",
            )
            for i in range(1, N_AXES + 1)
        ]
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setContentsMargins(3, 0, 3, 0)
        row = QHBoxLayout()
        row.setSpacing(3)
        for choice, name in zip(
            (self.kind, *self.channels), ("seen along", "axis 1", "axis 2", "axis 3"), strict=True
        ):
            native = choice.native
            native.setMinimumWidth(40)
            native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            name_for_readers(native, name)
            row.addWidget(native, 1)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(3, 0, 3, 0)
        lines.setSpacing(2)
        lines.addWidget(self.text)
        lines.addLayout(row)
        self.kind.changed.connect(self._on_kind)
        for at, choice in enumerate(self.channels):
            choice.changed.connect(lambda channel, at=at: self._on_channel(at, channel))
        self.hide()

    def show_axes(
        self, names: Sequence[str], axes: tuple[int, ...] | None, text: str | None
    ) -> None:
        """Show what is looked at, without announcing it.

        Parameters
        ----------
        names
            Of all channels.
        axes
            Those that are looked at; None for the principal axes.
        text
            What is looked at, in words; None hides all: there are no more than three channels.
        """
        self.setVisible(text is not None)
        if text is None:
            return
        self.text.setText(text)
        if axes is not None:
            self._axes = axes if max(axes) < len(names) else tuple(range(N_AXES))
        with self.kind.changed.blocked():
            self.kind.value = PRINCIPAL if axes is None else CHANNELS
        for choice, channel in zip(self.channels, self._axes, strict=True):
            with choice.changed.blocked():
                if tuple(names) != self._names:
                    choice.choices = [(name, i) for i, name in enumerate(names)]
                choice.value = channel
            choice.native.setVisible(axes is not None)
        self._names = tuple(names)

    def _on_kind(self, kind: str) -> None:
        self.changed.emit(None if kind == PRINCIPAL else self._axes)

    def _on_channel(self, at: int, channel: int) -> None:
        axes = list(self._axes)
        if channel in axes:  # the two change places
            axes[axes.index(channel)] = axes[at]
        axes[at] = channel
        self._axes = tuple(axes)
        self.changed.emit(self._axes)
