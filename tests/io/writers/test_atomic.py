"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from napari_colorkde.io.writers.atomic import atomic_files, atomic_folder, atomic_path
from napari_colorkde.io.writers.targets import check_target


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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_permissions_of_what_is_replaced_are_kept(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "a.npy"
    target.write_text("old")
    target.chmod(mode)
    with atomic_path(target) as scratch:
        assert stat.S_IMODE(scratch.stat().st_mode) == mode
        scratch.write_text("new")
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", mode)


KILLED = """
import os, sys
from napari_colorkde.io.writers.atomic import atomic_folder, atomic_path
with atomic_path(sys.argv[1]) as scratch, atomic_folder(sys.argv[2]) as folder:
    scratch.write_text("half")
    (folder / "half").write_text("half")
    os._exit(9)
"""


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    file, folder = tmp_path / "a.npy", tmp_path / "b.zarr"
    file.write_text("old")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(file), str(folder)], check=False)
    assert ended.returncode == 9
    assert file.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 3
    with atomic_path(file) as first, atomic_path(file) as second:
        assert first != second  # of a process that runs, nothing is removed
        assert first.exists()
    with atomic_folder(folder) as scratch:
        (scratch / "whole").write_text("whole")
    assert sorted(tmp_path.iterdir()) == [file, folder]
    assert [p.name for p in folder.iterdir()] == ["whole"]


KILLED_WHILE_REPLACING = """
import os, sys
from pathlib import Path
from napari_colorkde.io.writers.atomic import atomic_files, atomic_folder
if sys.argv[1] == "files":
    Path.replace = lambda *_: os._exit(9)
    with atomic_files(sys.argv[2], ["a.txt"]) as scratch:
        (scratch / "a.txt").write_text("new")
else:
    rename = Path.rename
    place = Path(sys.argv[2]) / "b.zarr"
    Path.rename = lambda path, to: os._exit(9) if to == place else rename(path, to)
    with atomic_folder(place) as scratch:
        (scratch / "new").write_text("new")
"""


@pytest.mark.parametrize("what", ["files", "folder"])
def test_a_kill_while_replacing_loses_nothing(tmp_path: Path, what: str) -> None:
    file, folder = tmp_path / "a.txt", tmp_path / "b.zarr"
    file.write_text("old")
    folder.mkdir()
    (folder / "old").write_text("old")
    script = [sys.executable, "-c", KILLED_WHILE_REPLACING, what, str(tmp_path)]
    assert subprocess.run(script, check=False).returncode == 9
    assert len(list(tmp_path.iterdir())) > 2  # it was killed in the middle
    # The next to write there finds what there was.
    with (
        pytest.raises(KeyboardInterrupt),
        atomic_files(tmp_path, ["a.txt"]),
        atomic_folder(folder),
    ):
        raise KeyboardInterrupt
    assert file.read_text() == "old"
    assert [p.name for p in folder.iterdir()] == ["old"]
    assert sorted(tmp_path.iterdir()) == [file, folder]


def test_several_files_appear_together_or_not_at_all(tmp_path: Path) -> None:
    old, folder = tmp_path / "a.txt", tmp_path / "c.zarr"
    old.write_text("old")
    old.chmod(0o600)
    folder.mkdir()

    def write(*names: str) -> None:
        with atomic_files(tmp_path, names) as scratch:
            (scratch / "a.txt").write_text("new")
            (scratch / "c.zarr").mkdir()
            (scratch / "c.zarr" / "new").write_text("new")

    with pytest.raises(FileNotFoundError):
        write("a.txt", "c.zarr", "missing.txt")
    assert old.read_text() == "old"
    assert not list(folder.iterdir())
    assert sorted(tmp_path.iterdir()) == [old, folder]
    write("a.txt", "c.zarr")
    assert old.read_text() == "new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert [p.name for p in folder.iterdir()] == ["new"]
    assert sorted(tmp_path.iterdir()) == [old, folder]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.zarr"
    target.mkdir()
    (target / "old").write_text("old")

    def write_half() -> None:
        with atomic_folder(target) as scratch:
            (scratch / "new").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert [p.name for p in target.iterdir()] == ["old"]
    with atomic_folder(target) as scratch:
        (scratch / "new").write_text("new")
    assert [p.name for p in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="is a file; give the name of a folder"):
        check_target(tmp_path / "file", is_folder=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_a_folder_keeps_the_permissions_of_what_it_replaces(tmp_path: Path) -> None:
    target = tmp_path / "a.zarr"
    target.mkdir(mode=0o750)
    target.chmod(0o750)
    with atomic_folder(target) as scratch:
        assert stat.S_IMODE(scratch.stat().st_mode) == 0o700
        (scratch / "new").write_text("new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o750


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    target = tmp_path / "a.npy"
    with (
        pytest.raises(OSError, match=r"a\.npy' cannot be written \(No space left.*; make room"),
        atomic_path(target),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a\0.npy", "\ud800.npy"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="has characters that file names cannot have; give"):
        check_target(tmp_path / name)


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npy").symlink_to(tmp_path / "a.npy")
    with pytest.raises(OSError, match="is a link to itself; give another name"):
        check_target(tmp_path / "a.npy")


def test_long_names_have_scratch_names_that_fit(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 120 + ".npy")
    with atomic_path(target) as scratch:
        scratch.write_text("new")
    assert target.read_text() == "new"
