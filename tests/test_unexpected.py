from __future__ import annotations

import gc
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from psygnal import EmitLoopError, Signal

import napari_colorkde
from napari_colorkde import unexpected
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.connections import Connections


class Source:
    changed = Signal(int)


class Window:
    """Tells errors, as the lines of the dock do."""

    def __init__(self) -> None:
        self.told: list[Exception] = []
        unexpected.add_handler(self.tell)

    def tell(self, error: Exception) -> None:
        self.told.append(error)


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setattr(unexpected, "RAISES", False)
    window = Window()
    yield window
    unexpected.remove_handler(window.tell)


def fail(value: object) -> None:
    raise KeyError(f"no {value}")


def test_a_listener_that_fails_is_told_of_and_the_others_hear(
    window: Window, caplog: pytest.LogCaptureFixture
) -> None:
    source, connections, heard = Source(), Connections(), []
    connections.add(source.changed, fail)
    connections.add(source.changed, heard.append)
    with caplog.at_level(logging.ERROR, "napari_colorkde"):
        source.changed.emit(3)
    assert heard == [3]
    assert [str(error) for error in window.told] == ["'no 3'"]
    assert "Traceback" in caplog.text
    assert "raise KeyError" in caplog.text


def test_without_a_window_the_error_is_raised() -> None:
    source, connections = Source(), Connections()
    connections.add(source.changed, fail)
    with pytest.raises(EmitLoopError, match="no 3"):
        source.changed.emit(3)


def test_in_tests_the_error_is_raised_in_windows_too(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unexpected, "RAISES", True)
    with pytest.raises(KeyError, match="no 4"):
        unexpected.call(fail, 4)
    assert window.told == []


def test_a_session_goes_on_when_a_listener_fails(window: Window) -> None:
    session, connections = Session(), Connections()
    for signal in (session.state_changed, session.counted_changed, session.estimate_changed):
        connections.add(signal, lambda value, *more: fail(type(value).__name__))
    session.open(source_of_array(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)))
    session.bandwidth = 9
    session.wait()
    assert session.estimate is not None
    assert session.estimate.sigmas == (9.0, 9.0, 9.0)
    assert {str(error) for error in window.told} == {
        "'no State'",
        "'no CountedImage'",
        "'no Estimate'",
    }


def test_a_result_that_cannot_be_used_leaves_the_session_usable(window: Window) -> None:
    session = Session()
    session.run("light", lambda: iter([1]), fail, fail)
    session.run("light", lambda: iter([2]), lambda result: None, lambda problem: None)
    assert [str(error) for error in window.told] == ["'no 1'", "'no None'"]
    assert not session.busy


def test_listeners_get_as_many_arguments_as_they_take() -> None:
    heard: list[Any] = []

    class Listener:
        def none(self) -> None:
            heard.append("none")

        def one(self, value: int) -> None:
            heard.append(value)

        def two(self, value: int, more: int = 7) -> None:
            heard.append((value, more))

    source, connections, listener = Source(), Connections(), Listener()
    for callback in (listener.none, listener.one, listener.two):
        connections.add(source.changed, callback)
    source.changed.emit(3)
    assert heard == ["none", 3, (3, 7)]
    del callback
    del listener
    gc.collect()
    source.changed.emit(4)
    assert heard == ["none", 3, (3, 7)], "listeners are held weakly"
    connections.close()
    assert len(source.changed) == 0


def catching(pattern: str) -> set[str]:
    package = Path(napari_colorkde.__file__).parent
    return {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(pattern, path.read_text(encoding="utf-8"))
    }


def test_errors_of_all_kinds_are_caught_in_one_place() -> None:
    assert catching(r"except Exception\b|except:") == {"unexpected.py"}
    # What is half done is undone, and the error raised again.
    assert catching(r"except BaseException\b") == {
        "cli/density_output.py",
        "core/palette/on_cluster/count_in_tree.py",
        "io/writers/atomic.py",
    }
