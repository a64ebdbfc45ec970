"""TIFF in all its kinds: pictures and their tags read, whole or tile by tile; results written.

May import its neighbors in `formats` that all formats share.
"""
