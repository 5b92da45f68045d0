"""Figures of lesson 01: one row of attention, and the steps that lead to it."""

import numpy as np

from illustrated_attention.figures.cells import (
    BARS_LEFT,
    bars,
    bars_width,
    largest_size,
    token_axis_height,
)
from illustrated_attention.figures.equations import (
    Grid,
    cell_width,
    equation,
    equation_height,
    equation_width,
)
from illustrated_attention.figures.needs import (
    need_array,
    need_equal,
    need_position,
    need_tokens,
    query_row,
)
from illustrated_attention.figures.page import (
    MARGIN,
    TITLE_SPACE,
    WIDTH,
    LessonFigure,
    drawn,
    name_line,
)
from illustrated_attention.figures.palette import (
    BLUE,
    DARK_BLUE,
    GREY,
    INK,
    PAGE,
    PALE,
    VERMILION,
)
from illustrated_attention.figures.words import (
    TIMES,
    describe_array,
    describe_weights,
    number,
    percent,
    text_width,
)
from illustrated_attention.language import _, listed, quoted, together


@drawn
def attention_row(tokens, weights, query):
    """Draw how much one token, the query, takes from every token.

    Parameters
    ----------
    tokens : list of str, length T
    weights : ndarray, [T, T] or [T]
        All rows, or the query's row alone.
    query : int
        The query's position, from 0.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape or the position does not fit.
    """
    tokens = need_tokens(tokens)
    query = need_position(query, "query", len(tokens))
    row = query_row(weights, "weights", tokens, query, "softmax")

    width = bars_width(tokens, left=MARGIN)
    below = token_axis_height(tokens, width / len(tokens), query)
    figure = LessonFigure(
        _("What '{token}' takes from each token: {total} in all").format(
            token=tokens[query], total=percent(row.sum())
        ),
        height=TITLE_SPACE + 1.6 + below + 0.1,
    )
    ax = figure.axes_at(MARGIN, TITLE_SPACE, width, 1.6)
    bars(ax, row, tokens, query)
    figure.alt_text = describe_weights(tokens, row, query)
    return figure


