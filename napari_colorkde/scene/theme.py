"""Colors of everything in the view that is not a color of the image."""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Theme:
    """Background and foreground colors, each a triple in 0..1.

    Attributes
    ----------
    background : tuple of float
        Behind everything.
    text : tuple of float
        Channel names.
    muted : tuple of float
        Ticks, numbers, and edges of boxes whose places have no color of their own.
    """

    background: Rgb
    text: Rgb
    muted: Rgb


# Before middle gray every color is seen, black and white among them; it is darker than the middle,
# so that middle grays are, too.
# The dark background is that of napari's docks. The light one is darker than theirs: before white,
# white and light colors could not be seen.
THEMES = {
    "gray": Theme((0.42, 0.42, 0.42), (0.98, 0.98, 0.98), (0.87, 0.87, 0.87)),
    "dark": Theme((0.149, 0.161, 0.188), (0.94, 0.945, 0.95), (0.60, 0.62, 0.66)),
    # For paper.
    "white": Theme((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.3, 0.3, 0.3)),
    "light": Theme((0.765, 0.753, 0.747), (0.10, 0.10, 0.11), (0.27, 0.26, 0.26)),
}


def get_theme(theme: str | Theme) -> Theme:
    """Return the theme of this name; themes pass through."""
    if isinstance(theme, Theme):
        return theme
    try:
        return THEMES[theme]
    except (KeyError, TypeError):
        raise ValueError(
            f"theme must be one of {', '.join(THEMES)} or a Theme, not {theme!r}."
        ) from None
