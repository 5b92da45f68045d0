"""What all figures share: the figure that carries alt text, colours, and drawing helpers.

A drawing function takes arrays, returns a `LessonFigure` and looks like this::

    @drawn
    def my_figure(tokens, weights):
        weights = need_array(weights, "weights", (len(tokens), len(tokens)))
        figure = LessonFigure(_("Softmax: one row of weights for each query"), height=3)
        ax = figure.axes_at(left=1, top=1, width=3, height=2)
        heatmap(ax, weights, tokens, tokens, name="weights", colours="weights")
        figure.alt_text = describe_array("weights", weights, tokens)
        return figure

All lengths are inches, measured from the left and from the top, as on a page. Nothing here imports
pyplot or changes matplotlib's global settings, so a learner's own plots are left alone.
"""

import base64
import contextlib
import functools
import html
import io

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patches import FancyArrowPatch, Rectangle
from PIL import Image

from illustrated_attention.language import _

# Okabe & Ito's palette, made to be told apart with any kind of colour vision
# (https://jfly.uni-koeln.de/color/). Categories also differ in shape, hatch or text.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
SKY = "#56B4E9"
AMBER = "#E69F00"
INK = "#1F2933"
GREY = "#5B6770"
PALE = "#EEF1F3"
MISSING = "#D5DADD"

# The marker of "the token we ask about" in every figure; always drawn with the word "query".
QUERY_COLOUR = VERMILION

# Lightness falls evenly from nearly white (0) to nearly black (the largest value).
WEIGHTS_MAP = LinearSegmentedColormap.from_list("weights", ["#F5FAF8", "#009E73", "#00382B"])
# Negative numbers orange, positive ones blue, zero white; both ends equally dark.
SIGNED_MAP = LinearSegmentedColormap.from_list(
    "signed", ["#B84A00", "#E9955A", "#FBFBFB", "#5BA3D0", "#00619A"]
)

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"

WIDTH = 8.5  # inches: a notebook column at 96 CSS pixels an inch
MARGIN = 0.25
TITLE_SPACE = 0.62  # from the upper edge to where drawing may begin
CSS_PIXELS = 96
DPI = 144  # sharp on high-density screens; most figures stay below 100 kB

SMALLEST_TEXT = 6.8  # points; numbers that would need smaller type are left out
CELL_HEIGHT = 0.29
LARGEST_CELL = 0.62
COLOUR_BAR_SPACE = 0.32

RC = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.unicode_minus": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "hatch.linewidth": 0.8,
    "hatch.color": GREY,
}


# Whether figures are drawn. Grading sets it to False: a figure then only checks what it is given,
# because pictures cost most of the time, and the learner's own notebook shows them.
drawing = True


class _Checked(Exception):
    """All arrays of a figure are checked, and it is not to be drawn."""


def drawn(function):
    """Let `function` draw in the course's style, whatever the learner set in matplotlib.

    It checks its arguments before it makes its `LessonFigure`.
    """

    @functools.wraps(function)
    def draw(*args, **kwargs):
        if not drawing:
            with contextlib.suppress(_Checked):
                function(*args, **kwargs)
            return _Undrawn()
        with matplotlib.style.context(["default", RC]):
            return function(*args, **kwargs)

    return draw


