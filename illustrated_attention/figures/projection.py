"""Figures of lesson 05: the heads are mixed, and each head's part of the result is seen alone."""

import numpy as np

from illustrated_attention.figures.cells import (
    SMALLEST_TEXT,
    colour_scale,
    heatmap,
    largest_size,
    number_colour,
    strip,
)
from illustrated_attention.figures.needs import (
    NotDrawn,
    need_array,
    need_finite,
    need_position,
    need_tokens,
)
from illustrated_attention.figures.page import MARGIN, TITLE_SPACE, WIDTH, LessonFigure, drawn
from illustrated_attention.figures.palette import (
    BLUE,
    GREY,
    INK,
    SKY,
)
from illustrated_attention.figures.words import (
    describe_array,
    fit_text,
    number,
    text_width,
    token_label,
)
from illustrated_attention.language import _

PAGE = WIDTH - 2 * MARGIN
STRIP = 0.3  # height of a vector drawn as a strip of colours
SIGN = 0.34  # room for a sign between matrices
MOST_CELLS = 8  # up to this width, numbers stand in the cells


# --- one product ----------------------------------------------------------------------------


@drawn
def mixing(token, row, w, b, out, n_head):
    """Draw how one token's merged row becomes its result: row @ w + b = out.

    Each head's part of the row, and the rows of w that it meets, are marked.

    Parameters
    ----------
    token : str
    row : ndarray, [D]
        The heads of the token side by side.
    w : ndarray, [D, D]
        [in, out]
    b : ndarray, [D]
    out : ndarray, [D]
        What the learner's product and bias give.
    n_head : int
        The number of heads, H.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit, or D cannot be shared out among the heads.
    """
    (token,) = need_tokens([token])
    row = need_array(row, "row", ("D",))
    width = len(row)
    w = need_array(w, "w", (width, width))
    b = need_array(b, "b", (width,))
    out = need_array(out, "out", (width,), "project")
    if not isinstance(n_head, (int, np.integer)) or n_head < 1 or width % n_head:
        raise NotDrawn(
            _("n_head must share out {width} features evenly, but yours is {n_head!r}.").format(
                width=width, n_head=n_head
            )
        )
    d = width // n_head
    names = _head_names(n_head)
    vectors = largest_size(row, b, out)
    label = max(text_width(name, 8.5) for name in names) + 0.1
    side = (PAGE - label - 3 * SIGN) / 4  # the width of each of the four
    in_cells = width <= MOST_CELLS
    thick = side / width if in_cells else STRIP  # the height of a vector
    names_under = _names_height(names, side / n_head)
    top = TITLE_SPACE + 0.3
    middle = top + side / 2
    figure = LessonFigure(
        _("Project: every number of the result is made from all heads of '{token}'").format(
            token=token_label(token)
        ),
        height=top + side + 0.5,
    )
    right = np.allclose(row @ w + b, out, rtol=1e-3, atol=1e-4, equal_nan=True)
    vector_names = (_("merged row"), "b", _("result"))
    titles = {name: _("{name}: {n} numbers").format(name=name, n=width) for name in vector_names}
    left, fmt = MARGIN, ".2f" if in_cells else None
    for sign, name, array in (
        ("", vector_names[0], row),
        ("@", "w", w),
        ("+", vector_names[1], b),
        ("=" if right else "≠", vector_names[2], out),
    ):
        if sign:
            figure.write(
                left + SIGN / 2,
                middle,
                sign,
                ha="center",
                fontsize=15,
                fontweight="bold",
                color=GREY,
            )
            left += SIGN
        if array is w:
            left += label
            ax = figure.axes_at(left, top, side, side)
            heatmap(ax, w, fmt=fmt, name=name)
            ax.hlines(np.arange(1, n_head) * d - 0.5, -0.5, width - 0.5, color=INK, linewidth=1.8)
            ax.set_yticks(_middles(n_head, d), names)
            ax.tick_params(axis="y", labelsize=8.5, labelcolor=INK, pad=4)
        else:
            ax = figure.axes_at(left, middle - thick / 2, side, thick)
            _vector(ax, array, fmt, vectors)
            figure.write(
                left + side / 2,
                middle - thick / 2 - 0.16,
                titles[name],
                ha="center",
                fontsize=fit_text(titles.values(), 0.9 * side),
                fontweight="bold",
            )
        if array is row:
            edges = np.arange(1, n_head) * d - 0.5
            ax.vlines(edges, -0.5, 0.5, color=INK, linewidth=1.8)
            _names_below(ax, names, _middles(n_head, d), side / n_head)
            # The edges go on between the names, which may stand close together.
            ends = 0.5 + names_under / thick
            ax.vlines(edges, 0.5, ends, color=GREY, linewidth=0.8, clip_on=False)
            ax.set_ylim(0.5, -0.5)
        left += side
    if not in_cells:
        below = middle + thick / 2 + names_under + 0.12
        colour_scale(figure, MARGIN, max(below, top + side + 0.05), vectors, side)
    figure.alt_text = " ".join(
        [
            _("The merged row of '{token}', times w, plus b, is the result.").format(token=token)
            if right
            else _("The merged row of '{token}', times w, plus b, is not this result.").format(
                token=token
            ),
            _vector_words(_("merged row"), row),
            describe_array("w", w),
            _vector_words("b", b),
            _vector_words(_("result"), out),
            *(
                _("{head} fills the numbers {start} to {end} of the merged row.").format(
                    head=name, start=h * d, end=(h + 1) * d - 1
                )
                for h, name in enumerate(names)
            ),
            _("Each meets the rows of w with the same numbers, and all columns."),
        ]
    )
    return figure


