"""Every example runs, and draws the picture that is shown beside it."""

from __future__ import annotations

import runpy
from pathlib import Path

import imageio.v3 as iio
import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((CHECKOUT / "examples").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_draws_its_picture(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As from the top of a checkout, except that what an example writes goes away.
    (tmp_path / "sample_data").symlink_to(CHECKOUT / "sample_data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    runpy.run_path(str(script), run_name="__main__")
    drawn = iio.imread(tmp_path / f"{script.stem}.png")
    assert drawn.ndim == 3
    assert drawn.std() > 1
    assert drawn.shape == iio.imread(script.with_suffix(".png")).shape


def test_every_example_is_listed() -> None:
    listed = (CHECKOUT / "examples" / "README.md").read_text(encoding="utf-8")
    assert SCRIPTS
    assert [script.name for script in SCRIPTS if f"]({script.name})" not in listed] == []
