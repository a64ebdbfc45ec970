"""Comparing images, and this program with others, on the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde import compare
from napari_colorkde.cli import crosscheck_libraries, main
from napari_colorkde.core.reference import kde_log_density

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


def test_the_yardstick_is_the_sum_itself() -> None:
    rng = np.random.default_rng(0)
    data, points = rng.normal(size=(30, 3)), rng.normal(size=(7, 3))
    task = crosscheck_libraries.Task(data, points, 7, np.ones(3), is_image=False)
    covariance = np.array([[2, 0.5, 0.1], [0.5, 1, 0.2], [0.1, 0.2, 0.7]])
    expected = kde_log_density(points, data, covariance)
    np.testing.assert_allclose(crosscheck_libraries.direct(task, covariance), expected, rtol=1e-12)


def test_we_are_right_and_so_is_each_library_near_the_samples(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    command = "crosscheck a.png --bandwidth 5,6,7 --samples 100 --points 20 --json"
    assert main(shlex.split(command)) == 0
    answers = {a["library"]: a for a in json.loads(capsys.readouterr().out)}
    assert answers["napari-colorkde"]["is_right"]
    assert answers["napari-colorkde, full"]["is_right"]
    for library in answers.values():
        assert library["remark"] == "not installed" or library["near"] < 1e-4


def test_vectors_are_checked_with_one_library_that_is_exact(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["crosscheck", str(DIGITS), "--bandwidth", "0.5", "--scale", "256"]) == 0
    header, ours, *others = capsys.readouterr().out.splitlines()
    assert header.split() == ["library", "error", "in_the_tails", "verdict"]
    assert ours.split()[0] == "napari-colorkde"
    assert ours.split()[-1] == "right"
    assert any("leaf_size=n" in line for line in others)


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
        "KDEpy",
    ]


def test_gray_pictures_have_no_full_covariance_to_check(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    Image.fromarray(np.repeat(picture[..., :1], 3, axis=-1)).save("gray.png")
    assert main(shlex.split("crosscheck gray.png --samples 50 --points 4")) == 0
    assert "the samples' covariance is singular" in capsys.readouterr().out


def test_a_library_that_is_wrong_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    task = crosscheck_libraries.Task(
        rng.normal(size=(30, 2)), rng.normal(size=(8, 2)), 4, np.ones(2), True
    )
    right = crosscheck_libraries.direct(task, np.eye(2))
    wrong_in_tails = right - [0, 0, 0, 0, 1, 0, 0, 0]
    underflow = np.where(np.arange(8) == 7, -np.inf, right)
    monkeypatch.setattr(crosscheck_libraries, "_sklearn", lambda task, leaf: right + 0.01)
    monkeypatch.setattr(crosscheck_libraries, "_statsmodels", lambda task: wrong_in_tails)
    monkeypatch.setattr(crosscheck_libraries, "_kdepy", lambda task: underflow)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    ours, sklearn, _, statsmodels, kdepy, *_ = crosscheck_libraries.cross_check(task)
    assert ours.is_right
    assert (sklearn.remark, sklearn.is_right) == ("OFF", False)
    assert statsmodels.remark == "OFF in the tails"
    assert statsmodels.cells()[1:3] == ["0.0e+00", "1.0e+00"]
    assert kdepy.is_right
    assert kdepy.cells()[3] == "right, 0 at 1 points"


def test_we_say_when_we_are_wrong_ourselves(
    picture: NDArray[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(crosscheck_libraries, "_ours", lambda task, covariance, device: np.zeros(4))
    assert main(shlex.split("crosscheck a.png --samples 50 --points 4")) == 2
    assert "napari-colorkde itself is off by" in capsys.readouterr().err


REFUSALS = {
    "compare a.png missing.png": "image 'missing.png' does not exist; check the name.",
    "compare a.png gray.png": "merge palettes of images of one kind.",
    "compare a.png a.png --bandwidth 0.01": "is narrow beside the colors' range",
    "compare a.png": "Missing argument 'image_b'",
    "crosscheck missing.png": "image 'missing.png' does not exist; check the name.",
    "crosscheck a.png --bandwidth 0": "'0': a sigma must be positive; give numbers above 0;",
    "crosscheck a.png --bandwidth x": "'x': give numbers separated by commas;",
    "crosscheck a.png --bandwidth 1,2": "bandwidth has 2 sigmas for 3 axes; give one, or one for",
    "crosscheck a.png --points 0": "--samples 5000 --points 0: give 2 and 1 or more.",
    f"crosscheck {DIGITS}": "--bandwidth is missing; vectors need one, as in --bandwidth 0.2.",
}


@pytest.mark.parametrize("command", REFUSALS)
def test_bad_input_is_refused_in_one_line(
    command: str, picture: NDArray[Any], refused: Callable[..., str]
) -> None:
    Image.fromarray(picture[..., 0]).save("gray.png")
    assert REFUSALS[command] in refused(*shlex.split(command))
