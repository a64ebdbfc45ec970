"""The dock widget in a real window, and volumes that take no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_colorkde.app.density import density_steps
from napari_colorkde.ui.colorspace import dock as colorspace_dock
from napari_colorkde.ui.colorspace.marginal_planes import MarginalPlanesView
from napari_colorkde.ui.widgets import folding
from napari_colorkde.ui.window import autosave, dock_column

if TYPE_CHECKING:
    from pathlib import Path

    from napari import Viewer

    from napari_colorkde.app.session import Session
    from napari_colorkde.ui.dock import ColorKDEWidget

RNG = np.random.default_rng(0)
RGB = RNG.integers(40, 90, (60, 80, 3)).astype(np.uint8)

Dock = Callable[..., "ColorKDEWidget"]


@pytest.fixture(autouse=True)
def small_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(density_steps, "BINS", {1: 64, 2: 48, 3: 32})


@pytest.fixture(autouse=True)
def stacked_docks(monkeypatch: pytest.MonkeyPatch) -> None:
    """See both docks, however low the windows of tests are."""
    monkeypatch.setattr(dock_column, "MIN_STACKED_HEIGHT", 0)


@pytest.fixture(autouse=True)
def own_sessions(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep sessions apart from the user's own."""
    folder = tmp_path_factory.mktemp("sessions")
    monkeypatch.setattr(autosave, "session_folder", lambda: folder)
    monkeypatch.setattr(folding, "session_folder", lambda: folder)
    return folder


@pytest.fixture
def flat_color_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show the color space as where there is no OpenGL: for tests that do not look at it.

    Its canvas and shaders are most of the time that a window takes to open.
    """

    def make_view(session: Session, theme: str) -> MarginalPlanesView:
        return MarginalPlanesView(session, "The test does not look at it.", theme)

    monkeypatch.setattr(colorspace_dock, "make_view", make_view)


@pytest.fixture
def dock(viewer: Viewer, qtbot: Any) -> Dock:
    """Dock the plugin, wait for its view of the color space, and for the density if there is one.

    Images given are opened as layers before.
    """
    from napari_colorkde.ui.launcher import dock_plugin

    def actual(*images: Any, **options: Any) -> ColorKDEWidget:
        for image in images:
            viewer.add_image(image, **{"name": "photo", "rgb": True, **options})
        widget = dock_plugin(viewer)
        qtbot.waitUntil(lambda: widget.colorspace is not None)
        widget.session.wait()
        return widget

    return actual


def close_dock(widget: ColorKDEWidget, qtbot: Any) -> None:
    """Close a dock by its ✕, and wait until Qt has deleted it."""
    parent = widget.parent()
    with qtbot.waitSignal(parent.destroyed):
        parent.destroyOnClose()
