"""A mesh of bricks: points spread over it, the kernel carried along its axes, points read off.

Only bricks that matter are there. All the work is in batched matrix products:

    spread   ``mesh[i, j, k] += Σ_n A[n, i] · (B[n, j] C[n, k])``
    carry    ``mesh'[i, j, k] = Σ_l κ[i, l] mesh[l, j, k]``, axis by axis, brick by brick
    read     ``value[n] = Σ_jk (Σ_i A[n, i] mesh'[i, j, k]) · (B[n, j] C[n, k])``

with A, B and C the weights of point n on the nodes that its group meets, axis by axis.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.bsplines import Scheme
from napari_colorkde.core.kernel_sums.choose_loops import in_threads, loops_for, shares
from napari_colorkde.core.kernel_sums.points_in_bricks import EDGE, Integers, Placement, batches

PRODUCTS = 1 << 20
"""Numbers multiplied at a time: 4 MB in float32, so that they stay in the cache."""

BATCH = 16
"""Most points of a group that are multiplied together."""

SCALE = 2.0**40
"""What counts are multiplied by on the mesh: far along three axes at once there would be denormal
numbers, which are inexact and slow."""

LINE = 8
"""Numbers that compiled loops read together: bricks have room for them after their last node."""

Kernels = tuple[torch.Tensor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Bricks:
    """Values at the nodes of n bricks.

    Attributes
    ----------
    numbers
        (n,) the bricks' numbers, ascending.
    strides
        (C,) what separates the numbers of neighbors along each axis.
    values
        (n, EDGE, …) float32.
    """

    numbers: Integers
    strides: Integers
    values: torch.Tensor


def spread(
    placement: Placement,
    counts: NDArray[np.float32],
    numbers: Integers,
    strides: Integers,
    scheme: Scheme,
    device: Device,
) -> Bricks:
    """Add every point's ``SCALE · count · Π_a weight_a`` to the nodes that its group meets.

    Parameters
    ----------
    placement
        The points, all in these bricks.
    counts
        (Q,) by row.
    numbers, strides
        See `Bricks`. Nodes in other bricks are left out.

    Notes
    -----
    O(Q · Π_a (group + order − 1)) multiplications.
    """
    channels, more = len(strides), scheme.order - 1
    n_nodes = (EDGE + more) ** channels
    room = torch.zeros(len(numbers), n_nodes + LINE, device=device.torch_device)
    if loops := loops_for(placement.n_points, channels, device):
        amounts = np.float32(SCALE) * counts
        _by_loop(loops.spread, placement, numbers, scheme, amounts, device.get(room))
    else:
        mesh = room.view(-1)
        for rows, is_real, nodes, weights in _batches(placement, numbers, scheme, device):
            amounts = np.where(is_real, np.float32(SCALE) * counts[rows], 0)
            first = weights[0] * device.put(amounts)[..., None]
            blocks = torch.bmm(first.transpose(1, 2), _outer(weights))
            mesh.scatter_add_(0, nodes.view(-1), blocks.view(-1))
    mesh = room[:, :n_nodes].reshape(-1, *[EDGE + more] * channels)
    for axis, stride in enumerate(strides, start=1):
        # Nodes beyond the end of a brick are the first ones of the next.
        to, from_ = _neighbors(numbers, numbers, -int(stride), device)
        first, beyond = mesh.narrow(axis, 0, more), mesh.narrow(axis, EDGE, more)
        first.index_add_(0, to, beyond.index_select(0, from_))
        mesh = mesh.narrow(axis, 0, EDGE)
    return Bricks(numbers, strides, mesh.contiguous())


def carry(bricks: Bricks, axis: int, numbers: Integers, kernels: Kernels, device: Device) -> Bricks:
    """Multiply an axis by the kernel (see `kernel_blocks`), for the bricks of these numbers.

    O(n · 3 · EDGE^(C + 1)) multiplications.
    """
    values = bricks.values
    result = values.new_empty(len(numbers), *values.shape[1:])
    after = EDGE ** (values.dim() - 2 - axis)
    stride = int(bricks.strides[axis])
    sources = [_found(numbers + shift * stride, bricks.numbers) for shift in (-1, 0, 1)]
    together = max(1, PRODUCTS // EDGE ** (values.dim() - 1))
    for start in range(0, len(numbers), together):
        part = slice(start, start + together)
        target = result[part].view((-1, EDGE) if after == 1 else (-1, EDGE, after))
        beta = 0.0  # the first product overwrites what was there
        for kernel, (place, is_there) in zip(kernels, sources, strict=True):
            there = is_there[part]
            if not there.any() and beta:
                continue
            source = values.index_select(0, device.put(place[part], torch.int64))
            if not there.all():
                source[device.put(np.flatnonzero(~there), torch.int64)] = 0
            source = source.view(target.shape)
            if after == 1:
                torch.addmm(target, source, kernel.T, beta=beta, out=target)
            else:
                left = kernel.expand(len(target), EDGE, EDGE)
                torch.baddbmm(target, left, source, beta=beta, out=target)
            beta = 1.0
    return Bricks(numbers, bricks.strides, result)


def read(
    bricks: Bricks, placement: Placement, scheme: Scheme, out: NDArray[np.float32], device: Device
) -> None:
    """Write each point's ``Σ_nodes value · Π_a weight_a`` to its row of `out`.

    The points lie in these bricks. O(Q · Π_a (group + order − 1)) multiplications.
    """
    more, channels = scheme.order - 1, len(bricks.strides)
    n_nodes = (EDGE + more) ** channels
    room = bricks.values.new_zeros(len(bricks.numbers), n_nodes + LINE)
    # In place, as there is much of it: the bricks, then what each meets of the next ones.
    mesh = room[:, :n_nodes].view(-1, *[EDGE + more] * channels)
    own = mesh
    for axis in range(1, channels + 1):
        own = own.narrow(axis, 0, EDGE)
    torch.div(bricks.values, SCALE, out=own)
    for axis, stride in reversed(list(enumerate(bricks.strides, start=1))):
        to, from_ = _neighbors(bricks.numbers, bricks.numbers, int(stride), device)
        first, beyond = mesh.narrow(axis, 0, more), mesh.narrow(axis, EDGE, more)
        beyond.index_copy_(0, to, first.index_select(0, from_))
    if loops := loops_for(placement.n_points, len(bricks.strides), device):
        _by_loop(loops.read, placement, bricks.numbers, scheme, device.get(room), out)
        return
    for rows, is_real, nodes, weights in _batches(placement, bricks.numbers, scheme, device):
        blocks = room.view(-1).index_select(0, nodes.view(-1))
        blocks = blocks.view(len(nodes), weights.shape[-1], -1)
        values = torch.bmm(weights[0], blocks).mul_(_outer(weights)).sum(dim=-1)
        out[rows[is_real]] = device.get(values)[is_real]


def kernel_blocks(scheme: Scheme, device: Device) -> Kernels:
    """Return κ (EDGE, EDGE) to a brick's nodes from those of the one before, itself, the next."""
    nodes = np.arange(EDGE)
    blocks = []
    for shift in (-1, 0, 1):
        distance = np.asarray(scheme.step * (nodes[:, np.newaxis] - nodes - shift * EDGE))
        # Nodes of two points lie up to a spline's width further apart than these.
        is_reached = np.abs(distance) <= scheme.reach + scheme.step * scheme.order
        blocks.append(device.put(np.where(is_reached, scheme.deconvolved(distance, 2), 0.0)))
    return tuple(blocks)


