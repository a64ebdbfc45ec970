from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter

from napari_colorkde.scene.density.empty_space import BLOCK, distance_to_content

SHAPES = st.tuples(*[st.integers(2, 23)] * 3)


@given(SHAPES, st.integers(0, 6), st.integers(0, 2**31))
def test_nothing_lies_within_reach_of_an_empty_block(
    shape: tuple[int, int, int], n_full: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = np.zeros(shape, dtype=np.float32)
    for _ in range(n_full):
        values[tuple(rng.integers(0, shape))] = rng.choice([-1, 1])
    reach = distance_to_content(values, 0.5)
    assert reach.shape == tuple(-(-n // BLOCK) for n in shape)
    # What interpolation can draw on: the cell itself and its neighbors.
    seen = maximum_filter(np.abs(values), size=3) > 0.5
    for block in np.ndindex(*reach.shape):
        r = int(reach[block])
        around = tuple(slice(max((b - (r - 1)) * BLOCK, 0), (b + r) * BLOCK) for b in block)
        if r > 0:
            assert not seen[around].any()


def test_blocks_with_content_are_not_leapt_over() -> None:
    values = np.zeros((16, 16, 16), dtype=np.float32)
    values[9, 9, 9] = 1
    reach = distance_to_content(values, 0.5)
    assert reach[2, 2, 2] == 0
    assert reach[0, 0, 0] == 2


def test_sparse_cells_are_leapt_over() -> None:
    values = np.full((8, 8, 8), 0.1, dtype=np.float32)
    assert distance_to_content(values, 0.2).min() > 0
    assert distance_to_content(values, 0.05).max() == 0
