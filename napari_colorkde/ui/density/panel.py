"""The tab "Density" of the dock: what is shown, with which bandwidth, and how.

Every setting is a magicgui widget that sets one field of the session and follows it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from magicgui.widgets import CheckBox, ComboBox, PushButton
from psygnal import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_colorkde.app.density.request import Estimate
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.state_values import AUTOMATIC, ESTIMATORS, sigmas_given
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES
from napari_colorkde.core.palette.ranges import channel_ranges
from napari_colorkde.io.colors.colormaps import COLORMAPS
from napari_colorkde.io.export_formats import density_suffixes
from napari_colorkde.io.sample_data import PRESET_FILE, sample_path
from napari_colorkde.ui.density.bandwidth_control import BandwidthControl
from napari_colorkde.ui.density.script_menu import ScriptMenu
from napari_colorkde.ui.report_errors import report_errors
from napari_colorkde.ui.widgets.flow_layout import FlowLayout
from napari_colorkde.ui.widgets.forms import form

BY_HAND = "by hand"

SHOWS = {"the image's own colors": "kde", "a kernel set": "kernels"}

SIGMA_FRACTIONS = 1 / 1024, 1 / 4
"""Ends of the bandwidth slider, in parts of the channels' range: 0.25 to 64 of 8-bit levels."""


