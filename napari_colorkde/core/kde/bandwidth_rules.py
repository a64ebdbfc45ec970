"""The rules that choose a bandwidth, and the default: one table entry each.

The window, the library and the command line take their names and titles from `BANDWIDTH_RULES`; a
new rule is written there. The engine is imported when a rule runs, so that help is quick.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice

if TYPE_CHECKING:
    from napari_colorkde.core.device import Device
    from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection
    from napari_colorkde.core.palette.palette import Palette

DEFAULT_FRACTION = 1 / 64
"""The default sigma as a fraction of the range: 4 levels of 256. It does not depend on the pixels,
so that images compare."""

FLOOR_FRACTION = 1 / 128
"""Rules of thumb stay above this fraction of the range, the spacing of the usual grid: a gray image
has no spread across the gray axis."""

Shape = Literal["isotropic", "channels", "covariance"]
"""What a search varies: the same fraction of every channel's range, one sigma for each channel, or
the size of the pixels' own covariance."""

RuleName = Literal[
    "auto", "loco", "loo", "pixels", "blocks", "isj", "plug-in", "scott", "silverman"
]
"""The rules that come with the program; `BANDWIDTH_RULES` may have more."""

SHAPES: tuple[Shape, ...] = get_args(Shape)

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
    needs_image
        Whether it looks at where pixels are, which a palette does not say.
    is_full
        Whether it gives a covariance that is not along the channels.
    """

    name: str
    title: str
    choose: Choose
    tries_candidates: bool = False
    n_tried: int = 1
    needs_image: bool = False
    is_full: bool = False


def bandwidth_rule(name: str, argument: str = "method") -> BandwidthRule:
    """Return the rule of this name.

    Raises
    ------
    ValueError
        If there is none.
    """
    return BANDWIDTH_RULES[choice(name, argument, BANDWIDTH_RULES)]


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
    from napari_colorkde.core.kde.selectors.bandwidth_search import search_by_likelihood

    return search_by_likelihood(palette, "loco", candidates, device)


def _leave_one_out(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    from napari_colorkde.core.kde.selectors.bandwidth_search import search_by_likelihood

    return search_by_likelihood(palette, "loo", candidates, device)


def _held_out_pixels(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    from napari_colorkde.core.kde.selectors.bandwidth_search import search_by_likelihood
    from napari_colorkde.core.kde.selectors.held_out_pixels import random_halves

    halves = random_halves(palette)
    return search_by_likelihood(palette, "pixels", candidates, device, halves=halves)


def _held_out_blocks(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    raise ValueError(
        'method="blocks" needs the image, because a palette does not record where its colors are; '
        'give the image, or use "pixels".'
    )


def _improved_sheather_jones(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    """Botev, Grotowski and Kroese (2010)."""
    from napari_colorkde.core.kde.selectors.sheather_jones import isj_sigmas
    from napari_colorkde.core.palette.ranges import channel_ranges

    yield _chosen(isj_sigmas(palette, FLOOR_FRACTION * channel_ranges(palette)), "isj")


def _plug_in(
    palette: "Palette", candidates: ArrayLike | None, device: "Device"
) -> Iterator["BandwidthSelection"]:
    """Chacón and Duong (2010), from random pixels."""
    from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection
    from napari_colorkde.core.kde.selectors.plug_in import plug_in_of_palette

    covariance = plug_in_of_palette(palette)
    sigmas = np.sqrt(np.diag(covariance))
    yield BandwidthSelection(
        sigmas, sigmas[np.newaxis], np.empty(0), "plug-in", full_covariance=covariance
    )


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
    from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection

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
        BandwidthRule(
            "pixels", "held-out random pixels", _held_out_pixels, tries_candidates=True, n_tried=15
        ),
        BandwidthRule(
            "blocks",
            "held-out blocks of pixels",
            _held_out_blocks,
            tries_candidates=True,
            n_tried=15,
            needs_image=True,
        ),
        BandwidthRule("isj", "improved Sheather–Jones, each channel", _improved_sheather_jones),
        BandwidthRule("plug-in", "plug-in, a full covariance", _plug_in, is_full=True),
        BandwidthRule("scott", "Scott's rule", _scott),
        BandwidthRule("silverman", "Silverman's rule", _silverman),
    )
}
"""All rules by name, in the order in which they are offered."""
