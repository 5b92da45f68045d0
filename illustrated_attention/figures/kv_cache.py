"""Figures of lesson 03: what a cache keeps, who may look at it, what it saves and what it costs."""

from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from illustrated_attention.figures.cells import (
    framed,
    hatched,
    largest_size,
    mask_cell,
    plain_names,
    signed_bars,
)
from illustrated_attention.figures.needs import (
    NotDrawn,
    need_array,
    need_mask,
    need_pair,
    need_position,
    need_tokens,
)
from illustrated_attention.figures.page import MARGIN, ROOM, TITLE_SPACE, WIDTH, LessonFigure, drawn
from illustrated_attention.figures.palette import (
    BLUE,
    DARK_BLUE,
    DARK_VERMILION,
    GREY,
    HAIRLINE,
    INK,
    PAGE,
    PALE,
    PALE_GREEN,
    QUERY_COLOUR,
    VERMILION,
)
from illustrated_attention.figures.words import fit_text, text_width, token_label
from illustrated_attention.language import _, listed, quoted, together

NAMES = 1.05  # inches for the names of layers and of q, k, v
COLUMN = 1.3  # the widest column of a token
STRIP, STRIP_GAP, LAYER_GAP = 0.24, 0.05, 0.18
SQUARE = 0.2  # one projected token in the count


@drawn
def cache_step(tokens, layers, step, caches=None):
    """Draw what there is at one step of writing: a row of q, k and v for each layer.

    The newest token has a query, a key and a value in every layer. Of older tokens the keys and
    values are kept; their queries are crossed out. Under it, each token that had to be projected
    is a square.

    Parameters
    ----------
    tokens : list of str, length T
    layers : list of (q, k, v)
        For each layer the queries and keys [T, d] and the values [T, dv] of all tokens.
    step : int
        The position of the newest token, from 0.
    caches : list of (k, v) or None
        For each layer what the cache holds after this step; by default the first ``step + 1`` rows
        of k and v.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape or the step does not fit.
    """
    tokens = need_tokens(tokens)
    step = need_position(step, "step", len(tokens))
    layers = need_layers(layers, len(tokens))
    if caches is None:
        caches = [(k[: step + 1], v[: step + 1]) for _q, k, v in layers]
    caches = need_caches(caches, layers, tokens, step)

    labels = [token_label(token) for token in tokens]
    column = min(COLUMN, (WIDTH - MARGIN - NAMES - MARGIN) / len(tokens))
    layer_height = 3 * STRIP + 2 * STRIP_GAP
    heads = 0.34
    table_height = heads + len(layers) * (layer_height + LAYER_GAP)
    squares = min(SQUARE, 3.2 / len(tokens))
    counts_top = TITLE_SPACE + table_height + 0.42
    counts_height = max(squares * len(tokens), 0.75)  # the same at every step: nothing jumps
    figure = LessonFigure(
        _("Step {number}: '{token}' is read").format(number=step + 1, token=tokens[step]),
        height=counts_top + 0.3 + counts_height + 0.12,
    )
    left = MARGIN + NAMES
    size = fit_text(labels, 0.88 * column, 10)
    for position, label in enumerate(labels):
        new = position == step
        frame = framed(QUERY_COLOUR, 1.8)
        figure.write(
            left + (position + 0.5) * column,
            TITLE_SPACE + 0.06,
            label,
            ha="center",
            fontsize=size,
            fontweight="bold" if new else "normal",
            color=INK if position <= step else GREY,
            bbox=frame if new else None,
        )

    # One set of axes, in inches from its upper left corner: one for each strip would be slow.
    table = figure.axes_at(left, TITLE_SPACE, column * len(tokens), table_height + 0.3)
    table.set(xlim=(0, column * len(tokens)), ylim=(table_height + 0.3, 0), xticks=[], yticks=[])
    limit = largest_size(*(array for layer in layers for array in layer))
    for number, ((q, _k, _v), (k, v)) in enumerate(zip(layers, caches, strict=True)):
        top = heads + number * (layer_height + LAYER_GAP)
        figure.write(
            MARGIN,
            TITLE_SPACE + top + layer_height / 2,
            _("layer {number}").format(number=number),
            fontweight="bold",
        )
        for line, (name, rows) in enumerate((("q", q), ("k", k), ("v", v))):
            y = top + line * (STRIP + STRIP_GAP)
            figure.write(left - 0.16, TITLE_SPACE + y + STRIP / 2, name, ha="center", fontsize=10)
            for position in range(len(tokens)):
                state = _state(name, position, step)
                row = rows[position] if state in ("new", "kept") else None
                box = (position * column + 0.07, y, column - 0.14, STRIP)
                _strip(table, box, state, row, limit).set_gid(f"{name}{position} {state}")
    _legend(table, table_height)
    _draw_counts(figure, counts_top, squares, step, labels)
    figure.alt_text = _step_words(tokens, layers, caches, step)
    return figure