class DensityPanel(QWidget):
    """Settings of the density.

    Parameters
    ----------
    session
        What is set and followed.
    """

    failed = Signal(str, description="Why a request was refused; a sentence.")
    export_asked = Signal()
    volume_asked = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._make_settings()
        self._make_buttons()
        self._lay_out()
        self._connect()
        self._sync(session.state)
        self._on_source(session.source)
        if session.estimate is not None:
            self._on_estimate(session.estimate)

    def close_session(self) -> None:
        """Let go of the session."""
        self._connections.close()

    # --- its parts

    def _make_settings(self) -> None:
        self.show_what = ComboBox(
            name="show_what",
            choices=list(SHOWS.items()),
            tooltip="The density of the image's own colors (KDE), or a mixture of Gaussian "
            "kernels from a file.",
        )
        self.rule = ComboBox(
            name="rule",
            choices=[
                *((r.title, r.name) for r in BANDWIDTH_RULES.values() if not r.needs_image),
                (BY_HAND, BY_HAND),
            ],
            tooltip="How wide the kernel around each pixel's color is. Leave-one-color-out "
            "maximizes the likelihood, which takes a few seconds for images with many colors.",
        )
        self.bandwidth = BandwidthControl()
        self.sigma = self.bandwidth.sigma
        self.estimator = ComboBox(
            name="estimator",
            choices=list(ESTIMATORS),
            tooltip="What happens to kernels at the boundary of the color range: they extend past "
            "it, are truncated and renormalized, or are reflected back inside. Alternatively, "
            "kernels are wider where colors are rare (Abramson's square-root law, without boundary "
            "correction), which takes about as long as 50 densities. Boundary correction needs one "
            "σ per channel, so it cannot be used with the plug-in rule's full covariance.",
        )
        self.log = CheckBox(
            name="log",
            text="logarithmic",
            tooltip="Show natural logarithms, which also tell rare colors apart.",
        )
        self.colormap = ComboBox(
            name="colormap", choices=self._colormap_choices, tooltip="Colormap of the overlay."
        )

    def _make_buttons(self) -> None:
        self.export_button = PushButton(
            name="export",
            text="Export density…",
            tooltip=f"Write the density of every pixel to a file: {', '.join(density_suffixes())}.",
        )
        self.volume_button = PushButton(
            name="volume",
            text="Open volume",
            tooltip="Show the density over the color space as layers of a second napari viewer.",
        )
        self.script_button = PushButton(
            name="script",
            text="Copy as script",
            tooltip="Copy a Python script or a command line that computes the array shown.",
        )
        self.script_menu = ScriptMenu(self.session, self)
        self.script_button.native.setMenu(self.script_menu)

    def _lay_out(self) -> None:
        self.note = QLabel(
            "Open an image, drop one here or on the canvas, or choose a layer above. Its density "
            "is then shown over it."
        )
        self.note.setWordWrap(True)
        settings = QWidget()
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addWidget(self.note)
        lines.addWidget(settings)
        grid = form(
            [
                ("density of", [self.show_what]),
                ("bandwidth", [self.rule]),
                ("σ", [self.bandwidth]),
                ("kernels", [self.estimator]),
                ("overlay", [self.colormap, self.log]),
            ],
            settings,
        )
        buttons = (self.export_button, self.volume_button, self.script_button)
        grid.addLayout(
            FlowLayout([b.native for b in buttons], spacing=6, is_filled=True), 5, 0, 1, 2
        )

    def _connect(self) -> None:
        self.show_what.changed.connect(self._on_show)
        self.rule.changed.connect(self._on_rule)
        self.bandwidth.moved.connect(self._on_sigmas)
        self.estimator.changed.connect(self._on_estimator)
        self.log.changed.connect(self._on_log)
        self.colormap.changed.connect(self._on_colormap)
        self.export_button.changed.connect(self._on_export)
        self.volume_button.changed.connect(self._on_volume)
        self.script_menu.failed.connect(self.failed)
        self._connections = Connections()
        self._connections.add(self.session.state_changed, self._on_state)
        self._connections.add(self.session.source_changed, self._on_source)
        self._connections.add(self.session.estimate_changed, self._on_estimate)

    # --- the session changed

    def _on_source(self, source: object) -> None:
        self.note.setVisible(source is None)

    def _on_state(self, state: State, before: State) -> None:
        self._sync(state)

    def _sync(self, state: State) -> None:
        """Show a state without setting it again."""
        with self._signals_blocked():
            self.show_what.value = state.show
            sigmas = sigmas_given(state.bandwidth)
            self.rule.value = state.bandwidth or AUTOMATIC if sigmas is None else BY_HAND
            if sigmas is not None:
                self.bandwidth.set(sigmas, self._names())
            self.estimator.value = state.estimator
            self.log.value = state.log
            self.colormap.reset_choices()
            self.colormap.value = state.colormap

    def _on_estimate(self, estimate: Estimate) -> None:
        """Show the sigmas that a rule has chosen, and fit the slider's ends to the image."""
        widest = float(channel_ranges(estimate.coordinates.own).max())
        self.bandwidth.set_range(*(fraction * widest for fraction in SIGMA_FRACTIONS))
        sigmas = sigmas_given(self.session.bandwidth)
        if sigmas is None:
            self.bandwidth.set(estimate.sigmas, self._names())
        elif len(self.bandwidth.sigmas) != len(self._names()):
            self.bandwidth.set(sigmas, self._names())

    # --- the user changed something

    def _on_show(self, show: str) -> None:
        if show == "kernels" and self.session.kernels is None:
            self._ask(lambda: self.session.load_kernels(sample_path(PRESET_FILE)))
        else:
            self._ask(lambda: self.session.set(show=show))

    def _on_rule(self, rule: str) -> None:
        bandwidth = self.bandwidth.value if rule == BY_HAND else rule
        self._ask(lambda: self.session.set(bandwidth=bandwidth))

    def _on_sigmas(self, sigmas: tuple[float, ...]) -> None:
        self._ask(lambda: self.session.set(bandwidth=sigmas))

    def _on_estimator(self, title: str) -> None:
        boundary, varying = ESTIMATORS[title]
        self._ask(lambda: self.session.set(boundary=boundary, varying=varying))

    def _on_log(self, log: bool) -> None:
        self._ask(lambda: self.session.set(log=log))

    def _on_colormap(self, colormap: str) -> None:
        self._ask(lambda: self.session.set(colormap=colormap))

    def _on_export(self) -> None:
        self.export_asked.emit()

    def _on_volume(self) -> None:
        self.volume_asked.emit()

    def _ask(self, change: Callable[[], None]) -> None:
        """Ask the session; where it refuses, say why and show what it has."""
        if not report_errors(change, self.failed.emit):
            self._sync(self.session.state)

    def _names(self) -> tuple[str, ...]:
        """Return the names of the color space's axes, of none before there is an image."""
        estimate, channels = self.session.estimate, self.session.channels
        if channels is None:
            return ("",)
        if estimate is None or estimate.coordinates.name != self.session.space:
            return channels.names
        return tuple(estimate.coordinates.all_names(channels))

    # --- choices

    def _colormap_choices(self, widget: object) -> list[str]:
        # The layer controls of napari offer more; whichever was taken there is offered here, too.
        current = self.session.colormap
        return [*COLORMAPS, *([current] if current not in COLORMAPS else [])]

    @contextmanager
    def _signals_blocked(self) -> Iterator[None]:
        with ExitStack() as stack:
            for widget in (self.show_what, self.rule, self.estimator, self.log, self.colormap):
                stack.enter_context(widget.changed.blocked())
            yield
