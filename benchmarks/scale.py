"""Grade a thousand hand-ins on a Dask cluster of this machine, one of whose workers is killed.

    python -m benchmarks.scale postgresql://USER@HOST/DATABASE [HAND-INS]

Three small classes are graded first, on such a cluster: from them it is known what each part takes
to start and for each hand-in, and the model in docs/grading.md says what the large class will take.
Then four workers grade that one, one of them is killed in the middle, and every mark is compared
with what it must be. Each class has a gradebook of its own: a schema in the database, which is
dropped afterwards.
"""

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
from nbgrader.api import Gradebook

from benchmarks.grading import (
    LESSON,
    OURS_CONFIG,
    adopt_orphans,
    children_seconds,
    environment,
    make_course,
    wait_for_orphans,
)
from benchmarks.tables import write_table
from benchmarks.waiting import cpu_of_tree

WORKERS = 4
SMALL = (20, 200)  # hand-ins
PROCESSORS = 16  # of a machine that the model speaks of
TOLERANCE = 0.10  # how far from the run the model's CPU time may be
PARTS = ("workers", "scheduler", "command", "database")


@dataclass(frozen=True)
class Run:
    """What grading a class on a cluster took."""

    hand_ins: int
    workers: int
    wall: float  # seconds
    cpu: dict[str, float]  # seconds of each of PARTS


@dataclass(frozen=True)
class Model:
    """What each of PARTS takes, in seconds of CPU time: each worker starts for itself."""

    start: dict[str, float]
    each: dict[str, float]

    def part(self, part: str, hand_ins: int, workers: int) -> float:
        """CPU time of a part; all workers together are one."""
        starts = workers if part == "workers" else 1
        return starts * self.start[part] + hand_ins * self.each[part]

    def cpu(self, hand_ins: int, workers: int) -> float:
        """All CPU time."""
        return sum(self.part(part, hand_ins, workers) for part in PARTS)

    def wall(self, hand_ins: int, machines: int) -> float:
        """The time by the clock on so many machines full of workers, one for each processor.

        The scheduler and the command have a processor each elsewhere, and the database a machine.
        The slowest of them is waited for; and for the command, which looks at all hand-ins before
        the others begin and after they end.
        """
        workers = PROCESSORS * machines
        processors = {"workers": workers, "scheduler": 1, "database": PROCESSORS}
        command = self.part("command", hand_ins, workers)
        return command + max(self.part(p, hand_ins, workers) / n for p, n in processors.items())


def model_of(one: Run, few: Run, many: Run) -> Model:
    """Return what the parts take, of three runs.

    Parameters
    ----------
    one, few : Run
        The same small class with one worker and with several.
    many : Run
        A larger class with as many workers as `few`.
    """
    more = many.hand_ins - few.hand_ins
    # What takes next to nothing may be measured as less than that.
    each = {p: max(0.0, (many.cpu[p] - few.cpu[p]) / more) for p in PARTS}
    start = {p: few.cpu[p] - few.hand_ins * each[p] for p in PARTS}
    start["workers"] = (few.cpu["workers"] - one.cpu["workers"]) / (few.workers - one.workers)
    return Model(start, each)


def measured_model(url: str) -> Model:
    """Grade three small classes."""
    few, many = SMALL
    sizes = ((few, 1), (few, WORKERS), (many, WORKERS))
    return model_of(*(grade_class(url, count, workers)[0] for count, workers in sizes))


def grade_class(url: str, count: int, workers: int, kill: bool = False) -> tuple[Run, str]:
    """Grade a class of that size in a new course folder; return the cost, and marks in words."""
    with gradebook_of_its_own(url) as own, tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        database = f"c.CourseDirectory.db_url = {_with_driver(own)!r}\n"
        make_course(root, LESSON, count, OURS_CONFIG + database)
        run = grade_on_a_cluster(root, own, count, workers, kill)
        return run, check_marks(root, own, count)


@contextlib.contextmanager
def gradebook_of_its_own(url: str) -> Iterator[str]:
    """Yield the address of a new schema in the database."""
    schema = f"benchmark_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        try:
            yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


