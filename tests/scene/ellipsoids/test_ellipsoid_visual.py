from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_colorkde.scene.ellipsoids.ellipsoid_set import EllipsoidSet
from tests.scene.conftest import AXIS, RGB, blob
from tests.scene.mouse import click, drag, hover, pixel_of

MEANS = np.array([[200.0, 60, 60], [60, 60, 200], [60, 200, 120]])
COVARIANCES = np.array([np.diag([400.0, 400, 400]), np.diag([900.0, 100, 100]), np.eye(3) * 200])


@pytest.fixture
def kernels(canvas: Any) -> Any:
    """The canvas with three ellipsoids and a faint cloud."""
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    canvas.set_exposure(1e-3)
    canvas.set_ellipsoids(MEANS, COVARIANCES)
    return canvas


@pytest.mark.window
def test_ellipsoids_show_in_the_color_of_their_mean(kernels: Any) -> None:
    with_them = kernels.render((300, 300)).astype(float)
    kernels.set_ellipsoids(MEANS[:0], COVARIANCES[:0])
    without = kernels.render((300, 300)).astype(float)
    difference = np.abs(with_them - without)[..., :3]
    assert (difference.sum(axis=-1) > 30).sum() > 300
    where = difference.sum(axis=-1) > 100
    # Circles are mixed with the color of texts, yet none of the three channels wins everywhere.
    dominant = np.argmax(with_them[where][:, :3], axis=1)
    assert set(np.unique(dominant)) == {0, 1, 2}


@pytest.mark.window
def test_moving_an_ellipsoid_compiles_no_shader(
    kernels: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vispy.gloo import Program

    compiled: list[str] = []
    set_shaders = Program.set_shaders

    def note(program: Any, vertex: str, fragment: str, *options: Any, **named: Any) -> None:
        compiled.append(vertex)
        set_shaders(program, vertex, fragment, *options, **named)

    before = kernels.render((200, 200)).astype(float)
    monkeypatch.setattr(Program, "set_shaders", note)
    kernels.set_ellipsoids(np.add(MEANS, [0, 0, 30]), COVARIANCES)
    moved = kernels.render((200, 200)).astype(float)
    assert np.abs(moved - before).max() > 30
    # That of the instances; other parts of the view may be new.
    assert [code for code in compiled if "transform_x" in code] == []


@pytest.mark.window
def test_a_click_tells_which_ellipsoid(kernels: Any) -> None:
    clicked: list[int | None] = []
    kernels.ellipsoid_clicked.connect(clicked.append)
    for mean in MEANS:
        click(kernels, pixel_of(kernels, mean))
    click(kernels, QPoint(3, 3))
    assert clicked == [0, 1, 2, None]


@pytest.mark.window
def test_dragging_the_selected_one_moves_its_mean(kernels: Any) -> None:
    kernels.set_ellipsoids(MEANS, COVARIANCES, selected=0)
    moved: list[tuple[int, np.ndarray]] = []
    released: list[int] = []
    kernels.ellipsoid_moved.connect(lambda k, mean: moved.append((k, mean)))
    kernels.ellipsoid_released.connect(released.append)
    azimuth = kernels.camera.azimuth
    start = pixel_of(kernels, MEANS[0] + [12, 0, 0])  # beside the middle and its handle
    end = pixel_of(kernels, MEANS[0] + [-48, 0, 0])
    drag(kernels, start, end)
    assert released == [0]
    assert {k for k, _ in moved} == {0}
    shift = moved[-1][1] - MEANS[0]
    assert shift[0] == pytest.approx(-60, abs=8)  # red points up, in the plane of the screen
    assert kernels.camera.azimuth == azimuth
    # and the view turns again afterwards
    assert kernels.camera.interactive


@pytest.mark.window
def test_dragging_another_one_turns_the_view(kernels: Any) -> None:
    kernels.set_ellipsoids(MEANS, COVARIANCES, selected=0)
    moved: list[Any] = []
    kernels.ellipsoid_moved.connect(lambda k, mean: moved.append(k))
    azimuth = kernels.camera.azimuth
    start = pixel_of(kernels, MEANS[1])
    end = pixel_of(kernels, MEANS[1] + [0, 60, 0])
    drag(kernels, start, end)
    assert not moved
    assert kernels.camera.azimuth != azimuth


@pytest.mark.window
def test_dragging_a_handle_stretches_its_axis(kernels: Any) -> None:
    kernels.set_ellipsoids(MEANS, COVARIANCES, selected=1)
    reshaped: list[tuple[int, np.ndarray]] = []
    kernels.ellipsoid_reshaped.connect(lambda k, covariance: reshaped.append((k, covariance)))
    # Its longest axis is red's: sigma 30, its end 60 above the mean.
    start = pixel_of(kernels, MEANS[1] + [60, 0, 0])
    end = pixel_of(kernels, MEANS[1] + [30, 0, 0])
    drag(kernels, start, end)
    k, covariance = reshaped[-1]
    assert k == 1
    assert np.sqrt(covariance[0, 0]) == pytest.approx(15, abs=2)
    np.testing.assert_allclose(np.diag(covariance)[1:], [100, 100], rtol=1e-6)


@pytest.mark.window
def test_pressing_on_the_mean_moves_it_however_thin_the_kernel(kernels: Any) -> None:
    thin = COVARIANCES * 1e-3  # less than a pixel
    kernels.set_ellipsoids(MEANS, thin, selected=0)
    moved: list[np.ndarray] = []
    reshaped: list[int] = []
    kernels.ellipsoid_moved.connect(lambda k, mean: moved.append(mean))
    kernels.ellipsoid_reshaped.connect(lambda k, covariance: reshaped.append(k))
    drag(kernels, pixel_of(kernels, MEANS[0]), pixel_of(kernels, MEANS[0] - [48, 0, 0]))
    assert reshaped == []
    assert (moved[-1] - MEANS[0])[0] == pytest.approx(-45, abs=5)


@pytest.mark.window
def test_thin_kernels_have_handles_that_can_be_grasped(kernels: Any) -> None:
    kernels.set_ellipsoids(MEANS, COVARIANCES * 1e-3, selected=1)
    reshaped: list[np.ndarray] = []
    kernels.ellipsoid_reshaped.connect(lambda k, covariance: reshaped.append(covariance))
    kernels.render((430, 360))
    places = kernels.projection.on_screen(kernels.ellipsoids.handle_places())
    middle = pixel_of(kernels, MEANS[1])
    away = np.linalg.norm(places - [middle.x(), middle.y()], axis=1)
    assert np.nanmin(away) > 20
    # Its longest axis, that of red, points up: the end goes as far as the mouse.
    upper = places[4:6][np.argmin(places[4:6, 1])]
    handle = QPoint(round(upper[0]), round(upper[1]))
    step = middle - pixel_of(kernels, MEANS[1] + [40, 0, 0])
    drag(kernels, handle, handle - step)
    assert 2 * np.sqrt(reshaped[-1][0, 0]) == pytest.approx(42, abs=4)


@pytest.mark.window
def test_a_selected_one_behind_another_can_be_dragged(kernels: Any) -> None:
    kernels.look_along(0)
    means = [[40, 128, 128], [200, 128, 128]]
    kernels.ellipsoid_moved.connect(lambda k, mean: moved.append(k))
    for selected in (0, 1):  # one of them is behind
        moved: list[int] = []
        kernels.set_ellipsoids(means, [np.eye(3) * 400] * 2, selected=selected)
        start = pixel_of(kernels, np.add(means[selected], [0, 14, 14]))
        drag(kernels, start, start + QPoint(30, 0))
        assert set(moved) == {selected}


@pytest.mark.window
def test_the_mouse_shows_what_can_be_grasped(kernels: Any) -> None:
    kernels.set_ellipsoids(MEANS, COVARIANCES, selected=1)
    shapes = []
    for color in (MEANS[1], MEANS[1] + [60, 0, 0], MEANS[0]):
        hover(kernels, pixel_of(kernels, color))
        shapes.append(kernels.native.cursor().shape())
    cursors = Qt.CursorShape
    assert shapes == [cursors.OpenHandCursor, cursors.CrossCursor, cursors.ArrowCursor]


@pytest.mark.window
def test_two_channels_have_ellipses(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128), (AXIS,) * 2, RGB[:2])
    canvas.set_ellipsoids(MEANS[:, :2], COVARIANCES[:, :2, :2], selected=2)
    clicked: list[int | None] = []
    canvas.ellipsoid_clicked.connect(clicked.append)
    for mean in MEANS[:, :2]:
        click(canvas, pixel_of(canvas, mean))
    assert clicked == [0, 1, 2]


