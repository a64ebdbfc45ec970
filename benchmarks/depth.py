"""Images of any depth, and kernels of any shape: how long densities take, and how right they are.

``python -m benchmarks.depth TASK FILE.npy [--quick]`` does the work of one task, each in a process
of its own, and prints seconds, errors and the peak of its memory as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Setup, child, say
from benchmarks.memory import peak, resident
from benchmarks.photograph import Photograph, deep_photograph
from benchmarks.report import Figure, Question, Row, Target

DEEP_LEVELS = 1 << 12

NOISE_PIXELS = 5_000_000

CHECKED = 16
"""Pixels at which densities are compared with the direct sum."""

NEGLIGIBLE = 9.0
"""Kernels are below 3e-18 of their height so many sigmas away along one axis."""

Image = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One row: what the table says, what was wanted in seconds or MB, and the unit."""

    what: str
    limit: float
    unit: str = "s"


PIECES: dict[str, dict[str, Piece]] = {
    "deep": {
        "64": Piece("12-bit photograph, 12 megapixels: density of each pixel, σ = 64", 6),
        "16": Piece("the same, σ = 16", 10),
        "4": Piece("the same, σ = 4", 20),
        "MB": Piece("its memory", 2000, "MB"),
    },
    "deep_loco": {"loco": Piece("the same photograph: loco bandwidth, 65 536 random pixels", 40)},
    "float": {
        "64": Piece("as float32, a color for each pixel: σ = 1/64 of the range", 6),
        "4": Piece("the same, σ = 1/1024", 20),
        "MB": Piece("its memory", 2000, "MB"),
    },
    "noise16": {
        "256": Piece("16-bit noise, 5 megapixels: density of each pixel, σ = 1/256", 60),
        "64": Piece("the same, σ = 1/1024", 60),
    },
    "noise8": {
        "rgb": Piece("8-bit noise, 18 megapixels: density of each pixel, RGB", 5),
        "lab": Piece("the same, CIELAB", 15),
        "hsv": Piece("the same, HSV cylinder", 15),
        "MB": Piece("its memory", 2500, "MB"),
    },
    "full": {
        "density": Piece("the 8-bit photograph, full covariance: density of each pixel", 5),
        "loco": Piece("the same: mean log-density without a pixel's own color", 15),
        "thin": Piece("the same, covariance of condition 1e6: density of each pixel", 20),
    },
    "lab": {
        "volume": Piece("the 8-bit photograph in CIELAB, default σ: 128³ volume of a palette", 0.5),
        "overlay": Piece("the same: density of each pixel of a palette's image", 0.8),
        "narrow": Piece("the same, σ = 0.3: density of each pixel", 15),
    },
    "compare": {
        "photographs": Piece("`compare` two 8-bit photographs of 9 megapixels", 1.5),
        "narrow": Piece("the same, σ = 1.5 levels", 15),
        "deep": Piece("`compare` two 12-bit photographs of 6 megapixels", 15),
    },
    "kernels": {"noise": Piece("1000 full kernels at the colors of 18 megapixels of noise", 45)},
}


@dataclass(slots=True)
class Notes:
    """What a task found: seconds by piece, errors as parts of the peak, and remarks."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, piece: str, counting: float = 0.0) -> Iterator[None]:
        """Time some work; warnings that it gives become remarks."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            start, busy = time.perf_counter(), time.process_time()
            yield
            self.seconds[piece] = time.perf_counter() - start + counting
            self.cpu[piece] = time.process_time() - busy
        self.remarks += [f"{piece}: {w.message}" for w in caught if w.category is not UserWarning]


