"""`widget.session`: what a script calls and reads, and what that does to the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde import (
    ColorKDE,
    Kernel,
    KernelSet,
    classify_image,
    compute_densities,
    load_kernels,
    save_kernels,
)
from tests.compat import doors
from tests.compat.conftest import COOL, RGB, SETS, WARM, Window, assert_same

pytestmark = [
    pytest.mark.window,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

# What is asked of classes


def test_judge(window: Window) -> None:
    window.session.set(kernel_sets=SETS)
    for asked in (
        {"show": "posterior", "cls": "blue", "priors": {"blue": 0.25, "warm": 0.75}},
        {"show": "posterior", "cls": "warm", "priors": {}},
        {"show": "ratio", "cls": "warm", "against": "blue"},
        {"show": "class", "none_below": None},
        {"show": "class", "none_below": 0.5, "priors": {"blue": 0.25}},
    ):
        fields: dict[str, Any] = asked
        window.session.judge(**fields)
        assert window.session.show == "kernels"
        assert_same(window.shown(), classify_image(RGB, SETS, **fields))
        judgement = window.session.state.judgement
        assert judgement.show == fields["show"]
        assert dict(judgement.priors) == fields.get("priors", {})


def test_judge_sets_the_threshold_and_marks_what_reaches_it(window: Window) -> None:
    session = window.session
    session.set(kernel_sets=SETS)
    session.judge(show="posterior", cls="blue", among=("warm", "cool"))
    session.judge(threshold=0.75, masked=True)
    session.wait()
    assert (session.state.judgement.threshold, session.state.judgement.masked) == (0.75, True)
    assert "photo mask" in window.viewer.layers
    session.judge(masked=False)
    assert "photo mask" not in window.viewer.layers
    session.judge(show="density")
    assert session.state.judgement.threshold is None


# Editing, files


def test_edit_undo_and_redo(window: Window) -> None:
    session = window.session
    session.edit(WARM)
    session.edit(COOL, gesture="drag")
    assert_same(window.shown(), compute_densities(RGB, COOL, log=True))
    session.undo()
    assert (session.kernels, session.can_undo, session.can_redo) == (WARM, True, True)
    session.redo()
    assert session.kernels == COOL
    session.edit(KernelSet([]))
    assert (session.kernels, session.show) == (None, "kde")


def test_kernel_files(window: Window, folder: Path) -> None:
    session = window.session
    session.kernels = WARM
    session.load_kernels("kernels.json")
    assert session.state.kernel_set == "warm tones"
    assert [name for name, _ in session.state.kernel_sets] == [
        "warm",
        "warm tones",
        "cool",
        "brown",
    ]
    session.load_kernels(folder / "kernels.csv", "cool")
    assert session.state.kernel_set == "cool"
    session.save_kernels("saved.json")
    assert load_kernels("saved.json") == {"warm": WARM, **load_kernels("kernels.json")}
    save_kernels("warm.csv", session.kernels)


def test_export(window: Window, tmp_path: Path, qtbot: Any) -> None:
    session = window.session
    session.set(bandwidth=6, log=False)
    session.wait()
    written: list[Path] = []
    session.exported.connect(written.append)
    session.export(tmp_path / "density.npy")
    session.wait()
    session.export(str(tmp_path / "density.png"), colormap="viridis", limits=(0.0, 1e-5))
    session.wait()
    assert_same(np.load(tmp_path / "density.npy"), ColorKDE(RGB, 6).density(RGB))
    assert [path.name for path in written] == ["density.npy", "density.png"]


# Reading, waiting


def test_results_can_be_read(window: Window) -> None:
    session = window.session
    session.bandwidth = (3, 4, 5)
    session.wait(timeout=60)
    assert session.source.name == "photo"
    assert session.source.array.shape == RGB.shape
    assert session.palette.n_pixels == 320
    assert session.counted.palette is session.palette
    assert tuple(session.index.shape) == RGB.shape[:2]
    assert list(session.estimate.sigmas) == [3, 4, 5]
    assert session.estimate.volume.values.ndim == 3
    assert session.densities.values.shape == (len(session.palette),)
    assert session.densities.is_exact
    assert session.densities.log
    assert isinstance(session.device.name, str)


def test_signals_announce_what_came(window: Window) -> None:
    session = window.session
    heard = []
    session.state_changed.connect(lambda now, before: heard.append(("state", now.log, before.log)))
    session.densities_changed.connect(lambda densities: heard.append(("densities", densities.log)))
    session.look_changed.connect(lambda look: heard.append(("look", look.walls)))
    session.noticed.connect(lambda sentence: heard.append(("noticed", sentence)))
    session.failed.connect(lambda sentence: heard.append(("failed", sentence)))
    session.log = False
    session.look = doors.changed(session.look, walls=True)
    session.wait()
    assert heard == [("state", False, True), ("look", True), ("densities", False)]


def test_wait_gives_up(window: Window) -> None:
    window.session.bandwidth = "loo"  # which takes a second
    with pytest.raises(TimeoutError):
        window.session.wait(timeout=0.0)
    window.session.bandwidth = 9
    window.session.wait(None)
    assert window.session.estimate.sigmas[0] == 9


def test_wait_says_what_failed(window: Window) -> None:
    session = window.session
    session.kernels = WARM
    session.wait()
    session.kernels = KernelSet([Kernel([1, 2], [3, 4], 1)], "two channels")
    with pytest.raises(RuntimeError, match="channels"):
        session.wait()
    assert "channels" in session.error


def test_recount_sees_pixels_that_were_changed(window: Window) -> None:
    window.viewer.layers["photo"].data[:8] = 7
    window.session.recount()
    window.shown()
    assert window.session.palette.counts.max() == 160
