"""Pictures of a vispy scene at any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from vispy.gloo import FrameBuffer, RenderBuffer
from vispy.scene import SceneCanvas

# Pictures are laid out as if their sides were at most, and at least, about this many pixels long,
# then drawn at full size: long ones need room for texts across, too.
_LONG, _SHORT = 640.0, 320.0


def layout_size(size: tuple[int, int]) -> tuple[float, float]:
    """Return the width and height in which a picture of ``size`` pixels is laid out."""
    if min(size) < 1:
        raise ValueError(f"size must be positive numbers of pixels, not {size}.")
    factor = max(min(max(size) / _LONG, min(size) / _SHORT), 1.0)
    return size[0] / factor, size[1] / factor


def render_at(
    canvas: SceneCanvas,
    logical: tuple[float, float],
    size: tuple[int, int],
    background: tuple[float, float, float],
) -> NDArray[np.uint8]:
    """Draw the part [0, `logical`] of the canvas into a picture of `size` pixels.

    vispy's own ``SceneCanvas.render(size=…)`` draws at the scale of the window, whatever the size,
    and remembers the mapping of a region beyond its use.

    Parameters
    ----------
    canvas : SceneCanvas
        With a valid context.
    logical : (float, float)
        Width and height in the canvas's logical pixels; may exceed the window.
    size : (int, int)
        Width and height of the picture.
    background : tuple of float
        Red, green and blue in 0..1.

    Returns
    -------
    (height, width, 4) uint8 array
    """
    width, height = size
    canvas.set_current()
    target = FrameBuffer(color=RenderBuffer((height, width)), depth=RenderBuffer((height, width)))
    canvas.push_fbo(target, (0, 0), (width, height))
    try:
        with _mapped(canvas, logical, size):
            canvas.context.clear(color=background, depth=True)
            canvas.draw_visual(canvas.scene)
            picture = target.read()
    finally:
        canvas.pop_fbo()
    target.delete()
    canvas.context.flush_commands()
    return np.asarray(picture, dtype=np.uint8)


@contextmanager
def _mapped(
    canvas: SceneCanvas, logical: tuple[float, float], size: tuple[int, int]
) -> Iterator[None]:
    """Map logical pixels to the picture's while inside."""
    width, height = size
    to_region, to_pixels = canvas.transforms.canvas_transform.transforms
    (to_clip,) = canvas.transforms.framebuffer_transform.transforms
    before = [(step, step.scale, step.translate) for step in (to_region, to_pixels, to_clip)]
    to_region.set_mapping([(0, 0), size], [(0, 0), size])
    # A framebuffer's y points upwards.
    to_pixels.set_mapping([(0, 0), logical], [(0, height), (width, 0)])
    to_clip.set_mapping([(0, 0), size], [(-1, -1), (1, 1)])
    try:
        yield
    finally:
        for step, scale, translate in before:
            step.scale, step.translate = scale, translate
