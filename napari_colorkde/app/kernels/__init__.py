"""Kernels: edited, picked, fitted, and shown in a color space.

May import `app.selection`, `app.image` and `app.density`.
The kernels themselves and their mathematics are in `core.mixture`.
"""
