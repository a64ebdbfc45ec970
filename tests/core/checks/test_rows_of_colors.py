"""Colors, one in each row, that would be taken for a gray image."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import napari_colorkde as ck

ROWS = np.arange(90, dtype=np.uint8).reshape(30, 3)
GRAY = ROWS.reshape(10, 9)
KDE = ck.ColorKDE(GRAY, 20)
TWO = ck.KernelSet([ck.Kernel([20], [90], 0.5, cls="a"), ck.Kernel([70], [90], 0.5, cls="b")])

CALLS: dict[str, Callable[..., Any]] = {
    "ColorKDE": ck.ColorKDE,
    "ColorKDE.density": KDE.density,
    "ColorKDE.log_likelihood": KDE.log_likelihood,
    "Palette.from_image": ck.Palette.from_image,
    "Palette.from_images": lambda image, **axis: ck.Palette.from_images([GRAY, image], **axis),
    "Palette.index": KDE.palette.index,
    "Palette.paint": lambda image, **axis: KDE.palette.paint(KDE.palette.counts, image, **axis),
    "color_kde": lambda image, **axis: ck.color_kde(image, 20, bins=16, **axis),
    "compare": lambda image, **axis: ck.compare(GRAY, image, 20, **axis),
    "compare_all": lambda image, **axis: ck.compare_all([GRAY, image], 20, **axis),
    "select_bandwidth": lambda image, **axis: ck.select_bandwidth(image, "auto", **axis),
    "fit_kernels": lambda image, **axis: ck.fit_kernels(image, 1, **axis),
    "fit_classes": lambda image, **axis: ck.fit_classes(image, ROWS > 40, 1, **axis),
    "compute_densities": lambda image, **axis: ck.compute_densities(image, TWO, **axis),
    "classify_image": lambda image, **axis: ck.classify_image(image, TWO, **axis),
    "posteriors": lambda image, **axis: ck.posteriors(image, TWO, **axis),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_rows_of_colors_are_never_a_gray_image_without_a_word(call: Callable[..., Any]) -> None:
    with pytest.warns(
        UserWarning, match=r"shape \(30, 3\) and is taken to be a gray image"
    ) as seen:
        call(ROWS)
    said = [warning for warning in seen if "gray image" in str(warning.message)]
    assert len(said) == 1
    assert said[0].filename == __file__


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_is_said_to_be_a_gray_image_is_one(call: Callable[..., Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call(ROWS, channel_axis=None)
