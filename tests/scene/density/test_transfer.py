from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_colorkde.scene.density.transfer import SCALES, CumulativeMass, TransferFunction

VOLUMES = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=4, max_side=9),
    elements=st.floats(0, 1e4, width=32, allow_subnormal=False),
).filter(lambda values: values.sum() > 0)


@given(VOLUMES, st.floats(0.01, 1))
def test_superlevel_set_holds_the_named_share(values: np.ndarray, fraction: float) -> None:
    level = CumulativeMass.from_values(values).level_holding(fraction)
    ordered = np.sort(values.ravel().astype(float))[::-1]
    held = np.cumsum(ordered) / ordered.sum()
    # Where several cells fraction a density class, the level lies within it: 0.8 %.
    first = ordered[np.searchsorted(held, fraction - 1e-6)]
    after = ordered[min(np.searchsorted(held, fraction + 1e-6) + 1, len(ordered) - 1)]
    assert level <= first * 1.01 or level <= ordered[0]
    assert level >= after * 0.99


@given(VOLUMES)
def test_mass_above_is_the_inverse_of_level_holding(values: np.ndarray) -> None:
    curve = CumulativeMass.from_values(values)
    levels = np.linspace(0, curve.peak * 1.1, 30)
    above = curve.mass_above(levels)
    assert np.all(np.diff(above) <= 1e-12)
    assert above[0] == pytest.approx(1)
    assert above[-1] == 0


def test_levels_are_known_to_a_percent() -> None:
    values = np.random.default_rng(0).gamma(0.3, 2.0, 200_000).astype(np.float32)
    ordered = np.sort(values.astype(float))[::-1]
    held = np.cumsum(ordered) / ordered.sum()
    curve = CumulativeMass.from_values(values)
    for fraction in (0.1, 0.5, 0.9, 0.99):
        assert curve.level_holding(fraction) == pytest.approx(
            ordered[np.searchsorted(held, fraction)], rel=0.01
        )


def test_cells_that_are_no_densities_count_as_empty() -> None:
    values = np.array([1.0, 2.0, -5.0, np.nan, np.inf], dtype=np.float32)
    curve = CumulativeMass.from_values(values)
    assert curve.peak == 2
    assert curve.mass_above(1.5) == pytest.approx(2 / 3, abs=0.35)
    assert curve.level_holding(1) == pytest.approx(1, rel=0.01)


def test_nothing_is_shown_of_an_empty_volume() -> None:
    values = np.zeros((3, 3), dtype=np.float32)
    transfer = TransferFunction.from_curve(CumulativeMass.from_values(values))
    assert not transfer.opacity(values, 1.0).any()


def test_share_outside_of_zero_to_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fraction must lie between 0 and 1, not 1\.5"):
        CumulativeMass.from_values(np.ones(3, np.float32)).level_holding(1.5)


@pytest.mark.parametrize("scale", SCALES)
@given(values=VOLUMES)
def test_denser_is_never_fainter(scale: str, values: np.ndarray) -> None:
    transfer = TransferFunction.from_curve(CumulativeMass.from_values(values), scale=scale)
    order = np.sort(values.ravel())
    assert np.all(np.diff(transfer.visible(order)) >= -1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_look_does_not_depend_on_the_unit_of_density(scale: str) -> None:
    values = np.random.default_rng(0).gamma(0.3, 2.0, (20, 20)).astype(np.float32)
    one = TransferFunction.from_curve(CumulativeMass.from_values(values), scale=scale)
    scaled = (values * np.float32(1e-7)).astype(np.float32)
    other = TransferFunction.from_curve(CumulativeMass.from_values(scaled), scale=scale)
    np.testing.assert_allclose(other.visible(scaled), one.visible(values), rtol=0.02, atol=2e-3)


def test_opacity_of_a_stretch_is_that_of_its_parts() -> None:
    values = np.random.default_rng(0).gamma(0.3, 2.0, 50).astype(np.float32)
    transfer = TransferFunction.from_curve(
        CumulativeMass.from_values(values), scale="log", exposure=2
    )
    half = transfer.opacity(values, 0.05)
    np.testing.assert_allclose(transfer.opacity(values, 0.1), 1 - (1 - half) ** 2)


def test_floor_hides_the_sparsest_share() -> None:
    values = np.random.default_rng(0).gamma(0.3, 2.0, 100_000).astype(np.float32)
    transfer = TransferFunction.from_curve(CumulativeMass.from_values(values), density_floor=0.2)
    shown = transfer.visible(values) > 0
    assert values[shown].sum() / values.sum() == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("look", "message"),
    [
        ({"scale": "cubic"}, "scale must be one of linear, log, equalized, not 'cubic'"),
        ({"exposure": 0.0}, "exposure must be a positive number"),
        ({"density_floor": 1.2}, "density_floor must be a fraction of the mass"),
    ],
)
def test_looks_that_make_no_sense_are_refused(look: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransferFunction.from_curve(CumulativeMass.from_values(np.ones(4, np.float32)), **look)
