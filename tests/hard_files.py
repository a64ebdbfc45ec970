"""Small files of the kinds that readers get wrong, each with what is right about it.

The right values are known because the pixels are made first and written afterwards; they are never
read back. Where a library could have an opinion of its own on the bytes (palettes, YCbCr,
transparent levels, zstd), the bytes are written by hand. Nothing is random from run to run.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

Make = Callable[[Path], dict[str, Any]]

# --- writers


def write_tiff(path: Path, fields: dict[int, Any], strips: list[bytes]) -> None:
    """Write a little-endian TIFF of one page.

    `fields` maps a tag's number to (type, values), type being a letter of `struct`: H for 16 bits,
    I for 32. Offsets and lengths of the strips are filled in.
    """
    body, offsets = bytearray(b"II*\0\0\0\0\0"), []
    for strip in strips:
        offsets.append(len(body))
        body += strip + b"\0" * (len(strip) % 2)
    fields = fields | {273: ("I", offsets), 279: ("I", [len(strip) for strip in strips])}
    directory = bytearray(struct.pack("<H", len(fields)))
    for tag, (letter, values) in sorted(fields.items()):
        packed = struct.pack(f"<{len(values)}{letter}", *(int(value) for value in values))
        if len(packed) > 4:
            place = len(body)
            body += packed + b"\0" * (len(packed) % 2)
            packed = struct.pack("<I", place)
        kind = {"H": 3, "I": 4}[letter]
        directory += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    body[4:8] = struct.pack("<I", len(body))
    path.write_bytes(bytes(body + directory + b"\0\0\0\0"))


def tiff_fields(
    shape: tuple[int, int], bits: int, photometric: int, samples: int = 1, compression: int = 1
) -> dict[int, Any]:
    """Return the tags that every picture has, for one strip."""
    rows, columns = shape
    return {
        256: ("I", [columns]),
        257: ("I", [rows]),
        258: ("H", [bits] * samples),
        259: ("H", [compression]),
        262: ("H", [photometric]),
        277: ("H", [samples]),
        278: ("I", [rows]),
    }


def write_png(
    path: Path,
    shape: tuple[int, int],
    bits: int,
    color_type: int,
    rows: list[bytes],
    chunks: Any = (),
) -> None:
    """Write a PNG of packed rows; `chunks` (name, data) stand before the pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", shape[1], shape[0], bits, color_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", head), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def zstd_stored(data: bytes) -> bytes:
    """Return a zstd frame (RFC 8878) whose one block is stored, not compressed. Up to 128 kB."""
    if len(data) > 1 << 17:
        raise ValueError("one block holds at most 128 kB.")
    # Frame header: single segment, content size in 4 bytes. Block header: last block, raw.
    frame = struct.pack("<IBI", 0xFD2FB528, 0b10100000, len(data))
    return frame + (len(data) << 3 | 1).to_bytes(3, "little") + data


def palette_picture(index: Any, table: Any) -> Image.Image:
    """Return a Pillow picture of mode P."""
    picture = Image.frombytes("P", index.shape[::-1], index.astype(np.uint8).tobytes())
    picture.putpalette(table.astype(np.uint8).tobytes())
    return picture


# --- what is said about an array


def facts(array: Any) -> dict[str, Any]:
    """Return shape, dtype, sum, range and SHA-256 (little-endian, C order) of an array."""
    array = np.asarray(array)
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    whole = array.dtype.kind in ("b", "u", "i")
    number = int if whole else float
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "sum": number(array.sum(dtype=np.int64 if whole else np.float64)),
        "min": number(array.min()),
        "max": number(array.max()),
        "sha256": hashlib.sha256(plain.tobytes()).hexdigest(),
    }


def means(image: Any, labels: Any) -> dict[str, Any]:
    """Return the mean color under each label but 0."""
    return {str(n): image[labels == n].mean(axis=0).tolist() for n in np.unique(labels) if n}


# --- the cases


def palette_one_bit(folder: Path) -> dict[str, Any]:
    """Two colors, one bit a pixel, as fax and map programs write them."""
    bits = np.random.default_rng(2).random((24, 40)) < 0.4
    table = np.array([(255, 0, 0), (0, 128, 255)], np.uint8)
    fields = tiff_fields(bits.shape, 1, 3) | {320: ("H", (table.T.astype(int) * 257).ravel())}
    write_tiff(folder / "palette_1bit.tif", fields, [np.packbits(bits, axis=1).tobytes()])
    return {"file": "palette_1bit.tif", "image": facts(table[bits.astype(int)])}


