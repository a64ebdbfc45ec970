"""Files that 0.1.0 wrote: kernels, sessions, copied scripts. They open, and mean what they did."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_colorkde import Kernel, KernelSet, load_kernels, save_kernels
from napari_colorkde.cli import main
from tests.compat import doors
from tests.compat.conftest import RECORDED, Widget

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SCRIPTS = json.loads((RECORDED / "scripts.json").read_text())
COMMANDS = {name: entry["command"] for name, entry in SCRIPTS.items() if entry["command"]}
SHOWN = np.load(RECORDED / "shown.npz")

WARM = [
    Kernel([180.25, 120, 80], [900, 500, 300.5], 1 / 3, name="it's"),
    Kernel([140, 100, 70], [[400, 90, 0], [90, 300, 10], [0, 10, 200]], 2 / 3, visible=False),
]
COOL = [Kernel([100, 120, 140], [700, 600, 500], 1)]
BROWN = [Kernel([120, 90, 60], [500, 500, 500], 1, cls="earth", name='röt, "clay"')]
THREE = {
    "warm tones": KernelSet(WARM, "warm tones"),
    "cool": KernelSet(COOL, "cool"),
    "brown": KernelSet(BROWN, "brown"),
}


# Kernel files


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_kernel_files_open(recorded: Path, suffix: str) -> None:
    assert load_kernels(recorded / f"kernels{suffix}") == THREE


def test_files_without_what_is_optional_open(recorded: Path) -> None:
    with pytest.warns(UserWarning, match=r"weights of set 'diagonal' sum to 1\.25"):
        plain = load_kernels(recorded / "minimal" / "diagonal.csv")
    kernels = [Kernel([100, 120, 140], [700, 600, 500], 1), Kernel([1.5, 2, 3e-5], [4, 5, 6], 0.25)]
    assert plain == {"diagonal": KernelSet(kernels, "diagonal")}
    bgr = KernelSet([Kernel([1, 2, 3], [4, 5, 6], 1)], "cv", "bgr")
    with pytest.warns(UserWarning, match="B, G, R"):
        assert load_kernels(recorded / "minimal" / "bgr.json") == {"cv": bgr}
    pair = KernelSet([Kernel([3, 4], [[2, 1], [1, 2]], 1, cls="a")], "pair")
    assert load_kernels(recorded / "two_channels.json") == {"pair": pair}


def test_kernel_files_are_still_written_so_that_0_1_0_reads_them(
    recorded: Path, tmp_path: Path
) -> None:
    # It refuses fields and columns that it does not know.
    about = "napari-colorkde fit photo.npy -k 4 -o kernels.json"
    for suffix in (".json", ".csv"):
        save_kernels(tmp_path / f"kernels{suffix}", THREE, about=about)
        before = (recorded / f"kernels{suffix}").read_text(encoding="utf-8")
        now = (tmp_path / f"kernels{suffix}").read_text(encoding="utf-8")
        assert now.splitlines() == before.splitlines()
    kernel = json.loads((tmp_path / "kernels.json").read_text())["sets"][2]["kernels"][0]
    assert kernel["class"] == "earth"


# Sessions


def chosen(state: Any) -> dict[str, Any]:
    names = ("show", "space", "bandwidth", "log", "colormap", "kernel_set")
    return {name: getattr(state, name) for name in names}


def asked(judgement: Any) -> dict[str, Any]:
    names = ("show", "cls", "against", "none_below", "threshold", "masked", "among")
    values = {name: getattr(judgement, name) for name in names}
    return {**values, "priors": dict(judgement.priors)}


START = {
    "show": "kde",
    "space": "rgb",
    "bandwidth": None,
    "log": True,
    "colormap": "magma",
    "kernel_set": None,
}
NOTHING_ASKED = {
    "show": "density",
    "cls": None,
    "against": None,
    "none_below": None,
    "threshold": None,
    "masked": False,
    "among": (),
    "priors": {},
}
STATES: dict[str, dict[str, Any]] = {
    "settings": {
        "space": "oklab",
        "bandwidth": (2.5, 3, 4),
        "log": False,
        "colormap": "viridis",
    },
    "kde": {"bandwidth": (2.5,), "log": False, "colormap": "turbo", "kernel_set": "cool"},
    "kernels": {"show": "kernels", "bandwidth": "loco", "kernel_set": "brown"},
    "classes": {"show": "kernels", "colormap": "inferno", "kernel_set": "cool"},
    "ratio": {"show": "kernels", "kernel_set": "cool"},
    "view": {"space": "lab", "bandwidth": "scott", "kernel_set": "cool"},
    "channels": {"kernel_set": "pair"},
}
ASKED: dict[str, dict[str, Any]] = {
    "classes": {
        "show": "posterior",
        "cls": "cool",
        "against": "earth",
        "none_below": 0.75,
        "threshold": 0.625,
        "masked": True,
        "among": ("cool", "brown"),
        "priors": {"cool": 0.2, "earth": 0.5},
    },
    "ratio": {"show": "ratio", "cls": "earth", "against": "cool", "threshold": -1.5},
}
VIEW = {
    "mode": "shells",
    "exposure": 2.5,
    "floor": 0.125,
    "perspective": False,
    "turning": True,
    "walls": True,
    "outline": False,
    "legend": False,
    "cut": 1,
    "cut_at": 0.25,
    "shells": (0.25, 0.75),
    "radius": 1.5,
    "by_class": True,
    "viewpoint": (10.0, 20.0, 1.5, 0.5, 0.25, 0.75),
}


def check_view(look: Any, name: str) -> None:
    if name == "view":
        assert {field: getattr(look, field) for field in VIEW} == VIEW
        assert look.scale in ("equalised", "equalized")
    else:
        assert (look.mode, look.scale, look.cut, look.viewpoint) == ("cloud", "linear", None, None)


@pytest.mark.parametrize("name", STATES)
def test_sessions_open(recorded: Path, name: str) -> None:
    state, look = doors.read_session(recorded / "sessions" / f"{name}.session.json")
    assert chosen(state) == START | STATES[name]
    assert asked(state.judgement) == NOTHING_ASKED | ASKED.get(name, {})
    check_view(look, name)
    if name == "channels":
        channels = state.channels
        assert (channels.names, channels.axis, channels.entries, channels.layers) == (
            ("red", "blue"),
            2,
            (0, 2),
            (),
        )


def button(widget: Any, text: str) -> Any:
    from qtpy.QtWidgets import QAbstractButton

    (found,) = (b for b in widget.findChildren(QAbstractButton) if b.text() == text)
    return found


@pytest.mark.window
@pytest.mark.parametrize("name", ["kde", "kernels", "classes", "view"])
def test_sessions_are_offered_and_restored(
    make_widget: Widget, sessions: Path, photo: Any, recorded: Path, name: str
) -> None:
    file = sessions / f"{name}.session.json"
    shutil.copy(recorded / "sessions" / file.name, file)
    widget, viewer = make_widget(photo)
    restore = button(widget, "Restore")
    assert restore.isVisibleTo(widget)
    restore.click()
    session = widget.session
    session.wait()
    assert chosen(session.state) == START | STATES[name]
    assert asked(session.state.judgement) == NOTHING_ASKED | ASKED.get(name, {})
    sets = {"cool": THREE["cool"]} if name == "view" else THREE
    assert dict(session.state.kernel_sets) == sets
    check_view(session.look, name)
    assert ("photo mask" in viewer.layers) is (name == "classes")
    assert not file.exists(), "it is the session's own again, and in its file"
    session.undo()
    assert session.kernels is None


@pytest.mark.window
def test_a_session_without_kernels_is_not_offered(
    make_widget: Widget, sessions: Path, recorded: Path
) -> None:
    shutil.copy(recorded / "sessions" / "settings.session.json", sessions)
    widget, _ = make_widget()
    assert not button(widget, "Restore").isVisibleTo(widget)


# Scripts


def assert_shown(actual: Any, name: str) -> None:
    expected = SHOWN[name]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=2e-5 * np.abs(expected).max())


RUN_ALL = """
import json, sys
import numpy as np

results = {}
for name, entry in json.load(open("scripts.json", encoding="utf-8")).items():
    names = {}
    exec(compile("\\n".join(entry["python"]), name, "exec"), names)
    results[name] = names[entry["variable"]]
np.savez("results.npz", **results)
"""


def test_copied_scripts_run_and_give_what_was_shown(folder: Path) -> None:
    # In a program of their own, one after the other: each would load the libraries anew.
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with np.load("results.npz") as results:
        assert set(results) == set(SCRIPTS)
        for name in results:
            assert_shown(results[name], name)


@pytest.mark.parametrize("name", COMMANDS)
def test_copied_commands_run_and_give_what_was_shown(folder: Path, name: str) -> None:
    program, *words = shlex.split(COMMANDS[name])
    assert program == "napari-colorkde"
    assert main(words) == 0
    assert_shown(tifffile.imread(words[words.index("-o") + 1]), name)
