"""Tables as spreadsheets write them."""

import pytest

from napari_colorkde.io.kernels.delimited import decimal_mark, number_of, read_delimited
from napari_colorkde.io.kernels.kernel_csv import kernels_from_csv

ROWS = [["Haut", "1", "73,53", "0,375"], ["Haut", "2", "249,71", "0,625"]]


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("head", ["", "sep={}\r\n", '"sep={}"\n', "\ufeff", "\n\n"])
def test_separators_and_decimal_marks_are_found(separator, head):
    text = head.format(separator) + "".join(separator.join(row) + "\r\n" for row in ROWS)
    table = read_delimited(text, "t.csv")
    assert table.rows == ROWS
    assert table.decimal == ","
    assert number_of(table.rows[1][2], table.decimal) == 249.71


def test_lines_are_counted_with_those_that_are_skipped():
    assert read_delimited("sep=,\na,b\n\n1,2\n", "t.csv").lines == [2, 4]


def test_quoted_cells_keep_what_separates_others():
    assert read_delimited('name;"a;b"\n"x ""y""";1\n', "t").rows == [
        ["name", "a;b"],
        ['x "y"', "1"],
    ]
    assert read_delimited('"a;b",1\n', "t").rows == [["a;b", "1"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a;b\n1,5;2.5\n", r"t.csv: '1,5' has a comma and '2.5' a point"),
        ("a;b\n1,234;5\n", "the comma in '1,234' may be a decimal or a thousands separator"),
        ('a;b\n"1;2\n', "t.csv, line 2: "),
    ],
)
def test_what_cannot_be_told_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_delimited(text, "t.csv")


def test_one_plain_decimal_tells_what_the_others_are():
    assert decimal_mark(["1,234", "76,5", "set"]) == ","
    assert decimal_mark(["1", "x,y", ""]) == "."


@pytest.mark.parametrize("text", ["1_000", "1.5.2", "", "1,5", "0x10"])
def test_no_numbers(text):
    with pytest.raises(ValueError, match=r"write it like 765\.4"):
        number_of(text)


def test_minus_signs_of_texts_are_read():
    assert number_of("−1,5", ",") == -1.5


HEAD = "set,kernel,mean_r,mean_g,mean_b,var_r,var_g,var_b,weight"


def test_kernels_of_a_spreadsheet_are_read():
    """As pandas does with ``sep=";", decimal=","``."""
    text = HEAD.replace(",", ";") + "\r\nHaut;1;73,53;29,94;17,76;765,4;121,44;112,8;0,375\r\n"
    ((name, (kernel,)),) = kernels_from_csv(text, "k.csv", "k").items()
    assert name == "Haut"
    assert kernel.mean.tolist() == [73.53, 29.94, 17.76]
    assert kernel.covariance.tolist() == [765.4, 121.44, 112.8]
    assert kernel.weight == 0.375


@pytest.mark.parametrize(("mark", "variances"), [("σ", [4, 9, 16]), ("σ²", [2, 3, 4])])
def test_the_header_that_the_table_shows_is_read(mark, variances):
    names = ["", "class", "name", *(f"{k} {c}" for k in ("μ", mark) for c in "RGB"), "weight"]
    text = "\t".join(names) + "\ntrue\tskin\tdark\t10\t20\t30\t2\t3\t4\t0.5\n"
    ((kernel,),) = kernels_from_csv(text, "k.csv", "k").values()
    assert kernel.mean.tolist() == [10, 20, 30]
    assert kernel.covariance.tolist() == variances
    assert (kernel.cls, kernel.name, kernel.visible) == ("skin", "dark", True)
    negative = text.replace("\t2\t3", "\t-2\t3")
    with pytest.raises(ValueError, match="variance"):
        kernels_from_csv(negative, "k.csv", "k")


def test_channels_of_other_names_are_taken_in_their_order():
    text = "μ DAPI;μ GFP;σ DAPI;σ GFP;weight\n1,5;2;3;4;1\n"
    ((kernel,),) = kernels_from_csv(text, "k.csv", "k").values()
    assert kernel.mean.tolist() == [1.5, 2]
    assert kernel.covariance.tolist() == [9, 16]
