"""nbgrader's step that runs a notebook, replaced: hand-ins run confined, and are judged outside."""

import atexit
import os
import sys
import threading
from html import escape
from typing import TYPE_CHECKING

from nbformat.notebooknode import from_dict
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Bool, Float, List, Unicode

from autograder.nbgrader_steps import cleaning, gradebook
from autograder.nbgrader_steps.spoken import language_of
from autograder.nbgrader_steps.trusted import course_of, trusted_notebook
from autograder.sandbox.running_tests import Cell
from autograder.sandbox.time_limits import NOTEBOOK_SECONDS, Limits, seconds_after
from illustrated_attention.language import _, later

if TYPE_CHECKING:  # only Linux has all that it imports
    from autograder.sandbox.grader import Grader

# In a failed test cell's metadata: exercise, known mistake and words, for feedback and report.
VERDICT = "illustrated_attention"

WITHOUT_CONFINEMENT = later(
    "!!! Student code runs UNCONFINED. It can read your files, the solutions and the gradebook, "
    "change and delete them, and use your network. Grade only work of people you trust, on a "
    "machine you can lose. `python -m autograder doctor` tells what is missing. !!!"
)


class ConfinedExecute(NbGraderPreprocessor):
    """Runs a notebook: student cells confined, test cells outside. Replaces nbgrader's Execute."""

    cpu_seconds = Float(30, help="CPU time for one cell or one call").tag(config=True)
    wall_seconds = Float(60, help="time for one cell or one call that only waits").tag(config=True)
    notebook_seconds = Float(
        NOTEBOOK_SECONDS, help="time for a notebook in all, sleeping included"
    ).tag(config=True)
    spent = Float(0, help="seconds of it that a first try has used up").tag(config=True)
    quick = Bool(False, help="put a hand-in off that takes long or has to be stopped").tag(
        config=True
    )
    inside = List(
        Unicode(),
        help="tests that run in the student's process, as assignment/notebook/grade_id: their "
        "marks can be forged, see docs/grading.md",
    ).tag(config=True)
    unsafe = Bool(
        False, help="grade even where student code cannot be confined: read docs/grading.md first"
    ).tag(config=True)

    def preprocess(self, nb, resources):
        if sys.platform != "linux":
            self.log.warning(_(WITHOUT_CONFINEMENT))
            return Execute(parent=self.parent).preprocess(nb, resources)
        trusted = trusted_notebook(resources["nbgrader"], course_of(self), self.inside)
        gradebook.save_what_is_open()  # running takes long, and others want to write
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        cells = [trusted.tests.get(_grade_id(cell) or "", Cell(cell.source)) for cell in code]
        folder = os.path.abspath(resources["metadata"]["path"])
        outputs = self._grade(cells, trusted, folder, language_of(nb))
        for cell, items in zip(code, outputs, strict=True):
            for item in items:
                if verdict := item.pop("verdict", None):
                    cell.metadata[VERDICT] = verdict
            cell.outputs = [from_dict(_as_notebook_output(item)) for item in items]
            cell.execution_count = None
        return nb, resources

    def _grade(self, cells, trusted, folder, language) -> list:
        from autograder.sandbox.student_process import GraderFailure

        try:
            with _lock:
                grader = _warm_grader(self.unsafe, self.log)
                limits = Limits(self.cpu_seconds, self.wall_seconds)
                seconds = seconds_after(self.notebook_seconds, self.spent)
                known = {"quick": self.quick, "setting": trusted.setting, "language": language}
                return grader.grade(cells, trusted.names, folder, limits, seconds, **known)
        except GraderFailure as failure:
            # nbgrader leaves the student ungraded and goes on with the next one.
            text = _("The grader failed, nobody is to blame: {reason}")
            raise RuntimeError(text.format(reason=failure)) from failure


def _grade_id(cell) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _as_notebook_output(item: dict) -> dict:
    if item["output_type"] in ("execute_result", "display_data"):
        item = {**item, "metadata": {}}
        told = item["data"].get("text/plain", "")
        # A page shows a picture with what it says in words.
        if "image/png" in item["data"] and "text/html" not in item["data"]:
            source = f'src="data:image/png;base64,{item["data"]["image/png"]}"'
            html = f'<img alt="{escape(told)}" {source}>'
            item["data"] = {**item["data"], "text/html": html}
        if "text/html" in item["data"]:
            html = cleaning.clean_card(item["data"]["text/html"])
            item["data"] = {**item["data"], "text/html": html}
    if item["output_type"] == "execute_result":
        item["execution_count"] = None
    return item


_lock = threading.Lock()
_grader: "Grader | None" = None  # one for this process, warm, made when it is first needed
_pid = None


def use(grader: "Grader") -> None:
    """Grade with this one, which was started before, as this process's warm grader."""
    global _grader, _pid
    _grader, _pid = grader, os.getpid()
    atexit.register(grader.close)


def close_grader() -> None:
    """End this process's warm grader, which works in the folder of the last hand-in."""
    if _grader is not None and _pid == os.getpid():
        _grader.close()


def _warm_grader(unsafe: bool, log) -> "Grader":
    from autograder.sandbox.grader import Grader

    grader = _grader
    if grader is None or grader.closed or _pid != os.getpid() or grader.unsafe != unsafe:
        use(grader := Grader(unsafe, wait=False))
    if grader.layers is None:
        grader.ready()
        if unsafe:
            log.warning(_(WITHOUT_CONFINEMENT))
        log.info("Student code is confined by %s", grader.layers)
    return grader
