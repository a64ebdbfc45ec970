"""Losses that compare the color distributions of images."""

from collections.abc import Sequence

import torch
from numpy.typing import ArrayLike

from napari_colorkde.torch.checks import checked_images, checked_tensor
from napari_colorkde.torch.volumes import color_kde


def histogram_loss(
    x: torch.Tensor,
    target: torch.Tensor,
    bandwidth: float | Sequence[float] | torch.Tensor,
    bins: int | ArrayLike = 32,
    extent: ArrayLike = (0.0, 1.0),
) -> torch.Tensor:
    """Return how far the colors of images are from those of others, whatever their places.

    Parameters
    ----------
    x
        (N, C, H, W) images, floats; differentiable.
    target
        (N, C, H', W') images, or one for all, of any size; or densities on the same grid, as
        `color_kde` returns them, (N, B_0, …) or one, so that they are computed only once.
    bandwidth, bins, extent
        See `color_kde`. The wider the bandwidth, the further a color is pulled: start with one as
        wide as the distance to go, and keep all colors within the extent.

    Returns
    -------
    torch.Tensor
        A number: the mean over images of ``∫ (f − g)² / ∫ g²``, f and g their densities; 0 where
        they are the same, 1 if `x` has none of its colors within reach. Apart from the division,
        it is the maximum mean discrepancy of a Gaussian kernel of √2 times the bandwidth (Gretton
        et al., Journal of Machine Learning Research 13, 2012).

    Raises
    ------
    ValueError, TypeError
        If an argument is not of that form.
    """
    target = checked_tensor(target, "target")
    density = color_kde(x, bandwidth, bins, extent)
    axes = tuple(range(1, density.dim()))
    if target.dim() == density.dim() and target.shape[1:] == density.shape[1:]:
        wanted = target.to(density.dtype)
    else:
        wanted = color_kde(checked_images(target, "target"), bandwidth, bins, extent)
    if wanted.shape[1:] != density.shape[1:] or len(wanted) not in (1, len(density)):
        raise ValueError(
            f"target has shape {tuple(target.shape)}; give one image for each of the {len(x)} of "
            "x, or one for all, with the same channels."
        )
    return ((density - wanted).square().sum(axes) / wanted.square().sum(axes)).mean()