def _middles(n_head, d):
    """The middle of each head's part, in cells."""
    return [d * (head + 0.5) - 0.5 for head in range(n_head)]


def _vector(ax, values, fmt, limit):
    """Draw a vector as one row of cells; with a format, the numbers stand in them."""
    image = strip(ax, values, limit)
    if fmt:
        texts = [number(value, fmt) for value in values]
        size = fit_text(texts, 0.85 * _axes_width(ax) / len(texts))
        for column, text in enumerate(texts):
            colour = number_colour(image, values[column])
            ax.text(column, 0, text, ha="center", va="center", fontsize=size, color=colour)
        ax.vlines(np.arange(0.5, len(texts) - 1), -0.5, 0.5, color="white", linewidth=1.2)


def _axes_width(ax):
    return ax.get_position().width * ax.figure.get_size_inches()[0]


def _names_height(names, part):
    """Return the inches that the heads' names take under a vector, upright if they must be."""
    upright = fit_text(names, 0.86 * part, 8.5) < SMALLEST_TEXT
    return max(text_width(name, 8.5) for name in names) + 0.1 if upright else 0.25


def _names_below(ax, names, places, part):
    size = fit_text(names, 0.86 * part, 8.5)
    upright = size < SMALLEST_TEXT
    ax.set_xticks(places, names, rotation=90 if upright else 0)
    ax.tick_params(axis="x", labelsize=8.5 if upright else size, labelcolor=INK, pad=3)


# --- what each head writes --------------------------------------------------------------------


