"""What libraries work out anew for each window, worked out once for all windows of a test process.

Texts of shaders and their variables, and the manifests of the plugins that are installed: the same
for every window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any


@cache
def remember_what_windows_share() -> None:
    """Replace these functions by ones that remember; does nothing the second time."""
    _remember_manifests()
    _remember_shaders()
    _remember_variables()
    _read_characters_at_once()
    _leave_menus_of_ended_programs()


def _remember_manifests() -> None:
    from npe2 import PluginManifest

    discover = PluginManifest.discover
    found: list[Any] = []

    def remembered(paths: Sequence[str | Path] = ()) -> Iterator[Any]:
        if paths:
            yield from discover(paths)
            return
        if not found:
            found.extend(discover())
        yield from found

    PluginManifest.discover = remembered


def _remember_shaders() -> None:
    from vispy.gloo import glir
    from vispy.visuals.shaders.function import Function

    glir._convert_desktop_shader = cache(glir._convert_desktop_shader)
    clean = Function._clean_code
    cleaned: dict[str, str] = {}

    def clean_code(self: Function, code: str) -> str:
        if code not in cleaned:
            cleaned[code] = clean(self, code)
        return cleaned[code]

    Function._clean_code = clean_code


def _remember_variables() -> None:
    from vispy.gloo.program import Program

    parse = Program._parse_variables_from_code
    parsed: dict[str, dict[str, Any]] = {}

    def parse_variables(self: Program, update_variables: bool = True) -> None:
        code = "\n\n".join(shader.code for shader in self._shaders)
        if code not in parsed:
            parse(self, update_variables=False)
            parsed[code] = self._code_variables
        self._code_variables = dict(parsed[code])
        if update_variables:
            self._process_pending_variables()

    Program._parse_variables_from_code = parse_variables


def _read_characters_at_once() -> None:
    from freetype import Bitmap

    # freetype-py reads them byte by byte.
    Bitmap.buffer = property(lambda self: self._FT_Bitmap.buffer[: self.rows * self.pitch])


def _leave_menus_of_ended_programs() -> None:
    from app_model import Application

    dispose = Application.dispose

    def dispose_in_silence(self: Application) -> None:
        # Otherwise all menus are built again for each action that goes: they are deleted already.
        with self.menus.menus_changed.blocked():
            dispose(self)

    Application.dispose = dispose_in_silence
