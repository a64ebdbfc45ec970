from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from sklearn.metrics import f1_score

from napari_colorkde import classify_image, load_kernels
from napari_colorkde.app.density import request
from napari_colorkde.core.classification.bayes import log_density_level
from napari_colorkde.core.classification.roc import roc_curve
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.sample_data import sample_path
from napari_colorkde.ui.classification.controls import ClassificationControls
from napari_colorkde.ui.classification.panel import ClassificationPanel
from napari_colorkde.ui.classification.roc_plot import RocPlot
from tests.ui.conftest import RGB, Dock, close_dock

if TYPE_CHECKING:
    from napari import Viewer

    from napari_colorkde.ui.dock import ColorKDEWidget

pytestmark = [pytest.mark.window, pytest.mark.usefixtures("flat_color_space")]

STAINS = KernelSet(
    [
        Kernel([50, 60, 60], [90, 90, 90], 1, cls="brown"),
        Kernel([70, 60, 60], [90, 90, 90], 1, cls="blue"),
        Kernel([60, 80, 60], [90, 90, 90], 1, cls="none"),
    ],
    "stains",
)


@pytest.fixture
def judged(dock: Dock) -> ColorKDEWidget:
    widget = dock(RGB)
    widget.tabs.setCurrentIndex(2)
    widget.session.kernels = STAINS
    widget.session.wait()
    return widget


def values(widget: ColorKDEWidget) -> np.ndarray:
    widget.session.wait()
    assert widget.overlay.layer is not None
    return np.asarray(widget.overlay.layer.data)


def shown(widget: ColorKDEWidget) -> dict[str, bool]:
    panel = widget.classification
    controls = {
        "cls": panel.controls.cls.native,
        "against": panel.controls.against.native,
        "prior": panel.controls.prior,
        "mass": panel.controls.mass.native,
        "threshold": panel.controls.threshold,
        "masked": panel.controls.masked.native,
    }
    return {name: native.isVisibleTo(panel) for name, native in controls.items()}


def test_skin_is_one_click(dock: Dock) -> None:
    widget = dock(RGB)
    widget.tabs.setCurrentIndex(2)
    widget.classification.controls.skin_button.native.click()
    sets = load_kernels(sample_path("jones_rehg_1999.csv"))
    wanted = classify_image(RGB, sets, show="posterior", cls="skin")
    np.testing.assert_allclose(values(widget), wanted, rtol=1e-4, atol=1e-6)
    assert widget.classification.controls.show_what.value == "posterior"
    assert (
        widget.classification.controls.cls.value,
        widget.classification.controls.against.value,
    ) == (
        "skin",
        "nonskin",
    )


def test_the_kernels_of_the_user_say_nothing_about_skin(judged: ColorKDEWidget) -> None:
    session, panel = judged.session, judged.classification
    session.set(
        kernel_sets={
            "mine": KernelSet([Kernel([60, 60, 60], [90, 90, 90], 1, cls="skin")]),
            "stains": STAINS,
        },
        kernel_set="mine",
    )
    session.set_classification(show="posterior", threshold=0.75)
    before = session.state
    panel.controls.skin_button.native.click()
    preset = load_kernels(sample_path("jones_rehg_1999.csv"))
    wanted = classify_image(RGB, preset, show="posterior", cls="skin")
    np.testing.assert_allclose(values(judged), wanted, rtol=1e-4, atol=1e-6)
    assert panel.controls.threshold.value == 0.5
    assert dict(session.state.kernel_sets)["stains"] is STAINS
    assert panel.controls.cls.choices == ("skin", "nonskin")
    session.undo()
    assert session.state == before


def test_the_preset_says_in_whose_place_it_is(judged: ColorKDEWidget) -> None:
    session, panel, said = judged.session, judged.classification, []
    session.message.connect(said.append)
    panel.controls.skin_button.native.click()
    panel.controls.skin_button.native.click()
    assert said == []
    session.edit(session.kernels[:3])
    panel.controls.skin_button.native.click()
    assert said == ["The preset replaced the set 'skin'; undo restores what was there."]


