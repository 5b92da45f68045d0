"""How long a learner waits for `check`: median and 95th percentile for every exercise.

    python -m benchmarks.check [RUNS]

Each function is examined and its card drawn RUNS times (20 unless given), as in a notebook. The
first line is the very first check in a fresh process, which also reads the answer key.
"""

import statistics
import sys
import time
from collections.abc import Callable

from autograder.exercises import all_exercises
from autograder.exercises.reference import reference
from illustrated_attention.answer_keys import find_key
from illustrated_attention.cards import verdict_card
from illustrated_attention.examine import examine


def milliseconds(function: Callable, exercise: str) -> float:
    """Time one check, card included."""
    start = time.perf_counter()
    key = find_key(exercise)
    assert key, f"{exercise} has no answer key: make build"
    verdict_card(examine(function, key))._repr_html_()
    return 1000 * (time.perf_counter() - start)


def report(name: str, times: list[float]) -> None:
    slowest = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    print(f"{name:<40} {len(times):>6} {statistics.median(times):>8.1f} {slowest:>8.1f}")


def main(runs: int) -> None:
    print(f"{'milliseconds of check':<40} {'runs':>6} {'median':>8} {'95 %':>8}")
    first = all_exercises()[0].name
    report(f"{first}, the first check of all", [milliseconds(reference(first), first)])
    everything = []
    for exercise in all_exercises():
        right = [milliseconds(reference(exercise.name), exercise.name) for _run in range(runs)]
        report(f"{exercise.name}, right", right)
        wrong = [
            milliseconds(implementation, exercise.name)
            for mistake in exercise.mistakes
            for implementation in mistake.implementations
            for _run in range(runs)
        ]
        report(f"{exercise.name}, {len(exercise.mistakes)} mistakes", wrong)
        everything += right + wrong
    report("all", everything)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
