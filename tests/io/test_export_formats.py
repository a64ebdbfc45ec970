"""What is written is read back by other people's programs."""

from __future__ import annotations

import json
from pathlib import Path

import nrrd
import numpy as np
import ome_types
import PyOpenColorIO
import pytest
import tifffile
import trimesh
import zarr
from ome_zarr_models.v05 import Image, ImageLabel, Labels

from napari_colorkde import color_kde
from napari_colorkde.cli import main
from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.io.class_maps import write_class_map
from napari_colorkde.io.densities import write_density
from napari_colorkde.io.formats.ome_zarr import writer as ome_zarr
from napari_colorkde.io.formats.tiff import ome as ome_tiff
from napari_colorkde.io.images import load_image, read_image
from napari_colorkde.io.provenance import PIXEL_SIZE, provenance
from napari_colorkde.io.volumes import save_volume

RANDOM = np.random.default_rng(21)
DENSITY = RANDOM.random((20, 31)).astype(np.float32)
DENSITY[3, 4] = np.nan
LABELS = RANDOM.integers(0, 3, (20, 31), dtype=np.uint8)
NAMES = ("tumor", "stroma")
RECORD = provenance("napari-colorkde density a.tif -o a.ome.tif") | {PIXEL_SIZE: [0.5, 0.25]}


@pytest.fixture(scope="module")
def volume() -> DensityVolume:
    image = RANDOM.normal((200, 120, 60), 20, (30, 30, 3)).clip(0, 255).astype(np.uint8)
    return color_kde(image, 17, bins=17, extent=(0, 255))


def test_ome_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    write_density(path, DENSITY, description=RECORD)
    np.testing.assert_array_equal(tifffile.imread(path), DENSITY)
    (image,) = ome_types.from_tiff(path).images
    pixels = image.pixels
    assert (pixels.size_y, pixels.size_x, pixels.type.value) == (20, 31, "float")
    assert (pixels.physical_size_y, pixels.physical_size_x) == (0.5, 0.25)
    assert "command: napari-colorkde density a.tif" in str(image.description)
    loaded = load_image(path)
    np.testing.assert_array_equal(loaded.pixels, DENSITY)
    assert loaded.pixel_size == (0.5, 0.25)
    first = path.read_bytes()
    write_density(path, DENSITY, description=RECORD)
    assert path.read_bytes() == first
    write_class_map(path, np.stack([LABELS, LABELS]), NAMES, description=RECORD)
    assert ome_types.from_tiff(path).images[0].pixels.size_z == 2
    np.testing.assert_array_equal(tifffile.imread(path)[1], LABELS)


def test_large_ome_tiff_is_a_pyramid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ome_tiff, "LARGE", 16)
    monkeypatch.setattr(ome_tiff, "TILE", 16)
    path = tmp_path / "a.ome.tif"
    write_density(path, DENSITY, description=RECORD)
    with tifffile.TiffFile(path) as tiff:
        levels = [level.asarray() for level in tiff.series[0].levels]
    assert [level.shape for level in levels] == [(20, 31), (10, 15)]
    np.testing.assert_array_equal(levels[0], DENSITY)
    means = DENSITY[:, :30].reshape(10, 2, 15, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(levels[1], means, rtol=1e-6)
    ome_types.from_tiff(path)
    write_class_map(path, LABELS, NAMES)
    np.testing.assert_array_equal(read_image(path, level=1), LABELS[::2, ::2])


def test_ome_zarr_of_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ome_zarr, "LARGE", 16)
    path = tmp_path / "a.zarr"
    write_class_map(path, LABELS, NAMES, description=RECORD)
    np.testing.assert_array_equal(read_image(path), LABELS)
    np.testing.assert_array_equal(read_image(path, level=1), LABELS[::2, ::2])
    assert load_image(path).pixel_size == (0.5, 0.25)
    with pytest.raises(ValueError, match="it has a single image with 2 levels; choose one by"):
        read_image(path, level=2)
    group = zarr.open_group(path, mode="r")
    (image,) = Image.from_zarr(group).attributes.ome.multiscales
    assert [axis.name for axis in image.axes] == ["y", "x"]
    assert [axis.unit for axis in image.axes] == ["micrometer", "micrometer"]
    scales = [dataset.coordinateTransformations[0].scale for dataset in image.datasets]
    assert scales == [[0.5, 0.25], [1.0, 0.5]]
    np.testing.assert_array_equal(np.asarray(group["0"]), LABELS)
    assert Labels.from_zarr(group["labels"]).attributes.ome.labels == ["classes"]
    labels = ImageLabel.from_zarr(group["labels/classes"]).attributes.ome
    np.testing.assert_array_equal(np.asarray(group["labels/classes/1"]), LABELS[::2, ::2])
    assert [color.label_value for color in labels.image_label.colors] == [1, 2]
    about = group["labels/classes"].attrs["ome"]["image-label"]["properties"]
    assert [entry["class"] for entry in about] == list(NAMES)


