"""Formats of what lies in the color space: volumes, surfaces, look-up tables.

May import `io.provenance` and `io.colors`.
"""
