"""The tab "Likelihood": the search for a bandwidth, of the image or of a data set.

May import `ui.widgets` and `ui.window`; the other panels do not know it.
"""
