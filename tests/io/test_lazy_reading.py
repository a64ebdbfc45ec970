"""Pictures read block by block: the same levels as read whole, whatever the tags say."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray

from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.io.formats import blocks
from napari_colorkde.io.formats.blocks import block_shape, written_side
from napari_colorkde.io.images import image_contents, load_image, read_image, read_mask

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (90, 130, 3), dtype=np.uint8)
SMOOTH = np.stack([*np.meshgrid(*([np.arange(160)] * 2)), np.full((160, 160), 80)], -1).astype("u1")
GRAY = RNG.integers(0, 4096, (70, 50), dtype=np.uint16)
STACK = RNG.integers(0, 256, (4, 40, 60, 3), dtype=np.uint8)

TIFFS: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
    "tiles": (RGB, {"tile": (32, 48), "compression": "zlib", "predictor": True}),
    "strips": (RGB, {"rowsperstrip": 7, "compression": "lzw"}),
    "one block": (RGB, {}),
    "one block, big-endian": (GRAY, {"byteorder": ">"}),
    "strips that are not compressed": (RGB, {"rowsperstrip": 7, "metadata": None}),
    "planes": (RGB.transpose(2, 0, 1), {"planarconfig": "separate", "tile": (32, 32)}),
    "white is zero": (GRAY, {"photometric": "miniswhite", "tile": (16, 16)}),
    "palette": (
        RGB[..., 0],
        {"photometric": "palette", "colormap": RNG.integers(0, 65536, (3, 256), dtype=np.uint16)},
    ),
    "alpha": (
        np.dstack([RGB // 2, RGB[..., :1] | 128]),
        {"extrasamples": ["assocalpha"], "tile": (32, 32)},
    ),
    "no data": (RGB[..., 0], {"tile": (32, 32), "extratags": [(42113, "s", 0, "0", True)]}),
    "no data of floats": (
        GRAY.astype(np.float32) % 7,
        {"tile": (32, 32), "extratags": [(42113, "s", 0, "3", True)]},
    ),
    "turned": (RGB, {"tile": (32, 32), "extratags": [(274, "H", 1, 6, True)]}),
    "JPEG": (SMOOTH, {"tile": (64, 64), "compression": "jpeg", "photometric": "rgb"}),
    "JPEG in YCbCr": (
        SMOOTH,
        {
            "tile": (64, 64),
            "compression": "jpeg",
            "photometric": "ycbcr",
            "subsampling": (2, 2),
        },
    ),
    "stack": (STACK, {"tile": (16, 32), "compression": "zlib"}),
    "stack of strips": (STACK[..., 0], {"compression": "zlib", "rowsperstrip": 8}),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that pictures have several."""
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 1 << 11)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 32)
    monkeypatch.setattr(blocks, "CHUNK", 32)


@pytest.mark.parametrize("kind", TIFFS)
def test_a_tiff_in_blocks_is_the_tiff(tmp_path: Path, kind: str) -> None:
    array, options = TIFFS[kind]
    photometric = "rgb" if array.shape[0] == 3 or array.shape[-1] in (3, 4) else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", array, **({"photometric": photometric} | options))
    whole = load_image(tmp_path / "a.tif")
    lazy = load_image(tmp_path / "a.tif", lazy=True)
    assert isinstance(lazy.pixels, da.Array)
    assert lazy.pixels.npartitions > 1
    assert lazy.remarks == whole.remarks
    assert (lazy.pixels.shape, lazy.pixels.dtype) == (whole.pixels.shape, whole.pixels.dtype)
    for part in (slice(None), slice(3, 41)):
        found, expected = lazy.pixels[part].compute(), whole.pixels[part]
        np.testing.assert_array_equal(np.ma.getmaskarray(found), np.ma.getmaskarray(expected))
        np.testing.assert_array_equal(np.ma.filled(found, 0), np.ma.filled(expected, 0))
    if whole.pixels.dtype.kind == "u":
        axis = -1 if whole.pixels.shape[-1] in (3, 4) else None
        assert Palette.from_image(lazy.pixels, None, axis) == Palette.from_image(
            whole.pixels, None, axis
        )


