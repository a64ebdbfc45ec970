"""A pretend graphics card: the CPU, strict about devices, to test device code without one.

Tensors on it report the device "meta" but hold real numbers. As on a real card,

- an operation that mixes its tensors with tensors of the host raises `RuntimeError` (tensors
  without axes may mix, as in torch; indices of the host may not, though cuda lets them);
- ``.numpy()`` and ``np.asarray`` raise `TypeError`; ``.to("cpu")`` copies back;
- without float64, as on mps, a float64 tensor raises `TypeError` wherever it would appear.

In a test of the engine take the fixture `device` (``tests/core/conftest.py``) and pass it on::

    def test_mixture_equals_the_reference(device):
        compute_densities(image, kernels, device=device)

The test then runs on the host, on a pretend device, and on one without float64. The fixture has
module scope, so it goes together with ``@given``. Elsewhere::

    with pretend_device(has_float64=False) as device: ...

Tensors made on "meta" behind the mode's back hold no numbers and raise at their first use: those of
``torch.tensor(numbers, device=...)`` (use `Device.put`) and those of other threads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

from napari_colorkde.core.device import Device

META = torch.device("meta")
HOST = torch.device("cpu")
MAY_MIX = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class PretendTensor(torch.Tensor):
    """A tensor of the host, `inner`, that says it is on "meta"."""

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> "PretendTensor":
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=META,
        )

    def __init__(self, inner: torch.Tensor) -> None:
        self.inner = inner

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"PretendTensor({self.inner})"

    def tolist(self) -> object:
        return self.inner.tolist()  # torch's own goes around the dispatcher

    def numpy(self, **kwargs: object) -> np.ndarray:
        raise TypeError("can't convert a tensor of a device to numpy; use Device.get")

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {}, has_float64=True)


class PretendMode(TorchDispatchMode):
    """Makes new tensors on "meta" pretend ones, and knows whether there is float64."""

    def __init__(self, has_float64: bool) -> None:
        super().__init__()
        self.has_float64 = has_float64

    @classmethod
    def _should_skip_dynamo(cls):
        """Say that torch's compiler, which takes seconds to import, need not be kept away."""
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {}, has_float64=self.has_float64)


@contextmanager
def pretend_device(*, has_float64: bool) -> Iterator[Device]:
    """Give a `Device` to pass as the argument ``device=``, for the time of a with block."""
    with PretendMode(has_float64):
        yield Device(META, has_float64=has_float64)


def _run(func, args, kwargs, *, has_float64):
    tensors = []
    _find_tensors(args, tensors)
    _find_tensors(kwargs.values(), tensors)
    target = kwargs.get("device")  # of factories and transfers
    pretend = any(type(x) is PretendTensor for x in tensors)
    if any(type(x) is not PretendTensor and x.device == META for x in tensors):
        raise RuntimeError(f"a tensor on meta without numbers, in {func}; make it with Device.put")
    foreign = any(type(x) is not PretendTensor and x.dim() > 0 for x in tensors)
    if pretend and foreign and func not in MAY_MIX:
        raise RuntimeError(f"Expected all tensors to be on the same device, in {func}")
    stays = type(args[0]) is PretendTensor if func in MAY_MIX else pretend
    on_device = stays if target is None else torch.device(target) == META
    if not pretend and not on_device:
        return func(*args, **kwargs)

    inner_kwargs = {name: _inner(value) for name, value in kwargs.items()}
    if target is not None:
        inner_kwargs["device"] = HOST
    result = func(*_inner(args), **inner_kwargs)
    if not on_device:
        return result
    if (written := _written(func)) is not None:
        position, name = written
        return args[position] if position < len(args) else kwargs[name]
    wrapped = _wrapped(result, func, has_float64)
    return return_and_correct_aliasing(func, args, kwargs, wrapped) if _aliases(func) else wrapped


# Torch's own walks through nested arguments take longer than the operations of many a test.


def _find_tensors(values, found):
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            _find_tensors(value, found)


def _inner(value):
    """Return arguments with host tensors in the place of pretend ones."""
    if type(value) is PretendTensor:
        return value.inner
    if type(value) in (list, tuple):
        return type(value)(_inner(item) for item in value)
    return value


def _wrapped(result, func, has_float64):
    """Return what an operation gave with pretend tensors in the place of host ones."""
    if isinstance(result, torch.Tensor):
        if not has_float64 and result.dtype in (torch.float64, torch.complex128):
            raise TypeError(f"this device has no {result.dtype}, in {func}")
        return PretendTensor(result)
    if isinstance(result, (list, tuple)):
        return type(result)(_wrapped(item, func, has_float64) for item in result)
    return result


@cache
def _written(func):
    """Return place and name of the argument that an operation writes to and returns, or None."""
    schema = func._schema
    if len(schema.returns) != 1 or torch.Tag.inplace_view in func.tags:
        return None
    alias = schema.returns[0].alias_info
    if alias is None or not alias.is_write:
        return None
    return next(
        (place, argument.name)
        for place, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )


@cache
def _aliases(func):
    """Whether some result of an operation is a view of an argument, or the argument itself."""
    schema = func._schema
    return any(item.alias_info is not None for item in (*schema.arguments, *schema.returns))
