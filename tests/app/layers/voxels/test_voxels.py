"""A stack in true color: what each voxel's color and opacity are, and when the layer is there."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
from napari.layers import Image

from napari_colorkde._npe2 import write_density_layer
from napari_colorkde.app.density.script import python_script
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.layer_files import remember_file
from napari_colorkde.app.layers.voxels import voxel_image, voxel_layer
from napari_colorkde.app.layers.voxels.voxel_image import VoxelImage, thinned
from napari_colorkde.app.layers.voxels.voxel_layer import VoxelLayer
from napari_colorkde.app.layers.voxels.voxel_script import with_voxels
from napari_colorkde.app.session import Session
from napari_colorkde.app.session_file import state_from_json, state_to_json
from napari_colorkde.app.settings.voxel_settings import VoxelSettings
from napari_colorkde.app.state import State
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.reference import gaussian_log_density, mixture_log_density
from tests.app.layers import test_overlay
from tests.app.layers.test_overlay import RGB, Setting
from tests.app.stepping import SteppingExecutor

RNG = np.random.default_rng(11)
PURPLE, GREEN = [160, 40, 190], [40, 190, 60]
STACK = RNG.integers(10, 30, (12, 24, 24, 3)).astype(np.uint8)
STACK[2:7, 4:12, 4:12] = RNG.normal(PURPLE, 8, (5, 8, 8, 3)).clip(0, 255)
STACK[6:11, 14:22, 10:20] = RNG.normal(GREEN, 8, (5, 8, 10, 3)).clip(0, 255)
COVARIANCE = [90.0, 70.0, 80.0]
PURPLES = KernelSet([Kernel(PURPLE, COVARIANCE, 0.3)], "purple")
GREENS = KernelSet([Kernel(GREEN, COVARIANCE, 0.1)], "green")
BOTH = {"purple": PURPLES, "green": GREENS}


class Lit(Setting):
    """A stack whose kernels are purple, and its voxels in true color."""

    def __init__(self) -> None:
        super().__init__()
        self.session.log = True
        self.voxels = VoxelLayer(self.viewer, self.session, self.overlay)

    def light(self, data: Any = STACK, **options: Any) -> Image:
        image = self.show(data, **{"rgb": True, **options})
        self.session.kernels = PURPLES
        self.session.set_voxels(show=True)
        return image

    @property
    def rgba(self) -> np.ndarray:
        """What napari gives to the graphics card."""
        layer = self.voxels.layer
        assert layer is not None
        return np.asarray(layer._data_view)


@pytest.fixture
def lit() -> Iterator[Lit]:
    lit = Lit()
    lit.viewer.dims.ndisplay = 3
    yield lit
    lit.voxels.close()
    lit.overlay.close()
    lit.session.close()


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return 255 * np.clip((values - low) / (high - low), 0, 1)


def log_density(stack: np.ndarray, kernels: KernelSet) -> np.ndarray:
    points = stack.reshape(-1, stack.shape[-1]).astype(float)
    return mixture_log_density(points, kernels).reshape(stack.shape[:-1])


def log_peak(kernels: KernelSet) -> float:
    """Of the only kernel, in its middle."""
    kernel = kernels[0]
    mean = np.array([kernel.mean])
    value = gaussian_log_density(mean, kernel.mean, kernel.covariance)[0]
    return float(np.log(kernel.weight) + value)


def expected_opacity(stack: np.ndarray, kernels: KernelSet = PURPLES) -> np.ndarray:
    """Clear at 3 standard deviations from the mean, opaque at 1, evenly in the logarithm."""
    peak = log_peak(kernels)
    return ramp(log_density(stack, kernels), peak - 4.5, peak - 0.5)


@pytest.mark.parametrize("wrap", [np.asarray, da.from_array], ids=["array", "dask"])
def test_voxels_have_their_colors_and_the_opacity_of_their_density(lit: Lit, wrap: Any) -> None:
    lit.light(wrap(STACK))
    np.testing.assert_array_equal(lit.rgba[..., :3], STACK)
    np.testing.assert_allclose(lit.rgba[..., 3], expected_opacity(STACK), atol=0.51)
    lit.session.edit(GREENS)
    np.testing.assert_allclose(lit.rgba[..., 3], expected_opacity(STACK, GREENS), atol=0.51)
    lit.session.log = False
    ends = np.exp(log_peak(GREENS) - np.array([4.5, 0.5]))
    wanted = ramp(np.exp(log_density(STACK, GREENS)), *ends)
    np.testing.assert_allclose(lit.rgba[..., 3], wanted, atol=0.51)


def test_posterior_ratio_and_class(lit: Lit) -> None:
    lit.light()
    lit.session.set(kernel_sets=BOTH, kernel_set="purple")
    lit.session.set_classification(show="posterior", cls="green")
    logs = np.stack([log_density(STACK, kernels) for kernels in (PURPLES, GREENS)])
    logs -= np.log([0.3, 0.1])[:, None, None, None]  # classes integrate to 1
    green = 1 / (1 + np.exp(np.clip(logs[0] - logs[1], -700, 700)))
    np.testing.assert_allclose(lit.rgba[..., 3], ramp(green, 0.5, 1), atol=0.6)
    lit.session.set_voxels(opacity=(0.2, 0.3))
    np.testing.assert_allclose(lit.rgba[..., 3], ramp(green, 0.2, 0.3), atol=0.6)
    lit.session.set_classification(show="ratio")
    assert lit.session.state.voxels.opacity is None
    wanted = ramp(logs[1] - logs[0], 0, np.log(1000))
    np.testing.assert_allclose(lit.rgba[..., 3], wanted, atol=0.6)
    lit.session.set_classification(show="class", cls="purple")
    np.testing.assert_array_equal(lit.rgba[..., 3], 255 * (logs[0] >= logs[1]))


def test_what_covers_the_voxels_is_hidden_meanwhile(lit: Lit) -> None:
    image = lit.light()
    layer = lit.voxels.layer
    assert layer is not None
    assert (layer.name, layer.rendering, layer.opacity) == ("photo true color", "translucent", 1)
    assert [each.visible for each in lit.viewer.layers] == [False, False, True]
    image.name = "stack"
    assert lit.names == ["stack", "stack density", "stack true color"]
    lit.session.set(show="kde")
    assert not lit.voxels.shown
    assert image.visible
    assert lit.layer.visible
    lit.session.undo()
    assert lit.voxels.shown
    image.visible = True
    lit.session.edit(GREENS)
    lit.viewer.add_image(STACK[..., 0], name="other")
    assert image.visible
    assert not lit.layer.visible
    lit.viewer.layers.remove(lit.voxels.layer)
    assert lit.layer.visible
    assert not lit.session.state.voxels.show
    lit.session.undo()
    assert lit.voxels.shown


def test_layers_of_one_channel_have_the_colors_of_their_colormaps(lit: Lit) -> None:
    other = lit.viewer.add_image(
        STACK[..., 1].astype(np.uint16) * 16, name="far", colormap="cyan", blending="additive"
    )
    image = lit.show(
        STACK[..., 0].astype(np.uint16) * 16, rgb=False, colormap="red", blending="additive"
    )
    for layer in (image, other):
        layer.contrast_limits = 0, 4080
    lit.session.channels = Channels(("photo", "far"), layers=("far",))
    kernels = KernelSet([Kernel([2560, 640], [90 * 256, 70 * 256], 1.0)])
    lit.session.kernels = kernels
    lit.session.set_voxels(show=True)
    assert not image.visible
    assert not other.visible
    np.testing.assert_array_equal(lit.rgba[..., :3], STACK[..., [0, 1, 1]])
    scaled = STACK[..., :2].astype(float) * 16
    np.testing.assert_allclose(lit.rgba[..., 3], expected_opacity(scaled, kernels), atol=0.51)
    other.colormap = "blue"
    np.testing.assert_array_equal(lit.rgba[..., 1], 0)
    other.contrast_limits = 0, 2040
    np.testing.assert_array_equal(lit.rgba[..., 2], np.minimum(2 * STACK[..., 1].astype(int), 255))


def test_channels_along_an_axis(lit: Lit) -> None:
    planes = np.moveaxis(STACK[..., :2], -1, 0)
    image = lit.show(planes, rgb=False, axis_labels=("c", "z", "y", "x"))
    image.contrast_limits = 0, 255
    kernels = KernelSet([Kernel(PURPLE[:2], COVARIANCE[:2], 1.0)])
    lit.session.kernels = kernels
    lit.session.set_voxels(show=True)
    layer = lit.voxels.layer
    assert layer is not None
    assert layer.ndim == 4
    np.testing.assert_array_equal(lit.rgba[..., :3], STACK[..., [0, 1, 0]])
    wanted = expected_opacity(STACK[..., :2], kernels)
    np.testing.assert_allclose(lit.rgba[..., 3], wanted, atol=0.51)


def test_large_stacks_are_thinned_and_say_so(lit: Lit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voxel_image, "MAX_VOXELS", 2000)
    said: list[str] = []
    lit.session.message.connect(said.append)
    lit.light(scale=(3, 1, 0.5), translate=(5, 6, 7))
    layer = lit.voxels.layer
    assert layer is not None
    np.testing.assert_array_equal(lit.rgba[..., :3], STACK[:, ::2, ::2])
    np.testing.assert_array_equal(layer.scale, (3, 2, 1))
    lit.viewer.layers["photo"].scale = (4, 1, 1)
    np.testing.assert_array_equal(layer.scale, (4, 2, 2))
    np.testing.assert_array_equal(layer.translate, (5, 6, 7))
    lit.session.edit(GREENS)
    assert said == [
        "Of 12 × 24 × 24 voxels some are drawn in true color: row 1 of 2, column 1 of 2."
    ]
    assert thinned((7, 500, 200, 100), 1 << 19) == (1, 8, 4, 1)


def test_what_has_no_z_axis_or_no_kernels_is_refused(lit: Lit) -> None:
    lit.show(RGB)
    with pytest.raises(ValueError, match="shows voxels of kernels, but the overlay"):
        lit.session.set_voxels(show=True)
    lit.session.kernels = PURPLES
    with pytest.raises(ValueError, match=r"'photo' has no z axis \(20 × 30 pixels\); open an"):
        lit.session.set(voxels=VoxelSettings(show=True))
    assert not lit.session.state.voxels.show
    for wrong in ((1, 1), (2, 1), (0, np.inf), (1, 2, 3)):
        with pytest.raises(ValueError, match="give two finite numbers, the lower first"):
            lit.session.set_voxels(opacity=wrong)


def test_a_session_keeps_them_and_old_ones_have_none() -> None:
    state = State().replace(voxels=VoxelSettings(True, (0.25, 0.5)))
    assert state_from_json(state_to_json(state)) == state
    assert "voxels" not in state_to_json(State())
    with pytest.raises(ValueError, match="opacity"):
        state_from_json(state_to_json(state).replace("0.25", "0.75"))


@pytest.mark.parametrize(
    ("asked", "opacity"),
    [({}, None), ({"show": "posterior", "cls": "green"}, (0.5, 0.75)), ({"show": "class"}, None)],
    ids=["density", "posterior", "class"],
)
def test_a_script_gives_the_opacity(lit: Lit, tmp_path: Any, asked: Any, opacity: Any) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, STACK, photometric="rgb")
    remember_file(lit.light(), path)
    lit.session.set(kernel_sets=BOTH, kernel_set="purple")
    lit.session.set_classification(**asked)
    lit.session.set_voxels(opacity=opacity)
    lit.overlay.attach(lit.viewer.layers["photo"])
    state, source = lit.session.state, lit.session.source
    assert source is not None
    names: dict[str, Any] = {}
    exec(with_voxels(python_script(state, source), state, source), names)
    np.testing.assert_allclose(lit.rgba[..., 3], 255 * names["opacity"], atol=0.6)
    assert with_voxels("x", state.replace(show="kde"), source) == "x"


def test_copies_stay_as_they_are_and_files_have_all_four(lit: Lit, tmp_path: Any) -> None:
    lit.light()
    layer = lit.voxels.layer
    assert layer is not None
    before, copied = lit.rgba.copy(), deepcopy(layer.data)
    path = str(tmp_path / "voxels.tif")
    write_density_layer(path, layer.data, layer._get_state())
    np.testing.assert_array_equal(tifffile.imread(path), before)
    lit.session.edit(GREENS)
    np.testing.assert_array_equal(copied, before)
    assert (lit.rgba != before).any()
    np.testing.assert_array_equal(copied[2, ..., 3], before[2, ..., 3])
    np.testing.assert_array_equal(copied[2, 3:5], before[2, 3:5])


def test_two_layers_of_one_colormap_are_magenta_and_green(lit: Lit) -> None:
    far = lit.viewer.add_image(STACK[..., 1] / 255, name="far", gamma=0.5)
    near = lit.show(STACK[..., 0] / 255, rgb=False)
    near.contrast_limits = far.contrast_limits = 0, 1
    lit.session.channels = Channels(("photo", "far"), layers=("far",))
    lit.session.kernels = KernelSet([Kernel([0.6, 0.2], [0.01, 0.01], 1.0)])
    lit.session.set_voxels(show=True)
    np.testing.assert_array_equal(lit.rgba[..., [0, 2]], STACK[..., [0, 0]])
    np.testing.assert_allclose(lit.rgba[..., 1], 255 * np.sqrt(STACK[..., 1] / 255), atol=0.51)


def test_many_voxels_are_painted_in_the_background_and_shown_when_they_are(
    lit: Lit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voxel_layer, "AT_ONCE", 0)
    painted: list[int] = []
    paint = VoxelImage.paint

    def count(self: VoxelImage, codes: Any, out: Any = None) -> Any:
        painted.append(codes.size)
        return paint(self, codes, out)

    monkeypatch.setattr(VoxelImage, "paint", count)
    lit.light()
    first = lit.rgba
    n_voxels = STACK[..., 0].size
    assert painted.count(n_voxels) == 1
    lit.session.kernels = GREENS
    assert painted.count(n_voxels) == 2  # and not once more for the screen
    second = lit.rgba
    monkeypatch.setattr(voxel_layer, "AT_ONCE", 1 << 20)
    for kernels, seen in ((PURPLES, first), (GREENS, second)):
        lit.session.kernels = kernels
        np.testing.assert_array_equal(lit.rgba, seen)
    layer = lit.voxels.layer
    assert layer is not None
    np.testing.assert_array_equal(np.asarray(layer.data[2:4]), lit.rgba[2:4])
    lit.session.set_voxels(show=False)
    assert lit.voxels.layer is None


def test_voxels_that_are_no_longer_wanted_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voxel_layer, "AT_ONCE", 0)
    executor = SteppingExecutor()
    monkeypatch.setattr(test_overlay, "Session", partial(Session, executor))
    lit = Lit()
    lit.viewer.dims.ndisplay = 3
    lit.light()
    executor.run()
    before = lit.rgba.copy()
    lit.session.kernels = GREENS
    np.testing.assert_array_equal(lit.rgba, before)  # what is shown stays until it is painted
    lit.session.set_voxels(show=False)
    executor.run()
    assert lit.voxels.layer is None
    lit.voxels.close()
    lit.overlay.close()
    lit.session.close()


def test_voxels_of_former_kernels_go_where_the_chosen_ones_fail(lit: Lit) -> None:
    image = lit.light()
    assert not image.visible
    lit.session.kernels = KernelSet([Kernel([160, 40], [90, 70], 0.3)], "two")
    assert lit.voxels.layer is None
    assert image.visible
    lit.session.kernels = GREENS
    np.testing.assert_allclose(lit.rgba[..., 3], expected_opacity(STACK, GREENS), atol=0.51)
