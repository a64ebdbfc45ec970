import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_colorkde.core.classification.bayes import (
    NONE_OF_THESE,
    log_density_level,
    log_likelihood_ratio,
    log_mixture_of_classes,
    most_likely_class,
    posterior,
    reject_outliers,
)
from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.reference import mixture_density

KERNELS = KernelSet(
    [
        Kernel([100, 50, 20], [90, 40, 30], 0.5, cls="skin"),
        Kernel([10, 20, 30], [400, 400, 400], 0.9, cls="other"),
        Kernel([150, 90, 60], [90, 40, 30], 0.4, cls="skin"),
    ]
)
COLORS = np.array([[100, 50, 20], [60, 40, 30], [120, 70, 40], [10, 20, 30.0]])


CLASSES = [[kernel for kernel in KERNELS if kernel.cls == cls] for cls in ("skin", "other")]


def class_densities():
    return np.stack([mixture_density(COLORS, kernels) for kernels in CLASSES])


def class_logs():
    return np.stack([mixture_log_density(COLORS, kernels) for kernels in CLASSES])


def posteriors(logs, priors=None):
    return np.stack([posterior(logs, cls, priors) for cls in range(len(logs))])


@pytest.mark.parametrize("priors", [None, [0.1, 0.9], [3, 1], [1, 0]])
def test_posteriors_are_bayes_rule(priors):
    prior = np.ones(2) if priors is None else np.array(priors)
    joint = prior[:, None] * class_densities()
    expected = joint / joint.sum(axis=0)
    result = posteriors(class_logs(), priors)
    np.testing.assert_allclose(result, expected, rtol=1e-9)
    total = log_mixture_of_classes(class_logs(), priors)
    np.testing.assert_allclose(np.exp(total), joint.sum(axis=0) / prior.sum(), rtol=1e-9)


@given(
    hnp.arrays(float, (3, 4), elements=st.floats(-1e6, 100)),
    hnp.arrays(float, 3, elements=st.floats(1e-3, 10)),
)
def test_posteriors_sum_to_one_where_densities_underflow(logs, priors):
    result = posteriors(logs, priors)
    np.testing.assert_allclose(result.sum(axis=0), 1, rtol=1e-9)
    best = np.take_along_axis(result, most_likely_class(logs, priors)[None], axis=0)[0]
    np.testing.assert_array_equal(best, result.max(axis=0))


def test_the_threshold_of_the_ratio_is_that_of_the_priors():
    logs = class_logs()
    ratio = log_likelihood_ratio(logs[0], logs[1])
    np.testing.assert_allclose(ratio, np.log(np.divide(*class_densities())), rtol=1e-9)
    for prior in (0.01, 0.3, 0.99):
        more_likely = posteriors(logs, [prior, 1 - prior])[0] > 0.5
        np.testing.assert_array_equal(ratio > np.log((1 - prior) / prior), more_likely)


def test_rare_colors_belong_to_no_class():
    logs = np.array([[-1.0, -50.0, -3.0], [-2.0, -40.0, -4.0]])
    best, density, counts = most_likely_class(logs), log_mixture_of_classes(logs), [90, 2, 8]
    np.testing.assert_array_equal(best, [0, 1, 0])
    for mass, expected in ((0.9, [0, -1, -1]), (0.95, [0, -1, 0]), (1, [0, 1, 0])):
        kept = reject_outliers(best, density, counts, mass)
        np.testing.assert_array_equal(kept, expected)
    # A level does not depend on a constant.
    kept = reject_outliers(best, density + 7, counts, 0.95)
    np.testing.assert_array_equal(kept, [0, NONE_OF_THESE, 0])


@given(
    hnp.arrays(np.float32, (3, 8), elements=st.floats(-1e3, 100, width=32)),
    hnp.arrays(float, 3, elements=st.floats(1e-3, 10)),
)
def test_single_precision_stays_and_agrees_with_double(logs, priors):
    double = logs.astype(np.float64)
    for single, expected in (
        (posteriors(logs, priors), posteriors(double, priors)),
        (log_mixture_of_classes(logs, priors), log_mixture_of_classes(double, priors)),
        (log_likelihood_ratio(logs[0], logs[1]), log_likelihood_ratio(double[0], double[1])),
    ):
        assert single.dtype == np.float32
        assert expected.dtype == np.float64
        np.testing.assert_allclose(single, expected, rtol=1e-3, atol=2e-4)


def test_where_no_class_is_possible_there_is_none():
    logs = np.array([[-np.inf, -np.inf], [-np.inf, -np.inf], [-1.0, -2.0]])
    priors = [1, 2, 0]
    np.testing.assert_array_equal(posteriors(logs, priors), 0)
    np.testing.assert_array_equal(log_mixture_of_classes(logs, priors), -np.inf)
    np.testing.assert_array_equal(most_likely_class(logs, priors), NONE_OF_THESE)
    np.testing.assert_array_equal(most_likely_class(logs), 2)
    np.testing.assert_array_equal(log_likelihood_ratio(logs[0], logs[1]), 0)
    np.testing.assert_array_equal(log_likelihood_ratio(logs[0], logs[2]), -np.inf)


@given(
    hnp.arrays(float, 20, elements=st.floats(-100, 10)),
    hnp.arrays(np.int64, 20, elements=st.integers(0, 10**9)).filter(lambda counts: counts.any()),
    st.floats(0.001, 1),
)
def test_the_level_holds_the_mass_and_no_higher_one_does(logs, counts, mass):
    level = log_density_level(logs, counts, mass)
    total = counts.sum()
    assert counts[logs >= level].sum() >= mass * total * (1 - 1e-9)
    assert counts[logs > level].sum() < mass * total


def test_a_level_counts_pixels_not_colors():
    logs, counts = np.array([-3.0, -1.0, -2.0]), np.array([80, 10, 10])
    assert log_density_level(logs, counts, 0.1) == -1
    assert log_density_level(logs, counts, 0.2) == -2
    assert log_density_level(logs, counts, 0.21) == -3
    assert log_density_level(logs, counts, 1.0) == -3


LOGS = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: posteriors(LOGS, [1, 1, 1]), "priors is .* give 2 numbers"),
        (lambda: posteriors(LOGS, [1, -1]), "0 or more"),
        (lambda: most_likely_class(LOGS, [0, 0]), "not all 0"),
        (lambda: most_likely_class(LOGS, [np.nan, 1]), "not all 0"),
        (lambda: log_density_level(LOGS[0], [1, 1, 1], 0), "mass=0"),
        (lambda: log_density_level(LOGS[0], [1, 1, 1], 1.1), r"mass=1\.1"),
        (lambda: log_density_level(LOGS[0], [1, 1], 0.5), r"counts has shape \(2,\)"),
        (lambda: log_density_level(LOGS[0], [0, 0, 0], 0.5), "sum 0"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(st.integers(0, 1000), st.sampled_from([0.001, 0.3, 0.5, 0.97, 1.0]))
def test_levels_of_many_colors_are_those_of_a_sort(seed, mass):
    rng = np.random.default_rng(seed)
    log_density = np.round(rng.normal(-20, 9, 6000), 2).astype(np.float32)
    counts = rng.integers(0, 50, 6000)
    order = np.argsort(-log_density, kind="stable")
    held = np.cumsum(counts[order])
    expected = log_density[order[np.searchsorted(held, mass * held[-1] * (1 - 1e-12))]]
    assert log_density_level(log_density, counts, mass) == expected
