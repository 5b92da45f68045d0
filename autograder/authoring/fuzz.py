"""Fuzzing: on whatever the contracts allow, all that is right must come out right everywhere.

For each drawn case the solution gets its arguments as they are, as plain float64 arrays, and as
they arrive in the process in which a student's code is graded; each unusual but right variant
gets them as they are and as they arrive. All results must be the same by the course's tolerance,
in `check` and for the judge, and no argument may be changed.
"""

import inspect
import itertools
import struct
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, seed, settings

from autograder.authoring.contracts import CONTRACTS, OF_IDS
from autograder.exercises import find_exercise
from autograder.exercises.reference import reference
from autograder.sandbox.inside import wire
from autograder.sandbox.stand_ins import make_stand_in
from illustrated_attention.answer_keys import AnswerKey
from illustrated_attention.examine import Verdict, examine
from illustrated_attention.outcomes import Case

EXAMPLES = 100  # of one exercise, before the next one has its turn


class Disagreement(AssertionError):
    """Something right was taken for wrong; the message says what, and on which arguments."""


def fuzz_for(seconds: float, first_seed: int | None = None) -> bool:
    """Try one exercise after the other until the time is over, and print what is found.

    Returns True if all agreed.
    """
    number = time.time_ns() % 2**32 if first_seed is None else first_seed
    print(f"Drawing from seed {number} on.", flush=True)
    end, tried, found = time.monotonic() + seconds, 0, set()
    for place, name in enumerate(itertools.cycle(CONTRACTS)):
        if name in found:
            continue
        drawn_with = number + place // len(CONTRACTS)
        try:
            fuzz(name, EXAMPLES, drawn_with)
        except Disagreement as disagreement:
            found.add(name)
            print(f"\n{disagreement}\n(seed {drawn_with})", flush=True)
        tried += EXAMPLES
        if time.monotonic() >= end or len(found) == len(CONTRACTS):
            break
    print(f"{tried:,} cases; {len(found)} of {len(CONTRACTS)} exercises with a disagreement.")
    return not found


def fuzz(name: str, examples: int, number: int | None = None) -> None:
    """Try an exercise on so many drawn cases.

    Parameters
    ----------
    name : str
    examples : int
    number : int, optional
        What the cases are drawn with; without it they are the same each time.

    Raises
    ------
    Disagreement
        For the smallest case that was found.
    """

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=number is None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
    )
    @given(CONTRACTS[name])
    def agree(case):
        args = _sent(case.args)  # what is wrong may change the case's own
        for what in disagreements(name, case):
            raise Disagreement(f"{name}, {what}\non {args!r}")

    (agree if number is None else seed(number)(agree))()


def disagreements(name: str, case: Case) -> Iterator[str]:
    """Yield what came out wrong on this case, and where.

    A case that does not come out right in float32 is too delicate to tell right from wrong.
    """
    solution = reference(name)
    expected = solution(*converted(case.args, np.float64, name))
    key = AnswerKey(name, "", (case,), (expected,), (), (), ())
    if not case.within:
        single = converted(case.args, np.float32, name)
        assume(examine(lambda *_args: solution(*single), key).passed)
    implementations = {"the solution": solution}
    implementations |= {right.id: right.implementation for right in find_exercise(name).right}
    for title, function in implementations.items():
        for place, verdict in (
            ("check", _checked(function, case, key)),
            ("the judge", _judged(function, key)),
        ):
            if verdict.failure is not None:
                yield f"«{title}» for {place}: {verdict.message} {verdict.failure.detail}"


def _checked(function: Callable, case: Case, key: AnswerKey) -> Verdict:
    """Examine on the very arguments of the case, as they lie in memory."""
    return examine(lambda *_copies: function(*case.args), key)


def _judged(function: Callable, key: AnswerKey) -> Verdict:
    """Examine through the wire, as in grading."""
    return examine(lambda *args: _sent(function(*_sent(args))), key)


# A process that knows nothing and lets no object do anything.
_NOBODY = SimpleNamespace(operations=frozenset(), discreet=False, exceptions={})


def _sent(value: Any) -> Any:
    """Return what arrives in another process; functions of the course are there, too."""
    things = []

    def refer(thing):
        things.append(thing)
        return [len(things) - 1]

    def resolve(number):
        thing = things[number]
        return (
            thing
            if inspect.isfunction(thing)
            else make_stand_in(_NOBODY, number, "object", "", None, [], [])
        )

    frame = wire.encode(value, refer)
    n_text, n_buffers, _n_bytes = struct.unpack_from(">III", frame)
    sizes = struct.unpack_from(f">{n_buffers}I", frame, 12)
    parts, at = [], 12 + 4 * n_buffers
    for size in (n_text, *sizes):
        parts.append(frame[at : at + size])
        at += size
    return wire.decode(parts[0], parts[1:], resolve)


def converted(args: tuple, dtype: type, name: str) -> tuple:
    """Return arguments of an exercise as plain arrays of this kind; masks and ids stay."""
    start = 1 if name in OF_IDS else 0
    return (*args[:start], *(_as_plain_arrays(arg, dtype) for arg in args[start:]))


def _as_plain_arrays(value: object, dtype: type) -> object:
    if isinstance(value, np.ndarray):
        return np.array(value, dtype if value.dtype.kind in "fi" else None, order="C")
    if isinstance(value, dict):
        return {key: _as_plain_arrays(item, dtype) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_as_plain_arrays(item, dtype) for item in value)
    return value
