"""Figures for papers: sizes, parts, formats, and colors for color-blind readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_colorkde.app.layers.overlay_colormap import CLASS_COLORS
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.scene.density.volume import NEGATIVE, POSITIVE
from napari_colorkde.scene.figure import straight_alpha
from napari_colorkde.ui.pictures.dialog import PictureDialog, PictureSettings, save_picture
from tests.scene.conftest import AXIS, RGB, blob

pytestmark = pytest.mark.window

SIZE = PictureSettings(size_cm=(5.08, 4.064), dpi=100)  # 200 × 160 pixels


@pytest.fixture
def filled(qapp: Any) -> Iterator[Any]:
    """A canvas that was never shown, with a blob of red."""
    canvas = ColorSpaceCanvas("gray")
    canvas.native.resize(430, 360)
    canvas.set_volume(blob(200, 40, 40, sigma=30), (AXIS,) * 3, RGB)
    yield canvas
    canvas.close()


def written(canvas: Any, path: Path, **settings: Any) -> np.ndarray:
    chosen = {"size_cm": SIZE.size_cm, "dpi": SIZE.dpi, **settings}
    save_picture(canvas, path, PictureSettings(**chosen))
    return np.asarray(iio.imread(path))


def test_pictures_have_the_size_on_paper_that_was_asked_for(filled: Any, tmp_path: Path) -> None:
    assert written(filled, tmp_path / "a.png").shape == (160, 200, 4)
    assert written(filled, tmp_path / "b.png", dpi=200).shape == (320, 400, 4)
    assert written(filled, tmp_path / "c.png", title="A photograph").shape == (160, 200, 4)
    save_picture(filled, tmp_path / "d.tif", SIZE)
    with tifffile.TiffFile(tmp_path / "d.tif") as file:
        page = file.pages[0]
        assert page.shape == (160, 200, 4)
        assert page.tags["XResolution"].value == (100, 1)
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "d.tif"), iio.imread(tmp_path / "a.png")
    )


def test_parts_can_be_left_out(filled: Any, tmp_path: Path) -> None:
    size = (10.16, 8.128)  # 400 × 320 pixels: there is room for a legend
    whole, bare, untitled = (
        written(filled, tmp_path / f"{name}.png", size_cm=size, **parts).astype(int)[..., :3]
        for name, parts in (
            ("whole", {"title": "A photograph"}),
            ("bare", {"axes": False, "legend": False}),
            ("untitled", {}),
        )
    )
    corner, middle = np.s_[5:40, 20:140], np.s_[2:22, 150:250]
    assert (bare[corner] == 255).all()
    assert untitled[corner].min() < 200
    assert untitled[middle].min() > 200
    assert whole[middle].min() < 100
    # What was on the canvas is there again.
    assert filled.legend_shown
    assert filled.frame in filled.elements


def test_transparent_pictures_give_what_is_seen_before_any_background(
    filled: Any, tmp_path: Path
) -> None:
    parts = {"axes": False, "legend": False}
    rgba = written(filled, tmp_path / "t.png", background="transparent", **parts).astype(float)
    assert rgba[0, 0, 3] == 0
    assert rgba[..., 3].max() > 150
    for background in ("gray", "dark", "white"):
        solid = written(filled, tmp_path / "s.png", background=background, **parts).astype(float)
        alpha = rgba[..., 3:] / 255
        blended = alpha * rgba[..., :3] + (1 - alpha) * solid[0, 0, :3]
        assert np.abs(blended - solid[..., :3]).max() < 4


def test_straight_alpha_is_what_was_put_over_black_and_white() -> None:
    rng = np.random.default_rng(0)
    color, alpha = rng.uniform(0, 255, (50, 3)), rng.uniform(0.1, 1, (50, 1))
    found = straight_alpha(alpha * color, alpha * color + 255 * (1 - alpha))
    np.testing.assert_allclose(found, np.hstack([color, 255 * alpha]), atol=0.51)


def test_vectors_have_lines_and_texts_and_a_picture_of_the_cloud(
    filled: Any, tmp_path: Path
) -> None:
    save_picture(filled, tmp_path / "f.svg", PictureSettings((10, 8), 100, title="Title"))
    text = (tmp_path / "f.svg").read_text()
    for word in ("Title", ">R<", ">G<", ">B<", "<image", "polyline"):
        assert word in text.replace("\n", ""), word
    save_picture(filled, tmp_path / "f.pdf", SIZE)
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match=r"'\.jpg'"):
        save_picture(filled, tmp_path / "f.jpg", SIZE)


def test_the_dialog_proposes_the_view_and_tells_the_pixels(qtbot: Any) -> None:
    dialog = PictureDialog((400, 300), "photo")
    qtbot.addWidget(dialog)
    assert dialog.settings == PictureSettings((8.5, 6.4), 300)
    assert dialog.pixels.text() == "1004 × 756 pixels"
    dialog.width_box.setValue(17)
    assert dialog.pixels.text() == "2008 × 756 pixels"
    dialog.background_box.setCurrentText("transparent")
    dialog.legend_box.setChecked(False)
    assert dialog.settings.background == "transparent"
    assert not dialog.settings.legend


# Viénot, Brettel and Mollon (1999), Color Res. Appl. 24, 243: linear RGB as protanopes and
# deuteranopes see it.
BLIND = {
    "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def seen(colors: Any, kind: str) -> np.ndarray:
    """Return sRGB colors (N, 3) in 0..1 in CIELAB as a color-blind reader sees them."""
    from skimage.color import rgb2lab

    colors = np.asarray(colors, dtype=float)
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    mapped = np.clip(linear @ np.array(BLIND[kind]).T, 0, 1)
    encoded = np.where(mapped <= 0.0031308, 12.92 * mapped, 1.055 * mapped ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(encoded))


@pytest.mark.parametrize("kind", BLIND)
def test_color_blind_readers_tell_differences_and_classes_apart(kind: str) -> None:
    more, less = seen([POSITIVE, NEGATIVE], kind)
    assert np.linalg.norm(more - less) > 40
    classes = seen(np.array(CLASS_COLORS) / 255, kind)
    distances = np.linalg.norm(classes[:, np.newaxis] - classes, axis=-1)
    first_four = distances[:4, :4][~np.eye(4, dtype=bool)]
    assert first_four.min() > 15
    assert distances[~np.eye(len(classes), dtype=bool)].min() > 8
