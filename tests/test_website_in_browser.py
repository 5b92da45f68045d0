"""The built website in a real browser, with the network shut; skipped unless it is asked for.

``make site``, and ``npm pack axe-core`` for axe, then::

    WEBSITE=build/site AXE=.../axe.min.js make test TEST_ARGS="tests/test_website_in_browser.py"
"""

import functools
import http.server
import os
import re
import socketserver
import threading
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from website.lite import hand_in_words

ROOT = Path(__file__).resolve().parents[1]
WEBSITE, AXE = os.environ.get("WEBSITE", ""), os.environ.get("AXE", "")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not WEBSITE, reason="WEBSITE names no built website"),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A plain web server, as any that a course may have."""

    def log_message(self, *_args):
        """Say nothing."""


class Server(socketserver.ThreadingTCPServer):
    """A browser that goes away is no error."""

    daemon_threads = True

    def handle_error(self, *_args):
        """Say nothing."""


@pytest.fixture(scope="module")
def address():
    with Server(("127.0.0.1", 0), functools.partial(Quiet, directory=WEBSITE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def page(browser, address, request):
    """A page that tells of errors and of requests to other hosts, when the test is over."""
    settings = getattr(request, "param", {})
    context = browser.new_context(accept_downloads=True, **settings)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith((address, "blob:", "data:")) else wrong.append(asked.url)
        ),
    )
    page.wrong = wrong
    yield page
    context.close()


LOOKS = [
    {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    for scheme in ("light", "dark")
    for width in (390, 800, 1400)
]


def paths():
    root = Path(WEBSITE)
    found = (path.relative_to(root).as_posix() for path in root.rglob("*.html"))
    return sorted(path for path in found if not path.startswith("lite/") and "_static" not in path)


@pytest.mark.parametrize(
    "page",
    LOOKS,
    indirect=True,
    ids=lambda look: f"{look['color_scheme']} {look['viewport']['width']}",
)
def test_every_page_fits_and_axe_finds_nothing(page, address):
    if not AXE:
        pytest.skip("AXE names no axe.min.js")
    rules = Path(AXE).read_text(encoding="utf-8")
    faults = []
    assert sum(path.startswith("zh_CN/") for path in paths()) > 10
    assert len(paths()) > 30
    for path in paths():
        page.goto(address + path)
        if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
            faults.append((path, "is wider than the window"))
        page.evaluate(rules)
        found = page.evaluate(
            """async (rules) => (await axe.run(document, { runOnly: rules })).violations.map(
                (one) => [one.id, one.nodes[0].html.slice(0, 200)])""",
            RULES,
        )
        faults += [(path, *one) for one in found]
    assert not faults
    assert not page.wrong


def test_no_lesson_shows_more_of_a_solution_than_its_release():
    """What the solutions printed and drew is shown; nothing of them may be in it."""
    tried = 0
    pages = sorted(Path(WEBSITE).glob("**/notebooks/*/*.html"))
    assert len(pages) == 16
    for path in pages:
        shown = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").get_text()
        lesson = path.stem
        release = nbformat.read(ROOT / "notebooks" / lesson / f"{lesson}.ipynb", 4)
        open_to_all = _joined("\n".join(cell.source for cell in release.cells))
        source = (ROOT / "solutions" / lesson / f"{lesson}.py").read_text(encoding="utf-8")
        for solution in re.findall(r"### BEGIN SOLUTION\n(.*?)### END", source, re.DOTALL):
            for line in map(_joined, solution.splitlines()):
                if len(line) > 12 and line not in open_to_all:
                    tried += 1
                    assert line not in _joined(shown), (lesson, line)
    assert tried > 50


def _joined(text):
    return " ".join(text.split())


def test_the_explorer_is_alive_without_a_kernel_and_by_keyboard(page, address):
    page.goto(address)
    said = page.get_by_role("status")
    assert "“It” gives 95 % of its attention to “robot”" in said.inner_text()
    page.get_by_label("Switch this head off").check()
    assert "With this head off, the model expects" in said.inner_text()
    page.get_by_role("radio", name="It", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    assert "“.” gives" in said.inner_text()
    page.get_by_label("Sentence").select_option(label="Tom found a bell. Ada liked it. He")
    page.get_by_label("Switch this head off").uncheck()
    assert "“He” gives 92 % of its attention to “Tom”" in said.inner_text()
    assert page.get_by_role("table").count() == 2
    assert not page.wrong


def test_the_explorer_speaks_chinese(page, address):
    page.goto(address + "zh_CN/index.html")
    said = page.get_by_role("status")
    assert "“It”把 95% 的注意力给了“robot”" in said.inner_text()
    page.get_by_label("关掉这个头").check()
    assert "开着时是“beeped”" in said.inner_text()
    assert not page.wrong


@pytest.mark.parametrize(
    ("looked_for", "title"),
    [("search.html?q=softmax", "Self-attention"), ("zh_CN/search.html?q=注意力", "自注意力")],
)
def test_search_finds_a_lesson(looked_for, title, page, address):
    page.goto(address + looked_for)
    page.get_by_role("link", name=title).first.wait_for(timeout=60_000)
    assert not page.wrong


@pytest.mark.parametrize("folder", hand_in_words())
def test_the_place_in_the_browser_opens_on_00_and_hands_in_by_download(folder, page, address):
    words = hand_in_words()[folder]
    page.goto(f"{address}{folder}index.html")
    page.locator(".begin a").first.click()
    page.locator(".jp-Notebook h1").filter(has_text="00").wait_for(timeout=180_000)
    warning = page.locator(".Toastify").get_by_text(words["kept"])
    warning.wait_for(timeout=60_000)
    page.get_by_text(words["button"]).first.click()
    page.locator(".jp-Dialog input").fill("ada")
    with page.expect_download(timeout=60_000) as handed_in:
        page.locator(".jp-Dialog .jp-mod-accept").click()
    assert handed_in.value.suggested_filename == "ada+00_orientation.ipynb"
    assert '"nbformat"' in Path(handed_in.value.path()).read_text(encoding="utf-8")
