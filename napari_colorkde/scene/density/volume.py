"""The density volume in true color: every point is drawn in the color it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vispy.gloo import IndexBuffer, Texture2D, Texture3D, VertexBuffer
from vispy.gloo.context import get_current_canvas
from vispy.scene.visuals import create_visual_node
from vispy.visuals.shaders import Function
from vispy.visuals.visual import Visual, VisualView

from napari_colorkde.scene.density.empty_space import BLOCK
from napari_colorkde.scene.density.low_resolution import LowResolutionTarget
from napari_colorkde.scene.density.transfer import RANK_POINTS, TransferFunction
from napari_colorkde.scene.geometry.box import CUBE_CORNERS
from napari_colorkde.scene.shaders.load import shader_code

MODES = ("cloud", "maximum", "shells")
# A strip of triangles over the six faces of a box with corners in binary order.
_BOX_STRIP = [2, 6, 0, 4, 5, 6, 7, 2, 3, 0, 1, 5, 3, 7]
_REDUCTION = 0.5
# A cut, and the densest place of a ray, look like a sheet of this thickness (scene length).
_SHEET = 0.15
# Orange and blue: told apart by color-blind eyes, and seen on both themes.
POSITIVE, NEGATIVE = (0.93, 0.50, 0.10), (0.22, 0.52, 0.92)


class DensityVisual(Visual):
    """A volume whose opacity is the density and whose color is the place.

    Parameters
    ----------
    values : (B0, B1, B2) float32 array
        Density at the grid points, or a signed difference of densities.
    mode : str
        One of `MODES`: "cloud" (emission and absorption along the ray), "maximum" (the densest
        place of the ray), "shells" (surfaces of equal density).
    size : (3,) floats
        Lengths of the box's edges in the scene, along the array's last, middle and first axis.

    Notes
    -----
    Along a ray, ``alpha = 1 − exp(−depth · f(density) · length)`` for each stretch, front to back,
    so that neither the grid nor the step changes the look. Everything but the densities is a
    uniform: changing it uploads nothing.

    Coordinates of the visual run from 0 to 1 between the first and the last grid point; x is the
    array's last axis, z its first.
    """

    def __init__(
        self, values: NDArray[np.float32], mode: str = "cloud", size: Sequence[float] = (1, 1, 1)
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}.")
        fragment = "".join(
            shader_code(name) for name in ("volume.glsl", f"march_{mode}.glsl", "volume_main.glsl")
        )
        super().__init__(vcode=shader_code("volume.vert.glsl"), fcode=fragment)
        self.unfreeze()
        self._values = _texture(values, "r32f")
        self._reach = _texture(np.zeros((1, 1, 1), np.uint8), "r8", "nearest")
        self._rank = Texture2D(
            np.zeros((1, RANK_POINTS), np.float32),
            interpolation="linear",
            wrapping="clamp_to_edge",
            internalformat="r32f",
        )
        self._scale = ""
        self._reduced: LowResolutionTarget | None = None
        self._is_reduced = False
        self._index_buffer = IndexBuffer(np.array(_BOX_STRIP, dtype=np.uint32))
        self._draw_mode = "triangle_strip"
        self.freeze()
        program = self.shared_program
        program["a_position"] = VertexBuffer(CUBE_CORNERS.astype(np.float32))
        program["u_values"] = self._values
        program["u_reach"] = self._reach
        self.set_colors(None)
        self.set_uniforms(
            points=values.shape[::-1],
            size=tuple(size),
            block=float(BLOCK),
            blocks=(1.0, 1.0, 1.0),
            step=0.01,
            jitter=0.0,
            cut_sheet=_SHEET,
        )
        self.set_cut(None)
        if mode == "maximum":
            self.set_uniforms(sheet=_SHEET)
        # Premultiplied light over whatever was drawn before; a cloud has no single depth.
        self.set_gl_state(
            depth_test=False,
            # The texture's axes are a mirror image of the scene's: near faces seem to be far ones.
            cull_face="front",
            blend=True,
            blend_func=("one", "one_minus_src_alpha"),
        )

    def set_uniforms(self, **values: object) -> None:
        """Set uniforms by their name without the ``u_``, and ask for a redraw."""
        for name, value in values.items():
            self.shared_program[f"u_{name}"] = value
        self.update()

    def set_values(self, values: NDArray[np.float32]) -> None:
        """Upload densities."""
        self._values.set_data(values)
        self.set_uniforms(points=values.shape[::-1])

    def set_reach(self, reach: NDArray[np.uint8]) -> None:
        """Upload where the densities are empty (`empty_space.distance_to_content`)."""
        self._reach.set_data(reach)
        self.set_uniforms(blocks=reach.shape[::-1])

    def set_transfer(self, transfer: TransferFunction) -> None:
        """Show densities as `transfer` says. Uploads at most 256 numbers."""
        if transfer.scale != self._scale:
            self._scale = transfer.scale
            self.shared_program.frag["visible"] = Function(
                shader_code(f"visible_{transfer.scale}.glsl")
            )
        visible = self.shared_program.frag["visible"]
        if transfer.scale == "equalized":
            self._rank.set_data(transfer.rank[np.newaxis, :])
            low, high = transfer.log_range
            numbers = {"rank": self._rank, "points": float(RANK_POINTS), "low": low, "high": high}
        else:
            numbers = {"gain": transfer.gain}
        for name, number in numbers.items():
            visible[name] = number
        self.set_uniforms(depth=transfer.depth, floor=transfer.floor)

    def set_colors(self, colors: NDArray[np.float32] | None, *, signed: bool = False) -> None:
        """Set the colors of a coarse grid over the box, (M, M, M, 3) in 0..1; None: RGB itself.

        Array axes are those of the density. With `signed`, the sign of the values is the color.
        """
        if signed:
            color = Function(shader_code("color_sign.glsl"))
            color["positive"], color["negative"] = POSITIVE, NEGATIVE
        elif colors is None:
            color = Function(shader_code("color_rgb.glsl"))
        else:
            color = Function(shader_code("color_grid.glsl"))
            color["colors"] = _texture(np.round(255 * colors).astype(np.uint8), "rgb8")
            color["points"] = float(colors.shape[0])
        self.shared_program.frag["color"] = color
        self.update()

    def set_shells(self, levels: Sequence[float], covers: Sequence[float]) -> None:
        """Set up to three surfaces: their densities, descending, and what each hides (0 to 1)."""
        missing = 3 - len(levels)
        self.set_uniforms(levels=(*levels, *(0.0,) * missing), covers=(*covers, *(0.0,) * missing))

    def set_cut(self, plane: NDArray[np.float64] | None) -> None:
        """Take away all places where ``plane[:3] · place > plane[3]``; None: nothing."""
        self.set_uniforms(cut=(0.0, 0.0, 0.0, 1.0) if plane is None else tuple(plane))

    def set_reduced(self, reduced: bool) -> None:
        """Draw at half the resolution, a quarter of the rays, or at the full one."""
        self._is_reduced = reduced
        if reduced and self._reduced is None:
            self._reduced = LowResolutionTarget(_REDUCTION)
        self.update()

    def draw(self) -> None:
        """Draw, at the chosen resolution."""
        if self._reduced is None or not self._is_reduced:
            super().draw()
        else:
            context = get_current_canvas().context
            self._reduced.draw(context, super().draw)

    def _prepare_transforms(self, view: VisualView) -> None:
        transforms = view.transforms
        to_document = transforms.get_transform("visual", "document")
        vertex = view.view_program.vert
        vertex["transform"] = transforms.get_transform()
        vertex["to_document"] = to_document
        vertex["from_document"] = to_document.inverse

    def _prepare_draw(self, view: VisualView) -> None:
        """Nothing is left to prepare."""

    def _compute_bounds(self, axis: int, view: VisualView) -> tuple[float, float]:
        return 0.0, 1.0


def _texture(data: NDArray[Any], internalformat: str, interpolation: str = "linear") -> Texture3D:
    return Texture3D(
        data,
        interpolation=interpolation,
        wrapping="clamp_to_edge",
        internalformat=internalformat,
    )


DensityCloud = create_visual_node(DensityVisual)
