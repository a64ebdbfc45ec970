"""Kernel files that commands read: all sets, one of a name, or the kernels of a class."""

from pathlib import Path
from typing import TYPE_CHECKING

from napari_colorkde.cli.console import print_status

if TYPE_CHECKING:
    from napari_colorkde.core.mixture.kernels import KernelSet


def load_sets(file: Path, name: str | None) -> "dict[str, KernelSet]":
    """Load all sets of a kernel file, or the one of that name, and say what they are."""
    from napari_colorkde.io.kernels.kernel_files import summarize_kernels

    kernel_sets = chosen_sets(file, name)
    for line in summarize_kernels(kernel_sets):
        print_status(f"Kernels of {line}")
    return kernel_sets


def chosen_sets(file: Path, name: str | None) -> "dict[str, KernelSet]":
    """Load all sets of a kernel file, or the one of that name."""
    from napari_colorkde.io.kernels.kernel_files import load_kernels

    kernel_sets = load_kernels(file)
    if name is not None:
        if name not in kernel_sets:
            known = ", ".join(map(repr, kernel_sets))
            raise ValueError(f"kernel file {str(file)!r} has no set {name!r}; it holds {known}.")
        kernel_sets = {name: kernel_sets[name]}
    return kernel_sets


def single_set(file: Path, kernel_sets: "dict[str, KernelSet]") -> "KernelSet":
    """Return the only set there is, or ask for a choice."""
    if len(kernel_sets) > 1:
        names = ", ".join(map(repr, kernel_sets))
        raise ValueError(f"kernel file {str(file)!r} holds the sets {names}; choose with --set.")
    return next(iter(kernel_sets.values()))


def kernels_of_class(kernel_sets: "dict[str, KernelSet]", cls: str) -> "KernelSet":
    """Return the kernels of one class, of whatever set."""
    from napari_colorkde.core.classification.classes import kernels_and_classes
    from napari_colorkde.core.mixture.kernels import KernelSet

    members, classes = kernels_and_classes(kernel_sets)
    found = [kernel for kernel, its_class in zip(members, classes, strict=True) if its_class == cls]
    if not found:
        known = ", ".join(map(repr, dict.fromkeys(classes)))
        raise ValueError(f"class: no kernel has the class {cls!r}; use one of {known}.")
    return KernelSet(found, cls)
