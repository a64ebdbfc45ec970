"""Numbers and files of many images: the table of results, batches, exports of everything.

May import all of `app`. The command line does its work with the same functions.
"""
