"""The numerical engine: palettes, kernel densities, mixtures. NumPy in, NumPy out, torch inside.

Nothing here knows a window, a file or napari. Its neighbor above is `io`.
"""
