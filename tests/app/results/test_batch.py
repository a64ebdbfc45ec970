from __future__ import annotations

import pickle
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.layers import Image as ImageLayer
from PIL import Image

from napari_colorkde.app.background.executor import Executor, SynchronousExecutor
from napari_colorkde.app.density.class_query import what_is_shown
from napari_colorkde.app.image.file_as_layer import open_image_file
from napari_colorkde.app.image.source import ImageSource, source_of, source_of_array
from napari_colorkde.app.results import batch as batch_module
from napari_colorkde.app.results.batch import Batch, BatchReport, ItemDone
from napari_colorkde.app.results.batch_images import ImageKind, image_of_file
from napari_colorkde.app.results.batch_items import plan_files, plan_layers
from napari_colorkde.app.results.image_work import ImageWork
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.app.state import State
from napari_colorkde.cli import main
from napari_colorkde.core.classification.classify_image import classify_image
from napari_colorkde.core.device import resolve_device
from napari_colorkde.io.csv_files import read_rows
from napari_colorkde.io.images import read_image
from napari_colorkde.io.kernels.kernel_files import save_kernels
from tests.app.results.test_measuring import STAINS
from tests.app.stepping import SteppingExecutor

DEVICE = resolve_device("cpu")
RANDOM = np.random.default_rng(7)
RGB_LIKE = source_of_array(np.zeros((2, 2, 3), np.uint8))
CLASSES = State().replace(kernel_sets={"stains": STAINS}, show="kernels", kernel_set="stains")


def classified(show: str, **fields: Any) -> State:
    return CLASSES.replace(classification=CLASSES.classification.replace(show=show, **fields))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pictures, one of them in a folder below, and one that is broken."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(7)
    for name in ("in/a.png", "in/b.png", "in/deep/c.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        picture = random.integers(30, 90, (9, 11, 3), dtype=np.uint8)
        Image.fromarray(picture).save(name)
    Path("in/broken.png").write_bytes(Path("in/a.png").read_bytes()[:60])
    save_kernels("k.json", {"stains": STAINS})
    return tmp_path


def run(
    state: State,
    words: Sequence[str] = ("in",),
    output: str | None = None,
    like: ImageSource | None = RGB_LIKE,
    *,
    measures: bool = True,
    per_frame: bool = False,
    executor: Executor | None = None,
    jobs: int = 1,
    **options: Any,
) -> tuple[BatchReport, ResultsTable]:
    table = ResultsTable()
    batch = Batch(table, executor or SynchronousExecutor())
    channels = None if like is None else like.choices[0]
    template = None if output is None else Path(output)
    items = plan_files(words, like, channels, template, what_is_shown(state), **options)
    batch.start(items, ImageWork(state, measures, per_frame, DEVICE), jobs)
    assert batch.report is not None
    return batch.report, table


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State().replace(bandwidth=5, log=True), ["--bandwidth", "5", "--log"]),
        (State().replace(space="lab", log=False), ["--space", "lab"]),
        (CLASSES.replace(log=False), ["--kernels", "k.json"]),
        (classified("class", keep_mass=0.8), ["--keep-mass", "0.8"]),
        (classified("posterior", cls="blue", priors={"blue": 0.2}), ["--prior", "blue=0.2"]),
        (classified("ratio", cls="blue"), ["--against", "brown"]),
    ],
    ids=["log", "lab", "kernels", "class", "posterior", "ratio"],
)
def test_a_batch_writes_and_measures_what_the_command_line_does(
    folder: Path, state: State, words: list[str]
) -> None:
    report, table = run(state, output="out/{stem}_{what}.npy", recursive=True)
    assert report.text == "3 of 4 images are done, 1 failed."
    assert report.failed[0].error.startswith("image 'in/broken.png' is not a readable PNG file")
    what = what_is_shown(state)
    if state.shown_classification is not None:
        words = [*words, "--kernels", "k.json", "--show", what]
        words += ["--class", "blue"] if what in ("posterior", "ratio") else []
    command = ["density", "in", "--recursive", "--keep-going", "-o", "wanted/{stem}.npy", *words]
    assert main(command) == 1
    for stem, name in (("a", "in/a.png"), ("b", "in/b.png"), ("c", "in/deep/c.png")):
        found, wanted = np.load(f"out/{stem}_{what}.npy"), np.load(f"wanted/{stem}.npy")
        if what == "class":
            # An overlay's float32 and a command's float64 break ties in their own ways.
            picture = read_image(name)
            ratio = classify_image(picture, STAINS, show="ratio", cls="blue", against="brown")
            wanted = np.where(np.abs(ratio) < 1e-5, found, wanted)
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=1e-5 if what != "density" else 0)
    choices = [w for w in words if w not in ("--log", "--show", "--class", "--against")]
    measured = ["measure", "in/a.png", "in/deep/c.png", "-o", "t.csv"]
    if state.show == "kernels":
        measured += ["--kernels", "k.json"]
        for name in ("--prior", "--keep-mass"):
            if name in choices:
                measured += [name, choices[choices.index(name) + 1]]
    assert main(measured) == 0
    rows = {(r["image"], r["class"]): r for r in table.rows}
    for row in read_rows(Path("t.csv")):
        found = rows[row["image"], row["class"]]
        assert str(found["pixels"]) == row["pixels"]
        assert found["mean_g"] == pytest.approx(float(row["mean_g"] or "nan"), nan_ok=True) or (
            found["mean_g"] is None
        )
    assert len(rows) == (9 if state.show == "kernels" else 3)


