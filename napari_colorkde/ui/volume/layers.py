"""The color-space density as layers of napari: volumes and surfaces, placed in color units."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.kde.volumes.density_volume import DensityVolume
from napari_colorkde.io.colors.coloring import default_limits

if TYPE_CHECKING:
    import pint

    from napari_colorkde.scene.geometry.box_colors import ColorOf

SHELL_FRACTIONS = (0.5, 0.9, 0.99)
"""Shares of the pixels within the surfaces."""

SHELL_OPACITY = 0.4

Options = dict[str, object]
"""Of a layer, as napari names them."""

Mesh = tuple[NDArray[Any], NDArray[Any]]
"""Vertices and faces."""

UNITS = {"levels": "level", "ΔE*ab": "ΔE", "ΔE OK": "ΔE"}
"""Units of the volume's axes as pint can name them, by what they are called elsewhere."""


def volume_layers(
    volume: DensityVolume,
    names: Sequence[str],
    color_of: "ColorOf | None" = None,
    unit: str = "levels",
) -> list[tuple[NDArray[Any], Options]]:
    """Return data and options of layers: the density, and of three channels its true colors."""
    values = volume.values
    place = _place(volume, names, unit)
    if values.ndim == 1:
        # napari shows pictures, not curves: one row.
        values = values[np.newaxis]
        place = _with_row(place)
    flat = values.reshape(-1)
    limits = default_limits(flat, False, np.ones(flat.size, np.int64))
    layers: list[tuple[NDArray[Any], Options]] = [
        (
            values,
            {
                "name": "density",
                "rgb": False,
                "colormap": "magma",
                "contrast_limits": limits,
                "rendering": "attenuated_mip",
                "visible": values.ndim < 3,
                **place,
            },
        )
    ]
    if values.ndim == 3:
        options = {
            "name": "true color",
            "rgb": True,
            "rendering": "translucent",
            "blending": "translucent_no_depth",
            **place,
        }
        layers.append((true_colors(volume, color_of), options))
    return layers


def shell_layers(
    volume: DensityVolume,
    names: Sequence[str],
    fractions: Sequence[float] = SHELL_FRACTIONS,
    color_of: "ColorOf | None" = None,
    unit: str = "levels",
) -> list[tuple[Mesh, Options]]:
    """Return vertices, faces and options of surfaces that hold fractions of the pixels; 3-D only.

    Marching cubes (Lewiner et al. 2003) of scikit-image, the outermost surface first. 0.2 s each.
    """
    if volume.values.ndim != 3:
        return []
    from skimage.measure import marching_cubes

    from napari_colorkde.scene.density.transfer import CumulativeMass
    from napari_colorkde.scene.geometry.box import ColorBox
    from napari_colorkde.scene.geometry.box_colors import default_color_of

    color_of = color_of or default_color_of(ColorBox.from_axes(volume.axes))
    curve = CumulativeMass.from_values(volume.values)
    start = np.array([axis[0] for axis in volume.axes])
    # Surfaces at the border of the grid are closed by a frame without density.
    padded = np.pad(volume.values, 1)
    layers = []
    for fraction in sorted(fractions, reverse=True):
        level = curve.level_holding(fraction)
        if not 0 < level < curve.peak:
            continue
        vertices, faces, _, _ = marching_cubes(padded, level, gradient_direction="ascent")
        places = np.clip(vertices - 1, 0, np.array(volume.values.shape) - 1)
        colors = np.clip(np.asarray(color_of(places * volume.spacing + start)), 0, 1)
        options = {
            "name": f"shell {100 * fraction:.3g} %",
            "vertex_colors": np.column_stack([colors, np.ones(len(colors))]).astype(np.float32),
            "opacity": SHELL_OPACITY,
            # The inner ones, drawn later, are seen through the outer ones.
            "blending": "translucent_no_depth",
            "shading": "smooth",
            "visible": False,
            **_place(volume, names, unit),
        }
        layers.append(((places, faces), options))
    return layers


def _place(volume: DensityVolume, names: Sequence[str], unit: str) -> Options:
    """Return the options of a layer that say where grid points lie."""
    return {
        "scale": tuple(map(float, volume.spacing)),
        "translate": tuple(float(axis[0]) for axis in volume.axes),
        "axis_labels": tuple(names),
        "units": (pint_unit(unit),) * volume.values.ndim,
    }


def true_colors(volume: DensityVolume, color_of: "ColorOf | None" = None) -> NDArray[np.uint8]:
    """Return each point of a three-dimensional volume in its color: ``(B, B, B, 4)`` uint8.

    The opacity is baked, ``1 − exp(−k · density · dx)``: napari's contrast acts on colors only.
    """
    from napari_colorkde.scene.density.transfer import CumulativeMass, TransferFunction
    from napari_colorkde.scene.geometry.box import ColorBox
    from napari_colorkde.scene.geometry.box_colors import default_color_of

    box = ColorBox.from_axes(volume.axes)
    color_of = color_of or default_color_of(box)
    grid = np.stack(np.meshgrid(*volume.axes, indexing="ij"), axis=-1)
    rgba = np.empty((*volume.values.shape, 4), np.uint8)
    transfer = TransferFunction.from_curve(CumulativeMass.from_values(volume.values))
    for i, plane in enumerate(grid):
        colors = np.asarray(color_of(plane.reshape(-1, 3))).reshape(*plane.shape[:-1], 3)
        rgba[i, ..., :3] = np.round(255 * np.clip(colors, 0, 1))
    opacity = transfer.opacity(volume.values, 1 / max(volume.values.shape))
    rgba[..., 3] = np.round(255 * opacity)
    return rgba


def _with_row(place: Options) -> Options:
    """Return where one row of grid points lies, from where the points lie."""
    first = {"translate": 0.0, "axis_labels": ""}
    return {
        name: (first.get(name, values[0]), *values)
        for name, values in place.items()
        if isinstance(values, tuple)
    }


def pint_unit(unit: str) -> "pint.Unit":
    """Return the unit of color values, dimensionless; define it where pint does not know it."""
    import pint

    registry: pint.UnitRegistry[float] = pint.get_application_registry()  # type: ignore[no-untyped-call]
    name = UNITS.get(unit, "dimensionless")
    if name not in registry:
        registry.define(f"{name} = []")
    return registry.Unit(name)
