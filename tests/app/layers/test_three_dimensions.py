"""Overlays of stacks as napari draws them in three dimensions: whole, and live."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.pixels import pyramid_strides
from napari_colorkde.app.image.pixels.pyramid_strides import level_strides
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.reference import gaussian_log_density, mixture_density
from tests.app.classification.test_evaluation import Judged, judged
from tests.app.layers.test_overlay import Setting, setting

__all__ = ["judged", "setting"]

RNG = np.random.default_rng(7)
STACK = RNG.integers(0, 6, (12, 24, 24, 3)).astype(np.uint8)
KERNELS = KernelSet([Kernel([2, 2, 2], [4, 5, 6], 0.5), Kernel([4, 3, 1], [2, 2, 2], 0.5)])


def drawn(setting: Setting) -> np.ndarray:
    """What napari gives to the graphics card."""
    return np.asarray(setting.layer._data_view)


def mixture_of(stack: np.ndarray) -> np.ndarray:
    points = stack.reshape(-1, stack.shape[-1]).astype(float)
    return mixture_density(points, KERNELS).reshape(stack.shape[:-1])


def kde_of(seen: np.ndarray) -> np.ndarray:
    """The density of all of the stack's colors at these: found once for each, with their counts."""
    colors, counts = np.unique(STACK.reshape(-1, 3), axis=0, return_counts=True)
    points = colors.astype(float)
    pairs = np.stack([gaussian_log_density(points, each, np.full(3, 16.0)) for each in points])
    found = np.exp(pairs).T @ counts / counts.sum()
    places = np.ravel_multi_index(tuple(np.moveaxis(seen, -1, 0)), (6, 6, 6))
    table = np.zeros(216)
    table[np.ravel_multi_index(tuple(colors.T), (6, 6, 6))] = found
    return table[places]


@pytest.mark.parametrize("wrap", [np.asarray, da.from_array], ids=["array", "dask"])
@pytest.mark.parametrize("voxels", [1 << 24, 2000], ids=["whole", "strided"])
def test_the_whole_stack_is_drawn_and_follows_edits(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, wrap: Any, voxels: int
) -> None:
    monkeypatch.setattr(pyramid_strides, "VOLUME_VOXELS", voxels)
    monkeypatch.setattr(pyramid_strides, "_can_halve", lambda shape, stride: stride < 8)
    setting.show(wrap(STACK), rgb=True)
    setting.viewer.dims.ndisplay = 3
    step = 1 if voxels > STACK.size else 2
    seen = STACK[:, ::step, ::step]
    wanted = kde_of(seen)
    np.testing.assert_allclose(drawn(setting), wanted, rtol=1e-4)
    setting.session.kernels = KERNELS
    np.testing.assert_allclose(drawn(setting), mixture_of(seen), rtol=1e-4)
    setting.session.undo()
    np.testing.assert_allclose(drawn(setting), wanted, rtol=1e-4)


def test_three_layers_of_one_channel_each(setting: Setting) -> None:
    for name, channel in zip(("green", "blue"), (1, 2), strict=True):
        setting.viewer.add_image(STACK[..., channel], name=name)
    setting.show(STACK[..., 0], rgb=False)
    setting.session.channels = Channels(("photo", "green", "blue"), layers=("green", "blue"))
    setting.viewer.dims.ndisplay = 3
    setting.session.kernels = KERNELS
    np.testing.assert_allclose(drawn(setting), mixture_of(STACK), rtol=1e-4)


def test_stacks_have_a_level_that_can_be_drawn_whole() -> None:
    assert level_strides((60, 512, 512)) == (1,)
    assert level_strides((200, 512, 512)) == (1, 2)
    assert level_strides((3, 200, 1024, 1024)) == (1, 2, 4)
    assert level_strides((400, 3000, 3000)) == (1, 2, 4, 8, 16)
    assert level_strides((5000, 512, 512)) == (1,)  # napari leaves out frames of those


def test_classes_are_not_mixed_between_voxels(judged: Judged) -> None:
    layer = judged.layer
    assert (layer.rendering, layer.interpolation3d) == ("mip", "linear")
    judged.session.set_classification(show="class")
    assert (layer.rendering, layer.interpolation3d) == ("translucent", "nearest")
    judged.session.set_classification(show="posterior")
    layer.rendering = "attenuated_mip"
    judged.session.set_classification(show="ratio")
    assert layer.rendering == "attenuated_mip"


def test_a_mask_is_filled_in_three_dimensions(judged: Judged) -> None:
    judged.show(np.stack([np.asarray(judged.viewer.layers["photo"].data)] * 4), name="stack")
    judged.session.set_classification(show_mask=True)
    mask = judged.mask.layer.layer
    assert mask is not None
    assert mask.interpolation3d == "nearest"
    chosen = np.asarray(judged.layer.data) >= 0.5
    assert 0 < chosen.sum() < chosen.size
    judged.viewer.dims.ndisplay = 3
    np.testing.assert_array_equal(mask._data_view, chosen)
    judged.session.edit(judged.session.kernels[:1])  # type: ignore[index]
    np.testing.assert_array_equal(mask._data_view, np.asarray(judged.layer.data) >= 0.5)
    judged.viewer.dims.ndisplay = 2
    assert set(np.unique(mask.data)) >= {2, 3}
