"""Densities at points equal the textbook's, tile by tile, and have gradients in everything."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_colorkde import Kernel
from napari_colorkde.core import reference
from napari_colorkde.torch import log_density, mixture_density, points


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def covariance(d: int) -> torch.Tensor:
    root = drawn(d, d, seed=9)
    return root @ root.T + torch.eye(d)


@pytest.fixture(params=[1 << 20, 30], ids=["one tile", "many tiles"], autouse=True)
def tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "PAIRS", request.param)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bandwidth", ["number", "per channel", "full"])
def test_log_density_equals_the_textbook(dtype: torch.dtype, bandwidth: str) -> None:
    x, samples = 3 * drawn(4, 5, 3), drawn(20, 3, seed=1)
    given = {"number": 0.7, "per channel": torch.tensor([0.5, 1.0, 2.0]), "full": covariance(3)}
    matrix = {"number": 0.49 * np.eye(3), "per channel": np.diag([0.25, 1, 4])}
    truth = reference.kde_log_density(
        x.reshape(-1, 3).numpy(), samples.numpy(), matrix.get(bandwidth, covariance(3).numpy())
    )
    logs = log_density(x.to(dtype), samples.to(dtype), given[bandwidth])
    assert logs.shape == (4, 5)
    assert logs.dtype == dtype
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    assert np.allclose(logs.reshape(-1), truth, rtol=tolerance, atol=tolerance)


def test_weights_are_how_often_a_sample_counts() -> None:
    x, samples = drawn(6, 2), drawn(3, 2, seed=1)
    repeated = samples.repeat_interleave(torch.tensor([1, 3, 2]), dim=0)
    weighted = log_density(x, samples, 0.5, torch.tensor([1, 3, 2]))
    assert torch.allclose(weighted, log_density(x, repeated, 0.5))


def test_tails_are_exact() -> None:
    x = torch.tensor([[1e4, 0.0]])
    expected = -0.5 * 1e8 - np.log(2 * np.pi)
    assert log_density(x, torch.zeros(5, 2), 1.0).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("form", ["full", "variances"])
def test_mixture_equals_the_textbook(form: str) -> None:
    x, means, weights = 2 * drawn(7, 3), drawn(4, 3, seed=1), torch.rand(4, dtype=torch.float64)
    full = torch.stack([covariance(3) * s for s in (0.5, 1, 2, 3)])
    given = full if form == "full" else full.diagonal(dim1=1, dim2=2)
    kernels = [
        Kernel(m.numpy(), s.numpy(), float(w))
        for m, s, w in zip(means, given, weights, strict=True)
    ]
    truth = reference.mixture_log_density(x.numpy(), kernels)
    assert np.allclose(mixture_density(x, means, given, weights, log=True), truth)
    assert np.allclose(mixture_density(x, means, given, weights), np.exp(truth))


def test_gradients_of_log_density() -> None:
    arguments = (drawn(5, 3), drawn(8, 3, seed=1), covariance(3), torch.rand(8).double() + 0.1)
    for argument in arguments:
        argument.requires_grad_()

    def symmetric(x, samples, bandwidth, weights):
        return log_density(x, samples, (bandwidth + bandwidth.T) / 2, weights)

    assert torch.autograd.gradcheck(symmetric, arguments)


def test_gradients_of_the_sigma() -> None:
    sigma = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: log_density(drawn(5, 3), drawn(8, 3), s), (sigma,))


def test_gradients_of_a_mixture() -> None:
    arguments = (
        drawn(5, 2),
        drawn(3, 2, seed=1),
        torch.stack([covariance(2)] * 3),
        torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64),
    )
    for argument in arguments:
        argument.requires_grad_()
    x, means, covariances, weights = arguments
    assert torch.autograd.gradcheck(
        lambda x, m, c: mixture_density(x, m, (c + c.mT) / 2, weights.detach()),
        (x, means, covariances),
    )
    # A weight of 0 has a derivative, and cannot be made smaller.
    mixture_density(x, means, covariances, weights).sum().backward()
    each = [
        reference.gaussian_log_density(x.detach().numpy(), m.numpy(), c.numpy())
        for m, c in zip(means.detach(), covariances.detach(), strict=True)
    ]
    assert np.allclose(weights.grad, np.exp(each).sum(axis=1))
