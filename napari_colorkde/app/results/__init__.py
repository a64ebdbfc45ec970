"""Numbers and files for many images: the results table, batches, exports of everything.

May import all of `app`. The command line does its work with the same functions.
"""
