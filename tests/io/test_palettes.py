"""Palettes in files: back as they were, or refused with a sentence."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from napari_colorkde.core.palette.palette import Palette
from napari_colorkde.io.palettes import is_palette_file, load_palette, palette_origin, save_palette

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 40, (30, 40, 3), dtype=np.uint8)
WORDS = RNG.integers(0, 4096, (30, 40, 3), dtype=np.uint16)
FLOATS = RNG.normal(size=(30, 40, 2))

PALETTES = {
    "bytes": Palette.from_image(BYTES, mask=BYTES[..., 0] > 3),
    "gray": Palette.from_image(BYTES[..., 0]),
    "words": Palette.from_image(WORDS),
    "floats": Palette.from_image(FLOATS),
    "float32": Palette.from_image(FLOATS.astype(np.float32)),
    "binned": Palette.from_image(WORDS, max_colors=100),
    "negative bins": Palette.from_image(FLOATS, max_colors=50),
    "weighted": Palette.from_image(BYTES).with_weights(
        RNG.random(len(Palette.from_image(BYTES))) + 0.1
    ),
}
PALETTES["without rare"] = PALETTES["binned"].without_rare(12)
PALETTES["weighted bins"] = PALETTES["binned"].with_weights(RNG.random(len(PALETTES["binned"])) + 1)


@pytest.mark.parametrize("kind", PALETTES)
def test_palettes_come_back_as_they_were(tmp_path: Path, kind: str) -> None:
    palette = PALETTES[kind]
    save_palette(tmp_path / "p.NPZ", palette)
    read = load_palette(tmp_path / "p.NPZ")
    assert read == palette
    assert (read.dtype, read.counts.dtype) == (palette.dtype, palette.counts.dtype)
    assert read.merge(palette) == palette.merge(palette)
    assert hash(read) == hash(palette)
    assert pickle.loads(pickle.dumps(palette)) == palette
    assert is_palette_file(tmp_path / "p.NPZ")


def test_palettes_write_and_read_themselves(tmp_path: Path) -> None:
    palette = PALETTES["binned"]
    palette.save(tmp_path / "p.npz", description={"software": "a test"})
    assert Palette.load(tmp_path / "p.npz") == palette
    assert palette_origin(tmp_path / "p.npz") == {"software": "a test"}


def test_palettes_differ_by_any_field() -> None:
    assert len({str(palette) for palette in PALETTES.values()}) == len(PALETTES)
    kinds = list(PALETTES.values())
    assert all((one == other) == (one is other) for one in kinds for other in kinds)
    masked = Palette.from_image(BYTES, mask=np.ones(BYTES.shape[:2]))
    assert masked == Palette.from_image(BYTES)
    assert PALETTES["bytes"] != "bytes"


def test_counts_take_few_bytes(tmp_path: Path) -> None:
    palette = PALETTES["bytes"]
    save_palette(tmp_path / "p.npz", palette)
    with np.load(tmp_path / "p.npz", allow_pickle=False) as file:
        assert file["counts"].dtype == np.uint8
        assert '"software"' in str(file["provenance"])


def test_files_of_before_have_no_rare_colors(tmp_path: Path) -> None:
    save_palette(tmp_path / "p.npz", PALETTES["bytes"])
    with np.load(tmp_path / "p.npz", allow_pickle=False) as file:
        arrays = dict(file)
    assert len(arrays["excluded"]) == 4
    np.savez(tmp_path / "p.npz", **(arrays | {"excluded": arrays["excluded"][:3]}))
    assert load_palette(tmp_path / "p.npz") == PALETTES["bytes"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    save_palette(good, PALETTES["binned"])
    with np.load(good, allow_pickle=False) as file:
        arrays = dict(file)
    changes = {
        "schema": np.array("other"),
        "version": np.array("one"),
        "colors": arrays["colors"][:, :0],
        "counts": -arrays["counts"].astype(int),
        "bin_width": np.array([1.0]),
        "excluded": np.array([0]),
        "image_dtype": np.array("nothing"),
        "bins": arrays["bins"][1:],
        "unit": np.zeros(3),
        "second": np.full(arrays["second"].shape, np.nan),
    }
    for name, wrong in changes.items():
        np.savez(tmp_path / f"{name}.npz", **(arrays | {name: wrong}))
    np.savez(tmp_path / "missing.npz", **{k: v for k, v in arrays.items() if k != "counts"})
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "half.npz").write_bytes(good.read_bytes()[:800])
    for name in (*changes, "missing", "text", "half"):
        with pytest.raises(ValueError, match=rf"{name}.npz' is not a palette; give an .npz"):
            load_palette(tmp_path / f"{name}.npz")
    assert not is_palette_file(tmp_path / "text.npz")
    assert not is_palette_file(tmp_path / "missing.npz")
    np.savez(tmp_path / "later.npz", **(arrays | {"version": np.array(7)}))
    with pytest.raises(ValueError, match="has version 7, and this program reads 1; update"):
        load_palette(tmp_path / "later.npz")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_palette(tmp_path / "none.npz")


def test_what_is_no_palette_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="palette is an ndarray; give a Palette"):
        save_palette(tmp_path / "p.npz", BYTES)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"has the suffix '\.csv'; use \.npz"):
        save_palette(tmp_path / "p.csv", PALETTES["bytes"])