def test_ome_zarr_is_replaced_but_no_other_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_density(path, DENSITY)
    write_density(path, DENSITY[:5], description=RECORD)
    group = zarr.open_group(path, mode="r")
    np.testing.assert_array_equal(np.asarray(group["0"]), DENSITY[:5])
    assert json.loads(str(group.attrs["napari-colorkde"]))["command"] == RECORD["command"]
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "mine.zarr").mkdir()
    with pytest.raises(OSError, match="is a folder, but not an OME-Zarr; give another name"):
        write_density(tmp_path / "mine.zarr", DENSITY)


def test_volume_as_ome_zarr(tmp_path: Path, volume: DensityVolume) -> None:
    save_volume(tmp_path / "a.zarr", volume)
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    (image,) = Image.from_zarr(group).attributes.ome.multiscales
    scale, shift = image.datasets[0].coordinateTransformations
    np.testing.assert_allclose(scale.scale, volume.spacing)
    np.testing.assert_allclose(shift.translation, [axis[0] for axis in volume.axes])
    np.testing.assert_allclose(np.asarray(group["0"]), volume.values, rtol=1e-6)


def test_volume_as_nrrd(tmp_path: Path, volume: DensityVolume) -> None:
    save_volume(tmp_path / "a.nrrd", volume, description=RECORD)
    values, header = nrrd.read(str(tmp_path / "a.nrrd"), index_order="C")
    np.testing.assert_allclose(values, volume.values, rtol=1e-6)
    np.testing.assert_allclose(np.diag(header["space directions"]), volume.spacing[::-1])
    assert list(header["labels"]) == ["blue", "green", "red"]
    assert header["command"] == RECORD["command"]


def test_look_up_table(tmp_path: Path, volume: DensityVolume) -> None:
    save_volume(tmp_path / "a.cube", volume, description=RECORD)
    transform = PyOpenColorIO.FileTransform(str(tmp_path / "a.cube"))
    transform.setInterpolation(PyOpenColorIO.INTERP_LINEAR)
    config = PyOpenColorIO.Config.CreateRaw()
    processor = config.getProcessor(transform).getDefaultCPUProcessor()
    matte = volume.values / volume.values.max()
    for r, g, b in ((12, 8, 4), (13, 7, 4), (0, 16, 8)):
        found = processor.applyRGB([r / 16, g / 16, b / 16])
        np.testing.assert_allclose(found, [matte[r, g, b]] * 3, atol=2e-6)
    other = color_kde(np.repeat(LABELS[..., None], 3, axis=2), 5, bins=4, extent=(1, 9))
    with pytest.raises(ValueError, match="runs from black to white, but the volume's axes have"):
        save_volume(tmp_path / "a.cube", other)


