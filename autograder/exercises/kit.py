"""The words in which an exercise is declared. See any module beside this one for their use."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from illustrated_attention.answers import Question
from illustrated_attention.outcomes import Case

__all__ = ["Case", "Exercise", "Mistake", "Promise", "Question", "Right", "rough", "tidy"]


@dataclass(frozen=True)
class Promise:
    """A property of the right function: what it says, which function of
    ``illustrated_attention.properties`` tries it, and on which arguments."""

    title: str
    property: str
    visible: tuple
    hidden: tuple


class Mistake:
    """A known mistake: an id, a message, and one or more wrong implementations.

    Several implementations under one id are for mistakes that no test can tell apart; the
    message then names them all. A message says what was seen, why it is wrong and what to look
    at next; it holds no solution code.
    """

    def __init__(self, id: str, message: str, *implementations: Callable):
        self.id, self.message, self.implementations = id, message, implementations


@dataclass(frozen=True)
class Right:
    """An unusual but right implementation: it must get full marks."""

    id: str
    implementation: Callable


@dataclass(frozen=True)
class Exercise:
    """One graded function.

    `visible` cases have readable numbers and travel to students with their results; `hidden`
    cases try the same things with other numbers and shapes. Every mistake must show on both.
    """

    name: str
    lesson: str
    visible: tuple[Case, ...]
    hidden: tuple[Case, ...]
    promises: tuple[Promise, ...]
    mistakes: tuple[Mistake, ...]
    right: tuple[Right, ...]
    hints: tuple[str, str, str]


def tidy(*shape: int, seed: int) -> np.ndarray:
    """Readable numbers: between -2 and 2, one decimal."""
    return np.round(np.random.default_rng(seed).uniform(-2, 2, shape), 1)


def rough(*shape: int, seed: int) -> np.ndarray:
    """Numbers from a standard normal distribution."""
    return np.random.default_rng(seed).standard_normal(shape)
