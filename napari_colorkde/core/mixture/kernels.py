"""Gaussian kernels and sets of them: plain validated data, numbers kept as given.

No densities are computed here; see `napari_colorkde.core.mixture.at_colors`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Protocol, overload, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.checks.options import flag, text_of
from napari_colorkde.core.colorspaces import KernelSpace
from napari_colorkde.core.mixture.kernel_checks import (
    checked_kernel_space,
    kernel_label,
    refuse_no_kernels,
    validated,
)
from napari_colorkde.core.mixture.kernel_table import KernelTable

Array = NDArray[np.float64]

_FIELDS = ("mean", "covariance", "weight", "cls", "name", "visible")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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
        A descriptive name; error messages quote it.
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
            values = validated(mean, covariance, weight)
        except ValueError as error:
            raise ValueError(f"kernel {name!r}: {error}" if name else str(error)) from None
        fields = (*values, text_of(cls, "cls"), text_of(name, "name"), flag(visible, "visible"))
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

    def __repr__(self) -> str:
        numbers = f"mean={_short(self.mean)}, std={_short(np.sqrt(self.variances))}"
        rho = "" if self.is_diagonal else " (correlated)"
        cls = f", cls={self.cls!r}" if self.cls else ""
        name = f", name={self.name!r}" if self.name else ""
        return f"Kernel({numbers}{rho}, weight={self.weight:.4g}{cls}{name})"

    def __reduce__(self) -> tuple[object, ...]:
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


@runtime_checkable
class KernelLike(Protocol):
    """Any object with the numbers of a kernel, such as a namedtuple."""

    @property
    def mean(self) -> ArrayLike:
        """See `Kernel`."""
        ...

    @property
    def covariance(self) -> ArrayLike:
        """See `Kernel`."""
        ...

    @property
    def weight(self) -> float:
        """See `Kernel`."""
        ...


KernelNumbers = tuple[ArrayLike, ArrayLike, float]
"""Mean, covariance and weight."""


@dataclass(frozen=True, repr=False)
class KernelSet(KernelTable, Sequence[Kernel]):
    """Kernels with the same channels: a Gaussian mixture.

    Parameters
    ----------
    kernels
        `Kernel` objects; also any object with attributes `mean`, `covariance` and `weight` (such as
        a namedtuple), or a tuple of these three. May be empty.
    name
        A descriptive name.
    space
        Color space of means and covariances: "rgb", an image's own channels in their order; "bgr",
        the same in the order of OpenCV; or one of those of `ColorKDE`.

    Raises
    ------
    ValueError
        If a kernel is not valid or has a different number of channels from the first; the message
        begins with the kernel's position, counted from 0, and its name:
        ``kernel 3 ('skin 4'): ...``.
    TypeError
        If an element is not a kernel.
    """

    kernels: tuple[Kernel, ...]
    name: str = ""
    space: str = "rgb"

    def __init__(
        self,
        kernels: "Iterable[KernelLike | KernelNumbers]",
        name: str = "",
        space: KernelSpace | str = "rgb",
    ) -> None:
        if isinstance(kernels, Kernel):
            raise TypeError("kernels is a single Kernel; put it into a list: [kernel].")
        refuse_no_kernels(kernels)
        members = tuple(_as_kernel(kernel, index) for index, kernel in enumerate(kernels))
        for index, kernel in enumerate(members):
            if kernel.n_channels != members[0].n_channels:
                raise ValueError(
                    f"{kernel_label(index, kernel.name)}: has {kernel.n_channels} channels but "
                    f"kernel 0 has {members[0].n_channels}; all kernels of a set need the same "
                    "channels."
                )
        object.__setattr__(self, "kernels", members)
        object.__setattr__(self, "name", text_of(name, "name"))
        object.__setattr__(self, "space", checked_kernel_space(space))

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

    def to_space(self, space: KernelSpace | str, *, white: float = 255.0) -> "KernelSet":
        """Return the same Gaussians in another color space, with the weights they have.

        Parameters
        ----------
        space
            See `KernelSet`. Gaussians stay Gaussians between "rgb", "bgr" and "ycbcr" only.
        white
            Level of white of kernels in "rgb" and "bgr": 255 of 8-bit images, 1 of fractions.

        Raises
        ------
        ValueError
            If they are not Gaussians in that space, or the space is not known.
        """
        from napari_colorkde.core.mixture.kernel_spaces import kernels_to_space

        return kernels_to_space(self, space, white)


def _restore(
    mean: Array, covariance: Array, weight: float, cls: str, name: str, visible: bool
) -> Kernel:
    return Kernel(mean, covariance, weight, cls=cls, name=name, visible=visible)


def _as_kernel(value: object, index: int) -> Kernel:
    """Turn an element of a sequence into a `Kernel`, saying which one where that fails."""
    if isinstance(value, Kernel):
        return value
    name = str(getattr(value, "name", ""))
    if isinstance(value, KernelLike):
        numbers = value.mean, value.covariance, value.weight
    elif isinstance(value, tuple | list) and len(value) == 3:
        numbers = value[0], value[1], value[2]
    else:
        raise TypeError(
            f"{kernel_label(index, name)}: a {type(value).__name__} is not a kernel; give Kernel "
            "objects, objects with mean, covariance and weight, or tuples of these three."
        )
    try:
        validated(*numbers)
    except ValueError as error:
        raise ValueError(f"{kernel_label(index, name)}: {error}") from None
    return Kernel(*numbers, cls=str(getattr(value, "cls", "")), name=name)


def _short(values: Array) -> str:
    return f"[{', '.join(f'{value:.4g}' for value in values.tolist())}]"
