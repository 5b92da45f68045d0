"""What all widgets share: live where they can be moved, pictures of them everywhere else.

JupyterLab keeps of a widget only a number. When a notebook is opened again that number means
nothing, and "model not found" stands where the learner saw something. So a widget of the course is
stored as pictures, in HTML that shows everywhere: without a kernel, in a page of nbconvert, in
feedback. The small extension in ``labextension/`` puts the live widget in their place while the
kernel knows it.
"""

import html
import sys

import ipywidgets
from IPython.display import display

from illustrated_attention.language import _, later

LIVE = "application/vnd.illustrated-attention.live+json"  # remoteEntry.js knows this name
VIEW = "application/vnd.jupyter.widget-view+json"


class Live(ipywidgets.VBox):
    """Widgets one under the other, and the pictures that are kept of them.

    Parameters
    ----------
    children : list of ipywidgets.Widget
    pictures : (str, str)
        What is seen where the widgets do not live, as HTML and in words.
    """

    note = later("Still pictures. To move the slider, run this cell.")

    def __init__(self, children, pictures):
        super().__init__(children)
        self.pictures = pictures

    def _repr_mimebundle_(self, **_kwargs):
        pictures, words = self.pictures
        return {
            # VS Code shows the pictures by itself when it does not find the widget any more.
            VIEW if _in_vs_code() or _in_colab() else LIVE: {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            },
            "text/html": f"<p><em>{html.escape(_(self.note))}</em></p>{pictures}",
            "text/plain": words,
        }

    def _ipython_display_(self):
        # Of ipywidgets 7, which Colab has, a widget shows itself so and brings no pictures along.
        display(self._repr_mimebundle_(), raw=True)


def _in_vs_code():
    """VS Code leaves the notebook's path among the kernel's names."""
    return "__vsc_ipynb_file__" in vars(sys.modules["__main__"])


def _in_colab():
    return "google.colab" in sys.modules
