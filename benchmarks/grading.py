"""Grade the same class with stock nbgrader, otter-grader and ours, side by side on one core.

    python -m benchmarks.grading [HAND-INS ...] [--otter PYTHON]

A third of the class has everything right, a third has nothing written, and a third is wrong
everywhere. Stock nbgrader takes seconds for a hand-in, and its time grows evenly: it grades two
small classes, from which its start and its time for each hand-in are known; so does otter-grader,
where a Python is named that has it. The table goes into docs/grading.md.
"""

import argparse
import contextlib
import ctypes
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from benchmarks.otter_grader import make_assignment
from benchmarks.tables import write_table

ROOT = Path(__file__).resolve().parents[1]
LESSON = "01_self_attention"
SMALL = (3, 21)  # hand-ins that the slower ones grade: fewer tell little of one more
IN_STOCK = (9, 90)  # that `nbgrader autograde` grades with our steps
OURS = (1, 30, 300)
KERNEL, FORK_SERVER = b"ipykernel", b"autograder.sandbox.inside.zygote"
OURS_CONFIG = "from autograder.nbgrader_steps import settings\nsettings.configure_grading(c)\n"


@dataclass(frozen=True)
class Cost:
    """What grading a class took."""

    how: str
    count: int
    cores: int
    wall: float  # seconds
    cpu: float  # seconds
    memory: float  # MB that one process with a student's code has for itself, at most
    marks: tuple[float, ...] = ()  # of all students, in their order


def make_course(root: Path, lesson: str, count: int, config: str) -> None:
    """Make a course folder with a released lesson and that many hand-ins."""
    source = root / "source" / lesson
    source.mkdir(parents=True)
    solution = nbformat.read(ROOT / "solutions" / lesson / f"{lesson}.ipynb", 4)
    nbformat.write(solution, source / f"{lesson}.ipynb")
    (root / "nbgrader_config.py").write_text(
        "import warnings\nc = get_config()\n"
        f"c.CourseDirectory.root = {str(root)!r}\nc.CourseDirectory.course_id = 'benchmark'\n"
        "warnings.filterwarnings('ignore', message='Object of type <Submitted')\n"
        "c.KernelManager.transport_encryption = 'auto'\n" + config
    )
    run(root, "nbgrader", "generate_assignment", lesson)
    solved = filter(is_solution, solution.cells)
    answers = {cell.metadata.nbgrader.grade_id: cell.source for cell in solved}
    texts = []
    for kind in range(3):
        notebook = nbformat.read(root / "release" / lesson / f"{lesson}.ipynb", 4)
        for cell in filter(is_solution, notebook.cells):
            name = cell.metadata.nbgrader.grade_id
            wrong = f"def {name}(*args):\n    return args[0]\n"
            cell.source = (answers[name], cell.source, wrong)[kind]
        texts.append(nbformat.writes(notebook))
    for n in range(count):
        folder = root / "submitted" / f"student{n:03}" / lesson
        folder.mkdir(parents=True)
        (folder / f"{lesson}.ipynb").write_text(texts[n % 3], encoding="utf-8")


def is_solution(cell) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def run(
    root: Path, *command: str, watch: bytes = b"", cores: int = 1, python: str = sys.executable
) -> Cost:
    """Run a Python module in the course folder on so many cores and measure it.

    `watch` is part of the command line of the processes whose memory is measured.
    """
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    adopt_orphans()
    before, start = children_seconds(), time.perf_counter()
    with open(root / "log", "w") as log:
        process = subprocess.Popen(
            [python, "-m", *command],
            cwd=root,
            env=environment(),
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        )
        watcher = Watcher(process.pid, watch)
        watcher.start()
        code = process.wait()
    if code != 0:
        sys.exit((root / "log").read_text())
    wall = time.perf_counter() - start
    watcher.join()
    wait_for_orphans()
    return Cost("", 0, cores, wall, children_seconds() - before, watcher.most)


def environment() -> dict[str, str]:
    """Return the environment in which all is measured: as at most people's, bytecode is kept.

    Unless it is said where to: `without_bytecode` names a folder that stays empty.
    """
    scripts = str(Path(sys.executable).parent)
    kept = dict(os.environ)
    if "PYTHONPYCACHEPREFIX" not in kept:
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **kept,
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
    }


def adopt_orphans() -> None:
    """Become the parent of processes whose own has ended: only a parent learns their CPU time."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def wait_for_orphans() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Watcher(threading.Thread):
    """Looks again and again how much memory the watched processes have for themselves."""

    def __init__(self, pid: int, part: bytes):
        super().__init__(daemon=True)
        self.pid, self.part, self.most = pid, part, 0.0

    def run(self) -> None:
        while self.part and Path(f"/proc/{self.pid}/task").exists():
            for pid, parent in descendants(self.pid):
                try:
                    if self.is_watched(pid, parent):
                        self.most = max(self.most, private_megabytes(pid))
                except OSError:
                    continue  # it has ended
            time.sleep(0.2)  # a look takes 3 ms of a processor on which others grade

    def is_watched(self, pid: int, parent: int) -> bool:
        """A kernel, or a student's process, which is a fork with the same command line."""
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        same = command == Path(f"/proc/{parent}/cmdline").read_bytes()
        return self.part in command and (same or self.part == KERNEL)


def descendants(pid: int) -> list[tuple[int, int]]:
    """Return all processes under one, each with its parent."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    children = [int(child) for child in text.split()]
    deeper = [pair for child in children for pair in descendants(child)]
    return [(child, pid) for child in children] + deeper


def private_megabytes(pid: int) -> float:
    """Memory that only this process has: what one more of its kind would take."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = [int(line.split()[1]) for line in lines if line.startswith("Private_")]
    return sum(sizes) / 1024


