from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import imageio.v3 as iio
import numpy as np
import pytest

from napari_colorkde import ColorKDE
from napari_colorkde.app.image.file_as_layer import open_image_file
from napari_colorkde.app.image.pixels import pyramid_strides
from napari_colorkde.ui.image import image_chooser
from tests.slides import PIXEL_SIZE, pyramid, slide_pixels, write_ome_zarr, write_svs
from tests.ui.conftest import RGB, RNG, Dock

if TYPE_CHECKING:
    from napari import Viewer

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]


def test_channels_that_come_after_the_dock_are_offered_together(viewer: Viewer, dock: Dock) -> None:
    widget = dock()
    planes = RNG.integers(0, 200, (3, 30, 40)).astype(np.uint8)
    viewer.add_image(planes, channel_axis=0, name=["DAPI", "GFP", "RFP"])
    widget.session.wait()
    offered = [choice.label for choice in widget.chooser.channels.choices]
    assert "DAPI, GFP, RFP" in offered
    widget.chooser.channels.value = widget.chooser.channels.choices[offered.index("DAPI, GFP, RFP")]
    viewer.layers["GFP"].name = "actin"
    assert widget.chooser.channels.native.currentText() == "DAPI, actin, RFP"
    widget.session.wait()
    assert widget.session.palette is not None
    assert widget.session.palette.n_channels == 3


def test_pixels_are_counted_again_when_they_were_changed_or_one_asks(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB.copy())
    layer, button = viewer.layers["photo"], widget.chooser.recount_button
    layer.data[:] = 7
    layer.refresh()
    widget.session.wait()
    assert widget.session.palette is not None
    assert len(widget.session.palette) == 1
    assert "were changed" in widget.status.problem.text()
    layer.data[:5] = 9
    button.native.click()
    widget.session.wait()
    assert len(widget.session.palette) == 2


def test_when_an_image_is_deleted_another_one_is_shown(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    other = viewer.add_image(RGB[:, ::-1], rgb=True, name="other")
    widget.chooser.image.value = other
    widget.session.wait()
    viewer.layers.selection = {other, viewer.layers["other density"]}
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: widget.overlay.image is viewer.layers["photo"])
    assert widget.chooser.image.native.currentText() == "photo"
    widget.session.wait()
    viewer.layers.selection = {viewer.layers["photo"]}
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: len(viewer.layers) == 0)
    assert widget.session.source is None


def test_a_cloud_that_is_cut_open_becomes_a_plane_of_two_channels(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    widget = dock(RGB)
    widget.session.set_view(cut=1)
    qtbot.wait(50)
    for names in (("red", "green"), ("red", "green", "blue"), ("green",)):
        choices = widget.chooser.channels.choices
        widget.chooser.channels.value = next(c for c in choices if c.names == names)
        widget.session.wait()
        qtbot.wait(50)
        assert widget.session.palette is not None
        assert widget.session.palette.n_channels == len(names)


def test_two_docks_on_one_image_do_not_meddle_with_each_other(
    viewer: Viewer, dock: Dock, qtbot: Any
) -> None:
    docks = [dock(RGB), dock()]
    for widget in docks:
        widget.session.set_classification(show_mask=True)
        widget.session.wait()
    first, second = (widget.overlay.layer for widget in docks)
    assert first is not None
    assert second is not None
    assert first is not second
    limits = list(second.contrast_limits)
    docks[0].session.bandwidth = 30
    docks[0].session.wait()
    assert list(second.contrast_limits) == limits
    viewer.layers.selection = {viewer.layers["photo"]}
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: len(viewer.layers) == 0)
    assert [widget.session.source for widget in docks] == [None, None]


def test_frames_are_looked_at_one_by_one(viewer: Viewer, dock: Dock) -> None:
    movie = RNG.integers(0, 200, (3, 30, 40, 3)).astype(np.uint8)
    widget = dock(RGB, name="still")
    frames = widget.chooser.frames
    assert not frames.native.isVisible()
    widget.chooser.look_at(viewer.add_image(movie, rgb=True, name="movie"))
    widget.session.wait()
    assert frames.native.isVisible()
    assert widget.session.palette.n_pixels == 3 * 30 * 40
    frames.value = "each"
    viewer.dims.set_current_step(0, 1)
    widget.session.wait()
    assert widget.session.palette.n_pixels == 30 * 40
    assert np.isfinite(np.asarray(widget.overlay.layer.data[1])).all()
    assert np.isnan(np.asarray(widget.overlay.layer.data[0])).all()


def test_slides_open_with_their_pyramids_and_have_a_live_overlay(
    viewer: Viewer, dock: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramid_strides, "PLAIN_PIXELS", 300)
    monkeypatch.setattr(pyramid_strides, "COARSEST_PIXELS", 200)
    widget = dock()
    levels = pyramid(slide_pixels())
    write_ome_zarr(tmp_path / "a.zarr", levels)
    for path in (write_svs(tmp_path / "b.svs", levels), tmp_path / "a.zarr" / "zarr.json"):
        widget.chooser.open_image(path)
        widget.session.wait()
        layer, density = widget.overlay.image, widget.overlay.layer
        assert layer is not None
        assert density is not None
        assert layer.name == path.stem.replace("zarr", "a")
        assert layer.rgb
        assert [level.shape for level in layer.data] == [level.shape for level in levels]
        assert all(isinstance(level, da.Array) for level in layer.data)
        for each in (layer, density):
            assert each.scale == pytest.approx([PIXEL_SIZE] * 2)
            assert [str(unit) for unit in each.units] == ["micrometer"] * 2
        wanted = ColorKDE(levels[0]).density(levels[0], log=True)
        np.testing.assert_allclose(density.data[0], wanted, rtol=1e-5)
        widget.session.bandwidth = 9
        widget.session.wait()
        wanted = ColorKDE(levels[0], bandwidth=9).density(levels[0], log=True)
        np.testing.assert_allclose(density.data[0], wanted, rtol=1e-5)
        widget.session.bandwidth = None


def test_files_are_read_beside_the_window_one_after_the_other(
    viewer: Viewer, dock: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = dock()
    said: list[str] = []
    widget.chooser.failed.connect(said.append)
    threads: list[int] = []

    def read(path: Path, **options: Any) -> Any:
        threads.append(threading.get_ident())
        return open_image_file(path, **options)

    monkeypatch.setattr(image_chooser, "open_image_file", read)
    for name in ("first", "second"):
        iio.imwrite(tmp_path / f"{name}.png", RGB)
    for name in ("first.png", "missing.png", "second.png"):
        widget.chooser.open_image(tmp_path / name)
    assert list(viewer.layers) == []
    widget.session.wait()
    assert {"first", "second"} < {layer.name for layer in viewer.layers}
    assert widget.overlay.image.name == "second"
    assert len(said) == 1
    assert "missing.png" in said[0]
    widget.chooser.open_in_srgb(tmp_path / "first.png")
    widget.session.wait()
    assert widget.overlay.image.name == "first sRGB"
    assert len(threads) == 4
    assert threading.get_ident() not in threads
