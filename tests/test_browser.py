"""A learner's first quarter of an hour, in a real JupyterLab in a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LESSON = "notebooks/01_self_attention/01_self_attention.ipynb"
WHOLE_MODEL = "notebooks/07_gpt2/07_gpt2.ipynb"

WRONG = "def softmax(scores):\n    exp = np.exp(scores)\n    return exp / exp.sum(axis=0)"
RIGHT = """def softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)"""
EARLIER = {
    "make_qkv": "def make_qkv(x, w_q, w_k, w_v):\n    return x @ w_q, x @ w_k, x @ w_v",
    "scaled_scores": (
        "def scaled_scores(q, k):\n    return q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])"
    ),
}
SLIDER = """import numpy as np
from illustrated_attention.widgets.explorer import explore

def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)

explore(softmax, tokens=["robot", "must"], scores=[[0.8, 0.9], [0.5, 0.1]])
"""

STEPPER = """import numpy as np
from illustrated_attention.widgets.kv_cache import cache_stepper

def append_kv(cache, k, v):
    return (k, v) if cache is None else (np.vstack([cache[0], k]), np.vstack([cache[1], v]))

cache_stepper(["robot", "must"], [(np.ones((2, 3)),) * 3], append_kv)
"""

pytestmark = pytest.mark.browser


class Notebook:
    """A notebook in JupyterLab, driven as a learner does: go to a cell, type, run, look."""

    def __init__(self, page):
        self.page = page

    def index_of(self, grade_id: str) -> int:
        script = """id => window.jupyterapp.shell.currentWidget.content.widgets.findIndex(
            cell => (cell.model.sharedModel.metadata.nbgrader || {}).grade_id === id)"""
        return self.page.evaluate(script, grade_id)

    def index_with(self, text: str) -> int:
        script = """text => window.jupyterapp.shell.currentWidget.content.widgets.findIndex(
            cell => cell.model.type === 'code'
                && cell.model.sharedModel.getSource().includes(text))"""
        return self.page.evaluate(script, text)

    def go_to(self, index: int) -> None:
        script = """async index => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = index;
            await notebook.scrollToItem(index, 'start');
        }"""
        self.page.evaluate(script, index)

    def type_into(self, index: int, text: str) -> None:
        self.go_to(index)
        script = """() => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.mode = 'edit';
            notebook.activeCell.editor.focus();
        }"""
        self.page.evaluate(script)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def run(self, index: int) -> None:
        self.go_to(index)
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")

    def output(self, index: int):
        cell = f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']"
        return self.page.locator(f"{cell} .jp-OutputArea-output")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as `make lab` starts it, on a copy of the course, on a free port."""
    folder = tmp_path_factory.mktemp("lab")
    for part in ("notebooks", "scripts", "solutions"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "autograder").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=test")
    command = [sys.executable, str(folder / "scripts" / "open_lab.py"), *options]
    command.append("--LabApp.expose_app_in_browser=True")  # so that the test can find its cells
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config")}
    with open(folder / "lab.log", "w") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    yield f"http://127.0.0.1:{port}/lab/tree/{LESSON}?token=test&reset"
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:  # on a busy machine it may wait for a kernel for ever
        server.kill()
        server.wait()


def opened(browser, address: str, width: int = 1250) -> Notebook:
    """Open a lesson on a page of its own, once the server answers."""
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.set_default_timeout(60_000)
    for _attempt in range(120):
        try:
            page.goto(address)
            break
        except Exception as error:
            if "ERR_CONNECTION_REFUSED" not in str(error):
                raise
            time.sleep(0.25)
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget?.context?.sessionContext"
        ".session?.kernel?.status === 'idle'"
    )
    return Notebook(page)


@pytest.fixture
def notebook(browser, lab):
    notebook = opened(browser, lab)
    yield notebook
    notebook.page.close()


