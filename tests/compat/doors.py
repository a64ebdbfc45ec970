"""The only module here that knows names within the package, so that it alone follows moves."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any


def read_session(path: Path) -> tuple[Any, Any]:
    """Read a session file: what was chosen, and how the color space was looked at.

    The window offers only files that hold kernels; this reads any.
    """
    from napari_colorkde.app.session_file import load_state, load_view

    return load_state(path), load_view(path)


def close_widget(widget: Any) -> None:
    """End what a widget has started that was never docked."""
    widget.close_session()


def changed(value: Any, **fields: Any) -> Any:
    """Return an immutable value (a dataclass or a pydantic model) with some fields changed."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **fields)
    return type(value)(**{**value.model_dump(), **fields})
