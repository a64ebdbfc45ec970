from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.state_values import AUTOMATIC, ESTIMATORS
from napari_colorkde.ui.density.panel import BY_HAND, DensityPanel
from tests.ui.conftest import RGB

pytestmark = pytest.mark.window


@pytest.fixture
def panel(qtbot: Any) -> Iterator[DensityPanel]:
    session = Session()
    session.open(source_of_array(RGB))
    panel = DensityPanel(session)
    qtbot.addWidget(panel)
    yield panel
    panel.close_session()
    session.close()


def session_of(panel: DensityPanel) -> Session:
    return panel.session


def sigma_of(panel: DensityPanel) -> float:
    estimate = session_of(panel).estimate
    assert estimate is not None
    return float(np.exp(np.log(estimate.sigmas).mean()))


def test_the_slider_sets_the_bandwidth_by_hand(panel: DensityPanel) -> None:
    panel.sigma.slider.setValue(700)
    assert panel.rule.value == BY_HAND
    assert session_of(panel).bandwidth == (panel.sigma.value,)
    assert sigma_of(panel) == pytest.approx(panel.sigma.value)


def test_kernels_are_chosen_and_what_there_is_not_is_refused(panel: DensityPanel) -> None:
    session = session_of(panel)
    for words, chosen in reversed(ESTIMATORS.items()):
        panel.estimator.value = words
        assert (session.boundary, session.varying) == chosen
        assert session.estimate is not None
        assert (session.estimate.boundary, session.estimate.varying) == chosen
    session.undo()
    assert panel.estimator.value == "renormalized at the boundary"
    problems: list[str] = []
    panel.failed.connect(problems.append)
    panel.rule.value = "plug-in"
    assert "gives a full covariance; choose another rule, or no boundary" in problems[0]
    assert panel.rule.value == AUTOMATIC


def test_a_typed_bandwidth_is_taken_as_it_is(panel: DensityPanel) -> None:
    panel.sigma.box.setValue(7.5)
    assert session_of(panel).bandwidth == (7.5,)


@pytest.mark.parametrize("rule", ["scott", "silverman", "loco", "loo"])
def test_rules_are_chosen_and_the_slider_shows_what_they_gave(
    panel: DensityPanel, rule: str
) -> None:
    panel.sigma.box.setValue(20)
    panel.rule.value = rule
    assert session_of(panel).bandwidth == rule
    assert panel.sigma.value == pytest.approx(sigma_of(panel), rel=0.01)


def test_the_automatic_bandwidth_can_be_chosen_again(panel: DensityPanel) -> None:
    panel.sigma.box.setValue(20)
    panel.rule.value = AUTOMATIC
    assert session_of(panel).bandwidth is None
    assert panel.sigma.value == 4


def test_by_hand_starts_from_what_is_shown(panel: DensityPanel) -> None:
    panel.rule.value = BY_HAND
    assert session_of(panel).bandwidth == (4.0,)


def test_the_slider_fits_the_values_of_the_image(panel: DensityPanel) -> None:
    session_of(panel).open(source_of_array((RGB / 255).astype(np.float32)))
    assert panel.sigma.value == pytest.approx(1 / 64, rel=0.01)
    panel.sigma.slider.setValue(1000)
    assert session_of(panel).bandwidth == (0.25,)


def test_settings_follow_the_session(panel: DensityPanel) -> None:
    session_of(panel).set(bandwidth=9, log=False, colormap="viridis")
    assert panel.rule.value == BY_HAND
    assert panel.sigma.value == 9
    assert panel.log.value is False
    assert panel.colormap.value == "viridis"


def test_a_colormap_that_is_not_listed_is_shown_when_it_is_set(panel: DensityPanel) -> None:
    session_of(panel).colormap = "cividis"
    assert panel.colormap.value == "cividis"


def test_the_logarithm_is_switched(panel: DensityPanel) -> None:
    panel.log.value = False
    densities = session_of(panel).densities
    assert densities is not None
    assert not densities.request.log


def test_showing_kernels_takes_the_preset_and_back(panel: DensityPanel) -> None:
    session = session_of(panel)
    panel.show_what.value = "kernels"
    assert session.state.kernel_set == "skin"
    panel.show_what.value = "kde"
    assert session.densities is not None
    assert session.densities.request.kernels is None


