"""Kernel sets as JSON: everything that a set holds, bit for bit.

::

    {
      "format": "napari-colorkde kernels",
      "version": 1,
      "sets": [
        {
          "name": "skin",
          "space": "rgb",
          "channels": ["r", "g", "b"],
          "units": "image units",
          "kernels": [
            {"mean": [73.53, 29.94, 17.76], "variances": [765.4, 121.44, 112.8], "weight": 0.0294}
          ]
        }
      ]
    }

A kernel has either `variances`, one per channel, or `covariance`, a matrix as a list of rows, both
in squared units. It may have `class`, `name` and `visible`. Numbers follow the order of `channels`.
"""

import json
import reprlib
from collections.abc import Mapping
from typing import Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_colorkde.core.colorspaces import channel_names
from napari_colorkde.core.mixture.kernel_arrays import KernelError, build_kernels
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

FORMAT = "napari-colorkde kernels"
VERSION = 1
UNITS = "image units"


ONLY_KNOWN = ConfigDict(extra="forbid", allow_inf_nan=False)
"""How files are read: a misspelled field is not left aside, and numbers are finite."""

PLAIN_WORDS = {
    "dataclass_type": "give an object with named fields",
    "model_type": "give an object with named fields",
    "tuple_type": "give a list",
    "unexpected_keyword_argument": "this field is not known",
}
"""Complaints of pydantic that name Python's types, in the words of JSON."""


class _Model(BaseModel):
    # Strict: "12.5" is a text and true is no number.
    model_config = ONLY_KNOWN | ConfigDict(strict=True)


class _KernelModel(_Model):
    mean: list[float]
    variances: list[float] | None = None
    covariance: list[list[float]] | None = None
    weight: float
    cls: str = Field(default="", alias="class")
    name: str = ""
    visible: bool = True


class _SetModel(_Model):
    name: str
    space: str = "rgb"
    channels: list[str] | None = None
    units: str = UNITS
    kernels: list[_KernelModel]


class _FileModel(_Model):
    format: Literal["napari-colorkde kernels"]
    version: Literal[1]
    about: str = ""
    sets: list[_SetModel] = Field(min_length=1)


def kernels_from_json(text: str, file: str) -> dict[str, KernelSet]:
    """Read kernel sets from JSON.

    Parameters
    ----------
    text
        The document.
    file
        How to name the file, for messages.

    Raises
    ------
    ValueError
        If the text is not JSON or not of the form the module describes.
    """
    return kernels_from_document(parse_json(text, file), file)


def kernels_from_document(document: object, file: str) -> dict[str, KernelSet]:
    """Read kernel sets from what JSON was parsed to.

    Raises
    ------
    ValueError
        If it is not of the form the module describes.
    """
    _require_format(document, file)
    try:
        model = _FileModel.model_validate(document)
    except ValidationError as error:
        raise ValueError(f"{file}: {first_fault(error)}") from None
    kernel_sets: dict[str, KernelSet] = {}
    for index, member in enumerate(model.sets):
        where = f"{file}: sets[{index}] ({member.name!r})"
        if member.name in kernel_sets:
            raise ValueError(
                f"{where} has the same name as an earlier set; give each a different name."
            )
        kernel_sets[member.name] = _kernel_set(member, where)
    return kernel_sets


def json_names_channels(text: str) -> bool:
    """Whether every set of a document that could be read says what its channels are."""
    named = [member.get("channels") is not None for member in json.loads(text)["sets"]]
    return all(named)


def kernels_to_json(kernel_sets: Mapping[str, KernelSet], about: str = "") -> str:
    """Write kernel sets as JSON, one kernel a line; numbers read back as the same float64.

    `about` says in words where they come from; nothing is read from it.
    """
    sets = ",\n".join(_set_text(name, kernels) for name, kernels in kernel_sets.items())
    head = f'  "format": {json.dumps(FORMAT)},\n  "version": {VERSION},\n'
    if about:
        head += f'  "about": {json.dumps(about, ensure_ascii=False)},\n'
    return f'{{\n{head}  "sets": [\n{sets}\n  ]\n}}\n'


