"""Provenance: how to reproduce a result, as recorded in every exported file."""

import json
from collections.abc import Mapping

from napari_colorkde import __version__
from napari_colorkde.core.checks.arguments import kind_of

PROGRAM = "napari-colorkde"

SOFTWARE = f"{PROGRAM} {__version__}"

PIXEL_SIZE = "height and width of a pixel, µm"
"""Entry of a description that formats with physical sizes read."""


LOOK = "look"
"""Entry of a description that `.cube` reads: "matte" or "graded"."""

GEO_TAGS = "GeoTIFF tags"
"""Entry of a description that TIFF takes over: number, type and values of each tag."""


def provenance(command: str = "", **parameters: object) -> dict[str, object]:
    """Describe how a result was made.

    Parameters
    ----------
    command
        The command line or the expression that makes it again.
    **parameters
        What went in: image, bandwidth, kernels, color space, log. Arrays become lists.

    Returns
    -------
    dict
        Plain JSON values: `software` first, then `command` if there is one, then the parameters. No
        date: the same state gives the same file.
    """
    record: dict[str, object] = {"software": SOFTWARE}
    if command:
        record["command"] = command
    return record | {name: _plain(value) for name, value in parameters.items()}


def described(description: Mapping[str, object] | None) -> dict[str, object]:
    """Return a description as it is given; None: of this program alone.

    Raises
    ------
    TypeError
        If it is no mapping.
    """
    if description is None:
        return provenance()
    if not isinstance(description, Mapping):
        raise TypeError(
            f"description is {kind_of(description)}; give a dictionary, such as provenance() "
            "returns."
        )
    return dict(description)


def as_lines(record: Mapping[str, object]) -> str:
    """Write a description for people, one ``name: value`` a line."""
    return "\n".join(f"{name}: {_line(value)}" for name, value in record.items())


def as_json(record: Mapping[str, object]) -> str:
    """Write a description as one line of JSON."""
    return json.dumps({name: _plain(value) for name, value in record.items()}, ensure_ascii=False)


def _line(value: object) -> str:
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    return " ".join(text.split())


def _plain(value: object) -> object:
    """Turn NumPy values and containers into JSON's types, and all else into text."""
    if isinstance(value, str):
        # Names of files may hold what no encoding knows.
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if value is None or isinstance(value, bool | int | float):
        return value
    if hasattr(value, "tolist"):
        return value.tolist()  # of an array, or of one of its numbers
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _plain(str(value))
