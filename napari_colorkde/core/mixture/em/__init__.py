"""Expectation maximization: starts, steps, many fits at once, and when they have converged.

May import `core.mixture` but for `fit_kernels` and `fit_classes`, which call it.
"""
