"""The yardstick of device tests must itself refuse what a card refuses."""

import numpy as np
import pytest
import torch

from tests.pretend_device import PretendTensor, pretend_device

NUMBERS = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def card():
    with pretend_device(has_float64=True) as device:
        yield device


@pytest.fixture
def card_without_float64():
    with pretend_device(has_float64=False) as device:
        yield device


def test_it_computes_real_numbers(card):
    x = card.put(NUMBERS)
    product = (x @ x.T).sqrt().square()[1:, ::2].sum(dim=0, keepdim=True)
    expected = (NUMBERS @ NUMBERS.T)[1:, ::2].sum(0, keepdims=True)
    np.testing.assert_allclose(card.get(product), expected, rtol=1e-5)
    assert x.device.type == "meta"
    assert float(x.max()) == 11
    assert x.tolist() == NUMBERS.tolist()


@pytest.mark.parametrize(
    "make",
    [
        lambda device: torch.ones(2, 3, device=device),
        lambda device: torch.full((2, 3), 1.0, device=device),
        lambda device: torch.arange(6, device=device).view(2, 3).clamp(1, 1).float(),
        lambda device: torch.empty(2, 3, device=device).new_ones(2, 3),
        lambda device: torch.as_tensor(np.ones((2, 3), np.float32), device=device),
    ],
)
def test_new_tensors_are_on_it(card, make):
    tensor = make(card.torch_device)
    assert isinstance(tensor, PretendTensor)
    np.testing.assert_array_equal(card.get(tensor), np.ones((2, 3)))


def test_writing_through_views_and_out_arguments_works(card):
    x = card.put(NUMBERS)
    x = x.clone()
    x[0] = 7
    x[1:].mul_(2).add_(1)
    torch.add(x[0], 1, out=x[0])
    x[2].copy_(torch.zeros(4))
    x.index_add_(0, card.put([1], torch.int64), card.put(np.ones((1, 4))))
    np.testing.assert_array_equal(card.get(x), [[8] * 4, [2 * v + 2 for v in range(4, 8)], [0] * 4])


def test_transfers_copy(card):
    host = torch.zeros(3)
    there = host.to(card.torch_device)
    there += 1
    back = there.cpu()
    assert host.sum() == 0
    assert type(back) is torch.Tensor
    assert back.sum() == 3


@pytest.mark.parametrize(
    "mix",
    [
        lambda there, here: there + here,
        lambda there, here: here @ there.T,
        lambda there, here: torch.cat([there, here]),
        lambda there, here: here.add_(there),
        lambda there, here: torch.where(there > 0, there, here),
        lambda there, here: here[there.long()[0] * 0],
    ],
)
def test_tensors_of_two_devices_do_not_mix(card, mix):
    with pytest.raises(RuntimeError, match="same device"):
        mix(card.put(NUMBERS), torch.from_numpy(NUMBERS))


def test_tensors_without_axes_mix(card):
    result = card.put(NUMBERS) * torch.tensor(2.0)
    np.testing.assert_array_equal(card.get(result), 2 * NUMBERS)


def test_tensors_made_behind_its_back_raise(card):
    empty = torch.tensor([1.0, 2.0], device=card.torch_device)
    with pytest.raises(RuntimeError, match=r"Device\.put"):
        empty + 1


@pytest.mark.parametrize("read", [lambda x: x.numpy(), np.asarray, lambda x: x[0].numpy()])
def test_numpy_cannot_look_into_it(card, read):
    with pytest.raises(TypeError, match="numpy"):
        read(card.put(NUMBERS))


@pytest.mark.parametrize(
    "use",
    [
        lambda device: device.put(NUMBERS, torch.float64),
        lambda device: device.put(NUMBERS).double(),
        lambda device: torch.zeros(3, dtype=torch.float64, device=device.torch_device),
        lambda device: torch.from_numpy(NUMBERS.astype(np.float64)).to(device.torch_device),
        lambda device: device.put(NUMBERS).sum(dtype=torch.float64),
    ],
)
def test_a_device_without_float64_refuses_it(card_without_float64, use):
    with pytest.raises(TypeError, match="float64"):
        use(card_without_float64)


def test_the_host_keeps_float64_beside_a_device_without(card_without_float64):
    exact = card_without_float64.exact
    np.testing.assert_array_equal(exact.get(exact.put(NUMBERS, torch.float64) + 1), NUMBERS + 1)
