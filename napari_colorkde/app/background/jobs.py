"""Work that can be stopped: lanes of generators, run by a given executor.

Each kind of work has a *lane*, in which one job runs at a time. Of work that only follows what is
shown at most one job waits: a newer one takes its place. Work that a user asked for is *kept*: all
of it is done, in the order in which it was asked for. A job is a generator: it can be stopped
between its yields, and jobs of a more urgent lane go first, at the next yield. Whatever a job
yields is handed over on the main thread; what belongs to a job that was stopped is dropped, by
comparing generation numbers.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar, cast

from napari_colorkde.app.background.executor import Executor, Work
from napari_colorkde.unexpected import call, outcome_of

Result = TypeVar("Result")


@dataclass(eq=False)
class Job:
    """One piece of work in a lane.

    Attributes
    ----------
    generation
        Counts the jobs of all lanes; a larger number is a newer job.
    is_picture
        Says of a yielded value whether it is good enough to be shown for a newer job to go first.
    keep
        Whether a newer job waits behind this one, and does not take its place.
    """

    generation: int
    work: Work
    on_result: Callable[[object], None]
    on_end: Callable[[Exception | None], None]
    is_picture: Callable[[object], bool]
    lane: "Lane"
    keep: bool = False
    seen_picture: bool = False
    iterator: Iterator[object] | None = None

    def step(self) -> object:
        """Begin the work, or go on with it, and return what it yields next.

        Raises
        ------
        StopIteration
            If it is done.
        """
        if self.iterator is None:
            self.iterator = self.work()
        return next(self.iterator)

    @property
    def is_stopped(self) -> bool:
        """Whether nothing of this job is wanted any more."""
        return self.generation < self.lane.first_wanted


@dataclass(eq=False, slots=True)
class Lane:
    """The running and the waiting jobs of one kind of work.

    `first_wanted` is the oldest generation of which results are still wanted.
    """

    running: Job | None = None
    waiting: deque[Job] = field(default_factory=deque)
    first_wanted: int = 0


@dataclass(frozen=True, slots=True)
class _Result:
    job: Job
    value: object


@dataclass(frozen=True, slots=True)
class _End:
    job: Job
    error: Exception | None


def _never(value: object) -> bool:
    return False


@dataclass(eq=False)
class Jobs:
    """The lanes of one session, most urgent first.

    Parameters
    ----------
    executor
        Runs the work.
    lanes
        Names of the lanes, the most urgent first.
    on_idle
        Called when nothing runs and nothing waits any more.
    """

    executor: Executor
    lanes: tuple[str, ...]
    on_idle: Callable[[], None]
    _lanes: dict[str, Lane] = field(init=False)

    def __post_init__(self) -> None:
        self._lanes = {name: Lane() for name in self.lanes}
        # Guards the lanes, which the worker reads and moves on while the main thread submits.
        self._lock = threading.Lock()
        self._generation = 0
        self._working = False
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether anything runs, waits, or has yet to be handed over."""
        return self._working

    def busy_in(self, lane: str) -> bool:
        """Whether a job of this lane runs or waits."""
        entry = self._lanes[lane]
        return entry.running is not None or bool(entry.waiting)

    def submit(
        self,
        lane: str,
        work: Callable[[], Iterator[Result]],
        on_result: Callable[[Result], None],
        on_end: Callable[[Exception | None], None],
        *,
        is_picture: Callable[[Result], bool] = _never,
        keep: bool = False,
    ) -> None:
        """Run `work` when the running job of its lane and all kept ones that wait have ended.

        Parameters
        ----------
        lane
            One of the lanes.
        work
            Makes the generator.
        on_result
            Called on the main thread with each value it yields.
        on_end
            Called on the main thread when it has ended by itself, with the error or None; not if it
            was stopped.
        is_picture
            Where it says True of a yielded value and a newer job waits, this one is not continued.
        keep
            Whether a user asked for it, so that it is done in any case. A job that is not kept is
            replaced by the next one of its lane while it waits.
        """
        if self._closed:
            return
        with self._lock:
            self._generation += 1
            entry = self._lanes[lane]
            if entry.waiting and not entry.waiting[-1].keep:
                entry.waiting.pop()
            # Of whatever kind the values are, a job's own functions take those of its own work.
            take = cast(Callable[[object], None], on_result)
            shows = cast(Callable[[object], bool], is_picture)
            job = Job(self._generation, work, take, on_end, shows, entry, keep)
            entry.waiting.append(job)
        if not self._working:
            self._start()

    def stop(self, *lanes: str) -> None:
        """Stop the running job and drop those that wait, in these lanes or in all of them."""
        with self._lock:
            for name in lanes or self.lanes:
                lane = self._lanes[name]
                lane.waiting.clear()
                lane.first_wanted = self._generation + 1

    def close(self) -> None:
        """Stop everything and accept nothing more."""
        self._closed = True
        self.stop()
        self.executor.close()

    def _start(self) -> None:
        self._working = True
        self.executor.start(self._steps, self._deliver, self._ended)

    def _steps(self) -> Iterator[_Result | _End]:
        """Advance the most urgent job by one yield, again and again. Runs on the worker.

        Errors are values here: Qt's generator workers lose a RuntimeError, which torch raises.
        """
        while (job := self._next()) is not None:
            value, error = outcome_of(job.step)
            if error is not None:
                self._retire(job)
                yield _End(job, None if isinstance(error, StopIteration) else error)
            else:
                job.seen_picture = job.seen_picture or job.is_picture(value)
                yield _Result(job, value)
            # Let go of them: a palette in a local variable would outlive its image.
            del value, error

    def _next(self) -> Job | None:
        dropped: list[Job] = []
        job: Job | None = None
        with self._lock:
            for name in self.lanes:
                lane = self._lanes[name]
                job = lane.running
                if job is not None and (job.is_stopped or (job.seen_picture and lane.waiting)):
                    dropped.append(job)
                    lane.running = job = None
                if job is None and lane.waiting:
                    job = lane.running = lane.waiting.popleft()
                if job is not None:
                    break
        for stopped in dropped:
            _close(stopped)
        return job

    def _retire(self, job: Job) -> None:
        _close(job)
        with self._lock:
            job.lane.running = None

    def _deliver(self, item: _Result | _End) -> None:
        if self._closed or item.job.is_stopped:
            return
        if isinstance(item, _End):
            call(item.job.on_end, item.error)
        else:
            call(item.job.on_result, item.value)

    def _ended(self) -> None:
        self._working = False
        if self._closed:
            return
        with self._lock:
            pending = any(lane.running or lane.waiting for lane in self._lanes.values())
        if pending:
            self._start()
        else:
            call(self.on_idle)


def _close(job: Job) -> None:
    close = getattr(job.iterator, "close", None)
    if close is not None:
        close()
    job.iterator = None
