"""Arrays as coloured cells, bars and rows of tokens."""

import numpy as np
from matplotlib.colors import ListedColormap, Normalize, to_hex
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from illustrated_attention.figures.page import MARGIN, WIDTH
from illustrated_attention.figures.palette import (
    BLUE,
    DARK_VERMILION,
    GREEN,
    GREY,
    HAIRLINE,
    INK,
    MISSING,
    PAGE,
    PALE,
    PALE_GREEN,
    QUERY_COLOUR,
    SIGNED_SHADES,
    WEIGHT_SHADES,
    readable_on,
)
from illustrated_attention.figures.words import (
    fit_text,
    number,
    percent,
    shape_text,
    text_width,
    token_label,
)
from illustrated_attention.language import _, labelled

SMALLEST_TEXT = 7.8  # points; numbers that would need smaller type are left out
CELL_HEIGHT = 0.29
LARGEST_CELL = 0.62
COLOUR_BAR_SPACE = 0.32
BARS_LEFT = 1.25  # room for the names of the rows of bars
WEIGHTS_MAP, SIGNED_MAP = ListedColormap(WEIGHT_SHADES), ListedColormap(SIGNED_SHADES)


def largest_size(*arrays):
    """Return the largest absolute finite number of all arrays: one colour scale for them all."""
    sizes = [np.abs(a[np.isfinite(a)]).max(initial=0) for a in map(np.asarray, arrays)]
    return max(sizes, default=0) or 1.0


def heatmap(
    ax,
    array,
    row_labels=None,
    col_labels=None,
    fmt=".2f",
    *,
    name="",
    colours="signed",
    limit=None,
):
    """Draw a matrix as coloured cells with their numbers in them, titled with name and shape.

    Numbers that would be too small to read are left out and a colour bar is drawn instead.

    Parameters
    ----------
    ax : matplotlib Axes
        From `LessonFigure.axes_at`.
    array : ndarray, [rows, columns]
    row_labels, col_labels : list of str or None
        Tokens, mostly. Column labels stand above the cells.
    fmt : str or None
        Format of the numbers; None draws colours only.
    name : str
        Goes in front of the shape in the title.
    colours : "signed" or "weights"
        Signed numbers about a white zero, or weights from white (0) to dark.
    limit : float or None
        The size of number that gets the darkest colour; the largest of `array` by default.
        Give the same limit to arrays that are to be compared.
    """
    array = np.asarray(array, dtype=float)
    rows, columns = array.shape
    limit = limit or largest_size(array)
    if not numbered(ax, array, colours, limit, fmt):
        height = _axes_height(ax)
        colour_bar(ax.inset_axes((0, -0.11 / height - 0.02, 1, 0.09 / height)), colours, limit)

    ax.spines[:].set_visible(True)
    ax.spines[:].set(color=GREY, linewidth=0.8)

    cell_width, cell_height = _cell_size(ax, rows, columns)
    _cell_labels(ax, row_labels, col_labels, cell_width, cell_height)
    shape = shape_text(array)
    title = labelled(name, shape) if name else shape
    label_space = column_label_height(col_labels, cell_width)
    ax.annotate(
        title,
        (0.5, 1),
        (0, 72 * label_space + 5),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=10,
        fontweight="bold",
        annotation_clip=False,
        parse_math=False,
    )


def hatched(ax, left, top, width=1):
    """Draw a place where nothing may be seen."""
    ax.add_patch(
        Rectangle((left, top), width, 1, facecolor=PALE, edgecolor=GREY, hatch="////", linewidth=0)
    )


def mask_cell(ax, column, row, seen):
    """Draw a cell of a mask: green where one may look, hatched where not."""
    if not seen:
        hatched(ax, column, row)
        return
    ax.add_patch(
        Rectangle((column, row), 1, 1, facecolor=PALE_GREEN, edgecolor=PAGE, linewidth=1.2)
    )


def coloured(ax, array, colours="signed", limit=1.0):
    """Draw a matrix as coloured cells, and return matplotlib's mesh of them.

    Thin lines keep cells apart where neighbours have the same colour, unless cells are tiny.
    """
    rows, columns = array.shape
    low, shades = (0, WEIGHTS_MAP) if colours == "weights" else (-limit, SIGNED_MAP)
    apart = min(_cell_size(ax, rows, columns)) > 0.06
    ax.set(facecolor="none" if np.isfinite(array).all() else MISSING, xticks=[], yticks=[])
    mesh = ax.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        np.ma.masked_invalid(array),
        cmap=shades,
        norm=Normalize(low, limit),
        edgecolors=PAGE if apart else "none",
        linewidth=1.0,
    )
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    return mesh


