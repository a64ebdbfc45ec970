"""What README and CONTRIBUTING tell people to type works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

CHECKOUT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md")
TEXT = "\n".join((CHECKOUT / name).read_text(encoding="utf-8") for name in DOCUMENTS)
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def typed(program: str) -> set[str]:
    """Return the first words after a program, in code that the documents show."""
    lines = re.findall(rf"(?:^|`){program} ([a-z-]+)", TEXT, flags=re.MULTILINE)
    return {word for word in lines if not word.startswith("-")}


def test_make_targets_exist() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    assert {"demo", "test"} <= typed("make") <= targets


def test_commands_exist() -> None:
    from napari_colorkde.cli.commands import app

    commands = set(typer.main.get_command(app).commands)
    assert "demo" in typed("napari-colorkde")
    assert typed("napari-colorkde") <= commands


def test_files_that_the_documents_link_to_exist() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", TEXT)
    assert [link for link in links if not (CHECKOUT / link).exists()] == []


def test_readme_has_an_example_for_each_task() -> None:
    for name in ("color_kde", "compute_densities", "grid_search"):
        assert any(name in example for example in EXAMPLES), name


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_readme_example_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As from the top of a checkout, except that what an example writes goes away.
    (tmp_path / "sample_data").symlink_to(CHECKOUT / "sample_data")
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[number], f"README.md, example {number + 1}", "exec"), {"__name__": "x"})
