"""Images of more than three channels on the command line, from the file to the classes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray

from napari_colorkde import (
    Kernel,
    KernelSet,
    Palette,
    classify_image,
    compute_densities,
    load_kernels,
    load_palette,
    save_kernels,
)
from napari_colorkde.cli import main


@pytest.fixture
def stains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NDArray[np.uint16]:
    """Five stains, stains.tif, on a left and a right tissue, labels.tif."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    is_right = np.arange(60)[:, np.newaxis] >= 30
    means = np.where(is_right, [900, 300, 500, 200, 700], [400, 800, 520, 250, 300])
    pixels = random.normal(means, 30, (40, 60, 5)).round().astype(np.uint16)
    tifffile.imwrite("stains.tif", pixels, photometric="minisblack", planarconfig="contig")
    tifffile.imwrite("labels.tif", np.repeat(np.uint8([[1, 2]]), 30, 1) * np.ones((40, 1), "u1"))
    return pixels


def test_five_channels_are_counted_fitted_and_classified(
    stains: NDArray[np.uint16], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["count", "stains.tif", "-o", "stains.npz"]) == 0
    assert load_palette("stains.npz") == Palette.from_image(stains, channel_axis=2)
    for suffix in ("csv", "json"):
        names = ["--name", "1=left", "--name", "2=right"]
        words = ["fit", "stains.tif", "--labels", "labels.tif", *names, "-k", "1"]
        assert main([*words, "-o", f"kernels.{suffix}"]) == 0
    kernels = load_kernels("kernels.csv")
    assert kernels == load_kernels("kernels.json")
    assert (
        Path("kernels.csv").read_text().startswith("set,kernel,mean_1,mean_2,mean_3,mean_4,mean_5,")
    )
    assert main(["classify", "stains.tif", "-o", "classes.tif", "--kernels", "kernels.csv"]) == 0
    classes = tifffile.imread("classes.tif")
    np.testing.assert_array_equal(classes, classify_image(stains, kernels))
    np.testing.assert_array_equal(classes, tifffile.imread("labels.tif"))
    words = ["density", "stains.tif", "-o", "left.npy", "--kernels", "kernels.csv", "--set", "left"]
    assert main(words) == 0
    np.testing.assert_array_equal(np.load("left.npy"), compute_densities(stains, kernels["left"]))
    capsys.readouterr()
    assert main(["bandwidth", "stains.npz", "--method", "isj", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["bandwidth"]) == 5
    assert main(["measure", "stains.tif", "--kernels", "kernels.csv"]) == 0
    assert "mean_5" in capsys.readouterr().out


def test_four_channels_are_colors_where_four_are_chosen(
    stains: NDArray[np.uint16], capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("four.npy", stains[..., :4])
    assert main(["count", "four.npy", "-o", "rgb.npz"]) == 0
    assert load_palette("rgb.npz").n_channels == 3
    assert main(["count", "four.npy", "--channels", "0,1,2,3", "-o", "four.npz"]) == 0
    assert load_palette("four.npz").n_channels == 4
    capsys.readouterr()
    words = ["compare", "four.npz", "four.npz", "--bandwidth", "30", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["js"] == pytest.approx(0, abs=1e-6)
    assert set(found["standard_errors"]) == {"kl_ab", "kl_ba", "js"}


def test_what_needs_a_grid_or_a_choice_is_refused(
    stains: NDArray[np.uint16], refused: Callable[..., str]
) -> None:
    sentence = refused("volume", "stains.tif", "-o", "volume.npz")
    assert sentence.startswith("image has 5 channels, and grids of colors have up to 3 axes;")
    np.save("bare.npy", stains)
    assert "--channel-axis 2" in refused("count", "bare.npy", "-o", "p.npz")
    assert "1 to 3 channels" in refused(
        "density", "stains.tif", "-o", "density.tif", "--boundary", "reflected"
    )


def test_the_axes_that_a_file_names_or_the_user_types_decide(
    stains: NDArray[np.uint16], capsys: pytest.CaptureFixture[str]
) -> None:
    expected = Palette.from_image(stains, channel_axis=2)
    np.save("bare.npy", stains)
    first = np.moveaxis(stains, -1, 0)
    tifffile.imwrite("planes.ome.tif", first, metadata={"axes": "CYX"})
    group = zarr.open_group("planes.zarr", mode="w")
    group.create_array("0", data=first)
    about = {"axes": [{"name": name} for name in "cyx"], "datasets": [{"path": "0"}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [about]}
    for typed in (["--channel-axis", "-1"], ["--channel-axis", "2"]):
        assert main(["count", "bare.npy", *typed, "-o", "bare.npz"]) == 0
        assert load_palette("bare.npz") == expected
    for name in ("planes.ome.tif", "planes.zarr"):
        assert main(["count", name, "-o", "planes.npz"]) == 0
        assert load_palette("planes.npz") == expected
        assert main(["count", name, "--channels", "1,0", "-o", "two.npz"]) == 0
        assert load_palette("two.npz") == Palette.from_image(stains[..., [1, 0]])
    # A fourth channel is no alpha where the file says that it is a channel.
    tifffile.imwrite("four.ome.tif", first[:4], metadata={"axes": "CYX"})
    assert main(["count", "four.ome.tif", "-o", "four.npz"]) == 0
    assert load_palette("four.npz").n_channels == 4
    # A stack of narrow planes is gray.
    tifffile.imwrite("stack.tif", first[:, :, :9], imagej=True, metadata={"axes": "ZYX"})
    assert main(["count", "stack.tif", "-o", "stack.npz"]) == 0
    assert load_palette("stack.npz") == Palette.from_image(first[:, :, :9], channel_axis=None)
    capsys.readouterr()
    assert main(["measure", "stack.tif", "--per-frame"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_a_fourth_channel_is_no_alpha_for_kernels_of_three(
    stains: NDArray[np.uint16], refused: Callable[..., str]
) -> None:
    planes = np.moveaxis(stains, -1, 0)[:4]
    tifffile.imwrite("four.ome.tif", planes, metadata={"axes": "CYX"})
    save_kernels("three.json", {"a": KernelSet([Kernel([400, 800, 520], [900] * 3, 1.0)])})
    sentence = "has 4 channels, and the kernels are for 3; choose as many with --channels."
    for command in ("density four.ome.tif -o d.tif", "classify four.ome.tif -o c.tif"):
        assert sentence in refused(*command.split(), "--kernels", "three.json")
    assert sentence in refused("measure", "four.ome.tif", "--kernels", "three.json")
    words = ["density", "four.ome.tif", "-o", "d.npy", "--kernels", "three.json"]
    assert main([*words, "--channels", "0,1,2"]) == 0
    expected = compute_densities(stains[..., :3], load_kernels("three.json")["a"])
    np.testing.assert_array_equal(np.load("d.npy"), expected)
