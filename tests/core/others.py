"""What running the tests of other libraries takes."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest


class AnySentence:
    """`pytest`, for which an error's own words do not matter: ours are others."""

    def raises(self, error: Any, match: str | None = None) -> Any:
        return pytest.raises(error)

    def warns(self, warning: Any, match: str | None = None) -> Any:
        return pytest.warns(warning)


def names_of_tests(module: ModuleType) -> set[str]:
    """The names of the test functions of a module."""
    return {name for name, each in vars(module).items() if name[:5] == "test_" and callable(each)}