def test_where_channels_differ_each_has_a_box_and_none_is_leveled(
    panel: DensityPanel, qtbot: Any
) -> None:
    session = session_of(panel)
    session.space = "lab"
    bandwidth = panel.bandwidth
    assert session.estimate is not None
    automatic = session.estimate.sigmas
    assert len(set(automatic)) > 1
    shown = [box.value() for box in bandwidth.boxes]
    assert shown == pytest.approx(automatic, rel=1e-3)
    assert all(box.isVisibleTo(panel) for box in bandwidth.boxes)
    assert not panel.sigma.box.isVisibleTo(panel)
    assert [box.accessibleName()[-2:] for box in bandwidth.boxes] == ["L*", "a*", "b*"]
    panel.rule.value = BY_HAND
    assert session.bandwidth == automatic
    # One step of the slider: the ratios stay.
    qtbot.keyClick(panel.sigma.slider, Qt.Key.Key_Right)
    assert isinstance(session.bandwidth, tuple)
    ratios = np.array(session.bandwidth) / automatic
    assert ratios[0] > 1
    np.testing.assert_allclose(ratios, ratios[0])
    # Linked, a step of one box moves all by the same factor.
    before = session.bandwidth
    qtbot.keyClick(bandwidth.boxes[0], Qt.Key.Key_Up)
    ratios = np.array(session.bandwidth) / before
    assert ratios[0] > 1
    np.testing.assert_allclose(ratios, ratios[0])
    qtbot.mouseClick(bandwidth.link_button, Qt.MouseButton.LeftButton)
    before = session.bandwidth
    qtbot.keyClick(bandwidth.boxes[1], Qt.Key.Key_Up)
    assert session.bandwidth[1] > before[1]
    assert (session.bandwidth[0], session.bandwidth[2]) == (before[0], before[2])


def test_channels_that_are_alike_are_unlinked_by_a_button(panel: DensityPanel, qtbot: Any) -> None:
    bandwidth = panel.bandwidth
    assert not any(box.isVisibleTo(panel) for box in bandwidth.boxes)
    qtbot.mouseClick(bandwidth.link_button, Qt.MouseButton.LeftButton)
    assert all(box.isVisibleTo(panel) for box in bandwidth.boxes)
    bandwidth.boxes[2].setValue(9)
    assert session_of(panel).bandwidth == (4, 4, 9)
    bandwidth.boxes[2].setValue(4)
    assert session_of(panel).bandwidth == (4,)


@pytest.mark.parametrize("linked", [True, False])
def test_a_sigma_of_0_typed_for_one_channel_changes_nothing(
    panel: DensityPanel, qtbot: Any, linked: bool
) -> None:
    session_of(panel).bandwidth = (4, 4, 9)
    bandwidth = panel.bandwidth
    bandwidth.link_button.setChecked(linked)
    box = bandwidth.boxes[2]
    box.selectAll()
    qtbot.keyClicks(box, "0")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 9
    assert session_of(panel).bandwidth == (4, 4, 9)


def test_sliders_and_boxes_have_names_for_screen_readers(panel: DensityPanel) -> None:
    for native in (panel.sigma.slider, panel.sigma.box, panel.rule.native, panel.colormap.native):
        assert native.accessibleName()


def test_the_settings_are_reached_by_keyboard_in_order(panel: DensityPanel) -> None:
    wanted = [
        panel.show_what.native,
        panel.rule.native,
        panel.sigma.slider,
        panel.sigma.box,
        panel.colormap.native,
        panel.log.native,
        panel.export_button.native,
        panel.volume_button.native,
    ]
    chain, current = [], panel.show_what.native
    while current not in chain:
        chain.append(current)
        current = current.nextInFocusChain()
    positions = [chain.index(native) for native in wanted]
    assert positions == sorted(positions)
    for native in wanted:
        assert native.focusPolicy().value & Qt.FocusPolicy.TabFocus.value


def test_every_setting_says_what_it_does(panel: DensityPanel) -> None:
    for name in ("show_what", "rule", "log", "colormap"):
        assert len(getattr(panel, name).tooltip) > 20
