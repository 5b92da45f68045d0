"""Try every attack against stock nbgrader and against ours, and write the table.

    python tests/attacks/against_stock.py [docs/attacks.md]

Takes about twenty minutes. Some attacks change or kill what belongs to the user who runs this:
run it in a container or a virtual machine.
"""

import logging
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from arena import Arena  # noqa: E402
from bank import ATTACKS  # noqa: E402
from small_course import SmallCourse  # noqa: E402
from table import TOO_DANGEROUS, page, row  # noqa: E402
from traitlets.config import Config  # noqa: E402

STOCK = Config({"Execute": {"timeout": 10}})
OURS = Config({"ConfinedExecute": {"cpu_seconds": 0.5, "wall_seconds": 2.0}})


def main(argv: list[str]) -> None:
    logging.disable(logging.CRITICAL)
    os.environ["GRADER_SECRET"] = "ESCAPED"
    os.environ["PYTHONPATH"] = str(ROOT)  # the hidden tests import autograder in the kernel
    outcomes = []
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
        outcomes.append((stock, ours))
        print(row(attack, stock, ours), end="", flush=True)
    if argv:
        Path(argv[0]).write_text(page(outcomes), encoding="utf-8")


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
