"""Small SVG drawings that follow the theme, as part of a page or as a picture by themselves."""

import base64
import html
from dataclasses import dataclass

from illustrated_attention.figures.palette import THEMED


def _variables(dark):
    return ";".join(f"--x-{name}:{pair[dark]}" for name, pair in THEMED.items())


_MARKS = (
    "text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:var(--x-ink)}"
    ".soft{fill:var(--x-soft)}.query{fill:var(--x-query)}"
    ".line{stroke:var(--x-line);fill:none}.weight{fill:var(--x-weight)}"
    ".plus{fill:var(--x-plus)}.minus{fill:var(--x-minus)}"
    ".band{fill:var(--x-band);stroke:var(--x-query);opacity:0}.lit>.band{opacity:1}"
    ".frame{fill:none;stroke:var(--x-query);stroke-width:2.5;opacity:0}.lit>.frame{opacity:1}"
)
_ALONE = (
    f"svg{{{_variables(0)}}}@media(prefers-color-scheme:dark){{svg{{{_variables(1)}}}}}{_MARKS}"
)


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
        f".explorer{{{_variables(0)}}}"
        f"@media(prefers-color-scheme:dark){{.explorer{{{_variables(1)}}}}}"
        f"[data-jp-theme-light='true'] .explorer{{{_variables(0)}}}"
        f"[data-jp-theme-light='false'] .explorer,.vscode-dark .explorer{{{_variables(1)}}}"
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
        source = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" '
            f'height="{self.height:g}"><style>{_ALONE}</style>{self.body}</svg>'
        )
        data = base64.b64encode(source.encode("utf-8")).decode("ascii")
        return (
            f'<img alt="{html.escape(words)}" width="{self.width:g}" height="{self.height:g}" '
            f'src="data:image/svg+xml;base64,{data}">'
        )


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
