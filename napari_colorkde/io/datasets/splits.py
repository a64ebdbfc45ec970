"""The protocol of an experiment: the training, validation and test vectors."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.io.datasets.dataset import DataSet
from napari_colorkde.io.datasets.memory import available_bytes, check_fits

DEFAULT_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Vectors to estimate a density from, to choose its bandwidth by, and to score it on.

    Attributes
    ----------
    train, valid
        ``(n, d)`` and ``(m, d)`` real numbers, in the file's dtype or, when scaled, float64.
    test
        ``(k, d)``, or None where there are none.
    """

    train: NDArray[Any]
    valid: NDArray[Any]
    test: NDArray[Any] | None = None


def split(
    dataset: DataSet,
    *,
    train: int | None = None,
    valid: int | None = None,
    test: int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    scale: float | None = None,
) -> Split:
    """Draw training, validation and test vectors.

    Parameters
    ----------
    dataset
        What was read.
    train
        The first so many training vectors; None takes all that validation (and test, if it has to
        come from there) leaves.
    valid
        So many validation vectors: the first ones of the file's own, if it has some and `shuffle`
        is False, otherwise the training vectors that follow. None takes all of the file's own.
    test
        The first so many of the file's test vectors, or, if it has none, the training vectors that
        follow. None takes all of the file's own.
    shuffle
        Shuffle the training vectors first, by ``numpy.random.RandomState(seed).shuffle``.
    seed
        0 to 2³² − 1; None is 0. Only with `shuffle`.
    scale
        Divide all numbers by this, in float64: 256 for 8-bit images whose values shall lie in
        [0, 1). None leaves them as they are.

    Raises
    ------
    ValueError
        If a number is not positive or more than there are, if there are no validation vectors, if
        `seed` or `scale` is out of range, or if the scaled vectors do not fit into memory.
    """
    plan = _planned(dataset, train, valid, test, shuffle, seed, scale)
    order = np.arange(len(dataset.train))
    if shuffle:
        # The very order in which it would put the vectors themselves, without moving them.
        np.random.RandomState(DEFAULT_SEED if seed is None else seed).shuffle(order)
    ends = np.cumsum([plan.n_train, plan.n_valid, plan.n_test])
    drawn_train, drawn_valid, drawn_test = (
        dataset.train[order[start:end] if shuffle else slice(start, end)]
        for start, end in zip((0, *ends[:2]), ends, strict=True)
    )
    own_test = plan.own_test
    drawn = Split(
        drawn_train,
        drawn_valid if plan.own_valid is None else plan.own_valid,
        own_test if own_test is not None else drawn_test if plan.n_test else None,
    )
    return drawn if scale is None else _scaled(drawn, scale, _named(dataset))


def check_split(
    dataset: DataSet,
    *,
    train: int | None = None,
    valid: int | None = None,
    test: int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    scale: float | None = None,
) -> None:
    """Refuse what `split` would refuse, before any number is moved.

    Raises
    ------
    ValueError
        As from `split`.
    """
    _planned(dataset, train, valid, test, shuffle, seed, scale)


def scaled(vectors: NDArray[Any], scale: float | None, where: str) -> NDArray[Any]:
    """Return vectors divided by a number, in float64; as they are, without one.

    Raises
    ------
    ValueError
        If `scale` is not a positive number, or the result does not fit into memory.
    """
    if scale is None:
        return vectors
    _check_scale(scale)
    check_fits(8 * vectors.size, available_bytes(), f"{where}, scaled to float64,")
    divided: NDArray[np.float64] = np.divide(vectors, scale, dtype=np.float64)
    return divided


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """How many of the training vectors are for what, and what comes of the file's own parts."""

    n_train: int
    n_valid: int
    n_test: int
    own_valid: NDArray[Any] | None
    own_test: NDArray[Any] | None


def _planned(
    dataset: DataSet,
    train: int | None,
    valid: int | None,
    test: int | None,
    shuffle: bool,
    seed: int | None,
    scale: float | None,
) -> _Plan:
    where = _named(dataset)
    check_protocol(train=train, valid=valid, test=test, shuffle=shuffle, seed=seed, scale=scale)
    n_rows = len(dataset.train)
    own_valid = dataset.valid if valid is None or not shuffle else None
    if valid is None and own_valid is None:
        raise ValueError(
            f"{where} has no validation split; set valid to how many of its {n_rows} training "
            "vectors to use, such as 1000."
        )
    n_valid = 0 if own_valid is not None else valid or 0
    n_test = 0 if dataset.test is not None else test or 0
    n_train = n_rows - n_valid - n_test if train is None else train
    if n_train < 1 or n_train + n_valid + n_test > n_rows:
        parts = {"training": max(n_train, 1), "validation": n_valid, "test": n_test}
        asked = ", ".join(f"{n} for {part}" for part, n in parts.items() if n)
        raise ValueError(f"{where} has {n_rows} training vectors, but {asked} were requested.")
    if own_valid is not None:
        own_valid = _first(own_valid, valid, "validation", where)
    own_test = None if dataset.test is None else _first(dataset.test, test, "test", where)
    n_drawn = n_train + n_valid + n_test
    n_bytes = n_drawn * dataset.train[:1].nbytes if shuffle else 0
    check_fits(n_bytes, available_bytes(), f"{where}, shuffled,")
    if scale is not None:
        n_numbers = n_drawn * dataset.train.shape[1]
        n_numbers += sum(0 if own is None else own.size for own in (own_valid, own_test))
        check_fits(n_bytes + 8 * n_numbers, available_bytes(), f"{where}, scaled to float64,")
    return _Plan(n_train, n_valid, n_test, own_valid, own_test)


def _named(dataset: DataSet) -> str:
    return f"data set {str(dataset.path)!r}"


def _scaled(drawn: Split, scale: float, where: str) -> Split:
    return Split(
        scaled(drawn.train, scale, where),
        scaled(drawn.valid, scale, where),
        None if drawn.test is None else scaled(drawn.test, scale, where),
    )


def _check_scale(scale: float | None) -> None:
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale={scale}; give a positive number, such as 256.")


def check_protocol(
    *,
    train: int | None = None,
    valid: int | None = None,
    test: int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    scale: float | None = None,
) -> None:
    """Refuse what `split` would refuse of any data set, before one is read.

    Raises
    ------
    ValueError
        If a number is not positive, or `seed` or `scale` is out of range.
    """
    for name, n in (("train", train), ("valid", valid), ("test", test)):
        if n is not None and n < 1:
            raise ValueError(f"{name}={n} is an empty split; give 1 or more.")
    if seed is not None and not shuffle:
        raise ValueError(f"seed={seed} has no effect without shuffle; give both or neither.")
    if seed is not None and not 0 <= seed < 1 << 32:
        raise ValueError(f"seed={seed}; give a whole number from 0 to {(1 << 32) - 1}.")
    _check_scale(scale)


def _first(vectors: NDArray[Any], n: int | None, part: str, where: str) -> NDArray[Any]:
    """Return the first so many vectors of a part that the file has."""
    if n is not None and n > len(vectors):
        raise ValueError(f"{where} has {len(vectors)} {part} vectors, but {n} were requested.")
    return vectors[:n]
