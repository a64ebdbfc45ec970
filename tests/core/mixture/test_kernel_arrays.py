"""Kernels made together are those made one by one, and are refused in the same words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.mixture import kernels
from napari_colorkde.core.mixture.kernel_arrays import KernelError, build_kernels
from napari_colorkde.core.mixture.kernels import Kernel


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 8), channels=st.integers(1, 4))
def test_kernels_are_those_made_one_by_one(seed, n, channels):
    random = np.random.default_rng(seed)
    means = random.normal(size=(n, channels)).tolist()
    spreads = []
    for _ in range(n):
        root = random.normal(size=(channels, channels + 2))
        spreads.append(
            (root @ root.T).tolist()
            if random.random() < 0.5
            else (root[0] ** 2).tolist()[:channels]
        )
    weights = random.random(n).tolist()
    classes, names = [f"c{i % 2}" for i in range(n)], [f"k{i}" for i in range(n)]
    visible = [bool(i % 3) for i in range(n)]
    together = build_kernels(means, spreads, weights, classes=classes, names=names, visible=visible)
    for index, kernel in enumerate(together):
        alone = Kernel(
            means[index],
            spreads[index],
            weights[index],
            cls=classes[index],
            name=names[index],
            visible=visible[index],
        )
        assert kernel == alone
        assert kernel.covariance.shape == alone.covariance.shape
        assert not kernel.mean.flags.writeable
        assert not kernel.covariance.flags.writeable
        assert type(kernel.weight) is float


GOOD = ([1.0, 2.0], [3.0, 4.0], 0.5)


@pytest.mark.parametrize(
    "bad",
    [
        ([1.0, 2.0], [3.0, 0.0], 0.5),
        ([1.0, 2.0], [3.0, 1e-309], 0.5),
        ([1.0, np.nan], [3.0, 4.0], 0.5),
        ([1.0, 2.0], [3.0, 4.0], -1.0),
        ([1.0, 2.0], [[1.0, 2.0], [2.0, 1.0]], 0.5),
        ([1.0, 2.0], [[1.0, 0.1], [0.2, 1.0]], 0.5),
        ([1.0, 2.0, 3.0], [[1.0, 0.1], [0.1, 1.0]], 0.5),
        ([1.0, "2"], [3.0, 4.0], 0.5),
    ],
)
def test_a_kernel_that_is_not_valid_is_refused_as_alone(bad):
    with pytest.raises(ValueError, match="kernel 'odd': ") as alone:
        Kernel(*bad, name="odd")
    columns = [list(column) for column in zip(GOOD, GOOD, bad, strict=True)]
    with pytest.raises(KernelError) as together:
        build_kernels(*columns, names=["", "", "odd"])
    assert str(together.value) == str(alone.value)
    assert together.value.index == 2


@pytest.mark.parametrize("shape", [(3,), (3, 3)])
def test_valid_kernels_are_checked_together_not_one_by_one(shape, monkeypatch):
    n = 20_000
    spreads = np.broadcast_to(np.ones(3) if len(shape) == 1 else np.eye(3), (n, *shape))
    checked = []
    monkeypatch.setattr(kernels, "validated", lambda *values: checked.append(values))
    built = build_kernels(np.zeros((n, 3)), spreads, np.ones(n))
    assert len(built) == n
    assert checked == []
