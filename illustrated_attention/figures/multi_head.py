"""Figures of lesson 04: from one wide vector to heads, and back."""

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle

from illustrated_attention.figures.cells import (
    heatmap,
    largest_size,
    strip,
    strip_scale,
    token_axis,
    token_axis_height,
)
from illustrated_attention.figures.needs import (
    NotDrawn,
    axes,
    need_array,
    need_dict,
    need_equal,
    need_position,
    need_tokens,
)
from illustrated_attention.figures.page import MARGIN, ROOM, TITLE_SPACE, WIDTH, LessonFigure, drawn
from illustrated_attention.figures.palette import (
    DARK_BLUE,
    DARK_GREEN,
    DARK_VERMILION,
    INK,
    MISSING,
    PAGE,
    PALE,
    TOKEN_TINTS,
)
from illustrated_attention.figures.words import (
    TIMES,
    describe_weights,
    fit_text,
    head_names,
    number,
    shape_text,
    text_width,
    token_label,
)
from illustrated_attention.language import _, labelled, listed, parted, quoted, together

ROW = 0.31  # height of a cell of numbers
STRIP = 0.42  # height of a vector drawn as a strip of colours

# One pale colour a token, each readable under black numbers; the tokens are named beside them.


# --- shapes ---------------------------------------------------------------------------------


@drawn
def shape_flow(stages):
    """Draw arrays as boxes with their shapes, from stage to stage.

    Parameters
    ----------
    stages : list of (str, dict of str to ndarray)
        For each stage the step that leads to it (not drawn for the first one), and its arrays
        by name.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If there are fewer than two stages, a stage without arrays, or an array is None.
    """
    if not isinstance(stages, (list, tuple)) or len(stages) < 2 or not all(map(_is_stage, stages)):
        raise NotDrawn(_("shape_flow needs two stages or more, each with at least one array."))
    for _step, arrays in stages:
        for name, array in arrays.items():
            need_array(array, name, tuple("n" * axes(array)))

    def widths(size):
        """Widths of the columns of boxes and of the arrows, for this type size."""
        boxes = [
            max(max(text_width(t, 1.1 * size) for t in (n, shape_text(a))) for n, a in s.items())
            + 0.2
            for _step, s in stages
        ]
        return boxes, [max(0.5, text_width(step, size) + 0.16) for step, _s in stages[1:]]

    size = 9.5
    while sum(map(sum, widths(size))) > ROOM and size > 5:
        size -= 0.25
    boxes, arrows = widths(size)
    slack = (ROOM - sum(boxes) - sum(arrows)) / len(boxes)
    boxes = [width + max(0, min(slack, 0.3)) for width in boxes]
    most = max(len(arrays) for _step, arrays in stages)
    box, gap = 0.52, 0.16
    tall = most * (box + gap) - gap
    figure = LessonFigure(
        _("Shapes, step by step"), height=TITLE_SPACE + max(tall, 0.8) + MARGIN + 0.05
    )
    page = figure.whole_page()
    middle = TITLE_SPACE + max(tall, 0.8) / 2
    left, said = MARGIN, []
    for place, ((step, arrays), width) in enumerate(zip(stages, boxes, strict=True)):
        if place:
            length = arrows[place - 1]
            figure.arrow((left + 0.06, middle), (left + length - 0.06, middle))
            figure.write(left + length / 2, middle - 0.17, step, ha="center", fontsize=size)
            left += length
        top = middle - (len(arrays) * (box + gap) - gap) / 2
        for name, array in arrays.items():
            page.add_patch(
                FancyBboxPatch(
                    (left, top),
                    width,
                    box,
                    boxstyle="round,pad=0,rounding_size=0.06",
                    facecolor=PALE,
                    edgecolor=INK,
                    linewidth=1,
                )
            )
            centre = left + width / 2
            figure.write(
                centre, top + 0.17, name, ha="center", fontsize=1.05 * size, fontweight="bold"
            )
            figure.write(centre, top + 0.37, shape_text(array), ha="center", fontsize=size)
            top += box + gap
        left += width
        words = listed(f"{name} {np.shape(array)}" for name, array in arrays.items())
        said.append(_("then {step}: {arrays}").format(step=step, arrays=words) if place else words)
    figure.alt_text = _("Shapes of arrays, step by step: {stages}.").format(stages=parted(said))
    return figure


def _is_stage(stage):
    return (
        isinstance(stage, (list, tuple))
        and len(stage) == 2
        and isinstance(stage[0], str)
        and isinstance(stage[1], dict)
        and bool(stage[1])
    )


