"""Where the numbers are computed: cuda, mps or cpu.

The only module that moves arrays between NumPy and torch. Everything else asks a `Device`, so that
one code path serves all of them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from napari_colorkde.core.number_text import counted


@dataclass(frozen=True, slots=True)
class Device:
    """A place to compute.

    Parameters
    ----------
    torch_device
        What torch calls it.
    has_float64
        Whether double precision exists there; where it does not, `exact` is the host.
    """

    torch_device: torch.device
    has_float64: bool = True

    @property
    def exact(self) -> "Device":
        """This device if it computes in float64, otherwise the host."""
        return self if self.has_float64 else HOST

    def put(self, array: ArrayLike, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Copy an array to the device as `dtype`; on the host no copy is made where none is needed.

        The result must not be written to: on the host it may share memory with `array`.
        """
        host = torch.from_numpy(_torch_ready(np.asarray(array)))
        return host.to(dtype).to(self.torch_device)

    def get(self, tensor: torch.Tensor) -> NDArray[np.generic]:
        """Copy a tensor back into a NumPy array."""
        return tensor.detach().to("cpu").numpy()

    @property
    def name(self) -> str:
        """A name for people: the card's own name, or "CPU, 2 threads"."""
        if self.torch_device.type == "cuda":
            return f"{torch.cuda.get_device_name(self.torch_device)} ({self.torch_device})"
        if self.torch_device.type == "mps":
            return "Apple GPU (mps)"
        return f"CPU, {counted(torch.get_num_threads(), 'thread')}"


HOST = Device(torch.device("cpu"))


DeviceName = Literal["auto", "cuda", "mps", "cpu"]
"""Those without a number; "cuda:1" is a name, too."""

DeviceLike = DeviceName | str | torch.device | Device


def resolve_device(device: DeviceLike = "auto") -> Device:
    """Turn "auto", "cuda", "cuda:1", "mps", "cpu" or a torch device into a `Device`.

    "auto" takes cuda where there is one, then mps, then the CPU.

    Raises
    ------
    ValueError
        If the name is unknown or that device is not present here.
    """
    if isinstance(device, Device):
        return device
    if device == "auto":
        if torch.cuda.is_available():
            return Device(torch.device("cuda"))
        if torch.backends.mps.is_available():
            return Device(torch.device("mps"), has_float64=False)
        return HOST
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(_unknown(device)) from error
    if wanted.type == "cpu":
        return HOST
    if wanted.type == "cuda":
        if not torch.cuda.is_available() or (wanted.index or 0) >= torch.cuda.device_count():
            raise ValueError(
                f'device={str(device)!r}: torch finds no such CUDA device; use device="auto" or '
                '"cpu", or install a CUDA build of torch.'
            )
        return Device(wanted)
    if wanted.type == "mps":
        if not torch.backends.mps.is_available():
            raise ValueError('device="mps": torch finds no Apple GPU; use device="auto" or "cpu".')
        return Device(wanted, has_float64=False)
    raise ValueError(_unknown(device))


def _unknown(device: object) -> str:
    return f'device={str(device)!r} is not known; use "auto", "cpu", "cuda", "cuda:N" or "mps".'


def _torch_ready(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Give torch an array it takes: contiguous, native and writeable; a copy only if it is not."""
    return np.require(array, array.dtype.newbyteorder("="), ["C", "W"])


def without_denormals(matrix: NDArray[np.float64], dtype: torch.dtype) -> NDArray[np.float64]:
    """Round numbers below the smallest normal one to zero: denormals are inexact and slow."""
    tiny = torch.finfo(dtype).tiny
    return np.where(matrix < tiny, 0.0, matrix)
