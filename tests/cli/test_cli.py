"""The command line: what it writes and prints, and how it refuses."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde import ColorKDE, __version__, color_kde, compute_densities, load_kernels
from napari_colorkde.cli import main
from napari_colorkde.cli.console import print_status, table, timed_step
from napari_colorkde.cli.parsers import parse_bandwidth
from napari_colorkde.core.colorspaces import COLOR_SPACES
from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES
from napari_colorkde.io.colors.colormaps import COLORMAPS
from napari_colorkde.io.sample_data import sample_path
from napari_colorkde.io.volumes import load_volume

DIGITS = Path(__file__).parents[1] / "data" / "mnist_30_digits"
SKIN = str(sample_path("jones_rehg_1999.csv"))
COMMANDS = (
    "demo",
    "open",
    "info",
    "volume",
    "density",
    "classify",
    "bandwidth",
    "fit",
    "count",
    "merge",
    "measure",
    "kernels",
    "compare",
    "look",
    "grid-search",
    "crosscheck",
)


def run_program(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "napari_colorkde", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


# Help


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.split("Commands:\n")[1].splitlines()] == list(
        COMMANDS
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "-h"]) == 0
    examples = capsys.readouterr().out.split("Examples:\n")[1].splitlines()
    assert examples
    assert all(line.startswith(f"    napari-colorkde {command}") for line in examples)


def test_examples_are_valid_command_lines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run as they stand, they fail for want of the file alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "napari_colorkde.ui.launcher", None)
    for command in COMMANDS:
        main([command, "-h"])
        for line in capsys.readouterr().out.split("Examples:\n")[1].splitlines():
            assert main(shlex.split(line)[1:]) == 2
            error = capsys.readouterr().err
            assert "does not exist" in error or "no window" in error


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"napari-colorkde {__version__}\n"


def test_help_as_a_program_loads_no_engine() -> None:
    code = (
        "import sys; from napari_colorkde.cli import main; main(['volume', '--help'])\n"
        "assert not {'torch', 'scipy', 'napari', 'vispy', 'qtpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_former_name_of_a_command_works_and_says_the_new_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [f"{DIGITS}.npz", "--sigmas", "1", "--scale", "256"]
    assert main(["grid-search", *options]) == 0
    expected = capsys.readouterr().out
    assert main(["dataset", *options]) == 0
    out, err = capsys.readouterr()
    assert out == expected
    assert err.splitlines()[-1] == (
        "napari-colorkde: warning: the command dataset is now called grid-search; the former name "
        "will go away."
    )


def test_completion_offers_what_may_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    for words, expected in {
        "volume a.png --space ": tuple(COLOR_SPACES),
        "volume a.png --bandwidth ": BANDWIDTH_RULES,
        "volume a.png --sampling ": ("points", "cells"),
        "density a.png --colormap ": COLORMAPS,
        "density a.png --show ": ("density", "posterior", "ratio", "class"),
    }.items():
        done = run_program(
            env={
                **os.environ,
                "_NAPARI_COLORKDE_COMPLETE": "complete_bash",
                "COMP_WORDS": f"napari-colorkde {words}",
                "COMP_CWORD": str(len(words.split()) + 1),
            }
        )
        assert set(expected) <= set(done.stdout.split())


# Volumes


def test_volume_is_that_of_color_kde(picture: NDArray[Any]) -> None:
    command = "volume a.png -o v.npz --bins 24 --bandwidth 14,15,16 --extent -20,280"
    assert main(shlex.split(command)) == 0
    volume = load_volume("v.npz")
    expected = color_kde(picture, [14, 15, 16], bins=24, extent=(-20, 280))
    np.testing.assert_array_equal(volume.values, expected.values)
    np.testing.assert_array_equal(volume.axes, expected.axes)
    assert volume.mass_inside == expected.mass_inside
    with np.load("v.npz") as file:
        record = json.loads(str(file["provenance"]))
    assert record["command"] == f"napari-colorkde {command}"
    assert record["covariance"] == np.diag([196.0, 225.0, 256.0]).tolist()


def test_volume_takes_an_extent_for_each_channel(picture: NDArray[Any]) -> None:
    pairs = ["0,100", "10,110", "20,120"]
    options = [word for pair in pairs for word in ("--extent", pair)]
    assert main(["volume", "a.png", "-o", "v.npz", "--bins", "16", "--bandwidth=20", *options]) == 0
    ends = [(axis[0], axis[-1]) for axis in load_volume("v.npz").axes]
    assert ends == [(0, 100), (10, 110), (20, 120)]


def test_volume_in_cells_needs_no_wide_bandwidth(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("volume a.png -o v.npy --bins 16 --bandwidth 1 --sampling cells")) == 0
    assert "warning" not in capsys.readouterr().err
    cell = (255 / 15) ** 3
    assert np.load("v.npy").sum() * cell == pytest.approx(1, abs=1e-3)


def test_narrow_bandwidth_is_warned_of_in_one_line(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("volume a.png -o v.npy --bins 16 --bandwidth 1")) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(lines) == 1
    assert lines[0].startswith("napari-colorkde: warning: The bandwidth is below the grid")


def test_volume_in_another_color_space(picture: NDArray[Any]) -> None:
    assert main(shlex.split("volume a.png -o v.npz --bins 16 --bandwidth 20 --space lab")) == 0
    volume = load_volume("v.npz")
    assert volume.space == "lab"
    np.testing.assert_array_equal(
        volume.values, color_kde(picture, 20, bins=16, space="lab").values
    )


def test_help_names_the_color_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    main(["volume", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    listed = printed.split("--space SPACE")[1].split(".")[0]
    assert all(f" {name}" in listed for name in COLOR_SPACES)


def test_volume_of_a_gray_picture_is_a_curve(picture: NDArray[Any]) -> None:
    Image.fromarray(picture[..., 0]).save("gray.png")
    assert main(shlex.split("volume gray.png -o v.npy --bins 40 --bandwidth 8")) == 0
    assert np.load("v.npy").shape == (40,)


def test_progress_goes_to_stderr_and_nothing_to_stdout(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("volume a.png -o v.npy --bins 16 --bandwidth 20")) == 0
    out, err = capsys.readouterr()
    assert out == ""
    n_colors = len(np.unique(picture.reshape(-1, 3), axis=0))
    lines = err.splitlines()
    assert lines[0].startswith("Reading a.png: 14 × 18 × 3, uint8 (")
    assert lines[1].startswith(f"Counting colors: {n_colors} colors in 252 pixels (")
    assert lines[2].startswith("Density of colors: 16 × 16 × 16 points, sigma 20, 0.")
    assert lines[3].startswith("Writing v.npy (")
    assert "\r" not in err


# Densities


@pytest.mark.parametrize("log", [False, True])
def test_density_is_that_of_the_kde(picture: NDArray[Any], log: bool) -> None:
    assert main(["density", "a.png", "-o", "d.npy", "--bandwidth", "6", *["--log"] * log]) == 0
    expected = ColorKDE(picture, 6).density(picture, log=log)
    density = np.load("d.npy")
    assert density.dtype == expected.dtype
    np.testing.assert_allclose(density, expected, rtol=1e-5)


def test_default_bandwidth_does_not_depend_on_the_pixels(picture: NDArray[Any]) -> None:
    assert main(["density", "a.png", "-o", "d.npy"]) == 0
    np.testing.assert_allclose(np.load("d.npy"), ColorKDE(picture, 4).density(picture), rtol=1e-5)


def test_density_of_kernels_is_that_of_compute_densities(picture: NDArray[Any]) -> None:
    command = ["density", "a.png", "-o", "d.tif", "--kernels", SKIN, "--set", "skin"]
    assert main(command) == 0
    expected = compute_densities(picture, load_kernels(SKIN)["skin"])
    with tifffile.TiffFile("d.tif") as tiff:
        np.testing.assert_allclose(tiff.asarray(), expected, rtol=1e-5)
        info = (tiff.imagej_metadata or {})["Info"]
    assert f"command: {shlex.join(['napari-colorkde', *command])}" in info
    assert "mixture: skin" in info
    assert "sum of weights: 0.999" in info


def test_sum_of_weights_is_shown(picture: NDArray[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["density", "a.png", "-o", "d.npy", "--kernels", SKIN, "--set", "nonskin"]) == 0
    assert (
        "Kernels of nonskin: 16 kernels, 3 channels (rgb), diagonal, weights sum to 0.9996"
        in capsys.readouterr().err
    )


def test_only_set_of_a_kernel_file_needs_no_name(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("k.csv").write_text(
        "mean_r,mean_g,mean_b,var_r,var_g,var_b,weight\n160,110,80,400,400,400,0.5\n"
    )
    assert main(["density", "a.png", "-o", "d.npy", "--kernels", "k.csv"]) == 0
    err = capsys.readouterr().err
    assert "napari-colorkde: warning: kernel file 'k.csv': the weights of set 'k' sum to 0.5" in err
    assert np.load("d.npy").max() > 0


@pytest.mark.parametrize("options", [[], ["--kernels", SKIN, "--set", "skin"]])
def test_masked_pixels_are_nan(picture: NDArray[Any], options: list[str]) -> None:
    mask = np.arange(14 * 18).reshape(14, 18) % 3 > 0
    Image.fromarray(mask).save("mask.png")
    assert main(["density", "a.png", "-o", "d.npy", "--mask", "mask.png", *options]) == 0
    np.testing.assert_array_equal(np.isnan(np.load("d.npy")), ~mask)


def test_masked_pixels_do_not_count(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    mask = np.zeros((14, 18), bool)
    mask[:5] = True
    Image.fromarray(mask).save("mask.png")
    assert main(shlex.split("density a.png -o d.npy --mask mask.png --bandwidth 6")) == 0
    assert "in 90 pixels; left out: 162 masked (" in capsys.readouterr().err
    expected = ColorKDE(picture[:5], 6).density(picture[:5])
    np.testing.assert_allclose(np.load("d.npy")[:5], expected, rtol=1e-5)


def test_transparent_pixels_are_counted(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    alpha = np.full((14, 18, 1), 255, np.uint8)
    alpha[0, :4] = 0
    Image.fromarray(np.concatenate([picture, alpha], axis=-1)).save("rgba.png")
    assert main(["density", "rgba.png", "-o", "d.npy"]) == 0
    assert "left out: 4 transparent (" in capsys.readouterr().err
    assert np.count_nonzero(np.isnan(np.load("d.npy"))) == 4


def test_png_is_colored(picture: NDArray[Any]) -> None:
    assert main(["density", "a.png", "-o", "d.png", "--colormap", "gray", "--log"]) == 0
    with Image.open("d.png") as colored:
        assert colored.mode == "RGBA"
        assert colored.size == (18, 14)
        assert "command: napari-colorkde density a.png" in colored.info["Description"]


def test_stack_of_gray_pages(picture: NDArray[Any]) -> None:
    tifffile.imwrite("stack.tif", np.moveaxis(picture, -1, 0), photometric="minisblack")
    assert main(shlex.split("density stack.tif -o d.npy --channel-axis none")) == 0
    assert np.load("d.npy").shape == (3, 14, 18)


def test_channels_that_stand_first(picture: NDArray[Any]) -> None:
    np.save("first.npy", np.moveaxis(picture, -1, 0))
    assert main(shlex.split("density first.npy -o d.npy --channel-axis 0 --bandwidth 6")) == 0
    np.testing.assert_allclose(np.load("d.npy"), ColorKDE(picture, 6).density(picture), rtol=1e-5)


def test_density_in_another_color_space(picture: NDArray[Any]) -> None:
    assert main(shlex.split("density a.png -o d.npy --space oklab --log")) == 0
    expected = ColorKDE(picture, space="oklab").density(picture, log=True)
    np.testing.assert_allclose(np.load("d.npy"), expected, atol=1e-4)


# Bandwidths


def test_bandwidth_prints_candidates_and_choice(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("bandwidth a.png --candidates 2,8,32")) == 0
    header, *rows, choice = capsys.readouterr().out.splitlines()
    assert header.split() == ["sigma_1", "sigma_2", "sigma_3", "log_likelihood"]
    scores = {row.split()[0]: float(row.split()[3]) for row in rows}
    assert list(scores) == ["2", "8", "32"]
    assert scores["8"] == pytest.approx(ColorKDE(picture, 8).leave_one_color_out(), abs=1e-4)
    best = max(scores, key=lambda sigma: scores[sigma])
    assert choice == f"bandwidth  {best},{best},{best}"


def test_bandwidth_as_json(picture: NDArray[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split("bandwidth a.png --method loo --candidates 2,8 --json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["method"] == "loo"
    assert found["candidates"] == [[2, 2, 2], [8, 8, 8]]
    assert found["bandwidth"] in found["candidates"]
    assert found["scores"][1] == pytest.approx(ColorKDE(picture, 8).leave_one_out(), abs=1e-4)


@pytest.mark.parametrize(
    "command",
    [
        "bandwidth r.png --method loo",
        "volume r.png -o v.npz --bandwidth loo --bins 16 --sampling cells",
        "density r.png -o d.tif --bandwidth loo",
    ],
)
def test_a_bandwidth_at_the_edge_is_warned_of_in_one_line(
    picture: NDArray[Any], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.concatenate(3 * [picture])).save("r.png")
    assert main(shlex.split(command)) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert line.lower().startswith("napari-colorkde: warning: the best bandwidth, sigma 6.35, is")
    assert "the narrowest at which pixels are not mostly predicted by others" in line


def test_chosen_bandwidth_can_be_given_back(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("bandwidth a.png --method scott")) == 0
    chosen = capsys.readouterr().out.split()
    assert chosen[0] == "bandwidth"
    assert main(["volume", "a.png", "-o", "v.npz", "--bandwidth", chosen[1], "--bins", "16"]) == 0
    np.testing.assert_allclose(
        load_volume("v.npz").covariance, ColorKDE(picture, "scott").covariance, rtol=1e-4
    )


def test_automatic_bandwidth_is_a_fraction_of_the_range(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("bandwidth a.png --method auto")) == 0
    assert capsys.readouterr().out == "bandwidth  4,4,4\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [("auto", None), ("loco", "loco"), ("2.5", 2.5), ("3,3,5", [3, 3, 5]), ("1e1", 10)],
)
def test_bandwidth_as_it_is_typed(text: str, value: object) -> None:
    assert parse_bandwidth(text) == value


# Data sets


def test_digits_give_the_published_log_likelihoods(capsys: pytest.CaptureFixture[str]) -> None:
    known = json.loads(DIGITS.with_suffix(".json").read_text())
    sigmas = ",".join(map(str, known["sigmas"]))
    file = str(DIGITS.with_suffix(".npz"))
    assert main(["grid-search", file, "--sigmas", sigmas, "--scale", "256", "--device", "cpu"]) == 0
    header, *rows, best, test = capsys.readouterr().out.splitlines()
    assert header.split() == ["sigma", "log_likelihood"]
    assert [float(row.split()[0]) for row in rows] == known["sigmas"]
    scores = [float(row.split()[1]) for row in rows]
    np.testing.assert_allclose(scores, known["valid_float64"], atol=1e-3, rtol=1e-6)
    assert best.split() == ["best_sigma", "0.5"]
    assert test.split()[0] == "test_log_likelihood"
    assert float(test.split()[1]) == pytest.approx(known["test_float64"], abs=1e-3)


def test_data_set_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(DIGITS.with_suffix(".npz"))
    assert main(["grid-search", file, "--sigmas", "0.5,1", "--scale", "256", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sigmas"] == [0.5, 1]
    assert found["best_sigma"] == 0.5
    assert found["test_score"] == pytest.approx(-319.508805, abs=1e-3)
    assert found["scores"][0] == pytest.approx(-326.022019, abs=1e-3)


def test_data_set_without_test_vectors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "s.npz", train=np.arange(4.0), valid=np.arange(3.0))
    assert main(["grid-search", str(tmp_path / "s.npz"), "--sigmas", "1"]) == 0
    assert "test" not in capsys.readouterr().out


# Windows


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A launcher that records what it is asked to open."""
    opened: list[Any] = []
    module = ModuleType("launcher")
    module.run_demo = opened.append  # type: ignore[attr-defined]
    module.open_images = opened.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "napari_colorkde.ui.launcher", module)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")  # as good as a display
    return opened


