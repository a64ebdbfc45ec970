"""The tables of formats in the documentation: each row is tried with another program's files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import netpbmfile
import nrrd
import numpy as np
import ome_types
import pandas
import PyOpenColorIO
import pytest
import tifffile
import trimesh
import zarr
from numpy.typing import NDArray
from ome_zarr_models.v05.image import Image as OmeZarrImage
from PIL import Image

from napari_colorkde import (
    Kernel,
    KernelSet,
    Palette,
    color_kde,
    read_image,
    save_kernels,
    save_palette,
)
from napari_colorkde.io.class_maps import write_class_map
from napari_colorkde.io.csv_files import write_rows
from napari_colorkde.io.densities import write_density
from napari_colorkde.io.volumes import save_volume

DOCUMENT = Path(__file__).parents[2] / "docs" / "formats.md"
RANDOM = np.random.default_rng(5)
RGB = RANDOM.integers(0, 256, (20, 30, 3), np.uint8)
RGBA = np.concatenate([RGB, RANDOM.integers(0, 256, (20, 30, 1), np.uint8)], axis=-1)
DEEP = RANDOM.integers(0, 65536, (20, 30, 3)).astype(np.uint16)
FLOAT = RANDOM.random((20, 30)).astype(np.float32)
HALF_CLEAR = np.full((16, 24, 4), 255, np.uint8) - np.array([0, 0, 0, 127], np.uint8)
GRAY = np.ascontiguousarray(RGB[..., 0])


def rows_of(heading: str) -> list[str]:
    """Return the first column of the table below a heading."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text[text.index(f"## {heading}") :].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [line.split("|")[1].strip() for line in lines]


# --- images in


def in_tiff(**options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, **options)
    return file.getvalue()


