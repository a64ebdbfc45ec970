"""Every sentence that a user can meet, as `scripts/list_sentences.py` finds them."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "list_sentences.py"

ODD = {
    r"\bcannot be[;,.]": "say what is allowed",
    r"\bwould do\b": "say what is allowed",
    r"(?<!here )\b(is|are) no (number|kernel|covariance|image|part|RGB|volume)\b": "is not a",
    r"\bthat cannot be\b": "say what is allowed",
    r"\bany ?more\b": "no longer",
    r"\banew\b": "again",
    r"\bstands? twice\b": "appears twice",
    r"\blooked? at\b": "shown, analyzed",
    r"\bas BIC chooses\b": "choose by BIC",
    r"\bby itself\b": "automatically",
    r"\bin place of\b": "instead of",
    r"\blikelier\b": "more likely",
    r"\b\w*(?:olour|entre|ehaviour|eighbour|alise|ormalise|lour)\b": "American spelling",
    r"\w  \w|(?<!\[)\.\.\.|!": "one space, an ellipsis, no exclamation",
    r"\bplease\b(?! report)": "leave it out",
    r"\b[Pp]ictures?\b": "image, or figure",
    r"\bof which\b": "and",
    r"\blook-up\b": "lookup",
    r"\b(take|taken) away\b": "subtract",
    r"\bwalls of the color box\b": "boundary of the color range",
    r"(?<!made )\bunasked\b|\bfor ever\b|\bwhoever\b": "automatically, forever, anyone who",
}

# What tells and explains is a sentence; titles and labels are not.
SENTENCES = {"tooltip", "setToolTip", "show_error", "show_message", "help", "command"}
NOT_SENTENCES = {
    # An exception of ours, raised by a programmer's mistake and never shown.
    "scene/annotations/cut_plane.py",
    "scene/ellipsoids/ellipsoid_visual.py",
    "ui/colorspace/pixel_readout.py",
}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("list_sentences", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["list_sentences"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


script = load()
TEXTS = script.texts()
ERRORS = [text for text in TEXTS if text.is_error and not text.place.startswith("scene/")]


def test_all_rooms_are_read() -> None:
    rooms = {text.place.split("/")[0] for text in TEXTS}
    assert rooms >= {"app", "cli", "core", "io", "scene", "ui"}
    assert len(TEXTS) > 500


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('raise ValueError(f"x={x}; give 1.")', "x={…}; give 1."),
        ('raise ValueError("one " + "two.")', "one two."),
        ('box(tooltip="What it does.")', "What it does."),
        ('TIPS = {"a": "Said in a table."}', "Said in a table."),
        ('def f():\n    return "The reason is this."', "The reason is this."),
        ('def f():\n    """Do it all."""\nCommand(f)', "Do it all."),
        ('remarks.append(f"image {x} was read.")', "image {…} was read."),
    ],
)
def test_texts_are_found_wherever_they_stand(tmp_path: Path, source: str, found: str) -> None:
    (tmp_path / "module.py").write_text(source, encoding="utf-8")
    assert [text.text for text in script.texts(tmp_path)] == [found]


def test_errors_are_sentences() -> None:
    open_ended = [
        text
        for text in ERRORS
        if not re.search(r"[.?…]$|\{…\}$", text.text)
        and text.place.split(":")[0] not in NOT_SENTENCES
    ]
    assert open_ended == []


def test_what_explains_a_control_is_a_sentence() -> None:
    open_ended = [
        text
        for text in TEXTS
        if text.use in SENTENCES and " " in text.text and not re.search(r"[.?…]$|\{…\}$", text.text)
    ]
    assert open_ended == []


@pytest.mark.parametrize("odd", ODD, ids=list(ODD.values()))
def test_no_sentence_has_to_be_read_twice(odd: str) -> None:
    assert [text for text in TEXTS if re.search(odd, text.text)] == []
