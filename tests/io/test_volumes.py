"""Density volumes in files, in one, two and three dimensions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.io.provenance import provenance
from napari_colorkde.io.volumes import load_volume, save_volume


def volume_of(n_channels: int) -> DensityVolume:
    """A volume whose axes differ in start, step and length."""
    shape = (4, 5, 6)[-n_channels:]
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    axes = tuple(10.0 * i + (i + 1) * np.arange(n) for i, n in enumerate(shape))
    return DensityVolume(values, axes, np.eye(n_channels) * 4, 0.875, "rgb")


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_archive_comes_back(tmp_path: Path, n_channels: int) -> None:
    volume = volume_of(n_channels)
    save_volume(tmp_path / "v.npz", volume, description=provenance("command"))
    read = load_volume(tmp_path / "v.npz")
    np.testing.assert_array_equal(read.values, volume.values)
    assert read.values.dtype == np.float32
    for ours, theirs in zip(read.axes, volume.axes, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(read.covariance, volume.covariance)
    assert (read.mass_inside, read.space) == (0.875, "rgb")
    assert (read.boundary, read.sampling, read.is_log) == ("none", "points", False)
    assert read.names == volume.names
    with np.load(tmp_path / "v.npz", allow_pickle=False) as file:
        assert '"command": "command"' in str(file["provenance"])


def test_archives_say_how_a_volume_was_made(tmp_path: Path) -> None:
    about = {"boundary": "reflected", "sampling": "cells", "is_log": True, "names": ("R", "B")}
    volume = replace(volume_of(2), **about)
    save_volume(tmp_path / "v.npz", volume)
    read = load_volume(tmp_path / "v.npz")
    assert {name: getattr(read, name) for name in about} == about
    with np.load(tmp_path / "v.npz") as file:
        older = {name: file[name] for name in file.files if name not in about}
    np.savez(tmp_path / "older.npz", **older)
    read = load_volume(tmp_path / "older.npz")
    assert (read.boundary, read.sampling, read.is_log) == ("none", "points", False)
    with pytest.raises(ValueError, match=r"holds logarithms, which \.cube cannot store"):
        save_volume(tmp_path / "v.cube", volume)


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_npy_holds_the_values(tmp_path: Path, n_channels: int) -> None:
    volume = volume_of(n_channels)
    save_volume(tmp_path / "v.npy", volume)
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), volume.values)


def imagej(path: Path) -> tuple[NDArray[Any], str, dict[str, Any], tuple[float, float]]:
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_imagej
        resolution = tuple(
            np.divide(*tiff.pages.first.tags[f"{axis}Resolution"].value) for axis in "XY"
        )
        return tiff.asarray(), tiff.series[0].axes, dict(tiff.imagej_metadata or {}), resolution


def test_tiff_has_the_first_channel_along_z(tmp_path: Path) -> None:
    volume = volume_of(3)
    save_volume(tmp_path / "v.tif", volume)
    values, axes, metadata, _ = imagej(tmp_path / "v.tif")
    assert axes == "ZYX"
    np.testing.assert_array_equal(values, volume.values)
    assert metadata["slices"] == 4


def test_tiff_has_voxel_size_and_origin_in_color_units(tmp_path: Path) -> None:
    save_volume(tmp_path / "v.tif", volume_of(3))
    _, _, metadata, (per_x, per_y) = imagej(tmp_path / "v.tif")
    assert metadata["spacing"] == 1  # red, in steps of 1 from 0
    assert per_y == pytest.approx(1 / 2)  # green, in steps of 2 from 10
    assert per_x == pytest.approx(1 / 3)  # blue, in steps of 3 from 20
    assert metadata["zorigin"] == 0
    assert metadata["yorigin"] == pytest.approx(-10 / 2)
    assert metadata["xorigin"] == pytest.approx(-20 / 3)
    assert metadata["unit"] == "level"


def test_tiff_says_where_it_comes_from(tmp_path: Path) -> None:
    save_volume(tmp_path / "v.tif", volume_of(3), description=provenance("the command"))
    _, _, metadata, _ = imagej(tmp_path / "v.tif")
    lines = metadata["Info"].splitlines()
    assert "command: the command" in lines
    assert "axis 2: [20.0, 35.0, 6]" in lines
    assert "color space: rgb" in lines
    assert "mass inside: 0.875" in lines


@pytest.mark.parametrize(("n_channels", "shape"), [(1, (1, 6)), (2, (5, 6))])
def test_one_and_two_channels_are_a_picture(
    tmp_path: Path, n_channels: int, shape: tuple[int, int]
) -> None:
    volume = volume_of(n_channels)
    save_volume(tmp_path / "v.tif", volume)
    values, _, _, (per_x, _) = imagej(tmp_path / "v.tif")
    np.testing.assert_array_equal(values, volume.values.reshape(shape))
    assert per_x == pytest.approx(1 / n_channels)


def test_png_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has the suffix '\.png'; use \.tif, \.tiff, \.npy, "):
        save_volume(tmp_path / "v.png", volume_of(3))


def test_volumes_write_and_read_themselves(tmp_path: Path) -> None:
    volume = volume_of(2)
    for name in ("v.npz", "v.npy"):
        volume.save(tmp_path / name, description={"software": "a test"})
    read = DensityVolume.load(tmp_path / "v.npz")
    np.testing.assert_array_equal(read.values, volume.values)
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), volume.values)
    assert repr(read) == repr(volume)


def test_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"volume '.*v\.npz' does not exist"):
        load_volume(tmp_path / "v.npz")


def test_other_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.save(tmp_path / "array.npz.npy", np.zeros(3))
    (tmp_path / "array.npz.npy").rename(tmp_path / "array.npz")
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").touch()
    save_volume(tmp_path / "half.npz", volume_of(3))
    (tmp_path / "half.npz").write_bytes((tmp_path / "half.npz").read_bytes()[:800])
    for name in ("other", "array", "text", "empty", "half"):
        with pytest.raises(ValueError, match=f"{name}.npz' is not a density volume; give an .npz"):
            load_volume(tmp_path / f"{name}.npz")
