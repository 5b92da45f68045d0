"""Let a fuzzer answer in the place of a student's process, led by what the code does with it.

    pip install -e '.[fuzz]'
    python -m benchmarks.fuzz_wire [SECONDS]

Each input is what a student's process writes when the judge has called a function of it. Whatever
it is, the call returns, or raises what such a call may raise; anything else is a crash, and its
input is kept as a file ``crash-...``. The last line tells how many inputs were tried in SECONDS (60
unless given) and how long the slowest took.
"""

import contextlib
import importlib
import io
import json
import os
import re
import socket
import sys
import tempfile
import time
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np

from autograder.sandbox import stand_ins
from autograder.sandbox.inside import wire
from autograder.sandbox.lending import Lending
from autograder.sandbox.student_process import StudentDied

PART = b"\xff\0"  # between the text and the buffers of an input
LONGEST = 5.0  # seconds of CPU time that one answer may cost

# Answers as an honest process gives them: from these the fuzzer sets out.
HONEST = [
    ["ok", [np.arange(6.0).reshape(2, 3), np.float32(1)], None, "printed", False, 0],
    [
        "ok",
        {"a": (1, 2.5, None, 1j, b"x")},
        [[np.zeros(3), [1, {"k": np.ones(2)}]], {}],
        "",
        True,
        None,
    ],
    ["ok", [{1, (2, "a")}, {None: Fraction(1, 3)}, date(2024, 2, 29)], None, "", False, None],
    ["error", [["MyError", 7], ["KeyError", None], ["Exception", None]], "'a'", "return d['a']", 9],
    ["back", "operate", "__add__", 0, [1]],
    ["back", "input", "how old?"],
]
WORDS = [
    *("l", "t", "d", "i", "f", "c", "b", "a", "T", "g", "r", "ok", "error", "nan", "0x1f"),
    *("D", "v", "n", "set", "Fraction", "Decimal", "texts", "times", "back", "call", "lent"),
    *("<f8", "<i8", "|b1", "<c16", "<f2", "<f16", "|u1", "KeyError", "SystemExit", "Exception"),
]


def answer(data: bytes) -> None:
    """Call a function of a student's whose process answers `data` and hangs up.

    Raises
    ------
    Exception
        Only if it is none that such a call may raise.
    """
    arguments = [np.zeros(3), [1, {"k": np.ones(2)}], LENT]
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # what the function is said to have printed
            student = _Student(data)
            function: Any = stand_ins.make_stand_in(student, 1, "function", "f", [], [], [])
            function(*arguments)
    except (Exception, SystemExit) as error:
        if not hasattr(error, "student_line"):  # what a student's call raised, or that it died
            raise


# A test's own function, which is lent to the student's code.
LENT = eval("lambda x: x", {"__name__": "__main__"})


class _Student:
    """Stands in for `StudentProcess`: bytes in the place of a process."""

    discreet, sync, refresh, nested = False, None, None, 0
    operations = frozenset(["__add__", "__eq__"])

    def __init__(self, data: bytes):
        self.data, self.lending = memoryview(data), Lending()
        self.exceptions: dict[int, type[Exception]] = {}
        self.stand_ins: dict = {}

    def ask(self, request: str, *args, refer=None, resolve=None, answer=None) -> object:
        wire.encode([request, *args], refer)
        sock = cast(socket.socket, self)  # all that is asked of one is below
        try:
            reply = wire.receive(sock, resolve=resolve)
            while type(reply) is list and reply[:1] == ["back"]:
                answer(reply[1:])
                reply = wire.receive(sock, resolve=resolve)
            return reply
        except (wire.WireError, EOFError) as error:
            raise StudentDied(str(error)) from None

    def gettimeout(self) -> None:
        """There is nothing to wait for."""

    def settimeout(self, seconds: float | None) -> None:
        """The bytes are here already."""

    def recv_into(self, room: memoryview) -> int:
        count = min(len(room), len(self.data))
        room[:count] = self.data[:count]
        self.data = self.data[count:]
        return count

    def end(self) -> None:
        """There is nothing to end."""


def corpus() -> list[bytes]:
    """Inputs to set out from: whole frames, and their texts with buffers of their own."""
    frames = [wire.encode(value) for value in HONEST]
    texts = [re.findall(rb"\[.*\]", whole)[0] for whole in frames]
    parts = [bytes([3]) + PART.join([text, b"\0" * 48, b"\0" * 4]) for text in texts]
    return [b"\0" + whole for whole in frames] + parts


def as_frame(data: bytes) -> bytes:
    """The fuzzer's bytes as they are after a 0, else as the text and the buffers of a frame."""
    if data[:1] <= b"\0":
        return data[1:]
    text, *buffers = data[1:].split(PART, data[0] % 8)
    return wire.frame(text, buffers)


def main(seconds: int) -> None:
    import atheris

    with atheris.instrument_imports():
        for module in (wire, stand_ins):
            importlib.reload(module)
    count, slowest, began = 0, 0.0, time.monotonic()

    def try_one(data: bytes) -> None:
        nonlocal count, slowest
        start = time.process_time()
        answer(as_frame(data))
        took = time.process_time() - start
        count, slowest = count + 1, max(slowest, took)
        if took > LONGEST:
            raise RuntimeError(f"this answer cost {took:.1f} seconds")
        if time.monotonic() - began > seconds:
            print(f"{count} answers in {seconds} s, no crash, the slowest took {slowest:.3f} s")
            sys.stdout.flush()
            os._exit(0)

    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(corpus()):
            Path(folder, str(number)).write_bytes(data)
        words = Path(folder, "words")
        words.write_text("".join(f"{json.dumps(json.dumps(word))}\n" for word in WORDS))
        options = [f"-dict={words}", "-timeout=60", "-max_len=65536", folder]
        atheris.Setup([sys.argv[0], *options], try_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
