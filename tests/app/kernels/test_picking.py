"""Picking into a session: new kernels, refits, undo, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.background.executor import Executor
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.kernels.picking import Picker
from napari_colorkde.app.selection.selections import LabelSelection, PixelBox
from napari_colorkde.app.session import Session
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from tests.app.stepping import SteppingExecutor

IMAGE = np.random.default_rng(0).integers(40, 80, (20, 30, 3)).astype(np.uint8)
TYPED = Kernel([60, 55, 50], [90, 80, 70], 0.6, cls="a", name="typed")


class Picking:
    """A session, a picker, and a selection of rows that follows what is picked."""

    def __init__(self, executor: Executor | None = None, image: Any = IMAGE) -> None:
        self.session = Session(executor)
        self.session.open(source_of_array(image))
        self.chosen: list[int] = []
        self.picker = Picker(self.session, lambda: self.chosen)
        self.said: list[str] = []
        self.problems: list[str] = []
        self.picker.picked.connect(self._on_picked)
        self.picker.failed.connect(self.problems.append)

    def _on_picked(self, text: str, positions: list[int]) -> None:
        self.said.append(text)
        self.chosen = positions

    @property
    def kernels(self) -> KernelSet:
        assert self.session.kernels is not None
        return self.session.kernels


def box(top: int, left: int, height: int, width: int) -> PixelBox:
    return PixelBox((range(top, top + height), range(left, left + width)))


def pixels(top: int, left: int, height: int, width: int) -> np.ndarray:
    return IMAGE[top : top + height, left : left + width].reshape(-1, 3).astype(float)


def check(kernel: Kernel, *parts: np.ndarray) -> None:
    together = np.concatenate(parts)
    np.testing.assert_allclose(kernel.mean, together.mean(axis=0))
    wanted = np.cov(together.T, bias=True) + np.eye(3) / 12
    np.testing.assert_allclose(kernel.covariance_matrix, wanted, rtol=1e-10, atol=1e-10)
    assert kernel.weight == len(together) / 600


def test_a_pick_makes_a_kernel_of_the_class_in_one_step_of_undo() -> None:
    picking = Picking()
    picking.picker.cls = "brown"
    picking.picker.pick(box(2, 3, 4, 5))
    check(picking.kernels[0], pixels(2, 3, 4, 5))
    assert picking.kernels[0].cls == "brown"
    assert picking.said == ["New kernel (class brown): 20 pixels, 20 colors."]
    assert picking.chosen == [0]
    assert picking.session.show == "kernels"
    picking.session.undo()
    assert picking.session.kernels is None
    picking.session.redo()
    check(picking.kernels[0], pixels(2, 3, 4, 5))


def test_adding_and_taking_away_refits() -> None:
    picking = Picking()
    picking.picker.pick(box(2, 3, 4, 5))
    first = picking.kernels
    picking.picker.pick(box(10, 3, 4, 5), "add")
    check(picking.kernels[0], pixels(2, 3, 4, 5), pixels(10, 3, 4, 5))
    assert picking.said[-1] == "Kernel 1: 20 pixels added, 40 in all."
    picking.picker.pick(box(10, 3, 4, 5), "subtract")
    assert picking.kernels == first
    assert picking.said[-1] == "Kernel 1: 20 pixels subtracted, 20 left."


def test_samples_come_back_with_undo_and_redo() -> None:
    picking = Picking()
    picking.picker.pick(box(2, 3, 4, 5))
    picking.picker.pick(box(10, 3, 4, 5), "add")
    picking.session.undo()
    picking.picker.pick(box(0, 20, 2, 5), "add")
    check(picking.kernels[0], pixels(2, 3, 4, 5), pixels(0, 20, 2, 5))
    picking.session.undo()
    picking.session.undo()
    picking.session.redo()
    picking.picker.pick(box(10, 3, 4, 5), "add")
    check(picking.kernels[0], pixels(2, 3, 4, 5), pixels(10, 3, 4, 5))


def merged(kernel: Kernel, n: int, *parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of n pixels of a kernel and others, by sums over all of them."""
    together = np.concatenate(parts)
    total = n + len(together)
    rounding = np.eye(3) / 12
    mean = (n * kernel.mean + together.sum(axis=0)) / total
    squares = n * (kernel.covariance_matrix - rounding + np.outer(kernel.mean, kernel.mean))
    squares = squares + together.T @ together
    return mean, squares / total - np.outer(mean, mean) + rounding


