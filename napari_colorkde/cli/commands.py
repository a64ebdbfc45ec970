"""All commands, in the order in which help lists them."""

from napari_colorkde.cli.comparisons import compare, crosscheck
from napari_colorkde.cli.densities import density, volume
from napari_colorkde.cli.fits import fit, kernels
from napari_colorkde.cli.likelihoods import bandwidth, dataset
from napari_colorkde.cli.open_window import demo, open_
from napari_colorkde.cli.options import app

ORDER = (
    demo,
    open_,
    volume,
    density,
    bandwidth,
    fit,
    kernels,
    compare,
    dataset,
    crosscheck,
)

app.registered_commands.sort(key=lambda command: [*map(id, ORDER)].index(id(command.callback)))

__all__ = ["ORDER", "app"]
