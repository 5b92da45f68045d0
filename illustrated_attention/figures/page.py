"""The page that a figure is drawn on: its measures, its alt text, and how a notebook shows it.

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

import contextlib
import functools
import html
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from illustrated_attention.figures.palette import (
    DARK_BLUE,
    DARK_VERMILION,
    GREY,
    INK,
    PAGE,
    VERMILION,
)
from illustrated_attention.figures.renderer import CSS_PIXELS, SvgRenderer
from illustrated_attention.figures.themed import as_image
from illustrated_attention.figures.words import fit_text
from illustrated_attention.language import _

WIDTH = 7.5  # inches: fits a notebook in a window of 800 pixels, and paper
MARGIN = 0.25
ROOM = WIDTH - 2 * MARGIN  # between the margins
TITLE_SPACE = 0.62  # from the upper edge to where drawing may begin
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
# As `matplotlib.style.context(["default", RC])`, which reads thirty files when it is imported.
# What a drawing goes to is not a matter of style, and `rc_context` would not set it back.
_SETTINGS: dict[Any, Any] = {
    **{k: v for k, v in matplotlib.rcParamsDefault.items() if k != "backend"},
    **RC,
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
        with matplotlib.rc_context(_SETTINGS):
            return function(*args, **kwargs)

    return draw


class LessonFigure(Figure):
    """A matplotlib figure that carries alt text and shows itself in a notebook.

    A notebook gets one HTML image with the alt text in it (JupyterLab shows a plain picture
    without any), and the alt text alone as the plain text form.

    Parameters
    ----------
    title : str
        One short sentence that says what is seen.
    height : float
        Inches; it is `WIDTH` wide.

    Attributes
    ----------
    alt_text : str
        What the picture shows, in words and numbers. Set it before the figure is shown.
    """

    def __init__(self, title="", height=3.0):
        if not drawing:
            raise _Checked
        super().__init__(figsize=(WIDTH, height), dpi=CSS_PIXELS, facecolor=PAGE)
        FigureCanvasAgg(self)
        self.alt_text = ""
        self.title = title
        if title:
            size = fit_text([title], (WIDTH - 2 * MARGIN) / 1.13, 12)  # bold is wider
            self.write(MARGIN, 0.31, title, fontsize=size, fontweight="bold")

    def axes_at(self, left, top, width, height):
        """Return bare axes; inches from the figure's left and upper edges."""
        full_width, full_height = self.get_size_inches()
        box = (
            left / full_width,
            1 - (top + height) / full_height,
            width / full_width,
            height / full_height,
        )
        ax = self.add_axes(box, facecolor="none")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelsize=9)
        return ax

    def whole_page(self):
        """Return bare axes over the whole figure, in inches from its left and upper edges."""
        width, height = self.get_size_inches()
        ax = self.axes_at(0, 0, width, height)
        ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
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

    def in_svg(self):
        """Return what draws this figure, after it has: its ``body`` and ``style`` are SVG."""
        renderer = SvgRenderer(*(inches * CSS_PIXELS for inches in self.get_size_inches()))
        with matplotlib.rc_context(_SETTINGS):
            self.draw(renderer)
        return renderer

    def _repr_html_(self):
        done = self.in_svg()
        return as_image(
            done.width, done.height, done.body, done.style, self.alt_text, done.smallest_text
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


def name_line(ax, words, end, colour, offset):
    """Write a line's name beside its end, in a darker shade of its colour.

    Parameters
    ----------
    ax : Axes
    words : str
    end : (float, float)
        The line's last point, as it was drawn.
    colour : str
        The line's: `VERMILION` or `BLUE`.
    offset : (float, float)
        Points, from there to the words.
    """
    ax.annotate(
        words,
        end,
        offset,
        textcoords="offset points",
        va="center",
        fontweight="bold",
        color=DARK_VERMILION if colour == VERMILION else DARK_BLUE,
        annotation_clip=False,
    )