STOCK, OURS_IN_STOCK, GRADE = "stock nbgrader", "`nbgrader autograde` with our steps", "ours"
OTTER = "otter-grader"


def grade(count: int, how: str = GRADE, cores: int = 1) -> Cost:
    """Grade a class of that size in a new course folder."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_course(root, LESSON, count, "" if how == STOCK else OURS_CONFIG)
        command = ["autograder", "grade", LESSON]
        command += ["--student", "student000"] if count == 1 else ["--jobs", str(cores)]
        if how != GRADE:
            command = ["nbgrader", "autograde", LESSON]
        cost = run(root, *command, watch=KERNEL if how == STOCK else FORK_SERVER, cores=cores)
        graded = len(list(root.glob(f"autograded/*/{LESSON}/{LESSON}.ipynb")))
        assert graded == count, f"{graded} of {count} are graded"
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
            scores = {one.student_id: one.score for one in book.assignment_submissions(LESSON)}
    return replace(cost, count=count, how=how, cores=cores, marks=in_order(scores))


def grade_with_otter(count: int, python: str) -> Cost:
    """Grade a class of that size with the otter-grader of another Python."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_course(root, LESSON, count, "")
        made = make_assignment(root, LESSON)
        files = ["-t", str(made / "tests"), "-o", str(made / "autograder.zip")]
        run(root, "otter", "generate", *files, python=python)
        command = ["benchmarks.otter_grader", str(made)]
        cost = run(root, *command, watch=KERNEL, python=python)
        scores = json.loads((made / "marks.json").read_text())
    assert len(scores) == count, f"{len(scores)} of {count} are graded"
    return replace(cost, count=count, how=OTTER, marks=in_order(scores))


def in_order(scores: dict[str, float]) -> tuple[float, ...]:
    return tuple(scores[student] for student in sorted(scores, key=lambda name: int(name[7:])))


def more(few: Cost, many: Cost) -> tuple[float, float]:
    """What starting takes, and one more hand-in, in seconds of CPU time."""
    each = (many.cpu - few.cpu) / (many.count - few.count)
    return few.cpu - few.count * each, each


def main(sizes: tuple[int, ...], otters_python: str | None) -> None:
    """Measure all of it and write it into docs/grading.md."""
    grade(1, STOCK)  # not measured: whoever grades has its bytecode from the time before
    stock = [grade(count, STOCK) for count in SMALL]
    otter = []
    if otters_python:
        grade_with_otter(1, otters_python)  # not measured either
        otter = [grade_with_otter(count, otters_python) for count in SMALL]
    in_stock = [grade(count, OURS_IN_STOCK) for count in IN_STOCK]
    ours = [grade(count) for count in sizes]
    two = grade(sizes[-1], cores=2)
    alone = grade(1, cores=2)
    start, each = more(*stock)
    own_start, own_each = more(*ours[-2:])
    everybody = (*stock, *otter, *in_stock, *ours, two, alone)
    head = ["grading", "hand-ins", "cores", "wall s", "CPU s", "CPU s each"]
    head += ["times less CPU than stock", "MB a student"]
    lines = [
        f"Measured on {date.today()}, Python {platform.python_version()}, lesson {LESSON[:2]}; "
        f"load of the machine {os.getloadavg()[2]:.0f}.",
        "",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
        *(row(cost, start + cost.count * each) for cost in everybody),
        "",
        f"Stock nbgrader starts in {start:.1f} s and takes {each:.2f} s for each hand-in; ours",
        f"starts in {own_start:.1f} s and takes {own_each:.2f} s, {each / own_each:.1f} times "
        "less.",
        f"With our steps, `nbgrader autograde` takes {more(*in_stock)[1]:.2f} s for each,",
        f"{each / more(*in_stock)[1]:.1f} times less. Two cores are "
        f"{ours[-1].wall / two.wall:.1f} times as fast as one.",
        otter_in_words(otter, own_each),
        marks_in_words(everybody),
    ]
    write_table("benchmarks.grading", lines)


def row(cost: Cost, stock: float) -> str:
    """Return a line of the table; `stock` is the CPU time of stock nbgrader for as many."""
    times = "" if cost.how == STOCK else f"{stock / cost.cpu:.1f}"
    return (
        f"| {cost.how} | {cost.count} | {cost.cores} | {cost.wall:.0f} | {cost.cpu:.1f} | "
        f"{cost.cpu / cost.count:.2f} | {times} | {cost.memory:.0f} |"
    )


def otter_in_words(otter: list[Cost], own_each: float) -> str:
    if not otter:
        return "otter-grader was left out: no Python that has it was named."
    start, each = more(*otter)
    return (
        f"otter-grader starts in {start:.1f} s and takes {each:.2f} s for each hand-in, "
        f"{each / own_each:.1f} times ours."
    )


def marks_in_words(everybody: Sequence[Cost]) -> str:
    """Say what right, unwritten and wrong hand-ins got, and from whom, where graders differ."""
    given = defaultdict[str, set[str]](set)
    for cost in everybody:
        for three in zip(*(cost.marks[kind::3] for kind in range(3)), strict=False):
            given[", ".join(f"{points:g}" for points in three)].add(cost.how)
    found = [f"{points} from {', '.join(sorted(who))}" for points, who in given.items()]
    if len(given) == 1:
        found = [f"{points} from each of them" for points in given]
    return f"Points for a right hand-in, an unwritten and a wrong one: {'; '.join(found)}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("sizes", metavar="HAND-INS", nargs="*", type=int, default=OURS)
    help = "the path of a Python that has otter-grader"
    parser.add_argument("--otter", metavar="PYTHON", type=os.path.abspath, help=help)
    chosen = parser.parse_args()
    main(tuple(chosen.sizes), chosen.otter)
