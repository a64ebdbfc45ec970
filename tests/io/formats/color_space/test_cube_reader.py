"""Looks are read and applied as OpenColorIO does; graded looks keep dense colors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PyOpenColorIO
import pytest
import tifffile

from napari_colorkde import Palette, color_kde, read_image, read_look
from napari_colorkde.cli import main
from napari_colorkde.io.formats.color_space.cube_reader import Look
from napari_colorkde.io.provenance import LOOK, provenance
from napari_colorkde.io.volumes import save_volume

RANDOM = np.random.default_rng(9)
TABLE = RANDOM.random((5, 5, 5, 3))
IMAGE = RANDOM.integers(0, 256, (12, 17, 3), dtype=np.uint8)


def write_cube(path: Path, table: np.ndarray, *lines: str) -> Path:
    kind = "3D" if table.ndim == 4 else "1D"
    rows = table.transpose(2, 1, 0, 3).reshape(-1, 3) if table.ndim == 4 else table
    text = [f"LUT_{kind}_SIZE {len(table)}", *lines, "", "# a remark"]
    text += [" ".join(f"{number:.10f}" for number in row) for row in rows]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def by_ocio(path: Path, colors: np.ndarray) -> np.ndarray:
    transform = PyOpenColorIO.FileTransform(str(path))
    transform.setInterpolation(PyOpenColorIO.INTERP_LINEAR)
    config = PyOpenColorIO.Config.CreateRaw()
    processor = config.getProcessor(transform).getDefaultCPUProcessor()
    flat = colors.reshape(-1, 3)
    return np.array([processor.applyRGB(color.tolist()) for color in flat]).reshape(colors.shape)


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (TABLE, ('TITLE "warm"',)),
        (TABLE, ("DOMAIN_MIN 0.1 0.1 0.1", "DOMAIN_MAX 0.8 0.8 0.8")),
        (RANDOM.random((7, 3)), ()),
    ],
    ids=["3-D", "domain", "1-D"],
)
def test_colors_are_graded_as_another_program_does(
    tmp_path: Path, table: np.ndarray, lines: tuple[str, ...]
) -> None:
    path = write_cube(tmp_path / "a.cube", table, *lines)
    look = read_look(path)
    colors = RANDOM.random((6, 7, 3))
    wanted = by_ocio(path, colors)
    np.testing.assert_allclose(look.apply(colors), wanted, atol=2e-5)
    graded = look.apply(np.concatenate([colors, np.full((6, 7, 1), 0.3)], axis=-1))
    np.testing.assert_array_equal(graded[..., 3], 0.3)
    for dtype in (np.uint8, np.uint16):
        white = np.iinfo(dtype).max
        levels = np.rint(colors * white).astype(dtype)
        found = look.apply(levels)
        assert found.dtype == dtype
        expected = by_ocio(path, levels / white) * white
        assert np.abs(found - expected).max() <= 0.5 + 2e-5 * white
    assert look.title == ("warm" if "warm" in "".join(lines) else "")


def test_a_palette_is_graded_as_its_image_is() -> None:
    dim = Look(np.stack([np.linspace(0, 0.02, 2)] * 3, axis=-1))
    found = dim.apply_to_palette(Palette.from_image(IMAGE))
    assert found == Palette.from_image(dim.apply(IMAGE))
    assert len(found) < len(Palette.from_image(IMAGE))
    with pytest.raises(ValueError, match="palette has 1 channel;"):
        dim.apply_to_palette(Palette.from_image(IMAGE[..., 0]))
    with pytest.raises(ValueError, match="red, green and blue"):
        dim.apply(IMAGE[..., 0])
    with pytest.raises(TypeError, match="image holds int64"):
        dim.apply(IMAGE.astype(np.int64))


def test_what_is_not_finite_stays_so() -> None:
    colors = np.array([[0.5, 0.5, np.nan], [0.5, 2.0, -1.0]])
    found = Look(TABLE).apply(colors)
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], Look(TABLE).apply(np.array([0.5, 1.0, 0.0])))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no LUT_3D_SIZE"),
        ("LUT_3D_SIZE 2\n0 0 0\n", "has 1 colors, but its size asks for 8"),
        ("LUT_3D_SIZE 1\n", "line 1 has the size '1'; use 2 to 256"),
        ("LUT_3D_SIZE x\n", "line 1 has the size 'x'"),
        ("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n", "line 2 has a second size"),
        ("LUT_1D_SIZE 2\n0 0\n", "line 2 has '0 0'; give 3 finite numbers"),
        ("LUT_1D_SIZE 2\n0 0 nan\n", "line 2 has '0 0 nan'"),
        ("LUT_1D_SIZE 2\nDOMAIN_MIN 1 1 1\n0 0 0\n1 1 1\n", "the lowest must be below"),
    ],
)
def test_what_is_no_look_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "a.cube"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        read_look(path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_look(tmp_path / "b.cube")
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ValueError, match="is not a text file"):
        read_look(path)


def test_a_graded_look_keeps_what_is_dense(tmp_path: Path) -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[..., 0], image[..., 1] = 192, 64
    image[:2] = [64, 64, 192]
    path = tmp_path / "a.cube"
    volume = color_kde(image, 16, bins=17, extent=(0, 255))
    save_volume(path, volume, description=provenance(**{LOOK: "graded"}))
    look = read_look(path)
    common, rare, none = look.apply(np.array([[0.75, 0.25, 0.0], [0.25, 0.25, 0.75], [0, 1, 0.0]]))
    np.testing.assert_allclose(common, [0.75, 0.25, 0.0], atol=0.02)
    assert np.ptp(rare) < 0.2
    np.testing.assert_allclose(none, [0.7152] * 3, atol=1e-4)


def test_the_command_line_grades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("a.tif", IMAGE, photometric="rgb")
    look = read_look(write_cube(Path("g.cube"), TABLE))
    assert main(["look", "a.tif", "g.cube", "-o", "out.png", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    graded = look.apply(IMAGE)
    np.testing.assert_array_equal(read_image("out.png"), graded)
    assert printed["after"]["colors"] == len(Palette.from_image(graded))
    assert printed["after"]["g"] == pytest.approx(graded[..., 1].mean())
    assert 0 < printed["js"] < np.log(2)
    assert main(["look", "a.tif", "g.cube", "-o", "out.tif"]) == 0
    assert capsys.readouterr().out.split()[:3] == ["colors", "mean", "r"]
    # Every command sees what the look does.
    words = ["volume", "a.tif", "--bins", "17", "--bandwidth", "20"]
    assert main([*words, "--look", "g.cube", "-o", "v.npy"]) == 0
    wanted = color_kde(graded, 20, bins=17, extent=(0, 255)).values
    np.testing.assert_allclose(np.load("v.npy"), wanted, rtol=1e-5)
    assert main([*words, "-o", "m.cube", "--cube", "graded"]) == 0
    assert read_look("m.cube").table.shape == (17, 17, 17, 3)
    assert main(["volume", "a.tif", "-o", "m.npy", "--cube", "graded"]) == 2
    tifffile.imwrite("gray.tif", IMAGE[..., 0])
    assert main(["volume", "gray.tif", "--look", "g.cube", "-o", "v.npy"]) == 2
    assert "the image is gray" in capsys.readouterr().err
