"""Comparing two images' colors: Kullback–Leibler and Jensen–Shannon divergences."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import choice
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.colorspaces import (
    COLOR_SPACES,
    SpaceName,
    color_space,
    palette_in_space,
    refusal_for,
)
from napari_colorkde.core.device import Device, DeviceLike, resolve_device
from napari_colorkde.core.kde.bandwidth import Bandwidth, bandwidth_covariance
from napari_colorkde.core.kde.density_pairs import grid_of_both, log_densities
from napari_colorkde.core.kde.statistics import draw_colors
from napari_colorkde.core.palette.count_image import palette_of
from napari_colorkde.core.palette.merge import refuse_unlike
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.vectors.comparison import Estimate
from napari_colorkde.core.vectors.vector_sums import VectorSums

N_DRAWN, SEED = 4000, 0
"""Colors that are drawn from each density of more than three channels, and the seed."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Divergences between the color densities of images a and b, in nats.

    Attributes
    ----------
    kl_ab, kl_ba
        ``∫ f_a log(f_a / f_b)`` and the reverse: not symmetric.
    js
        Jensen–Shannon divergence, symmetric, between 0 and ln 2.
    standard_errors
        Of the three, where they are means over colors that are drawn; None of integrals.
    """

    kl_ab: float
    kl_ba: float
    js: float
    standard_errors: tuple[float, float, float] | None = None


def compare(
    image_a: Palette | ArrayLike,
    image_b: Palette | ArrayLike,
    bandwidth: Bandwidth = None,
    *,
    space: SpaceName | str = "rgb",
    mask_a: ArrayLike | None = None,
    mask_b: ArrayLike | None = None,
    channel_axis: int | None = -1,
    device: DeviceLike = "auto",
    n_channels: int | None = None,
) -> Comparison:
    """Compare the colors of two images by the divergence of their KDEs.

    Parameters
    ----------
    image_a, image_b
        Images with the same channels and dtype (see `Palette.from_image`), or palettes. They may
        differ in size.
    bandwidth
        See `ColorKDE`; both densities use it. None and the named methods choose it from both images
        together.
    space
        Color space of the densities and the bandwidth, see `ColorKDE`.
    mask_a, mask_b, channel_axis, n_channels
        See `Palette.from_image`; for images.
    device
        See `resolve_device`.

    Returns
    -------
    Comparison
        Integrals of the densities, not of samples: to 1e-4 nats + 1e-4 of the value; 3e-3 of the
        value in three dimensions, where both have only a few colors spread over the whole range.
        For more than three channels, means over 4000 colors drawn from each density, with their
        standard errors.

    Raises
    ------
    ValueError
        If the images differ in kind, or the bandwidth is so narrow compared with the colors' range
        that the grid would exceed 268 million points.

    Notes
    -----
    The images' dtypes and the *range* of each are those of `ColorKDE`. The time is that of counting
    both images and then depends on the grid more than on the number of colors: seconds on two cores
    at the default bandwidth, for photographs of any size; longer, the narrower it is.

    Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991).
    """
    space = choice(space, "space", COLOR_SPACES)
    place = resolve_device(device)
    refuse = refusal_for(space)
    palettes = []
    for name, image, mask in (("image_a", image_a, mask_a), ("image_b", image_b, mask_b)):
        try:
            palettes.append(
                palette_of(
                    image, mask, channel_axis, n_channels=n_channels, refuse=refuse, name=name
                )
            )
        except (TypeError, ValueError) as error:
            if name in str(error):
                raise
            raise type(error)(f"{name}: {error}") from None
    a, b = palettes
    refuse_unlike(a, b, "image_a", "image_b")
    a, b, both = in_one_space([a, b, a.merge(b)], space)
    return compare_palettes(a, b, bandwidth_covariance(bandwidth, both, place), place)


def in_one_space(palettes: list[Palette], space: str) -> list[Palette]:
    """Return palettes in a color space: one that depends on an image is that of the last."""
    if space == "rgb":
        return palettes
    known = color_space(space, palettes[-1])
    return [palette_in_space(palette, known) for palette in palettes]


def compare_palettes(
    a: Palette, b: Palette, covariance: NDArray[np.float64], place: Device
) -> Comparison:
    """Compare two palettes by the divergence of their KDEs of this bandwidth."""
    if a.n_channels > MAX_GRID_CHANNELS:
        return _by_drawing(a, b, covariance, place)
    axes = grid_of_both([a, b], covariance)
    cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
    totals = np.zeros(4)
    for log_a, log_b in log_densities(a, b, covariance, axes, place):
        totals += (
            _divergence(log_a, log_b),
            _divergence(log_b, log_a),
            _to_middle(log_a, log_b),
            _to_middle(log_b, log_a),
        )
    kl_ab, kl_ba, a_to_middle, b_to_middle = totals * cell
    # None is negative, but rounding may make it so.
    divergences = np.maximum((kl_ab, kl_ba, 0.5 * (a_to_middle + b_to_middle)), 0.0)
    return Comparison(*divergences.tolist())


def _by_drawing(
    a: Palette, b: Palette, covariance: NDArray[np.float64], place: Device
) -> Comparison:
    """Compare densities of many channels by means over colors drawn from them."""
    random = np.random.default_rng(SEED)
    sums = [VectorSums(p.colors, p.counts, covariance, place) for p in (a, b)]
    drawn = [draw_colors(p, covariance, N_DRAWN, random) for p in (a, b)]
    (a_at_a, a_at_b), (b_at_a, b_at_b) = (
        [s.log_at(colors) - np.log(p.total_weight) for colors in drawn]
        for s, p in zip(sums, (a, b), strict=True)
    )
    ab, ba = Estimate.of(a_at_a - b_at_a), Estimate.of(b_at_b - a_at_b)
    to_middle = (
        a_at_a - np.logaddexp(a_at_a, b_at_a) + np.log(2),
        b_at_b - np.logaddexp(a_at_b, b_at_b) + np.log(2),
    )
    js = Estimate.of(*to_middle)
    errors = ab.standard_error, ba.standard_error, js.standard_error
    return Comparison(ab.value, ba.value, max(js.value, 0.0), errors)


def _divergence(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> float:
    return float(np.sum(np.exp(log_p) * (log_p - log_q)))


def _to_middle(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> float:
    return _divergence(log_p, np.logaddexp(log_p, log_q) - np.log(2))
