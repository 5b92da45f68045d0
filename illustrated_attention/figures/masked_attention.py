"""Figures of lesson 02: who may look at whom, and what softmax makes of what is left."""

import numpy as np

from illustrated_attention.figures.cells import (
    BARS_LEFT,
    bars,
    bars_width,
    framed,
    framed_cells,
    largest_size,
    mask_cell,
    token_axis_height,
)
from illustrated_attention.figures.equations import Grid, cell_width, equation, equation_height
from illustrated_attention.figures.needs import (
    NotDrawn,
    need_array,
    need_mask,
    need_position,
    need_tokens,
)
from illustrated_attention.figures.page import MARGIN, TITLE_SPACE, WIDTH, LessonFigure, drawn
from illustrated_attention.figures.palette import (
    BLUE,
    DARK_VERMILION,
    GREY,
)
from illustrated_attention.figures.words import (
    describe_array,
    fit_text,
    number,
    shape_text,
    token_label,
)
from illustrated_attention.language import _, listed, quoted, together


@drawn
def next_token_table(tokens, mask, targets):
    """Draw one text as many predictions: what may be read, and the token to be predicted.

    Parameters
    ----------
    tokens : list of str, length T
    mask : bool ndarray, [T, T]
        True where the row may look at the column.
    targets : list of str, length T
        For each row the token that comes next.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    tokens = need_tokens(tokens)
    mask = need_mask(mask, (len(tokens), len(tokens)), "causal_mask")
    targets = need_tokens(targets)
    if len(targets) != len(tokens):
        raise NotDrawn(
            _(
                "There must be one target for each token: {tokens} tokens, {targets} targets."
            ).format(tokens=len(tokens), targets=len(targets))
        )

    n = len(tokens)
    labels, ends = [token_label(t) for t in tokens], [token_label(t) for t in targets]
    cell, row_height, names = min(1.15, (WIDTH - 4.1) / n), 0.36, 1.5
    size = fit_text(labels + ends, 0.85 * cell, 10)
    figure = LessonFigure(
        _("Each of the {n} tokens predicts the next one").format(n=n),
        height=TITLE_SPACE + 0.3 + n * row_height + 0.15,
    )
    top = TITLE_SPACE + 0.3
    ax = figure.axes_at(names, top, n * cell, n * row_height)
    ax.set_xlim(0, n)
    ax.set_ylim(n, 0)
    ax.set_xticks([])
    ax.set_yticks([])
    end = names + n * cell
    figure.write(names, top - 0.17, _("may be read"), fontsize=10, fontweight="bold")
    figure.write(end + 0.75, top - 0.17, _("target"), fontsize=10, fontweight="bold")
    for row in range(n):
        middle = top + (row + 0.5) * row_height
        figure.write(MARGIN, middle, _("prediction {row}").format(row=row), color=GREY)
        for column in range(n):
            seen = mask[row, column]
            mask_cell(ax, column, row, seen)
            if seen:
                ax.text(
                    column + 0.5,
                    row + 0.5,
                    labels[column],
                    ha="center",
                    va="center",
                    fontsize=size,
                    parse_math=False,
                )
        figure.arrow((end + 0.15, middle), (end + 0.6, middle))
        figure.write(
            end + 0.75,
            middle,
            ends[row],
            fontsize=size,
            fontweight="bold",
            bbox=framed(BLUE),
        )
    figure.alt_text = together(
        *(
            _("Prediction {row}: may read {read}; target '{target}'.").format(
                row=row,
                read=listed(quoted(t) for t, seen in zip(tokens, mask[row], strict=True) if seen)
                or _("nothing"),
                target=targets[row],
            )
            for row in range(n)
        )
    )
    return figure


@drawn
def scores_of_all(q, k, scores, tokens):
    """Draw the product that gives all scores at once, with its true shapes.

    Parameters
    ----------
    q, k : ndarray, [T, d]
    scores : ndarray, [T, T]
    tokens : list of str, length T

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    tokens = need_tokens(tokens)
    q = need_array(q, "q", (len(tokens), "d"), "make_qkv")
    k = need_array(k, "k", q.shape, "make_qkv")
    scores = need_array(scores, "scores", (len(tokens), len(tokens)), "scaled_scores")

    limit = largest_size(q, k, scores)
    parts = [
        Grid(q, "q", tokens, limit=limit),
        "@",
        Grid(k.T, "kᵀ", None, tokens, limit=limit),
        "→",
        Grid(scores, _("scores"), tokens, tokens, limit=limit),
    ]
    cell = cell_width(parts)
    figure = LessonFigure(
        _("Score and scale: q @ kᵀ / √d. From {q} and {k} comes {scores}").format(
            q=shape_text(q), k=shape_text(k.T), scores=shape_text(scores)
        ),
        height=TITLE_SPACE + equation_height(parts, cell) + MARGIN,
    )
    equation(figure, MARGIN, TITLE_SPACE, parts, cell)
    figure.alt_text = together(
        _("q {q} times the transposed k {k}, divided by the root of d = {d}.").format(
            q=q.shape, k=k.T.shape, d=q.shape[1]
        ),
        describe_array(_("scores"), scores, tokens),
    )
    return figure


