"""How long it takes to choose a bandwidth by leave-one-out likelihood."""

from __future__ import annotations

import os
import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Contender, Setup, compete, time_of
from benchmarks.report import Question, Row, Target
from napari_colorkde import select_bandwidth
from napari_colorkde.core.kde.bandwidth import BandwidthEdgeWarning

NARROWEST, WIDEST, N_SIGMAS = 0.5, 16.0, 11

OURS = "select_bandwidth"
STATSMODELS = "statsmodels `KDEMultivariate.loo_likelihood`"
SKLEARN = "scikit-learn `GridSearchCV(KernelDensity(), cv=5)`"

BLOCKS, PLUG_IN, ISJ = "held-out blocks", "plug-in", "improved Sheather–Jones"

Array = NDArray[np.float64]


def measure(setup: Setup) -> Question:
    image = setup.photograph.image
    n_pixels = image[..., 0].size
    n_sigmas, few, more = (3, 100, 400) if setup.quick else (N_SIGMAS, 1000, 4000)
    sigmas = np.geomspace(NARROWEST, WIDEST, n_sigmas)
    some, cores = sample(image, few), os.cpu_count() or 1
    outcomes = compete(
        [
            Contender(OURS, lambda: likelihoods(image, sigmas), 3),
            Contender(
                STATSMODELS,
                lambda: leave_one_out(some, sigmas),
                1,
                needs="statsmodels",
                scale=(n_pixels / few) ** 2 / cores,
                basis=f"{few} pixels and one core",
            ),
            Contender(
                SKLEARN,
                lambda: cross_validate(sample(image, more), sigmas),
                1,
                needs="sklearn",
                scale=(n_pixels / more) ** 2 / cores,
                basis=f"{more} pixels and one core",
            ),
        ],
        setup.repeats,
    )
    what = f"{n_sigmas} sigmas, {n_pixels / 1e6:.1f} megapixels, counting included"
    rows = [
        Row(what, outcomes[OURS].time, peer, time_of(outcomes, peer), Target("at most", 4))
        for peer in (STATSMODELS, SKLEARN)
    ]
    notes = [
        "The peers look at every pair of pixels: their times are taken to grow with the square of "
        "the number, and to shrink with the number of cores. scikit-learn leaves out a fifth at a "
        "time, which is less work than one at a time.",
    ]
    if STATSMODELS in outcomes:
        theirs = outcomes[STATSMODELS].result
        is_finite = np.isfinite(theirs)
        ours = likelihoods(some[np.newaxis], sigmas)
        difference = np.abs(ours - theirs)[is_finite].max(initial=0)
        notes.append(
            f"On those {few} pixels statsmodels' densities underflow at {(~is_finite).sum()} of "
            f"the {n_sigmas} sigmas; elsewhere its leave-one-out likelihoods and ours differ by at "
            f"most {difference:.0e} nats a pixel."
        )
    rows += _rules(setup, sigmas, what)
    text = "Leave-one-out likelihood of the photograph's pixels under their own KDE, exact."
    return Question("Bandwidth selection", text, rows, notes)


def _rules(setup: Setup, sigmas: Array, what: str) -> list[Row]:
    """Time the other rules: held-out blocks of pixels, and those that plug estimates in."""
    image = setup.photograph.image
    megapixels = f"{image[..., 0].size / 1e6:.1f} megapixels, counting included"
    outcomes = compete(
        [
            Contender(BLOCKS, lambda: chosen(image, "blocks", sigmas), 2),
            Contender(PLUG_IN, lambda: chosen(image, "plug-in"), 2),
            Contender(ISJ, lambda: chosen(image, "isj"), 2),
        ],
        setup.repeats,
    )
    return [
        Row(f"held-out blocks: {what}", outcomes[BLOCKS].time, target=Target("at most", 20)),
        Row(f"full plug-in: {megapixels}", outcomes[PLUG_IN].time, target=Target("at most", 10)),
        Row(
            f"improved Sheather–Jones: {megapixels}",
            outcomes[ISJ].time,
            target=Target("at most", 2),
        ),
    ]


def chosen(image: NDArray[np.uint8], method: str, sigmas: Array | None = None) -> Array:
    """Return the bandwidth of a rule."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BandwidthEdgeWarning)
        return select_bandwidth(image, method, sigmas).bandwidth


def sample(image: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """Random pixels (n, 3)."""
    pixels = image.reshape(-1, 3)
    return pixels[np.random.default_rng(0).integers(0, len(pixels), n)]


def likelihoods(image: NDArray[np.uint8], sigmas: Array) -> Array:
    """Mean log-likelihoods in nats a pixel, with select_bandwidth."""
    with warnings.catch_warnings():
        # Pixels repeat, so that the narrowest is best.
        warnings.simplefilter("ignore", BandwidthEdgeWarning)
        return select_bandwidth(image, "loo", sigmas).scores


def leave_one_out(pixels: NDArray[np.uint8], sigmas: Array) -> Array:
    """Mean log-likelihoods in nats a pixel; statsmodels gives minus their sum, times n − 1."""
    from statsmodels.nonparametric.kernel_density import KDEMultivariate

    with warnings.catch_warnings():
        # Of pandas, about its own future; and of log(0), which is reported.
        warnings.simplefilter("ignore")
        kde = KDEMultivariate(pixels.astype(np.float64), var_type="ccc", bw=[sigmas[0]] * 3)
        sums = [np.squeeze(kde.loo_likelihood(np.full(3, s), func=np.log)) for s in sigmas]
    return -np.array(sums) / len(pixels) - np.log(len(pixels) - 1)


def cross_validate(pixels: NDArray[np.uint8], sigmas: Array) -> float:
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KernelDensity

    search = GridSearchCV(KernelDensity(), {"bandwidth": sigmas}, cv=5)
    return float(search.fit(pixels).best_params_["bandwidth"])