def in_pillow(kind: str, pixels: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def in_netpbm(pixels: NDArray[Any], kind: str) -> bytes:
    file = io.BytesIO()
    netpbmfile.imwrite(file, pixels, magicnumber=kind)
    return file.getvalue()


IMAGES: dict[str, list[tuple[str, bytes, NDArray[Any]]]] = {
    "TIFF, BigTIFF": [
        (name, in_tiff(data=DEEP, photometric="rgb", bigtiff=big, compression=compression), DEEP)
        for name, big, compression in [
            ("a.tif", False, None),
            ("a.btf", True, "zstd"),
            ("a.scn", False, "lzw"),
            ("a.stk", False, "deflate"),
        ]
    ]
    + [
        ("i4.tif", in_tiff(data=DEEP[..., 0].astype(np.int32) - 9), DEEP[..., 0].astype("i4") - 9),
        ("f8.tiff", in_tiff(data=FLOAT.astype(np.float64)), FLOAT.astype(np.float64)),
        ("f2.tif", in_tiff(data=FLOAT.astype(np.float16)), FLOAT.astype(np.float16)),
    ],
    "PNG": [
        ("1.png", imagecodecs.png_encode(GRAY), GRAY),
        ("16.png", imagecodecs.png_encode(DEEP), DEEP),
        ("alpha.png", in_pillow("png", RGBA), RGBA),
        ("bits.png", in_pillow("png", GRAY > 99), GRAY > 99),
    ],
    "JPEG": [
        (
            "gray.jpg",
            imagecodecs.jpeg_encode(np.full((16, 24), 77, np.uint8), level=100),
            np.full((16, 24), 77, np.uint8),
        )
    ],
    "GIF, WebP": [
        ("gray.gif", in_pillow("gif", GRAY), np.repeat(GRAY[..., None], 3, axis=2)),
        ("a.webp", in_pillow("webp", RGB, lossless=True), RGB),
        ("alpha.webp", in_pillow("webp", RGBA, lossless=True, exact=True), RGBA),
    ],
    "BMP": [("a.bmp", in_pillow("bmp", RGB), RGB), ("g.bmp", in_pillow("bmp", GRAY), GRAY)],
    "JPEG 2000, JPEG XL, JPEG XR": [
        ("8.jp2", imagecodecs.jpeg2k_encode(RGB, level=0), RGB),
        ("16.jp2", imagecodecs.jpeg2k_encode(DEEP, level=0), DEEP),
        ("alpha.jxl", imagecodecs.jpegxl_encode(RGBA, lossless=True), RGBA),
        ("16.jxl", imagecodecs.jpegxl_encode(DEEP, lossless=True), DEEP),
        ("float.jxl", imagecodecs.jpegxl_encode(FLOAT, lossless=True), FLOAT),
        ("8.jxr", imagecodecs.jpegxr_encode(RGB, level=1.0), RGB),
        ("16.jxr", imagecodecs.jpegxr_encode(DEEP, level=1.0), DEEP),
    ],
    "AVIF": [
        (
            "alpha.avif",
            imagecodecs.avif_encode(HALF_CLEAR, level=100),
            HALF_CLEAR,
        ),
        (
            "10.avif",
            imagecodecs.avif_encode(
                np.full((16, 24, 3), 1023, np.uint16), level=100, bitspersample=10
            ),
            np.full((16, 24, 3), 1023, np.uint16),
        ),
    ],
    "PBM, PGM, PPM, PAM, PFM": [
        ("16.ppm", in_netpbm(DEEP, "P6"), DEEP),
        ("8.pgm", in_netpbm(GRAY, "P5"), GRAY),
        ("alpha.pam", in_netpbm(RGBA, "P7"), RGBA),
        ("a.pfm", b"Pf\n30 20\n-1.0\n" + FLOAT[::-1].tobytes(), FLOAT),
        ("a.pbm", b"P1\n3 2\n1 0 1\n0 1 0\n", np.array([[0, 1, 0], [1, 0, 1]], bool)),
    ],
    "QOI": [
        ("a.qoi", imagecodecs.qoi_encode(RGB), RGB),
        ("alpha.qoi", imagecodecs.qoi_encode(RGBA), RGBA),
    ],
    "NPY": [],
    "OME-Zarr 0.4 and 0.5, zarr arrays": [],
}


def written(name: str, content: bytes, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_every_image_format_of_the_table_is_tried() -> None:
    documented = {re.sub(r" \(.*", "", row) for row in rows_of("Images in")}
    assert documented == set(IMAGES)


@pytest.mark.parametrize(
    ("name", "content", "pixels"),
    [case for cases in IMAGES.values() for case in cases],
    ids=[case[0] for cases in IMAGES.values() for case in cases],
)
def test_pixels_are_those_that_another_program_wrote(
    name: str, content: bytes, pixels: NDArray[Any], tmp_path: Path
) -> None:
    image = read_image(written(name, content, tmp_path))
    assert image.dtype == pixels.dtype
    np.testing.assert_array_equal(image, pixels)


@pytest.mark.parametrize("dtype", ["u1", ">u2", "i4", "u8", "f2", "<f4", "f8", "?"])
def test_arrays_of_all_real_numbers(dtype: str, tmp_path: Path) -> None:
    pixels = (GRAY > 99).astype(dtype) if dtype == "?" else (GRAY // 3).astype(dtype)
    np.save(tmp_path / "a.npy", pixels)
    for version in (2, 3):
        array = zarr.create_array(
            tmp_path / f"{version}.zarr",
            data=pixels.astype(pixels.dtype.newbyteorder("=")),
            chunks=(7, 9),
            zarr_format=version,
        )
        assert array.shape == pixels.shape
    for name in ("a.npy", "2.zarr", "3.zarr"):
        image = read_image(tmp_path / name)
        assert image.dtype == pixels.dtype.newbyteorder("=")
        np.testing.assert_array_equal(image, pixels)


# --- results out

DENSITY = RANDOM.random((20, 31)).astype(np.float32)
CLASSES = RANDOM.integers(0, 3, (20, 31), np.uint8)
VOLUME = color_kde(RGB, bandwidth=40, bins=9, extent=(0, 255))
PALETTE = Palette.from_image(RGB)
KERNELS = KernelSet([Kernel([10, 20, 30], [4, 5, 6], 0.25), Kernel([1, 2, 3], [9, 9, 9], 0.75)])
ROWS = [{"image": "ä, b.png", "region": "", "pixels": 3, "fraction": 0.5}]


def tiff(path: Path) -> None:
    write_density(path, DENSITY)
    np.testing.assert_array_equal(tifffile.imread(path), DENSITY)
    write_class_map(path, CLASSES, ["a", "b"])
    np.testing.assert_array_equal(tifffile.imread(path), CLASSES)
    save_volume(path, VOLUME)
    np.testing.assert_allclose(tifffile.imread(path), VOLUME.values, rtol=1e-6)


def ome_tiff(path: Path) -> None:
    write_density(path, DENSITY, description={"pixel size": [0.5, 0.25]})
    pixels = ome_types.from_tiff(path).images[0].pixels
    assert (pixels.size_y, pixels.size_x) == DENSITY.shape
    np.testing.assert_array_equal(tifffile.imread(path), DENSITY)


def ome_zarr(path: Path) -> None:
    write_density(path, DENSITY)
    group = zarr.open_group(path, mode="r")
    assert OmeZarrImage.from_zarr(group).attributes.ome.version == "0.5"
    np.testing.assert_array_equal(np.asarray(group["0"]), DENSITY)


def npy(path: Path) -> None:
    write_density(path, DENSITY)
    np.testing.assert_array_equal(np.load(path), DENSITY)


def npz(path: Path) -> None:
    write_density(path, DENSITY)
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["density"], DENSITY)
    save_palette(path, PALETTE)
    with np.load(path, allow_pickle=False) as archive:
        assert str(archive["schema"]) == "napari-colorkde palette"
        np.testing.assert_array_equal(archive["colors"], PALETTE.colors)
        np.testing.assert_array_equal(archive["counts"], PALETTE.counts)


def png(path: Path) -> None:
    write_class_map(path, CLASSES, ["a", "b"])
    with Image.open(path) as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), CLASSES)
    write_density(path, DENSITY)
    with Image.open(path) as picture:
        assert picture.size == DENSITY.shape[::-1]


