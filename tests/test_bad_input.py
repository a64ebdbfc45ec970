"""Every public function against what it does not take: one table of calls, one of bad values.

What is raised is a ValueError or a TypeError, one sentence that names the argument, says what was
given, and what to give.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

import napari_colorkde as ck
import napari_colorkde.torch as ct
from napari_colorkde.core.mixture.em.start import seed_kernels

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
LABELS = np.arange(48).reshape(6, 8) % 2 + 1
SCORES = LABELS / 2
VECTORS = RNG.normal(size=(9, 3))
SKIN = ck.Kernel([180, 120, 80], [900, 500, 300], 0.5, cls="skin")
WALL = ck.Kernel([100, 120, 140], [700, 600, 500], 0.5, cls="wall")
BOTH = ck.KernelSet([SKIN, WALL], "both")
KDE = ck.ColorKDE(RGB, 20)
PALETTE = KDE.palette
VOLUME = KDE.volume(20, (0, 255))
LOOK = ck.Look(np.indices((2, 2, 2)).transpose(1, 2, 3, 0).astype(float))
GAUSSIAN = ck.GaussianKDE().fit(VECTORS)
X = torch.rand(2, 3, 4, 4)
ROWS = torch.rand(5, 3)

GIVE = re.compile(
    r"\b(give|use|leave|drop|choose|put|call|name|read|make|reshape|rescale|add|need|needs)\b", re.I
)

GRAY = RGB[..., 0]

PICTURE = Path(__file__).resolve().parents[1] / "sample_data" / "coffee.png"

Call = Callable[..., object]


def table() -> Any:
    """A table of pixels, one a row, as pandas has it, or as much of one as the checks look at."""
    try:
        import pandas
    except ImportError:
        return None
    return pandas.DataFrame(VECTORS, columns=["r", "g", "b"])


NOT_ARRAYS: dict[str, Any] = {
    "None": None,
    "a path": Path("photo.png"),
    "a string": "photo.png",
    "lists of other lengths": [[1, 2, 3], [4, 5]],
    "lists of texts": [["a", "b"], ["c", "d"]],
    "an empty array": np.empty((0, 3)),
    "NaN": np.full((6, 8, 3), np.nan),
    "an object array": np.array([[None, {}], [1, 2]], object),
    "a sparse matrix": scipy.sparse.eye(3, format="csr"),
    "a complex array": np.full((6, 8, 3), 1j),
    "a tensor with gradients": torch.ones(6, 8, 3, requires_grad=True),
    "a function": len,
    "a dictionary": {"image": RGB},
}

NOT_IMAGES = {
    **NOT_ARRAYS,
    "a table": table(),
    "forty channels": np.zeros((6, 8, 40), np.uint8),
    "a number": 7,
}

MAY_BE_NAN = {k: v for k, v in NOT_IMAGES.items() if k != "NaN"}

NOT_WEIGHTS = {
    "negative": -np.ones((6, 8)),
    "NaN": np.full((6, 8), np.nan),
    "all zero": np.zeros((6, 8)),
    "another length": np.ones((6, 7)),
    "a string": "weights.npy",
    "a tensor with gradients": torch.ones(6, 8, requires_grad=True),
}

NOT_MASKS = {
    "a path": Path("mask.png"),
    "a string": "mask.png",
    "lists of other lengths": [[1, 2, 3], [4, 5]],
    "another shape": np.ones((6, 7)),
    "fractions": np.full((6, 8), 0.5),
    "NaN": np.full((6, 8), np.nan),
    "complex": np.full((6, 8), 1j),
    "objects": np.full((6, 8), None, object),
    "a sparse matrix": scipy.sparse.csr_matrix(np.ones((6, 8))),
    "a tensor with gradients": torch.ones(6, 8, requires_grad=True),
    "a table": table(),
    "nothing": np.zeros((6, 8)),
}

NOT_AXES = {"text": "last", "too large": 7, "a fraction": 0.5, "a list": [2]}

NOT_BANDWIDTHS = {
    "unknown": "scot",
    "zero": 0,
    "negative": -3.0,
    "NaN": np.nan,
    "too many": [1, 2, 3, 4],
    "text in a list": ["a"],
    "no covariance": -np.eye(3),
    "a path": Path("x"),
    "lists of other lengths": [[1, 2, 3], [4, 5]],
    "complex": 1j,
    "a function": len,
    "a tensor with gradients": torch.ones(3, requires_grad=True),
}

NOT_CHOICES = {"unknown": "foo", "a number": 3, "a list": ["rgb"], "a path": Path("x"), "no": None}

NOT_WHOLE = {
    "text": "two",
    "a fraction": 1.5,
    "zero": 0,
    "negative": -1,
    "a list": [1, 2],
    "no": None,
}

NOT_SEEDS = {"text": "seed", "negative": -1, "a fraction": 0.5}

NOT_POSITIVE = {"text": "1", "negative": -1.0, "NaN": np.nan, "a list": [1.0, 2.0]}

NOT_FLAGS = {"text": "no", "two": 2, "no": None, "an array": np.ones(3), "a list": [True]}

NOT_EXTENTS = {
    "text": "all",
    "one": 3,
    "upside down": (3, 1),
    "NaN": (0, np.nan),
    "ragged": [[1, 2], [3]],
}

NOT_NUMBERS_OF_CHANNELS = {
    "text": "three",
    "a fraction": 1.5,
    "zero": 0,
    "negative": -1,
    "too many": 40,
}

NOT_KERNELS = {
    "None": None,
    "a path": Path("kernels.json"),
    "a string": "kernels.json",
    "a kernel alone": SKIN,
    "nothing": [],
    "numbers": [1, 2, 3],
    "an array": np.eye(3),
    "a table": table(),
    "a number": 5,
}

NOT_PATHS = {"None": None, "a number": 7, "an array": RGB, "an empty name": ""}

NOT_TENSORS = {**NOT_ARRAYS, "an array": RGB, "a number": 7, "sparse": torch.eye(3).to_sparse()}
del NOT_TENSORS["a tensor with gradients"]


def build(image: Any) -> ck.Palette:
    """The palette of an image that comes as one tile."""
    builder = ck.PaletteBuilder()
    builder.add(image)
    return builder.palette()


def volume_with(**wrong: Any) -> ck.DensityVolume:
    """A volume of which some fields are others."""
    names = ("values", "axes", "covariance", "mass_inside")
    return ck.DensityVolume(**{name: getattr(VOLUME, name) for name in names} | wrong)


def palette_with(**wrong: Any) -> ck.Palette:
    """A palette of which some fields are others."""
    names = ("colors", "counts", "bin_width")
    return ck.Palette(**{name: getattr(PALETTE, name) for name in names} | wrong)


# Argument -> calls that take it, and what they do not take.
TABLE: list[tuple[str, dict[str, Any], dict[str, Call]]] = [
    (
        "image",
        NOT_IMAGES,
        {
            "Palette.from_image": ck.Palette.from_image,
            "Palette.from_images": lambda bad: ck.Palette.from_images([bad]),
            "PaletteBuilder.add": build,
            "ColorKDE": ck.ColorKDE,
            "ColorKDE, lab": lambda bad: ck.ColorKDE(bad, space="lab"),
            "ColorKDE.density": lambda bad: KDE.density("None" if bad is None else bad),
            "ColorKDE.log_likelihood": KDE.log_likelihood,
            "color_kde": ck.color_kde,
            "compare": lambda bad: ck.compare(bad, RGB),
            "compare_all": lambda bad: ck.compare_all([RGB, bad]),
            "compare, second": lambda bad: ck.compare(RGB, bad),
            "select_bandwidth": ck.select_bandwidth,
            "select_bandwidth, blocks": lambda bad: ck.select_bandwidth(bad, "blocks"),
            "fit_kernels": lambda bad: ck.fit_kernels(bad, 2),
            "fit_classes": lambda bad: ck.fit_classes(bad, LABELS, 1),
            "classify_image": lambda bad: ck.classify_image(bad, BOTH),
            "posteriors": lambda bad: ck.posteriors(bad, BOTH),
        },
    ),
    (
        "image",
        MAY_BE_NAN,
        {
            "Look.apply": LOOK.apply,
            "Palette.index": PALETTE.index,
            "Palette.paint": lambda bad: PALETTE.paint(PALETTE.counts, bad),
            "compute_densities": lambda bad: ck.compute_densities(bad, BOTH),
        },
    ),
    (
        "mask",
        NOT_MASKS,
        {
            "Palette.from_image": lambda bad: ck.Palette.from_image(RGB, bad),
            "Palette.from_images": lambda bad: ck.Palette.from_images([RGB], [bad]),
            "ColorKDE.log_likelihood": lambda bad: KDE.log_likelihood(RGB, mask=bad),
            "color_kde": lambda bad: ck.color_kde(RGB, mask=bad),
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 2, mask=bad),
            "classify_image": lambda bad: ck.classify_image(RGB, BOTH, mask=bad),
            "posteriors": lambda bad: ck.posteriors(RGB, BOTH, mask=bad),
            "roc": lambda bad: ck.roc(SCORES, LABELS, mask=bad),
            "ColorKDE": lambda bad: ck.ColorKDE(RGB, mask=bad),
            "select_bandwidth": lambda bad: ck.select_bandwidth(RGB, mask=bad),
            "compare": lambda bad: ck.compare(RGB, RGB, mask_a=bad),
            "compare_all": lambda bad: ck.compare_all([RGB, RGB], masks=[None, bad]),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, mask=bad),
        },
    ),
    (
        "mask",
        {k: v for k, v in NOT_MASKS.items() if k != "nothing"},
        {"compute_densities": lambda bad: ck.compute_densities(RGB, BOTH, mask=bad)},
    ),
    (
        "weights",
        NOT_WEIGHTS,
        {
            "Palette.from_image": lambda bad: ck.Palette.from_image(RGB, weights=bad),
            "ColorKDE": lambda bad: ck.ColorKDE(RGB, weights=bad),
            "color_kde": lambda bad: ck.color_kde(RGB, weights=bad),
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 2, weights=bad),
        },
    ),
    (
        "labels",
        {k: v for k, v in NOT_MASKS.items() if k != "a string"} | {"None": None},
        {"fit_classes": lambda bad: ck.fit_classes(RGB, bad, 1)},
    ),
    (
        "channel_axis",
        NOT_AXES,
        {
            "Palette.from_image": lambda bad: ck.Palette.from_image(RGB, None, bad),
            "Palette.index": lambda bad: PALETTE.index(RGB, None, bad),
            "ColorKDE.density": lambda bad: KDE.density(RGB, channel_axis=bad),
            "color_kde": lambda bad: ck.color_kde(RGB, channel_axis=bad),
            "compute_densities": lambda bad: ck.compute_densities(RGB, BOTH, channel_axis=bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, channel_axis=bad),
            "classify_image": lambda bad: ck.classify_image(RGB, BOTH, channel_axis=bad),
            "posteriors": lambda bad: ck.posteriors(RGB, BOTH, channel_axis=bad),
        },
    ),
    (
        "colors",
        {k: v for k, v in NOT_IMAGES.items() if k != "a table"} | {"two channels": VECTORS[:, :2]},
        {"ColorKDE.evaluate": KDE.evaluate},
    ),
    (
        "bandwidth",
        NOT_BANDWIDTHS,
        {
            "ColorKDE": lambda bad: ck.ColorKDE(RGB, bad),
            "color_kde": lambda bad: ck.color_kde(RGB, bad),
            "compare": lambda bad: ck.compare(RGB, RGB, bad),
            "GaussianKDE": lambda bad: ck.GaussianKDE(bad).fit(VECTORS),
        },
    ),
    (
        "space",
        NOT_CHOICES,
        {
            "ColorKDE": lambda bad: ck.ColorKDE(RGB, space=bad),
            "color_kde": lambda bad: ck.color_kde(RGB, space=bad),
            "compare": lambda bad: ck.compare(RGB, RGB, space=bad),
            "compare_all": lambda bad: ck.compare_all([RGB, RGB], space=bad),
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, space=bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, space=bad),
            "KernelSet": lambda bad: ck.KernelSet([SKIN], space=bad),
            "KernelSet.to_space": BOTH.to_space,
            "select_bandwidth": lambda bad: ck.select_bandwidth(RGB, space=bad),
        },
    ),
    (
        "device",
        NOT_CHOICES,
        {
            "ColorKDE": lambda bad: ck.ColorKDE(RGB, device=bad),
            "color_kde": lambda bad: ck.color_kde(RGB, device=bad),
            "compare": lambda bad: ck.compare(RGB, RGB, device=bad),
            "select_bandwidth": lambda bad: ck.select_bandwidth(RGB, device=bad),
            "compute_densities": lambda bad: ck.compute_densities(RGB, BOTH, device=bad),
            "classify_image": lambda bad: ck.classify_image(RGB, BOTH, device=bad),
            "posteriors": lambda bad: ck.posteriors(RGB, BOTH, device=bad),
            "GaussianKDE": lambda bad: ck.GaussianKDE(device=bad).fit(VECTORS).score(VECTORS),
            "grid_search": lambda bad: ck.grid_search(VECTORS, VECTORS, [1], device=bad),
        },
    ),
    (
        "space",
        {k: v for k, v in NOT_CHOICES.items() if k != "no"},
        {
            "compute_densities": lambda bad: ck.compute_densities(RGB, BOTH, space=bad),
            "classify_image": lambda bad: ck.classify_image(RGB, BOTH, space=bad),
            "posteriors": lambda bad: ck.posteriors(RGB, BOTH, space=bad),
        },
    ),
    ("boundary", NOT_CHOICES, {"ColorKDE": lambda bad: ck.ColorKDE(RGB, boundary=bad)}),
    (
        "sampling",
        NOT_CHOICES,
        {
            "ColorKDE.volume": lambda bad: KDE.volume(8, sampling=bad),
            "ColorKDE.to_xarray": lambda bad: KDE.to_xarray(8, sampling=bad),
        },
    ),
    (
        "volume",
        {"an image": RGB, "no": None, "text": "a"},
        {"save_volume": lambda bad: ck.save_volume("volume.npz", bad)},
    ),
    (
        "at",
        {"text": "r", "unknown": {7: 1}, "NaN": {0: np.nan}, "all": dict.fromkeys(range(3), 20)}
        | {"none": {}, "text value": {0: "a"}, "no": None, "outside": {0: 300}},
        {"DensityVolume.slice": VOLUME.slice},
    ),
    ("method", NOT_CHOICES, {"select_bandwidth": lambda bad: ck.select_bandwidth(RGB, bad)}),
    ("shape", NOT_CHOICES, {"select_bandwidth": lambda bad: ck.select_bandwidth(RGB, shape=bad)}),
    (
        "candidates",
        {"text": "a", "zero": [0, 1], "none": [], "NaN": [np.nan], "ragged": [[1, 2], [3]]},
        {"select_bandwidth": lambda bad: ck.select_bandwidth(RGB, "loco", bad)},
    ),
    (
        "covariance_type",
        NOT_CHOICES,
        {
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, covariance_type=bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, covariance_type=bad),
        },
    ),
    ("show", NOT_CHOICES, {"classify_image": lambda bad: ck.classify_image(RGB, BOTH, show=bad)}),
    (
        "cls",
        {"unknown": "foo", "a number": 3, "a list": ["skin"]},
        {"classify_image": lambda bad: ck.classify_image(RGB, BOTH, show="posterior", cls=bad)},
    ),
    (
        "against",
        {"unknown": "foo", "a number": 3, "a list": ["skin"], "itself": "skin"},
        {"classify_image": lambda bad: ck.classify_image(RGB, BOTH, show="ratio", against=bad)},
    ),
    (
        "priors",
        {
            "a list": [0.5, 0.5],
            "unknown": {"foo": 1},
            "negative": {"skin": -1},
            "text": {"skin": "a"},
        },
        {
            "classify_image": lambda bad: ck.classify_image(RGB, BOTH, priors=bad),
            "posteriors": lambda bad: ck.posteriors(RGB, BOTH, priors=bad),
        },
    ),
    (
        "keep_mass",
        {"text": "most", "zero": 0, "two": 2, "NaN": np.nan, "a list": [0.5]},
        {"classify_image": lambda bad: ck.classify_image(RGB, BOTH, keep_mass=bad)},
    ),
    (
        "numbers",
        {"text": "foo", "a list": [1, 2], "unknown": {"foo": 1}, "missing": {"skin": 1}}
        | {"zero": {"skin": 0, "wall": 1}, "a fraction": {"skin": 0.5, "wall": 1}},
        {"classify_image": lambda bad: ck.classify_image(RGB, BOTH, numbers=bad)},
    ),
    (
        "scores",
        {k: v for k, v in NOT_ARRAYS.items() if k not in ("NaN", "an empty array")},
        {"roc": lambda bad: ck.roc(bad, LABELS)},
    ),
    (
        "labels",
        {k: v for k, v in NOT_MASKS.items() if k != "a string"} | {"None": None},
        {"roc": lambda bad: ck.roc(SCORES, bad)},
    ),
    (
        "positive",
        {k: v for k, v in NOT_WHOLE.items() if k != "no"} | {"unknown": 9},
        {"roc": lambda bad: ck.roc(SCORES, LABELS, bad)},
    ),
    ("unlabeled", NOT_CHOICES, {"roc": lambda bad: ck.roc(SCORES, LABELS, unlabeled=bad)}),
    (
        "none_below",
        {"two": 2},
        {"classify_image": lambda bad: ck.classify_image(RGB, BOTH, none_below=bad)},
    ),
    (
        "n_kernels",
        NOT_WHOLE | {"too many": 1000},
        {
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, bad if bad != 1000 else 0),
        },
    ),
    (
        "random_state",
        NOT_SEEDS,
        {
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 2, random_state=bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, random_state=bad),
            "ColorKDE.sample": lambda bad: KDE.sample(2, bad),
            "GaussianKDE.sample": lambda bad: GAUSSIAN.sample(2, bad),
        },
    ),
    (
        "seed",
        NOT_SEEDS,
        {
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 2, seed=bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, seed=bad),
            "ColorKDE.sample": lambda bad: KDE.sample(2, seed=bad),
            "GaussianKDE.sample": lambda bad: GAUSSIAN.sample(2, seed=bad),
            "ColorKDE.sample, beside random_state": lambda bad: KDE.sample(2, 0, seed=bad),
        },
    ),
    (
        "n_samples",
        NOT_WHOLE,
        {
            "ColorKDE.sample": KDE.sample,
            "GaussianKDE.sample": GAUSSIAN.sample,
            "ColorKDE.level": lambda bad: KDE.level(0.5, n_samples=bad),
        },
    ),
    ("reg_covar", NOT_POSITIVE, {"fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, reg_covar=bad)}),
    (
        "tol",
        NOT_POSITIVE | {"no": None},
        {"fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, tol=bad)},
    ),
    ("max_iter", NOT_WHOLE, {"fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, max_iter=bad)}),
    ("n_init", NOT_WHOLE, {"fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, n_init=bad)}),
    (
        "means_init",
        {
            "text": "a",
            "wrong": np.ones((3, 3)),
            "NaN": np.full((1, 3), np.nan),
            "ragged": [[1], [1, 2]],
        },
        {"fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, means_init=bad)},
    ),
    (
        "max_colors",
        NOT_WHOLE,
        {"Palette.from_image": lambda bad: ck.Palette.from_image(RGB, max_colors=bad)},
    ),
    ("min_count", NOT_WHOLE, {"Palette.without_rare": PALETTE.without_rare}),
    (
        "names",
        {"a list": ["a", "b"], "twice": {1: "a", 2: "a"}, "text": "names"},
        {"fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, names=bad)},
    ),
    (
        "bins",
        NOT_WHOLE | {"one": 1, "too many": 10**6},
        {
            "ColorKDE.volume": KDE.volume,
            "ColorKDE.log_volume": KDE.log_volume,
            "color_kde": lambda bad: ck.color_kde(RGB, bins=bad),
        },
    ),
    (
        "extent",
        {
            "text": "all",
            "one": 3,
            "upside down": (3, 1),
            "NaN": (0, np.nan),
            "ragged": [[1, 2], [3]],
        },
        {"ColorKDE.volume": lambda bad: KDE.volume(4, bad)},
    ),
    ("mass", {"text": "a", "two": 2, "no": None, "a list": [0.5]}, {"ColorKDE.level": KDE.level}),
    (
        "low",
        {"text": "a", "too many": [1, 2, 3, 4], "NaN": np.nan, "no": None, "above": 300},
        {"ColorKDE.probability": lambda bad: KDE.probability(bad, 255)},
    ),
    (
        "axes",
        {"text": "r", "too large": 5, "twice": [0, 0], "none": [], "no": None, "a fraction": 0.5},
        {
            "ColorKDE.marginal": KDE.marginal,
            "DensityVolume.marginal": VOLUME.marginal,
            "GaussianKDE.marginal": GAUSSIAN.marginal,
        },
    ),
    (
        "given",
        {"text": "r", "unknown": {7: 1}, "NaN": {0: np.nan}, "all": dict.fromkeys(range(3), 1)}
        | {"none": {}, "text value": {0: "a"}, "no": None},
        {"ColorKDE.conditional": KDE.conditional, "GaussianKDE.conditional": GAUSSIAN.conditional},
    ),
    (
        "kernels",
        NOT_KERNELS,
        {
            "compute_densities": lambda bad: ck.compute_densities(RGB, bad),
            "classify_image": lambda bad: ck.classify_image(RGB, bad),
            "posteriors": lambda bad: ck.posteriors(RGB, bad),
            "class_names": ck.class_names,
        },
    ),
    (
        "mean",
        {k: NOT_ARRAYS[k] for k in NOT_ARRAYS if k != "a function"},
        {"Kernel": lambda bad: ck.Kernel(bad, [1, 1, 1], 1)},
    ),
    ("covariance", NOT_ARRAYS, {"Kernel": lambda bad: ck.Kernel([1, 1, 1], bad, 1)}),
    ("weight", NOT_POSITIVE | {"no": None}, {"Kernel": lambda bad: ck.Kernel([1], [1], bad)}),
    (
        "counts",
        {"negative": -PALETTE.counts, "too few": PALETTE.counts[1:]},
        {"Palette": lambda bad: ck.Palette(PALETTE.colors, bad, PALETTE.bin_width)},
    ),
    (
        "weights",
        {
            "negative": -PALETTE.counts,
            "NaN": PALETTE.counts * np.nan,
            "all zero": PALETTE.counts * 0,
        }
        | {"another length": PALETTE.counts[1:], "text": "a", "no": None, "a function": len},
        {"Palette.with_weights": PALETTE.with_weights},
    ),
    (
        "width",
        {"text": "a", "zero": 0, "NaN": np.nan, "too many": [1, 2, 3, 4], "no": None},
        {"Palette.binned": PALETTE.binned},
    ),
    ("other", {"no": None, "an image": RGB, "text": "a"}, {"Palette.merge": PALETTE.merge}),
    ("n", NOT_WHOLE, {"Palette.most_common": PALETTE.most_common, "ColorKDE.modes": KDE.modes}),
    (
        "values",
        {"text": "a", "too few": PALETTE.counts[1:], "no": None, "objects": ["a"] * len(PALETTE)},
        {"Palette.paint": lambda bad: PALETTE.paint(bad, RGB)},
    ),
    (
        "X",
        NOT_ARRAYS | {"a number": 7, "a vector": VECTORS[0], "an image": RGB},
        {
            "GaussianKDE.fit": lambda bad: ck.GaussianKDE().fit(bad),
            "GaussianKDE.score_samples": GAUSSIAN.score_samples,
            "GaussianKDE.score": GAUSSIAN.score,
            "GaussianKDE.score_gradient": GAUSSIAN.score_gradient,
            "GaussianKDE.standard_errors": GAUSSIAN.standard_errors,
        },
    ),
    (
        "sample_weight",
        {k: v[0] if hasattr(v, "shape") else v for k, v in NOT_WEIGHTS.items()},
        {"GaussianKDE.fit": lambda bad: ck.GaussianKDE().fit(VECTORS[:8], sample_weight=bad)},
    ),
    ("train", NOT_ARRAYS, {"grid_search": lambda bad: ck.grid_search(bad, VECTORS, [1])}),
    (
        "valid",
        NOT_ARRAYS | {"two numbers": VECTORS[:, :2]},
        {"grid_search": lambda bad: ck.grid_search(VECTORS, bad, [1])},
    ),
    (
        "test",
        {k: v for k, v in NOT_ARRAYS.items() if v is not None},
        {"grid_search": lambda bad: ck.grid_search(VECTORS, VECTORS, [1], bad)},
    ),
    (
        "sigmas",
        {
            "text": "a",
            "zero": [0],
            "none": [],
            "NaN": [np.nan],
            "no": None,
            "ragged": [[1, 2], [3]],
        },
        {"grid_search": lambda bad: ck.grid_search(VECTORS, VECTORS, bad)},
    ),
    (
        "path",
        NOT_PATHS,
        {
            "load_kernels": ck.load_kernels,
            "load_palette": ck.load_palette,
            "load_volume": ck.load_volume,
            "Palette.load": ck.Palette.load,
            "Palette.save": PALETTE.save,
            "DensityVolume.load": ck.DensityVolume.load,
            "DensityVolume.save": VOLUME.save,
            "save_volume": lambda bad: ck.save_volume(bad, VOLUME),
            "read_look": ck.read_look,
            "read_image": ck.read_image,
            "save_kernels": lambda bad: ck.save_kernels(bad, BOTH),
            "save_palette": lambda bad: ck.save_palette(bad, PALETTE),
        },
    ),
    (
        "kernel_sets",
        NOT_KERNELS | {"lists": {"a": [1]}},
        {"save_kernels": lambda bad: ck.save_kernels("kernels.json", bad)},
    ),
    (
        "palette",
        {"an image": RGB, "no": None, "text": "a"},
        {
            "save_palette": lambda bad: ck.save_palette("palette.npz", bad),
            "Look.apply_to_palette": LOOK.apply_to_palette,
        },
    ),
    (
        "x",
        NOT_TENSORS,
        {
            "torch.color_kde": lambda bad: ct.color_kde(bad, 0.1, 8, (0, 1)),
            "torch.histogram_loss": lambda bad: ct.histogram_loss(bad, X, 0.1),
            "torch.log_density": lambda bad: ct.log_density(bad, ROWS, 0.1),
            "torch.mixture_density": lambda bad: ct.mixture_density(
                bad, ROWS, ROWS + 1, ROWS[:, 0]
            ),
        },
    ),
    ("target", NOT_TENSORS, {"torch.histogram_loss": lambda bad: ct.histogram_loss(X, bad, 0.1)}),
    ("samples", NOT_TENSORS, {"torch.log_density": lambda bad: ct.log_density(ROWS, bad, 0.1)}),
    (
        "means",
        NOT_TENSORS,
        {"torch.mixture_density": lambda bad: ct.mixture_density(ROWS, bad, ROWS + 1, ROWS[:, 0])},
    ),
    (
        "covariances",
        NOT_TENSORS,
        {"torch.mixture_density": lambda bad: ct.mixture_density(ROWS, ROWS, bad, ROWS[:, 0])},
    ),
    (
        "weights",
        {"negative": -ROWS[:, 0], "NaN": ROWS[:, 0] * np.nan, "zero": 0 * ROWS[:, 0]}
        | {"another length": ROWS[1:, 0], "text": "a", "an array": np.ones(5)},
        {
            "torch.log_density": lambda bad: ct.log_density(ROWS, ROWS, 0.1, bad),
            "torch.mixture_density": lambda bad: ct.mixture_density(ROWS, ROWS, ROWS + 1, bad),
        },
    ),
    (
        "bandwidth",
        {k: v for k, v in NOT_BANDWIDTHS.items() if k != "a tensor with gradients"} | {"no": None},
        {
            "torch.color_kde": lambda bad: ct.color_kde(X, bad, 8, (0, 1)),
            "torch.log_density": lambda bad: ct.log_density(ROWS, ROWS, bad),
        },
    ),
    (
        "bins",
        NOT_WHOLE | {"one": 1},
        {"torch.color_kde": lambda bad: ct.color_kde(X, 0.1, bad, (0, 1))},
    ),
    (
        "extent",
        {
            "text": "all",
            "one": 3,
            "upside down": (3, 1),
            "NaN": (0, np.nan),
            "ragged": [[1, 2], [3]],
        },
        {"torch.color_kde": lambda bad: ct.color_kde(X, 0.1, 8, bad)},
    ),
    (
        "n_channels",
        NOT_NUMBERS_OF_CHANNELS,
        {
            "ColorKDE": lambda bad: ck.ColorKDE(RGB, n_channels=bad),
            "Palette.from_image": lambda bad: ck.Palette.from_image(RGB, n_channels=bad),
            "Palette.from_images": lambda bad: ck.Palette.from_images([RGB], n_channels=bad),
            "PaletteBuilder": lambda bad: ck.PaletteBuilder(n_channels=bad),
            "compare": lambda bad: ck.compare(RGB, RGB, n_channels=bad),
            "compare_all": lambda bad: ck.compare_all([RGB, RGB], n_channels=bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, n_channels=bad),
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, n_channels=bad),
            "select_bandwidth": lambda bad: ck.select_bandwidth(RGB, n_channels=bad),
        },
    ),
    (
        "varying",
        NOT_FLAGS,
        {
            "ColorKDE": lambda bad: ck.ColorKDE(RGB, 9, varying=bad),
            "color_kde": lambda bad: ck.color_kde(RGB, 9, varying=bad),
        },
    ),
    (
        "log",
        NOT_FLAGS,
        {
            "ColorKDE.density": lambda bad: KDE.density(log=bad),
            "ColorKDE.evaluate": lambda bad: KDE.evaluate([1, 2, 3], log=bad),
            "compute_densities": lambda bad: ck.compute_densities(RGB, BOTH, log=bad),
            "torch.mixture_density": lambda bad: ct.mixture_density(
                ROWS, ROWS, ROWS + 1, ROWS[:, 0], log=bad
            ),
        },
    ),
    (
        "normalized",
        NOT_FLAGS,
        {"compute_densities": lambda bad: ck.compute_densities(RGB, BOTH, normalized=bad)},
    ),
    ("exact", NOT_FLAGS, {"select_bandwidth": lambda bad: ck.select_bandwidth(RGB, exact=bad)}),
    (
        "return_report",
        NOT_FLAGS,
        {
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, return_report=bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, return_report=bad),
        },
    ),
    ("lazy", NOT_FLAGS, {"read_image": lambda bad: ck.read_image(PICTURE, lazy=bad)}),
    ("visible", NOT_FLAGS, {"Kernel": lambda bad: ck.Kernel([1], [1], 1, visible=bad)}),
    ("is_log", NOT_FLAGS, {"DensityVolume": lambda bad: volume_with(is_log=bad)}),
    (
        "mask",
        NOT_MASKS,
        {
            "ColorKDE.density": lambda bad: KDE.density(RGB, mask=bad),
            "compare, second": lambda bad: ck.compare(RGB, RGB, mask_b=bad),
        },
    ),
    (
        "mask",
        {k: v for k, v in NOT_MASKS.items() if k != "nothing"},
        {
            "Palette.index": lambda bad: PALETTE.index(RGB, bad),
            "Palette.paint": lambda bad: PALETTE.paint(PALETTE.counts, RGB, bad),
            "Palette.paint_lazily": lambda bad: PALETTE.paint_lazily(PALETTE.counts, 0, RGB, bad),
            "PaletteBuilder.add": lambda bad: ck.PaletteBuilder().add(RGB, bad),
        },
    ),
    (
        "masks",
        {"a text": "ab", "a number": 3, "too many": [None] * 3},
        {
            "Palette.from_images": lambda bad: ck.Palette.from_images([RGB], bad),
            "compare_all": lambda bad: ck.compare_all([RGB, RGB], masks=bad),
        },
    ),
    (
        "channel_axis",
        NOT_AXES,
        {
            "ColorKDE": lambda bad: ck.ColorKDE(RGB, channel_axis=bad),
            "ColorKDE.log_likelihood": lambda bad: KDE.log_likelihood(RGB, channel_axis=bad),
            "Palette.from_images": lambda bad: ck.Palette.from_images([RGB], None, bad),
            "Palette.paint": lambda bad: PALETTE.paint(PALETTE.counts, RGB, None, bad),
            "Palette.paint_lazily": lambda bad: PALETTE.paint_lazily(
                PALETTE.counts, 0, RGB, None, bad
            ),
            "PaletteBuilder.add": lambda bad: ck.PaletteBuilder().add(RGB, None, bad),
            "compare": lambda bad: ck.compare(RGB, RGB, channel_axis=bad),
            "compare_all": lambda bad: ck.compare_all([RGB, RGB], channel_axis=bad),
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, channel_axis=bad),
            "select_bandwidth": lambda bad: ck.select_bandwidth(RGB, channel_axis=bad),
        },
    ),
    (
        "extent",
        NOT_EXTENTS,
        {
            "ColorKDE.log_volume": lambda bad: KDE.log_volume(4, bad),
            "ColorKDE.to_xarray": lambda bad: KDE.to_xarray(4, bad),
            "color_kde": lambda bad: ck.color_kde(RGB, 20, extent=bad),
            "torch.histogram_loss": lambda bad: ct.histogram_loss(X, X, 0.1, extent=bad),
        },
    ),
    (
        "bins",
        NOT_WHOLE | {"one": 1},
        {
            "ColorKDE.to_xarray": KDE.to_xarray,
            "torch.histogram_loss": lambda bad: ct.histogram_loss(X, X, 0.1, bins=bad),
        },
    ),
    (
        "high",
        {"text": "a", "too many": [1, 2, 3, 4], "NaN": np.nan, "no": None, "below": -1},
        {"ColorKDE.probability": lambda bad: KDE.probability(0, bad)},
    ),
    (
        "boundary",
        NOT_CHOICES,
        {
            "color_kde": lambda bad: ck.color_kde(RGB, boundary=bad),
            "DensityVolume": lambda bad: volume_with(boundary=bad),
        },
    ),
    ("space", NOT_CHOICES, {"DensityVolume": lambda bad: volume_with(space=bad)}),
    ("sampling", NOT_CHOICES, {"DensityVolume": lambda bad: volume_with(sampling=bad)}),
    (
        "values",
        {"text": "a", "no": None, "a plane": np.ones((3, 3)), "complex": VOLUME.values * 1j},
        {"DensityVolume": lambda bad: volume_with(values=bad)},
    ),
    (
        "axes",
        {"text": "a", "no": None, "too few": VOLUME.axes[:2], "a number": 3},
        {"DensityVolume": lambda bad: volume_with(axes=bad)},
    ),
    (
        "covariance",
        {"text": "a", "no": None, "too small": np.eye(2), "a number": 3},
        {"DensityVolume": lambda bad: volume_with(covariance=bad)},
    ),
    (
        "mass_inside",
        {"text": "a", "no": None, "a list": [0.5]},
        {"DensityVolume": lambda bad: volume_with(mass_inside=bad)},
    ),
    (
        "names",
        {"text": "RGB", "too few": ("R", "G"), "a number": 3, "twice": ("R", "R", "B")},
        {
            "DensityVolume": lambda bad: volume_with(names=bad),
            "compare_all": lambda bad: ck.compare_all([RGB, RGB, RGB], names=bad),
        },
    ),
    (
        "images",
        {k: v for k, v in NOT_ARRAYS.items() if k != "lists of other lengths"}
        | {"an image": RGB, "none": []},
        {"Palette.from_images": ck.Palette.from_images, "compare_all": ck.compare_all},
    ),
    ("bandwidth", NOT_BANDWIDTHS, {"compare_all": lambda bad: ck.compare_all([RGB, RGB], bad)}),
    (
        "device",
        NOT_CHOICES,
        {
            "compare_all": lambda bad: ck.compare_all([RGB, RGB], device=bad),
            "fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, device=bad),
            "fit_kernels": lambda bad: ck.fit_kernels(RGB, 1, device=bad),
        },
    ),
    (
        "progress",
        {"text": "a", "a number": 3},
        {
            "compare_all": lambda bad: ck.compare_all([RGB, RGB], progress=bad),
            "grid_search": lambda bad: ck.grid_search(VECTORS, VECTORS, [1], progress=bad),
        },
    ),
    (
        "reg_covar",
        NOT_POSITIVE,
        {"fit_classes": lambda bad: ck.fit_classes(RGB, LABELS, 1, reg_covar=bad)},
    ),
    (
        "max_colors",
        NOT_WHOLE,
        {
            "Palette.from_images": lambda bad: ck.Palette.from_images([RGB], max_colors=bad),
            "PaletteBuilder": ck.PaletteBuilder,
        },
    ),
    (
        "name",
        {"no": None, "a list": ["a"]},
        {
            "Kernel": lambda bad: ck.Kernel([1], [1], 1, name=bad),
            "KernelSet": lambda bad: ck.KernelSet([SKIN], bad),
            "PaletteBuilder": lambda bad: ck.PaletteBuilder(name=bad),
        },
    ),
    (
        "cls",
        {"no": None, "a list": ["a"]},
        {"Kernel": lambda bad: ck.Kernel([1], [1], 1, cls=bad)},
    ),
    (
        "kernels",
        {k: v for k, v in NOT_KERNELS.items() if k not in ("nothing", "numbers")},
        {"KernelSet": ck.KernelSet},
    ),
    (
        "white",
        NOT_POSITIVE | {"zero": 0, "no": None},
        {"KernelSet.to_space": lambda bad: BOTH.to_space("lab", white=bad)},
    ),
    (
        "white",
        NOT_POSITIVE | {"zero": 0},
        {"read_image": lambda bad: ck.read_image(PICTURE, white=bad)},
    ),
    (
        "table",
        {k: v for k, v in NOT_ARRAYS.items() if k != "lists of texts"}
        | {"a cube": np.ones((2, 2, 2))},
        {"Look": ck.Look},
    ),
    (
        "domain",
        {"text": "a", "a number": 3, "one end": np.ones(3), "upside down": [[1] * 3, [0] * 3]},
        {"Look": lambda bad: ck.Look(LOOK.table, bad)},
    ),
    ("title", {"a list": ["a"], "no": None}, {"Look": lambda bad: ck.Look(LOOK.table, title=bad)}),
    (
        "colors",
        {"text": "a", "no": None, "numbers": [1, 2], "a vector": PALETTE.counts}
        | {"complex": PALETTE.colors * 1j},
        {"Palette": lambda bad: palette_with(colors=bad)},
    ),
    (
        "bin_width",
        {"text": "a", "no": None, "too few": np.zeros(2), "negative": -np.ones(3)}
        | {"NaN": np.full(3, np.nan)},
        {"Palette": lambda bad: palette_with(bin_width=bad)},
    ),
    (
        "ranges",
        {"text": "a", "too few": np.ones(2), "negative": -np.ones(3)},
        {"Palette": lambda bad: palette_with(ranges=bad)},
    ),
    (
        "image_dtype",
        {"text": "a", "a number": 3},
        {"Palette": lambda bad: palette_with(image_dtype=bad)},
    ),
    (
        "moments",
        {"text": "a", "an array": np.ones(3)},
        {"Palette": lambda bad: palette_with(moments=bad)},
    ),
    *(
        (
            name,
            {"text": "a", "no": None, "negative": -1, "a fraction": 0.5},
            {"Palette": lambda bad, name=name: palette_with(**{name: bad})},
        )
        for name in ("n_masked", "n_transparent", "n_not_finite", "n_rare")
    ),
    (
        "values",
        {"text": "a", "too few": PALETTE.counts[1:], "no": None, "objects": ["a"] * len(PALETTE)},
        {"Palette.paint_lazily": lambda bad: PALETTE.paint_lazily(bad, 0, RGB)},
    ),
    (
        "nothing",
        {"text": "a", "a list": [1], "no": None},
        {"Palette.paint_lazily": lambda bad: PALETTE.paint_lazily(PALETTE.counts, bad, RGB)},
    ),
    (
        "image",
        MAY_BE_NAN,
        {"Palette.paint_lazily": lambda bad: PALETTE.paint_lazily(PALETTE.counts, 0, bad)},
    ),
    (
        "description",
        {"text": "a", "a number": 3, "a list": [1]},
        {
            "save_palette": lambda bad: ck.save_palette("p.npz", PALETTE, description=bad),
            "save_volume": lambda bad: ck.save_volume("v.npz", VOLUME, description=bad),
            "Palette.save": lambda bad: PALETTE.save("p.npz", description=bad),
            "DensityVolume.save": lambda bad: VOLUME.save("v.npz", description=bad),
        },
    ),
    (
        "about",
        {"no": None, "a list": [1]},
        {"save_kernels": lambda bad: ck.save_kernels("k.json", BOTH, about=bad)},
    ),
    (
        "params",
        {"unknown": 1},
        {"GaussianKDE.set_params": lambda bad: ck.GaussianKDE().set_params(params=bad)},
    ),
    *(
        (
            name,
            {k: v for k, v in NOT_WHOLE.items() if k not in ("zero", "no")},
            {"read_image": lambda bad, name=name: ck.read_image(PICTURE, **{name: bad})},
        )
        for name in ("series", "page", "level")
    ),
    (
        "channels",
        {"text": "RGB", "negative": [-1], "a fraction": [0.5], "too large": [9], "none": []}
        | {"a number": 3},
        {"read_image": lambda bad: ck.read_image(PICTURE, channels=bad)},
    ),
    *(
        (
            name,
            NOT_CHOICES,
            {"read_image": lambda bad, name=name: ck.read_image(PICTURE, **{name: bad})},
        )
        for name in ("icc", "orientation")
    ),
    (
        "weights",
        {"negative": -X[:, 0], "NaN": X[:, 0] * np.nan, "zero": 0 * X[:, 0]}
        | {"another length": X[:1, 0], "text": "a", "an array": np.ones((2, 4, 4))},
        {"torch.color_kde": lambda bad: ct.color_kde(X, 0.1, 8, (0, 1), bad)},
    ),
    (
        "bandwidth",
        {k: v for k, v in NOT_BANDWIDTHS.items() if k != "a tensor with gradients"} | {"no": None},
        {"torch.histogram_loss": lambda bad: ct.histogram_loss(X, X, bad)},
    ),
]


def cases() -> Iterator[Any]:
    for argument, wrong, calls in TABLE:
        for name, call in calls.items():
            for kind, bad in wrong.items():
                if kind == "a table" and bad is None:
                    continue  # without pandas
                yield pytest.param(argument, call, bad, id=f"{name}-{argument}-{kind}")


@pytest.mark.parametrize(("argument", "call", "bad"), list(cases()))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_bad_input_is_refused_in_a_sentence(
    argument: str, call: Call, bad: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, TypeError)) as caught:
        call(bad)
    sentence = str(caught.value)
    # "kernel 2: …" is the third of kernels.
    assert re.search(rf"\b{argument.removesuffix('s')}", sentence), sentence
    assert GIVE.search(sentence), sentence
    assert len(sentence) < 500, sentence


OTHER_NAMES = {"image": ("palette_or_image", "image_a", "image_b"), "mask": ("mask_a", "mask_b")}
"""Arguments that stand in the table under the name that the sentence has."""

WITHOUT_A_WRONG_VALUE = {
    "GaussianKDE.fit": {"y": "is there for scikit-learn, and not looked at"},
    "GaussianKDE.score": {"y": "is there for scikit-learn, and not looked at"},
    "GaussianKDE.get_params": {"deep": "is there for scikit-learn, and not looked at"},
    "KernelSet.count": {"value": "whatever is compared"},
    "KernelSet.index": dict.fromkeys(("value", "start", "stop"), "of Python's own sequences"),
}

OF_OUR_OWN = (
    "ColorKDE.density_in_steps",
    "ColorKDE.volume_in_steps",
    "Kernel.of_valid",
    "Palette.with_bins",
    "PaletteBuilder.add_pixels",
)
"""Methods that the window and the engine call, with what they have checked."""


def public_calls() -> Iterator[tuple[str, Callable[..., object]]]:
    """The public functions, classes and methods, as they are called."""
    for owner, prefix in ((ck, ""), (ct, "torch.")):
        for name in owner.__all__:
            thing = getattr(owner, name)
            if not callable(thing):
                continue
            yield prefix + name, thing
            for method in dir(thing) if inspect.isclass(thing) else ():
                found = inspect.getattr_static(thing, method)
                is_method = inspect.isfunction(found) or isinstance(found, classmethod)
                if is_method and method[0] != "_":
                    yield f"{prefix}{name}.{method}", getattr(thing, method)


def test_every_argument_of_every_public_function_is_in_the_table() -> None:
    tried = {
        (name.split(",")[0], other)
        for argument, _, calls in TABLE
        for name in calls
        for other in (argument, *OTHER_NAMES.get(argument, ()))
    }
    missing = [
        f"{path}({argument})"
        for path, call in public_calls()
        for argument in inspect.signature(call).parameters
        if path not in OF_OUR_OWN
        and argument not in ("self", *WITHOUT_A_WRONG_VALUE.get(path, ()))
        and (path, argument) not in tried
    ]
    assert missing == []


def test_the_table_names_what_there_is() -> None:
    known = {path for path, _ in public_calls()}
    named = {name.split(",")[0] for *_, calls in TABLE for name in calls}
    assert named | set(WITHOUT_A_WRONG_VALUE) | set(OF_OUR_OWN) <= known


def _fit(name: Any) -> Any:
    return ck.fit_kernels(RGB, 2, covariance_type=name, random_state=0).covariances


def _seed(name: Any) -> Any:
    return seed_kernels(PALETTE, 2, covariance_type=name, random_state=0).covariances


@pytest.mark.filterwarnings("ignore::napari_colorkde.core.kde.bandwidth.BandwidthEdgeWarning")
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("reflected", lambda name: ck.ColorKDE(RGB, 9.0, boundary=name).evaluate(RGB[0])),
        ("renormalized", lambda name: ck.ColorKDE(RGB, 9.0, boundary=name).evaluate(RGB[0])),
        ("lab", lambda name: ck.ColorKDE(RGB, 9.0, space=name).evaluate(RGB[0])),
        ("cells", lambda name: ck.ColorKDE(RGB, 9.0).volume(8, sampling=name).values),
        ("covariance", lambda name: ck.select_bandwidth(RGB, "loco", shape=name).covariance),
        ("full", _fit),
        ("tied", _fit),
        ("diag", _fit),
        ("full", _seed),
    ],
)
def test_names_mean_the_same_in_any_case(name: str, call: Callable[[str], Any]) -> None:
    np.testing.assert_array_equal(call(name.capitalize()), call(name))


@pytest.mark.parametrize(
    ("known", "other"),
    [
        (lambda: _fit("diag"), lambda: _fit("Diagonal")),
        (
            lambda: ck.fit_kernels(GRAY, "bic", random_state=3).means,
            lambda: ck.fit_kernels(GRAY, "auto", seed=3).means,
        ),
        (
            lambda: ck.fit_classes(GRAY, LABELS, "bic", random_state=3)["1"].means,
            lambda: ck.fit_classes(GRAY, LABELS, "Auto", seed=3)["1"].means,
        ),
        (
            lambda: ck.fit_classes(RGB, LABELS, 2, covariance_type="diag", seed=0)["2"].covariances,
            lambda: (
                ck.fit_classes(RGB, LABELS, 2, covariance_type="diagonal", seed=0)["2"].covariances
            ),
        ),
        (lambda: KDE.sample(3, random_state=4), lambda: KDE.sample(3, seed=4)),
        (lambda: GAUSSIAN.sample(3, random_state=4), lambda: GAUSSIAN.sample(3, seed=4)),
    ],
)
def test_other_names_mean_the_same(known: Call, other: Call) -> None:
    np.testing.assert_array_equal(known(), other())


def test_a_choice_is_never_checked_and_left() -> None:
    """What is chosen in another case is used as it is known, not as it was given."""
    package = Path(ck.__file__).parent
    dropped = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "choice"
    ]
    assert dropped == []
