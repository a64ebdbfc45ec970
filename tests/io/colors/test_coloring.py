from __future__ import annotations

import numpy as np
import pytest

from napari_colorkde.io.colors.coloring import default_limits


def test_contrast_limits_follow_the_pixels_not_the_colors() -> None:
    values = np.linspace(0, 1, 1001)
    counts = np.ones(1001, np.int64)
    assert default_limits(values, False, counts) == pytest.approx((0, 0.995), abs=2e-3)
    counts[500] = 10**6
    assert default_limits(values, False, counts) == pytest.approx((0, 0.5), abs=2e-3)
    assert default_limits(-values, True, np.ones(1001, np.int64)) == pytest.approx(
        (-0.99, 0), abs=2e-3
    )


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values", [[0.0, 0.0], [3.0], [], [np.nan], [np.inf, 1.0, 2.0], [-np.inf, -1.0, -2.0]]
)
def test_contrast_limits_are_two_ascending_numbers_whatever_comes(
    values: list[float], log: bool
) -> None:
    low, high = default_limits(np.array(values), log, np.ones(len(values), np.int64))
    assert np.isfinite([low, high]).all()
    assert low < high
