"""How each library computes the density of a task, and what its bandwidth means.

scikit-learn and KDEpy take one sigma for all axes (where they differ, data are divided by them
first, and the density by their product), statsmodels one for each axis, SciPy a factor of the
data's own covariance. Functions return log-densities, (m,).
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.crosscheck.task import Task
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.vectors.gaussian_kde import GaussianKDE

Array = NDArray[np.float64]


def sigmas_text(task: Task) -> str:
    """Return the sigmas for people: one if all are the same."""
    shown = task.sigmas[:1] if task.is_isotropic else task.sigmas
    texts = [f"{sigma:.6g}" for sigma in shown]
    return ", ".join(texts if len(texts) <= 3 else [*texts[:2], "…", texts[-1]])


def kernel_text(task: Task) -> str:
    """Return the kernel for people: its sigmas, and whether it is full."""
    full = "" if task.full_covariance is None else ", full covariance"
    return f"sigma={sigmas_text(task)}{full}"


def product_kernel_text(task: Task, n_shown: int) -> str:
    """Return the argument of a library that takes a sigma for each axis."""
    if task.full_covariance is not None:
        return single_sigma_text(task, "bw")
    return f"bw=[{', '.join(f'{sigma:.6g}' for sigma in task.sigmas[:n_shown])}]"


def single_sigma_text(task: Task, name: str) -> str:
    """Return the argument of a library that takes one sigma."""
    if task.full_covariance is not None:
        return f"{name}=1 of whitened data"
    if task.is_isotropic:
        return f"{name}={sigmas_text(task)}"
    return f"{name}=1 of data / ({sigmas_text(task)})"


def scratch(task: Task) -> Array:
    """Loop over the points, as one writes it from the formula."""
    data = task.data.astype(np.float64)
    logs = np.empty(len(task.points))
    factor = None if task.full_covariance is None else np.linalg.cholesky(task.full_covariance)
    for i, point in enumerate(task.points.astype(np.float64)):
        away = point - data
        steps = away / task.sigmas if factor is None else np.linalg.solve(factor, away.T).T
        exponents = -0.5 * (steps**2).sum(axis=1)
        highest = exponents.max()
        logs[i] = highest + np.log(np.exp(exponents - highest).sum())
    normalizer = 0.5 * np.linalg.slogdet(2 * np.pi * task.covariance)[1]
    return np.asarray(logs - np.log(len(data)) - normalizer)


def ours(task: Task, covariance: Array, device: DeviceLike) -> Array:
    """Ask this engine."""
    if task.is_image:
        kde_of_colors = ColorKDE(task.data[np.newaxis], covariance, device=device)
        return np.asarray(kde_of_colors.density(task.points[np.newaxis], log=True)[0])
    # One sigma for all axes: other covariances are ours to divide by.
    factor = np.linalg.cholesky(covariance)
    if not np.any(covariance - covariance[0, 0] * np.eye(len(covariance))):
        sigma = float(factor[0, 0])
        return GaussianKDE(sigma, device=device).fit(task.data).score_samples(task.points)
    data, points = (np.linalg.solve(factor, x.T).T for x in (task.data, task.points))
    logs = GaussianKDE(1.0, device=device).fit(data).score_samples(points)
    return np.asarray(logs - np.log(np.diagonal(factor)).sum())


def sklearn(task: Task, leaf_size: int) -> Array:
    """Ask scikit-learn's tree."""
    from sklearn.neighbors import KernelDensity

    sigma, data, points, log_scale = scaled(task)
    kde = KernelDensity(bandwidth=sigma, leaf_size=leaf_size).fit(data)
    return np.asarray(kde.score_samples(points) - log_scale)


def grid_search_cv(task: Task, factors: tuple[float, ...]) -> tuple[float, Array]:
    """Let scikit-learn's `GridSearchCV` choose among multiples of the bandwidth.

    With a single split: the samples train, the points near them validate. In its folds of the
    samples it would answer another question.

    Returns
    -------
    best, scores
        The factor it chooses, and the mean log-densities of the points at all factors.
    """
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KernelDensity

    sigma, data, points, log_scale = scaled(task)
    n, m = len(data), task.n_near
    both = np.concatenate([data, points[:m]])
    search = GridSearchCV(
        # The only setting in which the tree is exact in many dimensions.
        KernelDensity(leaf_size=n),
        {"bandwidth": [sigma * factor for factor in factors]},
        cv=[(np.arange(n), np.arange(n, n + m))],
        refit=False,
    )
    search.fit(both)
    scores = np.asarray(search.cv_results_["mean_test_score"]) / m - log_scale
    return factors[int(search.best_index_)], scores


