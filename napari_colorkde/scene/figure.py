"""A view taken apart for a figure: the cloud as an image, the rest as lines and text.

So a file of vectors has sharp lines and texts that can be edited, and a picture has either.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.scene.annotations.density_legend import LegendDrawing
from napari_colorkde.scene.annotations.frame import EdgeLines
from napari_colorkde.scene.annotations.rulers import NAME_POINTS, NUMBER_POINTS
from napari_colorkde.scene.canvas import ColorSpaceCanvas
from napari_colorkde.scene.geometry.box import Floats
from napari_colorkde.scene.theme import Rgb, Theme, get_theme

# Logical pixels an inch: type of 7 points is as high on paper.
PIXELS_PER_INCH = 96.0
CM_PER_INCH = 2.54


@dataclass(frozen=True, eq=False)
class FigureText:
    """A line of text.

    Attributes
    ----------
    text : str
        What is written.
    middle : (2,) array
        Where its middle is, logical pixels.
    points : float
        Height of the type.
    color : tuple of float
        sRGB in 0..1.
    """

    text: str
    middle: Floats
    points: float
    color: Rgb


@dataclass(frozen=True, eq=False)
class Figure:
    """What a figure is painted from, back to front.

    Attributes
    ----------
    size : (float, float)
        Width and height in logical pixels, `PIXELS_PER_INCH` an inch.
    background : tuple of float or None
        sRGB in 0..1; None is transparent.
    behind : EdgeLines or None
        Edges behind the cloud.
    cloud : (height, width, 4) uint8 array
        With straight alpha, as fine as was asked for.
    before : EdgeLines or None
        Edges before it.
    ticks : (N, 2, 2) array
        Ends of ticks, logical pixels.
    tick_color : tuple of float
        sRGB in 0..1.
    legend : LegendDrawing or None
        Its bar; its lines of text are among the texts.
    texts : tuple of FigureText
        All that is written.
    """

    size: tuple[float, float]
    background: Rgb | None
    behind: EdgeLines | None
    cloud: NDArray[np.uint8]
    before: EdgeLines | None
    ticks: Floats
    tick_color: Rgb
    legend: LegendDrawing | None
    texts: tuple[FigureText, ...]


def pixels_of(size_cm: tuple[float, float], dpi: float) -> tuple[int, int]:
    """Return the width and height in pixels of a picture of so many centimeters.

    Raises
    ------
    ValueError
        If a number is not positive.
    """
    if not all(0 < number < np.inf for number in (*size_cm, dpi)):
        raise ValueError(f"size and dpi must be positive numbers, not {size_cm} cm and {dpi} dpi.")
    width, height = (max(round(side / CM_PER_INCH * dpi), 1) for side in size_cm)
    return width, height


def make_figure(
    canvas: ColorSpaceCanvas,
    size_cm: tuple[float, float],
    dpi: float,
    *,
    theme: str | Theme = "light",
    transparent: bool = False,
    axes: bool = True,
    legend: bool = True,
) -> Figure:
    """Take a view apart. What is on the canvas afterwards is what was there before.

    Parameters
    ----------
    canvas : ColorSpaceCanvas
        Whose view.
    size_cm : (float, float)
        Width and height in centimeters.
    dpi : float
        Dots of the cloud's picture per inch.
    theme : str or Theme
        Colors of background, lines and texts.
    transparent : bool
        Whether there is no background; lines and texts have the theme's colors all the same.
    axes, legend : bool
        Whether there are edges, ticks, numbers and names; a legend, where the view has one.
    """
    pixels, look = pixels_of(size_cm, dpi), get_theme(theme)
    width, height = (side / CM_PER_INCH * PIXELS_PER_INCH for side in size_cm)
    logical = (width, height)
    texts: list[FigureText] = []
    behind = before = drawn = None
    ticks = np.empty((0, 2, 2))
    with _styled(canvas, look):
        frame = canvas.frame
        with canvas.laid_out(logical):
            if axes and frame is not None:
                behind, before = frame.edges(canvas.projection.homogeneous)
                rulers = frame.rulers
                ticks = np.array(rulers.ticks, dtype=float).reshape(-1, 2, 2)
                texts += [FigureText(t, p, NUMBER_POINTS, look.muted) for t, p in rulers.numbers]
                texts += [FigureText(t, p, NAME_POINTS, look.text) for t, p in rulers.names]
            if legend and (drawn := canvas.legend.drawn) is not None:
                texts += [FigureText(t, p, NUMBER_POINTS, look.muted) for t, p in drawn.texts]
        with _bare(canvas):
            on_black, on_white = (
                canvas.render(pixels, logical=logical, background=shade)[..., :3].astype(float)
                for shade in ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
            )
    return Figure(
        size=logical,
        background=None if transparent else look.background,
        behind=behind,
        cloud=straight_alpha(on_black, on_white),
        before=before,
        ticks=ticks,
        tick_color=look.muted,
        legend=drawn,
        texts=tuple(texts),
    )


@contextmanager
def _styled(canvas: ColorSpaceCanvas, theme: Theme) -> Iterator[None]:
    """Have another theme, and texts of their usual size, while inside."""
    before, scale = canvas.theme, canvas.text_scale
    canvas.set_theme(theme)
    canvas.text_scale = 1.0
    try:
        yield
    finally:
        canvas.set_theme(before)
        canvas.text_scale = scale


@contextmanager
def _bare(canvas: ColorSpaceCanvas) -> Iterator[None]:
    """Draw neither frame nor legend while inside."""
    frame, legend = canvas.frame, canvas.legend_shown
    if frame is not None:
        canvas.remove(frame)
    canvas.set_legend(False)
    try:
        yield
    finally:
        if frame is not None:
            canvas.add(frame)
        canvas.set_legend(legend)


def straight_alpha(on_black: Floats, on_white: Floats) -> NDArray[np.uint8]:
    """Return colors and opacity of what was drawn before black, and before white.

    Before black a color c of opacity a is seen as a c, before white as a c + 255 (1 − a).

    Parameters
    ----------
    on_black, on_white : (..., 3) arrays
        0 to 255.
    """
    alpha = 1 - np.clip((on_white - on_black).mean(axis=-1, keepdims=True) / 255, 0, 1)
    color = np.divide(on_black, alpha, out=np.zeros_like(on_black), where=alpha > 0)
    rgba = np.concatenate([np.clip(color, 0, 255), 255 * alpha], axis=-1)
    return np.asarray(np.round(rgba), np.uint8)
