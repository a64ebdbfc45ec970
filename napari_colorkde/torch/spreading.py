"""Colors summed over the nodes of a mesh, as an operation of torch with gradients.

Colors are sorted into bricks of cells. Those of a brick meet the same few nodes, so that they are
summed by matrix products, a batch of them at a time:

    ``mesh[i, j, k] += Σ_n w[n] A[n, i] · (B[n, j] C[n, k])``

with A, B and C the weights of color n along the axes. The gradient with respect to the colors reads
the mesh's gradient with the weights' derivatives instead; nothing of the size colors × nodes is
ever kept.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from napari_colorkde.torch.kernel_windows import EDGE, Window

BATCH = 32
"""Most colors of one brick that are multiplied together."""

PRODUCTS = 1 << 20
"""Products of weights held at a time: 4 MB in float32, so that they stay in the cache."""

Windows = tuple[Window, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """Colors in batches of neighbors.

    Attributes
    ----------
    rows
        (n, b) which colors, of all images one after the other.
    is_real
        (n, b), False where a short batch repeats its last.
    corner
        (n, C) the first cell of the batch's brick.
    brick
        (n,) number of the brick, ascending.
    first_node
        (n,) position of the brick's first node in the mesh.
    """

    rows: torch.Tensor
    is_real: torch.Tensor
    corner: torch.Tensor
    brick: torch.Tensor
    first_node: torch.Tensor

    def parts(self, together: int) -> Iterator["Batches"]:
        """Yield so many batches at a time."""
        for start in range(0, len(self.rows), together):
            part = slice(start, start + together)
            yield Batches(
                self.rows[part],
                self.is_real[part],
                self.corner[part],
                self.brick[part],
                self.first_node[part],
            )


def spread(x: torch.Tensor, weights: torch.Tensor | None, windows: Windows) -> torch.Tensor:
    """Add each color's weight times its windows' to the nodes of its image's mesh.

    Parameters
    ----------
    x
        (N, P, C) colors, float32 or float64; those that are in no cell are left out.
    weights
        (N, P) of the same dtype; None: 1.
    windows
        C.

    Returns
    -------
    torch.Tensor
        (N, nodes_0, …, nodes_{C−1}). Differentiable once, in `x` and `weights`.
    """
    mesh: torch.Tensor = _Spread.apply(x, weights, windows)  # type: ignore[no-untyped-call]
    return mesh


class _Spread(torch.autograd.Function):
    """See `spread`."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weights: torch.Tensor | None, windows: Windows
    ) -> torch.Tensor:
        colors = x.detach().reshape(-1, x.shape[-1])
        amounts = None if weights is None else weights.detach().reshape(-1)
        batches = _sorted_into_bricks(colors, len(x), windows)
        ctx.save_for_backward(x, weights)
        ctx.windows, ctx.batches = windows, batches
        shape = [window.nodes for window in windows]
        mesh = colors.new_zeros(len(x), *shape)
        within = _nodes_of_brick(windows, x.device)
        for part in batches.parts(_together(windows)):
            factors = _factors(colors, part, windows, 0)
            amount = part.is_real.to(x.dtype)
            if amounts is not None:
                amount = amount * amounts[part.rows]
            first = factors[0] * amount[..., None]
            blocks = torch.bmm(first.transpose(1, 2), _outer(factors[1:], first)).flatten(1)
            # First by brick: sums of sums round less than one long sum, and there are few bricks.
            bricks, place = torch.unique_consecutive(part.first_node, return_inverse=True)
            sums = blocks.new_zeros(len(bricks), blocks.shape[1]).index_add_(0, place, blocks)
            mesh.view(-1).index_add_(0, (bricks[:, None] + within).view(-1), sums.view(-1))
        return mesh

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(
        ctx: Any, gradient: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        x, weights = ctx.saved_tensors
        windows, batches = ctx.windows, ctx.batches
        wants_x, wants_weights, _ = ctx.needs_input_grad
        colors = x.detach().reshape(-1, x.shape[-1])
        by_x = torch.zeros_like(colors) if wants_x else None
        by_weights = colors.new_zeros(len(colors)) if wants_weights else None
        nodes = gradient.contiguous().view(-1)
        within = _nodes_of_brick(windows, x.device)
        for part in batches.parts(_together(windows)):
            bricks, place = torch.unique_consecutive(part.first_node, return_inverse=True)
            blocks = nodes[bricks[:, None] + within].index_select(0, place)
            blocks = blocks.view(len(part.rows), windows[0].width, -1)
            rows, is_real = part.rows[part.is_real], part.is_real
            factors = _factors(colors, part, windows, 0)
            if by_weights is not None:
                by_weights[rows] = _read(blocks, factors)[is_real]
            if by_x is not None:
                slopes = _factors(colors, part, windows, 1)
                values = _read_slopes(blocks, factors, slopes)
                by_x[rows] = values[is_real]
        if by_x is not None:
            if weights is not None:
                by_x *= weights.detach().reshape(-1, 1)
            by_x = by_x.view(x.shape)
        return by_x, None if by_weights is None else by_weights.view(weights.shape), None


def _read(blocks: torch.Tensor, factors: list[torch.Tensor]) -> torch.Tensor:
    """Return ``Σ_ijk block[i, j, k] A[i] B[j] C[k]`` for each color of a batch, (n, b)."""
    values = torch.bmm(factors[0], blocks)
    for factor in factors[1:]:
        values = _contract(values, factor)
    return values[..., 0]


def _read_slopes(
    blocks: torch.Tensor, factors: list[torch.Tensor], slopes: list[torch.Tensor]
) -> torch.Tensor:
    """Return the same with the weights of one axis after the other differentiated, (n, b, C)."""
    value, by_axis = torch.bmm(factors[0], blocks), [torch.bmm(slopes[0], blocks)]
    for factor, slope in zip(factors[1:], slopes[1:], strict=True):
        by_axis = [_contract(values, factor) for values in by_axis]
        by_axis.append(_contract(value, slope))
        value = _contract(value, factor)
    return torch.cat(by_axis, dim=-1)


def _contract(values: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Sum the next axis of (n, b, w · rest) with a color's weights there: (n, b, rest)."""
    n, b, width = factor.shape
    inner = values.view(n * b, width, -1)
    return torch.bmm(factor.view(n * b, 1, width), inner).view(n, b, -1)


def _sorted_into_bricks(colors: torch.Tensor, images: int, windows: Windows) -> Batches:
    """Put colors in batches that lie in the same brick. O(P log P)."""
    channels = len(windows)
    per_image = len(colors) // images
    is_in = torch.ones(len(colors), dtype=torch.bool, device=colors.device)
    code = torch.arange(images, device=colors.device).repeat_interleave(per_image)
    for c, window in enumerate(windows):
        cell, _ = window.cell_of(colors[:, c])
        is_in &= (cell >= 0) & (cell < window.cells)
        code = code * window.bricks + torch.div(cell, EDGE, rounding_mode="floor")
    rows = is_in.nonzero()[:, 0]
    ordered, order = code[rows].sort()
    rows = rows[order]
    bricks, sizes = torch.unique_consecutive(ordered, return_counts=True)
    batch = max(1, min(BATCH, PRODUCTS // math.prod(w.width for w in windows[1:])))
    n_batches = torch.div(sizes + (batch - 1), batch, rounding_mode="floor")
    which = torch.arange(len(bricks), device=colors.device).repeat_interleave(n_batches)
    ends, first = sizes.cumsum(0), n_batches.cumsum(0) - n_batches
    number = torch.arange(len(which), device=colors.device) - first[which]
    places = ((ends - sizes)[which] + number * batch)[:, None] + torch.arange(
        batch, device=colors.device
    )
    last = ends[which, None]
    brick = bricks[which]
    corner, node, stride, rest = [], torch.zeros_like(brick), 1, brick
    for window in reversed(windows):
        corner.append(rest % window.bricks * EDGE)
        rest = torch.div(rest, window.bricks, rounding_mode="floor")
        node = node + corner[-1] * stride
        stride *= window.nodes
    corner.reverse()
    return Batches(
        rows=rows[torch.minimum(places, last - 1)],
        is_real=places < last,
        corner=torch.stack(corner, dim=1) if len(brick) else brick.new_zeros(0, channels),
        brick=brick,
        first_node=node + rest * stride,
    )


def _nodes_of_brick(windows: Windows, device: torch.device) -> torch.Tensor:
    """Return the positions of a brick's nodes in the mesh, from its first, flat."""
    offsets = torch.zeros(1, dtype=torch.int64, device=device)
    for window in windows:
        along = torch.arange(window.width, device=device)
        offsets = (offsets[:, None] * window.nodes + along).view(-1)
    return offsets


def _factors(
    colors: torch.Tensor, part: Batches, windows: Windows, derivative: int
) -> list[torch.Tensor]:
    """Return the weights (n, b, width) of each color along each axis."""
    factors = []
    for c, window in enumerate(windows):
        cell, along = window.cell_of(colors[part.rows, c])
        offset = cell - part.corner[:, c, None]
        factors.append(window.weights(offset, along, derivative))
    return factors


def _outer(factors: list[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    """Return the products (n, b, …) of weights along axes; of none, ones."""
    product = torch.ones_like(like[..., :1])
    for factor in factors:
        product = (product[..., :, None] * factor[..., None, :]).flatten(2)
    return product


def _together(windows: Windows) -> int:
    """Return how many batches at a time keep `PRODUCTS`."""
    return max(1, PRODUCTS // (BATCH * math.prod(window.width for window in windows[1:])))
