"""Arrays, numbers and names as given: refused with a message, before any work.

Each check names the argument, says what was given, and what to give. Nothing of torch, pandas or
SciPy is imported for it: tensors, tables and sparse matrices are known by what they have.
"""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Name = TypeVar("Name", bound=str)


Keywords = dict[str, Any]
"""Keyword arguments that are put together before a call, which checks them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an argument should be, for the sentences.

    Attributes
    ----------
    text
        After "give": "an array of numbers".
    reader
        What makes one of a path: ", such as np.load(path) returns".
    operation
        The function that gives gradients.
    takes_tables
        Whether tables with named columns are taken.
    """

    text: str
    reader: str = ""
    operation: str = "color_kde"
    takes_tables: bool = False


NUMBERS = Wanted("an array of real numbers")
IMAGE = Wanted("an array of pixels, (H, W, C)", ", such as read_image(path) returns")
MASK = Wanted("one number or truth value per pixel", ", such as read_image(path) returns")
COLORS = Wanted("an array of colors, (n, C)", operation="log_density")
VECTORS = Wanted(
    "an array of numbers, (n, d)",
    ", such as np.load(path) returns",
    operation="log_density",
    takes_tables=True,
)


def refuse_no_array(value: object, name: str, wanted: Wanted = NUMBERS) -> None:
    """Refuse what is no array, nor numbers in lists; arrays themselves are not read.

    Raises
    ------
    TypeError
        If it is None, a text or path, a function, a mapping, a sparse matrix, a tensor that
        requires a gradient, or a table that is not taken.
    """
    if isinstance(value, str | bytes | os.PathLike):
        raise TypeError(
            f"{name} is the text or path {_short(value)}; give {wanted.text}{wanted.reader}."
        )
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise TypeError(f"{name} is a sparse matrix; give a dense array, {name}.toarray().")
    if value is None or callable(value) or isinstance(value, Mapping | set | frozenset):
        raise TypeError(f"{name} is {kind_of(value)}; give {wanted.text}.")
    if getattr(value, "requires_grad", False):
        raise TypeError(
            f"{name} is a tensor that requires a gradient; use napari_colorkde.torch."
            f"{wanted.operation}, which gives gradients, or give {name}.detach()."
        )
    if not wanted.takes_tables and hasattr(value, "iloc"):
        raise TypeError(
            f"{name} is a table ({type(value).__name__}); give {wanted.text}, made of its numbers "
            f"with {name}.to_numpy()."
        )


def as_array(value: object, name: str, wanted: Wanted = NUMBERS) -> NDArray[Any]:
    """Return an array of any numbers, truth values or objects; of a tensor, on the host.

    Raises
    ------
    TypeError, ValueError
        If it is no array, see `refuse_no_array`, or its rows differ in length.
    """
    refuse_no_array(value, name, wanted)
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):
        raise ValueError(
            f"{name} has rows of different lengths, or holds no numbers; give {wanted.text}."
        ) from None
    if array.shape == () and array.dtype == object:
        raise TypeError(f"{name} is {kind_of(value)}; give {wanted.text}.")
    return array


def real_numbers(
    value: object, name: str, wanted: Wanted = NUMBERS, *, of_objects: bool = False
) -> NDArray[Any]:
    """Return an array of real numbers or truth values, of any shape.

    Parameters
    ----------
    of_objects
        Whether numbers among Python's objects are taken, as float64.

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    array = as_array(value, name, wanted)
    if of_objects and array.dtype.kind == "O":
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"{name} holds objects that are not numbers ({error}); give {wanted.text}."
            ) from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} holds {array.dtype}; give {wanted.text}.")
    return array


def choice(value: object, name: str, known: Iterable[Name]) -> Name:
    """Return one of the names that are known, which is given in any case.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    names = {each.lower(): each for each in known}
    if isinstance(value, str) and value.lower() in names:
        return names[value.lower()]
    listed = ", ".join(repr(each) for each in names.values())
    raise ValueError(f"{name}={_short(value)} is not known; use one of {listed}.")


def whole_number(value: object, name: str, least: int = 1, most: int | None = None) -> int:
    """Return a whole number from `least` on, up to `most`.

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    allowed = f"of {least} or more" if most is None else f"from {least} to {most}"
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}={_short(value)}; give a whole number {allowed}.")
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name}={_short(value)}; give a whole number {allowed}.")
    return int(value)


def real_number(value: object, name: str, allowed: str) -> float:
    """Return a number that is not NaN; its range is the caller's to check.

    Parameters
    ----------
    allowed
        After "give": "a number above 0".

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name}={_short(value)}; give {allowed}.")
    if math.isnan(value):
        raise ValueError(f"{name}={value}; give {allowed}.")
    return float(value)


def fraction(value: object, name: str, *, one: bool) -> float:
    """Return a number above 0 and below 1; with `one` up to 1.

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    allowed = "a number above 0, up to 1" if one else "a number above 0 and below 1"
    number = real_number(value, name, allowed)
    if not (0 < number < 1 or (one and number == 1)):
        raise ValueError(f"{name}={_short(value)}; give {allowed}.")
    return number


def generator_of(random_state: Any, name: str = "random_state") -> np.random.Generator:
    """Return the generator of a seed: None, a whole number, or a generator of NumPy.

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    if isinstance(random_state, np.random.RandomState):
        return np.random.Generator(random_state._bit_generator)
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"{name}={_short(random_state)}; give None, a whole number of 0 or more, or a "
            "generator, np.random.default_rng(seed)."
        ) from None


def seed_of(random_state: Any, seed: Any) -> Any:
    """Return the one that is given of `random_state` and its other name.

    Raises
    ------
    TypeError
        If both are given.
    """
    if seed is None:
        return random_state
    if random_state is not None:
        raise TypeError("seed was given beside random_state, its other name; give one of them.")
    generator_of(seed, "seed")
    return seed


def pixel_weights(value: object, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return finite weights of this shape, at least 0, some above 0.

    Raises
    ------
    TypeError, ValueError
        If they are something else.
    """
    weights = real_numbers(value, name).astype(np.float64)
    if weights.shape != shape:
        raise ValueError(f"{name} has shape {weights.shape}; give one weight for each, {shape}.")
    refuse_bad_weights(weights, name)
    return weights


def refuse_bad_weights(weights: NDArray[Any], name: str) -> None:
    """Refuse weights that are not finite, negative, or all 0.

    Raises
    ------
    ValueError
        If they are so.
    """
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"{name} ranges from {weights.min():g} to {weights.max():g}; give finite weights of at "
            "least zero, some above zero."
        )


def path_of(value: object, name: str = "path") -> str:
    """Return a path that is given as text or as a path.

    Raises
    ------
    TypeError, ValueError
        If it is something else, or empty.
    """
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} is {kind_of(value)}; give the name of a file.")
    text = os.fsdecode(value)
    if not text:
        raise ValueError(f"{name} is empty; give the name of a file.")
    return text


def kind_of(value: object) -> str:
    """Say what a value is: "None", "a function", "a dict"."""
    if value is None:
        return "None"
    if callable(value):
        return f"the function or class {getattr(value, '__name__', type(value).__name__)}"
    kind = type(value).__name__
    takes_n = kind[0].lower() in "aeio" or kind == "ndarray"  # but a uint8
    return f"{'an' if takes_n else 'a'} {kind}"


def _short(value: object) -> str:
    """Write a value on one line of at most 80 characters."""
    text = " ".join((str(value) if isinstance(value, os.PathLike) else repr(value)).split())
    return text if len(text) <= 80 else f"{text[:76]} …"
