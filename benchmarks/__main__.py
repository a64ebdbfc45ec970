"""Ask the questions and write the report.

python -m benchmarks [--only NAME ...] [--quick] [--repeat N] [--output FILE]
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Setup, load_fact, machine_facts, say
from benchmarks.photograph import load_photograph
from benchmarks.report import render

QUESTIONS = (
    "volume",
    "counting",
    "mixture",
    "em",
    "fits",
    "depth",
    "dataset",
    "selection",
    "interactive",
    "editing",
    "regions",
    "deep_window",
    "frames",
    "memory",
    "files",
    "slides",
    "tensors",
    "imports",
    "opening",
)

RESULTS = Path(__file__).with_name("RESULTS.md")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks; a run of all of them at full size writes ``RESULTS.md``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=QUESTIONS,
        metavar="NAME",
        help=f"some of {', '.join(QUESTIONS)}; the report goes to stdout",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small sizes, once: to see that it works; the report goes to stdout",
    )
    parser.add_argument(
        "--repeat",
        type=int,
        default=5,
        metavar="N",
        help="how often each contender runs (default 5)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where the report goes, whatever was asked"
    )
    options = parser.parse_args(arguments)  # fmt: skip
    if options.repeat < 1:
        parser.error(f"--repeat {options.repeat}: give 1 or more.")

    started = time.perf_counter()
    load = load_fact()
    with tempfile.TemporaryDirectory() as folder:
        photograph = load_photograph(Path(folder), quick=options.quick)
        setup = Setup(photograph, 1 if options.quick else options.repeat, options.quick)
        questions, failed = [], []
        for name in QUESTIONS:
            if options.only is None or name in options.only:
                say(f"{name}:")
                try:
                    questions.append(importlib.import_module(f"benchmarks.{name}").measure(setup))
                except RuntimeError as error:  # the others' figures are worth keeping
                    say(f"  {error}")
                    failed.append(f"{name} failed: {error}")
    facts = [f"{photograph.description}.", *machine_facts(), load]
    facts += [f"The run took {time.perf_counter() - started:.0f} s.", *failed]
    if options.quick:
        facts.insert(0, "Small sizes, measured once: the figures mean nothing.")
    report = render(questions, facts)
    complete = options.only is None and not options.quick
    if output := options.output or (RESULTS if complete else None):
        output.write_text(report, encoding="utf-8")
        say(f"Written to {output}.")
    else:
        print(report, end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
