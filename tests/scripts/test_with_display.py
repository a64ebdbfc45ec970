"""The script that runs a command on a display of its own."""

from __future__ import annotations

import sys

import psutil
import pytest

from scripts import with_display


@pytest.mark.window
def test_exit_code_is_the_commands() -> None:
    assert with_display.main([sys.executable, "-c", "raise SystemExit(3)"]) == 3


@pytest.mark.window
def test_command_sees_a_display(capfd: pytest.CaptureFixture[str]) -> None:
    code = "from qtpy.QtWidgets import QApplication; print(QApplication([]).platformName())"
    assert with_display.main([sys.executable, "-W", "ignore", "-c", code]) == 0
    assert capfd.readouterr().out.strip() in {"xcb", "cocoa", "windows"}


@pytest.mark.window
def test_processes_may_have_a_display_each(capfd: pytest.CaptureFixture[str]) -> None:
    code = "import os; print(os.environ['DISPLAY'], os.environ['DISPLAYS'])"
    assert with_display.main(["--displays", "2", sys.executable, "-c", code]) == 0
    if sys.platform.startswith("linux"):
        shown, *each = capfd.readouterr().out.split()
        assert shown == each[0]
        assert len(set(each)) == 2


@pytest.mark.window
def test_no_display_is_left_behind() -> None:
    before = set(psutil.Process().children(recursive=True))
    assert with_display.main(["--displays", "2", sys.executable, "-c", ""]) == 0
    assert set(psutil.Process().children(recursive=True)) <= before


def test_missing_xvfb_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(with_display.sys, "platform", "linux")
    monkeypatch.setattr(with_display.shutil, "which", lambda name: None)
    assert with_display.main(["true"]) == 1
    assert "Xvfb is missing" in capsys.readouterr().err


def test_command_is_run_as_it_is_where_there_is_always_a_display(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(with_display.sys, "platform", "darwin")
    monkeypatch.setattr(with_display.shutil, "which", lambda name: None)
    assert with_display.main([sys.executable, "-c", "raise SystemExit(4)"]) == 4
