"""Build the website: the lessons to read, the documents, the first page with its explorer.

Sphinx makes it, with myst-nb for the notebooks and the PyData theme. Every file that it loads is
its own: nothing is asked of another host.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from illustrated_attention.figures.palette import THEMED
from illustrated_attention.figures.themed import on_dark
from website import lite
from website.explorer import explored
from website.lessons import with_outputs
from website.settings import BUILD, HERE, ROOT, Repository, lessons, repository

DOCUMENTS = (
    *("docs/learners.md", "docs/anywhere.md", "docs/instructors.md", "docs/grading.md"),
    *("docs/attacks.md", "docs/architecture.md", "docs/figures.md", "docs/kill_matrix.md"),
    *("docs/zh_CN/learners.md", "docs/zh_CN/instructors.md"),
    *("CONTRIBUTING.md", "data/pocket_gpt2/README.md", "training/README.md"),
)
COLAB = """\
**In Colab.** Run the next cell first: it installs the course, which takes less than a minute. To
keep your work, choose *Save a copy in Drive* in the *File* menu. To hand in, choose *Download
.ipynb*, put your name and a plus sign in front of the file's name, such as
`ada+{lesson}.ipynb`, and give the file to your instructor.
"""
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")


def build_site(output: Path, pyodide: str | None = None) -> int:
    """Build the whole website, with the place to work in under ``lite/``.

    Parameters
    ----------
    output : Path
        Its folder; what is in it is replaced.
    pyodide : str, optional
        As for `lite.build_lite`.

    Returns
    -------
    int
        Its size in bytes.
    """
    shutil.rmtree(output, ignore_errors=True)
    where = repository()
    write_pages(output, {lesson: with_outputs(lesson) for lesson in lessons()}, where)
    lite.build_lite(output / "lite", pyodide)
    _write_downloads(output, where)
    return sum(path.stat().st_size for path in output.rglob("*") if path.is_file())


def write_pages(output: Path, notebooks: dict, where: Repository | None) -> None:
    """Write all pages.

    Parameters
    ----------
    output : Path
    notebooks : dict of str to notebook
        The lessons by name, as they shall be read.
    where : Repository or None
        None: no link leads to it.

    Raises
    ------
    RuntimeError
        If Sphinx finds anything to complain about.
    """
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        source = Path(scratch, "source")
        shutil.copytree(HERE / "sphinx", source)
        shutil.copytree(ROOT / "docs" / "images", source / "docs" / "images")
        _write_explorer(source)
        for page in (HERE / "pages").glob("*.md"):
            text = page.read_text(encoding="utf-8")
            text = text.replace("@LESSONS@", lesson_table(notebooks, where))
            (source / page.name).write_text(text, encoding="utf-8")
        pages = {*DOCUMENTS, *(f"notebooks/{lesson}/{lesson}.ipynb" for lesson in notebooks)}
        for lesson, notebook in notebooks.items():
            path = f"notebooks/{lesson}/{lesson}.ipynb"
            for cell in notebook.cells:
                if cell.cell_type == "markdown":
                    cell.source = _with_links(cell.source, path, pages, where)
                elif cell.metadata.get("jupyter", {}).get("source_hidden"):
                    cell.metadata["tags"] = ["hide-input"]  # as in JupyterLab: shown when asked for
            (source / path).parent.mkdir(parents=True)
            nbformat.write(_with_places(lesson, notebook, where), source / path)
        for document in DOCUMENTS:
            text = (ROOT / document).read_text(encoding="utf-8")
            (source / document).parent.mkdir(parents=True, exist_ok=True)
            (source / document).write_text(_with_links(text, document, pages, where), "utf-8")
        built = Path(scratch, "built", "pages")  # myst-nb leaves something beside it
        _run_sphinx(source, built, Path(scratch, "doctrees"), where)
        for page in built.rglob("*.html"):
            # myst-nb gives what opens a folded cell another name than the words that are seen.
            text = page.read_text(encoding="utf-8")
            if page.name == "chinese.html" or page.parent.name == "zh_CN":
                text = text.replace('<html lang="en"', '<html lang="zh-CN"')
            page.write_text(text.replace(' aria-label="Toggle hidden content"', ""), "utf-8")
        shutil.copytree(built, output, dirs_exist_ok=True)


def _run_sphinx(source, output, doctrees, where):
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    command += ["-d", str(doctrees), str(source), str(output)]
    surroundings = {**os.environ, "COURSE_REPOSITORY": where.address if where else ""}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=surroundings)
    if done.returncode != 0:
        raise RuntimeError(f"Sphinx stopped:\n{(done.stdout + done.stderr)[-5000:]}")


def _write_explorer(source):
    (source / "_static" / "explored.js").write_text(
        f"window.EXPLORED = {json.dumps(explored(), separators=(',', ':'))};\n", encoding="utf-8"
    )
    light, dark = (
        "".join(f"--x-{name}:{shade(colour)};" for name, colour in THEMED.items())
        for shade in (str, on_dark)
    )
    (source / "_static" / "colours.css").write_text(
        f":root{{{light}}}\nhtml[data-theme='dark']{{{dark}}}\n", encoding="utf-8"
    )


# -- links -----------------------------------------------------------------------------------


def places(lesson: str, where: Repository | None, up: str) -> dict[str, str]:
    """Return where a lesson can be worked on: what a link says, and where it leads.

    Parameters
    ----------
    up : str
        The way from the page to the website's first page, such as ``"../../"``.
    """
    found = {
        "Open in the browser": f"{up}lite/lab/index.html?path={lesson}/{lesson}.ipynb",
        "Download": f"{up}download/{lesson}.ipynb",
    }
    return found | (where.places(lesson) if where else {})


def _bar(lesson, where, up):
    links = "".join(
        f'<li><a href="{html.escape(address)}"{" download" if name == "Download" else ""}>'
        f"{html.escape(name)}</a></li>"
        for name, address in places(lesson, where, up).items()
    )
    return f'<ul class="places" aria-label="Places to work on lesson {lesson[:2]}">{links}</ul>'


def lesson_table(notebooks: dict, where: Repository | None) -> str:
    """Return the lessons as a list: title, goal, and the places to work on each."""
    rows = []
    for lesson, notebook in notebooks.items():
        first = notebook.cells[0].source
        title = first.splitlines()[0].lstrip("# ")
        goal = re.search(r"\*\*Goal:\*\* (.*?)\n\n", first + "\n\n", re.DOTALL)
        said = " ".join(goal[1].split()) if goal else ""
        rows.append(
            f"### [{title}](notebooks/{lesson}/{lesson}.ipynb)\n\n"
            f"{said[:1].upper() + said[1:]}\n\n{_bar(lesson, where, '')}\n"
        )
    return "\n".join(rows)


def _with_places(lesson, notebook, where):
    """Put the places under the lesson's title."""
    title, line, rest = notebook.cells[0].source.partition("\n")
    assert title.startswith("# "), lesson
    notebook.cells[0].source = f"{title}\n\n{_bar(lesson, where, '../../')}\n{line}{rest}"
    return notebook


