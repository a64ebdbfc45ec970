"""Results that are written block by block: the same files, and nothing made twice."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import dask.array as da
import numpy as np
import ome_types
import pytest
import tifffile
import zarr
from numpy.typing import NDArray
from ome_zarr_models.v05 import Image, Labels

from napari_colorkde.io import export_formats
from napari_colorkde.io.class_maps import write_class_map
from napari_colorkde.io.densities import write_density
from napari_colorkde.io.formats import blocks, resumable
from napari_colorkde.io.formats.ome_zarr import cluster_workers
from napari_colorkde.io.formats.ome_zarr import writer as ome_zarr
from napari_colorkde.io.formats.tiff import ome as ome_tiff
from napari_colorkde.io.images import load_image, read_image
from napari_colorkde.io.provenance import PIXEL_SIZE

RNG = np.random.default_rng(0)
DENSITY = RNG.random((75, 101)).astype(np.float32)
DENSITY[3, 4] = np.nan
LABELS = RNG.integers(0, 3, (75, 101)).astype(np.uint8)
RECORD = {"command": "napari-colorkde density a.tif -o d.zarr", PIXEL_SIZE: [0.5, 0.25]}
NAMES = ("dark", "light")
SUFFIXES = (".ome.tif", ".zarr")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pyramids of pictures of more than 16 pixels, in pieces of 16."""
    for module in (ome_tiff, ome_zarr):
        monkeypatch.setattr(module, "LARGE", 16)
    monkeypatch.setattr(ome_tiff, "TILE", 16)
    monkeypatch.setattr(ome_zarr, "CHUNK", 16)
    monkeypatch.setattr(blocks, "CHUNK", 16)


def levels_of(path: Path) -> list[NDArray[Any]]:
    if path.suffix == ".zarr":
        group = zarr.open_group(path, mode="r")
        return [np.asarray(group[n]) for n in sorted(group.array_keys())]
    with tifffile.TiffFile(path) as tiff:
        return [level.asarray() for level in tiff.series[0].levels]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("chunks", [(32, 48), (17, 30), (75, 101), ((40, 3, 32), (101,))])
def test_blocks_make_the_same_file(tmp_path: Path, suffix: str, chunks: Any) -> None:
    write_density(tmp_path / f"whole{suffix}", DENSITY, description=RECORD)
    seen: list[float] = []
    target = tmp_path / f"lazy{suffix}"
    lazy = da.from_array(DENSITY, chunks=chunks)
    write_density(target, lazy, description=RECORD, progress=seen.append)
    expected = levels_of(tmp_path / f"whole{suffix}")
    assert len(expected) == 4
    for found, level in zip(levels_of(target), expected, strict=True):
        np.testing.assert_array_equal(found, level)
    assert load_image(target).pixel_size == (0.5, 0.25)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"lazy{suffix}", f"whole{suffix}"]
    if suffix == ".zarr":
        Image.from_zarr(zarr.open_group(target, mode="r"))
    else:
        ome_types.from_tiff(target)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_classes_and_stacks_in_blocks(tmp_path: Path, suffix: str) -> None:
    stack = np.stack([LABELS, 2 - LABELS])
    target = tmp_path / f"c{suffix}"
    write_class_map(target, da.from_array(stack, chunks=(1, 32, 48)), NAMES)
    for number, level in enumerate(levels_of(target)):
        step = 1 << number
        np.testing.assert_array_equal(level, stack[:, ::step, ::step])
    if suffix == ".zarr":
        group = zarr.open_group(target, mode="r")
        np.testing.assert_array_equal(group["labels/classes/0"], stack)
        assert Labels.from_zarr(group["labels"]).attributes.ome.labels == ["classes"]


def test_empty_chunks_are_written_and_none_is_missing(tmp_path: Path) -> None:
    labels = np.zeros((40, 60), np.uint8)
    for name, given in (("a.zarr", labels), ("b.zarr", da.from_array(labels, chunks=(16, 16)))):
        write_class_map(tmp_path / name, given, NAMES)
        array = zarr.open_array(tmp_path / name / "0", mode="r")
        assert array.nchunks_initialized == array.nchunks
        np.testing.assert_array_equal(read_image(tmp_path / name), labels)  # warns of nothing


