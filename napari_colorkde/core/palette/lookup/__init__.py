"""The way back from a palette to pixels: finding the entry of each color, and painting with it.

Knows no counting. `IndexedPalette` is what `Palette` has of it.
"""
