from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.app.kernels import clipboard
from napari_colorkde.app.kernels import edits as kernel_edits
from napari_colorkde.app.kernels.edits import Column
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.core.palette.palette import Palette

FULL = np.array([[90.0, 30.0, 0.0], [30.0, 80.0, -10.0], [0.0, -10.0, 70.0]])
KERNELS = KernelSet(
    [
        Kernel([10, 20, 30], [4, 9, 16], 0.5, cls="a", name="one"),
        Kernel([60, 50, 40], FULL, 0.25, cls="b", name="two, or so"),
        Kernel([5, 5, 5], [1, 1, 1], 0.5, visible=False),
    ],
    "mine",
)


def written(column: Column, given: str, *rows: int, variances: bool = False) -> KernelSet:
    return kernel_edits.with_cell(KERNELS, rows, column, given, variances=variances)


def test_a_mean_is_written_into_all_rows_at_once() -> None:
    after = written(Column("mean", 1), "12.5", 0, 2)
    np.testing.assert_array_equal(after.means[:, 1], [12.5, 50, 12.5])
    assert after[1] is KERNELS[1]
    assert after.name == "mine"


def test_spreads_are_sigmas_or_variances() -> None:
    assert written(Column("spread", 2), "7.1", 0)[0].covariance[2] == 7.1**2
    assert written(Column("spread", 2), "7.1", 0, variances=True)[0].covariance[2] == 7.1


@given(st.integers(1, 10**7).map(lambda n: n / 1000))
def test_a_typed_sigma_stays_as_typed(sigma: float) -> None:
    assert kernel_edits.sigma_of(sigma * sigma) == sigma


@given(st.floats(1e-6, 1e12))
def test_any_variance_has_its_sigma(variance: float) -> None:
    assert kernel_edits.sigma_of(variance) == pytest.approx(np.sqrt(variance), rel=1e-15)


def test_the_spreads_of_a_full_covariance_are_those_of_its_axes() -> None:
    shown = [kernel_edits.cell_value(KERNELS[1], Column("spread", c)) for c in range(3)]
    np.testing.assert_allclose(np.square(shown), np.linalg.eigvalsh(FULL)[::-1])


