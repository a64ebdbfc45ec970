from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.density.color_coordinates import (
    conversion_error,
    convert_palette,
    gamut_outline,
)
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.core.colorspaces import COLOR_SPACES
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.palette.palette import Palette

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(40, 80, (20, 30, 3)).astype(np.uint8)
PALETTE = Palette.from_image(IMAGE)
OTHERS = [name for name in COLOR_SPACES if name != "rgb"]


def opened(image: Any = IMAGE) -> Session:
    session = Session()
    session.open(source_of_array(image))
    session.wait()
    return session


def test_every_space_has_a_title_of_its_own() -> None:
    titles = {space.title for space in COLOR_SPACES.values()}
    assert len(titles) == len(COLOR_SPACES)


@pytest.mark.parametrize("name", OTHERS)
def test_the_density_is_that_of_the_library_in_the_space(name: str) -> None:
    session = opened()
    session.log = False
    session.space = name
    kde = ColorKDE(PALETTE, space=name)
    assert session.estimate is not None
    assert session.densities is not None
    np.testing.assert_allclose(session.estimate.volume.covariance, kde.covariance)
    np.testing.assert_allclose(session.densities.values, kde.density(), rtol=2e-5)
    assert kde.color_space is not None
    for axis, low, high in zip(
        session.estimate.volume.axes, kde.color_space.low, kde.color_space.high, strict=True
    ):
        assert (axis[0], axis[-1]) == (low, high)
    assert session.estimate.volume.space == name
    assert session.description()["space"] == name


@pytest.mark.parametrize("name", OTHERS)
def test_colors_come_back_from_a_space(name: str) -> None:
    coordinates = convert_palette(PALETTE, name)
    np.testing.assert_allclose(
        coordinates.from_colors(PALETTE.colors), coordinates.points.colors, atol=1e-9
    )
    back = coordinates.to_colors(coordinates.points.colors)
    np.testing.assert_allclose(back, PALETTE.colors, atol=1e-2)
    assert coordinates.color_of is not None
    np.testing.assert_allclose(
        coordinates.color_of(coordinates.points.colors), PALETTE.colors / 255, atol=1e-4
    )


@pytest.mark.parametrize("name", OTHERS)
def test_the_gamut_lies_within_the_box_of_the_volume(name: str) -> None:
    coordinates = convert_palette(PALETTE, name)
    lines = np.concatenate(gamut_outline(coordinates))
    assert coordinates.extent is not None
    slack = 1e-2 * np.ptp(coordinates.extent, axis=1)
    assert (lines >= coordinates.extent[:, 0] - slack).all()
    assert (lines <= coordinates.extent[:, 1] + slack).all()
    assert np.isfinite(lines).all()


def test_the_same_space_has_the_same_colors_for_another_image() -> None:
    # The view then uploads the densities only.
    other = Palette.from_image(IMAGE[:5])
    assert convert_palette(PALETTE, "lab").color_of is convert_palette(other, "lab").color_of


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (IMAGE[..., 0], "1 channel is chosen"),
        (IMAGE[..., :2], "2 channels are chosen"),
        (IMAGE.astype(np.float32), "0 and 1"),
    ],
)
def test_what_is_not_srgb_has_no_other_space(image: Any, reason: str) -> None:
    session = opened(image)
    with pytest.raises(ValueError, match=reason):
        session.space = "lab"
    assert session.space == "rgb"


def test_channels_that_are_not_rgb_have_no_other_space() -> None:
    source = source_of_array(np.moveaxis(IMAGE, -1, 0), channel_axis=0)
    assert "not an RGB layer" in conversion_error(source, source.choices[0])


def test_another_image_goes_back_to_its_own_channels_and_says_so() -> None:
    session = opened()
    session.space = "lab"
    session.bandwidth = (1.0, 2.0, 3.0)
    notices: list[str] = []
    session.message.connect(notices.append)
    session.open(source_of_array(IMAGE[..., 0]))
    session.wait()
    assert (session.space, session.bandwidth) == ("rgb", None)
    assert "own channels" in notices[0]
    session.undo()
    session.wait()
    assert session.space == "rgb"


def test_sigmas_by_hand_stay_the_same_part_of_the_range() -> None:
    session = opened()
    session.bandwidth = 8.0
    session.space = "oklab"
    assert session.bandwidth == pytest.approx((1 / 32, 0.511 / 32, 0.511 / 32), rel=1e-3)
    session.space = "rgb"
    assert session.bandwidth == pytest.approx((8.0, 8.0, 8.0), rel=1e-3)
    session.undo()
    session.undo()
    assert (session.space, session.bandwidth) == ("rgb", (8.0,))


def test_rules_stay_rules_in_another_space() -> None:
    session = opened()
    session.bandwidth = "scott"
    session.space = "lab"
    assert session.bandwidth == "scott"


def test_the_palette_is_converted_once() -> None:
    session = opened()
    session.space = "lab"
    assert session.estimate is not None
    before = session.estimate.coordinates
    session.bandwidth = (2.0, 2.0, 2.0)
    assert session.estimate.coordinates is before
