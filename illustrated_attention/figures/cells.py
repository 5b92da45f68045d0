"""Arrays as coloured cells, bars and rows of tokens."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.patches import Rectangle

from illustrated_attention.figures.palette import (
    DARK_VERMILION,
    GREEN,
    GREY,
    INK,
    MISSING,
    PALE,
    PALE_GREEN,
    QUERY_COLOUR,
    SIGNED_COLOURS,
    WEIGHT_COLOURS,
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
from illustrated_attention.language import _

SMALLEST_TEXT = 6.8  # points; numbers that would need smaller type are left out
CELL_HEIGHT = 0.29
LARGEST_CELL = 0.62
COLOUR_BAR_SPACE = 0.32
WEIGHTS_MAP = LinearSegmentedColormap.from_list("weights", WEIGHT_COLOURS)
SIGNED_MAP = LinearSegmentedColormap.from_list("signed", SIGNED_COLOURS)


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
    mask=None,
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
    mask : bool ndarray [rows, columns] or None
        True where a number may be seen; cells that are False are hatched, without a number.
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
    if colours == "weights":
        colour_map, norm = WEIGHTS_MAP, Normalize(0, limit)
    else:
        colour_map, norm = SIGNED_MAP, Normalize(-limit, limit)
    shown = np.ones(array.shape, bool) if mask is None else np.asarray(mask, dtype=bool)

    ax.set_facecolor(MISSING)
    visible = np.ma.masked_where(~shown | ~np.isfinite(array), array)
    image = ax.imshow(visible, cmap=colour_map, norm=norm, aspect="auto", interpolation="nearest")
    for row, column in np.argwhere(~shown):
        hatched(ax, column - 0.5, row - 0.5)

    cell_width, cell_height = _cell_size(ax, rows, columns)
    size = number_size(array[shown], fmt, cell_width, cell_height)
    if size:
        texts = [number(value, fmt) for value in array[shown]]
        for (row, column), text in zip(np.argwhere(shown), texts, strict=True):
            ax.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=size,
                color=number_colour(image, array[row, column]),
                parse_math=False,
            )
    else:
        _colour_bar(ax, image)

    # Thin white lines keep cells apart where neighbours have the same colour.
    if min(cell_width, cell_height) > 0.06:
        ax.set_xticks(np.arange(0.5, columns - 1), minor=True)
        ax.set_yticks(np.arange(0.5, rows - 1), minor=True)
        ax.grid(which="minor", color="white", linewidth=1.2)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(True)
    ax.spines[:].set(color=GREY, linewidth=0.8)

    _cell_labels(ax, row_labels, col_labels, cell_width, cell_height)
    title = f"{name}: {shape_text(array)}" if name else shape_text(array)
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


def hatched(ax, left, top, width=1.0, height=1.0):
    """Draw a place where nothing may be seen."""
    ax.add_patch(
        Rectangle(
            (left, top), width, height, facecolor=PALE, edgecolor=GREY, hatch="////", linewidth=0
        )
    )


def mask_cell(ax, column, row, seen):
    """Draw a cell of a mask: green where one may look, hatched where not."""
    if not seen:
        hatched(ax, column, row)
        return
    ax.add_patch(
        Rectangle((column, row), 1, 1, facecolor=PALE_GREEN, edgecolor="white", linewidth=1.2)
    )


def strip(ax, values, limit):
    """Draw a vector as one row of coloured cells, and return the image."""
    ax.set_facecolor(MISSING)
    image = ax.imshow(
        np.ma.masked_invalid(values)[None, :],
        cmap=SIGNED_MAP,
        norm=Normalize(-limit, limit),
        aspect="auto",
        interpolation="nearest",
    )
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color=INK, linewidth=1)
    return image


def colour_scale(figure, left, top, limit, width=2.2):
    """Draw the colours of signed numbers and the numbers they stand for."""
    bar = figure.axes_at(left, top, width, 0.11)
    bar.imshow(np.linspace(-1, 1, 101)[None, :], cmap=SIGNED_MAP, aspect="auto")
    bar.set_yticks([])
    bar.set_xticks([0, 50, 100], [number(-limit, ".1f"), "0", number(limit, ".1f")])
    bar.tick_params(labelsize=8, labelcolor=INK, pad=2)
    bar.spines[:].set(visible=True, color=GREY, linewidth=0.8)


def framed(colour, linewidth=1.0):
    """Return the frame of a token, for matplotlib's `bbox`."""
    return {
        "boxstyle": "round,pad=0.25",
        "facecolor": "white",
        "edgecolor": colour,
        "linewidth": linewidth,
    }


def number_colour(image, value):
    """Return the colour of a number that stands in its cell of the image."""
    behind = image.cmap(image.norm(value)) if np.isfinite(value) else to_rgb(MISSING)
    return readable_on(behind)


