r"""Formulas in comments, drawn: feedback loads no MathJax, and ``$\sqrt{d}$`` is hard to read.

Matplotlib draws them. What it cannot read, or has no characters for, stays as it was typed.
"""

import base64
import functools
import io
import re
from html import escape, unescape

from autograder.nbgrader_steps import cleaning

_CODE_OR_FORMULA = re.compile(
    r"<(?P<tag>code|pre)\b.*?</(?P=tag)>|(\$\$?)(?=[^\s$])(?P<tex>[^$<]{1,500}?)(?<!\s)\2", re.S
)


def with_formulas(source: str) -> str:
    """Turn a comment's Markdown into HTML with its formulas as pictures, named by their TeX."""

    def put(match: re.Match) -> str:
        return (match["tex"] and _picture(unescape(match["tex"]))) or match[0]

    return _CODE_OR_FORMULA.sub(put, cleaning.trusted_markdown(source))


@functools.lru_cache(maxsize=1000)  # the same comment goes to many
def _picture(tex: str) -> str:
    from matplotlib.figure import Figure

    from illustrated_attention.figures.words import has_glyph

    if not all(map(has_glyph, tex.strip())):  # such as Chinese: boxes would be drawn
        return ""
    figure = Figure(figsize=(0.01, 0.01))
    figure.text(0, 0, f"${tex.strip()}$", fontsize=11)
    drawn = io.BytesIO()
    try:
        figure.savefig(drawn, format="svg", bbox_inches="tight", pad_inches=0.02)
    except ValueError:  # no formula that Matplotlib can read
        return ""
    data = base64.b64encode(drawn.getvalue()).decode()
    return (
        f'<img class="formula" alt="{escape(tex.strip())}" src="data:image/svg+xml;base64,{data}">'
    )
