"""Bandwidths of kernels: given, by rule, or by leave-one-out likelihood.

Bandwidths are standard deviations in image units. "Range" is that of the values a channel can take
(256 for 8-bit colors), see `channel_ranges`.
"""

import warnings
from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import Wanted, as_array, choice
from napari_colorkde.core.checks.covariance import checked_covariance, checked_sigmas
from napari_colorkde.core.checks.options import flag
from napari_colorkde.core.colorspaces import (
    COLOR_SPACES,
    SpaceName,
    color_space,
    palette_in_space,
    refusal_for,
)
from napari_colorkde.core.device import Device, DeviceLike, resolve_device
from napari_colorkde.core.kde.bandwidth_result import BandwidthSelection
from napari_colorkde.core.kde.bandwidth_rules import (
    BANDWIDTH_RULES,
    SHAPES,
    RuleName,
    Shape,
    bandwidth_rule,
    default_sigmas,
)
from napari_colorkde.core.kde.leave_one_out import LikelihoodMethod
from napari_colorkde.core.kde.selectors.bandwidth_search import search_by_likelihood
from napari_colorkde.core.kde.selectors.held_out_pixels import (
    Halves,
    halves_by_blocks,
    random_halves,
)
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.palette import Palette

Bandwidth = RuleName | str | ArrayLike | None
"""None, the name of a rule (see `bandwidth_rules`), one sigma, C sigmas, or a (C, C) covariance."""


BANDWIDTH = Wanted(
    f"a sigma, one for each channel, a covariance, or one of {', '.join(BANDWIDTH_RULES)}"
)


class BandwidthEdgeWarning(UserWarning):
    """The best bandwidth is the narrowest or the widest that was tried."""


def bandwidth_covariance(
    bandwidth: Bandwidth, palette: Palette, device: Device, halves: Halves | None = None
) -> NDArray[np.float64]:
    """The covariance ``(C, C)`` that a bandwidth argument means for this palette.

    Parameters
    ----------
    halves
        Of its pixels, for rules that need the image.

    Raises
    ------
    ValueError
        If it is an unknown name, not positive and finite, of the wrong shape, or no covariance.
    """
    n = palette.n_channels
    refuse_bandwidth(bandwidth)
    if bandwidth is None:
        return np.diag(default_sigmas(palette) ** 2)
    if isinstance(bandwidth, str):
        *_, selection = iterate_selection(palette, bandwidth, None, device, halves=halves)
        _warn(selection, stacklevel=4)
        return selection.covariance
    values = as_array(bandwidth, "bandwidth", BANDWIDTH)
    if values.dtype.kind not in "iuf":
        raise ValueError(f"bandwidth={bandwidth!r}: give {BANDWIDTH.text}.")
    values = values.astype(np.float64)
    if values.ndim <= 1:
        return np.diag(checked_sigmas(values, n) ** 2)
    return checked_covariance(values, n)


def refuse_bandwidth(bandwidth: Bandwidth) -> None:
    """Refuse what is no bandwidth for any image, before its colors are counted.

    Raises
    ------
    ValueError
        If it is an unknown name, or holds numbers that are not positive where they must be.
    """
    if bandwidth is None:
        return
    if isinstance(bandwidth, str):
        bandwidth_rule(bandwidth, "bandwidth")
        return
    values = as_array(bandwidth, "bandwidth", BANDWIDTH)
    if values.dtype.kind in "iuf" and values.ndim <= 1 and values.size:
        checked_sigmas(values.astype(np.float64), values.size)


