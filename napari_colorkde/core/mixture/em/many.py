"""Many mixtures fitted together, one to each of many palettes.

What comes out is what `fit_palette` gives for each palette alone. Small palettes share the calls of
each iteration (see `rows`); large ones are fitted one after the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.device import Device, DeviceLike, resolve_device
from napari_colorkde.core.mixture.color_blocks import WeightedColors
from napari_colorkde.core.mixture.em.iterate import (
    BIC_CANDIDATES,
    MAX_ITERATIONS,
    TOLERANCE,
    bic_of,
)
from napari_colorkde.core.mixture.em.rows import ColorRows, colors_in_rows
from napari_colorkde.core.mixture.em.start import check_n_kernels, seed_on
from napari_colorkde.core.mixture.em.steps import (
    BLOCKS_FROM,
    CovarianceType,
    Parameters,
    checked_covariance_type,
    checked_reg_covar,
    expectations,
    singular_kernel,
    unchecked_maximization,
)
from napari_colorkde.core.mixture.fit_kernels import fit_palette
from napari_colorkde.core.mixture.kernel_arrays import are_positive_definite, build_kernels
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.core.palette.palette import Palette

Array = NDArray[np.float64]

GROUP_TERMS = 1 << 20
"""Terms computed in one go: 2 MB in float64."""

LEFT_OUT_BELOW = 0.75
"""Palettes whose mixtures have converged are left out when at most this fraction goes on."""


def fit_palettes(
    palettes: Sequence[Palette],
    n_kernels: int | Literal["bic"],
    *,
    covariance_type: CovarianceType = "full",
    reg_covar: float | None = None,
    random_state: int | None = None,
    device: DeviceLike = "auto",
) -> list[KernelSet | ValueError]:
    """Fit a mixture to each palette as `fit_palette` does.

    Returns
    -------
    list
        A set for each palette, or the error that says why there is none.
    """
    covariance_type = checked_covariance_type(covariance_type)
    place = resolve_device(device).exact
    results: list[KernelSet | ValueError | None] = [None] * len(palettes)
    members = []
    for index, palette in enumerate(palettes):
        try:
            variance = checked_reg_covar(reg_covar, palette)
            check_n_kernels(1 if n_kernels == "bic" else n_kernels, palette)
        except ValueError as error:
            results[index] = error
            continue
        if len(palette) < BLOCKS_FROM:
            random = np.random.default_rng(random_state)
            colors = WeightedColors.of(palette)
            members.append(_Member(index, palette, colors, variance, random))
    for k in BIC_CANDIDATES if n_kernels == "bic" else [n_kernels]:
        enough = [m for m in members if len(m.palette) >= k and results[m.index] is None]
        for group in _groups(enough, k):
            for member, found in zip(group, _fit(group, k, covariance_type, place), strict=True):
                if isinstance(found, ValueError):
                    results[member.index] = found
                else:
                    member.offer(found, covariance_type)
    for member in members:
        if results[member.index] is None and member.best is not None and member.is_exact:
            best = member.best
            kernels = build_kernels(best.means, best.covariances, best.weights)
            results[member.index] = KernelSet(kernels)
    for index, palette in enumerate(palettes):
        if results[index] is None:
            try:
                results[index] = fit_palette(
                    palette,
                    n_kernels,
                    covariance_type=covariance_type,
                    reg_covar=reg_covar,
                    random_state=random_state,
                    device=device,
                )
            except ValueError as error:
                results[index] = error
    return [result for result in results if result is not None]


@dataclass(slots=True, eq=False)
class _Member:
    """A palette among others, and the best mixture so far."""

    index: int
    palette: Palette
    colors: WeightedColors
    reg_covar: float
    random: np.random.Generator
    best: Parameters | None = None
    lowest: float = np.inf
    is_exact: bool = True

    def offer(self, found: "_Found", covariance_type: CovarianceType) -> None:
        """Keep a mixture if no other had a lower BIC."""
        self.is_exact &= found.is_exact
        shape = found.parameters.means.shape
        criterion = bic_of(found.log_likelihood, self.palette.n_pixels, shape, covariance_type)
        if criterion < self.lowest:
            self.best, self.lowest = found.parameters, criterion


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A mixture, its mean log-likelihood in nats, and whether rounding was no matter."""

    parameters: Parameters
    log_likelihood: float
    is_exact: bool


