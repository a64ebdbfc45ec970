"""Densities of colors as operations on torch tensors, with gradients, on their own device.

Tensors in, tensors out. May import `core`; what takes and returns NumPy is there.
"""

from napari_colorkde.torch.losses import histogram_loss
from napari_colorkde.torch.points import log_density, mixture_density
from napari_colorkde.torch.volumes import color_kde

__all__ = ["color_kde", "histogram_loss", "log_density", "mixture_density"]
