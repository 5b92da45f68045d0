"""What matplotlib draws with: it makes small SVG in which text is text and colours have names.

matplotlib's own SVG is ten times as long, and its colours are fixed.
"""

import html
import math

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_hex
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from illustrated_attention.figures.themed import both
from illustrated_attention.figures.words import has_glyph

CSS_PIXELS = 96  # in an inch
_FONT = "text{font-family:'DejaVu Sans',Verdana,sans-serif;white-space:pre}"
_HATCH = 6  # pixels between two lines
_LETTERS = {Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}


class SvgRenderer(RendererBase):
    """Takes what matplotlib draws; `body` and `style` then hold the drawing.

    Parameters
    ----------
    width, height : float
        Pixels.
    """

    def __init__(self, width, height):
        super().__init__()
        self.width, self.height = width, height
        self.smallest_text = math.inf
        self._flip = Affine2D().scale(1, -1).translate(0, height)
        self._names: dict[str, str] = {}  # of colours
        self._classes: dict[str, str] = {}  # of declarations
        self._parts: list[tuple[str, str]] = []  # what is before the paths, and their outlines
        self._clips: dict[tuple, str] = {}

    # --- what matplotlib asks ------------------------------------------------------------------

    def get_canvas_width_height(self):
        return self.width, self.height

    def points_to_pixels(self, points):
        return points * CSS_PIXELS / 72

    def get_text_width_height_descent(self, s, prop, ismath):
        """Measure a text; a character that our font lacks is a square of the type's size.

        Its line stays as high as any other: in Chinese, too, words beside numbers stand on one line
        with them.
        """
        known = "".join(filter(has_glyph, s))
        width, height, descent = super().get_text_width_height_descent(known, prop, ismath)
        size = self.points_to_pixels(prop.get_size_in_points())
        return width + (len(s) - len(known)) * size, height, descent

    def flipy(self):
        return True

    # --- what matplotlib draws -----------------------------------------------------------------

    def draw_path(self, gc, path, transform, rgbFace=None):
        path = path.transformed(transform + self._flip)
        fill = "none"
        if rgbFace is not None and (len(rgbFace) < 4 or rgbFace[3] > 0):
            fill = self._colour(rgbFace)
        stroke = self._stroke(gc)
        clip = self._clip(gc, path)
        if fill != "none" or stroke:
            self._shape(f"fill:{fill}{stroke}", clip + self._dashes(gc), _outline(path))
        if gc.get_hatch():
            colour = self._colour(gc.get_hatch_color())
            lines = f"fill:none;stroke:{colour};stroke-width:{_short(gc.get_hatch_linewidth())}"
            self._shape(lines, clip, _hatching(path.get_extents()))

    def draw_quad_mesh(self, gc, master_transform, meshWidth, meshHeight, coordinates, *more):
        _offsets, _transform, faces, _antialiased, edges, *_hatched = more
        corners = (master_transform + self._flip).transform(coordinates.reshape(-1, 2))
        corners = corners.reshape(coordinates.shape)
        edge = ""
        if len(edges) and edges[0][3]:
            width = self.points_to_pixels(gc.get_linewidth())
            edge = f";stroke:{self._colour(edges[0])};stroke-width:{_short(width)}"
        style = edge or ";shape-rendering:crispEdges"  # else the page shows between cells
        by_colour: dict[str, list[str]] = {}
        hues = [to_hex(face) if face[3] else "" for face in faces]
        for row in range(meshHeight):
            column = 0
            while column < meshWidth:
                first, hue = column, hues[row * meshWidth + column]
                column += 1
                # Without edges between them, neighbours of one colour are one shape.
                while not edge and column < meshWidth and hues[row * meshWidth + column] == hue:
                    column += 1
                if hue:
                    (left, top), (right, bottom) = corners[row, first], corners[row + 1, column]
                    by_colour.setdefault(hue, []).append(_box(left, top, right, bottom))
        for hue, boxes in by_colour.items():
            self._shape(f"fill:{self._colour(hue)}{style}", "", "".join(boxes))

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):  # noqa: ARG002
        size = self.points_to_pixels(prop.get_size_in_points())
        self.smallest_text = min(self.smallest_text, size)
        # Another font than ours is as wide as it likes, so a text is put by its own middle or end.
        side = mtext.get_horizontalalignment() if mtext is not None and not angle else ""
        if mtext is not None and angle == 90:
            side = {"center": "center", "top": "right"}.get(mtext.get_verticalalignment(), "")
        anchor, part = {"center": ("middle", 0.5), "right": ("end", 1.0)}.get(side, ("start", 0))
        width = self.get_text_width_height_descent(s, prop, False)[0] if part else 0
        x += part * width * math.cos(math.radians(angle))
        y -= part * width * math.sin(math.radians(angle))
        style = f"fill:{self._colour(gc.get_rgb())};font-size:{_short(size)}px"
        if prop.get_weight() in ("bold", 700):
            style += ";font-weight:bold"
        if anchor != "start":
            style += f";text-anchor:{anchor}"
        place = f'x="{_short(x)}" y="{_short(y)}"'
        if angle:
            place += f' transform="rotate({_short(-angle)} {_short(x)} {_short(y)})"'
        text = html.escape(s, quote=False)
        self._parts.append((f'<text class="{self._class(style)}" {place}>{text}</text>', ""))

    # --- what has been drawn -------------------------------------------------------------------

    @property
    def body(self):
        clips = "".join(
            f'<clipPath id="{name}"><path d="{_box(*box)}"/></clipPath>'
            for box, name in self._clips.items()
        )
        return clips + "".join(
            f'{start}"{outline}"/>' if outline else start for start, outline in self._parts
        )

    @property
    def style(self):
        colours = {name: colour for colour, name in self._names.items()}
        rules = "".join(f".{name}{{{style}}}" for style, name in self._classes.items())
        return both(colours) + _FONT + rules

    def _shape(self, style, attributes, outline):
        """Draw a path; those that follow one another in the same style are one."""
        start = f'<path class="{self._class(style)}"{attributes} d='
        if self._parts and self._parts[-1][0] == start:
            self._parts[-1] = (start, self._parts[-1][1] + outline)
        else:
            self._parts.append((start, outline))

    def _class(self, style):
        return self._classes.setdefault(style, f"s{len(self._classes)}")

    def _colour(self, colour):
        shade = to_hex(colour).upper()
        return f"var(--{self._names.setdefault(shade, f'c{len(self._names)}')})"

    def _stroke(self, gc):
        width = self.points_to_pixels(gc.get_linewidth())
        if not width or not gc.get_rgb()[3]:
            return ""
        return f";stroke:{self._colour(gc.get_rgb())};stroke-width:{_short(width)}"

    def _dashes(self, gc):
        _offset, dashes = gc.get_dashes()
        if dashes is None or not gc.get_linewidth():
            return ""
        lengths = (_short(self.points_to_pixels(length)) for length in dashes)
        return f' stroke-dasharray="{" ".join(lengths)}"'

    def _clip(self, gc, path):
        """Return what cuts a path where it leaves its axes; most do not."""
        box = gc.get_clip_rectangle()
        if box is None:
            return ""
        box = box.transformed(self._flip)
        inside = path.get_extents()
        if (
            inside.x0 > box.x0 - 1
            and inside.y0 > box.y0 - 1
            and inside.x1 < box.x1 + 1
            and inside.y1 < box.y1 + 1
        ):
            return ""
        name = self._clips.setdefault(tuple(np.round(box.extents, 1)), f"k{len(self._clips)}")
        return f' clip-path="url(#{name})"'


