"""Ticks, numbers and names along edges of a box, laid out in the canvas's pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from vispy.scene.visuals import Line

from napari_colorkde.scene.element import Project, ScreenSpace
from napari_colorkde.scene.geometry.box import Floats, nice_ticks, outward, tick_texts
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
    """Draws rulers; numbers stand outside of the box, whatever its turn."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []

    def build(self, overlay: ScreenSpace, theme: Theme) -> None:
        """Make the nodes."""
        ticks = Line(
            np.zeros((2, 2), np.float32), connect="segments", method="gl", parent=overlay.node
        )
        numbers, names = overlay.text(NUMBER_POINTS), overlay.text(NAME_POINTS)
        self._nodes = [ticks, numbers, names]
        for node in self._nodes:
            node.order = 40
            node.visible = False
        self.set_theme(theme)

    def release(self) -> None:
        """Drop the nodes; `build` makes them again."""
        for node in self._nodes:
            node.parent = None
        self._nodes = []

    def set_theme(self, theme: Theme) -> None:
        """Recolor ticks and texts."""
        if self._nodes:
            ticks, numbers, names = self._nodes
            ticks.set_data(color=(*theme.muted, 1.0))
            numbers.color = (*theme.muted, 1.0)
            names.color = (*theme.text, 1.0)

    def update(self, rulers: Iterable[Ruler], center: Floats, project: Project) -> None:
        """Lay out `rulers` around the point `center` of the screen, (2,) pixels."""
        if not self._nodes:
            return
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
                size = text_size(text, NUMBER_POINTS)
                half = np.abs(normal) @ size / 2
                middle = place + (_NUMBER + half) * normal
                # Two ticks in the corner where two axes begin look like a digit.
                if any(_collide(middle - there, size, other) for other, there in numbers) or any(
                    text == other and np.hypot(*(place - foot)) < _TICK
                    for (other, _), foot in zip(numbers, segments[::2], strict=True)
                ):
                    continue
                numbers.append((text, middle))
                segments += [place, place + _TICK * normal]
                reach = max(reach, _NUMBER + 2 * float(half))
            half = np.abs(normal) @ text_size(ruler.name, NAME_POINTS) / 2
            names.append((ruler.name, (first + last) / 2 + (reach + _NAME + half) * normal))
        ticks_node, numbers_node, names_node = self._nodes
        ticks_node.visible = bool(segments)
        if segments:
            ticks_node.set_data(pos=np.array(segments, dtype=np.float32))
        _write(numbers_node, numbers)
        _write(names_node, names)


def _collide(offset: Floats, size: Floats, other: str) -> bool:
    """Say whether a number of this size, so far from another one, would run into it."""
    room = (size + text_size(other, NUMBER_POINTS)) / 2 + _GAPS
    return bool(np.hypot(*offset) < _APART or np.all(np.abs(offset) < room))


def on_screen(project: Project, points: Floats) -> Floats:
    """Return the pixels (N, 2) of scene points (N, 3)."""
    clip = project(points)
    w = np.where(np.abs(clip[:, 3:]) < 1e-9, 1e-9, clip[:, 3:])
    return np.asarray(clip[:, :2] / w)


def _write(node: Any, items: list[tuple[str, Floats]]) -> None:
    node.visible = bool(items)
    if items:
        texts = [text for text, _ in items]
        if node.text != texts:  # laying out glyphs is the slow part
            node.text = texts
        node.pos = np.array([place for _, place in items], dtype=np.float32)