def still_gif(folder: Path) -> dict[str, Any]:
    """A GIF of one frame, with labels and a mask of its height and width."""
    random = np.random.default_rng(3)
    table = random.integers(0, 256, (64, 3), dtype=np.uint8)
    index = random.integers(0, 64, (40, 60))
    labels = np.ones((40, 60), np.uint8)
    labels[20:] = 2
    mask = np.zeros((40, 60), np.uint8)
    mask[5:35, 10:50] = 255
    palette_picture(index, table).save(folder / "still.gif")
    Image.fromarray(labels).save(folder / "still_labels.png")
    Image.fromarray(mask).save(folder / "still_mask.gif")
    image = table[index]
    return {
        "file": "still.gif",
        "labels": "still_labels.png",
        "mask": "still_mask.gif",
        "image": facts(image),
        "means": means(image, np.where(mask, labels, 0)),
    }


def palette_eight_bit_table(folder: Path) -> dict[str, Any]:
    """A palette whose 16-bit cells hold levels 0 to 255, as some scanners' programs write it."""
    random = np.random.default_rng(5)
    table = random.integers(0, 256, (256, 3), dtype=np.uint8)
    index = random.integers(0, 256, (30, 50), dtype=np.uint8)
    fields = tiff_fields(index.shape, 8, 3) | {320: ("H", table.T.ravel())}
    write_tiff(folder / "palette_8bit_table.tif", fields, [index.tobytes()])
    return {"file": "palette_8bit_table.tif", "image": facts(table[index])}


def associated_alpha(folder: Path) -> dict[str, Any]:
    """One color behind a soft edge, stored multiplied by alpha (ExtraSamples 1)."""
    color = np.array([40, 180, 60])
    alpha = np.tile(np.linspace(0, 255, 64).round(), (16, 1))
    pixels = np.dstack([np.round(color * alpha[..., None] / 255), alpha]).astype(np.uint8)
    path = folder / "associated_alpha.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=["assocalpha"], metadata=None)
    return {
        "file": "associated_alpha.tif",
        "color": color.tolist(),
        "n_opaque": int((alpha > 0).sum()),
        "alpha": facts(pixels[..., 3]),
        "tolerance": "half a stored level: 255 / (2 alpha), and 1 for rounding",
    }


def red_green_blue_infrared(folder: Path) -> dict[str, Any]:
    """Four samples, the fourth of which is no alpha (ExtraSamples 0) and 0 over water."""
    pixels = np.random.default_rng(7).integers(10, 200, (40, 50, 4), dtype=np.uint8)
    pixels[:20, :, 3] = 0
    path = folder / "rgb_infrared.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=["unspecified"], metadata=None)
    np.save(folder / "rgb_infrared_rgb.npy", pixels[..., :3])
    return {
        "file": "rgb_infrared.tif",
        "rgb": "rgb_infrared_rgb.npy",
        "image": facts(pixels),
        "n_pixels": 2000,
        "sigma": 4.0,
        "tolerance": 1e-4,
    }


def deep_ppm(folder: Path) -> dict[str, Any]:
    """A binary PPM of 16 bits a channel, as netpbm and dcraw -4 write it."""
    pixels = np.random.default_rng(8).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    head = b"P6\n30 20\n65535\n"
    (folder / "deep.ppm").write_bytes(head + pixels.astype(">u2").tobytes())
    return {"file": "deep.ppm", "image": facts(pixels)}


def gray_png_transparent_level(folder: Path) -> dict[str, Any]:
    """A gray PNG of 16 bits, one level of which is transparent (tRNS)."""
    levels = np.random.default_rng(10).integers(300, 65000, (12, 16)).astype(np.uint16)
    levels[3:5, 4:9] = clear = 40000
    rows = [row.astype(">u2").tobytes() for row in levels]
    chunks = [(b"tRNS", struct.pack(">H", clear))]
    write_png(folder / "gray16_transparent.png", levels.shape, 16, 0, rows, chunks)
    opaque = levels[levels != clear]
    return {
        "file": "gray16_transparent.png",
        "n_transparent": int((levels == clear).sum()),
        "opaque": facts(np.sort(opaque)),
        "opaque_is": "the levels of the opaque pixels, in ascending order",
    }


def palette_png_labels(folder: Path) -> dict[str, Any]:
    """Labels as entries of a color table, as the VOC data set keeps them."""
    random = np.random.default_rng(11)
    labels = np.zeros((40, 60), np.uint8)
    labels[5:20, 5:30], labels[22:38, 30:55], labels[20:22] = 1, 15, 255
    paint = {0: (200, 200, 200), 1: (180, 40, 40), 15: (40, 60, 180), 255: (90, 90, 90)}
    image = np.array([paint[n] for n in labels.ravel().tolist()], float).reshape(40, 60, 3)
    image = np.clip(image + random.normal(0, 8, image.shape), 0, 255).astype(np.uint8)
    table = random.permutation(1 << 12)[:256, None] >> np.array([8, 4, 0]) & 15
    table[0] = 0
    Image.fromarray(image).save(folder / "labeled.png")
    palette_picture(labels, table * 17).save(folder / "labels_palette.png")
    return {
        "file": "labeled.png",
        "labels": "labels_palette.png",
        "names": {"1": "plane", "15": "person", "255": "void"},
        "means": means(image, labels),
        "index": facts(labels),
    }


