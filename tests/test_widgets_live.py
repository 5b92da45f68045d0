"""A widget is stored as pictures, so that it is there again without the kernel that made it."""

import sys
import types
from pathlib import Path

import ipywidgets
import nbformat
import pytest
from nbconvert import HTMLExporter

from illustrated_attention.widgets import live as live_module
from illustrated_attention.widgets.live import LIVE, VIEW, Live

EXTENSION = Path("illustrated_attention/labextension/illustrated-attention/static/remoteEntry.js")
PICTURE = '<img alt="what was seen" src="data:image/png;base64,iVBORw0KGgo=">'


def bundle():
    live = Live([ipywidgets.IntSlider()], (PICTURE, "what was seen"))
    return live._repr_mimebundle_()


def test_what_is_stored_holds_pictures_and_no_view_that_would_not_be_found_again():
    stored = bundle()
    assert VIEW not in stored
    assert stored["text/html"].endswith(PICTURE)
    assert "run this cell" in stored["text/html"]
    assert stored["text/plain"] == "what was seen"


def test_the_extension_of_jupyterlab_looks_for_the_same_type_and_finds_the_model():
    assert f'"{LIVE}"' in (Path(__file__).parent.parent / EXTENSION).read_text()
    live = Live([ipywidgets.IntSlider()], (PICTURE, ""))
    assert live._repr_mimebundle_()[LIVE]["model_id"] == live.model_id


def test_vs_code_gets_the_view_because_it_shows_the_pictures_by_itself(monkeypatch):
    # Not `import __main__`: a shell that a test before this one made may have taken its place.
    monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", "/a.ipynb", raising=False)
    stored = bundle()
    assert stored[VIEW]["model_id"]
    assert LIVE not in stored
    assert stored["text/html"].endswith(PICTURE)


def test_colab_gets_the_view_and_the_pictures(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    stored = bundle()
    assert stored[VIEW]["model_id"]
    assert stored["text/html"].endswith(PICTURE)


def test_ipywidgets_7_brings_the_pictures_too(monkeypatch):
    """Its widgets make no bundle, and what is last in a cell shows itself by another method."""
    shown = []
    monkeypatch.setattr(live_module, "display", lambda data, raw: shown.append(data))
    monkeypatch.delattr(ipywidgets.Widget, "_repr_mimebundle_", raising=False)
    Live([ipywidgets.IntSlider()], (PICTURE, "what was seen"))._ipython_display_()
    assert shown[0][LIVE]["model_id"]
    assert shown[0]["text/html"].endswith(PICTURE)


@pytest.mark.parametrize("state", [False, True])
def test_a_page_of_nbconvert_shows_the_pictures(state):
    """Also when the state of widgets is in the notebook, as ``nbconvert --execute`` has it."""
    stored = bundle()
    output = nbformat.v4.new_output("display_data", stored)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    if state:
        models = {stored[LIVE]["model_id"]: {"model_name": "VBoxModel", "state": {}}}
        notebook.metadata["widgets"] = {
            "application/vnd.jupyter.widget-state+json": {
                "version_major": 2,
                "version_minor": 0,
                "state": models,
            }
        }
    page, _resources = HTMLExporter().from_notebook_node(notebook)
    assert 'alt="what was seen"' in page
    assert 'widget-view+json">' not in page  # it would stay blank
