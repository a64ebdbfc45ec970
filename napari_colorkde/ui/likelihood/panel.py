"""The tab "Likelihood": the data, the rule, the curve, the table, the cross-check."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, PushButton
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QVBoxLayout, QWidget

from napari_colorkde.app.background.executor import Executor, Progress
from napari_colorkde.app.image.source import is_image, unwrap_proxy
from napari_colorkde.app.likelihood.likelihood import Likelihood
from napari_colorkde.app.likelihood.search_summary import summary
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections
from napari_colorkde.core.crosscheck.answers import HEADER
from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES
from napari_colorkde.io.datasets.montage import montage, shape_of_images
from napari_colorkde.ui.likelihood.text_table import TextTable
from napari_colorkde.ui.likelihood.vector_settings import VectorSettings
from napari_colorkde.ui.report_errors import report_errors
from napari_colorkde.ui.widgets.curve_plot import CurvePlot, Points
from napari_colorkde.ui.widgets.flow_layout import FlowLayout
from napari_colorkde.ui.widgets.folding import FoldingGroup
from napari_colorkde.ui.widgets.forms import Beside, form
from napari_colorkde.ui.window.open_files import refuse_open_file

if TYPE_CHECKING:
    from napari import Viewer

IMAGE, OPENED = "the image's colors", "data set"
SHAPES = {
    "one sigma": "isotropic",
    "one for each channel": "channels",
    "data covariance": "covariance",
}


class LikelihoodPanel(QWidget):
    """Searches the bandwidth of the image or of a data set.

    Parameters
    ----------
    viewer
        Whose layers are offered, and that gets the montage.
    session
        Whose image is searched; a click on its curve sets the session's bandwidth.
    executor
        Runs the work.

    Attributes
    ----------
    vectors
        How a data set is split and scaled, and which sigmas are tried on it.
    """

    failed = Signal(str)
    asked = Signal()
    """The user asks for something: what was refused before is of no interest any more."""

    def __init__(self, viewer: "Viewer", session: Session, executor: Executor) -> None:
        super().__init__()
        self._viewer: Viewer = unwrap_proxy(viewer)
        self.session = session
        self.likelihood = Likelihood(session, executor)
        self._make_settings()
        self._make_results()
        self._lay_out()
        self._connect()
        self._sync()

    def close_session(self) -> None:
        """Stop all work and let go of the session."""
        self._connections.close()
        self.likelihood.close()

    def reset_choices(self) -> None:
        """Follow the layer list."""
        with self.what.changed.blocked():
            self.what.reset_choices()
            self.what.value = IMAGE if self.likelihood.dataset is None else OPENED

    def set_theme(self, theme: str) -> None:
        """Follow napari's theme."""
        self.plot.set_theme(theme)

    # --- its parts

    def _make_settings(self) -> None:
        self.what = ComboBox(
            name="what",
            choices=self._choices,
            tooltip="What to fit the bandwidth to: the colors of the open image, a stack of "
            "images, or a data set from a file.",
        )
        self.file_button = PushButton(
            text="File…",
            tooltip="Open a data set: IDX, mnist.pkl.gz, CIFAR for Python, .npy, .npz, a TIFF of "
            "several pages.",
        )
        self.folder_button = PushButton(
            text="Folder…",
            tooltip="Open a folder of images of the same size; the names of its subfolders are "
            "labels.",
        )
        self.rule = ComboBox(
            name="rule",
            choices=[(r.title, r.name) for r in BANDWIDTH_RULES.values() if r.tries_candidates],
            tooltip="What is predicted: colors or pixels that are left out, or a held-out half of "
            "the pixels. Neighboring pixels are alike, so a random half is mostly predicted by its "
            "neighbors and favors kernels that are too narrow; blocks avoid this.",
        )
        self.shape = ComboBox(
            name="shape",
            choices=list(SHAPES.items()),
            tooltip="One sigma for all channels; one per channel, optimized in turn; or a multiple "
            "of the covariance of the pixels, so that kernels are as elongated as the colors are.",
        )
        self.vectors = VectorSettings()

    def _make_results(self) -> None:
        self.search_button = PushButton(
            text="Search",
            tooltip="Score the candidate bandwidths; the curve shows each one as it is done.",
        )
        self.stop_button = PushButton(text="Stop", tooltip="Stop; scores so far are kept.")
        self.plot = CurvePlot("σ", "log-likelihood")
        self.plot.setToolTip(
            "Mean log-likelihood of the data left out or held out. Click a point to use its sigma. "
            "In the shaded zone, repeated colors predict themselves, so no bandwidth is chosen "
            "there."
        )
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.table = TextTable("Log-likelihoods")
        self.answers = TextTable("Cross-check")
        self.csv_button = PushButton(text="Save table…", tooltip="Write the table as CSV.")
        self.montage_button = PushButton(
            text="Montage", tooltip="Show the first 400 training images as a layer."
        )
        self.check_button = PushButton(
            text="Cross-check",
            tooltip="Compare the density with the textbook formula, scikit-learn, SciPy, "
            "statsmodels and KDEpy, with the bandwidth converted for each.",
        )

    def _lay_out(self) -> None:
        first, self._of_image = QWidget(), QWidget()
        form([("search", [self.what, self.file_button, self.folder_button])], first)
        rule = Beside(("predict", self.rule), ("bandwidth", self.shape), shows_names=False)
        form([("predict", [rule])], self._of_image)
        search, more = QWidget(), QWidget()
        search.setLayout(
            FlowLayout([self.search_button.native, self.stop_button.native], spacing=6)
        )
        buttons = (self.csv_button, self.montage_button, self.check_button)
        more.setLayout(FlowLayout([button.native for button in buttons], spacing=6))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(5)
        self._settings = FoldingGroup("Settings of the data set", self.vectors)
        for part in (first, self._of_image, self._settings, search, self.plot, self.note):
            lines.addWidget(part)
        numbers = QWidget()
        below = QVBoxLayout(numbers)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(5)
        for part in (self.table, more, self.answers):
            below.addWidget(part)
        lines.addWidget(FoldingGroup("Table and cross-check", numbers))

    def _connect(self) -> None:
        self.what.changed.connect(self._on_what)
        self.file_button.changed.connect(self._on_file)
        self.folder_button.changed.connect(self._on_folder)
        self.search_button.changed.connect(self._on_search)
        self.stop_button.changed.connect(self._on_stop)
        self.csv_button.changed.connect(self._on_csv)
        self.montage_button.changed.connect(self._on_montage)
        self.check_button.changed.connect(self._on_check)
        self.plot.clicked.connect(self._on_point)
        self._connections = Connections()
        self._connections.add(self.likelihood.changed, self._sync)
        self._connections.add(self.likelihood.progressed, self._on_progress)
        self._connections.add(self.likelihood.failed, self._on_failed)
        self._connections.add(self.likelihood.idle, self._sync)

    # --- what the user does

    def _on_what(self, what: object) -> None:
        if what == IMAGE:
            self.likelihood.close_dataset()
        elif what != OPENED:
            self._ask(lambda: self.likelihood.open_layer(what))

    def _on_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open data set")
        if path:
            self._ask(lambda: self.likelihood.open(path))

    def _on_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open a folder of images")
        if path:
            self._ask(lambda: self.likelihood.open(path))

    def _on_search(self) -> None:
        self._ask(self._search)

    def _search(self) -> None:
        if self.likelihood.dataset is None:
            self.likelihood.search_image(self.rule.value, self.shape.value)
            return
        self.likelihood.search_vectors(self.vectors.sigmas, **self.vectors.protocol)

    def _on_stop(self) -> None:
        self.likelihood.stop()
        self._sync()

    def _on_point(self, number: int) -> None:
        curve = self.likelihood.curve
        if curve is not None:
            row = int(curve.means.argsort()[number])
            self._ask(lambda: self.likelihood.take(row))

    def _on_check(self) -> None:
        self._ask(self.likelihood.cross_check)

    def _on_csv(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save table", "likelihood.csv", "CSV (*.csv)")
        if path:
            named = path if Path(path).suffix.lower() == ".csv" else f"{path}.csv"
            self._ask(lambda: self._save_table(Path(named)))

    def _save_table(self, path: Path) -> None:
        refuse_open_file(self._viewer, path)
        self.likelihood.save_table(path)

    def _on_montage(self) -> None:
        self._ask(self._add_montage)

    def _add_montage(self) -> None:
        if (dataset := self.likelihood.dataset) is not None:
            picture = montage(dataset.train, shape_of_images(dataset))
            picture = picture[..., 0] if picture.shape[2:] == (1,) else picture
            self._viewer.add_image(picture, name=f"{dataset.name} montage", rgb=picture.ndim == 3)

    def _ask(self, change: Callable[[], object]) -> None:
        self.asked.emit()
        report_errors(change, self.failed.emit)
        self.reset_choices()

    # --- what has come

    def _on_progress(self, progress: Progress) -> None:
        share = "" if progress.fraction is None else f" {progress.fraction:.0%}"
        self.note.setText(f"{progress.what}{share} …")
        self.stop_button.enabled = True

    def _on_failed(self, reason: str) -> None:
        self.failed.emit(reason[:1].upper() + reason[1:])

    def _sync(self) -> None:
        likelihood = self.likelihood
        curve, dataset = likelihood.curve, likelihood.dataset
        self._of_image.setVisible(dataset is None)
        self._settings.setVisible(dataset is not None)
        self.montage_button.visible = dataset is not None and dataset.image_shape is not None
        self.csv_button.visible = curve is not None
        self.stop_button.enabled = likelihood.busy
        self.reset_choices()
        self.note.setText(summary(likelihood))
        if curve is None:
            self.plot.set_points(Points())
        else:
            means = curve.means
            order = means.argsort()
            zone = means[curve.degenerate]
            self.plot.set_points(
                Points(
                    tuple(means[order].tolist()),
                    tuple(curve.scores[order].tolist()),
                    int((order == curve.best).argmax()),
                    float(zone.max()) if len(zone) else None,
                )
            )
        self.table.set_rows(*likelihood.table())
        self.answers.set_rows(HEADER, [answer.cells() for answer in likelihood.answers])

    def _choices(self, widget: object) -> list[tuple[str, object]]:
        layers = [unwrap_proxy(layer) for layer in self._viewer.layers]
        stacks = [layer for layer in reversed(layers) if is_image(layer) and _is_stack(layer)]
        dataset = self.likelihood.dataset
        opened = [] if dataset is None else [(f"data set {dataset.name}", OPENED)]
        return [(IMAGE, IMAGE), *opened, *((layer.name, layer) for layer in stacks)]


def _is_stack(layer: object) -> bool:
    ndim: int = layer.ndim  # type: ignore[attr-defined]  # a layer of napari, without rgb's axis
    return ndim > 2