def _neighbors(
    numbers: Integers, others: Integers, offset: int, device: Device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which of these bricks have one of the others at this offset, and which that is."""
    place, is_there = _found(numbers + offset, others)
    there = np.flatnonzero(is_there)
    return device.put(there, torch.int64), device.put(place[there], torch.int64)


def _found(numbers: Integers, others: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """Return where numbers are among others, ascending, and whether they are there at all."""
    place = np.minimum(np.searchsorted(others, numbers), len(others) - 1)
    return place, others[place] == numbers


def _batches(
    placement: Placement, numbers: Integers, scheme: Scheme, device: Device
) -> Iterator[tuple[Integers, NDArray[np.bool_], torch.Tensor, torch.Tensor]]:
    """Yield batches of points with the nodes they meet and their weights there.

    Yields
    ------
    rows, is_real
        (n, b) points, and False where a short batch repeats its last.
    nodes
        (n, (group + order − 1)^C) positions in a mesh of bricks that are order − 1 nodes longer.
    weights
        (C, n, b, group + order − 1).
    """
    channels, width = placement.points.shape[1], placement.group + scheme.order - 1
    edge = EDGE + scheme.order - 1
    start = np.searchsorted(numbers, placement.brick) * (edge**channels + LINE)
    start += np.ravel_multi_index(tuple(placement.corner.T), (edge,) * channels)
    offsets = np.zeros(1, np.int64)
    for _ in range(channels):
        offsets = np.add.outer(offsets * edge, np.arange(width)).ravel()
    within, table = device.put(offsets, torch.int64), device.put(scheme.weights(placement.group))
    together = max(1, PRODUCTS // (BATCH * width ** max(1, channels - 1)))
    for groups, places, is_real in batches(placement, BATCH, together):
        rows = placement.order[places]
        cells, place = placement.within_cells(rows, placement.corner[groups])
        t = device.put(np.moveaxis(place, -1, 0)).reshape(-1)
        powers = [torch.ones_like(t)]
        for _ in range(scheme.order - 1):
            powers.append(powers[-1] * t)
        terms = torch.stack(powers)
        if placement.group > 1:  # the terms of each of the group's cells, zero in the others
            cell = device.put(np.moveaxis(cells, -1, 0)).reshape(-1)
            each = torch.arange(placement.group, dtype=cell.dtype, device=cell.device)
            terms = (terms * (cell == each[:, None]).to(terms.dtype)[:, None]).flatten(0, 1)
        weights = (terms.T @ table).clamp_(min=0)  # rounding may have left less
        nodes = device.put(start[groups], torch.int64)[:, None] + within
        yield rows, is_real, nodes, weights.view(channels, *rows.shape, width)


def _by_loop(
    loop: Callable[..., None],
    placement: Placement,
    numbers: Integers,
    scheme: Scheme,
    *arrays: NDArray[Any],
) -> None:
    """Run a compiled loop over all bricks that hold points, with as many threads as torch has."""
    table = np.zeros((LINE, LINE), np.float32)
    table[: scheme.order, : scheme.order] = scheme.weights(1)
    held, first, last = placement.runs
    brick = np.searchsorted(numbers, held)
    points = np.cumsum(last - first)
    ends = np.searchsorted(points, shares(points[-1]))

    def work(share: tuple[Integers, ...]) -> None:
        loop(
            placement.points, placement.order, *share, placement.step, table, scheme.order, *arrays
        )

    in_threads(work, zip(*(np.split(run, ends) for run in (first, last, brick)), strict=True))


def _outer(weights: torch.Tensor) -> torch.Tensor:
    """Return the products (n, b, …) of a batch's weights along all axes but the first."""
    product = torch.ones_like(weights[0, ..., :1])
    for factor in weights[1:]:
        product = (product[..., :, None] * factor[..., None, :]).flatten(2)
    return product
