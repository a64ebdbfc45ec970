import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorkde.core.device import HOST
from napari_colorkde.core.kernel_sums import choose_loops, nearby
from napari_colorkde.core.kernel_sums.nearby import nearby_sums
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import log_sums_reference, seeds


def reference(points, colors, counts):
    palette = Palette(colors, counts, np.zeros(colors.shape[1]), ranges=np.ones(colors.shape[1]))
    return np.exp(log_sums_reference(points, palette, np.eye(colors.shape[1])))


@given(seeds, st.integers(1, 3), st.sampled_from([0.0, 1.0, 10.0, 1e3, 1e9]), st.booleans())
@settings(max_examples=25)
def test_all_pairs_within_reach_are_summed(device, seed, n_channels, span, own):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 200))
    colors = rng.random((n, n_channels)) * span
    colors[: n // 2] = colors[0] + rng.normal(size=(n // 2, n_channels)) * rng.uniform(0.1, 3)
    counts = rng.integers(1, 100, n)
    points = colors if own else colors[rng.integers(0, n, 70)] + rng.normal(size=(70, n_channels))
    sums = nearby_sums(points, colors, counts.astype(np.float32), 7.7, device)
    np.testing.assert_allclose(sums, reference(points, colors, counts), rtol=5e-5, atol=1e-9)


@pytest.mark.parametrize("reach", [3.0, 6.0])
def test_what_lies_beyond_the_reach_may_be_left_out(device, reach):
    colors = np.random.default_rng(0).random((400, 3)) * 20
    counts = np.ones(400, int)
    sums = nearby_sums(colors, colors, counts.astype(np.float32), reach, device)
    exact = reference(colors, colors, counts)
    assert (sums <= exact * (1 + 1e-5)).all()
    assert (sums >= exact - 400 * np.exp(-(reach**2) / 2)).all()


def test_memory_is_bounded(device, monkeypatch):
    monkeypatch.setattr(nearby, "PAIRS", nearby.RUN * nearby.COLOR_RUN)
    monkeypatch.setattr(nearby, "CANDIDATES", 64)
    colors = np.random.default_rng(1).random((300, 2)) * 8
    sums = nearby_sums(colors, colors, np.ones(300, np.float32), 7.7, device)
    np.testing.assert_allclose(sums, reference(colors, colors, np.ones(300, int)), rtol=5e-5)


@given(seeds, st.sampled_from([0.0, 1.0, 30.0, 1e9]))
@settings(max_examples=15)
def test_compiled_loops_do_the_same(seed, span):
    pytest.importorskip("numba")
    rng = np.random.default_rng(seed)
    colors = rng.random((400, 3)) * span + rng.normal(size=3) * 100
    points = colors[:200] + rng.normal(size=(200, 3))
    counts = rng.integers(1, 100, 400)
    points.flags.writeable = colors.flags.writeable = counts.flags.writeable = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose_loops, "WORTH_WAITING", 1)
        sums = nearby_sums(points, colors, counts.astype(np.float32), 7.7, HOST)
    np.testing.assert_allclose(sums, reference(points, colors, counts), rtol=5e-5, atol=1e-9)
