"""A slider with one picture for each of its places."""

import ipywidgets

from illustrated_attention.figures.palette import VERMILION
from illustrated_attention.language import together
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
    places : sequence
        What it stands at, one after the other; it begins with the first.
    draw : callable
        From a place to its picture, as HTML. It must not fail: an error in a slider's callback
        is seen nowhere.
    pictures : (str, str)
        HTML and words that are kept: for an opened notebook without a kernel, a page made by
        nbconvert, feedback.
    """

    def __init__(self, name, places, draw, pictures):
        self.draw = draw
        self.slider = ipywidgets.SelectionSlider(
            options=places,
            description=name,
            continuous_update=True,
            layout=ipywidgets.Layout(width="480px", max_width="100%"),
        )
        self.picture = ipywidgets.HTML()
        self.picture.add_class("slider-said")  # its alt text is read out at each step
        self.slider.observe(self._show, names="value")
        self._show()
        focus_ring = ipywidgets.HTML(_FOCUS_RING, layout=ipywidgets.Layout(display="none"))
        super().__init__([self.slider, self.picture, focus_ring], pictures)
        self.add_class("picture-slider")

    def _show(self, _change=None):
        self.picture.value = self.draw(self.slider.value)


def static_figures(figures):
    """Return figures one under the other as HTML, and their alt texts as text, none twice."""
    return (
        "<br>".join(dict.fromkeys(figure._repr_html_() for figure in figures)),
        together(*dict.fromkeys(figure.alt_text for figure in figures)),
    )
