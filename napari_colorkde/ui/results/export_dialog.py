"""The dialog "Export all": names, formats and sizes of everything a session can write."""

from collections.abc import Sequence
from pathlib import Path

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_colorkde.app.results.export_pixels import ExportItem
from napari_colorkde.core.number_text import bytes_text

COLUMNS = ("what", "name", "format", "about", "")
WHAT, NAME, FORMAT, SIZE, NOTE = range(len(COLUMNS))


class ExportDialog(QDialog):
    """Chooses files; writes nothing by itself.

    Parameters
    ----------
    items
        What can be written.
    folder
        Where, by default.
    """

    chosen = Signal(list, Path, description="Items with the names of their files, and the folder.")

    def __init__(
        self, items: Sequence[ExportItem], folder: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export all")
        self._items = list(items)
        self.folder_box = QLineEdit(str(folder))
        self.folder_box.setToolTip("The folder to write all files to.")
        self.folder_box.setAccessibleName("folder")
        self.folder_button = QPushButton("Choose…")
        self.folder_button.setToolTip("Choose a folder.")
        self.table = QTableWidget(len(self._items), len(COLUMNS))
        self.total = QLabel()
        self.total.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self._formats: list[QComboBox] = []
        self._fill()
        self._lay_out()
        self._connect()
        self._sync()

    @property
    def folder(self) -> Path:
        """Where the files are written."""
        return Path(self.folder_box.text().strip()).expanduser()

    @property
    def files(self) -> list[tuple[ExportItem, str]]:
        """What is checked, with the name of its file."""
        return [
            (item, self._name(row))
            for row, item in enumerate(self._items)
            if self.table.item(row, WHAT).checkState() == Qt.CheckState.Checked
        ]

    # --- within

    def _fill(self) -> None:
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.setAccessibleName("Files")
        self.table.verticalHeader().hide()
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        for row, item in enumerate(self._items):
            what = QTableWidgetItem(item.title)
            what.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            what.setCheckState(Qt.CheckState.Checked)
            self.table.setItem(row, WHAT, what)
            self.table.setItem(row, NAME, QTableWidgetItem(item.stem))
            formats = QComboBox()
            formats.addItems(list(item.suffixes))
            formats.setAccessibleName(f"format of {item.title}")
            formats.currentTextChanged.connect(self._sync)
            self._formats.append(formats)
            self.table.setCellWidget(row, FORMAT, formats)
            for column in (SIZE, NOTE):
                cell = QTableWidgetItem()
                cell.setFlags(Qt.ItemFlag.ItemIsEnabled)
                self.table.setItem(row, column, cell)

    def _lay_out(self) -> None:
        folder = QHBoxLayout()
        label = QLabel("folder")
        label.setBuddy(self.folder_box)
        folder.addWidget(label)
        folder.addWidget(self.folder_box, 1)
        folder.addWidget(self.folder_button)
        lines = QVBoxLayout(self)
        lines.addLayout(folder)
        lines.addWidget(self.table, 1)
        lines.addWidget(self.total)
        lines.addWidget(self.buttons)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column in (WHAT, FORMAT, SIZE, NOTE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        line = self.table.verticalHeader().defaultSectionSize()
        self.resize(self.fontMetrics().horizontalAdvance("0" * 84), (len(self._items) + 6) * line)

    def _connect(self) -> None:
        self.folder_box.textChanged.connect(self._sync)
        self.folder_button.clicked.connect(self._on_choose)
        self.table.itemChanged.connect(self._on_item)
        self.buttons.accepted.connect(self._on_save)
        self.buttons.rejected.connect(self.reject)

    def _name(self, row: int) -> str:
        stem = self.table.item(row, NAME).text().strip()
        return f"{stem}{self._formats[row].currentText()}"

    def _on_choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder", str(self.folder))
        if folder:
            self.folder_box.setText(folder)

    def _on_item(self, item: QTableWidgetItem) -> None:
        if item.column() in (WHAT, NAME):
            self._sync()

    def _on_save(self) -> None:
        self.chosen.emit(self.files, self.folder)
        self.accept()

    def _sync(self, *args: object) -> None:
        files, folder = self.files, self.folder
        names = [name for _, name in files]
        self.table.blockSignals(True)
        for row, item in enumerate(self._items):
            suffix = self._formats[row].currentText()
            self.table.item(row, SIZE).setText(bytes_text(item.size(suffix)))
            is_there = (folder / self._name(row)).exists()
            self.table.item(row, NOTE).setText("replaces a file" if is_there else "")
        self.table.blockSignals(False)
        problem = _problem(folder, names)
        total = sum(item.size(name[len(_stem(name, item)) :]) for item, name in files)
        self.total.setText(
            problem or f"{len(files)} files, about {bytes_text(total)}; all are written, or none."
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not problem)


def _stem(name: str, item: ExportItem) -> str:
    """Return a file's name without its suffix."""
    suffix = max((s for s in item.suffixes if name.endswith(s)), key=len)
    return name.removesuffix(suffix)


def _problem(folder: Path, names: Sequence[str]) -> str:
    """Say why files cannot be written; "" if they can."""
    if not names:
        return "Nothing is chosen; check at least one."
    if not folder.is_dir():
        return f"The folder {str(folder)!r} does not exist; choose another one."
    if twice := {name for name in names if names.count(name) > 1}:
        return f"The name {min(twice)!r} is given to several files; give each a different name."
    if wrong := [name for name in names if name.startswith(".") or "/" in name or "\\" in name]:
        return (
            f"The name {wrong[0]!r} is not a valid file name; leave out slashes and a leading dot."
        )
    return ""
