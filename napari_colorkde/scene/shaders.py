"""Reads the GLSL files that lie beside this module."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def shader_code(name: str) -> str:
    """Return the text of the shader file `name`."""
    return files("napari_colorkde.scene").joinpath(name).read_text(encoding="utf-8")


@cache
def shader_sections(name: str) -> dict[str, str]:
    """Return the parts of the shader file `name` that begin with ``//% title`` lines."""
    sections: dict[str, str] = {}
    for part in shader_code(name).split("//% ")[1:]:
        title, _, code = part.partition("\n")
        sections[title.strip()] = code
    return sections
