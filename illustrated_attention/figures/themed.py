"""Drawings that follow the theme of the page that shows them: light, dark, or paper.

A drawing is shown as an image: nothing in it acts or mixes with the page, it is kept wherever HTML
is cleaned, and its alt text is read aloud. In an image, `prefers-color-scheme` is what the page
says of it, so the page must say something: JupyterLab's theme need not be that of the system.
"""

import base64
import html

from illustrated_attention.figures.palette import ON_DARK

SMALLEST = 9.6  # pixels: an image is not made so narrow that its text would be smaller
# What is above a drawing on a dark page of JupyterLab and nbconvert, VS Code, Colab, Sphinx.
DARK = (
    "[data-jp-theme-light='false']",
    ".vscode-dark",
    ".vscode-high-contrast:not(.vscode-high-contrast-light)",
    "[theme='dark']",
    "[data-theme='dark']",
)
_FOLLOWS_PAGE = (
    "<style>.themed{color-scheme:light}"
    f":is({','.join(DARK)}) .themed{{color-scheme:dark}}"
    "@media print{:root .themed.themed{color-scheme:light;min-width:0!important}}</style>"
)


def as_image(width, height, body, style, words, smallest_text=SMALLEST):
    """Return HTML that shows a drawing.

    Parameters
    ----------
    width, height : float
        Pixels.
    body : str
        SVG, without the element around it.
    style : str
        CSS of the drawing.
    words : str
        The alt text: what is seen.
    smallest_text : float
        Pixels.
    """
    source = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}"><style>{style}</style>{body}</svg>'
    )
    data = base64.b64encode(source.encode("utf-8")).decode("ascii")
    narrowest = round(width * min(1, SMALLEST / smallest_text))
    return (
        f'{_FOLLOWS_PAGE}<img alt="{html.escape(words)}" class="themed" '
        f'width="{width:g}" height="{height:g}" '
        f'style="max-width:100%;min-width:{narrowest}px;height:auto" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def both(names):
    """Return CSS that gives colours names, on a light page and on a dark one.

    Parameters
    ----------
    names : dict of str to str
        By name, colours as they are on a light page.
    """
    light, dark = (
        ";".join(f"--{name}:{shade(colour)}" for name, colour in names.items())
        for shade in (str, on_dark)
    )
    return f"svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}"


def on_dark(colour):
    """Return a colour as it is on a dark page; one that is not of the palette stays."""
    return ON_DARK.get(colour, colour)
