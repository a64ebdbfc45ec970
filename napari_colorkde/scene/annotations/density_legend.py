"""The legend: what the cloud's opacity, the shells or the colors of a difference mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vispy.scene import Node
from vispy.scene.visuals import Image
from vispy.visuals.transforms import STTransform

from napari_colorkde.scene.annotations.rulers import NUMBER_POINTS, text_size
from napari_colorkde.scene.density.transfer import CumulativeMass, TransferFunction
from napari_colorkde.scene.element import Element, ScreenSpace
from napari_colorkde.scene.theme import THEMES, Theme

# Pixels: the bar's corner, its size, and the distance of the lines of text below it.
_LEFT, _TOP = 26.0, 12.0
_WIDTH, _HEIGHT = 104.0, 7.0
_LINE = 11.0
_ORDER = 45
# The bar shows the opacity of a stretch as long as this fraction of an edge.
_STRETCH = 0.1
# Pixels that a canvas must have both ways to leave room for a legend.
_ROOM = 230.0
_CELLS = 128
# Characters of an image's name.
_MAX_NAME = 24


@dataclass(frozen=True, eq=False)
class Bar:
    """What a legend shows.

    Attributes
    ----------
    opacity : (N,) array
        Along the bar, 0..1.
    colors : (N, 3) array or None
        sRGB in 0..1; None: the color of texts.
    ticks : tuple of (float, str)
        Places along the bar, 0..1, and what is written there.
    title : str
        What is measured.
    """

    opacity: NDArray[np.float64]
    colors: NDArray[np.float64] | None
    ticks: tuple[tuple[float, str], ...]
    title: str


@dataclass(frozen=True, eq=False)
class LegendDrawing:
    """A legend on the screen.

    Attributes
    ----------
    rgba : (1, N, 4) float32 array
        The bar's cells.
    place : (float, float, float, float)
        The bar's left, top, width and height, pixels.
    texts : list of (str, (2,) array)
        Lines of text and their middles, pixels.
    """

    rgba: NDArray[np.float32]
    place: tuple[float, float, float, float]
    texts: list[tuple[str, NDArray[np.float64]]]


def density_bar(transfer: TransferFunction, curve: CumulativeMass, box_volume: float) -> Bar | None:
    """Return the legend of a density: opacities over a logarithmic axis; None if it is empty.

    Densities are told in multiples of the one the image would have if its pixels were spread
    evenly over the box, so the numbers mean the same in all units.
    """
    low, high = curve.level_holding(0.99) * box_volume, curve.peak * box_volume
    if not 0 < low < high:
        return None
    # Whole powers of ten around what is shown.
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    exponents = np.linspace(first, last, _CELLS)
    opacity = transfer.opacity(10.0**exponents / box_volume, _STRETCH)
    every = -(-(last - first) // 3)
    ticks = tuple(
        ((e - first) / (last - first), _power_text(e)) for e in range(first, last + 1, every)
    )
    return Bar(opacity, None, ticks, "density (1 = evenly spread)")


def shells_bar(fractions: Sequence[float], covers: Sequence[float]) -> Bar:
    """Return the legend of shells: what each hides, and the fraction of the pixels within it."""
    n = len(fractions)
    opacity = np.repeat(np.asarray(covers, dtype=float), _CELLS // n)
    texts = [f"{100 * fraction:.3g} %" for fraction in fractions]
    return Bar(opacity, None, tuple(((i + 0.5) / n, t) for i, t in enumerate(texts)), "of pixels")


def difference_bar(
    positive: Sequence[float], negative: Sequence[float], names: tuple[str, str]
) -> Bar:
    """Return the legend of a difference of densities: where the first or the second has more."""
    along = np.linspace(-1, 1, _CELLS)
    colors = np.where(along[:, np.newaxis] < 0, negative, positive)
    first, second = (_shortened(name) for name in names)
    # One under the other: names are longer than numbers.
    title = f"orange: more in {first}\nblue: more in {second}"
    return Bar(np.abs(along), colors, (), title)


def _shortened(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"


def _power_text(exponent: int) -> str:
    return f"{10.0**exponent:g}" if -3 <= exponent <= 4 else f"1e{exponent}"


class Legend(Element):
    """Draws a `Bar` in the upper left corner."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Bar | None = None
        self._theme = THEMES["dark"]
        self._has_room = True
        self._scale = 1.0

    def set_canvas(self, size: tuple[float, float]) -> None:
        """Step back from a canvas of this size, in pixels, if it is too small."""
        has_room = min(size) >= _ROOM
        if has_room != self._has_room:
            self._has_room = has_room
            self.refresh()

    def show(self, bar: Bar | None) -> None:
        """Show a bar; None: nothing."""
        self._bar = bar
        self.refresh()

    @property
    def drawn(self) -> LegendDrawing | None:
        """What is drawn now, None if nothing is."""
        bar = self._bar
        if bar is None or not self.is_needed:
            return None
        return LegendDrawing(
            _bar_rgba(bar, self._theme),
            (_LEFT, _TOP, self._scale * _WIDTH, _HEIGHT),
            _bar_texts(bar, self._scale),
        )

    @property
    def is_needed(self) -> bool:
        """Whether there is a bar, and room for it."""
        return self._bar is not None and self._has_room

    def make(self, scene: Node, overlay: ScreenSpace) -> None:
        """Make the bar and its texts."""
        image = Image(
            np.zeros((1, _CELLS, 4), np.float32), interpolation="nearest", parent=overlay.node
        )
        image.set_gl_state("translucent", depth_test=False, cull_face=False)
        self._scale = overlay.text_scale
        texts = overlay.text(NUMBER_POINTS)
        self.nodes = [image, texts]
        for node in self.nodes:
            node.order = _ORDER

    def set_theme(self, theme: Theme) -> None:
        """Recolor bar and texts."""
        self._theme = theme
        self.refresh()

    def fill(self) -> None:
        """Draw the bar and write its texts."""
        bar = self._bar
        if bar is None:
            return
        image, texts = self.nodes
        rgba = _bar_rgba(bar, self._theme)
        image.set_data(rgba)
        scale = (self._scale * _WIDTH / rgba.shape[1], _HEIGHT)
        image.transform = STTransform(scale=scale, translate=(_LEFT, _TOP))
        lines = _bar_texts(bar, self._scale)
        texts.text = [text for text, _ in lines]
        texts.pos = np.array([place for _, place in lines], dtype=np.float32)
        texts.color = (*self._theme.muted, 1.0)


def _bar_rgba(bar: Bar, theme: Theme) -> NDArray[np.float32]:
    rgba = np.empty((1, len(bar.opacity), 4), dtype=np.float32)
    rgba[0, :, :3] = theme.text if bar.colors is None else bar.colors
    rgba[0, :, 3] = bar.opacity
    return rgba


def _bar_texts(bar: Bar, scale: float) -> list[tuple[str, NDArray[np.float64]]]:
    """Return lines of text, `scale` times as large, and where their middles are, (2,) pixels."""
    width, line = scale * _WIDTH, scale * _LINE
    places = [(text, (_LEFT + t * width, _TOP + _HEIGHT + line)) for t, text in bar.ticks]
    below = 2.1 if bar.ticks else 1.0
    for row, title in enumerate(bar.title.split("\n")):
        # Lines that are longer than the bar begin where it does.
        middle = _LEFT + max(width, text_size(title, scale * NUMBER_POINTS)[0]) / 2
        places.append((title, (middle, _TOP + _HEIGHT + (below + 1.1 * row) * line)))
    return [(text, np.array(place)) for text, place in places]