@pytest.mark.parametrize("show", ["posterior", "ratio", "class"])
def test_each_quantity_is_shown_and_has_its_settings(judged: Any, show: str) -> None:
    judged.classification.controls.show_what.value = show
    against = {"against": "blue"} if show == "ratio" else {}
    wanted = classify_image(RGB, STAINS, show=show, **against)  # type: ignore[arg-type]
    np.testing.assert_allclose(values(judged), wanted, rtol=1e-4, atol=1e-4)
    assert shown(judged) == {
        "cls": True,
        "against": show == "ratio",
        "prior": True,
        "mass": show == "class",
        "threshold": show != "class",
        "masked": show != "class",
    }


def test_classes_and_priors_are_chosen(judged: ColorKDEWidget) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "posterior"
    panel.controls.cls.value = "blue"
    panel.controls.prior.box.setValue(0.8)
    priors = {"brown": 0.1, "blue": 0.8, "none": 0.1}
    wanted = classify_image(RGB, STAINS, show="posterior", cls="blue", priors=priors)
    np.testing.assert_allclose(values(judged), wanted, rtol=1e-4, atol=1e-6)
    assert "blue 0.8" in panel.note.text()
    judged.session.undo()
    assert panel.controls.prior.value == pytest.approx(1 / 3)


def test_none_of_these_is_a_part_of_the_pixels(judged: ColorKDEWidget) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "class"
    panel.controls.mass.value = 70
    panel.controls.none_of_these.value = True
    wanted = classify_image(RGB, STAINS, keep_mass=0.7)
    assert (values(judged) != wanted).mean() < 0.001
    panel.controls.none_of_these.value = False
    assert (values(judged) > 0).all()


def test_the_mask_is_filled_while_the_slider_moves_and_outlined_at_rest(
    viewer: Viewer, judged: ColorKDEWidget, qtbot: Any
) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "posterior"
    judged.session.wait()
    panel.controls.threshold.slider.setSliderDown(True)
    panel.controls.threshold.slider.setValue(400)
    mask = viewer.layers["photo mask"]
    np.testing.assert_array_equal(mask.data, values(judged) >= np.float32(0.4))
    assert panel.controls.masked.value
    panel.controls.threshold.slider.setSliderDown(False)
    panel.controls.threshold.slider.sliderReleased.emit()
    assert set(np.unique(mask.data)) == {0, 2, 3, 4}
    panel.controls.best_button.native.click()
    assert panel.controls.threshold.value == 0.5
    panel.controls.masked.value = False
    assert "photo mask" not in viewer.layers


def test_a_typed_threshold_rests_after_a_moment(judged: ColorKDEWidget, qtbot: Any) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "ratio"
    judged.session.wait()
    panel.controls.threshold.box.setValue(1.25)
    assert panel.mask.dragging
    qtbot.waitUntil(lambda: not panel.mask.dragging)
    assert judged.session.state.classification.threshold == 1.25


def test_labels_are_made_of_the_threshold_and_of_the_classes(
    viewer: Viewer, judged: ColorKDEWidget
) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "posterior"
    wanted = values(judged) >= 0.5
    panel.controls.labels_button.native.click()
    judged.session.wait()
    assert isinstance(viewer.layers["photo brown"], Labels)
    np.testing.assert_array_equal(viewer.layers["photo brown"].data, wanted)
    panel.controls.show_what.value = "class"
    judged.session.wait()
    panel.controls.labels_button.native.click()
    judged.session.wait()
    layer = viewer.layers["photo classes"]
    np.testing.assert_array_equal(layer.data, classify_image(RGB, STAINS))
    assert list(layer.features["class"]) == ["none", "brown", "blue", "none"]