def _groups(members: list[_Member], n_kernels: int) -> Iterator[list[_Member]]:
    """Put members of about the same number of colors together."""
    group: list[_Member] = []
    for member in sorted(members, key=lambda m: len(m.palette)):
        if group and (len(group) + 1) * len(member.palette) * n_kernels > GROUP_TERMS:
            yield group
            group = []
        group.append(member)
    if group:
        yield group


def _fit(
    group: list[_Member], n_kernels: int, covariance_type: CovarianceType, device: Device
) -> list[_Found | ValueError]:
    """Fit mixtures of so many kernels from k-means++ starts until each has converged."""
    found: list[_Found | ValueError | None] = [None] * len(group)
    starts: list[Parameters] = []
    left = []
    for place, member in enumerate(group):
        try:
            starts.append(
                seed_on(member.colors, n_kernels, covariance_type, member.reg_covar, member.random)
            )
            left.append(place)
        except ValueError as error:
            found[place] = error
    if not left:
        return [each for each in found if each is not None]
    everyone = colors_in_rows([group[place].colors for place in left], device)
    stacked = zip(*(start.arrays for start in starts), strict=True)
    initial = Parameters(*(np.stack(arrays) for arrays in stacked))
    variances = np.array([group[place].reg_covar for place in left])
    last, is_exact, is_singular = _iterate(everyone, initial, covariance_type, variances)
    log_likelihoods, _, _ = expectations(everyone, last)
    for row, place in enumerate(left):
        if is_singular[row].any():
            kernel = int(np.argmax(is_singular[row]))
            found[place] = ValueError(singular_kernel(kernel, group[place].reg_covar))
        else:
            parameters = Parameters(*(array[row] for array in last.arrays))
            found[place] = _Found(parameters, float(log_likelihoods[row]), bool(is_exact[row]))
    return [each for each in found if each is not None]


def _iterate(
    rows: ColorRows, initial: Parameters, covariance_type: CovarianceType, reg_covar: Array
) -> tuple[Parameters, NDArray[np.bool_], NDArray[np.bool_]]:
    """Iterate until every mixture has converged.

    Returns
    -------
    parameters
        (P, …); those before the last step where that made a kernel singular.
    is_exact
        (P,) whether rounding was no matter in any step.
    is_singular
        (P, K) kernels that became singular.
    """
    n_palettes, n_kernels = initial.weights.shape
    last = Parameters(*(array.copy() for array in initial.arrays))
    is_exact = np.ones(n_palettes, bool)
    is_singular = np.zeros((n_palettes, n_kernels), bool)
    # The palettes in the rows, which of them go on, and what they have now.
    places, goes_on = np.arange(n_palettes), np.ones(n_palettes, bool)
    parameters, before = initial, np.full(n_palettes, -np.inf)
    for iteration in range(1, MAX_ITERATIONS + 1):
        log_likelihoods, sums, is_exact_now = expectations(rows, parameters)
        found = unchecked_maximization(sums, covariance_type, reg_covar[places])
        flat = found.covariances.reshape(-1, *found.covariances.shape[2:])
        is_bad = ~are_positive_definite(flat).reshape(-1, n_kernels)
        is_over = np.abs(log_likelihoods - before) < TOLERANCE
        is_over |= is_bad.any(axis=1) | (iteration == MAX_ITERATIONS)
        before = log_likelihoods
        ends = goes_on & is_over
        is_exact[places[goes_on]] &= is_exact_now[goes_on]
        is_singular[places[ends]] = is_bad[ends]
        is_whole = ends & ~is_bad.any(axis=1)
        for kept, arrays in zip(last.arrays, found.arrays, strict=True):
            kept[places[is_whole]] = arrays[is_whole]
        goes_on &= ~is_over
        if not goes_on.any():
            break
        # What has ended is computed along until it is worth while to leave it out.
        stays = np.flatnonzero(goes_on)
        if len(stays) <= LEFT_OUT_BELOW * len(places):
            rows, places, before, goes_on = (
                rows.part(stays),
                places[stays],
                before[stays],
                goes_on[stays],
            )
            found = Parameters(*(array[stays] for array in found.arrays))
        elif is_bad.any():
            found = _without_singular(found, parameters, np.asarray(is_bad.any(axis=1), np.bool_))
        parameters = found
    return last, is_exact, is_singular


def _without_singular(
    found: Parameters, before: Parameters, is_bad: NDArray[np.bool_]
) -> Parameters:
    """Put the mixtures of before where one has become singular: it only takes up a row."""
    for new, old in zip(found.arrays, before.arrays, strict=True):
        new[is_bad] = old[is_bad]
    return found
