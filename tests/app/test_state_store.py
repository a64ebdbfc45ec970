from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.forwarded_names import PartOf, StateField
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.app.state_store import StateStore
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

KERNELS = KernelSet([Kernel([60, 55, 50], [90, 80, 70], 0.6)], "mine")
CLASSES = KernelSet([Kernel([1, 2, 3], [4, 5, 6], 1, cls=cls) for cls in "ab"], "classes")


def test_a_store_needs_no_image() -> None:
    store = StateStore()
    store.set(bandwidth=4, space="lab", channels=source_of_array(np.zeros((2, 2))).choices[0])
    store.edit(KERNELS)
    store.undo()
    store.undo()
    store.redo()
    assert (store.state.bandwidth, store.state.space, store.state.kernels) == ((4.0,), "lab", None)
    assert (store.can_undo, store.can_redo) == (True, True)


def test_listeners_hear_of_a_change_before_work_begins() -> None:
    heard: list[str] = []
    store = StateStore(on_change=lambda state, before: heard.append("work"))
    store.state_changed.connect(lambda state, before: heard.append("state"))
    store.set(bandwidth=4)
    store.put(replace(store.state, colormap="gray"))
    store.undo()
    assert heard == ["state", "work", "state", "state", "work"]
    assert not store.can_undo, "what is only put is no step of undo"


def test_what_belongs_to_parts_of_a_session_is_read_and_not_set() -> None:
    session = Session()
    session.open(source_of_array(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)))
    parts = inspect.getmembers_static(Session, lambda member: type(member) is PartOf)
    assert {"palette", "densities", "state_changed"} <= {name for name, _ in parts}
    for name, part in parts:
        getattr(session, name)
        assert part.__doc__
        with pytest.raises(AttributeError, match=f"{name} is a result"):
            setattr(session, name, None)
    fields = inspect.getmembers_static(Session, lambda member: isinstance(member, StateField))
    assert [name for name, _ in fields if not hasattr(session.state, name)] == []


def old_look(session: Session) -> Any:
    return replace(session.view, walls=True)  # type: ignore[call-arg]


OLD: dict[str, Callable[[Session], Any]] = {
    "judge": lambda session: session.judge(show="density"),
    "none_below": lambda session: session.set_classification(none_below=0.5),
    "judgement": lambda session: session.set(judgement=session.state.classification),
    "look": lambda session: session.look,
    "look to set": lambda session: setattr(session, "look", session.view),
    "walls": old_look,
    "gesture": lambda session: session.edit(KERNELS, gesture="drag"),
    "noticed": lambda session: session.noticed,
    "entries": lambda session: session.channels.entries,  # type: ignore[union-attr]
    "changed": lambda session: session.state.changed(log=False),
}


@pytest.mark.parametrize("name", OLD)
def test_an_old_name_is_said_to_be_old_where_it_was_used(name: str) -> None:
    session = Session()
    session.open(source_of_array(np.zeros((4, 5, 3), np.uint8)))
    session.set(kernels=CLASSES)
    with pytest.warns(DeprecationWarning, match="is now called") as said:
        OLD[name](session)
    assert {each.filename for each in said} == {__file__}


def test_kernels_that_are_none_are_refused_with_a_way_back() -> None:
    store = StateStore()
    before = store.state
    with pytest.raises(TypeError, match='kernels is None; give a KernelSet, or show="kde"'):
        store.set(kernels=None)
    assert store.state is before
