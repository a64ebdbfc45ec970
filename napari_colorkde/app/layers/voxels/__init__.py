"""A stack in true color: one RGBA layer whose opacities follow what is shown of the kernels.

`voxel_layer` keeps it in the viewer; colors, opacities and the script are made beside it.
"""
