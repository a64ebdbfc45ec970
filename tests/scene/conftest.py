"""A canvas in a window, and densities whose picture is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

BINS = 32
AXIS = np.linspace(0.0, 255.0, BINS)
RGB = ("R", "G", "B")


def blob(*center: float, sigma: float = 14.0) -> np.ndarray:
    """Return a normal density around a color on the grid of `AXIS`, one axis per channel."""
    values = np.ones((BINS,) * len(center))
    for channel, mean in enumerate(center):
        shape = [1] * len(center)
        shape[channel] = BINS
        values = values * np.exp(-((AXIS - mean) ** 2) / (2 * sigma**2)).reshape(shape)
    return (values / values.sum()).astype(np.float32)


@pytest.fixture
def canvas(qapp: Any) -> Iterator[Any]:
    """A color-space canvas in a shown window, without legend; closed afterwards."""
    from napari_colorkde.scene.canvas import ColorSpaceCanvas

    made = ColorSpaceCanvas()
    made.set_legend(False)
    made.native.resize(430, 360)
    made.native.show()
    qapp.processEvents()
    yield made
    made.close()
    qapp.processEvents()


def saturated(picture: np.ndarray) -> np.ndarray:
    """Return RGB in 0..1 with everything grayish set to 0: texts and background vanish."""
    rgb = picture[..., :3].astype(float) / 255
    return rgb * ((rgb.max(axis=-1) - rgb.min(axis=-1)) > 0.25)[..., np.newaxis]