def parse_json(text: str, file: str) -> object:
    """Parse JSON of finite numbers in which no field of an object appears twice.

    Raises
    ------
    ValueError
        If the text is something else; the sentence begins with `file`.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_fields)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{file} is not JSON (line {error.lineno}, column {error.colno}: {error.msg})."
        ) from None
    except RecursionError:
        raise ValueError(f"{file} is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def first_fault(error: ValidationError) -> str:
    """Put pydantic's first complaint into a sentence with a path into the document."""
    faults = error.errors(include_url=False, include_context=False)
    place = ""
    for step in faults[0]["loc"]:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    place = f"{place.lstrip('.')}: " if place else ""
    if faults[0]["type"] == "value_error":  # a sentence of ours
        return place + faults[0]["msg"].removeprefix("Value error, ")
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    given = _quoted(faults[0]["input"])
    quoted = f"; it is {given}" if faults[0]["type"] != "missing" and len(given) < 40 else ""
    message = PLAIN_WORDS.get(faults[0]["type"], faults[0]["msg"])
    message = message[:1].lower() + message[1:]
    return f"{place}{message}{quoted}.{more}"


def _quoted(value: object) -> str:
    try:
        return json.dumps(value, default=str)
    except RecursionError:
        return f"a deeply nested {type(value).__name__}"


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"it holds {constant}; give finite numbers.")


def _unique_fields(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice!r} appears twice in one object; keep one.")
    return fields


def _require_format(document: object, file: str) -> None:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(
            f"{file} is JSON, but not a kernel file: it must be an object with "
            f'"format": "{FORMAT}".'
        )
    if document.get("version") != VERSION:
        version = reprlib.repr(document.get("version"))
        raise ValueError(
            f"{file} has the version {version}; this program reads version {VERSION}. Update "
            "napari-colorkde, or save the file again."
        )


def _kernel_set(member: _SetModel, where: str) -> KernelSet:
    for index, model in enumerate(member.kernels):
        if (model.variances is None) == (model.covariance is None):
            raise ValueError(
                f"{where}, kernels[{index}] needs either 'variances' or 'covariance', but not both."
            )
    try:
        kernels = build_kernels(
            [model.mean for model in member.kernels],
            [_spread(model) for model in member.kernels],
            [model.weight for model in member.kernels],
            classes=[model.cls for model in member.kernels],
            names=[model.name for model in member.kernels],
            visible=[model.visible for model in member.kernels],
        )
    except KernelError as error:
        raise ValueError(f"{where}, kernels[{error.index}]: {error}") from None
    if member.channels is not None and kernels:
        _check_channels(member.channels, member.space, kernels[0].n_channels, where)
    try:
        return KernelSet(kernels, member.name, member.space)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _spread(model: _KernelModel) -> list[float] | list[list[float]]:
    spread = model.covariance if model.variances is None else model.variances
    if spread is None:
        raise ValueError("a kernel has neither variances nor a covariance; give one of the two.")
    return spread


def _check_channels(channels: list[str], space: str, n_channels: int, where: str) -> None:
    if len(channels) != n_channels:
        raise ValueError(
            f"{where} names {len(channels)} channels, but its kernels have {n_channels}."
        )
    if space in ("rgb", "bgr") and n_channels == 3:
        order = "".join(channel[:1].lower() for channel in channels)
        if sorted(order) == sorted("rgb") and order != space:
            raise ValueError(
                f"{where} has the space {space!r}, but its channels are {', '.join(channels)}; "
                'make them agree (write "space": "bgr" for blue, green, red).'
            )


def _set_text(name: str, kernels: KernelSet) -> str:
    fields = {
        "name": name,
        "space": kernels.space,
        "channels": channel_names(kernels.space, kernels.n_channels),
        "units": UNITS,
    }
    head = "".join(
        f"      {json.dumps(field)}: {json.dumps(value, ensure_ascii=False)},\n"
        for field, value in fields.items()
    )
    rows = ",\n".join(f"        {_kernel_text(kernel)}" for kernel in kernels)
    return f'    {{\n{head}      "kernels": [\n{rows}\n      ]\n    }}'


def _kernel_text(kernel: Kernel) -> str:
    diagonal = kernel.covariance.ndim == 1
    fields = {
        "mean": kernel.mean.tolist(),
        "variances" if diagonal else "covariance": kernel.covariance.tolist(),
        "weight": kernel.weight,
        "class": kernel.cls,
        "name": kernel.name,
        "visible": kernel.visible,
    }
    return json.dumps(fields, ensure_ascii=False)
