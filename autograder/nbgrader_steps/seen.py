"""What was seen of each graded part that is not right: a kind with a sign and a word, and why.

The feedback page and the class report tell the same. Students' code is read as words here, never
parsed and never run: it is a stranger's, and may be made to hurt.
"""

import builtins
import functools
import io
import re
import tokenize
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from autograder.exercises import find_exercise
from autograder.nbgrader_steps.execute import VERDICT
from autograder.nbgrader_steps.notebook_file import text_of
from autograder.nbgrader_steps.refused_files import refusal
from illustrated_attention.language import ENGLISH, _, current, known, speaking

MOST_READ = 20_000  # characters of a cell in which the functions that it calls are looked for
LONGEST_TITLE = 60  # characters of a message that stand for a cause
# Known in any exercise, and told before a function that is called and not right: see `examine`.
_OWN_FAULT = {"notebook_name", "thrown_away"}


@dataclass(frozen=True)
class Seen:
    """What was seen of a part that is not right."""

    kind: str  # see `label`
    mistake: str | None = None  # the id of the cause
    message: str = ""  # what its owner is told
    exercise: str = ""  # of the course, if it is one of its
    after: str = ""  # the function that it calls and that is not right, of a follow-on

    @property
    def sign(self) -> str:
        return label(self.kind)[0]

    @property
    def words(self) -> str:
        """The kind in words, with the cause or the function that it follows from."""
        if self.kind == "cause":
            return cause_in_words(self.mistake, self.message)
        if self.after:
            return _("follows from {name}").format(name=self.after)
        return label(self.kind)[1]


def label(kind: str) -> tuple[str, str]:
    """Return a kind's sign and word: it is never told by colour alone."""
    return {
        "right": ("✓", _("right")),
        "cause": ("✗", _("a cause was found")),
        "not_written": ("○", _("not written")),
        "stopped": ("■", _("stopped")),
        "follow_on": ("↳", _("follows from another function")),
        "refused": ("⊘", _("refused")),
        "unknown": ("?", _("no cause found")),
        "to_mark": ("✎", _("to mark by hand")),
        "by_hand": ("✍", _("marked by hand")),
    }[kind]


def look(cells: Sequence[Any], wrong: Set[str]) -> dict[str, Seen]:
    """Return what was seen of each part that is not right.

    Parameters
    ----------
    cells : sequence of dict or NotebookNode
        A graded notebook's.
    wrong : set of str
        The grade_ids of the parts that do not have all their points.
    """
    solutions = {
        about["grade_id"]: cell for cell in cells if (about := _about(cell)).get("solution")
    }
    owner = {name: exercise_of(name, solutions) for name in wrong}
    order, not_right = list(solutions), set(owner.values())
    found = {}
    for cell in cells:
        name = _about(cell).get("grade_id")
        if name in owner:
            own = solutions.get(owner[name])
            before = order[: order.index(owner[name])] if own else []
            helpers = [helper for helper in before if helper in not_right]
            found[name] = _seen(cell, own, helpers)
    # The words of a hidden test hold for its exercise; `check` says more of the same cause: it may
    # name the line.
    told = {its.exercise: its.message for its in found.values() if its.message and its.exercise}
    cards = {
        (found[name].exercise, found[name].mistake): said
        for cell in cells
        if (name := _about(cell).get("grade_id")) in found and (said := _said_by_check(cell))
    }
    return {name: replace(its, message=_message(its, cards, told)) for name, its in found.items()}


def _message(seen: Seen, cards: Mapping[tuple, str], told: Mapping[str, str]) -> str:
    said = cards.get((seen.exercise, seen.mistake), "")
    if seen.kind == "cause" and seen.mistake:
        return said or seen.message or told.get(seen.exercise, "")
    return seen.message or told.get(seen.exercise, "")


