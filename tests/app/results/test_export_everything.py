from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.results.export_everything import export_items, write_everything
from napari_colorkde.app.results.export_pixels import ExportItem
from napari_colorkde.app.session_file import load_state
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.io.csv_files import read_rows
from napari_colorkde.io.kernels.kernel_files import read_kernels
from napari_colorkde.io.palettes import load_palette
from napari_colorkde.io.volumes import load_volume
from tests.app.layers.test_overlay import RGB
from tests.app.results.test_measuring import STAINS, Measured, measured

__all__ = ["measured"]


def written(items: list[ExportItem], folder: Path) -> dict[str, Path]:
    chosen = [(item, item.stem + item.suffixes[0]) for item in items]
    *_, last = write_everything(chosen, folder)
    assert last == folder
    return {item.title: folder / name for item, name in chosen}


def test_all_of_a_session_is_written_and_read_back(measured: Measured, tmp_path: Path) -> None:
    measured.show()
    session = measured.session
    session.kernels = STAINS
    session.set_classification(show="posterior", cls="blue", show_mask=True)
    measured.measuring.add()
    labels = np.arange(RGB.shape[0] * RGB.shape[1]).reshape(RGB.shape[:2]) % 7
    items = export_items(session, measured.table, {"my labels": labels}, (0.0, 1.0))
    files = written(items, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in files.values())
    posterior = np.asarray(measured.layer.data)
    found = tifffile.imread(files["probability of a class"])
    np.testing.assert_allclose(found, posterior, rtol=1e-6)
    classes = tifffile.imread(files["most likely class"])
    assert set(np.unique(classes)) == {1, 2}
    np.testing.assert_array_equal(tifffile.imread(files["marked pixels (blue)"]), posterior >= 0.5)
    np.testing.assert_array_equal(tifffile.imread(files["labels my labels"]), labels)
    volume = load_volume(files["volume"])
    assert session.estimate is not None
    np.testing.assert_array_equal(volume.values, session.estimate.volume.values)
    assert read_kernels(files["kernels"])[0]["stains"] == STAINS
    assert len(read_rows(files["results"])) == 3
    assert load_state(files["settings"]) == session.state
    assert load_palette(files["palette"]) == Palette.from_image(RGB)
    for item in items:
        size = files[item.title].stat().st_size
        assert size < 3 * item.size(item.suffixes[0]) + 20_000


@pytest.mark.parametrize(
    "image",
    [RGB, RGB[..., 0], RGB / np.float32(255), RGB[..., :2], np.stack([RGB] * 2)],
    ids=["RGB", "gray", "floats", "two channels", "stack"],
)
def test_every_format_that_is_offered_can_be_written(
    measured: Measured, tmp_path: Path, image: np.ndarray
) -> None:
    if image.shape[-1] == 2:
        measured.show(np.moveaxis(image, -1, 0), axis_labels=("c", "y", "x"))
    else:
        measured.show(image)
    if image is RGB:
        measured.session.kernels = STAINS
    for item in export_items(measured.session, measured.table):
        names = [(item, f"{n}{suffix}") for n, suffix in enumerate(item.suffixes)]
        list(write_everything(names, tmp_path))
        assert all((tmp_path / name).exists() for _, name in names)


def test_one_that_fails_leaves_all_as_it_was(measured: Measured, tmp_path: Path) -> None:
    measured.show()

    def fail(path: Path) -> Iterator[Progress]:
        yield Progress("writing")
        raise OSError("the disk is full.")

    items = export_items(measured.session, measured.table)
    (tmp_path / "photo_density.tif").write_text("mine")
    broken = ExportItem("broken", "broken", (".x",), {"": 1}, fail)
    with pytest.raises(OSError, match="the disk is full"):
        written([*items, broken], tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["photo_density.tif"]
    assert (tmp_path / "photo_density.tif").read_text() == "mine"

    def forget(path: Path) -> Iterator[Progress]:
        yield Progress("writing")

    # What is put in its place and then taken back.
    with pytest.raises(FileNotFoundError):
        written([*items, ExportItem("none", "none", (".x",), {"": 1}, forget)], tmp_path)
    assert (tmp_path / "photo_density.tif").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["photo_density.tif"]
    written(items, tmp_path)
    assert tifffile.imread(tmp_path / "photo_density.tif").shape == RGB.shape[:2]


def test_without_an_image_there_are_settings(measured: Measured) -> None:
    items = export_items(measured.session, measured.table)
    assert [item.title for item in items] == ["settings"]
