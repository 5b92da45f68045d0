"""What is in a figure: the numbers behind its cells and strips, and the picture it becomes."""

import base64
import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.patches import PathPatch


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def cells(ax):
    """The numbers of a heatmap; nan where a cell is hidden."""
    (mesh,) = (one for one in ax.collections if isinstance(one, QuadMesh))
    return np.ma.filled(mesh.get_array(), np.nan)


def all_cells(figure):
    return [cells(ax) for ax in figure.axes if any(isinstance(c, QuadMesh) for c in ax.collections)]


def strips(figure):
    """The vectors that are drawn as strips of bars."""
    return [
        strip(ax) for ax in figure.axes if any(isinstance(patch, PathPatch) for patch in ax.patches)
    ]


def strip(ax):
    values = np.zeros(round(ax.get_xlim()[1] + 0.5))
    for patch in ax.patches:
        for box in patch.get_path().vertices.reshape(-1, 4, 2):
            values[round(box[0, 0] + 0.5)] = box[1, 1]
    return values


def lies_on_its_page(figure):
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height


def svg(shown):
    """The drawing in HTML that shows one image."""
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown)
    return ElementTree.fromstring(base64.b64decode(data))
