"""What is typed on the command line, as values; refused with a sentence where it is none."""

from pathlib import Path

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
    wanted = "numbers separated by commas" if count is None else f"{count} numbers, as in 0,255"
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
            f"channel_axis={text!r}: give a whole number, or none for a grey image."
        ) from None


def keep_inputs(output: Path, *inputs: Path | None) -> None:
    """Refuse to replace a file that is being read.

    Raises
    ------
    ValueError
        If `output` is one of `inputs`, under whatever name.
    """
    for path in inputs:
        if path is not None and path.exists() and output.exists() and output.samefile(path):
            raise ValueError(f"output {str(output)!r} is also read; give another name.")
