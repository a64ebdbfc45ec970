"""Colors in a tree of boxes, and kernel sums at points far from them, a few nodes at each point.

    ``log S(x) = log Σ_u counts_u exp(−|y_u − y|²/2)``, y whitened coordinates.

What a node adds to a sum lies between two bounds, with n its count, b its box and m and v its
colors' mean and mean squared distance from it:

    ``n exp(−(|y − m|² + v)/2)  ≤  Σ_node  ≤  n exp(−dist(y, b)²/2)``

the lower one by Jensen's inequality. One way down the tree finds a part of the sum; then all nodes
whose upper bound is a small part of that are left out, and the others opened. What was left out is
added up: where it is too much beside the sum, less is left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.kernel_sums.points_in_bricks import sort_codes
from napari_colorkde.core.palette.map_blocks import map_blocks

LEAF = 8
"""Colors of a leaf, and nodes that each other node has below it."""

TOP = 64
"""Most nodes of the highest level."""

WAYS = 2
"""Nodes of each level that the first way down the tree goes to: they hold two colors or all."""

LEFT_OUT = 8e-6
"""Largest part of a sum that is left out."""

SMALL = 12.0
"""Natural log of how small a node's bound is beside the sum to be left out, at first."""

SMALLER = 4.0
"""What is added to that until no more than `LEFT_OUT` is."""

CODE_BITS = 63
"""Bits of a point's code along a curve with its row."""

TABLE_BITS = 10
"""Bits of a coordinate that are spread in one go."""

SAMPLE = 1 << 16
"""Points that are asked where most of them lie."""

FEW = 0.002
"""Part of them that may lie beyond on either side of each axis."""

MAX_PAIRS = 1 << 20
"""Pairs of points and nodes, or colors, that are looked at together: 250 MB at worst."""

