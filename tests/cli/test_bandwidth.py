"""The command bandwidth: rules, shapes, color spaces, CSV and plot."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde import ColorKDE, color_kde, select_bandwidth
from napari_colorkde.cli import main


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("--method blocks --candidates 2,20,90", {"method": "blocks", "candidates": [2, 20, 90]}),
        ("--method pixels --space lab", {"method": "pixels", "space": "lab"}),
        (
            "--candidates 9,20,90 --shape covariance",
            {"candidates": [9, 20, 90], "shape": "covariance"},
        ),
        ("--method plug-in", {"method": "plug-in"}),
        ("--method isj", {"method": "isj"}),
    ],
)
def test_choice_is_that_of_the_library(
    picture: NDArray[Any],
    options: str,
    arguments: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(shlex.split(f"bandwidth a.png {options} --json")) == 0
    found = json.loads(capsys.readouterr().out)
    expected = select_bandwidth(picture, **arguments)
    np.testing.assert_allclose(found["bandwidth"], expected.bandwidth, rtol=1e-9)
    np.testing.assert_allclose(found["scores"], expected.scores, rtol=1e-9)
    np.testing.assert_allclose(found["covariance"], expected.covariance, rtol=1e-9)
    assert found["degenerate"] == expected.degenerate.tolist()


def test_blocks_follow_the_mask(picture: NDArray[Any], capsys: pytest.CaptureFixture[str]) -> None:
    mask = np.ones(picture.shape[:2], bool)
    mask[:2] = False
    Image.fromarray(mask).save("mask.png")
    assert main(shlex.split("bandwidth a.png --method blocks --candidates 20 --mask mask.png")) == 0
    assert f"{mask.sum()} pixels" in capsys.readouterr().err


def test_scores_are_written_with_the_zone_and_the_best(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    Image.fromarray(np.repeat(picture, 3, axis=0)).save("b.png")
    line = "bandwidth b.png --method loo --candidates 1,4,60,90 --csv s.csv --plot s.svg"
    assert main(shlex.split(line)) == 0
    with Path("s.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "sigma_1",
        "sigma_2",
        "sigma_3",
        "log_likelihood",
        "standard_error",
        "own_color_share",
        "degenerate",
        "best",
    ]
    assert [row["sigma_1"] for row in rows] == ["1.0", "4.0", "60.0", "90.0"]
    assert [row["degenerate"] for row in rows] == ["1", "1", "0", "0"]
    assert [row["best"] for row in rows] == ["0", "0", "1", "0"]
    assert "repeated colors predict themselves" not in capsys.readouterr().out
    assert Path("s.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_full_covariance_is_printed(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("bandwidth a.png --method plug-in")) == 0
    sigmas, *covariance = capsys.readouterr().out.splitlines()
    assert sigmas.startswith("bandwidth  ")
    shown = [[float(word) for word in line.split()[1:]] for line in covariance]
    expected = select_bandwidth(picture, "plug-in").covariance
    np.testing.assert_allclose(shown, expected, rtol=1e-5)


def test_densities_by_blocks_within_walls_and_of_varying_width(picture: NDArray[Any]) -> None:
    line = "density a.png -o d.npy --bandwidth 12 --boundary reflected"
    assert main(shlex.split(line)) == 0
    expected = ColorKDE(picture, 12, boundary="reflected").density(picture)
    np.testing.assert_allclose(np.load("d.npy"), expected, rtol=1e-6)
    assert main(shlex.split("volume a.png -o v.npz --bandwidth 30 --varying --bins 16")) == 0
    with np.load("v.npz") as volume:
        assert json.loads(str(volume["provenance"]))["varying"] is True
        values = color_kde(picture, 30, varying=True, bins=16).values
        np.testing.assert_allclose(volume["values"], values, rtol=1e-5)
    assert main(shlex.split("density a.png -o b.npy --bandwidth blocks")) == 0
    expected = ColorKDE(picture, "blocks").density(picture)
    np.testing.assert_allclose(np.load("b.npy"), expected, rtol=1e-6)


REFUSALS = {
    "--shape round": "'round' is not known; use one of isotropic, channels, covariance",
    "--method scott --shape channels": "shape='channels' is for methods that try candidates",
    "--method scott --csv s.csv": "--csv: method='scott' has no scores; use loco, loo, pixels",
    "--csv s.txt": "csv 's.txt' has the suffix '.txt'; use .csv.",
    "--plot s.pdf": "plot 's.pdf' has the suffix '.pdf'; use .png or .svg.",
}


@pytest.mark.parametrize("options", REFUSALS)
def test_bad_input_is_refused_in_one_line(
    options: str, picture: NDArray[Any], refused: Callable[..., str]
) -> None:
    assert REFUSALS[options] in refused("bandwidth", "a.png", *shlex.split(options))
