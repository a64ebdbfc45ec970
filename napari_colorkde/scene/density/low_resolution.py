"""Drawing at a fraction of the window's resolution, for smooth movement of soft things."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from vispy.gloo import FrameBuffer, Program, Texture2D, set_state
from vispy.gloo.context import GLContext

from napari_colorkde.scene.shaders.load import shader_code


class LowResolutionTarget:
    """A small picture that is drawn into and then put over the view, interpolated.

    Clip coordinates stay as they are, so whatever is drawn lands where it would have.

    Parameters
    ----------
    fraction : float
        Of the view's width and height, in pixels.
    """

    def __init__(self, fraction: float) -> None:
        self._fraction = fraction
        self._program = Program(shader_code("composite.vert.glsl"), shader_code("composite.glsl"))
        self._program["a_corner"] = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
        self._size = (0, 0)
        self._target: FrameBuffer | None = None

    def draw(self, context: GLContext, paint: Callable[[], None]) -> None:
        """Call `paint` with the small picture as target, then put that over the view.

        `paint` must leave the blending of premultiplied colors on.
        """
        viewport = context.get_viewport()
        if viewport is None:
            # Asked for a picture before it was ever laid out in a window.
            paint()
            return
        x, y, width, height = viewport
        size = max(round(width * self._fraction), 1), max(round(height * self._fraction), 1)
        if self._target is None or size != self._size:
            picture = Texture2D(
                (size[1], size[0], 4), interpolation="linear", wrapping="clamp_to_edge"
            )
            self._target = FrameBuffer(color=picture)
            self._size = size
        self._target.activate()
        context.set_viewport(0, 0, *size)
        context.clear(color=(0, 0, 0, 0), depth=False)
        try:
            paint()
        finally:
            self._target.deactivate()
            context.set_viewport(x, y, width, height)
            # vispy clears the window's alpha with what was cleared with last: it must be opaque.
            context.set_clear_color("black")
        set_state(cull_face=False)
        self._program["u_picture"] = self._target.color_buffer
        self._program.draw("triangle_strip")
