"""Densities on regular grids of colors: their data, their computation, those of an image.

May import the modules of `core.kde` that sum kernels.
"""