def need_layers(layers, n):
    if not isinstance(layers, (list, tuple)) or not all(
        isinstance(layer, (list, tuple)) and len(layer) == 3 for layer in layers
    ):
        raise NotDrawn(_("layers must be a list with (q, k, v) for each layer."))
    checked = []
    for q, k, v in layers:
        q = need_array(q, "q", (n, "d"), "make_qkv")
        k = need_array(k, "k", q.shape, "make_qkv")
        checked.append((q, k, need_array(v, "v", (n, "dv"), "make_qkv")))
    return checked


def need_caches(caches, layers, tokens, step):
    """Return a copy of each layer's cache: the keys and values of the tokens so far, in order."""
    if not isinstance(caches, (list, tuple)) or len(caches) != len(layers):
        text = _("caches must be a list with one cache for each layer, {count} in all.")
        raise NotDrawn(text.format(count=len(layers)))
    checked = []
    for cache, (_q, k, v) in zip(caches, layers, strict=True):
        keys, values = need_pair(cache, "append_kv")
        checked.append(
            (
                _need_rows(keys, k, _("the keys in the cache"), tokens, step).copy(),
                _need_rows(values, v, _("the values in the cache"), tokens, step).copy(),
            )
        )
    return checked


def _need_rows(rows, of_all, what, tokens, step):
    rows = need_array(rows, what, ("n", of_all.shape[1]), "append_kv")
    if len(rows) != step + 1:
        text = _(
            "After step {right} there must be {right} rows of {what}, one for each token so far, "
            "but your append_kv left {count}."
        )
        raise NotDrawn(text.format(what=what, right=step + 1, count=len(rows)))
    for place, row in enumerate(rows):
        like = [i for i, other in enumerate(of_all) if np.allclose(row, other, equal_nan=True)]
        if place not in like:
            of = _("that of '{token}'").format(token=tokens[like[0]]) if like else _("no token's")
            text = _(
                "Row {place} of {what} must be that of '{token}', but your append_kv made it {of}."
            )
            raise NotDrawn(text.format(place=place, what=what, token=tokens[place], of=of))
    return rows


def _state(name, position, step):
    """Say what there is of one vector: "new", "kept", "dropped" or nothing ("empty")."""
    if position >= step:
        return "new" if position == step else "empty"
    return "dropped" if name == "q" else "kept"


