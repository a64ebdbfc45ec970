from __future__ import annotations

from napari_colorkde.app.state import State
from napari_colorkde.app.undo import MAX_STEPS, UndoStack

A, B, C = (State(bandwidth=(float(s),)) for s in (1, 2, 3))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_states_are_taken_back_and_brought_again() -> None:
    history = UndoStack()
    history.record(A)
    history.record(B)
    assert history.undo(C) == B
    assert history.undo(B) == A
    assert history.undo(A) is None
    assert history.redo(A) == B
    assert history.redo(B) == C
    assert history.redo(C) is None


def test_a_new_change_ends_what_could_be_brought_again() -> None:
    history = UndoStack()
    history.record(A)
    history.undo(B)
    assert history.can_redo
    history.record(A)
    assert not history.can_redo


def test_one_gesture_is_one_step() -> None:
    clock = Clock()
    history = UndoStack(clock)
    for state in (A, B):
        history.record(state, "slider")
        clock.now += 0.9
    assert history.undo(C) == A
    assert not history.can_undo


def test_a_pause_another_gesture_and_no_gesture_begin_another_step() -> None:
    clock = Clock()
    history = UndoStack(clock)
    history.record(A, "slider")
    clock.now += 1.1
    history.record(B, "slider")
    history.record(C, "another")
    history.record(A)
    history.record(B)
    taken = [history.undo(C) for _ in range(5)]
    assert taken == [B, A, C, B, A]


def test_very_old_states_are_forgotten() -> None:
    history = UndoStack()
    for _ in range(MAX_STEPS + 10):
        history.record(A)
    steps = 0
    while history.undo(B) is not None:
        steps += 1
    assert steps == MAX_STEPS
