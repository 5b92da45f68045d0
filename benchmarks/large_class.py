"""How long the pages and the report of a large class take, and whether that grows with it evenly.

    python -m benchmarks.large_class [PAGES REPORT]

Three hand-ins are graded: everything right, nothing written, everything wrong. A class is made of
them: each student has each function from one of the three, by chance, with its marks. Pages are
made for a quarter of PAGES students (1,000), for half and for all of them, the report for so many
of REPORT students (5,000): where all grows evenly, one more takes as long in the second half as in
the first. Stock nbgrader makes the pages of a few of the same students. The table goes into
docs/grading.md.
"""

import json
import os
import platform
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks import grading
from benchmarks.tables import write_table

LESSON = grading.LESSON
THREE = ["student000", "student001", "student002"]
STOCK = (4, 12)  # students
PAGES, REPORT = 1000, 5000
OURS = grading.OURS_CONFIG + "settings.configure_feedback(c)\n"


@dataclass(frozen=True)
class Cost:
    """What a command took for a class."""

    what: str
    students: int
    cpu: float  # seconds
    wall: float  # seconds
    memory: float  # MB at most, of its largest process


def graded(root: Path) -> None:
    """Make a course in which the three hand-ins are graded."""
    grading.make_course(root, LESSON, len(THREE), OURS)
    grading.run(root, "autograder", "grade", LESSON, "--jobs", "1")


def with_students(course: Path, root: Path, count: int, config: str) -> None:
    """Copy a course in which the three are graded, and put that many students into it."""
    shutil.copytree(course, root, ignore=shutil.ignore_patterns("feedback"))
    text = (course / "nbgrader_config.py").read_text().replace(str(course), str(root))
    (root / "nbgrader_config.py").write_text(text.replace(OURS, config))
    originals = [notebook(root, student) for student in THREE]
    chance = random.Random(count)
    with closing(sqlite3.connect(root / "gradebook.db")) as book, book:
        rows = Rows(book)
        for number in range(len(THREE), count):
            student = f"student{number:03}"
            made_of = {part: chance.randrange(len(THREE)) for part in functions(originals[0])}
            cells = [
                originals[made_of.get(function_of(grade_id(cell), made_of), 0)]["cells"][place]
                for place, cell in enumerate(originals[0]["cells"])
            ]
            folder = root / "autograded" / student / LESSON
            folder.mkdir(parents=True)
            whole = {**originals[0], "cells": cells}
            (folder / f"{LESSON}.ipynb").write_text(json.dumps(whole), encoding="utf-8")
            (root / "submitted" / student / LESSON).mkdir(parents=True)
            rows.add(student, made_of)


def notebook(root: Path, student: str) -> dict:
    path = root / "autograded" / student / LESSON / f"{LESSON}.ipynb"
    return json.loads(path.read_bytes())


def functions(graded_notebook: dict) -> list[str]:
    """Return the names of what is to be written."""
    about = [cell["metadata"].get("nbgrader", {}) for cell in graded_notebook["cells"]]
    return [its["grade_id"] for its in about if its.get("solution")]


def grade_id(cell: dict) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def function_of(name: str, functions: Iterable[str]) -> str:
    """Return the function that a cell of this name writes or tests, "" if it is another one."""
    return max((its for its in functions if name.startswith(its)), key=len, default="")


