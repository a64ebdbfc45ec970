"""Questions and answers, beside the public function that judges images in float64."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from napari_colorkde import classify_image
from napari_colorkde.app.density.class_query import (
    MIN_PRIOR,
    ClassQuery,
    class_map,
    resolve_classes,
)
from napari_colorkde.app.settings.class_settings import ClassificationSettings
from napari_colorkde.app.state import State
from napari_colorkde.core.mixture.cached_terms import Contributions
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(20, 240, (30, 40, 3)).astype(np.uint8)


def kernel(level: float, weight: float = 0.5, cls: str = "") -> Kernel:
    return Kernel([level, level + 9, 100], [900, 400, 2500], weight, cls=cls)


SKIN = KernelSet([kernel(90), kernel(180)], "skin")
OTHER = KernelSet([kernel(40), kernel(120, 0.3)], "other")
STAINS = KernelSet([kernel(50, 1, "brown"), kernel(130, 2, "blue"), kernel(210, 1)], "rest")
FILE = {"skin": SKIN, "other": OTHER}


def state(sets: dict[str, KernelSet], chosen: str | None = None, **fields: Any) -> State:
    # The library's word for the same.
    classification = ClassificationSettings().replace(**fields)
    return State().replace(
        kernel_sets=sets,
        kernel_set=chosen or next(iter(sets)),
        show="kernels",
        classification=classification,
    )


def query(sets: dict[str, KernelSet], chosen: str | None = None, **fields: Any) -> ClassQuery:
    found = resolve_classes(state(sets, chosen, **fields))
    assert found is not None
    return found


def answered(asked: ClassQuery) -> np.ndarray:
    palette = Palette.from_image(IMAGE)
    logs = Contributions(palette.colors).log_class_densities(asked.kernels, asked.members)
    return palette.paint(asked.evaluate(logs, palette.counts), IMAGE)


@pytest.mark.parametrize(
    ("sets", "fields"),
    [
        (FILE, {"show": "posterior"}),
        (FILE, {"show": "posterior", "cls": "other", "priors": {"skin": 0.1}}),
        (FILE, {"show": "ratio"}),
        (FILE, {"show": "ratio", "cls": "other"}),
        (FILE, {"show": "class", "priors": {"skin": 0.2, "other": 0.8}}),
        ({"rest": STAINS}, {"show": "posterior", "cls": "blue", "priors": {"blue": 0.7}}),
        ({"rest": STAINS}, {"show": "ratio", "cls": "rest", "against": "brown"}),
        ({"rest": STAINS}, {"show": "class"}),
        ({"rest": STAINS}, {"show": "class", "keep_mass": 0.6}),
    ],
)
def test_answers_are_those_of_the_public_function(sets: Any, fields: dict[str, Any]) -> None:
    asked = query(sets, **fields)
    found = answered(asked)
    options = dict(fields)
    if fields["show"] == "ratio":
        options["against"] = asked.against
    wanted = classify_image(IMAGE, dict(asked.sets), **options)
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-4)


@given(
    st.lists(st.floats(-1e5, 50, width=32), min_size=2, max_size=5), st.integers(0, 4), st.data()
)
def test_posteriors_are_probabilities_wherever_densities_underflow(
    logs: list[float], cls: int, data: st.DataObject
) -> None:
    names = tuple("abcde"[: len(logs)])
    members = KernelSet([kernel(9, cls=name) for name in names])
    column = np.array(logs, np.float32)[:, np.newaxis]
    total = 0.0
    for name in names:
        asked = ClassQuery(
            ClassificationSettings("posterior", name), {}, members, names, tuple(range(len(names)))
        )
        (value,) = asked.evaluate(column, np.ones(1, np.int64))
        assert 0 <= value <= 1
        total += float(value)
    assert total == pytest.approx(1, abs=1e-5)


def test_the_classes_of_the_chosen_set_are_compared() -> None:
    asked = query({"rest": STAINS, **FILE})
    assert asked.names == ("brown", "blue", "rest")
    assert list(asked.sets) == ["rest"]


def test_a_set_of_one_class_is_compared_with_the_other_sets() -> None:
    asked = query({**FILE, "rest": STAINS}, "other")
    assert asked.names == ("skin", "other", "brown", "blue", "rest")
    assert [asked.names[m] for m in asked.members][:3] == ["skin", "skin", "other"]


def test_sets_with_other_channels_take_no_part() -> None:
    gray = KernelSet([Kernel([9], [4], 1)], "gray")
    bgr = KernelSet(SKIN.kernels, "bgr", "bgr")
    assert query({"skin": SKIN, "gray": gray, "bgr": bgr, "other": OTHER}).names == (
        "skin",
        "other",
    )


def test_sets_that_are_named_are_compared_with_one_another_alone() -> None:
    mine = KernelSet([kernel(60, 1, "skin"), kernel(70, 1, "hair")], "mine")
    sets = {"mine": mine, **FILE, "third": KernelSet([kernel(30)], "third")}
    asked = query(sets, "skin", compared_sets=["skin", "other"])
    assert list(asked.sets) == ["skin", "other"]
    # As long as one of them is chosen, and there is another class among them.
    assert query(sets, "mine", compared_sets=["skin", "other"]).names == ("skin", "hair")
    assert query(sets, "third", compared_sets=["skin", "other"]).names == (
        "skin", "hair", "other", "third"
    )  # fmt: skip
    del sets["other"]
    assert query(sets, "skin", compared_sets=["skin", "other"]).names == ("skin", "hair", "third")


def test_without_kernels_there_is_no_question() -> None:
    assert resolve_classes(State()) is None


def test_names_that_no_kernel_has_mean_the_first_ones() -> None:
    asked = query(FILE, cls="gone", against="gone", priors={"gone": 0.9, "skin": 0.2})
    assert (asked.cls, asked.against) == ("skin", "other")
    assert asked.priors == pytest.approx({"skin": 0.2, "other": 0.8})


def test_a_class_that_came_later_starts_from_an_equal_share() -> None:
    priors = {"brown": 0.6, "blue": 0.4}
    found = query({"rest": STAINS}, priors=priors).priors
    assert found["rest"] == pytest.approx((1 / 3) / (4 / 3))
    assert sum(found.values()) == pytest.approx(1)
    assert query(FILE, priors={"skin": 0, "other": 0}).priors == {"skin": 0.5, "other": 0.5}


def test_the_best_threshold_makes_the_fewest_errors() -> None:
    assert query(FILE, show="posterior").threshold == 0.5
    asked = query(FILE, show="ratio", priors={"skin": 0.2})
    assert asked.threshold == pytest.approx(math.log(0.8 / 0.2))
    posterior = query(FILE, show="posterior", priors={"skin": 0.2})
    np.testing.assert_array_equal(answered(asked) > asked.threshold, answered(posterior) > 0.5)
    assert math.isnan(query(FILE, show="class").threshold)


def test_a_prior_of_nothing_leaves_the_threshold_finite() -> None:
    asked = query(FILE, show="ratio", priors={"skin": 0, "other": 1})
    assert asked.threshold == pytest.approx(-math.log(MIN_PRIOR))
    np.testing.assert_array_equal(
        answered(query(FILE, show="posterior", priors={"skin": 0, "other": 1})), 0
    )


@pytest.mark.parametrize("cls", ["brown", "blue", "rest"])
def test_classes_of_no_prior_have_no_posterior_and_do_not_disturb(cls: str) -> None:
    for priors in ({"brown": 1, "blue": 0, "rest": 0}, {"brown": 0.25, "blue": 0.75, "rest": 0}):
        found = answered(query({"rest": STAINS}, show="posterior", cls=cls, priors=priors))
        wanted = classify_image(IMAGE, {"rest": STAINS}, show="posterior", cls=cls, priors=priors)
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize("cls", ["none", "nothing", "some"])
def test_classes_whose_kernels_weigh_nothing_are_improbable(cls: str) -> None:
    kernels = KernelSet([kernel(50, 0, "none"), kernel(130, 0, "nothing"), kernel(90, 1, "some")])
    found = answered(query({"rest": kernels}, show="posterior", cls=cls))
    np.testing.assert_array_equal(found, float(cls == "some"))


@pytest.mark.parametrize(
    "fields",
    [
        {"show": "posterior", "cls": "none"},
        {"show": "posterior", "cls": "some"},
        {"show": "class"},
        {"show": "class", "keep_mass": 0.5},
        {"show": "ratio", "cls": "none", "against": "nothing"},
    ],
)
def test_where_no_class_is_possible_there_is_none(fields: dict[str, Any]) -> None:
    kernels = KernelSet([kernel(50, 0, "none"), kernel(130, 0, "nothing"), kernel(90, 1, "some")])
    if fields["show"] != "ratio":
        fields = {**fields, "priors": {"none": 0.5, "nothing": 0.5, "some": 0}}
    np.testing.assert_array_equal(answered(query({"rest": kernels}, **fields)), 0)
    np.testing.assert_array_equal(classify_image(IMAGE, {"rest": kernels}, **fields), 0)


def test_the_colors_of_a_ratio_lie_about_its_threshold() -> None:
    low, high = query(FILE, show="ratio", threshold=2.5).limits
    assert (low + high) / 2 == pytest.approx(2.5)
    assert query(FILE, show="posterior").limits == (0, 1)
    assert query(FILE, show="class").limits == (-0.5, 2.5)


@pytest.mark.parametrize("show", ["posterior", "ratio"])
def test_one_class_alone_cannot_be_compared(show: Any) -> None:
    with pytest.raises(
        ValueError, match=f"a {show} compares two classes, but all kernels belong to"
    ):
        query({"skin": SKIN}, show=show).check()
    query({"skin": SKIN}, show="class").check()


def test_a_class_map_has_whole_numbers_and_0_where_there_is_no_answer() -> None:
    found = class_map(np.array([[np.nan, 1], [2, 0]], np.float32))
    assert found.dtype == np.uint8
    assert found.tolist() == [[0, 1], [2, 0]]
    assert class_map(np.array([[300.0]])).dtype == np.uint16


def test_facts_say_how_to_ask_again() -> None:
    metadata = query(FILE, show="class", keep_mass=0.9, priors={"skin": 0.2}).metadata
    assert metadata["kernel set"] == "skin, other"
    assert metadata["kernels"][2]["class"] == "other"
    assert metadata["priors"] == pytest.approx({"skin": 0.2, "other": 0.8})
    assert metadata["none below the density that holds"] == 0.9
    assert "'skin' to 'other'" in query(FILE, show="ratio").metadata["values"]
