"""Fitting, converting and judging by kernels on the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde import (
    class_names,
    classify_image,
    compute_densities,
    fit_classes,
    fit_kernels,
    load_kernels,
)
from napari_colorkde.cli import main
from napari_colorkde.core.palette.ranges import QUANTIZATION
from napari_colorkde.io.images import read_image
from napari_colorkde.io.sample_data import sample_path

SKIN = str(sample_path("jones_rehg_1999.csv"))


@pytest.fixture
def labels(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Labels 0, 1 and 4 for the picture, saved as labels.tif."""
    marks = np.zeros(picture.shape[:2], np.uint8)
    marks[:5], marks[8:] = 1, 4
    tifffile.imwrite("labels.tif", marks)
    return marks


# Fitting


@pytest.mark.parametrize(
    ("typed", "called"),
    [("full", "full"), ("diagonal", "diag"), ("spherical", "spherical"), ("tied", "tied")],
)
def test_fit_is_that_of_fit_kernels(picture: NDArray[Any], typed: str, called: Any) -> None:
    assert main(shlex.split(f"fit a.png -k 3 -o k.json --covariance {typed} --seed 5")) == 0
    expected = fit_kernels(picture, 3, covariance_type=called, random_state=5)
    (fitted,) = load_kernels("k.json").values()
    assert fitted.kernels == expected.kernels
    assert fitted.name == "a"


def test_fit_is_the_same_every_time(picture: NDArray[Any]) -> None:
    for name in ("k.json", "again.json"):
        assert main(["fit", "a.png", "-k", "2", "-o", name]) == 0
    assert load_kernels("k.json") == load_kernels("again.json")


def test_number_of_kernels_is_chosen_by_bic(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("fit a.png -k auto --max-k 3 -o k.csv")) == 0
    (fitted,) = load_kernels("k.csv").values()
    # The picture is one normal cloud.
    assert len(fitted) == 1
    assert "Fitting kernels: 1 to 2" in capsys.readouterr().err


def test_each_label_becomes_a_class(picture: NDArray[Any], labels: NDArray[Any]) -> None:
    command = "fit a.png --labels labels.tif --name 4=wood -k 2 -o k.json"
    assert main(shlex.split(command)) == 0
    fitted = load_kernels("k.json")
    assert list(fitted) == ["1", "wood"]
    assert class_names(fitted) == ("1", "wood")
    for label, cls in ((1, "1"), (4, "wood")):
        expected = fit_kernels(picture, 2, mask=labels == label, random_state=0)
        np.testing.assert_allclose(fitted[cls].means, expected.means, rtol=1e-6)
        assert {kernel.cls for kernel in fitted[cls]} == {cls}
    # The last bit depends on where the arrays lie in memory.
    for cls, expected in fit_classes(picture, labels, 2, names={4: "wood"}, random_state=0).items():
        for part in ("weights", "means", "covariances"):
            actual = getattr(fitted[cls], part)
            np.testing.assert_allclose(actual, getattr(expected, part), rtol=1e-12)
    assert json.loads(Path("k.json").read_text())["about"] == f"napari-colorkde {command}"


def test_masked_pixels_are_not_fitted(picture: NDArray[Any], labels: NDArray[Any]) -> None:
    mask = labels != 4
    Image.fromarray(mask).save("mask.png")
    assert main(shlex.split("fit a.png --mask mask.png -k 2 -o k.json")) == 0
    (fitted,) = load_kernels("k.json").values()
    expected = fit_kernels(picture, 2, mask=mask, random_state=0)
    np.testing.assert_allclose(fitted.means, expected.means, rtol=1e-9)


def test_two_channels_of_three(picture: NDArray[Any]) -> None:
    assert main(shlex.split("fit a.png --channels 2,0 -k 1 -o k.json")) == 0
    (fitted,) = load_kernels("k.json").values()
    means = picture.reshape(-1, 3)[:, [2, 0]].mean(axis=0)
    np.testing.assert_allclose(fitted.means[0], means, rtol=1e-9)


