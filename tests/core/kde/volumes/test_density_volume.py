"""Volumes as arrays, their parts, and their pictures."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from napari_colorkde import ColorKDE, color_kde
from napari_colorkde.core import reference
from napari_colorkde.core.kde.volumes.on_grid import NarrowBandwidthWarning

IMAGE = np.random.default_rng(0).normal([90, 120, 150], [9, 15, 12], (9, 11, 3)).astype(np.uint8)
KDE = ColorKDE(IMAGE, [12.0, 9.0, 15.0])
VOLUME = KDE.volume((40, 44, 48), [(30, 150), (40, 200), (60, 240)])
CELLS = KDE.volume((40, 44, 48), [(30, 150), (40, 200), (60, 240)], sampling="cells")


def test_a_volume_is_an_array():
    assert VOLUME.shape == (40, 44, 48)
    np.testing.assert_array_equal(VOLUME.extent, [(30, 150), (40, 200), (60, 240)])
    assert np.asarray(VOLUME) is VOLUME.values
    copied = np.array(VOLUME, dtype=float)
    assert copied.dtype == float
    np.testing.assert_array_equal(copied, VOLUME.values)
    assert np.max(VOLUME) == VOLUME.values.max()
    assert VOLUME.names == ("R", "G", "B")
    assert repr(VOLUME).startswith("DensityVolume(40 × 44 × 48, R 30 to 150, G 40 to 200, B 60 to")
    assert ColorKDE(IMAGE, 9.0, space="lab").volume(8, sampling="cells").names[0] == "L*"
    assert color_kde(IMAGE[..., 0], 9.0).names == ("channel 1",)


@pytest.mark.parametrize("volume", [VOLUME, CELLS], ids=["points", "cells"])
def test_marginals_are_those_of_the_density(volume):
    for axes, numbers in (("G", [1]), ([2, 0], [2, 0]), (("B", "G"), [2, 1])):
        found = volume.marginal(axes)
        exact = KDE.marginal(numbers).volume(
            [volume.shape[axis] for axis in numbers],
            volume.extent[numbers],
            sampling=volume.sampling,
        )
        np.testing.assert_allclose(found.values, exact.values, atol=3e-3 * exact.values.max())
        assert found.names == tuple(np.array(["R", "G", "B"])[numbers])
        np.testing.assert_array_equal(found.covariance, exact.covariance)
        for ours, theirs in zip(found.axes, exact.axes, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_sums_over_cells_and_points_are_what_is_said_of_them():
    # Half of the mass, so that much of it lies at the walls.
    extent = [(90, 150), (40, 200), (60, 240)]
    points = KDE.volume(20, extent)
    cells = KDE.volume(20, extent, sampling="cells")
    total = points.values.sum(dtype=float) * points.spacing.prod()
    assert total > points.mass_inside * 1.05
    integral = np.trapezoid(points.marginal(0).values, points.axes[0])
    assert integral == pytest.approx(points.mass_inside, rel=3e-3)
    total = cells.values.sum(dtype=float) * cells.spacing.prod()
    assert total == pytest.approx(cells.mass_inside, rel=1e-5)


def test_slices_are_the_density_where_channels_are_given():
    found = VOLUME.slice({"G": 118.0})
    points = np.stack(np.meshgrid(VOLUME.axes[0], [118.0], VOLUME.axes[2], indexing="ij"), -1)
    exact = KDE.evaluate(points.reshape(-1, 3)).reshape(40, 48)
    np.testing.assert_allclose(found.values, exact, atol=0.02 * exact.max())
    assert found.names == ("R", "B")
    assert np.isnan(found.mass_inside)
    assert repr(found).endswith("a slice)")
    line = VOLUME.slice({0: VOLUME.axes[0][7], "B": VOLUME.axes[2][-1]})
    np.testing.assert_allclose(line.values, VOLUME.values[7, :, -1], rtol=1e-6)


def test_logarithms_go_to_any_depth(device):
    full = np.diag([40.0, 30, 20]) + 5
    for bandwidth in ([6.0, 4.0, 5.0], full):
        kde = ColorKDE(IMAGE, bandwidth, device=device)
        volume = kde.log_volume((5, 6, 7), (0, 255))
        points = np.stack(np.meshgrid(*volume.axes, indexing="ij"), axis=-1).reshape(-1, 3)
        exact = reference.kde_log_density(
            points, IMAGE.reshape(-1, 3).astype(float), kde.covariance
        )
        assert exact.min() < -300
        np.testing.assert_allclose(volume.values.ravel(), exact, atol=1e-4, rtol=1e-6)
        assert volume.is_log
        assert "log-densities" in repr(volume)
        with pytest.raises(ValueError, match="volume of logarithms has no marginal"):
            volume.marginal(0)
    plain = KDE.volume(30, (60, 200))
    assert KDE.log_volume(30, (60, 200)).mass_inside == pytest.approx(plain.mass_inside)
    np.testing.assert_allclose(np.exp(KDE.log_volume(30, (60, 200))), plain.values, rtol=1e-3)


def test_volumes_become_arrays_of_xarray(monkeypatch):
    xarray = pytest.importorskip("xarray")
    found = KDE.to_xarray((13, 14, 15), (60, 160))
    assert isinstance(found, xarray.DataArray)
    assert found.dims == ("R", "G", "B")
    assert found.name == "density"
    assert found.attrs["space"] == "rgb"
    assert found.attrs["covariance"] == KDE.covariance.tolist()
    np.testing.assert_array_equal(found["G"], np.linspace(60, 160, 14))
    np.testing.assert_array_equal(found, KDE.volume((13, 14, 15), (60, 160)))
    np.testing.assert_allclose(
        found.sel(R=60, method="nearest").values, KDE.volume((13, 14, 15), (60, 160)).values[0]
    )
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match=r"to_xarray needs xarray.*pip install xarray"):
        VOLUME.to_xarray()


def pixels_of(png):
    return np.asarray(Image.open(io.BytesIO(png))).astype(int)


@pytest.mark.filterwarnings(f"error::{NarrowBandwidthWarning.__module__}.NarrowBandwidthWarning")
def test_a_density_shows_itself_in_a_notebook():
    planes = pixels_of(KDE._repr_png_())
    assert planes.shape == (160, 3 * 160 + 2 * 8, 3)
    # Of red and green: the mean of the image, green to the right, red upward.
    at = 160 - int(160 * 90 / 255), int(160 * 120 / 255)
    assert planes[at].sum() < 300 < planes[5, 5].sum()
    assert pixels_of(ColorKDE(IMAGE[..., :2], 1.0)._repr_png_()).shape == (160, 160, 3)
    curve = pixels_of(ColorKDE(IMAGE[..., 0], 5.0)._repr_png_())
    assert curve.shape == (160, 320, 3)
    dark = (curve.sum(axis=-1) < 600).sum(axis=0)
    assert abs(np.argmax(dark) - 320 * 90 / 255) < 12
    html = KDE._repr_html_()
    assert html.startswith("<p>ColorKDE(Palette(")
    assert 'src="data:image/png;base64,iVBOR' in html
    assert pixels_of(ColorKDE(IMAGE, np.diag([40.0, 30, 20]) + 5)._repr_png_()).std() > 1
    assert pixels_of(VOLUME._repr_png_()).std() > 1
    np.testing.assert_allclose(
        pixels_of(KDE.log_volume(30, (60, 200))._repr_png_()),
        pixels_of(KDE.volume(30, (60, 200))._repr_png_()),
        atol=2,
    )
