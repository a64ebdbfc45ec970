"""Edits of the session's kernels, undo and redo."""

from __future__ import annotations

import numpy as np
import pytest

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.app.session import Session
from napari_colorkde.core.mixture.at_colors import mixture_density
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.sample_data import sample_path

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(40, 80, (20, 30, 3)).astype(np.uint8)
KERNELS = KernelSet(
    [Kernel([60, 55, 50], [90, 80, 70], 0.6), Kernel([45, 50, 60], [20, 30, 40], 0.4)], "mine"
)
MOVED = kernel_edits.with_cell(KERNELS, [0], kernel_edits.Column("mean", 0), "42")


def opened(kernels: KernelSet | None = KERNELS) -> Session:
    session = Session()
    session.open(source_of_array(IMAGE))
    session.log = False
    if kernels is not None:
        session.kernels = kernels
    session.wait()
    return session


def test_an_edit_is_shown() -> None:
    session = opened()
    session.edit(MOVED)
    session.wait()
    assert session.kernels == MOVED
    assert session.palette is not None
    assert session.densities is not None
    wanted = mixture_density(session.palette.colors, MOVED)
    np.testing.assert_allclose(session.densities.values, wanted, rtol=1e-5)


def test_the_other_sets_of_a_file_stay() -> None:
    session = opened(None)
    session.load_kernels(sample_path("jones_rehg_1999.csv"), "nonskin")
    nonskin = session.kernels
    assert nonskin is not None
    session.edit(kernel_edits.delete(nonskin, [0]))
    assert [(name, len(k)) for name, k in session.state.kernel_sets] == [
        ("skin", 16),
        ("nonskin", 15),
    ]
    assert session.state.kernel_set == "nonskin"


def test_the_first_kernel_makes_a_set() -> None:
    session = opened(None)
    session.edit(KernelSet([KERNELS[0]]))
    assert (session.state.kernel_set, session.show) == ("kernels", "kernels")


def test_the_last_kernel_takes_its_set_along() -> None:
    session = opened()
    session.edit(kernel_edits.delete(KERNELS, [0, 1]))
    assert (session.kernels, session.show) == (None, "kde")
    session.wait()
    session.undo()
    assert (session.kernels, session.show) == (KERNELS, "kernels")


def test_everything_is_undone_and_done_again() -> None:
    session = opened(None)
    states = [session.state]

    def change(what: object) -> None:
        states.append(session.state)

    session.log = True
    change("log")
    session.load_kernels(sample_path("jones_rehg_1999.csv"))
    change("import")
    session.edit(KernelSet([KERNELS[0]]))
    change("edit")
    session.bandwidth = 9
    change("bandwidth")
    for state in reversed(states[:-1]):
        session.undo()
        assert session.state == state
    for state in states[1:]:
        session.redo()
        assert session.state == state
    session.redo()
    assert session.state == states[-1]


def test_what_was_undone_is_shown() -> None:
    session = opened()
    before = session.densities
    session.edit(MOVED)
    session.undo()
    session.wait()
    assert before is not None
    assert session.densities is not None
    np.testing.assert_array_equal(session.densities.values, before.values)


def test_the_steps_of_a_drag_are_one_step_of_undo() -> None:
    session = opened()
    for mean in (41, 42, 43):
        column = kernel_edits.Column("mean", 0)
        session.edit(kernel_edits.with_cell(KERNELS, [0], column, str(mean)), merge_key=("move", 0))
    session.undo()
    assert session.kernels == KERNELS


def test_undoing_after_another_image_keeps_its_channels() -> None:
    session = opened()
    assert session.source is not None
    session.channels = session.source.choices[1]
    session.edit(MOVED)
    gray = source_of_array(IMAGE[..., 0])
    session.open(gray)
    session.undo()
    assert session.kernels == KERNELS
    assert session.channels == gray.choices[0]


def test_an_edit_that_changes_nothing_is_no_step() -> None:
    session = opened()
    session.edit(KERNELS)
    session.undo()
    assert session.kernels is None


def test_a_refused_change_is_no_step() -> None:
    session = opened()
    with pytest.raises(ValueError, match="positive"):
        session.bandwidth = -1
    session.undo()
    assert session.kernels is None
