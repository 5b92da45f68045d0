"""Grade the same class with stock nbgrader and with ours where nothing keeps Python's bytecode.

    python -m benchmarks.without_bytecode

So it is in a container that starts anew for each run, and where PYTHONDONTWRITEBYTECODE is set:
every process compiles what it imports. The table goes into docs/grading.md.
"""

import os
import platform
import tempfile
from datetime import date

from benchmarks.grading import LESSON, SMALL, STOCK, grade, more
from benchmarks.tables import write_table

OURS = (30, 300)


def main() -> None:
    """Measure all of it and write it into docs/grading.md."""
    with tempfile.TemporaryDirectory() as empty:
        os.environ.update(PYTHONPYCACHEPREFIX=empty, PYTHONDONTWRITEBYTECODE="1")
        stock = [grade(count, STOCK) for count in SMALL]
        ours = [grade(count) for count in OURS]
    start, each = more(*stock)
    each_by_the_clock = (stock[1].wall - stock[0].wall) / (stock[1].count - stock[0].count)
    start_by_the_clock = stock[0].wall - stock[0].count * each_by_the_clock
    rows = []
    for cost in ours:
        cpu = start + cost.count * each
        wall = start_by_the_clock + cost.count * each_by_the_clock
        rows.append(
            f"| {cost.count} | {wall:.0f} | {cost.wall:.0f} | {wall / cost.wall:.1f} | "
            f"{cpu:.0f} | {cost.cpu:.1f} | {cpu / cost.cpu:.1f} |"
        )
    lines = [
        f"Measured on {date.today()}, Python {platform.python_version()}, lesson {LESSON[:2]}, one "
        f"core; load of the machine {os.getloadavg()[2]:.0f}.",
        "",
        "| hand-ins | stock: wall s | ours: wall s | times | stock: CPU s | ours: CPU s | times |",
        "|---" * 7 + "|",
        *rows,
        "",
        f"Stock nbgrader starts in {start:.1f} s of CPU and takes {each:.2f} s for each hand-in, "
        f"as {SMALL[0]} and {SMALL[1]} of them tell.",
    ]
    write_table("benchmarks.without_bytecode", lines)


if __name__ == "__main__":
    main()
