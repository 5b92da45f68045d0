"""Pictures that honest work holds are shown; those that would stop a browser are not."""

import base64
import io
import re
import time

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import MOVES, PNG, make_jpeg, make_png, make_svg
from PIL import Image

from autograder.sandbox.pictures import MAX_BYTES, pixels
from illustrated_attention.widgets.explorer import explore

PNG_TYPE, JPEG_TYPE, SVG_TYPE = "image/png", "image/jpeg", "image/svg+xml"


def plot(kind: str) -> str:
    """A figure as matplotlib saves it: with curves, dashes, text, a picture and a legend."""
    figure = Figure()
    axes = figure.subplots(1, 2)
    axes[0].plot(np.linspace(0, 9, 500), label="a curve")
    axes[0].grid(linestyle="--")
    axes[0].scatter(range(50), range(50))
    axes[0].legend()
    axes[1].imshow(np.eye(20))
    file = io.BytesIO()
    figure.savefig(file, format=kind)
    return base64.b64encode(file.getvalue()).decode()


def photograph(**options) -> str:
    file = io.BytesIO()
    Image.new("RGB", (4032, 3024), "grey").save(file, "JPEG", **options)
    return base64.b64encode(file.getvalue()).decode()


def test_honest_pictures_are_shown():
    assert pixels(PNG_TYPE, PNG) == 1
    assert pixels(PNG_TYPE, plot("png")) == 640 * 480
    assert pixels(SVG_TYPE, plot("svg")) > 0
    assert pixels(JPEG_TYPE, photograph()) == pixels(JPEG_TYPE, photograph(progressive=True)) > 0
    assert pixels(SVG_TYPE, make_svg('<image href="data:image/png;base64,' + PNG + '"/>')) > 0


def test_the_courses_own_drawings_are_shown():
    def softmax(scores):
        weights = np.exp(scores)
        return weights / weights.sum(axis=-1, keepdims=True)

    explorer = explore(softmax, tokens=["a", "must"], scores=np.array([[1.0, 2.0], [3.0, 1.0]]))
    page = explorer._repr_mimebundle_()["text/html"]
    assert re.findall(r"data:([^;]*);base64,([^\"]*)", page)
    for mime, data in re.findall(r"data:([^;]*);base64,([^\"]*)", page):
        assert pixels(mime, data) > 0


def uses(depth: int, times: int) -> str:
    inner = '<g id="a0"><rect width="9" height="9"/></g>'
    for level in range(1, depth):
        use = f'<use href="#a{level - 1}"/>'
        inner += f'<g id="a{level}">{use * times}</g>'
    return f"<defs>{inner}</defs><use href='#a{depth - 1}'/>"


