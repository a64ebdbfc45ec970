"""Many images on the command line: the options for it, in how many processes, and tables of it.

Which images these are, and what is written for each, is found by `app.results`, as in the window.
May import `cli.console`, `cli.verbosity` and `cli.shared_options`; commands import from here.
"""