def test_an_axis_of_a_full_covariance_is_stretched_and_keeps_its_direction() -> None:
    after = written(Column("spread", 0), "20", 1)[1].covariance
    before, axes = np.linalg.eigh(FULL)
    np.testing.assert_allclose(
        axes.T @ after @ axes, np.diag([before[0], before[1], 400]), atol=1e-9
    )


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        (Column("mean", 0), "abc", "'abc' is not a number"),
        (Column("mean", 0), "", "the cell is empty"),
        (Column("mean", 0), "nan", "not a finite number"),
        (Column("mean", 0), "1_0", "not a number"),
        (Column("spread", 0), "0", "above 0"),
        (Column("spread", 0), "-3", "above 0"),
        (Column("spread", 0), "1e-200", "above 0"),
        (Column("weight"), "-0.1", "0 or more"),
        (Column("visible"), "perhaps", "neither true nor false"),
        (Column("name"), "two\tcells", "without tabs"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(column: Column, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        written(column, text, 0)


def test_texts_and_visibility_are_written() -> None:
    assert written(Column("cls"), " skin ", 0, 1).classes == ("skin", "")
    assert written(Column("name"), "x", 1)[1].name == "x"
    assert written(Column("visible"), "no", 0)[0].visible is False


@pytest.mark.parametrize("row", range(3))
def test_every_cell_reads_back_as_the_same_kernel(row: int) -> None:
    after = KERNELS
    for column in kernel_edits.columns(3):
        if column.kind == "spread" and KERNELS[row].covariance.ndim == 2:
            continue
        text = kernel_edits.cell_text(KERNELS[row], column)
        after = kernel_edits.with_cell(after, [row], column, text)
    assert after == KERNELS


def test_a_matrix_is_given_or_refused() -> None:
    np.testing.assert_array_equal(
        kernel_edits.with_covariance(KERNELS, 0, FULL)[0].covariance, FULL
    )
    with pytest.raises(ValueError, match="not symmetric"):
        kernel_edits.with_covariance(KERNELS, 0, [[1, 2, 0], [0, 1, 0], [0, 0, 1]])


def test_kernels_are_duplicated_and_deleted() -> None:
    longer = kernel_edits.duplicate(KERNELS, [2, 0])
    assert longer.kernels[3:] == (KERNELS[0], KERNELS[2])
    assert kernel_edits.delete(longer, [0, 3, 4]).kernels == (KERNELS[1], KERNELS[2])


def test_kernels_of_other_channels_are_not_added() -> None:
    with pytest.raises(ValueError, match="all kernels of a set need the same channels"):
        kernel_edits.append(KERNELS, [Kernel([1], [1], 1)])


def test_ten_thousand_kernels_are_refused() -> None:
    with pytest.raises(ValueError, match="10003 kernels; at most 1000 can be"):
        kernel_edits.append(KERNELS, [KERNELS[0]] * 10_000)


def test_weights_are_normalized() -> None:
    np.testing.assert_allclose(kernel_edits.normalize_weights(KERNELS).weights, [0.4, 0.2, 0.4])
    nothing = written(Column("weight"), "0", 0, 1, 2)
    with pytest.raises(ValueError, match="sum to 0"):
        kernel_edits.normalize_weights(nothing)


def test_whole_kernels_go_to_a_spreadsheet_and_back_bit_for_bit() -> None:
    text = clipboard.rows_text(KERNELS, [0, 1, 2])
    assert text.startswith("set\tkernel\tmean_r\tmean_g")
    pasted = clipboard.pasted_kernels(text.replace("\n", "\r\n"))
    assert pasted is not None
    assert pasted.kernels == KERNELS.kernels


@pytest.mark.parametrize(
    ("text", "variances"),
    [
        ("1,2,3,4,5,6,0.5\n7,8,9,1,1,1,0.25", False),
        ("1\t2\t3\t4\t5\t6\t0,5\n7\t8\t9\t1\t1\t1\t0,25\n", False),
        ("skin;dark;1;2;3;16;25;36;0,5\n;;7;8;9;1;1;1;0,25", True),
        ("true\tskin\tdark\t1\t2\t3\t4\t5\t6\t0.5\nfalse\t\t\t7\t8\t9\t1\t1\t1\t0.25", False),
    ],
)
def test_rows_without_a_header_are_kernels_as_the_table_shows_them(
    text: str, variances: bool
) -> None:
    pasted = clipboard.kernels_without_header(text, 3, variances=variances)
    assert pasted is not None
    np.testing.assert_array_equal(pasted.means, [[1, 2, 3], [7, 8, 9]])
    np.testing.assert_array_equal(pasted.variances, [[16, 25, 36], [1, 1, 1]])
    np.testing.assert_array_equal(pasted.weights, [0.5, 0.25])


def test_rows_whose_columns_cannot_be_told_are_refused() -> None:
    with pytest.raises(ValueError, match="include the header when copying"):
        clipboard.kernels_without_header("skin,1,1,2,3,4,5,6,0.5", 3)
    assert clipboard.kernels_without_header("1,2,3", 3) is None


def test_a_pasted_table_without_a_column_says_which() -> None:
    with pytest.raises(ValueError, match="'var_b' is missing"):
        clipboard.pasted_kernels("mean_r\tmean_g\tmean_b\tvar_r\tvar_g\tweight\n1\t2\t3\t4\t5\t1\n")


def test_cells_go_to_a_spreadsheet_and_back() -> None:
    text = clipboard.block_text(KERNELS, [2, 0], [3, 6])
    assert text == "5\t1\n10\t2\n"
    assert clipboard.pasted_kernels(text) is None
    block = [["1", "2", "3"], ["4", "5", "6"]]
    after = kernel_edits.with_block(KERNELS, [0, 1], 3, block)
    np.testing.assert_array_equal(after.means, [[1, 2, 3], [4, 5, 6], [5, 5, 5]])


@pytest.mark.parametrize(("rows", "column"), [([2], 3), ([0, 1, 2], 8)])
def test_a_block_that_is_too_large_is_refused(rows: list[int], column: int) -> None:
    with pytest.raises(ValueError, match="2 rows of 3 cells do not fit here"):
        kernel_edits.with_block(KERNELS, rows, column, [["1"] * 3] * 2)


def test_one_row_that_is_too_wide_is_spoken_of_as_one() -> None:
    with pytest.raises(ValueError, match="1 row of 9 cells does not fit here"):
        kernel_edits.with_block(KERNELS, [0], 3, [["1"] * 9])


def test_a_block_with_one_wrong_cell_is_refused_whole() -> None:
    with pytest.raises(ValueError, match="'x' is not a number"):
        kernel_edits.with_block(KERNELS, [0, 1, 2], 3, [["1", "x"]])


def test_a_new_kernel_stands_at_the_mean_color_with_a_mean_weight() -> None:
    palette = Palette.from_image(np.array([[[0, 0, 0], [0, 0, 0], [30, 60, 90]]], np.uint8))
    kernel = kernel_edits.new_kernel(palette, KERNELS)
    np.testing.assert_allclose(kernel.mean, [10, 20, 30])
    assert kernel.weight == pytest.approx(1.25 / 3)
    assert kernel_edits.new_kernel(palette, None).weight == 1
