"""A batch in the window: the current state applied to many images, into table and files."""

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from psygnal import Signal

from napari_colorkde.app.background.error_sentences import FORESEEN, refusal, user_message
from napari_colorkde.app.background.executor import Executor, Progress
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.results.batch_items import BatchItem
from napari_colorkde.app.results.image_work import ImageWork, do_image
from napari_colorkde.app.results.processes import ENDED, Packed, call_in_processes, is_stopped
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.app.results.tasks import Outcome, do_steps, named_error, time_left
from napari_colorkde.core.csv_and_frames import Row

STOP_SECONDS, GRACE_SECONDS = 0.2, 5.0
"""After which time, at most, processes are told to stop; and after which they end anyhow."""


@dataclass(frozen=True, eq=False)
class ItemDone:
    """What came of an image: rows and a file, or the sentence with which it failed.

    Attributes
    ----------
    number
        Which of the batch's images, from 0.
    """

    number: int
    name: str
    rows: tuple[Row, ...] = ()
    written: Path | None = None
    error: str = ""


@dataclass(frozen=True)
class BatchReport:
    """How a batch ended.

    Attributes
    ----------
    n_images
        How many it was for.
    done, failed
        What came of those that were reached.
    stopped
        Whether a user stopped it.
    """

    n_images: int
    done: tuple[ItemDone, ...] = ()
    failed: tuple[ItemDone, ...] = ()
    stopped: bool = False

    @property
    def text(self) -> str:
        """The report in a sentence."""
        n_done = len(self.done)
        words = f"{n_done} of {self.n_images} images are done"
        if self.failed:
            words += f", {len(self.failed)} failed"
        return f"{words}{'; stopped' if self.stopped else ''}."


def do_batch(items: Sequence[BatchItem], work: ImageWork) -> Iterator[Progress | ItemDone]:
    """Do one image after the other; those that fail are told, and the others are done."""
    started = time.perf_counter()
    for number, item in enumerate(items):
        about = ""
        if number:
            seconds = time.perf_counter() - started
            about = f", about {time_left(seconds, number, len(items) - number)} left"
        what = f"{Path(item.name).name} ({number + 1} of {len(items)}{about})"
        steps = do_steps(_do_item(item, work))
        try:
            while True:
                part = next(steps).fraction or 0.0
                yield Progress(what, (number + part) / len(items))
        except StopIteration as end:
            outcome: Outcome = end.value
        yield _done(number, item, outcome)


def do_batch_in_processes(
    items: Sequence[BatchItem], work: ImageWork, jobs: int
) -> Iterator[Progress | ItemDone]:
    """Do as `do_batch` does, so many images at a time, each in a process of its own.

    Raises
    ------
    ValueError
        If a process was ended from outside.
    """
    started, n_done, n_items = time.perf_counter(), 0, len(items)
    yield Progress(f"0 of {n_items}, starting processes", 0.0)
    arguments = [(number, Packed((item, work))) for number, item in enumerate(items)]
    processes = call_in_processes(
        _do_alone, arguments, jobs, seconds=STOP_SECONDS, grace=GRACE_SECONDS
    )
    with closing(processes) as calls:
        for call in calls:
            if call is not None:
                number, future = call
                item = items[number]
                try:
                    yield future.result()
                except BrokenProcessPool:
                    raise ValueError(f"{ENDED}; use fewer jobs.") from None
                except FORESEEN as error:  # as of a layer that cannot be sent to a process
                    sentence = refusal(error)
                    if sentence is None:
                        raise
                    yield ItemDone(number, item.name, error=named_error(Path(item.name), sentence))
                n_done += 1
            about = "" if n_done else ", starting processes"
            if 0 < n_done < n_items:
                seconds = time.perf_counter() - started
                about = f", about {time_left(seconds, n_done, n_items - n_done)} left"
            yield Progress(f"{n_done} of {n_items}{about}", n_done / n_items)


