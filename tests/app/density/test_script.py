"""Scripts and command lines give the array that is shown."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_colorkde.app.density.class_query import shown_kernels
from napari_colorkde.app.density.command import command_line
from napari_colorkde.app.density.script import (
    FEW_KERNELS,
    needs_kernel_file,
    python_script,
)
from napari_colorkde.app.image.channels import Channels
from napari_colorkde.app.image.source import ImageSource, source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.app.settings.class_settings import ClassificationSettings
from napari_colorkde.app.state import State
from napari_colorkde.cli import main
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.kernels.kernel_files import save_kernels

RNG = np.random.default_rng(0)
RGB = np.clip(RNG.normal([150, 110, 80], 30, (24, 30, 3)), 0, 255).astype(np.uint8)
WARM = KernelSet(
    [
        Kernel([180, 120, 80], [900, 500, 300], 1 / 3, name="it's"),
        Kernel([140, 100, 70], [[400, 90, 0], [90, 300, 10], [0, 10, 200]], 2 / 3),
    ]
)
COOL = KernelSet([Kernel([100, 120, 140], [700, 600, 500], 1)])
EARTH = KernelSet([Kernel([120, 90, 60], [500, 500, 500], 1, cls="earth")])
TWO = {"warm tones": WARM, "cool": COOL}
THREE = {**TWO, "brown": EARTH}


def painted(session: Session) -> Any:
    """What the overlay shows, NaN where pixels do not count."""
    densities, index = session.densities, session.index
    assert densities is not None
    assert index is not None
    assert densities.is_exact
    table = np.concatenate([[np.nan], densities.values]).astype(np.float32)
    return table[index.codes(0, tuple(map(range, index.shape)))]


def run_script(script: str, variable: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(script, "script", "exec"), names)
    return names[variable]


def run_command(command: str) -> Any:
    program, *words = shlex.split(command)
    assert program == "napari-colorkde"
    assert main(words) == 0
    return tifffile.imread(words[words.index("-o") + 1])


def assert_same(actual: Any, expected: Any) -> None:
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_allclose(actual, expected, rtol=2e-6, atol=2e-5)


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that opens an image as a file's, and shows it as asked."""
    monkeypatch.chdir(tmp_path)

    def show(image: Any = RGB, axis: int | None = -1, **state: Any) -> Session:
        path = tmp_path / "my photo.npy"
        np.save(path, image)
        source = source_of_array(image, "my photo", channel_axis=axis)
        session = Session()
        session.open(
            ImageSource(source.name, source.arrays, source.rgb, source.choices, path=str(path))
        )
        session.set(**state)
        session.wait()
        return session

    return show


def check_both(session: Session, variable: str = "density") -> None:
    """Run the script and the command line, and compare both with what is shown."""
    assert session.source is not None
    expected = painted(session)
    script = python_script(session.state, session.source)
    assert_same(run_script(script, variable), expected)
    file = None
    if needs_kernel_file(session.state, "command"):
        file = "my kernels.json"
        save_kernels(file, shown_kernels(session.state))
        from_file = python_script(session.state, session.source, file)
        assert "Kernel(" not in from_file
        assert_same(run_script(from_file, variable), expected)
    assert_same(run_command(command_line(session.state, session.source, file)), expected)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("bandwidth", [None, 3.7, (2.5, 3, 4), "scott", "silverman", "loco", "loo"])
def test_density_of_the_image(shown: Any, bandwidth: Any, log: bool) -> None:
    check_both(shown(bandwidth=bandwidth, log=log))


def test_density_in_another_space(shown: Any) -> None:
    check_both(shown(space="lab", bandwidth=4))


