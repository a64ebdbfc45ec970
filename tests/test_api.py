"""The public names and how they are called: scripts and other people's code rely on both."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import napari_colorkde

# Name -> what it takes, without annotations. Adding a keyword with a default is fine (change the
# line); anything else breaks somebody's script.
SIGNATURES = {
    "ColorKDE": (
        "(palette_or_image, bandwidth=None, *, space='rgb', boundary='none', varying=False,"
        " mask=None, channel_axis=-1, weights=None, device='auto', n_channels=None)"
    ),
    "ColorKDE.density": "(self, image=None, log=False, *, mask=None, channel_axis=-1)",
    "ColorKDE.leave_one_color_out": "(self)",
    "ColorKDE.leave_one_out": "(self)",
    "ColorKDE.log_likelihood": "(self, image, *, mask=None, channel_axis=-1)",
    "ColorKDE.log_volume": "(self, bins=64, extent=None)",
    "ColorKDE.modes": "(self, n=10)",
    "ColorKDE.sample": "(self, n_samples=1, random_state=None, *, seed=None)",
    "ColorKDE.to_xarray": "(self, bins=128, extent=None, *, sampling='points')",
    "DensityVolume.load": "(path)",
    "DensityVolume.marginal": "(self, axes)",
    "DensityVolume.save": "(self, path, *, description=None)",
    "DensityVolume.slice": "(self, at)",
    "DensityVolume.to_xarray": "(self)",
    "ColorKDE.volume": "(self, bins=128, extent=None, *, sampling='points')",
    "GaussianKDE": "(bandwidth=1.0, device='auto')",
    "GaussianKDE.conditional": "(self, given)",
    "GaussianKDE.fit": "(self, X, y=None, sample_weight=None)",
    "GaussianKDE.marginal": "(self, axes)",
    "GaussianKDE.sample": "(self, n_samples=1, random_state=None, *, seed=None)",
    "GaussianKDE.score": "(self, X, y=None)",
    "GaussianKDE.score_gradient": "(self, X)",
    "GaussianKDE.score_samples": "(self, X)",
    "GaussianKDE.standard_errors": "(self, X)",
    "Kernel": "(mean, covariance, weight, *, cls='', name='', visible=True)",
    "KernelSet": "(kernels, name='', space='rgb')",
    "KernelSet.to_space": "(self, space, *, white=255.0)",
    "Look.apply": "(self, image)",
    "Look.apply_to_palette": "(self, palette)",
    "Palette.from_image": (
        "(image, mask=None, channel_axis=-1, *, max_colors=16777216, weights=None, n_channels=None)"
    ),
    "Palette.from_images": (
        "(images, masks=None, channel_axis=-1, *, max_colors=16777216, n_channels=None)"
    ),
    "PaletteBuilder": "(max_colors=16777216, *, name='image', n_channels=None)",
    "PaletteBuilder.add": "(self, image, mask=None, channel_axis=-1)",
    "PaletteBuilder.palette": "(self)",
    "Palette.index": "(self, image, mask=None, channel_axis=-1)",
    "Palette.load": "(path)",
    "Palette.merge": "(self, other)",
    "Palette.most_common": "(self, n=10)",
    "Palette.save": "(self, path, *, description=None)",
    "Palette.without_rare": "(self, min_count)",
    "class_names": "(kernels)",
    "classify_image": (
        "(image, kernels, *, show='class', cls=None, against=None, priors=None, keep_mass=None,"
        " mask=None, channel_axis=-1, space=None, device='auto', numbers=None, none_below=None)"
    ),
    "color_kde": (
        "(image, bandwidth=None, *, bins=128, extent=None, space='rgb', boundary='none',"
        " varying=False, mask=None,"
        " channel_axis=-1, weights=None, device='auto')"
    ),
    "compare": (
        "(image_a, image_b, bandwidth=None, *, space='rgb', mask_a=None, mask_b=None,"
        " channel_axis=-1, device='auto', n_channels=None)"
    ),
    "compare_all": (
        "(images, bandwidth=None, *, names=None, masks=None, space='rgb', channel_axis=-1,"
        " device='auto', progress=None, n_channels=None)"
    ),
    "compute_densities": (
        "(image, kernels, *, log=False, normalized=True, mask=None, channel_axis=-1, space=None,"
        " device='auto')"
    ),
    "fit_classes": (
        "(image, labels, n_kernels, *, names=None, covariance_type='full',"
        " reg_covar=None, random_state=None, mask=None, channel_axis=-1, space='rgb',"
        " device='auto', seed=None, n_channels=None, return_report=False)"
    ),
    "fit_kernels": (
        "(image, n_kernels, *, mask=None, channel_axis=-1, weights=None, space='rgb',"
        " device='auto', covariance_type='full', reg_covar=None,"
        " random_state=None, max_iter=200, tol=0.001, n_init=1, means_init=None,"
        " return_report=False, seed=None, n_channels=None)"
    ),
    "grid_search": "(train, valid, sigmas, test=None, *, device='auto', progress=None)",
    "load_kernels": "(path)",
    "load_palette": "(path)",
    "load_volume": "(path)",
    "posteriors": (
        "(image, kernels, *, priors=None, mask=None, channel_axis=-1, space=None, device='auto')"
    ),
    "read_image": "(path, *, series=None, page=None, level=0, channels=None, icc='keep', "
    "white=None, orientation='apply', lazy=False)",
    "read_look": "(path)",
    "roc": "(scores, labels, positive=None, *, unlabeled='automatic', mask=None)",
    "save_kernels": "(path, kernel_sets, *, about='')",
    "save_palette": "(path, palette, *, description=None)",
    "save_volume": "(path, volume, *, description=None)",
    "select_bandwidth": (
        "(image, method='loco', candidates=None, *, shape='isotropic', space='rgb', exact=False,"
        " mask=None, channel_axis=-1, device='auto', n_channels=None)"
    ),
}

ATTRIBUTES = {
    "ColorKDE": {"palette", "covariance"},
    "DensityVolume": {"values", "axes", "covariance", "mass_inside"},
    "Kernel": {"mean", "covariance", "weight", "cls", "name", "visible"},
    "KernelSet": {"means", "covariances", "weights", "name", "space"},
    "Palette": {"colors", "counts", "n_pixels", "n_excluded"},
}


def signature_of(path: str) -> str:
    owner: object = napari_colorkde
    for name in path.split("."):
        owner = getattr(owner, name)
    signature = inspect.signature(owner)  # type: ignore[arg-type]
    empty = inspect.Parameter.empty
    parameters = [item.replace(annotation=empty) for item in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=empty))


def test_public_names() -> None:
    classes = {"ColorKDE", "DensityVolume", "GaussianKDE", "Kernel", "KernelSet", "Look", "Palette"}
    functions = {name for name in SIGNATURES if "." not in name} - classes
    assert set(napari_colorkde.__all__) == classes | functions | {"__version__"}


@pytest.mark.parametrize("path", sorted(SIGNATURES))
def test_signature(path: str) -> None:
    assert signature_of(path) == SIGNATURES[path]


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_public_attributes(name: str) -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    kernel = napari_colorkde.Kernel([1.0, 2.0, 3.0], [4.0, 4.0, 4.0], 1.0)
    instances = {
        "ColorKDE": napari_colorkde.ColorKDE(image),
        "DensityVolume": napari_colorkde.color_kde(image, bandwidth=100, bins=4),
        "Kernel": kernel,
        "KernelSet": napari_colorkde.KernelSet([kernel]),
        "Palette": napari_colorkde.Palette.from_image(image),
    }
    assert [item for item in sorted(ATTRIBUTES[name]) if not hasattr(instances[name], item)] == []
