"""Whatever goes wrong in the talk between the grader's processes, nobody's marks hang on it.

More of them: ``FAULTS=200 pytest tests/test_faults.py`` draws as many at random.
"""

import json
import os
import random
import select
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox.student_process import Zygote

pytestmark = pytest.mark.usefixtures("confined")

ROOT = Path(__file__).parent.parent
FULL = [True, True]

# Which primitives each side uses to talk, to fork and to end, and what can be wrong with each.
CALLS = {
    "server": {
        "socket.recv_fds": ("slow", "short", "fails"),
        "socket.send_fds": ("slow", "fails"),
        "socket.recv": ("slow", "short", "fails"),
        "socket.sendall": ("slow", "fails"),
        "os.fork": ("slow", "fails"),
        "os.kill": ("slow", "fails"),
        "os.waitpid": ("slow", "fails"),
    },
    "grader": {
        "socket.send_fds": ("slow", "fails"),
        "socket.recv": ("slow", "short", "fails"),
        "socket.recv_into": ("slow", "fails"),
        "socket.sendall": ("slow", "fails"),
        "os.pipe": ("slow", "fails"),
        "os.fork": ("slow", "fails"),
        "os.read": ("slow", "short", "fails"),
        "os.write": ("slow", "fails"),
        "os.kill": ("slow", "fails"),
        "os.waitpid": ("slow", "fails"),
    },
}
EVERY = [
    f"{side}:{call}:{how}"
    for side, calls in CALLS.items()
    for call, ways in calls.items()
    for how in ways
]


def outcomes(*arguments: str) -> list:
    """What came of a class of three for each fault; see faults.py."""
    done = subprocess.run(
        [sys.executable, "tests/faults.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60 * len(arguments),
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[[")]
    assert done.returncode == 0, done.stderr
    return lines


def test_a_fault_in_the_protocol_costs_no_honest_hand_in_a_mark():
    """A few at random, others in every run; over time each of them comes round."""
    count = int(os.environ.get("FAULTS", "4"))
    chosen = random.choices(EVERY, k=count)
    faults = [f"{fault}:{random.randint(1, 6)}" for fault in chosen]
    for fault, of_class in zip(faults, outcomes(*faults), strict=True):
        assert of_class == [FULL, FULL, FULL], fault


HOSTILE = {
    "an endless loop": "def f(x):\n    while True: pass",
    "a loop that fills the memory": "def f(x):\n    out = []\n    while True: out += [[0] * 999]",
    "memory that is slow to free, and sleep": (
        "import mmap, time\nimport numpy as np\nkeep = []\n"
        "def f(x):\n    m = mmap.mmap(-1, 900 << 20)\n    np.frombuffer(m, 'u1')[::4096]\n"
        "    keep.append(m)\n    time.sleep(9)"
    ),
    "a shell without its method": "get_ipython().run_cell = None",
    "one buffer in many arrays": (
        "import numpy as np\nbig = np.zeros(4 << 20)\ndef f(x):\n    return [big] * 2000"
    ),
    "an answer before it is asked": (
        "import socket\nsocket.socket(fileno=3).sendall(b'\\0' * 4096)\ndef f(x): return 2 * x"
    ),
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_students_process_does_is_that_hand_ins_outcome(code):
    """While the fork server is slow to end it, too: that starved all who came after, once."""
    ((first, *others),) = outcomes("server:os.waitpid:slow:1", "--hostile", code)
    assert first == [False, False]
    assert others == [FULL, FULL]


def test_a_grader_that_hangs_up_with_an_answer_unread_leaves_no_traceback(capfd):
    zygote = Zygote()
    zygote._control.sendall(bytes(8) + b"?")  # what it does not know is answered too
    assert select.select([zygote._control], [], [], 30)[0]
    zygote._control.close()
    assert zygote._process.wait(30) == 0
    assert capfd.readouterr().err == ""
