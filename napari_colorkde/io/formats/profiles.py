"""ICC profiles: their names, and converting levels to sRGB at their own depth."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPACES = {"rgb": b"RGB ", "gray": b"GRAY", "cmyk": b"CMYK"}
"""What the color models of pictures are called in a profile."""


def profile_name(profile: bytes) -> str:
    """Return the name of a profile; "unreadable" of one that is damaged."""
    from PIL import ImageCms

    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (OSError, ImageCms.PyCMSError):
        return "unreadable"
    return " ".join(name.split()) or "without a name"


def is_srgb(name: str) -> bool:
    """Whether a profile of this name is sRGB itself."""
    short = name.lower().replace(" ", "")
    return short.startswith("srgb") or "iec61966" in short


def to_srgb(levels: NDArray[Any], profile: bytes | None, color: str) -> NDArray[Any]:
    """Turn levels of a profile into those of sRGB, by Little CMS.

    Parameters
    ----------
    levels
        ``(..., S)`` uint8, uint16 or floats from 0 to 1.
    profile
        What they are.
    color
        A key of `SPACES`: "gray" has one sample, "cmyk" four.

    Returns
    -------
    ndarray
        ``(..., 3)`` of the same type.

    Raises
    ------
    ValueError
        If the profile does not fit the levels, or there is none.
    """
    if profile is None:
        raise ValueError("it has no ICC profile.")
    wanted = SPACES[color]
    if profile[16:20] != wanted:
        raise ValueError(f"its ICC profile is not for {wanted.decode().strip()}.")
    return _transform(levels, profile, "gray" if color == "gray" else color)


def lab_to_srgb(lab: NDArray[Any]) -> NDArray[np.float32]:
    """Turn CIELAB (D50; L* 0 to 100, a*, b*), ``(..., 3)``, into sRGB from 0 to 1."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return _transform(lab.astype(np.float32), profile, "lab").clip(0, 1)


def _transform(levels: NDArray[Any], profile: bytes, colorspace: str) -> NDArray[Any]:
    import imagecodecs

    rows = np.ascontiguousarray(levels.reshape(1, -1, levels.shape[-1]))
    if colorspace == "gray":
        rows = rows[..., 0]
    try:
        found = imagecodecs.cms_transform(
            rows,
            profile,
            imagecodecs.cms_profile("srgb"),
            colorspace=colorspace,
            outcolorspace="rgb",
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
        )
    except (imagecodecs.CmsError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"its ICC profile cannot be used ({error}).") from None
    return np.asarray(found).reshape(*levels.shape[:-1], 3)
