import pickle
from collections import namedtuple
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

MEAN, VARIANCES = [73.53, 29.94, 17.76], [765.40, 121.44, 112.80]
FULL = [[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]]


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1)])
def test_rows_and_columns_are_squeezed(shape):
    kernel = Kernel(np.reshape(MEAN, shape), np.reshape(VARIANCES, shape), 0.0294)
    assert kernel.mean.tolist() == MEAN
    assert kernel.covariance.tolist() == VARIANCES
    assert kernel.is_diagonal


def test_a_number_is_a_kernel_of_one_channel():
    kernel = Kernel(5, [[2.0]], 1)
    assert (kernel.mean.tolist(), kernel.covariance.tolist()) == ([5.0], [2.0])


def test_numbers_are_kept_bit_for_bit_and_cannot_be_changed():
    mean, covariance = np.array(MEAN), np.array(FULL)
    kernel = Kernel(mean, covariance, 0.1 + 0.2)
    mean[0] = covariance[0, 0] = 99
    assert kernel.weight == 0.1 + 0.2
    np.testing.assert_array_equal(kernel.mean, MEAN)
    np.testing.assert_array_equal(kernel.covariance, FULL)
    with pytest.raises(ValueError, match="read-only"):
        kernel.mean[0] = 1
    with pytest.raises(AttributeError):
        kernel.weight = 2


def test_a_diagonal_matrix_is_diagonal_and_equals_its_variances():
    as_matrix, as_variances = (
        Kernel(MEAN, np.diag(VARIANCES), 1.0),
        Kernel(MEAN, VARIANCES, 1.0),
    )
    assert as_matrix.is_diagonal
    assert as_matrix == as_variances
    assert hash(as_matrix) == hash(as_variances)
    np.testing.assert_array_equal(as_variances.covariance_matrix, np.diag(VARIANCES))
    assert not Kernel(MEAN, FULL, 1.0).is_diagonal


@pytest.mark.parametrize(
    "change", [{"weight": 0.5}, {"mean": [0, 0, 0]}, {"cls": "skin"}, {"visible": False}]
)
def test_kernels_differ_in_any_field(change):
    kernel = Kernel(MEAN, FULL, 1.0)
    assert replace(kernel, **change) != kernel
    assert kernel != "kernel"


@pytest.mark.parametrize("copy", [deepcopy, lambda kernel: pickle.loads(pickle.dumps(kernel))])
def test_copies_are_equal_and_read_only(copy):
    kernel = Kernel(MEAN, FULL, 0.25, cls="skin", name="skin 4", visible=False)
    again = copy(kernel)
    assert again == kernel
    assert not again.mean.flags.writeable


@pytest.mark.parametrize(
    ("mean", "covariance", "weight", "message"),
    [
        ([0, 0, np.nan], VARIANCES, 1, "mean .* finite"),
        ("red", VARIANCES, 1, "mean is the text or path 'red'; give real numbers"),
        ([], [], 1, "mean has shape"),
        (np.zeros((2, 2)), VARIANCES, 1, "mean has shape"),
        (MEAN, [1, 0, 1], 1, "each must be above 0"),
        (MEAN, [1, -2, 1], 1, "each must be above 0"),
        (MEAN, [1, np.inf, 1], 1, "covariance .* finite"),
        (MEAN, [1, 5e-324, 1], 1, "too small"),
        (MEAN, [1, 1], 1, r"covariance has shape \(2,\) but mean has 3 channels"),
        (MEAN, [[4, 1, 0], [2, 3, 0], [0, 0, 1]], 1, "not symmetric"),
        (MEAN, [[1, 2, 0], [2, 1, 0], [0, 0, 1]], 1, "not positive definite"),
        (MEAN, np.ones((3, 3)), 1, "not positive definite; add"),
        (MEAN, VARIANCES, -0.1, "weight is -0.1"),
        (MEAN, VARIANCES, np.nan, "weight .* finite"),
        (MEAN, VARIANCES, [0.1, 0.2], "weight has shape"),
        (MEAN, VARIANCES, 1j, "weight holds complex128"),
    ],
)
def test_what_cannot_be_a_kernel_is_refused_with_the_reason(mean, covariance, weight, message):
    with pytest.raises(ValueError, match=message) as error:
        Kernel(mean, covariance, weight, name="skin 4")
    assert str(error.value).startswith("kernel 'skin 4': ")
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="^kernel 1: " + ".*" + message):
        KernelSet([([0, 0, 0], [1, 1, 1], 1), (mean, covariance, weight)])


def test_a_narrow_diagonal_kernel_is_no_singular_one():
    kernel = Kernel([0, 0], [[1e-12, 0], [0, 1e12]], 1)
    assert kernel.is_diagonal


def test_a_set_is_a_sequence_with_stacked_arrays():
    first, second = Kernel(MEAN, VARIANCES, 0.25, cls="skin"), Kernel([1, 2, 3], FULL, 0.5, cls="x")
    kernels = KernelSet([first, second, first], name="two", space="bgr")
    assert len(kernels) == 3
    assert list(kernels) == [first, second, first]
    assert kernels[1] is second
    assert kernels[-2:] == KernelSet([second, first], name="two", space="bgr")
    assert kernels.means.shape == (3, 3)
    np.testing.assert_array_equal(kernels.covariances[1], FULL)
    np.testing.assert_array_equal(kernels.variances[1], np.diagonal(FULL))
    assert kernels.weights.tolist() == [0.25, 0.5, 0.25]
    assert kernels.classes == ("skin", "x")
    assert not kernels.is_diagonal
    assert kernels[:1].is_diagonal
    assert not kernels.means.flags.writeable
    assert kernels != KernelSet([first, second, first])
    assert len({kernels, KernelSet([first, second, first], name="two", space="bgr")}) == 1


def test_namedtuples_and_triples_become_kernels():
    Triple = namedtuple("Triple", "mean covariance weight")
    row = Triple(np.array([MEAN]), np.array([VARIANCES]), 0.0294)
    assert KernelSet([row])[0] == KernelSet([tuple(row)])[0] == Kernel(MEAN, VARIANCES, 0.0294)


def test_an_empty_set_is_a_container():
    kernels = KernelSet([])
    assert (len(kernels), kernels.n_channels, kernels.classes) == (0, 0, ())
    assert kernels.means.shape == (0, 0)
    assert kernels.covariances.shape == (0, 0, 0)


def test_mixed_channels_are_refused_by_position_and_name():
    kernels = [Kernel(MEAN, FULL, 1), Kernel([1, 2], [1, 1], 1, name="skin 4")]
    with pytest.raises(ValueError, match=r"^kernel 1 \('skin 4'\): has 2 channels but kernel 0"):
        KernelSet(kernels)


def test_what_is_no_kernel_is_a_type_error():
    with pytest.raises(TypeError, match="kernel 0: a str is not a kernel"):
        KernelSet(["skin"])
    with pytest.raises(TypeError, match="put it into a list"):
        KernelSet(Kernel(MEAN, FULL, 1))
