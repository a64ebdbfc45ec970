"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from napari_colorkde.io.atomic import atomic_path, check_target


def test_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "density.tif"
    with atomic_path(target) as scratch:
        scratch.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_scratch_file_lies_beside_the_target_and_has_its_suffix(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.npz") as scratch:
        assert scratch.parent == tmp_path
        assert scratch.suffix == ".npz"


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, MemoryError])
def test_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    target = tmp_path / "a.npy"
    target.write_text("old")

    def write_half() -> None:
        with atomic_path(target) as scratch:
            scratch.write_text("half")
            raise kind

    with pytest.raises(kind):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    with atomic_path(tmp_path / "atomic"):
        pass
    assert stat.S_IMODE((tmp_path / "atomic").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.npy", tmp_path / "link.npy"
    real.write_text("old")
    link.symlink_to(real)
    with atomic_path(link) as scratch:
        scratch.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"the folder '.*missing' does not exist; make it"):
        check_target(tmp_path / "missing" / "a.npy")


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is a folder; give the name of a file"):
        check_target(tmp_path)


def test_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is not an ordinary file"):
        check_target(tmp_path / "pipe")


def test_folder_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not bind root, who may run the tests; so the system's answer is replaced.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="cannot be written to; choose another one"):
        check_target(tmp_path / "a.npy")


def test_unknown_suffix_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"output 'a\.gif' has the suffix '\.gif'; use \.tif or "):
        check_target("a.gif", (".tif", ".npy"), name="output")


def test_missing_suffix_is_refused() -> None:
    with pytest.raises(ValueError, match=r"path 'a' has no suffix; use \.npy\."):
        check_target("a", (".npy",))


def test_suffix_in_capitals_is_understood(tmp_path: Path) -> None:
    assert check_target(tmp_path / "A.TIF", (".tif",)) == tmp_path / "A.TIF"
