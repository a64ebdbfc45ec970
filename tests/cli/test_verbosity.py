"""How much is said on stderr: LOGLEVEL, --quiet and --verbose."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from numpy.typing import NDArray

from napari_colorkde.cli import main
from napari_colorkde.cli.command_list import COMMANDS
from napari_colorkde.cli.verbosity import LOGGER

COMMAND = "bandwidth a.png --candidates 9,20,90"


@pytest.fixture
def said(
    picture: NDArray[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """Run a command at a level of the environment, and return the lines on stderr."""

    def run(line: str, loglevel: str | None = None) -> list[str]:
        if loglevel is None:
            monkeypatch.delenv("LOGLEVEL", raising=False)
        else:
            monkeypatch.setenv("LOGLEVEL", loglevel)
        before = LOGGER.level
        main(shlex.split(line))
        assert LOGGER.level == before
        return capsys.readouterr().err.splitlines()

    return run


def test_usual_level_says_what_was_done(said: Callable[..., list[str]]) -> None:
    lines = said(COMMAND)
    assert lines[0].startswith("Reading a.png: 14 × 18 × 3, uint8 (")
    assert not [line for line in lines if line.endswith(" …")]
    for level in ("INFO", "info", "20", " ", ""):
        assert len(said(COMMAND, level)) == len(lines)


@pytest.mark.parametrize("line", [f"{COMMAND} --quiet", f"{COMMAND} -q", f"-q {COMMAND}"])
def test_quiet_says_warnings_only(said: Callable[..., list[str]], line: str) -> None:
    assert said(line, "DEBUG") == []
    (warning,) = said(line.replace("9,20,90", "50,70,90"))
    assert warning.startswith("napari-colorkde: warning: the best bandwidth")


def test_verbose_says_what_is_being_done(said: Callable[..., list[str]]) -> None:
    for lines in (said(f"{COMMAND} -v", "ERROR"), said(f"-v {COMMAND}"), said(COMMAND, "DEBUG")):
        assert lines[0] == "Reading a.png …"
        assert lines[1].startswith("Reading a.png: 14 × 18 × 3")


def test_errors_are_always_said(said: Callable[..., list[str]]) -> None:
    wide = COMMAND.replace("9,20,90", "50,70,90")
    for level in ("ERROR", "CRITICAL", "1000"):
        assert said(wide, level) == []
        assert said("bandwidth missing.png", level) == [
            "napari-colorkde: image 'missing.png' does not exist; check the name."
        ]


def test_unknown_levels_and_contradictions_are_refused(said: Callable[..., list[str]]) -> None:
    (line,) = said(COMMAND, "LOUD")
    assert line == (
        "napari-colorkde: LOGLEVEL='LOUD' is not a log level; use DEBUG, INFO, WARNING, ERROR, "
        "CRITICAL or a number."
    )
    for text in (f"{COMMAND} --quiet --verbose", f"-q -v {COMMAND}"):
        (line,) = said(text)
        assert line.endswith("--quiet and --verbose cannot be combined; give one of them.")


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_the_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--quiet" in shown
    assert "--verbose" in shown


def test_what_the_library_logs_is_shown(
    said: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def log(*arguments: Any, **options: Any) -> None:
        logging.getLogger("napari_colorkde.core.anything").info("a line of the library")
        raise ValueError("nothing read.")

    monkeypatch.setattr("napari_colorkde.io.images.load_image", log)
    assert "a line of the library" in said("bandwidth a.png")
