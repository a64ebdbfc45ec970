"""The built distribution works from an environment that does not see the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# One test process builds and installs it, for all of these tests.
pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging")]

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def environment(distributions: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs' folder of an environment with the wheel and this one's libraries.

    A line of a .pth file puts a folder on the path, but the .pth files in that folder are not read:
    the line of an editable installation, which leads to the checkout, has no effect.
    """
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    run(
        *(sys.executable, "-m", "pip", "--python", programs / "python"),
        *("install", "--quiet", "--no-deps", "--no-index", distributions[1]),
    )
    site_packages = Path(
        run(programs / "python", "-c", "import site; print(site.getsitepackages()[0])").strip()
    )
    libraries = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    (site_packages / "libraries.pth").write_text("\n".join(sorted(libraries)) + "\n")
    return programs


@pytest.fixture(scope="module")
def bare_environment(
    distributions: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the programs' folder of an environment as pip makes it without any extra.

    What the wheel asks for, and what that asks for in turn, is linked from this environment.
    """
    folder = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    run(
        *(sys.executable, "-m", "pip", "--python", programs / "python"),
        *("install", "--quiet", "--no-deps", "--no-index", distributions[1]),
    )
    site_packages = Path(
        run(programs / "python", "-c", "import site; print(site.getsitepackages()[0])").strip()
    )
    for name in required_distributions(distributions[1]):
        for file in metadata.files(name) or ():
            top = file.parts[0]
            link = site_packages / top
            if top not in ("..", "__pycache__") and not link.exists():
                link.symlink_to(metadata.distribution(name).locate_file(top))
    return programs


def required_distributions(wheel: Path) -> set[str]:
    """Return the distributions that a wheel asks for without any extra, and those they ask for."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        parsed = HeaderParser().parsestr(archive.read(name).decode())
    waiting = [Requirement(line) for line in parsed.get_all("Requires-Dist", [])]
    found: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in found:
            found.add(name)
            waiting += map(Requirement, metadata.requires(name) or ())
    return found


def run(*command: object, cwd: Path | None = None) -> str:
    """Run a command outside the checkout, without a display; return what it printed."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "DISPLAY", "WAYLAND_DISPLAY"}
    }
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd or Path(sys.executable).anchor,
        env=environment | {"QT_QPA_PLATFORM": "offscreen"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        pytest.fail(f"{command} gave {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def test_sdist_holds_what_the_project_is_made_of(distributions: tuple[Path, Path]) -> None:
    with tarfile.open(distributions[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    expected = {
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "Makefile",
        "constraints.txt",
        "napari.yaml",
    }
    assert expected <= names
    assert {"napari_colorkde/napari.yaml", "tests/conftest.py", "sample_data/README.md"} <= names
    assert not any(name.startswith((".venv", "demo-output")) for name in names)


def test_wheel_holds_every_file_of_the_package_and_no_tests(
    distributions: tuple[Path, Path],
) -> None:
    with zipfile.ZipFile(distributions[1]) as archive:
        names = set(archive.namelist())
    sources = {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "napari_colorkde").rglob("*")
        if path.suffix in {".py", ".glsl", ".yaml", ".typed"}
    }
    samples = {
        f"napari_colorkde/{path.relative_to(CHECKOUT).as_posix()}"
        for path in (CHECKOUT / "sample_data").iterdir()
    }
    assert {"napari_colorkde/py.typed", "napari_colorkde/napari.yaml"} <= sources
    assert sources | samples <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "napari_colorkde"
    }


def test_wheel_asks_for_no_qt_binding_unless_told(distributions: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(distributions[1]) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        parsed = HeaderParser().parsestr(archive.read(name).decode())
    requirements = [line.lower() for line in parsed.get_all("Requires-Dist", [])]
    assert not [line for line in requirements if line.startswith(("pyqt", "pyside"))]
    assert [line for line in requirements if "[all]" in line and "extra == 'all'" in line]
    assert parsed["License-Expression"] == "BSD-3-Clause"


def test_package_is_imported_from_the_environment(environment: Path) -> None:
    code = (
        "import napari_colorkde, sys; print(napari_colorkde.__file__); print(*sys.path, sep='\\n')"
    )
    file, *path = run(environment / "python", "-c", code).splitlines()
    assert Path(file).is_relative_to(environment.parent)
    assert str(CHECKOUT) not in path


def test_manifest_is_valid_and_each_of_its_names_can_be_imported(environment: Path) -> None:
    printed = run(environment / "python", "-m", "npe2", "validate", "--imports", "napari-colorkde")
    assert "valid" in printed


def test_sample_data_open_as_layers(environment: Path) -> None:
    code = """
import json
from npe2 import PluginManager
manager = PluginManager.instance()
manager.discover()
samples = manager.get_manifest("napari-colorkde").contributions.sample_data
print(json.dumps({
    sample.key: [
        (data.ndim, data.shape[-1], str(data.dtype), kind) for data, _, kind in sample.open()
    ]
    for sample in samples
}))
"""
    layers = json.loads(run(environment / "python", "-W", "ignore", "-c", code).splitlines()[-1])
    assert set(layers) == {"astronaut", "coffee", "retina"}
    assert all(layer == [[3, 3, "uint8", "image"]] for layer in layers.values())


def test_command_line_lists_its_commands(environment: Path) -> None:
    printed = run(environment / "napari-colorkde", "--help")
    for command in ("demo", "open", "volume", "density", "bandwidth", "dataset"):
        assert command in printed


def test_without_the_extra_there_is_no_window_library(bare_environment: Path) -> None:
    libraries = ("napari", "vispy", "qtpy", "superqt", "magicgui", "PyQt6")
    code = f"import importlib.util as u; print([n for n in {libraries} if u.find_spec(n)])"
    assert run(bare_environment / "python", "-c", code) == "[]\n"


def test_without_a_window_library_and_command_line_work(
    bare_environment: Path, tmp_path: Path
) -> None:
    code = (
        "from napari_colorkde.io.sample_data import sample_path; print(sample_path('coffee.png'))"
    )
    photograph = Path(run(bare_environment / "python", "-c", code).strip())
    code = f"""
import numpy as np
from napari_colorkde import color_kde, Kernel, KernelSet, read_image, save_kernels
image = read_image({str(photograph)!r})
np.save("volume.npy", color_kde(image, 8, bins=32).values)
save_kernels("k.json", KernelSet([Kernel([90, 60, 40], [400, 300, 200], 1)], "brown"))
"""
    run(bare_environment / "python", "-c", code, cwd=tmp_path)
    program = bare_environment / "napari-colorkde"
    options = ("--bins", "32", "--bandwidth", "8")
    run(program, "volume", photograph, "-o", "v.npy", *options, cwd=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), np.load(tmp_path / "volume.npy"))
    run(program, "density", photograph, "-o", "d.png", "--kernels", "k.json", cwd=tmp_path)
    assert (tmp_path / "d.png").stat().st_size > 0


@pytest.mark.parametrize("command", [("demo",), ("open", "image.png")])
def test_without_a_window_its_commands_say_what_to_install(
    bare_environment: Path, command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "image.png").write_bytes(b"any")
    done = subprocess.run(
        [str(bare_environment / "napari-colorkde"), *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "napari-colorkde: no window can be opened: napari is not installed; install it with a Qt "
        'binding: pip install "napari-colorkde[all]".\n'
    )


def test_command_line_writes_the_volume_of_a_sample(environment: Path, tmp_path: Path) -> None:
    code = (
        "from napari_colorkde.io.sample_data import sample_path; print(sample_path('coffee.png'))"
    )
    photograph = Path(run(environment / "python", "-c", code).strip())
    assert photograph.is_relative_to(environment.parent)
    run(environment / "napari-colorkde", "volume", photograph, "-o", "volume.npy", cwd=tmp_path)
    volume = np.load(tmp_path / "volume.npy")
    assert volume.shape == (128, 128, 128)
    assert volume.dtype == np.float32
    assert volume.min() >= 0
    assert volume.max() > 0