def grade_on_a_cluster(root: Path, url: str, count: int, workers: int, kill: bool) -> Run:
    """Grade a course's class with so many workers; kill one of them in the middle if asked to."""
    file = root / "scheduler.json"
    adopt_orphans()
    cpu, start = {}, time.monotonic()
    seconds = database_seconds(url)
    with open(root / "log", "w") as log:

        def run(*command: str) -> subprocess.Popen:
            begin = [sys.executable, "-m", *command]
            return subprocess.Popen(begin, cwd=root, env=environment(), stdout=log, stderr=log)

        at = ["--scheduler-file", str(file)]
        scheduler = run("dask", "scheduler", *at, "--host", "127.0.0.1", "--no-dashboard")
        one = ["--nworkers", "1", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        cluster = [run("dask", "worker", *at, *one) for _ in range(workers)]
        while not file.exists():
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        # What has ended is counted when it is waited for: first the command, then the others.
        before = children_seconds()
        grading = run("autograder", "grade", LESSON, "--dask", address, "--db", url)
        while kill and grading.poll() is None and len(graded(root)) < count // 4:
            time.sleep(0.2)
        if kill:
            cluster[0].send_signal(signal.SIGKILL)
        code = grading.wait()
        wall = time.monotonic() - start
        cpu["command"] = children_seconds() - before
        scheduler.terminate()
        scheduler.wait()
        cpu["scheduler"] = children_seconds() - before - cpu["command"]
        for process in cluster:
            process.terminate()
            process.wait()
    wait_for_orphans()
    cpu["workers"] = children_seconds() - before - cpu["command"] - cpu["scheduler"]
    cpu["database"] = database_seconds(url) - seconds
    if code != 0:
        sys.exit((root / "log").read_text()[-5000:])
    return Run(count, workers, wall, cpu)


def database_seconds(url: str) -> float:
    """Return the CPU time of the PostgreSQL server so far; 0 if it is not on this machine."""
    with psycopg.connect(url) as connection:
        if not connection.info.host.startswith(("/", "127.", "localhost")):
            return 0.0
        stat = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
        return cpu_of_tree(int(stat.rpartition(")")[2].split()[1]))


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
    model = measured_model(url)
    processors = len(os.sched_getaffinity(0))
    run, marks = grade_class(url, count, WORKERS, kill=True)
    # The killed worker's hand-in is graded twice.
    expected = {part: model.part(part, count + 1, WORKERS) for part in PARTS}
    total, seen = sum(expected.values()), sum(run.cpu.values())
    within = "within" if abs(total / seen - 1) <= TOLERANCE else "NOT within"
    lines = [
        f"Measured on {date.today()}, Python {platform.python_version()}, {processors} processors, "
        f"{WORKERS} workers, of which one was killed; load of the machine "
        f"{os.getloadavg()[2]:.0f}.",
        "",
        f"| CPU s | to start | a hand-in | the model for {count} | measured |",
        "|---|---|---|---|---|",
        *(
            f"| {'each of the workers' if part == 'workers' else part} | {model.start[part]:.1f} | "
            f"{model.each[part]:.4f} | {expected[part]:.1f} | {run.cpu[part]:.1f} |"
            for part in PARTS
        ),
        f"| all | | | {total:.0f} | {seen:.0f} |",
        f"| by the clock | | | {total / min(WORKERS, processors):.0f} | {run.wall:.0f} |",
        "",
        f"The model's CPU time is {total / seen:.2f} of what was measured: {within} the "
        f"{100 * TOLERANCE:.0f} % that it may be off.",
        f"Marks, each exactly once: {marks}. By this model, 100,000 hand-ins take",
        *(
            f"{model.wall(100_000, machines) / 60:.0f} minutes on {machines} "
            f"machine{'s' if machines > 1 else ''} of {PROCESSORS} processors"
            f"{',' if machines < 8 else '.'}"
            for machines in (1, 2, 4, 8)
        ),
    ]
    write_table("benchmarks.scale", lines)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
