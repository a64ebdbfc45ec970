import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorkde.core.kernel_sums.tails.color_tree import (
    LEAF,
    SMALL,
    ColorTree,
    order_along_curve,
)
from tests.core.drawn import seeds


@given(seeds, st.integers(1, 3), st.sampled_from([1, 2, 8, 9, 513, 3000]), st.booleans())
@settings(max_examples=20)
def test_nodes_are_what_is_below_them(seed, n_channels, n_colors, far):
    rng = np.random.default_rng(seed)
    colors = rng.normal(size=(n_colors, n_channels)) + (1e6 if far else 0)
    counts = rng.integers(1, 1000, n_colors).astype(float)
    tree = ColorTree.of(colors, counts)
    np.testing.assert_array_equal(np.sort(tree.order), np.arange(n_colors))
    length = LEAF
    for start, stop in zip(tree.starts[:-1], tree.starts[1:], strict=True):
        for number, node in enumerate(tree.nodes[start:stop]):
            rows = tree.order[number * length : (number + 1) * length]
            low, high, mean = node[:-2].reshape(3, n_channels)
            np.testing.assert_array_equal(low, colors[rows].min(axis=0))
            np.testing.assert_array_equal(high, colors[rows].max(axis=0))
            weights = counts[rows]
            expected = np.average(colors[rows], weights=weights, axis=0)
            np.testing.assert_allclose(mean, expected, rtol=1e-12, atol=1e-12)
            assert node[-2] == pytest.approx(np.log(weights.sum()), abs=1e-12)
            square = np.square(colors[rows] - expected).sum(axis=1)
            assert node[-1] == pytest.approx(np.average(square, weights=weights), abs=1e-8)
        length *= LEAF
    assert (stop - start) * length // LEAF >= n_colors


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_neighbors_stay_neighbors_beside_colors_far_away(n_channels):
    rng = np.random.default_rng(0)
    points = rng.random((5000, n_channels))
    points[::1000] = 1e9
    order = order_along_curve(points)
    step = np.linalg.norm(np.diff(points[order], axis=0), axis=1)
    assert np.median(step) < 2 * len(points) ** (-1 / n_channels)


def test_many_colors_that_all_matter_take_no_more_memory():
    rng = np.random.default_rng(0)
    colors, points = rng.normal(0, 0.1, (30_000, 3)), rng.normal(8, 0.1, (128, 3))
    tree = ColorTree.of(colors, np.ones(len(colors)))
    tracemalloc.start()
    logs, _ = tree.log_sums(points, None, SMALL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6
    squares = np.square(points[::50, np.newaxis] - colors).sum(axis=-1)
    np.testing.assert_allclose(logs[::50], np.logaddexp.reduce(-squares / 2, axis=1), atol=1e-5)