@drawn
def qkv_slices(row, token):
    """Draw one token's result of c_attn as a strip of colours, cut into query, key and value.

    Parameters
    ----------
    row : ndarray, [3D]
        What x @ w + b gives for one token.
    token : str
        That token.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If `row` is not one row, or its length is not a multiple of 3.
    """
    (token,) = need_tokens([token])
    row = need_array(row, "row", ("3D",))
    if len(row) % 3:
        raise NotDrawn(
            _("row must have 3D numbers, a multiple of 3, but yours has {n}.").format(n=len(row))
        )
    names = (_("query"), _("key"), _("value"))
    ends = [i * len(row) // 3 for i in range(4)]
    figure = LessonFigure(
        _("One product gives {n} numbers for '{token}': query, key, value").format(
            n=len(row), token=token_label(token)
        ),
        height=TITLE_SPACE + 0.3 + STRIP + 0.75,
    )
    top = TITLE_SPACE + 0.3
    strip(figure.axes_at(MARGIN, top, ROOM, STRIP), row, largest_size(row))
    _boundaries(figure, MARGIN, top, ROOM, ends, names)
    strip_scale(figure, MARGIN, top + STRIP + 0.5, largest_size(row))
    figure.alt_text = together(
        _("{n} numbers of the token '{token}' in a row.").format(n=len(row), token=token),
        *(
            _("Numbers {start} to {end}: {name}, from {low} to {high}.").format(
                start=start,
                end=end - 1,
                name=name,
                low=number(row[start:end].min()),
                high=number(row[start:end].max()),
            )
            for name, start, end in zip(names, ends, ends[1:], strict=False)
        ),
    )
    return figure


def _boundaries(figure, left, top, width, ends, names):
    """Name the parts of a strip above it, mark the cuts, and number them under it."""
    scale = width / ends[-1]
    size = fit_text(names, 0.9 * width / len(names), 10)
    for name, start, end in zip(names, ends, ends[1:], strict=False):
        centre = left + scale * (start + end) / 2
        figure.write(centre, top - 0.15, name, ha="center", fontweight="bold", fontsize=size)
    ax = figure.axes_at(left, top - 0.06, width, STRIP + 0.12)
    ax.patch.set_visible(False)
    ax.set(xlim=(0, ends[-1]), ylim=(0, 1), yticks=[])
    ax.vlines(ends[1:-1], 0, 1, color=INK, linewidth=2.4)
    ax.set_xticks(ends, [str(end) for end in ends])
    ax.tick_params(axis="x", labelsize=9, labelcolor=INK, pad=3)


# --- where every number goes ------------------------------------------------------------------


@drawn
def index_map(tokens, before, results):
    """Draw where each number of an array ends up in the heads.

    Parameters
    ----------
    tokens : list of str, length T
    before : ndarray, [T, D]
        All numbers different, such as ``np.arange(T * D).reshape(T, D)``.
    results : dict of str to ndarray [H, T, d]
        The heads that different ways of cutting give, by the name of the way. Their rows are
        compared with the right ones, the slices of `before`.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit, if numbers come twice in `before`, or if `results` is empty.
    """
    tokens = need_tokens(tokens)
    n_tokens = len(tokens)
    before = need_array(before, "before", (n_tokens, "D"))
    width = before.shape[1]
    if len(np.unique(before)) < before.size:
        raise NotDrawn(_("The numbers of before must all be different, to be told apart."))
    results = need_dict(results, "results")
    heads = {name: need_array(a, name, ("H", n_tokens, "d")) for name, a in results.items()}
    for name, array in heads.items():
        if array.shape[0] * array.shape[2] != width:
            raise NotDrawn(
                _("{name} must share out {width} features, but yours has shape {shape}.").format(
                    name=name, width=width, shape=array.shape
                )
            )

    labels = [token_label(token) for token in tokens]
    home = {value: index for index, value in np.ndenumerate(before)}
    faults = {name: _faults(before, array, home, labels) for name, array in heads.items()}
    names = max(text_width(label, 9) for label in labels) + 0.12
    notes = 0.25 + max(
        1.1 * text_width(f"✗ {fault}", 9) for rows in faults.values() for fault in rows.values()
    )
    most = max(array.shape[0] for array in heads.values())
    arrow = 0.55
    cell = min(0.36, (ROOM - names - arrow - most * notes) / (2 * width))
    panel = 0.66 + ROW * n_tokens
    figure = LessonFigure(
        _("Where each number goes: rows and colours are tokens"),
        height=TITLE_SPACE + panel * len(heads) + MARGIN,
    )
    left, top = MARGIN + names, TITLE_SPACE + panel * (len(heads) - 1) / 2 + 0.5
    _numbered_cells(figure, left, top, before, home, cell)
    for row, label in enumerate(labels):
        figure.write(left - 0.07, top + ROW * (row + 0.5), label, ha="right", fontsize=9)
    title = {"ha": "center", "fontweight": "bold"}
    figure.write(left + cell * width / 2, top - 0.15, _("before"), **title)
    origin = (left + cell * width + 0.08, top + ROW * n_tokens / 2)
    said = [_("Before, row by row: {rows}.").format(rows=_rows(before, tokens))]
    for place, (name, array) in enumerate(heads.items()):
        left, top = origin[0] + arrow - 0.08, TITLE_SPACE + panel * place + 0.5
        figure.arrow(origin, (left - 0.08, top + ROW * n_tokens / 2))
        figure.write(left, top - 0.4, name, fontweight="bold", fontsize=10.5, color=DARK_BLUE)
        said.append(_("{name}:").format(name=name))
        for head, cells in enumerate(array):
            _numbered_cells(figure, left, top, cells, home, cell)
            head_name = _("head {head}").format(head=head)
            left += cell * cells.shape[1]
            figure.write(left - cell * cells.shape[1] / 2, top - 0.15, head_name, ha="center")
            for row in range(n_tokens):
                fault = faults[name][head, row]
                figure.write(
                    left + 0.06,
                    top + ROW * (row + 0.5),
                    f"✗ {fault}" if fault else "✓",
                    fontsize=9,
                    color=DARK_VERMILION if fault else DARK_GREEN,
                    fontweight="bold",
                )
            left += notes
            text = _("{head}, {rows};")
            said.append(text.format(head=head_name, rows=_rows(cells, tokens)))
            wrong = [
                f"{quoted(token)} {faults[name][head, row]}"
                for row, token in enumerate(tokens)
                if faults[name][head, row]
            ]
            said.append(
                _("wrong rows: {rows}.").format(rows=listed(wrong))
                if wrong
                else _("all rows are right.")
            )
    figure.alt_text = together(*said)
    return figure


def _faults(before, array, home, labels):
    """Say for every head and row what is wrong with it; an empty text if nothing is."""
    n_head, n_tokens, d = array.shape
    return {
        (head, row): ""
        if np.array_equal(array[head, row], before[row, head * d : (head + 1) * d])
        else _origin(array[head, row], row, home, labels)
        for head in range(n_head)
        for row in range(n_tokens)
    }


def _rows(array, tokens):
    return parted(
        f"{quoted(token)} " + listed(f"{value:g}" for value in row)
        for token, row in zip(tokens, array, strict=True)
    )


def _origin(values, row, home, labels):
    """Say from which tokens the numbers of a wrong row come."""
    if any(value not in home for value in values):
        return _("unknown numbers")
    sources = {home[value][0] for value in values}
    if sources == {row}:
        return _("other features")
    return _("from {tokens}").format(tokens=listed(labels[i] for i in sorted(sources)))


def _numbered_cells(figure, left, top, array, home, cell):
    """Draw a grid of numbers, each in the colour of the token it came from."""
    rows, columns = array.shape
    ax = figure.axes_at(left, top, cell * columns, ROW * rows)
    ax.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
    size = fit_text([f"{value:g}" for value in array.flat], 0.8 * cell, 9.5)
    for (row, column), value in np.ndenumerate(array):
        tint = TOKEN_TINTS[home[value][0] % len(TOKEN_TINTS)] if value in home else MISSING
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor=tint, edgecolor=PAGE, linewidth=1.2))
        ax.text(column + 0.5, row + 0.5, f"{value:g}", ha="center", va="center", fontsize=size)
    ax.spines[:].set(visible=True, color=INK, linewidth=1)


