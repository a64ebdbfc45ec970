"""One module for each file format that densities, class maps and volumes are written to.

May import `io.provenance`, `io.coloring` and `io.atomic`. What is written where is decided in
`io.export_formats`.
"""
