"""Kernel files: what comes back, what is refused, what is warned of."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.mixture.fit_kernels import fit_kernels
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.kernels.kernel_files import (
    KernelFileWarning,
    check_kernels,
    load_kernels,
    save_kernels,
    summarize_kernels,
)
from napari_colorkde.io.sample_data import sample_path

HEADER = "set,kernel,mean_r,mean_g,mean_b,var_r,var_g,var_b,weight\n"
ROW = "skin,1,73.53,29.94,17.76,765.40,121.44,112.80,1\n"
BLUE = {"mean": [60.0, 120.0, 200.0], "variances": [9.0, 9.0, 9.0], "weight": 0.25}
KERNEL = {"mean": [1.5, 2.5, 3.5], "variances": [4.0, 5.0, 6.0], "weight": 1.0}


def jones_rehg() -> dict[str, KernelSet]:
    return load_kernels(sample_path("jones_rehg_1999.csv"))


def changed(kernels: KernelSet, **changes: Any) -> KernelSet:
    """Apply functions to the fields of each kernel."""
    return KernelSet(
        [
            Kernel(
                changes.get("mean", lambda x: x)(k.mean),
                changes.get("covariance", lambda x: x)(k.covariance),
                changes.get("weight", lambda x: x)(k.weight),
            )
            for k in kernels
        ],
        kernels.name,
        changes.get("space", "rgb"),
    )


def assert_same(loaded: dict[str, KernelSet], saved: dict[str, KernelSet]) -> None:
    """Compare to the last bit, and variances with variances, matrices with matrices."""
    assert list(loaded) == list(saved)
    for name, kernels in saved.items():
        assert loaded[name].space == kernels.space
        assert len(loaded[name]) == len(kernels)
        for a, b in zip(loaded[name], kernels, strict=True):
            assert a.mean.tobytes() == b.mean.tobytes()
            assert a.covariance.shape == b.covariance.shape
            assert a.covariance.tobytes() == b.covariance.tobytes()
            assert (a.weight, a.cls, a.name, a.visible) == (b.weight, b.cls, b.name, b.visible)


def write(path: Path, document: Any) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


def kernel_document(*kernels: dict[str, Any], **fields: Any) -> dict[str, Any]:
    member = {"name": "s", "kernels": list(kernels)}
    return {"format": "napari-colorkde kernels", "version": 1, "sets": [member]} | fields


finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-3, 1e6)
words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=8
)


@st.composite
def kernel_sets(draw: st.DrawFn, channels: Sequence[int] = (1, 2, 3, 4)) -> dict[str, KernelSet]:
    n = draw(st.sampled_from(channels))

    def kernel() -> Kernel:
        spread = np.array(draw(st.lists(positive, min_size=n, max_size=n)))
        if draw(st.booleans()):
            mixing = np.array(draw(st.lists(st.floats(-1, 1), min_size=n * n, max_size=n * n)))
            matrix = mixing.reshape(n, n) * np.sqrt(spread.min())
            spread = np.diag(spread) + (matrix @ matrix.T + (matrix @ matrix.T).T) / 2
        return Kernel(
            draw(st.lists(finite, min_size=n, max_size=n)),
            spread,
            draw(st.floats(0, 1e3)),
            cls=draw(st.sampled_from(["", "skin", "Himmel, blau"])),
            name=draw(words | st.just("")),
            visible=draw(st.booleans()),
        )

    names = draw(st.lists(words, min_size=1, max_size=3, unique=True))
    return {
        name: KernelSet([kernel() for _ in range(draw(st.integers(1, 4)))], name) for name in names
    }


@given(kernel_sets())
@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_kernels_come_back_bit_for_bit(
    tmp_path: Path, suffix: str, sets: dict[str, KernelSet]
) -> None:
    path = tmp_path / f"kernels.{suffix}"
    save_kernels(path, sets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", KernelFileWarning)
        assert_same(load_kernels(path), sets)


def test_sample_table_comes_back_as_the_same_text(tmp_path: Path) -> None:
    table = sample_path("jones_rehg_1999.csv").read_text()
    save_kernels(tmp_path / "a.csv", jones_rehg())
    saved = (tmp_path / "a.csv").read_text()
    assert saved.splitlines()[0] == table.splitlines()[0]
    numbers = [[row.split(",")[2:] for row in text.splitlines()[1:]] for text in (saved, table)]
    np.testing.assert_array_equal(*(np.array(rows, float) for rows in numbers))


def test_published_skin_mixture() -> None:
    sets = jones_rehg()
    assert list(sets) == ["skin", "nonskin"]
    assert [len(kernels) for kernels in sets.values()] == [16, 16]
    first = sets["skin"][0]
    np.testing.assert_array_equal(first.mean, [73.53, 29.94, 17.76])
    np.testing.assert_array_equal(first.covariance, [765.40, 121.44, 112.80])
    assert first.weight == 0.0294
    assert first.name == ""


def test_json_names_channels_and_units(tmp_path: Path) -> None:
    save_kernels(tmp_path / "a.json", jones_rehg())
    document = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert document["format"] == "napari-colorkde kernels"
    assert document["version"] == 1
    member = document["sets"][0]
    assert member["channels"] == ["r", "g", "b"]
    assert member["units"] == "image units"
    assert member["space"] == "rgb"


def test_json_as_documented_is_read(tmp_path: Path) -> None:
    from napari_colorkde.io.kernels import kernel_json

    documented = (kernel_json.__doc__ or "").split("::\n")[1].split("\n    }\n")[0] + "\n    }"
    path = write(tmp_path / "a.json", documented)
    with pytest.warns(KernelFileWarning, match="weights"):
        assert load_kernels(path)["skin"].means.tolist() == [[73.53, 29.94, 17.76]]


def test_any_color_space_comes_back_from_json(tmp_path: Path) -> None:
    sets = {"a": KernelSet([Kernel([50.0, 1.0, 2.0], [1.0, 1.0, 1.0], 1.0)], "a", "lab")}
    save_kernels(tmp_path / "a.json", sets)
    assert_same(load_kernels(tmp_path / "a.json"), sets)


def test_empty_set_comes_back_from_json(tmp_path: Path) -> None:
    save_kernels(tmp_path / "a.json", KernelSet([], "nothing"))
    assert load_kernels(tmp_path / "a.json") == {"nothing": KernelSet([], "nothing")}


def test_single_set_is_saved_under_its_name(tmp_path: Path) -> None:
    save_kernels(tmp_path / "a.csv", jones_rehg()["skin"])
    assert list(load_kernels(tmp_path / "a.csv")) == ["skin"]


def test_ten_thousand_kernels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    means, spreads = rng.uniform(0, 255, (10_000, 3)), rng.uniform(100, 900, (10_000, 3))
    sets = {
        "many": KernelSet([Kernel(m, v, 1e-4) for m, v in zip(means, spreads, strict=True)], "many")
    }
    for suffix in ("json", "csv"):
        save_kernels(tmp_path / f"a.{suffix}", sets)
        assert_same(load_kernels(tmp_path / f"a.{suffix}"), sets)


def test_table_without_set_and_kernel_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "gray.csv", "mean_1,var_1,weight\n10,4,0.5\n20,4,0.5\n")
    assert load_kernels(path)["gray"].means.tolist() == [[10.0], [20.0]]


def test_table_from_a_spreadsheet(tmp_path: Path) -> None:
    """A byte order mark, spaces, blank lines, Windows line ends, quotes."""
    text = "\ufeff" + (HEADER + "\n" + ROW.replace("skin", '" skin"') + ",,,,,,,,\n").replace(
        "\n", "\r\n"
    )
    (tmp_path / "a.csv").write_text(text, "utf-8", newline="")
    assert list(load_kernels(tmp_path / "a.csv")) == ["skin"]


def test_label_that_is_no_number_becomes_the_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER + ROW.replace("skin,1", "skin,forehead"))
    assert load_kernels(path)["skin"][0].name == "forehead"


def test_table_in_bgr_order_keeps_it_and_says_so(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", "mean_b,mean_g,mean_r,var_b,var_g,var_r,weight\n1,2,3,4,5,6,1\n"
    )
    with pytest.warns(
        KernelFileWarning, match="set 'a' are in the order B, G, R; they are used in that"
    ):
        kernels = load_kernels(path)["a"]
    assert kernels.space == "bgr"
    assert kernels.means.tolist() == [[1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty; give one or more kernels"),
        (" \n\n", "is empty; give one or more kernels"),
        (HEADER, "has a header but no kernels; give one row for each kernel"),
        (HEADER.replace(",weight", ""), "the column 'weight' is missing; add it to the header"),
        (HEADER.replace("var_g", "var_x"), "the column 'var_g' is missing"),
        (HEADER.replace("mean_g,", ""), "the mean columns are mean_r, mean_b; they must be mean_r"),
        ("set,weight\n", "the mean columns are none; they must be mean_r, mean_g, mean_b"),
        (HEADER.replace("mean_r,mean_g", "mean_g,mean_r"), "in this order"),
        (HEADER.replace("set,", "Farbe,"), "the column 'Farbe' is not known; remove or rename it"),
        (HEADER.replace("set,", "weight,"), "the column 'weight' appears twice; keep one of them"),
        (HEADER.replace("var_r", "sigma_r"), "'sigma_r' holds standard deviations; give variances"),
        (HEADER.replace(",", ";"), "has a header but no kernels; give one row for each kernel"),
        (HEADER.replace(",", "|"), "the mean columns are none; they must be mean_r"),
        (HEADER + "skin,1,2\n", "line 2 has 3 cells, but the header has 9; give one cell for each"),
        (HEADER + ROW + "\n" + ROW[:-1] + ",8\n", "line 4 has 10 cells, but the header has 9"),
        (HEADER + ROW.replace("29.94", "x"), "line 2, column 'mean_g': 'x' is not a number; write"),
        (HEADER + ROW.replace("29.94", ""), "line 2, column 'mean_g': the cell is empty; write it"),
        (HEADER + ROW.replace("29.94", "1_0"), "column 'mean_g': '1_0' is not a number"),
        (HEADER + ROW.replace("29.94", "nan"), "column 'mean_g': 'nan' is not a finite number"),
        (HEADER + ROW.replace("121.44", "1e999"), "column 'var_g': '1e999' is not a finite number"),
        (HEADER + ROW.replace("121.44", "-4"), "line 2: covariance has the variances .* above 0"),
        (HEADER + ROW.replace("121.44", "0"), "line 2: covariance has the variances .* above 0"),
        (HEADER + ROW.replace(",1\n", ",-1\n"), "line 2: weight is -1; give a number of 0 or more"),
        (HEADER + '"skin,1\n', "line 2: unexpected end of data"),
        (
            HEADER[:-1] + ",visible\n" + ROW[:-1] + ",perhaps\n",
            "line 2, column 'visible': 'perhaps' is neither true nor false",
        ),
        (
            HEADER[:-1] + ",cov_rg,cov_rb,cov_gb\n" + ROW[:-1] + ",999,0,0\n",
            "line 2: covariance .* is not positive definite",
        ),
        (
            HEADER[:-1] + ",cov_rg,cov_rb,cov_gb\n" + ROW[:-1] + ",9,,0\n",
            "line 2, column 'cov_rb': the cell is empty",
        ),
    ],
)
def test_faulty_table_is_refused_with_file_line_and_column(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = write(tmp_path / "faulty.csv", text)
    with pytest.raises(ValueError, match=f"^kernel file '.*faulty.csv'.*{sentence}") as caught:
        load_kernels(path)
    assert "\n" not in str(caught.value)


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("", "is empty; give one or more kernels"),
        ("{", r"is not JSON \(line 1, column 2: "),
        ("[" * 100_000, "is nested too deeply"),
        ("[1, 2]", 'is JSON, but not a kernel file: it must be an object with "format"'),
        ({"type": "FeatureCollection"}, "is JSON, but not a kernel file"),
        (kernel_document(KERNEL, version=2), "has the version 2; this program reads version 1"),
        (without(kernel_document(KERNEL), "sets"), "sets: field required"),
        (kernel_document(KERNEL, sets=[]), "sets: list should have at least 1 item"),
        (
            kernel_document(without(KERNEL, "mean")),
            r"sets\[0\]\.kernels\[0\]\.mean: field required",
        ),
        (kernel_document(without(KERNEL, "weight")), r"kernels\[0\]\.weight: field required"),
        (
            kernel_document(without(KERNEL, "variances")),
            r"kernels\[0\] needs either 'variances' or",
        ),
        (
            kernel_document(KERNEL | {"covariance": np.eye(3).tolist()}),
            r"sets\[0\] \('s'\), kernels\[0\] needs either 'variances' or 'covariance', but",
        ),
        (kernel_document(KERNEL | {"varience": 1}), r"\.varience: extra inputs are not permitted"),
        (
            kernel_document(KERNEL, KERNEL | {"mean": [1.0, "2", 3.0]}),
            r'kernels\[1\]\.mean\[1\]: input should be a valid number; it is "2"',
        ),
        (kernel_document(KERNEL | {"weight": True}), r"\.weight: input should be a valid number"),
        (kernel_document(KERNEL | {"weight": float("nan")}), "it holds NaN; give finite numbers"),
        (
            json.dumps(kernel_document(KERNEL)).replace('"weight": 1.0', '"weight": 1e999'),
            r"\.weight: input should be a finite number",
        ),
        (
            json.dumps(kernel_document(KERNEL)).replace('"weight"', '"weight": 2, "weight"'),
            "the field 'weight' appears twice in one object; keep one",
        ),
        (
            kernel_document(KERNEL | {"variances": [1.0, 2.0]}),
            r"kernels\[0\]: covariance has shape",
        ),
        (kernel_document(KERNEL | {"variances": [1.0, 0.0, 1.0]}), r"kernels\[0\]: covariance has"),
        (
            kernel_document(KERNEL, {"mean": [1.0], "variances": [1.0], "weight": 1.0}),
            r"sets\[0\] \('s'\): kernel 1: has 1 channels but kernel 0 has 3",
        ),
        (
            kernel_document(sets=[{"name": "s", "kernels": [KERNEL]}] * 2),
            r"sets\[1\] \('s'\) has the same name as an earlier set; give each",
        ),
        (
            kernel_document(sets=[{"name": "s", "channels": ["b", "g", "r"], "kernels": [KERNEL]}]),
            "has the space 'rgb', but its channels are b, g, r; make them agree",
        ),
        (
            kernel_document(sets=[{"name": "s", "channels": ["r"], "kernels": [KERNEL]}]),
            "names 1 channels, but its kernels have 3",
        ),
    ],
)
def test_faulty_json_is_refused_with_file_and_place(
    tmp_path: Path, document: Any, sentence: str
) -> None:
    path = write(tmp_path / "faulty.json", document)
    with pytest.raises(ValueError, match=f"^kernel file '.*faulty.json'.*{sentence}") as caught:
        load_kernels(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_file_that_is_no_text_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(ValueError, match="is not UTF-8 text; save it as UTF-8"):
        load_kernels(tmp_path / name)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"kernel file '.*a\.csv' does not exist"):
        load_kernels(tmp_path / "a.csv")


def test_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file"):
        load_kernels(tmp_path / "a.csv")


def test_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has the suffix '\.xlsx'; use \.json or \.csv"):
        load_kernels(tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match=r"has the suffix '\.xlsx'; use \.json or \.csv"):
        save_kernels(tmp_path / "a.xlsx", jones_rehg())


def test_nothing_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="kernel_sets is empty; give one or more sets"):
        save_kernels(tmp_path / "a.json", {})


def skewed() -> Kernel:
    """A covariance that is symmetric but for its last bit."""
    matrix = np.eye(3)
    matrix[0, 1], matrix[1, 0] = 0.1, np.nextafter(0.1, 1)
    return Kernel([0, 0, 0], matrix, 1)


@pytest.mark.parametrize(
    ("sets", "sentence"),
    [
        ({"s": KernelSet([])}, "set 's' is empty, and a table would lose it; save it as JSON"),
        ({"s": KernelSet([Kernel([0], [1], 1)], space="lab")}, "is in the space 'lab', which a"),
        ({"s": KernelSet([skewed()])}, "not symmetric to the last bit; save it as JSON"),
        (
            {"s": KernelSet([Kernel([0], [1], 1)]), "t": KernelSet([Kernel([0, 1], [1, 1], 1)])},
            "set 't' has different channels from the first one; save them as JSON",
        ),
    ],
)
def test_table_refuses_what_it_would_lose(
    tmp_path: Path, sets: dict[str, KernelSet], sentence: str
) -> None:
    path = write(tmp_path / "a.csv", "old")
    with pytest.raises(ValueError, match=sentence):
        save_kernels(path, sets)
    assert path.read_text() == "old"


def test_published_sets_raise_no_warning_but_show_their_sums() -> None:
    sets = jones_rehg()
    assert check_kernels(sets) == []
    assert summarize_kernels(sets) == [
        "skin: 16 kernels, 3 channels (rgb), diagonal, weights sum to 0.9992",
        "nonskin: 16 kernels, 3 channels (rgb), diagonal, weights sum to 0.9996",
    ]


def test_five_channels_are_no_colors() -> None:
    five = KernelSet([Kernel([1.0] * 5, [2.0] * 5, 1)])
    (line,) = summarize_kernels({"a": five})
    assert line == "a: 1 kernels, 5 channels, diagonal, weights sum to 1"


def test_weights_that_do_not_sum_to_one_are_warned_of_and_kept(tmp_path: Path) -> None:
    halved = changed(jones_rehg()["skin"], weight=lambda w: w / 2)
    save_kernels(tmp_path / "a.json", halved)
    with pytest.warns(KernelFileWarning, match="weights of set 'skin' sum to 0.4996, not 1; they"):
        loaded = load_kernels(tmp_path / "a.json")
    assert loaded["skin"] == halved


def test_skin_in_bgr_order_is_warned_of_and_kept(tmp_path: Path) -> None:
    reversed_skin = changed(jones_rehg()["skin"], mean=lambda m: m[::-1])
    save_kernels(tmp_path / "a.csv", reversed_skin)
    with pytest.warns(KernelFileWarning, match="means of set 'skin' look like B, G, R") as caught:
        loaded = load_kernels(tmp_path / "a.csv")
    assert len(caught) == 1
    assert loaded["skin"] == reversed_skin


def test_set_of_rising_blues_is_warned_of() -> None:
    sky = KernelSet([Kernel([60 + i, 120 + i, 200 + i], [90, 90, 90], 1 / 3) for i in range(3)])
    assert ["look like B, G, R" in sentence for sentence in check_kernels({"sky": sky})] == [True]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.csv",
            "mean_1,mean_2,mean_3,var_1,var_2,var_3,weight\n" + 4 * "60,120,200,9,9,9,0.25\n",
        ),
        ("a.json", kernel_document(sets=[{"name": "a", "kernels": 4 * [BLUE]}])),
    ],
)
def test_blues_of_channels_without_names_are_warned_of(
    tmp_path: Path, name: str, text: str
) -> None:
    with pytest.warns(KernelFileWarning, match="look like B, G, R"):
        load_kernels(write(tmp_path / name, text))


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_fits_of_blue_images_are_read_without_a_word(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).normal(0, 9, (40, 40, 3))
    image = np.clip(np.array([60, 120, 200]) + noise, 0, 255).astype(np.uint8)
    sky = fit_kernels(image, 4)
    assert ((sky.means[:, 2] > sky.means[:, 1]) & (sky.means[:, 1] > sky.means[:, 0])).all()
    save_kernels(tmp_path / f"sky{suffix}", {"sky": sky})
    assert load_kernels(tmp_path / f"sky{suffix}")["sky"].kernels == sky.kernels


def test_colors_of_all_kinds_are_not_taken_for_bgr() -> None:
    sets = jones_rehg()
    assert check_kernels({"nonskin": changed(sets["nonskin"], mean=lambda m: m[::-1])}) == []
    single = KernelSet([Kernel([10, 100, 200], [90, 90, 90], 1)])
    assert check_kernels({"blue": single}) == []


def test_sigmas_in_place_of_variances_are_warned_of_and_kept(tmp_path: Path) -> None:
    sets = {name: changed(set_, covariance=np.sqrt) for name, set_ in jones_rehg().items()}
    save_kernels(tmp_path / "a.json", sets)
    with pytest.warns(KernelFileWarning, match="look like sigmas") as caught:
        loaded = load_kernels(tmp_path / "a.json")
    assert len(caught) == 2
    assert loaded == sets


def test_kernels_that_lie_far_apart_are_not_taken_for_sigmas() -> None:
    corners = [[r, g, b] for r in (0, 250) for g in (0, 250) for b in (0, 250)]
    assert (
        check_kernels({"corners": KernelSet([Kernel(c, [25] * 3, 1 / 8) for c in corners])}) == []
    )


def test_empty_set_has_no_findings() -> None:
    assert check_kernels({"empty": KernelSet([])}) == []
