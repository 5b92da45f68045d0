"""Figures of lesson 00: positions of tokens, axes of arrays, and the sum that `embed` makes."""

import numpy as np
from matplotlib.patches import Rectangle

from illustrated_attention.figures.cells import SIGNED_MAP, SMALLEST_TEXT, largest_size
from illustrated_attention.figures.equations import Grid, equation, equation_height
from illustrated_attention.figures.needs import NotDrawn, axes, need_array, need_equal, need_tokens
from illustrated_attention.figures.page import MARGIN, TITLE_SPACE, WIDTH, LessonFigure, drawn
from illustrated_attention.figures.palette import GREY, INK, PALE, readable_on
from illustrated_attention.figures.words import describe_array, fit_text, number, token_label
from illustrated_attention.language import _

TOKENS_A_LINE = 10
COLUMNS_SHOWN = 6  # three arrays side by side; more columns would be too narrow to read


@drawn
def token_positions(tokens):
    """Draw the tokens of a sentence with both ways of counting them.

    Parameters
    ----------
    tokens : list of str, length T

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If `tokens` is not a list of words.
    """
    tokens = need_tokens(tokens)
    lines = [
        range(start, min(start + TOKENS_A_LINE, len(tokens)))
        for start in range(0, len(tokens), TOKENS_A_LINE)
    ]
    line_height, names = 1.22, 1.75
    figure = LessonFigure(
        _("Each token has a position. People count from 1, Python from 0."),
        height=TITLE_SPACE + line_height * len(lines),
    )
    longest = min(len(tokens), TOKENS_A_LINE)
    width = min(1.15, (WIDTH - 2 * MARGIN - names) / longest)
    size = fit_text([token_label(token) for token in tokens], 0.84 * width, 10.5)
    for line, positions in enumerate(lines):
        top = TITLE_SPACE + line_height * line
        figure.write(MARGIN, top + 0.13, _("counted from 1"), color=GREY)
        figure.write(MARGIN, top + 0.84, _("index in Python"), fontweight="bold")
        ax = figure.axes_at(MARGIN + names, top, width * len(positions), 1.0)
        ax.set(xlim=(0, len(positions)), ylim=(1.0, 0), xticks=[], yticks=[])
        for place, position in enumerate(positions):
            ax.add_patch(
                Rectangle(
                    (place + 0.04, 0.29), 0.92, 0.38, facecolor=PALE, edgecolor=INK, linewidth=0.9
                )
            )
            middle = {"ha": "center", "va": "center", "parse_math": False}
            ax.text(place + 0.5, 0.13, str(position + 1), color=GREY, fontsize=9.5, **middle)
            ax.text(place + 0.5, 0.48, token_label(tokens[position]), fontsize=size, **middle)
            ax.text(place + 0.5, 0.84, str(position), fontsize=11, fontweight="bold", **middle)
    figure.alt_text = " ".join(
        [
            _("The tokens of the sentence in a row, each with its index in Python:"),
            ", ".join(f"{index} '{token}'" for index, token in enumerate(tokens)) + ".",
            _("Counted from 1, every number is one larger."),
        ]
    )
    return figure


