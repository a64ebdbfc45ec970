from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.scene.density.volume import MODES
from tests.scene.conftest import AXIS, BINS, RGB, blob, saturated

pytestmark = pytest.mark.window


def cloud_only(canvas: Any, size: tuple[int, int] = (240, 240)) -> np.ndarray:
    """Return what the density adds to the picture: its difference to that without density."""
    with_cloud = canvas.render(size)[..., :3].astype(float)
    exposure = canvas.exposure
    canvas.set_exposure(1e-9)
    without = canvas.render(size)[..., :3].astype(float)
    canvas.set_exposure(exposure)
    return np.abs(with_cloud - without).sum(axis=-1)


def hue_of(canvas: Any) -> np.ndarray:
    """Return the mean color (RGB in 0..1) of the pixels the cloud covers best."""
    weight = cloud_only(canvas)
    assert weight.max() > 120
    return canvas.render((240, 240))[weight > 0.7 * weight.max()][:, :3].mean(axis=0) / 255


def center_of(canvas: Any) -> np.ndarray:
    """Return where the cloud's mass lies, x and y in pixels of a 240 × 240 picture."""
    weight = cloud_only(canvas)
    y, x = np.indices(weight.shape)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("color", [(230, 25, 25), (25, 230, 25), (25, 25, 230), (225, 225, 30)])
def test_cloud_has_the_color_of_its_place(canvas: Any, color: tuple[int, int, int]) -> None:
    canvas.set_volume(blob(*color), (AXIS,) * 3, RGB)
    np.testing.assert_allclose(hue_of(canvas), np.array(color) / 255, atol=0.2)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_along_an_axis_the_others_ascend_rightwards_and_upwards(canvas: Any, channel: int) -> None:
    axes = (AXIS,) * 3
    canvas.set_volume(blob(128, 128, 128), axes, RGB)
    canvas.look_along(channel)
    middle = center_of(canvas)
    moves = []
    for other in {0, 1, 2} - {channel}:
        color = [128, 128, 128]
        color[other] = 200
        canvas.set_volume(blob(*color), axes, RGB)
        moves.append(center_of(canvas) - middle)
    moves.sort(key=lambda move: -move[0])
    assert moves[0][0] > 15
    assert abs(moves[0][1]) < 5
    assert moves[1][1] < -15  # y runs downwards
    assert abs(moves[1][0]) < 5


def test_red_points_up(canvas: Any) -> None:
    heights = []
    for red in (60, 200):
        canvas.set_volume(blob(red, 128, 128), (AXIS,) * 3, RGB)
        heights.append(center_of(canvas)[1])
    assert heights[0] > heights[1] + 30  # y runs downwards


@pytest.mark.parametrize("scale", ["linear", "log", "equalized"])
def test_look_depends_neither_on_grid_nor_on_step(canvas: Any, scale: str) -> None:
    pictures = []
    for bins in (24, 64):
        axis = np.linspace(0, 255, bins)
        d2 = (axis - 128) ** 2
        values = np.exp(-(d2[:, None, None] + d2[:, None] + d2) / (2 * 30.0**2))
        canvas.set_volume((values / values.sum()).astype(np.float32), (axis,) * 3, RGB)
        canvas.set_scale(scale)
        pictures.append(canvas.render((200, 200))[60:140, 60:140, :3].astype(float))
    assert np.abs(pictures[0] - pictures[1]).mean() < 3


def test_more_exposure_is_more_cloud(canvas: Any) -> None:
    canvas.set_volume(blob(128, 200, 60), (AXIS,) * 3, RGB)
    amounts = []
    for exposure in (0.2, 1, 5):
        canvas.set_exposure(exposure)
        amounts.append(cloud_only(canvas).sum())
    assert amounts[0] < amounts[1] < amounts[2]


def test_floor_hides_what_is_sparse(canvas: Any) -> None:
    values = 0.97 * blob(200, 40, 40) + 0.03 * blob(40, 40, 200)
    canvas.set_volume(values.astype(np.float32), (AXIS,) * 3, RGB)
    canvas.set_exposure(10)

    def blue() -> float:
        where = cloud_only(canvas) > 60
        picture = canvas.render((240, 240))[where].astype(float)
        return float(np.clip(picture[:, 2] - picture[:, 0], 0, None).sum())

    before = blue()
    canvas.set_density_floor(0.1)
    assert blue() < 0.1 * before