class Counted:
    """An array that remembers which parts were asked for."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.asked: list[Any] = []

    def __getitem__(self, index: Any) -> NDArray[Any]:
        if any(s.stop for s in index):  # dask asks for nothing at all, to know what kind it is
            self.asked.append(index)
        return self._array[index]

    def lazy(self) -> Any:
        return da.from_array(self, chunks=(32, 48), asarray=False, name=False)


def stop_at(fraction: float) -> Callable[[float], None]:
    def progress(done: float) -> None:
        if done >= fraction:
            raise KeyboardInterrupt

    return progress


def test_a_run_that_was_stopped_is_gone_on_with(tmp_path: Path) -> None:
    target, source = tmp_path / "d.zarr", tmp_path / "a.tif"
    source.write_bytes(b"an image")
    options: dict[str, Any] = {"description": RECORD, "sources": [source]}
    first = Counted(DENSITY)
    with pytest.raises(KeyboardInterrupt):
        write_density(target, first.lazy(), progress=stop_at(0.5), **options)
    assert not target.exists()
    (place,) = (p for p in tmp_path.iterdir() if p.name.startswith("."))
    with (place / "done").open("a") as journal:
        journal.write("0:")  # killed in the middle of a line
    (content,) = place.glob("content-*")
    before = {p: p.stat().st_mtime_ns for p in (content / "0").rglob("*") if p.is_file()}
    second, seen = Counted(DENSITY), []
    write_density(target, second.lazy(), progress=seen.append, **options)
    assert len(first.asked) >= 2
    assert len(first.asked) + len(second.asked) <= 9 + 1  # one was read ahead
    assert seen[0] > 0.3
    kept = [target / "0" / p.relative_to(content / "0") for p in before]
    same = [p.stat().st_mtime_ns == n for p, n in zip(kept, before.values(), strict=True)]
    assert sum(same) >= len(same) - 1
    np.testing.assert_array_equal(levels_of(target)[0], DENSITY)
    write_density(tmp_path / "whole.zarr", DENSITY, description=RECORD)
    for found, level in zip(levels_of(target), levels_of(tmp_path / "whole.zarr"), strict=True):
        np.testing.assert_array_equal(found, level)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tif", "d.zarr", "whole.zarr"]


def test_runs_of_different_things_write_to_different_places(tmp_path: Path) -> None:
    """A cluster's worker may be late with a block of a run that was stopped."""
    places = []
    for values in (DENSITY, DENSITY + 1):
        source = tmp_path / "a.tif"
        source.write_bytes(b"a" * (len(places) + 1))
        options: dict[str, Any] = {"description": RECORD, "sources": [source]}
        lazy = da.from_array(values, chunks=(32, 48))
        with pytest.raises(KeyboardInterrupt):
            write_density(tmp_path / "d.zarr", lazy, progress=stop_at(0.3), **options)
        places.append(list(tmp_path.glob(".d.*/content-*")))
    assert len(places[0]) == len(places[1]) == 1
    assert places[0] != places[1]


def test_processes_write_the_same(tmp_path: Path) -> None:
    target, shift = tmp_path / "d.zarr", np.float32(0.25)
    lazy = da.from_array(DENSITY, chunks=(32, 48)).map_blocks(lambda block: block + shift)
    seen: list[float] = []
    write_density(target, lazy, description=RECORD, progress=seen.append, jobs=2)
    write_density(tmp_path / "whole.zarr", DENSITY + shift, description=RECORD)
    for found, level in zip(levels_of(target), levels_of(tmp_path / "whole.zarr"), strict=True):
        np.testing.assert_array_equal(found, level)
    assert seen[-1] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.zarr", "whole.zarr"]


def test_a_process_that_is_ended_leaves_what_is_written(tmp_path: Path) -> None:
    def end(block: NDArray[Any]) -> NDArray[Any]:
        os._exit(1)

    target = tmp_path / "d.zarr"
    empty = np.empty((0, 0), np.float32)  # without it dask tries the function here
    lazy = da.from_array(DENSITY, chunks=(32, 48)).map_blocks(end, dtype=np.float32, meta=empty)
    with pytest.raises(ValueError, match=r"a process died at work, .*fewer --jobs"):
        write_density(target, lazy, description=RECORD, jobs=2)
    assert not target.exists()
    write_density(target, da.from_array(DENSITY, chunks=(32, 48)), description=RECORD)
    np.testing.assert_array_equal(levels_of(target)[0], DENSITY)


