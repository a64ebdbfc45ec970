"""What libraries work out anew for each window, worked out once for all windows of a test process.

Texts of shaders, and the manifests of the plugins that are installed: the same for every window.
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
