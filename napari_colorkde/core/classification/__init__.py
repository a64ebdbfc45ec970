"""From class densities to answers: posteriors, ratios, the likeliest class, and their evaluation.

May import `core.mixture` and `core.palette`.
Files of class maps are written in `io.class_maps`.
"""
