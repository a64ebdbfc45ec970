"""Classes of kernels: their names, their weights, their priors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.checks.arguments import choice, kind_of, real_number, whole_number
from napari_colorkde.core.mixture.kernel_spaces import kernels_for
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

Array = NDArray[np.float64]
NumbersBy = Literal["names"]
NUMBERS_BY: tuple[NumbersBy, ...] = ("names",)
ClassKernels = KernelSet | Mapping[str, KernelSet] | Iterable[Kernel]


def class_names(kernels: ClassKernels) -> tuple[str, ...]:
    """Return the distinct classes, in order of first appearance.

    Parameters
    ----------
    kernels
        As in `classify_image`.
    """
    return tuple(dict.fromkeys(kernels_and_classes(kernels)[1]))


def kernels_and_classes(kernels: ClassKernels) -> tuple[KernelSet, tuple[str, ...]]:
    """Return all kernels in one set, and the class of each: its own, or else the name of its set.

    Raises
    ------
    ValueError
        If there is no kernel, or sets have different channels, or spaces.
    """
    if isinstance(kernels, Mapping):
        pairs = list(kernels.items())
        for name, each in pairs:
            if not isinstance(each, KernelSet):
                raise TypeError(
                    f"kernels[{name!r}] is {kind_of(each)}; give a KernelSet for each name."
                )
    else:
        single = kernels if isinstance(kernels, KernelSet) else KernelSet(kernels)
        pairs = [(single.name, single)]
    members = [kernel for _, kernel_set in pairs for kernel in kernel_set]
    classes = tuple(kernel.cls or name for name, kernel_set in pairs for kernel in kernel_set)
    if not members:
        raise ValueError("kernels is empty; classes need at least one kernel.")
    spaces = list(dict.fromkeys(kernel_set.space for _, kernel_set in pairs if len(kernel_set)))
    if len(spaces) > 1:
        raise ValueError(
            f"kernels are in the spaces {', '.join(spaces)}; convert all sets to one space with "
            "KernelSet.to_space."
        )
    return KernelSet(members, space=spaces[0]), classes


def kernels_in(
    kernels: ClassKernels, space: str | None, image_dtype: "np.dtype[Any]"
) -> ClassKernels:
    """Return kernels, or sets of them, in this space; None: as they are, see `kernels_for`."""
    if space is None:
        return kernels
    if isinstance(kernels, Mapping):
        return {name: kernels_for(each, space, image_dtype) for name, each in kernels.items()}
    single = kernels if isinstance(kernels, KernelSet) else KernelSet(kernels)
    return kernels_for(single, space, image_dtype)


def log_class_weights(kernels: KernelSet, members: Sequence[int]) -> Array:
    """Return the log of the sum of weights of each class, (M,); 0 where all are 0.

    Parameters
    ----------
    members
        (K,) class of each kernel, counted from 0 without gaps.
    """
    sums = np.bincount(np.asarray(members), weights=kernels.weights)
    return np.log(np.where(sums > 0, sums, 1.0))


def prior_of_classes(names: Sequence[str], priors: Mapping[str, float] | None) -> Array:
    """Return P(class) for each name, (M,), summing to 1; see `classify_image`.

    Raises
    ------
    ValueError
        If a class is not known, or the numbers leave nothing for the others.
    """
    if priors is not None and not isinstance(priors, Mapping):
        raise TypeError(f"priors is {priors!r}; give probabilities by class, {{'skin': 0.2}}.")
    given = {} if priors is None else dict(priors)
    for name, prior in given.items():
        class_position(names, name, "priors")
        number = real_number(prior, f"priors[{name!r}]", "a number of 0 or more")
        if not 0 <= number < np.inf:
            raise ValueError(f"priors has {prior} for {name!r}; give a number of 0 or more.")
    others = [name for name in names if name not in given]
    total = float(sum(given.values()))
    if others and total > 1:
        raise ValueError(
            f"priors sum to {total:g}, which leaves nothing for {', '.join(map(repr, others))}; "
            "give a sum below 1, or a prior for each class."
        )
    if not others and total == 0:
        raise ValueError("priors are all 0; give at least one class a number above 0.")
    rest = (1 - total) / len(others) if others else 0.0
    values = np.array([float(given.get(name, rest)) for name in names])
    return np.asarray(values / values.sum())


def ratio_classes(names: Sequence[str], cls: str | None, against: str | None) -> tuple[int, int]:
    """Return the positions of the two classes of a ratio; see `classify_image`.

    Raises
    ------
    ValueError
        If there is one class only, one is not known, both are the same, or the other is not told.
    """
    refuse_single_class(names, "ratio")
    first = 0 if cls is None else class_position(names, cls, "cls")
    if against is None:
        if len(names) > 2:
            listed = ", ".join(map(repr, names))
            raise ValueError(f"against is missing; choose one of the classes {listed}.")
        return first, 1 - first
    second = class_position(names, against, "against")
    if first == second:
        raise ValueError(f"against={against!r} is the class itself; choose another one.")
    return first, second


def refuse_single_class(names: Sequence[str], show: str) -> None:
    """Refuse a posterior, or a ratio, where there is nothing to tell the class from.

    Raises
    ------
    ValueError
        If there is only one class.
    """
    if len(names) < 2:
        found = f"all kernels belong to {names[0]!r}" if names[0] else "no kernel has a class"
        raise ValueError(
            f"a {show} compares two classes, but {found}; give kernels of two or more classes."
        )


def numbers_of_classes(
    names: Sequence[str], numbers: Mapping[str, int] | NumbersBy | None
) -> NDArray[np.int64] | None:
    """Return the number of no class, 0, and of each class, (M + 1,); None: their order is kept.

    Raises
    ------
    ValueError, TypeError
        If a class has no number, or `numbers` is something else; see `classify_image`.
    """
    if numbers is None:
        return None
    if isinstance(numbers, Mapping):
        for name in numbers:
            class_position(names, name, "numbers")
        found = {name: whole_number(n, f"numbers[{name!r}]") for name, n in numbers.items()}
    else:
        numbers = choice(numbers, "numbers", NUMBERS_BY)
        found = {name: int(name) for name in names if name.isdecimal() and int(name) > 0}
    for name in names:
        if name not in found:
            raise ValueError(
                f"numbers has no entry for the class {name!r}; give it a number of 1 or more."
            )
    return np.array([0, *(found[name] for name in names)], np.int64)


def class_position(names: Sequence[str], name: str, argument: str) -> int:
    """Return the position of a class that the argument named `argument` asks for.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in names:
        listed = ", ".join(map(repr, names))
        raise ValueError(f"{argument}: no kernel has the class {name!r}; use one of {listed}.")
    return list(names).index(name)
