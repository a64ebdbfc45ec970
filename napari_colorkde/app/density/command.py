"""What is shown as command lines: for the current image, and for many in the same way."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from napari_colorkde.app.density.class_query import resolve_classes, shown_query, what_is_shown
from napari_colorkde.app.density.script import (
    bandwidth_argument,
    is_natural,
    path_or_name,
    query_options,
    readable_source,
)
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.file_reading import FileReading
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.settings.state_values import is_covariance
from napari_colorkde.app.state import State
from napari_colorkde.core.palette.image_tiles import is_dask


def command_line(state: State, source: ImageSource, kernel_file: str | None = None) -> str:
    """Write a command line that saves the array that is shown beside the image, as a TIFF.

    Of a slide as an OME-TIFF, which is written block by block.

    Parameters
    ----------
    state, source, kernel_file
        As in `python_script`; with kernels, the file is needed.

    Raises
    ------
    ValueError
        If what is asked of the kernels cannot be answered, the channels are those of several
        layers, or the kernel file is missing.
    """
    channels = state.channels or source.choices[0]
    source, reading = _checked(source, channels)
    path = path_or_name(source)
    words = [
        "napari-colorkde",
        "density",
        path,
        "-o",
        f"{Path(path).stem}-{what_is_shown(state)}.{'ome.tif' if is_dask(source.array) else 'tif'}",
    ]
    words += [*_channel_options(source, channels, reading), *(reading.options or ())]
    words += ["--per-frame"] if source.frame(channels) and state.show != "kernels" else []
    return _joined([*words, *_density_options(state, kernel_file)])


def batch_commands(
    state: State,
    source: ImageSource,
    folder: str,
    kernel_file: str | None = None,
    *,
    output: str | None = "{dir}/{stem}_{what}.tif",
    table: str | None = "results.csv",
    recursive: bool = False,
    per_frame: bool = False,
    skips: bool = False,
    regions: str | None = None,
    jobs: int = 1,
) -> str:
    """Write command lines that do with all images of a folder what is done with this one.

    Parameters
    ----------
    state, source, kernel_file
        As in `command_line`.
    folder
        A folder, a glob or a file.
    output
        Names of the files that are written, with fields; None writes none.
    table
        The file of the table; None measures nothing.
    recursive, per_frame, skips, regions, jobs
        The options of these names.

    Raises
    ------
    ValueError
        As from `command_line`.
    """
    channels = state.channels or source.choices[0]
    source, reading = _checked(source, channels)
    shared = [folder, *(["--recursive"] if recursive else []), "--keep-going"]
    shared += ["--skip-existing"] if skips else []
    shared += ["--jobs", str(jobs)] if jobs > 1 else []
    shared += [*_channel_options(source, channels, reading), *(reading.options or ())]
    lines = []
    if output is not None:
        frames = ["--per-frame"] if per_frame and state.show != "kernels" else []
        options = [*frames, *_density_options(state, kernel_file)]
        lines.append(_joined(["napari-colorkde", "density", *shared, "-o", output, *options]))
    if table is not None:
        options = ["--per-frame"] if per_frame else []
        options += ["--regions", regions] if regions else []
        options += _class_options(state, kernel_file)
        lines.append(_joined(["napari-colorkde", "measure", *shared, "-o", table, *options]))
    return "\n".join(lines)


def _checked(source: ImageSource, channels: Channels) -> tuple[ImageSource, FileReading]:
    if channels.layers:
        raise ValueError(
            f"the channels {channels.label} come from several layers, but a command reads one "
            "image; copy the Python script."
        )
    readable, reading = readable_source(source)
    if reading.options is None:
        raise ValueError(
            f"napari read {Path(source.path).name!r} differently than a command would; copy the "
            "Python script."
        )
    return readable, reading


def _density_options(state: State, kernel_file: str | None) -> list[str]:
    """Return the options of `density` for what a state shows."""
    words: list[str] = []
    query = shown_query(state)
    if state.show == "kernels":
        words += _kernel_options(kernel_file)
    else:
        if state.bandwidth is not None:
            given = bandwidth_argument(state)
            if is_covariance(state.bandwidth):
                raise ValueError(
                    "a command takes no full covariance as a bandwidth; copy the Python script."
                )
            numbers = given if isinstance(given, tuple) else (given,)
            words += ["--bandwidth", ",".join(map(str, numbers))]
        if state.space != "rgb":
            words += ["--space", state.space]
        words += ["--boundary", state.boundary] if state.boundary != "none" else []
        words += ["--varying"] if state.varying else []
    if query is None:
        return [*words, *(["--log"] if state.log else [])]
    query.check()
    words += ["--show", query.show]
    for key, value in query_options(query).items():
        if key == "priors":
            words += _prior_options(query.priors)
        else:
            words += [{"cls": "--class"}.get(key, f"--{key.replace('_', '-')}"), str(value)]
    return words


def _class_options(state: State, kernel_file: str | None) -> list[str]:
    """Return the options of `measure` for the classes of a state."""
    query = resolve_classes(state) if state.show == "kernels" else None
    if query is None:
        return []
    words = _kernel_options(kernel_file)
    if len(set(query.priors.values())) > 1:
        words += _prior_options(query.priors)
    if query.classification.keep_mass is not None:
        words += ["--keep-mass", str(query.classification.keep_mass)]
    return words


def _kernel_options(kernel_file: str | None) -> list[str]:
    if kernel_file is None:
        raise ValueError("kernel_file is missing; a command reads its kernels from a file.")
    return ["--kernels", kernel_file]


def _prior_options(priors: Mapping[str, float]) -> list[str]:
    return [word for name, p in priors.items() for word in ("--prior", f"{name}={p!r}")]


def _joined(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _channel_options(source: ImageSource, channels: Channels, reading: FileReading) -> list[str]:
    n_axes = len(source.array.shape)
    if channels.axis is None:
        return ["--channel-axis", "none"] if n_axes > 2 else []
    if is_natural(source, channels):
        return []
    words = ["--channels", ",".join(map(str, channels.indices))]
    if reading.moves_channels:
        return words
    return words if channels.axis == n_axes - 1 else [*words, "--channel-axis", str(channels.axis)]
