"""What napari reaches through the manifest."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image

from napari_colorkde import _npe2 as contributions
from napari_colorkde.app.layers.mask_layer import MaskLayer
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.io.export_formats import EXPORT_FORMATS
from napari_colorkde.napari_version import MINIMUM, check_napari

CHECKOUT = Path(__file__).resolve().parents[1]
RNG = np.random.default_rng(0)
RGB = RNG.integers(40, 90, (40, 50, 3)).astype(np.uint8)
LARGE = RNG.integers(40, 60, (2100, 300, 3)).astype(np.uint8)


@pytest.fixture
def npe2(npe2pm: Any) -> Any:
    """A plugin manager that knows this plugin only."""
    from npe2 import PluginManifest

    npe2pm.register(PluginManifest.from_distribution("napari-colorkde"))
    return npe2pm


def overlay_of(image: Any, **options: Any) -> Iterator[Image]:
    viewer, session = ViewerModel(), Session()
    session.set(bandwidth=6, log=False)
    overlay = Overlay(viewer, session)
    overlay.attach(viewer.add_image(image, name="photo", **options))
    assert overlay.layer is not None
    yield overlay.layer
    overlay.close()
    session.close()


@pytest.fixture
def small() -> Iterator[Image]:
    yield from overlay_of(RGB, rgb=True)


@pytest.fixture
def large() -> Iterator[Image]:
    yield from overlay_of(LARGE, rgb=True)


def test_the_manifest_names_what_exists(npe2: Any) -> None:
    manifest = npe2.get_manifest("napari-colorkde")
    for command in manifest.contributions.commands:
        assert callable(npe2.commands.get(command.id))


def test_the_widget_is_made_only_when_it_is_asked_for() -> None:
    import subprocess
    import sys

    code = (
        "import sys, napari_colorkde._npe2\nprint({'torch', 'qtpy', 'napari'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_old_napari_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_colorkde.napari_version.version", lambda name: "0.9.1rc2")
    with pytest.raises(ImportError, match=r"napari 0\.9\.1rc2 is too old.*\[napari\]"):
        _ = contributions.make_dock_widget


@pytest.mark.parametrize("version", ["0.9.2", "0.9.2rc1", "0.10", "1.0.0.dev3+g12"])
def test_newer_naparis_are_taken(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr("napari_colorkde.napari_version.version", lambda name: version)
    check_napari()


def test_the_version_of_napari_that_is_asked_for_is_that_of_the_extra() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert f"napari>={MINIMUM}" in project["optional-dependencies"]["napari"]


def test_the_manifest_lists_formats_of_the_table(npe2: Any) -> None:
    (writer,) = npe2.get_manifest("napari-colorkde").contributions.writers
    # Without .npz: what napari saves of an image layer is one array. Of .ome.tif it asks for .tif.
    expected = [
        f.suffixes[0]
        for f in EXPORT_FORMATS
        if f.write_density and not f.is_folder and f.suffixes[0] not in (".npz", ".ome.tif")
    ]
    assert writer.filename_extensions == expected


def test_files_that_napari_does_not_read_are_read_as_by_the_library(
    npe2: Any, tmp_path: Path
) -> None:
    image = np.random.default_rng(1).integers(0, 65536, (6, 7, 3)).astype(np.uint16)
    path = tmp_path / "deep.jxl"
    path.write_bytes(imagecodecs.jpegxl_encode(image, lossless=True))
    viewer = ViewerModel()
    (layer,) = viewer.open(str(path), plugin="napari-colorkde")
    assert layer.rgb
    assert layer.name == "deep"
    np.testing.assert_array_equal(layer.data, image)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'sample_moon'"):
        contributions.sample_moon  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("key", ["astronaut", "coffee", "retina"])
def test_samples_open_as_color_images(npe2: Any, key: str) -> None:
    viewer = ViewerModel()
    (layer,) = viewer.open_sample("napari-colorkde", key)
    assert layer.name == key
    assert layer.rgb


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
@pytest.mark.parametrize("kind", ["small", "large"])
def test_save_selected_layers_writes_the_density_at_full_resolution(
    npe2: Any, tmp_path: Path, request: pytest.FixtureRequest, kind: str, suffix: str
) -> None:
    layer = request.getfixturevalue(kind)
    path = tmp_path / f"density{suffix}"
    assert layer.save(str(path), plugin="napari-colorkde") == [str(path)]
    written = tifffile.imread(path) if suffix == ".tif" else np.load(path)
    image = RGB if kind == "small" else LARGE
    np.testing.assert_allclose(written, ColorKDE(image, 6).density(image), rtol=1e-5)


def test_a_picture_looks_as_the_layer_does(npe2: Any, small: Image, tmp_path: Path) -> None:
    small.colormap = "gray"
    low, high = 0.0, float(small.data.max()) / 2
    small.contrast_limits = (low, high)
    small.save(str(tmp_path / "density.png"), plugin="napari-colorkde")
    picture = iio.imread(tmp_path / "density.png")[..., 0].astype(float)
    np.testing.assert_allclose(picture, 255 * np.clip(small.data / high, 0, 1), atol=1.5)


def test_a_saved_density_says_how_to_get_it_again(npe2: Any, small: Image, tmp_path: Path) -> None:
    small.save(str(tmp_path / "density.tif"), plugin="napari-colorkde")
    with tifffile.TiffFile(tmp_path / "density.tif") as file:
        assert file.imagej_metadata is not None
        info = file.imagej_metadata["Info"]
    assert "bandwidth: [6.0, 6.0, 6.0]" in info
    assert "image: photo" in info


def test_along_the_channels_of_a_stack_the_density_is_written_once(
    npe2: Any, tmp_path: Path
) -> None:
    planes = np.moveaxis(RGB, -1, 0)
    for layer in overlay_of(planes, rgb=False):
        assert layer.ndim == 3
        layer.save(str(tmp_path / "density.npy"), plugin="napari-colorkde")
    written = np.load(tmp_path / "density.npy")
    np.testing.assert_allclose(written, ColorKDE(RGB, 6).density(RGB), rtol=1e-5)


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".png"])
@pytest.mark.parametrize("data", [RGB, RGB[..., 0]])
def test_other_images_are_saved_as_they_are(
    npe2: Any, tmp_path: Path, data: np.ndarray, suffix: str
) -> None:
    # npe2 may ask this writer for any image layer.
    path = tmp_path / f"image{suffix}"
    Image(data, rgb=data.ndim == 3).save(str(path), plugin="napari-colorkde")
    written = np.load(path) if suffix == ".npy" else iio.imread(path)
    np.testing.assert_array_equal(written, data)


@pytest.mark.parametrize("outlined", [False, True])
def test_a_live_mask_is_saved_as_its_marked_pixels(
    outlined: bool, npe2: Any, tmp_path: Path
) -> None:
    viewer, session = ViewerModel(), Session()
    overlay = Overlay(viewer, session)
    overlay.attach(viewer.add_image(RGB, rgb=True, name="photo"))
    session.wait()
    mask = MaskLayer(viewer, overlay, "mask")
    chosen = session.palette.colors[:, 0] > 60  # type: ignore[union-attr]
    mask.show(chosen, outlined=outlined)
    viewer.layers["photo mask"].save(str(tmp_path / "mask.tif"), plugin="napari-colorkde")
    wanted = (RGB[..., 0] > 60).astype(np.uint8)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mask.tif"), wanted)
    mask.close()
    overlay.close()
    session.close()


def test_a_mask_is_no_density_and_saved_as_it_is(npe2: Any, tmp_path: Path) -> None:
    mask = (RGB[..., 0] > 60).astype(np.uint8)
    layer = Image(mask, rgb=False, metadata={METADATA_KEY: {"image": "photo", "mask": True}})
    layer.save(str(tmp_path / "mask.tif"), plugin="napari-colorkde")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mask.tif"), mask)
