"""Small SVG drawings that follow the theme, as part of a page or as a picture by themselves."""

import html
from dataclasses import dataclass

from illustrated_attention.figures.palette import THEMED
from illustrated_attention.figures.themed import DARK, as_image, both, on_dark


def _variables(shade):
    return ";".join(f"--x-{name}:{shade(colour)}" for name, colour in THEMED.items())


_MARKS = (
    "text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:var(--x-ink)}"
    ".page{fill:var(--x-page)}.soft{fill:var(--x-soft)}.query{fill:var(--x-query)}"
    ".line{stroke:var(--x-line);fill:none}.weight{fill:var(--x-weight)}"
    ".plus{fill:var(--x-plus)}.minus{fill:var(--x-minus)}"
    ".band{fill:var(--x-band);stroke:var(--x-query);opacity:0}.lit>.band{opacity:1}"
    ".frame{fill:none;stroke:var(--x-query);stroke-width:2.5;opacity:0}.lit>.frame{opacity:1}"
)
SMALLEST_TEXT = 10  # pixels


def page_style(most):
    """Return the CSS of drawings in a page: colours, and the pair under the pointer is lit.

    Parameters
    ----------
    most : int
        How many tokens there may be.
    """
    lit = "".join(
        f".explorer:has(.here[data-key='{key}']:hover) .here[data-key='{key}']>.{mark}{{opacity:1}}"
        for key in range(most)
        for mark in ("band", "frame")
    )
    scoped = "".join(f".explorer {rule}}}" for rule in _MARKS.split("}") if rule)
    scoped = scoped.replace(".explorer text", ".explorer svg text")
    return (
        f".explorer{{{_variables(str)}}}"
        f"@media(prefers-color-scheme:dark){{.explorer{{{_variables(on_dark)}}}}}"
        f"[data-jp-theme-light='true'] .explorer{{{_variables(str)}}}"
        f":is({','.join(DARK)}) .explorer{{{_variables(on_dark)}}}"
        f"{scoped}{lit}.explorer [data-key]{{cursor:pointer}}"
        ".explorer [data-query]:hover>.frame{opacity:1}"
    )


@dataclass(frozen=True)
class Drawing:
    """Some SVG with its size in pixels."""

    width: float
    height: float
    body: str

    def inline(self) -> str:
        """Return SVG for a page, which has the style and says the words elsewhere."""
        return (
            f'<svg aria-hidden="true" width="{self.width:g}" height="{self.height:g}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}">{self.body}</svg>'
        )

    def image(self, words: str) -> str:
        """Return an image with alt text: unlike inline SVG, it is kept wherever it is shown."""
        style = both({f"x-{name}": colour for name, colour in THEMED.items()}) + _MARKS
        page = f'<rect width="{self.width:g}" height="{self.height:g}" class="page"/>'
        return as_image(self.width, self.height, page + self.body, style, words, SMALLEST_TEXT)


def stacked(drawings) -> Drawing:
    """Return drawings one under the other."""
    top, body = 0.0, ""
    for drawing in drawings:
        body += f'<g transform="translate(0 {top:g})">{drawing.body}</g>'
        top += drawing.height + 12
    return Drawing(max(d.width for d in drawings), top, body)


def write(x, y, text, kind="", anchor="start", size=12, bold=False) -> str:
    """Return text at a place; `kind` is the name of its colour."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}"{weight} '
        f'class="{kind}">{html.escape(text)}</text>'
    )


def box(x, y, width, height, kind, opacity=1.0) -> str:
    """Return a rectangle of a kind: a colour's name, ``line``, ``band`` or ``frame``."""
    faint = f' fill-opacity="{opacity:.3g}"' if opacity < 1 else ""
    return (
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{max(width, 0):g}" '
        f'height="{height:g}"{faint}/>'
    )
