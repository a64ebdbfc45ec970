"""A ring around the widget with the keyboard focus: napari's themes show none."""

from napari.settings import get_settings
from napari.utils.theme import get_theme

FOCUSABLE = ("QPushButton", "QToolButton", "QCheckBox", "QSlider")


SMALL = ("QToolButton", "QLineEdit", "QTableView", "QHeaderView::section", "QMenu")
"""What napari's style sheet leaves at the system's font size."""


USUAL_FONT_SIZE = 10
"""For which drawn texts have sizes of their own; no smaller font makes them smaller."""


def text_scale() -> float:
    """Return how much larger than usual napari's font is."""
    return float(max(1.0, get_settings().appearance.font_size / USUAL_FONT_SIZE))


def focus_ring(theme: str, font_size: int | None = None) -> str:
    """Return a style sheet for a widget and all in it.

    The ring is there all the time, unseen, so that nothing moves when it is seen.

    Parameters
    ----------
    theme
        Of napari.
    font_size
        Of all texts, in points; by default napari's.
    """
    size = get_settings().appearance.font_size if font_size is None else font_size
    color = get_theme(theme).text.as_hex()
    around = ", ".join(FOCUSABLE)
    focused = ", ".join(f"{kind}:focus" for kind in FOCUSABLE)
    return (
        f"{', '.join(SMALL)} {{ font-size: {size}pt; }} "
        f"{around} {{ border: 1px solid transparent; border-radius: 2px; }} "
        # napari's themes do not tell a checked button.
        "QToolButton:checked { background: palette(highlight); } "
        # As wide as without the ring.
        "QPushButton { padding: 3px; } QCheckBox { spacing: 3px; } "
        f"{focused} {{ border: 1px solid {color}; }}"
    )
