from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from napari_colorkde.ui.window import device_preference
from tests.ui.conftest import RGB, Dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = pytest.mark.window


class Compute:
    """Stands for the plugin's page of napari's preferences, whose model is made from this."""

    device = "cuda"


@pytest.mark.skipif(torch.cuda.is_available(), reason="cuda is there")
def test_a_missing_device_falls_back_to_the_cpu_with_a_sentence(
    viewer: Viewer, dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_preference, "_preference", lambda: "cuda")
    widget = dock(RGB)
    assert widget.session.device.name.startswith("CPU")
    assert "photo density" in viewer.layers
    widget.status.show_error("")
    assert device_preference.preferred_device()[1] == (
        "Preferences, Color KDE, Device: 'cuda' is not available here; the CPU is used instead."
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="cuda is there")
def test_the_preferences_list_only_what_exists(
    plugin_settings: Any, npe2pm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with npe2pm.tmp_plugin(package="napari-colorkde"):
        from napari.settings import get_plugin_settings

        device_preference.offer_existing_devices()
        compute = get_plugin_settings("napari-colorkde").compute
        assert compute.model_json_schema()["properties"]["device"]["enum"] == ["auto", "cpu"]
        assert device_preference.preferred_device() == ("auto", "")