def _do_alone(number: int, task: tuple[BatchItem, ImageWork]) -> ItemDone:
    """Do an image in a process of its own, until that is told to stop."""
    item, work = task
    with closing(do_steps(_do_item(item, work))) as steps:
        try:
            while not is_stopped():
                next(steps)
        except StopIteration as end:
            return _done(number, item, end.value)
    return ItemDone(number, item.name, error="stopped")  # nobody waits for it any more


def _done(number: int, item: BatchItem, outcome: Outcome) -> ItemDone:
    if outcome.error:
        return ItemDone(number, item.name, error=named_error(Path(item.name), outcome.error))
    return ItemDone(number, item.name, tuple(outcome.result), item.target)


def _do_item(item: BatchItem, work: ImageWork) -> Generator[Progress, None, list[Row]]:
    yield Progress("reading")
    if item.target is not None:
        item.target.parent.mkdir(parents=True, exist_ok=True)
    return (yield from do_image(item.read(), work, item.target, item.regions))


class Batch:
    """Runs one batch at a time in the background, and fills the table with it.

    Parameters
    ----------
    table
        Gets the rows, image by image.
    executor
        Runs the work: its own, so that the overlay need not wait.

    Attributes
    ----------
    busy
        Whether one is under way.
    report
        How the last one ended; None before that.
    """

    progressed = Signal(Progress)
    ended = Signal(BatchReport)
    failed = Signal(str, description="What nobody foresaw ended the batch; a sentence.")

    def __init__(self, table: ResultsTable, executor: Executor) -> None:
        self._table, self._executor = table, executor
        self._jobs = Jobs(executor, ("batch",), lambda: None)
        self._done: list[ItemDone] = []
        self._early: dict[int, ItemDone] = {}
        self._n_images = 0
        self.busy = False
        self.report: BatchReport | None = None

    def start(self, items: Sequence[BatchItem], work: ImageWork, jobs: int = 1) -> None:
        """Begin a batch.

        Parameters
        ----------
        jobs
            How many images to work on at once, each in a process of its own; 1 works in this one.

        Raises
        ------
        ValueError
            If one is under way, there is nothing to do, or `jobs` is below 1.
        """
        if jobs < 1:
            raise ValueError(f"jobs is {jobs}; give 1 or more.")
        if self.busy:
            raise ValueError("a batch is already running; stop it first, or wait.")
        if not items:
            raise ValueError("there is nothing to do: all results already exist.")
        self._done, self._early, self._n_images, self.report = [], {}, len(items), None
        self.busy = True

        def steps() -> Iterator[Progress | ItemDone]:
            if min(jobs, len(items)) == 1:
                return do_batch(items, work)
            return do_batch_in_processes(items, work, jobs)

        self._jobs.submit("batch", steps, self._on_result, self._on_end)

    def stop(self) -> None:
        """Stop; images that are done stay done."""
        if self.busy:
            self._jobs.stop()
            self._end(stopped=True)

    def wait(self, timeout: float | None = 60.0) -> bool:
        """Return, when nothing is under way any more, whether that was so within `timeout` s."""
        return self._executor.wait(lambda: not self._jobs.busy, timeout)

    def close(self) -> None:
        """Stop, and accept nothing more."""
        self._jobs.close()

    def _on_result(self, result: Progress | ItemDone) -> None:
        if isinstance(result, Progress):
            self.progressed.emit(result)
            return
        # In the order of the images, whichever is done first.
        self._early[result.number] = result
        while (following := self._early.pop(len(self._done), None)) is not None:
            self._take(following)

    def _take(self, item: ItemDone) -> None:
        self._done.append(item)
        if item.rows:
            self._table.put(item.rows)

    def _on_end(self, error: Exception | None) -> None:
        if error is not None:
            self.failed.emit(user_message(error))
        self._end(stopped=error is not None)

    def _end(self, *, stopped: bool) -> None:
        for number in sorted(self._early):
            self._take(self._early[number])
        done = tuple(item for item in self._done if not item.error)
        failed = tuple(item for item in self._done if item.error)
        self.busy = False
        self.report = BatchReport(self._n_images, done, failed, stopped)
        self.ended.emit(self.report)
