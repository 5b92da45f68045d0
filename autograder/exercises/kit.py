"""The words in which an exercise is declared. See any module beside this one for their use."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from autograder.exercises.steps import Steps
from illustrated_attention.answer_keys import Question
from illustrated_attention.outcomes import Case

__all__ = [
    "FAR",
    "LONG",
    "WIDE",
    "Case",
    "Exercise",
    "Mistake",
    "Promise",
    "Question",
    "Right",
    "far_ahead",
    "late",
    "rough",
    "tidy",
]

# Beyond the sizes that a buffer or a window of a learner's could have, and prime. LONG is for what
# a loop over all pairs of tokens does in time, FAR for what such a loop passes once.
LONG, FAR = 263, 1031
WIDE = 131  # features


@dataclass(frozen=True)
class Promise:
    """A property of the right function: what it says, which function of
    ``illustrated_attention.properties`` tries it, and on which arguments.
    """

    title: str
    property: str
    visible: tuple
    hidden: tuple


@dataclass(frozen=True)
class Mistake:
    """A known mistake: an id, a message, and one or more wrong implementations.

    Several implementations under one id are for mistakes that no test can tell apart; the
    message then names them all. A message says what was seen, why it is wrong and what to look
    at next; it holds no solution code.
    """

    id: str
    message: str
    implementations: tuple[Callable, ...]


@dataclass(frozen=True)
class Right:
    """An unusual but right implementation: it must get full marks."""

    id: str
    implementation: Callable


@dataclass
class Exercise:
    """One graded function.

    `visible` cases have readable numbers and travel to students with their results; `hidden`
    cases try the same things with other numbers and shapes. Every mistake must show on both.
    Cases of either kind may be `late`; every exercise gets more of these (see `variations`).
    The rest of an exercise's page adds what is known about it: `mistake`, `also_right`, `steps`.
    """

    name: str
    lesson: str
    visible: tuple[Case, ...]
    hidden: tuple[Case, ...]
    promises: tuple[Promise, ...]
    hints: tuple[str, str, str]
    can: str = ""  # what a learner can do whose function passes
    of_one_kind: bool = False  # its arrays are joined or added as they are: never only one is whole
    mistakes: list[Mistake] = field(default_factory=list)
    right: list[Right] = field(default_factory=list)
    steps: Steps | None = None

    def mistake(self, id: str, message: str, *implementations: Callable) -> Callable:
        """Add a known mistake. Without an implementation: a decorator for the one that follows."""

        def add(*implementations):
            self.mistakes.append(Mistake(id, message, implementations))
            return implementations[0]

        return add(*implementations) if implementations else add

    def also_right(self, id: str, implementation: Callable | None = None) -> Callable:
        """Add an unusual but right implementation. Without one: a decorator for what follows."""

        def add(implementation):
            self.right.append(Right(id, implementation))
            return implementation

        return add(implementation) if implementation else add

    def built(self, **ways: object) -> Callable:
        """Put its steps together: the right ones, but for these ways."""
        assert self.steps is not None, f"{self.name} has no steps yet"
        return self.steps.built(**ways)


def tidy(*shape: int, seed: int) -> np.ndarray:
    """Readable numbers: between -2 and 2, one decimal."""
    return np.round(np.random.default_rng(seed).uniform(-2, 2, shape), 1)


def late(title: str, args: tuple, raises: str | None = None) -> Case:
    """A case that is tried only when all others came out right."""
    return Case(title, args, raises, late=True)


def far_ahead(*leading: int, n_tokens: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Queries and keys of whole numbers: the last key has a score above 1,000 with every query.

    Where it is hidden, it must not count: exp of the others, lowered by it, would be 0.
    """
    random = np.random.default_rng(seed)
    q, k = random.integers(1, 4, size=(2, *leading, n_tokens, d)).astype(float)
    k[..., -1, :] *= 1000
    return q, k


def rough(*shape: int, seed: int) -> np.ndarray:
    """Numbers from a standard normal distribution."""
    return np.random.default_rng(seed).standard_normal(shape)
