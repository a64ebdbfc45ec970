"""How well a class map agrees with true labels: confusion matrix, accuracy, recall."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ClassConfusion:
    """Pixels by true label and by class.

    A label is compared with the class that has its number for its name or, where no label has
    such a class, with the class of its number in the map: 1 for the first.

    Attributes
    ----------
    labels
        True labels, ascending.
    classes
        Names of the classes.
    counts
        ``(L, M + 1)`` numbers of pixels; the first column is for pixels of no class.
    """

    labels: tuple[int, ...]
    classes: tuple[str, ...]
    counts: NDArray[np.int64] = field(repr=False)

    @property
    def class_of(self) -> tuple[int | None, ...]:
        """The column of the class that each label is compared with; None if it has none."""
        names = {name: at for at, name in enumerate(self.classes, start=1)}
        by_name = [names.get(str(label)) for label in self.labels]
        if any(at is not None for at in by_name):
            return tuple(by_name)
        return tuple(label if 1 <= label <= len(self.classes) else None for label in self.labels)

    @property
    def n_pixels(self) -> int:
        """Number of labeled pixels."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """Part of the labeled pixels whose class is that of their label; NaN without any."""
        right = sum(self._right(row) for row in range(len(self.labels)))
        return right / self.n_pixels if self.n_pixels else math.nan

    @property
    def recalls(self) -> tuple[float, ...]:
        """The same of each label."""
        totals = self.counts.sum(axis=1).tolist()
        return tuple(
            self._right(row) / total if total else math.nan for row, total in enumerate(totals)
        )

    def _right(self, row: int) -> int:
        column = self.class_of[row]
        return 0 if column is None else int(self.counts[row, column])