def test_demo_and_open_start_the_window(picture: NDArray[Any], launcher: list[Any]) -> None:
    assert main(["demo"]) == main(["demo", "-o", "folder"]) == main(["open", "a.png"]) == 0
    shutil.copy("a.png", "b.png")
    assert main(["open", "a.png", "b.png"]) == 0
    one, two = [Path("a.png")], [Path("a.png"), Path("b.png")]
    assert launcher == [None, Path("folder"), one, two]


@pytest.mark.parametrize("display", [None, ":4711", "nowhere.invalid:0"])
@pytest.mark.parametrize("command", [["demo"], ["open", "a.png"]])
def test_without_a_display_there_is_one_sentence(
    command: list[str],
    display: str | None,
    picture: NDArray[Any],
    launcher: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., str],
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    said = refused(*command)
    assert "no window can be opened" in said
    assert "DISPLAY" in said
    assert launcher == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
@pytest.mark.parametrize(
    ("platform", "wayland", "sentence"),
    [
        ("", "nothing-0", "the display 'nothing-0' does not respond"),
        ("wayland", "nothing-0", "the display 'nothing-0' does not respond"),
        ("wayland", "", "there is no display"),
        ("xcb", "nothing-0", "there is no display"),
        ("nothing", "", "Qt cannot start here with QT_QPA_PLATFORM=nothing"),
    ],
)
def test_a_display_that_qt_cannot_use_is_one_sentence(
    platform: str,
    wayland: str,
    sentence: str,
    picture: NDArray[Any],
    launcher: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    refused: Callable[..., str],
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    for name, value in {"QT_QPA_PLATFORM": platform, "WAYLAND_DISPLAY": wayland}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert f"no window can be opened: {sentence}" in refused("open", "a.png")
    assert launcher == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_a_wayland_compositor_that_answers_is_a_display(
    picture: NDArray[Any],
    launcher: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in ("DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "w-0")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as compositor:
        compositor.bind(str(tmp_path / "w-0"))
        compositor.listen()
        assert main(["open", "a.png"]) == 0
    assert launcher == [[Path("a.png")]]


def test_missing_image_opens_no_window(
    tmp_path: Path, launcher: list[Any], refused: Callable[..., str]
) -> None:
    assert refused("open", str(tmp_path / "a.png")).endswith("does not exist; check the name.")
    assert launcher == []


def test_missing_qt_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    monkeypatch.setitem(sys.modules, "napari_colorkde.ui.launcher", None)
    assert 'pip install "napari-colorkde[all]"' in refused("demo")


def test_an_old_napari_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    monkeypatch.setattr("napari_colorkde.napari_version.version", lambda name: "0.6.10")
    assert refused("demo") == (
        "no window can be opened: napari 0.6.10 is too old, 0.9.2 or newer is needed; install it: "
        'pip install --upgrade "napari-colorkde[napari]".'
    )


# Refusals

REFUSALS = {
    "volume missing.png -o v.npy": "image 'missing.png' does not exist; check the name.",
    "volume . -o v.npy": "output 'v.npy' names one file, but ",
    "volume a.png -o v.gif": "'.gif'; use .tif, .tiff, .npy, .npz, .zarr, .nrrd, .cube or .ply.",
    "volume a.png -o v": "has no suffix; use .tif, .tiff, .npy, .npz, .zarr, .nrrd, .cube or .ply.",
    "density a.png -o d.jpg": "use .tif, .tiff, .npy, .npz, .png, .ome.tif, .ome.tiff or .zarr.",
    "density a.png -o missing/d.tif": "missing' does not exist; make it first.",
    "density a.png -o a.png": "output 'a.png' is also an input; give another name.",
    "density a.png -o d.npy --mask a.npy": "image 'a.npy' does not exist; check the name.",
    "density a.png -o d.npy --mask small.png": "mask has shape (2, 2), but the pixels of image",
    "density a.png -o d.npy --colormap jet": "colormap='jet' is not known; use magma, viridis",
    "density a.png -o d.npy --bandwidth wide": "'--bandwidth': 'wide' is not known; use auto, loco",
    "density a.png -o d.npy --bandwidth 0": "'--bandwidth': '0' is not a sigma; give a number",
    "density a.png -o d.npy --bandwidth 1,2": "bandwidth has 2 sigmas, the image 3 channels; give",
    "density a.png -o d.npy --device tpu": "device='tpu' is not known; use \"auto\",",
    "density a.png -o d.npy --channel-axis c": "'--channel-axis': 'c': give a whole number, or",
    "density a.png -o d.npy --channel-axis 7": "channel_axis=7 does not exist in image of shape",
    "density a.png -o d.png --channel-axis none": "a PNG holds a single image, but the pixels",
    "density a.png -o d.npy --set skin": "--set names a set of a kernel file; give the file with",
    "density a.png -o d.npy --kernels k.csv": "kernel file 'k.csv' does not exist; check the name.",
    f"density a.png -o d.npy --kernels {SKIN}": "the sets 'skin', 'nonskin'; choose with --set",
    f"density a.png -o d.npy --kernels {SKIN} --set x": "has no set 'x'; it holds 'skin'",
    f"density a.png -o d.npy --kernels {SKIN} --set skin --bandwidth 3": "cannot be combined",
    f"density a.png -o d.npy --kernels {SKIN} --set skin --space lab": "kernels are used as the",
    "density gray.png -o d.npy --space lab": "space",
    f"density gray.png -o d.npy --kernels {SKIN} --set skin": "has 1 channel",
    f"density a.png -o d.npy --kernels {SKIN} --set skin --mask small.png": "mask has shape (2, 2)",
    "volume a.png -o v.npy --bins 1": "give at least 2 points per axis.",
    "volume a.png -o v.npy --bins 5000": "the volume would exceed",
    "volume a.png -o v.npy --extent 0": "'--extent': '0' has 1 numbers; give 2 numbers, such as",
    "volume a.png -o v.npy --extent 0,a": "'--extent': '0,a': give 2 numbers, such as 0,255",
    "volume a.png -o v.npy --extent 0,inf": "'--extent': '0,inf': give finite numbers;",
    "volume a.png -o v.npy --extent 9,5": "give finite pairs, with low below high.",
    "volume a.png -o v.npy --extent 0,1 --extent 0,1": "give one (low, high) pair, or 3 of them.",
    "volume a.png -o v.npy --space cmyk": "'--space': 'cmyk' is not known; use one of rgb,",
    "volume a.png -o v.npy --sampling fine": "'--sampling': 'fine' is not one of 'points', 'cells'",
    "bandwidth a.png --method best": "'--method': 'best' is not known; use one of auto, loco, loo,",
    "bandwidth a.png --candidates 1,b": "'--candidates': '1,b': give numbers separated by commas;",
    "bandwidth a.png --candidates 1,-1": "a sigma must be positive",
    "bandwidth a.png --method scott --candidates 1": "method='scott' tries no candidates; use loco",
    "bandwidth plain.png": "image has a single color; leaving it out leaves nothing.",
    "grid-search missing.npz --sigmas 1": "data set 'missing.npz' does not exist; check the name.",
    "grid-search a.png --sigmas 1": "is a single image; give a folder of images of the same",
    f"grid-search {DIGITS}.npz --sigmas 1,x": "'--sigmas': '1,x': give numbers separated by commas",
    f"grid-search {DIGITS}.npz --sigmas 0": "'0': a sigma must be positive; give numbers above 0;",
    f"grid-search {DIGITS}.npz --sigmas 1 --scale 0": "scale=0.0; give a positive number, such as",
    "volum a.png": "No such command 'volum'. Did you mean 'volume'?; see napari-colorkde --help.",
    "": "Missing command; see napari-colorkde --help.",
    "volume": "Missing argument 'INPUT'; see napari-colorkde volume --help.",
    "volume a.png": "Missing option '--output' / '-o'; see napari-colorkde volume --help.",
    "volume a.png -o v.npy --bin": "No such option: --bin",
    "volume a.png -o v.npy --bins many": "Invalid value for '--bins': ",
    "volume a.png b.png -o v.npy": "output 'v.npy' names one file, but 2 images are given; use",
}


@pytest.mark.parametrize("command", REFUSALS)
def test_bad_input_is_refused_in_one_line(
    command: str, picture: NDArray[Any], refused: Callable[..., str]
) -> None:
    Image.fromarray(picture[..., 0]).save("gray.png")
    Image.fromarray(np.eye(2, dtype=bool)).save("small.png")
    Image.fromarray(np.full((3, 3, 3), 7, np.uint8)).save("plain.png")
    assert REFUSALS[command] in refused(*shlex.split(command))


def test_refusal_before_any_work_is_the_only_line(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("volume a.png -o v.gif", "density a.png -o d.npy --bandwidth x", "volume"):
        assert main(shlex.split(command)) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def fail(error: BaseException) -> Callable[..., None]:
    def raise_it(*args: Any, **kwargs: Any) -> None:
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            MemoryError("Unable to allocate 3 TiB"),
            "out of memory (Unable to allocate 3 TiB); use a",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory\nstack"),
            "can't allocate memory)",
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), "out of memory (CUDA out of memory."),
        (TypeError("image holds\ncomplex numbers"), "image holds complex numbers"),
        (ValueError(), "ValueError"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    ],
)
def test_errors_in_the_middle_are_one_line(
    error: Exception,
    sentence: str,
    picture: NDArray[Any],
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ColorKDE, "volume", fail(error))
    assert sentence in refused("volume", "a.png", "-o", "v.npy")


def test_programming_errors_keep_their_traceback(
    picture: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ColorKDE, "volume", fail(RuntimeError("index out of range")))
    with pytest.raises(RuntimeError, match="index out of range"):
        main(["volume", "a.png", "-o", "v.npy"])


@pytest.mark.parametrize(
    ("error", "code"), [(OSError(errno.ENOSPC, "No space left"), 2), (KeyboardInterrupt(), 130)]
)
def test_interrupted_writing_keeps_the_old_file(
    error: BaseException, code: int, picture: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("d.npy").write_text("old")
    monkeypatch.setattr(np, "save", fail(error))
    assert main(["density", "a.png", "-o", "d.npy"]) == code
    assert Path("d.npy").read_text() == "old"
    assert sorted(path.name for path in Path().iterdir()) == ["a.png", "d.npy"]


def test_ctrl_c_stops_with_130(
    picture: NDArray[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ColorKDE, "volume", fail(KeyboardInterrupt()))
    assert main(["volume", "a.png", "-o", "v.npy"]) == 130
    err = capsys.readouterr().err
    assert err.endswith("napari-colorkde: stopped.\n")
    assert "Traceback" not in err
    assert not Path("v.npy").exists()


# As a program


def test_program_computes_and_refuses(picture: NDArray[Any]) -> None:
    done = run_program("volume", "a.png", "-o", "v.npy", "--bins", "16", "--bandwidth", "20")
    assert (done.returncode, done.stdout) == (0, "")
    np.testing.assert_array_equal(np.load("v.npy"), color_kde(picture, 20, bins=16).values)
    done = run_program("density", "missing.png", "-o", "d.npy")
    assert done.returncode == 2
    assert done.stderr == "napari-colorkde: image 'missing.png' does not exist; check the name.\n"


def test_closed_pipe_is_no_error_of_ours() -> None:
    """As in ``napari-colorkde grid-search … | head -1``."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [
        sys.executable,
        "-m",
        "napari_colorkde",
        "grid-search",
        f"{DIGITS}.npz",
        "--sigmas",
        "99",
    ]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


# The console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_shows_a_bar_and_then_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with timed_step("Adding") as work:
        work.progress(0.5)
        print_status("a line [bold]above :smile: the bar " + 40 * "…")
        assert work.bar is not None
        work.bar.refresh()
        work.outcome = "done"
    shown = terminal.getvalue()
    assert "Adding …" in shown
    assert " 50%" in shown
    assert "a line [bold]above :smile: the bar " + 40 * "…" + "\n" in shown
    assert re.search(r"Adding: done \(\d\.\d\d s\)\n$", shown)


def test_terminal_bar_ends_when_a_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(ValueError, match="no"), timed_step("Adding"):
        raise ValueError("no")
    print_status("plain again")
    assert terminal.getvalue().endswith("plain again\n")
    assert "Adding (" not in terminal.getvalue()


def test_long_work_without_a_terminal_speaks_seldom(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    with timed_step("Adding") as work:
        for i in range(25):
            work.progress(i / 25)
    assert capsys.readouterr().err == (
        "Adding: 40%, about 15 s left\nAdding: 84%, about 4 s left\nAdding (26.00 s)\n"
    )


def test_table_is_aligned() -> None:
    assert table(["a", "long"], [["1", "2"], ["100", "-3.5"]]) == "  a  long\n  1     2\n100  -3.5"
