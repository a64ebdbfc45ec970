"""How wide the kernels are: given, by rule, or by leave-one-out likelihood.

Bandwidths are standard deviations in image units. "Range" is that of the values a channel can take
(256 for 8-bit colors), see `channel_ranges`.
"""

import warnings
from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.device import Device, resolve_device
from napari_colorkde.core.kde.bandwidth_rules import (
    BANDWIDTH_RULES,
    bandwidth_rule,
    default_sigmas,
)
from napari_colorkde.core.kde.bandwidth_search import search_by_likelihood
from napari_colorkde.core.kde.bandwidth_selection import BandwidthSelection
from napari_colorkde.core.kde.covariance import checked_covariance, checked_sigmas
from napari_colorkde.core.kde.leave_one_out import (
    LikelihoodMethod,
)
from napari_colorkde.core.palette.palette import Palette

Bandwidth = str | ArrayLike | None
"""None, the name of a rule (see `bandwidth_rules`), one sigma, C sigmas, or a (C, C) covariance."""


class BandwidthEdgeWarning(UserWarning):
    """The best bandwidth is the narrowest or the widest that was tried."""


def bandwidth_covariance(
    bandwidth: Bandwidth, palette: Palette, device: Device
) -> NDArray[np.float64]:
    """The covariance ``(C, C)`` that a bandwidth argument means for this palette.

    Raises
    ------
    ValueError
        If it is an unknown name, not positive and finite, of the wrong shape, or no covariance.
    """
    n = palette.n_channels
    if bandwidth is None:
        return np.diag(default_sigmas(palette) ** 2)
    if isinstance(bandwidth, str):
        *_, selection = iterate_selection(palette, bandwidth, None, device)
        _warn(selection, stacklevel=4)
        return np.diag(selection.bandwidth**2)
    values = np.asarray(bandwidth)
    if values.dtype.kind not in "iuf":
        raise ValueError(
            f"bandwidth={bandwidth!r}: give a number, {n} numbers, a covariance, or one of "
            f"{', '.join(BANDWIDTH_RULES)}."
        )
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
        bandwidth_rule(bandwidth)
        return
    values = np.asarray(bandwidth)
    if values.dtype.kind in "iuf" and values.ndim <= 1 and values.size:
        checked_sigmas(values.astype(np.float64), values.size)


def select_bandwidth(
    image: Palette | ArrayLike,
    method: str = "loco",
    candidates: ArrayLike | None = None,
    *,
    exact: bool = False,
    device: "str | Device" = "auto",
) -> BandwidthSelection:
    """Choose a bandwidth for the color KDE of an image.

    Parameters
    ----------
    image
        An image (see `Palette.from_image`) or a `Palette`.
    method
        "loco" leaves out each pixel's whole color: 1 to 2 levels on photographs. "loo" leaves out
        one pixel: as pixels repeat on 8-bit images its best sigma is often below a level, and on
        gray ones it has none. "scott" and "silverman" are the rules of thumb for a normal
        density, ``sigma_c = factor · std_c``, kept above 1/128 of the range. "auto" is 1/64 of the
        range, whatever the pixels.
    candidates
        ``(n,)`` sigmas, or ``(n, C)``, for "loco" and "loo". Default: 11 from 1/1024 to 1/8 of
        the range, then 4 between the best one's neighbors; up to 8 of a search in that range where
        scores are of random pixels.
    exact
        Score at every color. Otherwise palettes of more than a million colors that lie on no small
        lattice, such as those of 12-bit photographs, are scored at 65 536 random pixels under the
        density of all, and `standard_errors` says how far off that may be.
    device
        See `resolve_device`.

    Returns
    -------
    BandwidthSelection
        The bandwidth and, for the likelihood methods, every candidate with its mean log-likelihood.

    Warns
    -----
    BandwidthEdgeWarning
        If the best of three or more candidates is the narrowest or the widest.

    Raises
    ------
    ValueError
        If the method is unknown, a candidate is not positive, or there is nothing to leave out.

    Notes
    -----
    Scott, Multivariate Density Estimation (1992), eq. 6.42, and Silverman (1986), eq. 4.14, with
    the number of pixels as n. One transform per candidate: 1 to 2 s on two cores for an 8-bit
    photograph of 18 megapixels.
    """
    palette = image if isinstance(image, Palette) else Palette.from_image(image)
    place = resolve_device(device)
    *_, selection = iterate_selection(palette, method, candidates, place, exact=exact)
    _warn(selection, stacklevel=3)
    return selection


def iterate_selection(
    palette: Palette,
    method: str,
    candidates: ArrayLike | None,
    device: Device,
    *,
    exact: bool = False,
) -> Iterator[BandwidthSelection]:
    """Choose by a rule, yielding the selection so far after every candidate.

    For callers who show progress or stop early, and who show the `caveat` of the last one: nothing
    is warned of here. See `select_bandwidth`.
    """
    rule = bandwidth_rule(method)
    if exact and rule.tries_candidates:
        likelihood = cast(LikelihoodMethod, method)
        return search_by_likelihood(palette, likelihood, candidates, device, exact=True)
    return rule.choose(palette, candidates, device)


def _warn(selection: BandwidthSelection, stacklevel: int) -> None:
    if sentence := selection.caveat:
        text = f"{sentence[:1].upper()}{sentence[1:]}"
        warnings.warn(text, BandwidthEdgeWarning, stacklevel=stacklevel)
