"""Hand-ins that are more alike than chance makes them: a hint to look, never a verdict.

What two hand-ins share is weighed by how rare it is in the class: what one in eight has counts
3 bits, what one in a thousand has counts 10. A pair is shown when all that it shares is so rare
that chance makes one such pair in twenty classes, when nearly all of its functions are alike, and
when each of the two is far less alike to anybody else. The last tells a copy from a way to write
that several have in common.

Traits lie in buckets, and only what shares a small one is compared: the time that it takes grows
evenly with the class.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import comb, log2
from typing import Any

from autograder.class_run.built import built
from autograder.class_run.replies import NO_REPLY, replies_in
from autograder.nbgrader_steps.notebook_file import text_of

CLASSES = 20  # in so many classes chance makes one pair
NEARLY_ALL = 0.75  # of the functions that both have written
FAR = 1.5  # times the bits that either has in common with anybody else who is not shown
MOST = 50  # students who have a trait: of more it is usual, and nobody is compared for it
MOST_LINES, LONG = 200, 25  # own lines of text that are looked at; characters that say something
TEXT, REPLY = "text", "reply "  # parts of a hand-in that are no function begin so

Traits = dict[str, frozenset[str]]


@dataclass(frozen=True)
class Alike:
    """Two students, the exercises that they have written alike, and whether a text as well."""

    one: str
    other: str
    exercises: tuple[str, ...]
    text: bool = False


def traits_in(notebooks: Mapping[str, Iterable[Any]]) -> Traits:
    """Return what the parts of a hand-in are like.

    Of each function how it is built and how it is typed, of each question the reply, and the longer
    lines of comments and of text.

    Parameters
    ----------
    notebooks : mapping
        The cells of each notebook, by what stands before the names of its functions: ""
        if there is one notebook.
    """
    found: dict[str, set[str]] = defaultdict(set)
    lines: list[str] = []
    for before, cells in notebooks.items():
        cells = list(cells)
        for id, reply in replies_in(cells).items():
            found[REPLY + id] |= {reply} - {*NO_REPLY}
        for cell in cells:
            about = cell["metadata"].get("nbgrader") or {}
            source = text_of(cell)
            if cell["cell_type"] == "code" and about.get("solution"):
                found[before + about["grade_id"]] |= {built(source), _typed(source)} - {""}
                lines += re.findall(r"#(.*)", source)
            elif not about or about.get("solution"):
                lines += source.splitlines()
    typed = (_typed(line) for line in lines[:MOST_LINES] if "answer(" not in line)  # see replies
    found[TEXT] |= {line for line in typed if len(line) >= LONG}
    return {part: frozenset(traits) for part, traits in found.items() if traits}


def find_alike(
    students: Mapping[str, Traits], released: Traits | None = None, solution: Traits | None = None
) -> list[Alike]:
    """Return the pairs of students whose hand-ins are more alike than chance makes them.

    Parameters
    ----------
    students : mapping
        Each student's traits.
    released, solution : mapping, optional
        The traits of the lesson as it was released, which are nobody's own, and of its solution:
        whoever writes so has it from nobody else.

    Returns
    -------
    list of Alike
        Those that have the most in common first.
    """
    own = {student: _without(its, released or {}) for student, its in students.items()}
    usual = {(part, trait) for part, traits in (solution or {}).items() for trait in traits}
    wrote = Counter(part for its in own.values() for part in its)
    having = defaultdict(list)
    for student, its in sorted(own.items()):
        for part, traits in its.items():
            for trait in traits:
                having[part, trait].append(student)
    shared: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for (part, trait), same in having.items():
        if 2 <= len(same) <= MOST and (part, trait) not in usual:
            bits = log2(wrote[part] / (len(same) - 1))
            for pair in combinations(same, 2):  # of a part the rarest trait counts
                shared[pair][part] = max(bits, shared[pair].get(part, 0.0))
    bits_of = {pair: sum(bits.values()) for pair, bits in shared.items()}
    enough = log2(CLASSES * max(1, len(own) * (len(own) - 1) / 2))
    others: dict[str, float] = defaultdict(float)
    for pair, bits in bits_of.items():
        for student in pair if bits < enough else ():
            others[student] = max(bits, others[student])
    found = []
    for (one, other), bits in sorted(bits_of.items(), key=lambda item: (-item[1], item[0])):
        if bits < max(enough, FAR * others[one], FAR * others[other]):
            continue
        written = [part for part in own[one].keys() & own[other].keys() if _is_function(part)]
        alike = sorted(part for part in written if own[one][part] & own[other][part])
        choices = log2(comb(len(written), len(alike)))  # chance has more ways to some than to all
        if alike and len(alike) >= NEARLY_ALL * len(written) and bits >= enough + choices:
            found.append(Alike(one, other, tuple(alike), TEXT in shared[one, other]))
    return found


def _without(traits: Traits, released: Traits) -> Traits:
    """What is a student's own: no function as it was released, and no line of the lesson."""
    own = {}
    for part, its in traits.items():
        given = released.get(part, frozenset())
        left = frozenset() if _is_function(part) and its & given else its - given
        if left:
            own[part] = left
    return own


def _is_function(part: str) -> bool:
    return part != TEXT and not part.startswith(REPLY)


def _typed(text: str) -> str:
    """A text as it was typed, but for its layout."""
    return " ".join(text[:10_000].split())