def test_edges_run_through_all_pure_colors(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    picture = saturated(canvas.render((400, 400)))
    for pure in ((1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1)):
        assert (np.abs(picture - pure).max(axis=-1) < 0.3).sum() > 10, pure


def test_other_color_spaces_color_the_cloud(canvas: Any) -> None:
    canvas.set_volume(
        blob(128, 128, 128),
        (AXIS,) * 3,
        ("L*", "a*", "b*"),
        color_of=lambda colors: np.tile([0.1, 0.4, 0.9], (len(colors), 1)),
    )
    np.testing.assert_allclose(hue_of(canvas), [0.1, 0.4, 0.9], atol=0.1)


def test_moving_pictures_look_like_resting_ones(canvas: Any) -> None:
    canvas.set_volume(blob(200, 60, 60, sigma=30), (AXIS,) * 3, RGB)
    fine = canvas.render((240, 240)).astype(float)
    coarse = canvas.render((240, 240), fine=False).astype(float)
    assert np.abs(fine - coarse).mean() < 1.5
    assert np.abs(fine - coarse).max() > 0  # it was not the same drawing


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_shows_true_colors(canvas: Any, mode: str) -> None:
    canvas.set_mode(mode)
    for color in ((225, 40, 40), (40, 40, 225)):
        canvas.set_volume(blob(*color), (AXIS,) * 3, RGB)
        hue = canvas_mean(canvas, canvas.render((240, 240)))
        np.testing.assert_allclose(hue, np.array(color) / 255, atol=0.25)


def canvas_mean(canvas: Any, picture: np.ndarray) -> np.ndarray:
    """Return the mean color of what differs most from the view without data."""
    arguments = canvas.values, (AXIS,) * 3, RGB
    canvas.set_volume(np.zeros_like(arguments[0]), *arguments[1:])
    difference = np.abs(picture.astype(float) - canvas.render((240, 240))).sum(axis=-1)
    canvas.set_volume(*arguments)
    return picture[difference > 0.7 * difference.max()][:, :3].mean(axis=0) / 255


def test_shells_hold_the_shares_asked_for(canvas: Any) -> None:
    canvas.set_mode("shells")
    canvas.set_volume(blob(128, 128, 128, sigma=20), (AXIS,) * 3, RGB)
    canvas.look_along(0)
    empty = None
    radii = []
    for fraction in (0.3, 0.7, 0.99):
        canvas.set_shells([fraction])
        picture = canvas.render((300, 300)).astype(float)
        if empty is None:
            canvas.set_shells([1e-6])
            empty = canvas.render((300, 300)).astype(float)
        area = (np.abs(picture - empty).sum(axis=-1) > 20).sum()
        radii.append(np.sqrt(area / np.pi))
    # Radii of balls holding these fractions of a normal distribution in three dimensions, in sigma.
    expected = np.sqrt([1.424, 3.665, 11.345])
    np.testing.assert_allclose(np.array(radii) / radii[1], expected / expected[1], rtol=0.08)


def test_shells_that_make_no_sense_are_refused(canvas: Any) -> None:
    for fractions in ([], [0.1, 0.2, 0.3, 0.4], [0.0], [1.0]):
        with pytest.raises(ValueError, match="fractions must be one to three numbers"):
            canvas.set_shells(fractions)


def test_differences_are_orange_and_blue(canvas: Any) -> None:
    difference = blob(200, 128, 128) - blob(60, 128, 128)
    canvas.set_volume(difference, (AXIS,) * 3, RGB, signed=True)
    weight = cloud_only(canvas)
    picture = canvas.render((240, 240))[..., :3].astype(float)
    rows = np.indices(weight.shape)[0]
    strong = weight > 0.7 * weight.max()
    middle = (weight * rows).sum() / weight.sum()
    red_minus_blue = picture[..., 0] - picture[..., 2]
    assert red_minus_blue[strong & (rows < middle)].mean() > 60  # more in the first: above
    assert red_minus_blue[strong & (rows > middle)].mean() < -60


def test_unknown_mode_is_refused(canvas: Any) -> None:
    with pytest.raises(ValueError, match="mode must be one of"):
        canvas.set_mode("x-ray")


def test_two_channels_are_a_plane(canvas: Any) -> None:
    canvas.set_volume(blob(200, 40), (AXIS,) * 2, ("DAPI", "GFP"))
    np.testing.assert_allclose(hue_of(canvas), [0.78, 0.16, 0.78], atol=0.2)
    first = center_of(canvas)
    canvas.set_volume(blob(40, 40), (AXIS,) * 2, ("DAPI", "GFP"))
    assert center_of(canvas)[0] < first[0] - 30
    canvas.set_volume(blob(200, 200), (AXIS,) * 2, ("DAPI", "GFP"))
    assert center_of(canvas)[1] < first[1] - 30


def test_one_channel_is_a_curve(canvas: Any) -> None:
    canvas.set_volume(blob(200), (AXIS,), ("gray",))
    picture = canvas.render((300, 200))[..., 0].astype(float)
    # The line is near white; its highest point is over the mode, at 200 / 255 of the width.
    rows, columns = np.nonzero(picture > 225)
    top = columns[rows == rows.min()].mean()
    extent = np.percentile(columns, [0, 100])
    assert (top - extent[0]) / np.ptp(extent) == pytest.approx(200 / 255, abs=0.05)


def test_kinds_may_follow_each_other(canvas: Any) -> None:
    for n in (3, 1, 2, 3, 2, 1, 3):
        canvas.set_volume(blob(*(200, 40, 40)[:n]), (AXIS,) * n, RGB[:n])
        assert canvas.render((120, 100)).std() > 0
    np.testing.assert_allclose(hue_of(canvas), [200 / 255, 40 / 255, 40 / 255], atol=0.2)


def test_same_shape_is_updated_in_place(canvas: Any) -> None:
    canvas.set_volume(blob(230, 25, 25), (AXIS,) * 3, RGB)
    red = hue_of(canvas)
    content = canvas.content
    canvas.set_volume(blob(25, 25, 230), (AXIS,) * 3, RGB)
    assert canvas.content is content
    assert red.argmax() == 0
    assert hue_of(canvas).argmax() == 2


def test_theme_changes_the_background(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    dark = canvas.render((100, 100))[2, 2, :3].astype(int)
    canvas.set_theme("light")
    light = canvas.render((100, 100))[2, 2, :3].astype(int)
    assert dark.max() < 80 < 170 < light.min()


def test_white_is_seen_on_either_theme(canvas: Any) -> None:
    canvas.set_volume(blob(250, 250, 250), (AXIS,) * 3, RGB)
    for theme in ("dark", "light"):
        canvas.set_theme(theme)
        assert cloud_only(canvas).max() > 100


def test_pictures_have_the_size_asked_for(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    assert canvas.render((640, 480)).shape == (480, 640, 4)
    assert canvas.render((1500, 900)).shape == (900, 1500, 4)
    width, height = canvas.native.width(), canvas.native.height()
    assert canvas.render().shape == (height, width, 4)


def test_cube_fits_portrait_and_landscape(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    for size in ((300, 600), (600, 300), (400, 400)):
        edges = saturated(canvas.render(size)).max(axis=-1) > 0.5
        rows, columns = np.nonzero(edges)
        assert rows.min() > 2
        assert rows.max() < size[1] - 3
        assert columns.min() > 2
        assert columns.max() < size[0] - 3
        # and uses the room
        assert np.ptp(columns) > 0.55 * size[0] or np.ptp(rows) > 0.55 * size[1]


def test_texts_leave_room_in_long_pictures(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    for size in ((360, 1080), (1080, 360)):
        rows, columns = np.nonzero(saturated(canvas.render(size)).max(axis=-1) > 0.5)
        assert max(np.ptp(columns) / 360, np.ptp(rows) / 360) > 0.55


def test_a_canvas_without_data_draws_nothing(canvas: Any) -> None:
    assert canvas.render((50, 50))[..., :3].std(axis=(0, 1)).max() == 0
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    canvas.clear()
    assert canvas.render((50, 50))[..., :3].std(axis=(0, 1)).max() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((4, 4)), (AXIS, AXIS), RGB[:2]), "axes must be as long"),
        ((np.ones((BINS, BINS)), (AXIS, AXIS), RGB), "channel_names must be 2 names"),
        ((np.ones((BINS,)), (AXIS[::-1],), ("g",)), "axes must ascend"),
    ],
)
def test_arrays_that_do_not_agree_are_refused(canvas: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        canvas.set_volume(*arguments)


def test_a_refused_look_changes_nothing(canvas: Any) -> None:
    with pytest.raises(ValueError, match="exposure"):
        canvas.set_exposure(-1)
    assert canvas.exposure == 1


def test_the_window_is_opaque_while_the_view_moves(canvas: Any, qtbot: Any) -> None:
    canvas.set_volume(blob(200, 120, 60), (AXIS,) * 3, RGB)
    qtbot.waitUntil(lambda: canvas.is_high_quality)
    resting = pixels_of(canvas)
    canvas.rotate(5)
    moving = pixels_of(canvas)
    assert not canvas.is_high_quality
    for shown in (resting, moving):
        assert (shown[..., 3] == 255).all()
    assert np.abs(moving.mean(axis=(0, 1)) - resting.mean(axis=(0, 1))).max() < 3


def test_moving_makes_no_new_programs(canvas: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_colorkde.scene.density.low_resolution import LowResolutionTarget

    made: list[float] = []
    make = LowResolutionTarget.__init__

    def count(target: Any, fraction: float) -> None:
        made.append(fraction)
        make(target, fraction)

    monkeypatch.setattr(LowResolutionTarget, "__init__", count)
    canvas.set_volume(blob(200, 120, 60), (AXIS,) * 3, RGB)
    for _ in range(3):
        canvas.rotate(5)
        pixels_of(canvas)
        canvas.render((60, 60))
    assert len(made) == 1


def pixels_of(canvas: Any) -> np.ndarray:
    """Return what is in the window, (H, W, 4)."""
    from qtpy.QtGui import QImage

    image = canvas.native.grabFramebuffer().convertToFormat(QImage.Format.Format_RGBA8888)
    content = image.constBits().asarray(image.sizeInBytes())
    return np.array(content, np.uint8).reshape(image.height(), image.width(), 4)


def test_a_view_that_was_never_shown_can_turn_and_be_pictured(qapp: Any) -> None:
    from vispy.util.logs import use_log_level

    from napari_colorkde.scene.canvas import ColorSpaceCanvas

    hidden = ColorSpaceCanvas()
    try:
        hidden.set_volume(blob(200, 120, 60), (AXIS,) * 3, RGB)
        with use_log_level("error", record=True, print_msg=False) as log:
            hidden.rotate(5)
            picture = hidden.render((120, 100))
    finally:
        hidden.close()
    assert log == []
    assert saturated(picture).any()
