"""Kernel sets from and to files, and what looks wrong in them.

``.json`` holds everything and gives it back bit for bit (see `kernel_json`); ``.csv`` is a table
for spreadsheets (see `kernel_csv`). No number is ever changed on the way in: weights are not
rescaled, channels not reordered, sigmas not squared. A warning says what looks like a mistake.
"""

import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from napari_colorkde.core.checks.arguments import kind_of, path_of
from napari_colorkde.core.checks.options import text_of
from napari_colorkde.core.mixture.kernels import KernelSet
from napari_colorkde.io.kernels.kernel_csv import csv_names_colors, kernels_from_csv, kernels_to_csv
from napari_colorkde.io.kernels.kernel_json import (
    json_names_channels,
    kernels_from_json,
    kernels_to_json,
)
from napari_colorkde.io.writers.atomic import atomic_path
from napari_colorkde.io.writers.targets import check_target

KERNEL_SUFFIXES = (".json", ".csv")

WEIGHT_TOLERANCE = 1e-2
"""Published tables are rounded: sums this close to one are shown in summaries, not warned of."""


class KernelFileWarning(UserWarning):
    """A kernel file that can be read, with something in it that looks like a mistake."""


def load_kernels(path: str | os.PathLike[str]) -> dict[str, KernelSet]:
    """Read kernel sets.

    Parameters
    ----------
    path
        A ``.json`` or ``.csv`` file.

    Returns
    -------
    dict
        The sets by name, in the file's order.

    Raises
    ------
    OSError
        If there is no such file or it cannot be opened.
    ValueError
        If it is not a kernel file, or a value in it is missing or invalid; the message names the
        file, the place in it, and what is allowed.

    Warns
    -----
    KernelFileWarning
        One for each sentence of `check_kernels`.
    """
    kernel_sets, findings = read_kernels(path)
    for sentence in findings:
        where = f"kernel file {str(Path(path))!r}"
        warnings.warn(f"{where}: {sentence}", KernelFileWarning, stacklevel=2)
    return kernel_sets


def read_kernels(path: str | os.PathLike[str]) -> tuple[dict[str, KernelSet], list[str]]:
    """Read kernel sets as `load_kernels` does; return what looks wrong in them in place of warning.

    Raises
    ------
    OSError, ValueError
        As `load_kernels`.
    """
    path = Path(path_of(path))
    suffix = path.suffix.lower()
    if suffix not in KERNEL_SUFFIXES:
        raise ValueError(f"kernel file {str(path)!r} has the suffix {suffix!r}; use .json or .csv.")
    if path.is_dir():
        raise IsADirectoryError(f"kernel file {str(path)!r} is a folder; give the name of a file.")
    if not path.exists():
        raise FileNotFoundError(f"kernel file {str(path)!r} does not exist; check the name.")
    name = f"kernel file {str(path)!r}"
    try:
        # -sig: spreadsheets put a byte order mark before the first column's name.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text; save it as UTF-8.") from None
    if not text.strip():
        raise ValueError(f"{name} is empty; give one or more kernels.")
    if suffix == ".json":
        kernel_sets = kernels_from_json(text, name)
        named = json_names_channels(text)
    else:
        kernel_sets = kernels_from_csv(text, name, default_set=path.stem)
        named = csv_names_colors(text)
    return kernel_sets, check_kernels(kernel_sets, channels_named=named)


def save_kernels(
    path: str | os.PathLike[str],
    kernel_sets: Mapping[str, KernelSet] | KernelSet,
    *,
    about: str = "",
) -> None:
    """Write kernel sets.

    Parameters
    ----------
    path
        ``.json`` or ``.csv``.
    kernel_sets
        Sets by their names in the file; or one set, under its own name.
    about
        Where they come from, as text; a table (CSV) cannot store it.

    Raises
    ------
    ValueError
        If there is nothing to write, the suffix is not known, or a table (CSV) cannot store what
        the sets hold.
    OSError
        If the file cannot be written. An existing file is then left unchanged.
    """
    path = check_target(path, KERNEL_SUFFIXES)
    if isinstance(kernel_sets, KernelSet):
        kernel_sets = {kernel_sets.name: kernel_sets}
    is_mapping = isinstance(kernel_sets, Mapping)
    if not is_mapping or not all(isinstance(each, KernelSet) for each in kernel_sets.values()):
        raise TypeError(
            f"kernel_sets is {kind_of(kernel_sets)}; give a KernelSet, or several by name, "
            "{'skin': KernelSet(kernels)}."
        )
    if not kernel_sets:
        raise ValueError("kernel_sets is empty; give one or more sets.")
    is_json = path.suffix.lower() == ".json"
    about = text_of(about, "about")
    text = kernels_to_json(kernel_sets, about) if is_json else kernels_to_csv(kernel_sets)
    with atomic_path(path) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="\n")


