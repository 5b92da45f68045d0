"""Try every attack against stock nbgrader and against ours, and write the table.

    python tests/attacks/against_stock.py [docs/attacks.md]

Takes about twenty minutes. Some attacks change or kill what belongs to the user who runs this:
run it in a container or a virtual machine.
"""

import logging
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from arena import Arena  # noqa: E402
from bank import ATTACKS  # noqa: E402
from small_course import SmallCourse  # noqa: E402
from traitlets.config import Config  # noqa: E402

# In one process with everything else, these would take the machine or this session down.
TOO_DANGEROUS = {
    *("kill everything", "kill the group", "kill the parent", "memory bit by bit"),
    *("threads without end", "the student package", "fork", "clone", "a billion items"),
    *("output without end", "a cell that prints without end"),
}
HEADER = """\
Made by `python tests/attacks/against_stock.py docs/attacks.md`: every attack of
tests/attacks/bank.py, handed in to stock nbgrader and to ours. Those not tried on stock nbgrader
would have harmed the machine. That none succeeds on ours is tested on every change."""
STOCK = Config({"Execute": {"timeout": 10}})
OURS = Config({"ConfinedExecute": {"cpu_seconds": 0.5, "wall_seconds": 2.0}})


def main(argv: list[str]) -> None:
    logging.disable(logging.CRITICAL)
    os.environ["GRADER_SECRET"] = "ESCAPED"
    os.environ["PYTHONPATH"] = str(ROOT)  # the hidden tests import autograder in the kernel
    rows, counts = [], defaultdict(lambda: [0, 0, 0])
    for attack in ATTACKS:
        with tempfile.TemporaryDirectory() as course, tempfile.TemporaryDirectory() as outside:
            arena = _arena(Path(course), Path(outside))
            stock = None
            if attack.name not in TOO_DANGEROUS:
                stock = arena.try_out(attack, stock=True, **STOCK)
            arena.close()
            arena = _arena(Path(course) / "again", Path(outside) / "again")
            ours = arena.try_out(attack, stock=False, **OURS)
            arena.close()
        words = {True: "succeeded", False: "failed", None: "not tried"}
        rows.append(f"| {attack.kind} | {attack.name} | {words[stock]} | {words[ours]} |")
        print(rows[-1], flush=True)
        for place, happened in enumerate([stock is not None, stock, ours]):
            counts[attack.kind][place] += bool(happened)
    lines = ["# Attacks on the grader", "", HEADER, ""]
    lines += ["| kind | tried on stock | succeeded on stock | tried on ours | succeeded on ours |"]
    lines.append("|---|---|---|---|---|")
    for kind, (tried, stock, ours) in counts.items():
        lines.append(f"| {kind} | {tried} | {stock} | {_of_kind(kind)} | {ours} |")
    lines += ["", "| kind | attack | stock nbgrader | ours |", "|---|---|---|---|", *rows]
    if argv:
        Path(argv[0]).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _of_kind(kind: str) -> int:
    return sum(attack.kind == kind for attack in ATTACKS)


_template = None


def _arena(course: Path, outside: Path) -> Arena:
    global _template
    if _template is None:
        _template = SmallCourse(Path(tempfile.mkdtemp()))
        _template.release()
    outside.mkdir(exist_ok=True)
    return Arena(_template.copy(course), outside)


if __name__ == "__main__":
    main(sys.argv[1:])
