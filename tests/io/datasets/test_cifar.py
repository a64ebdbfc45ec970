"""CIFAR for Python: the archive, the unpacked folder, a batch."""

from __future__ import annotations

import gzip
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde.io.datasets import read_dataset
from tests.io.datasets.layouts import (
    cifar_batch,
    python2_batch,
    python3_batch,
    tar_bytes,
)

NAMES = {"num_cases_per_batch": [4], "label_names": ["airplane", "bird"], "num_vis": [48]}


def cifar10(write: Any = python2_batch) -> dict[str, bytes]:
    """The members of cifar-10-python.tar.gz, in an order that is not that of the batches."""
    batches = {
        f"data_batch_{i}": write(cifar_batch(4, f"training batch {i} of 5", i))
        for i in (4, 1, 5, 3, 2)
    }
    batches["test_batch"] = write(cifar_batch(3, "testing batch 1 of 1", 9))
    batches["batches.meta"] = python2_batch(NAMES)
    batches["readme.html"] = b"<meta>"
    return {f"cifar-10-batches-py/{name}": content for name, content in batches.items()}


def images(*seeds: int, n: int = 4) -> Any:
    planes = np.concatenate([cifar_batch(n, "", seed)["data"] for seed in seeds])
    return planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def labels(*seeds: int, n: int = 4) -> list[int]:
    return [label for seed in seeds for label in cifar_batch(n, "", seed)["labels"]]


def unpack(folder: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


WRITERS = {
    "Python 2": python2_batch,
    **{f"Python 3, {p}": lambda batch, p=p: python3_batch(batch, p) for p in range(6)},
}


@pytest.mark.parametrize("form", ["tar.gz", "tar", "folder", "folder above"])
@pytest.mark.parametrize("writer", WRITERS)
def test_cifar_10_opens(tmp_path: Path, form: str, writer: str) -> None:
    members = cifar10(WRITERS[writer])
    path = tmp_path / "cifar"
    if form.startswith("tar"):
        path.write_bytes(tar_bytes(members, packed=form == "tar.gz"))
    else:
        path = unpack(path, members)
        path = path if form == "folder above" else path / "cifar-10-batches-py"
    found = read_dataset(path)
    assert found.image_shape == (32, 32, 3)
    assert found.label_names == ("airplane", "bird")
    np.testing.assert_array_equal(found.train.reshape(20, 32, 32, 3), images(1, 2, 3, 4, 5))
    assert found.labels["train"].tolist() == labels(1, 2, 3, 4, 5)
    assert found.valid is None
    assert found.test is not None
    np.testing.assert_array_equal(found.test.reshape(3, 32, 32, 3), images(9, n=3))
    assert found.labels["test"].tolist() == labels(9, n=3)


def test_cifar_100_opens_with_its_fine_labels(tmp_path: Path) -> None:
    train = cifar_batch(4, "training batch 1 of 1", 1, "fine_labels")
    members = {
        "cifar-100-python/": b"",
        "cifar-100-python/train": python2_batch({**train, "coarse_labels": [0, 0, 0, 0]}),
        "cifar-100-python/test": python2_batch(
            cifar_batch(3, "testing batch 1 of 1", 2, "fine_labels")
        ),
        "cifar-100-python/meta": python2_batch(
            {"fine_label_names": ["apple", "baby"], "coarse_label_names": ["fruit"]}
        ),
        "cifar-100-python/file.txt~": b"",
    }
    path = tmp_path / "c.tar.gz"
    path.write_bytes(tar_bytes(members))
    found = read_dataset(path)
    assert found.labels["train"].tolist() == train["fine_labels"]
    assert found.label_names == ("apple", "baby")
    np.testing.assert_array_equal(found.train.reshape(-1, 32, 32, 3), images(1))


def test_single_batch_is_training_data(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(python2_batch(cifar_batch(3, "testing batch 1 of 1", 9)))
    found = read_dataset(tmp_path / "b")
    np.testing.assert_array_equal(found.train.reshape(-1, 32, 32, 3), images(9, n=3))
    assert found.test is None


def test_batches_without_a_label_are_told_by_name(tmp_path: Path) -> None:
    members = {
        name: pickle.dumps(
            {k: v for k, v in cifar_batch(2, "", seed).items() if k != "batch_label"}
        )
        for seed, name in enumerate(["data_batch_10", "data_batch_9", "test_batch"])
    }
    found = read_dataset(unpack(tmp_path, members))
    np.testing.assert_array_equal(found.train.reshape(-1, 32, 32, 3), images(1, 0, n=2))
    assert found.test is not None


def link(kind: bytes, name: str = "cifar/train") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (link(tarfile.SYMTYPE), "member 'cifar/train', which is a link or a device; give an archi"),
        (link(tarfile.LNKTYPE), "which is a link or a device"),
        (link(tarfile.CHRTYPE), "which is a link or a device"),
        (link(tarfile.REGTYPE, "../train"), "member '../train', which points outside the"),
        (link(tarfile.REGTYPE, "/etc/train"), "member '/etc/train', which points outside the"),
    ],
)
def test_members_that_lead_elsewhere_are_refused(
    tmp_path: Path, extra: tarfile.TarInfo, sentence: str
) -> None:
    path = tmp_path / "c.tar.gz"
    path.write_bytes(tar_bytes(cifar10(), extra))
    with pytest.raises(ValueError, match=f"^data set '.*c.tar.gz' has the .*{sentence}"):
        read_dataset(path)


