"""Kernel sums by every way there is, held to the textbook sum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from napari_colorkde.core.device import HOST
from napari_colorkde.core.kernel_sums import choose_loops, lattice_sums, spread_sums, spreading
from napari_colorkde.core.kernel_sums.grids import grid_sums
from napari_colorkde.core.kernel_sums.kernel_sums import kernel_sums
from napari_colorkde.core.kernel_sums.lattice_sums import LatticeSums
from napari_colorkde.core.kernel_sums.spread_sums import SpreadSums
from napari_colorkde.core.kernel_sums.spreading import whiten
from napari_colorkde.core.kernel_sums.swept import sweep
from napari_colorkde.core.palette import lattice
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import (
    DTYPES,
    assert_logs_as_promised,
    assert_within_peak,
    diagonal_covariances,
    full_covariances,
    grid_points,
    images,
    log_sums_reference,
    points_around,
    seeds,
    span_of,
)

WAYS = (
    "chosen",
    "lattice in float64",
    "spreading over a mesh",
    "spreading without a mesh",
    "pair by pair",
    "sweeping",
)


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Force one of the ways to sum, by the limits that choose between them."""
    if request.param == "chosen":
        return request.param
    if request.param == "lattice in float64":
        monkeypatch.setattr(lattice_sums, "FEW", 0)
        return request.param
    monkeypatch.setattr(lattice, "MAX_NODES", 0)
    if request.param == "spreading without a mesh":
        monkeypatch.setattr(spreading, "MAX_NODES", 0)
        monkeypatch.setattr(grid_sums, "MAX_MESH_NODES", 0)
    if request.param == "spreading over a mesh":
        monkeypatch.setattr(spreading, "BRICK_PAIRS", 0)
        monkeypatch.setattr(spreading, "POINT_PAIRS", 0)
    if request.param == "pair by pair":
        monkeypatch.setattr(spreading, "LOOKED_AT", 0)
    if request.param == "sweeping":
        pytest.importorskip("numba")
        monkeypatch.setattr(sweep, "FEWEST", 0)
        monkeypatch.setattr(sweep, "NODES_A_COLOR", np.inf)
        monkeypatch.setattr(choose_loops, "WORTH_WAITING", 0)
    return request.param


@st.composite
def cases(draw, covariances, dtypes=DTYPES, **limits):
    image = draw(images(dtypes))
    covariance = draw(covariances(image, **limits))
    return Palette.from_image(image), covariance, span_of(image), draw(seeds)


def axes_for(palette, covariance, span, seed):
    """A small grid around the colors, one through some of them, or one through a peak."""
    rng = np.random.default_rng(seed)
    sigmas = np.sqrt(np.diag(covariance))
    low, high = palette.colors.min(axis=0).astype(float), palette.colors.max(axis=0).astype(float)
    middle = palette.colors[rng.integers(len(palette))]
    choice = rng.integers(3)
    if choice == 0:
        ends = low - 3 * sigmas, high + 3 * sigmas
    elif choice == 1:
        ends = low, high + 0.1 * span
    else:
        ends = middle - rng.uniform(0.5, 4, len(span)) * sigmas, middle + 2 * sigmas
    return tuple(np.linspace(a, b, int(rng.integers(2, 6))) for a, b in zip(*ends, strict=True))


def peak_of(palette, covariance, values):
    """The largest sum on a grid or at a color: the peak of the density, or little less."""
    return max(values.max(), np.exp(log_sums_reference(palette.colors, palette, covariance)).max())


def check_points_of_a_grid(case, device, tolerance):
    palette, covariance, span, seed = case
    axes = axes_for(palette, covariance, span, seed)
    result = kernel_sums(palette, covariance, device).on_grid(axes)
    expected = np.exp(log_sums_reference(grid_points(axes), palette, covariance))
    assert result.dtype == np.float32
    assert result.shape == tuple(len(axis) for axis in axes)
    peak = peak_of(palette, covariance, expected)
    np.testing.assert_allclose(result.ravel(), expected, rtol=0, atol=tolerance * peak)


def check_scattered_points(case, device):
    palette, covariance, _, seed = case
    ways = kernel_sums(palette, covariance, device)
    points = points_around(palette.colors, covariance, seed)
    logs = log_sums_reference(points, palette, covariance)
    assert_logs_as_promised(ways.log_at(points), logs)
    peak = peak_of(palette, covariance, np.exp(logs))
    assert_within_peak(np.r_[ways.at(points), np.float32(peak)], np.r_[np.exp(logs), peak], 5e-6)


