"""Log sums read off one mesh, near and far, held to the textbook within what is said of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorkde.core.kernel_sums import choose_loops
from napari_colorkde.core.kernel_sums.bsplines import TO_ITSELF, TO_PEAK
from napari_colorkde.core.kernel_sums.grids import grid_sums
from napari_colorkde.core.kernel_sums.spread_sums import SpreadSums
from napari_colorkde.core.kernel_sums.swept import sweep
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import grid_points, log_sums_reference, seeds


@pytest.fixture(params=["bricks", "sweep"])
def way(request, monkeypatch):
    if request.param == "sweep":
        pytest.importorskip("numba")
        monkeypatch.setattr(sweep, "FEWEST", 0)
        monkeypatch.setattr(sweep, "NODES_A_COLOR", np.inf)
        monkeypatch.setattr(choose_loops, "WORTH_WAITING", 0)


def drawn_case(seed, n_channels, n_colors, is_full):
    """A palette, a covariance, and axes that reach 45 standard deviations beyond the colors."""
    rng = np.random.default_rng(seed)
    image = rng.normal(0, rng.choice([0.1, 3.0, 6.0]), (1, n_colors, n_channels))
    palette = Palette.from_image(image)
    root = np.diag(rng.uniform(0.7, 1.5, n_channels))
    if is_full:
        root += np.tril(rng.uniform(-0.5, 0.5, root.shape), -1)
    axes = tuple(np.sort(rng.uniform(-60, 60, n)) for n in (7, 6, 5)[:n_channels])
    return palette, root @ root.T, axes


@given(seeds, st.integers(1, 3), st.sampled_from([1, 2, 300]), st.booleans())
@settings(max_examples=8)
def test_logs_are_off_by_no_more_than_they_say(device, way, seed, n_channels, n_colors, is_full):
    palette, covariance, axes = drawn_case(seed, n_channels, n_colors, is_full)
    sums = SpreadSums(palette, covariance, device)
    on_mesh = sums.for_logs_on_grids()
    found = on_mesh.on_grid(axes)
    expected = log_sums_reference(grid_points(axes), palette, covariance).reshape(found.shape)
    may_err = on_mesh.log_errors(found)
    is_known = np.isfinite(may_err)
    with np.errstate(divide="ignore"):
        error = np.abs(np.log(found) - expected)
    assert (error[is_known] <= may_err[is_known] + 2e-5 + 1e-6 * np.abs(expected[is_known])).all()
    # All is known within 36 standard deviations, or 10 of a full covariance.
    part = np.log(float(palette.total_weight)) - expected
    assert is_known[part < (50 if is_full else 648)].all()


@given(seeds, st.floats(0.5, 35))
@settings(max_examples=20)
def test_the_error_of_a_kernel_is_bounded_at_any_distance(seed, distance):
    rng = np.random.default_rng(seed)
    here = rng.uniform(0, 10, 50)
    for scheme in (TO_PEAK, TO_ITSELF):
        cell = np.floor(here / scheme.step)
        powers = (here / scheme.step - cell - 0.5)[:, None] ** np.arange(scheme.order)
        nodes = scheme.step * ((cell - (scheme.order // 2 - 1))[:, None] + np.arange(scheme.order))
        kernel = scheme.deconvolved_far(here[:, None] + distance - nodes, 1)
        logs = np.log(np.sum(kernel * (powers @ scheme.weights(1)), axis=1)) + distance**2 / 2
        assert np.abs(logs).max() <= 1.05 * scheme.log_errors(np.array(distance**2)) + 1e-6


def test_a_mesh_that_would_be_too_large_is_not_made(device, monkeypatch):
    palette, covariance, _ = drawn_case(0, 3, 300, False)
    monkeypatch.setattr(grid_sums, "MAX_MESH_NODES", 1000)
    assert SpreadSums(palette, covariance, device).for_logs_on_grids() is None