def number_size(values, fmt, cell_width, cell_height):
    """Return the type size of the numbers in the cells; 0 if they would be too small."""
    if not fmt:
        return 0
    texts = [number(value, fmt) for value in values]
    size = min(fit_text(texts, 0.85 * cell_width), 72 * 0.62 * cell_height)
    return size if size >= SMALLEST_TEXT else 0


def _cell_size(ax, rows, columns):
    """Return a cell's width and height in inches."""
    width, height = ax.figure.get_size_inches()
    box = ax.get_position()
    return box.width * width / columns, box.height * height / rows


def _turned(labels, cell_width):
    """Say whether column labels must stand upright to be readable."""
    return fit_text(labels, 0.95 * cell_width) < SMALLEST_TEXT


def column_label_height(labels, cell_width):
    """Return the inches that column labels take above a heatmap."""
    if not labels:
        return 0.0
    labels = [token_label(label) for label in labels]
    if _turned(labels, cell_width):
        return max(text_width(label, 8.5) for label in labels) + 0.04
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
        size = 8.5 if turned else fit_text(labels, 0.95 * cell_width)
        ax.tick_params(
            axis="x", labelsize=size, labelcolor=INK, pad=2, labelrotation=90 if turned else 0
        )
    plain_names(ax)


def plain_names(ax):
    """Show the names of rows and columns as they are: a token may be `$`, which is no formula."""
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_parse_math(False)


def _colour_bar(ax, image):
    """Draw the colour scale under the cells, for a heatmap without numbers."""
    bar = ax.inset_axes((0, -0.11 / _axes_height(ax) - 0.02, 1, 0.09 / _axes_height(ax)))
    ax.figure.colorbar(image, cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=7.5, length=2, labelcolor=INK)
    bar.locator_params(nbins=3)
    bar.spines[:].set_visible(False)


def _axes_height(ax):
    return ax.get_position().height * ax.figure.get_size_inches()[1]


def outline_row(ax, row):
    """Draw a frame around one row of a heatmap: the row of the query."""
    columns = ax.get_xlim()[1] + 0.5
    ax.add_patch(
        Rectangle(
            (-0.5, row - 0.5),
            columns,
            1,
            fill=False,
            edgecolor=QUERY_COLOUR,
            linewidth=2.4,
            clip_on=False,
            zorder=5,
        )
    )


def bars(ax, values, tokens, query=None, *, fmt=None, colour=GREEN, mask=None, limits=None):
    """Draw one upright bar a token, its number above it, the query marked in word and frame.

    Parameters
    ----------
    ax : matplotlib Axes
    values : ndarray, [T]
        Weights, or scores, which may be negative.
    tokens : list of str
    query : int or None
        The position of the token that asks; None marks none.
    fmt : str or None
        Format of the numbers; None prints percentages.
    colour : str
    mask : bool ndarray [T] or None
        False draws a hatched column instead of a bar.
    limits : (float, float) or None
        The ends of the upright axis; from the numbers by default.
    """
    values = np.asarray(values, dtype=float)
    shown = np.ones(len(values), bool) if mask is None else np.asarray(mask, dtype=bool)
    finite = np.where(np.isfinite(values) & shown, values, 0.0)
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
    for position, (value, text) in enumerate(zip(finite, texts, strict=True)):
        if not shown[position]:
            hatched(ax, position - 0.31, limits[0], 0.62, limits[1] - limits[0])
            continue
        below = value < 0
        ax.annotate(
            text,
            (position, value),
            (0, -3 if below else 3),
            ha="center",
            textcoords="offset points",
            va="top" if below else "bottom",
            fontsize=size,
            parse_math=False,
            annotation_clip=False,
            rotation=90 if size < SMALLEST_TEXT else 0,
        )
    token_axis(ax, tokens, query)


def token_axis(ax, tokens, query=None):
    """Write the tokens under the columns of `ax`; frame the query and name it."""
    labels = [token_label(token) for token in tokens]
    cell_width, _height = _cell_size(ax, 1, len(tokens))
    turned = _turned(labels, cell_width)
    size = 8.5 if turned else fit_text(labels, 0.88 * cell_width, 10)
    ax.set_xticks(range(len(labels)), labels, rotation=90 if turned else 0)
    ax.tick_params(axis="x", length=0, pad=6, labelsize=size, labelcolor=INK)
    plain_names(ax)
    if query is not None:
        ax.get_xticklabels()[query].set(fontweight="bold", bbox=framed(QUERY_COLOUR, 1.8))
        depth = 6 + (72 * max(text_width(label, size) for label in labels) if turned else size)
        ax.annotate(
            "▲ " + _("query"),
            (query, 0),
            (0, -depth - 9),
            ha="center",
            va="top",
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=9,
            fontweight="bold",
            color=DARK_VERMILION,
            annotation_clip=False,
        )


def token_axis_height(tokens, cell_width, query=False):
    """Return the inches that `token_axis` takes under the axes."""
    labels = [token_label(token) for token in tokens]
    if _turned(labels, cell_width):
        height = max(text_width(label, 8.5) for label in labels) + 0.12
    else:
        height = 0.28
    return height + (0.3 if query else 0)
