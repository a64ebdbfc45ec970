"""Searches and cross-checks, as generators that can be stopped between their yields."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.app.background.executor import Progress
from napari_colorkde.app.image.pixels.pixel_blocks import check_labels_fit
from napari_colorkde.app.image.pixels.pixel_index import PixelIndex
from napari_colorkde.core.crosscheck.answers import Answer
from napari_colorkde.core.crosscheck.check import cross_check
from napari_colorkde.core.crosscheck.task import colors_to_check, vectors_to_check
from napari_colorkde.core.device import Device
from napari_colorkde.core.kde.bandwidth import in_space, iterate_selection
from napari_colorkde.core.kde.bandwidth_rules import Shape, bandwidth_rule
from napari_colorkde.core.kde.selectors.held_out_pixels import Halves, blocks_held_out, split_counts
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.core.vectors.grid_search import grid_search
from napari_colorkde.io.datasets import DataSet, Split, split

Array = NDArray[np.float64]

ROWS = 1024
"""Validation vectors that are scored between two looks at the curve."""

CHECKED_SAMPLES, CHECKED_POINTS = 2000, 100
"""How many pixels or vectors libraries are compared on, and at how many points."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Log-likelihoods over bandwidths, as far as they are known.

    Attributes
    ----------
    sigmas
        ``(n, C)`` of each, ascending; C is 1 for vectors.
    scores, degenerate
        ``(n,)`` nats per pixel or vector; and where nothing is chosen.
    best
        Which one is best.
    caveat
        Why it may not be, in a sentence.
    share
        How much of the work the scores are of.
    covariance
        ``(C, C)`` of the best one, where it is full: the others are its multiples. None otherwise.
    """

    sigmas: Array
    scores: Array
    degenerate: NDArray[np.bool_]
    best: int
    caveat: str = ""
    share: float = 1.0
    covariance: Array | None = None

    def bandwidth(self, row: int) -> Array:
        """Return the sigmas of one of them, ``(C,)``, or its covariance, ``(C, C)``."""
        if self.covariance is None:
            return np.asarray(self.sigmas[row])
        factor = self.sigmas[row, 0] / self.sigmas[self.best, 0]
        return np.asarray(factor**2 * self.covariance)

    @property
    def means(self) -> Array:
        """The geometric mean of each one's sigmas, ``(n,)``."""
        return np.asarray(np.exp(np.log(self.sigmas).mean(axis=1)))


@dataclass(frozen=True, slots=True, eq=False)
class ImageSearch:
    """A search for the bandwidth of an image's colors."""

    index: PixelIndex = field(repr=False)
    method: str
    shape: Shape
    space: str
    device: Device


@dataclass(frozen=True, slots=True, eq=False)
class VectorSearch:
    """A search for the bandwidth of a data set's vectors: see `io.datasets.split`."""

    dataset: DataSet = field(repr=False)
    sigmas: tuple[float, ...]
    train: int | None = None
    valid: int | None = None
    test: int | None = None
    shuffle: bool = False
    seed: int | None = None
    scale: float | None = None


@dataclass(frozen=True, slots=True)
class TestScore:
    """The mean log-density of the test vectors at one sigma, nats."""

    sigma: float
    score: float


def search_image(request: ImageSearch) -> Iterator[Progress | Curve]:
    """Try bandwidths for an image; a curve after each."""
    rule = bandwidth_rule(request.method)
    yield Progress("choosing the bandwidth", 0.0)
    palette = request.index.palette
    halves = _by_blocks(request.index) if rule.needs_image else None
    points, halves = in_space(palette, halves, request.space)
    steps = iterate_selection(
        points, request.method, None, request.device, shape=request.shape, halves=halves
    )
    for step in steps:
        chosen = (step.candidates == step.bandwidth).all(axis=1)
        doubt = step.doubt("choose leave one color out", "choose one by hand")
        yield Curve(
            step.candidates,
            step.scores,
            step.degenerate,
            int(chosen.argmax()),
            doubt,
            covariance=step.full_covariance,
        )
        yield Progress("choosing the bandwidth", min(len(step.scores) / rule.n_tried, 1.0))


def _by_blocks(index: PixelIndex) -> Halves:
    """Hold out half of the blocks of an image whose pixels are known by color."""
    check_labels_fit(index.shape, "the blocks that are held out", "choose another rule")
    blocks = blocks_held_out(index.shape)
    held_out = np.zeros(len(index.palette) + 1, np.int64)
    for box in index.boxes():
        codes = index.tile_codes(box)[blocks[box]]
        held_out += np.bincount(codes.ravel(), minlength=len(held_out))
    # Code 0 is for pixels that do not count.
    return split_counts(index.palette, held_out[1:])


def search_vectors(request: VectorSearch) -> Iterator[Progress | Curve | TestScore]:
    """Score all sigmas on more and more validation vectors, then the best on the test vectors."""
    yield Progress("splitting the data set")
    parts = _parts(request)
    sigmas = np.array(sorted(request.sigmas))
    total, n = np.zeros(len(sigmas)), 0
    for start in range(0, len(parts.valid), ROWS):
        rows = parts.valid[start : start + ROWS]
        found = grid_search(parts.train, rows, sigmas)
        total += found.scores * len(rows)
        n += len(rows)
        scores, share = total / n, n / len(parts.valid)
        yield Curve(
            sigmas[:, np.newaxis],
            scores,
            np.zeros(len(sigmas), bool),
            int(scores.argmax()),
            share=share,
        )
        yield Progress("scoring sigmas", share)
    if parts.test is not None:
        yield from _tested(parts.train, parts.test, float(sigmas[scores.argmax()]))


def score_test(request: VectorSearch, sigma: float) -> Iterator[Progress | TestScore]:
    """Score one sigma on the test vectors."""
    parts = _parts(request)
    if parts.test is None:
        raise ValueError("the data set has no test vectors; give the number to use.")
    yield from _tested(parts.train, parts.test, sigma)


def check_image(palette: Palette, covariance: Array, device: Device) -> Iterator[Progress | Answer]:
    """Compare the density of an image's colors with other libraries'."""
    yield Progress("cross-checking")
    task = colors_to_check(palette, covariance, CHECKED_SAMPLES, CHECKED_POINTS, seed=0)
    yield from cross_check(task, device)


def check_vectors(request: VectorSearch, sigma: float) -> Iterator[Progress | Answer]:
    """Compare the density of a data set with other libraries'."""
    yield Progress("cross-checking")
    parts = _parts(request)
    train, valid = parts.train[:CHECKED_SAMPLES], parts.valid[:CHECKED_POINTS]
    yield from cross_check(vectors_to_check(train, valid, [sigma]))


def _tested(
    train: NDArray[Any], test: NDArray[Any], sigma: float
) -> Iterator[Progress | TestScore]:
    total, n = 0.0, 0
    for start in range(0, len(test), ROWS):
        rows = test[start : start + ROWS]
        total += float(grid_search(train, rows, [sigma]).scores[0]) * len(rows)
        n += len(rows)
        yield Progress("scoring the test vectors", n / len(test))
    yield TestScore(sigma, total / n)


def _parts(request: VectorSearch) -> Split:
    return split(
        request.dataset,
        train=request.train,
        valid=request.valid,
        test=request.test,
        shuffle=request.shuffle,
        seed=request.seed,
        scale=request.scale,
    )
