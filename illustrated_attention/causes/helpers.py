"""A function of another exercise that is called and is wrong itself."""

import ast
import types
from collections.abc import Callable, Iterator

from illustrated_attention.answer_keys import AnswerKey, find_key
from illustrated_attention.causes.evidence import Cause, Evidence
from illustrated_attention.causes.source import Source, innermost
from illustrated_attention.language import _
from illustrated_attention.outcomes import call
from illustrated_attention.problems import find_problem


def wrong_helper(evidence: Evidence) -> Cause | None:
    """Return the first of the learner's other functions that is called and fails its own cases."""
    for name, helper in _used(evidence.function):
        key = find_key(name)
        if key is None or key.exercise == evidence.key.exercise or not callable(helper):
            continue
        kind = _first_problem(helper, key)
        if kind:
            text = _(
                "Your function calls `{name}`, and your `{name}` does not pass its own check. Run "
                "`check({name})` and mend it first."
            )
            if kind == "unwritten":
                text = _("Your function calls `{name}`, and that is not written yet.")
            return Cause("wrong_helper", text.format(name=name))
    return None


def _used(function: Callable) -> Iterator[tuple[str, object]]:
    """Yield the names of the notebook that a function uses, with what the notebook has there."""
    function = innermost(function)
    if isinstance(function, types.FunctionType):
        for name in _names_used(function.__code__):
            yield name, function.__globals__.get(name)
    elif beside := getattr(function, "__beside__", None):  # a stand-in: its text names them
        source = Source(function)
        nodes = source.walk() if source.tree else ()
        for name in dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)):
            if find_key(name):
                yield name, beside(name)


def _names_used(code: types.CodeType) -> list[str]:
    """The names of the notebook that a function uses, also in functions inside of it."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return list(dict.fromkeys([*code.co_names, *(n for one in inner for n in _names_used(one))]))


def _first_problem(helper, key: AnswerKey) -> str | None:
    for case, expected in zip(key.cases, key.expected, strict=True):
        if not case.late and (problem := find_problem(call(helper, case), case, expected)):
            return problem.kind
    return None
