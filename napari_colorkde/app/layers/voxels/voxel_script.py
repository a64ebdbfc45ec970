"""The opacity of voxels as lines of a script, to reproduce a stack in true color."""

from napari_colorkde.app.density.class_query import shown_query
from napari_colorkde.app.image.source import ImageSource
from napari_colorkde.app.layers.voxels.voxel_opacity import automatic_range
from napari_colorkde.app.state import State

VARIABLES = {"posterior": "posterior", "ratio": "ratio", "class": "classes"}
"""What `python_script` leaves the values in; a density is in `density`."""


def shows_voxels(state: State, source: ImageSource) -> bool:
    """Whether voxels are seen in true color."""
    n_axes = len(source.shape(state.channels or source.choices[0]))
    return state.shown_voxels is not None and n_axes >= 3


def with_voxels(script: str, state: State, source: ImageSource) -> str:
    """Add to a script of `python_script` how opaque voxels are, where they are seen in true color.

    Parameters
    ----------
    script, state, source
        The script of that state and image.
    """
    kernels, voxels = state.kernels, state.shown_voxels
    if voxels is None or kernels is None or not shows_voxels(state, source):
        return script
    query = shown_query(state)
    values = "density" if query is None else VARIABLES[query.show]
    shown = automatic_range(kernels, query, state.log)
    if shown is None:
        number = 1 if query is None else 1 + query.names.index(query.cls)
        line = f"opacity = ({values} == {number}).astype(float)"
    else:
        low, high = voxels.opacity or shown
        line = f"opacity = np.clip(({values} - {low!r}) / {high - low!r}, 0, 1)"
        if "import numpy as np" not in script:
            script = script.replace("from napari", "import numpy as np\n\nfrom napari", 1)
    return f"{script}# How opaque each voxel is in true color: from 0, clear, to 1.\n{line}\n"
