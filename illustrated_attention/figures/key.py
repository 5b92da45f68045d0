"""The key that begins a lesson: what colours and marks mean in its figures."""

import numpy as np

from illustrated_attention.figures.cells import colour_bar, framed, hatched, strip
from illustrated_attention.figures.needs import NotDrawn
from illustrated_attention.figures.page import MARGIN, ROOM, TITLE_SPACE, LessonFigure, drawn
from illustrated_attention.figures.palette import DARK_VERMILION, QUERY_COLOUR
from illustrated_attention.language import _, listed, parted

ROW, SAMPLE = 0.5, 0.95  # inches: a line of the key, and what stands before its words


@drawn
def colour_key(parts):
    """Draw what colours and marks mean, once in a lesson, before its first figure.

    Parameters
    ----------
    parts : list of str
        What the lesson's figures use, of "numbers", "vectors", "weights", "hidden" and "query".

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If there is no such part.
    """
    known = {
        "numbers": (_numbers, _("orange below 0, blue above 0")),
        "vectors": (_vectors, _("vectors: a bar for each number")),
        "weights": (_weights, _("weights, from 0 to 1")),
        "hidden": (_hidden, _("hidden: must not be looked at")),
        "query": (_query, _("the query: the token that looks")),
    }
    if not isinstance(parts, (list, tuple)) or not parts or not set(map(str, parts)) <= set(known):
        raise NotDrawn(_("parts must be a list of these: {known}.").format(known=listed(known)))
    lines = (len(parts) + 1) // 2
    figure = LessonFigure(_("How to read the figures"), height=TITLE_SPACE + ROW * lines)
    for place, part in enumerate(parts):
        left, top = MARGIN + ROOM / 2 * (place % 2), TITLE_SPACE + ROW * (place // 2)
        sample, words = known[part]
        sample(figure, left, top)
        figure.write(left + SAMPLE + 0.15, top + 0.12, words)
    figure.alt_text = _("How to read the figures: {key}.").format(
        key=parted(known[part][1] for part in parts)
    )
    return figure


def _numbers(figure, left, top):
    bar = figure.axes_at(left + 0.05, top + 0.04, SAMPLE - 0.1, 0.15)
    colour_bar(bar, "signed", 1.0)


def _vectors(figure, left, top):
    values = np.array([0.5, -0.3, 0.9, 0.2, -0.8, 0.1, -0.2, 0.6])
    strip(figure.axes_at(left, top - 0.04, SAMPLE, 0.32), values, 1.0)


def _weights(figure, left, top):
    bar = figure.axes_at(left + 0.05, top + 0.04, SAMPLE - 0.1, 0.15)
    colour_bar(bar, "weights", 1.0)


def _hidden(figure, left, top):
    ax = figure.axes_at(left + 0.2, top, 0.55, 0.24)
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    hatched(ax, 0, 0)


def _query(figure, left, top):
    middle = left + SAMPLE / 2
    style = {"ha": "center", "fontweight": "bold"}
    figure.write(middle - 0.25, top + 0.12, "it", bbox=framed(QUERY_COLOUR, 1.8), **style)
    figure.write(middle + 0.15, top + 0.12, "▲", color=DARK_VERMILION, **style)