def test_harmful_member_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    path.write_bytes(tar_bytes({**cifar10(), "c/evil": b"cos\nsystem\n(S'false'\ntR."}))
    with pytest.raises(
        ValueError, match=r"member 'c/evil' is a pickle that holds os\.system; only"
    ):
        read_dataset(path)


@pytest.mark.parametrize("packed", [True, False])
def test_archive_cut_off_is_refused(tmp_path: Path, packed: bool) -> None:
    content = tar_bytes(cifar10(), packed=packed)
    path = tmp_path / "c.tar.gz"
    for end in (len(content) // 2, len(content) - (4 if packed else len(content) // 3)):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match=r"^data set '.*c.tar.gz'.* (damaged|not a readable)"):
            read_dataset(path)


def test_archive_larger_than_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    path.write_bytes(gzip.compress(tar_bytes(cifar10(), packed=False)))
    with pytest.raises(ValueError, match=r"needs \d+\.\d kB of memory, but only 60\.0 kB are free"):
        read_dataset(path, max_bytes=60_000)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"data": np.zeros((4, 3071), np.uint8)},
            r"holds uint8 with shape \(4, 3071\); a batch of",
        ),
        ({"data": np.zeros((4, 3072), np.float32)}, "holds float32 with shape"),
        ({"labels": [1, 2]}, "has 4 images but a different number of labels"),
        ({"labels": [1, 2, 3, -4]}, "has labels that are not whole numbers of 0 or more"),
        ({"labels": [1, 2, 3, "a"]}, "has labels that are not whole numbers of 0 or more"),
    ],
)
def test_faulty_batch_is_refused(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    batch = {**cifar_batch(4, "training batch 1 of 1"), **change}
    (tmp_path / "train").write_bytes(pickle.dumps(batch))
    with pytest.raises(ValueError, match=f"file 'train' {sentence}"):
        read_dataset(tmp_path)


def test_archive_without_training_batch_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.tar"
    path.write_bytes(tar_bytes({"a/test": python2_batch(cifar_batch(2, "testing batch 1 of 1"))}))
    with pytest.raises(ValueError, match="has no training batch of CIFAR; give the whole archive"):
        read_dataset(path)
    path.write_bytes(tar_bytes({"a/meta": python2_batch(NAMES), "a/b": b"hello"}))
    with pytest.raises(ValueError, match="holds no batch of CIFAR"):
        read_dataset(path)
