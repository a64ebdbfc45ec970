"""Volumes that take no time: what is tested here does not depend on their size."""

from __future__ import annotations

import pytest

from napari_colorkde.app.density import density_steps


@pytest.fixture(autouse=True)
def small_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(density_steps, "BINS", {1: 64, 2: 48, 3: 32})