def _strip(ax, box, state, row, limit):
    """Draw one vector as a strip of bars, or the place where it would stand."""
    left, top, width, height = box
    if row is not None:
        cell, middle = width / len(row), top + height / 2
        ax.plot((left, left + width), (middle, middle), color=HAIRLINE, linewidth=0.6, zorder=0)
        lefts = left + (np.arange(len(row)) + 0.15) * cell
        signed_bars(ax, lefts, 0.7 * cell, np.nan_to_num(row), middle, -height / 2 / limit)
    elif state == "dropped":
        ends = (left, left + width)
        for heights in ((top, top + height), (top + height, top)):
            ax.plot(ends, heights, color=GREY, linewidth=1.2, zorder=2)
    style: dict[str, Any] = {
        "new": {"edgecolor": INK, "linewidth": 2.2, "zorder": 3},
        "kept": {"edgecolor": GREY, "linewidth": 0.8},
        "dropped": {"facecolor": PALE, "edgecolor": GREY, "linewidth": 0.8},
        "empty": {"edgecolor": HAIRLINE, "linewidth": 0.8, "linestyle": (0, (1, 2))},
    }[state]
    return ax.add_artist(
        Rectangle((left, top), width, height, **{"facecolor": "none", "clip_on": False, **style})
    )


def _legend(ax, top):
    """Say what the frames mean: new, kept, dropped."""
    left = 0.07
    for state, text in (
        ("new", _("new")),
        ("kept", _("kept in the cache")),
        ("dropped", _("used once, not kept")),
    ):
        row = None if state == "dropped" else np.array([0.6, -0.4, 0.2])
        _strip(ax, (left, top + 0.03, 0.42, STRIP), state, row, 1.0)
        ax.text(left + 0.52, top + 0.03 + STRIP / 2, text, fontsize=9, color=INK, va="center")
        left += 0.52 + text_width(text, 9) + 0.35


def _draw_counts(figure, top, square, step, labels):
    """Draw a square for each token that was projected: a line for each step so far."""
    figure.write(
        MARGIN,
        top + 0.08,
        _("Tokens projected so far, in each layer"),
        fontweight="bold",
        fontsize=10.5,
    )
    names = max(text_width(label, 9) for label in labels[: step + 1]) + 0.12
    top += 0.28
    ax = figure.axes_at(MARGIN + names, top, square * (step + 1), square * (step + 1))
    ax.set(xlim=(0, step + 1), ylim=(step + 1, 0), xticks=[])
    ax.set_yticks(np.arange(step + 1) + 0.5, labels[: step + 1])
    ax.tick_params(labelsize=min(9, 72 * 0.85 * square), labelcolor=INK, pad=3)
    plain_names(ax)
    for row in range(step + 1):
        for column in range(row + 1):
            again = column < row
            ax.add_artist(
                Rectangle(
                    (column + 0.08, row + 0.08),
                    0.84,
                    0.84,
                    linewidth=0.8,
                    facecolor=PAGE if again else BLUE,
                    edgecolor=VERMILION if again else BLUE,
                    hatch="////" if again else None,
                )
            )
    x = MARGIN + names + square * (step + 1) + 0.45
    with_cache, without = step + 1, (step + 1) * (step + 2) // 2
    for line, (text, colour) in enumerate(
        (
            (_("with a cache: {count}").format(count=with_cache), DARK_BLUE),
            (_("without a cache: {count}").format(count=without), DARK_VERMILION),
        )
    ):
        figure.write(
            x, top + 0.14 + 0.26 * line, text, fontsize=11, fontweight="bold", color=colour
        )
    figure.write(
        x,
        top + 0.64,
        _("filled: needed; hatched: done again, because nothing was kept"),
        fontsize=9,
        color=GREY,
    )


