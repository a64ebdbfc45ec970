"""Dots of light: how many stand for how many, and how much they hide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.scene.density.points import lit_alpha, thinned
from tests.scene.conftest import AXIS, RGB, blob

AXES = (AXIS,) * 3


def test_few_dots_are_all_shown() -> None:
    places = np.random.default_rng(0).random((500, 3))
    np.testing.assert_array_equal(thinned(places), places)


def test_of_many_dots_some_are_shown_and_the_outlying_ones_stay() -> None:
    rng = np.random.default_rng(0)
    outlying = np.array([[0.9, 0.9, 0.9], [-0.2, 0.5, 1.1]])
    places = np.concatenate([rng.normal(0.3, 0.05, (60_000, 3)), outlying])
    fewer = thinned(places)
    assert 400 < len(fewer) <= 4000
    for place in outlying:
        assert np.linalg.norm(fewer - place, axis=1).min() == 0
    # No place is far from one that stands for it.
    gaps = [np.linalg.norm(fewer - place, axis=1).min() for place in places[::500]]
    assert max(gaps) < 0.05


def test_dots_that_lie_behind_each_other_hide_less() -> None:
    apart = np.column_stack([np.linspace(0, 1, 40), np.zeros(40), np.linspace(0, 1, 40)])
    behind = np.repeat(apart, 10, axis=0)
    assert lit_alpha(apart) == pytest.approx(0.55)
    assert 1 - (1 - lit_alpha(behind)) ** 10 == pytest.approx(0.55)


@pytest.mark.window
@pytest.mark.parametrize("method", ["highlight_colors", "set_selected"])
def test_colors_of_a_part_of_the_image_light_up(canvas: Any, method: str) -> None:
    canvas.set_volume(blob(128, 128, 128), AXES, RGB)
    before = canvas.render((300, 300)).astype(int)
    colors = np.random.default_rng(0).uniform(20, 60, (300, 3))
    getattr(canvas, method)(colors)
    lit = canvas.render((300, 300)).astype(int)
    changed = np.abs(lit - before).sum(axis=-1) > 60
    assert changed.sum() > 150
    getattr(canvas, method)(np.empty((0, 3)))
    assert np.abs(canvas.render((300, 300)) - before).max() <= 2
