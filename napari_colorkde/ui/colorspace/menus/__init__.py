"""The menu "View" of the color space, and what it offers: looks, and the difference of two images.

Used by the view and its links; knows neither.
"""
