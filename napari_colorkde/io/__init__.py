"""Files in and out: images, kernel sets, densities, volumes, data sets.

Every reader checks what it read and every writer writes whole files or none. Below it is `core`;
nothing here knows napari or a window.
"""
