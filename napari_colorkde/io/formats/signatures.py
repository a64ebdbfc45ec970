"""Recognizing files by their first bytes; a suffix is only a hint."""

from collections.abc import Callable

SIGNATURE_BYTES = 32
"""So much of a file tells what it is."""

Matches = Callable[[bytes], bool]


def starts_with(*signatures: bytes) -> Matches:
    """Return a test for files that begin with one of these."""

    def matches(head: bytes) -> bool:
        return head.startswith(signatures)

    return matches


is_tiff = starts_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
is_png = starts_with(b"\x89PNG\r\n\x1a\n")
is_jpeg = starts_with(b"\xff\xd8\xff")
is_gif = starts_with(b"GIF87a", b"GIF89a")
is_bmp = starts_with(b"BM")
is_npy = starts_with(b"\x93NUMPY")
is_zip = starts_with(b"PK\x03\x04", b"PK\x05\x06")
is_jpeg2000 = starts_with(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
is_jpegxl = starts_with(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
is_jpegxr = starts_with(b"II\xbc")
is_qoi = starts_with(b"qoif")
is_nrrd = starts_with(b"NRRD000")


def is_webp(head: bytes) -> bool:
    """Whether this is WebP: RIFF, four bytes of length, WEBP."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def is_avif(head: bytes) -> bool:
    """Whether this is AVIF, still or animated."""
    return head[4:8] == b"ftyp" and (head[8:12] in (b"avif", b"avis") or b"avif" in head[16:])


def is_heif(head: bytes) -> bool:
    """Whether this is HEIF with HEVC inside, as telephones write it."""
    brands = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
    return head[4:8] == b"ftyp" and head[8:12] in brands and not is_avif(head)


def is_netpbm(head: bytes) -> bool:
    """Whether this is PBM, PGM, PPM, PAM or PFM: a letter, a number, white space."""
    return len(head) > 2 and head[0] == 80 and head[1] in b"1234567fF" and head[2] in b" \t\r\n"
