from __future__ import annotations

import numpy as np

from napari_colorkde.app.kernels.kernel_colors import display_colors
from napari_colorkde.core.palette.palette import Palette


def test_levels_become_shares_of_white() -> None:
    np.testing.assert_allclose(
        display_colors([[255, 0, 300], [51, 102, -1]]), [[1, 0, 1], [0.2, 0.4, 0]]
    )


def test_the_palette_says_how_bright_white_is() -> None:
    palette = Palette.from_image(np.linspace(0, 1, 27, dtype=np.float32).reshape(3, 3, 3))
    np.testing.assert_allclose(display_colors([0.5, 0.5, 0.5], palette), [[0.5] * 3], atol=0.05)


def test_one_channel_is_gray_and_two_are_magenta_and_green() -> None:
    np.testing.assert_allclose(display_colors([51]), [[0.2, 0.2, 0.2]])
    np.testing.assert_allclose(display_colors([51, 102]), [[0.2, 0.4, 0.2]])
