"""What `grid-search` prints and writes: tables, CSV, plots."""

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_colorkde.cli.console import table
from napari_colorkde.cli.curve_plots import Curve, write_curves

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_colorkde.core.vectors.grid_search import GridSearchResult

CSV_COLUMNS = (
    "dataset",
    "sigma",
    "log_likelihood_valid",
    "best",
    "log_likelihood_test",
    "test_seconds_mean",
    "test_seconds_sd",
)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The search of one data set.

    Attributes
    ----------
    name
        Of the data set.
    found
        Validation scores, and the sigma of the highest.
    test_score
        Mean log-density of the test vectors at that sigma, nats; None without test vectors.
    test_seconds
        Wall time of each test pass.
    n_numbers
        Length of a vector.
    train_under_valid, train_under_test
        Mean log-density of the training vectors under the validation and the test vectors, at that
        sigma, nats; None where it was not asked for.
    """

    name: str
    found: "GridSearchResult"
    test_score: float | None
    test_seconds: tuple[float, ...]
    n_numbers: int = 0
    train_under_valid: float | None = None
    train_under_test: float | None = None

    @property
    def diverges(self) -> "NDArray[np.bool_]":
        """``(S,)`` sigmas so narrow that the likelihood falls without bound.

        There it is more than one nat for each number of a vector below the best: the squared
        distance of the nearest training vector, in sigmas, is all that counts.
        """
        found = self.found
        is_low = found.scores < found.scores.max() - self.n_numbers
        diverging: NDArray[np.bool_] = is_low & (found.sigmas < found.best_sigma)
        return diverging

    @property
    def directions(self) -> list[tuple[str, float]]:
        """What is under what, and its mean log-density: nothing unless both were asked for."""
        if self.train_under_valid is None:
            return []
        found = [
            ("valid under train", float(self.found.scores.max())),
            ("train under valid", self.train_under_valid),
        ]
        if self.test_score is not None and self.train_under_test is not None:
            found += [
                ("test under train", self.test_score),
                ("train under test", self.train_under_test),
            ]
        return found

    @property
    def seconds_mean(self) -> float | None:
        """Mean wall time of a test pass; None without one."""
        return statistics.fmean(self.test_seconds) if self.test_seconds else None

    @property
    def seconds_sd(self) -> float | None:
        """Standard deviation of these times (of the sample, n − 1); None of fewer than two."""
        return statistics.stdev(self.test_seconds) if len(self.test_seconds) > 1 else None

    def as_dict(self) -> dict[str, object]:
        """Return what is printed as JSON."""
        return {
            "dataset": self.name,
            "sigmas": self.found.sigmas.tolist(),
            "scores": self.found.scores.tolist(),
            "best_sigma": self.found.best_sigma,
            "test_score": self.test_score,
            "seconds": self.found.seconds + sum(self.test_seconds[:1]),
            "test_seconds": list(self.test_seconds),
            **{name.replace(" ", "_"): score for name, score in self.directions},
        }


def result_table(result: SearchResult) -> str:
    """Return the table of one data set."""
    found = result.found
    rows = [
        [f"{sigma:g}", f"{score:.6f}"]
        for sigma, score in zip(found.sigmas, found.scores, strict=True)
    ]
    lines = [table(["sigma", "log_likelihood"], rows), f"best_sigma  {found.best_sigma:g}"]
    if result.test_score is not None:
        lines.append(f"test_log_likelihood  {result.test_score:.6f}")
    if result.seconds_sd is not None:
        lines.append(f"test_seconds  {_times(result)}")
    lines += [f"{name.replace(' ', '_')}  {score:.6f}" for name, score in result.directions]
    return "\n".join(lines)


def comparison_table(results: list[SearchResult]) -> str:
    """Return the table of several data sets, a column each."""
    sigmas = results[0].found.sigmas
    rows = [
        [f"{sigma:g}", *(f"{result.found.scores[i]:.6f}" for result in results)]
        for i, sigma in enumerate(sigmas)
    ]
    rows.append(["best_sigma", *(f"{result.found.best_sigma:g}" for result in results)])
    scores = (result.test_score for result in results)
    rows.append(
        ["test_log_likelihood", *("-" if score is None else f"{score:.6f}" for score in scores)]
    )
    rows.append(["test_seconds", *map(_times, results)])
    names = dict.fromkeys(name for result in results for name, _ in result.directions)
    for name in names:
        found = (dict(result.directions).get(name) for result in results)
        rows.append(
            [name.replace(" ", "_"), *("-" if score is None else f"{score:.6f}" for score in found)]
        )
    return table(["sigma", *(result.name for result in results)], rows)


def write_csv(path: Path, results: list[SearchResult]) -> None:
    """Write a row for each sigma; what concerns the test set stands in the row of the best."""
    from napari_colorkde.core.csv_and_frames import Cell, csv_text
    from napari_colorkde.io.csv_files import write_csv as write_text

    rows: list[list[Cell]] = []
    for result in results:
        tested = (result.test_score, result.seconds_mean, result.seconds_sd)
        for sigma, score in zip(result.found.sigmas, result.found.scores, strict=True):
            best = sigma == result.found.best_sigma
            of_test = tested if best else (None, None, None)
            rows.append([result.name, float(sigma), float(score), int(best), *of_test])
    write_text(path, csv_text(CSV_COLUMNS, rows))


def write_plot(path: Path, results: list[SearchResult]) -> None:
    """Draw log-likelihoods over sigma, on a logarithmic axis, the best ones marked."""
    curves = [
        Curve(
            result.name,
            result.found.sigmas,
            result.found.scores,
            result.found.best_sigma,
            result.diverges,
            "likelihood falls without bound",
        )
        for result in results
    ]
    write_curves(path, curves, "mean log-likelihood of validation vectors, nats")


def _times(result: SearchResult) -> str:
    if result.seconds_mean is None:
        return "-"
    spread = "" if result.seconds_sd is None else f" ± {result.seconds_sd:.4f}"
    return f"{result.seconds_mean:.4f}{spread}"