@drawn
def projections(x, w_q, w_k, w_v, q, k, v, tokens):
    """Draw the three multiplications that make the queries, the keys and the values.

    Parameters
    ----------
    x : ndarray, [T, D]
    w_q, w_k : ndarray, [D, d]
    w_v : ndarray, [D, dv]
    q, k : ndarray, [T, d]
    v : ndarray, [T, dv]
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
    x = need_array(x, "x", (len(tokens), "D"))
    arrays = []
    for weight, result, small in ((w_q, q, "q"), (w_k, k, "k"), (w_v, v, "v")):
        weight = need_array(weight, f"w_{small}", (x.shape[1], "d"))
        result = need_array(result, small, (len(tokens), weight.shape[1]), "make_qkv")
        need_equal(result, x @ weight, f"x @ w_{small} = {small}", "make_qkv")
        arrays.append((weight, result, small))

    limit = largest_size(x, *(array for weight, result, _n in arrays for array in (weight, result)))
    titles = {"q": _("queries q"), "k": _("keys k"), "v": _("values v")}
    lines = [
        [
            "@",
            Grid(weight, f"w_{small}", limit=limit),
            "=",
            Grid(result, titles[small], limit=limit),
        ]
        for weight, result, small in arrays
    ]
    whole = [Grid(x, "x", tokens, limit=limit)]
    cell = min(cell_width([*whole, *line]) for line in lines)
    heights = [equation_height(line, cell) + 0.22 for line in lines]
    figure = LessonFigure(
        _("Project: the same rows of x give queries, keys and values"),
        height=TITLE_SPACE + sum(heights) + 0.05,
    )
    middle = TITLE_SPACE + (sum(heights) - equation_height(whole, cell)) / 2
    equation(figure, MARGIN, middle, whole, cell)
    top, left = TITLE_SPACE, MARGIN + equation_width(whole, cell)
    for line, height in zip(lines, heights, strict=True):
        equation(figure, left, top, line, cell)
        top += height
    figure.alt_text = together(
        _("Three matrix products: x @ w_q = q, x @ w_k = k, x @ w_v = v."),
        describe_array("x", x, tokens),
        *(describe_array(small, result, tokens) for _w, result, small in arrays),
    )
    return figure


@drawn
def scores_and_weights(tokens, scores, weights, query):
    """Draw the scores of one query and, under them, the weights that softmax makes of them.

    Parameters
    ----------
    tokens : list of str, length T
    scores, weights : ndarray, [T, T] or [T]
        All rows, or the query's row alone.
    query : int
        The query's position, from 0.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape or the position does not fit.
    """
    tokens = need_tokens(tokens)
    query = need_position(query, "query", len(tokens))
    score_row = query_row(scores, "scores", tokens, query, "scaled_scores")
    weight_row = query_row(weights, "weights", tokens, query, "softmax")

    width = bars_width(tokens, BARS_LEFT)
    below = token_axis_height(tokens, width / len(tokens), query)
    figure = LessonFigure(
        _("Softmax: the scores of '{token}' become weights").format(token=tokens[query]),
        height=TITLE_SPACE + 1.3 + 0.3 + 1.3 + below + 0.1,
    )
    upper = figure.axes_at(BARS_LEFT, TITLE_SPACE, width, 1.3)
    bars(upper, score_row, tokens, fmt=".2f", colour=BLUE)
    upper.set_xticks([])
    lower = figure.axes_at(BARS_LEFT, TITLE_SPACE + 1.6, width, 1.3)
    bars(lower, weight_row, tokens, query)
    for top, name, note in (
        (0.45, _("scores"), _("any number")),
        (2.05, _("weights"), _("sum: {total}").format(total=percent(weight_row.sum()))),
    ):
        figure.write(MARGIN, TITLE_SPACE + top, name, fontweight="bold", fontsize=10.5)
        figure.write(MARGIN, TITLE_SPACE + top + 0.22, note, color=GREY, fontsize=9)
    figure.alt_text = together(
        _("Scores of the query '{token}': {values}.").format(
            token=tokens[query],
            values=listed(
                f"{quoted(token)} {number(score)}"
                for token, score in zip(tokens, score_row, strict=True)
            ),
        ),
        describe_weights(tokens, weight_row, query),
    )
    return figure


@drawn
def weighted_values(tokens, weights, v, query):
    """Draw each value times its weight, and the sum of all of them.

    A row fades as its weight falls, because all cells share one colour scale.

    Parameters
    ----------
    tokens : list of str, length T
    weights : ndarray, [T, T] or [T]
        All rows, or the query's row alone.
    v : ndarray, [T, dv]
    query : int
        The query's position, from 0.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape or the position does not fit.
    """
    tokens = need_tokens(tokens)
    query = need_position(query, "query", len(tokens))
    row = query_row(weights, "weights", tokens, query, "softmax")
    v = need_array(v, "v", (len(tokens), "dv"), "make_qkv")

    parts_of_sum = row[:, None] * v
    total = parts_of_sum.sum(axis=0)
    limit = largest_size(v, total)
    parts = [
        Grid(row[:, None], _("weights"), tokens, colours="weights", limit=max(1.0, row.max())),
        TIMES,
        Grid(v, "v", limit=limit),
        "=",
        Grid(parts_of_sum, _("weight {times} value").format(times=TIMES), tokens, limit=limit),
    ]
    cell = cell_width(parts, largest=0.7)
    height = equation_height(parts, cell)
    result = [Grid(total[None, :], _("sum of the rows"), [tokens[query]], limit=limit)]
    figure = LessonFigure(
        _("Sum: '{token}' takes a part of every value").format(token=tokens[query]),
        height=TITLE_SPACE + height + 0.33 + equation_height(result, cell) + MARGIN,
    )
    equation(figure, MARGIN, TITLE_SPACE, parts, cell)
    left = MARGIN + equation_width(parts, cell) - equation_width(result, cell)
    middle = left + equation_width(result, cell) - cell * len(total) / 2
    arrow_top = TITLE_SPACE + height + 0.06
    figure.arrow((middle, arrow_top), (middle, arrow_top + 0.26))
    equation(figure, left, TITLE_SPACE + height + 0.33, result, cell)
    figure.alt_text = together(
        describe_weights(tokens, row, query),
        describe_array(_("weight {times} value").format(times=TIMES), parts_of_sum, tokens),
        _("Their sum is {values}.").format(values=listed(number(n) for n in total)),
    )
    return figure


@drawn
def pipeline(x, q, k, v, weights, out, tokens):
    """Draw self-attention in its five steps, with the shapes of all arrays.

    Parameters
    ----------
    x : ndarray, [T, D]
    q, k : ndarray, [T, d]
    v, out : ndarray, [T, dv]
    weights : ndarray, [T, T]
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
    n = len(tokens)
    x = need_array(x, "x", (n, "D"))
    q = need_array(q, "q", (n, "d"), "make_qkv")
    k = need_array(k, "k", q.shape, "make_qkv")
    v = need_array(v, "v", (n, "dv"), "make_qkv")
    weights = need_array(weights, "weights", (n, n), "self_attention")
    out = need_array(out, "out", v.shape, "self_attention")
    need_equal(out, weights @ v, "weights @ v = out", "self_attention")

    scores = q @ k.T
    scaled = scores / np.sqrt(q.shape[1])
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    said = "softmax(q @ k.T / √d) = weights"
    need_equal(weights, powers / powers.sum(axis=1, keepdims=True), said, "self_attention")

    limit = largest_size(x, q, k, v, scores, out)
    lines = [
        [
            Grid(x, "x", tokens, limit=limit),
            "→",
            Grid(q, "q", limit=limit),
            "",
            Grid(k, "k", limit=limit),
            "",
            Grid(v, "v", limit=limit),
        ],
        [
            Grid(scores, _("scores"), tokens, tokens, limit=limit),
            "→",
            Grid(scaled, _("scaled"), None, tokens, limit=limit),
            "→",
            Grid(weights, _("weights"), None, tokens, colours="weights", limit=1.0),
        ],
        [
            Grid(weights, _("weights"), tokens, colours="weights", limit=1.0),
            "@",
            Grid(v, "v", limit=limit),
            "=",
            Grid(out, "out", limit=limit),
        ],
    ]
    cell = min(0.5, *map(cell_width, lines))
    steps = [
        [(0, _("1  Project"), "q = x @ w_q,  k = x @ w_k,  v = x @ w_v")],
        [
            (0, _("2  Score"), "q @ kᵀ"),
            (1, _("3  Scale"), "÷ √d"),
            (2, _("4  Softmax"), _("each row")),
        ],
        [(0, _("5  Sum"), "weights @ v")],
    ]
    heading, gap = 0.3, 0.3
    heights = [heading + equation_height(line, cell) + gap for line in lines]
    figure = LessonFigure(_("Self-attention in five steps"), height=TITLE_SPACE + sum(heights))
    top = TITLE_SPACE
    for line, names, height in zip(lines, steps, heights, strict=True):
        grids = equation(figure, MARGIN, top + heading, line, cell)
        for grid, name, formula in names:
            left = MARGIN if grid == 0 else grids[grid].get_position().x0 * WIDTH
            figure.write(left, top + 0.08, name, fontsize=10.5, fontweight="bold", color=DARK_BLUE)
            left += text_width(name, 10.5) * 1.13 + 0.12
            figure.write(left, top + 0.08, formula, color=GREY)
        top += height
    figure.alt_text = together(
        _("Self-attention in five steps."),
        _("Project: x {x} gives q {q}, k {k} and v {v}.").format(
            **{name: array.shape for name, array in zip("xqkv", (x, q, k, v), strict=True)}
        ),
        _("Score, scale, softmax: q and k give weights {shape}.").format(shape=weights.shape),
        _("Sum: weights and v give out {shape}.").format(shape=out.shape),
        describe_array(_("weights"), weights, tokens),
        describe_array("out", out, tokens),
    )
    return figure