def check_own_colors(case, device):
    palette, covariance, _, _ = case
    ways = kernel_sums(palette, covariance, device)
    expected = log_sums_reference(palette.colors, palette, covariance)
    assert_logs_as_promised(ways.log_at(palette.colors), expected)
    assert_within_peak(ways.at(palette.colors), np.exp(expected), 5e-6)
    rows = np.arange(len(palette))
    with np.errstate(divide="ignore"):
        others = log_sums_reference(palette.colors, palette, covariance, leave_out=rows)
    assert_logs_as_promised(ways.log_others(), others)


# Meshes of forced spreading stay small in tests, so kernels there are no narrower than this.
LOWEST = {"spreading over a mesh": 1 / 60, "sweeping": 1 / 20}


@given(st.data())
@settings(max_examples=12)
def test_grids_with_diagonal_bandwidths(device, way, data):
    limits = {"lowest": LOWEST.get(way, 0.05 / 256)}
    case = data.draw(cases(diagonal_covariances, **limits))
    check_points_of_a_grid(case, device, 5e-6)


@given(cases(diagonal_covariances, ["uint8"]))
def test_8_bit_grids_with_diagonal_bandwidths_are_exact_to_1e_6(device, case):
    check_points_of_a_grid(case, device, 1e-6)


@given(st.data())
@settings(max_examples=12)
def test_scattered_points_with_diagonal_bandwidths(device, way, data):
    limits = {"lowest": LOWEST.get(way, 0.05 / 256)}
    check_scattered_points(data.draw(cases(diagonal_covariances, **limits)), device)


@given(st.data())
@settings(max_examples=12)
def test_own_colors_with_diagonal_bandwidths(device, way, data):
    limits = {"lowest": LOWEST.get(way, 0.05 / 256)}
    check_own_colors(data.draw(cases(diagonal_covariances, **limits)), device)


@given(cases(full_covariances, lowest=1 / 20, spread=30.0))
def test_grids_with_full_bandwidths(device, case):
    check_points_of_a_grid(case, device, 5e-6)


@given(cases(full_covariances))
@settings(max_examples=15)
def test_grids_with_ill_conditioned_bandwidths(device, monkeypatch, case):
    monkeypatch.setattr(grid_sums, "MAX_MESH_NODES", 1 << 18)
    check_points_of_a_grid(case, device, 5e-6)


@given(cases(full_covariances, lowest=1 / 20, spread=30.0))
@settings(max_examples=15)
def test_scattered_points_with_full_bandwidths(device, case):
    check_scattered_points(case, device)


@given(cases(full_covariances))
def test_scattered_points_with_ill_conditioned_bandwidths(device, case):
    check_scattered_points(case, device)


@given(cases(full_covariances))
def test_own_colors_with_full_bandwidths(device, case):
    check_own_colors(case, device)


@given(st.data())
@settings(max_examples=12)
def test_cells_hold_averages(device, way, data):
    limits = {"lowest": LOWEST.get(way, 0.05 / 256)}
    palette, covariance, span, seed = data.draw(cases(diagonal_covariances, **limits))
    axes = axes_for(palette, covariance, span, seed)
    result = kernel_sums(palette, covariance, device).on_grid(axes, "cells")
    expected = np.zeros(result.shape)
    for color, count in zip(palette.colors.astype(float), palette.counts, strict=True):
        term = np.array(float(count))
        for axis, value, sigma in zip(axes, color, np.sqrt(np.diag(covariance)), strict=True):
            half = (axis[1] - axis[0]) / 2
            distance = np.abs(axis - value)  # on the side where nothing cancels
            mass = norm.cdf((half - distance) / sigma) - norm.cdf((-half - distance) / sigma)
            term = term[..., None] * mass * sigma * np.sqrt(2 * np.pi) / (2 * half)
        expected += term
    atol = 5e-6 * max(expected.max(), np.finfo(np.float32).tiny)
    np.testing.assert_allclose(result, expected, rtol=0, atol=atol)


def test_full_bandwidths_have_no_cell_averages(device):
    palette = Palette.from_image(np.zeros((2, 2, 2), np.uint8))
    ways = kernel_sums(palette, np.array([[2.0, 1], [1, 2]]), device)
    with pytest.raises(ValueError, match=r'sampling="cells" needs a diagonal bandwidth; give one'):
        ways.on_grid((np.arange(3.0), np.arange(3.0)), "cells")


