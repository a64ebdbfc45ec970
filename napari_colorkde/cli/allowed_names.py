"""The allowed values of options: read from the library's tables on demand.

The tables are those that the window and the library read, too; nothing is listed here twice.
"""


def bandwidths() -> tuple[str, ...]:
    """Return the names of the bandwidth rules."""
    from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES

    return tuple(BANDWIDTH_RULES)


def likelihoods() -> tuple[str, ...]:
    """Return the names of the bandwidth rules that try candidates."""
    from napari_colorkde.core.kde.bandwidth_rules import BANDWIDTH_RULES

    return tuple(name for name, rule in BANDWIDTH_RULES.items() if rule.tries_candidates)


def shapes() -> tuple[str, ...]:
    """Return the names of the shapes of a bandwidth."""
    from napari_colorkde.core.kde.bandwidth_rules import SHAPES

    return SHAPES


def color_spaces() -> tuple[str, ...]:
    """Return the names of the color spaces."""
    from napari_colorkde.core.colorspaces import COLOR_SPACES

    return tuple(COLOR_SPACES)


def colormaps() -> tuple[str, ...]:
    """Return the names of the colormaps."""
    from napari_colorkde.io.colors.colormaps import COLORMAPS

    return COLORMAPS


def image_files() -> tuple[str, ...]:
    """Return the names of the image formats."""
    from napari_colorkde.io.readers.image_formats import IMAGE_FORMATS

    return tuple(image_format.name for image_format in IMAGE_FORMATS)


def density_files() -> tuple[str, ...]:
    """Return the suffixes of the files that densities are written to, each with what it holds."""
    from napari_colorkde.io.export_formats import EXPORT_FORMATS

    return tuple(
        f"{f.suffixes[0]} ({f.holds})" for f in EXPORT_FORMATS if f.write_density is not None
    )


def volume_files() -> tuple[str, ...]:
    """Return the suffixes of the files that volumes are written to."""
    from napari_colorkde.io.export_formats import EXPORT_FORMATS

    return tuple(f.suffixes[0] for f in EXPORT_FORMATS if f.write_volume is not None)
