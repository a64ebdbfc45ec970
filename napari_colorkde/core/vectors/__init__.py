"""Densities of vectors of any dimension, such as one set of digits under another; no images.

May import `core.device`. `GaussianKDE` has the interface of scikit-learn, and does not need it.
"""