def select_bandwidth(
    image: Palette | ArrayLike,
    method: RuleName | str = "loco",
    candidates: ArrayLike | None = None,
    *,
    shape: Shape = "isotropic",
    space: SpaceName | str = "rgb",
    exact: bool = False,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    device: DeviceLike = "auto",
    n_channels: int | None = None,
) -> BandwidthSelection:
    """Choose a bandwidth for the color KDE of an image.

    `ColorKDE` describes the image's dtypes, and the *range* of each.

    Parameters
    ----------
    image
        An image (see `Palette.from_image`) or a `Palette`.
    method
        "loco" leaves out each pixel's whole color: 1 to 2 levels on photographs. "loo" leaves out
        one pixel: because pixels repeat in 8-bit images, its best sigma is often below one level,
        and for gray ones there is none. "pixels" holds out every other pixel at random, "blocks"
        half of the blocks that the image is cut into: neighboring pixels are alike, so random
        pixels are mostly predicted by their neighbors. "isj" is the improved Sheather–Jones
        bandwidth of each channel's own density, "plug-in" the full covariance that R's ks calls
        Hpi. "scott" and "silverman" are the rules of thumb for a normal density,
        ``sigma_c = factor · std_c``, kept above 1/128 of the range. "auto" is 1/64 of the
        range, whatever the pixels.
    candidates
        ``(n,)`` sigmas, or ``(n, C)``, for "loco", "loo", "pixels" and "blocks". Default: 11 from
        1/1024 to 1/8 of the range, then 4 between the neighbors of the best; if scores are of
        random pixels, up to 8 found by a search in that range.
    shape
        Of the candidates: "isotropic", the same fraction of each channel's range; "channels", then
        each sigma is improved in turn (coordinate search); "covariance", a multiple of the pixels'
        own covariance.
    space
        Color space of the bandwidth, see `ColorKDE`.
    exact
        Score at every color. Otherwise, palettes of more than a million colors that lie on no small
        lattice, such as those of 12-bit photographs, are scored at 65 536 random pixels under the
        density of all pixels, and `standard_errors` gives the uncertainty. With more than three
        channels, this applies from 16 000 colors on, with fewer pixels.
    mask, channel_axis, n_channels
        See `Palette.from_image`; for an image.
    device
        See `resolve_device`.

    Returns
    -------
    BandwidthSelection
        The bandwidth and, for the likelihood methods, every candidate with its mean log-likelihood.

    Warns
    -----
    BandwidthEdgeWarning
        If the best of three or more candidates is the narrowest or the widest, or borders on those
        at which repeated colors predict themselves (`BandwidthSelection.degenerate`), which are
        never chosen.

    Raises
    ------
    ValueError
        If the method is unknown, a candidate is not positive, there is nothing to leave out, or a
        full covariance is requested for channels that are constant or linearly dependent.

    Notes
    -----
    Scott, Multivariate Density Estimation (1992), eq. 6.42, and Silverman (1986), eq. 4.14, with
    the number of pixels as n. One transform per candidate: 1 to 2 s on two cores for an 8-bit
    photograph of 18 megapixels.
    """
    method = bandwidth_rule(method).name
    space = choice(space, "space", COLOR_SPACES)
    place = resolve_device(device)
    exact = flag(exact, "exact")
    refuse = refusal_for(space)
    palette = palette_of(image, mask, channel_axis, n_channels=n_channels, refuse=refuse)
    held_out = halves_for(method, image, mask, channel_axis, n_channels)
    points, halves = in_space(palette, held_out, space)
    steps = iterate_selection(
        points, method, candidates, place, exact=exact, shape=shape, halves=halves
    )
    *_, selection = steps
    _warn(selection, stacklevel=3)
    return selection


def halves_for(
    bandwidth: object,
    image: Palette | ArrayLike,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    n_channels: int | None = None,
) -> Halves | None:
    """Return the halves of an image's pixels, for a rule that needs them; otherwise None."""
    if not isinstance(bandwidth, str) or isinstance(image, Palette):
        return None
    if not bandwidth_rule(bandwidth).needs_image:
        return None
    return halves_by_blocks(image, mask, channel_axis, n_channels=n_channels)


def in_space(palette: Palette, halves: Halves | None, space: str) -> tuple[Palette, Halves | None]:
    """Return a palette, and the halves of its pixels, with their colors in a color space."""
    if space == "rgb":
        return palette, halves
    known = color_space(space, palette)

    def convert(part: Palette) -> Palette:
        return palette_in_space(part, known)

    return convert(palette), None if halves is None else halves.converted(convert)


def iterate_selection(
    palette: Palette,
    method: str,
    candidates: ArrayLike | None,
    device: Device,
    *,
    exact: bool = False,
    shape: Shape = "isotropic",
    halves: Halves | None = None,
) -> Iterator[BandwidthSelection]:
    """Choose by a rule, yielding the selection so far after every candidate.

    For callers who show progress or stop early, and who show the `caveat` of the last one: nothing
    is warned of here. See `select_bandwidth`.

    Parameters
    ----------
    halves
        Of the palette's pixels, for rules that need the image, see `halves_by_blocks`.

    Raises
    ------
    ValueError
        See `select_bandwidth`; and for a shape given to a rule that tries no candidates.
    """
    rule = bandwidth_rule(method)
    method, shape = rule.name, choice(shape, "shape", SHAPES)
    if not rule.tries_candidates:
        if shape != "isotropic":
            raise ValueError(
                f"shape={shape!r} is for methods that try candidates, not for {method!r}; leave "
                "it out."
            )
        return rule.choose(palette, candidates, device)
    if not exact and shape == "isotropic" and halves is None:
        return rule.choose(palette, candidates, device)
    if halves is None and method == "pixels":
        halves = random_halves(palette)
    if halves is None and rule.needs_image:
        return rule.choose(palette, candidates, device)
    likelihood = cast(LikelihoodMethod, method)
    return search_by_likelihood(
        palette, likelihood, candidates, device, exact=exact, shape=shape, halves=halves
    )


def _warn(selection: BandwidthSelection, stacklevel: int) -> None:
    if sentence := selection.caveat:
        text = f"{sentence[:1].upper()}{sentence[1:]}"
        warnings.warn(text, BandwidthEdgeWarning, stacklevel=stacklevel)
