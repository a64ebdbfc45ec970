"""What files say about their pixels is done: profiles, no data, several pictures, sizes, damage."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from napari_colorkde import Palette, read_image
from napari_colorkde.io.datasets import memory
from napari_colorkde.io.formats.reading import Part
from napari_colorkde.io.images import image_contents, load_image, read_labels, read_mask

RANDOM = np.random.default_rng(14)
RGB = RANDOM.integers(0, 256, (20, 30, 3), dtype=np.uint8)
DEEP = RANDOM.integers(0, 65536, (20, 30, 3)).astype(np.uint16)


# --- depth


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jp2", imagecodecs.jpeg2k_encode(DEEP, level=0)),
        ("a.jxl", imagecodecs.jpegxl_encode(DEEP, lossless=True)),
        ("a.png", imagecodecs.png_encode(DEEP)),
        ("no_suffix", imagecodecs.png_encode(DEEP)),
        ("a.tif", imagecodecs.png_encode(DEEP)),
    ],
)
def test_16_bits_are_kept(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    np.testing.assert_array_equal(read_image(tmp_path / name), DEEP)


def test_avif_keeps_12_bits(tmp_path: Path) -> None:
    levels = DEEP >> 4
    content = imagecodecs.avif_encode(levels, level=100, bitspersample=12, speed=10)
    (tmp_path / "a.avif").write_bytes(content)
    image = read_image(tmp_path / "a.avif")
    assert image.dtype == np.uint16
    assert np.abs(image.astype(int) - levels).max() <= 16
    assert len(np.unique(image)) > 1000


def test_qoi(tmp_path: Path) -> None:
    (tmp_path / "a.qoi").write_bytes(imagecodecs.qoi_encode(RGB))
    np.testing.assert_array_equal(read_image(tmp_path / "a.qoi"), RGB)


def test_in_a_portable_bitmap_0_is_white(tmp_path: Path) -> None:
    (tmp_path / "a.pbm").write_bytes(b"P1\n3 2\n1 0 1\n0 1 0\n")
    expected = np.array([[False, True, False], [True, False, True]])
    np.testing.assert_array_equal(read_image(tmp_path / "a.pbm"), expected)


def test_labels_of_4_bits_are_not_stretched(tmp_path: Path) -> None:
    labels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    packed = [bytes([row[0] << 4 | row[1], row[2] << 4 | row[3]]) for row in labels.tolist()]
    pixels = zlib.compress(b"".join(b"\0" + row for row in packed))

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", 4, 4, 4, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), labels)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), labels * 17)


def test_a_palette_of_16_bits_keeps_them(tmp_path: Path) -> None:
    table = RANDOM.integers(0, 65536, (3, 256)).astype(np.uint16)
    index = RGB[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", index, photometric="palette", colormap=table)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), table.T[index])
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif"), index)


def test_levels_counted_from_white_are_turned(tmp_path: Path) -> None:
    gray = np.ascontiguousarray(DEEP[..., 0])
    tifffile.imwrite(tmp_path / "a.tif", gray, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), 65535 - gray)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), gray != 65535)


def test_gray_with_alpha_in_a_tiff_becomes_rgba(tmp_path: Path) -> None:
    pair = np.ascontiguousarray(RGB[..., :2])
    options: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", pair, extrasamples=["unassalpha"], **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), RGB[..., [0, 0, 0, 1]])
    tifffile.imwrite(tmp_path / "b.tif", pair, extrasamples=["unspecified"], **options)
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif"), pair)


# --- color profiles, white, no data


def adobe(levels: NDArray[Any], path: Path) -> NDArray[Any]:
    """Write levels with a profile, and return them in sRGB."""
    profile = imagecodecs.cms_profile("adobergb")
    if levels.dtype == np.uint8:
        picture = Image.fromarray(levels)
        picture.save(path, icc_profile=profile)
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        return np.asarray(
            ImageCms.profileToProfile(picture, source, target, renderingIntent=intent)
        )
    tifffile.imwrite(path, levels, photometric="rgb", iccprofile=profile)
    return imagecodecs.cms_transform(
        levels, profile, imagecodecs.cms_profile("srgb"), colorspace="rgb", outcolorspace="rgb"
    )


@pytest.mark.parametrize(("levels", "name"), [(RGB, "a.png"), (DEEP, "a.tif")])
def test_a_color_profile_is_named_and_can_be_converted(
    tmp_path: Path, levels: NDArray[Any], name: str
) -> None:
    expected = adobe(levels, tmp_path / name)
    with pytest.warns(UserWarning, match="has the color profile '.*'; its numbers are kept"):
        kept = read_image(tmp_path / name)
    np.testing.assert_array_equal(kept, levels)
    converted = read_image(tmp_path / name, icc="convert")
    assert converted.dtype == levels.dtype
    np.testing.assert_allclose(converted.astype(int), expected.astype(int), atol=1)
    assert (converted != levels).any()


def test_cielab_is_converted_on_request(tmp_path: Path) -> None:
    from skimage.color import rgb2lab

    lab = rgb2lab(np.full((4, 5, 3), 119 / 255))[0, 0]  # a gray is the same under any white
    stored = np.full((4, 5, 3), [round(lab[0] * 2.55), 0, 0], np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="cielab")
    image = read_image(tmp_path / "a.tif", icc="convert")
    np.testing.assert_allclose(image.astype(int), 119, atol=1)


def test_cmyk_without_a_profile_cannot_be_converted(tmp_path: Path) -> None:
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="cannot be converted to sRGB: it has no ICC profile"):
        read_image(tmp_path / "a.jpg", icc="convert")


def test_the_level_of_white_makes_fractions(tmp_path: Path) -> None:
    levels = DEEP >> 4
    tifffile.imwrite(tmp_path / "a.tif", levels, photometric="rgb")
    image = read_image(tmp_path / "a.tif", white=4095)
    np.testing.assert_allclose(image, levels / 4095, rtol=1e-6)
    with pytest.raises(ValueError, match="white=0; give the white level, a number above 0"):
        read_image(tmp_path / "a.tif", white=0)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pixels_without_data_do_not_count(tmp_path: Path, dtype: type) -> None:
    levels = RGB.astype(dtype)
    levels[:3, :5] = 7
    levels[10, 10, 0] = 7  # one sample alone is a color
    tag = (42113, "s", 0, "7", True)
    tifffile.imwrite(tmp_path / "a.tif", levels, photometric="rgb", extratags=[tag])
    palette = Palette.from_image(read_image(tmp_path / "a.tif"))
    assert palette.n_pixels == 600 - 15
    assert palette.n_masked + palette.n_not_finite == 15


# --- several pictures


def test_a_picture_of_several_is_chosen(tmp_path: Path) -> None:
    other, last = np.zeros((8, 9, 3), np.uint8), np.full((5, 6, 3), 5, np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(other, photometric="rgb", subfiletype=1, metadata=None)
        tiff.write(RGB, photometric="rgb", metadata=None)
        tiff.write(last, photometric="rgb", metadata=None)
    path = tmp_path / "a.tif"
    with pytest.warns(UserWarning, match="holds 2 images, and number 1 is read"):
        np.testing.assert_array_equal(read_image(path), RGB)
    np.testing.assert_array_equal(read_image(path, series=2), last)
    np.testing.assert_array_equal(read_image(path, page=0), other)
    with pytest.raises(ValueError, match="series 3 does not exist; it has 3, counted from 0"):
        read_image(path, series=3)
    with pytest.raises(ValueError, match="page 3 does not exist; it has 3, counted from 0"):
        read_image(path, page=3)
    name, found = image_contents(path)
    assert name == "TIFF"
    assert [(p.kind, p.shape, p.is_main) for p in found] == [
        ("reduced", (8, 9, 3), False),
        ("picture", (20, 30, 3), True),
        ("picture", (5, 6, 3), False),
    ]


def test_a_level_of_a_pyramid_is_chosen(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tiff:
        size = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5}
        tiff.write(RGB, subifds=1, photometric="rgb", metadata=size)
        tiff.write(RGB[::2, ::2].copy(), subfiletype=1, photometric="rgb")
    np.testing.assert_array_equal(read_image(tmp_path / "a.ome.tif", level=1), RGB[::2, ::2])
    loaded = load_image(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(loaded.pixels, RGB)
    assert (loaded.pixel_size, loaded.unit, loaded.remarks) == ((0.5, 0.25), "µm", ())
    with pytest.raises(ValueError, match="level 2 does not exist; series 0 has 2, counted"):
        read_image(tmp_path / "a.ome.tif", level=2)
    assert image_contents(tmp_path / "a.ome.tif")[1][0].levels == ((20, 30, 3), (10, 15, 3))


def test_frames_of_an_animation(tmp_path: Path) -> None:
    table = RANDOM.integers(0, 256, (256, 3), dtype=np.uint8)
    frames = []
    for index in (RGB[..., 0], RGB[..., 1]):
        frame = Image.frombytes("P", (30, 20), np.ascontiguousarray(index).tobytes())
        frame.putpalette(table.tobytes())
        frames.append(frame)
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    expected = table[np.moveaxis(RGB[..., :2], -1, 0)]
    np.testing.assert_array_equal(read_image(tmp_path / "a.gif"), expected)
    np.testing.assert_array_equal(read_image(tmp_path / "a.gif", page=1), expected[1])
    assert image_contents(tmp_path / "a.gif")[1][0].pages == 2
    Image.fromarray(RGB).save(tmp_path / "a.bmp")
    with pytest.raises(
        ValueError, match="it holds a single image; leave out series, page and level"
    ):
        read_image(tmp_path / "a.bmp", page=1)


@pytest.mark.parametrize(
    "write",
    [
        {"imagej": True, "resolution": (4, 2), "metadata": {"unit": "um"}},
        {"resolution": (40000, 20000), "resolutionunit": "CENTIMETER", "metadata": None},
        {"metadata": None, "description": "Aperio Image Library|AppMag = 40|MPP = 0.25"},
    ],
)
def test_size_of_a_pixel(tmp_path: Path, write: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", **write)
    height = 0.25 if "description" in write else 0.5
    assert load_image(tmp_path / "a.tif").pixel_size == pytest.approx((height, 0.25))
    tifffile.imwrite(tmp_path / "b.tif", RGB, photometric="rgb", resolution=(300, 300))
    assert load_image(tmp_path / "b.tif", Part(page=0)).pixel_size is None


# --- damage


@pytest.mark.parametrize("share", [0.95, 0.5])
@pytest.mark.parametrize(
    "how", [{"imagej": True}, {"metadata": None}, {}, {"metadata": None, "compression": "zlib"}]
)
def test_a_stack_cut_short_is_refused(
    tmp_path: Path, how: dict[str, Any], share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    stack = RANDOM.integers(0, 4096, (6, 40, 50)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", **how)
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=r"image '.*a\.tif' is not a readable TIFF file \(.+\)\."):
        read_image(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("tifffile").propagate


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg", "a.gif", "a.npy", "a.ppm", "a.jp2"])
def test_whatever_is_wrong_becomes_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.npy":
        np.save(path, RGB)
    elif name == "a.ppm":
        path.write_bytes(b"P6\n30 20\n255\n" + RGB.tobytes())
    elif name == "a.jp2":
        path.write_bytes(imagecodecs.jpeg2k_encode(RGB))
    elif name == "a.tif":
        tifffile.imwrite(path, RGB, photometric="rgb", compression="zlib")
    else:
        Image.fromarray(RGB).save(path)
    content = bytearray(path.read_bytes())
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(40):
        damaged = content.copy()
        for at in random.integers(0, min(len(content), 200), 3):
            damaged[at] = random.integers(256)
        path.write_bytes(damaged[: random.integers(1, len(damaged) + 1)])
        said = refusal(path)
        refused += said != ""
        assert "\n" not in said
        assert not said or name in said
    assert refused >= 10


def refusal(path: Path) -> str:
    try:
        load_image(path)
    except ValueError as error:
        return str(error)
    return ""


def test_a_picture_larger_than_memory_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    Image.fromarray(RGB).save(tmp_path / "a.png")
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(RGB))
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", compression="zlib")
    for name in ("a.png", "a.tif"):
        with pytest.raises(ValueError, match=r"unpacks to .* but only 1\.0 kB of memory are free"):
            read_image(tmp_path / name)


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(OSError, match="is a link to itself; give the name of a file"):
        read_image(tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_image(tmp_path / "a\0.png")


def test_formats_that_are_not_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    with pytest.raises(ValueError, match="is HEIC, which cannot be read; save it as TIFF"):
        read_image(tmp_path / "a.jpg")
    np.savez(tmp_path / "a.npz", a=RGB)
    with pytest.raises(ValueError, match="is an archive"):
        read_image(tmp_path / "a.npz")


def test_an_index_without_a_palette_is_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB[..., 0], photometric="palette", colormap=np.zeros((3, 256), "u2"))
    content = bytearray(path.read_bytes())
    at = content.index((320).to_bytes(2, "little") + (3).to_bytes(2, "little"))
    content[at : at + 2] = (65000).to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match=r"a\.tif' cannot be read: it is indexed but has no palette"
    ):
        read_image(path)