def test_profiles_are_obeyed_block_by_block(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lab = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", lab, photometric="cielab", tile=(16, 16), iccprofile=profile
    )
    whole = read_image(tmp_path / "a.tif", icc="convert")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", icc="convert", lazy=True), whole)
    with pytest.raises(ValueError, match="stored in CIELAB, not in RGB"):
        read_image(tmp_path / "a.tif", lazy=True)


def test_the_levels_of_a_slide_are_read_without_the_finest(tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    about = "Aperio Image Library v11.2.1 \r\n128x96 |AppMag = 20|MPP = 0.499"
    big = np.kron(SMOOTH[:48, :64], np.ones((2, 2, 1), np.uint8))
    with tifffile.TiffWriter(path) as tiff:
        options = {"photometric": "rgb", "compression": "jpeg", "metadata": None, "tile": (32, 32)}
        tiff.write(big, description=about, **options)
        tiff.write(big[:20, :20], description=about, photometric="rgb", metadata=None)
        tiff.write(big[::2, ::2], description=about, subfiletype=0, **options)
    finest = load_image(path, lazy=True)
    assert finest.pixel_size == (0.499, 0.499)
    np.testing.assert_array_equal(finest.pixels, load_image(path).pixels)
    expected = read_image(path, level=1)
    with tifffile.TiffFile(path) as tiff:
        start, size = tiff.pages.first.dataoffsets[0], sum(tiff.pages.first.databytecounts)
    with path.open("r+b") as file:
        file.seek(start)
        file.write(bytes(size))
    level = read_image(path, level=1, lazy=True)
    np.testing.assert_array_equal(level, expected)
    assert level.shape == (48, 64, 3)
    with pytest.raises(ValueError, match="has a damaged tile, number"):
        np.asarray(read_image(path, lazy=True))


def write_zarr(path: Path, version: int, levels: list[NDArray[Any]], axes: str) -> None:
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == 4 else 3)
    datasets = []
    for number, level in enumerate(levels):
        chunks = tuple(16 if axis in "yx" else 1 for axis in axes)
        array = group.create_array(
            str(number), shape=level.shape, dtype=level.dtype, chunks=chunks, fill_value=9
        )
        array[...] = level
        scale = {"type": "scale", "scale": [0.5 * 2**number] * level.ndim}
        datasets.append({"path": str(number), "coordinateTransformations": [scale]})
    unit = {"unit": "micrometer"}
    named = [{"name": a, "type": "space", **unit} if a in "yx" else {"name": a} for a in axes]
    about = [{"axes": named, "datasets": datasets}]
    group.attrs.update(
        {"multiscales": about}
        if version == 4
        else {"ome": {"version": "0.5", "multiscales": about}}
    )


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("axes", ["cyx", "yxc", "tczyx"])
def test_ome_zarr_in_blocks_is_the_image(tmp_path: Path, version: int, axes: str) -> None:
    path = tmp_path / "a.ome.zarr"
    order = ["yxc".index(axis) for axis in axes if axis in "yxc"]
    image = RGB.transpose(order)
    for axis in [i for i, a in enumerate(axes) if a in "tz"]:
        image = np.expand_dims(image, axis)
    halves = tuple(slice(None, None, 2 if a in "yx" else 1) for a in axes)
    write_zarr(path, version, [image, image[halves]], axes)
    lazy = load_image(path, lazy=True)
    np.testing.assert_array_equal(lazy.pixels, image)
    assert lazy.pixel_size == (0.5, 0.5)
    assert lazy.pixels.chunks[axes.index("c")] == (3,)
    np.testing.assert_array_equal(read_image(path, level=1, lazy=True), image[halves])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lazy.pixels)), image)


def test_a_zarr_says_what_is_in_it_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_zarr(path, 5, [RGB, RGB[::2, ::2]], "yxc")
    for chunk in (path / "0" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"not read")
    name, (picture,) = image_contents(path)
    assert (name, picture.shape, picture.axes) == ("OME-Zarr", (90, 130, 3), "YXC")
    assert picture.levels == ((90, 130, 3), (45, 65, 3))
    assert (picture.pixel_size, picture.unit) == ((0.5, 0.5), "µm")
    zarr.create_array(tmp_path / "b.zarr", data=RGB[..., 0])
    _, (picture,) = image_contents(tmp_path / "b.zarr")
    assert (picture.axes, picture.levels, picture.pixel_size) == ("YX", ((90, 130),), None)


