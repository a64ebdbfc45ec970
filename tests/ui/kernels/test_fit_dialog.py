"""The dialog "Fit" in the real window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_colorkde.core.mixture.fit_kernels import fit_kernels
from napari_colorkde.ui.kernels.fit_dialog import FitDialog
from tests.ui.conftest import RGB, Dock, close_dock

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.ui.dock import ColorKDEWidget

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]

MARKS = np.zeros(RGB.shape[:2], int)
MARKS[5:30, 5:40], MARKS[35:55, 5:40] = 1, 2


@pytest.fixture
def docked(dock: Dock) -> ColorKDEWidget:
    widget = dock(RGB)
    widget.tabs.setCurrentIndex(1)
    return widget


def opened(widget: ColorKDEWidget) -> FitDialog:
    widget.fitting.click()
    dialog = widget.fitting.dialog
    assert dialog is not None
    assert dialog.isVisible()
    return dialog


def run(widget: ColorKDEWidget, dialog: FitDialog) -> None:
    dialog.fit_button.click()
    widget.session.wait()


def test_the_image_is_fitted_and_how_it_went_is_shown(docked: ColorKDEWidget) -> None:
    docked.picking.cls.setEditText("all")
    dialog = opened(docked)
    dialog.form.n_kernels.value = 2
    dialog.form.covariance.value = "diag"
    run(docked, dialog)
    kernels = docked.session.kernels
    assert kernels is not None
    wanted = fit_kernels(RGB, 2, covariance_type="diag", random_state=0)
    np.testing.assert_allclose(kernels.means, wanted.means)
    np.testing.assert_allclose(kernels.variances, wanted.variances, rtol=1e-9)
    assert kernels.classes == ("all",)
    for fact in ("2 kernels", "converge", "iteration", "log-likelihood -", "BIC"):
        assert fact in dialog.result.text()
    assert dialog.fit_button.isEnabled()
    assert not dialog.stop_button.isEnabled()
    docked.session.undo()
    assert docked.session.kernels is None


def test_each_label_has_a_mixture(docked: ColorKDEWidget, viewer: Viewer) -> None:
    viewer.add_labels(MARKS, name="marks")
    dialog = opened(docked)
    dialog.form.pixels.value = "each"
    assert dialog.form.labels.enabled
    assert not dialog.form.cls.enabled
    dialog.form.n_kernels.value = 1
    run(docked, dialog)
    kernels = docked.session.kernels
    assert kernels is not None
    assert [kernel.cls for kernel in kernels] == ["1", "2"]
    np.testing.assert_allclose(kernels.means[1], RGB[MARKS == 2].mean(axis=0))
    assert dialog.result.text().startswith("Label 1: 1 kernel, converged")


def test_kernels_are_chosen_by_bic_and_added_to_the_set(
    docked: ColorKDEWidget, viewer: Viewer
) -> None:
    viewer.add_labels(MARKS, name="marks").selected_label = 2
    dialog = opened(docked)
    dialog.form.pixels.value = "selected"
    dialog.form.n_kernels.value = 2
    dialog.form.by_bic.value = True
    dialog.form.into.value = "set"
    run(docked, dialog)
    first = docked.session.kernels
    assert first is not None
    assert "BIC" in dialog.result.text()
    run(docked, dialog)
    assert docked.session.kernels is not None
    assert len(docked.session.kernels) == 2 * len(first)


def test_what_cannot_be_is_said_and_nothing_changes(docked: ColorKDEWidget, viewer: Viewer) -> None:
    dialog = opened(docked)
    dialog.form.pixels.value = "each"
    run(docked, dialog)
    assert "There is no Labels layer" in dialog.result.text()
    small = viewer.add_labels(np.ones((5, 6), int), name="small")
    dialog.form.labels.reset_choices()
    run(docked, dialog)
    assert "'small' is 5 × 6 pixels" in dialog.result.text()
    viewer.layers.remove(small)
    viewer.add_labels(np.zeros_like(MARKS), name="empty")
    dialog.form.labels.reset_choices()
    run(docked, dialog)
    assert "mark no pixel that counts" in dialog.result.text()
    dialog.form.pixels.value = "image"
    dialog.form.reg_covar.value = "x"
    run(docked, dialog)
    assert "the added variance is 'x'" in dialog.result.text().lower()
    assert docked.session.kernels is None


def test_layers_are_followed_while_the_dialog_is_open(
    docked: ColorKDEWidget, viewer: Viewer
) -> None:
    dialog = opened(docked)
    first = viewer.add_labels(MARKS, name="first")
    viewer.add_labels(MARKS, name="second")
    assert set(dialog.form.labels.choices) == {"first", "second"}
    dialog.form.labels.value = "first"
    first.name = "renamed"
    assert set(dialog.form.labels.choices) == {"renamed", "second"}
    dialog.form.labels.value = "renamed"
    viewer.layers.remove(first)
    assert dialog.form.labels.choices == ("second",)
    dialog.form.pixels.value, dialog.form.n_kernels.value = "each", 1
    run(docked, dialog)
    assert docked.session.kernels is not None


def test_a_layer_that_went_unnoticed_is_said(
    docked: ColorKDEWidget, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = viewer.add_labels(MARKS, name="marks")
    dialog = opened(docked)
    dialog.form.pixels.value = "each"
    monkeypatch.setattr(FitDialog, "reset_choices", lambda self: None)
    viewer.layers.remove(layer)
    run(docked, dialog)
    assert dialog.result.text() == "The layer 'marks' no longer exists; choose another one."


def test_without_an_image_there_is_nothing_to_fit(dock: Dock) -> None:
    widget = dock()
    dialog = opened(widget)
    run(widget, dialog)
    assert "no image to fit to" in dialog.result.text()


def test_a_fit_is_stopped(docked: ColorKDEWidget) -> None:
    dialog = opened(docked)
    dialog.form.n_kernels.value = 60
    dialog.fit_button.click()
    assert dialog.stop_button.isEnabled()
    dialog.stop_button.click()
    docked.session.wait()
    assert docked.session.kernels is None
    assert dialog.result.text() == "Stopped; nothing was changed."
    assert dialog.fit_button.isEnabled()


def test_the_dialog_grows_with_what_it_has_to_say(docked: ColorKDEWidget, viewer: Viewer) -> None:
    marks = np.arange(RGB.shape[0] * RGB.shape[1]).reshape(RGB.shape[:2]) // 230 + 1
    viewer.add_labels(marks, name="marks")
    dialog = opened(docked)
    before = dialog.height()
    dialog.form.pixels.value, dialog.form.n_kernels.value = "each", 1
    run(docked, dialog)
    assert dialog.result.text().count("Label") == 21
    assert dialog.height() > before + 10 * dialog.fontMetrics().lineSpacing()
    assert dialog.result.height() >= dialog.result.heightForWidth(dialog.result.width())


def test_a_label_of_one_color_loses_no_other(docked: ColorKDEWidget, viewer: Viewer) -> None:
    marks = MARKS.copy()
    marks[0, 70] = 9
    viewer.add_labels(marks, name="marks")
    dialog = opened(docked)
    dialog.form.pixels.value, dialog.form.n_kernels.value = "each", 2
    run(docked, dialog)
    assert docked.session.kernels is not None
    assert [kernel.cls for kernel in docked.session.kernels] == ["1", "1", "2", "2", "9"]
    assert "too few colors for 2" in dialog.result.text()


def test_bic_tells_the_numbers_it_tried(docked: ColorKDEWidget) -> None:
    dialog = opened(docked)
    dialog.form.n_kernels.value, dialog.form.by_bic.value = 2, True
    run(docked, dialog)
    assert "BIC by number of kernels: 1: " in dialog.result.text()


def test_closing_the_dock_closes_the_dialog(docked: ColorKDEWidget, qtbot: Any) -> None:
    dialog = opened(docked)
    dialog.form.n_kernels.value = 60
    dialog.fit_button.click()
    close_dock(docked, qtbot)
    assert docked.fitting.dialog is None
