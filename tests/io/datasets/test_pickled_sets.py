"""mnist.pkl.gz and its like."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde.io.datasets import read_dataset
from tests.io.datasets.layouts import digits, python2_mnist, write


def pairs(*sizes: int) -> list[tuple[Any, Any]]:
    """Pairs as in mnist.pkl.gz: float32 images in [0, 1) and int64 labels."""
    return [
        (
            (digits(n, n).reshape(n, 784) / 256).astype(np.float32),
            np.random.default_rng(n).integers(0, 10, n),
        )
        for n in sizes
    ]


@pytest.mark.parametrize("suffix", [".pkl", ".pkl.gz"])
@pytest.mark.parametrize("writer", ["Python 2, 0", "Python 2, 2", *"012345"])
def test_mnist_opens_whoever_wrote_it(tmp_path: Path, suffix: str, writer: str) -> None:
    parts = pairs(5, 3, 2)
    content = (
        python2_mnist(parts, int(writer[-1]))
        if writer.startswith("Python")
        else pickle.dumps(tuple(parts), int(writer))
    )
    found = read_dataset(write(tmp_path / f"mnist{suffix}", content))
    for part, (images, labels) in zip(("train", "valid", "test"), parts, strict=True):
        vectors = getattr(found, part)
        np.testing.assert_array_equal(vectors, images)
        assert vectors.dtype == np.float32
        np.testing.assert_array_equal(found.labels[part], labels)
    assert found.image_shape == (28, 28)


def test_two_pairs_are_training_and_test(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_bytes(pickle.dumps([[digits(3), [1, 2, 3]], [digits(2), [0, 1]]]))
    found = read_dataset(path)
    assert found.valid is None
    assert found.test is not None
    assert found.test.shape == (2, 784)
    assert found.labels["train"].tolist() == [1, 2, 3]
    assert found.image_shape == (28, 28)


def test_dict_of_arrays_is_read_by_name(tmp_path: Path) -> None:
    content = {"X_train": digits(3), "y_train": np.arange(3), "val": digits(2), "about": "digits"}
    (tmp_path / "p").write_bytes(pickle.dumps(content))
    found = read_dataset(tmp_path / "p")
    assert found.valid is not None
    assert len(found.valid) == 2
    assert found.labels["train"].tolist() == [0, 1, 2]


def test_array_alone_is_training_data(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(pickle.dumps(digits(3)))
    assert read_dataset(tmp_path / "p").train.shape == (3, 784)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            [tuple(reversed(pair)) for pair in pairs(3, 2, 2)],
            "the train pair has its labels before",
        ),
        (
            [(labels, labels) for _, labels in pairs(3, 2)],
            "holds one whole number per item, as lab",
        ),
        (np.arange(3), "holds one whole number per item, as labels do"),
        (pairs(3), "is a pickle of a list that is not laid out like a data set; give pairs"),
        ("text", "is a pickle of a str that is not laid out like a data set"),
        ({"valid": digits(1)}, r"has no array 'train' \(of valid\)"),
        ([(digits(3), [1, 2]), (digits(2), [1, 2])], "'train' has 3 items but labels of shape"),
        (
            [(digits(3), [1, 2, 3]), (digits(2)[:, 1:], [1, 2])],
            "vectors of 'test' have 756 numbers, those of 'train' 784; all must have",
        ),
    ],
)
def test_other_layouts_are_refused(tmp_path: Path, content: Any, sentence: str) -> None:
    (tmp_path / "p").write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=f"^data set '.*p'.*{sentence}"):
        read_dataset(tmp_path / "p")


class Harmful:
    def __reduce__(self) -> Any:
        return print, ("ran",)


def test_harmful_pickle_names_file_and_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "mnist.pkl.gz", pickle.dumps([(digits(2), Harmful())] * 3))
    with pytest.raises(
        ValueError, match=r"'.*mnist\.pkl\.gz' is a pickle that holds builtins\.pri"
    ):
        read_dataset(path)
    assert capsys.readouterr().out == ""


def test_packed_bomb_is_stopped_at_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "p.gz", pickle.dumps(bytes(10_000_000)))
    assert path.stat().st_size < 20_000
    with pytest.raises(ValueError, match=r"holds more than the 5\.0 MB that are free in memory"):
        read_dataset(path, max_bytes=5_000_000)
