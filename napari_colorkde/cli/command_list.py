"""The list of all commands, in the order in which help has them; and the program made of them."""

from napari_colorkde.cli.commands import (
    bandwidth,
    classify,
    compare,
    count,
    crosscheck,
    demo,
    density,
    fit,
    grid_search,
    info,
    kernels,
    look,
    measure,
    merge,
    open_,
    volume,
)
from napari_colorkde.cli.program import program

COMMANDS = (
    demo.COMMAND,
    open_.COMMAND,
    info.COMMAND,
    volume.COMMAND,
    density.COMMAND,
    classify.COMMAND,
    bandwidth.COMMAND,
    fit.COMMAND,
    count.COMMAND,
    merge.COMMAND,
    measure.COMMAND,
    kernels.COMMAND,
    compare.COMMAND,
    look.COMMAND,
    grid_search.COMMAND,
    crosscheck.COMMAND,
)

app = program(COMMANDS)
