"""Many kernels made from arrays and validated together: thousands as fast as ten separately.

What is valid is said in `kernels`; a kernel that is not is refused there, in the same words.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.mixture.kernel_checks import SYMMETRY_TOLERANCE
from napari_colorkde.core.mixture.kernels import Kernel

Array = NDArray[np.float64]
Rows = Sequence[ArrayLike] | Array
"""Of one number, vector or matrix for each kernel."""


class KernelError(ValueError):
    """One of many kernels is not valid.

    Attributes
    ----------
    index
        Which one, counted from 0.
    """

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def build_kernels(
    means: Sequence[ArrayLike] | Array,
    covariances: Sequence[ArrayLike] | Array,
    weights: Sequence[float] | Array,
    *,
    classes: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    visible: Sequence[bool] | None = None,
) -> tuple[Kernel, ...]:
    """Make kernels of K means, covariances and weights.

    Parameters
    ----------
    means, covariances, weights
        Of each kernel, as `Kernel` takes them; variances and matrices may stand beside each other.
    classes, names, visible
        Of each kernel; "", "" and True if not given.

    Raises
    ------
    KernelError
        If one is not valid: the first of them, and what `Kernel` says of it.

    Notes
    -----
    O(K C³), 3 µs a kernel.
    """
    n = len(weights)
    classes = [""] * n if classes is None else classes
    names = [""] * n if names is None else names
    visible = [True] * n if visible is None else visible
    labels = list(zip(classes, names, visible, strict=True))
    members: list[Kernel | None] = [None] * n
    ndims = np.array([np.ndim(covariance) for covariance in covariances], int)
    for ndim in (1, 2):
        chosen = np.flatnonzero(ndims == ndim)
        parts = [_part(values, chosen) for values in (means, covariances, weights)]
        arrays = _valid_arrays(*parts)
        if arrays is None:
            continue
        numbers = zip(arrays[0], arrays[1], arrays[2].tolist(), strict=True)
        for index, values in zip(chosen.tolist(), numbers, strict=True):
            members[index] = Kernel.of_valid(*values, *labels[index])
    for index, member in enumerate(members):
        if member is None:
            class_name, name, is_visible = labels[index]
            try:
                members[index] = Kernel(
                    means[index],
                    covariances[index],
                    weights[index],
                    cls=class_name,
                    name=name,
                    visible=is_visible,
                )
            except ValueError as error:
                raise KernelError(index, str(error)) from None
    return tuple(member for member in members if member is not None)


def _part(values: Rows, chosen: NDArray[np.intp]) -> Rows:
    if isinstance(values, np.ndarray):
        return values[chosen]
    return [values[index] for index in chosen]


def _valid_arrays(
    means: Rows, covariances: Rows, weights: Rows
) -> tuple[Array, Array, Array] | None:
    """Return read-only float64 copies; None if they are not all valid, or not of one shape."""
    try:
        given = [np.array(values) for values in (means, covariances, weights)]
    except (TypeError, ValueError):
        return None
    if any(values.dtype.kind not in "biuf" for values in given):
        return None
    centers, spreads, factors = (values.astype(np.float64) for values in given)
    if centers.ndim != 2 or factors.ndim != 1 or len(centers) == 0 or centers.shape[1] == 0:
        return None
    n, n_channels = centers.shape
    if spreads.shape not in ((n, n_channels), (n, n_channels, n_channels)):
        return None
    if n_channels == 1:
        spreads = spreads.reshape(n, 1)  # as `Kernel` does
    if not all(np.isfinite(values).all() for values in (centers, spreads, factors)):
        return None
    if (factors < 0).any() or not are_positive_definite(spreads).all():
        return None
    for values in (centers, spreads, factors):
        values.flags.writeable = False
    return centers, spreads, factors


def are_positive_definite(covariances: Array) -> NDArray[np.bool_]:
    """Return whether `Kernel` takes each of K finite variances (K, C) or matrices (K, C, C)."""
    is_full = covariances.ndim == 3
    variances = np.diagonal(covariances, axis1=1, axis2=2) if is_full else covariances
    with np.errstate(over="ignore", divide="ignore"):
        is_valid = (variances > 0) & np.isfinite(1 / variances)
    good: NDArray[np.bool_] = np.asarray(is_valid.all(axis=1), np.bool_)
    if not is_full or not good.any():
        return good
    sigmas = np.sqrt(np.where(good[:, None], variances, 1.0))
    correlations = covariances / sigmas[:, :, None] / sigmas[:, None, :]
    asymmetry = np.abs(correlations - np.swapaxes(correlations, 1, 2)).max(axis=(1, 2))
    rounding = 4 * variances.shape[1] * np.finfo(np.float64).eps
    correlations[~good] = np.eye(variances.shape[1])
    is_definite = np.linalg.eigvalsh(correlations)[:, 0] > rounding
    return np.asarray(good & (asymmetry <= SYMMETRY_TOLERANCE) & is_definite, np.bool_)
