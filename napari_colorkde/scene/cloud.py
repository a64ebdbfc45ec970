"""The density volume in true colour: every point is drawn in the colour it stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vispy.gloo import Texture2D, Texture3D
from vispy.scene.visuals import create_visual_node
from vispy.visuals.volume import VolumeVisual

from .levels import RANK_POINTS, SCALES, Transfer
from .shaders import shader_code, shader_sections

_march = shader_sections("cloud_march.glsl")


class CloudVisual(VolumeVisual):
    """A volume whose opacity is the density and whose colour is the place.

    Parameters
    ----------
    values : (B0, B1, B2) float32 array
        Density at the grid points; the texture's x is the last axis.

    Notes
    -----
    Along a ray, ``alpha = 1 − exp(−exposure · f(density) · length)`` for each stretch, front to
    back, so that neither the grid nor the step changes the look. Exposure, scale and floor are
    uniforms; changing them uploads nothing.
    """

    _shaders = {  # noqa: RUF012 - as vispy spells it
        "vertex": VolumeVisual._shaders["vertex"],
        "fragment": shader_code("cloud.glsl") + VolumeVisual._shaders["fragment"],
    }
    _raycasting_modes = {  # noqa: RUF012
        **VolumeVisual._raycasting_modes,
        "volume": _march["setup"],
    }
    _rendering_methods = {  # noqa: RUF012
        **VolumeVisual._rendering_methods,
        "cloud": {
            "before_loop": _march["cloud before"],
            "in_loop": _march["cloud loop"],
            "after_loop": _march["cloud after"],
        },
    }

    def __init__(self, values: NDArray[np.float32]) -> None:
        self._box = np.array([[0.0] * 3, [n - 1.0 for n in values.shape[::-1]]])
        super().__init__(
            values,
            clim=(0.0, 1.0),
            method="cloud",
            threshold=0.0,
            texture_format="auto",
            interpolation="linear",
        )
        self.unfreeze()
        self._rank = Texture2D(
            np.zeros((1, RANK_POINTS), np.float32),
            interpolation="linear",
            wrapping="clamp_to_edge",
            internalformat="r32f",
        )
        self._color: Texture3D | None = None
        self.freeze()
        # Premultiplied light over whatever was drawn before; the cloud has no single depth.
        self.set_gl_state(
            depth_test=False,
            cull_face=False,
            blend=True,
            blend_func=("one", "one_minus_src_alpha"),
        )
        self.set_box(*self._box)
        program = self.shared_program
        program["u_rank"] = self._rank
        program["u_rank_range"] = (0.0, 1.0)
        program["u_jitter"] = 0.0
        program["u_scale"] = 0
        program["u_gain"] = 1.0
        program["u_floor"] = 0.0
        program["u_exposure"] = 1.0
        program["u_voxel_size"] = (1.0, 1.0, 1.0)
        self.set_color_grid(None)

    def set_uniforms(self, **values: Any) -> None:
        """Set uniforms by their name without the ``u_``, and ask for a redraw."""
        for name, value in values.items():
            self.shared_program[f"u_{name}"] = value
        self.update()

    def set_transfer(self, transfer: Transfer) -> None:
        """Show densities as `transfer` says. Uploads 256 numbers."""
        self._rank.set_data(transfer.rank[np.newaxis, :])
        self.set_uniforms(
            scale=SCALES.index(transfer.scale),
            exposure=transfer.depth,
            gain=transfer.gain,
            floor=transfer.floor,
            rank_range=transfer.log_range,
        )

    def set_box(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
        """March only between the grid points `low` and `high`, (3,), in the texture's x, y, z."""
        self._box = np.array([low, high], dtype=float)
        self._need_vertex_update = True
        self.set_uniforms(box_low=tuple(low), box_high=tuple(high))

    def set_color_grid(self, colors: NDArray[np.float32] | None) -> None:
        """Set the colours of a coarse grid over the box, (M, M, M, 3) in 0..1; None: RGB itself.

        Array axes are those of the density.
        """
        if colors is None:
            colors = np.zeros((2, 2, 2, 3), dtype=np.float32)
            self.shared_program["u_own_color"] = 1
        else:
            self.shared_program["u_own_color"] = 0
        self._color = Texture3D(
            np.ascontiguousarray(np.round(255 * colors), dtype=np.uint8),
            interpolation="linear",
            wrapping="clamp_to_edge",
        )
        self.shared_program["u_color"] = self._color
        self.set_uniforms(color_points=float(colors.shape[0]))

    def _create_vertex_data(self) -> None:
        corners = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)])
        low, high = self._box
        self._vertices.set_data((low + corners * (high - low)).astype(np.float32))
        # The strip of vispy's own cuboid: 14 vertices, normals outwards.
        strip = [2, 6, 0, 4, 5, 6, 7, 2, 3, 0, 1, 5, 3, 7]
        self._index_buffer.set_data(np.array(strip, dtype=np.uint32))
        self._need_vertex_update = False

    def _compute_bounds(self, axis: int, view: Any) -> tuple[float, float]:
        return float(self._box[0, axis]), float(self._box[1, axis])


Cloud = create_visual_node(CloudVisual)
