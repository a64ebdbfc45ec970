from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.session_file import (
    SUFFIX,
    load_results,
    load_state,
    load_view,
    save_state,
    session_files,
    session_summary,
    state_from_json,
    state_to_json,
)
from napari_colorkde.app.settings.class_settings import ClassificationSettings
from napari_colorkde.app.settings.view_settings import ViewSettings
from napari_colorkde.app.state import State
from napari_colorkde.core.csv_and_frames import Row
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

RECORDED = Path(__file__).parents[1] / "compat" / "data" / "0.1.0" / "sessions"
FULL = [[90.1, 30, 0], [30, 80, -10], [0, -10, 70]]
KERNELS = KernelSet(
    [Kernel([1 / 3, 2, 3], FULL, 0.1, cls="a", visible=False), Kernel([4, 5, 6], [7, 8, 9], 2)],
    "mine",
)
STATE = State().replace(
    channels=Channels(("red", "blue"), 2, (0, 2)),
    bandwidth=(1.1, 2.2),
    kernel_sets={"mine": KERNELS, "other": KernelSet(KERNELS[:1].kernels, "other")},
    kernel_set="other",
    show="kernels",
    log=False,
    colormap="viridis",
    space="lab",
    classification=ClassificationSettings().replace(
        show="posterior", cls="a", priors={"a": 0.3}, threshold=0.7, compared_sets=["mine", "other"]
    ),
)


def test_the_table_of_results_is_kept_beside_the_state(tmp_path: Path) -> None:
    path = tmp_path / "a.session.json"
    rows: list[Row] = [{"image": "a", "pixels": 3, "area": 1 / 3, "entropy": float("-inf")}]
    save_state(path, STATE, results=rows)
    assert load_state(path) == STATE
    assert load_results(path) == [{**rows[0], "entropy": None}]
    assert "2 kernels" not in session_summary(State(), path, 1)
    assert session_summary(State(), path, 1).startswith("1 result, ")
    save_state(path, STATE)
    assert load_results(path) == []
    for wrong in ({"results": 3}, {"results": [{"image": [1]}]}, {"results": [{"pixels": 1}]}):
        path.write_text(json.dumps(json.loads(state_to_json(STATE)) | wrong), encoding="utf-8")
        with pytest.raises(ValueError, match="its results are not rows of a table"):
            load_results(path)
        assert load_state(path) == STATE


@pytest.mark.parametrize("state", [State(), STATE, State(bandwidth="loco")])
def test_a_state_comes_back_bit_for_bit(state: State, tmp_path: Path) -> None:
    save_state(tmp_path / "a.session.json", state)
    assert load_state(tmp_path / "a.session.json") == state


def test_the_view_of_the_color_space_is_kept_beside_the_state(tmp_path: Path) -> None:
    path = tmp_path / "a.session.json"
    view = ViewSettings(mode="shells", viewpoint=(1 / 3, 2.0, 3.0, 0.4, 0.5, 0.6))
    save_state(path, STATE, view)
    assert (load_state(path), load_view(path)) == (STATE, view)
    save_state(path, STATE)  # as earlier versions did
    assert (load_state(path), load_view(path)) == (STATE, ViewSettings())


def test_a_view_that_cannot_be_leaves_the_state_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.session.json"
    path.write_text(changed(view={"mode": "fog"}))
    assert load_state(path) == STATE
    with pytest.raises(ValueError, match="fog"):
        load_view(path)


def changed(**fields: Any) -> str:
    return json.dumps({**json.loads(state_to_json(STATE)), **fields})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "format"),
        (changed(format="other"), "format"),
        (changed(version=2), "version 2"),
        (changed(bandwidth=-1), "positive"),
        (changed(show="everything"), "everything"),
        (changed(channels={"axis": 2}), r"channels\.names: field required"),
        (changed(channels={"names": []}), r"channels\.names: .* at least 1 item"),
        (changed(colormap="fog"), "colormap='fog' is not known"),
        (changed(log="no"), "log: input should be a valid boolean"),
        (changed(bandwidth=[None]), "bandwidth: bandwidth=.* is not a number"),
        (changed(judgement={"none_below": 2}), r"judgement: keep_mass=2.*above 0 and up to 1"),
        (changed(judgement={"among": 2}), r"judgement\.among: give a list; it is 2"),
        ("[" * 100_000, "nested too deeply"),
        (changed(kernel_sets={"format": "other"}), "not a kernel file"),
        ('{"format": "napari-colorkde session", "version": 1}', "no 'show'"),
    ],
)
def test_what_is_no_session_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        state_from_json(text)


def test_the_newest_session_comes_first(tmp_path: Path) -> None:
    for age, name in enumerate("cab"):
        path = tmp_path / f"{name}{SUFFIX}"
        save_state(path, STATE)
        os.utime(path, (1000 - age, 1000 - age))
    (tmp_path / "notes.txt").write_text("no session")
    assert [path.name[0] for path in session_files(tmp_path)] == ["c", "a", "b"]


def test_a_session_is_described(tmp_path: Path) -> None:
    path = tmp_path / f"a{SUFFIX}"
    save_state(path, STATE)
    assert session_summary(STATE, path).startswith("3 kernels (mine, other), 2")
    assert session_summary(State(), path).startswith("settings")


def test_sessions_of_earlier_versions_are_in_the_images_own_channels() -> None:
    document = json.loads(state_to_json(STATE))
    del document["space"]
    assert state_from_json(json.dumps(document)).space == "rgb"


@pytest.mark.parametrize(
    "path", sorted(RECORDED.glob("*.session.json")), ids=lambda path: path.name
)
def test_states_are_still_written_as_0_1_0_wrote_them(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["look"]  # of which it has defaults
    assert json.loads(state_to_json(load_state(path))) == document


def test_the_names_of_today_are_understood_too() -> None:
    document = json.loads(state_to_json(STATE))
    old = document.pop("judgement")
    old["keep_mass"], old["show_mask"] = old.pop("none_below"), old.pop("masked")
    old["compared_sets"] = old.pop("among")
    document["classification"] = old
    document["channels"]["indices"] = document["channels"].pop("entries")
    assert state_from_json(json.dumps(document)) == STATE
