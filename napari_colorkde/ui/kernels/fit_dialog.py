"""The dialog "Fit": Gaussian mixtures by EM. It stays open beside napari while it works."""

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.kernels.fitting import Fitted, apply_fit, fit
from napari_colorkde.connections import Connections
from napari_colorkde.ui.kernels.fit_form import FitForm
from napari_colorkde.ui.kernels.pick_tool import PickTool
from napari_colorkde.ui.report_errors import report_errors, sentence
from napari_colorkde.ui.widgets.focus_ring import focus_ring
from napari_colorkde.ui.widgets.pages import in_scroll_area

RESULT_LINES = 4
DIGITS_WIDE = 52
MOST_OF_SCREEN = 0.85


class FitDialog(QDialog):
    """Asks what to fit and to which pixels; says how it goes and how it went.

    Parameters
    ----------
    tool
        Whose session is fitted to, on whose viewer.
    """

    fitted = Signal(object, description="A Fitted that was taken over.")

    def __init__(self, tool: PickTool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = tool.session
        self._waits = False
        self.setWindowTitle("Fit kernels")
        self.form = FitForm(tool)
        self.fit_button = QPushButton("Fit")
        self.stop_button = QPushButton("Stop")
        self.close_button = QPushButton("Close")
        self.result = QLabel()
        self._lay_out()
        self._connect()
        self._sync()

    def close_session(self) -> None:
        """Let go of the session and of the viewer."""
        self._connections.close()
        self.close()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        self.form.reset_choices()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Follow the layers that came and went meanwhile."""
        super().showEvent(event)
        self.reset_choices()
        self._sync()

    # --- what the user does

    def start(self) -> None:
        """Fit in the background."""
        report_errors(self._start, self._say)

    def _start(self) -> None:
        request = self.form.request()
        self._say("Fitting…")
        self._waits = True
        self._session.run("fit", lambda: fit(request), self._on_result, self._on_end)
        self._sync()

    def stop(self) -> None:
        """Stop the fit; nothing is changed."""
        self._session.stop("fit")
        self._stopped()

    # --- what comes of it

    def _on_result(self, result: Fitted) -> None:
        self._waits = False
        if report_errors(lambda: apply_fit(self._session, result, self.form.into.value), self._say):
            self._say(str(result))
            self.fitted.emit(result)

    def _on_end(self, problem: str | None) -> None:
        self._waits = False
        if problem is not None:
            self._say(problem)

    def _on_progress(self, progress: Progress) -> None:
        # napari's progress bars let events pass: the result may have come before.
        if self._waits and progress.what.startswith(("fitting", "reading the labels")):
            self._say(f"{progress.what[:1].upper()}{progress.what[1:]}…")

    def _on_counted(self, counted: object) -> None:
        self.form.reset_variance()

    def _sync(self, *args: object) -> None:
        fitting = self._session.busy and self._session.busy_in("fit")
        self.fit_button.setEnabled(not fitting)
        self.stop_button.setEnabled(fitting)
        if self._waits and not fitting:
            # Its image was left, or all work was stopped.
            self._stopped()

    def _stopped(self) -> None:
        self._waits = False
        self._say("Stopped; nothing was changed.")

    def _say(self, text: str) -> None:
        self.result.setText(sentence(text))
        self._grow()

    def _grow(self) -> None:
        """Make room for the result, up to most of the screen; what is left scrolls."""
        area, screen = self._result_area, self.screen()
        missing = self.result.heightForWidth(area.viewport().width()) - area.viewport().height()
        if missing > 0 and screen is not None:
            tallest = round(MOST_OF_SCREEN * screen.availableGeometry().height())
            self.resize(self.width(), max(self.height(), min(self.height() + missing, tallest)))

    # --- within

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.fit_button, self.stop_button, self.close_button):
            buttons.addWidget(button)
        self.fit_button.setDefault(True)
        self.fit_button.setToolTip(
            "Fit by expectation maximization, weighting each color by its number of pixels."
        )
        self.stop_button.setToolTip("Stop the fit; nothing is changed.")
        self.result.setWordWrap(True)
        self.result.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        lines = QVBoxLayout(self)
        lines.addWidget(self.form)
        lines.addLayout(buttons)
        self._result_area = in_scroll_area(self.result)
        self._result_area.setMinimumHeight(RESULT_LINES * self.fontMetrics().lineSpacing())
        lines.addWidget(self._result_area, 1)
        self.resize(
            self.fontMetrics().horizontalAdvance("0" * DIGITS_WIDE), self.sizeHint().height()
        )

    def _connect(self) -> None:
        self.fit_button.clicked.connect(self.start)
        self.stop_button.clicked.connect(self.stop)
        self.close_button.clicked.connect(self.close)
        self._connections = Connections()
        self._connections.add(self._session.progressed, self._on_progress)
        self._connections.add(self._session.idle, self._sync)
        self._connections.add(self._session.counted_changed, self._on_counted)


class FitButton(QToolButton):
    """Opens the dialog, which is made at its first use.

    Parameters
    ----------
    tool
        The row it stands in.
    """

    def __init__(self, tool: PickTool) -> None:
        super().__init__()
        self._tool = tool
        self.dialog: FitDialog | None = None
        self.setText("Fit…")
        self.setToolTip("Fit kernels to the image, or to the pixels that a Labels layer marks.")
        self.clicked.connect(self.open)

    def open(self) -> None:
        """Show the dialog."""
        if self.dialog is None:
            self.dialog = FitDialog(self._tool, self.window())
        self.dialog.setStyleSheet(focus_ring(self._tool.viewer.theme))
        self.dialog.form.cls.value = self._tool.picker.cls
        self.dialog.show()
        self.dialog.raise_()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        if self.dialog is not None:
            self.dialog.reset_choices()

    def close_session(self) -> None:
        """Close the dialog and let go of the session."""
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.close_session()
            dialog.setParent(None)
            dialog.deleteLater()
