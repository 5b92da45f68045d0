"""Figures of lesson 05: the heads are mixed, and each head's part of the result is seen alone."""

import numpy as np
from matplotlib.patches import Rectangle

from illustrated_attention.figures.cells import (
    largest_size,
    strip,
    strip_scale,
)
from illustrated_attention.figures.equations import Grid, cell_width, equation, equation_height
from illustrated_attention.figures.needs import (
    NotDrawn,
    need_array,
    need_finite,
    need_heads,
    need_position,
    need_tokens,
)
from illustrated_attention.figures.page import MARGIN, TITLE_SPACE, WIDTH, LessonFigure, drawn
from illustrated_attention.figures.palette import (
    BLUE,
    GREY,
    INK,
    PALE,
    SKY,
)
from illustrated_attention.figures.words import (
    TIMES,
    describe_array,
    fit_text,
    head_names,
    number,
    shape_text,
    text_width,
    token_label,
)
from illustrated_attention.language import _, listed, together

STRIP = 0.36  # height of a vector drawn as a strip
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
    d = need_heads(n_head, width)
    names = head_names(n_head)
    right = np.allclose(row @ w + b, out, rtol=1e-3, atol=1e-4, equal_nan=True)
    draw = _in_cells if width <= MOST_CELLS else _in_parts
    title = _("Project: every number of the result is made from all heads of '{token}'")
    title = title.format(token=token_label(token))
    figure = draw(title, row, w, b, out, names, "=" if right else "≠")
    figure.alt_text = together(
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
    )
    return figure


def _in_cells(title, row, w, b, out, names, sign):
    """Draw the product of a short row with its numbers."""
    limit, d = largest_size(row, b, out), len(row) // len(names)
    labels = [name if place == 0 else "" for name in names for place in range(d)]
    lines = [
        [Grid(row[None], _("merged row"), limit=limit), "@", Grid(w, "w", labels)],
        ["+", Grid(b[None], "b", limit=limit), sign, Grid(out[None], _("result"), limit=limit)],
    ]
    cell = min(0.55, *map(cell_width, lines))
    first = equation_height(lines[0], cell) + 0.15
    height = TITLE_SPACE + first + equation_height(lines[1], cell) + MARGIN
    figure = LessonFigure(title, height=height)
    vector, matrix = equation(figure, MARGIN, TITLE_SPACE, lines[0], cell)
    edges = np.arange(1, len(names)) * d - 0.5
    vector.vlines(edges, -0.5, 0.5, color=INK, linewidth=2.4)
    matrix.hlines(edges, -0.5, len(row) - 0.5, color=INK, linewidth=2.4)
    vector.set_xticks(d * (np.arange(len(names)) + 0.5) - 0.5, names)
    vector.xaxis.tick_bottom()
    vector.tick_params(axis="x", labelsize=9, labelcolor=INK, pad=3)
    equation(figure, MARGIN, TITLE_SPACE + first, lines[1], cell)
    return figure


def _in_parts(title, row, w, b, out, names, sign):
    """Draw the product of a long row: each head's numbers meet their own rows of w."""
    limit, d, n_head = largest_size(row, b, out), len(row) // len(names), len(names)
    tall, box, left = 0.42, 0.5, MARGIN + 1.05
    wide = WIDTH - MARGIN - left
    part = wide / n_head
    tops = np.cumsum([TITLE_SPACE + 0.25, tall + 0.3, box + 0.3, tall + 0.14])
    figure = LessonFigure(title, height=tops[3] + tall + 0.5)
    page = figure.whole_page()
    for place, (before, name, values) in enumerate(
        (("", _("merged row"), row), ("+", "b", b), (sign, _("result"), out))
    ):
        top = tops[(0, 2, 3)[place]]
        figure.write(MARGIN, top + tall / 2, name, fontweight="bold")
        style = {"ha": "center", "fontsize": 13, "fontweight": "bold", "color": GREY}
        figure.write(left - 0.12, top + tall / 2, before, **style)
        strip(figure.axes_at(left, top, wide, tall), values, limit)
    figure.write(MARGIN, tops[1] + 0.3 * box, "@ w", fontweight="bold")
    figure.write(MARGIN, tops[1] + 0.7 * box, shape_text(w), fontsize=9)
    size = fit_text(names, 0.9 * part, 10)
    for head, name in enumerate(names):
        start = left + head * part
        middle = start + part / 2
        figure.write(middle, tops[0] - 0.12, name, ha="center", fontweight="bold", fontsize=size)
        if head:
            page.vlines(start, tops[0] - 0.06, tops[0] + tall + 0.06, color=INK, linewidth=2.4)
        figure.arrow((middle, tops[0] + tall + 0.04), (middle, tops[1] - 0.02))
        corner = (start + 0.05, tops[1])
        page.add_patch(Rectangle(corner, part - 0.1, box, facecolor=PALE, edgecolor=INK))
        told = [
            _("rows {first} to {last}").format(first=head * d, last=head * d + d - 1),
            f"{d} {TIMES} {w.shape[1]}",
        ]
        lines = fit_text(told, 0.88 * (part - 0.1), 9)
        for line, text in enumerate(told):
            down = tops[1] + box * (0.3 + 0.4 * line)
            figure.write(middle, down, text, ha="center", fontsize=lines)
        # Each part reaches every number of the result, so the arrows meet the whole strip.
        figure.arrow((middle, tops[1] + box + 0.02), (middle, tops[2] - 0.02))
    strip_scale(figure, left, tops[3] + tall + 0.2, limit)
    return figure


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
    names = head_names(n_head)
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
    wide, gap = 3.3, 0.3
    left = MARGIN + column
    bar_left = left + wide + gap
    bar_width = WIDTH - MARGIN - bar_left - 0.55
    step, sum_gap = STRIP + 0.14, 0.16
    top = TITLE_SPACE + 0.35
    bottom = top + step * len(rows) + sum_gap
    figure = LessonFigure(
        _("What each head writes into '{token}'").format(token=token_label(tokens[query])),
        height=bottom + 0.4,
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
        strip(figure.axes_at(left, y, wide, STRIP), row, limit)
        is_marked = place == pronoun_head
        colour = GREY if last else SKY if is_marked else BLUE
        bar = figure.axes_at(bar_left, y + 0.04, bar_width, STRIP - 0.08)
        _draw_length(bar, length, longest, colour, hatch="///" if is_marked else "")
        end = bar_left + bar_width * length / longest
        figure.write(end + 0.06, y + STRIP / 2, number(length), fontsize=9)
    line = figure.axes_at(left, top + step * (len(rows) - 1) + 0.02, wide, 0.02)
    line.set(xticks=[], yticks=[], facecolor=INK)
    strip_scale(figure, left, bottom + 0.12, limit)
    figure.alt_text = together(
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
    )
    return figure


def _draw_length(ax, length, longest, colour, hatch):
    """Draw one bar; one of the length `longest` is as wide as the axes."""
    ax.set(xlim=(0, longest), ylim=(0, 1), xticks=[], yticks=[])
    ax.patch.set_visible(False)
    style = {"color": colour, "hatch": hatch, "edgecolor": INK, "linewidth": 0.8}
    ax.barh([0.5], [length], height=1, **style)


def _vector_words(name, values):
    if len(values) <= MOST_CELLS:
        numbers = listed(number(value) for value in values)
        return _("{name}: {numbers}.").format(name=name, numbers=numbers)
    return _("{name}: {n} numbers from {low} to {high}.").format(
        name=name, n=len(values), low=number(values.min()), high=number(values.max())
    )
