"""What was measured, beside what was wanted, as tables in Markdown. Measures nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["times", "rate", "floor", "as long", "beyond", "at most", "at least"]

MISSING = "–"

ORDERS = ((3.156e7, "years"), (86400.0, "days"), (3600.0, "h"))
"""Units of durations that nobody waited for, largest first."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity that was measured several times.

    Attributes
    ----------
    value, low, high
        Median, smallest and largest.
    unit
        "s", "ms", "MB", or "/s" for rates.
    basis
        What the value was extrapolated from; empty if it was measured.
    """

    value: float
    low: float
    high: float
    unit: str = "s"
    basis: str = ""

    @classmethod
    def of(cls, values: Iterable[float], unit: str = "s", basis: str = "") -> Figure:
        """Summarize repeated measurements."""
        ordered = sorted(values)
        if not ordered:
            raise ValueError("values is empty; give at least one measurement.")
        middle = len(ordered) // 2
        median = (ordered[middle] + ordered[~middle]) / 2
        return cls(median, ordered[0], ordered[-1], unit, basis)

    def __str__(self) -> str:
        if self.basis:
            return f"≈ {_duration(self.value, self.unit)} (from {self.basis})"
        if self.low == self.high:
            return f"{_rounded(self.value)} {self.unit}"
        return f"{_rounded(self.value)} {self.unit} ({_rounded(self.low)}–{_rounded(self.high)})"


@dataclass(frozen=True, slots=True)
class Target:
    """What was wanted of our figure, alone or beside a peer's.

    Attributes
    ----------
    kind
        "times": the peer's divided by ours is at least `limit`; "rate": ours divided by the peer's
        is; "floor", "as long": ours divided by the floor, or by the peer's, is at most `limit`;
        "beyond": ours minus the peer's is at most `limit`; "at most": ours is; "at least": ours, a
        rate, is no less.
    limit
        A factor, or a quantity in the figure's unit.
    """

    kind: Kind
    limit: float

    def is_met(self, ours: Figure, theirs: Figure | None) -> bool:
        """Compare the medians. Without a peer's figure "at most" and "at least" can be judged."""
        if self.kind == "at most":
            return ours.value <= self.limit
        if self.kind == "at least":
            return ours.value >= self.limit
        if theirs is None:
            raise ValueError(f"a target of kind {self.kind!r} needs the other's figure.")
        if self.kind == "times":
            return theirs.value >= self.limit * ours.value
        if self.kind == "rate":
            return ours.value >= self.limit * theirs.value
        if self.kind in ("floor", "as long"):
            return ours.value <= self.limit * theirs.value
        return ours.value - theirs.value <= self.limit

    def text(self, unit: str) -> str:
        """How it stands in the table."""
        limit = f"{self.limit:g}"
        return {
            "times": f"≥ {limit} × faster",
            "rate": f"≥ {limit} × as many",
            "floor": f"≤ {limit} × the floor",
            "as long": f"≤ {limit} × as long",
            "beyond": f"≤ {limit} {unit} more",
            "at most": f"≤ {limit} {unit}",
            "at least": f"≥ {limit} {unit}",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `theirs` is None where there is no peer, or it is not installed."""

    what: str
    ours: Figure
    peer: str = ""
    theirs: Figure | None = None
    target: Target | None = None

    @property
    def verdict(self) -> Literal["met", "missed", "not measured", ""]:
        """Whether the target is met; empty without one."""
        if self.target is None:
            return ""
        if self.target.kind not in ("at most", "at least") and self.theirs is None:
            return "not measured"
        return "met" if self.target.is_met(self.ours, self.theirs) else "missed"

    @property
    def comparison(self) -> str:
        """The ratio of the two figures, or their difference, in words."""
        if self.theirs is None:
            return MISSING
        kind = "times" if self.target is None else self.target.kind
        if kind == "beyond":
            return f"{self.ours.value - self.theirs.value:+.1f} {self.ours.unit}"
        if kind in ("floor", "as long"):
            words = "the floor" if kind == "floor" else "as long"
            return f"{self.ours.value / self.theirs.value:.2f} × {words}"
        ratio = self.theirs.value / self.ours.value
        if self.ours.unit == "/s":
            ratio = 1 / ratio
        return f"{_rounded(ratio)} ×"

    def cells(self) -> list[str]:
        """The row of the table."""
        absent = "not installed" if self.peer else MISSING
        return [
            self.what,
            str(self.ours),
            self.peer or MISSING,
            absent if self.theirs is None else str(self.theirs),
            self.comparison,
            MISSING if self.target is None else self.target.text(self.ours.unit),
            f"**{self.verdict}**" if self.verdict == "missed" else self.verdict or MISSING,
        ]


@dataclass(frozen=True, slots=True)
class Question:
    """A table with what needs saying about it."""

    title: str
    text: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The section of the report."""
        header = ["what", "ours", "peer", "peer's", "comparison", "target", ""]
        lines = [f"## {self.title}", "", self.text, ""]
        lines += [_line(header), _line(["---"] * len(header))]
        lines += [_line(row.cells()) for row in self.rows]
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)


def render(questions: list[Question], facts: list[str]) -> str:
    """The whole report, `facts` about the run first."""
    rows = [row for question in questions for row in question.rows if row.target is not None]
    met = sum(row.verdict == "met" for row in rows)
    missed = [f"{row.what} ({row.peer})" if row.peer else row.what
              for row in rows if row.verdict == "missed"]  # fmt: skip
    summary = f"Targets met: {met} of {len(rows)}."
    if missed:
        summary += f" Missed: {'; '.join(missed)}."
    head = [
        "# Results",
        "",
        "Written by `make bench`; do not edit. Figures are medians of one run, with the smallest "
        "and largest in brackets; ours and the peers' take turns.",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        summary,
    ]
    return "\n\n".join(["\n".join(head), *(q.markdown() for q in questions)]) + "\n"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _rounded(value: float) -> str:
    """Three significant digits, without an exponent."""
    if abs(value) >= 1e4:
        return f"{float(f'{value:.2g}'):,.0f}".replace(",", " ")  # nobody needs the third
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def _duration(value: float, unit: str) -> str:
    if unit == "s":
        for length, name in ORDERS:
            if value >= 2 * length:
                return f"{_rounded(value / length)} {name}"
    return f"{_rounded(value)} {unit}"
