"""Helpers of the tests: notebooks as students fill them in, and a class in temporary folders."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import get_kernel_spec
from nbclient import NotebookClient
from traitlets.config import Config

from autograder.exercises import LESSONS

ROOT = Path(__file__).resolve().parents[1]


def read_solution(lesson: str) -> nbformat.NotebookNode:
    return _read(ROOT / "solutions" / lesson / f"{lesson}.ipynb")


def read_release(lesson: str) -> nbformat.NotebookNode:
    return _read(ROOT / "notebooks" / lesson / f"{lesson}.ipynb")


def _read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def nbgrader_data(cell) -> dict:
    return cell.metadata.get("nbgrader", {})


def solution_sources(lesson: str) -> dict[str, str]:
    """The solution cells of a lesson by their grade_id."""
    return {
        nbgrader_data(cell)["grade_id"]: cell.source
        for cell in read_solution(lesson).cells
        if cell.cell_type == "code" and nbgrader_data(cell).get("solution")
    }


def graded_cells(notebook) -> dict[str, nbformat.NotebookNode]:
    """The tests that give points, by their grade_id; not what a person marks."""
    return {
        nbgrader_data(cell)["grade_id"]: cell
        for cell in notebook.cells
        if cell.cell_type == "code" and nbgrader_data(cell).get("grade")
    }


def filled_in(lesson: str, answers: dict[str, str]) -> nbformat.NotebookNode:
    """The release notebook as a student hands it in: these solution cells are written."""
    notebook = read_release(lesson)
    for cell in notebook.cells:
        if nbgrader_data(cell).get("solution"):
            cell.source = answers.get(nbgrader_data(cell)["grade_id"], cell.source)
    return notebook


def exercise_names(lesson: str) -> list[str]:
    return [exercise.name for exercise in LESSONS[lesson]]


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a command that is started in another folder: it finds this clone."""
    scripts = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
        **more,
    }
    environment.pop("PYTEST_CURRENT_TEST", None)
    return environment


# As in nbgrader_config.py: without encryption the kernel warns that others could listen in.
QUIET = Config({"KernelManager": {"transport_encryption": "auto"}})


@functools.cache
def forked_kernels() -> None:
    """Let Jupyter know of a kernel named ``forked``: see forked_kernel.py."""
    folder = tempfile.mkdtemp(prefix="kernels-")
    program = [sys.executable, str(Path(__file__).parent / "forked_kernel.py"), f"{folder}/socket"]
    server = subprocess.Popen(
        program, env=surroundings(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdout.readline() == b"ready\n"
    spec = get_kernel_spec("python3").to_dict() | {"argv": [*program, "{connection_file}"]}
    file = Path(folder, "kernels", "forked", "kernel.json")
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(spec))
    os.environ["JUPYTER_PATH"] = os.pathsep.join([folder, os.environ.get("JUPYTER_PATH", "")])

    def end() -> None:
        server.stdin.close()
        server.wait(30)
        shutil.rmtree(folder)

    atexit.register(end)


def run_notebook(notebook, folder: Path, **options) -> nbformat.NotebookNode:
    """Run a notebook from top to bottom in a kernel of its own and return it with its outputs."""
    forked_kernels()
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="forked",
        resources={"metadata": {"path": str(folder)}},
        config=QUIET,
        **options,
    )
    client.execute(env=surroundings())
    return notebook


def outputs(notebook, output_type: str) -> list:
    return [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == output_type
    ]


def on_stderr(notebook) -> str:
    return "".join(o.text for o in outputs(notebook, "stream") if o.name == "stderr")


class Terminal:
    """Runs nbgrader's commands: see terminal.py."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "terminal.py")],
            env=surroundings(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def run(self, *orders: tuple["Clone", list[str]], may_fail: bool = False) -> list[str]:
        """Run commands at the same time, each in its clone; return what each of them said."""
        files = [self.folder / f"said-{i}" for i in range(len(orders))]
        lines = [
            {
                "command": command,
                "folder": str(clone.folder),
                "environment": {"ILLUSTRATED_ATTENTION_EXCHANGE": str(clone.exchange)},
                "said": str(file),
            }
            for (clone, command), file in zip(orders, files, strict=True)
        ]
        self.process.stdin.write(json.dumps(lines) + "\n")
        self.process.stdin.flush()
        codes = json.loads(self.process.stdout.readline())
        said = [file.read_text(encoding="utf-8") for file in files]
        for (_clone, command), code, words in zip(orders, codes, said, strict=True):
            assert code == 0 or may_fail, f"nbgrader {' '.join(command)}:\n{words}"
        return said


class Clone:
    """A clone of the course in a temporary folder, in which nbgrader's commands are run."""

    def __init__(self, folder: Path, exchange: Path, terminal: Terminal):
        self.folder, self.exchange, self.terminal = folder, exchange, terminal
        folder.mkdir(parents=True)
        (folder / "autograder").mkdir()  # where the gradebook goes
        (folder / "notebooks").mkdir()
        (folder / "nbgrader_config.py").write_bytes((ROOT / "nbgrader_config.py").read_bytes())

    def nbgrader(self, *command: str, may_fail: bool = False) -> str:
        """Run one command and return what it said."""
        return self.terminal.run((self, list(command)), may_fail=may_fail)[0]
