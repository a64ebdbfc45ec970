"""Ticks, numbers and names along edges of a box, laid out in the canvas's pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Line

from napari_colorkde.scene.element import ScreenSpace
from napari_colorkde.scene.geometry.box import Floats, outward
from napari_colorkde.scene.geometry.projection import Project, on_screen
from napari_colorkde.scene.geometry.ticks import nice_ticks, tick_texts
from napari_colorkde.scene.theme import Theme

# Pixels from an edge to the outer end of its ticks, to its numbers, from these to its name.
_TICK, _NUMBER, _NAME = 5.0, 8.0, 6.0
# Rulers meet in corners: of numbers nearer than this one is left out, and of those that have less
# than this gap between them sideways, or up and down.
_APART, _GAPS = 14.0, np.array([5.0, 1.0])
NUMBER_POINTS, NAME_POINTS = 7.0, 10.0
# Width of an average character over the height of the type.
_CHARACTER = 0.56
_PIXELS_PER_POINT = 4 / 3


@dataclass(frozen=True, eq=False)
class Ruler:
    """One edge to be measured.

    Attributes
    ----------
    start, end : (3,) array
        In the scene.
    low, high : float
        The values at both ends.
    name : str
        What is measured.
    """

    start: Floats
    end: Floats
    low: float
    high: float
    name: str


def text_size(text: str, points: float) -> Floats:
    """Return the estimated width and height of a line of text in pixels."""
    height = points * _PIXELS_PER_POINT
    return np.array([len(text) * _CHARACTER * height, height])


class Rulers:
    """Draws rulers; numbers stand outside of the box, whatever its turn.

    Attributes
    ----------
    ticks, numbers, names : list
        What was laid out last: ends of ticks (2,), two by two; texts and their middles (2,).
    scale : float
        Of all texts.
    nodes : list of Node
        Of the ticks, the numbers and the names; empty while there is no context.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.scale = 1.0
        self.ticks: list[Floats] = []
        self.numbers: list[tuple[str, Floats]] = []
        self.names: list[tuple[str, Floats]] = []

    def build(self, overlay: ScreenSpace, theme: Theme) -> None:
        """Make the nodes."""
        self.scale = overlay.text_scale
        ticks = Line(
            np.zeros((2, 2), np.float32), connect="segments", method="gl", parent=overlay.node
        )
        numbers, names = overlay.text(NUMBER_POINTS), overlay.text(NAME_POINTS)
        self.nodes = [ticks, numbers, names]
        for node in self.nodes:
            node.order = 40
            node.visible = False
        self.set_theme(theme)

    def release(self) -> None:
        """Drop the nodes; `build` makes them again."""
        for node in self.nodes:
            node.parent = None
        self.nodes = []

    def set_theme(self, theme: Theme) -> None:
        """Recolor ticks and texts."""
        if self.nodes:
            ticks, numbers, names = self.nodes
            ticks.set_data(color=(*theme.muted, 1.0))
            numbers.color = (*theme.muted, 1.0)
            names.color = (*theme.text, 1.0)

    def update(self, rulers: Iterable[Ruler], center: Floats, project: Project) -> None:
        """Lay out `rulers` around the point `center` of the screen, (2,) pixels."""
        if not self.nodes:
            return
        number_points = self.scale * NUMBER_POINTS
        segments: list[Floats] = []
        numbers: list[tuple[str, Floats]] = []
        names: list[tuple[str, Floats]] = []
        for ruler in rulers:
            first, last = on_screen(project, np.array([ruler.start, ruler.end]))
            normal = outward(first, last, center)
            at_most = int(np.clip(np.hypot(*(last - first)) / 32, 2, 6))
            values = nice_ticks(ruler.low, ruler.high, at_most)
            t = ((values - ruler.low) / (ruler.high - ruler.low))[:, np.newaxis]
            places = on_screen(project, ruler.start + t * (ruler.end - ruler.start))
            reach = _TICK
            for place, text in zip(places, tick_texts(values), strict=True):
                size = text_size(text, number_points)
                half = np.abs(normal) @ size / 2
                middle = place + (_NUMBER + half) * normal
                # Two ticks in the corner where two axes begin look like a digit.
                if any(
                    _collide(middle - there, size, text_size(other, number_points))
                    for other, there in numbers
                ) or any(
                    text == other and np.hypot(*(place - foot)) < _TICK
                    for (other, _), foot in zip(numbers, segments[::2], strict=True)
                ):
                    continue
                numbers.append((text, middle))
                segments += [place, place + _TICK * normal]
                reach = max(reach, _NUMBER + 2 * float(half))
            half = np.abs(normal) @ text_size(ruler.name, self.scale * NAME_POINTS) / 2
            names.append((ruler.name, (first + last) / 2 + (reach + _NAME + half) * normal))
        self.ticks, self.numbers, self.names = segments, numbers, names
        ticks_node, numbers_node, names_node = self.nodes
        ticks_node.visible = bool(segments)
        if segments:
            ticks_node.set_data(pos=np.array(segments, dtype=np.float32))
        _write(numbers_node, numbers)
        _write(names_node, names)


def _collide(offset: Floats, size: Floats, other: Floats) -> bool:
    """Say whether a number of this size, so far from one of another size, would run into it."""
    room = (size + other) / 2 + _GAPS
    return bool(np.hypot(*offset) < _APART or np.all(np.abs(offset) < room))


def _write(node: Node, items: list[tuple[str, Floats]]) -> None:
    node.visible = bool(items)
    if items:
        texts = [text for text, _ in items]
        if node.text != texts:  # laying out glyphs is the slow part
            node.text = texts
        node.pos = np.array([place for _, place in items], dtype=np.float32)
