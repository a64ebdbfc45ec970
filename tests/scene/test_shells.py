from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.window

AXIS = np.linspace(0, 255, 64)
MIDDLE = 127.5


def test_surfaces_before_faint_tails_have_their_colour(canvas: Any) -> None:
    # A grey blob; at the walls its density is a positive number whose square is 0 in float32.
    r, g, b = np.meshgrid(AXIS, AXIS, AXIS, indexing="ij")
    squares = (r - MIDDLE) ** 2 + (g - MIDDLE) ** 2 + (b - MIDDLE) ** 2
    values = 1e-6 * np.exp(-squares / (2 * 12.0**2))
    canvas.set_volume(values.astype(np.float32), (AXIS,) * 3, ("red", "green", "blue"))
    canvas.set_mode("shells")
    canvas.set_shells((0.5, 0.9, 0.99))
    picture = canvas.render((200, 200))[..., :3].astype(int)
    patch = picture[85:115, 85:115].max(axis=-1)
    assert (patch > 60).sum() > 100
    assert (patch < 25).sum() == 0
