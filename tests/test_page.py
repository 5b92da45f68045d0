"""One hand-in makes one page of bounded size, and that in bounded time, whatever is in it."""

import functools
import json
import subprocess
import sys
import uuid

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from pictures import PNG, make_png, make_svg
from traitlets.config import Config

from autograder.nbgrader_steps import markup, page
from autograder.nbgrader_steps.feedback import FeedbackExporter, ForTheStudent
from autograder.nbgrader_steps.settings import configure_feedback, configure_grading

MOST = 2_000_000  # characters of a page without pictures
EMPTY = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}
VERDICT = "what the judge says"
META = {"grade_id": "softmax_check", "grade": True, "solution": False, "locked": True}
META |= {"schema_version": 3, "points": 1, "score": 1, "task": False}


def new_cell(kind: str, source: str, **more) -> dict:
    """Make a cell without looking whether it is one: there are many."""
    cell = {"cell_type": kind, "source": source, "metadata": {}}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {}) | more


new_code_cell = functools.partial(new_cell, "code")
new_markdown_cell = functools.partial(new_cell, "markdown")
new_raw_cell = functools.partial(new_cell, "raw")


def new_output(kind: str, data: dict | None = None, **more) -> dict:
    known = {"stream": {"name": "stdout"}, "error": {"ename": "E", "evalue": "v"}}
    return {"output_type": kind, **known.get(kind, {"data": data, "metadata": {}}), **more}


def make(kind: str, cells: list, root) -> str:
    """The page of a notebook with these cells, as feedback or in formgrader."""
    config = Config()
    configure_grading(config)
    configure_feedback(config)
    config.CourseDirectory.root = str(root)
    test = new_code_cell("check(softmax)", metadata={"nbgrader": META})
    test["outputs"] = [
        new_output("stream", text="7\n" * 5_000),
        new_output("display_data", {"text/html": f"<section><b>{VERDICT}</b></section>"}),
    ]
    resources = dict.fromkeys(("submission_id", "student", "notebook_path"), "x")
    resources |= {"base_url": "/base", "index": 0, "total": 1, "last_name": "", "first_name": ""}
    if kind == "feedback":
        exporter = FeedbackExporter(config=config)
        exporter.register_preprocessor(ForTheStudent, enabled=True)
        about = {"assignment": "week", "notebook": "week", "student": "ada"}
        resources["nbgrader"] = {**about, "score": 1, "max_score": 1, "late_penalty": 0}
    else:
        config.HTMLExporter.template_name = "formgrade"
        config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
        exporter = HTMLExporter(config=config)
        resources |= {"assignment_id": "week", "notebook_id": "week"}
    copies = [{**cell, "id": uuid.uuid4().hex[:8]} for cell in [*cells, test]]
    notebook = nbformat.from_dict(json.loads(json.dumps({"cells": copies, **EMPTY})))
    return exporter.from_notebook_node(notebook, resources)[0]


def shown(mime: str, data: str):
    return new_output("display_data", {mime: data})


def picture(mime: str, data: str):
    return shown("text/html", f'<img alt="a bomb" src="data:{mime};base64,{data}">')


def text(source: str, count: int = 1) -> list:
    return [new_markdown_cell(source)] * count


def code(source: str, outputs: list, count: int = 1) -> list:
    return [new_code_cell(source, outputs=outputs)] * count


