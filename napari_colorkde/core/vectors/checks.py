"""Vectors, sigmas and weights as given: refused with a message, before any work."""

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.arguments import (
    VECTORS,
    Wanted,
    as_array,
    real_numbers,
    refuse_bad_weights,
)

Array = NDArray[np.float64]

SIGMAS = Wanted("positive numbers")

MOST = 1e150
"""Largest number of a vector: its square must be one, too."""


def checked_vectors(
    value: object, name: str, n_features: int | None = None, owner: str = ""
) -> NDArray[Any]:
    """Return n vectors of d finite real numbers, (n, d).

    Parameters
    ----------
    value, name
        What was given, and which argument that is.
    n_features
        Numbers that a vector has to have.
    owner
        Class of the estimator that expects them; none: the set named "train".

    Raises
    ------
    ValueError, TypeError
        If it is something else.

    Notes
    -----
    Where scikit-learn's tests look for words of its own messages, these are in the sentences.
    """
    array = _numbers(value, name)
    if array.ndim == 2 and array.shape[1] == 0 and len(array):
        raise ValueError(
            f"{name} has 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    if array.ndim != 2 or not array.size:
        hint = f"; reshape it with {name}.reshape(len({name}), -1)" if array.ndim > 2 else ""
        if array.ndim < 2:
            hint = (
                f". Reshape your data: {name}.reshape(-1, 1) is many vectors of one number, "
                f"{name}.reshape(1, -1) is one vector"
            )
        raise ValueError(
            f"{name} has shape {array.shape}; give n vectors of d numbers, (n, d){hint}."
        )
    if n_features is not None and array.shape[1] != n_features:
        if owner:
            raise ValueError(
                f"{name} has {array.shape[1]} features, but {owner} is expecting {n_features} "
                "features as input; give those it was fitted with."
            )
        raise ValueError(
            f"{name} has vectors of {array.shape[1]} numbers but the training vectors have "
            f"{n_features}; give the same features."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite values; drop or fill those vectors.")
    # As Python's numbers: those of small dtypes overflow, and truth values have no sign.
    if max(float(array.max()), -float(array.min())) > MOST:
        raise ValueError(f"{name} has values above 1e150, whose squares overflow; rescale it.")
    return array


def checked_sigmas(value: ArrayLike, name: str = "sigma") -> Array:
    """Return sigmas, (S,), of one or more.

    Raises
    ------
    ValueError
        If they are not positive numbers of similar size.
    """
    sigmas = np.atleast_1d(real_numbers(value, name, SIGMAS, of_objects=True).astype(np.float64))
    if sigmas.ndim != 1 or not sigmas.size:
        raise ValueError(f"{name} has shape {sigmas.shape}; give a sequence of numbers, (S,).")
    # The square must be a normal number, and float32 must hold the squared ratio.
    good = np.isfinite(sigmas) & (sigmas > 1e-150) & (sigmas < 1e150)
    if not good.all():
        raise ValueError(
            f"{name} has the value {sigmas[~good][0]:g}; give positive finite standard deviations."
        )
    if sigmas.max() / sigmas.min() > 1e15:
        raise ValueError(
            f"{name} ranges from {sigmas.min():g} to {sigmas.max():g}; give a grid that spans less "
            "than a factor of 1e15."
        )
    return sigmas


def checked_weights(value: object, n: int) -> Array | None:
    """Return one weight for each of n vectors, float64; None if they are all the same.

    Raises
    ------
    ValueError
        If there are not n of them, some are negative or not finite, or all are zero.
    """
    if value is None:
        return None
    weights = _numbers(value, "sample_weight").astype(np.float64)
    if weights.shape != (n,):
        raise ValueError(
            f"sample_weight has shape {weights.shape}; give one weight for each of the {n} vectors."
        )
    refuse_bad_weights(weights, "sample_weight")
    return None if (weights == weights[0]).all() else weights


def feature_names(value: object, name: str) -> NDArray[np.object_] | None:
    """Return the names of a table's columns; None if it has none, or numbers for them.

    Raises
    ------
    TypeError
        If some are text and some are not.
    """
    columns = getattr(value, "columns", None)
    if columns is None or not hasattr(value, "__array__"):
        return None
    names = np.asarray(list(columns), object)
    is_text = [isinstance(column, str) for column in names]
    if not any(is_text):
        return None
    if not all(is_text):
        raise TypeError(
            f"{name} has columns named by text and others by numbers; name all by text."
        )
    return names


def _numbers(value: object, name: str) -> NDArray[Any]:
    """Return an array of real numbers of any shape."""
    array = as_array(value, name, VECTORS)
    if array.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: {name} holds {array.dtype}; give real numbers."
        )
    return real_numbers(array, name, VECTORS, of_objects=True)


def feature_numbers(
    axes: int | str | Sequence[int | str], n_features: int, names: list[str], name: str
) -> list[int]:
    """Return the numbers of features that are given by number or by name, each once.

    Raises
    ------
    ValueError
        If there is no such feature, none is given, or one is given twice.
    """
    numbers = []
    is_one = isinstance(axes, str) or not isinstance(axes, Iterable)
    for axis in cast("Sequence[int | str]", [axes] if is_one else axes):
        if isinstance(axis, str) and axis in names:
            numbers.append(names.index(axis))
        elif isinstance(axis, (int, np.integer)) and -n_features <= axis < n_features:
            numbers.append(int(axis) % n_features)
        else:
            known = f", or {', '.join(names)}" if names else ""
            raise ValueError(
                f"{name}: feature {axis!r} does not exist; give 0 to {n_features - 1}{known}."
            )
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"{name}={axes!r}; give one feature or more, each once.")
    return numbers


def refuse_names(names: list[str], known: list[str]) -> NoReturn:
    """Refuse columns of other names, or in another order, than those of the training vectors."""
    text = "The feature names should match those that were passed during fit.\n"
    for title, some in (
        ("Feature names unseen at fit time:", sorted(set(names) - set(known))),
        ("Feature names seen at fit time, yet now missing:", sorted(set(known) - set(names))),
    ):
        if some:
            text += "\n".join([title, *(f"- {name}" for name in some[:5]), ""])
    if set(names) == set(known):
        text += "Feature names must be in the same order as they were in fit.\n"
    raise ValueError(text)


def refuse_unfitted() -> NoReturn:
    """Raise scikit-learn's own error where there is scikit-learn."""
    text = "this GaussianKDE has no training vectors yet; call fit(X) first."
    try:
        from sklearn.exceptions import NotFittedError
    except ImportError:
        raise ValueError(text) from None
    raise NotFittedError(text)
