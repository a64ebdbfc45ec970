import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorkde.core.device import HOST
from napari_colorkde.core.kernel_sums import bricks, choose_loops, points_in_bricks
from napari_colorkde.core.kernel_sums.bsplines import TO_ITSELF, TO_PEAK
from napari_colorkde.core.kernel_sums.points_in_bricks import EDGE, Frame, Placement
from tests.core.drawn import seeds


def placed(seed, n_channels, scheme, n=300, span=40.0):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=n_channels) * 50 + rng.random((n, n_channels)) * span
    points[: n // 2] = points[0] + rng.normal(size=(n // 2, n_channels)) * 0.2
    frame = Frame.around(points, step=scheme.step)
    return points, frame, Placement.of(points, frame, scheme.step)


def spilled(place, frame):
    """All bricks that points meet."""
    offsets = np.zeros(1, np.int64)
    for stride in frame.strides:
        offsets = np.add.outer(offsets, [0, stride]).ravel()
    return np.unique(np.add.outer(place.bricks[0], offsets))


@given(seeds, st.integers(1, 3), st.sampled_from([1, 2, 4, 8]))
@settings(max_examples=20)
def test_every_point_is_in_the_run_of_its_group(seed, n_channels, group):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points_in_bricks, "GROUPS", (group,))
        points, frame, place = placed(seed, n_channels, TO_PEAK)
    assert place.group == group
    np.testing.assert_array_equal(np.sort(place.order), np.arange(len(points)))
    np.testing.assert_array_equal(place.rows, place.order)
    assert (np.diff(place.brick) >= 0).all()
    cells = np.floor(points / TO_PEAK.step).astype(int)
    for first, size, brick, corner in zip(
        place.first, place.size, place.brick, place.corner, strict=True
    ):
        own = cells[place.order[first : first + size]]
        assert (frame.number((own // EDGE).T) == brick).all()
        assert (own % EDGE // group == corner // group).all()


@given(seeds, st.integers(1, 3), st.sampled_from([TO_PEAK, TO_ITSELF]))
@settings(max_examples=15)
def test_spreading_keeps_counts_and_centers(device, seed, n_channels, scheme):
    points, frame, place = placed(seed, n_channels, scheme)
    counts = np.random.default_rng(seed).integers(1, 100, len(points)).astype(np.float32)
    numbers = spilled(place, frame)
    mesh = bricks.spread(place, counts, numbers, frame.strides, scheme, device)
    values = device.get(mesh.values).astype(float) / bricks.SCALE
    np.testing.assert_allclose(values.sum(), counts.sum(), rtol=1e-5)
    for axis in range(n_channels):
        number = np.array(np.unravel_index(numbers, frame.shape))[axis]
        first = frame.occupied[axis][0] - frame.shortened[axis][0]
        nodes = EDGE * (number + first)[:, None] + np.arange(EDGE) - (scheme.order // 2 - 1)
        others = tuple(a for a in range(1, n_channels + 1) if a != axis + 1)
        center = (values.sum(axis=others) * nodes).sum() / counts.sum()
        expected = counts @ points[:, axis] / counts.sum() / scheme.step
        np.testing.assert_allclose(center, expected, atol=1e-3)


@given(seeds, st.integers(1, 3))
@settings(max_examples=10)
def test_reading_is_the_transpose_of_spreading(device, seed, n_channels):
    points, frame, place = placed(seed, n_channels, TO_PEAK)
    rng = np.random.default_rng(seed)
    counts = rng.random(len(points)).astype(np.float32)
    numbers = spilled(place, frame)
    mesh = bricks.spread(place, counts, numbers, frame.strides, TO_PEAK, device)
    field = rng.random(mesh.values.shape).astype(np.float32)
    read = np.zeros(len(points), np.float32)
    given = bricks.Bricks(numbers, frame.strides, device.put(field * bricks.SCALE))
    bricks.read(given, place, TO_PEAK, read, device)
    spread = device.get(mesh.values).astype(float) / bricks.SCALE
    np.testing.assert_allclose(counts @ read.astype(float), (spread * field).sum(), rtol=1e-5)


@pytest.mark.parametrize("scheme", [TO_PEAK, TO_ITSELF])
def test_compiled_loops_do_the_same(scheme, monkeypatch):
    pytest.importorskip("numba")
    points, frame, place = placed(3, 3, scheme, n=5000)
    counts = np.random.default_rng(0).integers(1, 100, len(points)).astype(np.float32)
    counts.flags.writeable = points.flags.writeable = False
    numbers = spilled(place, frame)
    results = []
    for worth_waiting in (len(points) + 1, 1):
        monkeypatch.setattr(choose_loops, "WORTH_WAITING", worth_waiting)
        mesh = bricks.spread(place, counts, numbers, frame.strides, scheme, HOST)
        sums = np.zeros(len(points), np.float32)
        bricks.read(mesh, place, scheme, sums, HOST)
        results.append((HOST.get(mesh.values), sums))
    (values, sums), (compiled_values, compiled_sums) = results
    np.testing.assert_allclose(compiled_values, values, rtol=0, atol=1e-6 * values.max())
    np.testing.assert_allclose(compiled_sums, sums, rtol=1e-5)


def test_gaps_between_bricks_are_shortened_where_they_would_be_too_many():
    near = np.array([[0.0, 0, 0], [9.0, 9, 9]])
    points = np.concatenate([near, near + 1e9])
    frame = Frame.around(points, step=0.3)
    assert frame.is_countable
    assert (frame.shape < 16).all()
    within = frame.number(np.floor(points / (0.3 * EDGE)).astype(int).T)
    assert len(np.unique(within)) == len(np.unique(np.floor(points / (0.3 * EDGE)), axis=0))
