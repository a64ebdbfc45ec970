from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.components import ViewerModel
from napari.layers import Image
from napari.utils._proxies import PublicOnlyProxy

from napari_colorkde.app.density import computation
from napari_colorkde.app.image import counting_steps
from napari_colorkde.app.layers.layer_watch import image_layers
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.app.layers.overlay import Overlay
from napari_colorkde.app.session import Session
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from tests.app.stepping import SteppingExecutor

RNG = np.random.default_rng(0)
RGB = RNG.integers(40, 80, (20, 30, 3)).astype(np.uint8)
LARGE = RNG.integers(40, 60, (2100, 2400, 3)).astype(np.uint8)
THERE: dict[str, Any] = {
    "scale": (2.0, 3.0),
    "translate": (5.0, 7.0),
    "rotate": 30.0,
    "shear": [0.2],
    "affine": [[1, 0.1, 4], [0, 1.5, 2], [0, 0, 1]],
    "units": ("um", "um"),
    "axis_labels": ("row", "column"),
}


class Setting:
    """A viewer without a window, a session that computes at once, and the overlay between."""

    def __init__(self) -> None:
        self.viewer = ViewerModel()
        self.session = Session()
        self.session.log = False
        self.overlay = Overlay(self.viewer, self.session)

    def show(self, data: Any = RGB, **options: Any) -> Image:
        # napari takes colors of very small images for planes, unless it is told.
        finest = data[0] if isinstance(data, list) else data
        options.setdefault("rgb", finest.shape[-1] in (3, 4))
        image = self.viewer.add_image(data, **{"name": "photo", **options})
        self.overlay.attach(image)
        self.session.wait()
        return image

    @property
    def layer(self) -> Image:
        assert self.overlay.layer is not None
        return self.overlay.layer

    @property
    def names(self) -> list[str]:
        return [layer.name for layer in self.viewer.layers]


@pytest.fixture
def setting() -> Iterator[Setting]:
    setting = Setting()
    yield setting
    setting.overlay.close()
    setting.session.close()


def density_at(image: np.ndarray, **options: Any) -> np.ndarray:
    return ColorKDE(image).density(image, **options)


def test_the_density_of_every_pixel_is_a_layer_above_the_image(setting: Setting) -> None:
    setting.viewer.add_image(RGB, name="above", rgb=True)
    setting.viewer.layers.move(0, 1)
    setting.show()
    assert setting.names == ["above", "photo", "photo density"]
    np.testing.assert_array_equal(setting.layer.data, density_at(RGB))
    assert setting.layer.colormap.name == "magma"
    assert setting.layer.contrast_limits[0] == 0


def test_it_lies_where_the_image_lies(setting: Setting) -> None:
    image = setting.show(**THERE)
    for corner in ([0, 0], [19, 0], [0, 29], [19, 29]):
        np.testing.assert_allclose(setting.layer.data_to_world(corner), image.data_to_world(corner))
    assert setting.layer.units == image.units
    assert setting.layer.axis_labels == ("row", "column")


def test_it_follows_when_the_image_is_moved_and_renamed(setting: Setting) -> None:
    image = setting.show()
    for name, value in THERE.items():
        setattr(image, name, value)
    image.name = "painting"
    np.testing.assert_allclose(setting.layer.data_to_world([3, 4]), image.data_to_world([3, 4]))
    assert setting.layer.units == image.units
    assert setting.layer.name == "painting density"


def test_a_name_that_the_user_gave_it_stays(setting: Setting) -> None:
    image = setting.show()
    setting.layer.name = "mine"
    image.name = "painting"
    assert setting.layer.name == "mine"


def test_new_densities_are_written_in_place(setting: Setting) -> None:
    setting.show()
    layer, data = setting.layer, setting.layer.data
    setting.session.bandwidth = 9
    assert setting.layer is layer
    assert layer.data is data
    np.testing.assert_array_equal(data, ColorKDE(RGB, 9).density(RGB))


def test_edited_kernels_are_seen_on_the_screen_first(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computation, "MANY_COLORS", 10)
    setting.show(LARGE)
    seen: list[tuple[bool, np.ndarray]] = []
    setting.session.densities_changed.connect(
        lambda d: seen.append((d.is_exact, np.array(setting.layer.data[-1])))
    )
    setting.session.kernels = KernelSet([Kernel([50, 50, 50], [90.0] * 3, 1.0)])
    setting.session.edit(KernelSet([Kernel([45, 52, 50], [90.0] * 3, 1.0)]))
    assert [is_exact for is_exact, _ in seen] == [False, True, False, True]
    for (_, preview), (_, exact) in zip(seen[::2], seen[1::2], strict=True):
        np.testing.assert_allclose(preview, exact, rtol=1e-5)
    assert not np.allclose(seen[1][1], seen[3][1])


