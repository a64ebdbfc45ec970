"""The kernel table in the real dock: what is typed, pasted, refused, undone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QIcon
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QSlider,
)

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.kernels.kernel_files import save_kernels
from napari_colorkde.ui.kernels import panel as kernels_panel
from napari_colorkde.ui.kernels.covariance_dialog import CovarianceDialog
from napari_colorkde.ui.kernels.kernel_table_model import KernelTableModel
from napari_colorkde.ui.kernels.panel import KernelsPanel
from tests.ui.conftest import RGB, Dock

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.ui.dock import ColorKDEWidget

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]

FULL = [[90.0, 30.0, 0.0], [30.0, 80.0, -10.0], [0.0, -10.0, 70.0]]
KERNELS = KernelSet(
    [
        Kernel([60, 55, 50], [4, 9, 16], 0.5, cls="b", name="one"),
        Kernel([50, 60, 70], FULL, 0.25, cls="a"),
        Kernel([70, 65, 60], [25, 25, 25], 0.125),
    ],
    "mine",
)
CLASS, NAME, RED, SIGMA_RED, WEIGHT = 1, 2, 3, 6, 9


class Alone:
    """The panel with a session of its own: what does not need a viewer is tested without one."""

    def __init__(self) -> None:
        self.session = Session()
        self.session.open(source_of_array(RGB))
        self.session.kernels = KERNELS
        self.kernels = KernelsPanel(self.session)
        self.problems: list[str] = []
        self.kernels.failed.connect(self.problems.append)


@pytest.fixture
def widget(qtbot: Any) -> Alone:
    widget = Alone()
    qtbot.addWidget(widget.kernels)
    widget.kernels.resize(600, 300)
    with qtbot.waitExposed(widget.kernels):
        widget.kernels.show()
    return widget


@pytest.fixture
def docked(dock: Dock) -> ColorKDEWidget:
    widget = dock(RGB)
    widget.tabs.setCurrentIndex(1)
    widget.session.kernels = KERNELS
    widget.session.wait()
    return widget


def cell(widget: Any, row: int, column: int) -> str:
    return str(widget.kernels.table.model().index(row, column).data())


def go_to(widget: Any, row: int, column: int) -> None:
    widget.kernels.table.setFocus()
    table = widget.kernels.table
    table.setCurrentIndex(table.model().index(row, column))


def type_into(widget: Any, qtbot: Any, text: str, *, enter: bool = True) -> QLineEdit:
    """Type over the current cell as a user does, without opening it first."""
    qtbot.keyClicks(widget.kernels.table, text[0])
    editor: QLineEdit = widget.kernels.table.findChildren(QLineEdit)[-1]
    qtbot.keyClicks(editor, text[1:])
    if enter:
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        QApplication.processEvents()  # Qt commits later
    return editor


def edited(widget: Any) -> KernelSet:
    kernels = widget.session.kernels
    assert kernels is not None
    return kernels


def test_the_table_shows_the_kernels(widget: Alone) -> None:
    model = widget.kernels.model
    titles = [model.headerData(c, Qt.Orientation.Horizontal) for c in range(model.columnCount())]
    assert titles == ["", "class", "name", "μ R", "μ G", "μ B", "σ R", "σ G", "σ B", "weight"]
    shown = [cell(widget, 0, c) for c in range(1, 10)]
    assert shown == ["b", "one", "60", "55", "50", "2", "3", "4", "0.5"]
    assert "3 kernels · weights sum to 0.875" in widget.kernels.summary.text()


def test_a_typed_number_is_taken_and_shown_in_the_overlay(
    docked: ColorKDEWidget, viewer: Viewer, qtbot: Any
) -> None:
    before = np.array(viewer.layers["photo density"].data)
    go_to(docked, 0, RED)
    type_into(docked, qtbot, "75.5")
    docked.session.wait()
    assert edited(docked).means[0, 0] == 75.5
    assert (np.asarray(viewer.layers["photo density"].data) != before).any()


def test_a_swatch_has_the_color_of_the_mean_selected_or_not(widget: Alone) -> None:
    icon = widget.kernels.model.index(0, 0).data(Qt.ItemDataRole.DecorationRole)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        color = icon.pixmap(16, mode=mode).toImage().pixelColor(8, 8)
        assert color.getRgb()[:3] == (60, 55, 50)


def test_a_typed_sigma_stays_as_typed(widget: Alone, qtbot: Any) -> None:
    go_to(widget, 0, SIGMA_RED)
    type_into(widget, qtbot, "7.1")
    assert edited(widget)[0].covariance[0] == 7.1**2
    assert cell(widget, 0, SIGMA_RED) == "7.1"
    widget.kernels.variance_button.click()
    assert cell(widget, 0, SIGMA_RED) == "50.41"
    type_into(widget, qtbot, "9")
    assert edited(widget)[0].covariance[0] == 9


def test_what_cannot_be_is_refused_in_place_with_the_reason(widget: Alone, qtbot: Any) -> None:
    go_to(widget, 0, WEIGHT)
    editor = type_into(widget, qtbot, "-3")
    assert editor.isVisible()
    assert "must be 0 or more" in editor.toolTip()
    assert "#802020" in editor.styleSheet()
    assert edited(widget) == KERNELS
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert edited(widget) == KERNELS
    editor.clear()
    qtbot.keyClicks(editor, "3")
    assert editor.toolTip() == ""
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert edited(widget).weights[0] == 3


def test_escape_gives_up(widget: Alone, qtbot: Any) -> None:
    go_to(widget, 0, RED)
    editor = type_into(widget, qtbot, "99", enter=False)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert edited(widget) == KERNELS


def test_a_cell_opened_and_closed_changes_nothing(widget: Alone, qtbot: Any) -> None:
    go_to(widget, 1, SIGMA_RED)
    table = widget.kernels.table
    qtbot.keyClick(table, Qt.Key.Key_F2)
    editor = table.findChildren(QLineEdit)[-1]
    assert float(editor.text()) == pytest.approx(np.sqrt(np.linalg.eigvalsh(FULL)[-1]))
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert edited(widget) == KERNELS


def test_all_selected_rows_are_edited_at_once(widget: Alone, qtbot: Any) -> None:
    widget.kernels.table.choose([0, 2])
    table = widget.kernels.table
    selection = table.selectionModel()
    selection.setCurrentIndex(table.model().index(2, CLASS), type(selection).SelectionFlag.NoUpdate)
    type_into(widget, qtbot, "skin")
    assert [kernel.cls for kernel in edited(widget)] == ["skin", "a", "skin"]
    widget.session.undo()
    assert edited(widget) == KERNELS


def test_what_is_typed_is_evaluated_once_and_not_again_when_it_is_committed(
    widget: Alone, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, actual = [], KernelTableModel.with_text

    def counted(model: KernelTableModel, rows: Any, column: int, text: str) -> KernelSet:
        texts.append(text)
        return actual(model, rows, column, text)

    monkeypatch.setattr(KernelTableModel, "with_text", counted)
    go_to(widget, 0, RED)
    type_into(widget, qtbot, "75")
    assert texts == ["7", "75"]
    assert edited(widget).means[0, 0] == 75


def test_a_text_is_evaluated_again_where_the_kernels_have_changed_meanwhile(
    widget: Alone, qtbot: Any
) -> None:
    go_to(widget, 0, RED)
    editor = type_into(widget, qtbot, "75", enter=False)
    widget.session.edit(KERNELS[:2])
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert len(edited(widget)) == 2


def test_rows_are_sorted_and_edits_find_their_kernel(widget: Alone, qtbot: Any) -> None:
    widget.kernels.table.sortByColumn(RED, Qt.SortOrder.AscendingOrder)
    assert [cell(widget, row, RED) for row in range(3)] == ["50", "60", "70"]
    go_to(widget, 0, RED)
    type_into(widget, qtbot, "65")
    assert edited(widget).means[:, 0].tolist() == [60, 65, 70]
    assert cell(widget, 0, RED) == "65"


def test_rows_are_sorted_by_numbers_and_names_and_numbered_as_in_the_set(widget: Alone) -> None:
    table = widget.kernels.table
    for column, order, wanted in (
        (WEIGHT, Qt.SortOrder.DescendingOrder, ["0.5", "0.25", "0.125"]),
        (WEIGHT, Qt.SortOrder.AscendingOrder, ["0.125", "0.25", "0.5"]),
        (CLASS, Qt.SortOrder.AscendingOrder, ["", "a", "b"]),
    ):
        table.sortByColumn(column, order)
        assert [cell(widget, row, column) for row in range(3)] == wanted
    numbers = [table.model().headerData(row, Qt.Orientation.Vertical) for row in range(3)]
    assert numbers == ["3", "2", "1"]
    table.selectRow(0)
    assert table.chosen() == [2]


def test_kernels_that_come_are_sorted_in(widget: Alone) -> None:
    widget.kernels.table.sortByColumn(RED, Qt.SortOrder.DescendingOrder)
    widget.session.edit(KernelSet([*KERNELS, Kernel([65, 0, 0], [1, 1, 1], 1)]))
    assert [cell(widget, row, RED) for row in range(4)] == ["70", "65", "60", "50"]


def test_space_shows_and_hides(widget: Alone, qtbot: Any) -> None:
    widget.kernels.table.choose([0, 1])
    widget.kernels.table.setFocus()
    qtbot.keyClick(widget.kernels.table, Qt.Key.Key_Space)
    assert [kernel.visible for kernel in edited(widget)] == [False, False, True]
    qtbot.keyClick(widget.kernels.table, Qt.Key.Key_Space)
    assert all(kernel.visible for kernel in edited(widget))


def test_a_click_on_the_box_shows_and_hides(widget: Alone) -> None:
    model = widget.kernels.model
    model.setData(model.index(1, 0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert [kernel.visible for kernel in edited(widget)] == [True, False, True]


def test_kernels_are_added_duplicated_and_deleted_by_keyboard(widget: Alone, qtbot: Any) -> None:
    table = widget.kernels.table
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Insert)
    assert len(edited(widget)) == 4
    np.testing.assert_allclose(edited(widget).means[3], RGB.reshape(-1, 3).mean(axis=0), atol=1e-5)
    assert table.chosen() == [3]
    qtbot.keyClick(table, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert edited(widget)[4] == edited(widget)[3]
    assert table.chosen() == [4]
    table.choose([0, 3, 4])
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert edited(widget).kernels == KERNELS.kernels[1:]


def test_deleting_all_shows_the_image_again(widget: Alone, qtbot: Any) -> None:
    widget.kernels.table.selectAll()
    widget.kernels.delete_button.click()
    assert (widget.session.kernels, widget.session.show) == (None, "kde")
    assert "No kernels yet" in widget.kernels.summary.text()
    widget.session.undo()
    assert edited(widget) == KERNELS
    assert widget.kernels.model.rowCount() == 3


def test_weights_are_normalized(widget: Alone) -> None:
    widget.kernels.normalize_button.click()
    np.testing.assert_allclose(edited(widget).weights, np.array([4, 2, 1]) / 7)


@pytest.mark.xdist_group("clipboard")
def test_whole_kernels_are_copied_and_pasted(widget: Alone, qtbot: Any) -> None:
    table = widget.kernels.table
    table.choose([1])
    table.setFocus()
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(table, Qt.Key.Key_C, control)
    assert QApplication.clipboard().text().startswith("set\tkernel\tmean_r")
    qtbot.keyClick(table, Qt.Key.Key_V, control)
    assert edited(widget).kernels == (*KERNELS, KERNELS[1])


@pytest.mark.xdist_group("clipboard")
def test_cells_of_a_spreadsheet_are_pasted(widget: Alone, qtbot: Any) -> None:
    QApplication.clipboard().setText("1\t2\t3\r\n4\t5\t6\r\n")
    go_to(widget, 1, RED)
    widget.kernels.table.paste()
    assert edited(widget).means.tolist() == [[60, 55, 50], [1, 2, 3], [4, 5, 6]]
    widget.kernels.table.copy()
    assert QApplication.clipboard().text() == "1\n"


@pytest.mark.xdist_group("clipboard")
def test_cells_are_pasted_down_the_rows_as_they_are_sorted(widget: Alone) -> None:
    QApplication.clipboard().setText("1\n2")
    widget.kernels.table.sortByColumn(RED, Qt.SortOrder.AscendingOrder)
    go_to(widget, 0, WEIGHT)
    widget.kernels.table.paste()
    assert edited(widget).weights.tolist() == [2, 1, 0.125]


@pytest.mark.xdist_group("clipboard")
def test_a_paste_that_cannot_be_says_so_and_loses_nothing(widget: Alone) -> None:
    go_to(widget, 0, RED)
    for text, reason in (
        ("1\tx", "'x' is not a number"),
        ("1\n2\n3\n4", "do not fit here"),
        ("mean_r\tmean_g\tmean_b\tweight\n1\t2\t3\t1", "'var_r' is missing"),
    ):
        QApplication.clipboard().setText(text)
        widget.kernels.table.paste()
        assert reason in widget.problems[-1]
    assert edited(widget) == KERNELS


HEAD = "set,kernel,mean_r,mean_g,mean_b,var_r,var_g,var_b,weight\n"


@pytest.mark.xdist_group("clipboard")
@pytest.mark.parametrize(
    "text",
    [
        HEAD + "s,1,1,2,3,16,25,36,0.5\n",
        "μ R\tμ G\tμ B\tσ R\tσ G\tσ B\tweight\n1\t2\t3\t4\t5\t6\t0,5\n",
        "1;2;3;4;5;6;0,5",
        "1\t2\t3\t4\t5\t6\t0.5",
    ],
)
def test_what_a_spreadsheet_gives_is_pasted_as_kernels(
    widget: Alone, qtbot: Any, text: str
) -> None:
    QApplication.clipboard().setText(text)
    table = widget.kernels.table
    go_to(widget, 0, WEIGHT)
    qtbot.keyClick(table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    new = edited(widget).kernels[-1]
    assert new.mean.tolist() == [1, 2, 3]
    assert new.covariance.tolist() == [16, 25, 36]
    assert new.weight == 0.5


@pytest.mark.xdist_group("clipboard")
def test_decimal_commas_are_pasted_into_cells(widget: Alone) -> None:
    QApplication.clipboard().setText("1,5\n2,25")
    go_to(widget, 0, RED)
    widget.kernels.table.paste()
    assert edited(widget).means[:2, 0].tolist() == [1.5, 2.25]
    QApplication.clipboard().setText("skin, dark")
    go_to(widget, 0, 2)
    widget.kernels.table.paste()
    assert edited(widget).kernels[0].name == "skin, dark"


def test_a_matrix_is_edited(widget: Alone, qtbot: Any, monkeypatch: Any) -> None:
    def fill_in(dialog: CovarianceDialog) -> int:
        dialog.cells[0, 1].clear()
        qtbot.keyClicks(dialog.cells[0, 1], "1.5")
        return 1

    monkeypatch.setattr(kernels_panel.CovarianceDialog, "exec", fill_in)
    widget.kernels.table.choose([0])
    widget.kernels.matrix_button.click()
    expected = [[4, 1.5, 0], [1.5, 9, 0], [0, 0, 16]]
    np.testing.assert_array_equal(edited(widget)[0].covariance, expected)


def test_a_matrix_is_read_from_the_left_and_a_refusal_moves_no_row(
    widget: Alone, qtbot: Any
) -> None:
    kernel = Kernel([1, 2, 3], [3085.823529411765, 2000.1234567890123, 9], 1)
    dialog = CovarianceDialog(kernel, ("red", "green", "blue"))
    qtbot.addWidget(dialog)
    dialog.show()
    cell = dialog.cells[0, 0]
    assert cell.cursorPosition() == 0
    assert cell.width() >= cell.fontMetrics().horizontalAdvance("3085.8235")
    places = {at: c.geometry() for at, c in dialog.cells.items()}
    cell.selectAll()
    qtbot.keyClicks(cell, "-1")
    QApplication.processEvents()
    assert dialog.reason.text()
    assert {at: c.geometry() for at, c in dialog.cells.items()} == places
    assert dialog.reason.height() >= dialog.reason.heightForWidth(dialog.reason.width())


def test_six_rows_are_seen_at_any_font_size(widget: Alone) -> None:
    table = widget.kernels.table
    for points in (9, 16):
        font = table.font()
        font.setPointSize(points)
        table.setFont(font)
        rows = table.verticalHeader().defaultSectionSize()
        assert rows >= table.fontMetrics().height()
        needed = table.horizontalHeader().sizeHint().height() + 6 * rows
        assert table.minimumHeight() >= needed
        # Beside the scroll bar that is there where the table is narrow.
        table.setFixedSize(240, table.minimumHeight())
        QApplication.processEvents()
        assert table.horizontalScrollBar().isVisible()
        assert table.viewport().height() >= 6 * rows


def test_a_matrix_that_cannot_be_is_refused(widget: Alone, qtbot: Any) -> None:
    dialog = CovarianceDialog(KERNELS[0], ("red", "green", "blue"), widget.kernels)
    ok = dialog.buttons.button(dialog.buttons.StandardButton.Ok)
    for text, reason in (("7", "not positive definite"), ("x", "'x' is not a number")):
        dialog.cells[0, 1].clear()
        qtbot.keyClicks(dialog.cells[0, 1], text)
        assert reason in dialog.reason.text()
        assert not ok.isEnabled()
    dialog.diagonal_button.click()
    assert ok.isEnabled()
    np.testing.assert_array_equal(dialog.covariance, [4, 9, 16])


def test_keys_undo_and_redo_within_the_dock(docked: ColorKDEWidget, qtbot: Any) -> None:
    docked.kernels.normalize_button.click()
    normalized = edited(docked)
    table = docked.kernels.table
    table.setFocus()
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(table, Qt.Key.Key_Z, control)
    assert edited(docked) == KERNELS
    qtbot.keyClick(table, Qt.Key.Key_Z, control | shift)
    assert edited(docked) == normalized


def test_keys_of_the_table_do_not_reach_the_viewer(
    docked: ColorKDEWidget, viewer: Viewer, qtbot: Any
) -> None:
    layers = list(viewer.layers)
    docked.kernels.table.setFocus()
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_A):
        qtbot.keyClick(docked.kernels.table, key)
    assert list(viewer.layers) == layers


def test_kernels_of_two_channels_have_a_table_of_two(widget: Alone) -> None:
    widget.session.edit(KernelSet([Kernel([1, 2], [3, 4], 1)]))
    model = widget.kernels.model
    titles = [model.headerData(c, Qt.Orientation.Horizontal) for c in range(model.columnCount())]
    assert titles == ["", "class", "name", "μ 1", "μ 2", "σ 1", "σ 2", "weight"]


# --- files


def dropped(panel: KernelsPanel, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    where, none = QPointF(5, 5), Qt.KeyboardModifier.NoModifier
    for kind in (QDragEnterEvent, QDropEvent):
        place: Any = where if kind is QDropEvent else where.toPoint()
        QApplication.sendEvent(panel, kind(place, action, data, button, none))


def test_kernels_are_saved_and_dropped_again(widget: Alone, tmp_path: Path) -> None:
    widget.kernels.chooser.save_file(tmp_path / "mine.json")
    widget.kernels.delete_button.click()
    widget.session.edit(KernelSet([KERNELS[0]]))
    dropped(widget.kernels, tmp_path / "mine.json", tmp_path / "photo.png")
    assert edited(widget) == KERNELS
    assert widget.problems == []


def test_a_file_that_is_none_says_so_and_loses_nothing(widget: Alone, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("mean_r,mean_g,mean_b\n1,2,3\n")
    dropped(widget.kernels, tmp_path / "bad.csv")
    assert "'var_r' is missing" in widget.problems[-1]
    assert edited(widget) == KERNELS


def test_what_looks_wrong_in_a_file_is_said(docked: ColorKDEWidget, tmp_path: Path) -> None:
    save_kernels(tmp_path / "half.csv", KernelSet([KERNELS[0]], "half"))
    docked.kernels.chooser.open_file(tmp_path / "half.csv")
    assert "The weights of set 'half' sum to 0.5, not 1" in docked.status.problem.text()
    assert edited(docked).weights.tolist() == [0.5]


def test_every_control_of_the_tabs_has_a_name_for_screen_readers(docked: ColorKDEWidget) -> None:
    pages = (docked.panel, docked.kernels, docked.classification)
    kinds = (QAbstractButton, QSlider, QComboBox, QAbstractSpinBox)
    found = [w for page in pages for kind in kinds for w in page.findChildren(kind)]
    nameless = [
        w.toolTip() or type(w).__name__
        for w in found
        if not w.accessibleName()
        and not (isinstance(w, QAbstractButton) and w.text())
        and type(w) is not QAbstractButton  # the corner of a table is Qt's own
    ]
    assert len(found) > 25
    assert nameless == []
