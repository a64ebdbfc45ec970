"""Calls in processes of their own."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from napari_colorkde.app.results.processes import Packed, call_in_processes, is_stopped


def wait_for_stop(folder: str) -> str:
    """Work until this process is told to stop."""
    name = Path(folder) / f"{time.perf_counter_ns()}"
    name.with_suffix(".begun").touch()
    while not is_stopped():
        time.sleep(0.01)
    name.with_suffix(".stopped").touch()
    return folder


def sleep_on(folder: str) -> None:
    """Begin what takes longer than anybody waits."""
    (Path(folder) / "slow").touch()
    time.sleep(60)


def test_processes_that_do_not_stop_are_ended(tmp_path: Path) -> None:
    calls = call_in_processes(sleep_on, [(str(tmp_path),)], 1, seconds=0.05, grace=0.1)
    while not (tmp_path / "slow").exists():
        assert next(calls) is None
    started = time.perf_counter()
    calls.close()
    assert time.perf_counter() - started < 30


def test_calls_that_are_closed_are_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A program that is begun again by its processes would leave a file.
    program = tmp_path / "program.py"
    program.write_text(f"open({str(tmp_path / 'opened')!r}, 'w').close()\n")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(program), raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    folder = Packed(str(tmp_path))
    calls = call_in_processes(wait_for_stop, [(folder,)] * 3, 2, seconds=0.05)
    assert next(calls) is None
    while len(list(tmp_path.glob("*.begun"))) < 1:
        assert next(calls) is None
    calls.close()
    assert len(list(tmp_path.glob("*.stopped"))) == len(list(tmp_path.glob("*.begun")))
    assert not (tmp_path / "opened").exists()
    assert not is_stopped()
