"""What the operations take: refused with a sentence, before any work."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import kind_of
from napari_colorkde.torch.integers import fits


def checked_tensor(value: object, name: str) -> torch.Tensor:
    """Return a tensor of real numbers; of integers as it is, of floats as float32 or float64.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not isinstance(value, torch.Tensor):
        raise TypeError(
            f"{name} is {kind_of(value)}; give a torch tensor, such as torch.as_tensor(a)."
        )
    if value.is_complex() or value.is_quantized or value.layout != torch.strided:
        raise TypeError(f"{name} holds {value.dtype} ({value.layout}); give dense real numbers.")
    if value.is_floating_point() and value.dtype not in (torch.float32, torch.float64):
        return value.float()
    return value


def checked_images(value: object, name: str = "x") -> torch.Tensor:
    """Return a batch of images (N, C, H, W) or (N, C, P) as finite floats or countable integers.

    Raises
    ------
    ValueError, TypeError
        If it is something else.
    """
    x = checked_tensor(value, name)
    if x.dim() not in (3, 4) or not 1 <= x.shape[1] <= 3:
        hint = f"; add the batch axis with {name}[None]" if x.dim() == 3 and x.shape[0] <= 3 else ""
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}; give a batch of images (N, C, H, W) with 1 to 3 "
            f"channels{hint}."
        )
    if x.numel() == 0:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}; give at least one image and one pixel."
        )
    if x.is_floating_point():
        refuse_not_finite(x, name)
        return x
    return x if fits(x) else x.float()


def refuse_not_finite(value: torch.Tensor, name: str) -> None:
    """Refuse NaN and infinite values.

    Raises
    ------
    ValueError
        If there are any.
    """
    if not bool(torch.isfinite(value.detach()).all()):
        raise ValueError(f"{name} holds NaN or infinite values; give finite numbers.")


def checked_sigmas(bandwidth: object, channels: int) -> NDArray[np.float64]:
    """Return one sigma per channel.

    Raises
    ------
    ValueError
        If the bandwidth is not one positive number or one per channel, or requires a gradient.
    """
    if isinstance(bandwidth, torch.Tensor):
        if bandwidth.requires_grad:
            raise ValueError(
                "bandwidth requires a gradient, which color_kde does not give; use "
                "bandwidth.detach(), or log_density, which is differentiable in its bandwidth."
            )
        bandwidth = bandwidth.detach().cpu().numpy()
    try:
        sigmas = np.asarray(bandwidth, np.float64)
    except (TypeError, ValueError):
        sigmas = np.full(1, np.nan)
    if sigmas.shape not in ((), (1,), (channels,)) or not np.all((sigmas > 0) & (sigmas < np.inf)):
        raise ValueError(
            f"bandwidth={bandwidth!r}; give a positive sigma, or one for each of the {channels} "
            "channels."
        )
    return np.broadcast_to(sigmas, (channels,)).copy()


def checked_weights(value: object, x: torch.Tensor) -> torch.Tensor | None:
    """Return weights of the pixels of `x`, in the dtype that it is summed in; None stays None.

    Raises
    ------
    ValueError, TypeError
        If they are not of that form, negative, not finite, or all zero in an image.
    """
    if value is None:
        return None
    weights = checked_tensor(value, "weights")
    if weights.shape != (x.shape[0], *x.shape[2:]):
        raise ValueError(
            f"weights have shape {tuple(weights.shape)}; give one for each pixel, "
            f"{(x.shape[0], *x.shape[2:])}."
        )
    if weights.device != x.device:
        raise ValueError(f"weights are on {weights.device}; put them on {x.device}, where x is.")
    refuse_bad_weights(weights.flatten(1))
    return weights.to(x.dtype if x.dtype == torch.float64 else torch.float32)


def refuse_bad_weights(weights: torch.Tensor) -> None:
    """Refuse weights (…, n) that are negative, not finite, or all zero along the last axis.

    Raises
    ------
    ValueError
        If some are.
    """
    refuse_not_finite(weights, "weights")
    given = weights.detach()
    if bool((given < 0).any()):
        raise ValueError(f"weights go down to {float(given.min()):g}; give numbers of at least 0.")
    if not bool((given > 0).any(dim=-1).all()):
        raise ValueError("weights are all 0; give some above 0.")
