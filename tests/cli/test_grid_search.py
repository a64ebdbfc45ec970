"""The command grid-search: the protocol, and what it prints and writes."""

from __future__ import annotations

import csv
import json
import pickle
import shlex
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

from napari_colorkde.cli import main
from napari_colorkde.cli.search_results import SearchResult
from napari_colorkde.core import reference
from napari_colorkde.core.vectors.grid_search import GridSearchResult
from napari_colorkde.io.datasets import read_dataset
from napari_colorkde.io.datasets.montage import montage
from tests.io.datasets.layouts import cifar_batch, digits, idx_bytes, python2_batch, tar_bytes

DIGITS = Path(__file__).parents[1] / "data" / "mnist_30_digits.npz"
KNOWN = json.loads(DIGITS.with_suffix(".json").read_text())
SEED = 1573368177


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def mnist() -> list[tuple[Any, Any]]:
    """Pairs as in mnist.pkl.gz, of noise."""
    return [
        ((digits(n, n).reshape(n, 784) / 256).astype(np.float32), np.arange(n)) for n in (40, 9, 8)
    ]


def score(train: Any, points: Any, sigma: float) -> float:
    log_density = reference.kde_log_density(
        points.astype(float), train.astype(float), sigma**2 * np.eye(train.shape[1])
    )
    return float(log_density.mean())


