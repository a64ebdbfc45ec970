"""The same density from this program and from other libraries, beside the sum itself.

What a library calls its bandwidth differs: scikit-learn and KDEpy take one sigma for all axes
(data are divided by their sigmas first, and the density by the sigmas' product), statsmodels one
for each, SciPy a factor of the data's own covariance (so it is compared at that covariance).
"""

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

Array = NDArray[np.float64]

ABSOLUTE, RELATIVE = 1e-4, 1e-6
"""What is promised of log-densities: so many nats, and this part of their size."""

FEW_DIMENSIONS = 10
"""Libraries that multiply densities are asked up to so many: beyond, everything underflows."""

OURS = "napari-colorkde"


@dataclass(frozen=True, eq=False)
class Task:
    """A density to evaluate.

    Attributes
    ----------
    data
        (n, d) samples it is made of.
    points
        (m, d) where.
    n_near
        The first so many points are samples, too; the others may lie in far tails.
    sigmas
        (d,) standard deviations of the kernel.
    is_image
        Whether the samples are colors of an image.
    """

    data: NDArray[Any]
    points: NDArray[Any]
    n_near: int
    sigmas: Array
    is_image: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """How far a library is from the sum, over the points.

    Attributes
    ----------
    near, far
        Largest absolute differences of log-densities, nats, near the samples and in the tails; None
        where it could not be asked.
    is_right
        Whether both are within what is allowed.
    n_underflows
        Points at which it says 0, and the logarithm is lost.
    remark
        In words: right, or off, or why it was not asked.
    """

    library: str
    near: float | None
    far: float | None
    is_right: bool
    n_underflows: int
    remark: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def cells(self) -> list[str]:
        """For a table."""
        errors = ["" if e is None else f"{e:.1e}" for e in (self.near, self.far)]
        lost = f", 0 at {self.n_underflows} points" if self.n_underflows else ""
        return [self.library, *errors, f"{self.remark}{lost}"]


def cross_check(task: Task, device: str = "auto") -> list[Answer]:
    """Ask each library for the log-densities of a task, ourselves first.

    The yardstick is ``log 1/n Σᵢ N(x; tᵢ, Σ)`` in float64 from differences, which do not cancel
    (Silverman 1986, eq. 4.1).
    """
    truth = direct(task, np.diag(task.sigmas**2))
    answers = [_answer(task, OURS, truth, lambda: _ours(task, np.diag(task.sigmas**2), device))]
    dimensions = task.data.shape[1]
    n = len(task.data)
    few = dimensions <= FEW_DIMENSIONS
    peers: list[tuple[str, str, Callable[[], Array]]] = [
        ("scikit-learn KernelDensity", "sklearn", lambda: _sklearn(task, 40)),
        ("scikit-learn KernelDensity(leaf_size=n)", "sklearn", lambda: _sklearn(task, n)),
    ]
    if few:
        peers.append(("statsmodels KDEMultivariate", "statsmodels", lambda: _statsmodels(task)))
        peers.append(("KDEpy NaiveKDE", "KDEpy", lambda: _kdepy(task)))
    for library, module, run in peers:
        if importlib.util.find_spec(module) is None:
            answers.append(_silent(library, "not installed"))
        else:
            answers.append(_answer(task, library, truth, run))
    if task.is_image:
        answers += _with_data_covariance(task, device)
    return answers


def direct(task: Task, covariance: Array) -> Array:
    """The log-densities by their definition, (m,)."""
    factor = np.linalg.cholesky(covariance)
    data, points = (
        solve_triangular(factor, a.astype(np.float64).T, lower=True).T
        for a in (task.data, task.points)
    )
    exponents = -0.5 * cdist(points, data, "sqeuclidean")
    normalizer = len(factor) / 2 * np.log(2 * np.pi) + np.log(np.diagonal(factor)).sum()
    return np.asarray(logsumexp(exponents, axis=1) - np.log(len(data)) - normalizer)


def _silent(library: str, remark: str) -> Answer:
    return Answer(library, None, None, False, 0, remark)


def _answer(task: Task, library: str, truth: Array, run: Callable[[], Array]) -> Answer:
    try:
        logs = run()
    except (ValueError, ArithmeticError, np.linalg.LinAlgError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return _silent(library, f"refuses: {reason}")
    is_lost = np.isneginf(logs) & np.isfinite(truth)
    with np.errstate(invalid="ignore"):
        errors = np.where(is_lost, 0.0, np.abs(logs - truth))
    is_off = ~(errors <= ABSOLUTE + RELATIVE * np.abs(truth))
    near, far = np.split(errors, [task.n_near])
    remark = "right"
    if is_off.any():
        remark = "OFF" if is_off[: task.n_near].any() else "OFF in the tails"
    return Answer(
        library,
        float(near.max(initial=0.0)),
        float(far.max(initial=0.0)) if len(far) else None,
        not is_off.any(),
        int(is_lost.sum()),
        remark,
    )


def _ours(task: Task, covariance: Array, device: str) -> Array:
    if not task.is_image:
        from napari_colorkde.core.kde.gaussian_kde import GaussianKDE

        # One sigma for all axes: others are ours to divide by, as with scikit-learn.
        kde = GaussianKDE(1.0, device=device).fit(task.data / task.sigmas)
        return np.asarray(kde.score_samples(task.points / task.sigmas) - np.log(task.sigmas).sum())
    from napari_colorkde.core.kde.color_kde import ColorKDE

    kde_of_colors = ColorKDE(task.data[np.newaxis], covariance, device=device)
    return np.asarray(kde_of_colors.density(task.points[np.newaxis], log=True)[0])


def _sklearn(task: Task, leaf_size: int) -> Array:
    from sklearn.neighbors import KernelDensity

    kde = KernelDensity(bandwidth=1.0, leaf_size=leaf_size).fit(task.data / task.sigmas)
    return np.asarray(kde.score_samples(task.points / task.sigmas) - np.log(task.sigmas).sum())


def _statsmodels(task: Task) -> Array:
    from statsmodels.nonparametric.kernel_density import KDEMultivariate

    data, points = task.data.astype(np.float64), task.points.astype(np.float64)
    with warnings.catch_warnings():
        # It warns of random numbers that are drawn for other bandwidths than a given one.
        warnings.simplefilter("ignore", FutureWarning)
        kde = KDEMultivariate(data, var_type="c" * len(task.sigmas), bw=task.sigmas)
    return _log(kde.pdf(points))


def _kdepy(task: Task) -> Array:
    from KDEpy import NaiveKDE

    kde = NaiveKDE(kernel="gaussian", bw=1.0).fit(task.data / task.sigmas)
    logs = _log(kde.evaluate(task.points / task.sigmas))
    return np.asarray(logs - np.log(task.sigmas).sum())


def _with_data_covariance(task: Task, device: str) -> list[Answer]:
    """SciPy, and ourselves, with a full covariance: Scott's factor squared times the data's."""
    from scipy.stats import gaussian_kde

    data = task.data.astype(np.float64)
    n, d = data.shape
    covariance = np.atleast_2d(np.cov(data.T)) * n ** (-2 / (d + 4))
    if np.linalg.matrix_rank(covariance) < d:
        return [_silent("SciPy gaussian_kde", "not asked: the samples' covariance is singular")]
    truth = direct(task, covariance)
    return [
        _answer(task, f"{OURS}, full", truth, lambda: _ours(task, covariance, device)),
        _answer(
            task,
            "SciPy gaussian_kde",
            truth,
            lambda: np.asarray(gaussian_kde(data.T, "scott").logpdf(task.points.T.astype(float))),
        ),
    ]


def _log(density: Any) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(density))
