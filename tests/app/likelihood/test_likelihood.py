"""The search for a bandwidth without its widgets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_colorkde import select_bandwidth
from napari_colorkde.app.background.executor import SynchronousExecutor
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.likelihood.likelihood import Likelihood
from napari_colorkde.app.session import Session
from napari_colorkde.io.datasets import read_dataset
from napari_colorkde.io.datasets.montage import montage
from tests.app.stepping import SteppingExecutor

DIGITS = Path(__file__).parents[2] / "data" / "mnist_30_digits.npz"
KNOWN = json.loads(DIGITS.with_suffix(".json").read_text())
RGB = np.clip(np.random.default_rng(0).normal(120, 20, (24, 32, 3)), 0, 255).astype(np.uint8)


@pytest.fixture
def likelihood() -> Iterator[Likelihood]:
    session = Session()
    session.open(source_of_array(RGB))
    session.wait()
    found = Likelihood(session, SynchronousExecutor())
    yield found
    found.close()
    session.close()


def curves_of(likelihood: Likelihood) -> list[int]:
    seen: list[int] = []

    def look() -> None:
        if likelihood.curve is not None:
            seen.append(len(likelihood.curve.scores))

    likelihood.changed.connect(look)
    return seen


@pytest.mark.parametrize("method", ["loco", "blocks"])
def test_curve_of_the_image_is_drawn_as_it_is_computed(likelihood: Likelihood, method: str) -> None:
    seen = curves_of(likelihood)
    likelihood.search_image(method)
    expected = select_bandwidth(RGB, method)
    curve = likelihood.curve
    assert curve is not None
    np.testing.assert_allclose(curve.scores, expected.scores, rtol=1e-9)
    np.testing.assert_array_equal(curve.sigmas[curve.best], expected.bandwidth)
    assert list(dict.fromkeys(seen)) == list(range(1, len(curve.scores) + 1))


def test_a_point_that_is_taken_is_the_sessions_bandwidth(likelihood: Likelihood) -> None:
    likelihood.search_image("loco", "channels")
    assert likelihood.curve is not None
    likelihood.take(3)
    session = likelihood._session
    session.wait()
    assert session.estimate is not None
    np.testing.assert_allclose(session.estimate.sigmas, likelihood.curve.sigmas[3])


def test_multiples_of_the_data_covariance_are_taken_whole(likelihood: Likelihood) -> None:
    likelihood.search_image("loco", "covariance")
    curve, session = likelihood.curve, likelihood._session
    assert curve is not None
    expected = select_bandwidth(RGB, "loco", shape="covariance")
    np.testing.assert_allclose(curve.scores, expected.scores, rtol=1e-9)
    np.testing.assert_allclose(curve.bandwidth(curve.best), expected.covariance)
    likelihood.take(3)
    session.wait()
    assert session.estimate is not None
    np.testing.assert_allclose(session.estimate.sigmas, curve.sigmas[3])
    factor = curve.sigmas[3, 0] / expected.bandwidth[0]
    np.testing.assert_allclose(session.estimate.covariance, factor**2 * expected.covariance)
    likelihood.cross_check()
    answers = [answer for answer in likelihood.answers if answer.near is not None]
    assert "full covariance" in answers[0].bandwidth
    assert [answer.library for answer in answers if answer.near > 1e-4] == []
    # It means nothing in another space; what the sigmas are of the ranges does.
    session.space = "lab"
    session.wait()
    assert np.shape(session.bandwidth) == (3,)


def test_nothing_is_taken_where_repeated_colors_predict_themselves(
    likelihood: Likelihood,
) -> None:
    likelihood._session.open(source_of_array(np.repeat(RGB[:6], 4, axis=0)))
    likelihood._session.wait()
    likelihood.search_image("loo")
    curve = likelihood.curve
    assert curve is not None
    assert curve.degenerate[0]
    assert not curve.degenerate[curve.best]
    with pytest.raises(ValueError, match="repeated colors predict themselves there"):
        likelihood.take(0)
    assert likelihood._session.bandwidth is None


def test_digits_have_the_published_scores(likelihood: Likelihood) -> None:
    seen = curves_of(likelihood)
    likelihood.open(DIGITS)
    likelihood.search_vectors(tuple(KNOWN["sigmas"]), scale=256)
    curve, test = likelihood.curve, likelihood.test
    assert curve is not None
    assert test is not None
    np.testing.assert_allclose(curve.scores, KNOWN["valid_float64"], rtol=1e-6)
    assert curve.sigmas[curve.best].tolist() == [KNOWN["best_sigma"]]
    assert test.score == pytest.approx(KNOWN["test_float64"], abs=1e-3)
    assert seen
    # Another point asks for the test vectors again.
    likelihood.take(3)
    assert likelihood.test is not None
    assert likelihood.test.sigma == 0.2


def test_scores_of_many_vectors_come_in_parts(
    likelihood: Likelihood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_colorkde.app.likelihood.searches.ROWS", 4)
    shares = []
    likelihood.open(DIGITS)
    likelihood.changed.connect(
        lambda: shares.append(likelihood.curve.share) if likelihood.curve else None
    )
    likelihood.search_vectors((0.5,), scale=256)
    assert list(dict.fromkeys(shares)) == [0.4, 0.8, 1.0]
    assert likelihood.curve is not None
    assert likelihood.curve.scores[0] == pytest.approx(KNOWN["valid_float64"][4], rel=1e-6)


def test_stack_of_pictures_is_a_data_set(likelihood: Likelihood) -> None:
    digits = read_dataset(DIGITS).train.reshape(-1, 28, 28)
    likelihood.open_layer(Image(digits, name="digits"))
    dataset = likelihood.dataset
    assert dataset is not None
    assert dataset.name == "digits"
    assert montage(dataset.train, dataset.image_shape or ()).shape == (112, 112)
    likelihood.search_vectors((0.5,), valid=3, test=2, scale=256)
    assert likelihood.test is not None
    with pytest.raises(ValueError, match="layer 'one' is a single image"):
        likelihood.open_layer(Image(digits[0], name="one"))
    likelihood.close_dataset()
    assert (likelihood.dataset, likelihood.curve) == (None, None)


@pytest.mark.parametrize("of", ["image", "digits"])
def test_cross_check_has_an_answer_of_each_library(likelihood: Likelihood, of: str) -> None:
    if of == "digits":
        likelihood.open(DIGITS)
        likelihood.search_vectors((0.5,), scale=256)
    likelihood.cross_check()
    answers = {answer.library: answer for answer in likelihood.answers}
    assert answers["scratch formula"].is_right
    assert answers["napari-colorkde"].is_right
    assert len(answers) >= 8


def test_cross_check_is_of_the_plain_density(likelihood: Likelihood) -> None:
    likelihood._session.set(boundary="reflected")
    with pytest.raises(ValueError, match="neither boundary correction nor kernels of"):
        likelihood.cross_check()


def test_table_is_saved(likelihood: Likelihood, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no curve to save; search first"):
        likelihood.save_table(tmp_path / "t.csv")
    likelihood.search_image("loco")
    likelihood.save_table(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["sigma_1", "sigma_2", "sigma_3", "log_likelihood", "degenerate", "best"]
    assert (header, rows) == likelihood.table()
    assert [row[-1] for row in rows].count("1") == 1


def refusals(likelihood: Likelihood) -> dict[str, Any]:
    return {
        "there is no data set; choose a file": lambda: likelihood.search_vectors((1.0,)),
        "has not been searched yet; search it first": lambda: (
            likelihood.open(DIGITS),
            likelihood.cross_check(),
        ),
        "sigmas must be positive; give some": lambda: (
            likelihood.open(DIGITS),
            likelihood.search_vectors((0.1, 0.0)),
        ),
        "there are no counted colors yet": lambda: Likelihood(
            Session(), SynchronousExecutor()
        ).search_image("loco"),
    }


def test_what_cannot_be_searched_is_refused(likelihood: Likelihood) -> None:
    for words, ask in refusals(likelihood).items():
        with pytest.raises(ValueError, match=words):
            ask()


def test_errors_of_the_work_are_told(likelihood: Likelihood, tmp_path: Path) -> None:
    told: list[str] = []
    likelihood.failed.connect(told.append)
    likelihood.open(tmp_path / "missing.npz")
    assert "does not exist; check the name" in told[0]


@pytest.mark.parametrize(
    ("sigmas", "protocol", "sentence"),
    [
        ((), {}, "sigmas must be positive; give some"),
        ((-1.0,), {}, "sigmas must be positive"),
        ((np.nan,), {}, "sigmas has the value nan"),
        ((1e300,), {}, r"sigmas has the value 1e\+300"),
        ((0.5,), {"train": 99}, "has 10 training vectors, but 99 for training were requested"),
        ((0.5,), {"valid": 99}, "has 10 validation vectors, but 99 were requested"),
        ((0.5,), {"scale": np.inf}, "scale=inf; give a positive number"),
    ],
)
def test_what_is_refused_loses_nothing(
    likelihood: Likelihood, sigmas: tuple[float, ...], protocol: dict[str, Any], sentence: str
) -> None:
    likelihood.open(DIGITS)
    likelihood.search_vectors((0.2, 0.5), scale=256)
    before = likelihood.curve, likelihood.test, likelihood.dataset
    with pytest.raises(ValueError, match=sentence):
        likelihood.search_vectors(sigmas, **protocol)
    likelihood.open(DIGITS.with_suffix(".json"))  # no data set
    assert (likelihood.curve, likelihood.test, likelihood.dataset) == before
    likelihood.take(0)
    assert likelihood.test is not None
    assert likelihood.test.sigma == 0.2


def test_a_search_that_is_stopped_leaves_the_curve_that_is_shown(likelihood: Likelihood) -> None:
    executor = SteppingExecutor()
    stepped = Likelihood(likelihood._session, executor)
    stepped.open(DIGITS)
    executor.run()
    stepped.search_vectors((0.2, 0.5), scale=256)
    executor.run()
    curve, test = stepped.curve, stepped.test
    assert test is not None
    stepped.search_vectors((3.0, 4.0), scale=1.0)
    executor.step()  # the split
    stepped.stop()
    executor.run()
    assert (stepped.curve, stepped.test, stepped.busy) == (curve, test, False)
    stepped.take(0)  # by the protocol that the curve was made with
    executor.run()
    assert stepped.test is not None
    np.testing.assert_allclose(stepped.test.score, -337.139846, atol=1e-3)
    stepped.search_vectors((3.0, 4.0), scale=1.0)
    executor.step()
    stepped.close()  # in the middle
    executor.run()
    assert stepped.curve is None


def test_what_has_come_of_other_numbers_is_forgotten(likelihood: Likelihood) -> None:
    session = likelihood._session
    likelihood.search_image("loco")
    assert likelihood.curve is not None
    session.space = "lab"
    session.wait()
    assert likelihood.curve is None
    likelihood.search_image("loco")
    assert likelihood.curve is not None
    session.open(source_of_array(255 - RGB))
    session.wait()
    assert likelihood.curve is None
    # A data set is none of the image.
    likelihood.open(DIGITS)
    likelihood.search_vectors((0.5,), scale=256)
    session.open(source_of_array(RGB))
    assert likelihood.curve is not None
