import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorkde.core.kernel_sums.grids import regular_grid as windows
from tests.core.drawn import seeds


def tent(distance):
    """A weight that is zero beyond two nodes, so that what is left out is exactly nothing."""
    return (1 - distance.abs() / 2).clamp(min=0)


def case(seed, n_channels, n=70):
    rng = np.random.default_rng(seed)
    lengths = [(40,), (30, 12), (25, 30, 9)][n_channels - 1]
    nodes = tuple(rng.normal() + np.arange(float(length)) for length in lengths)
    low = np.array([axis[0] for axis in nodes])
    points = low + rng.uniform(-6, 6 + np.array(lengths), (n, n_channels))
    points[: n // 2] = points[0] + rng.normal(size=(n // 2, n_channels))
    return points, rng.integers(1, 100, n), nodes


def weights_on_all_nodes(points, nodes):
    """Π_a tent(point_a − node_a), ``(Q, M_0, …)``."""
    product = np.ones(len(points))
    for c, axis in enumerate(nodes):
        factor = np.clip(1 - np.abs(points[:, c, None] - axis) / 2, 0, None)
        product = product[..., None] * factor.reshape(len(points), *[1] * c, -1)
    return product


@given(seeds, st.integers(1, 3), st.sampled_from([1, 5, 64]))
@settings(max_examples=20)
def test_points_are_spread_over_the_nodes_nearby(device, seed, n_channels, batch):
    points, counts, nodes = case(seed, n_channels)
    expected = np.tensordot(counts, weights_on_all_nodes(points, nodes), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "BATCH", batch)
        mesh = windows.spread(
            points, counts, nodes, (2,) * n_channels, (tent,) * n_channels, device
        )
    np.testing.assert_allclose(device.get(mesh), expected, rtol=1e-5, atol=1e-3)


@given(seeds, st.integers(1, 3))
@settings(max_examples=20)
def test_windows_hold_every_node_their_points_reach(seed, n_channels):
    points, _, nodes = case(seed, n_channels)
    taps = (3,) * n_channels
    found = windows.windows_of(points, nodes, taps)
    lengths = np.array([len(axis) for axis in nodes])
    assert (found.starts >= 0).all()
    assert (found.starts + found.widths <= lengths).all()
    seen = found.rows[found.real]
    assert len(np.unique(seen)) == len(seen)
    for row, start in zip(found.rows, found.starts, strict=True):
        cells = np.floor(points[row] - [axis[0] for axis in nodes])
        wanted_low = np.clip(cells - 2, 0, lengths - 1)
        wanted_high = np.clip(cells + 3, 0, lengths - 1)
        reached = (cells + 3 >= 0).all(axis=1) & (cells - 2 < lengths).all(axis=1)
        assert (start <= wanted_low[reached]).all()
        assert (wanted_high[reached] < start + found.widths).all()
    lost = np.setdiff1d(np.arange(len(points)), seen)
    cells = np.floor(points[lost] - [axis[0] for axis in nodes])
    assert ((cells + 3 < 0) | (cells - 2 >= lengths)).any(axis=1).all()
