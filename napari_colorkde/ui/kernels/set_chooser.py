"""Which kernel set is shown; opening and saving kernel files."""

from collections.abc import Callable
from pathlib import Path

from magicgui.widgets import ComboBox, PushButton
from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.io.sample_data import PRESET_FILE, sample_path
from napari_colorkde.ui.report_errors import report_errors
from napari_colorkde.ui.widgets.forms import form
from napari_colorkde.ui.window.open_files import TargetCheck, allow_all

PRESETS = {"skin": "skin (Jones & Rehg 1999)", "nonskin": "non-skin (Jones & Rehg 1999)"}

NO_SET = ""

OPEN_FILES = "Kernel files (*.json *.csv)"
SAVE_FILES = "JSON (*.json);;CSV (*.csv)"


class KernelSetChooser(QWidget):
    """The set, and buttons for files.

    Parameters
    ----------
    session
        What is set and followed.

    Attributes
    ----------
    check_target
        Refuses files that may not be written over.
    """

    failed = Signal(str, description="Why a request was refused; a sentence.")
    saved = Signal(Path, description="All sets were written to a file.")

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.check_target: TargetCheck = allow_all
        self.kernel_set = ComboBox(
            name="kernel_set",
            choices=self._choices,
            tooltip="The kernel set that is shown and edited. Two sets for skin come with the "
            "plugin.",
        )
        self.open_button = PushButton(
            name="open_kernels",
            text="Open…",
            tooltip="Open a kernel file (JSON or CSV). You can drop files here, too.",
        )
        self.save_button = PushButton(
            name="save_kernels",
            text="Save…",
            tooltip="Write all kernel sets to a file: JSON keeps everything, CSV is a table.",
        )
        form([("set", [self.kernel_set, self.open_button, self.save_button])], self)
        self.kernel_set.changed.connect(self._on_kernel_set)
        self.open_button.changed.connect(self._on_open)
        self.save_button.changed.connect(self._on_save)
        self._connections = Connections()
        self._connections.add(session.state_changed, self._on_state)
        self._sync(session.state)

    def close_session(self) -> None:
        """Let go of the session."""
        self._connections.close()

    def open_file(self, path: str | Path) -> None:
        """Open a kernel file, or say why that cannot be."""
        self._ask(lambda: self.session.load_kernels(path))

    def save_file(self, path: str | Path) -> None:
        """Write all sets to a kernel file, or say why that cannot be."""
        if self._ask(lambda: self._save(path)):
            self.saved.emit(Path(path))

    def _save(self, path: str | Path) -> None:
        self.check_target(path)
        self.session.save_kernels(path)

    # --- the session changed

    def _on_state(self, state: State, before: State) -> None:
        self._sync(state)

    def _sync(self, state: State) -> None:
        with self.kernel_set.changed.blocked():
            self.kernel_set.reset_choices()
            self.kernel_set.value = state.kernel_set or NO_SET
        self.save_button.enabled = bool(state.kernel_sets)

    # --- the user changed something

    def _on_kernel_set(self, name: str) -> None:
        if name == NO_SET:
            return
        if name in dict(self.session.state.kernel_sets):
            self._ask(lambda: self.session.set(kernel_set=name, show="kernels"))
        else:
            self._ask(lambda: self.session.load_kernels(sample_path(PRESET_FILE), name))

    def _on_open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a kernel file", "", OPEN_FILES)
        if path:
            self.open_file(path)

    def _on_save(self) -> None:
        name = f"{self.session.state.kernel_set or 'kernels'}.json"
        path, chosen = QFileDialog.getSaveFileName(self, "Save kernels", name, SAVE_FILES)
        if path and not Path(path).suffix:
            path += chosen[chosen.index("*") + 1 : chosen.index(")")]
        if path:
            self.save_file(path)

    def _ask(self, change: Callable[[], object]) -> bool:
        """Ask the session; where it refuses, say why and show what it has."""
        is_done = report_errors(change, self.failed.emit)
        if not is_done:
            self._sync(self.session.state)
        return is_done

    def _choices(self, widget: object) -> list[tuple[str, str]]:
        opened = [(name, name) for name, _ in self.session.state.kernel_sets]
        presets = [(text, name) for name, text in PRESETS.items() if (name, name) not in opened]
        none = [] if opened else [("choose a set, or open a file", NO_SET)]
        return none + opened + presets