class Rows:
    """The gradebook's rows of the three, from which those of others are made."""

    def __init__(self, book: sqlite3.Connection):
        book.row_factory = sqlite3.Row
        self.book = book
        self.names = {row["id"]: row["name"] for row in self._all("base_cell")}
        (self.student, *_others) = self._all("student", id="student000")
        assignments = (self._all("submitted_assignment", student_id=s) for s in THREE)
        self.assignments = [row for (row,) in assignments]
        notebooks = (
            self._all("submitted_notebook", assignment_id=a["id"]) for a in self.assignments
        )
        self.notebooks = [row for (row,) in notebooks]
        self.of_cells = {
            table: [self._all(table, notebook_id=row["id"]) for row in self.notebooks]
            for table in ("grade", "comment")
        }

    def _all(self, table: str, **where: str) -> list[dict]:
        query = f"SELECT * FROM {table}"
        for column in where:
            query += f" WHERE {column} = :{column}"
        return [dict(row) for row in self.book.execute(query, where)]

    def _insert(self, table: str, row: dict) -> None:
        values = ", ".join(f":{column}" for column in row)
        self.book.execute(f"INSERT INTO {table} VALUES ({values})", row)

    def add(self, student: str, made_of: dict[str, int]) -> None:
        """Add a student whose functions are those of these kinds."""
        assignment, submitted = f"a-{student}", f"n-{student}"
        self._insert("student", {**self.student, "id": student})
        new = {"id": assignment, "student_id": student}
        self._insert("submitted_assignment", {**self.assignments[0], **new})
        new = {"id": submitted, "assignment_id": assignment}
        self._insert("submitted_notebook", {**self.notebooks[0], **new})
        for table, of_kinds in self.of_cells.items():
            for kind, rows in enumerate(of_kinds):
                for row in rows:
                    name = self.names[row["cell_id"]]
                    if made_of.get(function_of(name, made_of), 0) == kind:
                        new = {"id": f"{name}-{student}", "notebook_id": submitted}
                        self._insert(table, {**row, **new})


def cost(what: str, root: Path, students: int, *command: str) -> Cost:
    """Run a command in a course; measure it and the processes that it waits for."""
    start = time.perf_counter()
    with open(root / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=root,
            env=grading.environment(),
            stdout=log,
            stderr=log,
        )
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit((root / "log").read_text())
    seconds = used.ru_utime + used.ru_stime
    return Cost(what, students, seconds, time.perf_counter() - start, used.ru_maxrss / 1024)


def measured(pages: int, report: int) -> Iterator[Cost]:
    """Yield what each command takes, for a few and for many."""
    make_pages = ("nbgrader", "generate_feedback", LESSON)
    with tempfile.TemporaryDirectory() as folder:
        three = Path(folder, "three")
        graded(three)

        def costs(what: str, config: str, counts: tuple[int, ...], *command: str):
            for count in counts:
                root = Path(folder, "class")
                with_students(three, root, count, config)
                yield cost(what, root, count, *command)
                shutil.rmtree(root)

        yield from costs("pages, stock nbgrader", "", STOCK, *make_pages)
        yield from costs("pages, ours", OURS, sizes(pages), *make_pages)
        yield from costs("report", OURS, sizes(report), "autograder", "report", LESSON)


def sizes(students: int) -> tuple[int, ...]:
    return students // 4, students // 2, students


def main(pages: int = PAGES, report: int = REPORT) -> None:
    """Measure all of it and write it into docs/grading.md."""
    lines = [
        f"Measured on {date.today()}, Python {platform.python_version()}, lesson {LESSON[:2]}; "
        f"load of the machine {os.getloadavg()[2]:.0f}.",
        "",
        "| what | students | CPU s | CPU s for one more | wall s | MB at most |",
        "|---|---|---|---|---|---|",
    ]
    each: dict[str, float] = {}
    before = None
    for its in measured(pages, report):
        one_more = ""
        if before and before.what == its.what:
            each[its.what] = (its.cpu - before.cpu) / (its.students - before.students)
            one_more = f"{each[its.what]:.3f}"
        lines.append(row(its, one_more))
        before = its
    stock, ours, _report = each.values()
    lines += [
        "",
        f"A page takes {ours:.3f} s, {stock / ours:.1f} times less than stock nbgrader's.",
    ]
    write_table("benchmarks.large_class", lines)


def row(of: Cost, each: str) -> str:
    return (
        f"| {of.what} | {of.students} | {of.cpu:.1f} | {each} | {of.wall:.0f} | {of.memory:.0f} |"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
