"""Figures of lesson 00: positions of tokens, axes of arrays, and the sum that `embed` makes."""

from matplotlib.patches import Rectangle

from illustrated_attention.figures.cells import largest_size, numbered
from illustrated_attention.figures.equations import Grid, equation, equation_height
from illustrated_attention.figures.needs import NotDrawn, axes, need_array, need_equal, need_tokens
from illustrated_attention.figures.page import MARGIN, ROOM, TITLE_SPACE, WIDTH, LessonFigure, drawn
from illustrated_attention.figures.palette import GREY, INK, PALE
from illustrated_attention.figures.words import (
    describe_array,
    fit_text,
    number,
    text_width,
    token_label,
)
from illustrated_attention.language import _, listed, parted, quoted, together

BOX_GAP = 0.05
SHEET_GAP = 0.3
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
    names = 1.35
    widths = [max(0.36, text_width(token_label(token), 10.5) + 0.12) for token in tokens]
    lines: list[list[int]] = [[]]
    for position, width in enumerate(widths):
        if lines[-1] and sum(widths[i] + BOX_GAP for i in lines[-1]) + width > ROOM - names:
            lines.append([])
        lines[-1].append(position)
    line_height = 1.22
    figure = LessonFigure(
        _("Each token has a position. People count from 1, Python from 0."),
        height=TITLE_SPACE + line_height * len(lines),
    )
    ax = figure.whole_page()
    middle = {"ha": "center", "va": "center", "parse_math": False}
    for line, positions in enumerate(lines):
        top, left = TITLE_SPACE + line_height * line, MARGIN + names
        figure.write(MARGIN, top + 0.13, _("counted from 1"), color=GREY)
        figure.write(MARGIN, top + 0.84, _("index in Python"), fontweight="bold")
        for position in positions:
            width = min(widths[position], ROOM - names)
            box = Rectangle((left, top + 0.29), width, 0.38, facecolor=PALE, edgecolor=INK)
            ax.add_patch(box)
            centre, label = left + width / 2, token_label(tokens[position])
            size = fit_text([label], 0.95 * width, 10.5)
            ax.text(centre, top + 0.13, str(position + 1), color=GREY, fontsize=9.5, **middle)
            ax.text(centre, top + 0.48, label, fontsize=size, **middle)
            ax.text(centre, top + 0.84, str(position), fontsize=11, fontweight="bold", **middle)
            left += width + BOX_GAP
    figure.alt_text = together(
        _("The tokens of the sentence in a row, each with its index in Python: {tokens}.").format(
            tokens=listed(f"{index} {quoted(token)}" for index, token in enumerate(tokens))
        ),
        _("Counted from 1, every number is one larger."),
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
    figure.alt_text = together(
        _("Two arrays are added row by row."), *pieces, *([note] if note else [])
    )
    return figure


@drawn
def axes_of(array, names):
    """Draw one array as a grid, with the name and the size of each axis.

    Parameters
    ----------
    array : ndarray with 1, 2 or 3 axes
        With 3 axes the first one is drawn as sheets, one beside the other.
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

    def label(axis):
        return _("axis {axis}: {name}, size {size}").format(
            axis=axis, name=names[axis], size=array.shape[axis]
        )

    sheets = array.reshape((1,) * (3 - dimensions) + array.shape)
    count, rows, columns = sheets.shape
    left = MARGIN + (text_width(label(dimensions - 2), 10) + 0.3 if dimensions > 1 else 0.1)
    room = WIDTH - MARGIN - left
    shown = max(1, min(count, int((room + SHEET_GAP) / (0.42 * columns + SHEET_GAP))))
    cell = min(0.6, (room - SHEET_GAP * (shown - 1)) / (shown * columns))
    cell_height = min(0.34, 3.4 / rows)
    sheet, height = columns * cell, rows * cell_height
    top = TITLE_SPACE + 0.5
    figure = LessonFigure(
        _("An array of shape {shape}: {axes}").format(
            shape=array.shape,
            axes=_("one axis") if dimensions == 1 else _("{n} axes").format(n=dimensions),
        ),
        height=top + height + MARGIN + (0.6 if dimensions == 3 else 0),
    )
    style = {"parse_math": False, "fontsize": 10, "color": INK}
    limit = largest_size(array)
    for place in range(shown):
        start = left + place * (sheet + SHEET_GAP)
        ax = figure.axes_at(start, top, sheet, height)
        ax.spines[:].set(visible=True, color=INK, linewidth=1.2)
        numbered(ax, sheets[place], limit=limit)
        if dimensions == 3:
            below = top + height + 0.17
            figure.write(start + sheet / 2, below, f"[{place}]", ha="center", fontweight="bold")
    end = left + shown * (sheet + SHEET_GAP) - SHEET_GAP

    page = figure.whole_page()
    spans = [((left, top - 0.14), (left + sheet, top - 0.14))]
    page.text(left, top - 0.31, label(dimensions - 1), ha="left", va="center", **style)
    if dimensions > 1:
        spans.append(((left - 0.14, top), (left - 0.14, top + height)))
        middle = top + height / 2
        page.text(left - 0.26, middle, label(dimensions - 2), ha="right", va="center", **style)
    if dimensions == 3:
        below = top + height + 0.36
        spans.append(((left, below), (end, below)))
        told = label(0)
        if shown < count:
            told = together(told, _("(the first {n} are drawn)").format(n=shown))
        page.text(left, below + 0.18, told, ha="left", va="center", **style)
    for first, last in spans:
        line = {"arrowstyle": "|-|,widthA=0.25,widthB=0.25", "color": GREY, "linewidth": 1.2}
        page.annotate("", first, last, arrowprops={**line, "shrinkA": 0, "shrinkB": 0})
    figure.alt_text = _("An array of shape {shape}. {axes}. The first row is {values}.").format(
        shape=array.shape,
        axes=parted(label(axis) for axis in range(dimensions)),
        values=listed([*map(number, sheets[0, 0, :12]), *["…"] * (columns > 12)]),
    )
    return figure
