"""Comparing images, and this program with others, on the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde import compare, select_bandwidth
from napari_colorkde.cli import main
from napari_colorkde.core.crosscheck import libraries
from napari_colorkde.core.crosscheck.answers import Answer
from napari_colorkde.core.crosscheck.check import cross_check
from napari_colorkde.core.crosscheck.task import Task
from napari_colorkde.core.device import DeviceLike
from napari_colorkde.core.vectors.comparison import compare_vectors
from napari_colorkde.io.datasets import read_dataset

DIGITS = Path(__file__).parents[1] / "data" / "mnist_30_digits.npz"


@pytest.fixture
def other(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A darker picture, saved as b.png."""
    darker = np.asarray(picture * 0.9, np.uint8)
    Image.fromarray(darker).save("b.png")
    return darker


def test_divergences_are_those_of_compare(
    picture: NDArray[Any], other: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("compare a.png b.png --bandwidth 20 --json")) == 0
    expected = compare(picture, other, 20)
    found = json.loads(capsys.readouterr().out)
    assert found == {"kl_ab": expected.kl_ab, "kl_ba": expected.kl_ba, "js": expected.js}


def test_divergences_are_in_any_color_space(
    picture: NDArray[Any], other: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for files in ("a.png b.png", "a.png b.png b.png"):
        assert main(shlex.split(f"compare {files} --bandwidth 9 --space lab --json")) == 0
        found = json.loads(capsys.readouterr().out)
        first = found[0] if isinstance(found, list) else found
        assert first["js"] == pytest.approx(compare(picture, other, 9, space="lab").js, rel=1e-3)


def test_divergences_as_a_table(picture: NDArray[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split("compare a.png a.png --bandwidth 20")) == 0
    header, numbers = capsys.readouterr().out.splitlines()
    assert header.split() == ["kl_ab", "kl_ba", "js"]
    assert [float(n) for n in numbers.split()] == pytest.approx([0, 0, 0], abs=1e-6)


def test_masks_say_what_is_compared(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    mask = np.arange(14)[:, None] < np.full(18, 5)
    Image.fromarray(mask).save("mask.png")
    assert main(shlex.split("compare a.png a.png --mask-a mask.png --bandwidth 20 --json")) == 0
    expected = compare(picture[:5], picture, 20)
    assert json.loads(capsys.readouterr().out)["js"] == pytest.approx(expected.js, rel=1e-9)


def test_vector_sets_have_both_directions_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    digits = read_dataset(DIGITS)
    a, b = digits.train / 256, digits.test / 256
    np.savez("a.npz", train=a)
    np.savez("b.npz", train=b)
    assert main(shlex.split("compare a.npz b.npz --bandwidth 0.5 --json")) == 0
    found = json.loads(capsys.readouterr().out)
    expected = compare_vectors(a, b, 0.5)
    assert found["log_likelihood_b_under_a"] == expected.b_under_a == pytest.approx(-319.508805)
    assert found["log_likelihood_a_under_b"] == expected.a_under_b
    assert found["kl_ab"] == expected.kl_ab.value
    assert found["standard_errors"]["kl_ab"] == expected.kl_ab.standard_error > 0
    assert main(shlex.split("compare a.npz b.npz --bandwidth 0.5")) == 0
    printed = capsys.readouterr()
    names = [line.split()[0] for line in printed.out.splitlines()[1:]]
    assert names == ["kl_ab", "kl_ba", "js", "log_likelihood_b_under_a", "log_likelihood_a_under_b"]
    assert "KL is not symmetric" in printed.err


def test_we_are_right_and_so_is_each_library_near_the_samples(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    command = "crosscheck a.png --bandwidth 5,6,7 --samples 100 --points 20 --json"
    assert main(shlex.split(command)) == 0
    answers = {a["library"]: a for a in json.loads(capsys.readouterr().out)}
    assert answers["napari-colorkde"]["is_right"]
    assert answers["napari-colorkde, full"]["is_right"]
    for library in answers.values():
        is_asked = not library["remark"].startswith(("not installed", "does not apply"))
        assert (library["near"] < 1e-4) if is_asked else (library["log_likelihood"] is None)


def test_a_rule_gives_the_covariance_that_is_checked(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = list[Task]()

    def watched(task: Task, device: DeviceLike) -> Iterator[Answer]:
        tasks.append(task)
        return cross_check(task, device)

    monkeypatch.setattr("napari_colorkde.core.crosscheck.check.cross_check", watched)
    command = "crosscheck a.png --bandwidth scott --samples 200 --points 20 --json"
    assert main(shlex.split(command)) == 0
    answers = {a["library"]: a for a in json.loads(capsys.readouterr().out)}
    assert answers["napari-colorkde"]["is_right"]
    expected = select_bandwidth(picture, "scott").covariance
    np.testing.assert_allclose(tasks[0].covariance, expected, rtol=1e-12)


def test_vectors_have_the_values_of_each_library_and_the_reasons_of_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["crosscheck", str(DIGITS), "--bandwidth", "0.5", "--scale", "256"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == [
        "library",
        "bandwidth",
        "log_likelihood",
        "error",
        "in_the_tails",
        "verdict",
    ]
    rows = {line.split("  ")[0].strip() or line.strip().split("  ")[0]: line for line in lines}
    for library in ("scratch formula", "napari-colorkde"):
        assert "sigma=0.5" in rows[library]
        assert "-326.0220" in rows[library]
        assert rows[library].split()[-1] == "right"
    for library in ("scikit-learn KernelDensity(leaf_size=n)", "scikit-learn GridSearchCV"):
        assert "bandwidth=0.5     -326.022019" in rows[library]
    if find_spec("statsmodels"):
        assert "it has one dimension, the samples 784" in rows["statsmodels KDEUnivariate"]
        assert "underflow in 784 dimensions" in rows["statsmodels KDEMultivariate"]
    else:
        assert "not installed" in rows["statsmodels KDEUnivariate"]
    assert "(10 samples span less than 784 dimensions)" in rows["SciPy gaussian_kde"]


def test_a_library_that_is_missing_is_named(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(shlex.split("crosscheck a.png --samples 50 --points 4")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if "not installed" in line] == [
        "scikit-learn",
        "scikit-learn",
        "statsmodels",
        "statsmodels",
        "KDEpy",
        "scikit-learn",
    ]


def test_an_array_is_a_data_set_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(30, 3)))
    command = ["crosscheck", str(tmp_path / "v.npy"), "--vectors", "--bandwidth", "1", "--json"]
    assert main([*command, "--points", "5"]) == 0
    printed = capsys.readouterr()
    assert "25 training and 5 validation vectors" in printed.err
    answers = {a["library"]: a for a in json.loads(printed.out)}
    assert answers["napari-colorkde"]["far"] is None
    assert answers["napari-colorkde, full"]["is_right"]


def test_gray_pictures_have_no_full_covariance_to_check(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    Image.fromarray(np.repeat(picture[..., :1], 3, axis=-1)).save("gray.png")
    assert main(shlex.split("crosscheck gray.png --samples 50 --points 4")) == 0
    assert "the samples' covariance is singular" in capsys.readouterr().out


def test_we_say_when_we_are_wrong_ourselves(
    picture: NDArray[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(libraries, "ours", lambda task, covariance, device: np.zeros(4))
    assert main(shlex.split("crosscheck a.png --samples 50 --points 4")) == 2
    assert "napari-colorkde itself is off by" in capsys.readouterr().err


REFUSALS = {
    "compare a.png missing.png": "image 'missing.png' does not exist; check the name.",
    "compare a.png gray.png": "give images with the same channels.",
    "compare a.png a.png --bandwidth 0.01": "is narrow compared with the colors' range",
    "compare a.png": "'a.png' is a single image; give two or more, or a folder",
    "crosscheck missing.png": "image 'missing.png' does not exist; check the name.",
    "crosscheck a.png --bandwidth 0": "'0' is not a sigma; give a number above 0;",
    "crosscheck a.png --bandwidth x": "'x' is not known; use auto,",
    "crosscheck a.png --bandwidth 1,2": "bandwidth has 2 sigmas, the image 3 channels; give one",
    "crosscheck a.png --points 0": "--points 0: give at least 2 samples and 1 point.",
    f"compare {DIGITS} {DIGITS}": "--bandwidth is missing; vectors need a single",
    f"compare {DIGITS} {DIGITS} --bandwidth scott": "--bandwidth is 'scott'; vectors need a",
    f"compare a.png {DIGITS}": "are an image and a data set; give two of the same",
    f"compare {DIGITS} {DIGITS} --bandwidth 1 --mask-a a.png": "are for images; leave them out",
    f"compare {DIGITS} {DIGITS} --bandwidth 1 --space lab": "--space lab is for images; leave it",
    f"crosscheck {DIGITS} --bandwidth 1 --mask a.png": "--mask a.png is for images; leave it out",
    "compare a.png a.png --scale 2": "--scale 2.0 is for data sets; leave it out for images.",
    f"crosscheck {DIGITS} --bandwidth 1,2": "bandwidth has 2 sigmas for 784 axes; give one, or",
    f"crosscheck {DIGITS} --bandwidth scott": "--bandwidth is 'scott'; vectors need a sigma, or",
    f"crosscheck {DIGITS}": "--bandwidth is missing; vectors need one, such as --bandwidth 0.2.",
}


@pytest.mark.parametrize("command", REFUSALS)
def test_bad_input_is_refused_in_one_line(
    command: str, picture: NDArray[Any], refused: Callable[..., str]
) -> None:
    Image.fromarray(picture[..., 0]).save("gray.png")
    assert REFUSALS[command] in refused(*shlex.split(command))
