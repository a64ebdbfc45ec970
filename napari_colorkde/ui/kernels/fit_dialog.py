"""The dialog "Fit": Gaussian mixtures by EM. It stays open beside napari while it works."""

from typing import Any

from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.connections import Connections
from napari_colorkde.app.image.source import is_labels
from napari_colorkde.app.jobs import Progress, user_message
from napari_colorkde.app.kernels.fitting import (
    MAX_KERNELS,
    FitRequest,
    Fitted,
    apply_fit,
    fit,
    index_of,
)
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.app.selection.from_layers import labels_selection
from napari_colorkde.app.selection.selections import Selection
from napari_colorkde.core.mixture.em_steps import default_reg_covar
from napari_colorkde.core.palette.ranges import QUANTIZATION
from napari_colorkde.ui.kernels.pick_tool import PickTool
from napari_colorkde.ui.widgets.forms import form

PIXELS = (
    ("whole image", "image"),
    ("pixels of the selected label", "selected"),
    ("all labeled pixels", "together"),
    ("one mixture and class per label", "each"),
)
COVARIANCES = (
    ("full", "full"),
    ("diagonal", "diag"),
    ("spherical", "spherical"),
    ("tied: the same for all kernels", "tied"),
)
RESULTS = (("a new set", "new"), ("added to the current set", "set"))
NO_LAYER = ""


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
        self._tool, self._session = tool, tool.session
        self._waits = False
        self.setWindowTitle("Fit kernels")
        self.pixels = ComboBox(choices=PIXELS, tooltip="The pixels to fit to.")
        self.labels = ComboBox(
            choices=self._layers, tooltip="The Labels layer that marks the pixels."
        )
        self.n_kernels = SpinBox(
            value=3,
            min=1,
            max=MAX_KERNELS,
            tooltip="Number of kernels of each mixture, or the largest number to try.",
        )
        self.by_bic = CheckBox(
            text="choose by BIC, at most this many",
            tooltip="Fit 1, 2, … kernels and keep the number with the lowest Bayesian information "
            "criterion. As neighboring pixels are not independent, it tends to choose many.",
        )
        self.covariance = ComboBox(
            choices=COVARIANCES, tooltip="Shape of the kernels; full ones can have any orientation."
        )
        self.reg_covar = LineEdit(
            value=self._rounding(),
            tooltip="Added to every variance, in squared image units. By default the variance of "
            "rounding: 1/12 of a squared level.",
        )
        self.cls = LineEdit(
            value=tool.picker.cls, tooltip="Class of the new kernels; labels bring their own."
        )
        self.seed = SpinBox(
            value=0, min=0, max=99999, tooltip="Seed of the random start (k-means++)."
        )
        self.into = ComboBox(
            choices=RESULTS, tooltip="Where the kernels go. Undo removes them again."
        )
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
        self.labels.reset_choices()

    def showEvent(self, event: Any) -> None:
        """Follow the layers that came and went meanwhile."""
        super().showEvent(event)
        self.reset_choices()
        self._sync()

    # --- what the user does

    def start(self) -> None:
        """Fit in the background."""
        try:
            request = self._request()
        except (ValueError, TypeError) as error:
            self._say(user_message(error))
            return
        self._say("Fitting…")
        self._waits = True
        self._session.run("fit", lambda: fit(request), self._on_result, self._on_end)
        self._sync()

    def stop(self) -> None:
        """Stop the fit; nothing is changed."""
        self._session.stop("fit")
        self._stopped()

    def _request(self) -> FitRequest:
        which = self.pixels.value
        return FitRequest(
            index_of(self._session),
            self._selection(which),
            which == "each",
            int(self.n_kernels.value),
            bool(self.by_bic.value),
            self.covariance.value,
            self._variance(),
            " ".join(self.cls.value.split()),
            int(self.seed.value),
            self._session.device,
        )

    def _selection(self, which: Any) -> Selection | None:
        source, channels = self._session.source, self._session.channels
        if which == "image" or source is None or channels is None:
            return None
        if self.labels.value == NO_LAYER or self.labels.value is None:
            raise ValueError("there is no Labels layer; add one and paint on it first.")
        try:
            layer = self._tool.viewer.layers[self.labels.value]
        except KeyError:
            raise ValueError(
                f"the layer {self.labels.value!r} no longer exists; choose another one."
            ) from None
        return labels_selection(layer, source, channels, self._tool.view(), which)

    def _rounding(self) -> str:
        palette = self._session.palette
        return f"{QUANTIZATION if palette is None else default_reg_covar(palette):.4g}"

    def _variance(self) -> float | None:
        given = self.reg_covar.value.strip()
        if given == self._rounding():
            return None  # all of its digits
        try:
            variance = float(given)
        except ValueError:
            raise ValueError(
                f"the added variance is {given!r}; give a number such as 0.0833."
            ) from None
        if not variance >= 0:
            raise ValueError(f"the added variance is {given}; give 0 or more.")
        return variance

    # --- what comes of it

    def _on_result(self, result: Fitted) -> None:
        self._waits = False
        try:
            apply_fit(self._session, result, self.into.value)
        except ValueError as error:
            self._say(user_message(error))
            return
        self._say("\n".join(map(str, result.reports)))
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
        self.reg_covar.value = self._rounding()

    def _sync(self, *args: Any) -> None:
        fitting = self._session.busy and self._session.busy_in("fit")
        self.fit_button.setEnabled(not fitting)
        self.stop_button.setEnabled(fitting)
        if self._waits and not fitting:
            # Its image was left, or all work was stopped.
            self._stopped()
        by_labels = self.pixels.value != "image"
        self.labels.enabled = by_labels
        self.cls.enabled = self.pixels.value != "each"

    def _stopped(self) -> None:
        self._waits = False
        self._say("Stopped; nothing was changed.")

    def _say(self, text: str) -> None:
        self.result.setText(text[:1].upper() + text[1:])

    # --- within

    def _layers(self, widget: Any) -> list[tuple[str, str]]:
        layers = [
            layer.name
            for layer in reversed(list(self._tool.viewer.layers))
            if is_labels(layer) and METADATA_KEY not in layer.metadata
        ]
        return [(name, name) for name in layers] or [("no Labels layer", NO_LAYER)]

    def _lay_out(self) -> None:
        inside = QWidget()
        form(
            [
                ("pixels", [self.pixels]),
                ("labels", [self.labels]),
                ("kernels", [self.n_kernels, self.by_bic]),
                ("covariance", [self.covariance]),
                ("added σ²", [self.reg_covar]),
                ("class", [self.cls]),
                ("seed", [self.seed]),
                ("result", [self.into]),
            ],
            inside,
        )
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
        self.result.setMinimumHeight(3 * self.fontMetrics().height())
        self.result.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        lines = QVBoxLayout(self)
        lines.addWidget(inside)
        lines.addLayout(buttons)
        lines.addWidget(self.result, 1)
        self.resize(400, self.sizeHint().height())

    def _connect(self) -> None:
        self.fit_button.clicked.connect(self.start)
        self.stop_button.clicked.connect(self.stop)
        self.close_button.clicked.connect(self.close)
        self.pixels.changed.connect(self._sync)
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
        self.dialog.cls.value = self._tool.picker.cls
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
