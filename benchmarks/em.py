"""How long fitting Gaussian kernels takes: EM on the distinct colors, and on all pixels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Contender, Setup, compete, time_of
from benchmarks.report import Question, Row, Target
from napari_colorkde import KernelSet, Palette
from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.em.iterate import iterate_em
from napari_colorkde.core.mixture.em.start import seed_kernels
from napari_colorkde.core.palette.ranges import QUANTIZATION

N_KERNELS, ITERATIONS = 8, 3

OURS = "EM on the palette, counting included"
SKLEARN = "scikit-learn `GaussianMixture.fit` on all pixels"

AGREEMENT = 1e-4
"""Nats per pixel by which the two likelihoods may differ."""


def measure(setup: Setup) -> Question:
    image = setup.photograph.image
    start = seed_kernels(Palette.from_image(image), N_KERNELS, random_state=0)
    outcomes = compete(
        [
            Contender(OURS, lambda: with_palette(image, start)),
            Contender(SKLEARN, lambda: with_sklearn(image, start), 1, needs="sklearn"),
        ],
        setup.repeats,
    )
    what = f"{ITERATIONS} iterations, {N_KERNELS} kernels, full covariances"
    ours, theirs = outcomes[OURS].time, time_of(outcomes, SKLEARN)
    notes = []
    if theirs is not None:
        ours_per_pixel = outcomes[OURS].result
        theirs_per_pixel = likelihood_under(outcomes[SKLEARN].result, image)
        difference = abs(ours_per_pixel - theirs_per_pixel)
        notes.append(
            f"Log-likelihood of the photograph after them: {ours_per_pixel:.6f} nats per pixel "
            f"here, {theirs_per_pixel:.6f} there; they differ by {difference:.0e}, "
            f"{'within' if difference <= AGREEMENT else 'BEYOND'} the {AGREEMENT:g} that are "
            "promised."
        )
    notes.append(
        "Both run the same number of iterations and then evaluate the likelihood of the result, "
        "whether converged or not; scikit-learn is given the start and no k-means of its own."
    )
    text = "A Gaussian mixture fitted to the photograph's colors, from one start, in float64."
    return Question("Fitting", text, [Row(what, ours, SKLEARN, theirs, Target("times", 20))], notes)


def with_palette(image: NDArray[np.uint8], start: KernelSet) -> float:
    """Fit, and return the mean log-likelihood per pixel of the result."""
    palette = Palette.from_image(image)
    *_, last = iterate_em(palette, start, tol=0, max_iter=ITERATIONS)
    logs = mixture_log_density(palette.colors, last.kernels)
    return float(palette.counts @ logs / palette.n_pixels)


def with_sklearn(image: NDArray[np.uint8], start: KernelSet) -> Any:
    """Do the same on the pixels, and return the model. Its `fit` ends with one more E step."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        len(start),
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=np.linalg.inv(start.covariances),
        reg_covar=QUANTIZATION,
        tol=0,
        max_iter=ITERATIONS,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(image.reshape(-1, 3).astype(np.float64))


def likelihood_under(model: Any, image: NDArray[np.uint8]) -> float:
    """Mean log-density of the pixels under scikit-learn's mixture, by its own formula."""
    palette = Palette.from_image(image)
    logs = model.score_samples(palette.colors.astype(np.float64))
    return float(palette.counts @ logs / palette.n_pixels)
