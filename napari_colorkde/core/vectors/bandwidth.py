"""Bandwidths for vectors: given, by rule of thumb, or by leave-one-out likelihood."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import real_numbers
from napari_colorkde.core.checks.covariance import checked_definite
from napari_colorkde.core.device import Device
from napari_colorkde.core.vectors.checks import SIGMAS, checked_sigmas
from napari_colorkde.core.vectors.log_densities import log_densities

Array = NDArray[np.float64]

Rule = Literal["scott", "silverman", "loo"]
RULES: tuple[Rule, ...] = get_args(Rule)

CANDIDATES = np.geomspace(0.02, 4, 24)
"""Multiples of Scott's rule that "loo" tries; and then as many between the best one's neighbors."""


def resolve_bandwidth(
    bandwidth: object, train: NDArray[Any], weights: Array | None, device: Device
) -> Array:
    """Return a bandwidth as one sigma (), one for each feature (d,), or a covariance (d, d).

    Parameters
    ----------
    bandwidth
        Any of these, or the name of a rule.
    train, weights
        (M, d) vectors, and (M,) weights or None.
    device
        Where likelihoods are computed.

    Raises
    ------
    ValueError
        If it is not of that form, or a rule cannot answer.
    """
    d = train.shape[1]
    if isinstance(bandwidth, str):
        rule = bandwidth.lower()
        if rule not in RULES:
            raise ValueError(
                f"bandwidth={bandwidth!r} is not known; give a sigma, {d} sigmas, a covariance, or "
                f"one of {', '.join(RULES)}."
            )
        if rule == "loo":
            return _most_likely(train, weights, device)
        factor = 1.0 if rule == "scott" else (4 / (d + 2)) ** (1 / (d + 4))
        return factor * _scott(train, weights, rule)
    given = real_numbers(bandwidth, "bandwidth", SIGMAS, of_objects=True).astype(np.float64)
    if given.ndim == 0:
        return checked_sigmas(given, "bandwidth").reshape(())
    if given.shape == (d,):
        return checked_sigmas(given, "bandwidth")
    if given.shape != (d, d):
        raise ValueError(
            f"bandwidth has shape {given.shape}; give one sigma, one for each of the {d} features, "
            f"or a covariance ({d}, {d})."
        )
    return checked_definite(given)


def _scott(train: NDArray[Any], weights: Array | None, rule: str) -> Array:
    """``n^(−1/(d + 4)) · std_j`` (Scott 1992, eq. 6.42), n the effective number of vectors."""
    mean = np.average(train, axis=0, weights=weights)
    std = np.sqrt(np.average((train - mean) ** 2, axis=0, weights=weights))
    flat = np.flatnonzero(~(std > 1e-12 * np.abs(train).max()))
    if len(flat):
        raise ValueError(
            f'bandwidth="{rule}" needs features that vary: feature {flat[0]} has the same value in '
            "all vectors; leave it out, or give a sigma."
        )
    return np.asarray(effective_number(len(train), weights) ** (-1 / (train.shape[1] + 4)) * std)


def effective_number(n: int, weights: Array | None) -> float:
    """Return ``(Σ w)² / Σ w²`` (Kish, Survey Sampling, 1965): n where weights are the same."""
    return float(n) if weights is None else float(weights.sum() ** 2 / (weights**2).sum())


def _most_likely(train: NDArray[Any], weights: Array | None, device: Device) -> Array:
    """Return the multiple of Scott's rule under which each vector is likeliest given the others."""
    if len(train) < 2:
        raise ValueError('bandwidth="loo" needs two or more vectors; give a sigma.')
    scott = _scott(train, weights, "loo")
    scaled = train / scott

    def scores(factors: Array) -> Array:
        logs = log_densities(
            scaled, scaled, factors, device=device, weights=weights, of_others=True
        )
        return np.average(logs, axis=1, weights=weights)

    found = scores(CANDIDATES)
    best = int(np.argmax(found))
    if best == 0:
        raise ValueError(
            'bandwidth="loo" has no solution: vectors repeat, so their likelihood keeps growing as '
            'the bandwidth shrinks; give a sigma, or "scott".'
        )
    finer = np.geomspace(CANDIDATES[best - 1], CANDIDATES[min(best + 1, len(CANDIDATES) - 1)], 25)
    return np.asarray(finer[np.argmax(scores(finer))] * scott)
