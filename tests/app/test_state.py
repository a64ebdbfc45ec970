from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.settings.class_settings import ClassificationSettings
from napari_colorkde.app.settings.state_values import ESTIMATORS
from napari_colorkde.app.state import State
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

SETS = {
    "skin": KernelSet([Kernel([1, 2, 3], [1, 1, 1], 1.0)], "skin"),
    "sky": KernelSet([Kernel([4, 5, 6], [1, 1, 1], 1.0)], "sky"),
}


def test_a_state_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        State().log = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("scott", "scott"),
        (5, (5.0,)),
        (2.5, (2.5,)),
        ([1, 2, 3], (1.0, 2.0, 3.0)),
        (np.array([1, 2.5, 3]), (1.0, 2.5, 3.0)),
        ([[4, 1], [1, 9]], ((4.0, 1.0), (1.0, 9.0))),
        (np.diag([4.0, 9.0]), (2.0, 3.0)),
    ],
)
def test_bandwidths_are_kept_in_one_form(given: Any, kept: Any) -> None:
    state = State().replace(bandwidth=given)
    assert state.bandwidth == kept
    assert State.from_json(json.loads(json.dumps(state.to_json()))) == state


@pytest.mark.parametrize("bandwidth", [0, -1, float("nan"), float("inf"), [1] * 33, [], "wide"])
def test_bandwidths_that_cannot_be_are_refused_with_what_was_given(bandwidth: Any) -> None:
    with pytest.raises(ValueError, match=r"^bandwidth="):
        State().replace(bandwidth=bandwidth)


def test_a_bandwidth_that_is_no_number_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="bandwidth="):
        State().replace(bandwidth=object())


@pytest.mark.parametrize("words", ESTIMATORS)
def test_estimators_are_written_down_and_read_again(words: str) -> None:
    boundary, varying = ESTIMATORS[words]
    state = State().replace(boundary=boundary, varying=varying)
    assert state.estimator == words
    document = state.to_json()
    assert State.from_json(document) == state
    # Files of earlier versions do not have them.
    old = {key: document[key] for key in document if key not in ("boundary", "varying")}
    assert State.from_json(old) == State()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"boundary": "open"}, "boundary='open' is not known; use one of none, renormalized, ref"),
        ({"boundary": "reflected", "varying": True}, "cannot be combined; give one of them"),
        ({"boundary": "reflected", "bandwidth": "plug-in"}, "gives a full covariance; choose"),
        ({"boundary": "reflected", "bandwidth": [[4, 1], [1, 9]]}, "is a full covariance; choose"),
        ({"bandwidth": [[4, 7], [7, 9]]}, "not positive definite"),
        ({"bandwidth": [[4, 1], [2, 9]]}, "must be finite and symmetric"),
        ({"bandwidth": [[4, 1, 1], [1, 9, 1]]}, "bandwidth has shape"),
    ],
)
def test_estimators_that_there_are_not_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        State().replace(**fields)
    with pytest.raises(ValueError, match=r"^the session: "):
        State.from_json(State().to_json() | fields)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="'sigma' is not a field of the state"):
        State().replace(sigma=4)


def test_kernels_cannot_be_shown_before_there_are_some() -> None:
    with pytest.raises(ValueError, match="open a kernel file first"):
        State().replace(show="kernels")


def test_the_first_set_is_chosen_and_another_can_be() -> None:
    state = State().replace(kernel_sets=SETS, show="kernels")
    assert state.kernels is SETS["skin"]
    assert state.replace(kernel_set="sky").kernels is SETS["sky"]


def test_a_set_that_was_not_opened_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel_set='sea' is not an open"):
        State().replace(kernel_sets=SETS, kernel_set="sea")


def test_a_chosen_set_stays_chosen_when_others_are_opened() -> None:
    state = State().replace(kernel_sets=SETS, kernel_set="sky")
    more = {"hair": SETS["skin"], **SETS}
    assert state.replace(kernel_sets=more).kernel_set == "sky"


@pytest.mark.parametrize("sets", [{"empty": KernelSet([])}, {"number": 3}])
def test_what_is_no_kernel_set_is_refused(sets: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="kernel_sets: "):
        State().replace(kernel_sets=sets)


def test_states_with_the_same_choices_are_equal() -> None:
    assert State().replace(bandwidth=4, log=True) == State().replace(log=True).replace(bandwidth=4)


def test_channels_say_what_they_are() -> None:
    channels = Channels(("red", "blue"), axis=2, indices=(0, 2))
    assert channels.label == "red, blue"
    assert len(channels) == 2


@pytest.mark.parametrize(
    ("show", "judged", "change", "kept"),
    [
        ("kde", "posterior", {"show": "kernels"}, False),
        ("kde", "density", {"show": "kernels"}, False),
        ("kde", "density", {"log": False}, False),
        ("kde", "density", {"space": "lab"}, False),
        ("kde", "density", {"channels": Channels(("red",), 2, (0,))}, False),
        ("kde", "density", {"bandwidth": 4}, True),
        ("kernels", "density", {"log": False}, False),
        ("kernels", "density", {"space": "lab"}, True),
        ("kernels", "posterior", {"log": False}, True),
        ("kernels", "ratio", {"log": False, "space": "lab"}, True),
        ("kernels", "ratio", {"show": "kde"}, False),
        ("kernels", "ratio", {"kernel_set": "sky"}, True),
    ],
)
def test_a_threshold_is_kept_as_long_as_its_numbers_are_shown(
    show: Any, judged: Any, change: dict[str, Any], kept: bool
) -> None:
    classification = ClassificationSettings(judged, threshold=0.25)
    state = State().replace(kernel_sets=SETS, show=show, classification=classification)
    assert state.replace(**change).classification.threshold == (0.25 if kept else None)


def test_channels_along_an_axis_are_called_after_it_once() -> None:
    assert Channels(("axis 0: 0", "axis 0: 2"), 0, (0, 2)).label == "channels 0, 2 of axis 0"
    assert Channels(("axis 1: 3",), 1, (3,)).label == "channel 3 of axis 1"
    assert Channels(("red", "green"), 2, (0, 1)).label == "red, green"
