"""Results as tables and in a line: the same numbers, to the last digit."""

import csv
import io
import math
import sys

import numpy as np
import pytest

import napari_colorkde as ck
from napari_colorkde.core.csv_and_frames import cell_text, csv_of_rows, csv_text

RGB = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
KERNELS = ck.KernelSet(
    [
        ck.Kernel([180, 120, 80.5], [900, 500, 300], 1 / 3, cls="skin"),
        ck.Kernel([10, 20, 30], np.diag([9.0, 16, 25]) + 1, 2 / 3, name="sea, deep", visible=False),
    ],
    "both",
)
VECTORS = np.random.default_rng(1).normal(size=(40, 3))


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


SEARCH = ck.grid_search(VECTORS[:20], VECTORS[20:], [0.5, 1.0, 2.0], test=VECTORS[30:])
SELECTION = ck.select_bandwidth(RGB, "loco", [10.0, 30.0, 90.0])
REPORT = ck.fit_kernels(RGB, 2, random_state=0, return_report=True)[1]
CHOSEN = ck.fit_kernels(RGB[..., 0], "bic", random_state=0, return_report=True)[1]
PALETTE = ck.Palette.from_image(RGB)
CURVE = ck.roc(RGB[..., 0] / 7, RGB[..., 1] > 99)
RULE = ck.select_bandwidth(RGB, "scott")

RESULTS = {
    "a search": (SEARCH, "sigma,log_likelihood_valid,best,log_likelihood_test", 3),
    "a selection": (
        SELECTION,
        "sigma_1,sigma_2,sigma_3,log_likelihood,standard_error,own_color_share,degenerate,best",
        3,
    ),
    "a rule of thumb": (
        RULE,
        "sigma_1,sigma_2,sigma_3,log_likelihood,standard_error,own_color_share,degenerate,best",
        1,
    ),
    "kernels": (
        KERNELS,
        "set,kernel,mean_r,mean_g,mean_b,var_r,var_g,var_b,cov_rg,cov_rb,cov_gb,weight,class,name,"
        "visible",
        2,
    ),
    "no kernels": (ck.KernelSet([]), "set,kernel,weight", 0),
    "a palette": (PALETTE, "channel_1,channel_2,channel_3,count", len(PALETTE)),
    "weights": (PALETTE.with_weights(PALETTE.counts / 3), "channel_1,channel_2,channel_3,weight",
                len(PALETTE)),
    "a fit": (REPORT, "n_kernels,bic,best,n_pixels,log_likelihood,iterations,converged", 1),
    "a choice": (CHOSEN, "n_kernels,bic,best,n_pixels,log_likelihood,iterations,converged",
                 len(CHOSEN.tried)),
    "a curve": (
        CURVE,
        "threshold,true_positives,false_positives,recall,false_positive_rate,precision",
        len(CURVE.thresholds),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_a_table(name):
    result, header, n_rows = RESULTS[name]
    text = result.to_csv()
    assert text.split("\n")[0] == header
    frame = result.to_frame()
    assert frame.shape == (n_rows, len(header.split(",")))
    read = rows_of(text)
    for column in frame:
        if frame[column].dtype.kind in "iuf" and n_rows:
            written = [float(row[column] or "nan") for row in read]
            np.testing.assert_array_equal(written, frame[column])


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_a_line(name):
    line = repr(RESULTS[name][0])
    assert len(line) <= 120
    assert "\n" not in line
    assert "array(" not in line


def test_lines_say_what_was_found():
    assert repr(KERNELS) == "KernelSet('both', 2 kernels of 3 channels, rgb)"
    assert repr(KERNELS[0]) == (
        "Kernel(mean=[180, 120, 80.5], std=[30, 22.36, 17.32], weight=0.3333, cls='skin')"
    )
    assert "(correlated), weight=0.6667, name='sea, deep'" in repr(KERNELS[1])
    assert repr(SEARCH).startswith(f"GridSearchResult(3 sigmas, best {SEARCH.best_sigma:g} with")
    assert repr(SELECTION).startswith("BandwidthSelection('loco': sigma ")
    assert repr(REPORT).startswith("FitReport(2 kernels, ")
    assert f"area {CURVE.auc:.4g}" in repr(CURVE)


def test_numbers_of_a_search_stand_beside_their_sigma():
    frame = SEARCH.to_frame()
    np.testing.assert_array_equal(frame["sigma"], SEARCH.sigmas)
    np.testing.assert_array_equal(frame["log_likelihood_valid"], SEARCH.scores)
    best = frame[frame["best"] == 1]
    assert best["sigma"].tolist() == [SEARCH.best_sigma]
    assert best["log_likelihood_test"].tolist() == [SEARCH.test_score]
    assert frame["log_likelihood_test"].isna().sum() == 2


def test_numbers_of_a_selection_stand_beside_their_sigmas():
    frame = SELECTION.to_frame()
    np.testing.assert_array_equal(frame["log_likelihood"], SELECTION.scores)
    best = frame[frame["best"] == 1].iloc[0]
    assert best[["sigma_1", "sigma_2", "sigma_3"]].tolist() == SELECTION.bandwidth.tolist()
    assert RULE.to_frame()["log_likelihood"].isna().all()


def test_the_table_of_kernels_is_a_kernel_file(tmp_path):
    (tmp_path / "kernels.csv").write_text(KERNELS.to_csv(), encoding="utf-8")
    assert ck.load_kernels(tmp_path / "kernels.csv") == {"both": KERNELS}
    ck.save_kernels(tmp_path / "saved.csv", {"both": KERNELS})
    assert (tmp_path / "saved.csv").read_text(encoding="utf-8") == KERNELS.to_csv()


def test_the_table_of_a_choice_tells_every_criterion():
    rows = rows_of(CHOSEN.to_csv())
    assert [(int(row["n_kernels"]), float(row["bic"])) for row in rows] == list(CHOSEN.tried)
    chosen = [row for row in rows if row["best"] == "1"]
    assert [float(row["log_likelihood"]) for row in chosen] == [CHOSEN.log_likelihood]
    assert [row["iterations"] for row in rows if row["best"] == "0"] == [""] * (len(rows) - 1)


def test_points_of_a_curve_are_its_decisions():
    row = rows_of(CURVE.to_csv())[3]
    decided = CURVE.confusion_at(float(row["threshold"]))
    assert int(row["true_positives"]) == decided.true_positives
    assert float(row["precision"]) == decided.precision
    assert float(row["false_positive_rate"]) == decided.false_positive_rate


def test_cells_are_written_in_full():
    assert [cell_text(v) for v in (None, math.nan, 0.1 + 0.2, 3, "a")] == [
        "", "", "0.30000000000000004", "3", "a",
    ]  # fmt: skip
    assert csv_text(["a", "b"], [[1, 'x"y'], [None, "u,v"]]) == 'a,b\n1,"x""y"\n,"u,v"\n'
    assert csv_of_rows([{"a": 1}, {"b": 2.5, "a": None}], "\t") == "a\tb\n1\t\n\t2.5\n"
    assert csv_of_rows([]) == "\n"


def test_without_pandas_a_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ImportError, match=r"to_frame needs pandas.*pip install pandas, or use to_c"
    ):
        SEARCH.to_frame()
    assert SEARCH.to_csv()
