"""The densities of a batch equal the textbook's sum, and so do their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import napari_colorkde
from napari_colorkde.torch import color_kde, volumes
from napari_colorkde.torch.kernel_windows import KernelWindow, SplineWindow
from tests.pretend_device import pretend_device

EXTENT = (-10.0, 256.0)
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def direct(
    x: torch.Tensor,
    sigmas: float | list[float],
    axes: list[np.ndarray],
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sum all pixels' kernels at all grid points, float64 (Silverman 1986, eq. 4.1)."""
    images = []
    channels = x.shape[1]
    sigmas = np.broadcast_to(sigmas, channels)
    for i, image in enumerate(x.double().flatten(2)):
        share = torch.ones_like(image[0]) if weights is None else weights[i].flatten().double()
        factors = [
            torch.exp(-0.5 * ((torch.as_tensor(axis)[:, None] - image[c]) / sigma) ** 2)
            / (sigma * np.sqrt(2 * np.pi))
            for c, (axis, sigma) in enumerate(zip(axes, sigmas, strict=True))
        ]
        letters = "ijk"[:channels]
        terms = ",".join(f"{letter}p" for letter in letters)
        images.append(torch.einsum(f"{terms},p->{letters}", *factors, share / share.sum()))
    return torch.stack(images)


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    return 255 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=[KernelWindow, SplineWindow, None], ids=["kernels", "splines", "cheapest"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sum narrow and wide kernels one way, the other way, or as costs say."""
    if request.param is not None:
        kind = request.param
        monkeypatch.setattr(
            volumes, "_cost", lambda windows, _: sum(not isinstance(w, kind) for w in windows)
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sigma", [5.0, [2.0, 9.0, 60.0]])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.usefixtures("way")
def test_densities_equal_the_textbook(
    dtype: torch.dtype, sigma: float | list[float], weighted: bool
) -> None:
    x = images(2, 3, 7, 9)
    weights = torch.rand(2, 7, 9) if weighted else None
    truth = direct(x, sigma, [np.linspace(*EXTENT, 20)] * 3, weights)
    density = color_kde(x.to(dtype), sigma, 20, EXTENT, weights)
    assert density.dtype == dtype
    assert (density - truth).abs().max() <= TOLERANCE[dtype] * truth.max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("way")
def test_colors_on_the_grids_last_point_count(dtype: torch.dtype) -> None:
    for bins in range(2, 40):
        points = np.linspace(0, 255, bins)
        for low in points[[0, bins // 3, bins // 2]]:
            x = torch.tensor([low, 255.0, 255.0, 255.0]).view(1, 1, 4)
            truth = direct(x, 5.0, [points])
            density = color_kde(x.to(dtype), 5.0, bins, (0, 255))
            assert (density - truth).abs().max() <= 1e-5 * truth.max()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.usefixtures("way")
def test_gray_and_two_channels(channels: int) -> None:
    x = images(1, channels, 40)
    truth = direct(x, 6.0, [np.linspace(*EXTENT, 33)] * channels)
    assert torch.allclose(color_kde(x, 6.0, 33, EXTENT).double(), truth, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.bool, torch.float16])
def test_other_dtypes(dtype: torch.dtype) -> None:
    x = images(2, 3, 6, 6).to(dtype)
    truth = direct(x, 8.0, [np.linspace(*EXTENT, 16)] * 3)
    density = color_kde(x, 8.0, 16, EXTENT)
    assert density.dtype == torch.float32
    assert (density - truth).abs().max() <= 2e-6 * truth.max()


def test_integers_too_far_apart_for_a_lattice() -> None:
    x = (images(1, 3, 50) * 100_000).long()
    extent = (0.0, 256e5)
    truth = direct(x, 2e6, [np.linspace(*extent, 12)] * 3)
    assert (color_kde(x, 2e6, 12, extent) - truth).abs().max() <= 1e-5 * truth.max()


def test_the_grid_is_that_of_the_numpy_function() -> None:
    x = images(1, 3, 8, 8).to(torch.uint8)
    bins, extent = (9, 12, 15), [(0, 200), (20, 255), (-5, 300)]
    volume = napari_colorkde.color_kde(x[0].permute(1, 2, 0).numpy(), 30, bins=bins, extent=extent)
    for pixels in (x, x.float()):
        density = color_kde(pixels, 30, bins, extent)
        assert np.allclose(density[0], volume.values, rtol=0, atol=1e-5 * volume.values.max())


def test_it_is_found_from_the_package() -> None:
    assert napari_colorkde.torch.color_kde is color_kde


def test_a_batch_equals_its_images_and_shares_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    x = images(5, 3, 30)
    together = color_kde(x, 20.0, 16, EXTENT)
    apart = torch.cat([color_kde(image[None], 20.0, 16, EXTENT) for image in x])
    assert torch.allclose(together, apart, rtol=0, atol=1e-6 * float(apart.max()))
    monkeypatch.setattr(volumes, "MESH_NODES", 1)
    assert torch.allclose(color_kde(x, 20.0, 16, EXTENT), apart, rtol=0, atol=1e-6 * apart.max())


@pytest.mark.parametrize("sigma", [1.0, 40.0])
def test_colors_beyond_reach_add_nothing(sigma: float) -> None:
    x = torch.cat([images(1, 3, 20), torch.full((1, 3, 20), 1e7), torch.full((1, 3, 20), -1e7)], 2)
    x.requires_grad_()
    density = color_kde(x, sigma, 16, EXTENT)
    truth = direct(x.detach(), sigma, [np.linspace(*EXTENT, 16)] * 3)
    assert (density - truth).abs().max() <= 1e-5 * truth.max()
    density.square().sum().backward()
    assert x.grad is not None
    assert bool((x.grad[..., 20:] == 0).all())
    assert bool((x.grad[..., :20] != 0).any())


def test_an_image_of_one_color_keeps_its_accuracy() -> None:
    x = torch.full((1, 3, 60_000), 100.3)
    truth = direct(x[..., :1], 12.0, [np.linspace(*EXTENT, 24)] * 3)
    assert (color_kde(x, 12.0, 24, EXTENT) - truth).abs().max() <= 1e-5 * truth.max()


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.usefixtures("way")
def test_gradients(channels: int) -> None:
    x = images(2, channels, 4).double().requires_grad_()
    weights = torch.rand(2, 4, dtype=torch.float64).add(0.1).requires_grad_()
    # In units of the peak, so that gradcheck's tolerances mean something.
    assert torch.autograd.gradcheck(
        lambda x, w: 30.0**channels * color_kde(x, 30.0, 5, (0, 255), w), (x, weights)
    )


def test_gradients_of_weights_of_integers() -> None:
    x = images(2, 3, 5).to(torch.uint8)
    weights = torch.rand(2, 5).requires_grad_()
    probe = torch.rand(2, 6, 6, 6)
    color_kde(x, 40.0, 6, (0, 255), weights).mul(probe).sum().backward()
    again = weights.detach().double().requires_grad_()
    direct(x, 40.0, [np.linspace(0, 255, 6)] * 3, again).mul(probe).sum().backward()
    assert torch.allclose(weights.grad.double(), again.grad, rtol=1e-4, atol=1e-12)


def test_float32_gradients_equal_those_of_the_textbook() -> None:
    x = images(1, 3, 300)
    probe = torch.rand(1, 12, 12, 12, dtype=torch.float64)
    ours, truth = x.clone().requires_grad_(), x.double().requires_grad_()
    color_kde(ours, 15.0, 12, EXTENT).double().mul(probe).sum().backward()
    direct(truth, 15.0, [np.linspace(*EXTENT, 12)] * 3).mul(probe).sum().backward()
    assert (ours.grad - truth.grad).abs().max() <= 2e-5 * truth.grad.abs().max()


def test_all_stays_on_the_device() -> None:
    x, weights = images(2, 3, 30), torch.rand(2, 30)
    truth = color_kde(x, 20.0, 9, EXTENT, weights)
    with pretend_device(has_float64=True) as device:
        there = color_kde(device.put(x.numpy()), 20.0, 9, EXTENT, device.put(weights.numpy()))
        assert there.device == device.torch_device
        assert np.allclose(device.get(there), truth, rtol=1e-5)
        counted = color_kde(device.put(x.numpy(), torch.uint8), 20.0, 9, EXTENT)
        assert counted.device == device.torch_device
