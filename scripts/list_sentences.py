"""Print every text that a user can meet: errors, notices, tool tips, titles, help.

Usage: python scripts/list_sentences.py [part of a path]

Texts are found in the syntax tree of the package, so none is forgotten; what an f-string puts in is
written as {…}. `tests/test_sentences.py` checks them.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "napari_colorkde"

# Which argument of a call is read, by the last part of its name; -1 is the last one.
CALLS = {
    "emit": None,
    "show_error": 0,
    "show_message": 0,
    "show_progress": 0,
    "setToolTip": 0,
    "setText": 0,
    "setTitle": 0,
    "setWindowTitle": 0,
    "setPlaceholderText": 0,
    "setAccessibleName": 0,
    "setAccessibleDescription": 0,
    "setStatusTip": 0,
    "addAction": None,
    "addMenu": None,
    "addSection": 0,
    "addTab": -1,
    "getSaveFileName": None,
    "getOpenFileName": None,
    "QLabel": 0,
    "QPushButton": 0,
    "Progress": 0,
    "echo": 0,
    "warn": 0,
    "form": None,
    "Option": None,
    "Argument": None,
    "Typer": None,
    "set_message": 0,
    "_say": 0,
    "_button": None,
    "_tool_button": None,
}
KEYWORDS = {
    "tooltip",
    "text",
    "help",
    "summary",
    "title",
    "label",
    "problem",
    "reason",
    "notice",
    "message",
}


@dataclass(frozen=True, order=True)
class Text:
    """A text, where it stands, and what is done with it.

    Attributes
    ----------
    place
        ``file:line``, the file within the package.
    use
        The name of the call, the keyword, the constant or the error that has it.
    """

    place: str
    use: str
    text: str

    @property
    def is_error(self) -> bool:
        """Whether an exception is raised with it."""
        return self.use.endswith(("Error", "Warning", "Exit", "BadParameter"))


def texts(package: Path = PACKAGE) -> list[Text]:
    """Return all texts of a package, file by file."""
    found: list[Text] = []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        seen: set[int] = set()
        uses = list(_uses(nodes))
        if name.startswith("ui/"):
            uses += _phrases(nodes)
        for use, node in uses:
            if node.lineno and id(node) not in seen:
                seen.add(id(node))
                if (text := " ".join(_written(node).split())) and any(c.isalpha() for c in text):
                    found.append(Text(f"{name}:{node.lineno:04}", use, text))
    return sorted(set(found))


def _uses(nodes: list[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    commands = {
        _name(node.args[0]) for node in calls if _name(node.func) == "Command" and node.args
    }
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and node.name in commands:
            first = node.body[0]
            if isinstance(first, ast.Expr):
                yield "command", first.value
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for argument in node.exc.args:
                yield from _strings(_name(node.exc.func), argument)
        elif isinstance(node, ast.Call):
            yield from _of_call(node)
            if _name(node.func) == "append":  # remarks, reasons: sentences in a list
                yield from (
                    (use, text)
                    for use, text in _strings("append", node.args[0])
                    if _is_sentence(_written(text))
                )
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.Return) and node.value is not None:
            # A sentence that is named, kept in a table, or handed on as the reason.
            for use, text in _strings("text", node.value):
                if _is_sentence(_written(text)):
                    yield use, text


def _phrases(nodes: list[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """All texts of several words but docstrings and style sheets: titles in tables, for example."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        for child in ast.iter_child_nodes(node):
            is_text = isinstance(child, ast.JoinedStr | ast.Constant)
            within = isinstance(node, ast.JoinedStr | ast.FormattedValue | ast.BinOp)
            if not is_text or within or _is_described(node, child):
                continue
            if " " in _written(child).strip():
                yield "phrase", child


def _is_described(node: ast.AST, child: ast.AST) -> bool:
    """Whether a text is a signal's description, an annotation or a style sheet: for programmers."""
    if isinstance(node, ast.keyword):
        return node.arg in ("description", "name")
    if isinstance(node, ast.Call):
        return _name(node.func) in ("setStyleSheet", "TypeVar", "Literal")
    if isinstance(node, ast.AnnAssign):
        return node.annotation is child
    return isinstance(node, ast.arg | ast.Subscript | ast.FunctionDef | ast.Raise)


def _of_call(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    name = _name(node.func)
    if name in CALLS:
        at = CALLS[name]
        arguments = node.args if at is None else node.args[at:][:1]
        for argument in arguments:
            yield from _strings(name, argument)
    for keyword in node.keywords:
        if keyword.arg in KEYWORDS:
            yield from _strings(keyword.arg or "", keyword.value)


def _strings(use: str, node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """All texts within an expression, but not those that an f-string puts in."""
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    is_sum = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)
    if isinstance(node, ast.expr) and (is_text or is_sum or isinstance(node, ast.JoinedStr)):
        yield use, node
    elif not isinstance(node, ast.Call | ast.Compare | ast.Subscript | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _strings(use, child)


def _written(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else "{…}"
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _written(part) if isinstance(part, ast.Constant) else "{…}" for part in node.values
        )
    if isinstance(node, ast.BinOp):
        return _written(node.left) + _written(node.right)
    return "{…}"


def _is_sentence(text: str) -> bool:
    """Whether a text is prose: several words, ended like a sentence."""
    return text.count(" ") >= 2 and text.rstrip().endswith((".", "…", "?"))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


if __name__ == "__main__":
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    for text in texts():
        if part in text.place:
            print(f"{text.place}  {text.use}\n    {text.text}")
