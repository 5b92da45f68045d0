"""Build the website: the lessons to read, the documents, the first page with its explorer.

Sphinx makes it, with myst-nb for the notebooks and the PyData theme, once for each edition. Every
file that it loads is its own: nothing is asked of another host.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from illustrated_attention.figures.palette import THEMED
from illustrated_attention.figures.themed import on_dark
from illustrated_attention.language import ENGLISH, _, later, speaking
from website import lite
from website.editions import Edition, editions
from website.explorer import explored, words
from website.lessons import run_solutions, with_outputs
from website.links import lesson_table, put_places, with_links
from website.settings import BUILD, HERE, ROOT, Repository, lessons, repository

COLAB = later("""\
**In Colab.** Run the next cell first: it installs the course, which takes less than a minute. To
keep your work, choose *Save a copy in Drive* in the *File* menu. To hand in, choose *Download
.ipynb*, put your name and a plus sign in front of the file's name, such as
`ada+{lesson}.ipynb`, and give the file to your instructor.
""")
# What the theme says on every page and leaves in English, or says oddly, in other languages.
THEME_SAYS = (
    *(later("next"), later("previous"), later("Breadcrumb"), later("Home"), later("Color mode")),
    *(later("System Settings"), later("Expand Sidebar"), later("Collapse Sidebar")),
)


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
    run_solutions()
    write_pages(
        output,
        {
            edition: {name: with_outputs(name, edition) for name in lessons()}
            for edition in editions()
        },
        where,
    )
    lite.build_lite(output / "lite", pyodide)
    for edition in editions():
        write_downloads(output, edition, where)
    return sum(path.stat().st_size for path in output.rglob("*") if path.is_file())


def write_pages(
    output: Path,
    notebooks: dict[Edition, dict[str, nbformat.NotebookNode]],
    where: Repository | None,
) -> None:
    """Write all pages.

    Parameters
    ----------
    output : Path
    notebooks : dict of Edition to dict of str to notebook
        The lessons of each edition by name, as they shall be read.
    where : Repository or None
        None: no link leads to it.

    Raises
    ------
    RuntimeError
        If Sphinx finds anything to complain about.
    """
    BUILD.mkdir(exist_ok=True)
    explorer = explored()
    pages = {edition: edition.pages(of_edition) for edition, of_edition in notebooks.items()}
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        source, built = Path(scratch, "source"), Path(scratch, "built")
        for edition, of_edition in notebooks.items():
            with speaking(edition.language):
                _write_source(source / edition.language, edition, of_edition, pages, where)
                _write_explorer(source / edition.language / "_static", explorer)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda one: _run_sphinx(source, built, one, where), notebooks))
        for edition in notebooks:
            html = built / edition.language / "pages"  # myst-nb leaves something beside it
            for page in html.rglob("*.html"):
                # myst-nb gives what opens a folded cell another name than the words that are seen.
                text = page.read_text(encoding="utf-8")
                page.write_text(text.replace(' aria-label="Toggle hidden content"', ""), "utf-8")
            shutil.copytree(html, output / edition.folder, dirs_exist_ok=True)
    (output / ".nojekyll").touch()  # GitHub Pages leaves out folders that begin with _ otherwise


def _write_source(source, edition, notebooks, pages, where):
    """Write what Sphinx reads for one edition."""
    shutil.copytree(HERE / "sphinx", source)
    shutil.copytree(ROOT / "docs" / "images", source / "docs" / "images")
    _write_theme_says(source / "locale", edition)
    for page in (HERE / "pages" / edition.language).glob("*.md"):
        text = page.read_text(encoding="utf-8")
        text = text.replace("@LESSONS@", lesson_table(notebooks, edition, where))
        (source / page.name).write_text(text, encoding="utf-8")
    for lesson, notebook in notebooks.items():
        file = edition.notebook(lesson)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = with_links(cell.source, file, edition, pages, where)
            elif cell.metadata.get("jupyter", {}).get("source_hidden"):
                cell.metadata["tags"] = ["hide-input"]  # as in JupyterLab: shown when asked for
        put_places(notebook, lesson, edition, where)
        page = source / pages[edition][file]
        page.parent.mkdir(parents=True)
        nbformat.write(notebook, page)
    for file, page in pages[edition].items():
        if file.endswith(".md") and page != "index.md":
            text = (ROOT / file).read_text(encoding="utf-8")
            (source / page).parent.mkdir(parents=True, exist_ok=True)
            (source / page).write_text(
                with_links(text, file, edition, pages, where), encoding="utf-8"
            )


def _write_theme_says(locale, edition):
    catalogue = Catalog(edition.language, domain="sphinx")
    for said in THEME_SAYS:
        catalogue.add(said, _(said))
    file = locale / edition.language / "LC_MESSAGES" / "sphinx.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        write_mo(opened, catalogue)


def _run_sphinx(source, built, edition, where):
    language = edition.language
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    command += ["-d", str(built / language / "doctrees")]
    command += [str(source / language), str(built / language / "pages")]
    settings = {"COURSE_LANGUAGE": language, "COURSE_REPOSITORY": where.address if where else ""}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **settings}
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-5000:]
        raise RuntimeError(f"Sphinx stopped at the pages in {edition.name}:\n{said}")


def _write_explorer(static, explorer):
    for name, data in {"EXPLORED": explorer, "WORDS": words()}.items():
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        (static / f"{name.lower()}.js").write_text(f"window.{name} = {text};\n", encoding="utf-8")
    light, dark = (
        "".join(f"--x-{name}:{shade(colour)};" for name, colour in THEMED.items())
        for shade in (str, on_dark)
    )
    (static / "colours.css").write_text(
        f":root{{{light}}}\nhtml[data-theme='dark']{{{dark}}}\n", encoding="utf-8"
    )


def write_downloads(output: Path, edition: Edition, where: Repository | None) -> None:
    """Put the notebooks, and with the repository known those for Colab, beside the pages.

    Colab installs the wheel that `lite.build_lite` left in the place to work.
    """
    folder = output / edition.folder
    (folder / "download").mkdir()
    for lesson in lessons():
        shutil.copy(ROOT / edition.notebook(lesson), folder / "download")
    if where is None:
        return
    (wheel,) = (output / "lite" / "pypi").glob("illustrated_attention-*.whl")
    if edition.language == ENGLISH:
        shutil.copy(wheel, folder / "download")
    (folder / "colab").mkdir()
    with speaking(edition.language):
        said = _(COLAB)
    for lesson in lessons():
        command = f"%pip install -q {where.site}download/{wheel.name}"
        notebook = lite.with_set_up(
            ROOT / edition.notebook(lesson), said.format(lesson=lesson), command
        )
        nbformat.write(notebook, folder / "colab" / f"{lesson}.ipynb")
