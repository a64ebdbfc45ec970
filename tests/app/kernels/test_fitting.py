"""Fits in the session, against the engine's on the same pixels."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.kernels.fitting import (
    FitRequest,
    Fitted,
    apply_fit,
    fit,
    index_of,
)
from napari_colorkde.app.selection.selections import LabelSelection
from napari_colorkde.app.session import Session
from napari_colorkde.cli import main
from napari_colorkde.cli.commands.fit import fit as fit_command
from napari_colorkde.core.mixture.em.iterate import (
    MAX_ITERATIONS,
    bic,
    iterate_em,
    iterate_fit,
)
from napari_colorkde.core.mixture.fit_classes import fit_classes
from napari_colorkde.core.mixture.fit_kernels import fit_kernels
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.io.kernels.kernel_files import load_kernels
from tests.app.stepping import SteppingExecutor

RNG = np.random.default_rng(0)
HALVES = [RNG.normal(center, 6, (40, 30, 3)) for center in (60, 160)]
IMAGE = np.concatenate(HALVES, axis=1).round().clip(0, 255).astype(np.uint8)
LABELS = np.zeros((40, 60), int)
LABELS[5:35, 2:28], LABELS[5:35, 32:58] = 3, 8


def session_of(image: Any = IMAGE) -> Session:
    session = Session()
    session.open(source_of_array(image))
    return session


def fitted(session: Session, **options: Any) -> Fitted:
    *steps, last = fit(FitRequest(index_of(session), **options))
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(last, Fitted)
    return last


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical", "tied"])
def test_a_fit_is_that_of_the_engine(covariance_type: Any) -> None:
    result = fitted(session_of(), n_kernels=2, covariance_type=covariance_type, cls="all")
    wanted = fit_kernels(IMAGE, 2, covariance_type=covariance_type, random_state=0)
    np.testing.assert_array_equal(result.kernels.means, wanted.means)
    np.testing.assert_array_equal(result.kernels.covariances, wanted.covariances)
    np.testing.assert_array_equal(result.kernels.weights, wanted.weights)
    assert result.kernels.classes == ("all",)


def test_the_report_has_iterations_likelihood_and_bic() -> None:
    (report,) = fitted(session_of(), n_kernels=2).reports
    palette = Palette.from_image(IMAGE)
    *_, last = iterate_fit(palette, 2, random_state=0)
    assert (report.result.iterations, report.result.converged) == (last.iteration, last.converged)
    assert report.result.log_likelihood >= last.log_likelihood
    assert report.result.bic == bic(palette, last.kernels)
    assert "converged after" in str(report)


def test_bic_chooses_the_number_of_kernels() -> None:
    (report,) = fitted(session_of(), n_kernels=4, by_bic=True).reports
    assert report.result.n_kernels == 2


def test_a_mask_is_fitted_alone() -> None:
    result = fitted(session_of(), n_kernels=1, selection=LabelSelection(LABELS, "selected", 8))
    pixels = IMAGE[LABELS == 8].astype(float)
    np.testing.assert_allclose(result.kernels.means[0], pixels.mean(axis=0))
    wanted = np.cov(pixels.T, bias=True) + np.eye(3) / 12
    np.testing.assert_allclose(result.kernels.covariances[0], wanted)


def test_each_label_has_a_mixture_of_its_class() -> None:
    options = {"selection": LabelSelection(LABELS, "each"), "per_label": True}
    result = fitted(session_of(), n_kernels=2, **options)
    assert [kernel.cls for kernel in result.kernels] == ["3", "3", "8", "8"]
    wanted = fit_kernels(IMAGE, 2, mask=LABELS == 8, random_state=0)
    np.testing.assert_allclose(result.kernels.means[2:], wanted.means)
    np.testing.assert_allclose(result.kernels.weights[2:], wanted.weights)
    assert [report.label for report in result.reports] == ["3", "8"]


@pytest.mark.parametrize(
    ("image", "options", "reason"),
    [
        (IMAGE, {"selection": LabelSelection(0 * LABELS, "each")}, "mark no pixel that counts"),
        (np.full((9, 9, 3), 4, np.uint8), {"n_kernels": 2}, "more than the 1 color available"),
        (
            np.full((9, 9, 3), 4, np.uint8),
            {"n_kernels": 1, "reg_covar": 0.0},
            "colors that do not vary",
        ),
        (IMAGE[:1, :3], {"n_kernels": 5}, "more than the 3 colors"),
        (IMAGE, {"n_kernels": 0}, "ask for 1 to 100"),
        (IMAGE, {"reg_covar": -1.0}, "give a variance of 0 or more"),
    ],
)
def test_what_cannot_be_is_refused(image: Any, options: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        fitted(session_of(image), **options)


def test_a_label_of_one_color_is_a_narrow_kernel_beside_the_others() -> None:
    image = IMAGE.copy()
    image[LABELS == 8] = 7
    options = {"selection": LabelSelection(LABELS, "each"), "per_label": True}
    result = fitted(session_of(image), n_kernels=2, **options)
    assert [kernel.cls for kernel in result.kernels] == ["3", "3", "8"]
    np.testing.assert_allclose(result.kernels.means[2], 7)
    np.testing.assert_allclose(result.kernels.covariances[2], np.eye(3) / 12)
    assert "There are too few colors for 2." in str(result.reports[1])


def test_a_label_that_allows_no_fit_is_told_and_loses_no_other() -> None:
    image = IMAGE.copy()
    image[LABELS == 8] = 7
    options = {"selection": LabelSelection(LABELS, "each"), "per_label": True}
    result = fitted(session_of(image), n_kernels=1, reg_covar=0.0, **options)
    assert {kernel.cls for kernel in result.kernels} == {"3"}
    (problem,) = result.problems
    assert problem.startswith("Label 8: kernel 0 collapsed")
    assert str(result).startswith(problem)


def test_the_numbers_that_bic_tried_are_told() -> None:
    (report,) = fitted(session_of(), n_kernels=3, by_bic=True).reports
    assert [n for n, _ in report.result.tried] == [1, 2, 3]
    assert min(report.result.tried, key=lambda pair: pair[1])[0] == report.result.n_kernels == 2
    assert "BIC by number of kernels: 1: " in str(report)
    assert "largest number tried" not in str(report)
    (bound,) = fitted(session_of(), n_kernels=2, by_bic=True).reports
    assert "The largest number tried is the best" in str(bound)


def test_without_a_counted_image_there_is_nothing_to_fit() -> None:
    executor = SteppingExecutor()
    session = Session(executor)
    with pytest.raises(ValueError, match="no image to fit to"):
        index_of(session)
    session.open(source_of_array(IMAGE))
    with pytest.raises(ValueError, match="still being counted"):
        index_of(session)
    executor.run()
    assert index_of(session).shape == (40, 60)


def test_a_fit_becomes_a_set_in_one_step_of_undo() -> None:
    session = session_of()
    session.kernels = KernelSet([Kernel([1, 2, 3], [4, 5, 6], 1)], "mine")
    result = fitted(session, n_kernels=2)
    apply_fit(session, result, "new")
    apply_fit(session, result, "new")
    assert [name for name, _ in session.state.kernel_sets] == ["mine", "fit", "fit 2"]
    assert session.kernels is not None
    assert session.kernels.kernels == result.kernels.kernels
    session.undo()
    session.undo()
    assert [name for name, _ in session.state.kernel_sets] == ["mine"]


def test_a_fit_joins_the_chosen_set_with_its_part_of_the_image() -> None:
    session = session_of()
    session.kernels = KernelSet([Kernel([1, 2, 3], [4, 5, 6], 1)], "mine")
    marks = np.where(np.arange(60) < 8, LABELS, 0) + np.where(LABELS == 8, 8, 0)
    selection = LabelSelection(marks, "each")
    result = fitted(session, n_kernels=2, selection=selection, per_label=True)
    apply_fit(session, result, "set")
    assert session.kernels is not None
    weights = session.kernels.weights
    np.testing.assert_allclose(weights[1:3].sum(), 180 / 2400)
    np.testing.assert_allclose(weights[3:].sum(), 780 / 2400)
    session.undo()
    assert len(session.kernels) == 1


@pytest.mark.parametrize("image", [IMAGE, IMAGE / 255.0, IMAGE * 1.0, IMAGE / 50.0])
def test_window_command_line_and_library_give_the_same_kernels(
    image: Any, tmp_path: Path, capsys: Any
) -> None:
    options = {"selection": LabelSelection(LABELS, "each"), "per_label": True}
    result = fitted(session_of(image), n_kernels=2, **options)
    library = fit_classes(image, LABELS, 2, random_state=0)
    np.save(tmp_path / "a.npy", image)
    np.save(tmp_path / "labels.npy", LABELS)
    command = ["fit", f"{tmp_path / 'a.npy'}", "-k", "2", "-o", f"{tmp_path / 'k.json'}"]
    assert main([*command, "--labels", f"{tmp_path / 'labels.npy'}"]) == 0
    command_line = load_kernels(tmp_path / "k.json")
    for found in (library, command_line):
        kernels = [kernel for name in ("3", "8") for kernel in found[name]]
        assert kernels == list(result.kernels)


def test_a_fit_has_as_many_iterations_everywhere() -> None:
    for function in (iterate_fit, iterate_em, fit_command):
        assert inspect.signature(function).parameters["max_iter"].default == MAX_ITERATIONS


def test_a_fit_can_be_stopped() -> None:
    executor = SteppingExecutor()
    session = Session(executor)
    session.open(source_of_array(IMAGE))
    executor.run()
    results: list[Any] = []
    request = FitRequest(index_of(session), n_kernels=3)
    session.run("fit", lambda: fit(request), results.append, results.append)
    executor.step()
    session.stop("fit")
    executor.run()
    assert (results, session.busy) == ([], False)