def test_a_wrong_softmax_is_named_a_right_one_gets_its_card_and_its_figure(notebook):
    softmax, check = notebook.index_of("softmax"), notebook.index_of("softmax_check")
    figure = notebook.index_with("draw.scores_and_weights")
    for start in ("import numpy", "tokens = "):
        notebook.run(notebook.index_with(start))
    for name, source in EARLIER.items():
        notebook.type_into(notebook.index_of(name), source)
        notebook.run(notebook.index_of(name))

    notebook.type_into(softmax, WRONG)
    notebook.run(softmax)
    notebook.run(check)
    card = notebook.output(check)
    card.get_by_text("softmax: not yet").wait_for()
    shown = card.first.inner_text()
    assert "Your columns sum to 1, your rows do not." in shown
    assert "yours" in shown
    assert "expected" in shown
    assert "Traceback" not in "".join(card.all_inner_texts())
    _keep_screenshot(notebook.page, "lesson_01")

    notebook.type_into(softmax, RIGHT)
    notebook.run(softmax)
    notebook.run(check)
    card.get_by_text("softmax: passed").wait_for()

    notebook.run(figure)
    picture = notebook.output(figure).locator("img")
    picture.wait_for()
    assert "obey" in picture.get_attribute("alt")
    _keep_screenshot(notebook.page, "lesson_01_figure")


def test_check_never_passes_code_that_does_not_stand_in_the_notebook(notebook):
    softmax, check = notebook.index_of("softmax"), notebook.index_of("softmax_check")
    card = notebook.output(check)
    notebook.run(notebook.index_with("import numpy"))

    def run_both(source: str, run_it: bool = True) -> str:
        """Type the function, run its cell or not, then check; return what the card says."""
        notebook.page.evaluate(
            "() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"
        )
        notebook.type_into(softmax, source)
        if run_it:
            notebook.run(softmax)
        notebook.run(check)
        card.get_by_text("softmax: ").first.wait_for()
        return card.first.inner_text()

    assert "softmax: passed" in run_both(RIGHT)
    said = run_both(RIGHT.replace("):", ")"))
    assert "not checked" in said
    assert "stopped with SyntaxError" in said
    assert "softmax: passed" in run_both(RIGHT)
    said = run_both(WRONG, run_it=False)
    assert "You changed the cell with your softmax and did not run it" in said
    assert "softmax: not yet" in run_both(WRONG)
    assert "softmax: passed" in run_both(RIGHT)
    assert "softmax: passed" in run_both(RIGHT + "  # well", run_it=False)

    scratch = notebook.index_with("draw.scores_and_weights")  # any cell below
    notebook.type_into(scratch, WRONG)
    notebook.run(scratch)
    said = run_both(RIGHT, run_it=False)
    assert "The softmax in use comes from another cell" in said
    _keep_screenshot(notebook.page, "not_checked")
    assert "softmax: passed" in run_both(RIGHT)


