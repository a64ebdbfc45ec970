import numpy as np
import pytest
import torch

from napari_colorkde.core.device import HOST, Device, resolve_device


@pytest.fixture
def no_cards(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_cuda_cards(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "A card")


@pytest.fixture
def apple_gpu(monkeypatch, no_cards):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(6.0).reshape(2, 3)[:, ::-1],
        np.arange(6.0).reshape(3, 2).T,
        np.arange(12, dtype=np.uint16).reshape(2, 6)[:, ::2],
        np.broadcast_to(np.float32(3), (2, 3)),
        np.arange(6, dtype=">f8").reshape(2, 3),
        np.zeros((0, 3)),
        np.ones((2, 3), bool),
    ],
    ids=["plain", "reversed", "transposed", "strided", "broadcast", "big-endian", "empty", "bool"],
)
def test_arrays_of_any_layout_come_back(device, array):
    tensor = device.put(array)
    assert tensor.dtype == torch.float32
    np.testing.assert_array_equal(device.get(tensor), array.astype(np.float32))


def test_numbers_and_lists_keep_their_shape(device):
    assert device.put(2.5).shape == ()
    assert device.put([[1, 2]]).shape == (1, 2)


def test_read_only_arrays_are_put_without_a_warning(device):
    array = np.arange(3.0, dtype=np.float32)
    array.flags.writeable = False
    np.testing.assert_array_equal(device.get(device.put(array) + 1), [1, 2, 3])


def test_float64_is_computed_somewhere(device):
    third = device.exact.put([1.0], torch.float64) / 3
    assert device.exact.get(third)[0] == 1 / 3


def test_the_host_stands_in_for_missing_float64():
    card = Device(torch.device("mps"), has_float64=False)
    assert card.exact is HOST
    assert HOST.exact is HOST


def test_auto_is_the_cpu_without_a_card(no_cards):
    assert resolve_device() is HOST
    assert "CPU" in HOST.name


def test_auto_takes_cuda_first(two_cuda_cards):
    device = resolve_device("auto")
    assert device.torch_device.type == "cuda"
    assert device.has_float64
    assert device.name == "A card (cuda)"


def test_auto_takes_mps_next(apple_gpu):
    device = resolve_device("auto")
    assert device.torch_device.type == "mps"
    assert not device.has_float64
    assert "Apple" in device.name
    assert resolve_device("mps") == device


@pytest.mark.parametrize("given", ["cuda:1", torch.device("cuda:1")])
def test_a_card_can_be_named(two_cuda_cards, given):
    assert resolve_device(given).torch_device == torch.device("cuda:1")


@pytest.mark.parametrize("given", ["cpu", torch.device("cpu"), HOST])
def test_the_cpu_can_be_named(given):
    assert resolve_device(given) is HOST


@pytest.mark.parametrize("given", ["cuda", "cuda:0", torch.device("cuda")])
def test_a_missing_card_is_said(no_cards, given):
    with pytest.raises(ValueError, match=r"no such CUDA device.*auto"):
        resolve_device(given)


def test_a_card_too_many_is_said(two_cuda_cards):
    with pytest.raises(ValueError, match=r"cuda:2.*no such CUDA device"):
        resolve_device("cuda:2")


def test_a_missing_apple_gpu_is_said(no_cards):
    with pytest.raises(ValueError, match=r"no Apple GPU.*auto"):
        resolve_device("mps")


@pytest.mark.parametrize("given", ["gpu", "", "meta", None, 1.5])
def test_an_unknown_name_is_said(given):
    with pytest.raises(ValueError, match=r"is not known; use .*auto.*cpu.*cuda.*mps"):
        resolve_device(given)


@pytest.mark.parametrize(("threads", "name"), [(1, "CPU, 1 thread"), (2, "CPU, 2 threads")])
def test_the_cpu_says_how_many_threads(monkeypatch, threads, name):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert HOST.name == name
