"""A new color space, bandwidth rule, image format or export format is one entry of one table.

A toy one of each, as docs/extending.md shows them, is found in the window, in the command line's
help and completion, and in the sentence that lists what is allowed; and it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde import color_kde, read_image, select_bandwidth
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.cli import main
from napari_colorkde.core import colorspaces
from napari_colorkde.core.kde import bandwidth_rules
from napari_colorkde.io import export_formats
from napari_colorkde.io.readers import image_formats

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "extending.md"
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
RGB = np.random.default_rng(0).integers(40, 90, (12, 15, 3)).astype(np.uint8)

Help = Callable[[str], str]


def example(word: str) -> dict[str, Any]:
    """Run the example of the guide that makes an entry of this class; return its names."""
    (code,) = (code for code in EXAMPLES if f"{word}(" in code)
    names: dict[str, Any] = {}
    exec(compile(code, f"{GUIDE.name}, {word}", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", RGB)
    return tmp_path


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str]) -> Help:
    def actual(command: str) -> str:
        assert main([command, "--help"]) == 0
        return " ".join(capsys.readouterr().out.split())

    return actual


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    session.open(source_of_array(RGB))
    yield session
    session.close()


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> Any:
    added = example("ColorSpace")["XYZ"]
    monkeypatch.setitem(colorspaces.COLOR_SPACES, added.name, added)
    return added


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Any:
    added = example("BandwidthRule")["WIDE"]
    monkeypatch.setitem(bandwidth_rules.BANDWIDTH_RULES, added.name, added)
    return added


@pytest.fixture
def image_format(monkeypatch: pytest.MonkeyPatch) -> Any:
    added = example("ImageFormat")["PLAIN_TEXT"]
    tables = (*image_formats.IMAGE_FORMATS, added)
    monkeypatch.setattr(image_formats, "IMAGE_FORMATS", tables)
    return added


@pytest.fixture
def export_format(monkeypatch: pytest.MonkeyPatch) -> Any:
    added = example("ExportFormat")["COMMA_SEPARATED"]
    tables = (*export_formats.EXPORT_FORMATS, added)
    monkeypatch.setattr(export_formats, "EXPORT_FORMATS", tables)
    return added


def test_a_color_space(
    space: Any, session: Session, help_of: Help, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"principal or {space.name}" in help_of("volume")
    with pytest.raises(ValueError, match=f"is not known; use one of .*, '{space.name}'"):
        color_kde(RGB, space="cmyk")
    assert main(["volume", "a.npy", "-o", "v.npz", "--space", "cmyk"]) == 2
    assert f"principal, {space.name};" in capsys.readouterr().err
    with pytest.raises(ValueError, match=space.name):
        session.set(space="cmyk")
    session.set(space=space.name)
    session.wait()
    assert session.estimate is not None
    assert session.estimate.coordinates.unit == space.unit
    command = ["volume", "a.npy", "-o", "v.npz", "--space", space.name, "--bins", "16"]
    assert main([*command, "--bandwidth", "0.1"]) == 0
    with np.load("v.npz") as volume:
        assert str(volume["space"]) == space.name
        np.testing.assert_array_equal(
            volume["values"], color_kde(RGB, 0.1, bins=16, space=space.name).values
        )


def test_a_bandwidth_rule(
    rule: Any, session: Session, help_of: Help, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"silverman or {rule.name}" in help_of("volume")
    assert f"silverman or {rule.name}" in help_of("bandwidth")
    with pytest.raises(ValueError, match=f"use one of .*, '{rule.name}'"):
        select_bandwidth(RGB, "best")
    assert main(["bandwidth", "a.npy", "--method", "best"]) == 2
    assert f"silverman, {rule.name};" in capsys.readouterr().err
    with pytest.raises(ValueError, match=rule.name):
        session.set(bandwidth="best")
    chosen = select_bandwidth(RGB, rule.name).bandwidth
    session.set(bandwidth=rule.name)
    session.wait()
    assert session.estimate is not None
    np.testing.assert_allclose(session.estimate.sigmas, chosen)
    assert main(["bandwidth", "a.npy", "--method", rule.name]) == 0
    assert capsys.readouterr().out == f"bandwidth  {','.join(f'{s:.6g}' for s in chosen)}\n"


def test_an_image_format(
    image_format: Any, help_of: Help, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"OME-Zarr or {image_format.name} file." in help_of("volume")
    Path("broken.png").write_text("no picture")
    assert main(["volume", "broken.png", "-o", "v.npy"]) == 2
    assert f"OME-Zarr or {image_format.name} file." in capsys.readouterr().err
    np.savetxt("a.txt", RGB[..., 0], "%d")
    np.testing.assert_array_equal(read_image("a.txt"), RGB[..., 0])
    (suffix,) = image_format.suffixes
    assert f"*{suffix}" in image_formats.file_filter()


def test_an_export_format(
    export_format: Any, session: Session, help_of: Help, capsys: pytest.CaptureFixture[str]
) -> None:
    (suffix,) = export_format.suffixes
    assert f"or {suffix} ({export_format.holds})" in help_of("density")
    assert export_formats.file_filter().endswith(f";;{export_format.title} (*{suffix})")
    assert main(["density", "a.npy", "-o", "d.jpg"]) == 2
    assert f".zarr or {suffix}." in capsys.readouterr().err
    # It has no room for volumes, and is not offered for them.
    assert suffix not in help_of("volume")
    assert main(["volume", "a.npy", "-o", f"v{suffix}"]) == 2
    capsys.readouterr()
    assert main(["density", "a.npy", "-o", "d.npy"]) == 0
    assert main(["density", "a.npy", "-o", f"d{suffix}"]) == 0
    np.testing.assert_allclose(np.loadtxt(f"d{suffix}", delimiter=","), np.load("d.npy"), rtol=1e-6)


@pytest.mark.window
def test_the_window_offers_them(space: Any, rule: Any, qtbot: Any, session: Session) -> None:
    from napari_colorkde.ui.colorspace.toolbar import ColorSpaceToolbar
    from napari_colorkde.ui.density.panel import DensityPanel

    panel = DensityPanel(session)
    qtbot.addWidget(panel)
    panel.rule.value = rule.name
    assert session.bandwidth == rule.name
    panel.close_session()
    toolbar = ColorSpaceToolbar(session, "dark")
    qtbot.addWidget(toolbar)
    assert space.name in toolbar.space.choices
    toolbar.close_toolbar()
