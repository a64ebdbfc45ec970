"""Gaussian kernels and sets of them: plain validated data, numbers kept as given.

No densities are computed here; see `napari_colorkde.core.mixture.density`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_FIELDS = ("mean", "covariance", "weight", "cls", "name", "visible")

# Entries of a covariance that should be equal may differ by rounding, relative to √(σᵢᵢ σⱼⱼ).
SYMMETRY_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """One Gaussian of a mixture: ``weight · N(color; mean, covariance)``.

    Parameters
    ----------
    mean
        (C,) center, in image units and in the channel order of the image. (1, C) and (C, 1) are
        squeezed.
    covariance
        (C,) variances, or a (C, C) covariance matrix; (1, C) and (C, 1) are squeezed to variances.
        Variances, not standard deviations.
    weight
        Non-negative factor. The weights of a set need not sum to one and are never rescaled.
    cls
        Class the kernel belongs to, such as "skin".
    name
        A name for people; error messages quote it.
    visible
        Whether views show the kernel. Densities count every kernel of a set, shown or not.

    Attributes
    ----------
    mean, covariance
        Read-only float64 arrays.

    Raises
    ------
    ValueError
        If shapes disagree, a number is not finite, the weight is negative, a variance is not
        positive, or a covariance matrix is not symmetric and positive definite.

    Notes
    -----
    Kernels are equal if all their fields are; variances equal the diagonal matrix that holds them.
    """

    mean: Array
    covariance: Array
    weight: float
    _: KW_ONLY
    cls: str = ""
    name: str = ""
    visible: bool = True

    def __init__(
        self,
        mean: ArrayLike,
        covariance: ArrayLike,
        weight: float,
        *,
        cls: str = "",
        name: str = "",
        visible: bool = True,
    ) -> None:
        try:
            values = _validated(mean, covariance, weight)
        except ValueError as error:
            raise ValueError(f"kernel {name!r}: {error}" if name else str(error)) from None
        fields = (*values, str(cls), str(name), bool(visible))
        for field, value in zip(_FIELDS, fields, strict=True):
            object.__setattr__(self, field, value)

    @property
    def n_channels(self) -> int:
        """Number of channels C."""
        return len(self.mean)

    @property
    def is_diagonal(self) -> bool:
        """Whether the channels are uncorrelated: the density is a product over channels."""
        return self.covariance.ndim == 1 or not np.any(
            self.covariance - np.diag(np.diagonal(self.covariance))
        )

    @property
    def variances(self) -> Array:
        """(C,) variance of each channel: the diagonal of the covariance."""
        return self.covariance if self.covariance.ndim == 1 else np.diagonal(self.covariance)

    @property
    def covariance_matrix(self) -> Array:
        """(C, C) covariance matrix."""
        return np.diag(self.covariance) if self.covariance.ndim == 1 else self.covariance

    @classmethod
    def of_valid(
        cls,
        mean: Array,
        covariance: Array,
        weight: float,
        class_name: str = "",
        name: str = "",
        visible: bool = True,
    ) -> "Kernel":
        """Make a kernel of read-only float64 arrays that were validated; see `kernel_arrays`."""
        kernel = object.__new__(cls)
        fields = (mean, covariance, weight, class_name, name, visible)
        for field, value in zip(_FIELDS, fields, strict=True):
            object.__setattr__(kernel, field, value)
        return kernel

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Kernel):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, so that copies and unpickled kernels are read-only again.
        arguments = (self.mean, self.covariance, self.weight, self.cls, self.name, self.visible)
        return _restore, arguments

    def _key(self) -> tuple[object, ...]:
        return (
            tuple(self.mean.tolist()),
            tuple(self.covariance_matrix.ravel().tolist()),
            self.weight,
            self.cls,
            self.name,
            self.visible,
        )


@dataclass(frozen=True)
class KernelSet(Sequence[Kernel]):
    """Kernels with the same channels: a Gaussian mixture.

    Parameters
    ----------
    kernels
        `Kernel` objects; also any object with attributes `mean`, `covariance` and `weight` (such as
        a namedtuple), or a tuple of these three. May be empty.
    name
        A name for people.
    space
        Color space of means and covariances, such as "rgb" or "bgr".

    Raises
    ------
    ValueError
        If a kernel is not valid or has other channels than the first; the message begins with the
        kernel's position, counted from 0, and its name: ``kernel 3 ('skin 4'): ...``.
    TypeError
        If an element is no kernel at all.
    """

    kernels: tuple[Kernel, ...]
    name: str = ""
    space: str = "rgb"

    def __init__(self, kernels: Iterable[Any], name: str = "", space: str = "rgb") -> None:
        if isinstance(kernels, Kernel):
            raise TypeError("kernels is a single Kernel; put it into a list: [kernel].")
        members = tuple(_as_kernel(kernel, index) for index, kernel in enumerate(kernels))
        for index, kernel in enumerate(members):
            if kernel.n_channels != members[0].n_channels:
                raise ValueError(
                    f"{_label(index, kernel.name)}: has {kernel.n_channels} channels but kernel 0 "
                    f"has {members[0].n_channels}; all kernels of a set need the same channels."
                )
        object.__setattr__(self, "kernels", members)
        object.__setattr__(self, "name", str(name))
        object.__setattr__(self, "space", str(space))

    def __len__(self) -> int:
        return len(self.kernels)

    @overload
    def __getitem__(self, index: int) -> Kernel: ...
    @overload
    def __getitem__(self, index: slice) -> "KernelSet": ...
    def __getitem__(self, index: int | slice) -> "Kernel | KernelSet":
        if isinstance(index, slice):
            return replace(self, kernels=self.kernels[index])
        return self.kernels[index]

    @property
    def n_channels(self) -> int:
        """Number of channels C; 0 for an empty set."""
        return self.kernels[0].n_channels if self.kernels else 0

    @cached_property
    def means(self) -> Array:
        """(K, C) means, read-only."""
        return self._stack([kernel.mean for kernel in self.kernels], 1)

    @cached_property
    def covariances(self) -> Array:
        """(K, C, C) covariance matrices, read-only."""
        return self._stack([kernel.covariance_matrix for kernel in self.kernels], 2)

    @cached_property
    def variances(self) -> Array:
        """(K, C) variance of each channel, read-only."""
        return self._stack([kernel.variances for kernel in self.kernels], 1)

    @cached_property
    def weights(self) -> Array:
        """(K,) weights as given, read-only."""
        return self._stack([np.asarray(kernel.weight) for kernel in self.kernels], 0)

    @cached_property
    def is_diagonal(self) -> bool:
        """Whether every kernel is diagonal."""
        return all(kernel.is_diagonal for kernel in self.kernels)

    @property
    def classes(self) -> tuple[str, ...]:
        """Distinct classes, in order of first appearance."""
        return tuple(dict.fromkeys(kernel.cls for kernel in self.kernels))

    def _stack(self, arrays: list[Array], ndim: int) -> Array:
        empty = np.zeros((0,) * (ndim + 1))
        return _read_only(np.stack(arrays) if arrays else empty)


def _restore(*arguments: Any) -> Kernel:
    mean, covariance, weight, cls, name, visible = arguments
    return Kernel(mean, covariance, weight, cls=cls, name=name, visible=visible)


def _as_kernel(value: Any, index: int) -> Kernel:
    """Turn an element of a sequence into a `Kernel`, saying which one where that fails."""
    if isinstance(value, Kernel):
        return value
    name = str(getattr(value, "name", ""))
    if all(hasattr(value, field) for field in ("mean", "covariance", "weight")):
        numbers = value.mean, value.covariance, value.weight
    elif isinstance(value, tuple | list) and len(value) == 3:
        numbers = value[0], value[1], value[2]
    else:
        raise TypeError(
            f"{_label(index, name)}: a {type(value).__name__} is not a kernel; give Kernel "
            "objects, objects with mean, covariance and weight, or tuples of these three."
        )
    try:
        _validated(*numbers)
    except ValueError as error:
        raise ValueError(f"{_label(index, name)}: {error}") from None
    return Kernel(*numbers, cls=str(getattr(value, "cls", "")), name=name)


def _label(index: int, name: str) -> str:
    return f"kernel {index} ({name!r})" if name else f"kernel {index}"


def _validated(mean: ArrayLike, covariance: ArrayLike, weight: float) -> tuple[Array, Array, float]:
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
    return _read_only(center), _read_only(spread), factor.item()


def _numbers(argument: str, value: ArrayLike) -> Array:
    """Copy into float64; refuse what is not a finite number."""
    try:
        array = np.array(value)
        if array.dtype.kind not in "biufO":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{argument} is {value!r}; give real numbers.") from None
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


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _short(array: Array) -> str:
    """Write an array on one line: an error message is one sentence."""
    text = np.array2string(array, precision=6, separator=", ", threshold=32)
    return " ".join(text.split())
