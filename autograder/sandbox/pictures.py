"""Pictures of strangers: which of them a page can show without harm to the browser.

A file of a few kilobytes can stand for a picture of gigabytes, or for hours of drawing. So it is
looked at what a browser would have to draw, before any does.
"""

import base64
import binascii
import re
import struct
from collections import Counter
from typing import Any, NoReturn
from xml.parsers import expat

MAX_BYTES = 3 << 20  # of one, in base64
MAX_PIXELS = 25_000_000  # of one: five times a screen, or a telephone's photograph
MAX_SIDE = 10_000
MAX_SCANS = 32  # times that a JPEG may draw itself over
MAX_DRAWN = 3_000_000  # characters of what an SVG draws, repetitions included
MAX_DEPTH = 20
MAX_STYLE = 10_000
MAX_DRAWING_SIDE = 4_000

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def pixels(mime: str, value: object) -> int:
    """Return how many pixels a page that shows this picture draws; 0 if it must not be shown.

    Parameters
    ----------
    mime : str
        "image/png", "image/jpeg" or "image/svg+xml"; others are not shown.
    value : object
        The picture in base64, as notebooks keep it; line breaks are no part of it.
    """
    if mime not in _SIZES or not isinstance(value, str) or len(value) > MAX_BYTES:
        return 0
    try:
        data = base64.b64decode(value, validate=True)
        width, height = _SIZES[mime](data)
    except (binascii.Error, ValueError, struct.error, IndexError, expat.ExpatError):
        return 0
    fits = 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS
    return width * height if fits else 0


def _size_of_png(data: bytes) -> tuple[int, int]:
    if not data.startswith(_PNG) or data[12:16] != b"IHDR":
        raise ValueError("no PNG")
    place = len(_PNG)
    while data[place + 4 : place + 8] not in (b"IDAT", b""):
        if data[place + 4 : place + 8] == b"acTL":
            raise ValueError("a PNG that moves")
        place += 12 + struct.unpack_from(">I", data, place)[0]
    return struct.unpack_from(">II", data, 16)


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    if not data.startswith(_JPEG) or data.count(b"\xff\xda") > MAX_SCANS:
        raise ValueError("no JPEG, or one that is drawn over and over")
    place = 2
    while data[place] == 0xFF:
        kind = data[place + 1]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    raise ValueError("a JPEG without a size")


_SVG = "http://www.w3.org/2000/svg"
_SHAPES = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"}
_PARTS = {"svg", "g", "defs", "title", "desc", "metadata", "use", "clipPath", "style"}
_PARTS |= {"linearGradient", "radialGradient", "stop", "image"}
# What makes a browser work again and again, or load: in CSS and in attributes.
_WORK = re.compile(r"(?i)@import|\\|url\((?!['\"]?#)|filter|mask|marker|animation|transition|image")
_WORDS = re.compile(r"aria-.*|data-.*|id|class|role|(?:\S+ )?href")
_DASHED = 30_000  # characters that a dashed line counts for: it may be a million small ones
_NUMBER = re.compile(r"\s*(\d{1,5}(?:\.\d*)?)\s*(?:px|pt|)\s*")


def _size_of_drawing(data: bytes) -> tuple[int, int]:
    """The size of an SVG, if it is made of shapes alone, as figures are, and of not too many.

    Nothing is taken that draws by drawing others, and those others again (patterns, masks, filters,
    ``use`` of what uses): a few lines of it are years. Nothing that moves, and no entities.
    """
    drawing = _Drawing()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = drawing.start
    parser.EndElementHandler = drawing.end
    parser.CharacterDataHandler = drawing.text
    parser.EntityDeclHandler = drawing.refuse
    parser.Parse(data, True)
    return drawing.size()


