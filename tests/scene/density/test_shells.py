from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.scene.conftest import blob

pytestmark = pytest.mark.window

AXIS = np.linspace(0, 255, 64)
MIDDLE = 127.5


def test_surfaces_before_faint_tails_have_their_color(canvas: Any) -> None:
    # A gray blob; at the walls its density is a positive number whose square is 0 in float32.
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


def test_the_only_surface_hides_as_much_as_the_innermost_of_three(canvas: Any) -> None:
    values = blob(200, 60, 60, sigma=30)
    axes = (np.linspace(0, 255, len(values)),) * 3
    canvas.set_volume(values, axes, ("red", "green", "blue"))
    canvas.set_mode("shells")
    pictures = []
    for fractions in ((0.3, 0.6, 0.9), (0.9,)):
        canvas.set_shells(fractions)
        pictures.append(canvas.render((200, 200))[..., :3].astype(float))
    canvas.set_volume(np.zeros_like(values), axes, ("red", "green", "blue"))
    empty = canvas.render((200, 200))[..., :3].astype(float)
    three, one = (np.abs(picture - empty).sum() for picture in pictures)
    assert one > 0.7 * three
