"""The options of a batch: which images, and what is made from each."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_colorkde.ui.widgets.forms import set_item_visible

FOLDER, LAYERS = "the images in a folder", "layers"
TEMPLATE = "{dir}/{stem}_{what}.tif"
LAYERS_SHOWN = 5
MOST_JOBS = 64


class BatchForm(QWidget):
    """Controls that do nothing by themselves."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.images_box = QComboBox()
        self.images_box.addItems([FOLDER, LAYERS])
        self.images_box.setToolTip("Which images are measured and written.")
        self.folder_box = QLineEdit()
        self.folder_box.setPlaceholderText("a folder, or a pattern such as slides/*.png")
        self.folder_box.setToolTip("All images in this folder, or those that match the pattern.")
        self.folder_box.setAccessibleName("folder")
        self.folder_button = QPushButton("Choose…")
        self.folder_button.setToolTip("Choose a folder.")
        self.recursive_box = QCheckBox("include subfolders")
        self.layers_box = QListWidget()
        self.layers_box.setAccessibleName("Layers")
        self.frames_box = QCheckBox("frames of a stack one by one")
        self.frames_box.setToolTip(
            "Each frame gets its own density and rows. Otherwise, all frames count as one image."
        )
        self.table_box = QCheckBox("add rows to the table")
        self.table_box.setChecked(True)
        self.regions_box = QLineEdit()
        self.regions_box.setPlaceholderText("none, or a name such as {dir}/{stem}.geojson")
        self.regions_box.setToolTip(
            "Region files, label images or GeoJSON polygons; each region gets its own rows. {dir} "
            "is the image's folder, {stem} its name without the suffix."
        )
        self.files_box = QCheckBox("write files")
        self.template_box = QLineEdit(TEMPLATE)
        self.template_box.setToolTip(
            "Where to write each result: {dir} is the image's folder, {rel} that folder's path "
            "within the chosen one, {stem} and {name} the image's name without and with its "
            "suffix, {what} what is shown. The suffix sets the format."
        )
        self.skips_box = QCheckBox("skip what already exists")
        self.jobs_box = QSpinBox()
        self.jobs_box.setRange(1, MOST_JOBS)
        self.jobs_box.setToolTip(
            "How many images to process at once. With more than one, each runs in its own process "
            "with a share of the cores: faster for many images, but memory use grows by the same "
            "factor."
        )
        self._lay_out()
        self._connect()
        self._show_rows()

    # --- what is chosen

    @property
    def is_folder(self) -> bool:
        """Whether files are chosen; otherwise layers."""
        return bool(self.images_box.currentText() == FOLDER)

    @property
    def folder(self) -> str:
        """The folder or pattern."""
        return str(self.folder_box.text().strip())

    @property
    def recursive(self) -> bool:
        """Whether folders below are searched, too."""
        return bool(self.recursive_box.isChecked())

    @property
    def layers(self) -> list[str]:
        """The names of the layers that are checked."""
        items = [self.layers_box.item(row) for row in range(self.layers_box.count())]
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    @property
    def per_frame(self) -> bool:
        """Whether frames are images of their own."""
        return bool(self.frames_box.isChecked())

    @property
    def measures(self) -> bool:
        """Whether rows go to the table."""
        return bool(self.table_box.isChecked())

    @property
    def regions(self) -> str:
        """Names of files of regions; "" for none."""
        wanted = self.is_folder and self.measures
        return str(self.regions_box.text().strip()) if wanted else ""

    @property
    def template(self) -> str:
        """Names of the files; "" where none are written."""
        return str(self.template_box.text().strip()) if self.files_box.isChecked() else ""

    @property
    def skips(self) -> bool:
        """Whether images whose file is there are left out."""
        return bool(self.files_box.isChecked() and self.skips_box.isChecked())

    @property
    def jobs(self) -> int:
        """How many images to work on at once."""
        return int(self.jobs_box.value())

    def set_layers(self, names: Sequence[str]) -> None:
        """Offer other layers; those that were unchecked stay so."""
        items = [self.layers_box.item(row) for row in range(self.layers_box.count())]
        unchecked = {i.text() for i in items if i.checkState() == Qt.CheckState.Unchecked}
        self.layers_box.clear()
        for name in names:
            item = QListWidgetItem(name)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            is_off = name in unchecked
            item.setCheckState(Qt.CheckState.Unchecked if is_off else Qt.CheckState.Checked)
            self.layers_box.addItem(item)

    # --- within

    def _lay_out(self) -> None:
        folder = QHBoxLayout()
        folder.addWidget(self.folder_box, 1)
        folder.addWidget(self.folder_button)
        self.layers_box.setFixedHeight(LAYERS_SHOWN * self.fontMetrics().lineSpacing() + 24)
        self._form = form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("images", self.images_box)
        form.addRow("folder", folder)
        form.addRow("", self.recursive_box)
        form.addRow("layers", self.layers_box)
        form.addRow("", self.frames_box)
        form.addRow("results", self.table_box)
        form.addRow("regions", self.regions_box)
        form.addRow("", self.files_box)
        form.addRow("files", self.template_box)
        form.addRow("", self.skips_box)
        form.addRow("jobs", self.jobs_box)

    def _connect(self) -> None:
        self.images_box.currentTextChanged.connect(self._show_rows)
        self.files_box.toggled.connect(self._show_rows)
        self.table_box.toggled.connect(self._show_rows)
        self.folder_button.clicked.connect(self._on_choose)
        for signal in (
            self.images_box.currentTextChanged,
            self.folder_box.textChanged,
            self.files_box.toggled,
            self.table_box.toggled,
        ):
            signal.connect(self._on_changed)

    def _show_rows(self, *args: object) -> None:
        for row, visible in {
            1: self.is_folder,
            2: self.is_folder,
            3: not self.is_folder,
            6: self.is_folder and self.measures,
            8: self.files_box.isChecked(),
            9: self.files_box.isChecked(),
        }.items():
            for role in (QFormLayout.ItemRole.LabelRole, QFormLayout.ItemRole.FieldRole):
                item = self._form.itemAt(row, role)
                if item is not None:
                    set_item_visible(item, visible)

    def _on_choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder", self.folder)
        if folder:
            self.folder_box.setText(str(Path(folder)))

    def _on_changed(self, *args: object) -> None:
        self.changed.emit()