def test_a_second_run_does_what_is_missing(folder: Path) -> None:
    options: dict[str, Any] = {"output": "in/{stem}_{what}.tif", "measures": False}
    assert len(run(State(), **options)[0].done) == 2
    Path("in/b_density.tif").unlink()
    report, table = run(State(), **options, skips=True)
    assert [item.name for item in report.done] == ["in/b.png"]
    assert table.rows == ()
    assert len(run(State(), **options)[0].done) == 2  # results are no images
    Path("in/broken.png").unlink()
    with pytest.raises(ValueError, match="nothing to do: all results already exist"):
        run(State(), **options, skips=True)


def test_no_image_and_no_open_file_is_written_over(folder: Path) -> None:
    tifffile.imwrite("in/a.tif", np.zeros((4, 4, 3), np.uint8), photometric="rgb")
    with pytest.raises(ValueError, match=r"'in/a\.tif' of 'in/a\.png' is also an input"):
        run(State(), output="{dir}/{stem}.tif")
    Path("in/a.tif").unlink()
    Path("out").mkdir()
    Path("out/b.npy").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"'out/b\.npy' is open as a layer; give another name"):
        run(State(), output="out/{stem}.npy", protected=[folder / "out" / "b.npy"])
    with pytest.raises(ValueError, match="has the suffix"):
        run(State(), output="out/{stem}.docx")
    with pytest.raises(ValueError, match="use fields"):
        run(State(), output="out/x.npy")


def test_layers_are_named_by_their_files(folder: Path) -> None:
    pictures = [RANDOM.integers(30, 90, (5, 6, 3), dtype=np.uint8) for _ in range(3)]
    first = source_of_array(pictures[0], "a")
    sources = [
        replace(first, path="in/a.png"),
        replace(source_of_array(pictures[1], "red"), path="in/b.png"),
        source_of_array(pictures[2], "drawn"),
    ]
    channels = first.choices[0]
    items = plan_layers(sources, channels, Path("out/{stem}_{what}.npy"), "density")
    assert [str(i.target) for i in items] == [
        f"out/{name}_density.npy" for name in ("a", "b_red", "drawn")
    ]
    table = ResultsTable()
    batch = Batch(table, SynchronousExecutor())
    batch.start(items, ImageWork(State(), True, False, DEVICE))
    assert [row["image"] for row in table.rows] == ["in/a.png", "in/b.png (red)", "drawn"]
    np.testing.assert_allclose(
        [row["mean_r"] for row in table.rows], [p[..., 0].mean() for p in pictures]
    )
    with pytest.raises(ValueError, match=r"layer 'drawn' has no file, so \{dir\} is unknown"):
        plan_layers(sources, channels, Path("{dir}/{stem}.npy"), "density")


def test_frames_are_images_of_their_own(folder: Path) -> None:
    stack = RANDOM.integers(0, 256, (3, 6, 7)).astype(np.uint8)
    tifffile.imwrite("s.tif", stack, photometric="minisblack")
    like = source_of_array(stack, channel_axis=None)
    state = State().replace(bandwidth=9, log=False)
    _, table = run(state, ["s.tif"], "{stem}_d.npy", like, per_frame=True)
    assert [row["frame"] for row in table.rows] == ["0", "1", "2"]
    np.testing.assert_allclose([r["mean_1"] for r in table.rows], stack.mean(axis=(1, 2)))
    words = ["density", "s.tif", "--channel-axis", "none", "--bandwidth", "9", "-o", "w.npy"]
    assert main([*words, "--per-frame"]) == 0
    np.testing.assert_allclose(np.load("s_d.npy"), np.load("w.npy"), rtol=1e-5)
    run(state, ["s.tif"], "{stem}_d.npy", like)
    assert main(words) == 0
    np.testing.assert_allclose(np.load("s_d.npy"), np.load("w.npy"), rtol=1e-5)


