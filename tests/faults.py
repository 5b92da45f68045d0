"""Grade honest hand-ins while one call of the protocol is slow, short or fails.

    python tests/faults.py FAULT... [--hostile CODE]

A FAULT is SIDE:CALL:HOW:NUMBER. SIDE is ``grader`` (the judge's process and the judges that it
forks) or ``server`` (the fork server for students). There the NUMBER-th CALL, such as ``os.fork``
or ``socket.recv``, once is ``slow``, ``short`` (it brings one byte less) or ``fails``. Each fault
meets a fresh grader that grades a class of three; with ``--hostile`` the first of them hands in
that code. For each fault one line of JSON tells which tests of each hand-in passed, or the
grader's failure.
"""

import json
import multiprocessing
import os
import sys
from pathlib import Path

from autograder.sandbox import student_process
from autograder.sandbox.judge_process import Server
from autograder.sandbox.running_tests import Cell
from autograder.sandbox.student_process import GraderFailure

HONEST = "def f(x):\n    return 2 * x"
TESTS = ["assert f(2) == 4", "### BEGIN HIDDEN TESTS\nassert f(3) == 6"]
LIMITS = {"cpu": 1.0, "wall": 2.0}

# Run here, and in the fork server's copy of zygote.py.
INJECT = '''
def inject(call, how, number):
    """Let the number-th call be slow, short or fail; return what takes that back."""
    import errno, mmap, os, socket, time
    module, name = call.split(".")
    home = os if module == "os" else socket if name.endswith("_fds") else socket.socket
    original, count = getattr(home, name), mmap.mmap(-1, 1)  # shared with what is forked

    def other(*args, **kwargs):
        count[0] = min(count[0] + 1, 255)
        if count[0] != number:
            return original(*args, **kwargs)
        if how == "fails":
            raise OSError(errno.EAGAIN, "injected")
        value = original(*args, **kwargs)
        if how == "slow":
            time.sleep(0.4)
        if how == "short" and isinstance(value, bytes):
            value = value[:-1]
        if how == "short" and isinstance(value, tuple) and isinstance(value[0], bytes):
            value = (value[0][:-1], *value[1:])
        return value

    setattr(home, name, other)
    return lambda: setattr(home, name, original)
'''


def main(arguments: list[str]) -> None:
    names: dict = {}
    exec(INJECT, names)
    hostile = HONEST
    if "--hostile" in arguments:
        at = arguments.index("--hostile")
        hostile = arguments[at + 1]
        del arguments[at : at + 2]
    for fault in arguments:
        side, call, how, number = fault.split(":")
        if side == "server":
            _lay_out_with(f"inject({call!r}, {how!r}, {number})")
        control, _grader = multiprocessing.Pipe()
        server = Server(control, unsafe=False)
        take_back = names["inject"](call, how, int(number)) if side == "grader" else None
        outcomes = [_grade(server, source) for source in (hostile, HONEST, HONEST)]
        if take_back:
            take_back()
        server.close()
        print(json.dumps(outcomes), flush=True)


def _lay_out_with(fault: str) -> None:
    """Let the next fork server begin with this line; those that take its place are whole."""
    lay_out = student_process._lay_out

    def with_fault(home: Path) -> list[str]:
        student_process._lay_out = lay_out
        readable = lay_out(home)
        path, mark = (
            home / "autograder" / "sandbox" / "inside" / "zygote.py",
            'if __name__ == "__main__":',
        )
        path.write_text(path.read_text().replace(mark, f"{INJECT}\n{fault}\n{mark}"))
        return readable

    student_process._lay_out = with_fault


def _grade(server: Server, source: str) -> list[bool] | str:
    cells = [Cell(source), *(Cell(test, test=True, points=1) for test in TESTS)]
    data = [[cell.source, cell.test, cell.points] for cell in cells]
    try:
        outputs = server.grade(data, ["f"], None, LIMITS, 20.0, 10.0)
        return [not outputs[1], not outputs[2]]
    except GraderFailure as failure:
        return str(failure)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)
