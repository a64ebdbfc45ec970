"""The command line: its commands and options, the values they take, and what they write."""

from __future__ import annotations

import json
import re
from importlib.metadata import entry_points
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_colorkde import load_kernels
from napari_colorkde.cli import main
from tests.compat.conftest import RECORDED, Run

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

COMMANDS = json.loads((RECORDED / "command_line.json").read_text())
PROGRAM = "napari-colorkde"


# Commands and options


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_in_the_help(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    texts = []
    for option in ("-h", "--help"):
        assert main([command, option]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    words = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", texts[0]))
    for option, short in COMMANDS[command]["options"].items():
        assert {option, *short} <= words
    assert f"{PROGRAM} {command}" in texts[0]


def test_the_program_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", printed)] == []
    assert main(["--version"]) == 0
    assert re.fullmatch(rf"{PROGRAM} \d\S*\n", capsys.readouterr().out)


def test_the_program_is_installed_under_its_name() -> None:
    (script,) = entry_points(group="console_scripts", name=PROGRAM)
    assert script.load() is main


@pytest.mark.parametrize("command", [name for name in COMMANDS if COMMANDS[name]["required"]])
def test_required_options_and_no_others_are_asked_for(
    run: Run, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each is named when all others are there.
    values = {"--output": "out.json", "--n-kernels": "2", "--sigmas": "1"}
    required = COMMANDS[command]["required"]
    for missing in required:
        given = [w for name in required if name != missing for w in (name, values[name])]
        assert main([command, "photo.npy", *given]) == 2
        assert missing in capsys.readouterr().err


# What they write


def test_volume_with_every_option(run: Run) -> None:
    run("volume photo.png -o plain.npz")
    run(
        "volume photo.png --output same.npz --bins 128 --bandwidth auto --space rgb --sampling"
        " points --channel-axis -1 --device auto --extent 0,255"
    )
    with np.load("plain.npz") as plain, np.load("same.npz") as same:
        names = {"values", "covariance", "mass_inside", "space", "provenance"}
        assert names | {"axis_0", "axis_1", "axis_2"} <= set(plain)
        for name in set(plain) - {"provenance"}:
            np.testing.assert_array_equal(plain[name], same[name])
        record = json.loads(str(plain["provenance"]))
    assert list(record)[:2] == ["software", "command"]
    assert {"image", "covariance", "space"} <= record.keys()
    assert record["command"] == f"{PROGRAM} volume photo.png -o plain.npz"
    run("volume photo.png -o v.npy --bins 8 --bandwidth 60,50,40 --mask mask.npy --device cpu")
    run("volume photo.png -o v.tif --bins 9 --bandwidth 5 --sampling cells --channels 0,2")
    assert np.load("v.npy").shape == (8, 8, 8)
    assert tifffile.imread("v.tif").shape == (9, 9)
    extents = "--extent 0,100 --extent 0,200 --extent 0,250"
    run(f"volume planes.npy -o v.npz --bins 8 --bandwidth scott --channel-axis 0 {extents}")
    for space in ("linear", "lab", "oklab", "hsv", "ycbcr", "principal"):
        run(f"volume photo.png -o v.npz --bins 6 --bandwidth 90 --space {space}")
        with np.load("v.npz") as volume:
            assert str(volume["space"]) == space


def test_density_of_the_image_with_every_option(run: Run) -> None:
    run("density photo.png -o plain.tif")
    run(
        "density photo.png --output same.tif --show density --bandwidth auto --space rgb"
        " --colormap magma --channel-axis -1 --device auto"
    )
    np.testing.assert_array_equal(tifffile.imread("plain.tif"), tifffile.imread("same.tif"))
    for bandwidth in ("scott", "silverman", "loco", "loo", "2.5", "3,5"):
        run(f"density photo.png -o d.npy --bandwidth {bandwidth} --log --channels 0,1")
    run("density photo.png -o d.npz --space lab --mask mask.npy --channels 0,1,2 --device cpu")
    with np.load("d.npz") as archive:
        assert {"density", "log", "provenance"} <= set(archive)
        assert np.isnan(archive["density"]).sum() == 16 * 8
        assert {"software", "command", "image", "space"} <= json.loads(
            str(archive["provenance"])
        ).keys()
    run("density gray.npy -o d.npy --channel-axis none")
    for colormap in ("gray", "viridis", "magma", "inferno", "plasma"):
        run(f"density photo.png -o d.png --colormap {colormap}")
        assert iio.imread("d.png").shape == (16, 20, 4)


def test_density_of_kernels_with_every_option(run: Run) -> None:
    kernels = "density photo.png --kernels kernels.json"
    run(f"{kernels} -o d.tif --set cool --log")
    run(f"{kernels} -o d.tif --class earth")
    run(f"{kernels} -o p.tif --show posterior --class cool --prior cool=0.2 --prior earth=0.5")
    run(f"{kernels} -o r.tif --show ratio --class earth --against cool")
    run(f"{kernels} -o c.npz --show class --none-below 0.6 --prior cool=0.3")
    shown = np.load("shown.npz")
    np.testing.assert_allclose(tifffile.imread("p.tif"), shown["posterior"], rtol=1e-5)
    np.testing.assert_allclose(tifffile.imread("r.tif"), shown["ratio"], rtol=1e-5, atol=1e-5)
    with np.load("c.npz") as archive:
        assert {"labels", "names", "provenance"} <= set(archive)
        np.testing.assert_array_equal(archive["labels"], shown["classes"])
        assert archive["names"].tolist() == ["warm tones", "cool", "earth"]


def test_fit_and_kernels_with_every_option(run: Run) -> None:
    run("fit photo.png -k 2 -o plain.json")
    run(
        "fit photo.png --n-kernels 2 --output same.json --covariance full --max-iter 200 --seed 0"
        " --channel-axis -1 --device auto"
    )
    assert load_kernels("plain.json") == load_kernels("same.json")
    assert list(load_kernels("plain.json")) == ["photo"]
    for covariance in ("full", "diagonal", "diag", "spherical", "tied"):
        run(f"fit photo.png -k 2 -o k.json --covariance {covariance} --reg-covar 1 --channels 0,1")
    run("fit photo.png -k auto --max-k 2 -o k.csv --mask mask.npy")
    run("fit photo.png -k 1 --labels labels.npy --name 1=left --name 2=right -o k.json")
    kernels = load_kernels("k.json")
    assert [kernel_set[0].cls for kernel_set in kernels.values()] == ["left", "right"]
    assert json.loads(Path("k.json").read_text())["about"].startswith(f"{PROGRAM} fit photo.png")
    printed = run("kernels k.json")
    assert printed == (
        "left: 1 kernels, 3 channels (rgb), full covariance, weights sum to 1\n"
        "right: 1 kernels, 3 channels (rgb), full covariance, weights sum to 1\n"
    )
    assert run("kernels k.json --set left -o left.csv") == ""
    assert list(load_kernels("left.csv")) == ["left"]