def summarize_kernels(kernel_sets: Mapping[str, KernelSet]) -> list[str]:
    """Say in one line for each set what it holds, the sum of its weights among it."""
    lines = []
    for name, kernels in kernel_sets.items():
        shape = "diagonal" if kernels.is_diagonal else "full covariance"
        space = f" ({kernels.space})" if kernels.n_channels == 3 else ""  # others are no colors
        lines.append(
            f"{name or 'unnamed'}: {len(kernels)} kernels, {kernels.n_channels} channels{space}, "
            f"{shape}, weights sum to {kernels.weights.sum():.6g}"
        )
    return lines


def check_kernels(
    kernel_sets: Mapping[str, KernelSet], *, channels_named: bool = False
) -> list[str]:
    """Look for what is often wrong in kernel files.

    Parameters
    ----------
    channels_named
        Whether the file says which channel is red and which is blue, as every file does that this
        program writes. Then only bluish skin looks like BGR: of a sky it may be taken at its word.

    Returns
    -------
    list of str
        One sentence for each finding: weights that do not sum to one (within `WEIGHT_TOLERANCE`),
        means that look like BGR, variances that look like sigmas. Findings, not errors: a set may
        be meant so.
    """
    sentences = []
    for name, kernels in kernel_sets.items():
        if len(kernels) == 0:
            continue
        total = float(kernels.weights.sum())
        if abs(total - 1) > WEIGHT_TOLERANCE:
            sentences.append(
                f"the weights of set {name!r} sum to {total:.6g}, not 1; they are used as they "
                "are, so the density integrates to that sum."
            )
        if kernels.space == "bgr":
            sentences.append(
                f"the channels of set {name!r} are in the order B, G, R; they are used in that "
                "order, as the first, second and third channels of the image."
            )
        elif _look_like_bgr(name, kernels, channels_named):
            sentences.append(
                f"the means of set {name!r} look like B, G, R (more blue than red); they are used "
                "as R, G, B. If they come from OpenCV, swap the first and third channels."
            )
        if _look_like_sigmas(kernels):
            sentences.append(
                f"the variances of set {name!r} look like sigmas (the kernels hardly overlap, but "
                "would if these were squared); they are used as variances. If they are sigmas, "
                "square them."
            )
    return sentences


def _look_like_bgr(name: str, kernels: KernelSet, channels_named: bool) -> bool:
    """Whether skin is bluish, or all of three or more kernels of no known order go up to blue.

    Skin, soil, wood and most photographs have more red than blue. A set of sky or water is rightly
    blue: the sentence says what to do only *if* the file comes from BGR pixels.
    """
    if kernels.space != "rgb" or kernels.n_channels != 3:
        return False
    red, green, blue = kernels.means.T
    total = float(kernels.weights.sum())
    tilt = float(kernels.weights @ (blue - red)) / total if total > 0 else 0.0
    if re.search(r"(?<!non)(?<!non[-_ ])skin", name.lower()):
        return tilt > 0
    if channels_named:
        return False
    ordered = bool(((blue >= green) & (green >= red)).all())
    return len(kernels) >= 3 and ordered and tilt > 0.1 * float(kernels.means.max())


def _look_like_sigmas(kernels: KernelSet) -> bool:
    """Whether the kernels are islands as given, but would overlap if the variances were squared.

    The kernels of a mixture overlap: the nearest other mean is some sigmas away (medians: 2.4 and
    2.7 in the published skin sets, 3.7 to 5.2 in fits of 5 to 32 kernels to photographs). With
    sigmas in the place of variances it is 8.5 to 19.
    """
    if len(kernels) < 4 or not kernels.is_diagonal or np.median(kernels.variances) <= 1:
        return False
    from scipy.spatial import KDTree

    _, nearest = KDTree(kernels.means).query(kernels.means, k=2)
    squares = (kernels.means - kernels.means[nearest[:, 1]]) ** 2
    as_variances = np.median(np.sqrt((squares / kernels.variances).sum(axis=1)))
    as_sigmas = np.median(np.sqrt((squares / kernels.variances**2).sum(axis=1)))
    return bool(as_variances > 7 and as_sigmas < 6)