def statsmodels_univariate(task: Task) -> Array:
    """Ask statsmodels' estimator in one dimension."""
    from statsmodels.nonparametric.kde import KDEUnivariate

    kde = KDEUnivariate(task.data[:, 0].astype(np.float64))
    kde.fit(kernel="gau", bw=float(task.sigmas[0]), fft=False)
    return logs_of(np.ravel(kde.evaluate(task.points[:, 0].astype(np.float64))))


def statsmodels_multivariate(task: Task) -> Array:
    """Ask statsmodels' product kernel."""
    from statsmodels.nonparametric.kernel_density import KDEMultivariate

    sigmas = task.sigmas
    if task.full_covariance is None:
        data, points, log_scale = (*(a.astype(np.float64) for a in (task.data, task.points)), 0.0)
    else:  # its kernel is a product along the axes
        sigma, data, points, log_scale = scaled(task)
        sigmas = np.full(task.n_dimensions, sigma)
    with warnings.catch_warnings():
        # It warns of random numbers that are drawn for other bandwidths than a given one.
        warnings.simplefilter("ignore", FutureWarning)
        kde = KDEMultivariate(data, var_type="c" * len(sigmas), bw=sigmas)
    # Of one point it returns a number.
    return np.asarray(logs_of(np.ravel(kde.pdf(points))) - log_scale)


def kdepy(task: Task) -> Array:
    """Ask KDEpy's sum."""
    from KDEpy import NaiveKDE

    sigma, data, points, log_scale = scaled(task)
    kde = NaiveKDE(kernel="gaussian", bw=sigma).fit(data)
    return np.asarray(logs_of(kde.evaluate(points)) - log_scale)


def scipy(task: Task, factor: float) -> Array:
    """Ask SciPy for kernels that are `factor` times as wide as the data."""
    from scipy.stats import gaussian_kde

    kde = gaussian_kde(task.data.astype(np.float64).T, bw_method=factor)
    return np.asarray(kde.logpdf(task.points.astype(np.float64).T))


def data_covariance(task: Task) -> tuple[float, Array] | str:
    """Return SciPy's factor and the covariance it makes of it; or why there is none.

    The factor is the one whose kernel has the volume of the given one, ``f^{2d} det cov = Π σ²``:
    in one dimension ``σ / std``, and the same kernel.
    """
    n, d = task.data.shape
    singular = "does not apply: the samples' covariance is singular"
    if n <= d:
        return f"{singular} ({n} samples span less than {d} dimensions)"
    data = task.data.astype(np.float64)
    n_constant = int((np.ptp(data, axis=0) == 0).sum())
    if n_constant:
        return f"{singular} ({n_constant} of {d} numbers never vary)"
    covariance = np.atleast_2d(np.cov(data.T))
    # Numbers in units of their own spread: what is singular is not a matter of units.
    spread = np.sqrt(np.diag(covariance))
    if np.linalg.eigvalsh(covariance / np.outer(spread, spread))[0] < 1e-12:
        return f"{singular} (some numbers follow from others)"
    log_volume = np.linalg.slogdet(task.covariance)[1]
    factor = float(np.exp((log_volume - np.linalg.slogdet(covariance)[1]) / (2 * d)))
    return factor, factor**2 * covariance


def scaled(task: Task) -> tuple[float, Array, Array, float]:
    """Return one sigma for all axes, data and points it is for, and the log of their scale."""
    data, points = task.data.astype(np.float64), task.points.astype(np.float64)
    if task.is_isotropic:
        return float(task.sigmas[0]), data, points, 0.0
    if task.full_covariance is not None:  # to the unit Gaussian
        factor = np.linalg.cholesky(task.full_covariance)
        data, points = (np.linalg.solve(factor, each.T).T for each in (data, points))
        return 1.0, data, points, float(np.log(np.diagonal(factor)).sum())
    return 1.0, data / task.sigmas, points / task.sigmas, float(np.log(task.sigmas).sum())


def logs_of(density: Any) -> Array:
    """Return the logs of densities; minus infinity where they have underflown."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(density))
