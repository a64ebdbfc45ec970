"""Images at addresses, from a server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_colorkde.app.density.script import python_script
from napari_colorkde.app.image.file_as_layer import open_image_file
from napari_colorkde.app.image.source import source_of_array
from napari_colorkde.app.state import State
from napari_colorkde.cli import main
from napari_colorkde.io.formats import addresses
from napari_colorkde.io.formats.addresses import Address, path_or_address
from napari_colorkde.io.images import image_contents, read_image
from tests.slides import pyramid, slide_pixels, write_ome_zarr

pytest.importorskip("aiohttp")

LEVELS = pyramid(slide_pixels(96, 128))


class QuietHandler(SimpleHTTPRequestHandler):
    """Says nothing."""

    def log_message(self, *words: object) -> None:
        """Leave it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a folder with slides, and a picture."""
    folder = tmp_path_factory.mktemp("served")
    write_ome_zarr(folder / "4.zarr", LEVELS, "0.4")
    write_ome_zarr(folder / "5.zarr", LEVELS)
    tifffile.imwrite(folder / "a.tif", LEVELS[0], photometric="rgb")
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["4.zarr", "5.zarr"])
def test_slides_at_an_address_are_read(server: str, name: str) -> None:
    address = f"{server}/{name}"
    np.testing.assert_array_equal(read_image(address)[0], np.moveaxis(LEVELS[0], -1, 0))
    found: Any = read_image(address, lazy=True, level=1)
    np.testing.assert_array_equal(found[0], np.moveaxis(LEVELS[1], -1, 0))
    _, (picture,) = image_contents(address)
    assert len(picture.levels) == 3
    opened = open_image_file(address)
    np.testing.assert_array_equal(opened.data[2], LEVELS[2])
    source = source_of_array(opened.data[0])
    script = python_script(State(), type(source)(**{**vars(source), "path": address}))
    assert f"np.moveaxis(read_image('{address}', lazy=True), 1, -1)" in script


def test_commands_take_addresses(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address, options = f"{server}/5.zarr", ["--channel-axis", "1"]
    assert main(["info", address]) == 0
    assert f"{address}: OME-Zarr" in capsys.readouterr().out
    results = []
    for more in ([], ["--lazy"]):
        target = tmp_path / f"{len(more)}.zarr"
        assert main(["density", address, "-o", str(target), *options, *more]) == 0
        assert f"Reading {address}" in capsys.readouterr().err
        results.append(read_image(target))
    assert results[0].shape == (1, *LEVELS[0].shape[:2])
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_what_is_not_read_from_addresses_is_refused(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=r"a\.tif' is a file at a URL.*download it"):
        read_image(f"{server}/a.tif")
    with pytest.raises(ValueError, match=r"none\.zarr' is not a readable zarr"):
        read_image(f"{server}/none.zarr")
    with pytest.raises(ValueError, match="addresses begin with http://"):
        read_image("ftp://127.0.0.1/a.zarr")
    monkeypatch.setattr(addresses, "find_spec", lambda name: None)
    with pytest.raises(OSError, match=r'needs s3fs; pip install "napari-colorkde\[remote\]"'):
        read_image("s3://bucket/a.zarr")
    with pytest.raises(OSError, match="pip install gcsfs"):
        read_image("gs://bucket/a.zarr")


def test_an_address_is_a_path_that_keeps_its_slashes(tmp_path: Path) -> None:
    address = path_or_address(Path("https://host/folder/slide.zarr"))
    assert isinstance(address, Address)
    assert str(address) == f"{address}" == "https://host/folder/slide.zarr"
    assert str(address.parent / "other.zarr") == "https://host/folder/other.zarr"
    assert (address.stem, address.suffix, address.exists()) == ("slide", ".zarr", False)
    assert type(path_or_address(tmp_path / "https:" / "a")) is type(tmp_path)
    assert type(path_or_address("C:/a.zarr")) is type(tmp_path)
