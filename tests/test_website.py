"""The website: what is read there, where its links lead, and that it needs no other host."""

import itertools
import json
import posixpath
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

from autograder.authoring.catalogues import languages
from autograder.exercises import LESSONS
from illustrated_attention.language import speaking
from website import explorer, lessons, links, lite, site
from website.editions import Edition, editions
from website.search import SearchChinese
from website.settings import ROOT, read_repository

SOMEBODY = read_repository("https://github.com/some-body/a-course", "main")
LESSON = "01_self_attention"
ENGLISH, CHINESE = Edition("en"), Edition("zh_CN")
PAGES = {one: one.pages([LESSON]) for one in (ENGLISH, CHINESE)}
EDITIONS = pytest.mark.parametrize("edition", [ENGLISH, CHINESE], ids=lambda one: one.language)


def released(lesson, edition=ENGLISH):
    return nbformat.read(ROOT / edition.notebook(lesson), 4)


# -- one setting -----------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "/", ".git"])
def test_all_addresses_come_from_that_of_the_repository(end):
    where = read_repository("https://github.com/some-body/a-course" + end, "main")
    assert where == SOMEBODY
    assert where.site == "https://some-body.github.io/a-course/"
    places = where.places(f"notebooks/{LESSON}/{LESSON}.ipynb", f"colab/{LESSON}.ipynb")
    assert set(places) == {"Colab", "Binder", "Codespaces"}
    assert all("some-body/a-course" in address for address in places.values())
    assert unquote(places["Colab"]).endswith(f"/gh-pages/colab/{LESSON}.ipynb")
    assert unquote(places["Binder"]).endswith(f"=lab/tree/notebooks/{LESSON}/{LESSON}.ipynb")


def test_without_a_repository_no_link_leads_to_one():
    assert read_repository("", "main") is None
    assert set(links.places(LESSON, ENGLISH, None, "")) == {"Open in the browser", "Download"}


@EDITIONS
@pytest.mark.parametrize("where", [SOMEBODY, None], ids=["an address", "no address"])
def test_what_the_places_lead_to_is_put_on_the_website(edition, where, tmp_path):
    wheel = tmp_path / "lite" / "pypi" / "illustrated_attention-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    wheel.touch()
    for one in editions():
        (tmp_path / one.folder).mkdir(exist_ok=True)
        site.write_downloads(tmp_path, one, where)
    with speaking(edition.language):
        places = links.places(LESSON, edition, where, "")
    _in_lite, download, *elsewhere = places.values()
    assert (tmp_path / edition.folder / download).read_bytes() == (
        ROOT / edition.notebook(LESSON)
    ).read_bytes()
    if where is None:
        assert not elsewhere
        assert not list(tmp_path.rglob("colab"))
        return
    on_branch = unquote(places["Colab"]).partition("/gh-pages/")[2]
    first, set_up, *rest = nbformat.read(tmp_path / on_branch, 4).cells
    assert f"`ada+{LESSON}.ipynb`" in first.source
    installed = set_up.source.split()[-1]
    assert (tmp_path / installed.removeprefix(where.site)).is_file()
    assert rest == released(LESSON, edition).cells


@pytest.mark.parametrize(
    "address", ["github.com/a/b", "https://example.org/a/b", "https://github.com/a"]
)
def test_an_address_that_is_no_repository_is_told(address):
    with pytest.raises(ValueError, match=r"settings\.toml: .* is not the address of a repository"):
        read_repository(address, "main")


# -- lessons ---------------------------------------------------------------------------------


def solved_with_an_output_each(lesson, edition):
    notebook = nbformat.read(ROOT / edition.notebook(lesson, "solutions"), 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text=f"shown by {cell.id}")]
    return notebook


