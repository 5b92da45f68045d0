"""Tell which layers of confinement hold on this machine, by trying them with a real student."""

import os
import platform
import sys
import tempfile
from pathlib import Path

from autograder.nbgrader_steps.execute import WITHOUT_CONFINEMENT
from illustrated_attention.language import _, later

# What a student's code tries, and every one must fail. Each is a line of Python that raises.
PROBES = {
    later("read a file of yours"): "open({own_file!r}).read()",
    later("read another process"): "open('/proc/{grader}/environ', 'rb').read()",
    later("write a file"): "open({own_file!r} + '.new', 'w')",
    later("remove a file"): "__import__('os').unlink({own_file!r})",
    later("change a file's mode"): "__import__('os').chmod({own_file!r}, 0o777)",
    later("start a process"): "__import__('os').fork()",
    later("start a program"): "__import__('subprocess').run(['true'], check=True)",
    later("open a network connection"): "__import__('socket').socket()",
    later("send a signal"): "__import__('os').kill({grader}, 0)",
    later("take 4 GB of memory"): "bytearray(4 << 30)",
}


def main() -> int:
    """Print what holds. Returns 0 if grading is safe here, else 1."""
    if told := _exchange():
        print(told)
    text = _("System: {system} on {machine}")
    system = f"{platform.system()} {platform.release()}"
    print(text.format(system=system, machine=platform.machine()))
    python = "{}.{}".format(*sys.version_info)
    text = _("Python {version}: hand-ins are graded with it, so a class needs the same one.")
    print(text.format(version=python))
    if sys.platform != "linux":
        text = _(
            "Student code can be confined on Linux only. Grading works here with nbgrader's own "
            "way of running notebooks and gives the same marks."
        )
        print(text, _(WITHOUT_CONFINEMENT), sep="\n")
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
    version = _("version {number}").format(number=found.landlock)
    _line(found.landlock, "Landlock", version, _("not in this kernel, or off"))
    filtered = _("system calls are filtered")
    _line(found.seccomp, "seccomp", filtered, _("not in this kernel or processor"))
    nothing_left = _("nothing that one hand-in has seen is left for the next")
    without = _(
        "not installed, or user namespaces are off here. Without it a hand-in can leave a few bits "
        "for the next one: docs/grading.md"
    )
    _line(found.bubblewrap, "bubblewrap", nothing_left, without)
    if not found.safe:
        text = _(
            "Grading is NOT safe here and will not start. It needs seccomp, and Landlock (Linux "
            "5.13 or newer, switched on) or bubblewrap (`apt install bubblewrap`). In a "
            "container, its own rules may forbid them: see docs/grading.md."
        )
        print(text)
        return 1
    escapes = _try_to_escape()
    for probe, escaped in escapes.items():
        _line(not escaped, _(probe), _("refused"), _("POSSIBLE"))
    if any(escapes.values()):
        print(_("A layer claims to hold and does not. Please report this; do not grade here."))
        return 1
    text = _("Grading is safe here: student code is confined by {layers}.")
    print(text.format(layers=found))
    return 0


def _try_to_escape() -> dict[str, bool]:
    """Let a confined process try each probe; return which succeeded."""
    from autograder.sandbox.namespace import run_cell
    from autograder.sandbox.student_process import StudentDied, StudentProcess, Zygote

    escapes = {}
    with tempfile.TemporaryDirectory() as folder, Zygote() as zygote:
        own_file = Path(folder, "own")
        own_file.write_text("yours")
        for probe, code in PROBES.items():
            line = code.format(own_file=str(own_file), grader=os.getpid())
            source = f"try:\n    {line}\nexcept BaseException:\n    print('refused')"
            with StudentProcess(zygote) as student:
                try:
                    outputs = run_cell(student, source)
                except StudentDied:  # two processes answer where one did, say
                    outputs = []
            said = [item.get("text") for item in outputs if isinstance(item, dict)]
            escapes[probe] = said != ["refused\n"]
    return escapes


def _line(good: object, name: str, yes: str, no: str) -> None:
    text = _("  ok  {name}: {what}") if good else _("  NO  {name}: {what}")
    print(text.format(name=name, what=yes if good else no))
