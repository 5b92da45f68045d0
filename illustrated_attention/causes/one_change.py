"""Which one change of the function makes every case come out right? Found by trying them.

What a change is stays untold: only the place where it is needed, and whether it is a name, a
number, an operator. The learner's function is changed in a copy of its tree, never in the notebook.
"""

import ast
import copy
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, zip_longest

from illustrated_attention.causes.evidence import Cause, Evidence, Tried, one_or_the_other
from illustrated_attention.causes.source import Source, made_again
from illustrated_attention.language import _
from illustrated_attention.outcomes import call
from illustrated_attention.problems import find_problem

SECONDS = 0.3  # of CPU time, for a call of a changed function
SECONDS_IN_ALL = 0.5  # a function that takes long is not called a hundred times
LONGEST_LINE = 110  # characters that are quoted
LONGEST_CHAIN = 10  # operands of one line that are put in brackets
MOST_TRIED = 350  # changes, each of which is called at least once
NOT_CALLED_AGAIN = {"input", "open", "exec", "eval", "compile", "globals", "__import__"}


class _Endless(Exception):
    """A changed function did not end in time."""


@dataclass(frozen=True)
class Change:
    """One field of one node that could be another one: `words` says what was changed there."""

    node: ast.AST
    field: str
    index: int | None  # where the field is a list
    new: object
    id: str
    at: ast.expr  # what to look at

    def swap(self, new: object) -> object:
        """Put `new` in the place, return what stood there."""
        if self.index is None:
            old = getattr(self.node, self.field)
            setattr(self.node, self.field, new)
            return old
        items = getattr(self.node, self.field)
        old = items[self.index]
        items[self.index] = new
        return old


def cause_in_one_change(evidence: Evidence) -> Cause | None:
    """Return the place where one change makes all right; of two places both, of more none."""
    source = Source(evidence.function)
    function = source.function
    if not isinstance(source.tree, ast.FunctionDef) or not _may_be_tried(source.tree):
        return None
    if not isinstance(function, types.FunctionType):
        return None
    tree = copy.deepcopy(source.tree)
    wrong_first = sorted(evidence.all, key=lambda one: (one.problem is None, one.case.size()))
    fitting: dict[int, list[Change]] = {}  # by line
    end = time.process_time() + SECONDS_IN_ALL
    for change in islice(_changes(tree, evidence), MOST_TRIED):
        if time.process_time() > end:
            break  # what was found by then is true all the same
        try:
            fits = _makes_all_right(change, tree, function, wrong_first)
        except _Endless:
            break
        if fits:
            fitting.setdefault(change.at.lineno, []).append(change)
            if len(fitting) > 2:
                return None  # what fits is true of each, but says too little
    likely = list(_WORDS)  # where several changes of a line would do
    told = [
        _told(min(changes, key=lambda change: likely.index(change.id)), source)
        for _line, changes in sorted(fitting.items())
    ]
    return one_or_the_other(told)


