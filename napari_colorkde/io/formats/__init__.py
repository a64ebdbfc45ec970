"""A module or a folder for each file format: images are read, densities and classes written.

May import `io.provenance`, `io.colors` and `io.writers.atomic`. Which formats there are is said in
`io.readers.image_formats` and `io.export_formats`.
"""
