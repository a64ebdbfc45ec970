"""Runs all libraries, one after the other."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.crosscheck import libraries
from napari_colorkde.core.crosscheck.answers import (
    ABSOLUTE,
    RELATIVE,
    Answer,
    compared,
    tried,
    unasked,
)
from napari_colorkde.core.crosscheck.task import Task, direct
from napari_colorkde.core.device import DeviceLike

Array = NDArray[np.float64]

FEW_DIMENSIONS = 10
"""Libraries that multiply densities are asked up to so many: beyond, everything underflows."""

OURS = "napari-colorkde"

FACTORS = (0.5, 1.0, 2.0)
"""Multiples of the bandwidth that `GridSearchCV` chooses from."""


def cross_check(task: Task, device: DeviceLike = "auto") -> Iterator[Answer]:
    """Ask each library for the log-densities of a task, and yield each answer as it comes.

    First the formula written from scratch, then this engine, then the others; one that is not
    installed or does not apply has a row with the reason. The yardstick of all is `task.direct`.
    """
    covariance = task.covariance
    truth = direct(task, covariance)
    given = libraries.kernel_text(task)
    yield compared(task, "scratch formula", given, truth, lambda: libraries.scratch(task))
    yield compared(task, OURS, given, truth, lambda: libraries.ours(task, covariance, device))
    for library, module, reason, bandwidth, run in _peers(task):
        if importlib.util.find_spec(module) is None:
            yield unasked(library, "not installed")
        elif reason:
            yield unasked(library, f"does not apply: {reason}")
        else:
            yield compared(task, library, bandwidth, truth, run)
    yield _grid_search_cv(task, truth)
    yield from _with_data_covariance(task, device)


def is_ours(answer: Answer) -> bool:
    """Return whether an answer is this engine's."""
    return answer.library.startswith(OURS)


def _peers(task: Task) -> Iterator[tuple[str, str, str, str, Callable[[], Array]]]:
    """Yield name, module, why it does not apply (or ""), bandwidth, and how it is asked."""
    n, d = len(task.data), task.n_dimensions
    one = libraries.single_sigma_text(task, "bandwidth")
    yield "scikit-learn KernelDensity", "sklearn", "", one, lambda: libraries.sklearn(task, 40)
    yield (
        "scikit-learn KernelDensity(leaf_size=n)",
        "sklearn",
        "",
        one,
        lambda: libraries.sklearn(task, n),
    )
    yield (
        "statsmodels KDEUnivariate",
        "statsmodels",
        "" if d == 1 else f"it has one dimension, the samples {d}",
        f"bw={libraries.sigmas_text(task)}",
        lambda: libraries.statsmodels_univariate(task),
    )
    many = f"it multiplies densities, which underflow in {d} dimensions"
    reason = many if d > FEW_DIMENSIONS else ""
    yield (
        "statsmodels KDEMultivariate",
        "statsmodels",
        reason,
        libraries.product_kernel_text(task, FEW_DIMENSIONS),
        lambda: libraries.statsmodels_multivariate(task),
    )
    yield (
        "KDEpy NaiveKDE",
        "KDEpy",
        reason,
        libraries.single_sigma_text(task, "bw"),
        lambda: libraries.kdepy(task),
    )


def _grid_search_cv(task: Task, truth: Array) -> Answer:
    """Compare the score at the given bandwidth, and the choice among `FACTORS` with ours."""
    library = "scikit-learn GridSearchCV"
    if importlib.util.find_spec("sklearn") is None:
        return unasked(library, "not installed")
    found = tried(lambda: libraries.grid_search_cv(task, FACTORS))
    bandwidth = libraries.single_sigma_text(task, "bandwidth")
    if isinstance(found, str):
        return Answer(library, None, None, False, 0, found, bandwidth)
    best, scores = found
    near = replace(task, points=task.points[: task.n_near])
    true_scores = [
        truth[: task.n_near].mean()
        if factor == 1.0
        else direct(near, factor**2 * task.covariance).mean()
        for factor in FACTORS
    ]
    errors = np.abs(scores - true_scores)
    is_right = bool((errors <= ABSOLUTE + RELATIVE * np.abs(true_scores)).all())
    chosen = f"chooses {best:g} × this of {', '.join(f'{factor:g}' for factor in FACTORS)}"
    remark = f"right, {chosen}" if is_right else f"OFF, {chosen}"
    score = float(scores[FACTORS.index(1.0)])
    return Answer(library, float(errors.max()), None, is_right, 0, remark, bandwidth, score)


def _with_data_covariance(task: Task, device: DeviceLike) -> Iterator[Answer]:
    """SciPy, and ourselves, with kernels in the shape of the data."""
    found = libraries.data_covariance(task)
    if isinstance(found, str):
        yield unasked("SciPy gaussian_kde", found)
        return
    factor, covariance = found
    truth = direct(task, covariance)
    yield compared(
        task,
        f"{OURS}, full",
        f"{factor:.4g}² · covariance",
        truth,
        lambda: libraries.ours(task, covariance, device),
    )
    yield compared(
        task,
        "SciPy gaussian_kde",
        f"bw_method={factor:.4g}",
        truth,
        lambda: libraries.scipy(task, factor),
    )
