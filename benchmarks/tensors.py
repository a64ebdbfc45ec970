"""Densities of batches of images as operations on tensors, beside kornia, PyKeOps and a product.

``python -m benchmarks.tensors TASK FILE.npy [--quick]`` prints seconds and MB of a task as JSON.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness import Setup, child, say
from benchmarks.memory import STATUS, peak, resident
from benchmarks.report import Figure, Question, Row, Target

if TYPE_CHECKING:
    from torch import Tensor

SIGMA, EXTENT = 5.0, (0.0, 255.0)

SIDES, BINS, BATCHES = (256, 1024), (32, 64, 128), (1, 8)

TARGET_SIDE, TARGET_BINS, OTHER_SIGMAS = 512, 128, (1.0, 20.0, 60.0)
"""The image and grid that targets are set for, and other bandwidths that are timed on it."""

TARGETS = {"forward": Target("at most", 1.5), "both": Target("at most", 4.5)}
LIMIT_MB = 1000

PART_OF_GRID, PART_OF_PIXELS = 1024, 4096
"""Grid points PyKeOps, and pixels the product, is timed on, for the whole; both are linear."""

KORNIA_VALUES = 1 << 28
"""Pixels × bins from which on kornia is left out: it keeps several arrays of that size."""

KORNIA, PYKEOPS = "kornia `histogram2d`", "PyKeOps, all pairs"
PRODUCT = "separable product over all pixels"

NEEDS = {"kornia": "kornia", "pykeops": "pykeops"}
WORDS = {"forward": "forward", "both": "forward and backward"}

Cost = dict[str, float]
"""Seconds "forward" and "both" ways, and "MB" at most."""


def measure(setup: Setup) -> Question:
    options = ["--quick"] if setup.quick else []
    found: dict[str, dict[str, Any]] = {}
    for task in TASKS:
        if task not in NEEDS or importlib.util.find_spec(NEEDS[task]):
            found[task] = child("tensors", task, str(setup.photograph.path), *options)
            say(f"  {task}: {found[task]}")
    rows = [*_of_targets(found["ours"], setup.quick), *_of_colors(found, setup.quick)]
    rows += _of_planes(found, setup.quick)
    text = (
        "`napari_colorkde.torch.color_kde` of float32 images cut from the photograph, σ = 5 of 0 "
        "to 255: one density an image, exact, and the gradient in every pixel. Memory is the most "
        "that is in use less what was before, the image not included, forward and backward."
    )
    notes = [
        "PyKeOps sums all pairs of pixels and grid points, and the product is one matrix product "
        "of the channels' kernels over pixels; both are timed on a part, and their times taken to "
        "grow with pixels and grid points. Largest difference from ours as a part of the peak: "
        + "; ".join(f"{name} {error:.0e}" for name, error in _errors(found).items())
        + ".",
        "kornia's differentiable histograms have one or two channels: the rows of planes are of "
        "red and green. It keeps pixels × bins, and is left out where that is more than 2²⁸.",
    ]
    return Question("Tensors", text, rows, notes)


def _of_targets(ours: dict[str, Cost], quick: bool) -> Iterator[Row]:
    side, bins = target_size(quick)
    for sigma in (SIGMA, *OTHER_SIGMAS):
        cost, what = ours[f"sigma {sigma:g}"], f"{bins}³, one image of {side}², σ = {sigma:g}"
        for way, words in WORDS.items():
            target = TARGETS[way] if sigma == SIGMA else None
            yield Row(f"{what}: {words}", _seconds(cost[way]), target=target)
        if cost["MB"]:
            limit = Target("at most", LIMIT_MB) if sigma == SIGMA else None
            yield Row(f"{what}: memory", Figure.of([cost["MB"]], "MB"), target=limit)


def _of_colors(found: dict[str, dict[str, Any]], quick: bool) -> Iterator[Row]:
    for side, bins, n in sizes(quick):
        cost, what = found["ours"][key(3, side, bins, n)], f"{bins}³, {_images(n)} of {side}²"
        for way, words in WORDS.items():
            for task, peer in (("pykeops", PYKEOPS), ("product", PRODUCT)):
                theirs = None
                if task in found:
                    scale = n * side**2 * bins**3
                    basis = "a part of the grid" if task == "pykeops" else "a part of the pixels"
                    seconds = found[task][f"{bins}"][f"{way} a pair"] * scale
                    theirs = Figure.of([seconds], basis=basis)
                yield Row(f"{what}: {words}", _seconds(cost[way]), peer, theirs)
        if cost["MB"]:
            yield Row(f"{what}: memory", Figure.of([cost["MB"]], "MB"))


def _of_planes(found: dict[str, dict[str, Any]], quick: bool) -> Iterator[Row]:
    for side, bins, n in sizes(quick):
        name, what = key(2, side, bins, n), f"plane of {bins}², {_images(n)} of {side}²"
        if not kornia_fits(side, bins, n):
            continue
        ours, theirs = found["ours"][name], found.get("kornia", {}).get(name)
        for way, words in WORDS.items():
            other = None if theirs is None else _seconds(theirs[way])
            yield Row(f"{what}: {words}", _seconds(ours[way]), KORNIA, other)
        if ours["MB"]:
            other = None if theirs is None else Figure.of([theirs["MB"]], "MB")
            yield Row(f"{what}: memory", Figure.of([ours["MB"]], "MB"), KORNIA, other)


def _errors(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    names = {"pykeops": PYKEOPS, "product": PRODUCT, "kornia": KORNIA}
    return {name: found[task]["error"] for task, name in names.items() if task in found}


def _seconds(value: float) -> Figure:
    return Figure.of([value])


def _images(n: int) -> str:
    return "one image" if n == 1 else f"{n} images"


def sizes(quick: bool) -> list[tuple[int, int, int]]:
    """Sides, bins and numbers of images that are timed."""
    if quick:
        return [(32, 16, 2)]
    return [(side, bins, n) for side in SIDES for bins in BINS for n in BATCHES]


def target_size(quick: bool) -> tuple[int, int]:
    """Side and bins of the image and grid that targets are set for."""
    return (32, 16) if quick else (TARGET_SIDE, TARGET_BINS)


def kornia_fits(side: int, bins: int, n: int) -> bool:
    """Whether kornia is asked for so many pixels and bins."""
    return n * side**2 * bins <= KORNIA_VALUES


def key(channels: int, side: int, bins: int, n: int) -> str:
    """Name of a size in what a task prints."""
    return f"{channels} {side} {bins} {n}"


def images(photograph: Any, side: int, n: int, channels: int) -> Tensor:
    """Cut ``(n, channels, side, side)`` float32 images from the photograph."""
    import torch

    height, width = photograph.shape[:2]
    tops = np.linspace(0, height - side, n).astype(int)
    lefts = np.linspace(0, width - side, n).astype(int)
    cut = [
        photograph[top : top + side, left : left + side, :channels]
        for top, left in zip(tops, lefts, strict=True)
    ]
    stacked = np.stack(cut).transpose(0, 3, 1, 2).astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(stacked))


def cost_of(x: Tensor, density: Callable[[Tensor], Tensor]) -> Cost:
    """Time a density of `x` without a gradient, and with one in `x`; and what memory that takes."""
    gc.collect()
    start = time.perf_counter()
    density(x)
    forward = time.perf_counter() - start
    before = _start_peak()
    x = x.clone().requires_grad_()
    start = time.perf_counter()
    density(x).square().sum().backward()
    both = time.perf_counter() - start
    megabytes = 0.0 if before is None else max(peak() - before - x.nbytes / 1e6, 0.1)
    return {"forward": forward, "both": both, "MB": megabytes}


def _start_peak() -> float | None:
    """Forget the peak of memory so far; the memory now, None where the system cannot do this."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    return resident() if STATUS.is_file() else None


