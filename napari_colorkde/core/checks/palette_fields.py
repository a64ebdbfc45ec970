"""What the fields of a palette have to be, when one is made by hand."""

from typing import Any

import numpy as np

from napari_colorkde.core.checks.arguments import kind_of, whole_number


def refuse_bad_fields(palette: Any, moments_type: type) -> None:
    """Refuse fields of other types and shapes, and numbers that are none; O(C).

    Whether colors are in order, and counts positive, is looked at elsewhere.

    Parameters
    ----------
    palette
        A `PaletteData`.
    moments_type
        `BinMoments`.

    Raises
    ------
    TypeError, ValueError
        If one is so.
    """
    for name in ("colors", "counts", "bin_width"):
        given = getattr(palette, name)
        if not isinstance(given, np.ndarray) or given.dtype.kind not in "biuf":
            raise TypeError(
                f"{name} is {_kind(given)}; give a NumPy array of real numbers, or make the "
                "palette with Palette.from_image."
            )
    if palette.colors.ndim != 2 or not palette.colors.shape[1]:
        raise ValueError(
            f"colors has shape {palette.colors.shape}; give (U, C), one color in each row."
        )
    n_channels = palette.colors.shape[1]
    for name in ("bin_width", "ranges"):
        given = getattr(palette, name)
        if given is None:
            continue
        if not isinstance(given, np.ndarray) or given.shape != (n_channels,):
            raise ValueError(
                f"{name} is {_kind(given)}; give an array of {n_channels} numbers, one for each "
                "channel."
            )
        if not np.isfinite(given).all() or (given < 0).any():
            raise ValueError(f"{name}={given.tolist()}; give finite numbers of 0 or more.")
    for name in ("n_masked", "n_transparent", "n_not_finite", "n_rare"):
        whole_number(getattr(palette, name), name, 0)
    if palette.moments is not None and not isinstance(palette.moments, moments_type):
        raise TypeError(
            f"moments is {_kind(palette.moments)}; give those of another palette, or None."
        )
    if palette.image_dtype is not None and not isinstance(palette.image_dtype, np.dtype):
        raise TypeError(
            f"image_dtype is {_kind(palette.image_dtype)}; give a dtype, np.dtype('uint16'), or "
            "None."
        )


def _kind(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} with shape {value.shape}"
    return kind_of(value)