MANY = f'<path id="a" d="M0 0{"h1" * 1000}"/>'
BOMBS = {
    "a PNG of 60,000 x 40,000": (PNG_TYPE, make_png(60_000, 40_000, rows=1)),
    "a PNG of one long row": (PNG_TYPE, make_png(2_000_000, 1, rows=0)),
    "a PNG that moves": (PNG_TYPE, make_png(9, 9, before=MOVES)),
    "a PNG without a size": (PNG_TYPE, make_png(0, 9)),
    "a PNG that is cut off": (PNG_TYPE, PNG[:24]),
    "a PNG that ends within a chunk": (PNG_TYPE, base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()),
    "a JPEG of 60,000 x 60,000": (JPEG_TYPE, make_jpeg(60_000, 60_000)),
    "a JPEG drawn 5,000 times": (JPEG_TYPE, make_jpeg(4_000, 4_000, scans=5_000)),
    "a JPEG that ends": (JPEG_TYPE, base64.b64encode(b"\xff\xd8\xff\xe0").decode()),
    "more bytes than are taken": (PNG_TYPE, PNG + "A" * MAX_BYTES),
    "no base64": (PNG_TYPE, "<script>"),
    "another type": ("image/gif", "R0lGODlhAQABAAAAACw="),
    "uses of uses": (SVG_TYPE, make_svg(uses(9, 10))),
    "a use of itself": (SVG_TYPE, make_svg('<g id="a"><use href="#a"/></g>')),
    "a use of an id that is there twice": (SVG_TYPE, make_svg('<g id="a"/><g id="a"/>')),
    "a use of much, often": (SVG_TYPE, make_svg(MANY + '<use href="#a"/>' * 2000)),
    "a use of elsewhere": (SVG_TYPE, make_svg('<use href="http://example.org/x.svg#a"/>')),
    "entities": (
        SVG_TYPE,
        base64.b64encode(
            b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
            b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">&b;</svg>'
        ).decode(),
    ),
    "a script": (SVG_TYPE, make_svg("<script>alert(1)</script>")),
    "a page": (SVG_TYPE, make_svg("<foreignObject><p>x</p></foreignObject>")),
    "a filter": (SVG_TYPE, make_svg('<filter id="f"><feTurbulence numOctaves="99"/></filter>')),
    "a filter by style": (SVG_TYPE, make_svg('<g style="filter:blur(99px)"/>')),
    "a filter by a style sheet": (SVG_TYPE, make_svg("<style>* {filter: blur(99px)}</style>")),
    "a filter with escapes": (SVG_TYPE, make_svg(r'<g style="fil\74 er:blur(99px)"/>')),
    "patterns of patterns": (
        SVG_TYPE,
        make_svg('<pattern id="a"><rect fill="url(#a)"/></pattern>'),
    ),
    "a mask": (SVG_TYPE, make_svg('<mask id="a"/><g mask="url(#a)"/>')),
    "markers": (SVG_TYPE, make_svg('<marker id="a"/><path marker-mid="url(#a)" d="M0 0h1"/>')),
    "what moves": (SVG_TYPE, make_svg('<rect><animate attributeName="x" dur="1ms"/></rect>')),
    "what moves by style": (SVG_TYPE, make_svg("<style>*{animation: a 1ms infinite}</style>")),
    "a style sheet from elsewhere": (SVG_TYPE, make_svg("<style>@import 'http://x.y'</style>")),
    "a picture from elsewhere": (SVG_TYPE, make_svg('<image href="http://example.org/x.png"/>')),
    "a drawing in a drawing": (
        SVG_TYPE,
        make_svg(f'<image href="data:image/svg+xml;base64,{make_svg("")}"/>'),
    ),
    "a bitmap too large, in a drawing": (
        SVG_TYPE,
        make_svg(f'<image href="data:image/png;base64,{make_png(60_000, 9_000, rows=1)}"/>'),
    ),
    "a million dashes, often": (
        SVG_TYPE,
        make_svg('<path d="M0 0C0 999 999 0 9 9" stroke-dasharray=".01"/>' * 200),
    ),
    "a drawing of a kilometre": (SVG_TYPE, make_svg("", 'width="99999" height="99999"')),
    "a drawing of a kilometre around a small one": (
        SVG_TYPE,
        make_svg('<svg width="9" height="9"/>', 'width="99999" height="99999"'),
    ),
    "a drawing without a size": (SVG_TYPE, make_svg("", "")),
    "a part of no drawing": (
        SVG_TYPE,
        base64.b64encode(b'<g xmlns="http://www.w3.org/2000/svg"/>').decode(),
    ),
    "a shape to cut by, of groups": (
        SVG_TYPE,
        make_svg('<clipPath id="a"><g><path d="M0 0h9"/></g></clipPath><g clip-path="url(#a)"/>'),
    ),
    "groups in groups": (SVG_TYPE, make_svg('<g opacity=".5">' * 500 + "</g>" * 500)),
    "no XML": (SVG_TYPE, base64.b64encode(b"<svg").decode()),
    "another root": (SVG_TYPE, base64.b64encode(b"<html><svg/></html>").decode()),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_hold_up_a_browser_is_not_shown(name):
    start = time.process_time()
    assert pixels(*BOMBS[name]) == 0
    assert time.process_time() - start < 1


@pytest.mark.parametrize("value", [None, b"abc", 7, ["iVBORw0KGgo="], {}])
def test_what_is_no_text_is_no_picture(value):
    assert pixels(PNG_TYPE, value) == 0
