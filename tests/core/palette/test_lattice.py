import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from napari_colorkde.core.kernel_sums.lattice_transform import lattice_transform, others_transform
from napari_colorkde.core.kernel_sums.separable import gaussian_matrix
from napari_colorkde.core.palette import lattice
from napari_colorkde.core.palette.lattice import lattice_of
from napari_colorkde.core.palette.palette import Palette
from tests.core.drawn import images, seeds

factors = st.floats(np.log(1e-4), np.log(100)).map(np.exp)


@st.composite
def lattices(draw):
    """Counts on a small grid of irregular levels, mostly empty, and sigmas for it."""
    rng = np.random.default_rng(draw(seeds))
    n_channels = draw(st.integers(1, 3))
    largest = {1: 80, 2: 20, 3: 9}[n_channels]  # the textbook takes all pairs
    shape = draw(st.lists(st.integers(1, largest), min_size=n_channels, max_size=n_channels))
    levels = tuple(np.sort(rng.choice(1000, n, replace=False)) / 10.0 for n in shape)
    counts = rng.integers(1, 1000, shape) * (rng.random(shape) < 0.2)
    counts.flat[0] += 1
    sigmas = np.array([draw(factors) for _ in shape])
    return counts, levels, sigmas, rng


def on_lines(counts, levels, device, dtype):
    """The lattice of the nodes with counts, and these on its lines."""
    nodes = np.argwhere(counts)
    found = lattice_of(np.stack([axis[at] for axis, at in zip(levels, nodes.T, strict=True)], 1))
    return found, found.scatter(counts[tuple(nodes.T)], device, dtype)


def log_sums(counts, levels, targets, sigmas, leave_out_own=False):
    """The textbook in log space, one axis after the other: log Σ counts Π exp(−½ d²/σ²)."""
    nodes = np.stack(np.meshgrid(*levels, indexing="ij"), -1).reshape(-1, len(levels))
    points = np.stack(np.meshgrid(*targets, indexing="ij"), -1).reshape(-1, len(levels))
    used = counts.ravel() > 0
    exponents = sum(
        -0.5 * ((points[:, a, None] - nodes[used, a]) / sigmas[a]) ** 2 for a in range(len(levels))
    )
    weights = np.tile(counts.ravel()[used].astype(float), (len(points), 1))
    if leave_out_own:
        weights[(points[:, None] == nodes[used]).all(axis=2)] = 0
    return logsumexp(exponents, axis=1, b=weights).reshape([len(t) for t in targets])


@given(images())
def test_every_palette_entry_has_its_place_on_the_lattice(image):
    palette = Palette.from_image(image)
    found = lattice_of(palette.colors)
    places = np.unravel_index(found.position, found.shape[::-1])[::-1]
    colors = np.stack([levels[at] for levels, at in zip(found.levels, places, strict=True)], 1)
    np.testing.assert_array_equal(colors, palette.colors)
    for c, levels in enumerate(found.levels):
        np.testing.assert_array_equal(levels, np.unique(palette.colors[:, c]))
        assert levels.dtype == np.float64


def test_scattered_values_are_gathered_again(device):
    colors = np.array([[0, 5, 0], [1, 0, 0], [1, 5, 9]], np.uint8)
    found = lattice_of(colors)
    lines = found.scatter(np.array([3, 2**40, 1]), device, torch.float32)
    np.testing.assert_array_equal(device.get(lines), [[0, 2**40], [3, 0], [0, 1]])
    grid = found.spread_out(lines, device)
    assert tuple(grid.shape) == found.shape[::-1] == (2, 2, 2)
    np.testing.assert_array_equal(found.gather(grid, device), [3, 2**40, 1])
    assert device.get(grid).sum() == 2**40 + 4


def test_counts_beyond_float32_are_exact_in_float64(device):
    found = lattice_of(np.array([[7]], np.uint8))
    lines = found.scatter(np.array([2**31 + 1]), device.exact, torch.float64)
    assert found.gather(lines, device.exact)[0] == 2**31 + 1


