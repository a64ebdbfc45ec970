"""OME-Zarr, 0.4 and 0.5: images read, whole or chunk by chunk; results written as 0.5.

May import its neighbors in `formats` that all formats share.
"""