@pytest.mark.parametrize("space", ["rgb", "lab"])
@pytest.mark.parametrize(
    "estimator", [{"boundary": "reflected"}, {"boundary": "renormalized"}, {"varying": True}]
)
def test_density_within_walls_and_of_varying_kernels(
    shown: Any, space: str, estimator: dict[str, Any]
) -> None:
    session = shown(space=space, bandwidth=25, **estimator)
    plain = painted(session)
    check_both(session)
    assert session.description() | estimator == session.description()
    session.set(boundary="none", varying=False)
    session.wait()
    assert np.abs(painted(session) - plain).max() > 0.01
    assert not session.description().keys() & {"boundary", "varying"}


@pytest.mark.parametrize("log", [True, False])
def test_density_of_kernels(shown: Any, log: bool) -> None:
    check_both(shown(kernel_sets=TWO, kernel_set="cool", show="kernels", log=log))


def test_an_image_with_transparent_pixels(shown: Any) -> None:
    alpha = np.where(np.arange(30) < 9, 0, 255) * np.ones((24, 1))
    rgba = np.dstack([RGB, alpha]).astype(np.uint8)
    check_both(shown(rgba, bandwidth=5))
    check_both(shown(rgba, kernel_sets=TWO, show="kernels"))


CHOICES = {
    "gray": (RGB[..., 0], None),
    "a stack": (np.moveaxis(RGB, -1, 0), None),
    "channels first": (np.moveaxis(RGB, -1, 0), 0),
    "in the middle": (np.moveaxis(RGB, -1, 1), 1),
    "16 bits": (RGB.astype(np.uint16) * 16, -1),
}


@pytest.mark.parametrize("name", CHOICES)
def test_axes_of_every_kind(shown: Any, name: str) -> None:
    image, axis = CHOICES[name]
    check_both(shown(image, axis, bandwidth="scott"))


@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("entries", [(2,), (0, 2), (0, 1)])
def test_some_of_the_channels(shown: Any, axis: int, entries: tuple[int, ...]) -> None:
    image = np.moveaxis(RGB, -1, axis)
    session = shown(image, axis)
    session.channels = next(c for c in session.source.choices if c.indices == entries)
    session.wait()
    check_both(session)


@pytest.mark.parametrize("priors", [(), (("cool", 0.2),)])
@pytest.mark.parametrize("cls", ["cool", "warm tones", None])
def test_posterior(shown: Any, cls: str | None, priors: Any) -> None:
    classification = ClassificationSettings().replace(show="posterior", cls=cls, priors=priors)
    check_both(shown(kernel_sets=TWO, show="kernels", classification=classification), "posterior")


def test_ratio(shown: Any) -> None:
    classification = ClassificationSettings().replace(show="ratio", cls="earth", against="cool")
    check_both(shown(kernel_sets=THREE, show="kernels", classification=classification), "ratio")


@pytest.mark.parametrize("none_below", [None, 0.6])
def test_class_map(shown: Any, none_below: float | None) -> None:
    classification = ClassificationSettings().replace(
        show="class", keep_mass=none_below, priors={"cool": 0.3}
    )
    check_both(shown(kernel_sets=THREE, show="kernels", classification=classification), "classes")


def test_classes_of_one_set(shown: Any) -> None:
    third = [replace(k, weight=k.weight / 3) for k in (*WARM, *EARTH, *COOL)]
    kernels = KernelSet(third)
    classification = ClassificationSettings().replace(show="class")
    session = shown(
        kernel_sets={"all": kernels, **TWO},
        kernel_set="all",
        show="kernels",
        classification=classification,
    )
    assert list(shown_kernels(session.state)) == ["all"]
    check_both(session, "classes")


def test_both_give_the_same_numbers(shown: Any) -> None:
    session = shown(bandwidth=3)
    script = run_script(python_script(session.state, session.source), "density")
    command = run_command(command_line(session.state, session.source))
    np.testing.assert_array_equal(command, script.astype(np.float32))


def test_script_runs_as_a_program(shown: Any) -> None:
    session = shown(kernel_sets=TWO, show="kernels")
    script = python_script(session.state, session.source)
    Path("script.py").write_text(f"{script}np.save('out.npy', density)\n".replace(
        "from napari", "import numpy as np\nfrom napari", 1))  # fmt: skip
    subprocess.run([sys.executable, "script.py"], check=True)
    assert_same(np.load("out.npy"), painted(session))