def numbered(ax, array, colours="signed", limit=1.0, fmt=".2f"):
    """Draw a matrix as coloured cells with the numbers in them, where there is room.

    Returns
    -------
    float
        The type size of the numbers; 0 if there are none.
    """
    mesh = coloured(ax, array, colours, limit)
    size = number_size(array.flat, fmt, *_cell_size(ax, *array.shape))
    if size:
        middle = {"ha": "center", "va": "center", "fontsize": size, "parse_math": False}
        for (row, column), value in np.ndenumerate(array):
            colour = number_colour(mesh, value)
            ax.text(column, row, number(value, fmt), color=colour, **middle)
    return size


def strip(ax, values, limit):
    """Draw a vector as a strip of thin bars: up and blue above zero, down and orange below."""
    values = np.nan_to_num(np.asarray(values, dtype=float))
    ax.set(xlim=(-0.5, len(values) - 0.5), ylim=(-limit, limit), xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color=GREY, linewidth=0.8)
    ax.axhline(0, color=HAIRLINE, linewidth=0.6)
    signed_bars(ax, np.arange(len(values)) - 0.5, 1.0, values)


def signed_bars(ax, lefts, width, values, zero=0.0, scale=1.0):
    """Draw bars from the height `zero`, all of a sign as one shape: vectors may be long.

    The axes have their limits: `add_patch` would take long to find new ones.
    """
    for colour, some in ((BLUE, values > 0), (SIGNED_SHADES[0], values < 0)):
        corners = [
            [(left, zero), (left, end), (left + width, end), (left + width, zero)]
            for left, end in zip(lefts[some], zero + scale * values[some], strict=True)
        ]
        if corners:
            outlines = Path.make_compound_path(*map(Path, corners))
            ax.add_artist(PathPatch(outlines, facecolor=colour, linewidth=0))


def strip_scale(figure, left, top, limit):
    """Say how bars of `strip` are read."""
    text = _("up: positive, down: negative; from edge to edge {low} to {high}")
    told = text.format(low=number(-limit, ".3g"), high=number(limit, ".3g"))
    figure.write(left, top, told, fontsize=9, color=GREY)


def colour_bar(bar, colours, limit):
    """Fill the axes `bar` with the colours of numbers, and write what they stand for under them."""
    low, shades = (0, WEIGHTS_MAP) if colours == "weights" else (-limit, SIGNED_MAP)
    ends = np.linspace(low, limit, shades.N + 1)
    bar.pcolormesh(ends, [0, 1], np.arange(shades.N)[None, :], cmap=shades)
    bar.set(xlim=(low, limit), ylim=(0, 1), yticks=[])
    marks = [low, (low + limit) / 2, limit]
    bar.set_xticks(marks, [number(mark, ".3g") for mark in marks])
    bar.tick_params(length=0, labelsize=9, labelcolor=INK, pad=2)
    bar.spines[:].set(visible=True, color=GREY, linewidth=0.8)


def framed(colour, linewidth=1.0):
    """Return the frame of a token, for matplotlib's `bbox`."""
    return {
        "boxstyle": "round,pad=0.25",
        "facecolor": PAGE,
        "edgecolor": colour,
        "linewidth": linewidth,
    }


def number_colour(image, value):
    """Return the colour of a number that stands in its cell of the image."""
    behind = to_hex(image.cmap(image.norm(value))).upper() if np.isfinite(value) else MISSING
    return readable_on(behind)


def number_size(values, fmt, cell_width, cell_height):
    """Return the type size of the numbers in the cells; 0 if they would be too small."""
    if not fmt:
        return 0
    texts = [number(value, fmt) for value in values]
    size = min(fit_text(texts, 0.865 * cell_width), 72 * 0.62 * cell_height)
    return size if size >= SMALLEST_TEXT else 0


def _cell_size(ax, rows, columns):
    """Return a cell's width and height in inches."""
    width, height = ax.figure.get_size_inches()
    box = ax.get_position()
    return box.width * width / columns, box.height * height / rows


def _turned(labels, cell_width):
    """Say whether column labels must stand upright to be readable."""
    return fit_text(labels, 0.97 * cell_width) < SMALLEST_TEXT


def column_label_height(labels, cell_width):
    """Return the inches that column labels take above a heatmap."""
    if not labels:
        return 0.0
    labels = [token_label(label) for label in labels]
    if _turned(labels, cell_width):
        return max(text_width(label, 9) for label in labels) + 0.04
    return 0.17