def _with_links(text, document, pages, where):
    """Let links of a document lead to a page of the website, to the repository, or nowhere.

    What is no page of the website is a file of the repository. Where that is not known, the link's
    words stay.
    """

    def led(found):
        words, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        file = target.partition("#")[0]
        path = os.path.normpath(os.path.join(os.path.dirname(document), file))
        if path in pages or path.startswith("docs/images/"):
            return found[0]
        if path == "README.md":
            return f"[{words}]({'../' * document.count('/')}index.md)"
        return f"[{words}]({where.file(path)})" if where else words

    return _LINK.sub(led, text)


# -- files to fetch --------------------------------------------------------------------------


def _write_downloads(output, where):
    """Put the notebooks, and with the repository known those for Colab, beside the pages."""
    (output / ".nojekyll").touch()  # GitHub Pages leaves out folders that begin with _ otherwise
    (output / "download").mkdir()
    for lesson in lessons():
        source = ROOT / "notebooks" / lesson / f"{lesson}.ipynb"
        shutil.copy(source, output / "download")
    if where is None:
        return
    (wheel,) = (output / "lite" / "pypi").glob("illustrated_attention-*.whl")
    shutil.copy(wheel, output / "download")
    (output / "colab").mkdir()
    for lesson in lessons():
        words = COLAB.format(lesson=lesson)
        command = f"%pip install -q {where.site}download/{wheel.name}"
        nbformat.write(
            lite.with_set_up(lesson, words, command), output / "colab" / f"{lesson}.ipynb"
        )
