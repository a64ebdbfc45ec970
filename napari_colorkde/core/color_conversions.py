"""The formulas between sRGB in 0..1, ``(n, 3)``, and the coordinates of color spaces.

scikit-image's where it has them.
"""

import numpy as np
from numpy.typing import NDArray

Colors = NDArray[np.float64]


def same(colors: Colors) -> Colors:
    """Return sRGB as it is."""
    return colors


def linear_from_rgb(rgb: Colors) -> Colors:
    """IEC 61966-2-1: the sRGB transfer function, inverted."""
    return np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)


def rgb_from_linear(linear: Colors) -> Colors:
    """IEC 61966-2-1: the sRGB transfer function."""
    power = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, power)


def lab_from_rgb(rgb: Colors) -> Colors:
    """CIELAB, D65, 2° observer."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(rgb))


def rgb_from_lab(lab: Colors) -> Colors:
    """CIE 15. The same as scikit-image's, which warns of colors outside the gamut.

    Warnings cannot be silenced in one thread alone.
    """
    y = (lab[:, 0] + 16) / 116
    f = np.stack([y + lab[:, 1] / 500, y, np.maximum(y - lab[:, 2] / 200, 0)], axis=1)
    xyz = _WHITE * np.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)
    return rgb_from_linear(xyz @ LINEAR_FROM_XYZ.T)


def oklab_from_rgb(rgb: Colors) -> Colors:
    """Ottosson 2020."""
    return np.asarray(np.cbrt(linear_from_rgb(rgb) @ _LMS_FROM_LINEAR.T) @ _OKLAB_FROM_LMS.T)


def rgb_from_oklab(oklab: Colors) -> Colors:
    """Ottosson 2020, inverted; not clipped."""
    cone = (oklab @ np.linalg.inv(_OKLAB_FROM_LMS).T) ** 3
    return rgb_from_linear(cone @ np.linalg.inv(_LMS_FROM_LINEAR).T)


def cylinder_from_rgb(rgb: Colors) -> Colors:
    """HSV as (S cos H, S sin H, V), so that red is next to red."""
    from skimage.color import rgb2hsv

    hue, saturation, value = rgb2hsv(rgb).T
    angle = 2 * np.pi * hue
    return np.stack([saturation * np.cos(angle), saturation * np.sin(angle), value], axis=1)


def rgb_from_cylinder(cylinder: Colors) -> Colors:
    """HSV from (S cos H, S sin H, V)."""
    from skimage.color import hsv2rgb

    x, y, value = cylinder.T
    hue = np.arctan2(y, x) / (2 * np.pi) % 1
    return np.asarray(hsv2rgb(np.stack([hue, np.hypot(x, y), value], axis=1)))


def ycbcr_from_rgb(rgb: Colors) -> Colors:
    """ITU-R BT.601, 16 to 235 and 240."""
    from skimage.color import rgb2ycbcr

    return np.asarray(rgb2ycbcr(rgb))


def rgb_from_ycbcr(ycbcr: Colors) -> Colors:
    """ITU-R BT.601, inverted."""
    from skimage.color import ycbcr2rgb

    return np.asarray(ycbcr2rgb(ycbcr))


_WHITE = np.array([0.95047, 1.0, 1.08883])
"""XYZ of D65, as scikit-image has it."""


LINEAR_FROM_XYZ = np.linalg.inv(
    np.array(
        [
            [0.412453, 0.357580, 0.180423],
            [0.212671, 0.715160, 0.072169],
            [0.019334, 0.119193, 0.950227],
        ]
    )
)
"""scikit-image's matrix for D65, inverted without its clipping."""


# Ottosson, A perceptual color space for image processing (2020), bottomosson.github.io/posts/oklab.
_LMS_FROM_LINEAR = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)


_OKLAB_FROM_LMS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
