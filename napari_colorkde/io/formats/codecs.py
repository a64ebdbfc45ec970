"""Formats whose depth a general library would reduce: deep PNG, JPEG 2000, AVIF, Netpbm."""

import struct
from pathlib import Path

import numpy as np

from napari_colorkde.io.formats.reading import ColorModel, DecodedImage, check_size, native


def read_png(path: Path) -> DecodedImage:
    """Return the samples of a PNG of 16 bits, with the level that is transparent as alpha."""
    import imagecodecs

    content = path.read_bytes()
    width, height, depth, color_type = struct.unpack(">IIBB", content[16:26])
    check_size(path, (height, width, 4), np.uint16 if depth == 16 else np.uint8)
    samples = imagecodecs.png_decode(content)
    return _decoded(samples, png_profile(content), alpha=color_type in (4, 6) or b"tRNS" in content)


def png_profile(content: bytes) -> bytes | None:
    """Return the ICC profile of a PNG: the chunk iCCP."""
    import zlib

    at, profile = 8, None
    while at + 8 <= len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        if name == b"iCCP":
            data = content[at + 8 : at + 8 + length]
            profile = zlib.decompress(data[data.index(b"\0") + 2 :])
        if name in (b"IDAT", b"IEND"):
            break
        at += 12 + length
    return profile


def read_jpeg2000(path: Path) -> DecodedImage:
    """Return the samples of a JPEG 2000 file or code stream."""
    import imagecodecs

    return _decoded(imagecodecs.jpeg2k_decode(path.read_bytes()))


def read_jpegxl(path: Path) -> DecodedImage:
    """Return the samples of a JPEG XL file."""
    import imagecodecs

    return _decoded(imagecodecs.jpegxl_decode(path.read_bytes()))


def read_jpegxr(path: Path) -> DecodedImage:
    """Return the samples of a JPEG XR file."""
    import imagecodecs

    return _decoded(imagecodecs.jpegxr_decode(path.read_bytes()))


def read_avif(path: Path) -> DecodedImage:
    """Return the samples of an AVIF picture: 10 and 12 bits stay in 16."""
    import imagecodecs

    return _decoded(imagecodecs.avif_decode(path.read_bytes()))


def read_qoi(path: Path) -> DecodedImage:
    """Return the samples of a QOI picture."""
    import imagecodecs

    return _decoded(imagecodecs.qoi_decode(path.read_bytes()))


def read_netpbm(path: Path) -> DecodedImage:
    """Return the samples of PBM (0 is white), PGM, PPM, PAM or PFM, at the depth they have."""
    import netpbmfile

    with netpbmfile.NetpbmFile(path) as file:
        check_size(path, tuple(file.shape), file.dtype)
        samples = native(np.asarray(file.asarray()))
        axes, kind = file.axes, str(file.tupltype or "")
        bits = 0 if samples.dtype.kind == "f" else int(file.maxval or 0).bit_length()
    if samples.dtype.kind == "f":
        # PFM begins with the lowest row; netpbmfile leaves it there.
        samples = np.flip(samples, axes.index("Y"))
    n_samples = samples.shape[-1] if axes.endswith("S") else 1
    color: ColorModel = "rgb" if n_samples >= 3 else "gray"
    bilevel = file.magicnumber in ("P1", "P4", b"P1", b"P4")
    if bilevel:
        samples = samples.astype(bool)
    return DecodedImage(
        samples,
        color,
        has_samples=axes.endswith("S"),
        alpha="straight" if kind.endswith("_ALPHA") else "",
        bits=bits,
        white_is_zero=bilevel,
    )


def _decoded(samples: object, profile: bytes | None = None, alpha: bool = True) -> DecodedImage:
    """Tell gray from RGB by the number of samples; an even number ends with alpha."""
    samples = np.asarray(samples)
    has_samples = samples.ndim >= 3 and samples.shape[-1] <= 4
    n_samples = samples.shape[-1] if has_samples else 1
    color: ColorModel = "rgb" if n_samples >= 3 else "gray"
    return DecodedImage(
        samples,
        color,
        has_samples=has_samples,
        alpha="straight" if alpha and n_samples in (2, 4) else "",
        profile=profile,
    )