@EDITIONS
def test_a_lesson_has_the_outputs_of_the_solutions_and_the_sources_of_the_release(
    edition, monkeypatch
):
    monkeypatch.setattr(lessons, "_solved", solved_with_an_output_each)
    shown = lessons.with_outputs(LESSON, edition)
    own = released(LESSON, edition).cells
    assert [cell.source for cell in shown.cells] == [cell.source for cell in own]
    code = [cell for cell in shown.cells if cell.cell_type == "code"]
    assert len(code) > 20
    progress = code.pop()  # of whoever makes the website: not the reader's
    assert (progress.source, progress.outputs) == ("progress()", [])
    assert all(cell.outputs[0].text == f"shown by {cell.id}" for cell in code)


@pytest.mark.parametrize("kind", ["In the browser", "In Colab"])
def test_the_set_up_cell_comes_first_and_leaves_all_others_as_they_are(kind):
    words = lite.WELCOME if kind == "In the browser" else site.COLAB.format(lesson=LESSON)
    notebook = lite.with_set_up(ROOT / ENGLISH.notebook(LESSON), words, lite.SET_UP)
    nbformat.validate(notebook)
    assert kind in notebook.cells[0].source
    assert notebook.cells[1].source == lite.SET_UP
    assert notebook.cells[2:] == released(LESSON).cells


def test_what_the_first_cell_installs_is_the_package_of_the_course():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert lite.SET_UP.split()[-1] == project["name"]


@pytest.mark.parametrize(
    ("link", "with_repository", "without"),
    [
        ("[grading](grading.md#x)", "[grading](grading.md#x)", "[grading](grading.md#x)"),
        ("[us](https://example.org)", "[us](https://example.org)", "[us](https://example.org)"),
        ("[start](../README.md)", "[start](../index.md)", "[start](../index.md)"),
        (
            "[the code](../website/site.py)",
            f"[the code]({SOMEBODY.file('website/site.py')})",
            "the code",
        ),
    ],
)
def test_a_link_leads_to_a_page_to_the_repository_or_nowhere(link, with_repository, without):
    assert links.with_links(link, "docs/learners.md", ENGLISH, PAGES, SOMEBODY) == with_repository
    assert links.with_links(link, "docs/learners.md", ENGLISH, PAGES, None) == without


@pytest.mark.parametrize(
    ("link", "led"),
    [
        ("[提交](learners.md#提交)", "[提交](learners.md#提交)"),
        ("[English](../learners.md)", '<a href="../../docs/learners.html">English</a>'),
        ("[批改](../grading.md#x)", '<a href="../../docs/grading.html#x">批改</a>'),
    ],
)
def test_a_link_of_a_chinese_document_leads_to_the_english_page_where_there_is_no_other(link, led):
    assert links.with_links(link, "docs/zh_CN/instructors.md", CHINESE, PAGES, None) == led


def test_the_browsers_place_has_the_lessons_of_every_language(tmp_path):
    lite._write_lessons(tmp_path)
    assert languages()
    editions = {tmp_path: ""} | {tmp_path / name: f"-{name}" for name in languages()}
    for folder, edition in editions.items():
        for lesson in LESSONS:
            shown = nbformat.read(folder / lesson / f"{lesson}.ipynb", 4)
            own = nbformat.read(ROOT / f"notebooks{edition}" / lesson / f"{lesson}.ipynb", 4)
            assert [cell.source for cell in shown.cells[2:]] == [cell.source for cell in own.cells]
            assert shown.cells[1].source == lite.SET_UP
            assert (shown.cells[0].source == lite.WELCOME) == (edition == "")


# -- pages -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The website with one lesson and one sentence: {path: page}."""
    output = tmp_path_factory.mktemp("website")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explorer, "SENTENCES", explorer.SENTENCES[:1])
        notebooks = {one: {LESSON: released(LESSON, one)} for one in editions()}
        site.write_pages(output, notebooks, SOMEBODY)
    return output, {
        path.relative_to(output).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in output.rglob("*.html")
        if "_static" not in path.parts
    }


