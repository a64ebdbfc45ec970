from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_colorkde.app.image.pixels.pixel_index import PixelIndex, build_index
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.core.palette.palette import Palette

STACK = np.random.default_rng(0).integers(0, 4, (3, 20, 30, 3)).astype(np.uint8)


def test_one_frame_of_a_stack_is_painted_alone() -> None:
    source = source_of_array(STACK)
    source = replace(source, at=(1, 0, 0, 0))
    palette = Palette.from_image(STACK[1])
    *_, index = build_index(source, source.choices[0], palette)
    assert isinstance(index, PixelIndex)
    assert index.frame == (1,)
    assert index.frame_shape == (20, 30)
    reds = palette.colors[:, 0].astype(np.float32)
    painted = np.full(index.frame_shape, -1, np.float32)
    *_, done = index.paint(reds, painted)
    assert done == 1
    np.testing.assert_array_equal(painted, STACK[1, ..., 0])


def test_pixels_without_an_entry_get_what_is_said() -> None:
    image = np.dstack([STACK[0], np.full((20, 30), 255, np.uint8)])
    image[:5, ..., 3] = 0  # transparent
    source = source_of_array(image)
    palette = Palette.from_image(image)
    *_, index = build_index(source, source.choices[0], palette)
    assert isinstance(index, PixelIndex)
    painted = np.empty(index.frame_shape, np.uint8)
    *_, done = index.paint(np.ones(len(palette), bool), painted, nothing=0)
    assert done == 1
    np.testing.assert_array_equal(painted, image[..., 3] == 255)
