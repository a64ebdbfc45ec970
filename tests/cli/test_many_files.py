"""Commands on many images: what they find, what they write, what is left when some fail."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import tifffile
import typer
from PIL import Image

from napari_colorkde import ColorKDE, compare_all, read_image
from napari_colorkde.app.results.files import find_images
from napari_colorkde.app.results.tasks import Task
from napari_colorkde.cli import main
from napari_colorkde.cli.batch.jobs import run_tasks
from napari_colorkde.cli.parsers import parse_pair

Refused = Callable[..., str]
RANDOM = np.random.default_rng(12)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Six pictures in nested folders, two of them broken, in the working folder."""
    monkeypatch.chdir(tmp_path)
    paths = [Path(name) for name in ("in/a.png", "in/b.png", "in/deep/a.png", "in/deep/er/c.png")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RANDOM.integers(0, 256, (8, 9, 3), dtype=np.uint8)).save(path)
    Path("in/broken.png").write_bytes(Path("in/a.png").read_bytes()[:60])
    Path("in/deep/no.tif").write_text("hello")
    Path("in/notes.txt").write_text("hello")
    Path("in/.hidden.png").write_text("hello")
    return paths


def test_files_globs_and_folders(folders: list[Path]) -> None:
    def names(*words: str, recursive: bool = False) -> list[str]:
        return [str(f.path) for f in find_images(words, recursive=recursive)]

    assert names("in") == ["in/a.png", "in/b.png", "in/broken.png"]
    assert names("in/deep/*.png", "in/deep") == ["in/deep/a.png", "in/deep/no.tif"]
    assert len(names("in", recursive=True)) == 6
    assert names("in/**/c.png") == ["in/deep/er/c.png"]
    assert names("nothing.png") == ["nothing.png"]  # reading it says that it does not exist
    Path("empty").mkdir()
    with pytest.raises(ValueError, match="is a folder with no images; --recursive looks into"):
        names("empty")
    with pytest.raises(ValueError, match=r"input '\*\.jpg' matches no file"):
        names("*.jpg")


