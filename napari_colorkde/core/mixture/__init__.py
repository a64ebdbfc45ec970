"""Mixtures of Gaussian kernels: the kernels, their densities, and fitting them by EM.

May import `core.palette`.
What kernels with classes say about pixels is in `core.classification`.
"""
