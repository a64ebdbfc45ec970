"""The ways in which an image's channels can be read as colors: the choices offered."""

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from napari_colorkde.app.image.channels import Channels
from napari_colorkde.core.checks.channels import MAX_COLOR_CHANNELS, MAX_GRID_CHANNELS
from napari_colorkde.core.image import SliceableArray

if TYPE_CHECKING:
    from napari.layers import Image

RGB_NAMES = ("red", "green", "blue")
CHANNEL_LABELS = {"c", "ch", "channel", "channels", "color", "colour", "rgb"}
MANY_CHANNELS = 6
"""Above this many channels only neighboring ones are offered together."""


def layer_choices(
    layer: "Image", finest: SliceableArray, arrays: Mapping[str, SliceableArray]
) -> tuple[Channels, ...]:
    """The ways a layer's channels can be understood, the natural one first.

    Parameters
    ----------
    layer, finest
        An image layer and its array, the finest level.
    arrays
        Its own, then those of other layers that may serve as further channels, by name.
    """
    if layer.rgb:
        return rgb_choices(len(finest.shape) - 1)
    own, *siblings = arrays
    gray = [Channels((own,))]
    # The layer itself is the first channel; four others are enough to choose from.
    for n in range(1, MAX_GRID_CHANNELS):
        gray += [Channels((own, *more), layers=more) for more in combinations(siblings[:4], n)]
    if MAX_GRID_CHANNELS <= len(siblings) < MAX_COLOR_CHANNELS:
        gray.append(Channels((own, *siblings), layers=tuple(siblings)))
    along: list[Channels] = []
    natural = False
    for axis, label in enumerate(layer.axis_labels[: max(len(finest.shape) - 2, 0)]):
        n = int(finest.shape[axis])
        named = label.strip().lower() in CHANNEL_LABELS
        # Three planes stacked first are far more often channels than slices.
        guessed = axis == 0 and len(finest.shape) == 3 and n in (2, 3)
        if n >= 2 and (named or n <= 16):
            # More than three together are never the first choice: their density takes longest.
            options = axis_choices(axis, n, f"axis {axis}:" if not named else label)
            along = [*options, *along] if named or guessed else [*along, *options]
            natural = natural or named or guessed
    return tuple([*along, *gray] if natural else [*gray, *along])


def rgb_choices(axis: int) -> tuple[Channels, ...]:
    """Red, green and blue along an axis: all, two of them, or one."""
    return tuple(
        Channels(tuple(RGB_NAMES[e] for e in indices), axis, indices)
        for n in (3, 2, 1)
        for indices in combinations(range(3), n)
    )


def axis_choices(axis: int, n: int, label: str) -> tuple[Channels, ...]:
    """Up to three of `n` channels along an axis, of many only neighbors together; and all of them.

    All of more than three come after the first choice.
    """
    if n <= MANY_CHANNELS:
        several = [
            indices
            for size in range(min(MAX_GRID_CHANNELS, n), 0, -1)
            for indices in combinations(range(n), size)
        ]
    else:
        several = [(first, first + 1, first + 2) for first in range(n - 2)]
        several += [(entry,) for entry in range(n)]
    if MAX_GRID_CHANNELS < n <= MAX_COLOR_CHANNELS:
        several.insert(1, tuple(range(n)))
    return tuple(Channels(tuple(f"{label} {e}" for e in s), axis, s) for s in several)
