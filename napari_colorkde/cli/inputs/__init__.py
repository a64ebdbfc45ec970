"""What commands read: images with their masks, palettes, kernel files, vectors.

Each step says what came of it; a file is read once, and refused with its name.
"""