def test_every_page_has_a_title_a_language_and_one_first_heading(pages):
    _output, found = pages
    assert {"index.html", "lessons.html", "docs/learners.html", "CONTRIBUTING.html"} <= set(found)
    assert {"zh_CN/index.html", f"zh_CN/notebooks/{LESSON}/{LESSON}.html"} <= set(found)
    for path, page in found.items():
        assert page.html["lang"] == ("zh-CN" if path.startswith("zh_CN/") else "en"), path
        assert page.title.string.strip(), path
        assert len(page.find_all("h1")) == 1, path


def test_every_page_leads_to_the_other_language(pages):
    _output, found = pages
    for path, page in found.items():
        is_chinese = path.startswith("zh_CN/")
        other = path.removeprefix("zh_CN/") if is_chinese else f"zh_CN/{path}"
        tag = "en" if is_chinese else "zh-CN"
        link = page.find("a", class_="other-language")
        assert (link.string, link["lang"]) == (("English", "en") if is_chinese else ("中文", tag))
        alternate = page.find("link", hreflang=tag)
        assert (alternate is not None) == (other in found), path
        begin = "index.html" if is_chinese else "zh_CN/index.html"
        for address in filter(None, (link["href"], alternate and alternate["href"])):
            led = posixpath.normpath(posixpath.join(posixpath.dirname(path), address))
            assert led == (other if other in found else begin), path


def test_what_the_theme_says_is_chinese_on_chinese_pages(pages):
    names = {"illustrated", "attention", "english", "copyright", "code", "mit", "softmax"}
    for path, page in pages[1].items():
        if path.startswith("zh_CN/"):
            parts = page.find_all(["header", "footer", "button"])
            assert len(parts) > 5
            for part in parts:
                said = [
                    part.get_text(),
                    *(tag["aria-label"] for tag in part.select("[aria-label]")),
                ]
                assert set(re.findall(r"[a-z]{3,}", " ".join(said).lower())) <= names, (path, said)


def test_headings_leave_out_no_level(pages):
    for path, page in pages[1].items():
        levels = [int(h.name[1]) for h in page.main.find_all(re.compile("^h[1-6]$"))]
        steps = [b - a for a, b in itertools.pairwise(levels)]
        assert max(steps, default=0) <= 1, (path, levels)


def test_every_picture_has_an_alternative_text(pages):
    for path, page in pages[1].items():
        assert all(picture.get("alt") for picture in page.find_all("img")), path


def test_no_page_loads_anything_from_another_host(pages):
    for path, page in pages[1].items():
        loaded = [tag["src"] for tag in page.find_all(src=True)]
        loaded += [tag["href"] for tag in page.find_all("link") if tag.get("rel") != ["canonical"]]
        for address in loaded:
            assert not urlsplit(address).netloc, (path, address)


def test_links_lead_to_a_page_and_to_a_place_in_it(pages):
    output, found = pages
    later = ("lite/", "download/", "colab/")  # what is put beside the pages
    for path, page in found.items():
        for link in page.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme:
                continue
            target = (output / path).parent / unquote(parts.path) if parts.path else output / path
            name = target.resolve().relative_to(output.resolve()).as_posix()
            if name.removeprefix(CHINESE.folder).startswith(later):
                continue
            assert target.exists(), (path, link["href"])
            if parts.fragment and name in found:
                assert found[name].find(id=unquote(parts.fragment)), (path, link["href"])


def test_a_lesson_says_where_to_work_on_it(pages):
    elsewhere = ["Colab", "Binder", "Codespaces"]
    for edition, own in (
        (ENGLISH, ["Open in the browser", "Download"]),
        (CHINESE, ["在浏览器里打开", "下载"]),
    ):
        page = pages[1][f"{edition.folder}notebooks/{LESSON}/{LESSON}.html"]
        found = page.find("ul", class_="places").find_all("a")
        assert [link.string for link in found] == [*own, *elsewhere]
        in_lite = posixpath.normpath(
            posixpath.join(edition.folder, "notebooks", LESSON, found[0]["href"])
        )
        path = f"{edition.folder}{LESSON}/{LESSON}.ipynb"
        assert in_lite == f"lite/lab/index.html?path={path}"


