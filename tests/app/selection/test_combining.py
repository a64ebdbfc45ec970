from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_colorkde.app.selection.combining import combined, grown, shrunk

RNG = np.random.default_rng(0)
COLORS = RNG.integers(0, 30, (60, 3)).astype(np.uint8)
CHOICES = arrays(np.bool_, 60)


@given(CHOICES, CHOICES)
def test_regions_are_added_and_subtracted_as_sets(before: np.ndarray, region: np.ndarray) -> None:
    assert np.array_equal(combined(before, region, "new"), region)
    assert np.array_equal(combined(before, region, "add"), np.logical_or(before, region))
    left = combined(before, region, "subtract")
    assert not (left & region).any()
    assert np.array_equal(left | (before & region), before)
    assert np.array_equal(combined(None, region, "add"), region)
    assert not combined(None, region, "subtract").any()


@given(CHOICES, st.tuples(*(st.floats(0.5, 20),) * 3))
def test_growing_is_what_every_pair_says(chosen: np.ndarray, radii: tuple[float, ...]) -> None:
    offsets = (COLORS[:, np.newaxis].astype(float) - COLORS) / radii
    near = (offsets**2).sum(axis=-1) <= 1 + 1e-9
    assert np.array_equal(grown(chosen, COLORS, radii), chosen | near[:, chosen].any(axis=1))
    left = shrunk(chosen, COLORS, radii)
    assert np.array_equal(left, chosen & ~near[:, ~chosen].any(axis=1))


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="one of new, add, subtract"):
        combined(None, np.ones(2, bool), "toggle")
