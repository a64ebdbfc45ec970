"""Draw the one-dimensional demonstration of the tutorial: points, their Gaussians, and the sum.

python scripts/make_kde_figure.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from napari_colorkde import GaussianKDE

POINTS = np.array([-2.1, -1.3, -0.4, 1.9, 5.1, 6.2])
SIGMA = 1.5
TARGET = Path(__file__).parents[1] / "docs" / "images" / "kde_1d.png"


def make_figure() -> Figure:
    """Return the figure; the sum is that of `GaussianKDE`."""
    x = np.linspace(-8, 12, 401)
    density = np.exp(GaussianKDE(SIGMA).fit(POINTS[:, np.newaxis]).score_samples(x[:, np.newaxis]))
    exponents = -0.5 * ((x - POINTS[:, np.newaxis]) / SIGMA) ** 2
    kernels = np.exp(exponents) / (len(POINTS) * SIGMA * np.sqrt(2 * np.pi))
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for kernel in kernels:
        axes.plot(x, kernel, color="#d55e00", linewidth=1, linestyle="--")
    axes.plot([], [], color="#d55e00", linewidth=1, linestyle="--", label="a Gaussian per point")
    axes.plot(x, density, color="#0072b2", linewidth=2, label=f"their sum, σ = {SIGMA:g}")
    axes.plot(POINTS, np.zeros(len(POINTS)), "|", color="black", markersize=14, label="points")
    axes.set_xlabel("x")
    axes.set_ylabel("density")
    axes.legend()
    return figure


def main(arguments: list[str]) -> None:
    """Write the figure."""
    target = Path(arguments[0]) if arguments else TARGET
    make_figure().savefig(target, dpi=110)
    print(f"Written to {target}.")


if __name__ == "__main__":
    main(sys.argv[1:])