@pytest.mark.parametrize(("weight", "n"), [(0.6, 360), (1e-9, 1), (0, 1), (3, 1800)])
def test_pixels_are_added_to_a_kernel_that_was_not_picked(weight: float, n: int) -> None:
    covariance = [[90, 20, 5], [20, 80, 9], [5, 9, 70]]
    typed = Kernel([60, 55, 50], covariance, weight, cls="a", name="typed")
    picking = Picking()
    picking.session.kernels = KernelSet([typed])
    picking.chosen = [0]
    parts = [pixels(2, 3, 4, 5)]
    picking.picker.pick(box(2, 3, 4, 5), "add")
    mean, wanted = merged(typed, n, *parts)
    kernel = picking.kernels[0]
    np.testing.assert_allclose(kernel.mean, mean)
    np.testing.assert_allclose(kernel.covariance_matrix, wanted, rtol=1e-9, atol=1e-9)
    assert (kernel.weight, kernel.cls, kernel.name) == (weight, "a", "typed")
    assert picking.said[-1].replace("\u202f", "") == (
        f"Kernel 1 (typed) was not picked, so by its weight it counts as {n} of the image's "
        "pixels; 20 pixels were added to them."
    )
    parts.append(pixels(10, 3, 4, 5))
    picking.picker.pick(box(10, 3, 4, 5), "add")
    mean, wanted = merged(typed, n, *parts)
    kernel = picking.kernels[0]
    np.testing.assert_allclose(kernel.mean, mean)
    np.testing.assert_allclose(kernel.covariance_matrix, wanted, rtol=1e-9, atol=1e-9)
    assert kernel.weight == weight
    assert picking.said[-1].replace("\u202f", "").endswith(f"20 pixels added, {n + 40} in all.")


def test_what_was_added_to_a_typed_kernel_can_be_taken_away_and_no_more() -> None:
    picking = Picking()
    picking.session.kernels = KernelSet([TYPED])
    picking.chosen = [0]
    picking.picker.pick(box(2, 3, 4, 5), "add")
    picking.picker.pick(box(2, 3, 4, 5), "subtract")
    assert picking.kernels.kernels == (TYPED,)
    picking.picker.pick(box(2, 3, 4, 5), "subtract")
    assert "none of these colors is among the samples of kernel 1" in picking.problems[-1]
    picking.picker.pick(box(0, 0, 1, 1), "add")
    assert "All have one color" not in picking.said[-1]


def test_a_weight_that_was_normalized_stays() -> None:
    picking = Picking()
    picking.picker.pick(box(2, 3, 4, 5))
    kernel = picking.kernels[0]
    picking.session.edit(KernelSet([Kernel(kernel.mean, kernel.covariance, 1)]))
    picking.picker.pick(box(10, 3, 4, 5), "add")
    assert picking.kernels[0].weight == 1


def test_adding_without_a_selection_makes_a_new_kernel() -> None:
    picking = Picking()
    picking.session.kernels = KernelSet([TYPED])
    picking.picker.pick(box(2, 3, 4, 5), "add")
    assert len(picking.kernels) == 2


def test_labels_become_classes() -> None:
    picking = Picking()
    marks = np.zeros((20, 30), int)
    marks[2:6, 3:8], marks[10:14, 3:8] = 4, 7
    picking.picker.pick(LabelSelection(marks, "each"), titles="label")
    assert [kernel.cls for kernel in picking.kernels] == ["4", "7"]
    check(picking.kernels[1], pixels(10, 3, 4, 5))
    assert picking.said == ["2 new kernels (classes 4, 7): 40 pixels, 40 colors."]
    picking.session.undo()
    assert picking.session.kernels is None


def test_picks_in_quick_succession_are_all_done() -> None:
    executor = SteppingExecutor()
    picking = Picking(executor)
    executor.run()
    for corner in (0, 5, 10):
        picking.picker.pick(box(corner, 0, 4, 4))
    picking.picker.pick(box(0, 20, 4, 4), "add")
    executor.run()
    assert len(picking.kernels) == 3
    check(picking.kernels[2], pixels(10, 0, 4, 4), pixels(0, 20, 4, 4))