def test_the_way_is_chosen_by_colors_and_bandwidth(monkeypatch):
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    palette = Palette.from_image(image)
    full = np.eye(3) + 0.1
    assert isinstance(kernel_sums(palette, np.eye(3), HOST), LatticeSums)
    assert isinstance(kernel_sums(palette, full, HOST), SpreadSums)
    monkeypatch.setattr(lattice, "MAX_NODES", 3)
    assert isinstance(kernel_sums(Palette.from_image(image), np.eye(3), HOST), SpreadSums)


def test_large_grids_of_scattered_points_are_taken_in_slabs(device, monkeypatch):
    rng = np.random.default_rng(0)
    palette = Palette.from_image(rng.random((5, 5, 2)))
    covariance = np.array([[0.02, 0.015], [0.015, 0.02]])
    axes = (np.linspace(0, 1, 13), np.linspace(0, 1, 7))
    whole = kernel_sums(palette, covariance, device).on_grid(axes)
    monkeypatch.setattr(spreading, "MAX_NODES", 0)
    monkeypatch.setattr(spread_sums, "SLAB_POINTS", 20)
    slabs = kernel_sums(palette, covariance, device).on_grid(axes)
    np.testing.assert_allclose(slabs, whole, atol=1e-5 * whole.max())


def test_colors_of_another_image_need_no_lattice(device):
    rng = np.random.default_rng(0)
    palette = Palette.from_image(rng.integers(0, 256, (4, 4, 1), dtype=np.uint8))
    points = rng.random((3000, 1)) * 300 - 20
    ways = kernel_sums(palette, np.array([[9.0]]), device)
    assert isinstance(ways, LatticeSums)
    expected = log_sums_reference(points, palette, np.array([[9.0]]))
    assert_logs_as_promised(ways.log_at(points), expected)
    assert_within_peak(ways.at(points), np.exp(expected), 5e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("count", [2**24 + 1, 2**31 + 1, 2**53])
def test_huge_counts_hide_no_neighbor(device, dtype, count):
    # Two colors 6 sigma apart, one of them almost all pixels; a third one is isolated.
    colors = np.array([[10, 0], [16, 0], [200, 90]], dtype)
    palette = Palette(colors, np.array([count, 1, 1]), np.zeros(2), ranges=np.ones(2))
    rows = np.arange(3)
    for covariance in (np.eye(2), np.array([[1.0, 0.3], [0.3, 1.0]])):
        ways = kernel_sums(palette, covariance, device)
        expected = log_sums_reference(colors, palette, covariance, leave_out=rows)
        assert_logs_as_promised(ways.log_others(), expected)
        expected = log_sums_reference(colors, palette, covariance)
        assert_logs_as_promised(ways.log_at(colors), expected)


def test_tails_go_down_to_any_depth(device):
    palette = Palette.from_image(np.array([[[0], [3]]], np.uint8))
    points = np.arange(0, 256, 5, dtype=np.uint8)[:, None]
    for sigma in (0.05, 1.0, 4.0):
        logs = kernel_sums(palette, np.array([[sigma**2]]), device).log_at(points)
        assert_logs_as_promised(logs, log_sums_reference(points, palette, np.array([[sigma**2]])))
        assert (np.diff(logs[1:]) < 0).all()


def test_whitening_is_solving():
    cholesky = np.array([[2.0, 0], [3.0, 0.5]])
    colors = np.array([[1, 2], [250, 3]], np.uint8)
    center = np.array([4.0, -1.0])
    np.testing.assert_allclose(whiten(colors, cholesky, center) @ cholesky.T + center, colors)


@pytest.mark.parametrize("diagonal", [True, False])
def test_the_same_state_gives_the_same_numbers(device, diagonal):
    image = np.random.default_rng(0).random((20, 20, 2))
    covariance = np.diag([0.01, 0.02]) if diagonal else np.array([[0.01, 0.005], [0.005, 0.02]])
    axes = (np.linspace(0, 1, 20),) * 2
    first, second = (kernel_sums(Palette.from_image(image), covariance, device) for _ in range(2))
    np.testing.assert_array_equal(first.on_grid(axes), second.on_grid(axes))
    np.testing.assert_array_equal(first.log_others(), second.log_others())
    before = first.on_grid(axes)
    first.log_others(), first.at(image[0]), first.log_at(image[0])
    np.testing.assert_array_equal(first.on_grid(axes), before)
