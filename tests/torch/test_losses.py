"""The loss between color distributions."""

from __future__ import annotations

import pytest
import torch

from napari_colorkde.torch import color_kde, histogram_loss


def images(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_it_does_not_depend_on_places() -> None:
    x = images(1, 3, 12)
    assert float(histogram_loss(x, x.flip(2), 0.1)) == pytest.approx(0, abs=1e-10)


def test_it_is_one_for_colors_out_of_reach() -> None:
    loss = histogram_loss(torch.full((1, 3, 4), 9.0), images(1, 3, 4), 0.1)
    assert float(loss) == pytest.approx(1)


def test_a_density_serves_as_target() -> None:
    x, target = images(2, 3, 9), images(1, 3, 5, 4) ** 2
    density = color_kde(target, 0.2, 16, (0, 1))
    loss = histogram_loss(x, target, 0.2, 16)
    assert float(loss) > 0.01
    assert torch.equal(histogram_loss(x, density, 0.2, 16), loss)


def test_gradient_descent_brings_the_colors_over() -> None:
    target = images(1, 3, 200) / 4 + 0.6
    x = (images(1, 3, 200) / 4 + 0.2).requires_grad_()
    steps = torch.optim.Adam([x], lr=0.03)
    grid = {"bandwidth": 0.5, "bins": 16, "extent": (-1, 2)}
    density = color_kde(target, **grid)
    losses = []
    for _ in range(15):
        steps.zero_grad()
        loss = histogram_loss(x, density, **grid)
        loss.backward()
        steps.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.05 * losses[0]