def test_labels_that_are_asked_for_meanwhile_are_made_when_the_overlay_is_finished(
    viewer: Viewer, judged: ColorKDEWidget, qtbot: Any
) -> None:
    judged.classification.controls.show_what.value = "posterior"
    assert judged.session.busy
    qtbot.mouseClick(judged.classification.controls.labels_button.native, Qt.MouseButton.LeftButton)
    judged.session.wait()
    assert "photo brown" in viewer.layers, judged.status.problem.text()
    expected = values(judged) >= 0.5
    np.testing.assert_array_equal(viewer.layers["photo brown"].data == 1, expected)


def test_no_labels_are_made_of_a_preview(viewer: Viewer, judged: ColorKDEWidget) -> None:
    session = judged.session
    assert session.densities is not None
    session.computation.densities = replace(session.densities, is_exact=False)
    before = list(viewer.layers)
    judged.classification.controls.labels_button.native.click()
    session.wait()
    assert "wait until it is exact" in judged.status.problem.text()
    assert list(viewer.layers) == before


def test_small_densities_are_shown_and_typed(judged: ColorKDEWidget) -> None:
    session, panel = judged.session, judged.classification
    session.log = False
    session.show = "kde"
    session.wait()
    box, slider = panel.controls.threshold.box, panel.controls.threshold.slider
    slider.setValue(500)
    threshold = session.state.classification.threshold
    assert threshold is not None
    assert 0 < threshold < 1e-3
    assert float(box.text()) == pytest.approx(threshold, rel=1e-3)
    box.lineEdit().setText("1.25e-06")
    box.interpretText()
    assert session.state.classification.threshold == pytest.approx(1.25e-6)
    assert box.text() == "1.25e-06"
    session.log = True
    session.wait()
    assert box.decimals() == 3