def _may_be_tried(tree: ast.FunctionDef) -> bool:
    """False for what might not end, or do something outside of the function, once changed."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.While, ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom)):
            return False
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in NOT_CALLED_AGAIN:
            return False
    return True


def _makes_all_right(
    change: Change, tree: ast.FunctionDef, learners: types.FunctionType, wrong_first: list[Tried]
) -> bool:
    if isinstance(change.new, ast.AST):
        ast.fix_missing_locations(change.new)
    old = change.swap(change.new)
    try:
        function = made_again(tree, learners)
    except (SyntaxError, ValueError, TypeError, NameError):
        return False
    finally:
        change.swap(old)
    for one in wrong_first:
        outcome = call(function, one.case, SECONDS)
        if outcome.timed_out:
            raise _Endless
        if find_problem(outcome, one.case, one.expected):
            return False
    return True


_WORDS = {  # likely ones first
    "step_too_many": lambda: _("is this step needed?"),
    "wrong_operator": lambda: _("is it the operation that belongs there?"),
    "opposite": lambda: _("is it the answer, or its opposite?"),
    "wrong_function": lambda: _("is it the function that belongs there?"),
    "wrong_entry": lambda: _("is it the entry that belongs there?"),
    "wrong_number": lambda: _("is every number there the one that belongs there?"),
    "wrong_brackets": lambda: _("where do the brackets belong?"),
    "wrong_order": lambda: _("what comes first there, and what second?"),
    "wrong_condition": lambda: _("when should that be so, and is it needed at all?"),
    "wrong_name": lambda: _("is every name there the one that belongs there?"),
}


def _told(change: Change, source: Source) -> Cause:
    text = _(
        "Look at `{what}` in your line `{line}`: {question} With one change there every case comes "
        "out right."
    )
    what, line = _what_to_look_at(change), _shortened(source.line(change.at))
    if len(what) > len(line) / 2:
        text = _(
            "Look at your line `{line}`: {question} With one change there every case comes out "
            "right."
        )
    question = _WORDS[change.id]()
    return Cause(change.id, text.format(what=what, line=line, question=question))


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE].rstrip() + " …"


def _what_to_look_at(change: Change) -> str:
    """The piece of the line where the change is needed; an operation by its sign."""
    if change.id == "wrong_operator" and isinstance(change.at, ast.BinOp):
        return _SIGNS[type(change.at.op)]
    if change.id == "wrong_operator" and isinstance(change.at, ast.Compare):
        return _SIGNS[type(change.at.ops[0])]
    if change.id == "wrong_function" and isinstance(change.at, ast.Call):
        return ast.unparse(change.at.func)
    return ast.unparse(change.at)


_SIGNS: dict[type, str] = {
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.MatMult: "@", ast.Div: "/", ast.Pow: "**"},
    **{ast.FloorDiv: "//", ast.Mod: "%", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="},
    **{ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is", ast.IsNot: "is not"},
}


# --- the changes ---------------------------------------------------------------------------------


def _changes(tree: ast.FunctionDef, evidence: Evidence) -> Iterator[Change]:
    """Yield changes, slips of the pen before steps that are too many."""
    tests = {
        id(inner): node.test
        for node in ast.walk(tree)
        if isinstance(node, (ast.If, ast.IfExp, ast.Assert))
        for inner in _outside_of_calls(node.test)
    }
    for change in _all_changes(tree, evidence):
        # Whatever is changed in a condition, it is the condition that is in doubt.
        test = tests.get(id(change.at))
        yield change if test is None else replace(change, id="wrong_condition", at=test)


def _outside_of_calls(node: ast.expr) -> Iterator[ast.AST]:
    """The parts of a condition; of a call in it only the call itself."""
    yield node
    if not isinstance(node, ast.Call):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _outside_of_calls(child)


def _all_changes(tree: ast.FunctionDef, evidence: Evidence) -> Iterator[Change]:
    """Yield changes of all kinds in turn: in a long function no kind uses up all the tries."""
    places = list(_expressions(tree))
    keys = _keys(evidence)
    kinds = [
        _other_names(places, _names_of_data(tree)),
        (change for place in places for change in _slips(*place, keys)),
        (change for place in places for change in _steps_less(*place)),
        (change for place in places for change in _brackets(*place)),
        (change for place in places for change in _fixed_conditions(*place)),
        _opposites(tree, evidence),
    ]
    for changes in zip_longest(*kinds):
        yield from (change for change in changes if change is not None)


def _other_names(places: list, names: list[str]) -> Iterator[Change]:
    called = {id(node.func) for _o, _f, _i, node in places if isinstance(node, ast.Call)}
    for owner, field, index, node in places:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in called:
            for name in names if node.id in names else ():
                if name != node.id:
                    other = ast.copy_location(ast.Name(name, ast.Load()), node)
                    yield Change(owner, field, index, other, "wrong_name", node)


def _brackets(owner, field, index, node: ast.expr) -> Iterator[Change]:
    if isinstance(node, (ast.BinOp, ast.Call)) and not _goes_on_in(owner, field, node):
        for new in (*_bracketed_otherwise(node), *_closed_elsewhere(node)):
            yield Change(owner, field, index, new, "wrong_brackets", node)


def _fixed_conditions(owner, field, index, node: ast.expr) -> Iterator[Change]:
    if field == "test" and isinstance(owner, (ast.If, ast.IfExp)):
        for truth in (False, True):
            fixed = ast.copy_location(ast.Constant(truth), node)
            yield Change(owner, field, index, fixed, "wrong_condition", node)


def _expressions(tree: ast.FunctionDef) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    """Yield every expression of the body, with the place where it stands."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop(0)
        for field, value in ast.iter_fields(node):
            if isinstance(node, ast.Raise):
                continue
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            for index, item in items:
                if isinstance(item, ast.AST):
                    todo.append(item)
                if isinstance(item, ast.expr):
                    yield node, field, index, item


