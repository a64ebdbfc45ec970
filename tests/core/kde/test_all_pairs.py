"""All pairs of several images, and the keywords of what takes images."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from napari_colorkde import ColorKDE, Palette, compare, compare_all, select_bandwidth
from napari_colorkde.core.palette.ranges import ColorUnitsWarning

RNG = np.random.default_rng(0)
ONE, OTHER, THIRD = (
    RNG.integers(low, low + 60, (16, 20, 3), dtype=np.uint8) for low in (20, 60, 150)
)
MASK = np.arange(320).reshape(16, 20) % 2 == 0


def test_pairs_are_what_two_say_of_each_other_at_one_bandwidth() -> None:
    found = compare_all([ONE, Palette.from_image(OTHER), THIRD], 12, names=["a", "b", "c"])
    assert found.names == ("a", "b", "c")
    pair = compare(ONE, THIRD, 12)
    assert found.js[0, 2] == found.js[2, 0] == pytest.approx(pair.js, rel=1e-4)
    assert (found.kl[0, 2], found.kl[2, 0]) == pytest.approx((pair.kl_ab, pair.kl_ba), rel=1e-4)
    np.testing.assert_array_equal(np.diag(found.js), 0)
    assert repr(found).startswith("AllPairs(3 images, js from 0 to 0.6")
    assert found.to_csv().splitlines()[0] == "image_a,image_b,js,kl_ab,kl_ba"
    assert found.to_csv().splitlines()[2].startswith(f"a,c,{float(found.js[0, 2])!r}")


def test_pairs_as_tables_of_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    found = compare_all({"a": ONE, "b": OTHER}, 12, masks=[MASK, None])
    frame = found.to_frame()
    assert frame.shape == (1, 5)
    assert frame["js"][0] == found.js[0, 1] == found.to_matrix().loc["b", "a"]
    assert found.js[0, 1] == pytest.approx(compare(ONE, OTHER, 12, mask_a=MASK).js, rel=1e-4)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="to_frame needs pandas"):
        found.to_frame()


def log_at(kde: ColorKDE, points: Any) -> Any:
    """Log-densities at points of the KDE's own space."""
    return kde._sums.log_at(points) - kde._log_scale


@pytest.mark.parametrize("space", ["lab", "principal"])
def test_images_are_compared_in_another_space(space: str) -> None:
    found = compare_all([ONE, OTHER], space=space)
    alone = compare(ONE, OTHER, space=space)
    assert found.js[0, 1] == pytest.approx(alone.js, rel=1e-4)
    assert alone.js != pytest.approx(compare(ONE, OTHER).js, rel=1e-2)
    kde = ColorKDE(OTHER, found.covariance, space=space)
    if space == "lab":  # the divergence is the mean of log-ratios under the first density
        drawn = ColorKDE(ONE, found.covariance, space=space)
        points = drawn.sample(4000, 1)
        ratio = log_at(drawn, points) - log_at(kde, points)
        assert ratio.mean() == pytest.approx(alone.kl_ab, rel=0.1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: compare_all([ONE]), "images holds 1; give two images or more"),
        (lambda: compare_all(ONE), "images is an ndarray; give a list"),
        (lambda: compare_all([ONE, OTHER], names=["a", "a"]), "give each image a different name"),
        (lambda: compare_all([ONE, OTHER], names=["a"]), "give one name for each of 2 images"),
        (
            lambda: compare_all([ONE, OTHER], masks=[MASK]),
            "masks holds 1 for 2 images; give",
        ),
        (lambda: compare_all([ONE, "b.png"]), r"images\[1\] is the text or path"),
        (
            lambda: compare_all([ONE, ONE / 255]),
            r"images\[1\] is float64, images\[0\] is uint8; convert one",
        ),
        (lambda: compare(ONE, OTHER, mask_b=MASK[1:]), "but the pixels of image_b have"),
        (lambda: compare(ONE, Palette.from_image(ONE), mask_b=MASK), "but image_b is a Palette"),
    ],
)
def test_what_has_no_pairs_is_refused(call: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        call()


@pytest.mark.parametrize("method", ["scott", "blocks"])
def test_bandwidths_are_of_the_pixels_of_a_mask(method: str) -> None:
    planar = np.moveaxis(ONE, -1, 0)
    found = select_bandwidth(planar, method, mask=MASK, channel_axis=0)
    if method == "scott":
        expected = select_bandwidth(Palette.from_image(ONE, MASK), method)
        np.testing.assert_allclose(found.bandwidth, expected.bandwidth)
    kde = ColorKDE(planar, method, mask=MASK, channel_axis=0)
    np.testing.assert_allclose(kde.covariance, found.covariance)
    assert kde.palette == Palette.from_image(ONE, MASK)


def test_points_are_sent_to_evaluate() -> None:
    kde = ColorKDE(ONE, 10)
    with pytest.raises(
        ValueError, match=r"1 color channel, but the KDE has 3; call evaluate\(colors\)"
    ):
        kde.density(ONE[0])
    with pytest.raises(ValueError, match="call evaluate"):
        kde.log_likelihood(ONE[0])


def test_fractions_are_warned_of_where_levels_are_known() -> None:
    kde = ColorKDE(ONE, 10)
    with pytest.warns(ColorUnitsWarning, match="from 0 to 1, the KDE has levels up to 79") as seen:
        kde.evaluate([0.3, 0.2, 0.1])
    assert seen[0].filename == __file__
    assert kde.evaluate([[0, 1, 0]]).shape == (1,)
    ColorKDE(ONE / 255, 0.1).evaluate([0.3, 0.2, 0.1])


def test_palettes_out_of_order_are_refused() -> None:
    for colors in ([[2], [1]], [[1], [1]], [[1, 2], [1, 1]]):
        array = np.array(colors, np.uint8)
        with pytest.raises(ValueError, match="colors are not sorted or not unique; give the"):
            Palette(array, np.ones(2, int), np.zeros(array.shape[1]))