NESTED = "".join(f"<b a{letter}><p>x" for letter in "abcdefghijklmnopqrstuvwxyz")
USES = '<rect id="a0"/>' + "".join(
    f'<g id="a{level}">' + f'<use href="#a{level - 1}"/>' * 9 + "</g>" for level in range(1, 10)
)
BOMBS = {
    "128 KB of open tags": text((NESTED * 50)[:12_800], 10),
    "open tags in short cells": text((NESTED * 50)[:9_900], 40),
    "an attachment many times": [
        new_markdown_cell(
            "![a](attachment:a.png)\n" * 440,
            attachments={"a.png": {"image/png": make_png(before=b"\0\0\0\0tEXt\0\0\0\0" * 10_000)}},
        )
    ],
    "many attachments": [
        new_markdown_cell(
            "".join(f"![a](attachment:{i})\n" for i in range(200)),
            attachments={str(i): {"image/png": make_png(4_000, 4_000, rows=1)} for i in range(200)},
        )
    ],
    "dots": code("a." * 20_000, []),
    "dots in short cells": code("a." * 2_400, [], 200),
    "brackets of TeX": text("\\\\[" * 3_300, 100),
    "environments of TeX": text("\\begin{a}" * 1_100, 100),
    "emphasis": text("*a **a " * 1_400, 100),
    "quotes in quotes": text("> " * 4_900, 100),
    "headings": text("a\n-\n" * 2_400, 100),
    "a wide table": text("|a" * 1_500 + "|\n" + "|-" * 1_500 + "|\n" + "|b" * 1_500, 100),
    "code of other languages": text("```perl\n" + "s{" * 4_000 + "\n```", 100),
    "line breaks": text("<br>" * 2_400, 100),
    "links": text("https://a.b/c " * 700, 100),
    "references": text("".join(f"[a{i}]: b\n" for i in range(900)) + "[a]" * 300, 100),
    "piles of accents": text("a" + "\u0301\u0489" * 4_900, 100),
    "half characters": text("\ud800" * 5_000, 2),
    "long text": text("word " * 40_000, 5),
    "long code": code("x = 1\n" * 30_000, [], 5),
    "endless printing": code("p", [new_output("stream", text="1\n" * 10_000)], 400),
    "much that is put out": code("p", [new_output("stream", text="\n1" * 9_000)] * 300, 2),
    "colours": code("p", [new_output("stream", text="\x1b[31mx" * 3_000)] * 100, 5),
    "a line of 10 MB": code("p", [new_output("stream", text="x" * 10_000_000)]),
    "a long value": code("p", [new_output("display_data", {"text/plain": "x" * 10**6})], 30),
    "a long error": code("p", [new_output("error", traceback=["x\n" * 10_000])], 50),
    "a script": code("p", [shown("application/javascript", "alert(1)")]),
    "formulas": code("p", [shown("text/latex", r"$\def\x{\x\x}\x$")]),
    "a frame": code(
        "p",
        [new_output("display_data", {"text/html": "<p>"}, metadata={"text/html": {"isolated": 1}})],
    ),
    "a widget": code("p", [shown("application/vnd.jupyter.widget-view+json", {"model_id": "a"})]),
    "a diagram": code("p", [shown("text/vnd.mermaid", "graph LR; a-->b")]),
    "Markdown put out": code("p", [shown("text/markdown", "<script>1</script>")]),
    "a huge bitmap": code("p", [picture("image/png", make_png(60_000, 40_000, rows=1))]),
    "uses of uses": code("p", [picture("image/svg+xml", make_svg(USES))]),
    "an SVG": code("p", [shown("image/svg+xml", "<svg onload='alert(1)'/>")]),
    "many bitmaps": code("p", [picture("image/png", make_png(3_000, 3_000, rows=1))] * 30, 10),
    "raw HTML": [new_raw_cell("<script>alert(1)</script>", metadata={"raw_mimetype": "text/html"})],
    "metadata": [
        new_code_cell(
            "p", metadata={"tags": [f'"><script>alert({i})</script>' for i in range(1_000)]}
        ),
        new_markdown_cell("p", metadata={"magics_language": "perl", "alt": "<script>"}),
    ],
}


@pytest.fixture
def spent(monkeypatch):
    """Seconds of CPU time that HTML took; there are few, so that these tests are quick."""
    spent = []

    def render(kind, source, seconds):
        html, took = real(kind, source, seconds)
        spent.append(took)
        return html, took

    real = markup.render
    monkeypatch.setattr(markup, "render", render)
    monkeypatch.setattr(page.Page, "seconds", 0.4)
    return spent


@pytest.mark.parametrize("name", BOMBS)
def test_no_hand_in_overwhelms_its_feedback(name, tmp_path, spent):
    expect_bounded(make("feedback", BOMBS[name], tmp_path))
    assert sum(spent) < 0.8


def test_no_hand_in_overwhelms_formgrader(tmp_path, spent):
    cells = [cell for bomb in BOMBS.values() for cell in bomb[:3]]
    expect_bounded(make("formgrader", cells, tmp_path))
    assert sum(spent) < 0.8


