"""A full disk: every format leaves what was there, and one sentence with the file's name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde import Kernel, KernelSet, Palette, color_kde, save_kernels, save_palette
from napari_colorkde.io.class_maps import write_class_map
from napari_colorkde.io.csv_files import write_rows
from napari_colorkde.io.densities import write_density
from napari_colorkde.io.volumes import save_volume

resource = pytest.importorskip("resource")

RANDOM = np.random.default_rng(3)
MOST_BYTES = 1500
IMAGE = RANDOM.integers(0, 256, (60, 70, 3), np.uint8)
DENSITY = RANDOM.random((130, 170)).astype(np.float32)
CLASSES = RANDOM.integers(0, 3, (130, 170), np.uint8)
VOLUME = color_kde(IMAGE, bandwidth=40, bins=24)
KERNELS = KernelSet([Kernel(mean, [9, 9, 9], 0.01) for mean in RANDOM.random((100, 3))], "many")
ROWS = [{"image": f"{n}.png", "pixels": n} for n in range(900)]

Write = Callable[[Path], Any]
WRITERS: dict[str, Write] = {
    "d.tif": lambda path: write_density(path, DENSITY),
    "d.ome.tif": lambda path: write_density(path, DENSITY),
    "d.npy": lambda path: write_density(path, DENSITY),
    "d.npz": lambda path: write_density(path, DENSITY),
    "d.png": lambda path: write_density(path, DENSITY),
    "d.zarr": lambda path: write_density(path, DENSITY),
    "c.tif": lambda path: write_class_map(path, CLASSES, ["a", "b"]),
    "c.png": lambda path: write_class_map(path, CLASSES, ["a", "b"]),
    "v.npz": lambda path: save_volume(path, VOLUME),
    "v.tif": lambda path: save_volume(path, VOLUME),
    "v.nrrd": lambda path: save_volume(path, VOLUME),
    "v.zarr": lambda path: save_volume(path, VOLUME),
    "v.cube": lambda path: save_volume(
        path, color_kde(IMAGE, bandwidth=40, bins=17, extent=(0, 255))
    ),
    "v.ply": lambda path: save_volume(path, VOLUME),
    "k.json": lambda path: save_kernels(path, KERNELS),
    "k.csv": lambda path: save_kernels(path, KERNELS),
    "p.npz": lambda path: save_palette(path, Palette.from_image(IMAGE)),
    "t.csv": lambda path: write_rows(path, ROWS),
}


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process become larger than a few blocks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
@pytest.mark.parametrize("name", WRITERS)
def test_what_was_there_stays_and_the_file_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)

    def kept() -> dict[str, bytes]:
        files = path.rglob("*") if path.is_dir() else [path]
        return {str(file): file.read_bytes() for file in files if file.is_file()}

    before = kept()
    assert max(map(len, before.values())) > MOST_BYTES
    with full_disk(), pytest.raises(OSError, match="cannot be written") as caught:
        WRITERS[name](path)
    assert repr(str(path)) in str(caught.value)
    assert "make room, or choose another place" in str(caught.value)
    assert kept() == before
    assert list(tmp_path.iterdir()) == [path]
