"""Palettes on the command line: counted, merged, listed, and taken in the place of an image."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_colorkde.cli import main
from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.io.palettes import load_palette, save_palette
from napari_colorkde.io.volumes import load_volume

Refused = Callable[..., str]


@pytest.fixture
def palettes(picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Pictures a.png, b.png and c.png of few colors, with a.npz counted of the first."""
    coarse = [(picture + i) // 32 * 32 for i in (0, 20, 40)]
    for name, pixels in zip("abc", coarse, strict=True):
        Image.fromarray(pixels).save(f"{name}.png")
    save_palette("a.npz", Palette.from_image(coarse[0]))
    return coarse


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_many_images_are_counted_into_one_palette(palettes: list[NDArray[np.uint8]]) -> None:
    assert main(["count", "a.png", "b.png", "c.png", "-o", "all.npz"]) == 0
    assert load_palette("all.npz") == Palette.from_images(palettes)
    assert main(["count", "b.png", "c.png", "-o", "{stem}.npz"]) == 0
    assert load_palette("c.npz") == Palette.from_image(palettes[2])
    assert main(["merge", "c.npz", "a.npz", "b.npz", "-o", "merged.npz"]) == 0
    assert load_palette("merged.npz") == load_palette("all.npz")
    assert main(["count", "a.npz", "b.png", "c.npz", "-o", "mixed.npz"]) == 0
    assert load_palette("mixed.npz") == load_palette("all.npz")


def test_what_fails_leaves_the_palette_of_the_others(
    palettes: list[NDArray[np.uint8]], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.png").write_bytes(b"no picture")
    words = ["count", "a.png", "broken.png", "b.png", "-o", "all.npz"]
    assert main([*words, "--keep-going"]) == 1
    assert "1 of 3 images failed" in capsys.readouterr().err
    assert load_palette("all.npz") == Palette.from_images(palettes[:2])
    assert sorted(printed(capsys, "info", "all.npz")["origin"]["images"]) == ["a.png", "b.png"]
    assert main([*words, "--skip-existing"]) == 0
    assert "is there already" in capsys.readouterr().err


def test_rare_colors_stay_behind(
    palettes: list[NDArray[np.uint8]], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Palette.from_images(palettes)
    kept = whole.without_rare(10)
    assert main(["count", "a.png", "b.png", "c.png", "-o", "k.npz", "--min-count", "10"]) == 0
    assert f"{kept.n_rare} pixels; {len(kept)} stay" in capsys.readouterr().err
    assert load_palette("k.npz") == kept
    facts = printed(capsys, "info", "k.npz")
    assert facts["left_out"] == {"of rare colors": kept.n_rare}
    assert facts["rarest"] >= 10
    assert main(["count", "a.png", "--min-count", "3"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    rare = Palette.from_image(palettes[0]).without_rare(3).n_rare
    assert (header.split(",")[-1], row.split(",")[-1]) == ("rare", str(rare))


def test_palettes_say_what_is_in_them(
    palettes: list[NDArray[np.uint8]], capsys: pytest.CaptureFixture[str]
) -> None:
    facts = printed(capsys, "info", "a.npz")
    assert (facts["pixels"], facts["channels"], facts["dtype"]) == (14 * 18, 3, "uint8")
    assert facts["mean"] == pytest.approx(palettes[0].mean(axis=(0, 1)).tolist())
    assert main(["info", "a.npz"]) == 0
    text = capsys.readouterr().out
    assert "  left out: none\n" in text
    assert "  pixels: 252\n" in text


def test_statistics_take_palettes_in_the_place_of_images(
    palettes: list[NDArray[np.uint8]], capsys: pytest.CaptureFixture[str]
) -> None:
    written = []
    for image in ("a.png", "a.npz"):
        assert main(["volume", image, "-o", "v.npz", "--bins", "16"]) == 0
        assert main(["fit", image, "-k", "2", "-o", f"k{image[-3:]}.csv"]) == 0
        written.append(load_volume("v.npz").values)
        capsys.readouterr()
    np.testing.assert_array_equal(*written)
    for words in (
        ["bandwidth", "{}"],
        ["compare", "{}", "b.png", "--bandwidth", "9"],
        ["compare", "b.png", "{}", "c.png", "--bandwidth", "9"],
    ):
        said = [
            printed(capsys, *(word.format(image) for word in words)) for image in ("a.png", "a.npz")
        ]
        assert json.dumps(said[0]).replace("a.png", "a.npz") == json.dumps(said[1])
    rows = []
    for image in ("a.png", "a.npz"):
        assert main(["measure", image, "--kernels", "kpng.csv"]) == 0
        rows.append(capsys.readouterr().out)
    assert rows[0].replace("a.png", "a.npz") == rows[1]


@pytest.mark.parametrize(
    "words",
    [
        "density a.npz -o d.tif",
        "density a.npz -o d.tif --kernels k.csv",
        "classify a.npz -o d.tif --kernels k.csv",
        "bandwidth a.npz --method blocks",
        "volume a.npz -o v.npz --bandwidth blocks",
        "fit a.npz -k 1 -o f.csv --labels labels.npy",
        "measure a.npz --regions labels.npy",
        "measure a.npz --per-frame",
    ],
)
def test_what_needs_pixels_refuses_palettes(
    palettes: list[NDArray[np.uint8]], refused: Refused, words: str
) -> None:
    np.save("labels.npy", np.ones((14, 18), np.uint8))
    main(["fit", "a.npz", "-k", "2", "-o", "k.csv"])
    assert refused(*words.split()) == (
        "'a.npz' is a palette, which has colors and counts, but this command needs the pixels; "
        "give the image."
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("merge a.npz gray.npz -o m.npz", "'gray.npz' has 1 channel of uint8, 'a.npz' has 3 chan"),
        ("merge a.npz deep.npz -o m.npz", "has 3 channels of uint16, 'a.npz' has 3 channels of u"),
        ("merge a.npz bins.npz -o m.npz", "has 3 channels of uint16, 'a.npz' has 3 channels of u"),
        ("merge w.npz a.npz -o m.npz", "'w.npz' has 3 channels of uint8 with weights; merge"),
        ("merge a.npz ./a.npz -o m.npz", "palette 'a.npz' is given twice; give it once"),
        ("merge a.npz w.npz -o a.npz", "output 'a.npz' is also an input; give another name"),
        ("merge a.npz a.png -o m.npz", "palette 'a.png' is not a palette; give an .npz file that"),
        ("merge a.npz none.npz -o m.npz", "palette 'none.npz' does not exist"),
        ("merge a.npz -o m.csv", "has the suffix '.csv'; use .npz"),
        ("count a.png -o m.txt", "has the suffix '.txt'; use .csv or .npz"),
        ("count a.png a.npz -o a.npz", "output 'a.npz' is also an input"),
        ("count a.png -o m.npz --min-count 0", "should be greater than or equal to 1"),
        ("count a.png -o m.npz --min-count 999", "min_count=999 leaves no color: the most common"),
        (
            "volume a.npz -o v.npz --mask a.png",
            "--mask applies to pixels, but 'a.npz' is a palette",
        ),
        ("fit a.npz -k 1 -o k.csv --channels 0,1", "--channels applies to pixels, but 'a.npz'"),
        ("bandwidth a.npz --level 1", "--level applies to pixels, but 'a.npz' is a palette, whose"),
        ("measure a.npz --channel-axis 0", "--channel-axis applies to pixels, but 'a.npz'"),
        ("volume bad.npz -o v.npz", "palette 'bad.npz' is not a palette; give an .npz file"),
    ],
)
def test_palettes_that_do_not_fit_are_refused(
    palettes: list[NDArray[np.uint8]], refused: Refused, words: str, sentence: str
) -> None:
    counted = load_palette("a.npz")
    save_palette("gray.npz", Palette.from_image(palettes[0][..., 0]))
    words16 = palettes[0].astype(np.uint16) * 100
    save_palette("deep.npz", Palette.from_image(words16))
    save_palette("bins.npz", Palette.from_image(words16, max_colors=8))
    save_palette("w.npz", counted.with_weights(counted.counts * 0.5))
    with np.load("a.npz", allow_pickle=False) as file:
        np.savez("bad.npz", **(dict(file) | {"excluded": np.zeros(2)}))
    assert sentence in refused(*words.split())
