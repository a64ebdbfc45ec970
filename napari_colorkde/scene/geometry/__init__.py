"""Boxes, rays, ellipses and regions as arrays: pure functions that draw nothing.

The lowest layer of `scene`; imports NumPy and pure functions of `core`.
"""