def _names_of_data(tree: ast.FunctionDef) -> list[str]:
    """The names that hold data in the function: its arguments, and what is assigned."""
    arguments = tree.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    names += [
        node.id
        for statement in tree.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return list(dict.fromkeys(names))


def _keys(evidence: Evidence) -> list[str]:
    """The names of the entries of the dictionaries among the arguments."""
    dictionaries = (arg for one in evidence.all for arg in one.case.args if isinstance(arg, dict))
    return list(next(dictionaries, {}))


_OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.MatMult, ast.Div, ast.Add),
    ast.MatMult: (ast.Mult,),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Mod,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
}
_COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.GtE, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.LtE, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_FUNCTIONS = (
    ("tril", "triu"),
    ("max", "min", "sum", "mean", "argmax", "argmin"),
    ("var", "std"),
    ("exp", "log"),
    ("sqrt", "square"),
    ("maximum", "minimum"),
    ("any", "all"),
    ("ones", "zeros"),
    ("ones_like", "zeros_like"),
    ("append", "extend"),
)


def _slips(owner, field, index, node: ast.expr, keys: list[str]) -> Iterator[Change]:
    """Yield another number, entry, operator, function, or the two sides exchanged."""

    def change(new: ast.AST, id: str) -> Change:
        return Change(owner, field, index, ast.copy_location(new, node), id, node)

    if isinstance(node, ast.Constant):
        if type(node.value) is int:
            n = node.value
            negative = isinstance(owner, ast.UnaryOp)
            for other in dict.fromkeys((n + 1, n - 1, n + 2)):
                if other >= (1 if negative else 0):
                    yield change(ast.Constant(other), "wrong_number")
            if n < 3 and not negative:
                yield change(ast.UnaryOp(ast.USub(), ast.Constant(n or 1)), "wrong_number")
        elif type(node.value) is bool:
            yield change(ast.Constant(not node.value), "opposite")
        elif isinstance(node.value, str):
            ending = node.value.split(".")[-1]
            beginning = node.value.split(".")[0]
            for key in keys:
                alike = key.endswith(ending) or key.startswith(beginning)
                if (
                    node.value in keys
                    and key != node.value
                    and alike
                    and key.count(".") == node.value.count(".")
                ):
                    yield change(ast.Constant(key), "wrong_entry")
    elif isinstance(node, ast.BinOp):
        for operator in _OPERATORS.get(type(node.op), ()):
            yield change(ast.BinOp(node.left, operator(), node.right), "wrong_operator")
        if isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow, ast.FloorDiv, ast.Mod)):
            yield change(ast.BinOp(node.right, node.op, node.left), "wrong_order")
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for comparison in _COMPARISONS.get(type(node.ops[0]), ()):
            new = ast.Compare(node.left, [comparison()], node.comparators)
            yield change(new, "wrong_operator")
    elif isinstance(node, ast.Call):
        for i in range(len(node.args) - 1):
            if any(isinstance(arg, (ast.Constant, ast.Compare)) for arg in node.args[i : i + 2]):
                continue  # nobody takes these for one another
            args = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]]
            yield change(ast.Call(node.func, args, node.keywords), "wrong_order")
        if len(node.args) == 3 and all(isinstance(arg, ast.Name) for arg in node.args):
            for first in (1, 2):
                args = [*node.args[first:], *node.args[:first]]
                yield change(ast.Call(node.func, args, node.keywords), "wrong_order")
        yield from _other_functions(node, change)
    elif isinstance(node, ast.Tuple) and len(node.elts) in (2, 3):
        # What is returned, and what is taken apart: `k, q = ...`.
        for i in range(len(node.elts) - 1):
            parts = [*node.elts[:i], node.elts[i + 1], node.elts[i], *node.elts[i + 2 :]]
            yield change(ast.Tuple(parts, node.ctx), "wrong_order")


def _other_functions(node: ast.Call, change: Callable) -> Iterator[Change]:
    if not isinstance(node.func, ast.Attribute):
        return
    for family in _FUNCTIONS:
        for name in family if node.func.attr in family else ():
            if name != node.func.attr:
                function = ast.Attribute(node.func.value, name, ast.Load())
                yield change(ast.Call(function, node.args, node.keywords), "wrong_function")


def _steps_less(owner, field, index, node: ast.expr) -> Iterator[Change]:
    """Yield the expression without its last step."""

    def without(rest: ast.expr) -> Change:
        return Change(owner, field, index, rest, "step_too_many", node)

    if isinstance(node, ast.BinOp):
        yield without(node.left)
        if isinstance(node.op, (ast.Add, ast.Mult, ast.MatMult)):
            yield without(node.right)
    elif isinstance(node, ast.UnaryOp):
        yield without(node.operand)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
            yield without(node.func.value)
        else:
            yield from map(without, node.args[:3])
    elif isinstance(node, ast.IfExp):
        yield without(node.body)
        yield without(node.orelse)
    elif isinstance(node, ast.Attribute) and node.attr != "T":
        return
    elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Load):
        yield without(node.value)


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math")


