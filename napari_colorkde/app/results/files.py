"""Which images are processed, and the names of the files made from them.

Names hold fields, as in ``{dir}/{stem}_{what}.tif``.
"""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_colorkde.io.formats.addresses import Address, path_or_address

FIELDS = ("dir", "stem", "name", "rel", "what")
"""Folder of the image, its name without and with suffix, its folder below the one that was given
as input, and what is made of it."""

HEAD_BYTES = 1 << 12


@dataclass(frozen=True, slots=True)
class InputFile:
    """An image to be worked on.

    Attributes
    ----------
    path
        Where it lies.
    base
        The folder that was given as input, or the image's own.
    is_named
        Whether it was given itself, not found in a folder or by a glob.
    """

    path: Path
    base: Path
    is_named: bool = True


def find_images(words: Sequence[str], *, recursive: bool = False) -> list[InputFile]:
    """Return the images that files, addresses, globs and folders stand for, each once.

    Raises
    ------
    ValueError
        If a folder holds no image, or a glob finds none.
    """
    found: list[InputFile] = []
    for word in words:
        path = path_or_address(word)
        if isinstance(path, Address):
            found.append(InputFile(path, path.parent))
        elif _is_folder(path):
            inside = _images_in(path, recursive)
            if not inside:
                more = "" if recursive else "; --recursive looks into its folders"
                raise ValueError(f"input {word!r} is a folder with no images{more}.")
            found += [InputFile(image, path, is_named=False) for image in inside]
        elif glob.has_magic(word) and not path.exists():
            inside = [Path(name) for name in sorted(glob.glob(word, recursive=True))]
            inside = [name for name in inside if name.is_file() or name.suffix == ".zarr"]
            if not inside:
                raise ValueError(f"input {word!r} matches no file; check the name.")
            found += [InputFile(image, image.parent, is_named=False) for image in inside]
        else:
            found.append(InputFile(path, path.parent))
    unique: dict[Path, InputFile] = {}
    for file in found:
        unique.setdefault(file.path.absolute(), file)
    return list(unique.values())


def has_fields(value: object) -> bool:
    """Whether a name of a file holds fields to be filled in."""
    return value is not None and any(f"{{{name}}}" in str(value) for name in FIELDS)


def filled_in(template: Path, file: InputFile, what: str) -> Path:
    """Return a name with its fields filled in for an image."""
    folder = file.path.parent
    relative = folder.relative_to(file.base) if folder.is_relative_to(file.base) else Path()
    values = (folder, file.path.stem, file.path.name, relative, what)
    text = str(template)
    for name, value in zip(FIELDS, values, strict=True):
        text = text.replace(f"{{{name}}}", str(value))
    return Path(text)


def plan_targets(
    files: Sequence[InputFile], template: Path, what: str, *, skips: bool = False
) -> Mapping[InputFile, Path]:
    """Return what is written for each image; refuse, before any of it, names that do not fit.

    Results of an earlier run that were found beside the images are left out: they are none.

    Parameters
    ----------
    files
        The images.
    template
        A name with fields.
    what
        Is put in for the field ``{what}``.
    skips
        Whether what is there already is left as it is.

    Raises
    ------
    ValueError
        If the name has no fields, two images have the same output, or one's output is another.
    """
    if not has_fields(template):
        raise ValueError(
            f"output {str(template)!r} names one file, but {len(files)} images are given; use "
            'fields, as in "{dir}/{stem}_' + what + template.suffix + '".'
        )
    named = {file: filled_in(template, file, what) for file in files}
    targets = {target.absolute() for target in named.values()}
    # What an earlier run has written beside the images is none of them.
    kept = [
        file
        for file in files
        if file.is_named
        or file.path.absolute() not in targets
        or not (skips or _is_own_result(file.path))
    ]
    inputs = {file.path.resolve() for file in kept}
    taken: dict[Path, Path] = {}
    for file in kept:
        target = named[file]
        if target.resolve() in inputs:
            raise ValueError(
                f"output {str(target)!r} of {str(file.path)!r} is also an input; give another "
                "name, or --skip-existing."
            )
        if target.absolute() in taken:
            raise ValueError(
                f"output {str(target)!r} is the same for {str(taken[target.absolute()])!r} and "
                f"{str(file.path)!r}; put {{dir}}, {{rel}} or {{stem}} in its name."
            )
        taken[target.absolute()] = file.path
    return {file: named[file] for file in kept}


def _is_folder(path: Path) -> bool:
    return path.is_dir() and path.suffix.lower() != ".zarr"


def _images_in(folder: Path, recursive: bool) -> list[Path]:
    """Return the images of a folder, by suffix and in the order of their names, none hidden."""
    from napari_colorkde.io.readers.image_formats import image_suffixes

    suffixes = (*image_suffixes(), ".zarr")
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if _is_folder(path):
            found += _images_in(path, recursive) if recursive else []
        elif path.name.lower().endswith(suffixes) and not _is_own_result(path):
            found.append(path)
    return found


def _is_own_result(path: Path) -> bool:
    """Whether a file says, near its beginning, that this program wrote it."""
    from napari_colorkde.io.provenance import PROGRAM

    if path.is_dir():
        record = path / "zarr.json"
        return record.is_file() and _is_own_result(record)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return f"{PROGRAM} ".encode() in file.read(HEAD_BYTES)
