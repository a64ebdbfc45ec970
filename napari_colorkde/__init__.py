"""napari-colorkde: exact Gaussian kernel densities of an image's colours, live.

The names below are loaded on first use, so that importing the package imports neither torch,
nor napari, nor Qt.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from napari_colorkde.core.bandwidth import select_bandwidth as select_bandwidth
    from napari_colorkde.core.class_maps import class_names as class_names
    from napari_colorkde.core.class_maps import classify_image as classify_image
    from napari_colorkde.core.divergence import compare as compare
    from napari_colorkde.core.em import fit_kernels as fit_kernels
    from napari_colorkde.core.estimator import GaussianKDE as GaussianKDE
    from napari_colorkde.core.estimator import grid_search as grid_search
    from napari_colorkde.core.kde import ColorKDE as ColorKDE
    from napari_colorkde.core.kde import DensityVolume as DensityVolume
    from napari_colorkde.core.kde import color_kde as color_kde
    from napari_colorkde.core.kernels import Kernel as Kernel
    from napari_colorkde.core.kernels import KernelSet as KernelSet
    from napari_colorkde.core.label_fits import fit_classes as fit_classes
    from napari_colorkde.core.mixture import compute_densities as compute_densities
    from napari_colorkde.core.palette import Palette as Palette
    from napari_colorkde.io.images import read_image as read_image
    from napari_colorkde.io.kernel_files import load_kernels as load_kernels
    from napari_colorkde.io.kernel_files import save_kernels as save_kernels

_HOMES = {
    "ColorKDE": "core.kde",
    "DensityVolume": "core.kde",
    "GaussianKDE": "core.estimator",
    "Kernel": "core.kernels",
    "KernelSet": "core.kernels",
    "Palette": "core.palette",
    "class_names": "core.class_maps",
    "classify_image": "core.class_maps",
    "color_kde": "core.kde",
    "compare": "core.divergence",
    "compute_densities": "core.mixture",
    "fit_classes": "core.label_fits",
    "fit_kernels": "core.em",
    "grid_search": "core.estimator",
    "load_kernels": "io.kernel_files",
    "read_image": "io.images",
    "save_kernels": "io.kernel_files",
    "select_bandwidth": "core.bandwidth",
}

__all__ = [*sorted(_HOMES), "__version__"]  # noqa: PLE0604 - computed from the table above


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
