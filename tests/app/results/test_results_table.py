from __future__ import annotations

from pathlib import Path

import pytest

from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.results.results_table import ResultsTable, image_label, short_names
from napari_colorkde.core.csv_and_frames import Row
from napari_colorkde.io.csv_files import read_rows


def row(image: str, cls: str, pixels: int = 1, **more: object) -> Row:
    return {"image": image, "region": "", "class": cls, "pixels": pixels, **more}  # type: ignore[dict-item]


def names(table: ResultsTable) -> list[str]:
    return [f"{r['image']}{r.get('frame', '')}{r['region']}{r['class']}" for r in table.rows]


def test_rows_that_come_again_take_the_place_of_the_former() -> None:
    table, heard = ResultsTable(), list[int]()
    table.changed.connect(lambda: heard.append(len(table.rows)))
    table.put([row("a", "x"), row("a", "y")])
    table.put([row("b", "x")])
    table.put([row("a", "z", 5)])
    assert names(table) == ["az", "bx"]
    table.put([row("a", "z", 5)])
    assert heard == [2, 3, 2]
    table.put([row("a", "z") | {"region": "1"}, row("a", "z") | {"region": "2"}])
    assert names(table) == ["az", "bx", "a1z", "a2z"]
    assert table.has("a", by_region=True)
    assert not table.has("b", by_region=True)


def test_frames_take_the_place_of_the_stack_and_the_reverse() -> None:
    table = ResultsTable()
    table.put([row("a", "x")])
    table.put([row("a", "x", frame="0"), row("a", "x", frame="1")])
    assert names(table) == ["a0x", "a1x"]
    table.put([row("a", "y", frame="0")])
    assert names(table) == ["a0y", "a1x"]
    table.put([row("a", "x", 9)])
    assert names(table) == ["ax"]


def test_what_is_taken_away_comes_back() -> None:
    table = ResultsTable()
    table.put([row("a", "x"), row("b", "x"), row("c", "x")])
    table.remove([1])
    table.clear()
    table.put([row("d", "x"), row("c", "y", 7)])
    table.undo()
    assert names(table) == ["ax", "cx", "dx"]
    table.undo()
    assert names(table) == ["ax", "bx", "cx", "dx"]
    assert not table.can_undo


def test_as_text_and_as_a_file(tmp_path: Path) -> None:
    table = ResultsTable()
    with pytest.raises(ValueError, match="no rows to save yet"):
        table.save(tmp_path / "t.csv")
    table.put([row("a, b", "x", entropy=float("nan")), row("c\td", 'y"', area=0.1)])
    lines = table.text().splitlines()
    assert lines[0] == "image\tregion\tclass\tpixels\tentropy\tarea"
    assert lines[1] == "a, b\t\tx\t1\t\t"
    assert lines[2] == '"c\td"\t\t"y"""\t1\t\t0.1'
    assert len(table.text([1]).splitlines()) == 2
    table.save(tmp_path / "t.csv")
    assert [r["image"] for r in read_rows(tmp_path / "t.csv")] == ["a, b", "c\td"]
    with pytest.raises(ValueError, match=r"has the suffix '\.xls'"):
        table.save(tmp_path / "t.xls")


def test_images_are_named_by_their_files() -> None:
    from dataclasses import replace

    source = source_of_array([[1, 2], [3, 4]], "photo")
    assert image_label(source) == "photo"
    assert image_label(replace(source, path="in/photo.png")) == "in/photo.png"
    assert image_label(replace(source, path="in/stack.tif")) == "in/stack.tif (photo)"


def test_a_file_is_the_same_by_any_path_and_names_are_as_long_as_they_have_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = ResultsTable()
    table.put([{"image": "in/a.png", "pixels": 1}])
    table.put([{"image": str(tmp_path / "in" / "a.png"), "pixels": 2}])
    assert [row["pixels"] for row in table.rows] == [2]
    assert table.has("in/a.png")
    paths = ["x/1/a.png", "x/2/a.png", "y/2/a.png", "x/b.png", "photo", "a.png", ""]
    shown = short_names(str(Path(path)) if path else "" for path in paths)
    assert [name.replace("\\", "/") for name in shown.values()] == [
        "1/a.png",
        "x/2/a.png",
        "y/2/a.png",
        "b.png",
        "photo",
        "a.png",
        "",
    ]
