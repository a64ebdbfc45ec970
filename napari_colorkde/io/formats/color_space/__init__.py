"""Formats for color-space data: volumes, surfaces, lookup tables.

May import `io.provenance` and `io.colors`.
"""
