"""`python -m autograder COMMAND`: the instructor's commands."""

import argparse
import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.nbgrader_steps.problem import Problem
from illustrated_attention.language import _, listed

if TYPE_CHECKING:  # only Linux has all that it imports
    from autograder.sandbox.grader import Grader


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m autograder", description=_("The instructor's commands.")
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help=_("derive notebooks, answer keys and the kill matrix"))
    commands.add_parser("translations", help=_("bring locale/ up to date, and count what waits"))
    looked_at = commands.add_parser("looked-at", help=_("note that a document's translation fits"))
    looked_at.add_argument("document", type=Path, help=_("such as docs/zh_CN/learners.md"))
    fuzz = commands.add_parser("fuzz", help=_("try all that is right on random valid input"))
    fuzz.add_argument("--minutes", type=float, default=5, help=_("for how long (5)"))
    fuzz.add_argument("--seed", type=int, help=_("a number that an earlier run has told"))
    doctor = commands.add_parser("doctor", help=_("tell whether student code can be confined here"))
    doctor.add_argument(
        "assignment", nargs="?", help=_("try its own solution: has every test its mark here?")
    )
    grade = commands.add_parser("grade", help=_("grade the hand-ins that are missing or newer"))
    grade.add_argument("assignment", help=_("its id, such as 01_self_attention"))
    where = grade.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=_count, metavar="N", help=_("grading processes here"))
    where.add_argument(
        "--dask", metavar="ADDRESS", help=_("grade on a Dask cluster: tcp://host:8786")
    )
    grade.add_argument("--db", metavar="URL", help=_("the gradebook, if not nbgrader_config.py's"))
    grade.add_argument("--student", metavar="ID", help=_("only this student's hand-in"))
    grade.add_argument(
        "--retry", action="store_true", help=_("also what grading processes died of before")
    )
    grade.add_argument(
        "--unsafe", action="store_true", help=_("grade where student code cannot be confined")
    )
    grade.add_argument("--force", action="store_true", help=_("grade again what is graded"))
    mine = commands.add_parser("mine", help=_("grade your own notebook, alone, without a class"))
    mine.add_argument("lesson", help=_("its id, such as 01_self_attention"))
    mine.add_argument("notebook", nargs="?", type=Path, help=_("if not the lesson's in notebooks/"))
    report = commands.add_parser("report", help=_("write a page and a table about the class"))
    report.add_argument("assignment", help=_("its id, such as 01_self_attention"))
    report.add_argument("--db", metavar="URL", help=_("the gradebook, if not nbgrader_config.py's"))
    due = commands.add_parser("due", help=_("see or set until when to hand in"))
    due.add_argument("assignment", help=_("its id, such as 01_self_attention"))
    due.add_argument(
        "when", nargs="?", help=_("2027-03-01 23:59, as on the class's clock; or never")
    )
    due.add_argument("--student", metavar="ID", help=_("for this student only"))
    due.add_argument("--db", metavar="URL", help=_("the gradebook, if not nbgrader_config.py's"))
    marks = commands.add_parser("marks", help=_("fill a column of a platform's exported gradebook"))
    marks.add_argument("assignment", help=_("its id, such as 01_self_attention"))
    marks.add_argument("--into", type=Path, required=True, metavar="FILE", help=_("the gradebook"))
    marks.add_argument("--column", metavar="NAME", help=_("if none bears the assignment's name"))
    marks.add_argument("--db", metavar="URL", help=_("the gradebook, if not nbgrader_config.py's"))
    pages = commands.add_parser("feedback-zip", help=_("pack feedback for a learning platform"))
    pages.add_argument("assignment", help=_("its id, such as 01_self_attention"))
    arguments = vars(parser.parse_args(argv))
    runs: dict[str, Callable[..., int]] = {
        "build": _build,
        "translations": _translations,
        "looked-at": _looked_at,
        "fuzz": _fuzz,
        "doctor": _doctor,
        "grade": _grade,
        "due": _due,
        "marks": _marks,
        "feedback-zip": _feedback_zip,
        "mine": _mine,
        "report": _report,
    }
    try:
        return runs[arguments.pop("command")](**arguments)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    except PermissionError as error:
        print(_not_yours(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # wherever that was, imports above all: nobody asked for a traceback
        return 130


def _not_yours(error: PermissionError) -> str:
    text = _(
        "You may not write into {folder}: the course's folder is somebody else's. Work under the "
        "account that it belongs to, or let it be written by your group."
    )
    return text.format(folder=Path(error.filename or ".").parent)


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(_("at least 1 process is needed"))
    return number


def _translations() -> int:
    from autograder.authoring.documents import english_of, stale
    from autograder.authoring.editions import update_catalogues

    waiting = update_catalogues()
    for catalogue, count in waiting.items():
        print(_("{catalogue}: {count} to translate").format(catalogue=catalogue, count=count))
    for path in stale():
        text = _("{path} was made from an older {english}")
        print(text.format(path=path, english=english_of(path)))
    return 1 if any(waiting.values()) or stale() else 0


def _looked_at(document: Path) -> int:
    from autograder.authoring.documents import note_looked_at

    note_looked_at(document)
    return 0


def _build() -> int:
    from autograder.authoring.build import build
    from autograder.authoring.editions import build_editions

    for path in [*build(), *build_editions()]:
        print(path)
    return 0


def _fuzz(minutes: float, seed: int | None) -> int:
    try:
        from autograder.authoring.fuzz import fuzz_for
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        print(_("fuzz needs the test tools: python3 scripts/set_up.py --test"), file=sys.stderr)
        return 1
    return 0 if fuzz_for(60 * minutes, seed) else 1


def _doctor(assignment: str | None) -> int:
    with _importing():
        from autograder.class_run import doctor, own_tests
    if assignment is None:
        return doctor.main()
    return own_tests.main(assignment)


def _grade(**options) -> int:
    one = options["student"] is not None and options["dask"] is None
    with _grader_starts(options["unsafe"]) if one else contextlib.nullcontext() as grader:
        with _importing():
            from autograder.class_run.grade import grade
        return grade(**options, grader=grader)


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    """Look for no garbage while nbgrader is imported: it stays, and looking takes long."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _grader_starts(unsafe: bool) -> "Iterator[Grader | None]":
    """Let what grades a hand-in start beside what this process imports: both take seconds."""
    if sys.platform != "linux":
        yield None
        return
    from autograder.sandbox.grader import Grader

    grader = Grader(unsafe, wait=False)
    try:
        yield grader
    finally:
        grader.close()


def _mine(lesson: str, notebook: Path | None) -> int:
    from autograder.sandbox.inside import confine

    unsafe = sys.platform == "linux" and not confine.layers().safe
    with _grader_starts(unsafe) as grader:
        with _importing():
            from autograder.class_run.mine import grade_mine
        outcome = grade_mine(lesson, notebook, grader)
    if outcome.refused:
        print(outcome.refused)
    text = _("{lesson}: {points} of {most} points. Open the page in a browser:")
    points = {"points": f"{outcome.score:g}", "most": f"{outcome.most:g}"}
    print(text.format(lesson=lesson, **points))
    print(outcome.page.as_uri())
    return 0


def _due(**options) -> int:
    from autograder.class_run.due import due

    print(*due(**options), sep="\n")
    return 0


def _marks(**options) -> int:
    from autograder.class_run.marks import enter_marks

    entered = enter_marks(**options)
    print(*entered.lines(), entered.path, sep="\n")
    return 1 if entered.missing or entered.several else 0


def _feedback_zip(assignment: str) -> int:
    from autograder.class_run.return_feedback import pack_feedback

    packed = pack_feedback(assignment)
    print(_("The pages of {count} students are in").format(count=packed.count))
    print(packed.path)
    if packed.otherwise:
        text = _("These did not hand in through a platform: {students}")
        print(text.format(students=listed(packed.otherwise)))
    if packed.without:
        text = _("These handed in and have no page: {students}")
        print(text.format(students=listed(packed.without)))
    return 1 if packed.without else 0


def _report(**options) -> int:
    with _importing():
        from autograder.class_run.report import write_report
    print(*write_report(**options), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
