"""The widget of lesson 01: what multiplying scores does to the weights.

The picture is SVG in `ipywidgets.HTML`, which follows the slider at once; a matplotlib figure
drawn anew for every step would lag behind it.
"""

import base64
import html

import numpy as np

from illustrated_attention.figures.needs import learned, need_array, need_tokens
from illustrated_attention.figures.palette import GREEN, GREY, INK
from illustrated_attention.figures.words import TIMES, fit_text, number, percent, token_label
from illustrated_attention.language import _
from illustrated_attention.widgets.picture_slider import PictureSlider

FACTORS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)  # even steps on a logarithmic scale
STATIC_FACTORS = (0.1, 1, 5, 20)

NAMES, COLUMN, BAR = 74, 84, 50  # widths in pixels
BARS, STATIC_BARS = 130, 70  # heights of a bar of weight 1
WIDEST = 700


def scale_explorer(tokens, scores, softmax):
    """Return a slider that multiplies one row of scores, and the weights softmax makes of it.

    Parameters
    ----------
    tokens : list of str, length T
    scores : ndarray, [T]
        The scores of one query.
    softmax : callable
        The learner's own function, from scores to weights.

    Returns
    -------
    PictureSlider

    Raises
    ------
    ValueError
        If the shapes do not fit, or if `softmax` stops with an error or does not return one weight
        for each score.
    """
    tokens = need_tokens(tokens)
    scores = need_array(scores, "scores", (len(tokens),), "scaled_scores")
    softmax = learned(softmax)
    panels = {factor: _panel(tokens, scores, softmax, factor) for factor in FACTORS}
    static = [panels[factor] for factor in STATIC_FACTORS]
    return PictureSlider(
        _("scores"),
        {factor: _svg([panel], BARS) for factor, panel in panels.items()},
        FACTORS.index(1),
        (_picture(static, STATIC_BARS), _words(static)),
        lambda factor: f"{TIMES} {factor:g}",
    )


def _panel(tokens, scores, softmax, factor):
    """Return (tokens, factor, scores, weights) of one picture."""
    scores = scores * factor
    weights = softmax(scores.copy())
    weights = need_array(weights, _("what softmax returns"), scores.shape)
    return tokens, factor, scores, weights


def _words(panels):
    """Return the same numbers as the picture, in words."""
    return " ".join(
        _("Scores times {factor}: {weights}.").format(
            factor=f"{factor:g}",
            weights=", ".join(
                f"'{token}' {percent(weight)}"
                for token, weight in zip(tokens, weights, strict=True)
            ),
        )
        for tokens, factor, _scores, weights in panels
    )


def _picture(panels, bar_height):
    """Return the panels as an image with alt text: unlike inline SVG, sanitisers keep it."""
    data = base64.b64encode(_svg(panels, bar_height).encode("utf-8")).decode("ascii")
    return (
        f'<img alt="{html.escape(_words(panels))}" style="max-width: 100%; background: white" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def _svg(panels, bar_height):
    """Return one SVG with a strip of bars for each panel, one under the other."""
    columns = len(panels[0][0])
    column = min(COLUMN, WIDEST / columns)
    panel_height = bar_height + 108
    width, height = NAMES + column * columns + 24, panel_height * len(panels)
    strips = "".join(
        f'<g transform="translate(12 {panel_height * place})">'
        f"{_strip(panel, column, bar_height)}</g>"
        for place, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:g}" height="{height}" '
        f'viewBox="0 0 {width:g} {height}" font-family="DejaVu Sans, Verdana, sans-serif" '
        f'style="max-width: 100%" aria-label="{html.escape(_words(panels))}">'
        f'<rect width="100%" height="100%" fill="white"/>{strips}</svg>'
    )


def _strip(panel, column, bar_height):
    """Return the SVG of one factor: a heading, and a bar with its numbers for each token."""
    tokens, factor, scores, weights = panel
    heading = _("scores {times} {factor}").format(times=TIMES, factor=f"{factor:g}")
    floor = 52 + bar_height
    labels = [token_label(token) for token in tokens]
    size = fit_text(labels, 0.92 * column / 96, 10) * 96 / 72
    small = min(13, size)
    bar = BAR * column / COLUMN
    pieces = [
        _text(0, 24, heading, 15, weight="bold", anchor="start"),
        f'<line x1="{NAMES}" x2="{NAMES + column * len(tokens):g}" y1="{floor}" y2="{floor}" '
        f'stroke="{GREY}"/>',
        _text(0, floor - 6, _("weights"), 13, weight="bold", anchor="start"),
        _text(0, floor + 39, _("scores"), 13, anchor="start", colour=GREY),
    ]
    for place, (label, score, weight) in enumerate(zip(labels, scores, weights, strict=True)):
        middle = NAMES + (place + 0.5) * column
        # A wrong softmax may give any number; the bar stays in its frame, the number is told.
        tall = float(np.clip(np.nan_to_num(weight), 0, 1)) * bar_height
        pieces += [
            f'<rect class="bar" x="{middle - bar / 2:g}" y="{floor - tall:g}" width="{bar:g}" '
            f'height="{tall:g}" fill="{GREEN}" stroke="{INK}" stroke-width="0.8"/>',
            _text(middle, floor - tall - 6, percent(weight), small, weight="bold"),
            _text(middle, floor + 20, label, size),
            _text(middle, floor + 39, number(score), small, colour=GREY),
        ]
    return "".join(pieces)


def _text(x, y, text, size, *, weight="normal", anchor="middle", colour=INK):
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{colour}">{html.escape(text)}</text>'
    )