@pytest.mark.window
def test_kernels_survive_a_lost_context(kernels: Any) -> None:
    before = kernels.render((200, 200)).astype(float)
    kernels.release()
    kernels.rebuild()
    assert np.abs(kernels.render((200, 200)) - before).mean() < 1


@pytest.mark.window
def test_marker_shows_its_color(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    canvas.set_exposure(1e-3)
    plain = canvas.render((300, 300)).astype(int)
    color = np.array([60, 200, 120])
    canvas.set_marker(color)
    marked = canvas.render((300, 300)).astype(int)
    changed = np.abs(marked - plain).sum(axis=-1) > 60
    assert 60 < changed.sum() < 400
    inner = np.abs(marked[changed][:, :3] - color).max(axis=1) < 10
    assert inner.sum() > 30
    canvas.set_marker(None)
    assert np.abs(canvas.render((300, 300)).astype(int) - plain).max() < 3


@pytest.mark.window
def test_counts_are_points_in_their_own_color(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), (AXIS,) * 3, RGB)
    colors = np.array([[220, 30, 30], [30, 30, 220]])
    canvas.set_counts(colors, [1000, 10])
    canvas.set_mode("points")
    picture = canvas.render((300, 300)).astype(int)[..., :3]
    areas = [(np.abs(picture - color).max(axis=-1) < 12).sum() for color in colors]
    assert areas[0] > 3 * areas[1] > 0  # sized by count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 4)), np.zeros((2, 4, 4)), np.zeros((2, 3)), 2, None), r"means must have"),
        ((MEANS, COVARIANCES[:2], np.zeros((3, 3)), 2, None), r"covariances must have shape"),
        ((MEANS, COVARIANCES, np.zeros((2, 3)), 2, None), r"colors must have shape"),
        ((MEANS, COVARIANCES, np.zeros((3, 3)), 0, None), r"radius_sigma must be positive"),
        ((MEANS, COVARIANCES, np.zeros((3, 3)), 2, 3), r"selected must be None or 0 to 2"),
    ],
)
def test_arrays_that_do_not_agree_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EllipsoidSet.from_arrays(*arguments)


def test_a_dragged_axis_does_not_turn_into_another() -> None:
    colors = np.zeros((1, 3))
    before = EllipsoidSet.from_arrays(
        np.zeros((1, 3)), np.diag([1.0, 4, 9])[np.newaxis], colors, 2, 0
    )
    stretched = before.with_axis(0, 0, 5.0)  # now the longest
    after = EllipsoidSet.from_arrays(
        stretched.means, stretched.covariance(0)[np.newaxis], colors, 2, 0, before=stretched
    )
    np.testing.assert_allclose(after.axes, stretched.axes)