@drawn
def saturation(dims, largest_unscaled, largest_scaled):
    """Draw the largest weight against the size d of a head, with and without scaling.

    Parameters
    ----------
    dims : list of int
        Sizes of a head, rising.
    largest_unscaled, largest_scaled : list of float
        For each size, the largest weight in a row, averaged over rows.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the three do not have the same length.
    """
    dims = need_array(dims, "dims", ("n",))
    unscaled = need_array(largest_unscaled, "largest_unscaled", dims.shape)
    scaled = need_array(largest_scaled, "largest_scaled", dims.shape)

    figure = LessonFigure(
        _("Scale: the largest weight as d grows, with scaling and without"), height=3.8
    )
    ax = figure.axes_at(MARGIN + 0.5, TITLE_SPACE + 0.2, 5.0, 2.3)
    ax.set_xscale("log", base=2)
    ax.set_xticks(dims, [format(int(d)) for d in dims])
    ax.minorticks_off()
    ax.set_ylim(0, 1.04)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    ax.grid(axis="y", color=PALE, linewidth=1.2)
    ax.set_axisbelow(True)
    ax.spines["bottom"].set_visible(True)
    ax.tick_params(labelcolor=INK)
    ax.set_xlabel(_("d, the size of a query and of a key"))
    ax.set_title(
        _("mean of the largest weight in a row"), loc="left", fontsize=9.5, color=GREY, pad=10
    )
    for values, colour, marker, line, name in (
        (unscaled, VERMILION, "s", "--", _("scores as they are")),
        (scaled, BLUE, "o", "-", _("scores / √d")),
    ):
        ax.plot(
            dims,
            values,
            line,
            color=colour,
            marker=marker,
            markersize=7,
            linewidth=2,
            markeredgecolor=PAGE,
        )
        words = f"{name}\n{percent(values[-1])}"
        name_line(ax, words, (dims[-1], values[-1]), colour, (14, 0))
    figure.alt_text = together(
        _("The mean of the largest weight in a row, for several sizes d."),
        *(
            _("d = {d}: {unscaled} without scaling, {scaled} with scaling.").format(
                d=int(d), unscaled=percent(raw), scaled=percent(calm)
            )
            for d, raw, calm in zip(dims, unscaled, scaled, strict=True)
        ),
    )
    return figure
