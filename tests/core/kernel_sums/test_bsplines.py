import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from napari_colorkde.core.kernel_sums.bsplines import TO_ITSELF, TO_PEAK, Scheme

schemes = pytest.mark.parametrize("scheme", [TO_PEAK, TO_ITSELF])


def splines_at(coordinates, scheme):
    """First node and weights (n, order) of points on a mesh of this scheme."""
    scaled = coordinates / scheme.step
    cells = np.floor(scaled)
    powers = (scaled - cells - 0.5)[:, None] ** np.arange(scheme.order)
    return cells - (scheme.order // 2 - 1), powers @ scheme.weights(1)


@given(st.floats(0, 1, exclude_max=True), st.sampled_from([4, 6, 8]))
def test_weights_are_those_of_the_b_spline(place, order):
    scheme = Scheme(order, 1.0, 5.0)
    first, weights = splines_at(np.array([place]), scheme)
    spline = BSpline.basis_element(np.arange(order + 1) - order / 2)
    distance = first[:, None] + np.arange(order) - place
    inside = np.abs(distance) < order / 2
    expected = np.where(inside, spline(np.where(inside, distance, 0)), 0)
    np.testing.assert_allclose(weights, expected, atol=1e-12)


@given(st.sampled_from([1, 2, 4, 8]), st.data())
def test_a_group_has_the_weights_of_each_of_its_cells(group, data):
    cell = data.draw(st.integers(0, group - 1))
    powers = data.draw(st.floats(-0.5, 0.5)) ** np.arange(6)
    terms = np.zeros((group, 6))
    terms[cell] = powers
    weights = terms.ravel() @ TO_PEAK.weights(group)
    expected = np.zeros(group + 5)
    expected[cell : cell + 6] = powers @ TO_PEAK.weights(1)
    np.testing.assert_allclose(weights, expected, atol=1e-12)


@schemes
@pytest.mark.parametrize(("distance", "relative"), [(0, 1e-6), (2, 2e-6), (4, 6e-5), (5, 2.5e-4)])
def test_spreading_and_reading_give_the_gaussian(scheme, distance, relative):
    here = np.random.default_rng(0).random(200) * 5
    (i, a), (j, b) = splines_at(here, scheme), splines_at(here + distance, scheme)
    nodes = np.arange(scheme.order)
    apart = (i[:, None, None] + nodes[:, None]) - (j[:, None, None] + nodes)
    sums = np.einsum("ni,nij,nj->n", a, scheme.deconvolved(scheme.step * apart, 2), b)
    expected = np.exp(-(distance**2) / 2)
    error = relative if scheme is TO_PEAK else min(relative, 1e-5)
    np.testing.assert_allclose(sums, expected, rtol=error)


@schemes
def test_the_kernel_is_positive_and_the_same_on_the_device(scheme):
    distance = np.linspace(-11.9, 11.9, 301)
    for splines in (1, 2):
        kernel = scheme.deconvolved(distance, splines)
        assert (kernel > 0).all()
        on_device = scheme.deconvolved_in_place(torch.from_numpy(distance).float(), splines)
        near = np.abs(distance) < 8
        np.testing.assert_allclose(on_device.numpy()[near], kernel[near], rtol=1e-5)


@pytest.mark.parametrize("width", [1e-3, 0.09, 0.11, 1.0, 40.0])
def test_cells_hold_averages_of_the_kernel(width):
    distance = np.linspace(-7, 7, 57)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    places = distance[:, None] + nodes * width / 2
    expected = TO_PEAK.deconvolved(places, 1) @ weights / 2
    np.testing.assert_allclose(TO_PEAK.cell_averages(distance, width), expected, atol=2e-7)
