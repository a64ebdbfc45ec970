"""The menu "Copy as script": what is shown, as Python or as a command line, on the clipboard."""

from pathlib import Path
from typing import Literal

from psygnal import Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QWidget

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.density.class_query import shown_kernels
from napari_colorkde.app.density.command import batch_commands, command_line
from napari_colorkde.app.density.script import needs_kernel_file, python_script
from napari_colorkde.app.image.file_reading import reading_of
from napari_colorkde.app.image.saved_colors import save_colors
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.layers.voxels.voxel_script import shows_voxels, with_voxels
from napari_colorkde.app.session import Session
from napari_colorkde.app.state import State
from napari_colorkde.io.kernels.kernel_files import save_kernels
from napari_colorkde.ui.window.open_files import TargetCheck, allow_all

CodeForm = Literal["python", "command", "batch"]

COPIED = {
    "python": "The Python script",
    "command": "The command line",
    "batch": "The batch command line",
}

IMAGE_TITLE, KERNELS_TITLE = "Save the image for the script", "Save the kernels for the script"
FILES = {"npy": "NumPy", "json": "Kernel files"}


class ScriptMenu(QMenu):
    """Copies code that gives the array that is shown.

    Parameters
    ----------
    session
        What is shown.

    Attributes
    ----------
    check_target
        Refuses files that may not be written over.
    """

    failed = Signal(str, description="A sentence.")

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.check_target: TargetCheck = allow_all
        self.setToolTipsVisible(True)
        python = self.addAction("Python")
        python.setToolTip("A short script that computes the array shown.")
        python.triggered.connect(self._on_python)
        command = self.addAction("Command line")
        command.setToolTip("A command that writes the array shown to a TIFF file.")
        command.triggered.connect(self._on_command)
        batch = self.addAction("Batch command line")
        batch.setToolTip("Commands that do the same for all images of its folder.")
        batch.triggered.connect(self._on_batch)
        self.python_action, self.command_action, self.batch_action = python, command, batch

    def copy(self, form: CodeForm) -> None:
        """Copy what is shown as "python", as a "command", or the same for a folder as a "batch".

        Kernels, and an image that no file holds, may have to be saved first.
        """
        source, state = self._session.source, self._session.state
        if source is None:
            self.failed.emit("There is no image to write a script for; open one first.")
            return
        try:
            self._write(form, state, source, "kernels.json")  # refused before a file is asked for
            folder = Path(source.path).parent if source.path else Path()
            files = []
            if form != "batch" and _is_unsaved(source, state):
                image_file = self._ask(IMAGE_TITLE, folder, source.name, "npy")
                if not image_file:
                    return
                channels = state.channels or source.choices[0]
                source = save_colors(source, channels, image_file)
                state = state.replace(channels=None)
                files.append(f"the image from {Path(image_file).name}")
            file = None
            if needs_kernel_file(state, "python" if form == "python" else "command"):
                file = self._ask(KERNELS_TITLE, folder, str(state.kernel_set), "json")
                if not file:
                    return
                save_kernels(file, shown_kernels(state))
                files.append(f"the kernels from {Path(file).name}")
            text = self._write(form, state, source, file)
        except (ValueError, TypeError, OSError) as error:
            self.failed.emit(user_message(error))
            return
        QApplication.clipboard().setText(text)
        reads = f" It reads {' and '.join(files)}." if files else ""
        if form != "python" and shows_voxels(state, source):
            reads += " It does not include true color in 3-D."
        self._session.say(f"{COPIED[form]} is on the clipboard.{reads}")

    def _write(
        self, form: CodeForm, state: State, source: ImageSource, kernel_file: str | None
    ) -> str:
        if form == "python":
            return with_voxels(python_script(state, source, kernel_file), state, source)
        if form == "command":
            return command_line(state, source, kernel_file)
        folder = str(Path(source.path).parent) if source.path else "FOLDER"
        per_frame = bool(source.frame(state.channels or source.choices[0]))
        return batch_commands(state, source, folder, kernel_file, per_frame=per_frame)

    def _ask(self, title: str, folder: Path, name: str, suffix: str) -> str:
        offered = str(folder / f"{name}.{suffix}")
        path, _ = QFileDialog.getSaveFileName(
            self.parentWidget(), title, offered, f"{FILES[suffix]} (*.{suffix})"
        )
        if not path:
            return ""
        target = str(path) if Path(path).suffix else f"{path}.{suffix}"
        self.check_target(target)
        return target

    def _on_python(self) -> None:
        self.copy("python")

    def _on_command(self) -> None:
        self.copy("command")

    def _on_batch(self) -> None:
        self.copy("batch")


def _is_unsaved(source: ImageSource, state: State) -> bool:
    """Whether no file has the numbers of a layer, or of those that its channels are made of."""
    channels = state.channels or source.choices[0]
    return not source.path or bool(channels.layers) or reading_of(source) is None
