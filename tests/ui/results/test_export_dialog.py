from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialogButtonBox

from tests.app.results.test_measuring import STAINS
from tests.ui.conftest import RGB, Dock

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]


def test_names_formats_and_sizes_are_shown_before_anything_is_written(
    dock: Dock, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    widget = dock(RGB)
    results, session = widget.results, widget.session
    session.kernels = STAINS
    session.wait()
    widget._viewer.add_labels(np.ones(RGB.shape[:2], np.uint8), name="parts")
    widget._viewer.add_labels(np.ones((3, 4), np.uint8), name="other")
    results.table.put([{"image": "photo", "region": "", "class": "", "pixels": 1}])
    results.open_export()
    qtbot.waitUntil(lambda: results.export_dialog is not None)
    dialog = results.export_dialog
    titles = [dialog.table.item(row, 0).text() for row in range(dialog.table.rowCount())]
    assert titles == [
        "density", "most likely class", "volume", "palette", "labels parts", "kernels", "results",
        "settings",
    ]  # fmt: skip
    assert dialog.folder == tmp_path
    save = dialog.buttons.button(QDialogButtonBox.StandardButton.Save)
    dialog.folder_box.setText(str(tmp_path / "nowhere"))
    assert not save.isEnabled()
    assert "does not exist" in dialog.total.text()
    dialog.folder_box.setText(str(tmp_path))
    dialog._formats[0].setCurrentText(".png")
    dialog.table.item(0, 1).setText("picture")
    for row in (2, 6):
        dialog.table.item(row, 0).setCheckState(Qt.CheckState.Unchecked)
    (tmp_path / "photo_kernels.json").write_text("{}")
    dialog.folder_box.setText(f"{tmp_path}/")
    assert dialog.table.item(5, 4).text() == "replaces a file"
    dialog.table.item(1, 1).setText("picture")
    dialog._formats[1].setCurrentText(".png")
    assert "is given to several files" in dialog.total.text()
    dialog.table.item(1, 1).setText("classes")
    assert dialog.total.text().startswith("6 files, about ")
    assert [p.name for p in tmp_path.iterdir()] == ["photo_kernels.json"]
    save.click()
    session.wait()
    qtbot.waitUntil((tmp_path / "picture.png").exists)
    assert {p.name for p in tmp_path.iterdir()} == {
        "picture.png", "classes.png", "photo_palette.npz", "photo_parts.tif", "photo_kernels.json",
        "photo_settings.session.json",
    }  # fmt: skip
    assert tmp_path.name in widget.status.news.text()
