"""One module for each file format: reading it as an image, writing densities and classes to it.

May import `io.provenance`, `io.colors` and `io.atomic`. Which formats there are is said in
`io.image_formats` and `io.export_formats`.
"""
