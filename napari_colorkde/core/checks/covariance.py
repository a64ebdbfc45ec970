"""Sigmas and covariances as given: checks, and the size of their kernels."""

import numpy as np
from numpy.typing import NDArray


def log_normalizer(covariance: NDArray[np.float64]) -> float:
    """``½ log det(2π Σ)``: the log integral of one kernel of peak 1."""
    return 0.5 * float(np.linalg.slogdet(2 * np.pi * covariance)[1])


def checked_sigmas(
    values: NDArray[np.float64], n_channels: int, name: str = "bandwidth"
) -> NDArray[np.float64]:
    """Return C sigmas of one, or of C, see `bandwidth_covariance`."""
    if values.ndim == 1 and values.shape != (n_channels,):
        raise ValueError(
            f"{name} has {len(values)} sigmas, the image {n_channels} channels; give one sigma, "
            "or one per channel."
        )
    # Squares must be numbers too.
    if not ((values > 1e-100) & (values < 1e100)).all():
        raise ValueError(
            f"{name}={values.tolist()}: a sigma must be positive and finite; give a "
            "standard deviation in image units, such as 4 for 8-bit colors."
        )
    return np.broadcast_to(values, (n_channels,)).copy()


def checked_covariance(values: NDArray[np.float64], n_channels: int) -> NDArray[np.float64]:
    """Return a symmetric covariance ``(C, C)``, see `bandwidth_covariance`."""
    if values.shape != (n_channels, n_channels):
        raise ValueError(
            f"bandwidth has shape {values.shape}; a covariance of {n_channels} channels has "
            f"({n_channels}, {n_channels})."
        )
    return checked_definite(values)


def checked_definite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a square matrix made exactly symmetric; refuse it if it is no covariance.

    Raises
    ------
    ValueError
        If it is not finite, symmetric to 1e-9, and positive definite to 1e-14.
    """
    # Beside its variances: what a rotation leaves of a zero is no asymmetry.
    scale = np.sqrt(np.abs(np.outer(np.diag(values), np.diag(values))))
    if not np.isfinite(values).all() or (np.abs(values - values.T) > 1e-9 * scale).any():
        raise ValueError(
            "bandwidth is not a covariance matrix: it must be finite and symmetric; give "
            "(A + A.T) / 2."
        )
    symmetric: NDArray[np.float64] = (values + values.T) / 2
    eigenvalues = np.linalg.eigvalsh(symmetric)
    if eigenvalues[0] <= 1e-14 * eigenvalues[-1]:
        raise ValueError(
            "bandwidth is not a covariance matrix: it is not positive definite; add a little to "
            "its diagonal."
        )
    return symmetric


def needs_diagonal(what: str, otherwise: str) -> ValueError:
    """Return the refusal of a full covariance where there are only diagonal ones.

    Parameters
    ----------
    what
        The argument that needs it, with its value.
    otherwise
        What may be given in the place of that.
    """
    return ValueError(
        f"{what} needs a diagonal bandwidth; give one sigma per channel, or {otherwise}."
    )
