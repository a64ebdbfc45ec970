"""How long a mixture of 32 diagonal kernels takes at every pixel of a photograph."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness import Contender, Setup, compete, time_of
from benchmarks.report import Question, Row, Target
from napari_colorkde import KernelSet, compute_densities, load_kernels
from napari_colorkde.io.sample_data import sample_path

OURS = "compute_densities"
LOOP = "NumPy, one kernel after the other"
NUMEXPR = "numexpr, eight kernels an expression"
TORCH = "PyTorch, broadcast in chunks"
SKLEARN = "scikit-learn `GaussianMixture.score_samples`"

KERNELS_AT_ONCE = 8
"""More do not fit into numexpr's registers; fewer read the image more often."""

CHUNK = 1 << 15
"""Pixels that PyTorch broadcasts at once: they stay in the cache."""

PART = 8
"""scikit-learn evaluates one pixel in so many."""


def measure(setup: Setup) -> Question:
    image = setup.photograph.image
    kernels = skin_and_background()
    outcomes = compete(
        [
            Contender(OURS, lambda: compute_densities(image, kernels, normalized=False)),
            Contender(NUMEXPR, lambda: with_numexpr(image, kernels), 3, needs="numexpr"),
            Contender(TORCH, lambda: with_torch(image, kernels), 3),
            Contender(
                SKLEARN,
                lambda: with_sklearn(image, kernels),
                1,
                needs="sklearn",
                scale=PART,
                basis=f"1/{PART} of the pixels",
            ),
            Contender(LOOP, lambda: with_numpy(image, kernels), 1),
        ],
        setup.repeats,
    )
    targets = {LOOP: Target("times", 100), NUMEXPR: Target("times", 12)}
    what = f"{len(kernels)} kernels at every pixel"
    rows = [
        Row(what, outcomes[OURS].time, peer, time_of(outcomes, peer), targets.get(peer))
        for peer in (LOOP, NUMEXPR, TORCH, SKLEARN)
    ]
    truth = outcomes[LOOP].result
    errors = "; ".join(
        f"{'ours' if name == OURS else name} {relative_error(outcomes[name].result, truth):.0e}"
        for name in (OURS, NUMEXPR, TORCH)
        if name in outcomes
    )
    notes = [
        "The NumPy loop is float64, with the determinant in its place. Largest relative "
        f"difference from it where the density is above 1e-30: {errors}.",
    ]
    text = (
        "Densities of the skin and background kernels of Jones and Rehg (1999) together, from the "
        "uint8 array to one float per pixel, nothing kept from an earlier call."
    )
    return Question("Mixture", text, rows, notes)


def skin_and_background() -> KernelSet:
    sets = load_kernels(sample_path("jones_rehg_1999.csv"))
    return KernelSet([kernel for kernel_set in sets.values() for kernel in kernel_set])


def factors(kernels: KernelSet) -> NDArray[np.float64]:
    """w / sqrt(det Σ): weights without the (2π)^(−3/2) that the loop leaves out."""
    return kernels.weights / np.sqrt(np.linalg.det(kernels.covariances))


def variances(kernels: KernelSet) -> NDArray[np.float64]:
    return np.diagonal(kernels.covariances, axis1=1, axis2=2)


def with_numpy(image: NDArray[np.uint8], kernels: KernelSet) -> NDArray[Any]:
    """The loop that circulates, with a determinant where it had a matrix norm."""
    result = np.zeros(image.shape[:2])
    for kernel, factor in zip(kernels, factors(kernels), strict=True):
        difference = image - kernel.mean
        inverse = np.diag(1 / kernel.covariance)
        squares = np.sum(difference.dot(inverse) * difference, axis=2)
        result += factor * np.exp(-0.5 * squares)
    return result


def with_numexpr(image: NDArray[np.uint8], kernels: KernelSet) -> NDArray[Any]:
    import numexpr

    planes = {c: image[..., i].astype(np.float32) for i, c in enumerate("rgb")}
    result = np.zeros(image.shape[:2], np.float32)
    scales, spreads = factors(kernels), -0.5 / variances(kernels)
    for first in range(0, len(kernels), KERNELS_AT_ONCE):
        names: dict[str, Any] = {**planes, "result": result}
        terms = ["result"]
        for k in range(first, min(first + KERNELS_AT_ONCE, len(kernels))):
            names[f"f{k}"] = np.float32(scales[k])
            for i, c in enumerate("rgb"):
                names[f"m{c}{k}"] = np.float32(kernels.means[k, i])
                names[f"s{c}{k}"] = np.float32(spreads[k, i])
            exponent = " + ".join(f"s{c}{k} * ({c} - m{c}{k})**2" for c in "rgb")
            terms.append(f"f{k} * exp({exponent})")
        numexpr.evaluate(" + ".join(terms), local_dict=names, out=result)
    return result


def with_torch(image: NDArray[np.uint8], kernels: KernelSet) -> NDArray[Any]:
    """One channel after the other, kernels by pixels: twice as fast as (pixels, kernels, 3)."""
    means = torch.tensor(kernels.means.T, dtype=torch.float32)[..., None]
    spreads = torch.tensor(-0.5 / variances(kernels).T, dtype=torch.float32)[..., None]
    scales = torch.tensor(factors(kernels), dtype=torch.float32)
    pixels = torch.from_numpy(image.reshape(-1, 3))
    result = torch.empty(len(pixels))
    for start in range(0, len(pixels), CHUNK):
        colors = pixels[start : start + CHUNK].T.float()
        exponents = spreads[0] * (colors[0] - means[0]) ** 2
        for channel in (1, 2):
            exponents += spreads[channel] * (colors[channel] - means[channel]) ** 2
        result[start : start + CHUNK] = scales @ exponents.exp_()
    return result.numpy().reshape(image.shape[:2])


def with_sklearn(image: NDArray[np.uint8], kernels: KernelSet) -> NDArray[Any]:
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(len(kernels), covariance_type="diag")
    model.weights_, model.means_ = kernels.weights, kernels.means
    model.covariances_ = variances(kernels)
    model.precisions_cholesky_ = 1 / np.sqrt(model.covariances_)
    # As float64: it squares uint8 pixels as uint8.
    logs = model.score_samples(image.reshape(-1, 3)[::PART].astype(np.float64))
    return np.asarray(np.exp(logs))


def relative_error(density: NDArray[Any], truth: NDArray[Any]) -> float:
    """The largest one where the density is not next to nothing."""
    is_large = truth > 1e-30
    return float((np.abs(density[is_large] - truth[is_large]) / truth[is_large]).max())
