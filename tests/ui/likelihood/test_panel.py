"""The tab "Likelihood": what is asked, what is shown, what a click does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QGuiApplication, QImage

from napari_colorkde.app.background.executor import SynchronousExecutor
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.io.datasets import read_dataset
from napari_colorkde.ui.likelihood.panel import LikelihoodPanel
from napari_colorkde.ui.widgets.curve_plot import CurvePlot, Points

DIGITS = Path(__file__).parents[2] / "data" / "mnist_30_digits.npz"
KNOWN = json.loads(DIGITS.with_suffix(".json").read_text())
RGB = np.clip(np.random.default_rng(0).normal(120, 20, (24, 32, 3)), 0, 255).astype(np.uint8)

pytestmark = pytest.mark.window


@pytest.fixture
def panel(qtbot: Any) -> Iterator[LikelihoodPanel]:
    session = Session()
    session.open(source_of_array(RGB))
    session.wait()
    panel = LikelihoodPanel(ViewerModel(), session, SynchronousExecutor())
    qtbot.addWidget(panel)
    panel.resize(360, 700)
    panel.show()
    yield panel
    panel.close_session()
    session.close()


def click(qtbot: Any, panel: LikelihoodPanel, number: int) -> None:
    place = panel.plot.place(number)
    at = QPoint(round(place.x()), round(place.y()))
    qtbot.mouseClick(panel.plot, Qt.MouseButton.LeftButton, pos=at)


def test_search_of_the_image_fills_curve_and_table(panel: LikelihoodPanel) -> None:
    assert not panel.table.isVisible()
    panel.search_button.native.click()
    curve = panel.likelihood.curve
    assert curve is not None
    header, *rows = panel.table.texts()
    assert header[-3:] == ["log_likelihood", "degenerate", "best"]
    assert len(rows) == len(curve.scores)
    assert panel.note.text().startswith(f"Best σ {curve.sigmas[curve.best][0]:.4g}: ")


def test_a_click_takes_the_sigma(panel: LikelihoodPanel, qtbot: Any) -> None:
    panel.search_button.native.click()
    curve = panel.likelihood.curve
    assert curve is not None
    click(qtbot, panel, 12)
    assert panel.session.bandwidth == tuple(curve.sigmas[12])
    qtbot.keyClick(panel.plot, Qt.Key.Key_Right)
    assert panel.session.bandwidth == tuple(curve.sigmas[curve.best + 1])


def test_digits_from_a_file_and_montage(
    panel: LikelihoodPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "qtpy.QtWidgets.QFileDialog.getOpenFileName"
    monkeypatch.setattr(name, lambda *args: (str(DIGITS), ""))
    panel.file_button.native.click()
    assert panel.what.current_choice == f"data set {DIGITS.name}"
    assert panel.vectors.sigmas_text.native.isVisible()
    assert not panel.rule.native.isVisible()
    panel.vectors.scale.value = 256
    panel.search_button.native.click()
    assert [row[1] for row in panel.table.texts()[1:]] == [
        f"{score:.6f}" for score in panel.likelihood.curve.scores
    ]
    assert f"Best σ 0.5: {KNOWN['valid_float64'][4]:.4f} nats." in panel.note.text()
    assert "Test vectors at σ 0.5: -319.508" in panel.note.text()
    assert "poor yardstick" in panel.note.text()
    panel.montage_button.native.click()
    assert panel._viewer.layers[-1].data.shape == (112, 112)
    panel.check_button.native.click()
    assert [row[0] for row in panel.answers.texts()[1:3]] == ["scratch formula", "napari-colorkde"]
    panel.what.value = "the image's colors"
    assert panel.rule.native.isVisible()
    assert not panel.table.isVisible()


def test_stacks_among_the_layers_are_offered(panel: LikelihoodPanel) -> None:
    digits = read_dataset(DIGITS).train.reshape(-1, 28, 28)
    layer = panel._viewer.add_image(digits, name="stack")
    panel._viewer.add_image(digits[0], name="single")
    panel.reset_choices()
    assert layer in panel.what.choices
    assert "single" not in [getattr(choice, "name", "") for choice in panel.what.choices]
    panel.what.value = layer
    assert panel.likelihood.dataset is not None
    assert "10 training vectors of 784 numbers." in panel.note.text()


def test_what_is_refused_is_told(panel: LikelihoodPanel) -> None:
    told: list[str] = []
    panel.failed.connect(told.append)
    panel.likelihood.open(DIGITS)
    panel.vectors.sigmas_text.value = "0.1 or so"
    panel.search_button.native.click()
    panel.vectors.sigmas_text.value = "0.5"
    panel.vectors.train.value = 99
    panel.search_button.native.click()
    assert told[0] == "Sigmas '0.1 or so': give numbers separated by commas."
    assert told[1].startswith("Data set ")
    # What is asked next takes a sentence away before it says another.
    panel.asked.connect(lambda: told.append(""))
    panel.search_button.native.click()
    panel.vectors.train.value = 0
    panel.search_button.native.click()
    assert [bool(each) for each in told[2:]] == [False, True, False]


def test_a_curve_of_a_part_is_called_so(
    panel: LikelihoodPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_colorkde.app.likelihood.searches.ROWS", 4)
    panel.likelihood.open(DIGITS)
    notes: list[str] = []
    panel.likelihood.changed.connect(lambda: notes.append(panel.note.text()))
    panel.search_button.native.click()
    assert any("Scored on 40% of the validation vectors." in note for note in notes)
    assert "Scored on" not in panel.note.text()


def test_table_is_copied_and_saved(
    panel: LikelihoodPanel, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.search_button.native.click()
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().splitlines()[0].startswith("sigma_1\tsigma_2")
    name = "qtpy.QtWidgets.QFileDialog.getSaveFileName"
    monkeypatch.setattr(name, lambda *args: (str(tmp_path / "scores"), ""))
    panel.csv_button.native.click()
    assert (tmp_path / "scores.csv").read_text(encoding="utf-8").startswith("sigma_1,")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_curve_is_painted_with_its_zone_and_mark(qtbot: Any, theme: str) -> None:
    plot = CurvePlot("σ", "nats")
    qtbot.addWidget(plot)
    plot.set_theme(theme)
    plot.resize(300, 150)
    empty = painted(plot)
    points = Points((0.5, 1.0, 2.0, 4.0), (-3.0, -1.0, -1.5, -4.0), marked=1)
    plot.set_points(points)
    drawn = painted(plot)
    assert (drawn != empty).any()
    plot.set_points(Points(points.x, points.y, points.marked, shaded_to=1.0))
    shaded = painted(plot)
    middle = round((plot.place(0).x() + plot.place(1).x()) / 2)
    right = round((plot.place(2).x() + plot.place(3).x()) / 2)
    assert (shaded[12, middle] != drawn[12, middle]).any()
    assert (shaded[12, right] == drawn[12, right]).all()
    assert plot.nearest(plot.place(2)) == 2
    assert plot.accessibleDescription() == "4 points, the best at 1: -1.0000"


def painted(plot: CurvePlot) -> Any:
    image = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    raw = image.constBits()
    raw.setsize(image.sizeInBytes())
    return np.frombuffer(raw, np.uint8).reshape(image.height(), image.width(), 4)[..., :3].copy()