def ours(photograph: Any, quick: bool) -> dict[str, Any]:
    """Our densities of all sizes, of two and three channels, and of the target's."""
    from napari_colorkde.torch import color_kde

    side, bins = target_size(quick)
    color_kde(images(photograph, 32, 1, 3).requires_grad_(), SIGMA, 16, EXTENT).sum().backward()
    found: dict[str, Any] = {}
    for sigma in (SIGMA, *OTHER_SIGMAS):
        x = images(photograph, side, 1, 3)
        found[f"sigma {sigma:g}"] = cost_of(
            x, lambda x, sigma=sigma: color_kde(x, sigma, bins, EXTENT)
        )
    for channels in (2, 3):
        for side, bins, n in sizes(quick):
            if channels == 3 or kornia_fits(side, bins, n):
                x = images(photograph, side, n, channels)
                cost = cost_of(x, lambda x, bins=bins: color_kde(x, SIGMA, bins, EXTENT))
                found[key(channels, side, bins, n)] = cost
    return found


def kornia(photograph: Any, quick: bool) -> dict[str, Any]:
    """kornia's joint histogram of two channels; it sums to one, ours is a density."""
    import torch
    from kornia.enhance import histogram2d

    from napari_colorkde.torch import color_kde

    def plane(x: Tensor, bins: int) -> Tensor:
        flat = x.flatten(2)
        centers = torch.linspace(*EXTENT, bins)
        joint: Tensor = histogram2d(flat[:, 0], flat[:, 1], centers, torch.tensor(SIGMA))
        return joint

    x = images(photograph, 32, 1, 2)
    theirs, own = plane(x, 32), color_kde(x, SIGMA, 32, EXTENT)
    found: dict[str, Any] = {"error": _error(theirs, own / own.sum())}
    for side, bins, n in sizes(quick):
        if kornia_fits(side, bins, n):
            x = images(photograph, side, n, 2)
            cost = cost_of(x, lambda x, bins=bins: plane(x, bins))
            found[key(2, side, bins, n)] = cost
    return found


