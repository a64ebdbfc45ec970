"""The dialog "Batch": the current state over many layers or a folder, with progress and Stop."""

from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.class_query import shown_kernels, what_is_shown
from napari_colorkde.app.density.command import batch_commands
from napari_colorkde.app.density.script import needs_kernel_file
from napari_colorkde.app.image.layer_files import file_of
from napari_colorkde.app.image.source import source_of, unwrap_proxy
from napari_colorkde.app.layers.layer_watch import image_layers
from napari_colorkde.app.results.batch import Batch, BatchReport
from napari_colorkde.app.results.batch_items import BatchItem, plan_files, plan_layers
from napari_colorkde.app.results.image_work import ImageWork
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.class_settings import OVERLAY_VALUES
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.io.kernels.kernel_files import save_kernels
from napari_colorkde.ui.report_errors import report_errors, sentence
from napari_colorkde.ui.results.batch_form import BatchForm
from napari_colorkde.ui.window.open_files import refuse_open_file

if TYPE_CHECKING:
    from napari import Viewer

STEPS = 1000
"""Of the progress bar."""


class BatchDialog(QDialog):
    """Chooses images and outputs, and follows the batch.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    session
        Whose state is applied.
    batch
        Does the work.
    """

    copied = Signal(str, description="What was put on the clipboard; a sentence.")

    def __init__(
        self, viewer: "Viewer", session: Session, batch: Batch, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Batch")
        self._viewer, self._session, self.batch = unwrap_proxy(viewer), session, batch
        self.form = BatchForm()
        self.state_text = QLabel()
        self.state_text.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.failures = QPlainTextEdit()
        self.failures.setReadOnly(True)
        self.failures.setAccessibleName("Images that failed, and why")
        self.start_button, self.stop_button = QPushButton("Start"), QPushButton("Stop")
        self.copy_button, self.close_button = QPushButton("Copy command"), QPushButton("Close")
        self._lay_out()
        self._connections = Connections()
        self._connect()
        self.reset_choices()
        self._sync()
        self.resize(self.fontMetrics().horizontalAdvance("0" * 70), self.sizeHint().height())

    def close_session(self) -> None:
        """Let go of the session and the batch."""
        self._connections.close()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        self.form.set_layers([layer.name for layer in reversed(image_layers(self._viewer))])

    # --- what the user does

    def start(self) -> None:
        """Begin with what is chosen; say so if it is refused."""
        report_errors(self._start, self._say)
        self._sync()

    def copy(self) -> None:
        """Put command lines on the clipboard that do the same."""
        report_errors(self._copy, self._say)

    def _start(self) -> None:
        form, session = self.form, self._session
        if not (form.measures or form.template):
            raise ValueError("there is nothing to do; choose the table, files, or both.")
        items = self._items(what_is_shown(session.state))
        work = ImageWork(session.state, form.measures, form.per_frame, session.device)
        self.failures.clear()
        self.batch.start(items, work, form.jobs)
        self._say("Reading…")

    def _items(self, what: str) -> list[BatchItem]:
        form, source, channels = self.form, self._session.source, self._session.channels
        layers = {layer.name: layer for layer in image_layers(self._viewer)}
        files = [file_of(layer) for layer in layers.values()]
        protected = [file for file in files if file is not None]
        template = Path(form.template) if form.template else None
        if form.is_folder:
            if not form.folder:
                raise ValueError(
                    "no folder is chosen; choose one, or type a pattern such as *.png."
                )
            return plan_files(
                [form.folder],
                source,
                channels,
                template,
                what,
                recursive=form.recursive,
                skips=form.skips,
                protected=protected,
                regions=Path(form.regions) if form.regions else None,
            )
        chosen = [source_of(layers[name]) for name in form.layers if name in layers]
        if not chosen or channels is None:
            raise ValueError("no layer is chosen; check at least one.")
        return plan_layers(chosen, channels, template, what, skips=form.skips, protected=protected)

    def _copy(self) -> None:
        source, state, form = self._session.source, self._session.state, self.form
        if source is None or not form.is_folder or not form.folder:
            raise ValueError("a command reads files; choose a folder, and open one of its images.")
        file = None
        if needs_kernel_file(state, "command"):
            file, _ = QFileDialog.getSaveFileName(
                self, "Save the kernels for the command", f"{state.kernel_set}.json", "(*.json)"
            )
            if not file:
                return
            file = file if Path(file).suffix else f"{file}.json"
            refuse_open_file(self._viewer, file)
            save_kernels(file, shown_kernels(state))
        text = batch_commands(
            state,
            source,
            form.folder,
            file,
            output=form.template or None,
            table="results.csv" if form.measures else None,
            recursive=form.recursive,
            per_frame=form.per_frame,
            skips=form.skips,
            regions=form.regions or None,
            jobs=form.jobs,
        )
        QApplication.clipboard().setText(text)
        self._say("The command is on the clipboard.")

    def _on_stop(self) -> None:
        self.batch.stop()

    # --- what the batch and the session say

    def _on_progress(self, progress: Progress) -> None:
        self.bar.setValue(round(STEPS * (progress.fraction or 0.0)))
        self.result.setText(progress.what)  # begins with a file's name

    def _on_ended(self, report: BatchReport) -> None:
        self.bar.setValue(STEPS if not report.stopped else self.bar.value())
        self._say(report.text)
        self.failures.setPlainText("\n".join(item.error for item in report.failed))
        self._sync()

    def _on_state(self, state: State, before: State) -> None:
        self._sync()

    def _sync(self, *args: object) -> None:
        busy = self.batch.busy
        self.start_button.setEnabled(not busy)
        self.stop_button.setEnabled(busy)
        self.form.setEnabled(not busy)
        self.copy_button.setEnabled(self.form.is_folder and not busy)
        self.state_text.setText(_summary(self._session.state))
        self.failures.setVisible(bool(self.failures.toPlainText()))

    def _say(self, text: str) -> None:
        self.result.setText(sentence(text))

    # --- within

    def _lay_out(self) -> None:
        self.start_button.setDefault(True)
        self.start_button.setToolTip("Process all the chosen images.")
        self.stop_button.setToolTip("Stop; results of finished images are kept.")
        self.copy_button.setToolTip("Copy command lines that do the same, for a terminal.")
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addStretch(1)
        for button in (self.start_button, self.stop_button, self.close_button):
            buttons.addWidget(button)
        lines = QVBoxLayout(self)
        for widget in (self.state_text, self.form, self.bar, self.result):
            lines.addWidget(widget)
        lines.addWidget(self.failures, 1000)
        lines.addStretch(1)
        lines.addLayout(buttons)

    def _connect(self) -> None:
        self.start_button.clicked.connect(self.start)
        self.stop_button.clicked.connect(self._on_stop)
        self.copy_button.clicked.connect(self.copy)
        self.close_button.clicked.connect(self.close)
        self.form.changed.connect(self._sync)
        self._connections.add(self.batch.progressed, self._on_progress)
        self._connections.add(self.batch.ended, self._on_ended)
        self._connections.add(self.batch.failed, self._say)
        self._connections.add(self._session.state_changed, self._on_state)


def _summary(state: State) -> str:
    """Return what is done with each image, in a sentence."""
    what = OVERLAY_VALUES[what_is_shown(state)]
    if state.show == "kernels":
        names = ", ".join(shown_kernels(state))
        return f"Each image is treated like the one shown: {what} with the kernel set {names}."
    given = state.bandwidth
    width = given if isinstance(given, str) else "automatic" if given is None else "set by hand"
    kernels = "" if (state.boundary, state.varying) == ("none", False) else f", {state.estimator}"
    return (
        f"Each image is treated like the one shown: {what} of its own colors, bandwidth "
        f"{width}{kernels}."
    )
