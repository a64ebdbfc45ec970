"""`widget.session`: what a script can set, and what that does to the window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde import (
    ColorKDE,
    classify_image,
    compute_densities,
)
from tests.compat import doors
from tests.compat.conftest import COOL, RGB, SETS, WARM, Widget, Window, assert_same

pytestmark = [
    pytest.mark.window,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

# Attributes


def test_what_is_chosen_at_the_start(window: Window) -> None:
    session = window.session
    assert (session.show, session.space, session.bandwidth, session.log, session.colormap) == (
        "kde",
        "rgb",
        None,
        True,
        "magma",
    )
    assert session.kernels is None
    assert session.error is None
    assert (session.can_undo, session.can_redo, session.busy) == (False, False, False)
    assert_same(window.shown(), ColorKDE(RGB).density(RGB, log=True))


def test_bandwidth_in_numbers(window: Window) -> None:
    for bandwidth, kept in (
        (2.5, (2.5,)),
        ((3, 4, 5), (3, 4, 5)),
        ([6, 4, 5], (6, 4, 5)),
        (np.array([4, 4, 5.0]), (4, 4, 5)),
    ):
        window.session.bandwidth = bandwidth
        assert window.session.bandwidth == kept
        assert_same(window.shown(), ColorKDE(RGB, bandwidth).density(RGB, log=True))


def test_bandwidth_by_name(window: Window) -> None:
    for bandwidth in ("scott", "silverman", "loo", "loco", None):
        window.session.bandwidth = bandwidth
        assert window.session.bandwidth == bandwidth
        if bandwidth != "loo":  # which asks for the most work
            assert_same(window.shown(), ColorKDE(RGB, bandwidth).density(RGB, log=True))


def test_log(window: Window) -> None:
    window.session.log = False
    assert_same(window.shown(), ColorKDE(RGB).density(RGB))


def test_space(window: Window) -> None:
    for space in ("linear", "oklab", "hsv", "ycbcr", "principal", "lab", "rgb"):
        window.session.set(space=space, bandwidth=None)
        window.session.space = space
        assert window.session.space == space
        if space in ("principal", "lab"):
            assert_same(window.shown(), ColorKDE(RGB, space=space).density(RGB, log=True))


def test_another_space_keeps_the_relative_width_and_a_number_that_is_given_with_it(
    window: Window,
) -> None:
    session = window.session
    session.bandwidth = 25.5  # 0.1 of 255 levels, and so 0.1 of lab's lightness
    session.space = "lab"
    assert session.bandwidth[0] == pytest.approx(10, rel=0.01)
    session.set(space="rgb", bandwidth=25.5)
    session.set(space="lab")
    # 0.1.0 kept the number here, but converted it where the attribute was assigned.
    assert session.bandwidth[0] == pytest.approx(10, rel=0.01)
    session.set(space="rgb", bandwidth=25.5)
    session.set(space="lab", bandwidth=25.5)
    assert session.bandwidth == (25.5,)


def test_colormap(window: Window) -> None:
    for colormap in ("viridis", "inferno", "plasma", "gray", "turbo", "hsv", "magma"):
        window.session.colormap = colormap
        window.session.wait()
        assert window.layer.colormap.name == window.session.colormap == colormap


def test_the_layers_colormap_is_the_sessions(window: Window) -> None:
    window.layer.colormap = "plasma"
    assert window.session.colormap == "plasma"


def test_channels(window: Window) -> None:
    session = window.session
    assert session.channels == session.source.choices[0]
    session.channels = next(c for c in session.source.choices if c.entries == (0, 2))
    assert (session.channels.names, session.channels.axis) == (("red", "blue"), 2)
    assert_same(window.shown(), ColorKDE(RGB[..., [0, 2]]).density(RGB[..., [0, 2]], log=True))
    session.channels = None
    assert_same(window.shown(), ColorKDE(RGB).density(RGB, log=True))


def test_an_axis_is_one_of_channels_by_its_label_in_either_spelling(make_widget: Widget) -> None:
    stack = np.moveaxis(np.dstack([RGB, RGB[..., 0]]), -1, 0)
    for label in ("colour", "Color"):
        widget, _ = make_widget(stack, rgb=False, axis_labels=(label, "y", "x"))
        assert widget.session.channels.axis == 0
    widget, _ = make_widget(stack, rgb=False, axis_labels=("z", "y", "x"))
    assert widget.session.channels.axis is None


def test_kernels(window: Window) -> None:
    window.session.kernels = WARM
    assert window.session.kernels == WARM
    assert window.session.show == "kernels"
    assert_same(window.shown(), compute_densities(RGB, WARM, log=True))
    window.session.show = "kde"
    assert_same(window.shown(), ColorKDE(RGB).density(RGB, log=True))
    window.session.show = "kernels"
    assert_same(window.shown(), compute_densities(RGB, WARM, log=True))


LOOKS: dict[str, tuple[Any, ...]] = {
    "mode": ("maximum", "shells", "points", "cloud"),
    "scale": ("log", "equalised", "linear"),
    "exposure": (2.5,),
    "floor": (0.25,),
    "perspective": (False, True),
    "turning": (True, False),
    "walls": (True, False),
    "outline": (False, True),
    "legend": (False, True),
    "cut": (0, 1, 2, None),
    "cut_at": (0.25,),
    "shells": ((0.25, 0.75),),
    "radius": (1.5,),
    "by_class": (True, False),
    "viewpoint": ((10.0, 20.0, 1.5, 0.5, 0.25, 0.75), None),
}


def test_look(window: Window) -> None:
    session = window.session
    for name, values in LOOKS.items():
        for value in values:
            session.look = doors.changed(session.look, **{name: value})
            # The old spelling is understood; the new one may be what is kept.
            kept = ("equalised", "equalized") if value == "equalised" else (value,)
            assert getattr(session.look, name) in kept
    assert not session.can_undo, "undo takes edits back, and does not turn the view"


# set


def test_set_changes_several_fields_as_one_step(window: Window) -> None:
    session = window.session
    session.set(bandwidth=6, log=False, space="lab", show="kde", colormap="gray", channels=None)
    assert_same(window.shown(), ColorKDE(RGB, 6, space="lab").density(RGB))
    assert window.layer.colormap.name == "gray"
    session.undo()
    assert (session.bandwidth, session.log, session.space) == (None, True, "rgb")
    session.redo()
    assert (session.bandwidth, session.log, session.space) == ((6.0,), False, "lab")


def test_set_opens_several_kernel_sets_and_chooses_one(window: Window) -> None:
    session = window.session
    for sets in (SETS, tuple(SETS.items())):
        session.set(kernel_sets=sets, kernel_set="cool", show="kernels", log=False)
        assert (session.kernels, session.state.kernel_set) == (COOL, "cool")
        assert dict(session.state.kernel_sets) == SETS
        assert_same(window.shown(), compute_densities(RGB, COOL))
        session.set(kernel_set="warm")
        assert_same(window.shown(), compute_densities(RGB, WARM))


def test_set_takes_what_is_asked_of_classes(window: Window) -> None:
    session = window.session
    session.set(kernel_sets=SETS, show="kernels")
    session.set(judgement=session.state.judgement.changed(show="ratio", cls="blue", against="warm"))
    assert_same(window.shown(), classify_image(RGB, SETS, show="ratio", cls="blue", against="warm"))


def test_set_refuses_what_cannot_be_and_changes_nothing(window: Window) -> None:
    refused: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"space": "cmyk"}, ValueError),
        ({"show": "everything"}, ValueError),
        ({"show": "kernels"}, ValueError),
        ({"bandwidth": "best"}, ValueError),
        ({"bandwidth": -1}, ValueError),
        ({"bandwidth": object()}, TypeError),
        ({"kernel_set": "none such"}, ValueError),
        ({"kernel_sets": {"a": 1}}, TypeError),
        ({"no_such_field": 1}, TypeError),
    ]
    before = window.session.state
    for fields, error in refused:
        with pytest.raises(error):
            window.session.set(log=False, **fields)
        assert window.session.state == before
    assert not window.session.can_undo