def _said_by_check(cell: Any) -> str:
    """The sentence that follows the title on the card of a `check`; "" if the cell shows none."""
    if not (cell["metadata"].get(VERDICT) or {}).get("exercise"):
        return ""
    shown = (output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", []))
    cards = ("".join(text).splitlines() for text in shown)
    return next((lines[1] for lines in cards if len(lines) > 1 and lines[0][:1] == "✗"), "")


def _seen(cell: Any, own: Any, helpers: list[str]) -> Seen:
    verdict = cell["metadata"].get(VERDICT) or {}
    mistake, message = verdict.get("mistake"), verdict.get("message") or ""
    exercise = verdict.get("exercise") or ""
    source = _source(own) if own else ""
    if own and _was_stopped(own):
        return Seen("stopped", mistake, _told_when_stopped(own) or message, exercise)
    if own and mistake == "not_defined" and (error := _ended_with(own)):
        text = _("Its cell stops with {error}: see there. So there is no `{name}`.")
        message = text.format(error=error, name=_about(own)["grade_id"])
        return Seen("cause", mistake, message, exercise)
    calls = _words(source)
    if mistake == "wrong_helper":
        called = next((helper for helper in helpers if helper in calls), "")
        return Seen("follow_on", mistake, message, exercise, called)
    if mistake not in _OWN_FAULT | _known_mistakes(exercise) and "NotImplementedError" not in calls:
        for helper in helpers:
            if helper in calls:
                text = _(
                    "It calls `{name}`, which is not right yet. Mend that first: then this may "
                    "be right, too."
                )
                return Seen("follow_on", mistake, text.format(name=helper), exercise, helper)
    if mistake == "not_written":
        return Seen("not_written", mistake, message, exercise)
    if mistake in ("no_end", "stopped"):
        return Seen("stopped", mistake, message, exercise)
    return Seen("cause" if mistake else "unknown", mistake, message, exercise)


def exercise_of(part: str, solutions: Mapping | Sequence[str]) -> str:
    """Return what a graded cell belongs to: softmax_hidden to softmax, else to itself."""
    fitting = [name for name in solutions if part == name or part.startswith(name + "_")]
    return max(fitting, key=len, default=part)


def why_refused(cells: Sequence[Any], told: str | None) -> str:
    """Return why a notebook was refused, "" if it was not.

    Parameters
    ----------
    told : str or None
        What grading wrote down beside the notebook: a stranger may write the rest.
    """
    first = _source(cells[0]) if cells else ""
    reasons = [first.removeprefix(begin) for begin in refusals_begin() if first.startswith(begin)]
    return next((reason for reason in reasons if told and reason[:500] in told), "")


@functools.cache
def refusals_begin() -> tuple[str, ...]:
    """How the cell begins that takes a refused hand-in's place, in whatever language."""
    return in_all_languages(lambda: refusal("").cells[0].source)


def in_all_languages(say: Callable[[], str]) -> tuple[str, ...]:
    """Return what is said in each language that there is."""
    said = []
    for language in known():
        with speaking(language):
            said.append(say())
    return tuple(said)


def cause_in_words(id: str | None, message: str = "") -> str:
    """Write a cause shortly, for people.

    In English that is its id: two at once with an "and", one of two with an "or". Another language
    has no words for ids: there it is how the message begins.
    """
    if id is None:
        return _("no cause found")
    if current() == ENGLISH:
        return id.replace("_", " ").replace("+", " and ").replace("|", " or ")
    if not message:
        return label("cause")[1]
    one = not re.search(r"[+|]", id)
    sentence = re.match(r".*?(?:\.(?=\s|$)|。)", message) if one else None
    begins = (sentence[0] if sentence else message).rstrip(".。").replace("`", "")
    return begins if len(begins) <= LONGEST_TITLE else begins[:LONGEST_TITLE] + "…"


def _about(cell: Any) -> Any:
    return cell["metadata"].get("nbgrader") or {}


def _source(cell: Any) -> str:
    return text_of(cell)


def _was_stopped(cell: Any) -> bool:
    return any(output.get("ename") == "Stopped" for output in cell.get("outputs", []))


def _ended_with(cell: Any) -> str:
    """The error with which a cell ended, if it is one of Python's own; else ""."""
    names = [output.get("ename") for output in cell.get("outputs", [])]
    known = (getattr(builtins, str(name), None) for name in names if name)
    return next((e.__name__ for e in known if isinstance(e, type) and issubclass(e, Exception)), "")


def _told_when_stopped(cell: Any) -> str:
    texts = (str(o.get("evalue", "")) for o in cell["outputs"] if o.get("ename") == "Stopped")
    return next(texts, "")


def _known_mistakes(exercise: str) -> set[str]:
    try:
        return {mistake.id for mistake in find_exercise(exercise).mistakes} if exercise else set()
    except ValueError:  # the exercise was there when this was graded
        return set()


def _words(source: str) -> set[str]:
    """The names in a cell's code, without those in its texts and comments."""
    words = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(source[:MOST_READ]).readline):
            if token.type == tokenize.NAME:
                words.add(token.string)
    except (tokenize.TokenError, SyntaxError):  # the rest is no Python: what came before counts
        pass
    return words
