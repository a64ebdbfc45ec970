"""The result of a library, and how far it is from the sum itself."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.crosscheck.task import Task

Array = NDArray[np.float64]

ABSOLUTE, RELATIVE = 1e-4, 1e-6
"""What is promised of log-densities: so many nats, and this part of their size."""

HEADER = ("library", "bandwidth", "log_likelihood", "error", "in_the_tails", "verdict")
"""Of the table that `Answer.cells` are the rows of."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a library says, and how far it is from the sum, over the points.

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
        In words: right, or off, or why it does not apply.
    bandwidth
        The given one by the library's own convention, as its argument is typed.
    log_likelihood
        Mean log-density of the points that are samples, too, nats; None where it could not be asked
        or has lost the logarithm.
    """

    library: str
    near: float | None
    far: float | None
    is_right: bool
    n_underflows: int
    remark: str
    bandwidth: str = ""
    log_likelihood: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def cells(self) -> list[str]:
        """For a table."""
        errors = ["" if e is None else f"{e:.1e}" for e in (self.near, self.far)]
        lost = f", 0 at {self.n_underflows} points" if self.n_underflows else ""
        value = "" if self.log_likelihood is None else f"{self.log_likelihood:.6f}"
        return [self.library, self.bandwidth, value, *errors, f"{self.remark}{lost}"]


def unasked(library: str, reason: str) -> Answer:
    """Return the row of a library that has no answer, with the reason."""
    return Answer(library, None, None, False, 0, reason)


def compared(
    task: Task, library: str, bandwidth: str, truth: Array, run: Callable[[], Array]
) -> Answer:
    """Run a library and compare its log-densities, (m,), with the true ones."""
    logs = tried(run)
    if isinstance(logs, str):
        return Answer(library, None, None, False, 0, logs, bandwidth)
    is_lost = np.isneginf(logs) & np.isfinite(truth)
    with np.errstate(invalid="ignore"):
        errors = np.where(is_lost, 0.0, np.abs(logs - truth))
    is_off = ~(errors <= ABSOLUTE + RELATIVE * np.abs(truth))
    near, far = np.split(errors, [task.n_near])
    remark = "right"
    if is_off.any():
        remark = "OFF" if is_off[: task.n_near].any() else "OFF in the tails"
    mean = float(logs[: task.n_near].mean())
    return Answer(
        library,
        float(near.max(initial=0.0)),
        float(far.max(initial=0.0)) if len(far) else None,
        not is_off.any(),
        int(is_lost.sum()),
        remark,
        bandwidth,
        mean if math.isfinite(mean) else None,
    )


def tried(run: Callable[[], Any]) -> Any:
    """Return what a library returns; if it refuses, a sentence with its reason."""
    try:
        return run()
    except (ValueError, ArithmeticError, np.linalg.LinAlgError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return f"refuses: {reason}"