def test_all_that_can_be_done_is_done_and_the_rest_is_listed(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["density", "in", "--recursive", "-o", "{dir}/{stem}_{what}.tif", "--log"]
    assert main([*words, "--keep-going"]) == 1
    error = capsys.readouterr().err
    assert "napari-colorkde: 2 of 6 images failed:\n  in/broken.png\n  in/deep/no.tif\n" in error
    assert "[6/6] " in error
    assert "; about " in error
    assert "Counting colors" not in error
    for path in folders:
        found = tifffile.imread(path.with_name(f"{path.stem}_density.tif"))
        image = read_image(path)
        np.testing.assert_allclose(found, ColorKDE(image).density(image, log=True), rtol=1e-6)
    before = {p: p.stat().st_mtime_ns for p in Path("in").rglob("*_density.tif")}
    assert len(before) == 4
    folders[1].with_name("b_density.tif").unlink()
    # What was written is no image of a second run, and is not done again.
    assert main([*words, "--keep-going", "--skip-existing"]) == 1
    assert "3 of 6 are there already." in capsys.readouterr().err
    after = {p: p.stat().st_mtime_ns for p in Path("in").rglob("*_density.tif")}
    assert [p for p in after if after[p] != before[p]] == [Path("in/b_density.tif")]


def test_results_of_another_run_are_no_images(folders: list[Path]) -> None:
    assert main(["density", "in/a.png", "-o", "in/result.tif"]) == 0
    assert main(["density", "in/a.png", "-o", "in/result.png"]) == 0
    assert main(["density", "in/a.png", "-o", "in/result.npy"]) == 0
    found = [f.path.name for f in find_images(["in"])]
    assert found == ["a.png", "b.png", "broken.png", "result.npy"]  # NPY has no room for its origin


def test_without_keep_going_the_first_that_fails_ends_it(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["density", "in", "-o", "out/{stem}.npy"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("napari-colorkde: image 'in/broken.png' is not a readable PNG file")
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.npy", "b.npy"]


def test_folders_are_kept_below_another_one(folders: list[Path]) -> None:
    words = ["density", "in", "--recursive", "--keep-going"]
    assert main([*words, "-o", "out/{rel}/{name}.npy"]) == 1
    found = sorted(str(p.relative_to("out")) for p in Path("out").rglob("*.npy"))
    assert found == ["a.png.npy", "b.png.npy", "deep/a.png.npy", "deep/er/c.png.npy"]


def test_names_that_do_not_fit_are_refused_before_the_work(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["density", "in", "-o", "x.tif"]) == 2
    assert "'x.tif' names one file, but 3 images are given; use fields, as in" in (
        capsys.readouterr().err
    )
    assert main(["density", "in", "--recursive", "-o", "{stem}.tif"]) == 2
    assert "is the same for 'in/a.png' and 'in/deep/a.png'; put {dir}" in capsys.readouterr().err
    assert not Path("x.tif").exists()


def test_what_is_read_is_never_written_over(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    picture = RANDOM.integers(0, 256, (8, 9, 3), dtype=np.uint8)
    tifffile.imwrite("in/a.tif", picture, photometric="rgb")
    before = Path("in/a.tif").read_bytes()
    assert main(["density", "in", "-o", "{dir}/{stem}.tif", "--keep-going"]) == 2
    assert "'in/a.tif' of 'in/a.png' is also an input; give another name, or" in (
        capsys.readouterr().err
    )
    assert Path("in/a.tif").read_bytes() == before


def test_a_mask_for_each_image(folders: list[Path]) -> None:
    for path in folders[:2]:
        Image.fromarray(np.eye(8, 9, dtype=np.uint8) * 255).save(path.with_suffix(".mask.png"))
    words = ["density", "in/a.png", "in/b.png", "--mask", "{dir}/{stem}.mask.png"]
    assert main([*words, "-o", "{dir}/{stem}.npy"]) == 0
    for path in folders[:2]:
        assert np.isfinite(np.load(path.with_suffix(".npy"))).sum() == 8


def test_processes_give_back_results_and_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["0,255", "1,2", "x", "3,4"]
    tasks = [Task(Path(f"{i}.png"), parse_pair, {"text": text}) for i, text in enumerate(texts)]
    threads = os.environ.get("OMP_NUM_THREADS")
    with pytest.raises(typer.Exit) as ended:
        run_tasks(tasks, 2, keep_going=True)
    assert ended.value.exit_code == 1
    assert ended.value.results == [[0, 255], [1, 2], None, [3, 4]]  # type: ignore[attr-defined]
    error = capsys.readouterr().err
    assert "napari-colorkde: 2.png: 'x': give 2 numbers, such as 0,255." in error
    assert "1 of 4 images failed:\n  2.png\n" in error
    with pytest.raises(ValueError, match=r"2\.png: 'x': give 2 numbers"):
        run_tasks(tasks, 2, keep_going=False)
    assert os.environ.get("OMP_NUM_THREADS") == threads


@pytest.mark.slow  # torch is loaded three times
def test_two_processes_write_what_one_writes(folders: list[Path]) -> None:
    assert main(["density", "in", "-o", "one/{stem}.npy", "--keep-going"]) == 1
    assert main(["density", "in", "-o", "two/{stem}.npy", "--keep-going", "--jobs", "2"]) == 1
    for name in ("a.npy", "b.npy"):
        np.testing.assert_allclose(np.load(Path("two", name)), np.load(Path("one", name)))


# --- tables


@pytest.fixture
def kernels() -> str:
    text = "set,kernel,mean_r,mean_g,mean_b,var_r,var_g,var_b,weight\n"
    text += "dark,1,60,60,60,900,900,900,1\nlight,1,190,190,190,900,900,900,1\n"
    Path("kernels.csv").write_text(text)
    return "kernels.csv"


def rows_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_image_region_and_class(folders: list[Path], kernels: str) -> None:
    labels = np.zeros((8, 9), np.uint8)
    labels[:3], labels[5:, 2:] = 1, 2
    for path in folders[:2]:
        Image.fromarray(labels).save(path.with_suffix(".regions.png"))
    words = ["measure", "in/a.png", "in/b.png", "--kernels", kernels, "--pixel-size", "0.5"]
    assert main([*words, "--regions", "{dir}/{stem}.regions.png", "-o", "t.csv"]) == 0
    rows = rows_of("t.csv")
    assert len(rows) == 2 * 2 * 3
    assert [row["class"] for row in rows[:3]] == ["dark", "light", "none"]
    for path in folders[:2]:
        for region, size in (("1", 27), ("2", 21)):
            part = [r for r in rows if r["image"] == str(path) and r["region"] == region]
            assert sum(int(row["pixels"]) for row in part) == size
            assert sum(float(row["fraction"]) for row in part) == pytest.approx(1)
            assert sum(float(row["area"]) for row in part) == pytest.approx(size / 4)
    assert {row["area_unit"] for row in rows} == {"µm²"}


def test_a_table_is_continued(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", "in/a.png", "-o", "t.csv"]) == 0
    first = rows_of("t.csv")
    assert main(["count", "in", "-o", "t.csv", "--skip-existing", "--keep-going"]) == 1
    assert "1 of 3 are there already." in capsys.readouterr().err
    assert rows_of("t.csv")[:1] == first
    assert [row["image"] for row in rows_of("t.csv")] == ["in/a.png", "in/b.png"]
    assert main(["count", "in/b.png"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "image,pixels,colors,masked,transparent,not_finite,rare"
    assert printed[1].startswith("in/b.png,72,72,")


def test_more_than_two_images_are_compared_in_pairs(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    names = [str(path) for path in folders[:3]]
    assert main(["compare", *names, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["a"], row["b"]) for row in rows] == list(combinations(names, 2))
    assert main(["compare", names[0], names[2], "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert {name: rows[1][name] for name in alone} == pytest.approx(alone)
    assert main(["compare", *names, "--bandwidth", "scott", "--json"]) == 0
    together = json.loads(capsys.readouterr().out)
    expected = compare_all([read_image(name) for name in names], "scott")
    assert [row["js"] for row in together] == pytest.approx(
        [expected.js[i, j] for i, j in combinations(range(3), 2)]
    )
    assert main(["compare", *names]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["compare", *names, "--mask-a", "m.png"]) == 2


def test_frames_are_measured_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stack = RANDOM.integers(0, 256, (3, 6, 7)).astype(np.uint8)
    tifffile.imwrite("s.tif", stack, photometric="minisblack")
    density = ["density", "s.tif", "--channel-axis", "none", "-o", "d.npy"]
    assert main([*density, "--per-frame"]) == 0
    alone = ColorKDE(stack[1]).density(stack[1])
    np.testing.assert_allclose(np.load("d.npy")[1], alone, rtol=1e-6)
    assert main(density) == 0
    assert not np.allclose(np.load("d.npy")[1], alone)
    labels = np.zeros(stack.shape, np.uint8)
    labels[1:, 2:4] = 1
    np.save("labels.npy", labels)
    words = ["measure", "s.tif", "--channel-axis", "none", "--per-frame"]
    assert main([*words, "-o", "t.csv"]) == 0
    rows = rows_of("t.csv")
    assert [row["frame"] for row in rows] == ["0", "1", "2"]
    means = [float(row["mean_1"]) for row in rows]
    np.testing.assert_allclose(means, stack.mean(axis=(1, 2)))
    assert main([*words, "--regions", "labels.npy", "-o", "t.csv"]) == 0
    assert [(row["frame"], row["pixels"]) for row in rows_of("t.csv")] == [("1", "14"), ("2", "14")]


def test_classify_writes_what_density_writes_of_classes(folders: list[Path], kernels: str) -> None:
    words = ["in/a.png", "--kernels", kernels, "--keep-mass", "0.9"]
    assert main(["density", *words, "--show", "class", "-o", "a.npy"]) == 0
    assert main(["classify", *words, "-o", "b.npy"]) == 0
    np.testing.assert_array_equal(np.load("b.npy"), np.load("a.npy"))
    words = ["in/a.png", "in/b.png", "--kernels", kernels, "--show", "posterior"]
    assert main(["classify", *words, "-o", "{stem}_{what}.npy"]) == 0
    assert np.load("b_posterior.npy").max() <= 1


def test_regions_that_do_not_fit_are_refused(
    folders: list[Path], refused: Refused, kernels: str
) -> None:
    np.save("labels.npy", np.ones((3, 4), np.uint8))
    assert "has the shape (3, 4), but the image's pixels have (8, 9)" in refused(
        "measure", "in/a.png", "--regions", "labels.npy"
    )
    Path("r.geojson").write_text(json.dumps({"type": "Point", "coordinates": [1, 1]}))
    assert "holds no polygon" in refused("measure", "in/a.png", "--regions", "r.geojson")
    assert "are about classes; give --kernels" in refused("measure", "in/a.png", "--prior", "a=1")
    assert "--pixel-size 0.0: give a number above 0, in µm" in refused(
        "measure", "in/a.png", "--pixel-size", "0"
    )
    Path("t.csv").write_text("a,b\n1,2\n")
    assert "has no column 'image'" in refused("count", "in/a.png", "-o", "t.csv", "--skip-existing")


def test_rows_of_the_images_before_one_that_fails_are_kept(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["measure", "in", "-o", "table.csv"]
    assert main(command) == 2
    assert "2 of 3 images are done; --keep-going goes on when one fails." in capsys.readouterr().err
    with Path("table.csv").open(encoding="utf-8", newline="") as file:
        assert [row["image"] for row in csv.DictReader(file)] == ["in/a.png", "in/b.png"]
    Path("in/broken.png").unlink()
    assert main([*command, "--skip-existing", "--recursive", "--keep-going"]) == 1
    whole = Path("table.csv").read_bytes()
    assert len(whole.splitlines()) == 5
    Path("in/a.png").write_text("hello")
    assert main(["measure", "in/b.png", "in/a.png", "-o", "table.csv"]) == 2
    assert Path("table.csv").read_bytes() == whole


def test_images_of_a_folder_are_compared_in_pairs(
    folders: list[Path], refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("in/broken.png", "in/deep/no.tif"):
        Path(name).unlink()
    assert main(["compare", "in", "--recursive", "--json", "--bandwidth", "20"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(row["a"], row["b"]) for row in found] == list(combinations(map(str, folders), 2))
    assert main(["compare", "in/*.png", "--json", "--bandwidth", "20"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert alone.keys() == {"kl_ab", "kl_ba", "js"}
    assert "'in/a.png' is a single image; give two or more" in refused("compare", "in/a.png")
