"""A ring around what has the keyboard's focus: napari's themes show none."""

from napari.utils.theme import get_theme

FOCUSABLE = ("QPushButton", "QToolButton", "QCheckBox", "QSlider")


def focus_ring(theme: str) -> str:
    """Return a style sheet for a widget and all in it.

    The ring is there all the time, unseen, so that nothing moves when it is seen.
    """
    color = get_theme(theme).text.as_hex()
    around = ", ".join(FOCUSABLE)
    focused = ", ".join(f"{kind}:focus" for kind in FOCUSABLE)
    return (
        f"{around} {{ border: 1px solid transparent; border-radius: 2px; }} "
        # As wide as without the ring.
        "QPushButton { padding: 3px; } QCheckBox { spacing: 3px; } "
        f"{focused} {{ border: 1px solid {color}; }}"
    )
