"""A slider with one ready picture for each of its places: what all widgets are made of."""

import ipywidgets

from illustrated_attention.figures.palette import VERMILION
from illustrated_attention.widgets.live import Live

# JupyterLab draws no ring around a slider's handle, so a keyboard user would not see the focus.
_FOCUS_RING = (
    "<style>.picture-slider .noUi-handle:focus-visible "
    f"{{outline: 3px solid {VERMILION}; outline-offset: 2px}}</style>"
)


class PictureSlider(Live):
    """A slider and the picture of its place; the arrow keys move it.

    Parameters
    ----------
    name : str
        What the slider chooses, shown beside it.
    pages : dict
        For each place of the slider its picture, as HTML. All are drawn beforehand: a learner's
        function that fails does so in the cell and not in a slider's silent callback, and the
        slider moves without delay.
    first : int
        The place to begin with.
    pictures : (str, str)
        HTML and words that are kept: for an opened notebook without a kernel, a page made by
        nbconvert, feedback.
    label : callable
        From a place to the words beside the slider.
    """

    def __init__(self, name, pages, first, pictures, label=str):
        self.pages = pages
        self.slider = ipywidgets.SelectionSlider(
            options=[(label(place), place) for place in pages],
            index=first,
            description=name,
            continuous_update=True,
            layout=ipywidgets.Layout(width="480px", max_width="100%"),
        )
        self.picture = ipywidgets.HTML()
        self.slider.observe(self._draw, names="value")
        self._draw()
        focus_ring = ipywidgets.HTML(_FOCUS_RING, layout=ipywidgets.Layout(display="none"))
        super().__init__([self.slider, self.picture, focus_ring], pictures)
        self.add_class("picture-slider")

    def _draw(self, _change=None):
        self.picture.value = self.pages[self.slider.value]


def static_figures(figures):
    """Return figures one under the other as HTML, and their alt texts as text, none twice."""
    return (
        "<br>".join(dict.fromkeys(figure._repr_html_() for figure in figures)),
        " ".join(dict.fromkeys(figure.alt_text for figure in figures)),
    )