def test_thresholds_are_found_where_they_are_seen_and_once(
    judged: ColorKDEWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged.classification.controls.show_what.value = "density"
    judged.session.wait()
    found: list[int] = []

    def level(values: np.ndarray, counts: np.ndarray, mass: float) -> float:
        found.append(len(values))
        return log_density_level(values, counts, mass)

    monkeypatch.setattr(request, "log_density_level", level)
    judged.tabs.setCurrentIndex(0)
    for log in (False, True):
        judged.session.log = log
        judged.session.wait()
    assert found == []
    judged.tabs.setCurrentIndex(2)
    assert len(found) == 1
    judged.session.log = False
    judged.session.wait()
    assert len(found) == 2


def test_a_hidden_tab_catches_up_when_it_is_shown(judged: ColorKDEWidget) -> None:
    judged.tabs.setCurrentIndex(0)
    judged.session.set_classification(show="posterior", cls="blue", threshold=0.25)
    judged.session.wait()
    judged.tabs.setCurrentIndex(2)
    assert judged.classification.controls.show_what.value == "posterior"
    assert judged.classification.controls.cls.value == "blue"
    assert judged.classification.controls.threshold.value == 0.25


def test_without_kernels_a_sentence_says_what_to_do(dock: Dock) -> None:
    widget = dock(RGB)
    widget.classification.controls.show_what.value = "posterior"
    assert "There are no kernels to classify with yet" in widget.status.problem.text()
    assert widget.classification.controls.show_what.value == "density"


def test_without_an_image_nothing_fails(dock: Dock) -> None:
    widget = dock()
    widget.classification.controls.labels_button.native.click()
    widget.classification.make_labels()
    assert "open an image first" in widget.status.problem.text()


def test_the_truth_is_a_labels_layer(viewer: Viewer, judged: ColorKDEWidget) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "posterior"
    truth = (RGB[..., 0] < 60).astype(np.uint8)
    layer = viewer.add_labels(truth, name="truth")
    view = panel.evaluation
    view.truth.value = layer
    judged.session.wait()
    assert view.evaluation.curve is not None
    found = view.evaluation.at(0.5)
    assert found is not None
    assert f"{100 * found.recall:.1f} %" in view.numbers.text()
    assert f"{view.evaluation.curve.auc:.4f}" in view.numbers.text()
    assert "area" in view.plot.accessibleDescription()
    before = view.numbers.text()
    panel.controls.threshold.box.setValue(0.9)
    assert view.numbers.text() != before
    viewer.layers.remove(layer)
    assert view.truth.value == ""
    assert view.evaluation.curve is None
    assert not view.plot.isVisibleTo(view)


def test_best_obeys_the_truth_and_a_click_on_the_curve_takes_its_threshold(
    viewer: Viewer, judged: ColorKDEWidget, qtbot: Any
) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "posterior"
    truth = (RGB[..., 0] < 60) & (RGB[..., 1] < 70)
    view = panel.evaluation
    view.truth.value = viewer.add_labels(truth.astype(np.uint8), name="truth")
    judged.session.wait()
    scores = values(judged).ravel()
    chosen = scores >= np.unique(scores)[:, np.newaxis]
    # F1 = 2 TP / (chosen + truth)
    best = (2 * (chosen & truth.ravel()).sum(axis=1) / (chosen.sum(axis=1) + truth.sum())).max()
    qtbot.mouseClick(panel.controls.best_button.native, Qt.MouseButton.LeftButton)
    threshold = judged.session.state.classification.threshold
    assert threshold is not None
    assert f1_score(truth.ravel(), scores >= threshold) == pytest.approx(best)
    assert not panel.controls.best_button.enabled
    plot, curve = view.plot, view.evaluation.curve
    assert curve is not None
    at = len(curve.thresholds) // 2
    square = plot.square
    x = square.left() + square.width() * curve.false_positives[at] / curve.n_negatives
    y = square.bottom() - square.height() * curve.true_positives[at] / curve.n_positives
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    found = view.evaluation.at(judged.session.state.classification.threshold or np.nan)
    assert found is not None
    assert found.false_positive_rate == pytest.approx(
        curve.false_positives[at] / curve.n_negatives, abs=0.02
    )
    assert panel.controls.masked.value
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    after = view.evaluation.at(judged.session.state.classification.threshold or np.nan)
    assert after is not None
    assert after.true_positives >= found.true_positives
    assert after != found


def test_of_many_labels_any_can_be_chosen(viewer: Viewer, judged: ColorKDEWidget) -> None:
    judged.classification.controls.show_what.value = "posterior"
    view = judged.classification.evaluation
    labels = np.arange(RGB.shape[0] * RGB.shape[1]).reshape(RGB.shape[:2]) // 12 + 1
    view.truth.value = viewer.add_labels(labels, name="truth")
    judged.session.wait()
    assert view.positive.count() == 401
    assert view.positive.value == 0
    view.positive.lineEdit().selectAll()
    QTest.keyClicks(view.positive.lineEdit(), "387")
    QTest.keyClick(view.positive.lineEdit(), Qt.Key.Key_Return)
    judged.session.wait()
    assert view.evaluation.positive == 387


def test_a_map_of_classes_has_a_legend_numbers_and_a_confusion_matrix(
    viewer: Viewer, judged: ColorKDEWidget
) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "class"
    classes = values(judged).astype(int)
    sizes = panel.sizes.sizes
    assert [size.name for size in sizes] == ["brown", "blue", "none"]
    assert [size.n_pixels for size in sizes] == [(classes == n).sum() for n in (1, 2, 3)]
    assert panel.sizes.text.text().count("■") == 3
    truth = classes.copy()
    truth[:30] = 1
    panel.evaluation.truth.value = viewer.add_labels(truth, name="truth")
    judged.session.wait()
    assert panel.evaluation.numbers.text().startswith("Accuracy")
    expected = (classes == truth).mean()
    assert f"{100 * expected:.3g}" in panel.evaluation.numbers.text()


@pytest.mark.xdist_group("clipboard")
def test_what_is_marked_is_counted_live_and_copied(judged: ColorKDEWidget, qtbot: Any) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "posterior"
    scores = values(judged)
    for threshold in (0.5, 0.8):
        panel.controls.threshold.box.setValue(threshold)
        (size,) = panel.sizes.sizes
        assert size.n_pixels == (scores >= threshold).sum()
        assert panel.sizes.text.textFormat() == Qt.TextFormat.RichText
        text = panel.sizes.text.text().replace("&nbsp;", "")
        assert f"{size.n_pixels}pixels" in text
        assert f"{100 * size.n_pixels / scores.size:.1f}%" in text
    qtbot.mouseClick(panel.sizes.copy_button, Qt.MouseButton.LeftButton)
    copied = QApplication.clipboard().text().splitlines()
    assert copied[0] == "region\tpixels\tpercent"
    assert copied[1].startswith(f"brown\t{size.n_pixels}\t")


def test_a_truth_of_another_shape_is_told(viewer: Viewer, judged: ColorKDEWidget) -> None:
    judged.classification.evaluation.truth.value = viewer.add_labels(
        np.ones((5, 5), int), name="small"
    )
    judged.session.wait()
    assert "'small' is 5 × 5 pixels" in judged.classification.evaluation.problem.text()


def test_another_image_and_deleted_layers_are_survived(
    viewer: Viewer, judged: ColorKDEWidget
) -> None:
    panel = judged.classification
    panel.controls.show_what.value = "posterior"
    panel.controls.masked.value = True
    judged.session.wait()
    viewer.layers.remove("photo mask")
    assert not panel.controls.masked.value
    panel.controls.threshold.box.setValue(0.3)
    assert "photo mask" in viewer.layers
    second = viewer.add_image(RGB[::-1, :40], rgb=True, name="second")
    judged.chooser.image.value = second
    judged.session.wait()
    assert "photo mask" not in viewer.layers
    assert viewer.layers["second mask"].data.shape == (60, 40)
    viewer.layers.remove(second)
    assert "second mask" not in viewer.layers


def test_closing_takes_the_mask_away(viewer: Viewer, judged: ColorKDEWidget, qtbot: Any) -> None:
    judged.classification.controls.show_what.value = "posterior"
    judged.classification.controls.masked.value = True
    judged.session.wait()
    close_dock(judged, qtbot)
    assert [layer.name for layer in viewer.layers] == ["photo", "photo density"]


def test_a_map_of_classes_has_controls_of_its_own_that_fit_a_narrow_dock(qtbot: Any) -> None:
    controls = ClassificationControls(lambda widget: ["skin"], lambda widget: ["nonskin"])
    qtbot.addWidget(controls)
    controls.show_rows("class")
    controls.show()
    assert controls.minimumSizeHint().width() <= 300
    assert controls.mass.native.isVisible()
    assert not controls.threshold.isVisible()
    controls.show_rows("posterior")
    assert not controls.mass.native.isVisible()
    assert controls.threshold.isVisible()


def test_every_control_says_what_it_does(judged: ColorKDEWidget) -> None:
    panel: ClassificationPanel = judged.classification
    for control in (
        panel.controls.show_what,
        panel.controls.skin_button,
        panel.controls.cls,
        panel.controls.against,
        panel.controls.mass,
    ):
        assert len(control.tooltip) > 20
    for slider in (panel.controls.prior, panel.controls.threshold):
        assert len(slider.slider.toolTip()) > 20
        assert slider.slider.focusPolicy().value & Qt.FocusPolicy.TabFocus.value


# --- its parts


def test_the_curve_is_painted_and_follows_themes(qtbot: Any) -> None:
    plot = RocPlot()
    qtbot.addWidget(plot)
    plot.resize(150, 150)
    empty = plot.grab().toImage()
    rng = np.random.default_rng(0)
    curve = roc_curve(rng.normal(size=9000), rng.integers(0, 4, 9000), rng.integers(0, 4, 9000))
    plot.set_curve(curve, curve.confusion_at(0))
    full = plot.grab().toImage()
    assert full != empty
    plot.set_theme("light")
    assert plot.grab().toImage() != full
    names = {QColor(full.pixel(x, y)).name() for x in range(150) for y in range(150)}
    assert "#e69f00" in names