def test_a_large_image_has_levels_that_all_show_new_densities(setting: Setting) -> None:
    setting.show(LARGE)
    setting.session.bandwidth = 9
    wanted = ColorKDE(LARGE, 9).density(LARGE[:40, :40])
    assert setting.layer.multiscale
    np.testing.assert_allclose(np.asarray(setting.layer.data[0][:40, :40]), wanted, rtol=1e-5)
    coarsest = setting.layer.data[-1]
    np.testing.assert_allclose(coarsest[:20, :20], wanted[::2, ::2], rtol=1e-5)


def test_what_napari_shows_of_a_large_image_is_the_new_density(setting: Setting) -> None:
    setting.show(LARGE)
    thumbnail = setting.layer.thumbnail.copy()
    setting.session.log = True
    setting.session.kernels = KernelSet([Kernel([40, 40, 40], [9, 9, 9], 1.0)])
    position = (2.0, 4.0)
    level, value = setting.layer.get_value(position, world=True)
    stride = 2100 / setting.layer.data[level].shape[0]
    at = int(2 // stride * stride), int(4 // stride * stride)
    wanted = np.asarray(setting.layer.data[0][at[0] : at[0] + 1, at[1] : at[1] + 1])[0, 0]
    assert value == wanted
    assert not np.array_equal(setting.layer.thumbnail, thumbnail)


def test_contrast_limits_follow_the_densities(setting: Setting) -> None:
    setting.show()
    for bandwidth in (2, 20):
        setting.session.bandwidth = bandwidth
        assert setting.session.densities is not None
        assert tuple(setting.layer.contrast_limits) == setting.session.densities.limits
        assert tuple(setting.layer.contrast_limits_range) == setting.session.densities.limits


def test_contrast_limits_that_the_user_changed_follow_in_proportion(setting: Setting) -> None:
    setting.show()
    high = setting.layer.contrast_limits[1]
    setting.layer.contrast_limits = (0.1 * high, 0.5 * high)
    setting.session.bandwidth = 20
    assert setting.session.densities is not None
    top = setting.session.densities.limits[1]
    np.testing.assert_allclose(setting.layer.contrast_limits, (0.1 * top, 0.5 * top))
    setting.session.log = True  # another quantity: nothing to keep
    np.testing.assert_allclose(setting.layer.contrast_limits, setting.session.densities.limits)


def test_the_colormap_goes_both_ways(setting: Setting) -> None:
    setting.show()
    setting.session.colormap = "viridis"
    assert setting.layer.colormap.name == "viridis"
    setting.layer.colormap = "inferno"
    assert setting.session.colormap == "inferno"


def test_a_deleted_overlay_comes_back_with_the_next_edit(setting: Setting) -> None:
    setting.show()
    setting.viewer.layers.remove(setting.layer)
    assert setting.overlay.layer is None
    setting.session.bandwidth = 9
    assert setting.names == ["photo", "photo density"]
    np.testing.assert_array_equal(setting.layer.data, ColorKDE(RGB, 9).density(RGB))


def test_when_the_image_is_deleted_its_density_goes_and_nothing_is_looked_at(
    setting: Setting,
) -> None:
    image = setting.show()
    setting.viewer.layers.selection = {image}
    setting.viewer.layers.remove_selected()
    assert setting.names == []
    assert setting.session.source is None
    assert setting.overlay.image is None
    setting.session.bandwidth = 9
    assert setting.names == []


def test_each_image_has_one_overlay_and_keeps_it(setting: Setting) -> None:
    first = setting.show(RGB, name="first")
    overlay = setting.layer
    setting.show(RGB[::-1], name="second")
    setting.overlay.attach(first)
    assert setting.layer is overlay
    assert sorted(setting.names) == ["first", "first density", "second", "second density"]
    setting.session.bandwidth = 9
    np.testing.assert_array_equal(overlay.data, ColorKDE(RGB, 9).density(RGB))


def test_other_pixels_are_counted(setting: Setting) -> None:
    image = setting.show()
    other = RNG.integers(0, 256, (25, 35, 3)).astype(np.uint8)
    image.data = other
    np.testing.assert_allclose(setting.layer.data, density_at(other), rtol=1e-6)


def test_pixels_of_another_size_may_need_levels(setting: Setting) -> None:
    image = setting.show()
    image.data = LARGE
    assert setting.layer.multiscale
    assert setting.names == ["photo", "photo density"]


def test_transparent_pixels_are_left_out(setting: Setting) -> None:
    rgba = np.dstack([RGB, np.full((20, 30), 255, np.uint8)])
    rgba[3, 4, 3] = 0
    setting.show(rgba)
    assert np.isnan(setting.layer.data[3, 4])
    assert np.isnan(setting.layer.data).sum() == 1


@pytest.mark.parametrize("wrap", [da.from_array, zarr.array])
def test_lazy_arrays_are_shown(setting: Setting, wrap: Any) -> None:
    setting.show(wrap(RGB), rgb=True)
    np.testing.assert_array_equal(setting.layer.data, density_at(RGB))


def test_a_multiscale_image_is_shown_at_its_finest_level(setting: Setting) -> None:
    setting.show([RGB, RGB[::2, ::2]], multiscale=True, rgb=True)
    np.testing.assert_array_equal(setting.layer.data, density_at(RGB))


def test_the_colors_of_all_frames_of_a_stack_are_one_palette(setting: Setting) -> None:
    stack = RNG.integers(40, 60, (4, 20, 30, 3)).astype(np.uint8)
    setting.show(stack, rgb=True)
    assert setting.layer.data.shape == (4, 20, 30)
    np.testing.assert_array_equal(np.asarray(setting.layer.data), density_at(stack))


def test_the_channels_of_a_stack_share_one_overlay(setting: Setting) -> None:
    planes = RNG.integers(40, 60, (3, 20, 30)).astype(np.uint8)
    setting.show(planes, rgb=False)
    wanted = density_at(np.moveaxis(planes, 0, -1))
    for c in range(3):
        np.testing.assert_array_equal(np.asarray(setting.layer.data)[c], wanted)


def test_layers_together_make_colors(setting: Setting) -> None:
    other = setting.viewer.add_image(RGB[..., 1], name="other")
    setting.show(RGB[..., 0])
    source = setting.session.source
    assert source is not None
    setting.session.channels = next(c for c in source.choices if c.layers == (other.name,))
    np.testing.assert_allclose(setting.layer.data, density_at(RGB[..., :2]), rtol=1e-6)


def test_a_sample_is_marked_as_a_preview_until_all_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting_steps, "LARGE", 500)
    monkeypatch.setattr(counting_steps, "SAMPLE_PIXELS", 200)
    viewer, executor = ViewerModel(), SteppingExecutor()
    session = Session(executor)
    session.log = False
    overlay = Overlay(viewer, session)
    overlay.attach(viewer.add_image(RGB, name="photo", rgb=True))
    while overlay.layer is None:
        executor.step()
    assert overlay.layer.name == "photo density (preview)"
    assert np.isfinite(overlay.layer.data).all()
    session.wait()
    assert overlay.layer.name == "photo density"
    np.testing.assert_array_equal(overlay.layer.data, density_at(RGB))
    overlay.close()


