"""Feedback pages: what a student may see, on one page that loads nothing from anywhere.

With `settings.configure_feedback`, `nbgrader generate_feedback` and formgrader's button make these
pages. Of hidden tests they show the verdict in words: no source, no input, no value.
"""

import functools
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader.api import Gradebook, GradeCell, SolutionCell
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from traitlets import HasTraits, List

from autograder.exercises import all_exercises, find_exercise
from autograder.nbgrader_steps import formulas, private, small_files, times
from autograder.nbgrader_steps.execute import VERDICT
from autograder.nbgrader_steps.gradebook import either, looking
from autograder.nbgrader_steps.hand_in import note, timestamp
from autograder.nbgrader_steps.page import Bounded, is_test
from autograder.nbgrader_steps.seen import (
    Seen,
    in_all_languages,
    label,
    look,
    refusals_begin,
    why_refused,
)
from autograder.nbgrader_steps.small_files import REFUSED
from autograder.nbgrader_steps.spoken import language_of
from autograder.sandbox.running_tests import BEGIN_HIDDEN
from illustrated_attention.cards import Card, paragraph
from illustrated_attention.language import _, current, speaking

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
        self.optimistic_validation = True  # once, after the last step

    def _create_environment(self):
        made = super()._create_environment()
        made.globals.update(_=_, language=html_language, label=label)
        return made

    def from_notebook_node(self, nb, resources=None, **kwargs):
        # Not HTMLExporter's: it parses the whole page once more, to give texts to pictures, which
        # all have theirs, and takes longer than all that was done before.
        with speaking(language_of(nb)):
            return TemplateExporter.from_notebook_node(self, nb, resources, **kwargs)

    def default_filters(self):
        yield from super().default_filters()
        yield "number", number
        yield "breakable", breakable
        yield "comments", comments
        yield "given_by_hand", given_by_hand
        yield "paragraph", lambda text: paragraph(text)[1]
        yield "comment2html", formulas.with_formulas


class _Known(HasTraits):
    """nbgrader's steps warn of this setting, which nbconvert's exporters have, for every cell."""

    display_data_priority: List[Any] = List().tag(config=True)


class _HiddenTests(_Known, ClearHiddenTests):
    pass


class Grades(_Known, NbGraderPreprocessor):
    """Reads points and comments as nbgrader's GetGrades does, which asks for those of each cell."""

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        names = about["notebook"], about["assignment"], about["student"]
        with looking(about["db_url"], "default_course") as book:  # nbgrader's, for all courses
            self.points, self.comments = book.points(*names), book.comments(*names)
            notebook = book.find_submission_notebook(*names)
            about["late_penalty"] = notebook.late_submission_penalty or 0
            # Not `notebook.score`, for which the database looks through the whole class.
            points = sum(grade.score for grade in self.points.values())
            about["score"] = points - about["late_penalty"]
            about["max_score"] = notebook.max_score
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, cell_index):
        about = cell.metadata.get("nbgrader", {})
        if about.get("solution") or about.get("task"):
            about["comment"] = either(SolutionCell, about["grade_id"], self.comments).comment
        if about.get("grade") or about.get("task"):
            grade = either(GradeCell, about["grade_id"], self.points)
            about["score"], about["points"] = grade.score, grade.max_score
        return cell, resources


class ForTheStudent(_Known, NbGraderPreprocessor):
    """Takes out of a graded notebook what its owner must not see, and adds what helps."""

    def preprocess(self, nb, resources):
        folder = Path(resources["metadata"]["path"])
        handed_in = timestamp(folder)
        resources["handed_in"] = handed_in and times.shown(
            handed_in, times.course_zone(self.config)
        )
        resources["refused"] = why_refused(nb.cells, small_files.read(folder, REFUSED))
        resources["seen"] = self.seen = look(nb.cells, _wrong(nb.cells))
        resources["look_at"] = what_to_look_at(nb.cells, self.seen)
        by_hand = any(map(_marked_by_a_person, nb.cells))
        resources["waiting"] = _waiting(resources["nbgrader"]) if by_hand else set()
        resources["parts"] = Parts.of(nb.cells, resources["page"].ours)
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code" and _is_hidden_test(cell):
            private.remove_hidden_tests(_HiddenTests(parent=self), cell)
            seen = self.seen.get(cell.metadata.nbgrader.grade_id)
            cell.outputs = [_shown(card_of_hidden_test(cell, seen))]
        return cell, resources


def card_of_hidden_test(cell: NotebookNode, seen: Seen | None) -> Card:
    """Return what a student gets to see in the place of a hidden test.

    Parameters
    ----------
    cell : NotebookNode
        The test cell, with the judge's verdict and the points in its metadata.
    seen : Seen or None
        What was seen, if it does not have all its points.
    """
    verdict = cell.metadata.get(VERDICT, {})
    if seen is None and not verdict:
        return Card(_("✓ Hidden tests: passed"), True, [])
    told = seen.message if seen else verdict.get("message")
    parts = [paragraph(told or _("A hidden test did not pass."))]
    if seen and (hint := _hint(seen)):
        parts.append(paragraph(_("Hint: {hint}").format(hint=hint)))
    if given_by_hand(cell):
        return Card(_("✍ Hidden tests: the points were given by hand"), None, parts)
    return Card(_("✗ Hidden tests: not yet"), False, parts)


