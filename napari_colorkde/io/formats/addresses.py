"""Images at URLs: ``https://``, ``s3://`` and the like, which zarr reads through fsspec.

An address is a path, so that all that has to do with names of files takes it; nothing of it lies on
this machine.
"""

import hashlib
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from napari_colorkde.io.provenance import PROGRAM

SCHEMES = {"http": "aiohttp", "https": "aiohttp", "s3": "s3fs", "gs": "gcsfs"}
"""What addresses begin with, and the module that fsspec needs for it."""

_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]+):/+(?=[^/])", re.IGNORECASE)

_Path: Any = type(Path())


class Address(_Path):  # type: ignore[misc]  # Path's own kind on this machine
    """The address of a folder or file on another machine."""

    def __str__(self) -> str:
        # Paths have one slash where an address has two.
        return _ADDRESS.sub(r"\1://", self.as_posix())

    def __fspath__(self) -> str:
        return str(self)

    def as_posix(self) -> str:
        """Return the address as a path has it."""
        return cast(str, super().__str__()).replace("\\", "/")

    def exists(self, **options: object) -> bool:
        """Whether it lies on this machine: never."""
        return False

    is_file = is_dir = exists

    def absolute(self) -> "Address":
        """Return itself: an address is whole."""
        return self

    def resolve(self, strict: bool = False) -> "Address":
        """Return itself."""
        return self

    @property
    def scheme(self) -> str:
        """What it begins with, in lower case."""
        found = _ADDRESS.match(self.as_posix())
        return found[1].lower() if found else ""


def path_or_address(path: str | os.PathLike[str]) -> Path:
    """Return an address for what is one, else a path."""
    text = os.fsdecode(path)
    found = _ADDRESS.match(text.replace("\\", "/"))
    is_drive = found is not None and len(found[1]) == 1
    if found is None or is_drive or Path(text).exists():
        return Path(text)
    return cast(Path, Address(text))


def check_address(address: Address) -> None:
    """Refuse an address that cannot be read, before anything is asked of it.

    Raises
    ------
    ValueError
        If it does not begin with one of `SCHEMES`.
    OSError
        If the module for it is not installed.
    """
    text, scheme = str(address), address.scheme
    if scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise ValueError(f"image {text!r}: addresses begin with {known}; give one of these.")
    module = SCHEMES[scheme]
    if find_spec(module) is None:
        extra = module if module == "gcsfs" else f'"{PROGRAM}[remote]"'
        raise OSError(
            f"image {text!r} is at a URL, and {scheme}:// needs {module}; pip install {extra}."
        )


def stamp(address: Address) -> list[object]:
    """Return by what an OME-Zarr at an address is known again: by what it says about itself."""
    import fsspec

    system, place = fsspec.core.url_to_fs(str(address))
    for name in ("zarr.json", ".zattrs", ".zarray"):
        try:
            return [name, hashlib.sha256(system.cat_file(f"{place}/{name}")).hexdigest()]
        except FileNotFoundError:
            continue
    return []
