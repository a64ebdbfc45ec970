"""What a user asked for arrives, however quickly it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_colorkde.app.layers.mask_layer import paint_labels
from napari_colorkde.app.session import Session
from tests.app.kernels.test_picking import Picking, box, check, pixels
from tests.app.stepping import SteppingExecutor


def shown() -> tuple[Session, SteppingExecutor, Picking]:
    executor = SteppingExecutor()
    picking = Picking(executor)
    executor.run()
    return picking.session, executor, picking


def test_three_exports_are_three_files(tmp_path: Path) -> None:
    session, executor, _ = shown()
    written: list[Path] = []
    session.exported.connect(written.append)
    for name in ("a", "b", "c"):
        session.export(tmp_path / f"{name}.npy")
        executor.step()
    executor.run()
    assert [path.name for path in written] == ["a.npy", "b.npy", "c.npy"]
    assert all(path.exists() for path in written)


def test_three_label_images_are_painted_though_highlights_come_between() -> None:
    session, executor, _ = shown()
    index, ended = session.index, 0
    assert index is not None
    painted: list[int] = []
    highlights: list[int] = []

    def end(problem: str | None) -> None:
        nonlocal ended
        assert problem is None
        ended += 1

    for number in (1, 2, 3):
        values = np.full(len(index.palette), number)

        def paint(values: Any = values) -> Any:
            return paint_labels(index, values)

        session.run("labels", paint, lambda labels: painted.append(labels.max()), end, keep=True)
        session.run("light", lambda n=number: iter([n]), highlights.append, lambda problem: None)
    executor.run()
    assert painted == [1, 2, 3]
    assert ended == 3
    assert highlights == [3], "of highlights only the newest is wanted"


def test_three_picks_are_three_kernels() -> None:
    session, executor, picking = shown()
    for left in (0, 10, 20):
        picking.picker.pick(box(2, left, 4, 5))
        executor.step()
    executor.run()
    assert len(picking.kernels) == 3
    for kernel, left in zip(picking.kernels, (0, 10, 20), strict=True):
        check(kernel, pixels(2, left, 4, 5))
    assert not session.busy
