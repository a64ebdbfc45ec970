"""What README, CONTRIBUTING and the guide tell people to type works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

CHECKOUT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/guide.md",
    "docs/design.md",
    "docs/extending.md",
    "docs/likelihood.md",
    "docs/formats.md",
    "docs/slides.md",
)
TEXTS = {name: (CHECKOUT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXTS["README.md"], re.DOTALL | re.MULTILINE)


def typed(program: str) -> set[str]:
    """Return the first words after a program, in code that the documents show."""
    lines = re.findall(rf"(?:^|`){program} ([a-z-]+)", "\n".join(TEXTS.values()), re.MULTILINE)
    return {word for word in lines if not word.startswith("-")}


def test_make_targets_exist() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert {"demo", "test"} <= typed("make") <= targets


def test_commands_exist() -> None:
    from napari_colorkde.cli.commands import app

    commands = set(typer.main.get_command(app).commands)
    assert "demo" in typed("napari-colorkde")
    assert typed("napari-colorkde") <= commands


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_a_document_links_to_exist(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", TEXTS[name])
    folder = (CHECKOUT / name).parent
    assert [link for link in links if not (folder / link).exists()] == []


def test_readme_has_an_example_for_each_task() -> None:
    for name in ("color_kde", "compute_densities", "grid_search"):
        assert any(name in example for example in EXAMPLES), name


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_readme_example_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As from the top of a checkout, except that what an example writes goes away.
    (tmp_path / "sample_data").symlink_to(CHECKOUT / "sample_data")
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[number], f"README.md, example {number + 1}", "exec"), {"__name__": "x"})
