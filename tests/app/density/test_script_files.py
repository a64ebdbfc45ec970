"""Scripts and commands of layers that napari has read otherwise than `read_image` does."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde import ColorKDE
from napari_colorkde.app.density.command import command_line
from napari_colorkde.app.density.script import python_script
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.state import State
from napari_colorkde.cli import main
from tests import hard_files


def source_of_file(path: Path, array: NDArray[Any], axis: int | None = None) -> ImageSource:
    indices = () if axis is None else tuple(range(min(array.shape[axis], 3)))
    channels = Channels(tuple("abc")[: len(indices) or 1], axis, indices)
    return ImageSource("a", {"a": array}, False, (channels,), path=str(path))


def run(script: str) -> NDArray[Any]:
    names: dict[str, Any] = {}
    exec(script, names)
    return np.asarray(names["density"])


def test_planes_of_colors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case = hard_files.planar_rgb(tmp_path)
    planes = tifffile.imread(case["file"])
    source = source_of_file(Path(case["file"]), planes, axis=0)
    colors = np.moveaxis(planes, 0, -1)
    expected = ColorKDE(colors).density(colors, log=True)
    np.testing.assert_allclose(run(python_script(State(), source)), expected, rtol=1e-6)
    assert main(shlex.split(command_line(State(), source))[1:]) == 0
    (written,) = tmp_path.glob("*-density.tif")
    np.testing.assert_allclose(tifffile.imread(written), expected, rtol=1e-6)


def test_entries_of_a_palette(tmp_path: Path) -> None:
    case = hard_files.palette_eight_bit_table(tmp_path)
    index = tifffile.imread(tmp_path / case["file"])
    source = source_of_file(tmp_path / case["file"], index)
    expected = ColorKDE(index).density(index, log=True)
    np.testing.assert_allclose(run(python_script(State(), source)), expected, rtol=1e-6)
    with pytest.raises(
        ValueError, match="differently than a command would; copy the Python script"
    ):
        command_line(State(), source)


def test_gray_with_alpha(tmp_path: Path) -> None:
    pair = np.random.default_rng(2).integers(0, 256, (9, 8, 2), dtype=np.uint8)
    Image.fromarray(pair, mode="LA").save(tmp_path / "a.png")
    array = iio.imread(tmp_path / "a.png")
    axis = 2 if array.ndim == 3 else None
    source = source_of_file(tmp_path / "a.png", array, axis)
    expected = ColorKDE(array).density(array, log=True)
    np.testing.assert_allclose(run(python_script(State(), source)), expected, rtol=1e-6)


def test_pictures_that_are_marked_as_turned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gray = np.random.default_rng(3).integers(0, 256, (9, 8), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(gray).save("a.png", exif=exif)
    source = source_of_file(Path("a.png"), gray)
    script = python_script(State(), source)
    assert "orientation='keep'" in script
    assert run(script).shape == gray.shape
    words = shlex.split(command_line(State(), source))[1:]
    assert words[words.index("--orientation") + 1] == "keep"
    assert main(words) == 0
    assert tifffile.imread("a-density.tif").shape == gray.shape


def test_a_layer_whose_data_was_replaced_is_saved_first(tmp_path: Path) -> None:
    gray = np.arange(72, dtype=np.uint8).reshape(9, 8)
    np.save(tmp_path / "a.npy", gray)
    source = source_of_file(tmp_path / "a.npy", 255 - gray)
    for text in (python_script(State(), source), command_line(State(), source)):
        assert "a.npy" not in text
        assert "a.tif" in text
    assert "# Save the layer 'a' under this name first." in python_script(State(), source)
