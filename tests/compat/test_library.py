"""The public names: how they are called, and which values they take."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_colorkde as ck
from tests.compat.conftest import RECORDED

# A better word may be added; the old one still works, and may say that it is old.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

LIBRARY = json.loads((RECORDED / "library.json").read_text())

RGB = np.load(RECORDED / "photo.npy")
LABELS = np.where(np.arange(20) < 10, 1, 2) * np.ones((16, 1), int)
VECTORS = np.random.default_rng(0).normal(size=(40, 5))

SKIN = ck.Kernel([180, 120, 80], [900, 500, 300], 0.5, cls="skin", name="one")
WALL = ck.Kernel([100, 120, 140], [[700, 10, 0], [10, 600, 0], [0, 0, 500]], 0.5, cls="wall")
BOTH = ck.KernelSet([SKIN, WALL], "both")


RAISED = {("Palette.from_image", "max_colors")}
"""Budgets that are larger than they were: nobody gets less by leaving them alone."""


@pytest.fixture(scope="module")
def instances() -> dict[str, Any]:
    """One object of each public class, and of what each function gives."""
    kde = ck.ColorKDE(RGB)
    return {
        "ColorKDE": kde,
        "DensityVolume": ck.color_kde(RGB, 40, bins=8),
        "GaussianKDE": ck.GaussianKDE().fit(VECTORS),
        "Kernel": SKIN,
        "KernelSet": BOTH,
        "Palette": kde.palette,
        "select_bandwidth()": ck.select_bandwidth(RGB, "scott"),
        "compare()": ck.compare(RGB, RGB, 40),
        "grid_search()": ck.grid_search(VECTORS, VECTORS, [1.0]),
    }


def called(path: str, instances: dict[str, Any]) -> list[inspect.Parameter]:
    """The parameters of a function, of a class, or of a bound method."""
    owner, _, method = path.partition(".")
    target = getattr(instances[owner], method) if method else getattr(ck, owner)
    return list(inspect.signature(target).parameters.values())


def test_every_public_name_is_still_there() -> None:
    assert set(LIBRARY["names"]) <= set(ck.__all__)
    assert [name for name in LIBRARY["names"] if not hasattr(ck, name)] == []


@pytest.mark.parametrize("path", sorted(LIBRARY["calls"]))
def test_every_call_is_still_accepted(path: str, instances: dict[str, Any]) -> None:
    now = called(path, instances)
    by_name = {parameter.name: parameter for parameter in now}
    recorded = LIBRARY["calls"][path]
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in now)
    for position, before in enumerate(recorded):
        name = before["name"]
        if before["kind"] == "POSITIONAL_OR_KEYWORD":
            assert (now[position].name, now[position].kind.name) == (name, before["kind"])
        assert takes_any or by_name[name].kind.name in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")
        if "default" in before:
            default = by_name[name].default
            if (path, name) in RAISED:
                assert default > before["default"]
                continue
            assert (default, type(default)) == (before["default"], type(before["default"]))
    names = {before["name"] for before in recorded}
    required = [p.name for p in now if p.default is p.empty and p.kind.name[:3] != "VAR"]
    assert set(required) <= names, "a new argument needs a default"


@pytest.mark.parametrize("path", sorted(LIBRARY["attributes"]))
def test_every_attribute_is_still_there(path: str, instances: dict[str, Any]) -> None:
    missing = [a for a in LIBRARY["attributes"][path] if not hasattr(instances[path], a)]
    assert missing == []


# Values of arguments that are words


@pytest.mark.parametrize("bandwidth", [None, "scott", "silverman", "loco", "loo"])
def test_named_bandwidths(bandwidth: Any) -> None:
    assert (np.diag(ck.ColorKDE(RGB, bandwidth).covariance) > 0).all()


@pytest.mark.parametrize(
    ("bandwidth", "variances"),
    [
        (5, [25, 25, 25]),
        (2.5, [6.25, 6.25, 6.25]),
        ([3, 4, 5], [9, 16, 25]),
        (np.diag([9.0, 16, 25]), [9, 16, 25]),
    ],
    ids=["whole", "sigma", "sigmas", "covariance"],
)
def test_bandwidths_in_numbers(bandwidth: Any, variances: list[float]) -> None:
    np.testing.assert_allclose(ck.ColorKDE(RGB, bandwidth).covariance, np.diag(variances))


def test_the_default_bandwidth_is_a_64th_of_the_range() -> None:
    np.testing.assert_allclose(ck.ColorKDE(RGB).covariance, np.diag([16.0] * 3))


@pytest.mark.parametrize("space", ["rgb", "linear", "lab", "oklab", "hsv", "ycbcr", "principal"])
def test_spaces(space: str) -> None:
    assert ck.ColorKDE(RGB, 0.1, space=space).space == space
    assert ck.color_kde(RGB, bins=4, space=space, bandwidth=90).space == space


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_devices(device: str) -> None:
    expected = ck.ColorKDE(RGB, 5).density()
    np.testing.assert_allclose(ck.ColorKDE(RGB, 5, device=device).density(), expected, rtol=1e-6)


@pytest.mark.parametrize("sampling", ["points", "cells"])
def test_samplings(sampling: str) -> None:
    volume = ck.ColorKDE(RGB, 40).volume(8, (0, 255), sampling=sampling)  # type: ignore[arg-type]
    assert volume.values.shape == (8, 8, 8)


@pytest.mark.parametrize("method", ["scott", "silverman", "loco", "loo"])
def test_methods_of_choosing_a_bandwidth(method: str) -> None:
    candidates = [6, 9, 14, 20, 30] if method[:2] == "lo" else None
    found = ck.select_bandwidth(RGB, method, candidates)  # type: ignore[arg-type]
    assert (found.method, found.bandwidth.shape) == (method, (3,))
    assert found.edge in ("", "narrowest", "widest")
    assert len(found.scores) == len(candidates or ())


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_covariance_types(covariance_type: Any) -> None:
    fitted = ck.fit_kernels(RGB, 2, covariance_type=covariance_type, random_state=0)
    assert len(fitted) == 2
    fitted_classes = ck.fit_classes(
        RGB, LABELS, 1, names={1: "left"}, covariance_type=covariance_type
    )
    assert list(fitted_classes) == ["left", "2"]


def test_bic_chooses_the_number_of_kernels() -> None:
    assert len(ck.fit_kernels(RGB, "bic", random_state=0)) >= 1


@pytest.mark.parametrize("show", ["posterior", "ratio", "class"])
def test_what_classes_are_asked_for(show: Any) -> None:
    image = ck.classify_image(RGB, BOTH, show=show, cls=None, against=None)
    assert image.dtype == (np.uint8 if show == "class" else np.float32)


def test_the_first_class_is_the_default_and_classes_count_from_one() -> None:
    named = ck.classify_image(RGB, BOTH, show="ratio", cls="skin", against="wall")
    np.testing.assert_array_equal(ck.classify_image(RGB, BOTH, show="ratio"), named)
    np.testing.assert_array_equal(ck.classify_image(RGB, BOTH), np.where(named >= 0, 1, 2))
    assert ck.class_names(BOTH) == ("skin", "wall")


# Kernels


def test_a_kernel_has_a_class_by_keyword_and_attribute() -> None:
    assert (SKIN.cls, SKIN.name, SKIN.visible) == ("skin", "one", True)
    assert ck.Kernel([1], [2], 1).cls == ""
    assert BOTH.classes == ("skin", "wall")
    with pytest.raises(TypeError):
        ck.Kernel([1], [2], 1, "skin")  # type: ignore[misc]


def test_kernels_come_from_tuples_and_look_alikes() -> None:
    class Alike:
        mean, covariance, weight, cls = SKIN.mean, SKIN.covariance, SKIN.weight, "skin"

    for kernels in ([(SKIN.mean, SKIN.covariance, SKIN.weight)], [Alike()]):
        first = ck.KernelSet(kernels, "set", "bgr")[0]  # type: ignore[arg-type]
        assert (first.mean.tolist(), first.weight) == ([180, 120, 80], 0.5)


def test_kernels_alone_will_do_for_classes() -> None:
    expected = ck.classify_image(RGB, BOTH)
    np.testing.assert_array_equal(ck.classify_image(RGB, [SKIN, WALL]), expected)
    by_set = {"skin": ck.KernelSet([SKIN]), "wall": ck.KernelSet([WALL])}
    np.testing.assert_array_equal(ck.classify_image(RGB, by_set), expected)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_kernels_survive_a_file_of_either_kind(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"kernels{suffix}"
    ck.save_kernels(path, BOTH, about="a test")
    assert ck.load_kernels(str(path)) == {"both": BOTH}


# Errors


def test_wrong_values_are_value_errors() -> None:
    wrong: list[Any] = [
        lambda: ck.ColorKDE(RGB, "wide"),
        lambda: ck.ColorKDE(RGB, space="cmyk"),
        lambda: ck.ColorKDE(RGB, device="abacus"),
        lambda: ck.select_bandwidth(RGB, "best"),  # type: ignore[arg-type]
        lambda: ck.classify_image(RGB, BOTH, show="odds"),  # type: ignore[arg-type]
        lambda: ck.fit_kernels(RGB, 2, covariance_type="round"),  # type: ignore[arg-type]
        lambda: ck.Kernel([1, 2], [1, 2, 3], 1),
        lambda: ck.compute_densities(RGB[..., :2], BOTH),
    ]
    for call in wrong:
        with pytest.raises(ValueError, match=r"\w"):
            call()


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    for read in (ck.load_kernels, ck.read_image):
        with pytest.raises(OSError, match="missing"):
            read(tmp_path / ("missing.json" if read is ck.load_kernels else "missing.png"))
