"""Many images: which they are, what is done with each, in how many processes, and tables of it.

May import `cli.console`, `cli.verbosity` and `cli.shared_options`; commands import from here.
"""
