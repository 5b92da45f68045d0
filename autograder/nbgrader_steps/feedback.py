"""Feedback pages: what a student may see, on one page that loads nothing from anywhere.

With `settings.configure_feedback`, `nbgrader generate_feedback` and formgrader's button make these
pages. Of hidden tests they show the verdict in words: no source, no input, no value.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from traitlets import HasTraits, List

from autograder.exercises import all_exercises, find_exercise
from autograder.nbgrader_steps import cleaning, private
from autograder.nbgrader_steps.execute import VERDICT
from autograder.nbgrader_steps.page import Bounded
from autograder.nbgrader_steps.spoken import language_of
from autograder.sandbox.running_tests import BEGIN_HIDDEN
from illustrated_attention.cards import Card, paragraph
from illustrated_attention.language import ENGLISH, _, current, speaking

TEMPLATES = Path(__file__).parent / "templates"


class FeedbackExporter(HTMLExporter):
    """Writes the page in the notebook's language, and with our own template.

    Whatever HTMLExporter is told about its templates.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.register_preprocessor(Bounded, enabled=True)
        self.template_paths = [str(TEMPLATES / "feedback_page")]
        self.template_file = "index.html.j2"

    def _create_environment(self):
        made = super()._create_environment()
        made.globals.update(_=_, language=html_language)
        return made

    def from_notebook_node(self, nb, resources=None, **kwargs):
        with speaking(language_of(nb)):
            return super().from_notebook_node(nb, resources, **kwargs)

    def default_filters(self):
        yield from super().default_filters()
        yield "number", number
        yield "seen", seen
        yield "comments", comments
        yield "folded_parts", folded_parts
        yield "comment2html", cleaning.trusted_markdown


class _Known(HasTraits):
    """nbgrader's steps warn of this setting, which nbconvert's exporters have, for every cell."""

    display_data_priority: List[Any] = List().tag(config=True)


class _HiddenTests(_Known, ClearHiddenTests):
    pass


class ForTheStudent(_Known, NbGraderPreprocessor):
    """Takes out of a graded notebook what its owner must not see, and adds what helps."""

    def preprocess(self, nb, resources):
        nb, resources = super().preprocess(nb, resources)
        resources["look_at"] = what_to_look_at(nb.cells)
        return nb, resources

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type != "code":
            return cell, resources
        if _is_hidden_test(cell):
            private.remove_hidden_tests(_HiddenTests(parent=self), cell)
            cell.outputs = [_shown(card_of_hidden_test(cell))]
        return cell, resources


def card_of_hidden_test(cell: NotebookNode) -> Card:
    """Return what a student gets to see in the place of a hidden test.

    Parameters
    ----------
    cell : NotebookNode
        The test cell, with the judge's verdict and the points in its metadata.
    """
    points = cell.metadata.nbgrader
    verdict = cell.metadata.get(VERDICT, {})
    if points.score >= points.points and not verdict:
        return Card(_("✓ Hidden tests: passed"), True, [])
    parts = [paragraph(verdict.get("message") or _("A hidden test did not pass."))]
    hint = _first_hint(verdict.get("exercise"))
    if hint:
        parts.append(paragraph(_("Hint: {hint}").format(hint=hint)))
    return Card(_("✗ Hidden tests: not yet"), False, parts)


@dataclass(frozen=True)
class LookAt:
    """What a student looks at next."""

    grade_id: str
    message: str  # what the judge said; "" if it said nothing
    hint: str  # the exercise's first; "" if it has none


def what_to_look_at(cells: list[NotebookNode]) -> LookAt | None:
    """Return the first graded part that is not right: others may be wrong because of it.

    What waits for marks by hand is not wrong.
    """
    for cell in cells:
        about = cell.metadata.get("nbgrader", {})
        verdict = cell.metadata.get(VERDICT, {})
        is_test = about.get("grade") and not about.get("solution")
        if is_test and (about.get("score") or 0) < about.get("points", 0):
            return LookAt(
                about.grade_id, _message(verdict, cells), _first_hint(verdict.get("exercise"))
            )
    return None


def _message(verdict: dict, cells: list[NotebookNode]) -> str:
    """What the judge said; where `check` has a card of its own, the hidden test has the words."""
    exercise = verdict.get("exercise")
    its = [cell.metadata.get(VERDICT, {}) for cell in cells] if exercise else []
    told = [one.get("message") for one in [verdict, *its] if one.get("exercise") == exercise]
    return next(filter(None, told), "")


def comments(cells: list[NotebookNode]) -> list[tuple[str, str]]:
    """Return what people wrote, with the part it is about; not what nbgrader writes by itself."""
    about = [cell.metadata.get("nbgrader", {}) for cell in cells]
    written = [(its.get("grade_id", ""), its.get("comment")) for its in about]
    return [(part, text) for part, text in written if text and text != "No response."]


def folded_parts(cells: list[NotebookNode]) -> list[tuple[bool, list[NotebookNode]]]:
    """Put cells together that stand side by side: the student's and the marked ones, and the rest.

    Returns
    -------
    list of (bool, list of NotebookNode)
        Whether a part is folded, and its cells.
    """
    return [(folded, list(part)) for folded, part in itertools.groupby(cells, _is_folded)]


def _is_folded(cell: NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader", {})
    return not (about.get("grade") or about.get("solution") or about.get("comment"))


def known_words(exercise: str | None, mistake: str | None) -> str:
    """Return the words for a known mistake of an exercise; "" for any other cause."""
    known = (m for one in all_exercises() if one.name == exercise for m in one.mistakes)
    return next((_(m.message) for m in known if m.id == mistake), "")


def seen(verdict: dict, cells: list[NotebookNode]) -> str:
    """Write what the judge saw: the cause's id, which is short, or its words: the id is English."""
    words = "" if current() == ENGLISH else _message(verdict, cells)
    return words or cause_in_words(verdict.get("mistake"))


def html_language() -> str:
    """Return the language of the page, as HTML names it: zh-CN."""
    return current().replace("_", "-")


def number(value: float | None) -> str:
    """Write points: 2, 0.5, 1.33."""
    return f"{round(value or 0, 2):g}"


def cause_in_words(id: str | None) -> str:
    """Write a cause's id for people: two at once with an "and", one of two with an "or"."""
    if id is None:
        return _("no cause found")
    return id.replace("_", " ").replace("+", _(" and ")).replace("|", _(" or "))


def _first_hint(exercise: str | None) -> str:
    try:
        return _(find_exercise(exercise).hints[0]) if exercise else ""
    except ValueError:  # the exercise was there when this was graded
        return ""


def _is_hidden_test(cell: NotebookNode) -> bool:
    """A cell with hidden tests; also one from which somebody took the words around them."""
    return bool(cell.metadata.get("nbgrader", {}).get("grade")) and BEGIN_HIDDEN in cell.source


def _shown(card: Card) -> NotebookNode:
    data = {"text/plain": str(card), "text/html": card._repr_html_()}
    return from_dict({"output_type": "display_data", "metadata": {}, "data": data})
