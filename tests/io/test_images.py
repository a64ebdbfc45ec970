"""What image files give, and which are refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import imagecodecs
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps

from napari_colorkde.io.formats import reading
from napari_colorkde.io.images import read_image, read_labels, read_mask


@pytest.fixture
def colors() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def test_png_comes_as_it_was_written(tmp_path: Path, colors: NDArray[Any]) -> None:
    iio.imwrite(tmp_path / "a.png", colors)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), colors)


def test_jpeg_comes_as_napari_reads_it(tmp_path: Path, colors: NDArray[Any]) -> None:
    iio.imwrite(tmp_path / "a.jpg", colors)
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), iio.imread(tmp_path / "a.jpg"))


def test_suffix_in_capitals(tmp_path: Path, colors: NDArray[Any]) -> None:
    Image.fromarray(colors).save(tmp_path / "A.PNG")
    tifffile.imwrite(tmp_path / "A.TIF", colors)
    np.testing.assert_array_equal(read_image(tmp_path / "A.PNG"), colors)
    np.testing.assert_array_equal(read_image(tmp_path / "A.TIF"), colors)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_pictures_are_turned_as_exif_says(
    tmp_path: Path, colors: NDArray[Any], orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.png"
    Image.fromarray(colors).save(path, exif=exif)
    with pytest.warns(
        UserWarning, match=f"is rotated as its orientation tag {orientation} says; --or"
    ):
        turned = read_image(path)
    with Image.open(path) as picture:
        np.testing.assert_array_equal(turned, np.asarray(ImageOps.exif_transpose(picture)))
    np.testing.assert_array_equal(read_image(path, orientation="keep"), colors)
    gray = np.ascontiguousarray(colors[..., 0])
    Image.fromarray(gray).save(path, exif=exif)
    assert read_mask(path).shape == turned.shape[:2]
    assert read_labels(path).shape == turned.shape[:2]


def test_palette_png_is_expanded_to_rgb(tmp_path: Path, colors: NDArray[Any]) -> None:
    indexed = Image.fromarray(colors).quantize(16)
    indexed.save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.png"), np.asarray(indexed.convert("RGB"))
    )


def test_transparent_palette_entry_has_alpha_zero(tmp_path: Path, colors: NDArray[Any]) -> None:
    indexed = Image.fromarray(colors).quantize(16)
    indexed.save(tmp_path / "a.png", transparency=3)
    image = read_image(tmp_path / "a.png")
    assert image.shape == (12, 17, 4)
    np.testing.assert_array_equal(image[..., 3] == 0, np.asarray(indexed) == 3)


def test_gray_with_alpha_becomes_rgba(tmp_path: Path, colors: NDArray[Any]) -> None:
    Image.fromarray(colors[..., :2], mode="LA").save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image, colors[..., [0, 0, 0, 1]])


def test_bilevel_png_is_bool(tmp_path: Path) -> None:
    Image.fromarray(np.eye(5, dtype=bool)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.eye(5, dtype=bool))


def test_gray_png_of_16_bits_keeps_them(tmp_path: Path) -> None:
    gray = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    iio.imwrite(tmp_path / "a.png", gray)
    image = read_image(tmp_path / "a.png")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, gray)


def test_color_png_of_16_bits_keeps_them(tmp_path: Path) -> None:
    rgba = np.random.default_rng(4).integers(0, 65536, (6, 7, 4)).astype(np.uint16)
    for n in (3, 4):
        (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(rgba[..., :n].copy()))
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), rgba[..., :n])


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_refused(tmp_path: Path, colors: NDArray[Any], suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(colors).convert("CMYK").save(path)
    with pytest.raises(
        ValueError, match=r"a\.\w+' is stored in CMYK, not in RGB; convert it with --icc"
    ):
        read_image(path)


def test_cielab_tiff_is_refused(tmp_path: Path, colors: NDArray[Any]) -> None:
    Image.fromarray(colors).convert("LAB").save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"is stored in CIELAB, not in RGB .*; convert it"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", ">u2", ">f4"])
def test_tiff_keeps_numbers_in_native_byte_order(tmp_path: Path, dtype: str) -> None:
    image = np.arange(60).reshape(4, 5, 3).astype(dtype)
    order = ">" if dtype.startswith(">") else "<"
    tifffile.imwrite(tmp_path / "a.tif", image, byteorder=order, photometric="rgb")
    read = read_image(tmp_path / "a.tif")
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(read, image)


def test_pages_of_a_tiff_stand_first(tmp_path: Path) -> None:
    stack = np.random.default_rng(1).random((5, 6, 7)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), stack)


def test_samples_of_a_planar_tiff_stand_last(tmp_path: Path, colors: NDArray[Any]) -> None:
    planes = np.moveaxis(colors, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), colors)


def test_channels_of_an_imagej_stack_stay_where_they_are(tmp_path: Path) -> None:
    stack = np.zeros((4, 2, 6, 7), np.float32)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    assert read_image(tmp_path / "a.tif").shape == stack.shape


def test_palette_tiff_is_expanded_to_rgb(tmp_path: Path, colors: NDArray[Any]) -> None:
    indexed = Image.fromarray(colors).quantize(16)
    indexed.save(tmp_path / "a.tif")
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.tif"), np.asarray(indexed.convert("RGB"))
    )


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd", "packbits", "lzma"])
def test_compressed_tiff_keeps_its_numbers(tmp_path: Path, compression: str) -> None:
    image = np.random.default_rng(5).integers(0, 4000, (2, 18, 19, 3)).astype(np.uint16)
    path = tmp_path / "a.tif"
    predictor = 2 if compression in ("lzw", "zlib") else None
    tifffile.imwrite(path, image, photometric="rgb", compression=compression, predictor=predictor)
    np.testing.assert_array_equal(read_image(path), image)


def test_large_tiff_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAPPED_BYTES", 100)
    image = np.arange(300, dtype=np.uint16).reshape(10, 10, 3)
    tifffile.imwrite(tmp_path / "a.tif", image, byteorder="<", photometric="rgb")
    tifffile.imwrite(tmp_path / "deflate.tif", image, photometric="rgb", compression="zlib")
    mapped = read_image(tmp_path / "a.tif")
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, image)
    np.testing.assert_array_equal(read_image(tmp_path / "deflate.tif"), image)


def test_array_file(tmp_path: Path) -> None:
    array = np.random.default_rng(2).random((3, 4, 3))
    np.save(tmp_path / "a.npy", array.astype(">f8"))
    read = read_image(tmp_path / "a.npy")
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


def test_large_array_file_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAPPED_BYTES", 100)
    np.save(tmp_path / "a.npy", np.zeros((50, 50), np.uint8))
    assert isinstance(read_image(tmp_path / "a.npy"), np.memmap)


def test_array_of_objects_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"a\.npy' is not a readable NPY file of numbers; save an"):
        read_image(tmp_path / "a.npy")


@pytest.mark.parametrize("array", [np.zeros(3, complex), np.array(["a"]), np.zeros((0, 3))])
def test_array_that_is_no_image_is_refused(tmp_path: Path, array: NDArray[Any]) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=r"holds an array of .* give real numbers, at least one"):
        read_image(tmp_path / "a.npy")


def test_archive_under_the_name_of_an_array_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.zeros(3))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="is an archive of arrays; give one array"):
        read_image(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a.png", r"is damaged or in an unknown format; give a TIFF"),
        ("a.txt", r"is damaged or in an unknown format; give a TIFF"),
        ("a.tif", "is not a readable TIFF file"),
        ("a.npy", "is not a readable NPY file of numbers"),
    ],
)
def test_file_that_is_no_image_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / name).write_text("hello " * 20)
    with pytest.raises(ValueError, match=sentence):
        read_image(tmp_path / name)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "npy"])
def test_truncated_file_is_refused(tmp_path: Path, colors: NDArray[Any], suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "npy":
        np.save(path, colors)
    elif suffix == "tif":
        tifffile.imwrite(path, colors)
    else:
        iio.imwrite(path, colors)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(ValueError, match=f"image '.*a.{suffix}' "):
        read_image(path)


def test_picture_above_pillows_limit_is_refused(
    tmp_path: Path, colors: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    iio.imwrite(tmp_path / "a.png", colors)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    with pytest.raises(ValueError, match="has more pixels than Pillow can open; save it as TIFF"):
        read_image(tmp_path / "a.png")


def test_picture_near_pillows_limit_is_read_without_warning(
    tmp_path: Path, colors: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    iio.imwrite(tmp_path / "a.png", colors)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), colors)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"image '.*a\.png' does not exist; check the name"):
        read_image(tmp_path / "a.png")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file"):
        read_image(tmp_path)


def test_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(ValueError, match="is an empty file; give an image"):
        read_image(tmp_path / "a.png")


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_text("x")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="cannot be read; check its permissions"):
        read_image(tmp_path / "a.png")


def test_mask_is_true_where_the_picture_is_not_zero(tmp_path: Path) -> None:
    gray = np.array([[0, 1], [255, 0]], np.uint8)
    iio.imwrite(tmp_path / "gray.png", gray)
    # White and black with an alpha channel that is opaque everywhere.
    rgba = np.stack([gray, gray * 0, gray * 0, np.full_like(gray, 255)], axis=-1)
    iio.imwrite(tmp_path / "rgba.png", rgba)
    for name in ("gray.png", "rgba.png"):
        mask = read_mask(tmp_path / name)
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask, gray > 0)