def test_shell_of_a_volume(tmp_path: Path, volume: DensityVolume) -> None:
    save_volume(tmp_path / "a.ply", volume, description=RECORD)
    mesh = trimesh.load(tmp_path / "a.ply", process=True)
    assert mesh.is_watertight
    low, high = mesh.bounds
    center = np.array([200.0, 120, 60])
    assert (low < center).all()
    assert (center < high).all()
    # 90 % of a Gaussian of three axes lie within 2.5 standard deviations.
    radius = 2.5 * np.hypot(20, 17)
    np.testing.assert_allclose((high - low) / 2, radius, rtol=0.25)
    np.testing.assert_allclose(mesh.visual.vertex_colors[:, :3], mesh.vertices.clip(0, 255), atol=1)


def test_a_picture_has_a_bar_of_its_colors(tmp_path: Path) -> None:
    values = np.linspace(-10, 0, 200 * 100, dtype=np.float32).reshape(200, 100)
    path = tmp_path / "a.png"
    write_density(path, values, log=True, contrast_limits=(-10, 0), colormap="viridis")
    alone = read_image(path)
    options = {"contrast_limits": (-10.0, 0.0), "colormap": "viridis", "color_bar": True}
    write_density(path, values, log=True, **options)  # type: ignore[arg-type]
    whole = read_image(path)
    np.testing.assert_array_equal(whole[:, :100], alone)
    assert whole.shape[1] > 100 + 24
    bar = whole[8:192, 112, :3].astype(int)  # from the top: the colors of 0 to -10
    np.testing.assert_allclose(bar[0], alone[-1, -1, :3], atol=4)
    np.testing.assert_allclose(bar[-1], alone[0, 0, :3], atol=4)
    marks = np.flatnonzero(whole[:, 117, 0] < 100)  # of 0, -2, … -10
    np.testing.assert_allclose(marks, np.linspace(8, 191, 6), atol=1)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("show", ["density", "class"])
def test_the_place_on_earth_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, show: str
) -> None:
    monkeypatch.chdir(tmp_path)
    tags = [
        (33550, "d", 3, (0.5, 0.5, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, 500000.0, 4600000.0, 0.0), True),
        (34735, "H", 8, (1, 1, 0, 1, 3072, 0, 1, 32633), True),
        (34737, "s", 0, "WGS 84 / UTM zone 33N|", True),
    ]
    rgb = RANDOM.integers(0, 256, (9, 8, 3), dtype=np.uint8)
    tifffile.imwrite("map.tif", rgb, photometric="rgb", extratags=tags)
    words = ["density", "map.tif", "-o", f"out{suffix}"]
    if show == "class":
        table = "set,kernel,mean_r,mean_g,mean_b,var_r,var_g,var_b,weight\n"
        table += "a,1,60,60,60,900,900,900,1\nb,1,190,190,190,900,900,900,1\n"
        Path("k.csv").write_text(table)
        words += ["--show", "class", "--kernels", "k.csv"]
    assert main(words) == 0
    with tifffile.TiffFile(f"out{suffix}") as before, tifffile.TiffFile("map.tif") as after:
        assert before.geotiff_metadata == after.geotiff_metadata
        assert before.geotiff_metadata is not None


def test_kernels_as_ellipsoids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = "set,kernel,mean_r,mean_g,mean_b,var_r,var_g,var_b,weight\n"
    table += "a,1,60,100,60,100,400,900,1\na,2,190,180,20,25,25,25,1\n"
    Path("k.csv").write_text(table)
    assert main(["kernels", "k.csv", "-o", "k.ply"]) == 0
    mesh = trimesh.load("k.ply", process=True)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    first, second = sorted(mesh.split(), key=lambda part: part.bounds[0][0])
    np.testing.assert_allclose(first.bounds, [[40, 60, 0], [80, 140, 120]], rtol=0.01, atol=0.5)
    np.testing.assert_allclose(second.volume, 4 / 3 * np.pi * 10**3, rtol=0.03)
    np.testing.assert_array_equal(first.visual.vertex_colors[0, :3], [60, 100, 60])
