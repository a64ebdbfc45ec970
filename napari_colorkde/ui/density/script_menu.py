"""The menu "Copy as script": what is shown, as Python or as a command line, on the clipboard."""

from pathlib import Path

from psygnal import Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QWidget

from napari_colorkde.app.background.reports import user_message
from napari_colorkde.app.density.script import (
    Form,
    command_line,
    needs_kernel_file,
    python_script,
    shown_kernels,
)
from napari_colorkde.app.image.file_reading import reading_of
from napari_colorkde.app.session import Session
from napari_colorkde.io.kernels.kernel_files import save_kernels

COPIED = {"python": "The Python script", "command": "The command line"}


class ScriptMenu(QMenu):
    """Copies code that gives the array that is shown.

    Parameters
    ----------
    session
        What is shown.
    """

    failed = Signal(str, description="A sentence.")

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setToolTipsVisible(True)
        python = self.addAction("Python")
        python.setToolTip("A short script that computes the array shown.")
        python.triggered.connect(self._on_python)
        command = self.addAction("Command line")
        command.setToolTip("A command that writes the array shown to a TIFF file.")
        command.triggered.connect(self._on_command)
        self.python_action, self.command_action = python, command

    def copy(self, form: Form) -> None:
        """Copy what is shown as "python" or as a "command"; kernels may have to be saved first."""
        source, state = self._session.source, self._session.state
        if source is None:
            self.failed.emit("There is no image to write a script for; open one first.")
            return
        write = python_script if form == "python" else command_line
        try:
            write(state, source, "kernels.json")  # refused before a file is asked for
            file = None
            if needs_kernel_file(state, form):
                file = self._ask_for_file(Path(source.path).parent if source.path else Path())
                if not file:
                    return
                save_kernels(file, shown_kernels(state))
            text = write(state, source, file)
        except (ValueError, TypeError, OSError) as error:
            self.failed.emit(user_message(error))
            return
        clipboard = QApplication.clipboard()
        clipboard.setText(text)
        notice = f"{COPIED[form]} is on the clipboard."
        if file:
            notice += f" It reads the kernels from {Path(file).name}."
        if source.path and reading_of(source) is None:
            notice += f" {Path(source.path).name} holds other numbers than the layer."
        if not source.path or reading_of(source) is None:
            notice += f" Save the layer {source.name!r} to a file first; the text names that file."
        self._session.say(notice)

    def _ask_for_file(self, folder: Path) -> str:
        name = str(folder / f"{self._session.state.kernel_set}.json")
        path, _ = QFileDialog.getSaveFileName(
            self.parentWidget(), "Save the kernels for the script", name, "Kernel files (*.json)"
        )
        return f"{path}.json" if path and not Path(path).suffix else str(path)

    def _on_python(self) -> None:
        self.copy("python")

    def _on_command(self) -> None:
        self.copy("command")