def test_blocks_are_read_by_other_processes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", tile=(32, 32), compression="zlib")
    lazy = read_image(tmp_path / "a.tif", lazy=True)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lazy)), RGB)


def test_other_files_are_read_whole_and_masks_in_blocks(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RGB)
    lazy = read_image(tmp_path / "a.npy", lazy=True)
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy, RGB)
    tifffile.imwrite(tmp_path / "m.tif", RGB // 200, photometric="rgb", tile=(32, 32))
    marks = read_mask(tmp_path / "m.tif", lazy=True)
    assert isinstance(marks, da.Array)
    np.testing.assert_array_equal(marks, read_mask(tmp_path / "m.tif"))


def test_large_pictures_are_read_in_blocks_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", tile=(32, 32))
    assert isinstance(load_image(tmp_path / "a.tif", lazy=None).pixels, np.ndarray)
    monkeypatch.setattr(blocks, "LAZY_PIXELS", 90 * 130 - 1)
    assert isinstance(load_image(tmp_path / "a.tif", lazy=None).pixels, da.Array)
    assert isinstance(read_image(tmp_path / "a.tif"), np.ndarray)


def damage_a_tile(path: Path) -> None:
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages.first.dataoffsets[5]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 9)


def test_a_damaged_tile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", tile=(32, 32), compression="zlib")
    lazy = read_image(path, lazy=True)
    damage_a_tile(path)
    with pytest.raises(ValueError, match="changed while it was being read; read it again"):
        np.asarray(lazy)
    lazy = read_image(path, lazy=True)
    with pytest.raises(ValueError, match=r"a.tif' has a damaged tile, number 5 \(.*download"):
        np.asarray(lazy)
    np.testing.assert_array_equal(lazy[:32, :32], RGB[:32, :32])


def test_broken_and_missing_chunks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_zarr(path, 5, [RGB], "yxc")
    (path / "0" / "c" / "1" / "2" / "0").write_bytes(b"no chunk")
    lazy = read_image(path, lazy=True)
    with pytest.raises(ValueError, match=r"a.zarr' has a damaged chunk in \[.*download"):
        np.asarray(lazy)
    np.testing.assert_array_equal(lazy[32:], RGB[32:])
    (path / "0" / "c" / "1" / "2" / "0").unlink()
    found: list[Callable[..., Any]] = [
        lambda: read_image(path),
        lambda: read_image(path, lazy=True),
    ]
    for read in found:
        with pytest.warns(
            UserWarning, match="1 of 162 chunks that were never written, or are miss"
        ):
            pixels = read()
        assert (np.asarray(pixels)[16:32, 32:48, 0] == 9).all()


@pytest.mark.parametrize("wrong", [RGB, RGB[:9, :9].astype(np.uint16), RGB[..., 0]])
def test_levels_that_disagree_are_told(tmp_path: Path, wrong: NDArray[Any]) -> None:
    path = tmp_path / "a.zarr"
    write_zarr(path, 5, [RGB[:40, :50], RGB[:20, :25]], "yxc")
    group = zarr.open_group(path, mode="a")
    del group["1"]
    group.create_array("1", data=wrong)
    with pytest.warns(UserWarning, match="a pyramid whose levels disagree: level 0 is 40 × 50 × 3"):
        np.testing.assert_array_equal(read_image(path, lazy=True), RGB[:40, :50])
    with pytest.raises(ValueError, match=r"levels disagree: level 0 .*level 1 is .*give level 0"):
        read_image(path, level=1)


@pytest.mark.parametrize(
    ("stored", "shape", "expected"),
    [
        ((32, 32, 3), (900, 900, 3), (32, 64, 3)),
        ((10, 10), (900, 900), (30, 60)),
        ((4, 900), (900, 900), (32, 900)),
        ((100, 100), (900, 900), (100, 100)),
        ((32, 32), (20, 40), (20, 40)),
    ],
)
def test_blocks_are_of_whole_tiles(
    stored: tuple[int, ...], shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert block_shape(shape, stored, 0, 1) == expected


@pytest.mark.parametrize(("block", "side"), [(32, 32), (96, 32), (30, 30), (67, 67), (100, 25)])
def test_pieces_divide_blocks(block: int, side: int) -> None:
    assert written_side(block) == side