def test_the_explorer_is_used_by_keyboard_and_mouse_and_keeps_its_last_picture(notebook):
    cell = notebook.index_with("import numpy")
    notebook.type_into(cell, SLIDER)
    notebook.run(cell)
    output = notebook.output(cell)
    query, said = output.get_by_role("radiogroup", name="query"), output.locator(".explorer-said")
    keys = output.get_by_role("radiogroup", name="key")
    said.get_by_text("Query 'must', key 'robot'").wait_for()
    assert said.get_attribute("aria-live") == "polite"

    query.get_by_role("radio", name="must").focus()
    notebook.page.keyboard.press("ArrowLeft")
    said.get_by_text("Query 'robot', key 'robot'").wait_for()
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("ArrowRight")
    said.get_by_text("Query 'robot', key 'must'").wait_for()
    notebook.page.keyboard.press("ArrowLeft")
    said.get_by_text("Query 'robot', key 'robot'").wait_for()
    assert keys.get_by_role("radio", name="robot").is_checked()
    handle = output.get_by_role("slider", name="divide by")
    handle.focus()
    notebook.page.keyboard.press("ArrowRight")
    said.get_by_text("scaled 0.78").wait_for()
    assert handle.get_attribute("aria-valuetext") == "1.02"
    assert output.get_by_role("textbox", name="divide by").inner_text() == "1.02"
    assert not output.locator("[title=null]").count()  # ipywidgets writes it where there is none

    output.locator("[data-query='1'][data-key='0']").click()
    said.get_by_text("Query 'must', key 'robot'").wait_for()
    row = output.locator(".here[data-key='1'] > .band")
    assert row.evaluate("band => getComputedStyle(band).opacity") == "0"
    output.locator(".here[data-key='1']").first.hover()
    assert row.evaluate("band => getComputedStyle(band).opacity") == "1"
    _keep_screenshot(notebook.page, "explorer_of_two")

    picture = output.locator("img[alt^=\"Query 'must', key 'robot'\"]")
    picture.wait_for(state="attached")  # stored soon after the last step, behind what lives
    assert not picture.is_visible()
    notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()"
    )
    picture.wait_for()
    assert "To bring it to life, run this cell." in output.first.inner_text()


def test_each_step_of_a_slider_is_read_out(notebook):
    cell = notebook.index_with("import numpy")
    notebook.type_into(cell, STEPPER)
    notebook.run(cell)
    output = notebook.output(cell)
    handle = output.get_by_role("slider", name="step")
    handle.focus()
    notebook.page.keyboard.press("ArrowRight")
    said = output.locator("[aria-live=polite]")
    said.locator("img[alt^=\"Step 2: 'must' is read.\"]").wait_for()
    assert handle.get_attribute("aria-valuetext") == "2"


def test_the_whole_model_answers_a_sentence_that_is_typed(browser, lab):
    notebook = opened(browser, lab.replace(LESSON, WHOLE_MODEL), width=1200)
    notebook.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    notebook.run(notebook.index_of("built_so_far"))
    for start in ("import numpy", "model = load_pocket", "def layers", "found = pocket_heads"):
        notebook.run(notebook.index_with(start))
    cell = notebook.index_with("explore(*mine, model=model, layer=layer")
    notebook.run(cell)
    output = notebook.output(cell)
    said = output.locator(".explorer-said")
    said.get_by_text("Query 'It', key 'robot'").wait_for()
    assert "Next words: beeped 50%" in said.inner_text()
    notebook.go_to(cell)
    _keep_screenshot(notebook.page, "explorer")

    sentence = output.get_by_role("combobox", name="sentence")
    sentence.fill("A dog must obey the orders given it by humans. It")
    sentence.press("Enter")
    said.get_by_text("Query 'It', key 'dog'").wait_for()
    assert "Next words: barked 52%" in said.inner_text()
    notebook.page.close()


def test_a_slider_is_there_as_pictures_when_the_notebook_is_opened_again(notebook):
    cell = notebook.index_with("import numpy")
    notebook.type_into(cell, SLIDER)
    notebook.run(cell)
    handle, picture = (notebook.output(cell).locator(name) for name in (".noUi-handle", "img"))
    handle.wait_for()
    assert not picture.is_visible()

    notebook.page.evaluate(
        """async () => {
            const { context } = window.jupyterapp.shell.currentWidget;
            await context.save();
            await context.sessionContext.shutdown();
        }"""
    )
    picture.wait_for()
    assert not handle.is_visible()

    notebook.page.reload()  # there is another kernel now
    picture.wait_for()
    assert "robot" in picture.get_attribute("alt")
    assert "model not found" not in notebook.output(cell).first.inner_text()


def _keep_screenshot(page, name: str) -> None:
    """Write a picture for people where SCREENSHOTS says (the README's is made this way)."""
    if "SCREENSHOTS" in os.environ:
        time.sleep(0.5)  # until the scrolling has settled
        page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"{name}.png")
