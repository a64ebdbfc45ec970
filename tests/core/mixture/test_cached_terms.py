from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_colorkde.core.mixture import cached_terms as contributions
from napari_colorkde.core.mixture.at_colors import mixture_log_density
from napari_colorkde.core.mixture.cached_terms import Contributions
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

RNG = np.random.default_rng(1)
COLORS = RNG.integers(0, 256, (500, 3)).astype(np.uint8)
SLANTED = np.array([[90.0, 30.0, 0.0], [30.0, 80.0, -10.0], [0.0, -10.0, 70.0]])
KERNELS = KernelSet(
    [
        Kernel(RNG.uniform(0, 255, 3), SLANTED if k % 3 == 0 else RNG.uniform(4, 400, 3), 0.1 * k)
        for k in range(1, 8)
    ]
)


def moved(kernels: KernelSet, row: int) -> KernelSet:
    members = list(kernels)
    members[row] = replace(members[row], mean=members[row].mean + 1.5)
    return replace(kernels, kernels=tuple(members))


def require_promised(values: np.ndarray, wanted: np.ndarray) -> None:
    assert (np.abs(values - wanted) <= 1e-4 + 1e-6 * np.abs(wanted)).all()


@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_log_density_is_that_of_the_mixture(n: int) -> None:
    kept = Contributions(COLORS, "cpu")
    require_promised(kept.log_density(KERNELS[:n]), mixture_log_density(COLORS, KERNELS[:n]))


def test_after_an_edit_only_the_edited_kernel_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Contributions(COLORS, "cpu")
    kept.log_density(KERNELS)
    computed: list[Kernel] = []
    term = Contributions._term

    def counted(self: Contributions, kernel: Kernel) -> object:
        computed.append(kernel)
        return term(self, kernel)

    monkeypatch.setattr(Contributions, "_term", counted)
    for kernels in (moved(KERNELS, 3), moved(moved(KERNELS, 3), 3), KERNELS, KERNELS[:6]):
        computed.clear()
        values = kept.log_density(kernels)
        require_promised(values, mixture_log_density(COLORS, kernels))
        assert len(computed) <= 1
    kept.log_density(KERNELS[:6])
    computed.clear()
    kept.log_density(replace(KERNELS[:6], kernels=tuple(replace(k, name="x") for k in KERNELS[:6])))
    assert computed == []


def test_the_same_kernels_give_the_same_numbers_whatever_was_edited_before() -> None:
    kept = Contributions(COLORS, "cpu")
    for row in (2, 5, 2, 0):
        kept.log_density(moved(KERNELS, row))
    np.testing.assert_array_equal(
        kept.log_density(KERNELS), Contributions(COLORS, "cpu").log_density(KERNELS)
    )


def test_classes_are_added_up_apart() -> None:
    kept = Contributions(COLORS, "cpu")
    both = kept.log_class_densities(KERNELS, [0, 1, 0, 1, 1, 0, 1])
    for cls, members in enumerate(([0, 2, 5], [1, 3, 4, 6])):
        part = KernelSet([KERNELS[m] for m in members])
        require_promised(both[cls], mixture_log_density(COLORS, part))


def test_without_weight_there_is_no_density() -> None:
    nothing = KernelSet([replace(KERNELS[0], weight=0), replace(KERNELS[1], weight=0)])
    assert (Contributions(COLORS, "cpu").log_density(nothing) == -np.inf).all()


def test_far_tails_do_not_underflow() -> None:
    narrow = KernelSet([Kernel([0, 0, 0], [0.5, 0.5, 0.5], 1)])
    values = Contributions(COLORS, "cpu").log_density(narrow)
    require_promised(values, mixture_log_density(COLORS, narrow))
    assert values.min() < -10_000


@pytest.mark.parametrize("n_kept", [0, 1, 2, 5, 6, 12, 13])
def test_what_is_kept_stays_within_the_budget(monkeypatch: pytest.MonkeyPatch, n_kept: int) -> None:
    monkeypatch.setattr(contributions, "KEPT_BYTES", 4 * len(COLORS) * n_kept)
    kept = Contributions(COLORS, "cpu")
    for kernels in (KERNELS, moved(KERNELS, 3), KERNELS):
        values = kept.log_density(kernels)
        require_promised(values, mixture_log_density(COLORS, kernels))
        assert len(kept._kept) <= n_kept
        assert (n_kept == 13) == (len(kept._kept) == 13)
        assert bool(kept._kept) == (n_kept > 0)
    np.testing.assert_array_equal(values, Contributions(COLORS, "cpu").log_density(KERNELS))


def test_terms_of_many_colors_are_computed_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Contributions(COLORS, "cpu").log_density(KERNELS)
    monkeypatch.setattr(contributions, "CHUNK_COLORS", 7)
    np.testing.assert_allclose(Contributions(COLORS, "cpu").log_density(KERNELS), whole, rtol=1e-6)


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="1 kernels of 1 channels"):
        Contributions(COLORS, "cpu").log_density(KernelSet([Kernel([1], [1], 1)]))
