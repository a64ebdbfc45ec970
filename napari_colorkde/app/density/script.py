"""What is shown as code: a Python script on the public interface; `command` has command lines.

Both give the array that the overlay paints, to the rounding of float32: a pure function of the
state and of where the image lies. Numbers are written so that they read back as the same float64.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from napari_colorkde import __version__
from napari_colorkde.app.density.class_query import ClassQuery, shown_kernels, shown_query
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.file_reading import FileReading, reading_of
from napari_colorkde.app.image.frames import frame_source
from napari_colorkde.app.image.source import ImageSource, file_stem
from napari_colorkde.app.settings.state_values import Bandwidth
from napari_colorkde.app.state import State
from napari_colorkde.core.checks.channels import MAX_GRID_CHANNELS
from napari_colorkde.core.kde.estimators.choose import estimator_facts
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet

Form = Literal["python", "command"]

FEW_KERNELS = 40
"""Up to so many are written into a script; more are read from a kernel file."""

LINE = 88
"""Calls that are longer than this take a line for each argument."""


def needs_kernel_file(state: State, form: Form) -> bool:
    """Whether the code reads the kernels from a file, for `shown_kernels` to be saved in."""
    kernel_sets = shown_kernels(state)
    if form == "command":
        return bool(kernel_sets)
    return sum(map(len, kernel_sets.values())) > FEW_KERNELS


def python_script(state: State, source: ImageSource, kernel_file: str | None = None) -> str:
    """Write a script that leaves the array that is shown in a variable.

    Parameters
    ----------
    state, source
        What is shown, and of which image.
    kernel_file
        Where `shown_kernels` are saved; None writes them into the script.

    Raises
    ------
    ValueError
        If what is asked of the kernels cannot be answered.
    """
    channels = state.channels or source.choices[0]
    source, reading = readable_source(source)
    lines, imports = _image_lines(source, channels, reading)
    query = shown_query(state)
    if state.show != "kernels":
        imports.append("ColorKDE")
        arguments = ["image"]
        if len(channels) > MAX_GRID_CHANNELS:
            arguments.append(f"n_channels={len(channels)}")
        if state.bandwidth is not None:
            arguments.append(f"bandwidth={bandwidth_argument(state)!r}")
        if state.space != "rgb":
            arguments.append(f"space={state.space!r}")
        facts = estimator_facts(state.boundary, state.varying)
        arguments += [f"{name}={value!r}" for name, value in facts.items()]
        lines.append(_call("kde = ColorKDE", arguments))
        lines.append(f"density = kde.density(image{', log=True' if state.log else ''})")
        return _script(imports, lines, source, "density")
    kernel_sets = shown_kernels(state)
    if kernel_file is not None:
        imports.append("load_kernels")
        read = f"load_kernels({kernel_file!r})"
        name = next(iter(kernel_sets))
        lines.append(f"kernels = {read}" + ("" if query is not None else f"[{name!r}]"))
    else:
        imports += ["Kernel", "KernelSet"]
        lines.append(f"kernels = {_kernels_text(kernel_sets, several=query is not None)}")
    if query is None:
        imports.append("compute_densities")
        arguments = ["image", "kernels", *(["log=True"] if state.log else [])]
        lines.append(_call("density = compute_densities", arguments))
        return _script(imports, lines, source, "density")
    query.check()
    imports.append("classify_image")
    what = {"posterior": "posterior", "ratio": "ratio"}.get(query.show, "classes")
    given = [f"{key}={value!r}" for key, value in query_options(query).items()]
    arguments = ["image", "kernels", f"show={query.show!r}", *given]
    lines.append(_call(f"{what} = classify_image", arguments))
    return _script(imports, lines, source, what)


# --- what is asked


def query_options(query: ClassQuery) -> dict[str, object]:
    """Return the arguments of `classify_image` that a question needs, by name."""
    options: dict[str, object] = {}
    if query.show in ("posterior", "ratio"):
        options["cls"] = query.cls
    if query.show == "ratio":
        options["against"] = query.against
    elif len(set(query.priors.values())) > 1:
        options["priors"] = dict(query.priors)
    if query.show == "class" and query.classification.keep_mass is not None:
        options["keep_mass"] = query.classification.keep_mass
    return options


def bandwidth_argument(state: State) -> Bandwidth | float:
    """Return the bandwidth as it is written: one sigma for all as a number."""
    given = state.bandwidth
    return given[0] if isinstance(given, tuple) and len(given) == 1 else given


# --- the image


def path_or_name(source: ImageSource) -> str:
    """Return where the image lies, or the name under which it should be saved."""
    return source.path or f"{file_stem(source.name)}.tif"


def readable_source(source: ImageSource) -> tuple[ImageSource, FileReading]:
    """Return how the layer's array comes from its file; without a path if the file has another."""
    reading = reading_of(source)
    return (replace(source, path=""), FileReading()) if reading is None else (source, reading)


