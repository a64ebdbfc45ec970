import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from napari_colorkde.core.kernel_sums import bricks, spreading
from napari_colorkde.core.kernel_sums.bsplines import TO_ITSELF, TO_PEAK
from napari_colorkde.core.kernel_sums.grids import grid_sums
from napari_colorkde.core.kernel_sums.grids import regular_grid as windows
from napari_colorkde.core.kernel_sums.points_in_bricks import EDGE
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import assert_within_peak, grid_points, log_sums_reference, seeds

# Few bricks in tests: no more than 30 sigma across.
spans = st.sampled_from([0.0, 0.3, 5.0, 30.0])
channels = st.integers(1, 3)


@pytest.fixture
def always_bricks(monkeypatch):
    monkeypatch.setattr(spreading, "BRICK_PAIRS", 0)
    monkeypatch.setattr(spreading, "POINT_PAIRS", 0)


def cloud(seed, n_channels, span, n=25):
    """Whitened colors with counts, somewhere in space, as a palette."""
    rng = np.random.default_rng(seed)
    colors = rng.random((n, n_channels)) * span + rng.normal(size=n_channels) * 100
    return Palette(
        colors,
        rng.integers(1, 10 ** rng.integers(1, 10), n),
        np.zeros(n_channels),
        ranges=np.ones(n_channels),
    )


def sums_at(points, palette, device, scheme=TO_ITSELF):
    counts = palette.counts.astype(np.float32)
    return spreading.sums_at(points, palette.colors, counts, scheme, device)


def whitened_reference(points, palette):
    return np.exp(log_sums_reference(points, palette, np.eye(points.shape[1])))


@given(seeds, channels, spans)
@settings(max_examples=15)
def test_scattered_points_are_read_to_5e_5_of_themselves(
    device, always_bricks, seed, n_channels, span
):
    palette = cloud(seed, n_channels, span)
    rng = np.random.default_rng(seed + 1)
    points = palette.colors[rng.integers(0, 25, 40)] + rng.normal(size=(40, n_channels)) * 2
    sums = sums_at(points, palette, device)
    expected = whitened_reference(points, palette)
    tells = expected > 3e-9 * palette.n_pixels
    np.testing.assert_allclose(sums[tells], expected[tells], rtol=5e-5)
    assert (sums[~tells] < 3.3e-9 * palette.n_pixels).all()


@given(seeds, channels, spans, st.booleans())
@settings(max_examples=15)
def test_sums_are_exact_to_5e_6_of_the_peak(device, always_bricks, seed, n_channels, span, own):
    palette = cloud(seed, n_channels, span)
    points = palette.colors
    if not own:
        points = points + np.random.default_rng(seed).normal(size=points.shape)
    sums = sums_at(points, palette, device, TO_PEAK)
    expected = whitened_reference(np.concatenate([points, palette.colors]), palette)
    np.testing.assert_allclose(sums, expected[: len(sums)], rtol=0, atol=5e-6 * expected.max())


@pytest.mark.parametrize(
    ("distance", "tolerance"), [(0, 2e-6), (2, 2e-6), (4, 3e-6), (5, 1e-5), (6.3, 1e-4)]
)
def test_single_kernels_are_accurate_far_out(device, always_bricks, distance, tolerance):
    rng = np.random.default_rng(0)
    colors = rng.random((60, 3)) * 1e-3
    directions = rng.normal(size=(40, 3))
    points = distance * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    palette = Palette(colors, np.ones(60, int), np.zeros(3), ranges=np.ones(3))
    sums = sums_at(points, palette, device)
    np.testing.assert_allclose(sums, whitened_reference(points, palette), rtol=tolerance)


def test_points_far_from_all_colors_are_zero(device):
    far, colors, counts = np.full((3, 2), 1e6), np.zeros((5, 2)), np.ones(5, np.float32)
    sums = spreading.sums_at(far, colors, counts, TO_PEAK, device)
    np.testing.assert_array_equal(sums, 0)


@given(seeds, channels)
@settings(max_examples=5)
def test_a_few_bricks_at_a_time_give_the_same(device, always_bricks, seed, n_channels):
    palette = cloud(seed, n_channels, 25.0, n=12)
    points = palette.colors + np.random.default_rng(seed).normal(size=palette.colors.shape)
    whole = sums_at(points, palette, device)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spreading, "MAX_NODES", 1)
        patch.setattr(bricks, "BATCH", 2)
        patch.setattr(bricks, "PRODUCTS", 1 << 10)
        pieces = sums_at(points, palette, device)
    np.testing.assert_allclose(pieces, whole, rtol=1e-5)


def test_bricks_at_a_distance_do_not_meet(device, always_bricks):
    # Two empty bricks stand for all the space between; one kernel must not reach over them.
    edge = TO_PEAK.step * EDGE
    for away in np.linspace(edge, 6 * edge, 23):
        colors = np.array([[0.0], [away]])
        palette = Palette(colors, np.array([1, 10**6]), np.zeros(1), ranges=np.ones(1))
        points = np.array([[edge - 0.01], [edge / 2], [0.0]])
        sums = sums_at(points, palette, device, TO_PEAK)
        expected = whitened_reference(points, palette)
        np.testing.assert_allclose(sums, expected, rtol=0, atol=5.0)


