"""What was compiled is read again, but not where it was compiled for something else."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

LOOPS = """
from napari_colorkde.core.compiled_loops import compiled
from {package}.constants import STEP

@compiled("int64(int64)", writes=())
def stepped(x):
    return x + STEP
"""
CALLERS = """
from napari_colorkde.core.compiled_loops import compiled
from {package}.loops import stepped

@compiled("int64(int64)", writes=())
def twice(x):
    return stepped(stepped(x))
"""


def test_constants_and_loops_of_other_modules_are_those_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = "compiled_for_now"
    folder = tmp_path / package
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (folder / "loops.py").write_text(LOOPS.format(package=package))
    (folder / "callers.py").write_text(CALLERS.format(package=package))
    n_compiled = []
    for step in (1, 200, 200):
        (folder / "constants.py").write_text(f"STEP = {step}")
        importlib.invalidate_caches()
        callers = importlib.import_module(f"{package}.callers")
        assert callers.stepped(0) == step
        assert callers.twice(0) == 2 * step
        n_compiled.append(len(list(folder.rglob("*.nbi"))))
        for name in [name for name in sys.modules if name.startswith(package)]:
            del sys.modules[name]
    assert n_compiled == [2, 4, 4]