def test_what_is_no_image_is_refused_and_nothing_is_looked_at(setting: Setting) -> None:
    setting.show()
    labels = setting.viewer.add_labels(np.ones((20, 30), int))
    with pytest.raises(TypeError, match="Labels layer"):
        setting.overlay.attach(labels)
    assert setting.session.source is None


def test_densities_are_not_offered_as_images(setting: Setting) -> None:
    image = setting.show()
    setting.viewer.add_labels(np.ones((20, 30), int))
    assert image_layers(setting.viewer) == [image]


def test_a_proxy_of_the_viewer_will_do(setting: Setting) -> None:
    viewer = PublicOnlyProxy(setting.viewer)
    overlay = Overlay(viewer, setting.session)
    overlay.attach(
        viewer.add_image([RGB, RGB[::2, ::2]], name="proxied", multiscale=True, rgb=True)
    )
    assert overlay.layer is not None
    np.testing.assert_array_equal(overlay.layer.data, density_at(RGB))
    overlay.close()


def test_the_layer_says_how_to_get_it_again(setting: Setting) -> None:
    setting.show()
    setting.session.set(bandwidth=9, log=True)
    mark = setting.layer.metadata[METADATA_KEY]
    assert mark["log"] is True
    assert mark["origin"]["bandwidth"] == [9.0, 9.0, 9.0]
    assert mark["origin"]["image"] == "photo"


def test_closing_leaves_no_callback_behind(setting: Setting) -> None:
    image = setting.viewer.add_image(RGB, rgb=True)
    events = [*image.events.emitters.values(), *setting.viewer.layers.events.emitters.values()]
    before = [len(event.callbacks) for event in events]
    overlay = Overlay(setting.viewer, setting.session)
    overlay.attach(image)
    overlay.close()
    assert [len(event.callbacks) for event in events] == before
