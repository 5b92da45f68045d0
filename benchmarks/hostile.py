"""Grade hostile hand-ins beside honest ones: when are these done, and what does it cost?

    python -m benchmarks.hostile [HAND-INS]

First each kind of hostile hand-in is graded beside an honest one, by one process, and its feedback
is made. Then a class of HAND-INS honest ones (30 unless given) and as many hostile ones is graded
by two processes. An honest hand-in without all its points stops the benchmark. The table goes into
docs/grading.md.
"""

import copy
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from benchmarks.grading import LESSON, OURS_CONFIG, is_solution, make_course, run
from benchmarks.tables import write_table

HONEST = "honest"
ENDLESS = "while True: pass"
THREADS = """\
import hashlib, threading
data = bytes(10**8)
def work():
    while True: hashlib.sha256(data)
for _ in range(8): threading.Thread(target=work).start()
work()
"""
OPEN_TAGS = "".join(f"<b a{letter}><p>x" for letter in "abcdefghijklmnopqrstuvwxyz")
# What a cell before the first exercise has, if not told otherwise.
KINDS = {
    "a cell that sleeps": "import time\ntime.sleep(10**6)",
    "a cell that never ends": ENDLESS,
    "`softmax` never ends": ("softmax", f"def softmax(scores):\n    {ENDLESS}"),
    "`self_attention` never ends": (
        "self_attention",
        f"def self_attention(x, w_q, w_k, w_v):\n    {ENDLESS}",
    ),
    "threads that hash without end": THREADS,
    "forks without end": "import os\nwhile True: os.fork()",
    "fills memory": "all = []\nwhile True: all.append(bytes(10**6))",
    "prints without end": "while True: print('x' * 10**5)",
    "128 KB of emphasis": ("markdown", ("*a **a " * 20_000)[:131_072]),
    "128 KB of open tags": ("markdown", (OPEN_TAGS * 500)[:131_072]),
}


@dataclass(frozen=True)
class Cost:
    """What one hostile hand-in took, in seconds."""

    kind: str
    wall: float
    cpu: float
    feedback: float  # CPU time


def hostile(honest: NotebookNode, kind: str) -> NotebookNode:
    """Return a hand-in of that kind: the honest one with one change."""
    notebook, change = copy.deepcopy(honest), KINDS[kind]
    where, text = change if isinstance(change, tuple) else ("code", change)
    if where == "markdown":
        notebook.cells.append(nbformat.v4.new_markdown_cell(text))
    elif where == "code":
        first = next(i for i, cell in enumerate(notebook.cells) if is_solution(cell))
        notebook.cells.insert(first, nbformat.v4.new_code_cell(text))
    else:
        solutions = filter(is_solution, notebook.cells)
        (cell,) = (cell for cell in solutions if cell.metadata.nbgrader.grade_id == where)
        cell.source = text
    return notebook


def hand_in(root: Path, hand_ins: dict[str, NotebookNode]) -> None:
    """Let these be all that is handed in, and nothing of it graded."""
    for name in ("submitted", "autograded"):
        shutil.rmtree(root / name, ignore_errors=True)
    for student, notebook in hand_ins.items():
        folder = root / "submitted" / student / LESSON
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{LESSON}.ipynb")


def seconds_of(root: Path) -> dict[str, float]:
    """What `grade` said of each hand-in."""
    lines = re.findall(r"^\d+/\d+ (\S+): graded in ([\d.]+) s", (root / "log").read_text(), re.M)
    return {student: float(seconds) for student, seconds in lines}


def need_honest_marks(root: Path) -> float:
    """Stop unless every honest hand-in has all points; return how many that are."""
    with Gradebook(f"sqlite:///{root}/gradebook.db", "benchmark") as gradebook:
        most = gradebook.find_assignment(LESSON).max_score
        marks = {s.student_id: s.score for s in gradebook.assignment_submissions(LESSON)}
    lost = {s: mark for s, mark in marks.items() if s.startswith(HONEST) and mark != most}
    assert not lost, f"honest marks of {most}: {lost}"
    return most


def one_by_one(root: Path, honest: NotebookNode) -> list[Cost]:
    """Grade each kind beside an honest hand-in, and make its feedback."""

    def graded(**hand_ins: NotebookNode) -> float:
        hand_in(root, hand_ins)
        cost = run(root, "autograder", "grade", LESSON, "--jobs", "1")
        need_honest_marks(root)
        return cost.cpu

    def feedback(student: str) -> float:
        make = ("nbgrader", "generate_feedback", LESSON, "--force", f"--student={student}")
        return run(root, *make).cpu

    alone = graded(honest=honest)
    of_honest = feedback(HONEST)
    costs = []
    for kind in KINDS:
        cpu = graded(honest=honest, hostile=hostile(honest, kind)) - alone
        wall = seconds_of(root)["hostile"]
        costs.append(Cost(kind, wall, cpu, max(0.0, feedback("hostile") - of_honest)))
        print(costs[-1], flush=True)
    return costs


def side_by_side(root: Path, honest: NotebookNode, count: int) -> tuple[float, float]:
    """Grade a class; return after how many seconds the last honest one was done, and the last."""
    kinds = [list(KINDS)[i % len(KINDS)] for i in range(count)]
    hand_ins = {f"{HONEST}{i:03}": honest for i in range(count)}
    hand_ins |= {f"hostile{i:03}": hostile(honest, kind) for i, kind in enumerate(kinds)}
    hand_in(root, hand_ins)
    start = time.time()
    run(root, "autograder", "grade", LESSON, "--jobs", "2", cores=2)
    assert sorted(seconds_of(root)) == sorted(hand_ins)
    need_honest_marks(root)
    done = {
        student: (root / "autograded" / student / LESSON).stat().st_mtime - start
        for student in hand_ins
    }
    return max(s for student, s in done.items() if student.startswith(HONEST)), max(done.values())


def main(count: int = 30) -> None:
    """Measure all of it and write it into docs/grading.md."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_course(root, LESSON, 1, OURS_CONFIG)
        honest = nbformat.read(root / "submitted" / "student000" / LESSON / f"{LESSON}.ipynb", 4)
        costs = one_by_one(root, honest)
        last_honest, last = side_by_side(root, honest, count)
        most = need_honest_marks(root)
    lines = [
        f"Measured on {date.today()}, Python {platform.python_version()}, lesson {LESSON[:2]}; "
        f"load of the machine {os.getloadavg()[2]:.0f}.",
        "",
        "| a hand-in in which | wall s | CPU s | its feedback's CPU s |",
        "|---|---|---|---|",
        *(f"| {c.kind} | {c.wall:.0f} | {c.cpu:.1f} | {c.feedback:.1f} |" for c in costs),
        "",
        f"Each beside an honest one, by one process. Then {count} honest ones and {count} of these",
        f"kinds by two: the honest were done after {last_honest:.0f} s, each with {most:g} points,",
        f"and the last of all after {last:.0f} s.",
    ]
    write_table("benchmarks.hostile", lines)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
