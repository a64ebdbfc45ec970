"""The benchmarks run and judge; how fast anything is, they say when they are run."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import (
    dataset,
    deep_window,
    depth,
    editing,
    em,
    frames,
    imports,
    interactive,
    memory,
    mixture,
    opening,
    photograph,
    regions,
    selection,
    slides,
    tensors,
    volume,
)
from benchmarks.harness import Contender, Setup, compete, snippet, time_of
from benchmarks.photograph import Photograph
from benchmarks.report import Figure, Question, Row, Target, render
from benchmarks.window import wait_for_colorspace

if TYPE_CHECKING:
    from napari import Viewer

RNG = np.random.default_rng(0)

WINDOW = """
from qtpy.QtWidgets import QApplication, QWidget
application = QApplication([])
widget = QWidget()
widget.resize(600, 600)
widget.show()
application.exec()
"""


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """A picture of few levels, so that its lattice is small."""
    image = RNG.integers(0, 16, (64, 96, 3)).astype(np.uint8) * 15
    path = tmp_path / "photograph.npy"
    np.save(path, image)
    return Setup(Photograph(image, path, "noise"), repeats=1, quick=True)


@pytest.mark.parametrize("module", [volume, mixture, em, dataset, selection])
def test_each_question_compares_ours_with_its_peers(module, setup: Setup) -> None:
    question = module.measure(setup)
    assert question.rows
    for row in question.rows:
        assert row.ours.value > 0
        if row.theirs is not None:
            assert math.isfinite(row.theirs.value / row.ours.value)
            assert row.theirs.value > 0


@pytest.mark.parametrize("task", ["full", "lab", "noise8", "kernels"])
def test_depth_times_and_checks_its_densities(task: str, setup: Setup) -> None:
    notes = depth.Notes()
    depth.TASKS[task](notes, setup.photograph, True)
    pieces = [name for name, piece in depth.PIECES[task].items() if piece.unit == "s"]
    assert all(notes.seconds[name] > 0 for name in pieces)
    assert all(error < 1e-5 for error in notes.errors.values())


@pytest.mark.slow
@pytest.mark.window
def test_a_deep_photograph_is_timed_in_the_window(viewer: Viewer) -> None:
    _, widget = viewer.window.add_plugin_dock_widget("napari-colorkde", "Color KDE")
    wait_for_colorspace(widget)
    image = RNG.integers(0, 4096, (40, 60, 3), dtype=np.uint16)
    seconds = deep_window.time_all(viewer, widget, image, 2)
    assert all(min(values) > 0 for values in seconds.values())
    assert set(seconds) >= {deep_window.FIRST_PREVIEW, deep_window.WHOLE, deep_window.REGION}


def test_peers_compute_the_same_densities_as_ours(setup: Setup) -> None:
    image, kernels = setup.photograph.image, mixture.skin_and_background()
    truth = mixture.with_numpy(image, kernels)
    assert mixture.relative_error(mixture.with_torch(image, kernels), truth) < 1e-3
    several = mixture.with_sklearn(image, kernels) * (2 * np.pi) ** 1.5
    np.testing.assert_allclose(several, truth.ravel()[:: mixture.PART], rtol=1e-9)


def test_peers_fit_the_same_kernels_as_ours(setup: Setup) -> None:
    image = setup.photograph.image
    start = em.seed_kernels(em.Palette.from_image(image), em.N_KERNELS, random_state=0)
    theirs = em.likelihood_under(em.with_sklearn(image, start), image)
    assert em.with_palette(image, start) == pytest.approx(theirs, abs=em.AGREEMENT)


def test_peers_compute_the_same_likelihoods_as_ours(setup: Setup) -> None:
    train, valid = np.split(dataset.patches(setup.photograph.image, 40), 2)
    truth = dataset.direct(train, valid)
    np.testing.assert_allclose(dataset.matrix_products(train, valid), truth, rtol=1e-9)
    np.testing.assert_allclose(dataset.kernel_density(train, valid), truth, rtol=1e-9)


def test_every_task_on_a_slide_is_timed(tmp_path: Path) -> None:
    path = tmp_path / "slide.zarr"
    slides.make_slide(path, 600)
    for task in slides.TASKS:
        assert slides.do(task, path)["rate"] > 0
    assert slides.read(tmp_path / "result.zarr").shape == (600, 600)


def test_tensors_are_timed_and_compared(setup: Setup) -> None:
    image = np.resize(setup.photograph.image, (64, 96, 3))
    found = {"ours": tensors.ours(image, True), "product": tensors.product(image, True)}
    assert found["product"]["error"] < 1e-5
    for rows in (
        tensors._of_targets(found["ours"], True),
        tensors._of_colors(found, True),
        tensors._of_planes(found, True),
    ):
        assert all(row.ours.value > 0 for row in rows)


def test_the_peak_covers_what_is_held(setup: Setup) -> None:
    held = np.ones(10_000_000)
    assert held.nbytes / 1e6 < memory.resident() <= memory.peak()
    for task in (memory.engine, memory.histogram):
        assert 0 <= task(str(setup.photograph.path)) < memory.peak()


@pytest.mark.window
def test_edits_are_timed_until_they_are_on_the_screen(viewer: Viewer, setup: Setup) -> None:
    from napari_colorkde.ui.launcher import dock_plugin

    widget = dock_plugin(viewer)
    seconds = interactive.time_edits(viewer, widget, setup.photograph.image, 2)
    for name in (interactive.VOLUME, interactive.PREVIEW, interactive.EXACT):
        assert len(seconds[name]) == 2
    volumes, exact = seconds[interactive.VOLUME], seconds[interactive.EXACT]
    assert all(0 < v < e for v, e in zip(volumes, exact, strict=True))


@pytest.mark.window
@pytest.mark.parametrize("times", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_edits_of_kernels_are_timed_in_both_views(viewer: Viewer, setup: Setup, times: int) -> None:
    from napari_colorkde.ui.launcher import dock_plugin

    widget = dock_plugin(viewer)
    seconds = editing.time_edits(viewer, widget, setup.photograph.image, 2, times)
    judged = editing.JUDGED if times == 1 else ()
    assert set(seconds) == {editing.WHOLE, editing.CLOSE, *judged}
    for view in seconds.values():
        assert len(view["latency"]) == len(view["drawing"]) == 2
        assert min(view["latency"]) > 0
        assert min(view["drawing"]) > 0


@pytest.mark.window
def test_regions_are_timed_from_the_mouse_to_the_image(viewer: Viewer, setup: Setup) -> None:
    from napari_colorkde.ui.launcher import dock_plugin

    viewer.add_image(setup.photograph.image, rgb=True)
    widget = dock_plugin(viewer)
    wait_for_colorspace(widget)
    seconds = regions.time_regions(widget, 3)
    assert set(seconds) == set(regions.TOOLS)
    for timed in seconds.values():
        assert 0 < len(timed["latency"]) == len(timed["drawing"]) <= 3
        assert timed["first"] == timed["latency"][:1]
        assert min(timed["latency"]) > 0


@pytest.mark.slow
@pytest.mark.window
def test_frames_are_timed_at_rest_and_moving(viewer: Viewer, setup: Setup) -> None:
    from napari_colorkde import color_kde
    from napari_colorkde.scene.canvas import ColorSpaceCanvas

    volume = color_kde(setup.photograph.image, 40, bins=16)
    canvas = ColorSpaceCanvas()
    viewer.window.add_dock_widget(canvas.native)
    try:
        seconds = frames.time_frames(viewer, canvas, volume, 2)
    finally:
        canvas.close()
    assert set(seconds) == {frames.OURS, *frames.PEERS}
    for states in seconds.values():
        assert min(states[frames.REST]) > 0
        assert min(states[frames.MOVING]) > 0


def test_a_repeated_image_has_the_same_colors() -> None:
    image = RNG.integers(0, 256, (1030, 40, 3)).astype(np.uint8)
    finest, *coarser = editing.levels_of(image, 6)
    assert finest.shape == (2060, 120, 3)
    np.testing.assert_array_equal(finest[1030:, 80:].compute(), image)
    assert [level.shape for level in coarser] == [(1030, 60, 3)]


def test_all_but_one_in_twenty_stay_within() -> None:
    median, within = editing.median_and_95([i / 1000 for i in range(1, 101)])
    assert (median.value, within.value) == (50.5, 95)
    assert within.unit == "ms"


def test_a_sample_is_tiled_where_the_photograph_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(photograph, "DEBIAN", tmp_path / "missing.jpg")
    made = photograph.load_photograph(tmp_path, quick=True)
    assert made.image.shape == (397, 705, 3)
    np.testing.assert_array_equal(np.load(made.path), made.image)
    assert "astronaut.png" in made.description


# --- the harness


def test_children_answer_in_json_or_are_reported() -> None:
    assert snippet("print('something else'); print([1, 2])") == [1, 2]
    with pytest.raises(RuntimeError, match="exit code 3"):
        snippet("raise SystemExit(3)")


def test_contenders_take_turns() -> None:
    order: list[str] = []
    compete(
        [
            Contender("a", lambda: order.append("a")),
            Contender("b", lambda: order.append("b"), repeats=1),
            Contender("c", lambda: order.append("c")),
        ],
        repeats=2,
    )
    assert order == ["a", "b", "c", "a", "c"]


def test_a_peer_that_is_not_installed_is_left_out_and_named() -> None:
    outcomes = compete([Contender("peer", lambda: None, needs="no_such_module")], repeats=1)
    row = Row("work", Figure.of([1.0]), "peer", time_of(outcomes, "peer"), Target("times", 2))
    assert row.verdict == "not measured"
    assert "not installed" in row.cells()


def test_a_part_of_the_work_counts_for_the_whole() -> None:
    part = Contender("part", lambda: None, scale=1e9, basis="a billionth")
    time = compete([part], repeats=1)["part"].time
    assert time.value > 1
    assert "from a billionth" in str(time)


@pytest.mark.parametrize(
    ("kind", "limit", "theirs", "verdict"),
    [
        ("times", 3, 6.0, "met"),
        ("times", 3, 5.9, "missed"),
        ("rate", 3, 0.6, "met"),
        ("rate", 3, 0.7, "missed"),
        ("floor", 1.5, 1.4, "met"),
        ("floor", 1.5, 1.3, "missed"),
        ("as long", 1.3, 1.6, "met"),
        ("as long", 1.3, 1.5, "missed"),
        ("beyond", 1, 1.0, "met"),
        ("beyond", 1, 0.9, "missed"),
        ("at most", 2, None, "met"),
        ("at most", 1.9, None, "missed"),
    ],
)
def test_targets_are_judged_by_medians(kind, limit, theirs, verdict) -> None:
    ours = Figure.of([2.0, 1.0, 9.0])
    other = None if theirs is None else Figure.of([theirs])
    assert Row("work", ours, "peer", other, Target(kind, limit)).verdict == verdict


def test_rates_are_compared_the_other_way_round() -> None:
    ours, theirs = Figure.of([30.0], "/s"), Figure.of([10.0], "/s")
    cells = Row("work", ours, "peer", theirs, Target("rate", 3)).cells()
    assert cells[4:6] == ["3.00 ×", "≥ 3 × as many"]


def test_a_ratio_of_durations_is_told_as_such() -> None:
    cells = Row("work", Figure.of([3.0]), "peer", Figure.of([4.0]), Target("as long", 1.3)).cells()
    assert cells[4:6] == ["0.75 × as long", "≤ 1.3 × as long"]


@pytest.mark.window
@pytest.mark.skipif(importlib.util.find_spec("Xlib") is None, reason="the bench group is missing")
def test_a_program_is_timed_until_its_window_is_there() -> None:
    assert 0 < opening.seconds_until_window([sys.executable, "-c", WINDOW]) < opening.PATIENCE
    with pytest.raises(RuntimeError, match="exit code 3"):
        opening.seconds_until_window([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_report_names_what_was_missed() -> None:
    row = Row("work", Figure.of([2.0]), "peer", Figure.of([3.0]), Target("times", 2))
    report = render([Question("Title", "Text.", [row], ["A note."])], ["a fact"])
    assert "Targets met: 0 of 1. Missed: work (peer)." in report
    assert "| work | 2.00 s | peer | 3.00 s | 1.50 × | ≥ 2 × faster | **missed** |" in report
    assert "- a fact" in report
    assert "- A note." in report


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Figure.of([0.1234]), "0.123 s"),
        (Figure.of([1.0, 2.0, 4.0], "ms"), "2.00 ms (1.00–4.00)"),
        (Figure.of([512.3], "MB"), "512 MB"),
        (Figure.of([7200.0], basis="2 pixels"), "≈ 2.00 h (from 2 pixels)"),
        (Figure.of([3.156e12], basis="2 pixels"), "≈ 100 000 years (from 2 pixels)"),
    ],
)
def test_figures_are_written_for_people(figure: Figure, text: str) -> None:
    assert str(figure) == text


def test_a_run_of_one_question_leaves_the_results_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "RESULTS.md"
    monkeypatch.setattr(command, "RESULTS", results)
    monkeypatch.setattr(
        imports, "_times", lambda names, n: {k: Figure.of([1], "ms") for k in names}
    )
    assert command.main(["--quick", "--only", "imports"]) == 0
    assert "## Import" in capsys.readouterr().out
    assert not results.exists()


def test_a_question_that_fails_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(setup: Setup) -> Question:
        raise RuntimeError("-m benchmarks.memory ended with exit code 1.")

    def measure(setup: Setup) -> Question:
        return Question("How long is an import?", "", [Row("import", Figure.of([1.0]))])

    monkeypatch.setattr(command, "load_photograph", lambda folder, quick: setup.photograph)
    monkeypatch.setattr(memory, "measure", fail)
    monkeypatch.setattr(imports, "measure", measure)
    assert command.main(["--only", "memory", "imports"]) == 1
    report = capsys.readouterr().out
    assert "memory failed: -m benchmarks.memory ended with exit code 1." in report
    assert "How long is an import?" in report
