"""All commands, in the order in which help lists them."""

from napari_colorkde.cli import comparisons, densities, fits, likelihoods, windows
from napari_colorkde.cli.options import app

ORDER = (
    windows.demo,
    windows.open_,
    densities.volume,
    densities.density,
    likelihoods.bandwidth,
    fits.fit,
    fits.kernels,
    comparisons.compare,
    likelihoods.dataset,
    comparisons.crosscheck,
)

app.registered_commands.sort(key=lambda command: [*map(id, ORDER)].index(id(command.callback)))

__all__ = ["ORDER", "app"]
