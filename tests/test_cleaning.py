"""HTML from strangers shows and does nothing; honest text, formulas and pictures stay."""

import pytest
from bs4 import BeautifulSoup
from pictures import DRAWING, PNG

from autograder.nbgrader_steps import cleaning, page
from autograder.sandbox import outputs
from illustrated_attention.cards import Card, paragraph


def render(source: str, **cell) -> str:
    return page.markdown2html({"cell": cell}, source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("# A title\n\n**bold** *it*", ["<h1", "<strong>bold</strong>", "<em>it</em>"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["<table>", "<td>1</td>"]),
        ("```python\nx = 1\n```", ["<pre>", "x"]),
        ("`\\class` &lt;b&gt; & &quot;c&quot;", ["class</code>", "&lt;b&gt; &amp;"]),
        ("[a link](https://example.org)", ['href="https://example.org"']),
        ("a formula $\\frac{q k^T}{\\sqrt{d}}$", ["\\frac{q k^T}{\\sqrt{d}}"]),
        ("- one\n- two", ["<li>one</li>"]),
        ("a < b & c", ["&lt;", "&amp;"]),
        ("- [x] done\n- [ ] open", ["\u2611 done", "\u2610 open"]),
        ("above\n\n$$\na < b\n$$\n\nbelow", ["a &lt; b\n$$", "<p>below"]),
    ],
)
def test_honest_text_is_shown(source, words):
    html = render(source)
    assert all(word in html for word in words), html


def test_attached_pictures_are_shown():
    html = render("![my words](attachment:a.png)", attachments={"a.png": {"image/png": PNG}})
    [picture] = BeautifulSoup(html, "html.parser").find_all("img")
    assert picture["src"] == f"data:image/png;base64,{PNG}" and picture["alt"] == "my words"


def test_a_picture_is_shown_once_however_often_it_is_named():
    html = render("![words](attachment:a.png)\n" * 100, attachments={"a.png": {"image/png": PNG}})
    assert html.count(PNG) == 1 and html.count("words") == 100


def test_a_picture_that_is_missing_leaves_its_words():
    assert "my drawing" in render("![my drawing](attachment:gone.gif)")


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<b onclick=alert(1)>x</b>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "<a href='data:text/html,x'>x</a>",
        "<a href=' data:text/html,x'>x</a>",
        "<img src='data:image/svg+xml,<svg/>'>",
        "![x](https://example.org/track.png)",
        "<iframe src=x></iframe>",
        "<form><input></form>",
        "<svg onload=alert(1)>",
        "<style>body{}</style>",
        "<div style='position:fixed'>x</div>",
        "<p class='nbgrader_cell'>x</p>",
        "<p id='score'>x</p>",
        "![a [x](http://y.z/onerror=alert(1)) b](attachment:a.png)",
        '![x](attachment:a.png"onerror=alert(1)) [x](<http://a b" onclick=x>)',
        '[x](https://example.org "title\' onclick=alert(1)")',
        "$\\href{javascript:alert(1)}{x}$",
        "$\\require{html}$",
        "$&#92;href{javascript:alert(1)}{x}$",
        "$\\h&#114;ef{javascript:alert(1)}{x}$",
        "<a href='https:../x'>x</a>",
        "$\\<!-- -->href{javascript:alert(1)}{x}$",
        "<a href='&#100;ata:text/html,x'>x</a>",
        "<a href='da\tta:text/html,x'>x</a>",
        "<a href='\x01data:text/html,x'>x</a>",
        "<a href='//example.org/x'>x</a>",
        "<math><mtext><script>1</script></mtext></math>",
        "<scr<script>ipt>alert(1)</script>",
    ],
)
def test_what_acts_loads_or_covers_is_gone(source):
    """HTML is shown as it was typed: whatever is a tag on the page is ours, and harmless."""
    html = render(source)
    for tag in BeautifulSoup(html, "html.parser").find_all(True):
        assert tag.name in {"p", "a", "pre", "code", "br", "img"}
        assert set(tag.attrs) <= {"href", "rel"}, html
        assert tag.get("href", "https://").startswith(("http://", "https://", "mailto:"))
    assert "\\href" not in html and "\\require" not in html


def test_a_card_keeps_its_looks():
    card = Card("✗ softmax: not yet", False, [paragraph("Look at `axis`.")])._repr_html_()
    cleaned = cleaning.clean_card(card)
    for kept in ("<section", "border-left", "padding", "line-height", "<code>axis</code>", "role="):
        assert kept in cleaned
    assert "position" not in cleaning.clean_card("<p style='position:fixed;color:red'>x</p>")
    assert "<script" not in cleaning.clean_card(card.replace("Look", "<script>1</script>"))
    # What a cell of a table is stays, and what would act or be one of the page's own goes.
    cell = '<td colspan="2" onclick="act()" id="score">x</td>'
    for clean in (cleaning.clean_card, cleaning.clean_text):
        assert '<td colspan="2">x</td>' in clean(f"<table><tbody><tr>{cell}</tr></tbody></table>")


def test_of_outputs_only_text_and_bitmaps_are_kept():
    png = PNG
    items = [
        {"output_type": "stream", "name": "stdout", "text": "hello\x07\ud800"},
        {"output_type": "display_data", "data": {"image/png": png, "text/html": "<script>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}},
        {"output_type": "display_data", "data": {"image/png": "bm90IHBuZw=="}},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"], "x": 1},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": "t"},
        {"output_type": "update_display_data", "data": {"text/plain": "x"}},
        *("text", None, 5, {"output_type": "stream", "name": "stdout", "text": ["x"]}),
    ]
    assert outputs.clean(items) == [
        {"output_type": "stream", "name": "stdout", "text": "hello?"},
        {"output_type": "display_data", "data": {"image/png": png}},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]},
    ]


def test_of_html_only_the_pictures_are_kept_with_their_words():
    """The course's figures and widgets show themselves in this way."""
    png, svg = f"data:image/png;base64,{PNG}", f"data:image/svg+xml;base64,{DRAWING}"
    page = (
        f'<p onclick="x">text</p><script>1</script><img alt="bars & \'more\'" src="{png}">'
        f'<img onerror="x" src="{svg}"><img src="http://example.org/x.png">'
        '<img src="data:image/png;base64,bm90IHBuZw=="><img src="data:text/html;base64,PHN2Zy8+">'
    )
    [output] = outputs.clean([{"output_type": "display_data", "data": {"text/html": page}}])
    kept = output["data"]["text/html"]
    assert kept == (
        f'<img alt="bars &amp; &#x27;more&#x27;" src="{png}"><br><img alt="" src="{svg}">'
    )
    assert kept.count("src=") == cleaning.clean_card(kept).count("src=") == 2


@pytest.mark.parametrize("items", [None, "x", {"a": 1}, 7])
def test_outputs_that_are_no_list_are_none(items):
    assert outputs.clean(items) == []


def test_outputs_are_limited():
    flood = [{"output_type": "stream", "name": "stdout", "text": "x" * 10**6}] * 10**4
    assert len(str(outputs.clean(flood))) < 2 * outputs.MAX_BYTES