# --- one token in all heads -------------------------------------------------------------------


@drawn
def head_rows(tokens, weights, query):
    """Draw one query's row of weights in every head, one under the other.

    Parameters
    ----------
    tokens : list of str, length T
    weights : ndarray, [H, T, T]
    query : int
        The query's position, from 0.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the shape or the position does not fit.
    """
    tokens = need_tokens(tokens)
    query = need_position(query, "query", len(tokens))
    shape = ("H", len(tokens), len(tokens))
    rows = need_array(weights, "weights", shape, "multi_head_attention")[:, query, :]
    names = head_names(len(rows))
    token = token_label(tokens[query])

    left = MARGIN + max(text_width(name, 9.5) for name in names) + 0.15
    width = min(WIDTH - MARGIN - left, 0.85 * len(tokens))
    height = ROW * len(rows)
    below = token_axis_height(tokens, width / len(tokens), query)
    figure = LessonFigure(
        _("Where '{token}' looks, head by head").format(token=token),
        height=TITLE_SPACE + 0.25 + height + below + 0.15,
    )
    ax = figure.axes_at(left, TITLE_SPACE + 0.25, width, height)
    title = _("weights of '{token}'").format(token=token)
    heatmap(ax, rows, names, fmt=".1%", name=title, colours="weights", limit=1.0)
    ax.xaxis.tick_bottom()
    token_axis(ax, tokens, query)
    figure.alt_text = together(
        *(
            labelled(name, describe_weights(tokens, row, query, 3))
            for name, row in zip(names, rows, strict=True)
        )
    )
    return figure