def test_picks_of_an_image_that_was_left_are_dropped() -> None:
    executor = SteppingExecutor()
    picking = Picking(executor)
    executor.run()
    picking.picker.pick(box(0, 0, 4, 4))
    picking.picker.pick(box(5, 0, 4, 4))
    picking.session.open(source_of_array(IMAGE[::-1]))
    executor.run()
    assert picking.session.kernels is None
    picking.picker.pick(box(5, 0, 4, 4))
    executor.run()
    assert len(picking.kernels) == 1


def test_samples_outlive_their_image() -> None:
    picking = Picking()
    picking.picker.pick(box(2, 3, 4, 5))
    picking.session.open(source_of_array(IMAGE[::-1].copy()))
    picking.picker.pick(box(0, 0, 2, 5), "add")
    check(picking.kernels[0], pixels(2, 3, 4, 5), pixels(18, 0, 2, 5))


def test_one_color_is_no_error_and_is_said() -> None:
    picking = Picking(image=np.full((20, 30, 3), 7, np.uint8))
    picking.picker.pick(box(0, 0, 4, 4))
    np.testing.assert_array_equal(picking.kernels[0].covariance, np.full(3, 1 / 12))
    assert "All have one color" in picking.said[0]


@pytest.mark.parametrize(
    ("how", "chosen", "reason"),
    [
        ("subtract", [], "select a single kernel in the table to subtract from"),
        ("subtract", [0, 1], "select a single kernel in the table to subtract from"),
        ("add", [0, 1], "select a single kernel in the table to add to"),
        ("subtract", [1], "kernel 2 (typed) was not picked and has no samples"),
        ("subtract", [0], "none of these colors is among the samples of kernel 1"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    how: Any, chosen: list[int], reason: str
) -> None:
    picking = Picking()
    picking.picker.pick(box(0, 0, 4, 4))
    picking.session.edit(KernelSet([*picking.kernels, TYPED]))
    before = picking.session.state
    picking.chosen = chosen
    picking.picker.pick(box(10, 10, 2, 2), how)
    assert reason in picking.problems[-1]
    assert picking.session.state == before


def test_taking_away_all_is_refused() -> None:
    picking = Picking()
    picking.picker.pick(box(0, 0, 4, 4))
    picking.picker.pick(box(0, 0, 5, 5), "subtract")
    assert "would leave kernel 1 without samples" in picking.problems[-1]


def test_a_selection_of_nothing_is_refused() -> None:
    picking = Picking()
    picking.picker.pick(LabelSelection(np.zeros((20, 30), int), "each"))
    assert "has no pixel that counts" in picking.problems[-1]


def test_kernels_of_other_channels_are_refused() -> None:
    picking = Picking(image=IMAGE[..., 0])
    picking.session.edit(KernelSet([TYPED]))
    picking.picker.pick(box(0, 0, 4, 4))
    assert "are for 3 channels; the image has 1" in picking.problems[-1]


def test_no_image_and_an_image_that_is_counted_are_refused() -> None:
    executor = SteppingExecutor()
    picking = Picking(executor)
    picking.picker.pick(box(0, 0, 4, 4))
    assert "still being counted" in picking.problems[-1]
    picking.session.open(None)
    picking.picker.pick(box(0, 0, 4, 4))
    assert "no image to pick from" in picking.problems[-1]
    executor.run()


def test_too_many_labels_are_refused() -> None:
    picking = Picking(image=np.random.default_rng(1).integers(0, 9, (40, 40)).astype(np.uint8))
    marks = np.arange(1, 1601).reshape(40, 40)
    picking.picker.pick(LabelSelection(marks, "each"), titles="label")
    assert "at most 1000 can be edited" in picking.problems[-1]
    assert picking.session.kernels is None


def test_a_kernel_that_was_edited_meanwhile_is_left_alone() -> None:
    executor = SteppingExecutor()
    picking = Picking(executor)
    executor.run()
    picking.picker.pick(box(0, 0, 4, 4))
    executor.run()
    picking.picker.pick(box(5, 0, 4, 4), "add")
    picking.session.edit(KernelSet([TYPED]))
    executor.run()
    assert "changed in the meantime" in picking.problems[-1]
    assert picking.kernels.kernels == (TYPED,)


def test_after_closing_nothing_is_picked_any_more() -> None:
    executor = SteppingExecutor()
    picking = Picking(executor)
    executor.run()
    picking.picker.pick(box(0, 0, 4, 4))
    picking.picker.pick(box(5, 0, 4, 4))
    picking.picker.close()
    picking.session.close()
    executor.run()
    assert picking.session.kernels is None