class _Drawing:
    def __init__(self):
        self.open: list[dict] = []
        self.ids: dict[str, dict] = {}
        self.used: Counter[str] = Counter()
        self.viewport: tuple[float, float] | None = None
        self.drawn = 0

    def refuse(self, *_about) -> NoReturn:
        raise ValueError("not in a drawing")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        within = self.open[-1]["tag"] if self.open else None
        if within in ("metadata", "other"):
            self.open.append({"tag": "other", "weight": 0, "uses": False})
            return
        if space != _SVG or tag not in _SHAPES | _PARTS or len(self.open) >= MAX_DEPTH:
            self.refuse()
        if (tag == "svg") != (within is None) or (within == "clipPath" and tag == "g"):
            self.refuse()
        told = " ".join(f"{k}:{v}" for k, v in attributes.items() if not _WORDS.fullmatch(k))
        if _WORK.search(told):
            self.refuse()
        if "clip-path" in attributes and any(part["tag"] == "clipPath" for part in self.open):
            self.refuse()
        if tag == "clipPath" and "clip-path" in attributes:
            self.refuse()
        weight = 20 + sum(len(value) for value in attributes.values())
        weight += _DASHED * told.count("dasharray")
        part: dict[str, Any] = {"tag": tag, "weight": weight, "uses": tag == "use"}
        self.open.append(part)
        if attributes.get("id") in self.ids:
            self.refuse()
        if "id" in attributes:
            self.ids[attributes["id"]] = part
        for key, value in attributes.items():
            if key.rpartition(" ")[2] == "href":
                if tag == "image":
                    part["weight"] += self._bitmap(value)
                elif not value.startswith("#"):
                    self.refuse()
                else:
                    self.used[value[1:]] += 1
            for found in re.findall(r"url\(['\"]?#([^)'\"]*)", value):
                self.used[found] += 1
        if tag == "svg":
            self.viewport = _viewport(attributes)

    def _bitmap(self, source: str) -> int:
        mime, _, data = source.removeprefix("data:").partition(";base64,")
        drawn = pixels(mime, re.sub(r"\s", "", data)) if mime != "image/svg+xml" else 0
        return drawn or self.refuse()

    def text(self, text: str) -> None:
        if self.open:
            part = self.open[-1]
            part["weight"] += len(text)
            if part["tag"] == "style":
                part["css"] = part.get("css", "") + text
                if len(part["css"]) > MAX_STYLE:
                    self.refuse()

    def end(self, _name: str) -> None:
        part = self.open.pop()
        css = part.get("css", "")
        if _WORK.search(css) or "dasharray" in css:
            self.refuse()
        self.drawn += part["weight"]
        if self.open:
            self.open[-1]["weight"] += part["weight"]
            self.open[-1]["uses"] |= part["uses"]
            self.drawn -= part["weight"]

    def size(self) -> tuple[int, int]:
        for name, times in self.used.items():
            part = self.ids.get(name)
            if part:
                if part["uses"] and part["tag"] != "clipPath":
                    self.refuse()
                self.drawn += times * part["weight"]
        if self.drawn > MAX_DRAWN or self.viewport is None:
            self.refuse()
        width, height = (max(1, round(side)) for side in self.viewport)
        if max(width, height) > MAX_DRAWING_SIDE:
            self.refuse()
        return width, height


_SIZES = {
    "image/png": _size_of_png,
    "image/jpeg": _size_of_jpeg,
    "image/svg+xml": _size_of_drawing,
}


def _viewport(attributes: dict[str, str]) -> tuple[float, float] | None:
    """Width and height of a drawing, in its own words or those of its view box."""
    box = attributes.get("viewBox", "").replace(",", " ").split()
    sides = []
    for key, place in (("width", 2), ("height", 3)):
        text = attributes.get(key, box[place] if len(box) == 4 else "")
        if text.strip().endswith("%") and len(box) == 4:
            text = box[place]
        match = _NUMBER.fullmatch(text)
        if not match:
            return None
        sides.append(float(match[1]))
    return sides[0], sides[1]