class LessonFigure(Figure):
    """A matplotlib figure that carries alt text and shows itself in a notebook.

    A notebook gets one HTML image with the alt text in it (JupyterLab shows a plain PNG output
    without any), and the alt text alone as the plain text form.

    Parameters
    ----------
    title : str
        One short sentence that says what is seen.
    height, width : float
        Inches.
    alt_text : str
        What the picture shows, in words and numbers. Set it before the figure is shown.
    """

    def __init__(self, title="", height=3.0, width=WIDTH, alt_text=""):
        if not drawing:
            raise _Checked
        super().__init__(figsize=(width, height), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self)
        self.alt_text = alt_text
        self.title = title
        if title:
            self.write(MARGIN, 0.31, title, fontsize=12, fontweight="bold", va="center")

    def axes_at(self, left, top, width, height):
        """Return bare axes; inches from the figure's left and upper edges."""
        full_width, full_height = self.get_size_inches()
        box = (
            left / full_width,
            1 - (top + height) / full_height,
            width / full_width,
            height / full_height,
        )
        ax = self.add_axes(box)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelsize=9)
        return ax

    def write(self, left, top, text, **style):
        """Write `text` at a place in inches from the left and upper edges."""
        full_width, full_height = self.get_size_inches()
        style.setdefault("va", "center")
        return self.text(left / full_width, 1 - top / full_height, text, parse_math=False, **style)

    def arrow(self, start, end, **style):
        """Draw an arrow between two (left, top) places in inches."""
        full_width, full_height = self.get_size_inches()
        points = [(x / full_width, 1 - y / full_height) for x, y in (start, end)]
        style = {"color": GREY, "linewidth": 1.4, "mutation_scale": 13, **style}
        self.add_artist(
            FancyArrowPatch(
                *points, arrowstyle="-|>", shrinkA=0, shrinkB=0, transform=self.transFigure, **style
            )
        )

    def png(self):
        """Return the picture as PNG bytes in 256 colours, a third of the size of full colour."""
        with matplotlib.style.context(["default", RC]):
            self.canvas.draw()
        picture = Image.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB")
        # The other ways to choose 256 colours give rare cells a visibly wrong one.
        picture = picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        file = io.BytesIO()
        picture.save(file, "PNG", optimize=True)
        return file.getvalue()

    def _repr_html_(self):
        data = base64.b64encode(self.png()).decode("ascii")
        width, height = (round(inches * CSS_PIXELS) for inches in self.get_size_inches())
        return (
            f'<img alt="{html.escape(self.alt_text)}" width="{width}" height="{height}" '
            'style="max-width: 100%; height: auto; background: white" '
            f'src="data:image/png;base64,{data}">'
        )

    def _ipython_display_(self):
        # A mime bundle would not do: once pyplot is imported, IPython adds a second PNG of every
        # Figure to it, and the notebook would store each picture twice.
        from IPython.display import display

        display({"text/html": self._repr_html_(), "text/plain": self.alt_text}, raw=True)


class _Undrawn(LessonFigure):
    """What a drawing function returns where figures are not drawn: an empty figure and a note."""

    def __init__(self):
        Figure.__init__(self, figsize=(WIDTH, 1))
        FigureCanvasAgg(self)
        self.title = ""
        self.alt_text = _("This figure is drawn in your notebook.")

    def _repr_html_(self):
        return f"<p>{html.escape(self.alt_text)}</p>"


# --- words and numbers ----------------------------------------------------------------------


def token_label(token):
    """Return a token as it is printed in figures: a leading space is made visible."""
    text = token.replace("\n", "\\n")
    return "␣" + text[1:] if text.startswith((" ", "Ġ")) and len(text) > 1 else text


@functools.cache
def _character_width(character):
    """Return a character's width in DejaVu Sans, as a part of the type size."""
    font = get_font(findfont("DejaVu Sans"))
    font.set_size(100, 72)
    if not font.get_char_index(ord(character)):
        return 1.0  # another font steps in; East Asian characters are square
    return font.load_char(ord(character)).linearHoriAdvance / 65536 / 100


def text_width(text, size):
    """Return how wide `text` is at `size` points, in inches."""
    return sum(map(_character_width, text)) * size / 72


def fit_text(labels, width, size=9.5):
    """Return the largest type size up to `size` at which every label fits `width` inches."""
    widest = max((text_width(label, 1) for label in labels), default=0)
    return min(size, width / widest) if widest else size