def _cell_labels(ax, row_labels, col_labels, cell_width, cell_height):
    ax.xaxis.tick_top()
    ax.set_xticks([])
    ax.set_yticks([])
    if row_labels:
        ax.set_yticks(range(len(row_labels)), [token_label(label) for label in row_labels])
        size = min(9.5, 72 * 0.8 * cell_height)
        ax.tick_params(axis="y", labelsize=size, labelcolor=INK, pad=4)
    if col_labels:
        labels = [token_label(label) for label in col_labels]
        ax.set_xticks(range(len(labels)), labels)
        turned = _turned(labels, cell_width)
        size = 9 if turned else fit_text(labels, 0.97 * cell_width)
        ax.tick_params(
            axis="x", labelsize=size, labelcolor=INK, pad=2, labelrotation=90 if turned else 0
        )
    plain_names(ax)


def plain_names(ax):
    """Show the names of rows and columns as they are: a token may be `$`, which is no formula."""
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_parse_math(False)


def _axes_height(ax):
    return ax.get_position().height * ax.figure.get_size_inches()[1]


def framed_cells(ax, column, row, columns=1):
    """Draw a frame around cells of a row, with a seam that sets it off from any colour."""
    for layer, (colour, width) in enumerate(((PAGE, 5.0), (QUERY_COLOUR, 2.4)), 5):
        ax.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                columns,
                1,
                fill=False,
                edgecolor=colour,
                linewidth=width,
                joinstyle="round",
                clip_on=False,
                zorder=layer,  # no seam over another frame
            )
        )


def bars(ax, values, tokens, query=None, *, word="", fmt=None, colour=GREEN, limits=None):
    """Draw one upright bar a token, its number above it, the query marked in word and frame.

    Parameters
    ----------
    ax : matplotlib Axes
    values : ndarray, [T]
        Weights, or scores, which may be negative.
    tokens : list of str
    query : int or None
        The position of the token that asks; None marks none.
    word : str
        What is said of it instead of "query".
    fmt : str or None
        Format of the numbers; None prints percentages.
    colour : str
    limits : (float, float) or None
        The ends of the upright axis; from the numbers by default.
    """
    values = np.asarray(values, dtype=float)
    finite = np.where(np.isfinite(values), values, 0.0)
    if limits is None:
        low, high = min(finite.min(), 0), max(finite.max(), 0)
        span = (high - low) or 1.0
        limits = (low - 0.24 * span * (low < 0), high + 0.24 * span * (high > 0 or low == 0))
    ax.set_ylim(*limits)
    ax.set_xlim(-0.5, len(values) - 0.5)
    ax.set_yticks([])
    ax.bar(range(len(values)), finite, width=0.62, color=colour, edgecolor=INK, linewidth=0.8)
    ax.axhline(0, color=GREY, linewidth=1)

    cell_width, _height = _cell_size(ax, 1, len(values))
    texts = [percent(value) if fmt is None else number(value, fmt) for value in values]
    size = fit_text(texts, 0.95 * cell_width)
    upright = size < SMALLEST_TEXT
    for position, (value, text) in enumerate(zip(finite, texts, strict=True)):
        below = value < 0
        ax.annotate(
            text,
            (position, value),
            (0, -3 if below else 3),
            ha="center",
            textcoords="offset points",
            va="top" if below else "bottom",
            fontsize=8 if upright else size,
            parse_math=False,
            annotation_clip=False,
            rotation=90 if upright else 0,
        )
    token_axis(ax, tokens, query, word)


def bars_width(tokens, left):
    """Return the inches of `bars` from `left` on: few tokens do not need the whole column."""
    return min(WIDTH - MARGIN - left, 1.3 * len(tokens))


def token_axis(ax, tokens, query=None, word=""):
    """Write the tokens under the columns of `ax`; frame the query and name it."""
    labels = [token_label(token) for token in tokens]
    cell_width, _height = _cell_size(ax, 1, len(tokens))
    turned = _turned(labels, cell_width)
    size = 9 if turned else fit_text(labels, 0.88 * cell_width, 10)
    ax.set_xticks(range(len(labels)), labels, rotation=90 if turned else 0)
    ax.tick_params(axis="x", length=0, pad=6, labelsize=size, labelcolor=INK)
    plain_names(ax)
    if query is not None:
        ax.get_xticklabels()[query].set(fontweight="bold", bbox=framed(QUERY_COLOUR, 1.8))
        depth = 8 + (72 * 1.13 * text_width(labels[query], size) if turned else size)
        ax.annotate(
            "▲ " + (word or _("query")),
            (query, 0),
            (0, -depth - 7),
            ha="center",
            va="top",
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=9,
            fontweight="bold",
            color=DARK_VERMILION,
            annotation_clip=False,
        )


def token_axis_height(tokens, cell_width, query=None):
    """Return the inches that `token_axis` takes under the axes."""
    labels = [token_label(token) for token in tokens]
    if not _turned(labels, cell_width):
        return 0.28 + (0.0 if query is None else 0.3)
    widths = [text_width(label, 9) for label in labels]
    marked = 0.0 if query is None else 1.13 * widths[query] + 0.35
    return max(*widths, marked) + 0.14