def _image_lines(
    source: ImageSource, channels: Channels, reading: FileReading
) -> tuple[list[str], list[str]]:
    """The lines that make `image`, channels last, and the names they import."""
    array = source.array
    about = f"{tuple(map(int, array.shape))} {array.dtype}"
    lines = []
    if not source.path:
        lines.append(f"# Save the layer {source.name!r} under this name first.")
    if reading.module:
        lines.append(f"import {reading.module}\n")
    lines.append(f"image = {reading.call.format(repr(path_or_name(source)))}  # {about}")
    frame = source.frame(channels)
    if frame and not channels.layers:
        axes = source.pixel_axes(channels)[: len(frame)]
        key = [str(frame[axes.index(a)]) if a in axes else ":" for a in range(max(axes) + 1)]
        lines.append(f"image = image[{', '.join(key)}]  # the frame shown")
        source, channels = frame_source(source, channels, frame)
        array = source.array
    if channels.layers:
        names = ["image"]
        for name in channels.layers:
            names.append(_variable(name, names))
            lines.append(f"# The layer {name!r}, a channel of its own.")
            lines.append(f"{names[-1]} = read_image({file_stem(name) + '.tif'!r})")
        lines.append(f"image = np.stack([{', '.join(names)}], axis=-1)")
        if frame:
            lines.append(f"image = image[{', '.join(map(str, frame))}]  # the frame shown")
    elif channels.axis is None:
        if len(array.shape) > 2:
            lines.append("image = image[..., np.newaxis]  # gray: no axis holds colors")
    elif not is_natural(source, channels):
        moved = "image"
        if channels.axis != len(array.shape) - 1:
            moved = f"np.moveaxis(image, {channels.axis}, -1)"
        chosen = f"{moved}[..., {list(channels.indices)!r}]"
        lines.append(f"image = {chosen}  # {channels.label}")
    return lines, ["read_image"] if "read_image" in "".join(lines) else []


def is_natural(source: ImageSource, channels: Channels) -> bool:
    """Whether the functions take the channels of themselves: red, green and blue, the last axis."""
    return source.rgb and channels.indices == (0, 1, 2)


def _variable(name: str, taken: Sequence[str]) -> str:
    """A name for a variable, after a layer's."""
    found = re.sub(r"\W+", "_", name.lower()).strip("_")
    if not found.isidentifier() or found in taken or found in ("np", "kernels", "kde"):
        found = f"channel_{len(taken) + 1}"
    return found


def _script(imports: Sequence[str], lines: Sequence[str], source: ImageSource, what: str) -> str:
    body = "\n".join(lines)
    name = Path(source.path).name if source.path else source.name
    head = f'"""{what.capitalize()} of {name}, as shown by napari-colorkde {__version__}."""\n\n'
    # A name may hold what ends a string, or begins an escape.
    head = head if re.fullmatch(r'"""[^"\\]*"""\n\n', head) else ""
    if "np." in body:
        head += "import numpy as np\n\n"
    head += f"from napari_colorkde import {', '.join(sorted(imports, key=str.lower))}\n\n"
    return f"{head}{body}\n"


def _call(function: str, arguments: Sequence[str]) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= LINE:
        return line
    return f"{function}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


def _kernels_text(kernel_sets: Mapping[str, KernelSet], *, several: bool) -> str:
    texts = {name: _set_text(kernels) for name, kernels in kernel_sets.items()}
    if not several:
        return next(iter(texts.values()))
    indented = {name: text.replace("\n", "\n    ") for name, text in texts.items()}
    entries = "".join(f"    {name!r}: {text},\n" for name, text in indented.items())
    return f"{{\n{entries}}}"


def _set_text(kernels: KernelSet) -> str:
    rows = "".join(f"        {_kernel_text(kernel)},\n" for kernel in kernels)
    return f"KernelSet(\n    [\n{rows}    ]\n)"


def _kernel_text(kernel: Kernel) -> str:
    words = [str(kernel.mean.tolist()), str(kernel.covariance.tolist()), repr(kernel.weight)]
    words += [f"cls={kernel.cls!r}"] if kernel.cls else []
    words += [f"name={kernel.name!r}"] if kernel.name else []
    return f"Kernel({', '.join(words)})"
