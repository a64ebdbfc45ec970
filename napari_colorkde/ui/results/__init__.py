"""The dock "Results": the table of results, batches, and the export of everything.

May import `ui.widgets` and `ui.window`; the other panels do not know it.
"""