@drawn
def head_writing(tokens, contributions, b, out, query, pronoun_head=None):
    """Draw what each head writes into one token: strips that add up, and their lengths as bars.

    Parameters
    ----------
    tokens : list of str, length T
    contributions : ndarray, [H, T, D]
        Each head's part of the projection.
    b : ndarray, [D]
        The bias, which belongs to no head.
    out : ndarray, [T, D]
        The whole result.
    query : int
        The token's position, from 0.
    pronoun_head : int or None
        The head to mark as the one that looks from a pronoun to its noun.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape, the position or the head does not fit.
    """
    tokens = need_tokens(tokens)
    query = need_position(query, "query", len(tokens))
    parts = need_finite(
        contributions, "contributions", ("H", len(tokens), "D"), "head_contributions"
    )
    n_head, _n_tokens, width = parts.shape
    b = need_finite(b, "b", (width,))
    out = need_finite(out, "out", (len(tokens), width), "project")
    names = _head_names(n_head)
    if pronoun_head is not None:
        if not isinstance(pronoun_head, (int, np.integer)) or not 0 <= pronoun_head < n_head:
            raise NotDrawn(
                _("pronoun_head must be from 0 to {last}, but yours is {head!r}.").format(
                    last=n_head - 1, head=pronoun_head
                )
            )
        names[pronoun_head] = _("head {head}: pronoun head").format(head=pronoun_head)
    rows = [*parts[:, query], b, out[query]]
    labels = [*names, _("bias"), _("result")]
    lengths = [float(np.linalg.norm(row)) for row in rows]
    adds_up = np.allclose(
        parts[:, query].sum(axis=0) + b, out[query], rtol=1e-3, atol=1e-4, equal_nan=True
    )

    column = max(text_width(label, 9.5) for label in labels) * 1.1 + 0.35
    strip, gap = 3.3, 0.35
    left = MARGIN + column
    bar_left = left + strip + gap
    bar_width = WIDTH - MARGIN - bar_left - 0.55
    step, sum_gap = STRIP + 0.14, 0.16
    top = TITLE_SPACE + 0.35
    bottom = top + step * len(rows) + sum_gap
    figure = LessonFigure(
        _("What each head writes into '{token}'").format(token=token_label(tokens[query])),
        height=bottom + 0.5,
    )
    limit, longest = largest_size(*rows), max(max(lengths), 1e-9)
    heading = {"ha": "left", "fontweight": "bold", "fontsize": 9.5}
    figure.write(left, top - 0.18, _("{n} numbers").format(n=width), **heading)
    figure.write(bar_left, top - 0.18, _("length of the row"), **heading)
    for place, (label, row, length) in enumerate(zip(labels, rows, lengths, strict=True)):
        last = place == len(rows) - 1
        y = top + place * step + (sum_gap if last else 0)
        style = {"fontweight": "bold"} if last or place == pronoun_head else {}
        figure.write(left - 0.35, y + STRIP / 2, label, ha="right", fontsize=9.5, **style)
        sign = "" if place == 0 else ("=" if adds_up else "≠") if last else "+"
        figure.write(
            left - 0.16,
            y + STRIP / 2,
            sign,
            ha="center",
            fontsize=13,
            fontweight="bold",
            color=GREY,
        )
        _vector(figure.axes_at(left, y, strip, STRIP), row, None, limit)
        bar = figure.axes_at(bar_left, y + 0.04, bar_width, STRIP - 0.08)
        bar.set(xlim=(0, longest), ylim=(0, 1), xticks=[], yticks=[])
        bar.patch.set_visible(False)
        is_marked = place == pronoun_head
        bar.barh(
            [0.5],
            [length],
            height=1,
            color=GREY if last else SKY if is_marked else BLUE,
            hatch="///" if is_marked else "",
            edgecolor=INK,
            linewidth=0.8,
        )
        end = bar_left + bar_width * length / longest
        figure.write(end + 0.06, y + STRIP / 2, number(length), fontsize=9)
    line = figure.axes_at(left, top + step * (len(rows) - 1) + 0.02, strip, 0.02)
    line.set(xticks=[], yticks=[], facecolor=INK)
    colour_scale(figure, left, bottom + 0.05, limit, 2.2)
    figure.alt_text = " ".join(
        [
            _("Written into '{token}', as rows of {n} numbers with these lengths:").format(
                token=tokens[query], n=width
            ),
            *(
                _("{label} {length}.").format(label=label, length=number(length))
                for label, length in zip(labels, lengths, strict=True)
            ),
            _("The heads and the bias add up to the result.")
            if adds_up
            else _("The heads and the bias do not add up to the result."),
        ]
    )
    return figure


def _vector_words(name, values):
    if len(values) <= MOST_CELLS:
        numbers = ", ".join(number(value) for value in values)
        return _("{name}: {numbers}.").format(name=name, numbers=numbers)
    return _("{name}: {n} numbers from {low} to {high}.").format(
        name=name, n=len(values), low=number(values.min()), high=number(values.max())
    )


def _head_names(n_head):
    return [_("head {head}").format(head=head) for head in range(n_head)]
