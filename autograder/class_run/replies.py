"""What a class replied to a lesson's questions: the `answer(...)` lines of graded notebooks.

They are read as text, never run. Nothing is graded.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from autograder.nbgrader_steps.notebook_file import text_of
from illustrated_attention.answer_keys import Question, find_question
from illustrated_attention.questions import is_right

# Possessive: a stranger's spaces could be shared out in a million ways.
_ANSWER = re.compile(
    r"""^[ \t]*+answer\(\s*+(["'])(?P<id>[\w-]{1,40})\1\s*+"""
    r"""(?:,\s*+(?P<reply>[^()\n]{0,80}+))?\s*+,?\s*+\)""",
    re.MULTILINE,
)
NO_REPLY = ("", "?", "...")
MOST_SHOWN = 6  # different replies to a question


@dataclass(frozen=True)
class Replies:
    """What a class replied to one question."""

    id: str
    right: int  # how many
    none: int
    wrong: list[tuple[str, int]]  # the most frequent wrong replies, and how many gave each
    others: int  # how many gave another wrong one

    @property
    def asked(self) -> int:
        return self.right + self.none + sum(count for _reply, count in self.wrong) + self.others


def replies_in(cells: Iterable[Any]) -> dict[str, str]:
    """Return the last reply to each question in a notebook's cells, as it was typed."""
    found = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            for match in _ANSWER.finditer(text_of(cell)[:2000]):
                if find_question(match["id"]):
                    reply = (match["reply"] or "").rstrip().removesuffix(",")
                    found[match["id"]] = reply.strip().strip("\"'").strip()
    return found


def count_replies(all_replies: Iterable[dict[str, str]]) -> list[Replies]:
    """Count what was replied to each question, in the order of their ids."""
    by_question: dict[str, Counter] = {}
    for replies in all_replies:
        for id, reply in replies.items():
            by_question.setdefault(id, Counter())[reply] += 1
    asked = [(find_question(id), counts) for id, counts in sorted(by_question.items())]
    return [_counted(question, counts) for question, counts in asked if question]


def _counted(question: Question, counts: Counter) -> Replies:
    right = none = 0
    wrong = []
    for reply, count in counts.most_common():
        if reply in NO_REPLY:
            none += count
        elif is_right(question, reply):
            right += count
        else:
            wrong.append((reply, count))
    others = sum(count for _reply, count in wrong[MOST_SHOWN:])
    return Replies(question.id, right, none, wrong[:MOST_SHOWN], others)
