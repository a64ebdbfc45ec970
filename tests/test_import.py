"""Importing the package is cheap, and its rooms bring only what they are made of."""

from __future__ import annotations

import subprocess
import sys

import pytest

import napari_colorkde

WINDOW_LIBRARIES = {"napari", "qtpy", "PyQt5", "PyQt6", "PySide2", "PySide6", "vispy", "magicgui"}


def modules_loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a statement loads in a fresh interpreter."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    ).stdout
    return {name.partition(".")[0] for name in printed.split()}


def test_package_loads_no_library() -> None:
    loaded = modules_loaded_by("import napari_colorkde")
    assert "napari_colorkde" in loaded
    libraries = {"numpy", "scipy", "torch", "pydantic", "psygnal", "typer", "tifffile", "imageio"}
    assert not loaded & (libraries | WINDOW_LIBRARIES)


def test_engine_loads_no_window() -> None:
    loaded = modules_loaded_by("from napari_colorkde import *")
    assert "torch" in loaded
    assert not loaded & WINDOW_LIBRARIES


def test_kernels_are_plain_data() -> None:
    loaded = modules_loaded_by("from napari_colorkde import Kernel, KernelSet")
    assert "numpy" in loaded
    assert not loaded & ({"torch"} | WINDOW_LIBRARIES)


def test_command_line_loads_no_engine_before_a_command_runs() -> None:
    loaded = modules_loaded_by("import napari_colorkde.cli")
    assert not loaded & ({"torch", "scipy"} | WINDOW_LIBRARIES)


WITHOUT_A_WINDOW = """
import importlib, pkgutil, sys

class NoWindow:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {libraries}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NoWindow())
for room in ("core", "io", "app", "cli"):
    package = importlib.import_module(f"napari_colorkde.{{room}}")
    for module in pkgutil.walk_packages(package.__path__, f"{{package.__name__}}."):
        importlib.import_module(module.name)
print(len(sys.modules))
"""


def test_all_but_the_window_can_be_imported_without_napari() -> None:
    code = WITHOUT_A_WINDOW.format(libraries=WINDOW_LIBRARIES | {"superqt"})
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_names_are_listed_before_they_are_loaded() -> None:
    assert set(napari_colorkde.__all__) <= set(dir(napari_colorkde))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'napari_colorkde' has no attribute 'Color'"):
        _ = napari_colorkde.Color
