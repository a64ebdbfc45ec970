"""Densities in files: numbers kept, pictures colored, the origin beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde import __version__
from napari_colorkde.io.colors import coloring
from napari_colorkde.io.colors.coloring import color_density, default_limits
from napari_colorkde.io.colors.colormaps import COLORMAPS, lookup_table
from napari_colorkde.io.densities import write_density
from napari_colorkde.io.formats.tiff import writer as tiff_format
from napari_colorkde.io.provenance import as_json, as_lines, provenance

ORIGIN = provenance("napari-colorkde density bild.png -o d.tif", image="bild, groß.png", sigma=4.0)


@pytest.fixture
def density() -> NDArray[np.float32]:
    values = np.random.default_rng(0).random((6, 8)).astype(np.float32)
    values[2, 3] = np.nan
    return values


def test_tiff_is_float32_with_nan(tmp_path: Path, density: NDArray[Any]) -> None:
    write_density(tmp_path / "d.tif", density)
    read = tifffile.imread(tmp_path / "d.tif")
    assert read.dtype.newbyteorder("=") == np.float32
    np.testing.assert_array_equal(read, density)


def test_tiff_is_imagejs_own(tmp_path: Path, density: NDArray[Any]) -> None:
    write_density(tmp_path / "d.tif", density, description=ORIGIN)
    with tifffile.TiffFile(tmp_path / "d.tif") as tiff:
        assert tiff.is_imagej
        metadata = tiff.imagej_metadata or {}
        software = tiff.pages.first.tags["Software"].value
    assert software == f"napari-colorkde {__version__}"
    assert metadata["Info"].splitlines() == [
        f"software: napari-colorkde {__version__}",
        "command: napari-colorkde density bild.png -o d.tif",
        "image: bild, groß.png",
        "sigma: 4.0",
        "values: density",
    ]
    assert metadata["min"] == 0
    assert 0.9 < metadata["max"] <= np.nanmax(density)


def test_stacks_are_slices_and_frames(tmp_path: Path) -> None:
    stack = np.random.default_rng(1).random((2, 3, 4, 5)).astype(np.float32)
    write_density(tmp_path / "d3.tif", stack[0])
    write_density(tmp_path / "d4.tif", stack)
    write_density(tmp_path / "d5.tif", stack[np.newaxis])
    for name, axes in (("d3", "ZYX"), ("d4", "TZYX"), ("d5", "TZYX")):
        with tifffile.TiffFile(tmp_path / f"{name}.tif") as tiff:
            assert tiff.series[0].axes == axes
            expected = stack[0] if name == "d3" else stack
            np.testing.assert_array_equal(tiff.asarray(), expected)


def test_tiff_above_imagejs_limit_is_bigtiff(
    tmp_path: Path, density: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiff_format, "IMAGEJ_BYTES", 100)
    write_density(tmp_path / "d.tif", density, description=ORIGIN)
    with tifffile.TiffFile(tmp_path / "d.tif") as tiff:
        assert tiff.is_bigtiff
        assert "bild.png -o d.tif" in tiff.pages.first.description
        np.testing.assert_array_equal(tiff.asarray(), density)


def test_npy_keeps_float64_logs(tmp_path: Path, density: NDArray[Any]) -> None:
    logs = np.log(density.astype(np.float64)) - 1e5
    write_density(tmp_path / "d.npy", logs, log=True)
    np.testing.assert_array_equal(np.load(tmp_path / "d.npy"), logs)
    assert list(tmp_path.iterdir()) == [tmp_path / "d.npy"]


def test_npz_holds_values_and_origin(tmp_path: Path, density: NDArray[Any]) -> None:
    write_density(tmp_path / "d.npz", density, log=True, description=ORIGIN)
    with np.load(tmp_path / "d.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["density"], density)
        assert file["log"]
        record = json.loads(str(file["provenance"]))
    assert record == ORIGIN | {"values": "natural log of the density"}


@pytest.mark.parametrize("suffix", ["NPY", "NPZ", "TIF", "PNG"])
def test_suffix_in_capitals(tmp_path: Path, density: NDArray[Any], suffix: str) -> None:
    write_density(tmp_path / f"D.{suffix}", density)
    assert list(tmp_path.iterdir()) == [tmp_path / f"D.{suffix}"]


@pytest.mark.parametrize("suffix", ["tif", "npy", "npz", "png"])
def test_same_density_gives_the_same_file(
    tmp_path: Path, density: NDArray[Any], suffix: str
) -> None:
    for name in ("a", "b"):
        write_density(tmp_path / f"{name}.{suffix}", density, description=ORIGIN)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_png_is_colored_between_the_limits(tmp_path: Path) -> None:
    ramp = np.linspace(-1, 3, 9, dtype=np.float32).reshape(3, 3)
    write_density(tmp_path / "d.png", ramp, colormap="viridis", contrast_limits=(0, 2))
    picture = np.asarray(Image.open(tmp_path / "d.png"))
    table = lookup_table("viridis")
    np.testing.assert_array_equal(picture[0, 0, :3], table[0])
    np.testing.assert_array_equal(picture[1, 1, :3], table[128])
    np.testing.assert_array_equal(picture[2, 2, :3], table[255])
    assert (picture[..., 3] == 255).all()


def test_nan_is_transparent_in_the_png(tmp_path: Path, density: NDArray[Any]) -> None:
    write_density(tmp_path / "d.png", density)
    alpha = np.asarray(Image.open(tmp_path / "d.png"))[..., 3]
    np.testing.assert_array_equal(alpha == 0, np.isnan(density))


def test_png_says_how_it_was_made(tmp_path: Path, density: NDArray[Any]) -> None:
    write_density(tmp_path / "d.png", density, description=ORIGIN, contrast_limits=(0.25, 1))
    with Image.open(tmp_path / "d.png") as picture:
        text = picture.info
    assert text["Software"] == f"napari-colorkde {__version__}"
    assert "command: napari-colorkde density bild.png -o d.tif" in text["Description"]
    assert "image: bild, groß.png" in text["Description"]
    assert text["Description"].endswith("contrast limits: [0.25, 1.0]")


def test_blocks_of_a_large_picture_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random((23, 7)).astype(np.float32)
    whole, _ = color_density(values, log=False)
    monkeypatch.setattr(coloring, "BLOCK_PIXELS", 30)
    np.testing.assert_array_equal(color_density(values, log=False)[0], whole)


def test_default_limits_cut_the_brightest_and_the_far_tails() -> None:
    values = np.arange(1, 1001, dtype=np.float64).reshape(25, 40)
    assert default_limits(values, log=False) == (0, pytest.approx(995, abs=0.1))
    assert default_limits(-values, log=True) == (pytest.approx(-990, abs=0.1), -1)


@pytest.mark.parametrize("value", [0.0, 3.0, np.nan])
@pytest.mark.parametrize("log", [False, True])
def test_limits_of_a_constant_density_differ(value: float, log: bool) -> None:
    low, high = default_limits(np.full((3, 3), value), log)
    assert low < high


def test_rare_density_is_not_all_black() -> None:
    values = np.zeros((100, 100))
    values[0, 0] = 2.0
    assert default_limits(values, log=False) == (0, 2)


def test_log_density_without_limit_below(tmp_path: Path) -> None:
    logs = np.array([[-np.inf, -3.0], [-2.0, np.nan]])
    picture, _ = color_density(logs, log=True, colormap="gray")
    np.testing.assert_array_equal(picture[0, 0], [0, 0, 0, 255])
    assert picture[1, 1, 3] == 0


def test_stack_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has shape \(2, 3, 4\), but a PNG holds a single image"):
        write_density(tmp_path / "d.png", np.zeros((2, 3, 4), np.float32))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "density", [np.zeros(3), np.zeros((0, 2)), np.zeros((2, 2), np.uint8), np.zeros((2, 2), bool)]
)
def test_what_is_no_density_is_refused(tmp_path: Path, density: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"density is an array of .* give floats, one per pixel"):
        write_density(tmp_path / "d.tif", density)


def test_unknown_suffix_is_refused(tmp_path: Path, density: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"has the suffix '\.jpg'; use \.tif, .* or \.zarr"):
        write_density(tmp_path / "d.jpg", density)


@pytest.mark.parametrize("limits", [(1.0, 1.0), (2.0, 1.0), (0.0, np.nan), (-np.inf, 0.0)])
def test_limits_that_are_none_are_refused(
    density: NDArray[Any], limits: tuple[float, float]
) -> None:
    with pytest.raises(ValueError, match=r"contrast_limits=.* give two numbers, the lower first"):
        color_density(density, False, contrast_limits=limits)


@pytest.mark.parametrize("name", ["magma", "viridis", "inferno", "plasma", "gray"])
def test_colormaps_go_from_dark_to_light(name: str) -> None:
    table = lookup_table(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    luminance = table @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > -1).all()
    assert luminance[-1] > luminance[0] + 100


def test_colormaps_are_naparis() -> None:
    pytest.importorskip("napari", reason="make test-minimum has no window")
    from napari.utils.colormaps import ensure_colormap

    for name in COLORMAPS:
        theirs = ensure_colormap(name).map(np.linspace(0, 1, 256))[:, :3] * 255
        np.testing.assert_allclose(lookup_table(name), theirs, atol=1.5)


def test_own_table_of_colors() -> None:
    table = np.array([[0, 0, 0, 1], [1, 0.5, 0, 1]])
    np.testing.assert_array_equal(lookup_table(table), [[0, 0, 0], [255, 128, 0]])
    np.testing.assert_array_equal(lookup_table(np.eye(3, dtype=np.uint8)), np.eye(3))


@pytest.mark.parametrize(
    ("colormap", "sentence"),
    [
        (
            "jet",
            "colormap='jet' is not known; use magma, viridis, inferno, plasma, gray",
        ),
        (np.zeros((256, 2)), r"colormap has shape \(256, 2\); give a name or an \(N, 3\) table"),
        (np.full((2, 3), 255.0), "colormap holds numbers outside the range 0 to 1; give uint8"),
    ],
)
def test_unknown_colormap_is_refused(colormap: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        lookup_table(colormap)


def test_provenance_is_plain_and_without_date() -> None:
    record = provenance(sigmas=np.array([1.0, 2.0]), n=np.int64(3), path=Path("a"), log=True)
    assert record == {
        "software": f"napari-colorkde {__version__}",
        "sigmas": [1.0, 2.0],
        "n": 3,
        "path": "a",
        "log": True,
    }
    assert json.loads(as_json(record)) == record


def test_provenance_keeps_one_line_for_each_entry() -> None:
    assert (
        as_lines({"a": "two\nlines", "b": [1, 2], "c": None}) == "a: two lines\nb: [1, 2]\nc: null"
    )