def test_shuffled_experiment_is_that_of_the_source(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = mnist()
    Path("mnist.pkl").write_bytes(pickle.dumps(tuple(pairs)))
    line = (
        f"grid-search mnist.pkl --sigmas 2,4 --train 10 --valid 12 --shuffle --seed {SEED} --json"
    )
    assert main([*line.split(), "--repeat", "3"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    np.random.seed(SEED)  # noqa: NPY002  # as the source has it
    x_train_raw = pairs[0][0].copy()
    np.random.shuffle(x_train_raw)  # noqa: NPY002
    train, valid = x_train_raw[:10], x_train_raw[10:22]
    expected = [score(train, valid, sigma) for sigma in (2, 4)]
    np.testing.assert_allclose(found["scores"], expected, rtol=1e-6, atol=1e-4)
    best = (2, 4)[int(np.argmax(expected))]
    assert found["best_sigma"] == best
    assert found["test_score"] == pytest.approx(score(train, pairs[2][0], best), abs=1e-3)
    assert len(found["test_seconds"]) == 3
    assert found["dataset"] == "mnist.pkl"
    assert "10 training, 12 validation and 8 test vectors of 784 numbers" in printed.err


def test_without_shuffle_the_files_own_validation_part_is_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pairs = mnist()
    Path("mnist.pkl").write_bytes(pickle.dumps(tuple(pairs)))
    assert main(shlex.split("grid-search mnist.pkl --sigmas 2 --train 10 --valid 5 --json")) == 0
    found = json.loads(capsys.readouterr().out)
    expected = score(pairs[0][0][:10], pairs[1][0][:5], 2)
    assert found["scores"] == [pytest.approx(expected, abs=1e-3)]


def test_several_sets_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    members = {
        "c/train": python2_batch(cifar_batch(12, "training batch 1 of 1", 1, "fine_labels")),
        "c/test": python2_batch(cifar_batch(4, "testing batch 1 of 1", 2, "fine_labels")),
    }
    Path("cifar.tar.gz").write_bytes(tar_bytes(members))
    Path("images.idx").write_bytes(idx_bytes(digits(12)))
    line = "grid-search cifar.tar.gz images.idx --sigmas 0.5,5 --valid 4 --scale 255 --repeat 2"
    assert main([*line.split(), "--csv", "out.csv"]) == 0
    printed = [row.split() for row in capsys.readouterr().out.splitlines()]
    assert printed[0] == ["sigma", "cifar.tar.gz", "images.idx"]
    assert [row[0] for row in printed[1:]] == [
        "0.5",
        "5",
        "best_sigma",
        "test_log_likelihood",
        "test_seconds",
    ]
    assert printed[4][2] == printed[5][-1] == "-"
    with Path("out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "dataset",
        "sigma",
        "log_likelihood_valid",
        "best",
        "log_likelihood_test",
        "test_seconds_mean",
        "test_seconds_sd",
    ]
    assert [row["dataset"] for row in rows] == 2 * ["cifar.tar.gz"] + 2 * ["images.idx"]
    for row, cell in zip(rows[:2], (printed[1][1], printed[2][1]), strict=True):
        assert float(row["log_likelihood_valid"]) == pytest.approx(float(cell), abs=1e-6)
        tested = [row["log_likelihood_test"], row["test_seconds_mean"], row["test_seconds_sd"]]
        assert all(tested) if row["best"] == "1" else not any(tested)
    assert main([*line.split(), "--json"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert [found["dataset"] for found in both] == ["cifar.tar.gz", "images.idx"]


def test_each_set_has_a_scale_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    levels = digits(12).reshape(12, -1)
    np.save("levels.npy", levels)
    np.save("fractions.npy", levels / 255)
    line = "grid-search fractions.npy levels.npy --sigmas 0.5 --valid 4 --json"
    assert main([*line.split(), "--scale", "1,255"]) == 0
    printed = capsys.readouterr()
    first, second = json.loads(printed.out)
    assert first["scores"] == pytest.approx(second["scores"])
    assert "warning" not in printed.err
    assert main(line.split()) == 0
    assert (
        "warning: the numbers of fractions.npy go up to 1, those of levels.npy to 255, so a sigma "
        "does not mean the same in both; divide them with --scale, such as --scale 1,255."
    ) in capsys.readouterr().err
    assert main([*line.split(), "--scale", "1,2,3"]) == 2
    assert (
        "--scale 1,2,3 has 3 numbers for 2 data sets; give one number for all, or one for each."
    ) in capsys.readouterr().err


def test_sets_of_one_name_are_named_by_path(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
        np.save(Path(folder, "x.npy"), np.random.default_rng(0).random((6, 2)))
    assert main(shlex.split("grid-search a/x.npy b/x.npy --sigmas 1 --valid 2")) == 0
    header = capsys.readouterr().out.splitlines()[0].split()
    assert header == ["sigma", str(Path("a/x.npy")), str(Path("b/x.npy"))]


def test_repeated_test_pass_has_mean_and_spread(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["grid-search", str(DIGITS), "--sigmas", "0.5,1", "--scale", "256"]
    assert main([*line, "--repeat", "5"]) == 0
    name, mean, sign, spread = capsys.readouterr().out.splitlines()[-1].split()
    assert (name, sign) == ("test_seconds", "±")
    assert float(mean) > 0
    assert float(spread) >= 0


def test_both_directions_stand_side_by_side_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = ["grid-search", str(DIGITS), "--sigmas", "0.2,0.5", "--scale", "256"]
    assert main([*line, "--both-directions"]) == 0
    printed = capsys.readouterr()
    found = dict(row.split() for row in printed.out.splitlines()[-4:])
    sets = read_dataset(DIGITS)
    train, valid, test = (x / 256 for x in (sets.train, sets.valid, sets.test))
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        {
            "valid_under_train": score(train, valid, 0.5),
            "train_under_valid": score(valid, train, 0.5),
            "test_under_train": score(train, test, 0.5),
            "train_under_test": score(test, train, 0.5),
        },
        abs=1e-3,
    )
    assert "KL is not symmetric" in printed.err
    assert "sigma 0.2: -377.8457" in printed.err
    assert main([*line, str(DIGITS.parent / ".." / "data" / DIGITS.name), "--both-directions"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last.split() == ["train_under_test", *2 * [found["train_under_test"]]]


def test_montage_shows_the_training_images() -> None:
    line = ["grid-search", str(DIGITS), "--sigmas", "0.5", "--montage", "m.png"]
    assert main(line) == 0
    shown = iio.imread("m.png")
    train = read_dataset(DIGITS).train.reshape(-1, 28, 28)
    assert shown.shape == (4 * 28, 4 * 28)
    np.testing.assert_array_equal(shown[28:56, 84:], train[7])
    assert not shown[84:].any()


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_montage_is_twenty_by_twenty_and_stretches_floats(channels: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (450, 2, 3, *channels), np.uint8)
    images[0].flat[0] = 255
    vectors = images.reshape(450, -1)
    shown = montage(vectors, (2, 3, *channels))
    assert shown.shape == (40, 60, *channels)
    np.testing.assert_array_equal(shown[2:4, 3:6], images[21])
    np.testing.assert_array_equal(montage(vectors / 256, (2, 3, *channels)), shown)
    assert not montage(np.zeros((4, 6)), (2, 3)).any()


@pytest.mark.parametrize(("name", "start"), [("p.png", b"\x89PNG"), ("p.svg", b"<?xml")])
def test_plot_shows_scores_and_the_best(name: str, start: bytes) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    sigmas = ",".join(map(str, KNOWN["sigmas"]))
    line = ["grid-search", str(DIGITS), "--sigmas", sigmas, "--scale", "256", "--plot", name]
    assert main(line) == 0
    assert Path(name).read_bytes().startswith(start)


def test_zone_where_the_likelihood_diverges_is_left_of_the_best() -> None:
    sigmas, scores = np.array(KNOWN["sigmas"]), np.array(KNOWN["valid_float64"])
    found = GridSearchResult(sigmas, scores, KNOWN["best_sigma"], None, 0.0)
    result = SearchResult("digits", found, None, (), n_numbers=784)
    assert sigmas[result.diverges].tolist() == [0.05, 0.08, 0.1]


def test_plot_without_matplotlib_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main(["grid-search", str(DIGITS), "--sigmas", "1", "--plot", "p.png"]) == 2
    assert capsys.readouterr().err == (
        "napari-colorkde: --plot needs matplotlib, which is not installed; "
        'run: pip install "napari-colorkde[plot]".\n'
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--valid 0", "valid=0 is an empty split; give 1 or more."),
        (
            "--train 9 --valid 9 --shuffle",
            "has 10 training vectors, but 9 for training, 9 for valid",
        ),
        ("--sigmas 1,0", "'1,0': a sigma must be positive; give numbers above 0;"),
        ("--seed 1", "seed=1 has no effect without shuffle; give both or neither."),
        ("--repeat 0", "repeat=0; give 1 or more."),
        ("--csv out.txt", "csv 'out.txt' has the suffix '.txt'; use .csv."),
        ("--plot p.pdf", "plot 'p.pdf' has the suffix '.pdf'; use .png or .svg."),
        ("--montage none/m.png", "the folder"),
        ("x.npy --montage m.png", "--montage draws one data set, but 2 are given; give one."),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], options: str, sentence: str
) -> None:
    assert main(["grid-search", str(DIGITS), "--sigmas", "1", *options.split()]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err.splitlines()[-1]


def test_montage_of_what_are_no_images_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("v.npy", np.zeros((6, 4)))
    assert main(shlex.split("grid-search v.npy --sigmas 1 --valid 2 --montage m.png")) == 2
    assert "does not say that its vectors are images" in capsys.readouterr().err
    assert not Path("m.png").exists()
