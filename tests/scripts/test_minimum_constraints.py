"""The script that finds the lowest versions that are promised."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from scripts import minimum_constraints


def test_each_dependency_but_torch_is_one_exact_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    minimum_constraints.main()

    constraints = [Requirement(line) for line in capsys.readouterr().out.splitlines()]
    versions = {each.name: str(each.specifier) for each in constraints}
    assert versions["numpy"] == "==2.0"
    assert versions["dask"].startswith("==")
    assert "torch" not in versions
    # pip refuses constraints that name extras.
    assert not any(each.extras for each in constraints)


@pytest.mark.parametrize("requirement", ["numpy", "numpy>=2,<3", "numpy==2.0"])
def test_anything_but_one_lower_bound_is_refused(requirement: str) -> None:
    with pytest.raises(ValueError, match="give a name and its lower bound"):
        minimum_constraints.lower_bounds([requirement])
