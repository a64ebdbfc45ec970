"""What the command line prints, and where: results, JSON, refusals, warnings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_colorkde.cli import main
from tests.compat.conftest import Run

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

PROGRAM = "napari-colorkde"


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it as a program, in a narrow terminal's environment but without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "napari_colorkde", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "COLUMNS": "40", "TERMINAL_WIDTH": "40", **environment},
    )


# What they print


def shape(value: Any) -> Any:
    """The types of a JSON document: of a list, that of its first entry."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value)


BANDWIDTH = {"method": str, "bandwidth": [float], "candidates": [[float]], "scores": [float]}
DATASET = {"sigmas": [float], "scores": [float], "best_sigma": float, "test_score": float}
ANSWER = {
    "library": str,
    "near": float,
    "far": float,
    "is_right": bool,
    "n_underflows": int,
    "remark": str,
}
PRINTED: dict[str, Any] = {
    "bandwidth photo.png --candidates 9,14,20": BANDWIDTH,
    "bandwidth photo.png --method loo --candidates 9,14 --channels 0,1 --mask mask.npy": BANDWIDTH,
    "bandwidth photo.png --method scott --device cpu": {**BANDWIDTH, "scores": []},
    "bandwidth photo.png --method silverman": {**BANDWIDTH, "scores": []},
    "bandwidth photo.png --method auto": {**BANDWIDTH, "scores": []},
    "compare photo.png photo.npy --bandwidth 30 --mask-a mask.npy --device cpu": {
        "kl_ab": float,
        "kl_ba": float,
        "js": float,
    },
    "dataset vectors.npz --sigmas 0.5,1 --scale 2": {**DATASET, "seconds": float},
    "crosscheck photo.png --bandwidth 5 --samples 50 --points 20 --seed 1": [ANSWER],
    "crosscheck vectors.npz --bandwidth 1 --samples 20 --points 10 --scale 1": [
        {**ANSWER, "far": type(None)}
    ],
}


@pytest.mark.parametrize("line", PRINTED)
def test_json_has_these_keys_and_types(run: Run, line: str) -> None:
    printed = run(f"{line} --json")
    assert printed.count("\n") == 1
    found, wanted = shape(json.loads(printed)), PRINTED[line]
    if isinstance(wanted, list):
        found, wanted = found[0], wanted[0]
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("line", "header", "ends"),
    [
        (
            "bandwidth photo.png --candidates 9,14,20",
            "sigma_1 sigma_2 sigma_3 log_likelihood",
            ["bandwidth"],
        ),
        ("bandwidth photo.png --method scott", "", ["bandwidth"]),
        ("compare photo.png photo.npy --bandwidth 30", "kl_ab kl_ba js", []),
        (
            "dataset vectors.npz --sigmas 0.5,1",
            "sigma log_likelihood",
            ["best_sigma", "test_log_likelihood"],
        ),
        # The values, and each library's bandwidth, stand between name and errors since 0.2.
        (
            "crosscheck photo.png --samples 50 --points 20",
            "library bandwidth log_likelihood error in_the_tails verdict",
            [],
        ),
    ],
)
def test_tables_have_these_headers(run: Run, line: str, header: str, ends: list[str]) -> None:
    printed = run(line).splitlines()
    if header:
        assert printed[0].split() == header.split()
    if ends:
        assert [text.split()[0] for text in printed[-len(ends) :]] == ends


def test_stdout_is_plain_and_unwrapped_without_a_terminal(run: Run) -> None:
    name = "a set with a name of many words, " * 8
    saved = json.loads(Path("kernels.json").read_text())
    saved["sets"] = [{**saved["sets"][1], "name": name}]
    deep = Path(*["a rather long folder name"] * 4)
    deep.mkdir(parents=True)
    (deep / "kernels.json").write_text(json.dumps(saved))
    done = program("kernels", str(deep / "kernels.json"))
    assert done.stdout == f"{name}: 1 kernels, 3 channels (rgb), diagonal, weights sum to 1\n"
    candidates = ",".join(str(10 + i / 8) for i in range(40))
    done = program("bandwidth", "photo.npy", "--json", "--candidates", candidates)
    assert done.stdout.count("\n") == 1
    assert len(json.loads(done.stdout)["scores"]) == 40
    done = program("kernels", str(deep / "missing.json"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"{PROGRAM}: ")
    assert str(deep / "missing.json") in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


# How they refuse, and warn

REFUSED = [
    "",
    "paint photo.png",
    "volume",
    "volume photo.png",
    "volume photo.png -o v.npz --no-such-option",
    "volume photo.png -o v.npz --bins many",
    "volume photo.png -o v.npz --bandwidth wide",
    "volume photo.png -o v.npz --bandwidth -1",
    "volume photo.png -o v.npz --extent 1",
    "volume photo.png -o v.npz --sampling lines",
    "volume photo.png -o v.npz --space cmyk",
    "volume photo.png -o v.npz --device abacus",
    "volume photo.png -o v.jpg",
    "volume photo.png -o missing/v.npz",
    "volume missing.png -o v.npz",
    "density photo.png -o photo.png",
    "density photo.png -o d.png --colormap rainbow",
    "density photo.png -o d.tif --show odds",
    "density photo.png -o d.tif --show class",
    "density photo.png -o d.tif --class skin",
    "density photo.png -o d.tif --kernels kernels.json",
    "density photo.png -o d.tif --kernels kernels.json --set none",
    "density photo.png -o d.tif --kernels kernels.json --bandwidth 3",
    "density photo.png -o d.tif --kernels kernels.json --space lab --set cool",
    "density photo.png -o d.tif --kernels kernels.json --show posterior --prior cool",
    "density photo.png -o d.tif --kernels two_channels.json",
    "density photo.png -o d.tif --mask gray.npy --channels 7",
    "fit photo.png -o k.json -k none",
    "fit photo.png -o k.json -k 2 --covariance round",
    "fit photo.png -o k.json -k 2 --max-k 3",
    "fit photo.png -o k.json -k 2 --name 1=skin",
    "fit photo.png -o k.txt -k 2",
    "kernels photo.png",
    "bandwidth photo.png --method best",
    "bandwidth photo.png --method scott --candidates 1,2",
    "compare photo.png gray.npy",
    "dataset photo.npy --sigmas 1",
    "crosscheck photo.png --samples 1",
    "crosscheck vectors.npz",
    "open missing.png",
]


@pytest.mark.parametrize("line", REFUSED)
def test_refusals_are_one_line(run: Run, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().iterdir())
    capsys.readouterr()
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    refusals = [text for text in err.splitlines() if text.startswith(f"{PROGRAM}: ")]
    assert out == ""
    assert len(refusals) == 1
    assert err.endswith(f"{refusals[0]}\n")
    assert "Traceback" not in err
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    "line",
    [
        "volume photo.png -o v.npy --bins 8 --bandwidth 3",
        "density photo.png -o d.tif --kernels minimal.csv",
        "fit photo.png -k 3 -o k.json --max-iter 1",
        "bandwidth photo.png --candidates 1,2,3",
    ],
)
def test_warnings_are_lines_of_their_own(
    run: Run, line: str, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("minimal.csv").write_text((recorded / "minimal" / "diagonal.csv").read_text())
    assert main(line.split()) == 0
    err = capsys.readouterr().err
    assert err.count(f"{PROGRAM}: warning: ") == 1
    assert [text for text in err.splitlines() if text.startswith(f"{PROGRAM}: warning: ")]
