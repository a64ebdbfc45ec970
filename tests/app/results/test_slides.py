"""What the window makes of a slide: block by block what it makes of the same picture in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.background.callback_progress import told_progress
from napari_colorkde.app.density.command import command_line
from napari_colorkde.app.density.script import python_script
from napari_colorkde.app.image.file_as_layer import open_image_file
from napari_colorkde.app.image.pixels import pixel_blocks, pyramid_strides
from napari_colorkde.app.image.source import ImageSource, source_of_array
from napari_colorkde.app.layers.mask_layer import paint_labels
from napari_colorkde.app.results.batch_images import image_of_file, image_of_layer
from napari_colorkde.app.results.export_everything import export_items
from napari_colorkde.app.results.image_work import ImageWork, do_image
from napari_colorkde.app.results.measure_image import ClassChoices, MeasureRequest, measure_image
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.app.session import Session
from napari_colorkde.cli import main
from napari_colorkde.core.classification.regions import regions_of_labels
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.datasets import memory
from napari_colorkde.io.formats import blocks
from napari_colorkde.io.formats.resumable import unfinished_of
from napari_colorkde.io.images import read_image
from tests.slides import pyramid, slide_pixels, write_ome_zarr, write_svs

PIXELS = slide_pixels(192, 160)
LEVELS = pyramid(PIXELS)
KERNELS = KernelSet(
    [
        Kernel([140, 130, 120], [200, 200, 200], 0.5, cls="dark"),
        Kernel([190, 170, 150], [200, 200, 200], 0.5, cls="light"),
    ],
    "k",
)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, and a budget for the index, that are a part of the slide."""
    monkeypatch.setattr(pyramid_strides, "INDEX_BYTES", 30_000)
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 1 << 13)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 64)
    monkeypatch.setattr(pixel_blocks, "BLOCK_ROWS", 64)


def opened(path: Path) -> ImageSource:
    data: Any = open_image_file(path).data
    return replace(source_of_array(data[0]), path=str(path))