def _short(value):
    """Return a number of pixels with as many digits as can be seen."""
    return f"{round(float(value), 1) + 0.0:g}"


def _outline(path):
    """Return a path in pixels as SVG writes it."""
    written, here = "", ["", ""]
    for points, code in path.iter_segments(simplify=False):
        if code == Path.CLOSEPOLY:
            written += "z"
            continue
        places = [_short(value) for value in points]
        if code == Path.MOVETO:
            written += "M" + " ".join(places)
        elif code == Path.LINETO and places[1] == here[1]:
            written += "H" + places[0]
        elif code == Path.LINETO and places[0] == here[0]:
            written += "V" + places[1]
        else:
            written += _LETTERS[code] + " ".join(places)
        here = places[-2:]
    return written


def _box(left, top, right, bottom):
    return f"M{_short(left)} {_short(top)}H{_short(right)}V{_short(bottom)}H{_short(left)}z"


def _hatching(box):
    """Return slanting lines across a box; a pattern would be refused where pages are cleaned."""
    lines = ""
    first = math.ceil((box.x0 + box.y0) / _HATCH) * _HATCH  # so that lines meet in the next box
    for end in np.arange(first, box.x1 + box.y1, _HATCH):
        left, right = max(box.x0, end - box.y1), min(box.x1, end - box.y0)
        lines += f"M{_short(left)} {_short(end - left)}L{_short(right)} {_short(end - right)}"
    return lines
