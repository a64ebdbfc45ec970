"""The sample data: photographs and kernel tables with a source and a license each.

They lie in `sample_data/` at the top of the source tree and inside the package once it is
installed. Sources and licenses: `sample_data/README.md`.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

SAMPLES: dict[str, str] = {
    "astronaut.png": "Astronaut Eileen Collins, 512 × 512 (NASA, public domain)",
    "coffee.png": "Cup of coffee, 600 × 400 (Rachel Michetti, CC0)",
    "retina.jpg": "Retina of a human eye, 1411 × 1411 (Mikael Häggström, CC0)",
    "jones_rehg_1999.csv": "Skin and non-skin colors: two mixtures of 16 kernels (Jones & Rehg)",
}
"""File names and what they show."""

PRESET_FILE = "jones_rehg_1999.csv"
"""The kernel sets that the window offers."""


def sample_path(name: str) -> Path:
    """Where a sample lies on this machine.

    Parameters
    ----------
    name
        A file name, one of `SAMPLES`.

    Raises
    ------
    ValueError
        If there is no sample of that name.
    FileNotFoundError
        If the samples are missing from the installation.
    """
    if name not in SAMPLES:
        raise ValueError(f"sample {name!r} does not exist; use one of {', '.join(SAMPLES)}.")
    # Installed, the samples are inside the package; in a checkout they stand beside it.
    for folder in (PACKAGE / "sample_data", PACKAGE.parent / "sample_data"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"sample {name!r} is missing from {str(PACKAGE / 'sample_data')!r}; reinstall "
        "napari-colorkde."
    )