def measure(setup: Setup) -> Question:
    rows, notes = [], []
    for task, pieces in PIECES.items():
        quick = ["--quick"] if setup.quick else []
        found = child("depth", task, str(setup.photograph.path), *quick)
        for name, piece in pieces.items():
            value = found["MB"] if piece.unit == "MB" else found["seconds"][name]
            figure = Figure.of([value], piece.unit)
            rows.append(Row(piece.what, figure, target=Target("at most", piece.limit)))
            say(f"  {piece.what}: {figure}")
        if found["errors"]:
            errors = ", ".join(f"{name} {error:.0e}" for name, error in found["errors"].items())
            notes.append(
                f"{task}: largest error at {CHECKED} random pixels beside the float64 direct sum, "
                f"as a part of the peak: {errors}."
            )
        notes += [f"{task}, {remark}" for remark in found["remarks"]]
    text = (
        "From the array to one float for each pixel, counting and painting included, once, each "
        "line's image in a process of its own. Memory is the peak above the image and the imports."
    )
    return Question("Depth", text, rows, notes)


def density_at_pixels(
    notes: Notes, image: Image, bandwidths: Mapping[str, Any], space: str = "rgb"
) -> None:
    """Time the densities of all pixels under some bandwidths; the image is counted once."""
    from napari_colorkde import ColorKDE, Palette

    start = time.perf_counter()
    palette = Palette.from_image(image)
    counting = time.perf_counter() - start
    notes.remarks.append(f"{len(palette):,} colors counted in {counting:.2g} s.")
    for name, bandwidth in bandwidths.items():
        with notes.timed(name, counting):
            kde = ColorKDE(palette, bandwidth, space=space)
            values = kde.density()
            painted = palette.paint(values, image)
        notes.errors[name] = error_of(kde, values)
        del painted


def error_of(kde: Any, values: NDArray[np.float32]) -> float:
    """Compare with the definition in float64 (Silverman 1986, eq. 4.1) at random pixels."""
    points = kde.points
    random = np.random.default_rng(0)
    places = random.choice(len(points), CHECKED, p=points.counts / points.counts.sum())
    whiten = np.linalg.inv(np.linalg.cholesky(kde.covariance)).T
    norm = points.total_weight * np.sqrt(np.linalg.det(2 * np.pi * kde.covariance))
    first, reach = points.colors[:, 0].astype(np.float64), NEGLIGIBLE * kde.covariance[0, 0] ** 0.5
    truth = np.zeros(CHECKED)
    for i, place in enumerate(places):
        near = np.flatnonzero(np.abs(first - first[place]) < reach)
        away = points.colors[near].astype(np.float64) - points.colors[place].astype(np.float64)
        away @= whiten
        truth[i] = points.counts[near] @ np.exp(-0.5 * np.square(away).sum(axis=1))
    return float(np.abs(values[places] - truth / norm).max() / values.max())


def deep(notes: Notes, photograph: Photograph, quick: bool) -> None:
    image = deep_photograph(photograph, quick=quick)
    density_at_pixels(notes, image, {"64": 64.0, "16": 16.0, "4": 4.0})


def deep_loco(notes: Notes, photograph: Photograph, quick: bool) -> None:
    from napari_colorkde import select_bandwidth

    image = deep_photograph(photograph, quick=quick)
    with notes.timed("loco"):
        found = select_bandwidth(image, "loco")
    best = int(np.argmax(found.scores))
    notes.remarks.append(
        f"σ = {found.bandwidth[0]:.3g} of {len(found.scores)} tried, standard error of its score "
        f"{found.standard_errors[best]:.1g} nats per pixel."
    )


def as_float(notes: Notes, photograph: Photograph, quick: bool) -> None:
    image = deep_photograph(photograph, quick=quick)
    noise = np.random.default_rng(0).random(image.shape, dtype=np.float32)
    real = (image + noise) / np.float32(DEEP_LEVELS)
    density_at_pixels(notes, real, {"64": 1 / 64, "4": 1 / 1024})


def noise16(notes: Notes, photograph: Photograph, quick: bool) -> None:
    size = (1, NOISE_PIXELS >> (7 * quick), 3)
    image = np.random.default_rng(0).integers(0, 1 << 16, size, dtype=np.uint16)
    density_at_pixels(notes, image, {"256": 256.0, "64": 64.0})