def test_coordinates_of_any_size_make_bricks(device, always_bricks):
    # A billion sigma apart in three channels: the space between cannot be numbered.
    colors = np.array([[0, 0, 0], [1e9, 0, 1e9], [1e9, -1e9, 3.0], [0, 0, 1]])
    palette = Palette(colors, np.array([1, 2, 3, 4]), np.zeros(3), ranges=np.ones(3))
    sums = sums_at(colors, palette, device)
    np.testing.assert_allclose(sums, whitened_reference(colors, palette), rtol=1e-5)


def test_where_points_are_few_their_pairs_are_summed(device, monkeypatch):
    asked = []
    nearby = spreading.nearby_sums
    monkeypatch.setattr(
        spreading,
        "nearby_sums",
        lambda points, *rest: asked.append(points) or nearby(points, *rest),
    )
    rng = np.random.default_rng(0)
    crowd, few = rng.random((4000, 3)), 100 + 400 * rng.random((50, 3))
    palette = Palette(
        np.concatenate([crowd, few]), np.ones(4050, int), np.zeros(3), ranges=np.ones(3)
    )
    sums = sums_at(palette.colors, palette, device, TO_PEAK)
    (points,) = asked
    np.testing.assert_array_equal(np.sort(points, axis=0), np.sort(few, axis=0))
    assert_within_peak(sums, whitened_reference(palette.colors, palette), 5e-6)


def lower_triangle(seed, n_channels, shear):
    rng = np.random.default_rng(seed)
    mixing = shear * np.tril(rng.normal(size=(n_channels, n_channels)), -1)
    return np.exp(rng.uniform(-2, 2, n_channels))[:, None] * (np.eye(n_channels) + mixing)


@given(seeds, channels, spans, st.sampled_from([0.0, 0.2, 2.0]))
@settings(max_examples=20)
def test_grids_are_read_off_a_mesh_for_any_covariance(device, seed, n_channels, span, shear):
    palette = cloud(seed, n_channels, span)
    cholesky = lower_triangle(seed, n_channels, shear)
    colors = palette.colors @ cholesky.T
    reach = 3 * np.sqrt(np.diag(cholesky @ cholesky.T))
    axes = tuple(
        np.linspace(*ends, int(n))
        for *ends, n in zip(
            colors.min(axis=0) - reach, colors.max(axis=0) + reach, [7, 5, 6], strict=False
        )
    )
    mesh = grid_sums.mesh_of(palette.colors, palette.counts.astype(np.float32), device)
    origin = np.zeros(n_channels)
    sums = device.get(grid_sums.sums_on_mesh_grid(mesh, cholesky, origin, axes, "points", device))
    unwhitened = Palette(colors, palette.counts, palette.bin_width, ranges=np.ones(n_channels))
    everywhere = np.concatenate([grid_points(axes), colors])
    expected = np.exp(log_sums_reference(everywhere, unwhitened, cholesky @ cholesky.T))
    n = sums.size
    np.testing.assert_allclose(sums.ravel(), expected[:n], rtol=0, atol=5e-6 * expected.max())


def test_long_thin_meshes_keep_float32_exact_enough(device):
    # 900 sigma along one axis: a coordinate in float32 would be off by 3e-5 sigma.
    rng = np.random.default_rng(0)
    covariance = np.array([[20.0, 3, 1], [3, 16, 1.3], [1, 1.3, 16]])
    cholesky = np.linalg.cholesky(covariance)
    colors = np.stack([rng.random(40), rng.random(40), 3000 * rng.random(40)], axis=1)
    palette = Palette(colors, np.ones(40, int), np.zeros(3), ranges=np.ones(3))
    whitened = colors @ np.linalg.inv(cholesky).T
    assert grid_sums.fits(np.ptp(whitened, axis=0))
    mesh = grid_sums.mesh_of(whitened, palette.counts.astype(np.float32), device)
    axes = (np.linspace(-2, 3, 3), np.linspace(-2, 3, 4), np.linspace(2000, 3000, 60))
    origin = np.zeros(3)
    sums = device.get(grid_sums.sums_on_mesh_grid(mesh, cholesky, origin, axes, "points", device))
    expected = np.exp(log_sums_reference(grid_points(axes), palette, covariance))
    assert_within_peak(sums.ravel(), expected, 5e-6)


def products_of_averages(colors, counts, sigmas, axes):
    """Σ counts Π_a average over the cells of axis a, by the normal distribution function."""
    total = np.zeros([len(axis) for axis in axes])
    for color, count in zip(colors, counts, strict=True):
        term = np.array(float(count))
        for axis, value, sigma in zip(axes, color, sigmas, strict=True):
            half = (axis[1] - axis[0]) / 2
            mass = norm.cdf(axis + half, value, sigma) - norm.cdf(axis - half, value, sigma)
            term = term[..., None] * mass * sigma * np.sqrt(2 * np.pi) / (2 * half)
        total += term
    return total