@drawn
def head_results(tokens, z, query):
    """Draw what every head found for one token: one row a head.

    Parameters
    ----------
    tokens : list of str, length T
    z : ndarray, [H, T, d]
        The results of the heads before they are merged.
    query : int
        The token's position, from 0.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the shape or the position does not fit.
    """
    tokens = need_tokens(tokens)
    query = need_position(query, "query", len(tokens))
    z = need_array(z, "z", ("H", len(tokens), "d"), "split_heads")
    rows = z[:, query, :]
    names = head_names(len(rows))
    left = MARGIN + max(text_width(name, 9.5) for name in names) + 0.15
    step = STRIP + 0.08
    bottom = TITLE_SPACE + 0.25 + step * len(rows)
    figure = LessonFigure(
        _("What each head found for '{token}'").format(token=token_label(tokens[query])),
        height=bottom + 0.4,
    )
    limit = largest_size(rows)
    title = _("z of '{token}'").format(token=token_label(tokens[query]))
    middle = (left + WIDTH - MARGIN) / 2
    style = {"ha": "center", "fontsize": 10, "fontweight": "bold"}
    figure.write(
        middle,
        TITLE_SPACE + 0.08,
        labelled(title, shape_text(rows)),
        **style,
    )
    for place, (name, row) in enumerate(zip(names, rows, strict=True)):
        top = TITLE_SPACE + 0.25 + step * place
        figure.write(left - 0.1, top + STRIP / 2, name, ha="right", fontsize=9.5)
        strip(figure.axes_at(left, top, WIDTH - MARGIN - left, STRIP), row, limit)
    strip_scale(figure, left, bottom + 0.12, limit)
    figure.alt_text = together(
        _("Results of {heads} heads for '{token}', {d} numbers each.").format(
            heads=len(rows), token=tokens[query], d=rows.shape[1]
        ),
        *(_strip_words(name, row) for name, row in zip(names, rows, strict=True)),
    )
    return figure


@drawn
def concatenation(tokens, z, merged, query):
    """Draw how the heads' results for one token are put side by side.

    Parameters
    ----------
    tokens : list of str, length T
    z : ndarray, [H, T, d]
        The results of the heads.
    merged : ndarray, [T, H*d]
        What the learner's merge makes of them.
    query : int
        The token's position, from 0.

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
    z = need_array(z, "z", ("H", len(tokens), "d"), "split_heads")
    n_head, _t, d = z.shape
    merged = need_array(merged, "merged", (len(tokens), n_head * d), "multi_head_attention")
    said = _("merged holds the heads side by side")
    need_equal(merged, np.concatenate(list(z), axis=-1), said, "split_heads")
    parts, row = z[:, query, :], merged[query]
    limit = largest_size(parts, row)
    names = head_names(n_head)
    ends = [head * d for head in range(n_head + 1)]
    figure = LessonFigure(
        _("Merge: the heads of '{token}' side by side, {h} {times} {d} = {width}").format(
            token=token_label(tokens[query]), h=n_head, times=TIMES, d=d, width=n_head * d
        ),
        height=TITLE_SPACE + 0.3 + STRIP + 0.75 + STRIP + 0.75,
    )
    top, gap = TITLE_SPACE + 0.3, min(0.16, 0.3 * ROOM / n_head)
    lower = top + STRIP + 0.75
    part = ROOM / n_head - gap
    size = fit_text(names, part, 10)
    for head, name in enumerate(names):
        left = MARGIN + head * ROOM / n_head + gap / 2
        middle = left + part / 2
        strip(figure.axes_at(left, top, part, STRIP), parts[head], limit)
        figure.write(middle, top - 0.15, name, ha="center", fontweight="bold", fontsize=size)
        figure.arrow((middle, top + STRIP + 0.06), (middle, lower - 0.3))
    strip(figure.axes_at(MARGIN, lower, ROOM, STRIP), row, limit)
    _boundaries(figure, MARGIN, lower, ROOM, ends, [f"{a}:{a + d}" for a in ends[:-1]])
    strip_scale(figure, MARGIN, lower + STRIP + 0.48, limit)
    figure.alt_text = together(
        _("The results of {heads} heads for '{token}', {d} numbers each:").format(
            heads=n_head, token=tokens[query], d=d
        ),
        *(_strip_words(name, part) for name, part in zip(names, parts, strict=True)),
        _("Under them the merged row of {n} numbers, cut at {ends}.").format(
            n=len(row), ends=listed(map(str, ends))
        ),
        _("It holds the heads one after the other."),
    )
    return figure


def _strip_words(name, values):
    return _("{name}: from {low} to {high}.").format(
        name=name, low=number(values.min()), high=number(values.max())
    )