@pytest.mark.parametrize("change", ["source", "record"])
def test_another_run_begins_anew(tmp_path: Path, change: str) -> None:
    target, source = tmp_path / "d.zarr", tmp_path / "a.tif"
    source.write_bytes(b"an image")
    options: dict[str, Any] = {"description": RECORD, "sources": [source]}
    with pytest.raises(KeyboardInterrupt):
        write_density(target, Counted(0 * DENSITY).lazy(), progress=stop_at(0.5), **options)
    if change == "source":
        os.utime(source, ns=(1, 1))
    else:
        options["description"] = RECORD | {"command": "another"}
    counted = Counted(DENSITY)
    write_density(target, counted.lazy(), **options)
    assert len(counted.asked) == 9
    np.testing.assert_array_equal(levels_of(target)[0], DENSITY)


def test_a_full_disk_is_named_and_what_is_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, written = tmp_path / "d.zarr", []
    write = zarr.Array.__setitem__

    def fill_up(array: zarr.Array, place: Any, values: Any) -> None:
        written.append(place)
        if len(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(array, place, values)

    monkeypatch.setattr(zarr.Array, "__setitem__", fill_up)
    with pytest.raises(OSError, match=r"d.zarr' cannot be written \(No space left.*; make room"):
        write_density(target, Counted(DENSITY).lazy())
    counted = Counted(DENSITY)
    write_density(target, counted.lazy())
    assert len(counted.asked) == 6
    np.testing.assert_array_equal(levels_of(target)[0], DENSITY)


def test_two_runs_do_not_write_the_same(tmp_path: Path) -> None:
    target = tmp_path / "d.zarr"
    with pytest.raises(KeyboardInterrupt):
        write_density(target, Counted(DENSITY).lazy(), progress=stop_at(0.5))
    (place,) = tmp_path.iterdir()
    (place / "writer").write_text(str(os.getppid()))
    with pytest.raises(OSError, match=r"d.zarr' is being written by another process, \d+; wait"):
        write_density(target, Counted(DENSITY).lazy())
    assert (place / "writer").read_text() == str(os.getppid())  # it goes on


def test_of_two_runs_that_begin_at_once_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_is_quicker(path: Path, writer: Path) -> None:
        monkeypatch.setattr(Path, "unlink", lambda *args, **options: None)
        writer.write_text("1")

    monkeypatch.setattr(resumable, "_refuse_other_writer", other_is_quicker)
    with pytest.raises(OSError, match="is being written by another process; wait for it"):
        write_density(tmp_path / "d.zarr", Counted(DENSITY).lazy())


def test_a_damaged_block_leaves_what_was_written(tmp_path: Path) -> None:
    path, target = tmp_path / "a.tif", tmp_path / "d.ome.tif"
    image = RNG.integers(0, 256, (64, 64), dtype=np.uint8)
    tifffile.imwrite(path, image, tile=(16, 16), compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages.first.dataoffsets[9]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 9)
    target.write_bytes(b"before")
    with pytest.raises(ValueError, match="has a damaged tile, number 9"):
        write_density(target, read_image(path, lazy=True).astype(np.float32))
    assert target.read_bytes() == b"before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tif", "d.ome.tif"]


def test_other_formats_are_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lazy = da.from_array(DENSITY, chunks=(32, 48))
    write_density(tmp_path / "d.npy", lazy)
    np.testing.assert_array_equal(np.load(tmp_path / "d.npy"), DENSITY)
    monkeypatch.setattr("napari_colorkde.io.datasets.memory.available_bytes", lambda: 1000)
    with pytest.raises(ValueError, match=r"d.tif': the result takes .*; write .zarr or .ome.tif"):
        write_density(tmp_path / "d.tif", lazy)
    assert export_formats.density_suffixes()


def test_a_late_block_of_a_cluster_makes_no_folder_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "content"
    array: Any = zarr.open_group(folder, mode="w").create_array(
        "0", shape=(8, 8), chunks=(4, 4), dtype="f4"
    )
    task = cloudpickle.dumps([(np.ones((8, 8), "f4"), [array])])
    block = (slice(0, 4), slice(4, 8))
    cluster_workers.write_unless_over(task, 0, block)
    np.testing.assert_array_equal(array[:, 4:], [[1] * 4] * 4 + [[0] * 4] * 4)
    shutil.rmtree(folder)
    cluster_workers.write_unless_over(task, 0, block)
    assert not folder.exists()