_RANK = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2, ast.FloorDiv: 2}


def _bracketed_otherwise(node: ast.expr) -> Iterator[ast.expr]:
    """Yield a chain of operations with one pair of brackets more."""
    parts = _chain(node)
    operands, operators = parts[::2], parts[1::2]
    if len(operands) < 3 or len(operands) > LONGEST_CHAIN:
        return
    for start in range(len(operands) - 1):
        for end in range(start + 2, len(operands) + 1):
            if not _counts(operators, start, end):
                continue
            inner = _tree(operands[start:end], operators[start : end - 1])
            outer = [*operands[:start], inner, *operands[end:]]
            rest = [*operators[:start], *operators[end - 1 :]]
            yield ast.copy_location(_tree(outer, rest), node)


def _counts(operators: list, start: int, end: int) -> bool:
    """True when brackets around these operands give something else than none."""
    inner = operators[start : end - 1]
    beside = [*operators[start - 1 : start], *operators[end - 1 : end]]
    loosest = min(_RANK[type(operator)] for operator in inner)
    if any(_RANK[type(operator)] > loosest for operator in beside):
        return True
    if start == 0 or _RANK[type(operators[start - 1])] < loosest:
        return False
    # a + (b + c) and a * (b / c) are the same without brackets.
    free = (ast.Add, ast.Sub) if loosest == 1 else (ast.Mult, ast.Div)
    return not (
        isinstance(operators[start - 1], free[0])
        and all(isinstance(operator, free) for operator in inner)
    )


def _goes_on_in(owner: ast.AST, field: str, node: ast.expr) -> bool:
    """True when a chain is a part of the chain of its owner, and is tried there."""
    if not isinstance(owner, ast.BinOp):
        return False
    inner = _RANK.get(type(node.op), 0) if isinstance(node, ast.BinOp) else 9
    outer = _RANK.get(type(owner.op), 9)
    return inner > outer or (inner == outer and field == "left")


def _closed_elsewhere(node: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression in which one bracket closes earlier or later.

    Such as f(a * b) for f(a) * b, and n * (a + b) for n * (a) + b.
    """
    parts = _chain(node)
    for i, group in enumerate(parts):
        if isinstance(group, ast.Call) and len(group.args) == 1:
            inner = _chain(group.args[0])
        elif isinstance(group, ast.BinOp):  # it stands in brackets, or it would not be one part
            inner = _chain(group)
        else:
            continue
        for end in range(i + 3, len(parts) + 1, 2):
            wider = _filled(group, [*inner, *parts[i + 1 : end]])
            new = [*parts[:i], wider, *parts[end:]]
            yield ast.copy_location(_tree(new[::2], new[1::2]), node)
        for end in range(1, len(inner), 2):
            rest = [*inner[end:], *parts[i + 1 :]]
            new = [*parts[:i], _filled(group, inner[:end]), *rest]
            yield ast.copy_location(_tree(new[::2], new[1::2]), node)


def _filled(group: ast.Call | ast.BinOp, parts: list) -> ast.expr:
    """The group with another chain in its brackets."""
    inside = _tree(parts[::2], parts[1::2])
    return ast.Call(group.func, [inside], group.keywords) if isinstance(group, ast.Call) else inside


def _chain(node: ast.expr, at_least: int = 0) -> list:
    """Operands and operators in turn, as far as they stand without brackets."""
    rank = _RANK.get(type(node.op), 9) if isinstance(node, ast.BinOp) else 9
    if not isinstance(node, ast.BinOp) or rank == 9 or rank < at_least:
        return [node]
    return [*_chain(node.left, rank), node.op, *_chain(node.right, rank + 1)]


def _tree(operands: list, operators: list) -> ast.expr:
    """Put a chain together, products before sums."""
    operands, operators = list(operands), list(operators)
    for rank in (2, 1):
        i = 0
        while i < len(operators):
            if _RANK[type(operators[i])] == rank:
                operands[i : i + 2] = [ast.BinOp(operands[i], operators[i], operands[i + 1])]
                del operators[i]
            else:
                i += 1
    return operands[0]


def _opposites(tree: ast.FunctionDef, evidence: Evidence) -> Iterator[Change]:
    """Yield the opposite of what is returned, where True or False is asked for."""
    answers = [pair.expected for pair in evidence.pairs]
    if not answers or not all(answer.dtype == bool for answer in answers):
        return
    operator = ast.Not() if answers[0].ndim == 0 else ast.Invert()
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            new = ast.copy_location(ast.UnaryOp(operator, node.value), node.value)
            yield Change(node, "value", None, new, "opposite", node.value)
