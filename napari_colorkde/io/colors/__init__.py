"""Colors of output: colormaps by name, and densities as color images.

May import nothing of `io`; its formats and whoever draws import from here.
"""
