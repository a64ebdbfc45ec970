"""Samples and their kernels, against NumPy on the pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.app.selection.samples import (
    Samples,
    SampleStore,
    gaussian_of,
    pseudo_samples_of,
    samples_of_colors,
    samples_of_counts,
)
from napari_colorkde.core.mixture.kernels import Kernel
from napari_colorkde.core.palette.palette import Palette

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(40, 60, (30, 40, 3)).astype(np.uint8)
PALETTE = Palette.from_image(IMAGE)
CODES = PALETTE.index(IMAGE) + 1


def codes_of(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(CODES.ravel(), n, replace=False)


def samples_of(codes: np.ndarray) -> Samples:
    return samples_of_counts(PALETTE, np.bincount(codes, minlength=len(PALETTE) + 1)[1:])


picks = st.builds(codes_of, st.integers(0, 99), st.integers(1, 60))


@given(picks)
def test_a_kernel_has_the_mean_covariance_and_part_of_its_pixels(codes: np.ndarray) -> None:
    kernel = gaussian_of(samples_of(codes), PALETTE)
    pixels = PALETTE.colors[codes - 1].astype(float)
    np.testing.assert_allclose(kernel.mean, pixels.mean(axis=0), rtol=1e-12)
    wanted = np.cov(pixels.T, bias=True) + np.eye(3) / 12
    np.testing.assert_allclose(kernel.covariance_matrix, wanted, rtol=1e-10, atol=1e-10)
    assert kernel.weight == len(codes) / 1200


@given(picks, picks)
def test_what_was_added_and_taken_away_leaves_the_same_kernel(
    first: np.ndarray, second: np.ndarray
) -> None:
    before, other = (samples_of(codes) for codes in (first, second))
    after = before.add(other).subtract(other)
    assert gaussian_of(after, PALETTE) == gaussian_of(before, PALETTE)
    assert after.colors.dtype == np.uint8


@given(picks, picks)
def test_samples_added_are_those_of_all_pixels(first: np.ndarray, second: np.ndarray) -> None:
    both = samples_of(np.concatenate([first, second]))
    added = samples_of(first).add(samples_of(second))
    np.testing.assert_array_equal(added.colors, both.colors)
    np.testing.assert_array_equal(added.counts, both.counts)


@given(picks, picks)
def test_a_kernel_whose_samples_are_gone_counts_as_the_pixels_it_was_made_of(
    first: np.ndarray, second: np.ndarray
) -> None:
    before, other = samples_of(first), samples_of(second)
    restored = gaussian_of(before, PALETTE)
    added = replace(other, start=pseudo_samples_of(restored, PALETTE))
    kernel, wanted = gaussian_of(added, PALETTE), gaussian_of(before.add(other), PALETTE)
    np.testing.assert_allclose(kernel.mean, wanted.mean, rtol=1e-12)
    np.testing.assert_allclose(
        kernel.covariance_matrix, wanted.covariance_matrix, rtol=1e-9, atol=1e-9
    )
    assert kernel.weight == wanted.weight


def test_taking_away_other_colors_changes_nothing() -> None:
    samples = samples_of(np.array([5, 5, 9]))
    other = samples_of(np.array([1, 2]))
    assert samples.subtract(other).n_pixels == 3
    assert len(samples.subtract(samples)) == 0


def test_chosen_colors_have_all_their_pixels() -> None:
    chosen = PALETTE.colors[:, 0] < 45
    samples = samples_of_colors(PALETTE, chosen)
    assert samples.n_pixels == (IMAGE[..., 0] < 45).sum()


def test_nothing_picked_is_refused() -> None:
    with pytest.raises(ValueError, match="has no pixel that counts"):
        gaussian_of(samples_of(np.zeros(4, np.int32)), PALETTE)


def test_one_color_is_as_wide_as_rounding() -> None:
    kernel = gaussian_of(samples_of(np.array([3, 3])), PALETTE)
    np.testing.assert_array_equal(kernel.mean, PALETTE.colors[2])
    np.testing.assert_array_equal(kernel.covariance, np.full(3, 1 / 12))


def test_samples_of_other_channels_do_not_mix() -> None:
    gray = Samples(np.array([[1.0]]), np.array([1]))
    with pytest.raises(ValueError, match="have 3 channels, those picked 1"):
        samples_of(np.array([3])).add(gray)


def test_samples_are_found_by_the_kernels_numbers() -> None:
    store = SampleStore()
    samples = samples_of(np.array([1, 2, 3]))
    kernel = gaussian_of(samples, PALETTE)
    store.keep(kernel, samples)
    renamed = Kernel(kernel.mean, kernel.covariance, 0.7, cls="a", name="b")
    assert store.of(renamed) is samples
    assert store.of(Kernel(kernel.mean + 1, kernel.covariance, 0.7)) is None


def test_the_oldest_samples_are_forgotten_beyond_the_budget() -> None:
    many = [samples_of(codes_of(seed, 40)) for seed in range(3)]
    kernels = [gaussian_of(samples, PALETTE) for samples in many]
    store = SampleStore(budget=many[1].n_bytes + many[2].n_bytes)
    for kernel, samples in zip(kernels, many, strict=True):
        store.keep(kernel, samples)
    assert [store.of(kernel) is not None for kernel in kernels] == [False, True, True]
