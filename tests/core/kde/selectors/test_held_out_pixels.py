"""Bandwidths by held-out pixels and blocks, of every shape, in every color space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde import ColorKDE, Palette, select_bandwidth
from napari_colorkde.core import reference
from napari_colorkde.core.colorspaces import color_space
from napari_colorkde.core.device import HOST
from napari_colorkde.core.kde import leave_one_out
from napari_colorkde.core.kde.selectors.held_out_pixels import (
    Halves,
    HeldOutScorer,
    blocks_held_out,
    halves_by_blocks,
    random_halves,
)

RNG = np.random.default_rng(0)
TALL = np.diag([30.0, 12.0, 4.0]) @ np.array([[1, 0.4, 0.2], [0, 1, 0.5], [0, 0, 1]])
RGB = np.clip(120 + RNG.normal(size=(16, 24, 3)) @ TALL, 0, 255).astype(np.uint8)
PALETTE = Palette.from_image(RGB)


def rows(palette: Palette) -> Any:
    return np.repeat(palette.colors.astype(float), palette.counts, axis=0)


def test_every_pixel_is_in_one_half() -> None:
    for halves in (random_halves(PALETTE), halves_by_blocks(RGB)):
        whole = halves.train.merge(halves.valid)
        np.testing.assert_array_equal(whole.colors, PALETTE.colors)
        np.testing.assert_array_equal(whole.counts, PALETTE.counts)
        assert 0.35 < halves.valid.n_pixels / PALETTE.n_pixels < 0.65


def test_blocks_are_squares_of_whole_pixels_and_half_of_them_is_held_out() -> None:
    held = blocks_held_out((3, 160, 330))
    assert (held[0] == held[2]).all()
    blocks = held[0, :, :330].reshape(16, 10, 33, 10)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert held[0, ::10, ::10].sum() == 16 * 33 // 2
    assert blocks_held_out((16, 24)).reshape(2, 8, 3, 8)[:, 0, :, 0].sum() == 3


def test_masked_pixels_are_in_neither_half() -> None:
    mask = np.ones(RGB.shape[:2], bool)
    mask[:4] = False
    halves = halves_by_blocks(RGB, mask)
    assert halves.train.n_pixels + halves.valid.n_pixels == mask.sum()


@pytest.mark.parametrize("method", ["pixels", "blocks"])
def test_score_is_that_of_the_reference(method: str) -> None:
    halves = random_halves(PALETTE) if method == "pixels" else halves_by_blocks(RGB)
    found = select_bandwidth(RGB, method, [4.0, 20.0])
    expected = [
        reference.kde_log_density(rows(halves.valid), rows(halves.train), s**2 * np.eye(3)).mean()
        for s in (4.0, 20.0)
    ]
    np.testing.assert_allclose(found.scores, expected, rtol=1e-6, atol=1e-4)
    assert found.method == method
    assert ColorKDE(RGB, method).covariance.shape == (3, 3)


def test_share_of_a_pixels_own_color_counts_training_pixels_of_it() -> None:
    doubled = Palette.from_image(np.concatenate([RGB, RGB]))
    halves = random_halves(doubled)
    train, valid = rows(halves.train), rows(halves.valid)
    squares = ((valid[:, None] - train) ** 2).sum(axis=2)
    terms = np.exp(-0.5 * squares / 25)
    expected = ((squares == 0).sum(axis=1) / terms.sum(axis=1)).mean()
    found = HeldOutScorer(halves, HOST).score(25 * np.eye(3))
    assert found.own_share == pytest.approx(expected, rel=1e-5)


def test_random_pixels_of_many_colors_score_within_their_standard_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floats = Palette.from_image(RNG.normal(0.5, 0.1, (1, 3000, 3)).clip(0, 1))
    exact = select_bandwidth(floats, "pixels", [0.02, 0.05, 0.1])
    monkeypatch.setattr(leave_one_out, "MAX_SCORED", 100)
    drawn = select_bandwidth(floats, "pixels", [0.02, 0.05, 0.1])
    assert drawn.n_scored == leave_one_out.SAMPLED_PIXELS
    assert (np.abs(drawn.scores - exact.scores) < 4 * drawn.standard_errors + 1e-4).all()
    again = select_bandwidth(floats, "pixels", [0.02, 0.05, 0.1], exact=True)
    np.testing.assert_array_equal(again.scores, exact.scores)


def test_neighbors_that_are_alike_make_random_pixels_ask_for_narrower_kernels() -> None:
    smooth = RNG.random((8, 8, 2)).repeat(8, axis=0).repeat(8, axis=1)
    smooth += 0.01 * RNG.normal(size=smooth.shape)
    sigmas = [0.001, 0.005, 0.02, 0.06, 0.2, 0.9]
    pixels, blocks = (
        select_bandwidth(smooth, m, sigmas).bandwidth[0] for m in ("pixels", "blocks")
    )
    assert pixels < 0.2 * blocks


def test_a_shape_never_makes_the_likelihood_worse() -> None:
    few = RGB[::2, ::2, [0, 2]]
    isotropic, channels, covariance = (
        select_bandwidth(few, "loco", shape=shape)  # type: ignore[arg-type]  # names
        for shape in ("isotropic", "channels", "covariance")
    )
    assert channels.scores.max() > isotropic.scores.max() + 0.01
    assert covariance.scores.max() > isotropic.scores.max() + 0.01
    assert channels.bandwidth[0] > 1.3 * channels.bandwidth[1]
    assert channels.full_covariance is None
    # A multiple of the pixels' own covariance, and its score is that of the KDE it makes.
    own = np.cov(few.reshape(-1, 2).T, bias=True)
    ratio = covariance.covariance / own
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-9)
    kde = ColorKDE(few, covariance.covariance)
    assert kde.leave_one_color_out() == pytest.approx(covariance.scores.max(), abs=1e-4)
    np.testing.assert_allclose(covariance.bandwidth**2, np.diag(covariance.covariance))


def test_candidates_of_the_covariance_have_the_volume_of_the_sigmas() -> None:
    found = select_bandwidth(RGB, "pixels", [5.0, 10.0], shape="covariance")
    assert found.full_covariance is not None
    volume = np.sqrt(np.linalg.det(found.full_covariance))
    assert min(abs(volume / 5**3 - 1), abs(volume / 10**3 - 1)) < 1e-9


@pytest.mark.parametrize("space", ["lab", "oklab", "hsv", "linear", "ycbcr"])
@pytest.mark.parametrize("method", ["loco", "blocks"])
def test_bandwidths_are_chosen_in_every_color_space(space: str, method: str) -> None:
    few = RGB[::2, ::3] if method == "loco" else RGB
    known = color_space(space, Palette.from_image(few))
    sigmas = (known.high - known.low)[np.newaxis] * [[0.001], [0.06], [0.9]]
    found = select_bandwidth(few, method, sigmas, space=space)
    if method == "loco":
        kde = ColorKDE(few, found.bandwidth, space=space)
        assert kde.leave_one_color_out() == pytest.approx(found.scores.max(), abs=2e-4)
    else:
        halves = halves_by_blocks(few)
        kde = ColorKDE(halves.train, found.bandwidth, space=space)
        score = kde.log_likelihood(halves.valid)
        assert score == pytest.approx(found.scores.max(), abs=2e-4)


def gray() -> Any:
    return np.repeat(RGB[..., :1], 3, axis=2)


REFUSED = {
    "a palette does not record where": lambda: select_bandwidth(PALETTE, "blocks"),
    "needs the image": lambda: ColorKDE(PALETTE, "blocks"),
    "shape='round' is not known; use one of": lambda: select_bandwidth(RGB, shape="round"),  # type: ignore[arg-type]
    "shape='channels' is for methods that try": lambda: select_bandwidth(
        RGB, "scott", shape="channels"
    ),
    "too few to split into blocks": lambda: select_bandwidth(RGB[:8, :8], "blocks"),
    "too few pixels to hold half of them out": lambda: random_halves(
        Palette.from_image(RGB[:1, :1])
    ),
    "palette has weights": lambda: random_halves(PALETTE.with_weights(np.ones(len(PALETTE)))),
    "channels depend linearly on each other": lambda: select_bandwidth(gray(), shape="covariance"),
    "channel 2 .* is constant": lambda: select_bandwidth(
        RGB * np.array([1, 1, 0], np.uint8), shape="covariance"
    ),
    "image has 3 pixels of 3 channels; a full": lambda: select_bandwidth(
        RGB[:1, :3], "pixels", shape="covariance"
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_has_no_such_bandwidth_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=words):
        REFUSED[words]()


def test_halves_of_other_coordinates_keep_their_pixels() -> None:
    halves = random_halves(PALETTE)
    swapped = halves.converted(lambda part: part.binned(4))
    assert isinstance(swapped, Halves)
    assert swapped.train.n_pixels == halves.train.n_pixels
