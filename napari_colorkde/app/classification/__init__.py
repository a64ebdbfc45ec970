"""What is done with classified pixels: the threshold, and evaluation against a ground truth.

May import `app.image`, `app.density` and `app.selection`; knows no layers of its own making.
Posteriors themselves are computed in `core.classification`.
"""
