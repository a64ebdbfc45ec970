from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from napari_colorkde.ui.window.background_import import BackgroundImport

pytestmark = pytest.mark.window


def test_the_window_lives_while_modules_are_imported(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(0.3)\nanswer = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    ended: list[BaseException | None] = []
    beats: list[float] = []
    background = BackgroundImport(("slow_module",), ended.append)
    while not ended:
        qtbot.wait(5)
        beats.append(time.perf_counter())
    assert ended == [None]
    assert sys.modules["slow_module"].answer == 42
    assert len(beats) > 10  # events passed meanwhile
    monkeypatch.delitem(sys.modules, "slow_module")
    background.deleteLater()


def test_what_cannot_be_imported_is_handed_over(qtbot: Any) -> None:
    ended: list[BaseException | None] = []
    background = BackgroundImport(("no_such_module_anywhere",), ended.append)
    qtbot.waitUntil(lambda: bool(ended))
    assert isinstance(ended[0], ImportError)
    background.deleteLater()
