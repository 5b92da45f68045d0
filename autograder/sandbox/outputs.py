"""What student code puts out is data of strangers: only text and pictures are kept."""

import html
import re
from html.parser import HTMLParser
from typing import Any

from autograder.sandbox.pictures import MAX_BYTES, pixels

MAX_ITEMS = 200  # of one cell
MAX_TEXT = 20_000  # characters of one output


def clean(items: object) -> list[dict]:
    """Return the outputs of a student's cell as far as they are what a notebook may show.

    No JavaScript or LaTeX, and of HTML only the pictures in it; whatever has another form than
    expected is left out.
    """
    kept, room = [], MAX_BYTES
    for item in items[:MAX_ITEMS] if isinstance(items, list) else []:
        output = _clean_one(item)
        size = len(str(output))
        if output and size <= room:
            kept.append(output)
            room -= size
    return kept


def _clean_one(item: Any) -> dict | None:
    match item:
        case {"output_type": "stream", "name": "stdout" | "stderr" as name, "text": str(text)}:
            return {"output_type": "stream", "name": name, "text": _plain(text)}
        case {
            "output_type": "error",
            "ename": str(name),
            "evalue": str(value),
            "traceback": [str(text)],
        }:
            return {
                "output_type": "error",
                "ename": _plain(name)[:80],
                "evalue": _plain(value)[:2000],
                "traceback": [_plain(text)],
            }
        case {"output_type": "execute_result" | "display_data" as kind, "data": dict(data)}:
            kept = {mime: value for mime, value in data.items() if is_bitmap(mime, value)}
            if isinstance(data.get("text/plain"), str):
                kept["text/plain"] = _plain(data["text/plain"])
            if isinstance(data.get("text/html"), str) and (
                pictures := _pictures(data["text/html"])
            ):
                kept["text/html"] = pictures
            return {"output_type": kind, "data": kept} if kept else None
    return None


def _pictures(source: str) -> str:
    """The course's figures and widgets show themselves as <img>: make these anew, drop the rest."""
    return "<br>".join(
        f'<img alt="{html.escape(alt)}" src="data:{mime};base64,{data}">'
        for alt, mime, data in pictures(source)
    )


def pictures(source: str) -> list[tuple[str, str, str]]:
    """Return the pictures in HTML that can be shown: words, type and base64 of each."""
    if not re.search("<img", source, re.IGNORECASE):  # to parse takes long
        return []
    found = _Pictures()
    found.feed(source[:MAX_BYTES])
    return found.pictures[:MAX_ITEMS]


class _Pictures(HTMLParser):
    def __init__(self):
        super().__init__()
        self.pictures: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag, attrs):
        if tag != "img" or len(self.pictures) == MAX_ITEMS:
            return
        given = dict(attrs)
        kind, _, data = (given.get("src") or "").partition(";base64,")
        mime = kind.removeprefix("data:")
        if kind != mime and pixels(mime, data):
            self.pictures.append((_plain(given.get("alt") or ""), mime, data))


def _plain(text: str) -> str:
    """Text without control characters, so that no terminal and no XML chokes on it."""
    text = _CONTROL.sub("", text[:MAX_TEXT])
    return text.encode("utf-8", "replace").decode()  # lone surrogates: no file takes them


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f]")  # but tab, new line and escape


def is_bitmap(mime: str, value: object) -> bool:
    """True for a PNG or JPEG picture in base64, as notebooks keep them, that can be shown."""
    return mime in ("image/png", "image/jpeg") and pixels(mime, value) > 0
