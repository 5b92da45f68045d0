"""Tell which layers of confinement hold on this machine, by trying them with a real student."""

import os
import platform
import sys
import tempfile
from pathlib import Path

from autograder.nbgrader_steps.execute import WITHOUT_CONFINEMENT
from illustrated_attention.language import _

# What a student's code tries, and every one must fail. Each is a line of Python that raises.
PROBES = {
    "read a file of yours": "open({own_file!r}).read()",
    "read another process": "open('/proc/{grader}/environ', 'rb').read()",
    "write a file": "open({own_file!r} + '.new', 'w')",
    "remove a file": "__import__('os').unlink({own_file!r})",
    "change a file's mode": "__import__('os').chmod({own_file!r}, 0o777)",
    "start a process": "__import__('os').fork()",
    "start a program": "__import__('subprocess').run(['true'], check=True)",
    "open a network connection": "__import__('socket').socket()",
    "send a signal": "__import__('os').kill({grader}, 0)",
    "take 4 GB of memory": "bytearray(4 << 30)",
}


def main(argv: list[str] | None = None) -> int:
    """Print what holds. Returns 0 if grading is safe here, else 1."""
    if argv:
        print("usage: python -m autograder doctor", file=sys.stderr)
        return 2
    if told := _exchange():
        print(told)
    print(f"System: {platform.system()} {platform.release()} on {platform.machine()}")
    python = "{}.{}".format(*sys.version_info)
    text = _("Python {version}: hand-ins are graded with it, so a class needs the same one.")
    print(text.format(version=python))
    if sys.platform != "linux":
        print(
            "Student code can be confined on Linux only. Grading works here with nbgrader's own "
            "way of running notebooks and gives the same marks.\n" + WITHOUT_CONFINEMENT
        )
        return 1
    return _examine()


def _exchange() -> str | None:
    """Say what is wrong with the class's exchange, if there is one and something is."""
    from autograder.nbgrader_steps.exchange import exchange_problem

    folder = os.environ.get("ILLUSTRATED_ATTENTION_EXCHANGE", "")
    return exchange_problem(Path(folder)) if folder and Path(folder).is_dir() else None


def _examine() -> int:
    from autograder.sandbox.inside import confine

    found = confine.layers()
    _line(found.landlock, "Landlock", f"version {found.landlock}", "not in this kernel, or off")
    _line(found.seccomp, "seccomp", "system calls are filtered", "not in this kernel or processor")
    _line(
        *(found.bubblewrap, "bubblewrap", "nothing that one hand-in has seen is left for the next"),
        "not installed, or user namespaces are off here. Without it a hand-in can leave a few bits "
        "for the next one: docs/grading.md",
    )
    if not found.safe:
        print(
            "Grading is NOT safe here and will not start. It needs seccomp, and Landlock (Linux "
            "5.13 or newer, switched on) or bubblewrap (`apt install bubblewrap`). In a "
            "container, its own rules may forbid them: see docs/grading.md."
        )
        return 1
    escapes = _try_to_escape()
    for probe, escaped in escapes.items():
        _line(not escaped, probe, "refused", "POSSIBLE")
    if any(escapes.values()):
        print("A layer claims to hold and does not. Please report this; do not grade here.")
        return 1
    print(f"Grading is safe here: student code is confined by {found}.")
    return 0


def _try_to_escape() -> dict[str, bool]:
    """Let a confined process try each probe; return which succeeded."""
    from autograder.sandbox.namespace import run_cell
    from autograder.sandbox.student_process import StudentProcess, Zygote

    escapes = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Zygote() as zygote,
        StudentProcess(zygote) as student,
    ):
        own_file = Path(folder, "own")
        own_file.write_text("yours")
        for probe, code in PROBES.items():
            line = code.format(own_file=str(own_file), grader=os.getpid())
            source = f"try:\n    {line}\nexcept BaseException:\n    print('refused')"
            outputs = run_cell(student, source)
            said = [item.get("text") for item in outputs if isinstance(item, dict)]
            escapes[probe] = said != ["refused\n"]
    return escapes


def _line(good: object, name: str, yes: str, no: str) -> None:
    print(f"  {'ok ' if good else 'NO '} {name}: {yes if good else no}")