def _step_words(tokens, layers, caches, step):
    words = [
        _("Step {number}: '{token}' is read.").format(number=step + 1, token=tokens[step]),
        _("It is new: a query, a key and a value in every layer. Layers: {layers}.").format(
            layers=len(layers)
        ),
    ]
    for number, (k, v) in enumerate(caches):
        words.append(
            _("In the cache of layer {number}: keys {keys}, values {values}.").format(
                number=number, keys=len(k), values=len(v)
            )
        )
    if step:
        words.append(
            _("The queries of {tokens} are crossed out.").format(
                tokens=listed(map(quoted, tokens[:step]))
            )
        )
    words.append(
        _(
            "Tokens projected so far in each layer: {with_cache} with a cache, {without} without."
        ).format(with_cache=step + 1, without=(step + 1) * (step + 2) // 2)
    )
    return together(*words)


@drawn
def cached_mask(tokens, mask, n_past):
    """Draw which tokens the new ones may look at: those in the cache, and new ones.

    Parameters
    ----------
    tokens : list of str, length n_past + n_new
    mask : bool ndarray, [n_new, n_past + n_new]
    n_past : int
        How many tokens are in the cache.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the shape of the mask does not fit the tokens.
    """
    tokens = need_tokens(tokens)
    n_past = need_position(n_past, "n_past", len(tokens))
    new = tokens[n_past:]
    mask = need_mask(mask, (len(new), len(tokens)), "cached_causal_mask")

    labels = [token_label(token) for token in tokens]
    names = max(text_width(label, 9.5) for label in labels) + 0.35
    cell = min(0.95, (ROOM - names) / len(tokens))
    height = 0.36
    left, top = MARGIN + names, TITLE_SPACE + 0.62
    figure = LessonFigure(
        _("Which keys the new tokens may look at"),
        height=top + height * len(new) + 0.62,
    )
    ax = figure.axes_at(left, top, cell * len(tokens), height * len(new))
    ax.set(xlim=(0, len(tokens)), ylim=(len(new), 0))
    for row, column in np.ndindex(*mask.shape):
        seen = mask[row, column]
        mask_cell(ax, column, row, seen)
        if seen:
            ax.text(column + 0.5, row + 0.5, "✓", ha="center", va="center", fontsize=11)
    ax.axvline(n_past, color=INK, linewidth=2.2, clip_on=False)
    size = fit_text(labels, 0.9 * cell, 9.5)
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(len(tokens)) + 0.5, labels)
    ax.set_yticks(np.arange(len(new)) + 0.5, labels[n_past:])
    ax.tick_params(axis="x", labelsize=size, labelcolor=INK, pad=2)
    ax.tick_params(axis="y", labelsize=9.5, labelcolor=INK, pad=4)
    plain_names(ax)
    for start, end, text in (
        (0, n_past, _("keys from the cache")),
        (n_past, len(tokens), _("new keys")),
    ):
        if end > start:
            points = fit_text([text], cell * (end - start) - 0.05, 10)
            figure.write(
                left + cell * (start + end) / 2,
                TITLE_SPACE + 0.16,
                text,
                ha="center",
                fontsize=points,
                fontweight="bold",
            )
            x = [left + cell * start + 0.05, left + cell * end - 0.05]
            _line(figure, x, TITLE_SPACE + 0.31)
    bottom = top + height * len(new) + 0.28
    for x, text, seen in ((left, _("may look"), True), (left + 1.5, _("hidden"), False)):
        sample = figure.axes_at(x, bottom - 0.1, 0.28, 0.2)
        sample.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
        if not seen:
            hatched(sample, 0, 0)
        else:
            sample.set_facecolor(PALE_GREEN)
            sample.text(0.5, 0.5, "✓", ha="center", va="center", fontsize=9)
        figure.write(x + 0.38, bottom, text, fontsize=9)
    figure.alt_text = together(
        _("A mask. Rows: new tokens, {new}. Columns: cached keys, {old}; new keys, {new}.").format(
            new=len(new), old=n_past
        ),
        *(
            _("'{token}' may look at {seen}.").format(
                token=token,
                seen=listed(quoted(tokens[i]) for i in np.flatnonzero(row)) or _("nothing"),
            )
            for token, row in zip(new, mask, strict=True)
        ),
    )
    return figure


def _line(figure, x, top):
    """Draw a thin horizontal line between two places in inches from the left."""
    ax = figure.axes_at(x[0], top, x[1] - x[0], 0.01)
    ax.set(xticks=[], yticks=[])
    ax.axhline(0.5, color=GREY, linewidth=1.2)


