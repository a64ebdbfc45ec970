"""The script that looks for Qt's, OpenGL's and Xvfb's libraries; apt-get itself is never called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts import system_libraries

CURSOR = {"libxcb-cursor.so.0": "libxcb-cursor0"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that the script runs; each of them succeeds."""
    commands: list[list[str]] = []

    def call(command: list[str], **_: object) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(system_libraries.sys, "platform", "linux")
    monkeypatch.setattr(system_libraries.subprocess, "call", call)
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 1000, raising=False)
    return commands


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that says what is missing at each look, in turn."""

    def looks(*answers: dict[str, str]) -> None:
        remaining = iter(answers)
        monkeypatch.setattr(system_libraries, "find_missing", lambda: dict(next(remaining)))

    return looks


def test_library_that_does_not_exist_is_not_found() -> None:
    assert system_libraries.can_load("libnapari-colorkde-no-such-thing.so.9") is False


def test_missing_library_is_reported_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries, "LIBRARIES", {"libno-such-thing.so.9": "libnone9"})
    assert system_libraries.find_missing().get("libno-such-thing.so.9") == "libnone9"


def test_nothing_is_done_when_nothing_is_missing(
    calls: list[list[str]], found: Callable[..., None]
) -> None:
    found({})
    assert system_libraries.main() == 0
    assert calls == []


def test_missing_libraries_are_installed_where_that_is_allowed(
    calls: list[list[str]], found: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 0, raising=False)
    found(CURSOR, {})
    assert system_libraries.main() == 0
    (command,) = calls
    assert command[:2] == ["apt-get", "install"]
    assert command[-1] == "libxcb-cursor0"


def test_sudo_is_used_when_it_asks_for_no_password(
    calls: list[list[str]], found: Callable[..., None]
) -> None:
    found(CURSOR, {})
    assert system_libraries.main() == 0
    assert calls[0] == ["sudo", "-n", "true"]
    assert calls[1][:2] == ["sudo", "-n"]


def test_old_package_lists_are_refreshed(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(command: list[str], **_: object) -> int:
        calls.append(command)
        return 100 if len(calls) == 1 else 0

    monkeypatch.setattr(system_libraries.subprocess, "call", call)
    system_libraries.install(["apt-get"], ["libgl1"])
    assert [command[1] for command in calls] == ["install", "update", "install"]


def test_line_to_type_is_printed_where_installing_is_not_allowed(
    found: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_libraries, "apt_command", lambda: None)
    monkeypatch.setattr(system_libraries.sys, "platform", "linux")
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: f"/usr/bin/{name}")
    found(CURSOR)
    assert system_libraries.main() == 1
    assert "sudo apt-get install libxcb-cursor0" in capsys.readouterr().err


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_bring_their_own(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries.sys, "platform", platform)
    monkeypatch.setattr(system_libraries, "find_missing", lambda: CURSOR)
    assert system_libraries.main() == 0