@given(seeds, channels, st.sampled_from(["points", "cells"]))
@settings(max_examples=15)
def test_narrow_kernels_are_added_to_the_grid_themselves(device, seed, n_channels, sampling):
    rng = np.random.default_rng(seed)
    sigmas = 10.0 ** rng.uniform(-3, 1, n_channels)
    axes = tuple(np.linspace(-20, 60, n) for n in (31, 17, 9)[:n_channels])
    colors = rng.uniform(-30, 70, (30, n_channels))
    colors[:10] = np.stack([axis[rng.integers(0, len(axis), 10)] for axis in axes], axis=1)
    colors[:10] += rng.normal(size=(10, n_channels)) * sigmas
    palette = Palette(
        colors, rng.integers(1, 1000, 30), np.zeros(n_channels), ranges=np.ones(n_channels)
    )
    sums = device.get(
        grid_sums.sums_on_grid_directly(colors, palette.counts, sigmas, axes, sampling, device)
    )
    if sampling == "cells":
        expected = products_of_averages(colors, palette.counts, sigmas, axes)
    else:
        logs = log_sums_reference(grid_points(axes), palette, np.diag(sigmas**2))
        expected = np.exp(logs).reshape(sums.shape)
    tolerance = 5e-6 * max(expected.max(), 1e-12)
    np.testing.assert_allclose(sums, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("sigma", [0.3, 2.0, 9.0])
def test_kernels_reach_over_several_groups_of_nodes(device, sigma):
    axis = np.arange(300.0)
    palette = Palette(
        np.array([[15.9], [16.1], [140.0]]), np.array([1, 1, 1]), np.zeros(1), ranges=np.ones(1)
    )
    sums = device.get(
        grid_sums.sums_on_grid_directly(
            palette.colors, palette.counts, np.array([sigma]), (axis,), "points", device
        )
    )
    expected = np.exp(log_sums_reference(axis[:, None], palette, np.array([[sigma**2]])))
    np.testing.assert_allclose(sums, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.01, 1.0, 9.9, 10.1, 1000.0])
def test_cells_hold_averages_however_wide_the_kernel(device, sigma):
    axis = np.arange(40.0)
    colors, counts = np.array([[3.3], [20.5], [60.0]]), np.array([1, 2, 3])
    sums = device.get(
        grid_sums.sums_on_grid_directly(colors, counts, np.array([sigma]), (axis,), "cells", device)
    )
    expected = products_of_averages(colors, counts, [sigma], (axis,))
    np.testing.assert_allclose(sums, expected, rtol=0, atol=2e-6 * expected.max())


def test_kernels_a_millionth_of_the_step_are_seen_where_they_hit(device):
    axes = (np.linspace(0, 1e6, 11),)
    sigmas = np.array([0.1])
    colors = np.array([[3e5 + 0.05], [7e5 - 0.1], [5e5 + 40]])
    counts = np.array([1, 1, 1])
    sums = device.get(
        grid_sums.sums_on_grid_directly(colors, counts, sigmas, axes, "points", device)
    )
    expected = np.zeros(11)
    expected[[3, 7]] = np.exp(-0.125), np.exp(-0.5)
    np.testing.assert_allclose(sums, expected, atol=1e-6)


def test_kernels_wider_than_the_grid_take_bounded_memory(device, monkeypatch):
    monkeypatch.setattr(windows, "PRODUCTS", 100)
    rng = np.random.default_rng(0)
    palette = Palette(rng.random((300, 2)), np.ones(300, int), np.zeros(2), ranges=np.ones(2))
    axes = (np.linspace(0, 1, 20), np.linspace(0, 1, 20))
    parts = list(windows.windows_of(palette.colors, axes, (80, 300)).parts())
    assert len(parts) == 60
    assert all(part.rows.size * part.widths[1] <= 100 for part in parts)
    sums = device.get(
        grid_sums.sums_on_grid_directly(
            palette.colors, palette.counts, np.array([0.5, 2.0]), axes, "points", device
        )
    )
    expected = np.exp(log_sums_reference(grid_points(axes), palette, np.diag([0.25, 4.0])))
    np.testing.assert_allclose(sums.ravel(), expected, rtol=1e-5)


def test_limits_are_counted_not_made(monkeypatch):
    assert grid_sums.fits(np.zeros(3))
    assert grid_sums.fits(np.full(3, 100.0))
    assert not grid_sums.fits(np.array([2e3]))  # one axis too long
    assert not grid_sums.fits(np.full(3, 1e15))
    monkeypatch.setattr(grid_sums, "MAX_MESH_NODES", 1000)
    assert not grid_sums.fits(np.zeros(3))
