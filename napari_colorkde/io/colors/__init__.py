"""Colors of what is written: colormaps by name, and densities as pictures.

May import nothing of `io`; its formats and whoever draws import from here.
"""
