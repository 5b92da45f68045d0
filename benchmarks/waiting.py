"""What a learner waits for, beside the bare ones: CPU seconds, which a busy machine hardly changes.

    python -m benchmarks.waiting [RUNS]

The first cell of each lesson beside `import numpy, matplotlib.pyplot`, the first picture of each
widget, the first `check` in a notebook and a later one (`benchmarks.check` has them all), and `make
lab` (for the second time) beside `jupyter lab`, until the first page is served. Each is the median
of RUNS fresh processes (5 unless given). Linux only: it reads /proc.
"""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

import nbformat

from benchmarks.grading import environment

ROOT = Path(__file__).resolve().parents[1]
IN_KERNEL = "import time, ipykernel.ipkernel, IPython; start = time.process_time(); "
SECONDS = "; print(time.process_time() - start)"
BARE = "import numpy, matplotlib.pyplot"
ARRAYS = (
    "import numpy as np; x = np.random.default_rng(0).normal(size=(8, 4)); names = list('abcdefgh')"
)
FUNCTIONS = """
from autograder.exercises.reference import reference
softmax, scaled_scores = reference("softmax"), reference("scaled_scores")
weighted_sum, append_kv = reference("weighted_sum"), reference("append_kv")
"""
FIRST_PICTURES = {
    "explorer on a record": ("00_orientation", "explore_recorded()"),
    "explorer on arrays": (
        "01_self_attention",
        "explore(softmax, scaled_scores, weighted_sum, tokens=names, q=x, k=x, v=x)",
    ),
    "cache, token by token": ("03_kv_cache", "cache_stepper(names, [(x, x, x)], append_kv)"),
}


def first_cells() -> dict[str, str]:
    """Return each lesson's first code cell."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*/*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        found[path.stem] = next(cell.source for cell in cells if cell.cell_type == "code")
    return found


def without_picture(cell: str) -> str:
    """Return a first cell without the key of the colours, which it draws at its end."""
    return cell.rpartition("\ncolour_key(")[0] or cell


def cpu_of_code(before: str, code: str) -> float:
    """Run both in a fresh Python that has a kernel's modules; return the seconds of `code`."""
    program = f"{before}\n{IN_KERNEL}\n{code}\n{SECONDS.removeprefix('; ')}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def cpu_of_tree(root: int) -> float:
    """Return the seconds of a process, of those it started, and of those that are done."""
    parents, ticks = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may end while we look
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    tree, more = set[int](), {root}
    while more:
        tree |= more
        more = {pid for pid, parent in parents.items() if parent in more}
    return sum(ticks[pid] for pid in tree) / os.sysconf("SC_CLK_TCK")


def until_served(command: list[str], folder: Path, port: int) -> tuple[float, float]:
    """Start JupyterLab; return CPU and wall seconds until it serves its page; stop it."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        lab = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while not _served(port):
                if lab.poll() is not None or time.perf_counter() - start > 180:
                    log.seek(0)
                    sys.exit(f"{' '.join(command)} served no page:\n{log.read()}")
                time.sleep(0.02)
            return cpu_of_tree(lab.pid), time.perf_counter() - start
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(lab.pid, signal.SIGKILL)
            lab.wait()


def _served(port: int) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/lab?token=waiting", timeout=60
        ) as page:
            return bool(page.read())
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def labs(folder: Path, port: int) -> dict[str, tuple[list[str], Path]]:
    """Return the two commands, and the folders they run in."""
    options = ["--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    options += ["--IdentityProvider.token=waiting"]
    rooted = ["--allow-root"] if os.geteuid() == 0 else []
    bare = [sys.executable, "-m", "jupyterlab", *options, *rooted]
    return {
        "jupyter lab": (bare, folder),
        "make lab": (["make", "lab", f"LAB_ARGS={' '.join(options)}"], ROOT),
    }


def in_kernels() -> dict[str, tuple[str, str]]:
    """Return what is measured in a fresh kernel: {name: (what is run before, the code)}."""
    cells = first_cells()
    found = {BARE: ("", BARE)}
    for lesson, cell in cells.items():
        found[f"first cell of {lesson}"] = ("", without_picture(cell))
    for name, (lesson, code) in FIRST_PICTURES.items():
        before = f"{cells[lesson]}._repr_html_()\n{ARRAYS}\n{FUNCTIONS}\n{code.split('(')[0]}"
        found[f"first picture: {name}"] = (before, f"shown = {code}._repr_mimebundle_()")
    before, code = f"{cells['01_self_attention']}\n{FUNCTIONS}", "check(softmax)"
    found["the first check"] = (before, code)
    found["a later check"] = (f"{before}\n{code}", code)
    return found


def line(name: str, seconds: list[float], bare: float | None = None, wall: float | None = None):
    middle = statistics.median(seconds)
    beside = f"{middle / bare:10.2f}" if bare else f"{'':10}"
    print(f"{name:<44}{middle:>9.3f}{beside}{'' if wall is None else f'{wall:10.1f}'}", flush=True)
    return middle


def main(runs: int) -> None:
    seconds = defaultdict[str, list[float]](list)
    served = defaultdict[str, list[tuple[float, float]]](list)
    for _run in range(runs):  # in turn, so that all see the machine equally busy
        for name, (before, code) in in_kernels().items():
            seconds[name].append(cpu_of_code(before, code))
    with tempfile.TemporaryDirectory() as folder:
        for _run in range(runs + 1):
            port = free_port()
            for name, (command, place) in labs(Path(folder), port).items():
                served[name].append(until_served(command, place, port))
    print(f"{'CPU seconds (median)':<44}{'':>9}{'x bare':>10}{'wall':>10}")
    bare = None
    for name, times in seconds.items():
        middle = line(name, times, bare if name.startswith("first cell") else None)
        bare = bare or middle
    bare = None
    for name, pairs in served.items():
        cpu, wall = zip(*pairs[1:], strict=True)  # the first start is set-up, too
        bare = line(name, list(cpu), bare, statistics.median(wall))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
