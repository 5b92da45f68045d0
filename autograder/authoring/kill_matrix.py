"""The kill matrix: what the course's own test cells make of every known implementation.

Every wrong implementation, every unusual but right one, the blank stub and the solution of every
exercise goes through the two graded cells of its notebook. Each runs in a namespace of its own
that holds nothing but the function under the exercise's name.
"""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograder.exercises import LESSONS, all_exercises
from autograder.exercises.kit import Exercise
from autograder.exercises.reference import SOLUTIONS, reference
from illustrated_attention.checking import CheckFailed


@dataclass(frozen=True)
class Marks:
    """What one implementation got for the two graded cells of its exercise.

    `named_by_check` and `named_by_judge` are the ids of the mistake that each of them named.
    """

    check: int
    hidden: int
    named_by_check: str | None
    named_by_judge: str | None

    @property
    def total(self) -> int:
        return self.check + self.hidden


@dataclass(frozen=True)
class Rows:
    """The marks of one exercise: what is possible, and what each implementation got."""

    exercise: Exercise
    possible: int
    solution: Marks
    blank: Marks
    mistakes: dict[str, list[Marks]]
    right: dict[str, Marks]

    def killed(self, mistake: str) -> bool:
        """True when no implementation of the mistake keeps a point of either cell."""
        return all(marks.total == 0 for marks in self.mistakes[mistake])

    def named(self, mistake: str) -> bool:
        """True when both cells name the mistake as what it is, for all its implementations."""
        return all(
            marks.named_by_check == marks.named_by_judge == mistake
            for marks in self.mistakes[mistake]
        )


def kill_matrix(solutions: Path = SOLUTIONS) -> list[Rows]:
    """Run everything through the test cells of the notebooks in `solutions`."""
    cells = {}
    for lesson in LESSONS:
        notebook = nbformat.read(solutions / lesson / f"{lesson}.ipynb", as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade"):
                cells[cell.metadata.nbgrader.grade_id] = cell
    return [_rows(exercise, cells) for exercise in all_exercises()]


def _rows(exercise: Exercise, cells: dict) -> Rows:
    check, hidden = (cells[f"{exercise.name}_{part}"] for part in ("check", "hidden"))

    def marks(function: Callable) -> Marks:
        points, failure, _names = run_cell(check, exercise.name, function)
        named = failure.mistake if isinstance(failure, CheckFailed) else None
        hidden_points, _failure, names = run_cell(hidden, exercise.name, function)
        return Marks(points, hidden_points, named, names["verdict"].mistake)

    return Rows(
        exercise,
        possible=check.metadata.nbgrader.points + hidden.metadata.nbgrader.points,
        solution=marks(reference(exercise.name)),
        blank=marks(_blank),
        mistakes={m.id: [marks(f) for f in m.implementations] for m in exercise.mistakes},
        right={r.id: marks(r.implementation) for r in exercise.right},
    )


def _blank(*args):
    raise NotImplementedError()


def run_cell(cell, name: str, function: Callable) -> tuple[int, BaseException | None, dict]:
    """Run a graded cell as nbgrader does; return its points, what it raised, what it defined.

    All points if the cell ends without an exception and without a word on stderr, else none.
    """
    stderr, failure = io.StringIO(), None
    namespace = {"__name__": "__main__", name: function}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(stderr):
        try:
            exec(compile(cell.source, cell.metadata.nbgrader.grade_id, "exec"), namespace)
        except (Exception, SystemExit) as raised:
            failure = raised
    clean = failure is None and not stderr.getvalue()
    return (cell.metadata.nbgrader.points if clean else 0), failure, namespace


def write_table(matrix: list[Rows], path: Path) -> None:
    """Write the matrix as a page of Markdown."""
    path.write_text("\n".join(_page(matrix)), encoding="utf-8")


def _page(matrix: list[Rows]) -> list[str]:
    mistakes = [(rows, id) for rows in matrix for id in rows.mistakes]
    wrong = [marks for rows, id in mistakes for marks in rows.mistakes[id]]
    right = [(rows, marks) for rows in matrix for marks in rows.right.values()]
    killed = sum(rows.killed(id) for rows, id in mistakes)
    named = sum(rows.named(id) for rows, id in mistakes)
    accepted = sum(marks.total == rows.possible for rows, marks in right)
    blank, full = sum(r.blank.total for r in matrix), sum(r.solution.total for r in matrix)
    lines = [
        "# Kill matrix",
        "",
        "<!-- Derived: `make build` writes this page. -->",
        "",
        "What the graded cells of the notebooks make of every implementation that the course",
        "knows. A mistake is *rejected* when it loses the points of both cells, and *named* when",
        "both the learner's `check` and the grader's `judge` give it its own message.",
        "",
        "| what | how many |",
        "|---|---|",
        f"| known mistakes rejected | {killed} of {len(mistakes)} |",
        f"| of these named by their own message | {named} of {len(mistakes)} |",
        f"| wrong implementations behind them | {len(wrong)} |",
        f"| unusual but right implementations with full marks | {accepted} of {len(right)} |",
        f"| points of the blank notebooks | {blank} |",
        f"| points of the solutions | {full} of {sum(r.possible for r in matrix)} |",
        "",
    ]
    for rows in matrix:
        lines += _section(rows)
    return lines


def _section(rows: Rows) -> list[str]:
    lines = [
        f"## {rows.exercise.name}",
        "",
        f"Lesson {rows.exercise.lesson}, {rows.possible} points, blank {rows.blank.total}, "
        f"solution {rows.solution.total}.",
        "",
        "| mistake | implementations | points lost | named by check | named by judge |",
        "|---|---|---|---|---|",
    ]
    for id, row in rows.mistakes.items():
        lost = " / ".join(str(rows.possible - marks.total) for marks in row)
        by_check = all(marks.named_by_check == id for marks in row)
        by_judge = all(marks.named_by_judge == id for marks in row)
        words = ["yes" if named else "no" for named in (by_check, by_judge)]
        lines.append(f"| `{id}` | {len(row)} | {lost} | {words[0]} | {words[1]} |")
    lines += ["", "| unusual but right | points |", "|---|---|"]
    lines += [f"| {id} | {marks.total} |" for id, marks in rows.right.items()]
    return [*lines, ""]
