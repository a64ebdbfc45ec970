"""Images of more than three channels in a session: densities of all, looked at along three axes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.layers import Image

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.density.color_coordinates import look_at_palette
from napari_colorkde.app.density.command import command_line
from napari_colorkde.app.density.difference import DifferenceRequest, difference
from napari_colorkde.app.density.readout import readout, readout_text
from napari_colorkde.app.density.script import python_script
from napari_colorkde.app.image.channel_choices import axis_choices
from napari_colorkde.app.image.file_as_layer import open_image_file
from napari_colorkde.app.image.layer_files import remember_file
from napari_colorkde.app.image.projection import projection_of
from napari_colorkde.app.image.source import ImageSource, source_of
from napari_colorkde.app.kernels.in_color_space import convert_kernels, kernel_from_ellipsoid
from napari_colorkde.app.session import Session
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.mixture.density import compute_densities
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette

RANDOM = np.random.default_rng(0)
FIVE = RANDOM.normal([90, 120, 60, 150, 200], [20, 9, 14, 30, 5], (24, 20, 5)).round()
FIVE = FIVE.clip(0, 255).astype(np.uint8)


def source_of_channels(pixels: np.ndarray) -> ImageSource:
    """An image of channels that are none of RGBA, all of them chosen."""
    n = pixels.shape[-1]
    everything = next(c for c in axis_choices(2, n, "channel") if len(c) == n)
    return ImageSource("stains", {"stains": pixels}, False, (everything,))


@pytest.fixture
def session() -> Session:
    session = Session()
    session.open(source_of_channels(FIVE))
    session.wait()
    return session


@pytest.mark.parametrize("n_channels", [4, 5])
def test_the_overlay_is_the_density_of_all_channels(n_channels: int) -> None:
    pixels = FIVE[..., :n_channels]
    session = Session()
    session.open(source_of_channels(pixels))
    session.wait()
    assert session.palette == Palette.from_image(pixels, n_channels=n_channels)
    assert session.densities is not None
    assert session.densities.is_exact
    expected = ColorKDE(pixels, n_channels=n_channels).density(log=True)
    np.testing.assert_allclose(session.densities.values, expected)
    script = python_script(session.state, session.source)
    assert f"ColorKDE(image, n_channels={n_channels})" in script
    session.kernels = KernelSet([Kernel(pixels[0, 0].astype(float), [40.0] * n_channels, 1.0)])
    session.wait()
    found = compute_densities(session.palette, session.kernels, log=True)
    np.testing.assert_allclose(session.densities.values, found, rtol=1e-5)


def test_the_volume_is_the_marginal_along_the_axes_that_are_chosen(session: Session) -> None:
    densities = session.densities
    for axes in ((0, 1, 2), (4, 1, 3), None):
        session.set_view(axes=axes)
        session.wait()
        estimate = session.estimate
        assert estimate is not None
        volume, projection = estimate.volume, estimate.coordinates.projection
        assert projection is not None
        assert projection.axes == axes
        assert session.densities is densities  # nothing is summed again for another view
        assert len(estimate.sigmas) == 5
        extent = np.array([(axis[0], axis[-1]) for axis in volume.axes])
        seen = FIVE[..., list(axes)] if axes is not None else projection.points(FIVE.reshape(-1, 5))
        colors = seen if axes is not None else seen[np.newaxis]
        kde = ColorKDE(colors, estimate.sigmas[0])
        expected = kde.volume(len(volume.axes[0]), extent, sampling=volume.sampling)
        np.testing.assert_allclose(volume.values, expected.values, atol=2e-5 * volume.values.max())
    assert np.all(np.diff(projection.shares) <= 0)
    assert estimate.coordinates.names(session.channels) == ("axis 1", "axis 2", "axis 3")
    assert projection.about(session.channels.names).startswith(
        "Shown: principal axes of 5 channels"
    )


def test_a_sigma_for_each_channel_narrows_each(session: Session) -> None:
    sigmas = (3.0, 4.0, 5.0, 6.0, 7.0)
    session.bandwidth = sigmas
    session.wait()
    assert session.estimate is not None
    assert session.estimate.sigmas == sigmas
    np.testing.assert_allclose(np.diag(session.estimate.volume.covariance), [9, 16, 25])
    expected = ColorKDE(FIVE, sigmas, channel_axis=2).density(session.palette, log=True)
    np.testing.assert_allclose(session.densities.values, expected)


def test_kernels_are_seen_as_marginals_and_carried_back() -> None:
    palette = Palette.from_image(FIVE, channel_axis=2)
    root = RANDOM.normal(size=(5, 5))
    mean, covariance = np.arange(5.0), root @ root.T + np.eye(5)
    for axes in ((0, 3, 2), None):
        coordinates = look_at_palette(palette, "rgb", axes)
        projection = coordinates.projection
        assert projection is not None
        matrix = projection.matrix
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
        (center,), (shape,) = convert_kernels(mean[None], covariance[None], coordinates)
        np.testing.assert_allclose(center, matrix @ mean)
        np.testing.assert_allclose(shape, matrix @ covariance @ matrix.T)
        same = kernel_from_ellipsoid(mean, covariance, shape, coordinates)
        np.testing.assert_allclose(same, covariance, atol=1e-9)
        wanted = shape * 2 + np.diag([1.0, 2.0, 3.0])
        found = kernel_from_ellipsoid(mean, covariance, wanted, coordinates)
        np.testing.assert_allclose(matrix @ found @ matrix.T, wanted, atol=1e-9)
        assert np.linalg.eigvalsh(found)[0] > 0
        place = center + np.array([1.0, 2, 3])
        moved = projection.moved(mean, place)
        np.testing.assert_allclose(matrix @ moved, place)
        assert np.linalg.norm(moved - mean) == pytest.approx(np.sqrt(14))


def test_an_image_without_the_channels_of_the_view_shows_its_first(session: Session) -> None:
    session.set_view(axes=(4, 3, 2))
    session.wait()
    session.open(source_of_channels(FIVE[..., :4]))
    session.wait()
    assert session.estimate is not None
    assert session.estimate.coordinates.names(session.channels)[2] == "channel 2"
    assert projection_of(Palette.from_image(FIVE[..., :3]), (0, 1, 2)) is None


def test_a_pixel_is_told_by_all_its_channels_and_marked_where_it_is_seen(session: Session) -> None:
    session.set_view(axes=(4, 1, 3))
    session.wait()
    coordinates = session.estimate.coordinates
    known = readout(7, session.palette, coordinates, session.densities)
    color = session.palette.colors[7]
    assert known.place == tuple(color[[4, 1, 3]].tolist())
    text = readout_text(known, coordinates, session.densities)
    assert text.startswith(f"color ({', '.join(map(str, color.tolist()))}) · log density")


def test_a_file_of_many_channels_is_opened_as_channels_and_read_so_again(tmp_path: Path) -> None:
    stains = tmp_path / "stains.tif"
    tifffile.imwrite(stains, FIVE, photometric="minisblack", planarconfig="contig")
    opened = open_image_file(stains)
    layer = Image(opened.data, name="stains", **opened.arguments)
    remember_file(layer, stains)
    source = source_of(layer)
    labels = [choice.label for choice in source.choices[:2]]
    assert labels == [", ".join(f"channel {c}" for c in range(n)) for n in (3, 5)]
    session = Session()
    session.open(source)
    session.channels = source.choices[1]
    session.wait()
    assert session.palette == Palette.from_image(FIVE, channel_axis=2)
    found: dict[str, Any] = {}
    exec(python_script(session.state, source), found)
    expected = ColorKDE(FIVE, channel_axis=2).density(FIVE, log=True)
    np.testing.assert_allclose(found["density"], expected)
    assert "--channels 0,1,2,3,4" in command_line(session.state, source)


def test_a_bare_array_is_a_stack_as_in_napari_and_says_so(tmp_path: Path) -> None:
    np.save(tmp_path / "narrow.npy", np.zeros((4, 40, 9), np.uint8))
    with pytest.warns(UserWarning, match="shown as the columns of a gray stack"):
        opened = open_image_file(tmp_path / "narrow.npy")
    assert (opened.data.shape, opened.arguments) == ((4, 40, 9), {"rgb": False})
    np.save(tmp_path / "digits.npy", np.zeros((10, 28, 28), np.uint8))
    assert open_image_file(tmp_path / "digits.npy").data.shape == (10, 28, 28)


def test_axes_that_a_file_names_decide(tmp_path: Path) -> None:
    stack = np.zeros((3, 5, 40, 9), np.uint8)
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, ome=True, metadata={"axes": "ZCYX"})
    opened = open_image_file(tmp_path / "a.ome.tif")
    assert opened.arguments == {"rgb": False, "axis_labels": ("z", "channel", "y", "x")}
    choices = source_of(Image(opened.data, **opened.arguments)).choices
    assert (choices[0].axis, len(choices[0])) == (1, 3)


def test_a_difference_is_refused(session: Session) -> None:
    request = DifferenceRequest(session.estimate, session.source, session.channels, session.device)
    with pytest.raises(ValueError, match="shown of up to three channels"):
        list(difference(request))


def test_what_would_take_hours_is_said_and_the_cloud_is_there(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_colorkde.core.vectors import vector_sums

    monkeypatch.setattr(vector_sums, "MAX_PAIRS", 100)
    progress: list[Progress] = []
    session.progressed.connect(progress.append)
    session.bandwidth = 9.0
    with pytest.raises(Exception, match="480 points takes"):
        session.wait()
    assert session.estimate is not None
    assert session.estimate.sigmas == (9.0,) * 5


def test_views_of_many_channels_are_kept_and_files_of_before_have_none() -> None:
    from napari_colorkde.app.settings.view_settings import ViewSettings

    plain = ViewSettings()
    assert "axes" not in plain.to_json()
    for axes in ((3, 0, 31), None):
        view = replace(plain, axes=axes)
        assert ViewSettings.from_json(view.to_json()) == view
    for axes in ((0, 1), (0, 1, 1), (0, 1, 32)):
        with pytest.raises(ValueError, match="three different channels from 0 to 31, or None"):
            replace(plain, axes=axes)
