"""What is typed on the command line, as values; refused with a sentence where it is none."""

from pathlib import Path
from typing import Literal

BANDWIDTH_NAMES = ("scott", "silverman", "loco", "loo")


def parse_bandwidth(text: str) -> str | float | list[float] | None:
    """Read a bandwidth: None for "auto", a rule's name, a sigma, or a list of sigmas."""
    if text == "auto":
        return None
    if text in BANDWIDTH_NAMES:
        return text
    try:
        sigmas = parse_numbers(text, "bandwidth")
    except ValueError:
        raise ValueError(
            f"bandwidth={text!r} is not known; use auto, {', '.join(BANDWIDTH_NAMES)}, a sigma, or "
            "one for each channel, as in 3,3,5."
        ) from None
    if min(sigmas) <= 0:
        raise ValueError(f"bandwidth={text!r}: a sigma must be positive; give a number above 0.")
    return sigmas[0] if len(sigmas) == 1 else sigmas


def parse_numbers(text: str, name: str, count: int | None = None) -> list[float]:
    """Read numbers separated by commas.

    Raises
    ------
    ValueError
        If one is not a finite number, or there are not `count` of them.
    """
    wanted = {None: "numbers separated by commas", 1: "a number"}.get(
        count, f"{count} numbers, as in 0,255"
    )
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(f"{name}={text!r}: give {wanted}.") from None
    if not all(abs(number) < float("inf") for number in numbers):
        raise ValueError(f"{name}={text!r}: give finite numbers.")
    if count is not None and len(numbers) != count:
        raise ValueError(f"{name}={text!r} has {len(numbers)} numbers; give {wanted}.")
    return numbers


def parse_channel_axis(text: str) -> int | None:
    """Read an axis; None for "none"."""
    if text == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(
            f"channel_axis={text!r}: give a whole number, or none for a gray image."
        ) from None


def parse_channels(text: str | None) -> list[int] | None:
    """Read entries of the channel axis; None for all of them."""
    if text is None:
        return None
    try:
        entries = [int(word) for word in text.split(",")]
    except ValueError:
        entries = []
    if not entries or min(entries) < 0 or len(set(entries)) < len(entries):
        raise ValueError(f"channels={text!r}: give different entries counted from 0, as in 0,1.")
    return entries


def parse_named_numbers(texts: list[str] | None, name: str) -> dict[str, float] | None:
    """Read numbers that belong to names, as in skin=0.3; None where there are none.

    Raises
    ------
    ValueError
        If one is not of that form, or a name stands twice.
    """
    found: dict[str, float] = {}
    for text in texts or ():
        key, sign, number = text.rpartition("=")
        if not (key and sign):
            raise ValueError(f"{name}={text!r}: give a name and a number, as in skin=0.3.")
        if key in found:
            raise ValueError(f"{name}: {key!r} is given twice; give it once.")
        found[key] = parse_numbers(number, f"{name} {key}", count=1)[0]
    return found or None


def parse_n_kernels(text: str) -> int | Literal["bic"]:
    """Read a number of kernels; "bic" for "auto"."""
    if text in ("auto", "bic"):
        return "bic"
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(f"-k {text}: give a whole number from 1, or auto.")
    return number


def parse_label_names(texts: list[str] | None) -> dict[int, str]:
    """Read classes of labels, as in 1=skin.

    Raises
    ------
    ValueError
        If one is not of that form, or a label or a class stands twice.
    """
    names: dict[int, str] = {}
    for text in texts or ():
        label, _, name = text.partition("=")
        if not (label.strip().isdecimal() and name) or int(label) == 0:
            raise ValueError(f"name={text!r}: give a label from 1 and a class, as in 1=skin.")
        if int(label) in names or name in names.values():
            raise ValueError(f"name={text!r}: its label or its class is given twice.")
        names[int(label)] = name
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
            raise ValueError(f"output {str(output)!r} is also read; give another name.")
