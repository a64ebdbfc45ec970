"""What napari knows of the plugin: ids, the device setting, layers, and how they are saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image

from napari_colorkde import ColorKDE
from tests.compat import doors
from tests.compat.conftest import RECORDED, Widget

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

KEY = "napari-colorkde"
MANIFEST = json.loads((RECORDED / "manifest.json").read_text())
METADATA = json.loads((RECORDED / "layer_metadata.json").read_text())
SHOWN = np.load(RECORDED / "shown.npz")


# The manifest


def test_commands_keep_their_ids(npe2: Any) -> None:
    manifest = npe2.get_manifest(MANIFEST["name"])
    ids = [command.id for command in manifest.contributions.commands]
    assert set(MANIFEST["commands"]) <= set(ids)
    assert all(callable(npe2.commands.get(command)) for command in MANIFEST["commands"])


@pytest.mark.parametrize("kind", ["widgets", "writers", "sample_data"])
def test_contributions_are_still_made(npe2: Any, kind: str) -> None:
    # What napari shows of them in menus is not fixed, but for the widget's name: scripts use it.
    made = getattr(npe2.get_manifest(MANIFEST["name"]).contributions, kind)
    now = {(item.command, getattr(item, "key", "")): item for item in made}
    for before in MANIFEST[kind]:
        item = now[before["command"], before.get("key", "")]
        if kind == "widgets":
            assert item.display_name == before["display_name"] == "Color KDE"
        if kind == "writers":
            assert set(before["filename_extensions"]) <= set(item.filename_extensions)
            assert set(before["layer_types"]) <= set(item.layer_types)


def test_the_widget_is_in_the_same_menu(npe2: Any) -> None:
    menus = npe2.get_manifest(MANIFEST["name"]).contributions.menus
    for menu, items in MANIFEST["menus"].items():
        commands = {item.command for item in menus[menu]}
        assert {item["command"] for item in items} <= commands


def test_the_device_setting_keeps_its_name_its_values_and_its_default(npe2: Any) -> None:
    configurations = npe2.get_manifest(MANIFEST["name"]).contributions.configurations
    device = configurations["compute"].properties["device"]
    before = MANIFEST["configurations"]["compute"]["properties"]["device"]
    assert set(before["enum"]) <= set(device.enum)
    assert (device.default, device.type) == ("auto", "string")


@pytest.mark.parametrize("sample", MANIFEST["sample_data"], ids=lambda sample: sample["key"])
def test_samples_open(npe2: Any, sample: dict[str, str]) -> None:
    (layer,) = ViewerModel().open_sample(MANIFEST["name"], sample["key"])
    assert (layer.name, layer.rgb) == (sample["key"], True)


# Layers of the window


@pytest.mark.window
def test_a_density_is_named_after_its_image(make_widget: Widget, photo: Any) -> None:
    _, viewer = make_widget(photo)
    assert [layer.name for layer in viewer.layers] == ["photo", "photo density"]
    viewer.layers[0].name = "portrait"
    assert viewer.layers[1].name == "portrait density"


@pytest.mark.window
@pytest.mark.parametrize("state", ["kde_sigmas", "kde_planes"])
def test_layers_carry_what_they_carried(make_widget: Widget, folder: Path, state: str) -> None:
    before = METADATA[state][KEY]
    image = np.load(f"{before['image']}.npy")
    widget, viewer = make_widget(image, rgb=image.shape[-1] == 3, name=before["image"])
    widget.session.set(bandwidth=tuple(before["origin"]["bandwidth"]), log=before["log"])
    widget.session.wait()
    now = viewer.layers[f"{before['image']} density"].metadata[KEY]
    assert before.keys() <= now.keys()
    origin, was = dict(now["origin"]), dict(before["origin"])
    del origin["software"], was["software"]
    assert origin == origin | was
    assert {name: now[name] for name in before if name != "origin"} == {
        name: before[name] for name in before if name != "origin"
    }


@pytest.mark.window
def test_old_densities_are_no_images_to_look_at(make_widget: Widget, photo: Any) -> None:
    def old() -> list[Image]:
        return [
            Image(photo[..., 0], name=state, metadata=METADATA[state])
            for state in ("kde", "classes", "mask")
        ]

    widget, _ = make_widget(*old())
    assert widget.session.source is None
    # Nor do they serve as channels of a gray image.
    widget, _ = make_widget(*old(), photo[..., 1], rgb=False)
    assert widget.session.source.name == "photo"
    assert [len(channels) for channels in widget.session.source.choices] == [1]


# Saved by the writer


def saved(state: str, values: Any, path: Path, **options: Any) -> None:
    layer = Image(values, rgb=False, metadata=METADATA[state], **options)
    assert layer.save(str(path), plugin=MANIFEST["name"]) == [str(path)]


@pytest.mark.parametrize("state", ["kde", "kde_sigmas", "kde_lab", "kernels", "posterior", "ratio"])
def test_an_old_density_is_saved_with_its_origin(npe2: Any, tmp_path: Path, state: str) -> None:
    saved(state, SHOWN[state], tmp_path / "density.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "density.tif"), SHOWN[state])
    with tifffile.TiffFile(tmp_path / "density.tif") as file:
        assert file.imagej_metadata is not None
        info = file.imagej_metadata["Info"]
    lines = dict(line.split(": ", 1) for line in info.splitlines())
    origin = METADATA[state][KEY]["origin"]
    assert origin.keys() <= lines.keys()
    assert lines["image"] == "photo"
    assert lines["software"] == "napari-colorkde 0.1.0"
    if state == "kde_sigmas":
        assert (lines["bandwidth"], lines["space"]) == ("[2.5, 3.0, 4.0]", "rgb")
        assert lines["values"] == "density"


def test_an_old_picture_looks_as_its_layer_does(npe2: Any, tmp_path: Path) -> None:
    low, high = -20.0, -8.0
    saved("kde", SHOWN["kde"], tmp_path / "d.png", colormap="gray", contrast_limits=(low, high))
    picture = iio.imread(tmp_path / "d.png")[..., 0].astype(float)
    expected = 255 * np.clip((SHOWN["kde"] - low) / (high - low), 0, 1)
    np.testing.assert_allclose(picture, expected, atol=1.5)


def test_old_values_along_channels_are_saved_once(npe2: Any, tmp_path: Path) -> None:
    repeated = np.broadcast_to(SHOWN["kde_planes"], (3, 16, 20))
    saved("kde_planes", repeated, tmp_path / "density.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "density.npy"), SHOWN["kde_planes"])


def test_old_classes_are_saved_as_whole_numbers_with_names(npe2: Any, tmp_path: Path) -> None:
    saved("classes", SHOWN["classes"], tmp_path / "classes.tif")
    written = tifffile.imread(tmp_path / "classes.tif")
    assert written.dtype.kind == "u"
    np.testing.assert_array_equal(written, SHOWN["classes"])
    with tifffile.TiffFile(tmp_path / "classes.tif") as file:
        description = file.pages[0].description  # type: ignore[union-attr]
    names = '{"0": "none", "1": "warm tones", "2": "cool", "3": "earth"}'
    assert f"classes: {names}" in description


def test_an_old_mask_is_saved_as_it_is(npe2: Any, tmp_path: Path, photo: Any) -> None:
    mask = (photo[..., 0] > 150).astype(np.uint8)
    saved("mask", mask, tmp_path / "mask.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mask.tif"), mask)


# In a real window


@pytest.mark.window
def test_a_docked_widget_computes_in_its_window(
    viewer: Viewer, npe2: Any, sessions: Path, photo: Any, qtbot: Any
) -> None:
    viewer.add_image(photo, name="photo", rgb=True)
    widget = npe2.commands.get("napari-colorkde.make_dock_widget")(viewer)
    dock = viewer.window.add_dock_widget(widget, name="Color KDE", area="right")
    qtbot.waitUntil(lambda: len(viewer.window.dock_widgets) == 2)
    widget.session.set(bandwidth=6, log=False)
    widget.session.look = doors.changed(widget.session.look, mode="maximum", walls=True)
    widget.session.wait()
    shown = np.asarray(viewer.layers["photo density"].data)
    np.testing.assert_allclose(shown, ColorKDE(photo, 6).density(photo), rtol=1e-5)
    with qtbot.waitSignal(dock.destroyed):
        dock.destroyOnClose()
