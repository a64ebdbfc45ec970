"""Slides on the command line: block by block the same as whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from napari_colorkde.cli import main
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.io.formats import blocks
from napari_colorkde.io.formats.ome_zarr import block_writer as zarr_blocks
from napari_colorkde.io.formats.ome_zarr.workers import Workers
from napari_colorkde.io.images import read_image
from napari_colorkde.io.palettes import load_palette

Refused = Callable[..., str]
IMAGE = (np.random.default_rng(0).normal(130, 30, (120, 150, 3)) // 8 * 8).astype(np.uint8)


@pytest.fixture
def slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A pyramid in tiles, labels and kernels beside it, in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 1 << 12)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 32)
    monkeypatch.setattr(blocks, "CHUNK", 32)
    with tifffile.TiffWriter("s.tif") as tiff:
        options: dict[str, Any] = {"tile": (32, 32), "photometric": "rgb", "compression": "zlib"}
        tiff.write(IMAGE, subifds=1, **options)
        tiff.write(IMAGE[::2, ::2], subfiletype=1, **options)
    labels = np.zeros(IMAGE.shape[:2], np.uint8)
    labels[20:70, 10:90], labels[100:, 120:] = 1, 2
    np.save("labels.npy", labels)
    tifffile.imwrite("m.tif", labels * 100, photometric="minisblack", tile=(32, 32))
    Path("k.csv").write_text(
        "set,class,weight,mean_r,mean_g,mean_b,var_r,var_g,var_b\n"
        "k,dark,0.5,110,110,110,400,400,400\nk,light,0.5,150,150,150,600,400,400\n"
    )
    return "s.tif"


@pytest.mark.parametrize(
    ("words", "suffix"),
    [
        ("density {} -o {} --level 1", ".zarr"),
        ("density {} -o {} --log --bandwidth 9 --mask m.tif", ".ome.tif"),
        ("density {} -o {} --kernels k.csv --class dark", ".zarr"),
        ("classify {} -o {} --kernels k.csv --keep-mass 0.9", ".zarr"),
        ("classify {} -o {} --kernels k.csv --keep-mass 0.9", ".ome.tif"),
        ("classify {} -o {} --kernels k.csv --show ratio", ".ome.tif"),
    ],
)
def test_densities_and_classes_of_slides(slide: str, words: str, suffix: str) -> None:
    assert main(words.format(slide, f"whole{suffix}").split()) == 0
    assert main([*words.format(slide, f"lazy{suffix}").split(), "--lazy"]) == 0
    whole, lazy = read_image(f"whole{suffix}"), read_image(f"lazy{suffix}")
    np.testing.assert_allclose(lazy, whole, rtol=1e-5)
    assert whole.shape == (IMAGE[::2, ::2] if "level" in words else IMAGE).shape[:2]


def test_counts_and_measures_of_slides(
    slide: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["count", slide, "-o", "p.npz", "--mask", "m.tif", "--lazy"]) == 0
    assert load_palette("p.npz") == Palette.from_image(IMAGE, np.load("labels.npy"))
    rows = []
    for lazy in ([], ["--lazy"]):
        words = ["measure", slide, "--kernels", "k.csv", "--regions", "labels.npy", *lazy]
        assert main(words) == 0
        rows.append(capsys.readouterr().out)
    assert rows[0] == rows[1]
    monkeypatch.setattr(blocks, "LAZY_PIXELS", 1000)
    assert main(["count", slide, "-o", "q.npz"]) == 0
    assert "120 × 150 × 3, uint8, block by block" in capsys.readouterr().err
    assert load_palette("q.npz") == Palette.from_image(IMAGE)


def test_a_density_that_was_stopped_is_gone_on_with(
    slide: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["density", slide, "-o", "d.zarr", "--kernels", "k.csv", "--class", "dark", "--lazy"]
    written: list[object] = []
    write = zarr.Array.__setitem__

    def stop(array: zarr.Array, place: Any, values: Any) -> None:
        written.append(place)
        if len(written) == 3:
            raise KeyboardInterrupt
        write(array, place, values)

    monkeypatch.setattr(zarr.Array, "__setitem__", stop)
    assert main(words) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert not Path("d.zarr").exists()
    assert main(words) == 0
    assert len(written) == 1 + len(set(map(str, written)))
    assert main(["density", slide, "-o", "w.npy", "--kernels", "k.csv", "--class", "dark"]) == 0
    np.testing.assert_allclose(read_image("d.zarr"), np.load("w.npy"), rtol=1e-5)


def test_jobs_are_those_of_blocks(slide: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def workers(levels: Any, jobs: int) -> Workers:
        asked.append(jobs)
        return Workers(levels, 1)

    monkeypatch.setattr(zarr_blocks, "Workers", workers)
    monkeypatch.setattr(Workers, "write", lambda self, level, names: iter(names))
    words = ["--kernels", "k.csv", "--lazy", "--jobs", "3", "-o"]
    assert main(["classify", slide, *words, "c.zarr"]) == 0
    assert main(["density", slide, *words, "d.zarr", "--class", "dark"]) == 0
    assert asked == [3, 3]


def test_memory_is_that_of_some_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 1 << 18)
    rng = np.random.default_rng(0)
    tile = rng.normal(120, 20, (512, 512)).clip(0, 255).astype(np.uint8)
    array = zarr.create_array("g.zarr", shape=(4096, 4096), chunks=(512, 512), dtype="u1")
    for place in np.ndindex(8, 8):
        array[tuple(slice(512 * i, 512 * i + 512) for i in place)] = np.roll(tile, place)
    zarr.create_array("small.zarr", data=tile)
    words = ["--channel-axis", "none", "--bandwidth", "3", "--lazy", "-o"]
    assert main(["density", "small.zarr", *words, "small_density.zarr"]) == 0  # imports take memory
    tracemalloc.start()
    assert main(["density", "g.zarr", *words, "d.zarr"]) == 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16e6  # the image is 17 MB, the result 67
    assert read_image("d.zarr", lazy=True).shape == (4096, 4096)


def test_slides_that_are_damaged_are_refused(slide: str, refused: Refused) -> None:
    with tifffile.TiffFile(slide) as tiff:
        offset = tiff.pages.first.dataoffsets[3]
    with Path(slide).open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 9)
    words = "density s.tif --lazy --kernels k.csv --class dark -o"
    for target in ("d.ome.tif", "d.npy"):
        assert "'s.tif' has a damaged tile, number 3" in refused(*words.split(), target)
    assert "has a damaged tile" in refused("count", slide, "--lazy", "-o", "p.npz")