def test_images_of_another_kind_are_told_apart(folder: Path) -> None:
    np.save("gray.npy", np.arange(12, dtype=np.uint8).reshape(3, 4))
    report, table = run(State(), ["gray.npy", "in/a.png"])
    assert "without the channels red, green, blue of the open image" in report.failed[0].error
    assert [row["image"] for row in table.rows] == ["in/a.png"]
    report, table = run(State(), ["gray.npy", "in/a.png"], like=None)
    assert len(report.done) == 2
    report, _ = run(CLASSES, ["gray.npy"], like=None)
    assert "these kernels are for 3 channels; the image has 1" in report.failed[0].error


def test_a_batch_is_stopped_between_steps(folder: Path) -> None:
    table, executor = ResultsTable(), SteppingExecutor()
    batch = Batch(table, executor)
    ended: list[BatchReport] = []
    batch.ended.connect(ended.append)
    items = plan_files(["in"], RGB_LIKE, RGB_LIKE.choices[0], None, "density")
    batch.start(items, ImageWork(State(), True, False, DEVICE))
    while not table.rows:
        executor.step()
    with pytest.raises(ValueError, match="a batch is already running"):
        batch.start(items, ImageWork(State(), True, False, DEVICE))
    batch.stop()
    assert ended[0].text == "1 of 3 images are done; stopped."
    batch.close()


def test_processes_give_the_same_rows_in_the_same_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(work: Any, arguments: Any, jobs: int, **times: float) -> Any:
        """Do as processes do, which take seconds to begin, the last one first."""
        assert jobs == 2
        yield None
        for number in reversed(range(len(arguments))):
            future: Future[Any] = Future()
            future.set_result(work(*pickle.loads(pickle.dumps(arguments[number]))))
            yield number, future

    monkeypatch.setattr(batch_module, "call_in_processes", call)
    state = classified("class", keep_mass=0.8)
    alone, wanted = run(state, output="one/{stem}.npy", recursive=True)
    report, table = run(state, output="two/{stem}.npy", recursive=True, jobs=2)
    assert report.text == alone.text
    assert report.failed[0].error == alone.failed[0].error
    assert table.rows == wanted.rows
    for name in ("a", "b", "c"):
        np.testing.assert_array_equal(np.load(f"two/{name}.npy"), np.load(f"one/{name}.npy"))
    with pytest.raises(ValueError, match="jobs is 0; give 1 or more"):
        run(state, jobs=0)


def test_rows_that_were_early_are_kept_when_a_batch_is_stopped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_processes(items: Any, work: ImageWork, jobs: int) -> Any:
        for number in (1, 2):
            yield ItemDone(number, items[number].name, ({"image": str(number)},))
        raise AssertionError("it was stopped before")

    monkeypatch.setattr(batch_module, "do_batch_in_processes", in_processes)
    table, executor = ResultsTable(), SteppingExecutor()
    batch = Batch(table, executor)
    items = plan_files(["in"], RGB_LIKE, RGB_LIKE.choices[0], None, "density")
    batch.start(items, ImageWork(State(), True, False, DEVICE), 2)
    executor.step()
    executor.step()
    assert table.rows == ()
    batch.stop()
    assert [row["image"] for row in table.rows] == ["1", "2"]
    assert batch.report is not None
    assert batch.report.text == "2 of 3 images are done; stopped."


def test_regions_lie_beside_the_images(folder: Path) -> None:
    for number, name in enumerate(("a", "b")):
        labels = np.zeros((9, 11), np.uint8)
        labels[number : number + 3], labels[6:] = 1, 2
        np.save(f"in/{name}_parts.npy", labels)
    regions = Path("{dir}/{stem}_parts.npy")
    report, table = run(CLASSES, ["in/a.png", "in/b.png", "in/deep/c.png"], regions=regions)
    assert "c_parts.npy' does not exist" in report.failed[0].error
    words = ["measure", "in/a.png", "in/b.png", "--kernels", "k.json", "-o", "t.csv"]
    assert main([*words, "--regions", str(regions)]) == 0
    wanted = read_rows(Path("t.csv"))
    assert len(wanted) == 2 * 2 * 3
    for name in ("image", "region", "class", "pixels"):
        assert [str(row[name]) for row in table.rows] == [row[name] for row in wanted]


def test_files_of_many_channels_are_read_as_the_window_opens_them(folder: Path) -> None:
    pixels = np.random.default_rng(4).integers(0, 9, (20, 30, 8), np.uint8)
    tifffile.imwrite("eight.tif", pixels, photometric="minisblack", planarconfig="contig")
    opened = open_image_file("eight.tif")
    three, every = source_of(ImageLayer(opened.data, **opened.arguments)).choices[:2]
    found = image_of_file(Path("eight.tif"), ImageKind(rgb=False, ndim=3), every)
    assert (len(three), len(every)) == (3, 8)
    np.testing.assert_array_equal(found.source.read(every, (slice(None),) * 2), pixels)
