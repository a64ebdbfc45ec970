"""Many images on the command line: options, processes, the cluster, and tables of results.

Which images these are, and what is written for each, is found by `app.results`, as in the window.
May import `cli.console`, `cli.verbosity` and `cli.shared_options`; commands import from here,
and what reads images asks it for the cluster.
"""