@pytest.mark.parametrize("scale", [1, 255])
def test_default_of_reg_covar_is_the_variance_of_rounding(
    picture: NDArray[Any], scale: int
) -> None:
    np.save("a.npy", picture if scale == 1 else picture / scale)
    assert main(shlex.split("fit a.npy -k 1 -o k.json")) == 0
    (fitted,) = load_kernels("k.json").values()
    colors = picture.reshape(-1, 3) / scale
    rounding = QUANTIZATION / scale**2
    expected = np.cov(colors.T, bias=True) + rounding * np.eye(3)
    np.testing.assert_allclose(fitted.covariances[0], expected, rtol=1e-9)


@pytest.mark.parametrize("with_labels", [False, True])
def test_fits_are_those_of_the_library_in_any_color_space(
    picture: NDArray[Any], labels: NDArray[Any], with_labels: bool
) -> None:
    given = "--labels labels.tif" if with_labels else ""
    typed = f"fit a.png -k 2 -o k.json --space lab --tol 1e-5 --n-init 2 --seed 3 {given}"
    assert main(shlex.split(typed)) == 0
    found = load_kernels("k.json")
    if with_labels:
        alone = picture[labels == 4][np.newaxis]
        kernels = found["4"]
    else:
        alone = picture
        (kernels,) = found.values()
    expected = fit_kernels(alone, 2, space="lab", tol=1e-5, n_init=2, seed=3)
    assert kernels.space == "lab"
    np.testing.assert_allclose(kernels.means, expected.means, rtol=1e-6)


def test_progress_and_likelihood_go_to_stderr(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("fit a.png -k 2 -o k.json --max-iter 2")) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "2 iterations, log-likelihood -" in err
    assert "napari-colorkde: warning: EM did not converge in 2 iterations" in err


# Kernel files


def test_kernel_files_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", SKIN]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("skin: 16 kernels, 3 channels (rgb), diagonal, weights sum to 0.99")
    assert lines[1].startswith("nonskin: 16 kernels")


def test_conversion_keeps_every_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["kernels", SKIN, "-o", "k.json"]) == 0
    assert main(["kernels", "k.json", "-o", "k.csv"]) == 0
    assert load_kernels("k.json") == load_kernels("k.csv") == load_kernels(SKIN)
    assert main(["kernels", SKIN, "--set", "skin", "-o", "skin.json"]) == 0
    assert list(load_kernels("skin.json")) == ["skin"]


