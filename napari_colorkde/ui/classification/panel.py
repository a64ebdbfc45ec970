"""The tab "Classify" of the dock: classification by the kernels' classes, and its evaluation.

Choices go to the session's classification; the truth is a Labels layer of the viewer.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from psygnal import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_colorkde.app.classification.skin_preset import show_skin_preset
from napari_colorkde.app.classification.threshold import (
    active_threshold,
    has_threshold,
    threshold_range,
)
from napari_colorkde.app.density.class_query import ClassQuery, resolve_classes
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.image.source import unwrap_proxy
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.layers.shown_threshold import ThresholdMask
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.class_settings import with_prior
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.ui.classification.controls import ClassificationControls
from napari_colorkde.ui.classification.evaluation_view import EvaluationView
from napari_colorkde.ui.classification.make_labels import make_labels
from napari_colorkde.ui.classification.sizes_and_legend import SizesView
from napari_colorkde.ui.classification.voxel_controls import VoxelControls
from napari_colorkde.ui.report_errors import report_errors
from napari_colorkde.ui.widgets.flow_layout import FlowLayout
from napari_colorkde.ui.widgets.folding import FoldingGroup

if TYPE_CHECKING:
    from napari import Viewer


class ClassificationPanel(QWidget):
    """Settings of the classification, its mask and its scores.

    Parameters
    ----------
    viewer
        Whose Labels layers can be the truth.
    session, overlay
        What is set and followed, and where masks and labels are painted.
    """

    failed = Signal(str, description="Why a request was refused; a sentence.")
    results_asked = Signal(description="The user wants to see the table of results.")
    add_asked = Signal(description="The user wants the image's rows in that table.")

    def __init__(
        self, viewer: "Viewer", session: Session, overlay: Overlay, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer: Viewer = unwrap_proxy(viewer)
        self._session, self._overlay = session, overlay
        self.controls = ClassificationControls(self._classes, self._others)
        self._connections = Connections()
        self.mask = ThresholdMask(viewer, session, overlay)
        self.voxels = VoxelControls(viewer, session, overlay)
        self.evaluation = EvaluationView(viewer, session)
        self.sizes = SizesView(session)
        self.add_button = PushButton(
            text="Add to table",
            tooltip="Add the pixel count, fraction, area and mean color of each class to the "
            "results table.",
        )
        self.results_button = PushButton(
            text="Results…",
            tooltip="Open the results table, which covers all images of this session.",
        )
        self.note = QLabel()
        self.note.setWordWrap(True)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(6)
        lines.addWidget(self.controls)
        lines.addWidget(self.voxels)
        lines.addWidget(self.sizes)
        lines.addLayout(FlowLayout([self.add_button.native, self.results_button.native], spacing=6))
        lines.addWidget(self.note)
        lines.addWidget(FoldingGroup("Comparison with ground truth", self.evaluation))
        self._connect()
        self._sync()

    def _connect(self) -> None:
        controls = self.controls
        controls.show_what.changed.connect(self._on_show)
        controls.skin_button.changed.connect(self._on_skin)
        controls.cls.changed.connect(self._on_cls)
        controls.against.changed.connect(self._on_against)
        controls.prior.moved.connect(self._on_prior)
        controls.mass.changed.connect(self._on_none)
        controls.none_of_these.changed.connect(self._on_none)
        controls.threshold.moved.connect(self._on_threshold)
        controls.threshold.editing_finished.connect(self._on_rest)
        controls.masked.changed.connect(self._on_masked)
        controls.best_button.changed.connect(self._on_best)
        controls.labels_button.changed.connect(self.make_labels)
        self.voxels.failed.connect(self.failed)
        self.add_button.changed.connect(self._on_add)
        self.results_button.changed.connect(self._on_results)
        self.evaluation.threshold_chosen.connect(self._on_chosen)
        self._connections.add(self.evaluation.evaluation.changed, self._sync_best)
        self._connections.add(self._session.state_changed, self._on_state)
        self._connections.add(self._session.densities_changed, self._on_densities)
        self._connections.add(self._session.source_changed, self._on_source)

    def close_session(self) -> None:
        """Let go of the session and the viewer; the mask goes, labels stay."""
        self._connections.close()
        self.evaluation.close_session()
        self.mask.close()
        self.voxels.close_session()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        self.evaluation.reset_choices()

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        self.evaluation.plot.set_theme(theme)

    # --- what the user does

    def make_labels(self) -> None:
        """Make a Labels layer of the chosen pixels, or of the classes, in the background.

        What is still being computed is waited for.
        """
        report_errors(lambda: self._session.when_ready(self._add_labels), self.failed.emit)

    def _add_labels(self) -> None:
        report_errors(
            lambda: make_labels(self._viewer, self._session, self._overlay, self._on_end),
            self.failed.emit,
        )

    def _on_end(self, problem: str | None) -> None:
        if problem is not None:
            self.failed.emit(problem)

    def _on_add(self) -> None:
        self.add_asked.emit()

    def _on_results(self) -> None:
        self.results_asked.emit()

    def _on_show(self, show: str) -> None:
        self._set(show=show)

    def _on_skin(self) -> None:
        self._ask(lambda: show_skin_preset(self._session))

    def _on_cls(self, cls: str) -> None:
        self._set(cls=cls)

    def _on_against(self, against: str) -> None:
        self._set(against=against)

    def _on_prior(self, prior: float) -> None:
        query = resolve_classes(self._session.state)
        if query is not None:
            self._set("prior", priors=with_prior(query.priors, query.cls, prior))

    def _on_none(self, *args: object) -> None:
        mass = self.controls.mass.value / 100 if self.controls.none_of_these.value else None
        self._set("none of these", keep_mass=mass)

    def _on_threshold(self, threshold: float) -> None:
        self.mask.dragging = True
        self._set("threshold", threshold=threshold, show_mask=True)

    def _on_rest(self) -> None:
        self.mask.dragging = False

    def _on_masked(self, masked: bool) -> None:
        self._set(show_mask=masked)

    def _on_best(self) -> None:
        # None is what these priors make the fewest errors with, where there is no truth.
        self._set(threshold=self.evaluation.best_threshold)

    def _on_chosen(self, threshold: float) -> None:
        self._set("threshold", threshold=threshold, show_mask=True)

    def _set(self, merge_key: str | None = None, **fields: object) -> None:
        self._ask(lambda: self._session.set_classification(merge_key, **fields))

    def _ask(self, change: Callable[[], None]) -> None:
        """Ask the session; where it refuses, say why and show what it has."""
        if not report_errors(change, self._refuse):
            self._sync()

    def _refuse(self, problem: str) -> None:
        if self._session.kernels is None:
            problem = (
                "There are no kernels to classify with yet; pick some, open a kernel file, or "
                "press Skin."
            )
        self.failed.emit(problem)

    # --- what the session says

    def showEvent(self, event: QShowEvent | None) -> None:
        """Catch up with the session."""
        super().showEvent(event)
        self._sync()

    def _on_state(self, state: State, before: State) -> None:
        self._follow_if_seen()

    def _on_source(self, source: object) -> None:
        self._follow_if_seen()

    def _on_densities(self, densities: ColorValues) -> None:
        self._follow_if_seen()

    def _follow_if_seen(self) -> None:
        # Finding the threshold of a density costs 10 ms, which live edits need not wait for.
        if self.isVisible():
            self._sync()

    def _sync(self) -> None:
        state, densities = self._session.state, self._session.densities
        classification, query = state.classification, resolve_classes(state)
        show = "density" if state.shown_classification is None else classification.show
        with self.controls.signals_blocked():
            self.controls.show_what.value = show
            self.controls.cls.reset_choices()
            self.controls.against.reset_choices()
            if query is not None:
                self.controls.cls.value = query.cls
                if query.against is not None:
                    self.controls.against.value = query.against
            if classification.keep_mass is not None:
                self.controls.mass.value = 100 * classification.keep_mass
            self.controls.none_of_these.value = classification.keep_mass is not None
            self.controls.masked.value = classification.show_mask
        if query is not None:
            self.controls.prior.set(query.priors[query.cls])
        threshold = active_threshold(densities, state)
        if densities is not None and threshold is not None:
            self.controls.threshold.set_range(*threshold_range(densities))
            self.controls.threshold.set(threshold)
        self.controls.show_rows(show)
        self.controls.threshold.setEnabled(threshold is not None)
        self.controls.masked.enabled = threshold is not None
        self._sync_best()
        self.controls.labels_button.enabled = densities is not None
        self.add_button.enabled = self._session.source is not None
        self.note.setText(_note(show, query))
        self.note.setVisible(bool(self.note.text()))
        self.sizes.update_sizes()
        self.evaluation.set_threshold(threshold)

    def _sync_best(self) -> None:
        best, chosen = self.evaluation.best_threshold, self._session.state.classification.threshold
        can_have_one = has_threshold(self._session.densities, self._session.state)
        self.controls.best_button.enabled = can_have_one and best != chosen

    # --- choices

    def _classes(self, widget: object) -> list[str]:
        query = resolve_classes(self._session.state)
        return [] if query is None else list(query.names)

    def _others(self, widget: object) -> list[str]:
        query = resolve_classes(self._session.state)
        return [] if query is None else [n for n in query.names if n != query.cls]


def _note(show: str, query: ClassQuery | None) -> str:
    """Which classes take part, where that is not plain."""
    if query is None:
        return (
            "Classes come from kernels. Pick pixels of two or more classes on the Kernels tab, "
            "open a kernel file there, or press Skin for an example."
        )
    if show == "density" or len(query.names) < 3:
        return ""  # of two classes the slider says both priors
    classes = ", ".join(f"{name} {p:.3g}" for name, p in query.priors.items())
    return f"Priors: {classes}."