def given_by_hand(cell: NotebookNode) -> bool:
    """Did a person give points for a test that had failed?"""
    return is_test(cell) and VERDICT in cell.metadata and bool(cell.metadata.nbgrader.score)


@dataclass(frozen=True)
class LookAt:
    """What a student looks at next."""

    grade_id: str
    seen: Seen
    hint: str  # "" if the message says it all


def what_to_look_at(cells: list[NotebookNode], seen: dict[str, Seen]) -> LookAt | None:
    """Return the first graded part that is not right: others may be wrong because of it.

    What waits for marks by hand is not wrong.
    """
    for cell in cells:
        part = cell.metadata.get("nbgrader", {}).get("grade_id")
        if part in seen:
            return LookAt(part, seen[part], _hint(seen[part]))
    return None


def comments(cells: list[NotebookNode]) -> list[tuple[str, str]]:
    """Return what people wrote, with the part it is about; not what nbgrader writes by itself."""
    about = [cell.metadata.get("nbgrader", {}) for cell in cells]
    written = [(its.get("grade_id", ""), its.get("comment")) for its in about]
    return [(part, text) for part, text in written if text and text != "No response."]


@dataclass(frozen=True)
class Parts:
    """A graded notebook's cells, put together by what they are to its owner."""

    notes: list[NotebookNode]  # what grading has to say about the hand-in
    work: list[NotebookNode]  # what has marks, what was to be written, and what has a comment
    added: list[NotebookNode]  # what else the owner wrote
    lesson: list[NotebookNode]  # all else, as it was released

    @classmethod
    def of(cls, cells: list[NotebookNode], released: Set[tuple[str, str]]) -> "Parts":
        """Take a notebook's cells apart; `released` are types and sources of the lesson's own."""
        parts = cls([], [], [], [])
        for cell in cells:
            about = cell.metadata.get("nbgrader", {})
            if any(about.get(name) for name in ("grade", "solution", "task", "comment")):
                parts.work.append(cell)
            elif cell is cells[0] and _is_note(cell):
                parts.notes.append(cell)
            elif not released or (cell.cell_type, cell.source.strip()) in released:
                parts.lesson.append(cell)
            elif cell.source.strip():
                parts.added.append(cell)
        return parts


def _is_note(cell: NotebookNode) -> bool:
    beginnings = (*refusals_begin(), *_notes_begin())
    return cell.cell_type == "markdown" and cell.source.startswith(beginnings)


@functools.cache
def _notes_begin() -> tuple[str, ...]:
    return in_all_languages(lambda: note([]).source)


def known_words(exercise: str | None, mistake: str | None) -> str:
    """Return the words for a known mistake of an exercise; "" for any other cause."""
    known = (m for one in all_exercises() if one.name == exercise for m in one.mistakes)
    return next((_(m.message) for m in known if m.id == mistake), "")


def html_language() -> str:
    """Return the language of the page, as HTML names it: zh-CN."""
    return current().replace("_", "-")


def breakable(name: str) -> Markup:
    """Let a line end within a long name, behind a "_"."""
    return escape(name).replace("_", Markup("_<wbr>"))


def number(value: float | None) -> str:
    """Write points: 2, 0.5, 1.33."""
    return f"{round(value or 0, 2):g}"


def _wrong(cells: list[NotebookNode]) -> set[str]:
    """The tests that do not have all their points; what a person marks is not among them."""
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader for cell in cells if is_test(cell)
    }
    return {name for name, its in points.items() if (its.get("score") or 0) < its.get("points", 0)}


def _marked_by_a_person(cell: NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader", {})
    return bool(about.get("task") or (about.get("grade") and about.get("solution")))


def _waiting(names: dict) -> set[str]:
    """The parts that a person has yet to mark."""
    with Gradebook(names["db_url"]) as gradebook:
        notebook = gradebook.find_submission_notebook(
            names["notebook"], names["assignment"], names["student"]
        )
        # What has a score of a person's waits to be looked at again, when it was graded again.
        waits = (g for g in notebook.grades if g.needs_manual_grade and g.manual_score is None)
        return {grade.name for grade in waits}


def _hint(seen: Seen) -> str:
    """The exercise's first hint, where no cause says better what to look at."""
    if seen.kind not in ("not_written", "unknown") or not seen.exercise:
        return ""
    try:
        return _(find_exercise(seen.exercise).hints[0])
    except ValueError:  # the exercise was there when this was graded
        return ""


def _is_hidden_test(cell: NotebookNode) -> bool:
    """A cell with hidden tests; also one from which somebody took the words around them."""
    return bool(cell.metadata.get("nbgrader", {}).get("grade")) and BEGIN_HIDDEN in cell.source


def _shown(card: Card) -> NotebookNode:
    data = {"text/plain": str(card), "text/html": card._repr_html_()}
    return from_dict({"output_type": "display_data", "metadata": {}, "data": data})
