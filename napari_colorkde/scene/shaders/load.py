"""Reads the GLSL files that lie beside this module."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def shader_code(name: str) -> str:
    """Return the text of the shader file `name`."""
    return files("napari_colorkde.scene.shaders").joinpath(name).read_text(encoding="utf-8")