def number(value, fmt=".2f"):
    """Return a number as figures print it: a true minus sign, infinity as a symbol."""
    if np.isposinf(value):
        return "∞"
    if np.isneginf(value):
        return MINUS + "∞"
    text = format(value, fmt)
    if float(text.rstrip("%")) == 0:
        text = text.lstrip("-")  # -0.00 says no more than 0.00
    return text.replace("-", MINUS)


def percent(weight):
    """Return a weight as a percentage of at most three digits; only a true 0 is ``0%``."""
    if not np.isfinite(weight):
        return number(weight)
    if 0 < weight < 0.0005:
        return "<0.1%"
    digits = 0 if abs(weight) >= 0.0995 or weight == 0 else 1
    return number(100 * weight, f".{digits}f") + "%"


def shape_text(array):
    """Return the sizes of the axes with multiplication signs between them."""
    return f" {TIMES} ".join(str(size) for size in np.shape(array))


def describe_array(name, array, row_labels=None, fmt=".2f"):
    """Return alt text for a matrix: its shape and, as far as they are few, its numbers."""
    array = np.atleast_2d(array)
    start = _("{name}. Rows: {rows}, columns: {columns}.").format(
        name=name, rows=array.shape[0], columns=array.shape[1]
    )
    if array.size > 48:
        return (
            start
            + " "
            + _("Values from {low} to {high}.").format(
                low=number(array.min(), fmt), high=number(array.max(), fmt)
            )
        )
    labels = row_labels or [str(row) for row in range(len(array))]
    rows = (
        _("{label}: {values}.").format(
            label=label, values=", ".join(number(value, fmt) for value in row)
        )
        for label, row in zip(labels, array, strict=True)
    )
    return " ".join([start, *rows])


def describe_weights(tokens, weights, query, most=4):
    """Return alt text for one row of weights: the query and the largest weights in order."""
    order = np.argsort(-np.nan_to_num(weights, nan=-1), kind="stable")[:most]
    largest = ", ".join(f"'{tokens[i]}' {percent(weights[i])}" for i in order)
    return _("Attention weights of the query '{token}'. Largest: {largest}.").format(
        token=tokens[query], largest=largest
    )


# --- drawing --------------------------------------------------------------------------------