TOGETHER = 1 << 11
"""Nodes made in one go: what is below them fits a core's cache."""

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def order_along_curve(points: Array) -> Integers:
    """Return an order (Q,) of points (Q, C) in which neighbors are near: along a Morton curve.

    The curve goes through the box around most of them: a few that are far away would leave all
    others in one of its cells. O(Q log Q).
    """
    n_points, channels = points.shape
    sample = points[:: -(-n_points // SAMPLE)]
    low, high = np.quantile(sample, [FEW, 1 - FEW], axis=0)
    bits = (CODE_BITS - n_points.bit_length()) // channels
    last = (1 << bits) - 1
    # Half of the cells lie beyond the box.
    scale = last / np.where(high > low, 2 * (high - low), 1.0)
    middle = (low + high) / 2
    numbers = np.arange(1 << TABLE_BITS)
    table = np.zeros(len(numbers), np.int64)
    for bit in range(TABLE_BITS):
        table |= (numbers >> bit & 1) << (bit * channels)
    codes = np.zeros(n_points, np.int64)

    def encode(part: slice) -> None:
        for axis in range(channels):
            place = (points[part, axis] - middle[axis]) * scale[axis] + last / 2
            cell = np.clip(place, 0, last, out=place).astype(np.int64)
            for start in range(0, bits, TABLE_BITS):
                spread = table.take(cell >> start & (len(table) - 1))
                codes[part] |= spread << (start * channels + axis)

    map_blocks(encode, n_points)
    return sort_codes(codes)[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """Least and largest coordinates and means (n, C) of runs, their weights and scatters (n,)."""

    low: Array
    high: Array
    mean: Array
    weight: Array
    scatter: Array

    def joined(self) -> "_Boxes":
        """Join `LEAF` neighbors each, and what is left at the end."""
        whole = len(self.weight) // LEAF
        parts = map_blocks(lambda b: self._between(b.start * LEAF, b.stop * LEAF), whole, TOGETHER)
        if len(self.weight) > whole * LEAF:
            parts = [*parts, self._between(whole * LEAF, len(self.weight))]
        return _Boxes(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    def _between(self, start: int, stop: int) -> tuple[Array, Array, Array, Array, Array]:
        """Join the boxes from `start` to `stop`: `LEAF` each, or fewer to one."""
        size = min(LEAF, stop - start)
        values = (self.low, self.high, self.mean, self.weight, self.scatter)
        first, *others = ([a[start + k : stop : size] for a in values] for k in range(size))
        low, high, origin, weight, scatter = (a.copy() for a in first)
        # About the mean of one of them, so that nothing is lost in squares.
        square, shift = weight * scatter, np.zeros(low.shape)
        for lows, highs, means, weights, scatters in others:
            np.minimum(low, lows, out=low)
            np.maximum(high, highs, out=high)
            away = means - origin
            square += weights * (scatters + np.einsum("ij,ij->i", away, away))
            away *= weights[:, np.newaxis]
            shift += away
            weight += weights
        shift /= weight[:, np.newaxis]
        square /= weight
        square -= np.einsum("ij,ij->i", shift, shift)
        return low, high, origin + shift, weight, np.maximum(square, 0)

    def as_rows(self) -> Array:
        """Return the rows of a tree's nodes."""
        return np.column_stack([self.low, self.high, self.mean, np.log(self.weight), self.scatter])


@dataclass(frozen=True, slots=True, eq=False)
class ColorTree:
    """U colors in an order in which neighbors are near, and the boxes around runs of them.

    Attributes
    ----------
    order
        (U,) the colors' rows.
    leaves
        (U, C + 1) colors and the logs of their counts, in this order.
    nodes
        (n, 3 C + 2): least and largest coordinates, mean, log of the count, mean squared distance
        from the mean; level by level, those of `LEAF` colors first.
    starts
        (levels + 1,) where each level begins.
    """

    order: Integers
    leaves: Array
    nodes: Array
    starts: Integers

    @classmethod
    def of(cls, colors: Array, counts: NDArray[np.float64]) -> "ColorTree":
        """Return the tree of colors (U, C) with their counts (U,). O(U log U)."""
        order = order_along_curve(colors)
        ordered, weights = colors[order], counts[order]
        leaves = np.empty((len(order), colors.shape[1] + 1))
        leaves[:, :-1] = ordered
        np.log(weights, out=leaves[:, -1])
        boxes = _Boxes(ordered, ordered, ordered, weights, np.zeros(len(order)))
        levels: list[Array] = []
        while not levels or len(boxes.weight) > TOP:
            boxes = boxes.joined()
            levels.append(boxes.as_rows())
        starts = np.cumsum([0, *map(len, levels)])
        return cls(order, leaves, np.concatenate(levels), starts)

    @property
    def n_levels(self) -> int:
        """Number of levels of nodes."""
        return len(self.starts) - 1

    def below(self, level: int, nodes: Integers) -> tuple[Integers, NDArray[np.bool_]]:
        """Return what nodes of a level have below them, (…, LEAF), and whether it is there.

        Nodes are counted within their level; below level 0 are colors, in the tree's order.
        """
        last = len(self.order) if level == 0 else np.diff(self.starts)[level - 1]
        below = nodes[..., np.newaxis] * LEAF + np.arange(LEAF)
        return np.minimum(below, last - 1), below < last

    def log_sums(self, points: Array, own: Integers | None, small: float) -> tuple[Array, Array]:
        """Return log sums at points (Q, C), and what was left out as a part of them, (Q,) each.

        Parameters
        ----------
        points
            A few hundred. Where more than `MAX_PAIRS` nodes or colors matter to them, as of colors
            that lie within a bandwidth of each other, they are summed in halves.
        own
            (Q,) places in the order of the colors that do not count.
        small
            See `SMALL`.
        """
        n_points, channels = points.shape
        best = self._part(points, own)
        left_out = np.zeros(n_points)
        n_top = int(self.starts[-1] - self.starts[-2])
        point, node = np.divmod(np.arange(n_points * n_top), n_top)
        for level in reversed(range(self.n_levels)):
            rows = self.nodes[self.starts[level] + node]
            here = points[point]
            gap = np.maximum(rows[:, :channels] - here, here - rows[:, channels : 2 * channels])
            np.maximum(gap, 0, out=gap)
            bound = rows[:, -2] - 0.5 * np.einsum("ij,ij->i", gap, gap) - best[point]
            is_small = bound < -small
            left_out += np.bincount(point[is_small], np.exp(bound[is_small]), n_points)
            if np.count_nonzero(~is_small) * LEAF > MAX_PAIRS and n_points > 1:
                return self._log_sums_in_halves(points, own, small)
            below, is_there = self.below(level, node[~is_small])
            point = np.repeat(point[~is_small], LEAF)[is_there.ravel()]
            node = below[is_there]
        leaves = self.leaves[node]
        away = leaves[:, :channels] - points[point]
        terms = leaves[:, -1] - 0.5 * np.einsum("ij,ij->i", away, away)
        if own is not None:
            terms[node == own[point]] = -np.inf
        largest = np.full(n_points, -np.inf)
        np.maximum.at(largest, point, terms)
        with np.errstate(divide="ignore", invalid="ignore"):
            sums = np.bincount(point, np.exp(terms - largest[point]), n_points)
            logs = np.where(np.isneginf(largest), -np.inf, largest + np.log(sums))
            return logs, left_out * np.exp(best - logs)

    def _log_sums_in_halves(
        self, points: Array, own: Integers | None, small: float
    ) -> tuple[Array, Array]:
        halves = slice(None, len(points) // 2), slice(len(points) // 2, None)
        parts = [
            self.log_sums(points[half], None if own is None else own[half], small)
            for half in halves
        ]
        logs, left_out = (np.concatenate(values) for values in zip(*parts, strict=True))
        return logs, left_out

    def _part(self, points: Array, own: Integers | None) -> Array:
        """Return the log of a part of each sum, (Q,): of the leaves that seem to add most."""
        channels = points.shape[1]
        n_top = int(self.starts[-1] - self.starts[-2])
        nodes = np.broadcast_to(np.arange(n_top), (len(points), n_top))
        is_there = np.ones(nodes.shape, bool)
        here = points[:, np.newaxis]
        for level in reversed(range(self.n_levels)):
            rows = self.nodes[self.starts[level] + nodes]
            square = np.square(rows[..., 2 * channels : 3 * channels] - here).sum(axis=-1)
            bound = np.where(is_there, rows[..., -2] - 0.5 * (square + rows[..., -1]), -np.inf)
            most = np.argsort(-bound, axis=1)[:, :WAYS]
            nodes, is_there = (np.take_along_axis(a, most, axis=1) for a in (nodes, is_there))
            below, is_below = self.below(level, nodes)
            nodes = below.reshape(len(points), -1)
            is_there = (is_below & is_there[..., np.newaxis]).reshape(nodes.shape)
        leaves = self.leaves[nodes]
        square = np.square(leaves[..., :channels] - here).sum(axis=-1)
        terms = np.where(is_there, leaves[..., -1] - 0.5 * square, -np.inf)
        if own is not None:
            terms[nodes == own[:, np.newaxis]] = -np.inf
        return np.asarray(np.logaddexp.reduce(terms, axis=1))
