"""Where the website's links lead: to its own pages, to the places to work, to the repository."""

import html
import posixpath
import re

from nbformat import NotebookNode

from illustrated_attention.language import _
from website.editions import Edition
from website.settings import Repository

Pages = dict[Edition, dict[str, str]]
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")


def places(lesson: str, edition: Edition, where: Repository | None, up: str) -> dict[str, str]:
    """Return where a lesson can be worked on: what a link says, and where it leads.

    Parameters
    ----------
    up : str
        The way from the page to the first page of its edition, such as ``"../../"``.
    """
    path = f"{edition.folder}{lesson}/{lesson}.ipynb"
    found = {
        _("Open in the browser"): f"{up}{edition.up}lite/lab/index.html?path={path}",
        _("Download"): f"{up}download/{lesson}.ipynb",
    }
    if where is None:
        return found
    return found | where.places(edition.notebook(lesson), f"{edition.folder}colab/{lesson}.ipynb")


def _bar(lesson, edition, where, up):
    links = "".join(
        f'<li><a href="{html.escape(address)}"{" download" if name == _("Download") else ""}>'
        f"{html.escape(name)}</a></li>"
        for name, address in places(lesson, edition, where, up).items()
    )
    label = html.escape(_("Places to work on lesson {lesson}").format(lesson=lesson[:2]))
    return f'<ul class="places" aria-label="{label}">{links}</ul>'


def lesson_table(
    notebooks: dict[str, NotebookNode], edition: Edition, where: Repository | None
) -> str:
    """Return the lessons as a list: title, goal, and the places to work on each."""
    rows = []
    for lesson, notebook in notebooks.items():
        first = notebook.cells[0].source
        title = first.splitlines()[0].lstrip("# ")
        # The goal is the first paragraph, after its own name in bold.
        said = re.sub(r"^\*\*[^*]+\*\*", "", " ".join(first.split("\n\n")[1].split())).strip()
        rows.append(
            f"### [{title}](notebooks/{lesson}/{lesson}.ipynb)\n\n"
            f"{said[:1].upper() + said[1:]}\n\n{_bar(lesson, edition, where, '')}\n"
        )
    return "\n".join(rows)


def put_places(notebook: NotebookNode, lesson: str, edition: Edition, where: Repository | None):
    """Put the places under the lesson's title."""
    title, line, rest = notebook.cells[0].source.partition("\n")
    assert title.startswith("# "), lesson
    bar = _bar(lesson, edition, where, "../../")
    notebook.cells[0].source = f"{title}\n\n{bar}\n{line}{rest}"


def with_links(
    text: str, file: str, edition: Edition, pages: Pages, where: Repository | None
) -> str:
    """Let links of a document lead to a page of the website, to the repository, or nowhere.

    What is no page of the website is a file of the repository. Where that is not known, the link's
    words stay.

    Parameters
    ----------
    text : str
        Markdown.
    file : str
        Where it stands in the repository.
    edition : Edition
        The one whose page it becomes.
    pages : dict of Edition to dict of str to str
        For each edition its `Edition.pages`.
    """
    here = posixpath.dirname(pages[edition][file])

    def led(found):
        words, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        path, mark, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        page = pages[edition].get(path, path if path.startswith("docs/images/") else None)
        if page:
            return f"[{words}]({posixpath.relpath(page, here)}{mark}{anchor})"
        for other, its in pages.items():
            if path in its:
                page = posixpath.splitext(other.folder + its[path])[0] + ".html"
                address = posixpath.relpath(page, posixpath.join(edition.folder, here))
                return f'<a href="{address}{mark}{anchor}">{words}</a>'
        return f"[{words}]({where.file(path)})" if where else words

    return _LINK.sub(led, text)
