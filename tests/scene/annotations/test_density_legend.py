from __future__ import annotations

import numpy as np
import pytest

from napari_colorkde.scene.annotations.density_legend import density_bar, difference_bar, shells_bar
from napari_colorkde.scene.density.transfer import CumulativeMass, TransferFunction
from tests.scene.conftest import blob


@pytest.mark.parametrize("scale", ["linear", "log", "equalized"])
def test_density_bar_rises_over_powers_of_ten(scale: str) -> None:
    curve = CumulativeMass.from_values(blob(60, 200, 128))
    bar = density_bar(TransferFunction.from_curve(curve, scale=scale), curve, box_volume=32.0**3)
    assert bar is not None
    assert np.all(np.diff(bar.opacity) >= -1e-9)
    assert bar.opacity[0] < 0.1 < bar.opacity[-1]
    places = [t for t, _ in bar.ticks]
    assert 2 <= len(places) <= 5
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 1


def test_ticks_are_multiples_of_an_even_spread() -> None:
    values = np.zeros((10, 10, 10), dtype=np.float32)
    values[:2] = 1 / 200  # a fifth of the cube holds everything: five times an even spread
    values[5, 5, 5] = 1e-3
    curve = CumulativeMass.from_values(values)
    bar = density_bar(TransferFunction.from_curve(curve), curve, box_volume=1000.0)
    assert bar is not None
    ticks = {text: t for t, text in bar.ticks}
    assert ticks["1"] < 1 <= ticks["10"]


def test_nothing_has_no_bar() -> None:
    curve = CumulativeMass.from_values(np.zeros((3, 3, 3), np.float32))
    assert density_bar(TransferFunction.from_curve(curve), curve, 1.0) is None


def test_shells_are_named_by_their_share() -> None:
    bar = shells_bar((0.5, 0.9, 0.995), (0.8, 0.3, 0.1))
    assert [text for _, text in bar.ticks] == ["50 %", "90 %", "99.5 %"]
    assert bar.opacity[0] == 0.8
    assert bar.opacity[-1] == 0.1


def test_a_difference_fades_in_the_middle() -> None:
    bar = difference_bar(
        (1, 0.5, 0), (0, 0.5, 1), ("before", "a name that is much too long to be read")
    )
    assert bar.colors is not None
    assert bar.opacity.min() < 0.02
    np.testing.assert_array_equal(bar.colors[[0, -1]], [[0, 0.5, 1], [1, 0.5, 0]])
    # Which image is which: named, and a long name is shortened.
    assert bar.title == "orange: more in before\nblue: more in a name that is much too…"