def readable_on(colour):
    """Return black or white, whichever stands out more on `colour` (contrast at least 4.5)."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "white" if (1.05 / (luminance + 0.05)) > ((luminance + 0.05) / 0.05) else "black"


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
        ax.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                1,
                1,
                facecolor=PALE,
                edgecolor=GREY,
                hatch="////",
                linewidth=0,
            )
        )

    cell_width, cell_height = _cell_size(ax, rows, columns)
    size = _number_size(array[shown], fmt, cell_width, cell_height)
    if size:
        texts = [number(value, fmt) for value in array[shown]]
        for (row, column), text in zip(np.argwhere(shown), texts, strict=True):
            value = array[row, column]
            behind = colour_map(norm(value)) if np.isfinite(value) else (0.85, 0.85, 0.85)
            ax.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=size,
                color=readable_on(behind),
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
    label_space = _column_label_height(col_labels, cell_width)
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


def _number_size(values, fmt, cell_width, cell_height):
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


def _column_label_height(labels, cell_width):
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
            ax.add_patch(
                Rectangle(
                    (position - 0.31, limits[0]),
                    0.62,
                    limits[1] - limits[0],
                    facecolor=PALE,
                    edgecolor=GREY,
                    hatch="////",
                    linewidth=0,
                )
            )
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
    for position, label in enumerate(ax.get_xticklabels()):
        label.set_parse_math(False)
        if position == query:
            label.set(
                fontweight="bold",
                bbox={
                    "boxstyle": "round,pad=0.25",
                    "facecolor": "white",
                    "edgecolor": QUERY_COLOUR,
                    "linewidth": 1.8,
                },
            )
    if query is not None:
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
            color="#A84A00",
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


# --- equations of matrices ------------------------------------------------------------------


class Grid:
    """One matrix of an equation: the array and how `heatmap` is to draw it.

    Parameters
    ----------
    array : ndarray, [rows, columns]
    name : str
    row_labels, col_labels : list of str or None
    style
        Further keywords of `heatmap`: mask, colours, limit, fmt.
    """

    def __init__(self, array, name, row_labels=None, col_labels=None, **style):
        self.array = np.asarray(array, dtype=float)
        self.name = name
        self.row_labels = row_labels
        self.col_labels = col_labels
        self.style = style

    def label_width(self):
        """Return the inches that the row labels take on the left."""
        if not self.row_labels:
            return 0.0
        return max(text_width(token_label(label), 9.5) for label in self.row_labels) + 0.1


SYMBOL_WIDTH = 0.4
GRID_TITLE = 0.27  # inches above the cells for a grid's title


def cell_width(parts, width=WIDTH - 2 * MARGIN, largest=LARGEST_CELL):
    """Return the cell width at which an equation fills `width` inches at most."""
    grids = [part for part in parts if isinstance(part, Grid)]
    fixed = sum(grid.label_width() for grid in grids) + SYMBOL_WIDTH * (len(parts) - len(grids))
    columns = sum(grid.array.shape[1] for grid in grids)
    return min(largest, (width - fixed) / columns)


def equation_height(parts, cell=None, cell_height=CELL_HEIGHT):
    """Return the inches that `equation` takes downwards from its `top`."""
    cell = cell or cell_width(parts)
    return max(
        GRID_TITLE + _column_label_height(grid.col_labels, cell) + cell_height * grid.array.shape[0]
        for grid in parts
        if isinstance(grid, Grid)
    ) + _colour_bar_height(parts, cell, cell_height)


def _colour_bar_height(parts, cell, cell_height):
    """Return the inches under an equation for colour bars, if any grid is without numbers."""
    missing = any(
        not _number_size(part.array.flat, part.style.get("fmt", ".2f"), cell, cell_height)
        for part in parts
        if isinstance(part, Grid)
    )
    return COLOUR_BAR_SPACE if missing else 0.0


def equation(figure, left, top, parts, cell=None, cell_height=CELL_HEIGHT):
    """Draw matrices and the signs between them in one line, such as ``X @ W = Q``.

    All cells get the same size, so a matrix with more columns is wider, as on paper.

    Parameters
    ----------
    figure : LessonFigure
    left, top : float
        Upper left corner, titles included, in inches.
    parts : list of Grid and str
        Strings are signs, such as ``"@"``, ``"+"`` and ``"="``.
    cell, cell_height : float
        Size of a cell; as wide as fits by default.

    Returns
    -------
    list of Axes
        One for each `Grid`, in order.
    """
    cell = cell or cell_width(parts)
    full = equation_height(parts, cell, cell_height) - _colour_bar_height(parts, cell, cell_height)
    heads = max(
        GRID_TITLE + _column_label_height(part.col_labels, cell)
        for part in parts
        if isinstance(part, Grid)
    )
    middle = top + heads + (full - heads) / 2
    drawn_axes = []
    for part in parts:
        if isinstance(part, Grid):
            rows, columns = part.array.shape
            left += part.label_width()
            ax = figure.axes_at(
                left, middle - rows * cell_height / 2, columns * cell, rows * cell_height
            )
            heatmap(ax, part.array, part.row_labels, part.col_labels, name=part.name, **part.style)
            drawn_axes.append(ax)
            left += columns * cell
        else:
            figure.write(
                left + SYMBOL_WIDTH / 2,
                middle,
                part,
                ha="center",
                fontsize=15,
                fontweight="bold",
                color=GREY,
            )
            left += SYMBOL_WIDTH
    return drawn_axes


def equation_width(parts, cell):
    """Return the inches from the left edge of `equation` to its right edge."""
    return sum(
        part.label_width() + part.array.shape[1] * cell if isinstance(part, Grid) else SYMBOL_WIDTH
        for part in parts
    )
