"""From class densities to posteriors, ratios, the most likely class, and their evaluation.

May import `core.mixture` and `core.palette`.
Files of class maps are written in `io.class_maps`.
"""
