from __future__ import annotations

import json
from typing import Any

import pytest

from napari_colorkde.app.store import StateStore
from napari_colorkde.app.view_settings import (
    MODES,
    SCALES,
    CubeLook,
    look_from_json,
    look_to_json,
)
from napari_colorkde.scene import density_view
from napari_colorkde.scene.density import transfer as levels

LOOK = CubeLook(
    mode="shells",
    scale="log",
    exposure=2**0.3,
    floor=0.125,
    perspective=False,
    turning=True,
    walls=True,
    outline=False,
    legend=False,
    cut=2,
    cut_at=0.25,
    shells=(0.25, 0.75),
    radius=3.0,
    by_class=True,
    viewpoint=(10.0, 20.5, 1.5, 0.1, 0.2, 0.3),
)


@pytest.mark.parametrize("look", [CubeLook(), LOOK])
def test_a_look_comes_back_from_json(look: CubeLook) -> None:
    assert look_from_json(json.loads(json.dumps(look_to_json(look)))) == look


def test_what_is_missing_is_as_at_the_start() -> None:
    assert look_from_json({"mode": "maximum"}) == CubeLook(mode="maximum")


@pytest.mark.parametrize(
    "document",
    [
        [1],
        {"mode": "fog"},
        {"scale": None},
        {"exposure": 0},
        {"exposure": "much"},
        {"floor": 1.5},
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
    with pytest.raises(ValueError, match="look of the color space"):
        look_from_json(document)


def test_modes_and_scales_are_those_of_the_view() -> None:
    assert MODES == density_view.MODES
    assert SCALES == levels.SCALES


def test_undo_does_not_turn_the_view() -> None:
    choices = StateStore()
    heard: list[CubeLook] = []
    choices.look_changed.connect(heard.append)
    choices.set(bandwidth=9)
    choices.look = LOOK
    choices.look = LOOK
    choices.undo()
    assert choices.state.bandwidth is None
    assert choices.look is LOOK
    assert heard == [LOOK]


def test_the_old_spelling_of_a_scale_is_understood_and_said_to_be_old() -> None:
    with pytest.warns(DeprecationWarning, match="write 'equalized'"):
        look = CubeLook(scale="equalised")
    assert look == CubeLook(scale="equalized")
    # Of a file nobody can change the spelling: nothing is said.
    assert look_from_json({"scale": "equalised"}) == look
