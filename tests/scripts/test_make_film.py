"""The film of the documentation turns once and repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from napari_colorkde import ColorKDE
from scripts import make_film

pytestmark = pytest.mark.window

COLORS = np.array([[230, 40, 30], [40, 60, 220], [200, 190, 60]], np.uint8)


def test_pictures_go_all_round(qapp: Any) -> None:
    kde = ColorKDE(COLORS.repeat(9, axis=0).reshape(3, 9, 3), 12)
    pictures = [picture.astype(float) for picture in make_film.turning(kde, (120, 100), 6)]
    assert len(pictures) == 6
    assert all(picture.shape == (100, 120, 3) for picture in pictures)
    steps = [
        np.abs(a - b).mean() for a, b in zip(pictures, pictures[1:] + pictures[:1], strict=True)
    ]
    assert min(steps) > 1
    assert max(steps) < 3 * min(steps)


def test_film_keeps_every_picture_and_repeats(tmp_path: Path) -> None:
    pictures = [np.full((20, 30, 3), level, np.uint8) for level in (10, 90, 200)]
    make_film.write_film(tmp_path / "images" / "film.webp", pictures, 40)
    with Image.open(tmp_path / "images" / "film.webp") as movie:
        assert movie.info["loop"] == 0
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(movie)]
        assert movie.info["duration"] == 40
    np.testing.assert_allclose(frames, pictures, atol=3)
