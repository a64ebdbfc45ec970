"""What the tests of the command line share: a picture in the working folder, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde.cli import main


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NDArray[np.uint8]:
    """A small photograph-like picture, saved as a.png in the working folder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    colors = np.clip(rng.normal([160, 110, 80], 25, (14, 18, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(colors).save("a.png")
    return colors


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail, and return its one line."""

    def run(*arguments: str) -> str:
        before = sorted(Path().iterdir())
        assert main(arguments) == 2
        out, err = capsys.readouterr()
        errors = [line for line in err.splitlines() if line.startswith("napari-colorkde: ")]
        assert len(errors) == 1
        assert err.endswith(errors[0] + "\n")
        assert "Traceback" not in err
        assert out == ""
        assert sorted(Path().iterdir()) == before
        return errors[0].removeprefix("napari-colorkde: ")

    return run
