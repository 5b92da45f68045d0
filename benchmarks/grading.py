"""Grade the same class with stock nbgrader and with ours, side by side on one core.

    python -m benchmarks.grading [LESSON]

Stock nbgrader takes seconds for a hand-in, so it grades a smaller class; what is compared is the
time for one hand-in, start of the program included. A third of the class has everything right, a
third has nothing written, and a third is wrong everywhere.
"""

import contextlib
import ctypes
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
STOCK = 10  # hand-ins
OURS = (30, 100, 300)
KERNEL, FORK_SERVER = b"ipykernel", b"autograder.sandbox.inside.zygote"
OURS_CONFIG = "from autograder.nbgrader_steps import settings\nsettings.configure_grading(c)\n"


@dataclass
class Cost:
    """What grading a class took."""

    count: int
    wall: float  # seconds
    cpu: float  # seconds
    memory: float  # MB that one process with a student's code has for itself, at most


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


def run(root: Path, *command: str, watch: bytes = b"") -> Cost:
    """Run a Python module in the course folder on one core and measure it.

    `watch` is part of the command line of the processes whose memory is measured.
    """
    scripts = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
    }
    core = min(os.sched_getaffinity(0))
    adopt_orphans()
    before, start = children_seconds(), time.perf_counter()
    with open(root / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=root,
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        watcher = Watcher(process.pid, watch)
        watcher.start()
        code = process.wait()
    if code != 0:
        sys.exit((root / "log").read_text())
    wall = time.perf_counter() - start
    watcher.join()
    wait_for_orphans()
    return Cost(0, wall, children_seconds() - before, watcher.most)


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
            time.sleep(0.05)

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


def grade(lesson: str, count: int, ours: bool) -> Cost:
    """Grade a class of that size in a new course folder."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_course(root, lesson, count, OURS_CONFIG if ours else "")
        if ours:
            cost = run(root, "autograder", "grade", lesson, "--jobs", "1", watch=FORK_SERVER)
        else:
            cost = run(root, "nbgrader", "autograde", lesson, watch=KERNEL)
        graded = len(list(root.glob(f"autograded/*/{lesson}/{lesson}.ipynb")))
        assert graded == count, f"{graded} of {count} are graded"
    cost.count = count
    return cost


def main(lesson: str) -> None:
    print(f"{date.today()}, {lesson}, Python {platform.python_version()}, one core")
    print("| grading | hand-ins | wall s | CPU s | wall s each | CPU s each | MB a student |")
    print("|---|---|---|---|---|---|---|")
    stock = grade(lesson, STOCK, ours=False)
    line("stock nbgrader", stock)
    costs = []
    for count in OURS:
        costs.append(grade(lesson, count, ours=True))
        line("ours", costs[-1])
    again = grade(lesson, STOCK, ours=False)  # the machine may have been busier at one time
    line("stock nbgrader again", again)
    for ours in costs:
        wall = (stock.wall + again.wall) / (2 * STOCK) / (ours.wall / ours.count)
        cpu = (stock.cpu + again.cpu) / (2 * STOCK) / (ours.cpu / ours.count)
        print(f"\n{ours.count} hand-ins: {wall:.1f} times faster, {cpu:.1f} times less CPU.")
    (_, middle, large) = costs
    more = large.count - middle.count
    print(
        f"\nOne more hand-in: {(large.wall - middle.wall) / more:.2f} s wall, "
        f"{(large.cpu - middle.cpu) / more:.2f} s CPU "
        f"(from {middle.count} to {large.count} hand-ins)."
    )


def line(name: str, cost: Cost) -> None:
    total = f"{cost.count} | {cost.wall:.0f} | {cost.cpu:.0f}"
    each = f"{cost.wall / cost.count:.2f} | {cost.cpu / cost.count:.2f} | {cost.memory:.0f}"
    print(f"| {name} | {total} | {each} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "01_self_attention")
