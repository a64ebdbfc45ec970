"""What libraries work out anew for each window, worked out once for all windows of a test process.

Texts of shaders and their variables, glyphs, signatures of callbacks, and the manifests of the
plugins that are installed: the same for every window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary


@cache
def remember_what_windows_share() -> None:
    """Replace these functions by ones that remember; does nothing the second time."""
    _remember_manifests()
    _remember_shaders()
    _remember_variables()
    _read_characters_at_once()
    _remember_glyphs()
    _remember_signatures()
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


def _remember_glyphs() -> None:
    import numpy as np
    from vispy.visuals.text.text import SDFRendererCPU

    render = SDFRendererCPU.render_to_texture
    drawn: dict[tuple[Any, ...], Any] = {}

    def render_to_texture(
        self: SDFRendererCPU,
        data: Any,
        texture: Any,
        offset: tuple[int, int],
        size: tuple[int, int],
    ) -> None:
        width, height = size
        key = data.tobytes(), data.shape, size
        if key not in drawn:
            drawn[key] = np.zeros((height, width, 3), np.uint8)
            render(self, data, drawn[key], (0, 0), size)
        x, y = offset
        texture[y : y + height, x : x + width, :] = drawn[key]

    SDFRendererCPU.render_to_texture = render_to_texture


def _remember_signatures() -> None:
    from napari.utils.events import EventEmitter

    check = EventEmitter._check_signature
    # The functions of methods: those of a class, which stay.
    checked = WeakKeyDictionary[Any, bool]()

    def check_signature(fun: Any) -> bool:
        if not isinstance(fun, MethodType) or not isinstance(fun.__func__, FunctionType):
            return check(fun)
        if fun.__func__ not in checked:
            checked[fun.__func__] = check(fun)
        return checked[fun.__func__]

    EventEmitter._check_signature = staticmethod(check_signature)


def _leave_menus_of_ended_programs() -> None:
    from app_model import Application

    dispose = Application.dispose

    def dispose_in_silence(self: Application) -> None:
        # Otherwise all menus are built again for each action that goes: they are deleted already.
        with self.menus.menus_changed.blocked():
            dispose(self)

    Application.dispose = dispose_in_silence