@drawn
def projection_curve(n_tokens, without_cache, with_cache):
    """Draw how many token projections a text of n tokens takes, with and without a cache.

    Parameters
    ----------
    n_tokens : list of int
        Lengths of the text, rising.
    without_cache, with_cache : list of int
        For each length, how many tokens were projected in all.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the three do not have the same length.
    """
    n_tokens = need_array(n_tokens, "n_tokens", ("n",))
    without = need_array(without_cache, "without_cache", n_tokens.shape, "causal_attention")
    kept = need_array(with_cache, "with_cache", n_tokens.shape, "attend_with_cache")

    figure = LessonFigure(
        _("Tokens projected while a text is read token by token, as counted"), height=3.6
    )
    ax = figure.axes_at(MARGIN + 0.75, TITLE_SPACE + 0.12, 5.2, 2.25)
    ax.set_xlim(0, n_tokens[-1] * 1.02)
    ax.set_ylim(0, max(without.max(), kept.max(), 1) * 1.06)
    ax.grid(axis="y", color=PALE, linewidth=1.2)
    ax.set_axisbelow(True)
    ax.spines["bottom"].set_visible(True)
    ax.tick_params(labelcolor=INK)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel(_("tokens in the text"))
    few = len(n_tokens) <= 16  # more markers would hide the lines
    for values, colour, text_colour, marker, line, name in (
        (without, VERMILION, DARK_VERMILION, "s", "--", _("without a cache")),
        (kept, BLUE, DARK_BLUE, "o", "-", _("with a cache")),
    ):
        ax.plot(
            n_tokens,
            values,
            line,
            color=colour,
            marker=marker if few else None,
            markersize=5,
            linewidth=2,
            markeredgecolor=PAGE,
            markeredgewidth=0.6,
        )
        ax.annotate(
            f"{name}\n{int(values[-1])}",
            (n_tokens[-1], values[-1]),
            (12, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold",
            color=text_colour,
            annotation_clip=False,
        )
    figure.alt_text = together(
        _("Tokens projected, for texts of the lengths {first} to {last}.").format(
            first=int(n_tokens[0]), last=int(n_tokens[-1])
        ),
        *(
            _("Length {n}: {without} without a cache, {kept} with one.").format(
                n=int(n_tokens[i]), without=int(without[i]), kept=int(kept[i])
            )
            for i in sorted({0, len(n_tokens) // 2, len(n_tokens) - 1})
        ),
    )
    return figure


@drawn
def cache_memory(names, sizes):
    """Draw how many bytes several caches take, as bars.

    Parameters
    ----------
    names : list of str
        One for each cache.
    sizes : list of int
        Bytes.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the two do not have the same length.
    """
    names = need_tokens(names)
    sizes = need_array(sizes, "sizes", (len(names),), "kv_cache_bytes")

    left = MARGIN + max(text_width(name, 10) for name in names) + 0.15
    figure = LessonFigure(
        _("A cache for one text, in MiB (1 MiB = 1,048,576 bytes)"),
        height=TITLE_SPACE + 0.36 * len(names) + 0.15,
    )
    ax = figure.axes_at(left, TITLE_SPACE, WIDTH - left - 1.3, 0.36 * len(names))
    ax.set(xlim=(0, max(sizes.max(), 1)), ylim=(len(names) - 0.5, -0.5), xticks=[])
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", labelsize=10, labelcolor=INK)
    ax.barh(range(len(names)), sizes, height=0.62, color=BLUE, edgecolor=INK, linewidth=0.8)
    told = [f"{size / 2**20:,.4g} MiB" for size in sizes]
    for place, (size, text) in enumerate(zip(sizes, told, strict=True)):
        ax.annotate(
            text,
            (size, place),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold",
            annotation_clip=False,
        )
    figure.alt_text = _("Memory of a cache for one text: {sizes}.").format(
        sizes=listed(f"{name} {text}" for name, text in zip(names, told, strict=True))
    )
    return figure
