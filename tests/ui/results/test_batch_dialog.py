from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_colorkde.cli import main
from tests.app.results.test_measuring import STAINS
from tests.ui.conftest import RGB, Dock, close_dock

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]


def test_the_state_at_hand_over_a_folder_and_over_layers(
    dock: Dock, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for name in ("a", "b"):
        Image.fromarray(RGB).save(f"in/{name}.png")
    Path("in/broken.png").write_bytes(b"no")
    widget = dock(RGB)
    results, session = widget.results, widget.session
    session.kernels = STAINS
    session.set_classification(show="class", priors={"brown": 0.3})
    session.wait()
    results.open()
    qtbot.waitUntil(lambda: results._dock is not None)
    results.panel.batch_button.native.click()
    dialog = results.batch_dialog
    assert dialog is not None
    form = dialog.form
    assert "most likely class with the kernel set stains" in dialog.state_text.text()
    form.folder_box.setText("nowhere/*.png")
    dialog.start_button.click()
    assert "matches no file" in dialog.result.text()
    form.folder_box.setText(str(tmp_path / "in"))
    form.files_box.setChecked(True)
    form.template_box.setText("out/{stem}_{what}.npy")
    dialog.start_button.click()
    assert dialog.stop_button.isEnabled()
    assert not form.isEnabled()
    qtbot.waitUntil(lambda: not results.batch.busy)
    assert dialog.result.text() == "2 of 3 images are done, 1 failed."
    assert "broken.png" in dialog.failures.toPlainText()
    assert dialog.failures.isVisible()
    assert [row["class"] for row in results.table.rows] == ["brown", "blue", "none"] * 2
    written = np.load("out/a_class.npy")
    assert np.bincount(written.ravel())[1] == results.table.rows[0]["pixels"]
    # The command does the same.
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "k"), ""))
    form.template_box.setText("again/{stem}_{what}.npy")
    form.jobs_box.setValue(2)
    dialog.copy_button.click()
    form.jobs_box.setValue(1)
    copied = QApplication.clipboard().text()
    assert copied.count("--jobs 2") == 2
    lines = copied.replace(" --jobs 2", "").splitlines()
    assert [main(shlex.split(line)[1:]) for line in lines] == [1, 1]
    np.testing.assert_array_equal(np.load("again/a_class.npy"), written)
    # Layers.
    widget._viewer.add_image(255 - RGB, name="negative", rgb=True)
    dialog.reset_choices()
    form.images_box.setCurrentText("layers")
    form.files_box.setChecked(False)
    assert form.layers == ["negative", "photo"]
    form.layers_box.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.copy_button.isEnabled()
    dialog.start_button.click()
    qtbot.waitUntil(lambda: not results.batch.busy)
    assert dialog.result.text() == "1 of 1 images are done."
    assert [row["image"] for row in results.table.rows[6:]] == ["negative"] * 3
    close_dock(widget, qtbot)
