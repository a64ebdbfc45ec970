"""The lines below the settings: what was counted, how it was computed, what went wrong."""

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.request import COMPUTED_FIELDS, ColorValues, Estimate
from napari_colorkde.app.image.counting_steps import CountedImage
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.state_values import estimator_title
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.number_text import counted, grouped
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.ui.window.delayed_indicator import BUSY_DELAY_MS, DelayedIndicator
from napari_colorkde.unexpected import add_handler, remove_handler

NO_BREAK = "\u00a0"

WARNING_COLORS = {"dark": "#ffb454", "light": "#a03c00"}


class StatusLines(QWidget):
    """Facts about the palette and the computation, a sentence if something failed, and Stop.

    Parameters
    ----------
    session
        What is reported.
    delay_ms
        Shorter work is not shown.
    """

    def __init__(
        self, session: Session, parent: QWidget | None = None, *, delay_ms: int = BUSY_DELAY_MS
    ) -> None:
        super().__init__(parent)
        self._session = session
        self.problem = _line()
        self.news = _line()
        self.facts = _line()
        self.work = _line()
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop the computation. What is shown stays.")
        self.stop_button.setVisible(False)
        self.stop_button.clicked.connect(self._on_stop)
        self._indicator = DelayedIndicator(session, self, delay_ms=delay_ms)

        last = QHBoxLayout()
        last.addWidget(self.work, 1)
        last.addWidget(self.stop_button, 0, Qt.AlignmentFlag.AlignBottom)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(3)
        lines.addWidget(self.problem)
        lines.addWidget(self.news)
        lines.addWidget(self.facts)
        lines.addLayout(last)
        self.set_theme("dark")
        self.show_error("")
        self._connections = Connections()
        for signal, callback in (
            (session.source_changed, self._on_source),
            (session.counted_changed, self._on_counted),
            (session.densities_changed, self._on_densities),
            (self._indicator.progressed, self._on_progress),
            (self._indicator.finished, self._on_settled),
            (session.failed, self._on_failed),
            (session.message, self.show_error),
            (session.state_changed, self._on_state),
        ):
            self._connections.add(signal, callback)
        self._on_source(session.source)
        add_handler(self._on_unexpected)

    def close_session(self) -> None:
        """Let go of the session."""
        self._indicator.close()
        remove_handler(self._on_unexpected)
        self._connections.close()

    def _on_unexpected(self, error: Exception) -> None:
        self.show_error(f"An unexpected error occurred and was logged: {user_message(error)}")

    def set_theme(self, theme: str) -> None:
        """Keep warnings readable."""
        color = WARNING_COLORS.get(theme, WARNING_COLORS["dark"])
        self.problem.setStyleSheet(f"color: {color};")

    def show_error(self, problem: str) -> None:
        """Show a sentence, until something is changed."""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.news.hide()

    def forget_error(self) -> None:
        """Take away a sentence of what is tried anew; what failed in the session stays."""
        self.show_error(self._session.error or "")

    def show_message(self, news: str) -> None:
        """Show a sentence about what went well, until something is changed."""
        self.show_error(self._session.error or "")
        self.news.setText(news)
        self.news.show()

    def show_saved(self, path: Path) -> None:
        """Say which file was written."""
        self.show_message(f"Saved {path}.")

    # --- the session

    def _on_state(self, state: State, before: State) -> None:
        # What is computed or counted anew may well succeed; all else leaves what failed as it is.
        computed = COMPUTED_FIELDS if self._session.counted is not None else ()
        is_retried = any(
            getattr(state, name) != getattr(before, name) for name in ("channels", *computed)
        )
        self.show_error("" if is_retried else self._session.error or "")

    def _on_source(self, source: object) -> None:
        self.show_error("")
        self.work.setText("")
        if source is None:
            self.facts.setText("Choose an image layer, or open an image.")
        else:
            self.facts.setText("Counting the colors…")

    def _on_counted(self, counted: CountedImage) -> None:
        self.facts.setText(palette_facts(counted.palette, counted.index.is_preview))

    def _on_failed(self, sentence: str) -> None:
        if self._session.counted is None:
            self.facts.setText("")  # nothing is being counted any more
        self.show_error(sentence)

    def _on_densities(self, densities: ColorValues) -> None:
        if densities.is_exact and self._session.estimate is not None:
            self.work.setText(work_facts(self._session.estimate, densities))

    def _on_progress(self, progress: Progress) -> None:
        self.stop_button.setVisible(True)
        fraction = "" if progress.fraction is None else f" {progress.fraction:.0%}"
        self.work.setText(f"{progress.what.capitalize()}…{fraction}")

    def _on_settled(self) -> None:
        self.stop_button.setVisible(False)
        session = self._session
        if session.densities is not None:
            self._on_densities(session.densities)
        elif session.source is not None and session.counted is None and session.error is None:
            self.facts.setText("Stopped before the colors were counted.")
            self.work.setText("")

    def _on_stop(self) -> None:
        self._session.stop()


def palette_facts(palette: Palette, is_sample: bool) -> str:
    """Return what was counted and what was left out, in words."""
    facts = [
        f"{_count(palette.n_pixels, 'pixel')}",
        f"{_count(len(palette), 'color')}",
    ]
    reasons = [
        f"{grouped(n)} {reason}"
        for n, reason in (
            (palette.n_masked, "masked"),
            (palette.n_transparent, "transparent"),
            (palette.n_not_finite, "not finite"),
        )
        if n
    ]
    facts.append(f"left out: {', '.join(reasons)}" if reasons else "none left out")
    if palette.bin_width.any():
        widths = ", ".join(f"{width:.3g}" for width in palette.bin_width)
        facts.append(f"binned to {widths}")
    text = " · ".join(facts)
    return f"A sample of the image, while the rest is being counted: {text}" if is_sample else text


def work_facts(estimate: Estimate, densities: ColorValues) -> str:
    """Return bandwidth, device and time, in words."""
    sigmas = [f"{sigma:.3g}" for sigma in estimate.sigmas]
    shown = sigmas[0] if len(set(sigmas)) == 1 else ", ".join(sigmas)
    if (estimate.boundary, estimate.varying) != ("none", False):
        shown = f"{shown}, {estimator_title(estimate.boundary, estimate.varying)}"
    facts = [
        f"σ{NO_BREAK}{shown}",
        f"{estimate.volume.mass_inside:.0%} of the mass inside the cube",
    ]
    if (kernels := densities.request.kernels) is not None:
        total = float(kernels.weights.sum())
        facts = [
            f"{_count(len(kernels), 'kernel')}, weights sum to {total:.6g}",
            f"cloud: σ{NO_BREAK}{shown}",
        ]
    seconds = f"{densities.seconds:.2f}{NO_BREAK}s"
    return " · ".join([*facts, densities.request.device.name, seconds])


def _line() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _count(n: int, thing: str) -> str:
    return counted(n, thing).replace(" ", NO_BREAK)
