"""Arguments as they are given, whatever they are: taken, or refused with a sentence.

The lowest room of `core`: it knows no image, palette or kernel.
"""