def noise8(notes: Notes, photograph: Photograph, quick: bool) -> None:
    image = noise_like(photograph)
    for space in ("rgb", "lab", "hsv"):
        found = Notes()
        density_at_pixels(found, image, {space: None}, space)
        notes.seconds |= found.seconds
        notes.errors |= found.errors


def noise_like(photograph: Photograph) -> Image:
    return np.random.default_rng(0).integers(0, 256, photograph.image.shape, dtype=np.uint8)


def full(notes: Notes, photograph: Photograph, quick: bool) -> None:
    from napari_colorkde import ColorKDE

    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    wide = turn @ np.diag([6.0, 4.0, 3.0]) ** 2 @ turn.T
    thin = turn @ np.diag([30.0, 1.0, 0.03]) ** 2 @ turn.T
    density_at_pixels(notes, photograph.image, {"density": wide, "thin": (thin + thin.T) / 2})
    with notes.timed("loco"):
        ColorKDE(photograph.image, wide).leave_one_color_out()


def lab(notes: Notes, photograph: Photograph, quick: bool) -> None:
    from napari_colorkde import ColorKDE, Palette

    palette = Palette.from_image(photograph.image)
    with notes.timed("volume"):
        ColorKDE(palette, space="lab").volume()
    with notes.timed("overlay"):
        kde = ColorKDE(palette, space="lab")
        values = kde.density()
        palette.paint(values, photograph.image)
    notes.errors["overlay"] = error_of(kde, values)
    density_at_pixels(notes, photograph.image, {"narrow": 0.3}, "lab")


def compare_images(notes: Notes, photograph: Photograph, quick: bool) -> None:
    from napari_colorkde import compare

    half = photograph.image.shape[0] // 2
    with notes.timed("photographs"):
        compare(photograph.image[:half], photograph.image[half:])
    with notes.timed("narrow"):
        compare(photograph.image[:half], photograph.image[half:], 1.5)
    image = deep_photograph(photograph, quick=quick)
    half = image.shape[0] // 2
    with notes.timed("deep"):
        compare(image[:half], image[half:])


def kernels(notes: Notes, photograph: Photograph, quick: bool) -> None:
    from benchmarks.fits import FULL_KERNELS, model_of, random_kernels
    from napari_colorkde import Palette
    from napari_colorkde.core.mixture.at_colors import mixture_log_density

    palette = Palette.from_image(noise_like(photograph))
    many = random_kernels(palette, FULL_KERNELS)
    with notes.timed("noise"):
        logs = mixture_log_density(palette.colors, many)
    some = np.random.default_rng(0).integers(len(palette), size=CHECKED)
    wanted = model_of(many).score_samples(palette.colors[some].astype(np.float64))
    off = np.abs(logs[some] - wanted).max()
    notes.remarks.append(f"largest difference from scikit-learn's log-densities: {off:.0e} nats.")


TASKS: dict[str, Callable[[Notes, Photograph, bool], None]] = {
    "deep": deep,
    "deep_loco": deep_loco,
    "float": as_float,
    "noise16": noise16,
    "noise8": noise8,
    "full": full,
    "lab": lab,
    "compare": compare_images,
    "kernels": kernels,
}


def main(task: str, path: str, *options: str) -> dict[str, Any]:
    """Do one task; its figures."""
    import torch

    torch.ones(256, 256) @ torch.ones(256, 256)  # its libraries allocate on first use
    photograph = Photograph(np.load(path), Path(path), "")
    before = resident()
    notes = Notes()
    TASKS[task](notes, photograph, "--quick" in options)
    return {
        "seconds": notes.seconds,
        "cpu": notes.cpu,
        "errors": notes.errors,
        "remarks": notes.remarks,
        "MB": peak() - before,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
