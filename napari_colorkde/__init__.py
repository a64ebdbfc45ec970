"""napari-colorkde: exact Gaussian kernel densities of an image's colors, live.

The names below are loaded on first use, so that importing the package imports neither torch,
nor napari, nor Qt.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from napari_colorkde.core.classification.classes import class_names as class_names
    from napari_colorkde.core.classification.classify_image import classify_image as classify_image
    from napari_colorkde.core.classification.posteriors import posteriors as posteriors
    from napari_colorkde.core.classification.roc import roc as roc
    from napari_colorkde.core.kde.all_pairs import compare_all as compare_all
    from napari_colorkde.core.kde.bandwidth import select_bandwidth as select_bandwidth
    from napari_colorkde.core.kde.color_kde import ColorKDE as ColorKDE
    from napari_colorkde.core.kde.divergence import compare as compare
    from napari_colorkde.core.kde.volumes.density_volume import DensityVolume as DensityVolume
    from napari_colorkde.core.kde.volumes.image_volume import color_kde as color_kde
    from napari_colorkde.core.mixture.density import compute_densities as compute_densities
    from napari_colorkde.core.mixture.fit_classes import fit_classes as fit_classes
    from napari_colorkde.core.mixture.fit_kernels import fit_kernels as fit_kernels
    from napari_colorkde.core.mixture.kernels import Kernel as Kernel
    from napari_colorkde.core.mixture.kernels import KernelSet as KernelSet
    from napari_colorkde.core.palette.palette import Palette as Palette
    from napari_colorkde.core.palette.palette_builder import PaletteBuilder as PaletteBuilder
    from napari_colorkde.core.vectors.gaussian_kde import GaussianKDE as GaussianKDE
    from napari_colorkde.core.vectors.grid_search import grid_search as grid_search
    from napari_colorkde.io.formats.color_space.cube_reader import Look as Look
    from napari_colorkde.io.formats.color_space.cube_reader import read_look as read_look
    from napari_colorkde.io.images import read_image as read_image
    from napari_colorkde.io.kernels.kernel_files import load_kernels as load_kernels
    from napari_colorkde.io.kernels.kernel_files import save_kernels as save_kernels
    from napari_colorkde.io.palettes import load_palette as load_palette
    from napari_colorkde.io.palettes import save_palette as save_palette
    from napari_colorkde.io.volumes import load_volume as load_volume
    from napari_colorkde.io.volumes import save_volume as save_volume

_HOMES = {
    "ColorKDE": "core.kde.color_kde",
    "DensityVolume": "core.kde.volumes.density_volume",
    "GaussianKDE": "core.vectors.gaussian_kde",
    "Kernel": "core.mixture.kernels",
    "KernelSet": "core.mixture.kernels",
    "Look": "io.formats.color_space.cube_reader",
    "Palette": "core.palette.palette",
    "PaletteBuilder": "core.palette.palette_builder",
    "class_names": "core.classification.classes",
    "classify_image": "core.classification.classify_image",
    "color_kde": "core.kde.volumes.image_volume",
    "compare": "core.kde.divergence",
    "compare_all": "core.kde.all_pairs",
    "compute_densities": "core.mixture.density",
    "fit_classes": "core.mixture.fit_classes",
    "fit_kernels": "core.mixture.fit_kernels",
    "grid_search": "core.vectors.grid_search",
    "load_kernels": "io.kernels.kernel_files",
    "load_palette": "io.palettes",
    "load_volume": "io.volumes",
    "posteriors": "core.classification.posteriors",
    "read_image": "io.images",
    "read_look": "io.formats.color_space.cube_reader",
    "roc": "core.classification.roc",
    "save_kernels": "io.kernels.kernel_files",
    "save_palette": "io.palettes",
    "save_volume": "io.volumes",
    "select_bandwidth": "core.kde.bandwidth",
}

__all__ = [*sorted(_HOMES), "__version__"]  # noqa: PLE0604 - computed from the table above


def __getattr__(name: str) -> Any:
    if name == "torch":  # our operations on tensors: napari_colorkde.torch.color_kde
        return import_module(f"{__name__}.torch")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
