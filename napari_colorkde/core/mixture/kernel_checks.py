"""Validation of kernels and sets: mean, covariance and weight, and what is no kernel at all."""

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import Wanted, choice, kind_of, real_numbers
from napari_colorkde.core.colorspaces import COLOR_SPACES

Array = NDArray[np.float64]

REAL = Wanted("real numbers")


# Entries of a covariance that should be equal may differ by rounding, relative to √(σᵢᵢ σⱼⱼ).
SYMMETRY_TOLERANCE = 1e-9


def validated(mean: ArrayLike, covariance: ArrayLike, weight: float) -> tuple[Array, Array, float]:
    """Return read-only float64 copies; see `Kernel` for what is taken and refused."""
    center = _vector(_numbers("mean", mean), "mean")
    n = len(center)
    spread = _numbers("covariance", covariance)
    if (n > 1 and spread.shape in ((1, n), (n, 1))) or spread.shape == (1, 1) == (n, n):
        spread = spread.reshape(n)
    if spread.shape not in ((n,), (n, n)):
        raise ValueError(
            f"covariance has shape {spread.shape} but mean has {n} channels; "
            f"give ({n},) variances or a ({n}, {n}) matrix."
        )
    _require_positive_definite(spread)
    factor = _numbers("weight", weight)
    if factor.size != 1:
        raise ValueError(f"weight has shape {factor.shape}; give one number.")
    if factor.item() < 0:
        raise ValueError(f"weight is {factor.item():g}; give a number of 0 or more.")
    return read_only(center), read_only(spread), factor.item()


def _numbers(argument: str, value: ArrayLike) -> Array:
    """Copy into float64; refuse what is not a finite number."""
    try:
        array = real_numbers(value, argument, REAL, of_objects=True).astype(np.float64)
    except TypeError as error:
        raise ValueError(str(error)) from None
    if not np.isfinite(array).all():
        raise ValueError(f"{argument} is {_short(array)}; give finite numbers, without NaN or inf.")
    return array


def _vector(array: Array, argument: str) -> Array:
    if array.ndim == 2 and 1 in array.shape:
        array = array.reshape(-1)
    array = np.atleast_1d(array)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{argument} has shape {array.shape}; give one number per channel, (C,).")
    return array


def _require_positive_definite(covariance: Array) -> None:
    variances = covariance if covariance.ndim == 1 else np.diagonal(covariance)
    if (variances <= 0).any():
        raise ValueError(
            f"covariance has the variances {_short(variances)}; each must be above 0 "
            "(8-bit colors that do not vary still have the variance of rounding, 1/12)."
        )
    with np.errstate(over="ignore"):
        if not np.isfinite(1 / variances).all():
            raise ValueError(
                f"covariance has the variances {_short(variances)}, too small for float64; "
                "give variances of 1e-300 or more."
            )
    if covariance.ndim == 1:
        return
    sigmas = np.sqrt(variances)
    correlation = covariance / sigmas[:, None] / sigmas
    if np.abs(correlation - correlation.T).max() > SYMMETRY_TOLERANCE:
        raise ValueError(
            f"covariance {_short(covariance)} is not symmetric; "
            "the entries [i, j] and [j, i] must be equal."
        )
    # Below this an eigenvalue is rounding: the colors lie in a plane or on a line.
    rounding = 4 * len(variances) * np.finfo(np.float64).eps
    if np.linalg.eigvalsh(correlation)[0] <= rounding:
        raise ValueError(
            f"covariance {_short(covariance)} is not positive definite; "
            "add a small variance, such as 1/12, to its diagonal."
        )


def refuse_no_kernels(kernels: object) -> None:
    """Refuse a text, numbers or a table where kernels are expected.

    Raises
    ------
    TypeError
        If it is one.
    """
    if isinstance(kernels, str | os.PathLike):
        raise TypeError(
            f"kernels is the text or path {str(kernels)!r}; give kernels, such as "
            "load_kernels(path) returns."
        )
    is_numeric = getattr(getattr(kernels, "dtype", None), "kind", "O") != "O"
    if not isinstance(kernels, Iterable) or is_numeric or hasattr(kernels, "iloc"):
        raise TypeError(f"kernels is {kind_of(kernels)}; give a KernelSet, or a list of Kernel.")


def kernel_label(index: int, name: str) -> str:
    """Return how messages call a kernel of a set, counted from 0."""
    return f"kernel {index} ({name!r})" if name else f"kernel {index}"


def checked_kernel_space(space: str) -> str:
    """Return a space that kernels may lie in: one that is the same for all images.

    Raises
    ------
    ValueError
        If it is not known, or depends on the colors of an image.
    """
    if space == "rgb":
        return space
    known = choice(space, "space", (*COLOR_SPACES, "bgr"))
    if known in COLOR_SPACES and COLOR_SPACES[known].fit is not None:
        raise ValueError(
            f"space={known!r} depends on the image's colors, so kernels could not be shared "
            "between images; use 'rgb', or another space that is the same for all images."
        )
    return known


def read_only(array: Array) -> Array:
    """Return the array itself, no longer writable."""
    array.flags.writeable = False
    return array


def _short(array: Array) -> str:
    """Write an array on one line: an error message is one sentence."""
    text = np.array2string(array, precision=6, separator=", ", threshold=32)
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:198]} …"
