"""HTML in pages that graders and students open must not do anything: no scripts, no requests.

nbgrader shows text cells of hand-ins in the formgrader and in feedback: `page.py` sends both here.
"""

import functools
import html
import re

from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import Cleaner

from autograder.sandbox.pictures import pixels

_TEXT = [
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "section",
    "details", "summary",
    "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
]  # fmt: skip
_CARD = [*_TEXT, "caption", "figcaption", "figure"]
_STYLES = [
    "align-items", "background", "background-color", "border", "border-bottom",
    "border-collapse", "border-left", "border-radius", "border-right", "border-top", "color",
    "display", "flex", "flex-wrap", "font-family", "font-size", "font-style", "font-weight",
    "gap", "justify-content", "line-height", "list-style", "margin", "margin-bottom",
    "margin-left", "margin-right", "margin-top", "max-width", "min-width", "outline",
    "outline-offset", "overflow", "overflow-x", "padding", "padding-left", "text-align",
    "text-decoration", "vertical-align", "white-space", "width",
]  # fmt: skip
_CLASS = re.compile(r"highlight|hl-\w+|[a-z]{1,2}\d?|anchor-link|language-\w+")
_PICTURE = re.compile(r"data:(image/(?:png|jpeg|svg\+xml));base64,([A-Za-z0-9+/=\s]*)")
_LINK = re.compile(r"(?i)(https?://|mailto:|#)")
_ATTRIBUTES = {
    "a": ("href", "title"),
    "img": ("src", "alt", "title", "width", "height"),
    "td": ("align", "colspan", "rowspan"),
    "th": ("align", "colspan", "rowspan", "scope"),
}
# TeX commands with which MathJax makes links, loads code or names elements.
_TEX = re.compile(
    r"\\(href|url|unicode|cssId|class|style|require|html\w*|data|def|let|newcommand)\b"
)


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "src":
        picture = _PICTURE.fullmatch(value)
        return picture is not None and pixels(picture[1], re.sub(r"\s", "", picture[2])) > 0
    if name == "href":
        return bool(_LINK.match(html.unescape(value)))
    if name == "class":
        return all(map(_CLASS.fullmatch, value.split()))
    return name in _ATTRIBUTES.get(tag, ())


def _allowed_in_card(tag: str, name: str, value: str) -> bool:
    return name in ("style", "role", "aria-label", "open") or _allowed(tag, name, value)


_schemes = {"http", "https", "mailto", "data"}  # data: for pictures only, see _allowed
_text = Cleaner(tags=_TEXT, attributes=_allowed, protocols=_schemes)
_card = Cleaner(
    tags=_CARD,
    attributes=_allowed_in_card,
    protocols=_schemes,
    css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES),
)


@functools.lru_cache(maxsize=1000)  # the same on every student's page
def trusted_markdown(source: str) -> str:
    """Turn a text of the instructor's into HTML, with what HTML is in it."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return clean_text(MarkdownWithMath(renderer=renderer).render(source))


def clean_text(source: str) -> str:
    """Return a stranger's HTML without anything that acts, loads or lays itself over the page."""
    return without_tex_commands(_text.clean(source))


def without_tex_commands(source: str) -> str:
    """Put a character without width into these commands: they look the same and do nothing."""
    plain = re.sub(r"&#?\w+;", lambda match: html.escape(html.unescape(match[0])), source)
    return _TEX.sub(lambda match: "\\\N{ZERO WIDTH NON-JOINER}" + match[1], plain)


@functools.lru_cache(maxsize=1000)  # many students see the same one
def clean_card(source: str) -> str:
    """Return the HTML of a card: like text, with a few styles. The judge made it; trust is good."""
    return _card.clean(source)