def expect_bounded(html: str) -> None:
    """What the judge says is there; what a browser would run, or choke on, is not."""
    soup = BeautifulSoup(html, "html.parser")
    assert VERDICT in soup.body.get_text()
    for tag in soup.body.find_all(["script", "iframe", "svg", "object", "math", "style"]):
        assert "tooltip" in tag.string  # formgrader's own
    pictures = soup.find_all("img")
    assert len(pictures) <= 100 and sum(len(image["src"]) for image in pictures) < 13 << 20
    assert len(html) - sum(len(image["src"]) for image in pictures) < MOST
    lines = sum(block.get_text().count("\n") for block in soup.body.find_all("pre"))
    assert lines + len(soup.body.find_all(["p", "h2", "li", "tr", "br", "div"])) < 8_000


def test_what_takes_too_long_is_stopped_and_shown_as_it_was_typed():
    room = page.Page()
    room.seconds = 0.03
    source = "\\\\[" * 3_300
    assert room.markdown(source) == f"<pre>{source}</pre>"
    html, took = markup.render("markdown", "**again**", 1)
    assert html == "<p><strong>again</strong></p>\n" and took < 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_what_takes_too_much_memory_is_stopped():
    program = "from autograder.nbgrader_steps import markup as m; m._limits(); bytearray(m.MEMORY)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "MemoryError" in ended.stderr


def test_the_instructors_own_text_is_shown_in_full_however_long_it_is(tmp_path):
    ours = [
        new_markdown_cell(
            "<details><summary>Why?</summary>\n\n**So.**\n\n</details>\n\n" + "a " * 9_000
        ),
        new_code_cell("value = 1\n" * 900),
    ]
    folder = tmp_path / "release" / "week"
    folder.mkdir(parents=True)
    with_ids = [{**cell, "id": f"own-{place}"} for place, cell in enumerate(ours)]
    (folder / "week.ipynb").write_text(json.dumps({"cells": with_ids, **EMPTY}))
    flood = code("x", [new_output("stream", text="1\n" * 2_000)], 30)
    for kind in ("feedback", "formgrader"):
        soup = BeautifulSoup(
            make(kind, [*flood, *text("flood " * 3_000, 15), *ours], tmp_path), "html.parser"
        )
        [why] = [one for one in soup.find_all("details") if one.summary.get_text() == "Why?"]
        assert why.strong.get_text() == "So."
        words = soup.body.get_text()
        assert words.count("value = 1") + words.count("value\xa0=\xa01") == 900
        assert words.count("a a a a a a a a a ") >= 900


def test_honest_work_is_shown_whole(tmp_path):
    answer = "\n".join(f"    step_{i} = x[{i}] * {i}  # a comment" for i in range(200))
    cells = [
        *text("# Mine\n\n**So** $a_1 < b_1$, see [this](https://example.org).\n\n- one\n- two"),
        new_markdown_cell(
            "![my *drawing*](attachment:a.png)", attachments={"a.png": {"image/png": PNG}}
        ),
        *code("def f(x):\n" + answer, [new_output("stream", text="line\n" * 90)]),
    ]
    for kind in ("feedback", "formgrader"):
        soup = BeautifulSoup(make(kind, cells, tmp_path), "html.parser")
        words = soup.body.get_text()
        assert [li.get_text() for li in soup.body.find_all("li") if li.get_text() in ("one", "two")]
        assert soup.find("a", href="https://example.org") and "$a_1 < b_1$" in words
        [image] = soup.find_all("img")
        assert image["src"].endswith(PNG) and image["alt"] == "my drawing"
        assert words.count("# a comment") == 200 and words.count("line\n") >= 90
        assert "more that this cell put out" not in words


def test_a_page_says_what_is_left_out(tmp_path):
    words = make("feedback", code("x", [new_output("stream", text="1234567\n" * 1_000)]), tmp_path)
    assert "characters are not shown here" in words
    many = [shown("text/plain", str(number)) for number in range(1_000)]
    assert "more that this cell put out" in make("feedback", code("x", many), tmp_path)


def test_no_folder_of_the_grader_is_named(tmp_path):
    printed = (
        "in /tmp/grading-a_b1c2d3/work\nFile /var/tmp/x/grading-a_b1c2d3/work/helpers.py:3\n/tmp/x"
    )
    words = make("feedback", code("x", [new_output("stream", text=printed)]), tmp_path)
    assert "in .\nFile helpers.py:3\n/tmp/x" in words
