"""What README, CONTRIBUTING and the guide tell people to type works."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import typer

import napari_colorkde

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


OTHERS = {"BrokenProcessPool", "GridSearchCV", "RandomState", "ViewerModel"}
"""Classes of other libraries that documents name."""


def typed(program: str) -> set[str]:
    """Return the first words after a program, in code that the documents show."""
    lines = re.findall(rf"(?:^|`){program} ([a-z-]+)", "\n".join(TEXTS.values()), re.MULTILINE)
    return {word for word in lines if not word.startswith("-")}


def test_make_targets_exist() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert {"demo", "test"} <= typed("make") <= targets


def test_commands_exist() -> None:
    from napari_colorkde.cli.command_list import app

    commands = set(typer.main.get_command(app).commands)
    assert "demo" in typed("napari-colorkde")
    assert typed("napari-colorkde") <= commands


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_a_document_links_to_exist(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", TEXTS[name])
    folder = (CHECKOUT / name).parent
    assert [link for link in links if not (folder / link).exists()] == []


PACKAGE = CHECKOUT / "napari_colorkde"
PACKAGES = "napari_colorkde|core|torch|io|app|scene|ui|cli"
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FILES = [path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob("[!.]*/**/*.py")]
CODE_FILES = [path for suffix in ("py", "glsl") for path in PACKAGE.rglob(f"*.{suffix}")]
SOURCES = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


def defined(name: str, sources: Iterable[str] = SOURCES.values()) -> bool:
    """Whether a class, function, field or constant of this name is written in some module."""
    pattern = re.compile(
        rf"^\s*(?:class|def) {name}\b|^\s*{name}\b[^\n]*[=:]|self\.{name}\b", re.MULTILINE
    )
    return any(pattern.search(source) for source in sources)


def in_tree(name: str) -> bool:
    """Whether a dotted name is a folder, a module, or what a module or a class in one has."""
    first, *rest = name.removeprefix("napari_colorkde.").split(".")
    place = PACKAGE / first
    while rest and ((place / rest[0]).is_dir() or (place / f"{rest[0]}.py").exists()):
        place /= rest.pop(0)
    if place.is_dir():
        module = place / "__init__.py"
        return module.exists() and all(part in SOURCES[module] for part in rest)
    module = place.with_suffix(".py")
    return module.exists() and all(defined(part, [SOURCES[module]]) for part in rest)


def is_known(word: str) -> bool:
    """Whether a file, module or class that a document names is there; all else counts as known."""
    if re.fullmatch(r"[\w/]+\.py", word):
        return word in OTHERS or any(f"/{path}".endswith(f"/{word}") for path in FILES)
    if re.fullmatch(rf"({PACKAGES})(\.\w+)+", word):
        return in_tree(word) or hasattr(napari_colorkde, word.rsplit(".", maxsplit=1)[-1])
    if re.fullmatch(r"[A-Z][a-z]+[A-Z]\w+", word):
        return word in OTHERS or hasattr(builtins, word) or defined(word)
    return True


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_names_of_the_code_exists(name: str) -> None:
    words = [words.removesuffix("()") for words in CODE.findall(TEXTS[name])]
    assert [word for word in words if not is_known(word)] == []


def test_what_the_code_names_of_itself_exists() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in CODE_FILES)
    words = {*CODE.findall(text), *re.findall(r"\b\w+\.py\b", text)}
    assert [word for word in sorted(words) if not is_known(word)] == []


def test_what_a_module_says_of_others_exists() -> None:
    """Names with an underscore in the first docstrings: of modules, or of what they have."""
    words = set[str]()
    for source in SOURCES.values():
        words.update(CODE.findall(ast.get_docstring(ast.parse(source)) or ""))
    names = {word for word in words if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)}
    modules = {path.stem for path in SOURCES} | {path.parent.name for path in SOURCES}
    assert [n for n in sorted(names - modules) if not defined(n)] == []


def test_what_is_gone_would_be_found() -> None:
    gone = ["app/judgement.py", "errors.py", "core.sums", "core.palette.Counter", "LookKeeper"]
    here = ["app/undo.py", "undo.py", "core.palette.palette.Palette", "UndoStack", "app.undo"]
    assert [word for word in gone + here if is_known(word)] == here


def test_readme_has_an_example_for_each_task() -> None:
    for name in ("color_kde", "compute_densities", "grid_search"):
        assert any(name in example for example in EXAMPLES), name


def test_readme_examples_are_ten_lines_at_most() -> None:
    assert [example for example in EXAMPLES if len(example.splitlines()) > 10] == []


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_readme_example_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As from the top of a checkout, except that what an example writes goes away.
    (tmp_path / "sample_data").symlink_to(CHECKOUT / "sample_data")
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[number], f"README.md, example {number + 1}", "exec"), {"__name__": "x"})
