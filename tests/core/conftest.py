from contextlib import nullcontext

import pytest

from napari_colorkde.core.device import HOST
from tests.pretend_device import pretend_device


@pytest.fixture(scope="module", params=["cpu", "pretend", "pretend without float64"])
def device(request):
    """The devices every engine test runs on; see `tests/pretend_device.py`."""
    devices = {
        "cpu": lambda: nullcontext(HOST),
        "pretend": lambda: pretend_device(has_float64=True),
        "pretend without float64": lambda: pretend_device(has_float64=False),
    }
    with devices[request.param]() as device:
        yield device
