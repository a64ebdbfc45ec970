"""Which kind of content shows a density: by its number of channels, and by the mode."""

from __future__ import annotations

from collections.abc import Sequence

from napari_colorkde.scene.axes import SceneAxes
from napari_colorkde.scene.density.content import Content, PlaneContent, Values, VolumeContent
from napari_colorkde.scene.density.curve import CurveContent
from napari_colorkde.scene.density.points import Points
from napari_colorkde.scene.density.transfer import TransferFunction


def make_content(
    values: Values,
    space: SceneAxes,
    transfer: TransferFunction,
    *,
    mode: str,
    signed: bool,
    shells: Sequence[float],
) -> Content | Points:
    """Return a curve for one channel, a plane for two, a volume for three; or points, to be shown.

    Parameters
    ----------
    values : (B,), (B, B) or (B, B, B) float32 array
        Densities, or signed differences.
    space : SceneAxes
        Where they lie.
    transfer : TransferFunction
        How they are shown.
    mode, signed, shells
        As `VolumeContent` takes them; mode "points" shows points of two and three channels.
    """
    if mode == "points" and values.ndim > 1:
        points = Points()
        points.place(space)
        return points
    if values.ndim == 1:
        return CurveContent(values, space, transfer)
    if values.ndim == 2:
        return PlaneContent(values, space, transfer)
    return VolumeContent(values, space, transfer, mode=mode, signed=signed, shells=shells)
