"""Print the lowest versions of the dependencies in pyproject.toml as constraints for pip.

torch is left out: its builds are so large that the one that is there is taken.
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
LEFT_OUT = {"torch"}


def lower_bounds(requirements: list[str]) -> dict[str, str]:
    """Return the lower bound of each requirement, by name.

    Raises
    ------
    ValueError
        If one has no lower bound, or more than that.
    """
    bounds = {}
    for requirement in requirements:
        # Constraints name no extras.
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?>=([0-9.]+)", requirement)
        if match is None:
            raise ValueError(f"requirement {requirement!r}; give a name and its lower bound, a>=1.")
        bounds[match[1]] = match[2]
    return bounds


def main() -> None:
    """Print one line for each dependency."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    for name, version in lower_bounds(project["dependencies"]).items():
        if name not in LEFT_OUT:
            sys.stdout.write(f"{name}=={version}\n")


if __name__ == "__main__":
    main()