@drawn
def embedding_sum(tokens, token_vectors, position_vectors, x):
    """Draw token vectors + position vectors = x, with the numbers in the cells.

    Parameters
    ----------
    tokens : list of str, length T
    token_vectors, position_vectors, x : ndarray, [T, D]
        The rows of wte and of wpe, and their sum. Of more than 6 columns the first 6 are drawn.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    tokens = need_tokens(tokens)
    token_vectors = need_array(token_vectors, "token_vectors", (len(tokens), "D"), "embed")
    shape = token_vectors.shape
    position_vectors = need_array(position_vectors, "position_vectors", shape, "embed")
    x = need_array(x, "x", shape, "embed")
    said = _("token vectors + position vectors = x")
    need_equal(x, token_vectors + position_vectors, said, "embed")

    limit = largest_size(token_vectors, position_vectors, x)
    shown = slice(0, COLUMNS_SHOWN)
    positions = [str(position) for position in range(len(tokens))]
    names = (_("token vectors"), _("position vectors"), "x")
    parts = [
        Grid(token_vectors[:, shown], names[0], tokens, limit=limit),
        "+",
        Grid(position_vectors[:, shown], names[1], positions, limit=limit),
        "=",
        Grid(x[:, shown], names[2], limit=limit),
    ]
    cut = shape[1] > COLUMNS_SHOWN
    figure = LessonFigure(
        _("The input of attention: token vector + position vector, row by row"),
        height=TITLE_SPACE + equation_height(parts) + (0.62 if cut else MARGIN + 0.05),
    )
    equation(figure, MARGIN, TITLE_SPACE, parts)
    note = ""
    if cut:
        note = _("The first {shown} of {total} columns are drawn.").format(
            shown=COLUMNS_SHOWN, total=shape[1]
        )
        figure.write(MARGIN, figure.get_size_inches()[1] - 0.3, note, color=GREY)
    pieces = [
        describe_array(name, array[:, shown], labels)
        for name, array, labels in zip(
            names,
            (token_vectors, position_vectors, x),
            (tokens, [_("position {n}").format(n=n) for n in positions], tokens),
            strict=True,
        )
    ]
    figure.alt_text = " ".join(
        [_("Two arrays are added row by row."), *pieces, *([note] if note else [])]
    )
    return figure


@drawn
def axes_of(array, names):
    """Draw one array as a grid, with the name and the size of each axis.

    Parameters
    ----------
    array : ndarray with 1, 2 or 3 axes
        With 3 axes the first one is drawn as sheets, one behind the other.
    names : list of str
        One name an axis, in order, such as ``["tokens", "features"]``.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the array has no axis or more than 3, or if the number of names does not fit.
    """
    dimensions = axes(array)
    if not 1 <= dimensions <= 3:
        raise NotDrawn(
            _("axes_of draws arrays with 1, 2 or 3 axes, but yours has {count}.").format(
                count=dimensions
            )
        )
    array = need_array(array, "array", ("n",) * dimensions)
    if not isinstance(names, (list, tuple)) or len(names) != dimensions:
        raise NotDrawn(
            _("names must be a list with one name for each axis: your array has {count}.").format(
                count=dimensions
            )
        )
    names = list(names)

    sheets = array.reshape((1,) * (3 - dimensions) + array.shape)
    count, rows, columns = sheets.shape
    cell = min(0.6, 5.2 / columns)
    cell_height = min(0.34, 3.4 / rows)
    front = min(count, 6)  # a deeper stack would hide nothing more
    step = 0.28 if count > 1 else 0.0
    depth = step * (front - 1)
    left, top = MARGIN + (2.1 if dimensions > 1 else 0.1), TITLE_SPACE + 0.5
    width, height = columns * cell, rows * cell_height
    figure = LessonFigure(
        _("An array of shape {shape}: {axes}").format(
            shape=array.shape,
            axes=_("one axis") if dimensions == 1 else _("{n} axes").format(n=dimensions),
        ),
        height=top + depth + height + MARGIN,
    )
    ax = figure.axes_at(0, 0, *figure.get_size_inches())
    ax.set(
        xlim=(0, figure.get_size_inches()[0]),
        ylim=(figure.get_size_inches()[1], 0),
        xticks=[],
        yticks=[],
    )
    ax.patch.set_visible(False)

    limit = largest_size(array)
    texts = [number(value) for value in sheets[0].flat]
    size = min(fit_text(texts, 0.88 * cell), 72 * 0.6 * cell_height)
    for sheet in reversed(range(front)):
        x0, y0 = left + step * sheet, top + depth - step * sheet
        for row in range(rows):
            for column in range(columns):
                value = sheets[sheet, row, column]
                colour = SIGNED_MAP(0.5 + 0.5 * value / limit) if np.isfinite(value) else PALE
                ax.add_patch(
                    Rectangle(
                        (x0 + column * cell, y0 + row * cell_height),
                        cell,
                        cell_height,
                        facecolor=colour,
                        edgecolor="white",
                        linewidth=1.0 if cell > 0.1 else 0,
                    )
                )
                if sheet == 0 and size >= SMALLEST_TEXT:
                    ax.text(
                        x0 + (column + 0.5) * cell,
                        y0 + (row + 0.5) * cell_height,
                        number(value),
                        ha="center",
                        va="center",
                        fontsize=size,
                        color=readable_on(colour) if np.isfinite(value) else INK,
                        parse_math=False,
                    )
        ax.add_patch(Rectangle((x0, y0), width, height, fill=False, edgecolor=INK, linewidth=1.2))

    def label(axis):
        return _("axis {axis}: {name}, size {size}").format(
            axis=axis, name=names[axis], size=array.shape[axis]
        )

    style = {"parse_math": False, "fontsize": 10, "color": INK}
    line = {
        "arrowstyle": "|-|,widthA=0.25,widthB=0.25",
        "color": GREY,
        "linewidth": 1.2,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    right, lower = left + width + depth, top - 0.14
    ax.annotate("", (left + depth, lower), (right, lower), arrowprops=line)
    ax.text(
        left + depth + width / 2,
        lower - 0.17,
        label(dimensions - 1),
        ha="center",
        va="center",
        **style,
    )
    if dimensions > 1:
        upright = left - 0.14
        ax.annotate("", (upright, top + depth), (upright, top + depth + height), arrowprops=line)
        ax.text(
            upright - 0.12,
            top + depth + height / 2,
            label(dimensions - 2),
            ha="right",
            va="center",
            **style,
        )
    if dimensions == 3:
        ax.annotate(
            "",
            (left + width + 0.16, top + depth + height),
            (right + 0.16, top + height),
            arrowprops=line,
        )
        ax.text(
            left + width + depth / 2 + 0.3,
            top + height + depth / 2 + 0.1,
            label(0),
            ha="left",
            va="center",
            **style,
        )
        if front < count:
            ax.text(
                right + 0.2,
                top + 0.1,
                _("… {n} in all").format(n=count),
                ha="left",
                va="center",
                **style,
            )
    figure.alt_text = _("An array of shape {shape}. {axes}. The first row is {values}.").format(
        shape=array.shape,
        axes=", ".join(label(axis) for axis in range(dimensions)),
        values=", ".join(number(value) for value in sheets[0, 0, :12])
        + (", …" if columns > 12 else ""),
    )
    return figure
