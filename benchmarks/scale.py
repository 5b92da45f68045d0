"""Grade a thousand hand-ins on a Dask cluster of this machine, one of whose workers is killed.

    python -m benchmarks.scale postgresql://USER@HOST/EMPTY_DATABASE [HAND-INS]

First two small classes are graded by one process: from them the model in docs/grading.md says what
the large class will take. Then four workers grade it with the gradebook on the PostgreSQL server,
one of them is killed in the middle, and every mark is compared with what it must be.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from nbgrader.api import Gradebook

from benchmarks.grading import (
    LESSON,
    OURS_CONFIG,
    ROOT,
    adopt_orphans,
    children_seconds,
    grade,
    make_course,
    more,
    wait_for_orphans,
)
from benchmarks.tables import write_table

WORKERS = 4
SMALL = (10, 40)  # hand-ins


@dataclass(frozen=True)
class Model:
    """What grading takes: a start for each process, and each hand-in, in seconds of CPU time."""

    start: float
    each: float

    def cpu(self, hand_ins: int, processes: int) -> float:
        """All CPU time."""
        return processes * self.start + hand_ins * self.each

    def wall(self, hand_ins: int, processes: int, processors: int) -> float:
        """The time by the clock, where nothing else runs: processors work, all the time."""
        return self.cpu(hand_ins, processes) / min(processes, processors)


def measured_model() -> Model:
    """Grade two small classes with one process."""
    return Model(*more(*(grade(count) for count in SMALL)))


def grade_on_a_cluster(root: Path, url: str, count: int) -> tuple[float, float]:
    """Grade the class with four workers and kill one; return seconds by the clock and of CPU."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, "OPENBLAS_NUM_THREADS": "1"}
    file = root / "scheduler.json"
    adopt_orphans()
    before, start = children_seconds(), time.monotonic()
    with open(root / "log", "w") as log:

        def run(*command: str) -> subprocess.Popen:
            begin = [sys.executable, "-m", *command]
            return subprocess.Popen(begin, cwd=root, env=environment, stdout=log, stderr=log)

        at = ["--scheduler-file", str(file)]
        scheduler = run("dask", "scheduler", *at, "--host", "127.0.0.1", "--no-dashboard")
        one = ["--nworkers", "1", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        workers = [run("dask", "worker", *at, *one) for _ in range(WORKERS)]
        while not file.exists():
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        grading = run("autograder", "grade", LESSON, "--dask", address, "--db", url)
        while grading.poll() is None and len(graded(root)) < count // 4:
            time.sleep(0.2)
        workers[0].send_signal(signal.SIGKILL)
        code = grading.wait()
        wall = time.monotonic() - start
        for process in (*workers, scheduler):
            process.terminate()
            process.wait()
    wait_for_orphans()
    if code != 0:
        sys.exit((root / "log").read_text()[-5000:])
    return wall, children_seconds() - before


def graded(root: Path) -> list[Path]:
    """What lies in its place, complete."""
    return list(root.glob(f"autograded/*/{LESSON}/{LESSON}.ipynb"))


def check_marks(root: Path, url: str, count: int) -> str:
    """Stop unless everybody is graded and marked exactly once; return the marks in words."""
    assert len(graded(root)) == count, f"{len(graded(root))} of {count} are graded"
    with Gradebook(_with_driver(url), "benchmark") as gradebook:
        found = gradebook.assignment_submissions(LESSON)
        assert sorted(s.student_id for s in found) == [f"student{n:03}" for n in range(count)]
        most = gradebook.find_assignment(LESSON).max_score
        marks = Counter((int(s.student_id[7:]) % 3, s.score) for s in found)
    kinds = [len(range(kind, count, 3)) for kind in range(3)]
    assert marks[0, most] == kinds[0], marks
    assert sorted(marks.values()) == sorted(kinds), marks  # each kind has one mark
    return ", ".join(f"{n} with {score:g} of {most:g}" for (_, score), n in sorted(marks.items()))


def _with_driver(url: str) -> str:
    return url.replace("postgresql:", "postgresql+psycopg:", 1)


def main(url: str, count: int = 1000) -> None:
    """Measure, predict, grade, compare, and write it into docs/grading.md."""
    model = measured_model()
    processors = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        database = f"c.CourseDirectory.db_url = {_with_driver(url)!r}\n"
        make_course(root, LESSON, count, OURS_CONFIG + database)
        wall, cpu = grade_on_a_cluster(root, url, count)
        marks = check_marks(root, url, count)
    busy = os.getloadavg()[2]
    lines = [
        f"Measured on {date.today()}, Python {platform.python_version()}, {processors} processors, "
        f"{WORKERS} workers, of which one was killed; load of the machine {busy:.0f}.",
        "",
        f"| {count} hand-ins | CPU s | wall s |",
        "|---|---|---|",
        f"| the model: {model.start:.1f} s a process, {model.each:.3f} s a hand-in | "
        f"{model.cpu(count, WORKERS):.0f} | {model.wall(count, WORKERS, processors):.0f} |",
        f"| measured | {cpu:.0f} | {wall:.0f} |",
        "",
        f"Marks, each exactly once: {marks}. By this model, 100,000 hand-ins take",
        *(
            f"{model.wall(100_000, 16 * machines, 16 * machines) / 60:.0f} minutes on {machines} "
            f"machine{'s' if machines > 1 else ''} of 16 processors{',' if machines < 8 else '.'}"
            for machines in (1, 2, 4, 8)
        ),
    ]
    write_table("benchmarks.scale", lines)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