@drawn
def mask_and_softmax(tokens, scores, mask, weights):
    """Draw the scores, what the mask leaves of them, and the weights.

    Parameters
    ----------
    tokens : list of str, length T
    scores, weights : ndarray, [T, T]
    mask : bool ndarray, [T, T]

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    tokens = need_tokens(tokens)
    square = (len(tokens), len(tokens))
    scores = need_array(scores, "scores", square, "scaled_scores")
    weights = need_array(weights, "weights", square, "masked_softmax")
    mask = need_mask(mask, square, "causal_mask")

    masked = np.where(mask, scores, -np.inf)
    limit = largest_size(scores)
    parts = [
        Grid(scores, _("scores"), tokens, tokens, limit=limit),
        "→",
        Grid(masked, _("masked"), None, tokens, limit=limit),
        "→",
        Grid(weights, _("weights"), None, tokens, colours="weights", limit=1.0),
    ]
    cell = cell_width(parts)
    figure = LessonFigure(
        _("Mask, then softmax along each row"),
        height=TITLE_SPACE + equation_height(parts, cell) + MARGIN,
    )
    equation(figure, MARGIN, TITLE_SPACE, parts, cell)
    figure.alt_text = together(
        *(
            describe_array(name, array, tokens)
            for name, array in (
                (_("scores"), scores),
                (_("masked"), masked),
                (_("weights"), weights),
            )
        )
    )
    return figure


@drawn
def compare_tables(tokens, weights, table, name=""):
    """Draw weights, rounded to 2 decimals, beside a printed table; frame the cells that differ.

    Parameters
    ----------
    tokens : list of str, length T
    weights, table : ndarray, [T, T]
    name : str
        What the weights were made with, such as "scores / 4".

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    tokens = need_tokens(tokens)
    square = (len(tokens), len(tokens))
    weights = need_array(weights, "weights", square, "masked_softmax")
    table = need_array(table, "table", square)

    rounded = np.round(weights, 2)
    differs = ~np.isclose(rounded, table, rtol=0, atol=1e-9)
    parts = [
        Grid(rounded, name or _("weights"), tokens, tokens, colours="weights", limit=1.0),
        "≠" if differs.any() else "=",
        Grid(table, _("the article's table"), None, tokens, colours="weights", limit=1.0),
    ]
    cell = cell_width(parts, largest=0.85)
    figure = LessonFigure(
        _("Cells that differ from the article's table: {count} of {all}").format(
            count=differs.sum(), all=differs.size
        ),
        height=TITLE_SPACE + equation_height(parts, cell) + 0.45,
    )
    left, _right = equation(figure, MARGIN, TITLE_SPACE, parts, cell)
    for row, column in np.argwhere(differs):
        framed_cells(left, column, row)
    if differs.any():
        figure.write(
            MARGIN,
            TITLE_SPACE + equation_height(parts, cell) + 0.2,
            _("framed: differs"),
            color=DARK_VERMILION,
            fontsize=9,
        )
    figure.alt_text = together(
        _("Cells that differ: {count} of {all}.").format(count=differs.sum(), all=differs.size),
        describe_array(name or _("weights"), rounded, tokens),
        describe_array(_("the article's table"), table, tokens),
    )
    return figure


@drawn
def changed_rows(tokens, before, after, changed):
    """Draw how far each token's result moved when one token was changed.

    Parameters
    ----------
    tokens : list of str, length T
    before, after : ndarray, [T, dv]
        The results of the two calls.
    changed : int
        The position of the token that was changed.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape or the position does not fit.
    """
    tokens = need_tokens(tokens)
    changed = need_position(changed, "changed", len(tokens))
    before = need_array(before, "before", (len(tokens), "dv"), "causal_attention")
    after = need_array(after, "after", before.shape, "causal_attention")

    moved = np.abs(after - before).max(axis=1)
    earlier = int((moved[:changed] > 1e-9).sum())
    width = bars_width(tokens, BARS_LEFT)
    below = token_axis_height(tokens, width / len(tokens), changed)
    figure = LessonFigure(
        _("'{token}' is changed: {count} of {all} earlier results move").format(
            token=tokens[changed], count=earlier, all=changed
        ),
        height=TITLE_SPACE + 1.3 + below + 0.1,
    )
    ax = figure.axes_at(BARS_LEFT, TITLE_SPACE, width, 1.3)
    bars(ax, moved, tokens, changed, word=_("changed"), fmt=".2f")
    figure.write(MARGIN, TITLE_SPACE + 0.5, _("result"), fontweight="bold", fontsize=10.5)
    figure.write(MARGIN, TITLE_SPACE + 0.72, _("moves by"), fontweight="bold", fontsize=10.5)
    figure.alt_text = _("Token '{token}' is changed. The results move by: {moves}.").format(
        token=tokens[changed],
        moves=listed(f"{quoted(t)} {number(m)}" for t, m in zip(tokens, moved, strict=True)),
    )
    return figure
