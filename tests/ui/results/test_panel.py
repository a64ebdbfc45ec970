from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_colorkde._npe2 import make_results
from napari_colorkde.app.results.results_table import ResultsTable
from napari_colorkde.io.csv_files import read_rows
from napari_colorkde.ui.results.results_table_model import ResultsModel
from tests.app.results.test_measuring import STAINS
from tests.ui.conftest import RGB, Dock, close_dock

if TYPE_CHECKING:
    from napari import Viewer

BELOW = Qt.DockWidgetArea.BottomDockWidgetArea


def test_cells_are_rounded_for_people_and_whole_in_their_tooltips(qapp: Any) -> None:
    table = ResultsTable()
    model = ResultsModel(table)
    table.put(
        [{"image": "/a/b.png", "pixels": 12345, "fraction": 1 / 3, "area": 2.5, "area_unit": "µm²"}]
    )

    def row(role: Qt.ItemDataRole) -> list[str]:
        return [model.data(model.index(0, at), role) for at in range(model.columnCount())]

    assert row(Qt.ItemDataRole.DisplayRole) == ["b.png", "12\u202f345", "33.33", "2.5 µm²"]
    assert row(Qt.ItemDataRole.ToolTipRole) == ["/a/b.png", "12345", repr(1 / 3), "2.5"]
    titles = [model.headerData(at, Qt.Orientation.Horizontal) for at in range(4)]
    assert titles == ["image", "pixels", "%", "area"]
    model.close()


@pytest.mark.window
def test_the_table_is_filled_as_one_works(dock: Dock, tmp_path: Path, qtbot: Any) -> None:
    widget = dock(RGB)
    viewer, results = widget._viewer, widget.results
    widget.session.kernels = STAINS
    widget.session.wait()
    widget.tabs.setCurrentIndex(2)
    widget.classification.add_button.native.click()
    panel = results.panel
    assert panel is not None
    qtbot.waitUntil(lambda: len(results.table.rows) == 3)
    assert panel.view.isVisible()
    assert panel.count.text() == "3 rows of 1 image"
    before = results.table.rows[0]["pixels"]
    panel.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert panel.view.model().index(0, 1).data() == "blue"
    panel.view.selectionModel().select(
        panel.view.model().index(0, 0),
        QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
    )
    widget.session.set_classification(show="posterior", priors={"brown": 0.99})
    widget.session.wait()
    qtbot.waitUntil(lambda: results.table.rows[0]["pixels"] != before)
    # The selection outlives new numbers.
    QTest.keyClick(panel.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QApplication.clipboard().text().splitlines()
    assert [line.split("\t")[2] for line in copied] == ["class", "blue"]
    # Each label is a region.
    labels = np.zeros(RGB.shape[:2], np.uint8)
    labels[5:9], labels[20:] = 1, 2
    layer = viewer.add_labels(labels, name="parts")
    panel.region_chooser.regions.value = layer
    panel.add_button.native.click()
    qtbot.waitUntil(lambda: len(results.table.rows) == 9)
    viewer.layers.remove(layer)
    assert panel.region_chooser.regions.value == ""
    panel.save(tmp_path / "t.csv")
    assert len(read_rows(tmp_path / "t.csv")) == 9
    panel.save(tmp_path / "nowhere" / "t.csv")
    assert "does not exist" in widget.status.problem.text()
    panel.remove_button.native.click()
    assert panel.hint.isVisible()
    panel.undo_button.native.click()
    assert panel.model.rowCount() == 9
    assert make_results() is panel
    # Polygons become shapes, which are measured.
    ring = [[2, 2], [40, 2], [40, 30], [2, 30]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    (tmp_path / "glands.geojson").write_text(json.dumps(polygon))
    results.table.clear()
    widget.drops.open_files([str(tmp_path / "glands.geojson")])

    def measured() -> list[Any]:
        return [row for row in results.table.rows if row["region"]]

    qtbot.waitUntil(lambda: len(measured()) == 3)
    assert panel.region_chooser.regions.value is viewer.layers["glands"]
    assert {row["region"] for row in measured()} == {"1"}
    assert sum(int(row["pixels"]) for row in measured()) == 38 * 28
    results.open_regions(tmp_path / "none.geojson")
    widget.session.wait()
    assert "does not exist" in widget.status.problem.text()


@pytest.mark.window
def test_it_is_closed_with_its_dock_and_opened_again(viewer: Viewer, qtbot: Any) -> None:
    viewer.add_image(RGB, rgb=True)
    # By napari's menu it brings the plugin along, and lies below the image, too.
    opened, panel = viewer.window.add_plugin_dock_widget("napari-colorkde", "Results")
    widget = viewer.window.dock_widgets["Color KDE (Color KDE)"]
    results = widget.results
    qtbot.waitUntil(lambda: results._dock is opened)
    qtbot.waitUntil(lambda: widget.colorspace is not None)
    widget.session.wait()
    results.table.put([{"image": "a", "region": "", "class": "", "pixels": 1}])
    for _ in range(2):
        close_dock(results.panel, qtbot)
        qtbot.waitUntil(lambda: results.panel is None)
        opened, panel = viewer.window.add_plugin_dock_widget("napari-colorkde", "Results")
        qtbot.waitUntil(lambda: results._dock is not None)
    assert results._dock is opened
    qtbot.waitUntil(lambda: opened.window().dockWidgetArea(opened) == BELOW)
    assert results.panel is panel
    assert results.panel.model.rowCount() == 1
    # The plugin may be closed, too: rows, and those that can be brought back, stay.
    results.table.put([{"image": "b", "region": "", "class": "", "pixels": 2}])
    results.table.remove([0])
    close_dock(widget, qtbot)
    assert results.panel is None
    _, again = viewer.window.add_plugin_dock_widget("napari-colorkde", "Results")
    assert again is not panel
    assert [row["image"] for row in again.table.rows] == ["b"]
    qtbot.waitUntil(again.undo_button.native.isVisible)
    again.undo_button.native.click()
    assert [row["image"] for row in again.table.rows] == ["a", "b"]
    widget = viewer.window.dock_widgets["Color KDE (Color KDE)"]
    qtbot.waitUntil(lambda: widget.colorspace is not None)
    again.table.clear()
    again.table._before.clear()
    close_dock(widget, qtbot)
