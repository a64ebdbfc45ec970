from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from napari_colorkde.app.settings.view_settings import (
    MODES,
    SCALES,
    ViewSettings,
)
from napari_colorkde.app.state_store import StateStore
from napari_colorkde.scene import density_view
from napari_colorkde.scene.density import transfer as levels

VIEW = ViewSettings(
    mode="shells",
    scale="log",
    exposure=2**0.3,
    density_floor=0.125,
    perspective=False,
    auto_rotate=True,
    marginals=True,
    outline=False,
    legend=False,
    cut=2,
    cut_at=0.25,
    shells=(0.25, 0.75),
    radius=3.0,
    by_class=True,
    viewpoint=(10.0, 20.5, 1.5, 0.1, 0.2, 0.3),
)


@pytest.mark.parametrize("view", [ViewSettings(), VIEW])
def test_a_view_comes_back_from_json(view: ViewSettings) -> None:
    assert ViewSettings.from_json(json.loads(json.dumps(view.to_json()))) == view


def test_what_is_missing_is_as_at_the_start() -> None:
    assert ViewSettings.from_json({"mode": "maximum"}) == ViewSettings(mode="maximum")


@pytest.mark.parametrize(
    "document",
    [
        [1],
        {"mode": "fog"},
        {"scale": None},
        {"exposure": 0},
        {"exposure": "much"},
        {"density_floor": 1.5},
        {"cut": 3},
        {"cut_at": -0.1},
        {"shells": []},
        {"shells": [0.5, 1]},
        {"radius": float("inf")},
        {"viewpoint": [1, 2, 3]},
        {"viewpoint": [1, 2, -1, 0.5, 0.5, 0.5]},
        {"color": "red"},
    ],
)
def test_what_cannot_be_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="view of the color space"):
        ViewSettings.from_json(document)


def test_modes_and_scales_are_those_of_the_view() -> None:
    assert MODES == density_view.MODES
    assert SCALES == levels.SCALES


def test_undo_does_not_turn_the_view() -> None:
    choices = StateStore()
    heard: list[ViewSettings] = []
    choices.view_changed.connect(heard.append)
    choices.set(bandwidth=9)
    choices.view = VIEW
    choices.view = VIEW
    choices.undo()
    assert choices.state.bandwidth is None
    assert choices.view is VIEW
    assert heard == [VIEW]


def test_the_old_spelling_of_a_scale_is_understood_and_said_to_be_old() -> None:
    with pytest.warns(DeprecationWarning, match="now called 'equalized'"):
        view = ViewSettings(scale="equalised")
    assert view == ViewSettings(scale="equalized")
    # Of a file nobody can change the spelling: nothing is said.
    assert ViewSettings.from_json({"scale": "equalised"}) == view


def test_old_names_of_fields_are_understood_and_said_to_be_old() -> None:
    with pytest.warns(DeprecationWarning, match="walls is now called marginals") as said:
        view = replace(VIEW, walls=False)  # type: ignore[call-arg]
    assert said[0].filename == __file__
    assert view == replace(VIEW, marginals=False)
    assert (view.walls, view.turning, view.floor) == (False, True, 0.125)
    assert ViewSettings.from_json({"walls": True, "turning": True, "floor": 0.25}) == ViewSettings(
        marginals=True, auto_rotate=True, density_floor=0.25
    )


def test_some_settings_are_changed_and_the_others_stay() -> None:
    choices = StateStore()
    choices.set_view(mode="shells")
    choices.set_view(cut=1)
    assert choices.view == ViewSettings(mode="shells", cut=1)
    assert choices.view == ViewSettings(mode="shells", cut=1)
    with pytest.raises(ValueError, match="mode must be one of"):
        choices.set_view(mode="fog", cut=2)
    assert choices.view.cut == 1
