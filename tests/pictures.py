"""Small pictures, and small files that stand for large ones, as notebooks keep them."""

import base64
import struct
import zlib


def make_png(width: int = 1, height: int = 1, before: bytes = b"", rows: int | None = None) -> str:
    """Return a PNG in base64: with more chunks `before` its data, and only some of its rows."""
    row = b"\0" * (1 + (width + 7) // 8)
    data = zlib.compress(row * (height if rows is None else rows))
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return _text(
        b"\x89PNG\r\n\x1a\n" + head + before + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


MOVES = _chunk(b"acTL", struct.pack(">II", 9999, 0))


def make_jpeg(width: int, height: int, scans: int = 1) -> str:
    """Return what begins like a JPEG of this size that is drawn in so many scans."""
    frame = (
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + b"\x01\x22\0" * 3
    )
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + b"\0"
    return _text(b"\xff\xd8\xff\xe0\x00\x04ab" + frame + scan * scans + b"\xff\xd9")


def make_svg(inside: str, attributes: str = 'width="40" height="30"') -> str:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return _text(f"<svg {names} {attributes}>{inside}</svg>".encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


PNG = make_png()
DRAWING = make_svg('<rect width="9" height="9"/>')
