"""Kernel sets as files: JSON, which keeps everything, and tables of spreadsheets.

`kernel_files` reads and writes either; `delimited` splits the tables into cells.
"""