def nrrd_volume(path: Path) -> None:
    save_volume(path, VOLUME)
    np.testing.assert_allclose(nrrd.read(str(path), index_order="C")[0], VOLUME.values, rtol=1e-6)


def cube(path: Path) -> None:
    save_volume(path, VOLUME)
    transform = PyOpenColorIO.FileTransform(str(path))
    config = PyOpenColorIO.Config.CreateRaw()
    processor = config.getProcessor(transform).getDefaultCPUProcessor()
    expected = VOLUME.values[2, 4, 6] / VOLUME.values.max()
    np.testing.assert_allclose(processor.applyRGB([2 / 8, 4 / 8, 6 / 8]), expected, atol=2e-6)


def ply(path: Path) -> None:
    save_volume(path, VOLUME)
    mesh = trimesh.load(path)
    assert len(mesh.faces) > 10
    colors = mesh.visual.vertex_colors[:, :3]
    np.testing.assert_allclose(colors, mesh.vertices.clip(0, 255), atol=1)


def table(path: Path) -> None:
    write_rows(path, ROWS)
    with path.open(encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["image"] == "ä, b.png"
    assert pandas.read_csv(path)["fraction"].tolist() == [0.5]
    save_kernels(path, KERNELS)
    frame = pandas.read_csv(path)
    assert frame[["mean_r", "mean_g", "mean_b"]].to_numpy().tolist() == KERNELS.means.tolist()
    assert frame["weight"].tolist() == [0.25, 0.75]


def json_kernels(path: Path) -> None:
    save_kernels(path, KERNELS)
    text = pandas.read_json(path, typ="series")
    assert "kernels" in str(text.to_dict())


RESULTS: dict[str, Callable[[Path], None]] = {
    ".tif": tiff,
    ".ome.tif": ome_tiff,
    ".zarr": ome_zarr,
    ".npy": npy,
    ".npz": npz,
    ".png": png,
    ".nrrd": nrrd_volume,
    ".cube": cube,
    ".ply": ply,
    ".csv": table,
    ".json": json_kernels,
}


def test_every_result_format_of_the_table_is_tried() -> None:
    assert [row.strip("`") for row in rows_of("Results out")] == list(RESULTS)


@pytest.mark.parametrize("suffix", RESULTS)
def test_another_program_reads_what_was_written(suffix: str, tmp_path: Path) -> None:
    RESULTS[suffix](tmp_path / f"result{suffix}")
