"""The large photograph: one of 17.9 megapixels, or a tiling of a sample of about that size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.images import read_image
from napari_colorkde.io.sample_data import sample_path

DEBIAN = Path("/usr/share/backgrounds/mate/abstract/Elephants_5640x3172.jpg")
"""From Debian's package `mate-backgrounds`: Wyng Stancikaite, GPL-2+."""

HEIGHT, WIDTH = 3172, 5640

QUICK_STRIDE = 8


@dataclass(frozen=True, slots=True)
class Photograph:
    """An 8-bit RGB image, the file it can be loaded from, and what it is."""

    image: NDArray[np.uint8]
    path: Path
    description: str


def load_photograph(folder: Path, *, quick: bool = False) -> Photograph:
    """Read or make the photograph, and keep it in `folder` as .npy for other processes.

    With `quick` every eighth pixel of it along both axes.
    """
    image: NDArray[Any]
    if DEBIAN.is_file():
        image = read_image(DEBIAN)
        what = f"`{DEBIAN.name}` of Debian's mate-backgrounds"
    else:
        tile = read_image(sample_path("astronaut.png"))
        down, right = -(-HEIGHT // tile.shape[0]), -(-WIDTH // tile.shape[1])
        image = np.tile(tile, (down, right, 1))[:HEIGHT, :WIDTH]
        what = "`astronaut.png` of the sample data, tiled (fewer colors than a photograph)"
    if quick:
        image = image[::QUICK_STRIDE, ::QUICK_STRIDE]
        what += f", every {QUICK_STRIDE}th pixel"
    image = np.ascontiguousarray(image)
    path = folder / "photograph.npy"
    np.save(path, image)
    height, width = image.shape[:2]
    size = f"{width} × {height} ({height * width / 1e6:.1f} megapixels)"
    return Photograph(image, path, f"Photograph: {what}, {size}")


def deep_photograph(photograph: Photograph, *, quick: bool = False) -> NDArray[np.uint16]:
    """Return a 12-bit RGB photograph of 12 megapixels: the same picture as a sensor sees it.

    Resampled without gaps between levels, with shot noise and read noise; nearly every pixel then
    has a color of its own.
    """
    height, width = (300, 400) if quick else (3000, 4000)
    down = np.linspace(0, photograph.image.shape[0] - 1, height)
    across = np.linspace(0, photograph.image.shape[1] - 1, width)
    corner = photograph.image[np.ix_(down.astype(int), across.astype(int))]
    electrons = corner.astype(np.float32) * np.float32(3600 / 255) + np.float32(128)
    noise = np.random.default_rng(0).standard_normal(electrons.shape, dtype=np.float32)
    electrons += noise * np.sqrt(np.float32(0.6) * electrons + np.float32(30))
    return np.clip(np.rint(electrons), 0, 4095).astype(np.uint16)
