"""MarginalWalls, cut, outline and legend, as they are seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorkde.scene.annotations import marginal_walls as walls
from napari_colorkde.scene.annotations.rulers import NAME_POINTS, NUMBER_POINTS, text_size
from napari_colorkde.scene.figure import make_figure
from tests.scene.conftest import AXIS, RGB, blob

pytestmark = pytest.mark.window
AXES = (AXIS,) * 3


def reds(picture: np.ndarray) -> np.ndarray:
    rgb = picture[..., :3].astype(int)
    return (rgb[..., 0] > 110) & (rgb[..., 1:].max(axis=-1) < 75)


def blues(picture: np.ndarray) -> np.ndarray:
    rgb = picture[..., :3].astype(int)
    return (rgb[..., 2] > 110) & (rgb[..., :2].max(axis=-1) < 75)


def test_walls_show_the_cloud_from_three_sides(canvas: Any) -> None:
    values = blob(200, 40, 40)
    canvas.set_volume(values, AXES, RGB)
    plain = reds(canvas.render((300, 300))).sum()
    canvas.show_marginals(True)
    with_walls = reds(canvas.render((300, 300))).sum()
    assert with_walls > 1.5 * plain
    # They stay behind the cloud whichever way it is turned.
    for _ in range(3):
        canvas.rotate(90)
        assert reds(canvas.render((300, 300))).sum() > 1.2 * plain
    canvas.reset_camera()
    canvas.show_marginals(False)
    assert reds(canvas.render((300, 300))).sum() == pytest.approx(plain, abs=5)


def test_walls_follow_the_density(canvas: Any) -> None:
    canvas.show_marginals(True)
    canvas.set_volume(blob(220, 40, 40), AXES, RGB)
    canvas.set_volume(blob(40, 40, 220), AXES, RGB)
    picture = canvas.render((300, 300))
    assert blues(picture).sum() > 200


def test_walls_follow_the_sliders_without_being_summed_again(
    canvas: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas.set_volume((blob(220, 40, 40) + blob(40, 40, 220) / 9), AXES, RGB)
    canvas.show_marginals(True)
    plain = blues(canvas.render((300, 300))).sum()
    monkeypatch.setattr(walls, "Wall", None)
    canvas.set_exposure(8)
    assert blues(canvas.render((300, 300))).sum() > plain
    canvas.set_density_floor(0.3)
    floored = blues(canvas.render((300, 300))).sum()
    canvas.show_marginals(False)
    # What is left is an edge of the box.
    assert floored == pytest.approx(blues(canvas.render((300, 300))).sum(), abs=10)
    assert floored < plain - 100


def test_walls_have_no_place_in_fewer_channels(canvas: Any) -> None:
    canvas.show_marginals(True)
    canvas.set_volume(blob(220, 40), AXES[:2], RGB[:2])
    canvas.render((100, 100))
    assert not any(node.visible for node in canvas.walls.nodes)


def test_cut_takes_the_near_half_away(canvas: Any) -> None:
    both = (blob(128, 128, 40) + blob(220, 40, 40)) / 2
    canvas.set_volume(both.astype(np.float32), AXES, RGB)
    canvas.look_along(0)  # along red, from above or below: one half is nearer
    whole = canvas.render((300, 300)).astype(int)
    canvas.set_cut((1, 0, 0), through=(170, 0, 0))
    ahead = canvas.render((300, 300)).astype(int)
    canvas.rotate(0, -180)  # from the other side
    behind = canvas.render((300, 300)).astype(int)
    # Red is above the plane, the other below; one of them goes, from either side another one.
    edges = 400  # at most so many red pixels are those of the frame
    assert reds(whole).sum() > edges
    assert (reds(ahead).sum() > edges) != (reds(behind).sum() > edges)
    canvas.set_cut(None)
    canvas.look_along(0)
    assert np.abs(canvas.render((300, 300)) - whole).max() <= 2


def test_cut_shows_what_lies_in_it(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128, sigma=40), AXES, RGB)
    canvas.set_exposure(0.2)
    canvas.look_along(0)
    whole = canvas.render((300, 300)).astype(int)
    canvas.set_cut((1, 0, 0))
    assert np.abs(canvas.render((300, 300)) - whole).max() > 3


@pytest.mark.parametrize("perspective", [False, True])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_points_are_cut_as_the_cloud_is(canvas: Any, perspective: bool, channel: int) -> None:
    canvas.set_volume(blob(128, 128, 128), AXES, RGB)
    canvas.perspective = perspective
    colors = np.full((2, 3), 128)
    colors[:, channel] = (100, 160)
    canvas.set_counts([*colors, [0, 0, 0]], [5, 5, 1000])  # small dots, and one out of the way
    canvas.set_mode("points")
    canvas.rotate(20)
    background = canvas.render((200, 200))[100, 2, :3].astype(int)

    def is_shown(color: np.ndarray) -> bool:
        place = canvas.projection.on_screen(canvas.space.box.to_scene([color]))[0]
        column, row = np.round(place).astype(int)
        height, width = canvas.native.height(), canvas.native.width()
        patch = canvas.render((width, height))[row - 2 : row + 3, column - 2 : column + 3, :3]
        return bool(np.abs(patch.astype(int) - background).max() > 25)

    assert [is_shown(color) for color in colors] == [True, True]
    normal = np.eye(3)[channel]
    seen = []
    for place in (60, 130, 200):
        canvas.set_cut(normal, np.full(3, place))
        seen.append([is_shown(color) for color in colors])
    # What is nearer than the plane is taken away.
    assert sorted(map(sum, seen)) == [0, 1, 2]
    assert sum(seen[1]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(((0, 0, 0),), "normal must be three numbers"), (((1, 0, 0), (1, 2)), "through must be")],
)
def test_cuts_that_are_no_planes_are_refused(canvas: Any, arguments: Any, message: str) -> None:
    canvas.set_volume(blob(128, 128, 128), AXES, RGB)
    with pytest.raises(ValueError, match=message):
        canvas.set_cut(*arguments)


def test_edges_have_the_colors_that_can_be_displayed(canvas: Any) -> None:
    axes = (np.linspace(0, 255, 8),) * 3
    empty = np.zeros((8, 8, 8))
    canvas.set_volume(empty, axes, ("X", "Y", "Z"), color_of=lambda colors: colors / 255)
    picture = canvas.render((300, 300))
    assert min(reds(picture).sum(), blues(picture).sum()) > 20
    # Colors far away from what can be displayed: clipped, they would be pure ones.
    canvas.set_volume(empty, axes, ("X", "Y", "Z"), color_of=lambda colors: 3 * colors / 255 - 1)
    picture = canvas.render((300, 300))
    assert blues(picture).sum() == reds(picture).sum() == 0
    assert picture[..., :3].max() > 130  # gray edges are there


def test_outline_is_colored(canvas: Any) -> None:
    canvas.set_volume(np.zeros((8, 8, 8)), (np.linspace(0, 255, 8),) * 3, ("X", "Y", "Z"))
    plain = reds(canvas.render((300, 300))).sum()
    canvas.set_outline([[[250, 20, 20], [250, 120, 20]]])
    assert reds(canvas.render((300, 300))).sum() > plain + 10
    canvas.set_outline([])
    assert reds(canvas.render((300, 300))).sum() == pytest.approx(plain, abs=3)


def test_lines_that_are_no_lines_are_refused(canvas: Any) -> None:
    with pytest.raises(ValueError, match="lines must be arrays"):
        canvas.set_outline([[1, 2, 3]])


def test_legend_stands_in_the_corner(canvas: Any) -> None:
    canvas.set_volume(blob(128, 128, 128), AXES, RGB)
    assert canvas.render((300, 300))[8:22, 10:125, :3].std(axis=(0, 1)).max() == 0
    canvas.set_legend(True)
    corner = canvas.render((300, 300))[8:22, 10:125, :3]
    assert corner.max() > 200  # its opaque end
    # A small canvas has no room for it.
    assert canvas.render((150, 300))[8:22, 10:125, :3].std(axis=(0, 1)).max() == 0


def test_surroundings_survive_a_lost_context(canvas: Any) -> None:
    canvas.set_volume(blob(200, 40, 40), AXES, RGB)
    canvas.show_marginals(True)
    canvas.set_cut((0, 1, 0))
    before = canvas.render((200, 200)).astype(int)
    canvas.release()
    canvas.rebuild()
    assert np.abs(canvas.render((200, 200)) - before).mean() < 0.5


def test_numbers_of_the_axes_never_run_into_each_other(canvas: Any) -> None:
    axis = AXIS / 255 * 2 - 1  # negative numbers are long
    canvas.set_volume(blob(200, 40, 40), (axis, axis, axis), ("a", "b", "c"))
    canvas.rotate(0, 5)
    for _ in range(36):
        canvas.rotate(10)
        canvas.follow_camera()
        _, numbers, _ = canvas.frame.rulers.nodes
        places = np.atleast_2d(numbers.pos)[:, :2]
        sizes = np.array([text_size(text, NUMBER_POINTS) for text in numbers.text])
        room = (sizes[:, np.newaxis] + sizes) / 2 + (4, 0)  # a gap, as between words
        close = (np.abs(places[:, np.newaxis] - places) < room).all(axis=-1)
        assert close.sum() == len(places)  # each to itself
        assert len(places) >= 5


def test_texts_grow_and_the_cube_leaves_room_for_them(canvas: Any) -> None:
    canvas.set_volume(blob(200, 40, 40), AXES, RGB)
    canvas.follow_camera()
    _, numbers, names = canvas.frame.rulers.nodes
    sizes, farther = (numbers.font_size, names.font_size), canvas.camera.scale_factor
    places = np.asarray(numbers.pos)
    canvas.text_scale = 1.6
    canvas.follow_camera()
    _, numbers, names = canvas.frame.rulers.nodes
    np.testing.assert_allclose((numbers.font_size, names.font_size), np.multiply(sizes, 1.6))
    assert canvas.camera.scale_factor > farther
    assert not np.array_equal(numbers.pos, places)
    assert np.all(np.asarray(names.pos)[:, :2] > 0)
    # Pictures for paper do not depend on the screen's font.
    figure = make_figure(canvas, (9, 8), 100)
    assert max(text.points for text in figure.texts) == NAME_POINTS
    assert canvas.text_scale == 1.6


def test_ticks_of_two_axes_do_not_meet_in_a_corner(canvas: Any) -> None:
    canvas.set_volume(blob(200, 40, 40), AXES, RGB)
    for _ in range(12):
        canvas.rotate(30)
        canvas.follow_camera()
        ticks, numbers, _ = canvas.frame.rulers.nodes
        feet = np.asarray(ticks.pos).reshape(-1, 2, 2)[:, 0]
        texts = np.array(numbers.text)
        assert len(feet) == len(texts)
        near = np.linalg.norm(feet[:, np.newaxis] - feet, axis=-1) < 5
        assert (near & (texts[:, np.newaxis] == texts)).sum() == len(feet)  # each to itself
