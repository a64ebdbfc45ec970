"""Estimators other than the plain one: boundary correction, kernels of varying width.

May import `core.kde.grids` and `core.kernel_sums`; `core.kde.color_kde` chooses among them.
"""
