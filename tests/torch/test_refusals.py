"""What the operations refuse: a sentence names the argument, what was given, what is allowed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from napari_colorkde.torch import color_kde, histogram_loss, log_density, mixture_density

X = torch.rand(2, 3, 4, 4)
ROWS = torch.rand(5, 3)


def kde(x: Any = X, bandwidth: Any = 0.1, bins: Any = 8, extent: Any = (0, 1), w: Any = None):
    return color_kde(x, bandwidth, bins, extent, w)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": None}, "x is None; give a torch tensor"),
        ({"x": np.zeros((2, 3, 4, 4))}, "x is an ndarray; give a torch tensor"),
        ({"x": "a.png"}, "x is a str"),
        ({"x": X.to(torch.complex64)}, r"x holds torch\.complex64"),
        ({"x": X.to_sparse()}, "give dense real numbers"),
        ({"x": X[0]}, r"x has shape \(3, 4, 4\).*x\[None\]"),
        ({"x": X.permute(0, 2, 3, 1)}, r"with 1 to 3 channels"),
        ({"x": X[:0]}, "at least one image"),
        ({"x": X / 0}, "x holds NaN or infinite"),
        ({"bandwidth": 0}, "bandwidth=0; give a positive sigma"),
        ({"bandwidth": "scott"}, "bandwidth='scott'"),
        ({"bandwidth": [0.1, 0.2]}, "one for each of the 3 channels"),
        ({"bandwidth": torch.tensor(0.1, requires_grad=True)}, "bandwidth requires a gradient"),
        ({"bins": 1}, "at least 2 points per axis"),
        ({"bins": 2.5}, "bins=2.5"),
        ({"extent": (1, 0)}, "low below high"),
        ({"w": torch.ones(2, 3)}, r"weights have shape \(2, 3\); give one for each pixel"),
        ({"w": -torch.ones(2, 4, 4)}, "weights go down to -1"),
        ({"w": torch.zeros(2, 4, 4)}, "weights are all 0"),
        ({"w": torch.full((2, 4, 4), np.nan)}, "weights holds NaN"),
    ],
)
def test_color_kde(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        kde(**arguments)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: log_density(ROWS, ROWS[:, :2], 1), "samples have shape"),
        (lambda: log_density(ROWS, ROWS[:0], 1), "samples have shape"),
        (lambda: log_density(ROWS, ROWS, -1), r"bandwidth=-1\.0; give a positive sigma"),
        (lambda: log_density(ROWS, ROWS, "loo"), "bandwidth='loo'"),
        (lambda: log_density(ROWS, ROWS, -torch.eye(3)), "positive definite covariance"),
        (lambda: log_density(ROWS, ROWS, 1, ROWS), "weights have shape"),
        (lambda: log_density([0.0], ROWS, 1), "x is a list"),
        (lambda: log_density(ROWS / 0, ROWS, 1), "x holds NaN"),
        (lambda: mixture_density(ROWS, ROWS[0], ROWS, ROWS[:, 0]), "means have shape"),
        (lambda: mixture_density(ROWS, ROWS, ROWS[:2], ROWS[:, 0]), "covariances have shape"),
        (lambda: mixture_density(ROWS, ROWS, -ROWS - 1, ROWS[:, 0]), r"covariances\[0\] is not"),
        (lambda: mixture_density(ROWS, ROWS, ROWS + 1, -ROWS[:, 0] - 1), "weights go down to"),
        (lambda: histogram_loss(X, torch.rand(3, 3, 4, 4), 0.1), "target has shape"),
        (lambda: histogram_loss(X, X[:, :1], 0.1), "target has shape"),
    ],
)
def test_others(call: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        call()
