"""Files are written whole or not at all, and targets that could not be written are refused first.

Knows no format: what is written is up to the caller.
"""