def test_conversion_warns_of_what_looks_wrong(
    picture: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("k.csv").write_text("mean_1,var_1,weight\n3,4,0.25\n")
    assert main(["kernels", "k.csv", "-o", "k.json"]) == 0
    warning = "napari-colorkde: warning: kernel file 'k.csv': the weights of set 'k' sum to 0.25"
    assert warning in capsys.readouterr().err
    assert load_json("k.json")[0]["kernels"][0]["weight"] == 0.25


def load_json(path: str) -> Any:
    return json.loads(Path(path).read_text())["sets"]


# Judging


@pytest.fixture
def classes(picture: NDArray[Any], labels: NDArray[Any]) -> dict[str, Any]:
    """Two classes fitted to the picture, saved as k.json."""
    assert main(shlex.split("fit a.png --labels labels.tif -k 2 -o k.json")) == 0
    return load_kernels("k.json")


def test_posterior_is_that_of_classify_image(
    picture: NDArray[Any], classes: dict[str, Any]
) -> None:
    command = "density a.png -o p.tif --kernels k.json --show posterior --class 4 --prior 4=0.2"
    assert main(shlex.split(command)) == 0
    expected = classify_image(picture, classes, show="posterior", cls="4", priors={"4": 0.2})
    with tifffile.TiffFile("p.tif") as tiff:
        np.testing.assert_array_equal(tiff.asarray(), expected)
        info = (tiff.imagej_metadata or {})["Info"]
    assert f"command: napari-colorkde {command}" in info
    assert "values: posterior of '4'" in info
    assert 'priors: {"4": 0.2}' in info


def test_ratio_is_that_of_classify_image(picture: NDArray[Any], classes: dict[str, Any]) -> None:
    command = "density a.png -o r.npy --kernels k.json --show ratio --class 4 --against 1"
    assert main(shlex.split(command)) == 0
    expected = classify_image(picture, classes, show="ratio", cls="4", against="1")
    np.testing.assert_array_equal(np.load("r.npy"), expected)


def test_ratio_as_a_picture_has_one_in_the_middle(
    picture: NDArray[Any], classes: dict[str, Any]
) -> None:
    assert main(shlex.split("density a.png -o r.png --kernels k.json --show ratio")) == 0
    with Image.open("r.png") as colored:
        text = colored.info["Description"]
    low, high = json.loads(text.split("contrast limits: ")[1].splitlines()[0])
    assert low == -high < 0


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".png"])
def test_class_maps_are_whole_numbers(
    suffix: str, picture: NDArray[Any], classes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"c{suffix}"
    command = f"density a.png -o {name} --kernels k.json --show class --keep-mass 0.8"
    assert main(shlex.split(command)) == 0
    expected = classify_image(picture, classes, keep_mass=0.8)
    if suffix == ".png":
        with Image.open(name) as colored:
            assert colored.mode == "P"
            labels = np.asarray(colored)
        shown = read_image(name)
        assert (shown[expected == 0, 3] == 0).all()
        assert (shown[expected > 0, 3] == 255).all()
        assert len(np.unique(shown[expected > 0], axis=0)) == 2
    else:
        labels = read_image(name)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, expected)
    share = (expected == 0).mean()
    assert f"Writing {name}: 0 none {share:.1%}, 1 1 " in capsys.readouterr().err


def test_class_maps_keep_the_numbers_that_are_asked_for(
    picture: NDArray[Any], labels: NDArray[Any]
) -> None:
    assert main(shlex.split("fit a.png -k 1 -o k.json --labels labels.tif")) == 0
    kernels = load_kernels("k.json")
    for numbers, typed in (("names", "names"), ({"1": 7, "4": 300}, "1=7,4=300")):
        command = f"classify a.png --kernels k.json --numbers {typed} -o"
        assert main([*shlex.split(command), "c.tif"]) == 0
        found = tifffile.imread("c.tif")
        np.testing.assert_array_equal(found, classify_image(picture, kernels, numbers=numbers))
        assert found.dtype == (np.uint8 if found.max() < 256 else np.uint16)
    assert main(shlex.split("classify a.png --kernels k.json --numbers 1=2,4=5 -o c.npz")) == 0
    with np.load("c.npz", allow_pickle=False) as file:
        classes = json.loads(str(file["provenance"]))["classes"]
    assert classes == {"0": "none", "2": "1", "5": "4"}


def test_masked_pixels_are_of_no_class(picture: NDArray[Any], classes: dict[str, Any]) -> None:
    mask = np.arange(14 * 18).reshape(14, 18) % 3 > 0
    Image.fromarray(mask).save("mask.png")
    command = "density a.png -o c.npz --mask mask.png --kernels k.json --show class"
    assert main(shlex.split(command)) == 0
    with np.load("c.npz") as file:
        np.testing.assert_array_equal(file["labels"] == 0, ~mask)
        assert file["names"].tolist() == ["1", "4"]
        assert json.loads(str(file["provenance"]))["classes"] == {"0": "none", "1": "1", "2": "4"}


def test_density_of_a_class(picture: NDArray[Any]) -> None:
    """Kernels without a class have the name of their set for it."""
    command = ["density", "a.png", "-o", "d.npy", "--kernels", SKIN, "--class", "nonskin"]
    assert main(command) == 0
    expected = compute_densities(picture, load_kernels(SKIN)["nonskin"])
    np.testing.assert_array_equal(np.load("d.npy"), expected)


