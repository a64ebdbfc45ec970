"""Results as tables: of pandas, or as text of comma-separated values."""

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


class Table(ABC):
    """A result with rows: what has `to_frame` and `to_csv`."""

    __slots__ = ()

    @abstractmethod
    def _columns(self) -> dict[str, Sequence[Any]]:
        """Return columns of one length by name, as Python's numbers and texts."""

    def to_frame(self) -> "pandas.DataFrame":
        """Return the rows as a table of pandas.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return import_pandas().DataFrame(self._columns())

    def to_csv(self) -> str:
        """Return the rows as comma-separated values, with a header; numbers to their last digit."""
        columns = self._columns()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return text.getvalue()


def import_pandas() -> ModuleType:
    """Return pandas, which nothing else here needs.

    Raises
    ------
    ImportError
        If it is not installed; the message says how to get it.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(
            "to_frame needs pandas, which is not installed; run pip install pandas, or use to_csv."
        ) from None
    module: ModuleType = pandas
    return module


def channel_columns(name: str, values: Any) -> dict[str, list[float]]:
    """Return one column for each channel of ``(n, C)`` values: "sigma_0", "sigma_1" …."""
    return {f"{name}_{c}": [float(v) for v in column] for c, column in enumerate(values.T)}
