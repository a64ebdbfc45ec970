"""Judged images as layers and files: sessions and a viewer without a window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_colorkde import classify_image
from napari_colorkde.app.density.class_query import LOG_RATIO_RANGE
from napari_colorkde.app.layers.metadata import METADATA_KEY
from napari_colorkde.app.session_file import state_from_json, state_to_json
from napari_colorkde.core.mixture.density import compute_densities
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from tests.app.density.test_class_query import FILE, STAINS
from tests.app.layers.test_overlay import RGB, Setting


@pytest.fixture
def setting() -> Iterator[Setting]:
    setting = Setting()
    setting.session.set(kernel_sets=FILE, kernel_set="skin")
    setting.show()
    yield setting
    setting.overlay.close()
    setting.session.close()


@pytest.mark.parametrize("show", ["posterior", "ratio", "class"])
def test_the_overlay_shows_what_was_asked(setting: Setting, show: Any) -> None:
    setting.session.set_classification(show=show)
    np.testing.assert_allclose(
        setting.layer.data, classify_image(RGB, FILE, show=show), rtol=2e-5, atol=2e-4
    )
    assert setting.session.show == "kernels"
    setting.session.set_classification(show="density")
    np.testing.assert_allclose(
        setting.layer.data, compute_densities(RGB, FILE["skin"]), rtol=2e-5, atol=1e-12
    )


def test_each_quantity_has_limits_and_colors_that_suit(setting: Setting) -> None:
    setting.session.colormap = "viridis"
    setting.session.set_classification(show="posterior")
    assert tuple(setting.layer.contrast_limits) == (0, 1)
    assert setting.layer.colormap.name == "viridis"
    setting.session.set_classification(show="ratio")
    assert tuple(setting.layer.contrast_limits) == pytest.approx(
        (-LOG_RATIO_RANGE, LOG_RATIO_RANGE)
    )
    assert setting.layer.colormap.name == "evidence"
    setting.session.set_classification(show="class")
    assert tuple(setting.layer.contrast_limits) == (-0.5, 2.5)
    colors = setting.layer.colormap.map((np.arange(3) + 0.5) / 3)
    assert colors[0, 3] == 0
    assert len(np.unique(colors, axis=0)) == 3
    assert setting.session.colormap == "viridis"
    setting.session.set_classification(show="density")
    assert setting.layer.colormap.name == "viridis"
    assert setting.layer.contrast_limits[0] == 0


def test_the_middle_of_a_ratios_colors_follows_the_threshold(setting: Setting) -> None:
    setting.session.set_classification(show="ratio")
    densities = setting.session.densities
    setting.session.set_classification(threshold=2.0)
    assert setting.session.densities is densities
    assert tuple(setting.layer.contrast_limits) == pytest.approx(
        (2 - LOG_RATIO_RANGE, 2 + LOG_RATIO_RANGE)
    )
    setting.layer.contrast_limits = (1, 3)  # the user's own
    setting.session.set_classification(threshold=5.0)
    assert tuple(setting.layer.contrast_limits) == pytest.approx((4, 6))


def test_colormaps_taken_in_napari_are_kept_for_probabilities_only(setting: Setting) -> None:
    setting.session.set_classification(show="posterior")
    setting.layer.colormap = "inferno"
    assert setting.session.colormap == "inferno"
    setting.session.set_classification(show="ratio")
    setting.layer.colormap = "gray"
    assert setting.session.colormap == "inferno"


def test_an_overlay_that_comes_back_has_its_colors(setting: Setting) -> None:
    setting.session.set_classification(show="ratio")
    setting.viewer.layers.remove(setting.layer)
    setting.session.set_classification(priors={"skin": 0.2})
    assert setting.layer.colormap.name == "evidence"


def test_a_class_that_is_missing_is_told_and_nothing_is_lost(setting: Setting) -> None:
    setting.session.set_classification(show="posterior")
    before = setting.layer.data.copy()
    problems: list[str] = []
    setting.session.failed.connect(problems.append)
    setting.session.set(kernel_sets={"skin": FILE["skin"]})
    assert problems == [
        "a posterior compares two classes, but all kernels belong to 'skin'; give some of them "
        "another class in the table, or open a second kernel set."
    ]
    np.testing.assert_array_equal(setting.layer.data, before)
    setting.session.undo()
    assert setting.session.error is None
    np.testing.assert_array_equal(setting.layer.data, before)


def test_without_kernels_there_is_nothing_to_judge() -> None:
    setting = Setting()
    setting.show()
    with pytest.raises(ValueError, match="show='kernels' needs a kernel set"):
        setting.session.set_classification(show="posterior")
    assert setting.session.state.classification.show == "density"
    setting.overlay.close()


def test_when_the_last_kernel_is_deleted_the_image_shows_its_own_colors(setting: Setting) -> None:
    setting.session.set(kernel_sets={"rest": STAINS})
    setting.session.set_classification(show="class")
    setting.session.edit(KernelSet([], "rest"))
    assert setting.session.densities is not None
    assert setting.session.densities.request.query is None
    assert setting.session.error is None


def test_kernels_of_other_channels_are_told(setting: Setting) -> None:
    gray = KernelSet([Kernel([9], [4], 1, cls="a"), Kernel([90], [4], 1, cls="b")], "gray")
    setting.session.set(kernel_sets={"gray": gray})
    setting.session.set_classification(show="ratio")
    assert setting.session.error is not None
    assert "these kernels are for 1 channel" in setting.session.error.lower()


def test_changes_are_undone_and_those_of_a_gesture_together(setting: Setting) -> None:
    session = setting.session
    session.set_classification(show="posterior")
    for threshold in (0.6, 0.7, 0.8):
        session.set_classification("threshold", threshold=threshold, show_mask=True)
    session.set_classification("prior", priors={"skin": 0.3})
    session.undo()
    assert session.state.classification.threshold == 0.8
    session.undo()
    assert session.state.classification.threshold is None
    session.undo()
    assert session.state.classification.show == "density"
    session.redo()
    np.testing.assert_allclose(
        setting.layer.data, classify_image(RGB, FILE, show="posterior"), rtol=2e-5
    )


def test_a_saved_session_asks_the_same_and_older_ones_still_load(setting: Setting) -> None:
    setting.session.set_classification(
        show="ratio",
        cls="other",
        priors={"skin": 0.1},
        keep_mass=0.9,
        threshold=1.5,
        show_mask=True,
    )
    text = state_to_json(setting.session.state)
    assert state_from_json(text) == setting.session.state
    older = text.replace('"judgement"', '"unknown to this version"')
    assert state_from_json(older).classification.show == "density"
    with pytest.raises(ValueError, match="the session: judgement"):
        state_from_json(text.replace('"ratio"', '"odds"'))


@pytest.mark.parametrize("show", ["posterior", "ratio", "class"])
def test_what_is_exported_says_what_it_is(setting: Setting, show: Any, tmp_path: Path) -> None:
    setting.session.set_classification(show=show, priors={"skin": 0.2})
    setting.session.export(tmp_path / "judged.tif")
    written = tifffile.imread(tmp_path / "judged.tif")
    np.testing.assert_array_equal(written, setting.layer.data)
    assert written.dtype == (np.uint8 if show == "class" else np.float32)
    with tifffile.TiffFile(tmp_path / "judged.tif") as file:
        text = (file.imagej_metadata or {}).get("Info", file.pages[0].description)
    wanted = {"posterior": "posterior probability of 'skin'", "ratio": "nats", "class": "skin"}
    assert wanted[show] in text
    mark = setting.layer.metadata[METADATA_KEY]
    assert mark["log"] is False
    assert mark["origin"]["values"] == setting.session.description()["values"]


def test_pictures_of_classes_have_their_colors(setting: Setting, tmp_path: Path) -> None:
    setting.session.set_classification(show="class")
    setting.session.export(tmp_path / "classes.png")
    from PIL import Image

    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "classes.png")), setting.layer.data
    )
