"""Sums of many sorted colors, held to those by spreading and to the textbook."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorkde.core.device import HOST
from napari_colorkde.core.kernel_sums import choose_loops
from napari_colorkde.core.kernel_sums.bsplines import TO_ITSELF, TO_PEAK
from napari_colorkde.core.kernel_sums.spread_sums import SpreadSums
from napari_colorkde.core.kernel_sums.steps import value_of
from napari_colorkde.core.kernel_sums.swept import sweep
from napari_colorkde.core.kernel_sums.swept.sweep import Sweep
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import assert_within_peak, log_sums_reference, seeds

pytest.importorskip("numba")


@pytest.fixture(autouse=True)
def for_few_colors(monkeypatch):
    monkeypatch.setattr(sweep, "FEWEST", 0)
    monkeypatch.setattr(sweep, "NODES_A_COLOR", np.inf)
    monkeypatch.setattr(sweep, "COLORS_A_LEVEL", sweep.COLORS_A_LEVEL)  # tests set it
    monkeypatch.setattr(sweep, "READ_TOGETHER", 300)
    monkeypatch.setattr(choose_loops, "WORTH_WAITING", 0)


def drawn_palette(bits, is_float, n_levels, n, seed):
    """Colors about a gray diagonal: of all of a depth's levels, or of a few of them."""
    rng = np.random.default_rng(seed)
    gray = rng.beta(1, 2, (n, 1)) * 0.8
    values = np.clip(gray + rng.normal(0, 0.05, (n, 3)), 0, 1) * (2**bits - 1)
    if is_float:
        image = values.astype(np.float32)
    else:
        step = max(1, 2**bits // n_levels)
        image = (np.rint(values) // step * step).astype(np.uint16)
    return Palette.from_image(image[np.newaxis])


palettes = st.builds(
    drawn_palette,
    st.integers(8, 16),
    st.booleans(),
    st.sampled_from([4, 64, 1 << 16]),
    st.sampled_from([1, 40, 1000]),
    seeds,
)
fractions = st.tuples(*[st.floats(np.log(1 / 40), np.log(2)).map(np.exp)] * 3)


def sums_by_sweep(palette, sigmas, scheme):
    counts = palette.counts.astype(np.float32)
    by_sweep = Sweep.over(palette.colors, counts, sigmas, scheme, HOST)
    assert by_sweep is not None
    return value_of(by_sweep.sums_in_steps())


@pytest.mark.parametrize("colors_a_level", [0, np.inf], ids=["by level", "scattered"])
@given(palettes, fractions)
@settings(max_examples=15)
def test_sums_are_as_promised_at_any_depth_and_bandwidth(colors_a_level, palette, fractions):
    sweep.COLORS_A_LEVEL = colors_a_level
    sigmas = np.array(fractions) * max(float(np.ptp(palette.colors.astype(float))), 1.0)
    logs = log_sums_reference(palette.colors, palette, np.diag(sigmas**2))
    assert_within_peak(sums_by_sweep(palette, sigmas, TO_PEAK), np.exp(logs), 5e-6)
    found = np.log(sums_by_sweep(palette, sigmas, TO_ITSELF).astype(float))
    np.testing.assert_allclose(found, logs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("colors_a_level", [0, np.inf], ids=["by level", "scattered"])
def test_the_mesh_holds_every_count_where_its_color_is(colors_a_level):
    sweep.COLORS_A_LEVEL = colors_a_level
    palette = drawn_palette(12, False, 1 << 16, 3000, 0)
    sigmas = np.array([300.0, 200.0, 400.0])
    counts = palette.counts.astype(np.float32)
    by_sweep = Sweep.over(palette.colors, counts, sigmas, TO_PEAK, HOST)
    center = np.array([100.0, 2000.0, 50.0])
    mesh = by_sweep.mesh(center)
    amounts = mesh.counts.numpy().astype(float)
    assert amounts.sum() == pytest.approx(palette.n_pixels, rel=1e-6)
    means = (palette.counts @ palette.colors.astype(float)) / palette.n_pixels
    for axis, nodes in enumerate(mesh.nodes):
        others = tuple(a for a in range(3) if a != axis)
        mean = amounts.sum(axis=others) @ nodes / palette.n_pixels
        assert mean == pytest.approx((means[axis] - center[axis]) / sigmas[axis], abs=1e-5)


def test_an_estimate_sweeps_where_it_can_and_agrees_with_spreading(monkeypatch):
    palette = drawn_palette(12, False, 1 << 16, 2000, 1)
    covariance = np.diag([200.0, 300.0, 250.0]) ** 2
    axes = tuple(np.linspace(0, 4095, 9) for _ in range(3))
    swept = SpreadSums(palette, covariance, HOST)
    made = []
    original = Sweep.over
    monkeypatch.setattr(Sweep, "over", lambda *args: made.append(original(*args)) or made[-1])
    results = swept.at(palette.colors), swept.log_at(palette.colors), swept.log_others()
    volume = swept.on_grid(axes)
    assert len(made) == 4
    assert None not in made
    monkeypatch.setattr(Sweep, "over", lambda *args: None)
    spread = SpreadSums(palette, covariance, HOST)
    assert_within_peak(results[0], spread.at(palette.colors), 5e-6)
    np.testing.assert_allclose(results[1], spread.log_at(palette.colors), atol=2e-5)
    np.testing.assert_allclose(results[2], spread.log_others(), atol=2e-4)
    assert_within_peak(volume, spread.on_grid(axes), 5e-6)


def test_colors_are_summed_by_level_where_many_share_one():
    sweep.COLORS_A_LEVEL = 30
    for is_float, by_level in ((False, True), (True, False)):
        palette = drawn_palette(12, is_float, 64, 10_000, 3)
        counts = palette.counts.astype(np.float32)
        over = Sweep.over(palette.colors, counts, np.full(3, 200.0), TO_PEAK, HOST)
        assert over.by_level is by_level


def test_no_sweep_where_others_do_better(monkeypatch):
    palette = drawn_palette(12, False, 1 << 16, 500, 2)
    counts, sigmas = palette.counts.astype(np.float32), np.full(3, 200.0)

    def sweep_over(colors=palette.colors, sigmas=sigmas):
        return Sweep.over(colors, counts, sigmas, TO_PEAK, HOST)

    assert sweep_over() is not None
    assert sweep_over(palette.colors[::-1]) is None
    assert sweep_over(palette.colors[:, :2]) is None
    assert sweep_over(sigmas=np.full(3, 1e-3)) is None
    monkeypatch.setattr(sweep, "FEWEST", 501)
    assert sweep_over() is None
