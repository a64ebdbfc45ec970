"""Densities at points, differentiable in all arguments: of a kernel density estimate, of a mixture.

Tile by tile, and once more tile by tile for the gradients, so that memory does not grow with the
number of pairs.
"""

import math
from collections.abc import Callable

import torch
from torch.utils.checkpoint import checkpoint

from napari_colorkde.core.checks.options import flag
from napari_colorkde.torch.checks import checked_tensor, refuse_bad_weights, refuse_not_finite

PAIRS = 1 << 20
"""Pairs of a point and a kernel in a tile: 4 MB for each number of float32 that is kept of them."""

MOST = 80.0
"""Largest exponent above a point's largest that counts; exp(80) is a number of float32."""


def log_density(
    x: torch.Tensor,
    samples: torch.Tensor,
    bandwidth: float | torch.Tensor,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the logarithm of a Gaussian kernel density estimate at points.

    Parameters
    ----------
    x
        (…, d) points, such as the colors of images, ``images.movedim(1, -1)``.
    samples
        (M, d) the estimate's samples.
    bandwidth
        Sigma, (d,) sigmas, or a (d, d) covariance.
    weights
        (M,) weights of the samples, at least 0, by whose sum the density is divided; None: all 1.

    Returns
    -------
    torch.Tensor
        (…,) nats, to any depth of the tails; differentiable in every tensor given.

    Raises
    ------
    ValueError, TypeError
        If an argument is not of that form.

    Notes
    -----
    ``log Σᵢ wᵢ N(x; sᵢ, Σ) / Σᵢ wᵢ`` (Silverman 1986, eq. 4.1). O(n M d); memory is a tile of
    `PAIRS`.
    """
    x, samples = _rows(x, "x"), _rows(samples, "samples")
    x, samples = _alike(x, samples)
    if samples.dim() != 2 or samples.shape[1] != x.shape[-1] or len(samples) == 0:
        raise ValueError(
            f"samples have shape {tuple(samples.shape)}; give (M, {x.shape[-1]}) points, with the "
            "channels of x."
        )
    root = _cholesky(bandwidth, x)
    d = x.shape[-1]
    # Near zero squares of differences are exact to more digits.
    center = samples.detach().mean(dim=0)
    points = torch.linalg.solve_triangular(root, (x.reshape(-1, d) - center).T, upper=False).T
    kernels = torch.linalg.solve_triangular(root, (samples - center).T, upper=False).T
    amounts = _weights(weights, len(samples), x)
    logs = _log_sums(_squared_distances, points, kernels, amounts, torch.zeros_like(amounts))
    normalizer = root.diagonal().log().sum() + d / 2 * math.log(2 * math.pi)
    return (logs - amounts.sum().log() - normalizer).reshape(x.shape[:-1])


def mixture_density(
    x: torch.Tensor,
    means: torch.Tensor,
    covariances: torch.Tensor,
    weights: torch.Tensor,
    *,
    log: bool = False,
) -> torch.Tensor:
    """Return the sum of weighted Gaussians at points.

    Parameters
    ----------
    x
        (…, d) points, such as the colors of images, ``images.movedim(1, -1)``.
    means, weights
        (K, d) and (K,); weights at least 0, as they are: they need not sum to 1.
    covariances
        (K, d, d), or (K, d) variances.
    log
        Return the natural logarithm, to any depth of the tails.

    Returns
    -------
    torch.Tensor
        (…,) per unit volume; differentiable in every tensor given.

    Raises
    ------
    ValueError, TypeError
        If an argument is not of that form.

    Notes
    -----
    ``Σₖ wₖ N(x; μₖ, Σₖ)`` (Bishop 2006, eq. 9.7). O(n K d²); memory is a tile of `PAIRS`.
    """
    log = flag(log, "log")
    x, means = _rows(x, "x"), _rows(means, "means")
    x, means = _alike(x, means)
    d = x.shape[-1]
    if means.dim() != 2 or means.shape[1] != d or len(means) == 0:
        raise ValueError(
            f"means have shape {tuple(means.shape)}; give (K, {d}), with the channels of x."
        )
    covariances = _rows(covariances, "covariances").to(x.dtype)
    if covariances.shape == means.shape:
        covariances = torch.diag_embed(covariances)
    if covariances.shape != (*means.shape, d):
        raise ValueError(
            f"covariances have shape {tuple(covariances.shape)}; give {(len(means), d, d)}, or "
            f"variances {(len(means), d)}."
        )
    root, failed = torch.linalg.cholesky_ex(covariances)
    if bool(failed.any()):
        which = int(failed.nonzero()[0, 0])
        raise ValueError(f"covariances[{which}] is not positive definite; give one that is.")
    amounts = _weights(weights, len(means), x)
    logs = -root.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1) - d / 2 * math.log(2 * math.pi)

    def squares(points: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
        differences = points.T - kernels[..., :1]  # (K, d, n)
        whitened = torch.linalg.solve_triangular(kernels[..., 1:], differences, upper=False)
        distances: torch.Tensor = whitened.square().sum(dim=1).T
        return distances

    kernels = torch.cat([means[..., None], root], dim=-1)
    result = _log_sums(squares, x.reshape(-1, d), kernels, amounts, logs).reshape(x.shape[:-1])
    return result if log else result.exp()


def _log_sums(
    squares: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    points: torch.Tensor,
    kernels: torch.Tensor,
    weights: torch.Tensor,
    logs: torch.Tensor,
) -> torch.Tensor:
    """Return ``log Σₖ wₖ exp(logsₖ − ½ squares(point, kernelₖ))`` for each of the points (n, d)."""

    def exponents(
        some: torch.Tensor, some_kernels: torch.Tensor, some_logs: torch.Tensor
    ) -> torch.Tensor:
        return some_logs - 0.5 * squares(some, some_kernels)

    def tile(
        some: torch.Tensor, some_kernels: torch.Tensor, some_logs: torch.Tensor,
        some_weights: torch.Tensor, largest: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        # Those of weight 0 add nothing, but have a derivative: they must not overflow.
        above = exponents(some, some_kernels, some_logs) - largest[:, None]
        return above.clamp(max=MOST).exp() @ some_weights

    room = max(1, PAIRS // points.shape[1])
    columns = min(len(kernels), room)
    rows = max(1, room // columns)
    parts = [(kernels[part], logs[part], weights[part]) for part in _pieces(len(kernels), columns)]
    results = []
    for piece in _pieces(len(points), rows):
        some = points[piece]
        with torch.no_grad():
            largest = torch.stack(
                [
                    exponents(some, k, log).masked_fill(weight == 0, -math.inf).amax(dim=1)
                    for k, log, weight in parts
                ]
            ).amax(dim=0)
        sums = torch.stack(
            [
                checkpoint(
                    tile, some, k, log, weight, largest,
                    use_reentrant=False, preserve_rng_state=False,
                )
                for k, log, weight in parts
            ]
        )  # fmt: skip
        results.append(largest + sums.sum(dim=0).log())
    return torch.cat(results) if results else points.new_zeros(0)


def _pieces(n: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, n, size)]


def _squared_distances(points: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    return (points[:, None] - kernels).square().sum(dim=-1)


def _rows(value: object, name: str) -> torch.Tensor:
    rows = checked_tensor(value, name)
    if not rows.is_floating_point():
        rows = rows.float()
    if rows.dim() < 1:
        raise ValueError(f"{name} is a single number; give numbers along a last axis of channels.")
    refuse_not_finite(rows, name)
    return rows


def _alike(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    dtype = torch.promote_types(a.dtype, b.dtype)
    return a.to(dtype), b.to(dtype)


def _cholesky(value: object, like: torch.Tensor) -> torch.Tensor:
    """Return the lower triangular root of a bandwidth's covariance, (d, d)."""
    d = like.shape[-1]
    try:
        bandwidth = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"bandwidth={value!r}; give a sigma, {_FORMS}") from None
    if bandwidth.shape == (d, d) and d > 1:
        root, failed = torch.linalg.cholesky_ex(bandwidth)
        if int(failed) == 0:
            lower: torch.Tensor = root
            return lower
    elif bandwidth.shape in ((), (1,), (d,)):
        sigmas = bandwidth.expand(d) if bandwidth.dim() else bandwidth.reshape(1).expand(d)
        given = sigmas.detach()
        if bool(((given > 0) & given.isfinite()).all()):
            diagonal: torch.Tensor = torch.diag(sigmas)
            return diagonal
    raise ValueError(f"bandwidth={bandwidth.detach().tolist()}; give a positive sigma, {_FORMS}")


_FORMS = "one for each channel, or a positive definite covariance."


def _weights(value: object, n: int, like: torch.Tensor) -> torch.Tensor:
    if value is None:
        return like.new_ones(n)
    weights = checked_tensor(value, "weights")
    if weights.shape != (n,):
        raise ValueError(f"weights have shape {tuple(weights.shape)}; give ({n},), one per kernel.")
    refuse_bad_weights(weights)
    return weights.to(like.dtype)
