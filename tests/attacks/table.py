"""docs/attacks.md: what came of every attack, on stock nbgrader and on ours."""

from bank import ATTACKS, Attack

# In one process with everything else, these would take the machine or this session down.
TOO_DANGEROUS = {
    *("kill everything", "kill the group", "kill the parent", "memory bit by bit"),
    *("threads without end", "the student package", "fork", "clone", "a billion items"),
    *("output without end", "a cell that prints without end", "the collector stopped"),
    *("threads that start threads", "a format of a billion", "a hash that takes for ever"),
}
WORDS = {True: "succeeded", False: "failed", None: "not tried"}
HEADER = """\
# Attacks on the grader

Made by `python tests/attacks/against_stock.py docs/attacks.md`: every attack of
tests/attacks/bank.py, handed in to stock nbgrader and to ours. Those not tried on stock nbgrader
would have harmed the machine. That none succeeds on ours is tested on every change.

Beside these, a fuzzer that is led by what the code does (atheris) answers in the place of a
student's process: `python -m benchmarks.fuzz_wire SECONDS`. In 15 minutes on 2026-11-30 it gave
995,069 answers: no crash, and the slowest took 0.015 seconds to refuse. [grading.md](grading.md)
tells what is promised, and which test holds it.

| kind | tried on stock | succeeded on stock | tried on ours | succeeded on ours |
|---|---|---|---|---|
"""


def row(attack: Attack, stock: bool | None, ours: bool) -> str:
    """One line: what came of an attack; None where it was not tried."""
    return f"| {attack.kind} | {attack.name} | {WORDS[stock]} | {WORDS[ours]} |\n"


def page(outcomes: list[tuple[bool | None, bool]]) -> str:
    """The whole page, with an outcome on stock nbgrader and one on ours for each of `ATTACKS`."""
    all_ = list(zip(ATTACKS, outcomes, strict=True))
    text = HEADER
    for kind in dict.fromkeys(attack.kind for attack in ATTACKS):
        stock, ours = zip(*(came for attack, came in all_ if attack.kind == kind), strict=True)
        tried = sum(happened is not None for happened in stock)
        text += f"| {kind} | {tried} | {stock.count(True)} | {len(ours)} | {ours.count(True)} |\n"
    text += "\n| kind | attack | stock nbgrader | ours |\n|---|---|---|---|\n"
    return text + "".join(row(attack, *came) for attack, came in all_)


def stock_outcomes(text: str) -> dict[tuple[str, str], bool | None]:
    """Read from the page, by kind and name, what came of the attacks on stock nbgrader."""
    meaning = {word: happened for happened, word in WORDS.items()}
    cells = [line.strip("| ").split(" | ") for line in text.splitlines()]
    return {(c[0], c[1]): meaning[c[2]] for c in cells if len(c) == 4 and c[2] in meaning}
