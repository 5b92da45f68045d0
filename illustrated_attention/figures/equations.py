"""Equations of matrices: grids side by side with the signs between them."""

import numpy as np

from illustrated_attention.figures.cells import (
    CELL_HEIGHT,
    COLOUR_BAR_SPACE,
    LARGEST_CELL,
    column_label_height,
    heatmap,
    number_size,
)
from illustrated_attention.figures.page import ROOM
from illustrated_attention.figures.palette import GREY
from illustrated_attention.figures.words import text_width, token_label


class Grid:
    """One matrix of an equation: the array and how `heatmap` is to draw it.

    Parameters
    ----------
    array : ndarray, [rows, columns]
    name : str
    row_labels, col_labels : list of str or None
    style
        Further keywords of `heatmap`: colours, limit, fmt.
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


SYMBOL_WIDTH, NO_SYMBOL = 0.4, 0.15
GRID_TITLE = 0.27  # inches above the cells for a grid's title


def _room(part):
    """Return the inches that a part takes beside its cells."""
    if isinstance(part, Grid):
        return part.label_width()
    return SYMBOL_WIDTH if part else NO_SYMBOL


def cell_width(parts, largest=LARGEST_CELL):
    """Return the cell width, in inches, at which an equation fits a figure."""
    grids = [part for part in parts if isinstance(part, Grid)]
    columns = sum(grid.array.shape[1] for grid in grids)
    return min(largest, (ROOM - sum(map(_room, parts))) / columns)


def equation_height(parts, cell=None):
    """Return the inches that `equation` takes downwards from its `top`."""
    cell = cell or cell_width(parts)
    return max(
        GRID_TITLE + column_label_height(grid.col_labels, cell) + CELL_HEIGHT * grid.array.shape[0]
        for grid in parts
        if isinstance(grid, Grid)
    ) + _colour_bar_height(parts, cell)


def _colour_bar_height(parts, cell):
    """Return the inches under an equation for colour bars, if any grid is without numbers."""
    missing = any(
        not number_size(part.array.flat, part.style.get("fmt", ".2f"), cell, CELL_HEIGHT)
        for part in parts
        if isinstance(part, Grid)
    )
    return COLOUR_BAR_SPACE if missing else 0.0


def equation(figure, left, top, parts, cell=None):
    """Draw matrices and the signs between them in one line, such as ``X @ W = Q``.

    All cells get the same size, so a matrix with more columns is wider, as on paper.

    Parameters
    ----------
    figure : LessonFigure
    left, top : float
        Upper left corner, titles included, in inches.
    parts : list of Grid and str
        Strings are signs, such as ``"@"``, ``"+"`` and ``"="``; an empty one is a gap.
    cell : float, optional
        Width of a cell in inches; as wide as fits if not given.

    Returns
    -------
    list of Axes
        One for each `Grid`, in order.
    """
    cell = cell or cell_width(parts)
    full = equation_height(parts, cell) - _colour_bar_height(parts, cell)
    heads = max(
        GRID_TITLE + column_label_height(part.col_labels, cell)
        for part in parts
        if isinstance(part, Grid)
    )
    middle = top + heads + (full - heads) / 2
    drawn_axes = []
    for part in parts:
        if isinstance(part, Grid):
            rows, columns = part.array.shape
            left += _room(part)
            ax = figure.axes_at(
                left, middle - rows * CELL_HEIGHT / 2, columns * cell, rows * CELL_HEIGHT
            )
            heatmap(ax, part.array, part.row_labels, part.col_labels, name=part.name, **part.style)
            drawn_axes.append(ax)
            left += columns * cell
        else:
            figure.write(
                left + _room(part) / 2,
                middle,
                part,
                ha="center",
                fontsize=15,
                fontweight="bold",
                color=GREY,
            )
            left += _room(part)
    return drawn_axes


def equation_width(parts, cell):
    """Return the inches from the left edge of `equation` to its right edge."""
    return sum(
        _room(part) + (part.array.shape[1] * cell if isinstance(part, Grid) else 0)
        for part in parts
    )
