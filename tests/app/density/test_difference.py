from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.density.difference import (
    Difference,
    DifferenceRequest,
    difference,
    like_channels,
)
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource, source_of_array
from napari_colorkde.app.session import Session

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(40, 90, (20, 30, 3)).astype(np.uint8)
OTHER = RNG.integers(120, 190, (25, 20, 3)).astype(np.uint8)

OWN = Channels(("other",))


def opened(space: str = "rgb", bandwidth: Any = None) -> Session:
    session = Session()
    session.open(source_of_array(IMAGE))
    session.set(space=space, bandwidth=bandwidth)
    session.wait()
    return session


def result_of(session: Session, image: Any) -> Difference:
    assert session.estimate is not None
    assert session.channels is not None
    source = source_of_array(image, "other")
    request = DifferenceRequest(session.estimate, source, session.channels, session.device)
    *_, result = difference(request)
    assert isinstance(result, Difference)
    return result


@pytest.mark.parametrize(("space", "bandwidth"), [("rgb", None), ("lab", None), ("rgb", 0.5)])
def test_each_image_has_its_density_on_the_same_grid(space: str, bandwidth: Any) -> None:
    result = result_of(opened(space, bandwidth), OTHER)
    second = Session()
    second.open(source_of_array(OTHER))
    second.set(space=space, bandwidth=bandwidth)
    assert second.estimate is not None
    wanted = result.estimate.volume.values - second.estimate.volume.values
    np.testing.assert_allclose(result.values, wanted, atol=1e-5 * np.abs(wanted).max())
    assert result.values.min() < 0 < result.values.max()


def test_an_image_does_not_differ_from_itself() -> None:
    result = result_of(opened(), IMAGE[::-1])
    assert not result.values.any()


def test_the_second_image_is_counted_once() -> None:
    session = opened()
    result = result_of(session, OTHER)
    session.bandwidth = 9.0
    assert session.estimate is not None
    assert session.channels is not None
    source = source_of_array(OTHER)
    request = DifferenceRequest(
        session.estimate, source, session.channels, session.device, result.palette
    )
    *_, again = difference(request)
    assert isinstance(again, Difference)
    assert again.palette is result.palette


@pytest.mark.parametrize(
    ("image", "space", "reason"),
    [
        (OTHER[..., 0], "rgb", "'other' has no channels like red, green, blue"),
        (OTHER.astype(np.uint16), "rgb", "uint16"),
    ],
)
def test_images_of_another_kind_are_refused(image: Any, space: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        result_of(opened(space), image)


def chosen(source: ImageSource, *names: str) -> Channels:
    return next(choice for choice in source.choices if choice.names == names)


def test_the_same_channels_are_compared() -> None:
    session = Session()
    session.open(source_of_array(IMAGE))
    assert session.source is not None
    session.channels = chosen(session.source, "red", "blue")
    result = result_of(session, OTHER)
    np.testing.assert_array_equal(
        result.palette.colors, np.unique(OTHER[..., [0, 2]].reshape(-1, 2), axis=0)
    )
    assert not result_of(session, IMAGE[::-1]).values.any()
    with pytest.raises(ValueError, match="has no channels like red, blue to compare; choose an"):
        result_of(session, OTHER[..., 0])


def test_channels_of_the_same_names_are_preferred_to_those_of_the_same_places() -> None:
    first = source_of_array(IMAGE)
    last, before = Channels(("c 0", "c 2"), 0, (0, 2)), Channels(("red", "blue"), 3, (0, 2))
    other = ImageSource("other", {}, False, (Channels(("c 1", "c 2"), 0, (1, 2)), last, before))
    assert like_channels(other, chosen(first, "red", "blue")) is before
    other = ImageSource("other", {}, False, (Channels(("c 1", "c 2"), 0, (1, 2)), last))
    assert like_channels(other, chosen(first, "red", "blue")) is last


def test_gray_is_compared_with_gray() -> None:
    other = ImageSource("other", {}, False, (Channels(("other", "dapi"), layers=("dapi",)), OWN))
    assert like_channels(other, Channels(("photo",))) is OWN
    with pytest.raises(ValueError, match="no channels like photo, gfp"):
        like_channels(other, Channels(("photo", "gfp"), layers=("gfp",)))
