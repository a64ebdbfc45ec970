import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorkde.core.kernel_sums import choose_loops
from napari_colorkde.core.kernel_sums.tails import direct
from napari_colorkde.core.kernel_sums.tails.direct import log_sums
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import assert_logs_as_promised, log_sums_reference, seeds

spans = st.sampled_from([0.0, 1.0, 30.0, 1e3, 1e6, 1e9])


def reference(points, colors, counts, self_index=None):
    palette = Palette(colors, counts, np.zeros(colors.shape[1]), ranges=np.ones(colors.shape[1]))
    with np.errstate(divide="ignore"):
        return log_sums_reference(points, palette, np.eye(colors.shape[1]), leave_out=self_index)


@pytest.fixture(params=["dense", "tree", "compiled"])
def way(request, monkeypatch):
    if request.param != "dense":
        monkeypatch.setattr(direct, "DENSE_PAIRS", 0)
        monkeypatch.setattr(direct, "POINTS", 7)
        loops = None
        if request.param == "compiled":
            loops = choose_loops.LOOPS.prepare(wait=True)
            if loops is None:
                pytest.skip("without numba")
        monkeypatch.setattr(
            direct, "loops_for", lambda _, channels, __: loops if channels == 3 else None
        )
    return request.param


@given(seeds, st.integers(1, 3), st.integers(1, 60), st.integers(1, 60), spans)
def test_sums_equal_the_reference_at_any_distance(way, seed, n_channels, n_points, n_colors, span):
    rng = np.random.default_rng(seed)
    colors = rng.random((n_colors, n_channels)) * span
    counts = rng.integers(1, 10 ** rng.integers(1, 12), n_colors)
    points = colors[rng.integers(0, n_colors, n_points)]
    points = points + rng.choice([0, 1, 10, 1000], (n_points, 1)) * rng.normal(size=points.shape)
    logs = log_sums(points, colors, counts)
    assert_logs_as_promised(logs, reference(points, colors, counts))


@given(seeds, st.integers(1, 3), st.integers(2, 60), spans)
def test_the_color_to_leave_out_is_left_out(way, seed, n_channels, n_colors, span):
    rng = np.random.default_rng(seed)
    colors = rng.random((n_colors, n_channels)) * span
    counts = rng.integers(1, 10 ** rng.integers(1, 12), n_colors)
    rows = rng.permutation(n_colors)[: rng.integers(1, n_colors + 1)]
    logs = log_sums(colors[rows], colors, counts, self_index=rows)
    assert_logs_as_promised(logs, reference(colors[rows], colors, counts, rows))


def test_nothing_is_left_of_a_single_color(way):
    colors = np.zeros((1, 2))
    logs = log_sums(np.ones((5, 2)), colors, np.array([9]), self_index=np.zeros(5, int))
    assert np.isneginf(logs).all()


def test_an_expanded_square_would_have_lost_these():
    # Kernels a millionth of the range: |x|² is 1e12, and its float64 spacing 1e-4.
    rng = np.random.default_rng(0)
    colors = rng.random((300, 3)) * 1e7
    points = colors + rng.normal(size=colors.shape)
    counts = np.ones(300, int)
    assert_logs_as_promised(log_sums(points, colors, counts), reference(points, colors, counts))


def test_far_colors_with_huge_counts_are_not_left_out(way):
    colors = np.array([[0.0], [9.0], [9.5]] + [[100.0 + i] for i in range(20)])
    counts = np.array([1, 10**17, 1] + [1] * 20)
    points = np.array([[0.0], [0.1], [-1.0]])
    assert_logs_as_promised(log_sums(points, colors, counts), reference(points, colors, counts))


@given(seeds, st.integers(1, 3), st.sampled_from([65, 600, 5000]), st.sampled_from([1.0, 20.0]))
@settings(max_examples=12)
def test_what_a_tree_leaves_out_does_not_matter(way, seed, n_channels, n_colors, span):
    rng = np.random.default_rng(seed)
    colors = rng.normal(size=(n_colors, n_channels)) * span
    counts = np.ceil(np.exp(rng.random(n_colors) * np.log(1e6))).astype(int)
    points = rng.normal(size=(40, n_channels)) * rng.choice([1, 3, 30], (40, 1)) * span
    logs = log_sums(points, colors, counts)
    np.testing.assert_allclose(logs, reference(points, colors, counts), rtol=1e-12, atol=1e-5)
    rows = rng.integers(0, n_colors, 40)
    logs = log_sums(colors[rows], colors, counts, self_index=rows)
    expected = reference(colors[rows], colors, counts, rows)
    np.testing.assert_allclose(logs, expected, rtol=1e-12, atol=1e-5)


@pytest.mark.parametrize("count", [1, 10**6, 10**17])
def test_what_is_left_out_does_not_matter_whatever_its_count(way, count):
    # Distances from where a color of this count weighs as much as the nearest, outwards.
    balance = np.sqrt(2 * np.log(count))
    for distance in balance + np.array([0.0, 0.5, 1, 1.5, 2, 3, 5]):
        colors = np.zeros((200, 3))
        colors[:, 0] = [0.0, 0.1, *distance + np.arange(198)]
        counts = np.array([1, 1, count] + [1] * 197)
        logs = log_sums(np.zeros((1, 3)), colors, counts)
        expected = reference(np.zeros((1, 3)), colors, counts)
        np.testing.assert_allclose(logs, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("n_colors", [9, 65, 513])
def test_a_leaf_with_nothing_but_the_color_left_out_bounds_nothing(way, n_colors):
    colors = np.cumsum(np.linspace(1, 90, n_colors))[:, np.newaxis] * np.ones(3)
    counts = np.arange(n_colors) % 7 + 1
    rows = np.arange(n_colors)
    logs = log_sums(colors, colors, counts, self_index=rows)
    assert_logs_as_promised(logs, reference(colors, colors, counts, rows))
