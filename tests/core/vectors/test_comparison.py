"""Two sets of vectors under each other, and their divergences."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_colorkde.core.reference import kde_log_density
from napari_colorkde.core.vectors.comparison import compare_vectors

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(40, 2)), RNG.normal([1.0, 0.0], 1.5, (30, 2))


def test_each_set_under_the_other_is_the_mean_of_the_reference() -> None:
    found = compare_vectors(A, B, 0.6, n_drawn=50)
    assert found.b_under_a == pytest.approx(kde_log_density(B, A, 0.36 * np.eye(2)).mean())
    assert found.a_under_b == pytest.approx(kde_log_density(A, B, 0.36 * np.eye(2)).mean())


def test_divergences_are_the_integrals_within_their_standard_errors() -> None:
    steps = np.arange(-9, 12, 0.1)
    points = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    a, b = (kde_log_density(points, x, 0.36 * np.eye(2)) for x in (A, B))
    middle = np.logaddexp(a, b) - math.log(2)

    def kl(p: np.ndarray, q: np.ndarray) -> float:
        return float(np.sum(np.exp(p) * (p - q)) * 0.01)

    found = compare_vectors(A, B, 0.6, n_drawn=3000)
    expected = {
        "kl_ab": kl(a, b),
        "kl_ba": kl(b, a),
        "js": (kl(a, middle) + kl(b, middle)) / 2,
    }
    for name, value in expected.items():
        estimate = getattr(found, name)
        assert 0 < estimate.standard_error < 0.05 * max(value, 0.5)
        assert abs(estimate.value - value) < 4 * estimate.standard_error


def test_the_same_set_twice_has_no_divergence() -> None:
    found = compare_vectors(A, A, 0.5, n_drawn=20)
    assert [found.kl_ab.value, found.kl_ba.value] == [0, 0]
    assert found.js.value == pytest.approx(0, abs=1e-12)
    assert found.b_under_a == found.a_under_b


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="b has vectors of 1 numbers, a of 2; give vectors of"):
        compare_vectors(A, B[:, :1], 1.0)
    with pytest.raises(ValueError, match="n_drawn=1; give 2 or more"):
        compare_vectors(A, B, 1.0, n_drawn=1)
