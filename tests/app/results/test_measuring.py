from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_colorkde.app.background.executor import SynchronousExecutor
from napari_colorkde.app.results.measuring import Measuring
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.cli import main
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.csv_files import read_rows
from napari_colorkde.io.images import read_image
from napari_colorkde.io.kernels.kernel_files import save_kernels
from tests.app.layers.test_overlay import RGB, Setting

STAINS = KernelSet(
    [
        Kernel([50, 60, 60], [90, 90, 90], 1, cls="brown"),
        Kernel([70, 60, 60], [90, 90, 90], 2, cls="blue"),
    ],
    "stains",
)


class Measured(Setting):
    remark = ""

    def __init__(self) -> None:
        super().__init__()
        self.table = ResultsTable()
        self.measuring = Measuring(
            self.viewer, self.session, self.overlay, self.table, SynchronousExecutor()
        )
        self.failed: list[str] = []
        self.measuring.failed.connect(self.failed.append)


@pytest.fixture
def measured() -> Iterator[Measured]:
    measured = Measured()
    yield measured
    measured.measuring.close()
    measured.overlay.close()
    measured.session.close()


def test_rows_are_those_of_the_command_line(measured: Measured, tmp_path: Path) -> None:
    np.save(tmp_path / "photo.npy", RGB)
    save_kernels(tmp_path / "k.json", {"stains": STAINS})
    words = ["measure", str(tmp_path / "photo.npy"), "--kernels", str(tmp_path / "k.json")]
    words += ["--prior", "brown=0.3", "--keep-mass", "0.9", "-o", str(tmp_path / "t.csv")]
    labels = np.zeros(RGB.shape[:2], np.uint8)
    labels[3:9], labels[12:, 4:] = 1, 7
    np.save(tmp_path / "labels.npy", labels)
    measured.show(read_image(tmp_path / "photo.npy"))
    measured.session.kernels = STAINS
    measured.session.set_classification(show="class", priors={"brown": 0.3}, keep_mass=0.9)
    for regions in (None, measured.viewer.add_labels(labels)):
        more = [] if regions is None else ["--regions", str(tmp_path / "labels.npy")]
        assert main([*words, *more]) == 0
        measured.table.clear()
        measured.measuring.regions = regions
        measured.measuring.add()
        wanted = read_rows(tmp_path / "t.csv")
        assert [row["class"] for row in wanted[:3]] == ["brown", "blue", "none"]
        assert measured.table.columns == list(wanted[0])
        for row, other in zip(measured.table.rows, wanted, strict=True):
            assert row["image"] == "photo"
            for name in ("region", "class", "pixels"):
                assert str(row[name]) == other[name]
            for name in ("fraction", "mean_r", "mean_log_likelihood", "entropy"):
                number = float("nan") if row[name] is None else row[name]
                assert number == pytest.approx(float(other[name] or "nan"), nan_ok=True)


def test_rows_follow_what_one_does_once_they_are_there(measured: Measured) -> None:
    measured.show()
    measured.session.kernels = STAINS
    assert measured.table.rows == ()
    measured.measuring.add()
    before = measured.table.rows
    assert [row["class"] for row in before] == ["brown", "blue", "none"]
    measured.session.set_classification(show="posterior", priors={"brown": 0.9})
    after = measured.table.rows
    assert after[0]["pixels"] > before[0]["pixels"]
    measured.measuring.follows = False
    measured.session.set_classification(priors={"brown": 0.1})
    assert measured.table.rows == after
    measured.session.show = "kde"
    measured.measuring.follows = True
    measured.session.bandwidth = 3
    (row,) = measured.table.rows
    assert (row["class"], row["pixels"]) == ("", RGB.shape[0] * RGB.shape[1])


def test_rows_follow_the_layer_of_regions_and_what_is_drawn_there(measured: Measured) -> None:
    measured.show()
    halves = np.ones(RGB.shape[:2], np.uint8)
    halves[10:] = 2
    first = measured.viewer.add_labels(halves)
    second = measured.viewer.add_labels(np.ones(RGB.shape[:2], np.uint8))
    measured.measuring.regions = first
    measured.measuring.add()
    assert [row["region"] for row in measured.table.rows] == ["1", "2"]
    measured.measuring.regions = second
    assert [row["region"] for row in measured.table.rows] == ["1"]
    second.data_setitem((np.arange(3), np.zeros(3, int)), 7)
    assert [(row["region"], row["pixels"]) for row in measured.table.rows][1:] == [("7", 3)]
    # Not while it does not follow; then at once.
    measured.measuring.follows = False
    measured.measuring.regions = first
    assert measured.table.rows[1]["region"] == "7"
    measured.measuring.follows = True
    assert [row["region"] for row in measured.table.rows] == ["1", "2"]
    measured.viewer.layers.remove(first)
    assert measured.measuring.regions is None
    assert measured.failed == []


def test_every_image_of_a_session_keeps_its_rows(measured: Measured) -> None:
    measured.show()
    measured.measuring.add()
    image = measured.show(RGB // 2, name="dark", scale=(2, 2), units=("um", "um"))
    measured.measuring.add()
    assert [row["image"] for row in measured.table.rows] == ["photo", "dark"]
    assert measured.table.rows[1]["area"] == 4 * image.data.shape[0] * image.data.shape[1]
    assert measured.table.rows[1]["area_unit"] == "µm²"
    measured.overlay.attach(measured.viewer.layers["photo"])
    measured.session.kernels = STAINS
    assert [row["image"] for row in measured.table.rows] == ["photo"] * 3 + ["dark"]


def test_what_cannot_be_measured_is_said(measured: Measured) -> None:
    with pytest.raises(ValueError, match="there is no image"):
        measured.measuring.add()
    measured.show()
    measured.measuring.regions = measured.viewer.add_labels(np.ones((4, 5), np.uint8), name="few")
    with pytest.raises(ValueError, match="'few' is 4 × 5 pixels, the image 20 × 30; choose labels"):
        measured.measuring.add()
    measured.measuring.regions = measured.viewer.add_labels(np.zeros(RGB.shape[:2], np.uint8))
    measured.measuring.add()
    assert measured.failed == ["labels are all 0; give each region a number of 1 or more."]
    assert measured.table.rows == ()


def test_shapes_are_regions(measured: Measured) -> None:
    movie = np.stack([RGB, RGB // 2])
    measured.show(movie, rgb=True, scale=(1, 2, 2))
    rectangle = np.array([[1, 3.2, 5.2], [1, 3.2, 20.4], [1, 14.4, 20.4], [1, 14.4, 5.2]])
    line = np.array([[1, 2, 2], [1, 8, 9]])
    shapes = measured.viewer.add_shapes(ndim=3)
    shapes.add([rectangle, line, rectangle * (0, 1, 1)], shape_type=["polygon", "line", "polygon"])
    measured.measuring.regions = shapes
    measured.measuring.add()
    inside = np.s_[2:8, 3:11]  # centers of pixels, twice as large
    assert [row["region"] for row in measured.table.rows] == ["1", "2"]
    for row, frame in zip(measured.table.rows, (1, 0), strict=True):
        assert row["pixels"] == 6 * 8
        assert row["mean_r"] == pytest.approx(movie[frame][inside][..., 0].mean())
    # Of a single frame, those that lie in it.
    measured.table.clear()
    measured.overlay.per_frame = True
    measured.measuring.add()
    (row,) = measured.table.rows
    assert (row["frame"], row["region"]) == ("0", "2")
    shapes.data = [shapes.data[0]]
    measured.measuring.add()
    assert "there is no pixel of the image inside these shapes" in measured.failed[-1]
