from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from napari_colorkde.app.background.executor import SynchronousExecutor
from napari_colorkde.app.background.jobs import Jobs
from tests.app.stepping import SteppingExecutor


class Recorder:
    """Jobs that write down what they do, and what arrives."""

    def __init__(self, lanes: tuple[str, ...] = ("edit", "count")) -> None:
        self.executor = SteppingExecutor()
        self.idle = 0
        self.jobs = Jobs(self.executor, lanes, self._on_idle)
        self.arrived: list[Any] = []
        self.closed: list[str] = []

    def _on_idle(self) -> None:
        self.idle += 1

    def submit(
        self,
        lane: str,
        name: str,
        values: tuple[Any, ...],
        pictures: tuple[Any, ...] = (),
        *,
        keep: bool = False,
    ) -> None:
        def work() -> Iterator[Any]:
            try:
                for value in values:
                    if isinstance(value, Exception):
                        raise value
                    yield value
            finally:
                self.closed.append(name)

        self.jobs.submit(
            lane,
            work,
            lambda value: self.arrived.append((name, value)),
            lambda error: self.arrived.append((name, error)),
            is_picture=lambda value: value in pictures,
            keep=keep,
        )


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_results_arrive_in_order_and_the_end_without_error(recorder: Recorder) -> None:
    recorder.submit("edit", "a", (1, 2))
    recorder.executor.run()
    assert recorder.arrived == [("a", 1), ("a", 2), ("a", None)]
    assert not recorder.jobs.busy
    assert recorder.idle == 1


def test_the_newest_request_waits_and_those_between_are_never_started(recorder: Recorder) -> None:
    recorder.submit("edit", "a", (1,))
    recorder.executor.step()
    recorder.submit("edit", "b", (2,))
    recorder.submit("edit", "c", (3,))
    recorder.executor.run()
    assert recorder.arrived == [("a", 1), ("a", None), ("c", 3), ("c", None)]
    assert recorder.closed == ["a", "c"]


def test_work_that_was_asked_for_is_all_done_in_order(recorder: Recorder) -> None:
    recorder.submit("edit", "a", (1,), keep=True)
    recorder.executor.step()
    recorder.submit("edit", "b", (2,), keep=True)
    recorder.submit("edit", "c", (3,), keep=True)
    recorder.executor.run()
    assert [name for name, value in recorder.arrived if value is not None] == ["a", "b", "c"]
    assert recorder.closed == ["a", "b", "c"]


def test_what_only_follows_is_replaced_and_what_was_asked_for_is_not(recorder: Recorder) -> None:
    recorder.submit("edit", "running", (0,))
    recorder.executor.step()
    recorder.submit("edit", "followed", (1,))
    recorder.submit("edit", "asked", (2,), keep=True)
    recorder.submit("edit", "followed too", (3,))
    recorder.submit("edit", "newest", (4,))
    recorder.executor.run()
    assert recorder.closed == ["running", "asked", "newest"]


def test_stopping_a_lane_drops_what_was_asked_for_too(recorder: Recorder) -> None:
    for name in "abc":
        recorder.submit("edit", name, (1,), keep=True)
    recorder.executor.step()
    recorder.jobs.stop("edit")
    recorder.executor.run()
    assert recorder.closed == ["a"]
    assert recorder.idle == 1


def test_a_preview_is_not_refined_while_a_newer_request_waits(recorder: Recorder) -> None:
    recorder.submit("edit", "a", ("volume", "preview", "exact"), pictures=("preview", "exact"))
    recorder.executor.step()
    recorder.submit("edit", "b", ("exact",), pictures=("exact",))
    recorder.executor.run()
    assert recorder.arrived == [("a", "volume"), ("a", "preview"), ("b", "exact"), ("b", None)]
    assert recorder.closed == ["a", "b"]


def test_an_urgent_lane_goes_first_at_the_next_yield(recorder: Recorder) -> None:
    recorder.submit("count", "count", (1, 2, 3))
    recorder.executor.step()
    recorder.submit("edit", "edit", ("x", "y"))
    recorder.executor.run()
    assert [name for name, _ in recorder.arrived] == [
        "count",
        *["edit"] * 3,
        *["count"] * 3,
    ]


def test_results_on_their_way_are_dropped_when_their_job_is_stopped(recorder: Recorder) -> None:
    recorder.submit("edit", "a", (1, 2, 3))
    recorder.executor.compute()
    recorder.jobs.stop("edit")
    recorder.submit("edit", "b", (4,))
    recorder.executor.run()
    assert recorder.arrived == [("b", 4), ("b", None)]
    assert recorder.closed == ["a", "b"]


def test_an_end_on_its_way_is_dropped_too(recorder: Recorder) -> None:
    recorder.submit("edit", "a", ())
    recorder.executor.compute()
    recorder.jobs.stop()
    recorder.executor.deliver()
    assert recorder.arrived == []


def test_stopping_one_lane_leaves_the_others(recorder: Recorder) -> None:
    recorder.submit("count", "count", (1, 2))
    recorder.submit("edit", "edit", (3, 4))
    recorder.executor.step()
    recorder.jobs.stop("edit")
    recorder.executor.run()
    assert recorder.arrived == [("edit", 3), ("count", 1), ("count", 2), ("count", None)]


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("torch says no"), MemoryError()])
def test_an_error_is_handed_over_and_the_next_job_runs(
    recorder: Recorder, error: Exception
) -> None:
    recorder.submit("edit", "a", (1, error))
    recorder.executor.step()
    recorder.submit("edit", "b", (2,))
    recorder.executor.run()
    assert recorder.arrived == [("a", 1), ("a", error), ("b", 2), ("b", None)]


def test_an_error_before_the_first_yield_is_handed_over(recorder: Recorder) -> None:
    def work() -> Iterator[Any]:
        raise OSError("no file")

    errors: list[Exception | None] = []
    recorder.jobs.submit("edit", work, lambda value: None, errors.append)
    recorder.executor.run()
    assert [str(error) for error in errors] == ["no file"]


def test_work_submitted_when_the_worker_has_just_ended_is_run(recorder: Recorder) -> None:
    recorder.submit("edit", "a", (1,))
    while recorder.executor.compute():
        pass
    recorder.submit("edit", "b", (2,))  # the main thread does not know of the end yet
    recorder.executor.deliver()
    recorder.executor.run()
    assert recorder.arrived[-2:] == [("b", 2), ("b", None)]
    assert recorder.idle == 1


def test_nothing_arrives_and_nothing_starts_after_closing(recorder: Recorder) -> None:
    recorder.submit("edit", "a", (1, 2))
    recorder.executor.compute()
    recorder.jobs.close()
    recorder.executor.run()
    recorder.submit("edit", "b", (3,))
    assert recorder.arrived == []
    assert recorder.executor.closed
    assert recorder.closed == ["a"]


def test_the_synchronous_executor_runs_at_once_even_what_a_result_asks_for() -> None:
    arrived: list[Any] = []
    jobs = Jobs(SynchronousExecutor(), ("edit", "count"), lambda: arrived.append("idle"))

    def ask_for_more(value: Any) -> None:
        arrived.append(value)
        jobs.submit("edit", lambda: iter(["more"]), arrived.append, _ignore)

    jobs.submit("count", lambda: iter(["palette"]), ask_for_more, _ignore)
    assert arrived == ["palette", "more", "idle"]
    assert not jobs.busy


def _ignore(error: Exception | None) -> None:
    assert error is None
