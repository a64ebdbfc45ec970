"""Parsers for command-line values; invalid ones are refused with a message.

The program's options name these functions as their parsers, and put the option's name before the
sentence.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_colorkde.cli import allowed_names

if TYPE_CHECKING:
    BandwidthValue = str | float | list[float] | None
    LabelName = tuple[int, str]
    NamedNumber = tuple[str, float]
    NKernels = int | Literal["bic"]
    Numbers = list[float]
else:
    # typer would take a list for an option that may be given several times, and takes no unions;
    # what a parser returns is its own business.
    BandwidthValue = LabelName = NamedNumber = NKernels = Numbers = Any


def one_of(allowed: Callable[[], Sequence[str]]) -> Callable[[str], str]:
    """Return a parser that takes one of these names."""

    def parse(text: str) -> str:
        if text not in allowed():
            raise ValueError(f"{text!r} is not known; use one of {', '.join(allowed())}.")
        return text

    return parse


def parse_bandwidth(text: str) -> str | float | list[float] | None:
    """Read a bandwidth: None for "auto", a rule's name, a sigma, or a list of sigmas."""
    if text == "auto":
        return None
    if text in allowed_names.bandwidths():
        return text
    try:
        sigmas = parse_numbers(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not known; use {', '.join(allowed_names.bandwidths())}, a sigma, or one "
            "per channel, such as 3,3,5."
        ) from None
    if min(sigmas) <= 0:
        raise ValueError(f"{text!r} is not a sigma; give a number above 0.")
    return sigmas[0] if len(sigmas) == 1 else sigmas


def parse_numbers(text: str) -> list[float]:
    """Read finite numbers separated by commas."""
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(f"{text!r}: give numbers separated by commas.") from None
    if not all(abs(number) < float("inf") for number in numbers):
        raise ValueError(f"{text!r}: give finite numbers.")
    return numbers


def parse_sigmas(text: str) -> list[float]:
    """Read positive numbers separated by commas."""
    sigmas = parse_numbers(text)
    if min(sigmas) <= 0:
        raise ValueError(f"{text!r}: a sigma must be positive; give numbers above 0.")
    return sigmas


def parse_pair(text: str) -> list[float]:
    """Read two finite numbers, as in 0,255."""
    try:
        numbers = parse_numbers(text)
    except ValueError:
        if "inf" in text or "nan" in text:
            raise
        raise ValueError(f"{text!r}: give 2 numbers, such as 0,255.") from None
    if len(numbers) != 2:
        raise ValueError(f"{text!r} has {len(numbers)} numbers; give 2 numbers, such as 0,255.")
    return numbers


def parse_channel_axis(text: str) -> int | None:
    """Read an axis; None for "none"."""
    if text == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r}: give a whole number, or none for a gray image.") from None


def parse_channels(text: str) -> list[int]:
    """Read entries of the channel axis."""
    try:
        entries = [int(word) for word in text.split(",")]
    except ValueError:
        entries = []
    if not entries or min(entries) < 0 or len(set(entries)) < len(entries):
        raise ValueError(f"{text!r}: give different entries counted from 0, such as 0,1.")
    return entries


def parse_colormap(text: str) -> str:
    """Read the name of a colormap."""
    from napari_colorkde.io.colors.colormaps import lookup_table

    lookup_table(text)
    return text


def parse_named_number(text: str) -> tuple[str, float]:
    """Read a number that belongs to a name, as in skin=0.3."""
    name, sign, number = text.rpartition("=")
    if not (name and sign):
        raise ValueError(f"{text!r}: give a name and a number, such as skin=0.3.")
    try:
        (value,) = parse_numbers(number)
    except ValueError:
        raise ValueError(f"{number!r} for {name!r}: give a finite number.") from None
    return name, value


def parse_n_kernels(text: str) -> int | Literal["bic"]:
    """Read a number of kernels; "bic" for "auto"."""
    if text.lower() in ("auto", "bic"):
        return "bic"
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(f"{text!r}: give a whole number of 1 or more, or auto.")
    return number


def parse_class_numbers(text: str) -> dict[str, int] | Literal["names"]:
    """Read the numbers of classes, as in skin=1,wall=2; or that they are the classes' names."""
    if text.lower() == "names":
        return "names"
    pairs = [word.rpartition("=") for word in text.split(",")]
    found = {name: int(number) for name, _, number in pairs if name and number.isdecimal()}
    if len(found) < len(pairs):
        raise ValueError(
            f"{text!r}: give names, or a number for each class, such as skin=1,wall=2."
        )
    return found


def parse_label_name(text: str) -> tuple[int, str]:
    """Read the class of a label, as in 1=skin."""
    label, _, name = text.partition("=")
    if not (label.strip().isdecimal() and name) or int(label) == 0:
        raise ValueError(f"{text!r}: give a label of 1 or more and a class, such as 1=skin.")
    return int(label), name


def unique_names(pairs: Sequence[tuple[str, float]] | None) -> dict[str, float] | None:
    """Return the numbers by name; None where there are none.

    Raises
    ------
    ValueError
        If a name stands twice.
    """
    found = dict(pairs or ())
    for name in found:
        if sum(other == name for other, _ in pairs or ()) > 1:
            raise ValueError(f"prior: {name!r} is given twice; give it once.")
    return found or None


def unique_labels(pairs: Sequence[tuple[int, str]] | None) -> dict[int, str]:
    """Return the classes by label.

    Raises
    ------
    ValueError
        If a label or a class stands twice.
    """
    names: dict[int, str] = {}
    for label, name in pairs or ():
        if label in names or name in names.values():
            raise ValueError(f"name='{label}={name}': the label or the class is given twice.")
        names[label] = name
    return names


def refuse_overwriting_inputs(output: Path, *inputs: Path | None) -> None:
    """Refuse to replace a file that is being read.

    Raises
    ------
    ValueError
        If `output` is one of `inputs`, under whatever name.
    """
    for path in inputs:
        if path is not None and path.exists() and output.exists() and output.samefile(path):
            raise ValueError(f"output {str(output)!r} is also an input; give another name.")
