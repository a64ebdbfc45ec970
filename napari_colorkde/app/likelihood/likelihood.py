"""The bandwidth search without its widgets: the request, the results so far, and the table."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from psygnal import Signal

from napari_colorkde.app.background.error_sentences import user_message
from napari_colorkde.app.background.executor import Executor, Progress
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.image.source import source_of
from napari_colorkde.app.likelihood.search_summary import curve_table
from napari_colorkde.app.likelihood.searches import (
    Curve,
    ImageSearch,
    TestScore,
    VectorSearch,
    check_image,
    check_vectors,
    score_test,
    search_image,
    search_vectors,
)
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.state_values import ESTIMATORS, checked_bandwidth
from napari_colorkde.app.state import State
from napari_colorkde.connections import Connections
from napari_colorkde.core.crosscheck.answers import Answer
from napari_colorkde.core.csv_and_frames import csv_text
from napari_colorkde.core.kde.bandwidth_rules import Shape
from napari_colorkde.core.vectors.checks import checked_sigmas
from napari_colorkde.io.csv_files import write_csv
from napari_colorkde.io.datasets import DataSet, check_split, dataset_of_array, read_dataset
from napari_colorkde.io.datasets.memory import available_bytes, check_fits
from napari_colorkde.io.writers.targets import check_target

LANES = ("search", "check")

Search = ImageSearch | VectorSearch


class Likelihood:
    """Searches the bandwidth of the session's image or of a data set, in the background.

    Parameters
    ----------
    session
        Whose image is searched, and whose bandwidth a click sets.
    executor
        Runs the work: its own, so that the overlay need not wait.

    Attributes
    ----------
    dataset
        What is searched; None for the colors of the session's image.
    curve, test, answers
        What has come of the search and of the cross-check.
    """

    changed = Signal(description="The curve, the test score, the answers or the data set.")
    progressed = Signal(Progress)
    failed = Signal(str)
    idle = Signal()

    def __init__(self, session: Session, executor: Executor) -> None:
        self._session = session
        self._jobs = Jobs(executor, LANES, self.idle.emit)
        self._executor = executor
        self._asked: Search | None = None
        self._begun: Search | None = None
        self.dataset: DataSet | None = None
        self.curve: Curve | None = None
        self.test: TestScore | None = None
        self.answers: list[Answer] = []
        self._connections = Connections()
        self._connections.add(session.source_changed, self._on_image)
        self._connections.add(session.counted_changed, self._on_image)
        self._connections.add(session.state_changed, self._on_state)

    @property
    def busy(self) -> bool:
        """Whether a search or a check is under way."""
        return self._jobs.busy

    def open(self, path: str | Path) -> None:
        """Read a data set; it is the one that is searched then."""

        def read() -> Iterator[Progress | DataSet]:
            yield Progress(f"reading {Path(path).name}")
            yield read_dataset(path)

        self._run("search", read)

    def open_layer(self, layer: Any) -> None:
        """Take the planes of an image layer for a data set, in the background.

        Raises
        ------
        ValueError
            If it is a single picture, or larger than memory.
        """
        array, name = source_of(layer).array, str(layer.name)
        if len(array.shape) < (4 if layer.rgb else 3):
            raise ValueError(
                f"layer {name!r} is a single image; choose a stack of images of the same size."
            )
        n_bytes = math.prod(array.shape) * np.dtype(array.dtype).itemsize
        if not isinstance(array, np.ndarray):
            check_fits(n_bytes, available_bytes(), f"layer {name!r}")

        def read() -> Iterator[Progress | DataSet]:
            yield Progress(f"reading {name}")
            yield dataset_of_array(np.asarray(array), name)

        self._run("search", read)

    def close_dataset(self) -> None:
        """Search the colors of the session's image again."""
        self._take(None)

    def search_image(self, method: str, shape: Shape = "isotropic") -> None:
        """Search the bandwidth of the session's image, in the session's color space.

        Raises
        ------
        ValueError
            If there is no image, or its colors are not counted yet.
        """
        session = self._session
        index = session.index
        if index is None or index.is_preview:
            raise ValueError("there are no counted colors yet; open an image and wait for them.")
        request = ImageSearch(index, method, shape, session.space, session.device)
        self._begin(request)
        self._run("search", lambda: search_image(request))

    def search_vectors(self, sigmas: tuple[float, ...], **protocol: Any) -> None:
        """Search the sigma of the data set; `protocol` is that of `io.datasets.split`.

        Raises
        ------
        ValueError
            If there is no data set, a sigma is not positive, or it cannot be split so. What has
            come of the search before stays then.
        """
        if self.dataset is None:
            raise ValueError("there is no data set; choose a file, a folder or a layer.")
        if not sigmas or min(sigmas) <= 0:
            raise ValueError("sigmas must be positive; give some, such as 0.1, 0.2, 0.5.")
        checked_sigmas(sigmas, "sigmas")
        check_split(self.dataset, **protocol)
        request = VectorSearch(self.dataset, sigmas, **protocol)
        self._begin(request)
        self._run("search", lambda: search_vectors(request))

    def take(self, row: int) -> None:
        """Take the bandwidth of a point of the curve.

        Of an image it becomes the session's; of a data set the test vectors are scored with it.

        Raises
        ------
        ValueError
            If nothing is chosen there.
        """
        if self.curve is None:
            return
        if self.curve.degenerate[row]:
            raise ValueError(
                "repeated colors predict themselves there, so narrower always looks better; choose "
                "a bandwidth outside the shaded zone."
            )
        chosen = self.curve.bandwidth(row)
        if self.dataset is None:
            self._session.set(bandwidth=checked_bandwidth(chosen))
        elif isinstance(self._asked, VectorSearch):
            asked = self._asked
            self._run("search", lambda: score_test(asked, float(chosen[0])))

    def cross_check(self) -> None:
        """Compare the density with other libraries': of the data set, or of the image.

        Raises
        ------
        ValueError
            If there is neither, or a data set was not searched yet.
        """
        if self.dataset is not None:
            asked, curve = self._asked, self.curve
            if not isinstance(asked, VectorSearch) or curve is None:
                raise ValueError("the data set has not been searched yet; search it first.")
            sigma = float(curve.sigmas[curve.best, 0])
            self._check(lambda: check_vectors(asked, sigma))
            return
        palette, estimate = self._session.palette, self._session.estimate
        if palette is None or estimate is None or self._session.space != "rgb":
            raise ValueError("there is no density of an image's own channels; open an image first.")
        if (estimate.boundary, estimate.varying) != ("none", False):
            raise ValueError(
                "other libraries have neither boundary correction nor kernels of varying width; "
                f"choose {next(iter(ESTIMATORS))!r} on the Density tab."
            )
        covariance, device = estimate.covariance, self._session.device
        self._check(lambda: check_image(palette, covariance, device))

    def table(self) -> tuple[list[str], list[list[str]]]:
        """The header and the rows of the curve, as they are written to a file."""
        return ([], []) if self.curve is None else curve_table(self.curve)

    def save_table(self, path: str | Path) -> None:
        """Write the table as CSV.

        Raises
        ------
        ValueError
            If there is no curve, or the file has another suffix.
        """
        header, rows = self.table()
        if not rows:
            raise ValueError("there is no curve to save; search first.")
        target = Path(path)
        check_target(target, (".csv",), name="table")
        write_csv(target, csv_text(header, rows))

    def wait(self, timeout: float | None = 60.0) -> bool:
        """Let events pass until nothing is under way; return whether that was so in time."""
        return self._executor.wait(lambda: not self._jobs.busy, timeout)

    def stop(self) -> None:
        """Stop what is under way; what has come stays."""
        self._jobs.stop()

    def close(self) -> None:
        """Stop everything and let go of the data set."""
        self._connections.close()
        self._jobs.close()
        self.dataset = self._asked = self._begun = self.curve = None

    def _begin(self, request: "Search") -> None:
        """Stop the search before; what has come of it stays until there is a new curve."""
        self._jobs.stop("search")
        self._begun = request
        self.changed.emit()

    def _check(self, work: object) -> None:
        self._jobs.stop("check")
        self.answers = []
        self.changed.emit()
        self._run("check", work)

    def _run(self, lane: str, work: Any) -> None:
        self._jobs.submit(lane, work, self._on_result, self._on_end)

    def _on_result(self, result: object) -> None:
        if isinstance(result, Progress):
            self.progressed.emit(result)
            return
        if isinstance(result, DataSet):
            self._take(result)
            return
        if isinstance(result, Curve):
            if self._asked is not self._begun:
                self._jobs.stop("check")
                self._asked, self.test, self.answers = self._begun, None, []
            self.curve = result
        elif isinstance(result, TestScore):
            self.test = result
        elif isinstance(result, Answer):
            self.answers.append(result)
        self.changed.emit()

    def _on_end(self, error: Exception | None) -> None:
        if error is not None:
            self.failed.emit(user_message(error))
        self.changed.emit()

    def _take(self, dataset: DataSet | None) -> None:
        self.dataset = dataset
        self._forget()

    def _forget(self) -> None:
        self._jobs.stop("check")
        self._asked = self._begun = self.curve = self.test = None
        self.answers = []
        self.changed.emit()

    def _on_image(self, source: object) -> None:
        """Forget what has come of another image, or of pixels that were changed."""
        if self.dataset is None:
            self._jobs.stop()
            self._forget()

    def _on_state(self, state: State, before: State) -> None:
        """Forget bandwidths of other numbers: they mean nothing among those that are shown now."""
        if (state.space, state.channels) != (before.space, before.channels):
            self._on_image(None)
