"""Every value of a session file, damaged in many ways: it opens as a valid state, or is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from napari_colorkde.app.session import Session
from napari_colorkde.app.session_file import state_from_json, state_to_json, view_from_json
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import State

FILES = Path(__file__).parents[1] / "compat" / "data" / "0.1.0" / "sessions"
DOCUMENTS = {
    name: json.loads((FILES / f"{name}.session.json").read_text(encoding="utf-8"))
    for name in ("settings", "classes", "view", "channels")
}

DEEP = "deep nesting"  # put into the text: json.dumps could not write it
VALUES: dict[str, Any] = {
    "null": None,
    "text": "fog",
    "empty text": "",
    "half a character": "\ud800",
    "list": [1, "a", None],
    "empty list": [],
    "list of null": [None],
    "object": {"a": 1},
    "nan": float("nan"),
    "infinity": float("inf"),
    "huge": 1e308,
    "huge integer": 10**309,
    "tiny": 5e-324,
    "zero": 0,
    "negative": -1,
    "true": True,
    "deep": DEEP,
}

Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*at, key))


def damaged(document: Any, place: Place) -> Iterator[tuple[str, str]]:
    """Give the texts of a document with one place damaged, and how it is."""

    def text(how: Any) -> str:
        changed = [copy.deepcopy(document)]
        parent: Any = changed
        path = (0, *place)
        for key in path[:-1]:
            parent = parent[key]
        how(parent, path[-1])
        return json.dumps(changed[0])

    for name, value in VALUES.items():

        def put(parent: Any, key: Any, value: Any = value) -> None:
            parent[key] = value

        written = text(put)
        for depth in (150, 900, 100_000) if value is DEEP else ():
            yield f"{name} {depth}", written.replace(f'"{DEEP}"', "[" * depth + "]" * depth)
        if value is not DEEP:
            yield name, written
    if place:
        yield "missing", text(lambda parent, key: parent.pop(key))

    def add(parent: Any, key: Any) -> None:
        if isinstance(parent[key], dict):
            parent[key]["color"] = "red"
        elif isinstance(parent[key], list):
            parent[key].append(copy.deepcopy(parent[key][-1]) if parent[key] else "red")
        else:
            parent[key] = [parent[key]] * 2

    yield "extra", text(add)


def check_state(state: State) -> None:
    names = [each.name for each in fields(State)]
    assert State().replace(**{name: getattr(state, name) for name in names}) == state
    assert state_from_json(state_to_json(state)) == state
    session = Session()
    session.set(**{name: getattr(state, name) for name in names if name != "channels"})
    session.close()


def check_refusal(error: ValueError, place: Place, how: str) -> None:
    sentence = str(error)
    assert sentence.startswith("the session")
    assert sentence.endswith((".", ")"))
    assert len(sentence.splitlines()) == 1
    assert len(sentence) < 600
    if "deep" in how and "nested too deeply" in sentence:
        return
    if any(mark in sentence for mark in ("not JSON", "it holds", '"format"')):
        return
    keys = [each for each in place if isinstance(each, str)]
    if place[:1] == ("look",):
        keys.append("view of the color space")
    # What is chosen may be the key that does not fit what is damaged.
    assert any(key in sentence for key in [*keys, "kernel_set", "show="]), (keys, sentence)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_damaged_session_opens_as_a_valid_state_or_is_refused(name: str) -> None:
    opened = refused = 0
    for place in places(DOCUMENTS[name]):
        for how, text in damaged(DOCUMENTS[name], place):
            try:
                state = state_from_json(text)
            except ValueError as error:
                check_refusal(error, place, how)
                refused += 1
            else:
                check_state(state)
                opened += 1
            if place and place[0] not in ("look", "format", "version"):
                continue
            try:
                view = view_from_json(text)
            except ValueError as error:
                check_refusal(error, place, how)
                refused += 1
            else:
                assert ViewSettings.from_json(json.loads(json.dumps(view.to_json()))) == view
                opened += 1
    assert opened > 100
    assert refused > 300