def look_at(path: Path) -> Session:
    """Return a session that looks at a slide, which is written first."""
    (write_svs if path.suffix == ".svs" else write_ome_zarr)(path, LEVELS)
    session = Session()
    session.open(opened(path))
    session.wait()
    assert session.index is not None
    assert session.index.cached_stride > 1
    return session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session that looks at a slide."""
    return look_at(tmp_path / "s.svs")


def whole() -> Session:
    session = Session()
    session.open(source_of_array(PIXELS))
    return session


@pytest.mark.parametrize(
    ("show", "suffix"), [("kde", ".ome.tif"), ("class", ".zarr"), ("class", ".tif")]
)
def test_exports_of_a_slide_are_those_of_the_picture(
    session: Session, tmp_path: Path, suffix: str, show: str
) -> None:
    other = whole()
    for name, each in (("a", session), ("b", other)):
        if show == "class":
            each.kernels = KERNELS
            each.set_classification(show="class")
        each.export(tmp_path / f"{name}{suffix}")
        each.wait()
    found, wanted = (read_image(tmp_path / f"{name}{suffix}") for name in "ab")
    assert found.shape == PIXELS.shape[:2]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("name", ["s.svs", "s.zarr"])
def test_scripts_and_commands_of_a_slide_read_it_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    session = look_at(tmp_path / name)
    assert session.source is not None
    assert session.densities is not None
    assert session.index is not None
    script = python_script(session.state, session.source)
    assert "lazy=True" in script
    names: dict[str, Any] = {}
    exec(script, names)
    wanted = np.empty(PIXELS.shape[:2], np.float32)
    for _ in session.index.paint(session.densities.values, wanted):
        pass
    np.testing.assert_allclose(np.asarray(names["density"]), wanted, rtol=1e-4)
    monkeypatch.chdir(tmp_path)
    line = command_line(session.state, session.source)
    assert main(line.split()[1:]) == 0
    name = line.split()[line.split().index("-o") + 1]
    assert name == "s-density.ome.tif"
    np.testing.assert_allclose(np.squeeze(read_image(name)), wanted, rtol=1e-4)


def test_labels_and_held_out_blocks_that_do_not_fit_are_refused(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session.index is not None
    chosen = np.ones(len(session.index.palette), np.uint8)
    *_, labels = paint_labels(session.index, chosen)
    assert np.asarray(labels).all()
    monkeypatch.setattr(memory, "available_bytes", lambda: 50_000)
    with pytest.raises(ValueError, match="labels of this image would take 30"):
        list(paint_labels(session.index, chosen))


def test_a_batch_reads_and_writes_slides_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_svs(tmp_path / "s.svs", LEVELS)
    labels = np.zeros(PIXELS.shape[:2], np.uint8)
    labels[20:100, 30:90], labels[150:, 100:] = 1, 2
    np.save(tmp_path / "regions.npy", labels)
    state = whole().state
    work = ImageWork(state, True, False, Session().device)
    source = source_of_array(PIXELS)
    rows = []
    for lazy in (False, True):
        monkeypatch.setattr(blocks, "LAZY_PIXELS", 1000 if lazy else 1 << 28)
        image = image_of_layer(source, source.choices[0])
        if lazy:
            image = image_of_file(path, None, None)
        steps = do_image(image, work, tmp_path / f"{lazy}.zarr", tmp_path / "regions.npy")
        try:
            while True:
                next(steps)
        except StopIteration as end:
            rows.append([{k: r[k] for k in ("region", "pixels", "mean_r")} for r in end.value])
    assert rows[0] == rows[1]
    assert [row["pixels"] for row in rows[0]] == [80 * 60, 42 * 60]
    one, other = (read_image(tmp_path / f"{lazy}.zarr") for lazy in (False, True))
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_what_was_stopped_is_gone_on_with_where_the_file_is_known(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session.source is not None
    assert session.densities is not None
    target = tmp_path / "d.zarr"
    (item, *_) = export_items(session, ResultsTable())
    steps = item.write(target)
    next(steps)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert not target.exists()
    place = unfinished_of(target)
    assert place is not None
    (place / "done").write_text((place / "done").read_text() + "0:5\n")
    list(item.write(target))
    # The block that the journal names is not made again.
    with pytest.warns(UserWarning, match="1 of .* chunks that were never written"):
        assert (read_image(target) == 0).any()
    assert unfinished_of(target) is None


def test_work_that_calls_back_ends_when_it_is_stopped() -> None:
    done: list[float] = []

    def work(tell: Callable[[float], None]) -> None:
        for number in range(1000):
            tell(number / 1000)
            done.append(number)

    steps = told_progress("counting", work)
    assert [next(steps).fraction for _ in range(3)] == [0.0, 0.001, 0.002]
    steps.close()  # type: ignore[attr-defined]
    assert len(done) <= 1000

    def fails(tell: Callable[[float], None]) -> None:
        tell(0.5)
        raise OSError("the disk is full.")

    with pytest.raises(OSError, match="the disk is full"):
        list(told_progress("writing", fails))


def test_regions_of_a_slide_are_measured_block_by_block(session: Session) -> None:
    labels = np.zeros(PIXELS.shape[:2], np.uint8)
    labels[20:100, 30:90], labels[150:, 100:] = 1, 2
    other, rows = whole(), []
    other.wait()
    for each in (session, other):
        assert each.source is not None
        assert each.channels is not None
        assert each.index is not None
        choices = ClassChoices({"k": KERNELS})
        request = MeasureRequest(
            each.source,
            each.channels,
            each.index,
            choices,
            None,
            lambda index: regions_of_labels(labels),
            each.device,
        )
        *_, found = measure_image(request)
        assert isinstance(found, list)
        rows.append([(r["region"], r["class"], r["pixels"], r["mean_r"]) for r in found])
    assert str(rows[0]) == str(rows[1])  # NaN, too
    assert sum(row[2] for row in rows[0]) == 80 * 60 + 42 * 60
