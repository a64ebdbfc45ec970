import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.kernel_sums import direct
from napari_colorkde.core.kernel_sums.direct import log_sums
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import assert_logs_as_promised, log_sums_reference, seeds

spans = st.sampled_from([0.0, 1.0, 30.0, 1e3, 1e6, 1e9])


def reference(points, colors, counts, self_index=None):
    palette = Palette(colors, counts, np.zeros(colors.shape[1]), ranges=np.ones(colors.shape[1]))
    with np.errstate(divide="ignore"):
        return log_sums_reference(points, palette, np.eye(colors.shape[1]), leave_out=self_index)


@pytest.fixture(params=["dense", "blocks"])
def way(request, monkeypatch):
    if request.param == "blocks":
        monkeypatch.setattr(direct, "DENSE_PAIRS", 0)
        monkeypatch.setattr(direct, "POINT_BLOCK", 7)
        monkeypatch.setattr(direct, "COLOR_BLOCK", 3)
        monkeypatch.setattr(direct, "BLOCK_PAIRS", 40)
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


@given(seeds)
def test_beyond_a_distance_all_may_be_left_out_but_nothing_nearer(way, seed):
    rng = np.random.default_rng(seed)
    colors, points = rng.random((50, 2)) * 40, rng.random((70, 2)) * 200
    counts = rng.integers(1, 100, 50)
    logs = log_sums(points, colors, counts, beyond=60.0)
    expected = np.exp(reference(points, colors, counts))
    np.testing.assert_allclose(np.exp(logs), expected, rtol=1e-5, atol=counts.sum() * np.exp(-30))


def test_points_far_from_everything_cost_nothing_where_they_need_not():
    rng = np.random.default_rng(0)
    colors, points = rng.random((2000, 3)), rng.random((2000, 3)) + 100
    logs = log_sums(points, colors, np.ones(2000, int), beyond=60.0)
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


@pytest.fixture
def tight_blocks(monkeypatch):
    """Blocks of one, so that the bounds between blocks are as tight as they ever are."""
    for name in ("POINT_BLOCK", "COLOR_BLOCK"):
        monkeypatch.setattr(direct, name, 1)
    monkeypatch.setattr(direct, "DENSE_PAIRS", 0)


@pytest.mark.parametrize("count", [1, 10**6, 10**17])
def test_what_is_left_out_does_not_matter_whatever_its_count(tight_blocks, count):
    # Distances from where a color of this count weighs as much as the nearest, outwards.
    balance = np.sqrt(2 * np.log(count))
    for distance in balance + np.array([0.0, 0.5, 1, 1.5, 2, 3, 5]):
        colors = np.array([[0.0], [0.1], [distance]])
        counts = np.array([1, 1, count])
        logs = log_sums(np.zeros((1, 1)), colors, counts)
        expected = reference(np.zeros((1, 1)), colors, counts)
        np.testing.assert_allclose(logs, expected, rtol=0, atol=1e-5)


def test_a_block_with_nothing_but_the_color_left_out_bounds_nothing(tight_blocks):
    colors, counts = np.array([[0.0], [30.0], [90.0]]), np.array([5, 1, 1])
    rows = np.arange(3)
    logs = log_sums(colors, colors, counts, self_index=rows)
    assert_logs_as_promised(logs, reference(colors, colors, counts, rows))