def test_too_many_nodes_or_levels_make_no_lattice(monkeypatch):
    colors = np.stack([np.arange(30), np.arange(30) % 10], axis=1)
    monkeypatch.setattr(lattice, "MAX_NODES", 300)
    assert lattice_of(colors) is not None
    monkeypatch.setattr(lattice, "MAX_NODES", 299)
    assert lattice_of(colors) is None
    monkeypatch.setattr(lattice, "MAX_NODES", 300)
    monkeypatch.setattr(lattice, "MAX_LEVELS", 29)
    assert lattice_of(colors) is None


def test_the_lattice_of_all_8_bit_colors_is_kept():
    corners = np.stack([np.arange(256)] * 3, axis=1).astype(np.uint8)
    assert lattice_of(corners).shape == (256, 256, 256)


def test_a_long_gray_axis_makes_no_lattice():
    assert lattice_of(np.arange(65536, dtype=np.uint16)[:, None]) is None


@given(lattices())
def test_the_transform_keeps_relative_accuracy_deep_into_the_tails(device, drawn):
    counts, levels, sigmas, rng = drawn
    targets = tuple(np.sort(rng.random(rng.integers(1, 12))) * 120 - 10 for _ in levels)
    logs = log_sums(counts, levels, targets, sigmas)
    matrices = [gaussian_matrix(*axes) for axes in zip(targets, levels, sigmas, strict=True)]
    for where, dtype, floor in ((device, torch.float32, -69), (device.exact, torch.float64, -667)):
        found, lines = on_lines(counts, levels, where, dtype)
        used = [
            m[:, np.isin(all_, own)]
            for m, all_, own in zip(matrices, levels, found.levels, strict=True)
        ]
        sums = where.get(lattice_transform(lines, found, used, where)).T
        tells = logs > floor + np.log(counts.sum())  # 1e-30 and 1e-290 of N
        np.testing.assert_allclose(
            np.log(sums[tells].astype(float)), logs[tells], rtol=0, atol=3e-6
        )
        assert (sums[~tells] < 1.1 * np.exp(floor) * counts.sum()).all()


@given(lattices())
def test_the_sum_of_the_others_leaves_out_the_own_node_alone(device, drawn):
    counts, levels, sigmas, _ = drawn
    logs = log_sums(counts, levels, levels, sigmas, leave_out_own=True)
    for where, dtype, floor in ((device, torch.float32, -69), (device.exact, torch.float64, -667)):
        found, lines = on_lines(counts, levels, where, dtype)
        others = where.get(others_transform(lines, found, sigmas, where)).T
        own = np.ix_(*(np.isin(a, b) for a, b in zip(levels, found.levels, strict=True)))
        logs_there = logs[own]
        tells = logs_there > floor + np.log(counts.sum())
        np.testing.assert_allclose(
            np.log(others[tells].astype(float)), logs_there[tells], rtol=0, atol=3e-6
        )
        assert (others[~tells] < 1.1 * np.exp(floor) * counts.sum()).all()


def test_the_own_count_never_shows_in_the_others(device):
    # Subtracting 2^40 from the total would leave nothing of the neighbor's 1e-6.
    counts = np.array([2**40, 1])
    found, lines = on_lines(counts, (np.array([0.0, 5.257]),), device, torch.float32)
    others = device.get(others_transform(lines, found, np.array([1.0]), device))
    assert others[0] == pytest.approx(np.exp(-(5.257**2) / 2), rel=1e-6)


def test_the_transforms_do_not_change_their_input(device):
    counts = np.ones((3, 4, 2))
    levels = tuple(np.arange(float(n)) for n in counts.shape)
    found, lines = on_lines(counts, levels, device, torch.float32)
    before = device.get(lines).copy()
    matrices = [gaussian_matrix(axis, axis, 1.0) for axis in levels]
    lattice_transform(lines, found, matrices, device)
    others_transform(lines, found, np.ones(3), device)
    np.testing.assert_array_equal(device.get(lines), before)