def ycbcr(folder: Path) -> dict[str, Any]:
    """Uncompressed samples Y, Cb, Cr (CCIR 601, full range, none left out)."""
    colors = np.array([(200, 30, 40), (30, 60, 200), (90, 160, 70), (128, 128, 128)], float)
    image = colors.reshape(2, 2, 3).repeat(16, axis=0).repeat(24, axis=1)
    luma = image @ (0.299, 0.587, 0.114)
    blue, red = (image[..., 2] - luma) / 1.772 + 128, (image[..., 0] - luma) / 1.402 + 128
    samples = np.dstack([luma, blue, red]).round().astype(np.uint8)
    fields = tiff_fields(luma.shape, 8, 6, samples=3) | {284: ("H", [1]), 530: ("H", [1, 1])}
    write_tiff(folder / "ycbcr.tif", fields, [samples.tobytes()])
    return {
        "file": "ycbcr.tif",
        "shape": [32, 48, 3],
        "corners": colors.astype(int).tolist(),
        "tolerance": 2,
    }


def thumbnail_first(folder: Path) -> dict[str, Any]:
    """A page of 16 × 20 that says it is a reduced picture, and after it the picture."""
    picture = np.random.default_rng(14).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    with tifffile.TiffWriter(folder / "thumbnail_first.tif") as tiff:
        small = np.full((16, 20, 3), 128, np.uint8)
        tiff.write(small, photometric="rgb", subfiletype=1, metadata=None)
        tiff.write(picture, photometric="rgb", subfiletype=0, metadata=None)
    return {"file": "thumbnail_first.tif", "image": facts(picture)}


def pages_in_lsm(folder: Path) -> dict[str, Any]:
    """Three pages of 12 bits in 16, TIFF inside, under a microscope's suffix."""
    pages = np.random.default_rng(15).integers(0, 4096, (3, 40, 50)).astype(np.uint16)
    tifffile.imwrite(folder / "pages.lsm", pages, photometric="minisblack", metadata=None)
    return {"file": "pages.lsm", "image": facts(pages)}


def mask_white_is_zero(folder: Path) -> dict[str, Any]:
    """A mask of one bit in which 0 is white (photometric 0), as scanners and fax write it."""
    random = np.random.default_rng(47)
    chosen = np.zeros((16, 24), bool)
    chosen[4:9, 6:20] = True
    image = np.where(chosen[..., None], (180, 40, 40), (40, 60, 180)).astype(float)
    image = (image + random.normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)
    Image.fromarray(image).save(folder / "masked.png")
    strip = np.packbits(~chosen, axis=1).tobytes()
    write_tiff(folder / "mask_white_is_zero.tif", tiff_fields(chosen.shape, 1, 0), [strip])
    return {
        "file": "masked.png",
        "mask": "mask_white_is_zero.tif",
        "n_pixels": int(chosen.sum()),
        "mean": image[chosen].mean(axis=0).tolist(),
    }


def planar_rgb(folder: Path) -> dict[str, Any]:
    """Red, green and blue planes one after another, which napari opens as three planes."""
    image = np.random.default_rng(49).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    image[:, :30] //= 4
    planes = np.moveaxis(image, -1, 0)
    path = folder / "planar.tif"
    tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate", metadata=None)
    return {
        "file": "planar.tif",
        "image": facts(image),
        "overlay_shape": [40, 60],
        "tolerance": 1e-3,
    }


def zstd(folder: Path) -> dict[str, Any]:
    """A TIFF whose strip is a zstd frame (compression 50000)."""
    image = np.random.default_rng(57).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    fields = tiff_fields((40, 60), 8, 2, samples=3, compression=50000)
    write_tiff(folder / "zstd.tif", fields, [zstd_stored(image.tobytes())])
    return {"file": "zstd.tif", "image": facts(image)}


def event_table(folder: Path) -> dict[str, Any]:
    """5000 events with two measurements each, as a cytometer gives them."""
    random = np.random.default_rng(43)
    events = random.normal((300, -50), (100, 40), (5000, 2))
    np.save(folder / "events.npy", events)
    return {
        "file": "events.npy",
        "events": facts(events),
        "n_events": 5000,
        "sigma": 20.0,
        "tolerance_of_the_peak": 1e-5,
    }