def test_density_of_some_channels(picture: NDArray[Any]) -> None:
    assert main(shlex.split("density a.png -o d.npy --channels 1,2 --bandwidth 6")) == 0
    np.save("two.npy", picture[..., 1:])
    assert main(shlex.split("density two.npy -o e.npy --bandwidth 6")) == 0
    np.testing.assert_array_equal(np.load("d.npy"), np.load("e.npy"))


def test_a_label_of_one_color_is_fitted_beside_the_others(
    picture: NDArray[Any], labels: NDArray[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    picture = np.where(labels[..., None] == 1, 255, picture).astype(np.uint8)
    Image.fromarray(picture).save("glass.png")
    np.save("marks.npy", labels)
    assert main(shlex.split("fit glass.png -k 2 --labels marks.npy -o k.json")) == 0
    assert "warning: label 1 has 1 color, so it was fitted with 1 kernel" in capsys.readouterr().err
    fitted = load_kernels("k.json")
    np.testing.assert_allclose(fitted["1"].covariances[0], np.eye(3) / 12)
    assert len(fitted["4"]) == 2
    assert main(shlex.split("fit glass.png -k 1 --labels marks.npy -o k.json --reg-covar 0")) == 0
    assert "warning: label 1: kernel 0 collapsed onto" in capsys.readouterr().err
    assert list(load_kernels("k.json")) == ["4"]


# Refusals

BOTH = f"density a.png -o d.npy --kernels {SKIN} --show"
REFUSALS = {
    "fit a.png -k 2 -o k.txt": "output 'k.txt' has the suffix '.txt'; use .json or .csv.",
    "fit a.png -k 0 -o k.json": "'0': give a whole number of 1 or more, or auto",
    "fit a.png -k some -o k.json": "'some': give a whole number of 1 or more, or auto",
    "fit a.png -k 900 -o k.json": "n_kernels=900 is more than the",
    "fit a.png -k 2 -o k.json --max-k 3": "--max-k 3: give a number of 1 or more, together with -k "
    "auto.",
    "fit a.png -k auto -o k.json --max-k 0": "--max-k 0: give a number of 1 or more",
    "fit a.png -k 2 -o k.json --covariance round": "'round' is not one of 'full', 'diagonal',",
    "fit a.png -k 2 -o k.json --reg-covar -1": "reg_covar=-1.0; give a variance of 0 or more.",
    "fit a.png -k 2 -o k.json --max-iter 0": "max_iter=0; give a whole number of 1 or more.",
    "fit a.png -k 2 -o k.json --seed -1": "--seed -1: give a number of 0 or more.",
    "fit a.png -k 2 -o k.json --name 1=x": "--name names a label; give the labels with --labels.",
    "fit plain.png -k 2 -o k.json": "n_kernels=2 is more than the 1 color available;",
    "fit a.png -k 2 -o k.json --labels x.tif": "image 'x.tif' does not exist; check the name.",
    "fit a.png -k 2 -o k.json --labels small.png": "labels has shape (2, 2), but the image's pix",
    "fit a.png -k 2 -o k.json --labels f.npy": "labels is an array of float64; give whole number",
    "fit a.png -k 2 -o k.json --labels zero.npy": "labels are all 0; label some pixels.",
    "fit plain.png -k 1 -o k.json --reg-covar 0": "kernel 0 collapsed onto colors that do not vary",
    "fit a.png -k 2 -o k.json --labels labels.tif --name x": "'x': give a label of 1 or more",
    "fit a.png -k 2 -o k.json --labels labels.tif --name 2=x": "'x' is for label 2, which no pixel",
    "fit a.png -k 2 -o k.json --labels labels.tif --name 4=1": "'1' is the class of two labels",
    "fit a.png -k 2 -o k.json --channels 3": "the channel axis has 3 entries; give numbers from 0",
    "fit a.png -k 2 -o k.json --channels 0,0": "'0,0': give different entries counted",
    "fit gray.png -k 2 -o k.json --channels 0": "needs a channel axis, but the image has shape",
    "kernels missing.csv": "kernel file 'missing.csv' does not exist; check the name.",
    f"kernels {SKIN} --set x": "has no set 'x'; it holds 'skin', 'nonskin'.",
    f"kernels {SKIN} -o k.xml": "output 'k.xml' has the suffix '.xml'; use .json, .csv or .ply.",
    "kernels k.csv -o k.csv": "output 'k.csv' is also an input; give another name.",
    "kernels nan.csv": "nan.csv",
    "density a.png -o d.npy --show class": "--show class needs kernels with classes; give --kernel",
    "density a.png -o d.npy --class x": "--class is about classes of kernels; give the file with",
    f"{BOTH} odds": "'odds' is not one of 'density',",
    f"{BOTH} posterior --class x": "no kernel has the class 'x'; use one of 'skin', 'nonskin'.",
    f"{BOTH} density --class x": "no kernel has the class 'x'; use one of 'skin', 'nonskin'.",
    f"{BOTH} posterior --prior skin": "'skin': give a name and a number, such as skin=0.3",
    f"{BOTH} posterior --prior skin=x": "'x' for 'skin': give a finite number;",
    f"{BOTH} posterior --prior x=0.1": "priors: no kernel has the class 'x'; use one of",
    f"{BOTH} posterior --prior skin=2": "priors sum to 2, which leaves nothing for 'nonskin'",
    f"{BOTH} posterior --prior skin=1 --prior skin=1": "prior: 'skin' is given twice; give it once",
    f"{BOTH} posterior --set skin": "a posterior compares two classes, but all kernels belong to",
    f"{BOTH} posterior --log": "--log goes with --show density, not with --show posterior;",
    f"{BOTH} ratio --prior skin=0.2": "--prior goes with --show posterior or class, not with",
    f"{BOTH} ratio --against nonskin --class nonskin": "against='nonskin' is the class itself",
    f"{BOTH} class --class skin": "--class goes with --show density or posterior or ratio, not",
    f"{BOTH} class --keep-mass 0": "keep_mass=0.0; give a number above 0, up to 1.",
    f"{BOTH} posterior --none-below 0.5": "--keep-mass goes with --show class, not with --show",
    f"{BOTH} class --numbers skin": "'skin': give names, or a number for each class, such as skin",
    f"{BOTH} class --numbers skin=1": "numbers has no entry for the class 'nonskin'; give it a",
    f"{BOTH} class --numbers skin=3,nonskin=3": "gives two classes the same number; give each its",
    f"{BOTH} class --numbers skin=1,nonskin=70000": "go up to 70000; files of classes hold numbers",
    f"{BOTH} posterior --numbers names": "--numbers goes with --show class, not with --show poste",
    "fit gray.png -k 2 -o k.json --space lab": "image has 1 color channel; only sRGB images",
    f"density gray.png -o d.npy --kernels {SKIN} --show class": "kernels has 3 channels, but the",
}


@pytest.mark.parametrize("command", REFUSALS)
def test_bad_input_is_refused_in_one_line(
    command: str, picture: NDArray[Any], labels: NDArray[Any], refused: Callable[..., str]
) -> None:
    Image.fromarray(picture[..., 0]).save("gray.png")
    Image.fromarray(np.eye(2, dtype=bool)).save("small.png")
    Image.fromarray(np.full((3, 3, 3), 7, np.uint8)).save("plain.png")
    np.save("f.npy", labels / 2)
    np.save("zero.npy", labels * 0)
    Path("k.csv").write_text("mean_1,var_1,weight\n3,4,1\n")
    Path("nan.csv").write_text("mean_1,var_1,weight\nnan,4,1\n")
    assert REFUSALS[command] in refused(*shlex.split(command))
