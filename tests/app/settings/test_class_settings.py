from __future__ import annotations

import math
from typing import Any

import pytest

from napari_colorkde.app.settings.class_settings import ClassificationSettings, with_prior


def test_changing_what_is_shown_forgets_the_threshold() -> None:
    before = ClassificationSettings("posterior", threshold=0.7, show_mask=True)
    assert before.replace(show="ratio").threshold is None
    assert before.replace(cls="b").threshold is None
    assert before.replace(priors={"a": 0.1}).threshold == 0.7
    assert before.replace(show="ratio", threshold=2.0).threshold == 2.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"show": "odds"}, "show='odds' is not known; use one of 'density', 'posterior'"),
        ({"keep_mass": 0.0}, "keep_mass=0.0; give a fraction of the pixels above 0 and up to 1"),
        ({"threshold": math.inf}, "threshold=inf; give a finite number"),
        ({"priors": {"a": -1}}, "priors has -1.0 for 'a'; give a number of 0 or more"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClassificationSettings().replace(**fields)


def test_one_prior_is_set_and_the_others_keep_their_proportions() -> None:
    assert with_prior({"a": 0.5, "b": 0.3, "c": 0.2}, "a", 0.75) == pytest.approx(
        {"a": 0.75, "b": 0.15, "c": 0.1}
    )
    assert with_prior({"a": 1.0, "b": 0.0, "c": 0.0}, "a", 0.5) == {"a": 0.5, "b": 0.25, "c": 0.25}
    with pytest.raises(ValueError, match=r"prior=1\.2 is not a probability"):
        with_prior({"a": 0.5, "b": 0.5}, "a", 1.2)
