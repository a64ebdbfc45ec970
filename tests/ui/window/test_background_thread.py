from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari.utils.progress import progress
from qtpy.QtCore import QThreadPool

from napari_colorkde.app.background.error_sentences import ComputeError
from napari_colorkde.app.background.jobs import Jobs
from napari_colorkde.app.density.density_steps import Progress
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.ui.window import background_thread
from napari_colorkde.ui.window.background_thread import Activity, QtExecutor, wait_for_closed
from tests.ui.conftest import RGB

pytestmark = pytest.mark.window


class Work:
    """A generator that the test lets go on."""

    def __init__(self, *values: Any) -> None:
        self.values = values
        self.go_on = threading.Semaphore(0)
        self.thread: threading.Thread | None = None
        self.ended = threading.Event()

    def __call__(self) -> Iterator[Any]:
        self.thread = threading.current_thread()
        try:
            for value in self.values:
                self.go_on.acquire(timeout=30)
                if isinstance(value, Exception):
                    raise value
                yield value
        finally:
            self.ended.set()


@pytest.fixture
def jobs(qapp: object) -> Iterator[Jobs]:
    jobs = Jobs(QtExecutor(), ("edit",), lambda: None)
    yield jobs
    jobs.close()
    QThreadPool.globalInstance().waitForDone()


def until_idle(jobs: Jobs) -> bool:
    return jobs.executor.wait(lambda: not jobs.busy, 30)


def test_work_runs_in_a_thread_and_its_results_arrive_on_this_one(jobs: Jobs) -> None:
    work, arrived = Work(1, 2), []
    work.go_on.release(2)
    jobs.submit(
        "edit",
        work,
        lambda value: arrived.append((value, threading.current_thread())),
        arrived.append,
    )
    assert jobs.busy
    assert until_idle(jobs)
    main = threading.main_thread()
    assert arrived == [(1, main), (2, main), None]
    assert work.thread is not main


@pytest.mark.parametrize("error", [RuntimeError("torch says no"), ValueError("no")])
def test_every_error_arrives_and_the_queue_goes_on(jobs: Jobs, error: Exception) -> None:
    work, arrived = Work(1, error), []
    work.go_on.release(2)
    jobs.submit("edit", work, arrived.append, arrived.append)
    assert until_idle(jobs)
    jobs.submit("edit", lambda: iter([3]), arrived.append, arrived.append)
    assert until_idle(jobs)
    assert arrived == [1, error, 3, None]


def test_waiting_gives_up_in_time(jobs: Jobs) -> None:
    work = Work(1)
    jobs.submit("edit", work, lambda value: None, lambda error: None)
    assert not jobs.executor.wait(lambda: not jobs.busy, 0.05)
    work.go_on.release()
    assert until_idle(jobs)


def test_filters_of_warnings_are_the_same_while_work_is_done(jobs: Jobs) -> None:
    before = list(warnings.filters), warnings.showwarning
    during: list[Any] = []

    def work() -> Iterator[int]:
        during.append((list(warnings.filters), warnings.showwarning))
        yield 1

    arrived: list[int] = []
    jobs.submit("edit", work, arrived.append, lambda error: None)
    assert until_idle(jobs)
    assert arrived == [1]
    assert during == [before]


def test_closing_in_the_middle_ends_the_work_at_its_next_yield(jobs: Jobs, qtbot: Any) -> None:
    work, arrived = Work(1, 2, 3), []
    jobs.submit("edit", work, arrived.append, arrived.append)
    work.go_on.release()
    qtbot.waitUntil(lambda: arrived == [1])
    jobs.close()
    work.go_on.release(2)
    QThreadPool.globalInstance().waitForDone()
    qtbot.wait(10)
    assert arrived == [1]


def test_before_python_ends_the_work_of_closed_executors_is_over(jobs: Jobs, qtbot: Any) -> None:
    work = Work(1, 2)
    jobs.submit("edit", work, lambda value: None, lambda error: None)
    qtbot.waitUntil(lambda: work.thread is not None)
    jobs.close()
    threading.Timer(0.1, work.go_on.release, (2,)).start()
    wait_for_closed()
    assert QThreadPool.globalInstance().activeThreadCount() == 0


def test_a_session_computes_in_the_background(qapp: object) -> None:
    session = Session(QtExecutor())
    session.open(source_of_array(RGB))
    assert session.densities is None
    session.wait()
    assert session.densities is not None
    session.bandwidth = (1, 2)
    with pytest.raises(ComputeError):
        session.wait()
    session.close()


def test_many_edits_at_once_end_with_the_last(qapp: object) -> None:
    session = Session(QtExecutor())
    session.open(source_of_array(RGB))
    for bandwidth in np.linspace(2, 9, 30):
        session.bandwidth = float(bandwidth)
    session.wait()
    assert session.estimate is not None
    assert session.estimate.sigmas == (9.0, 9.0, 9.0)
    session.close()


# --- napari's activity dock


@pytest.fixture
def bars() -> Iterator[Callable[[], list[Any]]]:
    """Answer with the progress bars that napari shows."""
    yield lambda: list(progress._all_instances)
    assert list(progress._all_instances) == []


def test_long_work_shows_a_bar_that_goes_away(
    qapp: object, qtbot: Any, bars: Callable[[], list[Any]]
) -> None:
    session = Session(QtExecutor())
    activity = Activity(session, delay_ms=1)
    session.open(source_of_array(RGB))
    session.bandwidth = "loco"
    qtbot.waitUntil(lambda: len(bars()) == 1, timeout=30_000)
    assert bars()[0].total == 100
    session.wait()
    assert bars() == []
    activity.close()
    session.close()


def test_the_bar_stops_the_work(
    qapp: object, qtbot: Any, bars: Callable[[], list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session(QtExecutor())
    activity = Activity(session, delay_ms=1)
    session.open(source_of_array(RGB))
    session.wait()
    shown = session.estimate
    session.bandwidth = "loco"
    qtbot.waitUntil(lambda: len(bars()) == 1, timeout=30_000)
    bars()[0].cancel()
    session.wait()
    assert bars() == []
    assert session.estimate is not None
    assert session.estimate.volume is shown.volume  # type: ignore[union-attr]
    activity.close()
    session.close()
    assert capsys.readouterr().err == ""


def test_progress_that_comes_while_a_bar_is_made_makes_no_other(
    qapp: object, qtbot: Any, bars: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(QtExecutor())
    activity = Activity(session, delay_ms=1)
    made, actual = [], background_thread._Bar.__init__

    def make(bar: Any, *args: Any, **options: Any) -> None:
        made.append(bar)
        session.progressed.emit(Progress("going on", 0.5))
        actual(bar, *args, **options)

    monkeypatch.setattr(background_thread._Bar, "__init__", make)
    session.open(source_of_array(RGB))
    session.bandwidth = "loco"
    qtbot.waitUntil(lambda: len(bars()) == 1, timeout=30_000)
    assert len(made) == 1
    session.wait()
    activity.close()
    session.close()


def test_short_work_shows_no_bar(qapp: object, bars: Callable[[], list[Any]]) -> None:
    session = Session(QtExecutor())
    activity = Activity(session)
    session.open(source_of_array(RGB[:9, :9]))
    session.wait()
    assert bars() == []
    activity.close()
    session.close()