def test_channels_of_several_layers(shown: Any) -> None:
    layers = {"DAPI": RGB[..., 0], "1st": RGB[..., 1]}
    channels = Channels(tuple(layers), layers=("1st",))
    for name, array in layers.items():
        tifffile.imwrite(f"{name}.tif", array)
    source = ImageSource("DAPI", layers, False, (channels,))
    session = Session()
    session.open(source)
    script = python_script(session.state, source)
    assert "# Save the layer 'DAPI' under this name first." in script
    assert "# The layer '1st', a channel of its own." in script
    assert_same(run_script(script, "density"), painted(session))
    with pytest.raises(
        ValueError, match=r"DAPI, 1st come from several layers.*copy the Python script"
    ):
        command_line(session.state, source)


def test_an_image_without_a_file_is_to_be_saved_first() -> None:
    source = source_of_array(RGB, "Elephants [1]: left/right")
    script = python_script(State(), source)
    assert "read_image('Elephants_1_left_right.tif')  # (24, 30, 3) uint8" in script
    command = command_line(State(), source)
    assert command.startswith("napari-colorkde density Elephants_1_left_right.tif -o ")


def test_a_full_covariance_is_for_scripts_alone() -> None:
    covariance = ((9.0, 2.0, 1.0), (2.0, 8.0, 3.0), (1.0, 3.0, 7.0))
    state = State().replace(bandwidth=covariance)
    source = source_of_array(RGB, "photo")
    assert f"bandwidth={covariance!r}" in python_script(state, source).replace("\n    ", "")
    with pytest.raises(ValueError, match="takes no full covariance as a bandwidth; copy the Pyth"):
        command_line(state, source)


def test_scripts_are_short() -> None:
    source = ImageSource("a", {"a": RGB}, True, source_of_array(RGB).choices, path="/photos/a.png")
    script = python_script(State(bandwidth=(3.5,)), source)
    assert script.split("\n\n", 1)[1] == (
        "from napari_colorkde import ColorKDE, read_image\n\n"
        "image = read_image('/photos/a.png')  # (24, 30, 3) uint8\n"
        "kde = ColorKDE(image, bandwidth=3.5)\n"
        "density = kde.density(image, log=True)\n"
    )
    command = command_line(State(bandwidth=(3.5,), log=False), source)
    assert command == "napari-colorkde density /photos/a.png -o a-density.tif --bandwidth 3.5"


def test_many_kernels_are_read_from_a_file() -> None:
    few = KernelSet([Kernel([i, 1, 1], [4, 4, 4], 1) for i in range(FEW_KERNELS)])
    more = KernelSet([*few, *COOL])
    for kernels, needed in ((few, False), (more, True)):
        state = State().replace(kernel_sets={"k": kernels}, show="kernels")
        assert needs_kernel_file(state, "python") is needed
        assert needs_kernel_file(state, "command")
    assert not needs_kernel_file(State(), "command")


def test_names_that_end_a_string_do_not_break_the_script() -> None:
    source = source_of_array(RGB, 'say """cheese""" \\')
    compile(python_script(State(), source), "script", "exec")


def test_what_cannot_be_asked_has_no_script() -> None:
    source = source_of_array(RGB)
    classification = ClassificationSettings().replace(show="ratio")
    state = State().replace(
        kernel_sets={"cool": COOL}, show="kernels", classification=classification
    )
    for write in (python_script, command_line):
        with pytest.raises(ValueError, match="a ratio compares two classes"):
            write(state, source, "k.json")


def test_command_needs_the_kernel_file() -> None:
    state = State().replace(kernel_sets={"cool": COOL}, show="kernels")
    with pytest.raises(ValueError, match="kernel_file is missing"):
        command_line(state, source_of_array(RGB))
