"""The tab of the kernels: their table, sets, files, picking, fitting, covariances.

May import `ui.widgets` and `ui.window`; edits themselves are in `app.kernels`.
"""
