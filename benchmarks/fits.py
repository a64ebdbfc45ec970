"""How long whole fits take, start included, and many kernels at every color."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Contender, Setup, compete, time_of
from benchmarks.report import Question, Row, Target
from napari_colorkde import KernelSet, Palette, fit_classes
from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.fit_kernels import fit_palette
from napari_colorkde.core.mixture.kernel_arrays import build_kernels
from napari_colorkde.core.palette.ranges import QUANTIZATION

MAX_KERNELS, MANY_KERNELS, FULL_KERNELS = 20, 200, 1000
QUICK_KERNELS = 4

LABELS = (25, 40)
"""Rectangles down and across."""

PART = 256
"""scikit-learn is given one pixel in so many, or one color."""

REPEATS = 2

BIC, MANY, CLASSES, FULL = "BIC", "many", "classes", "1000 full"
SKLEARN_MANY, SKLEARN_FULL = "sklearn fit", "sklearn score"


def measure(setup: Setup) -> Question:
    image = setup.photograph.image
    palette = Palette.from_image(image)
    labels = rectangles(*image.shape[:2])
    many = QUICK_KERNELS if setup.quick else MANY_KERNELS
    highest = QUICK_KERNELS if setup.quick else MAX_KERNELS
    full = random_kernels(palette, FULL_KERNELS)
    pixels = image.reshape(-1, 3)[::PART].astype(np.float64)
    colors = palette.colors[::PART]
    with_basis: dict[str, Any] = {"needs": "sklearn", "scale": PART}
    outcomes = compete(
        [
            Contender(BIC, lambda: fit_bic(image, highest), REPEATS),
            Contender(
                MANY, lambda: fit_palette(Palette.from_image(image), many, random_state=0), REPEATS
            ),
            Contender(CLASSES, lambda: fit_classes(image, labels, 2, random_state=0), REPEATS),
            Contender(FULL, lambda: mixture_log_density(palette.colors, full)),
            Contender(
                SKLEARN_MANY,
                lambda: with_sklearn(pixels, many),
                1,
                basis=f"1/{PART} of the pixels",
                **with_basis,
            ),
            Contender(
                SKLEARN_FULL,
                lambda: model_of(full).score_samples(colors.astype(np.float64)),
                1,
                basis=f"1/{PART} of the colors",
                **with_basis,
            ),
        ],
        setup.repeats,
    )
    times = {name: outcome.time for name, outcome in outcomes.items()}
    fit, score = "scikit-learn `GaussianMixture.fit`", "scikit-learn `score_samples`, by color"
    n_colors = f"{len(palette):,}".replace(",", " ")
    rows = [
        Row(f"BIC over 1 to {highest} kernels", times[BIC], "", None, Target("at most", 25)),
        Row(
            f"{many} kernels until converged",
            times[MANY],
            fit,
            time_of(outcomes, SKLEARN_MANY),
            Target("at most", 30),
        ),
        Row(
            f"{LABELS[0] * LABELS[1]} labels, 2 kernels each",
            times[CLASSES],
            "",
            None,
            Target("at most", 8),
        ),
        Row(
            f"{FULL_KERNELS} full kernels at {n_colors} colors",
            times[FULL],
            score,
            time_of(outcomes, SKLEARN_FULL),
            Target("at most", 5),
        ),
    ]
    notes = []
    if SKLEARN_FULL in outcomes:
        difference = np.abs(outcomes[FULL].result[::PART] - outcomes[SKLEARN_FULL].result).max()
        notes.append(f"Largest difference of the log-densities: {difference:.0e} nats.")
    if SKLEARN_MANY in outcomes:
        ours, theirs = outcomes[MANY].result, outcomes[SKLEARN_MANY].result
        logs = mixture_log_density(palette.colors, ours)
        peers = theirs.score_samples(palette.colors.astype(np.float64))
        per_pixel = [float(palette.counts @ each / palette.n_pixels) for each in (logs, peers)]
        notes.append(
            f"Log-likelihood of all pixels under the {many} kernels: {per_pixel[0]:.4f} nats per "
            f"pixel here, {per_pixel[1]:.4f} there, where they were fitted to a part of them."
        )
    text = "Fits of Gaussian mixtures with full covariances, from the image to the result."
    return Question("Whole fits", text, rows, notes)


def fit_bic(image: NDArray[np.uint8], highest: int) -> KernelSet:
    """Fit 1 to `highest` kernels and keep the number with the lowest BIC."""
    options: dict[str, Any] = {"candidates": range(1, highest + 1), "random_state": 0}
    return fit_palette(Palette.from_image(image), "bic", **options)


def rectangles(height: int, width: int) -> NDArray[np.uint16]:
    """Labels from 1, in rows."""
    down, across = LABELS
    rows, columns = np.arange(height) * down // height, np.arange(width) * across // width
    return (rows[:, None] * across + columns + 1).astype(np.uint16)


def random_kernels(palette: Palette, n: int) -> KernelSet:
    """Full kernels of 3 to 30 levels at colors of the palette."""
    random = np.random.default_rng(0)
    means = palette.colors[random.integers(len(palette), size=n)].astype(np.float64)
    turns = np.linalg.qr(random.normal(size=(n, 3, 3)))[0]
    covariances = (turns * random.uniform(3, 30, (n, 1, 3)) ** 2) @ turns.transpose(0, 2, 1)
    covariances = (covariances + covariances.transpose(0, 2, 1)) / 2
    return KernelSet(build_kernels(means, covariances, np.full(n, 1 / n)))


def with_sklearn(pixels: NDArray[np.float64], n: int) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(n, reg_covar=QUANTIZATION, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(pixels)


def model_of(kernels: KernelSet) -> Any:
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(len(kernels), covariance_type="full")
    model.weights_, model.means_ = kernels.weights, kernels.means
    model.covariances_ = kernels.covariances
    model.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(kernels.covariances)).transpose(
        0, 2, 1
    )
    return model