def pykeops(photograph: Any, quick: bool) -> dict[str, Any]:
    """All pairs of pixels and some grid points; the first call of each kind compiles it."""
    from pykeops.torch import LazyTensor

    def some(x: Tensor, grid: Tensor) -> Tensor:
        pixels = x[0].flatten(1).T.contiguous()
        distances = LazyTensor(pixels[:, None]) - LazyTensor(grid[None])
        sums: Tensor = (-distances.square().sum(-1) / (2 * SIGMA**2)).exp().sum(dim=0)
        return sums[:, 0] / (len(pixels) * (2 * np.pi) ** 1.5 * SIGMA**3)

    side = 32 if quick else 256
    return _part_by_part(photograph, quick, side, lambda bins: (some, _grid(bins, PART_OF_GRID)))


def product(photograph: Any, quick: bool) -> dict[str, Any]:
    """The product of each pixel's three kernels, over the whole grid at once, for some pixels."""
    import torch

    def all_of_grid(x: Tensor, bins: int) -> Tensor:
        axis = torch.linspace(*EXTENT, bins)
        kernels = (-((x[0].flatten(1)[..., None] - axis) ** 2) / (2 * SIGMA**2)).exp()
        pairs = (kernels[0][:, :, None] * kernels[1][:, None]).flatten(1)
        sums = pairs.T @ kernels[2]
        return sums / (kernels.shape[1] * (2 * np.pi) ** 1.5 * SIGMA**3)

    return _part_by_part(
        photograph, quick, 32 if quick else int(PART_OF_PIXELS**0.5),
        lambda bins: (lambda x, _: all_of_grid(x, bins).flatten(), _grid(bins, bins**3)),
    )  # fmt: skip


def _part_by_part(
    photograph: Any,
    quick: bool,
    side: int,
    of_bins: Callable[[int], tuple[Callable[[Tensor, Tensor], Tensor], Tensor]],
) -> dict[str, Any]:
    """Seconds for each pair of a pixel and a grid point, and the difference from ours."""
    import torch

    from napari_colorkde.torch import color_kde

    x = images(photograph, side, 1, 3)
    found: dict[str, Any] = {"error": 0.0}
    for bins in sorted({bins for _, bins, _ in sizes(quick)}):
        density, grid = of_bins(bins)
        density(x[..., :8, :8].clone().requires_grad_(), grid).sum().backward()
        cost = cost_of(x, lambda x, density=density, grid=grid: density(x, grid))
        pairs = side**2 * len(grid)
        found[f"{bins}"] = {f"{way} a pair": cost[way] / pairs for way in WORDS}
        own = color_kde(x, SIGMA, bins, EXTENT).flatten()
        at = torch.arange(bins**3) if len(grid) == bins**3 else _some(bins, len(grid))
        error = float((density(x, grid) - own[at]).abs().max() / own.max())
        found["error"] = max(found["error"], error)
    return found


def _grid(bins: int, n: int) -> Tensor:
    """Return n points of the grid, ``(n, 3)``."""
    import torch

    axis = torch.linspace(*EXTENT, bins)
    points = torch.cartesian_prod(axis, axis, axis)
    return points if n >= bins**3 else points[_some(bins, n)]


def _some(bins: int, n: int) -> Tensor:
    import torch

    return torch.linspace(0, bins**3 - 1, min(n, bins**3)).long()


def _error(theirs: Tensor, own: Tensor) -> float:
    return float((theirs - own).abs().max() / own.max())


TASKS: dict[str, Callable[[Any, bool], dict[str, Any]]] = {
    "ours": ours,
    "kornia": kornia,
    "pykeops": pykeops,
    "product": product,
}


if __name__ == "__main__":
    photograph = np.load(sys.argv[2], mmap_mode="r")
    print(json.dumps(TASKS[sys.argv[1]](photograph, "--quick" in sys.argv)))
