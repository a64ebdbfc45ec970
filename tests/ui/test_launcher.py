from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.io.images import read_image
from napari_colorkde.io.sample_data import sample_path
from napari_colorkde.io.volumes import load_volume

pytestmark = pytest.mark.window


def run(code: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own: the launcher makes the application."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, check=False
    )


def test_the_demo_writes_density_volume_and_a_picture_of_the_window(tmp_path: Path) -> None:
    folder = tmp_path / "demo-output"
    done = run(f"from napari_colorkde.ui.launcher import run_demo; run_demo({str(folder)!r})")
    assert done.returncode == 0, done.stderr
    image = read_image(sample_path("coffee.png"))
    kde = ColorKDE(image)
    density = tifffile.imread(folder / "coffee-density.tif")
    np.testing.assert_allclose(density, kde.density(image, log=True), rtol=1e-5, atol=1e-3)
    volume = load_volume(folder / "coffee-volume.npz")
    np.testing.assert_allclose(
        volume.values, kde.volume().values, atol=1e-6 * volume.values.max(), rtol=0
    )
    # The cloud is in the picture: the right column's upper half has saturated colors.
    picture = iio.imread(folder / "coffee-window.png")[..., :3].astype(int)
    height, width = picture.shape[:2]
    cube = picture[height // 20 : height // 2, -width // 3 :]
    assert ((cube.max(-1) - cube.min(-1)) > 120).mean() > 0.005
    for words in ("device: ", "colors", "volume 128 × 128 × 128", "window.png: "):
        assert words in done.stdout


def test_an_image_opens_with_the_plugin_docked(tmp_path: Path) -> None:
    path = tmp_path / "photo.npy"
    np.save(path, np.random.default_rng(0).integers(0, 99, (40, 50, 3)).astype(np.uint8))
    other = tmp_path / "other.npy"
    np.save(other, np.zeros((40, 50, 3), np.uint8))
    done = run(
        "import sys\n"
        "from qtpy.QtCore import QCoreApplication\n"
        "from napari_colorkde.ui import launcher\n"
        "import napari\n"
        "def run():\n"
        "    viewer = napari.current_viewer()\n"
        "    print('torch' in sys.modules)\n"
        "    while launcher.DOCK_NAME not in viewer.window.dock_widgets:\n"
        "        QCoreApplication.processEvents()\n"
        "    widget = viewer.window.dock_widgets[launcher.DOCK_NAME]\n"
        "    widget.session.wait()\n"
        "    print([layer.name for layer in viewer.layers])\n"
        "    viewer.close()\n"
        "napari.run = run\n"
        f"launcher.open_images([{str(path)!r}, {str(other)!r}])\n"
    )
    assert done.returncode == 0, done.stderr
    # The window with its pictures is there before torch, which takes seconds, is imported.
    assert done.stdout.splitlines()[0] == "False"
    assert "['other', 'photo', 'photo density']" in done.stdout
