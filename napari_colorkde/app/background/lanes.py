"""The lanes of a session's work: most urgent first, one task of each at a time."""

LANES = (
    "voxels",
    "edit",
    "axes",
    "light",
    "labels",
    "difference",
    "pick",
    "export",
    "open",
    "count",
    "truth",
    "fit",
    "look",
    "file",
)
"""Most urgent first: editing goes on while a file is written or an image is counted."""

FORGOTTEN_LANES = tuple(lane for lane in LANES if lane not in ("export", "open"))
"""Work on an image that ends when another one is opened, or its colors are counted again."""
