"""The dock "Results": the results table, batches, and the export of everything.

May import `ui.widgets` and `ui.window`; the other panels do not know it.
"""
