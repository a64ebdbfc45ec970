"""The rule of the house: small modules in small folders that say what they hold, and real types."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import napari_colorkde

PACKAGE = Path(napari_colorkde.__file__).parent
MODULES = {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
MAX_LINES, MAX_ENTRIES, MAX_ANY = 300, 16, 120

OF_NUMPY = {"NDArray", "np.dtype", "np.integer", "np.floating"}
"""Where ``Any`` says that any dtype is meant."""


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def anys(node: ast.AST, of: str = "") -> Iterator[str]:
    """Yield what each ``Any`` of an annotation is a parameter of; "" where of nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from anys(ast.parse(node.value, mode="eval").body, of)
    elif isinstance(node, ast.Name) and node.id == "Any":
        yield of
    elif isinstance(node, ast.Subscript):
        of = ast.unparse(node.value)
        if of == "Annotated" and isinstance(node.slice, ast.Tuple):
            yield from anys(node.slice.elts[0])
        elif of != "Literal":
            yield from anys(node.slice, of)
    else:
        for child in ast.iter_child_nodes(node):
            yield from anys(child, of)


def annotations(source: str) -> Iterator[ast.expr]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield node.returns


def test_modules_are_small() -> None:
    sizes = {name(path): source.count("\n") for path, source in MODULES.items()}
    assert {module: size for module, size in sizes.items() if size > MAX_LINES} == {}


def test_folders_have_few_entries() -> None:
    folders = {path.parent for path in MODULES}
    entries = {
        name(folder): sum(
            entry.suffix == ".py" or (entry / "__init__.py").exists() for entry in folder.iterdir()
        )
        - 1  # __init__.py
        for folder in folders
    }
    assert {folder: n for folder, n in entries.items() if n > MAX_ENTRIES} == {}


def test_each_folder_says_what_lives_there() -> None:
    folders = {path.parent for path in MODULES}
    assert [name(f) for f in folders if not (f / "__init__.py").exists()] == []
    inits = {path: source for path, source in MODULES.items() if path.name == "__init__.py"}
    words = {name(path): ast.get_docstring(ast.parse(source)) for path, source in inits.items()}
    assert [path for path, doc in words.items() if doc is None or len(doc.split()) < 10] == []


def test_few_annotations_are_any() -> None:
    found = {
        name(path): n
        for path, source in MODULES.items()
        if (n := sum(a not in OF_NUMPY for each in annotations(source) for a in anys(each)))
    }
    assert sum(found.values()) <= MAX_ANY, found