@EDITIONS
def test_no_page_holds_a_solution(edition, pages):
    source = (ROOT / "solutions" / LESSON / f"{LESSON}.py").read_text(encoding="utf-8")
    solutions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.DOTALL)
    lines = {" ".join(line.split()) for text in solutions for line in text.splitlines()}
    own = {line for line in lines if len(line) > 12 and "return" in line}
    assert own
    page = pages[1][f"{edition.folder}notebooks/{LESSON}/{LESSON}.html"]
    text = " ".join(page.get_text().split())
    assert not [line for line in own if line in text]


# -- search ----------------------------------------------------------------------------------


def test_the_search_of_chinese_pages_finds_parts_of_words():
    terms = SearchChinese({}).split("用 softmax函数计算权重。")
    assert {"softmax", "函数", "数计", "权重", "权"} <= set(terms)
    assert "softmax函数" not in terms


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
def test_the_page_cuts_what_is_looked_for_into_terms_that_the_search_knows(pages):
    looked_for = "自注意力 softmax函数 头 kv 缓存 weights 2"
    data = pages[0] / CHINESE.folder / "_static" / "language_data.js"
    code = f"""globalThis.window = globalThis; {data.read_text(encoding="utf-8")}
        const stemmer = new Stemmer();
        console.log(...splitQuery(process.argv[1]).map((term) => stemmer.stemWord(term)));"""
    cut = subprocess.check_output(["node", "-e", code, looked_for], text=True).split()
    assert cut[:6] == ["自注", "注意", "意力", "softmax", "函数", "头"]
    search = SearchChinese({})
    assert set(cut) <= {search.stem(term) for term in search.split(looked_for)}
    index = (pages[0] / CHINESE.folder / "searchindex.js").read_text(encoding="utf-8")
    found = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))
    terms = {*found["terms"], *found["titleterms"]}
    assert {"注意", "意力", "softmax", "函数", "头"} <= terms


# -- the explorer ----------------------------------------------------------------------------


def test_the_first_page_shows_every_head_of_the_pocket_model(monkeypatch):
    monkeypatch.setattr(explorer, "SENTENCES", explorer.SENTENCES[:1])
    seen = explorer.explored()
    (one,) = seen["sentences"]
    count = len(one["tokens"])
    assert (seen["layers"], seen["heads"]) == (4, 4)
    assert len(one["next"]) == 1 + 16
    for layer in one["weights"]:
        assert len(layer) == 4
        for head in layer:
            assert [len(row) for row in head] == list(range(1, count + 1))
            assert all(abs(sum(row) - 1000) <= count for row in head)
    robot = one["tokens"].index("robot")
    assert one["weights"][0][0][-1][robot] > 900  # the pronoun head: "It" looks at "robot"
    assert {word for word, _chance in one["next"][0][-1][:2]} == {"beeped", "hummed"}
    assert json.loads(json.dumps(seen)) == seen


def test_every_sentence_of_the_explorer_is_of_words_that_the_model_knows():
    assert len(explorer.SENTENCES) == len(set(explorer.SENTENCES)) == 12
    model = explorer.load_pocket()
    for text in explorer.SENTENCES:
        known = re.findall(r"\w+|[^\w\s]", text)
        assert model.tokens(model.encode(text))[1:] == known, text


# -- JupyterLite -----------------------------------------------------------------------------


def test_the_extension_of_the_browser_names_files_as_zip_collect_knows_them():
    source = Path(ROOT, "website/lite_extension/static/remoteEntry.js").read_text(encoding="utf-8")
    assert 'who + "+" + panel.context.path' in source
    allowed = re.search(r"const ALLOWED = /(.*?)/;", source)[1]
    for name, good in {
        "ada": True,
        "ada.lovelace-2": True,
        "Ada Lovelace": False,
        "../x": False,
    }.items():
        assert bool(re.match(allowed, name)) is good, name
