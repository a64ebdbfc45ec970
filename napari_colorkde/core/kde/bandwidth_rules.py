"""The rules by which a bandwidth is chosen, and the default: one entry each, read by all.

The window, the library and the command line take their names and titles from `BANDWIDTH_RULES`; a
new rule is written there. The engine is imported when a rule runs, so that help is quick.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from napari_colorkde.core.device import Device
    from napari_colorkde.core.kde.bandwidth_selection import BandwidthSelection
    from napari_colorkde.core.palette.palette import Palette

DEFAULT_FRACTION = 1 / 64
"""The default sigma as a fraction of the range: 4 levels of 256. It does not depend on the pixels,
so that images compare."""

FLOOR_FRACTION = 1 / 128
"""Rules of thumb stay above this fraction of the range, the spacing of the usual grid: a gray image
has no spread across the gray axis."""

Choose = Callable[["Palette", ArrayLike | None, "Device"], Iterator["BandwidthSelection"]]


@dataclass(frozen=True, slots=True)
class BandwidthRule:
    """A way to choose a bandwidth.

    Attributes
    ----------
    name
        As it is given to the library and typed on the command line.
    title
        As people read it.
    choose
        Takes a palette, candidates or None, and a device; yields the selection so far, after every
        candidate if there are some.
    tries_candidates
        Whether candidates may be given, and progress shows.
    n_tried
        About how many candidates are tried where none are given; for progress only.
    """

    name: str
    title: str
    choose: Choose
    tries_candidates: bool = False
    n_tried: int = 1


def bandwidth_rule(name: str, argument: str = "method") -> BandwidthRule:
    """Return the rule of this name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in BANDWIDTH_RULES:
        raise ValueError(
            f"{argument}={name!r} is not known; use one of {', '.join(BANDWIDTH_RULES)}."
        )
    return BANDWIDTH_RULES[name]


def default_sigmas(palette: "Palette") -> NDArray[np.float64]:
    """Sigma = 1/64 of the range of each channel, ``(C,)``."""
    from napari_colorkde.core.palette.ranges import channel_ranges

    return channel_ranges(palette) * DEFAULT_FRACTION


def _automatic(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    yield _chosen(default_sigmas(palette), "auto")


def _scott(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    """Scott, Multivariate Density Estimation (1992), eq. 6.42."""
    yield _chosen(_rule_of_thumb(palette), "scott")


def _silverman(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    """Silverman (1986), eq. 4.14."""
    factor = (4 / (palette.n_channels + 2)) ** (1 / (palette.n_channels + 4))
    yield _chosen(_rule_of_thumb(palette, factor), "silverman")


def _leave_one_color_out(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    from napari_colorkde.core.kde.bandwidth_search import search_by_likelihood

    return search_by_likelihood(palette, "loco", candidates, device)


def _leave_one_out(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    from napari_colorkde.core.kde.bandwidth_search import search_by_likelihood

    return search_by_likelihood(palette, "loo", candidates, device)


def _rule_of_thumb(palette: "Palette", factor: float = 1.0) -> NDArray[np.float64]:
    """``factor · n^(−1/(C + 4)) · std_c``, not below `FLOOR_FRACTION` of the range."""
    from napari_colorkde.core.palette.ranges import channel_ranges

    n, channels = palette.n_pixels, palette.n_channels
    colors, counts = palette.colors.astype(np.float64), palette.counts
    mean = counts @ colors / n
    std = np.sqrt(counts @ (colors - mean) ** 2 / n)
    sigmas: NDArray[np.float64] = np.maximum(
        factor * n ** (-1 / (channels + 4)) * std, FLOOR_FRACTION * channel_ranges(palette)
    )
    return sigmas


def _chosen(sigmas: NDArray[np.float64], method: str) -> "BandwidthSelection":
    from napari_colorkde.core.kde.bandwidth_selection import BandwidthSelection

    return BandwidthSelection(sigmas, sigmas[np.newaxis], np.empty(0), method)


BANDWIDTH_RULES = {
    rule.name: rule
    for rule in (
        BandwidthRule("auto", "automatic (1/64 of the range)", _automatic),
        BandwidthRule(
            "loco", "leave one color out", _leave_one_color_out, tries_candidates=True, n_tried=15
        ),
        BandwidthRule(
            "loo", "leave one pixel out", _leave_one_out, tries_candidates=True, n_tried=15
        ),
        BandwidthRule("scott", "Scott's rule", _scott),
        BandwidthRule("silverman", "Silverman's rule", _silverman),
    )
}
"""All rules by name, in the order in which they are offered."""
