"""Checks of arguments as given: accepted, or refused with a message.

The lowest layer of `core`: it knows no image, palette or kernel.
"""
