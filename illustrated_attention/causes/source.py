"""Causes that stand in the source: told only when what the function did agrees with them.

The function's own text is read, never run here; what has to be tried is tried by calling the
function on its cases. A stand-in for a function that runs in another process brings its text along.
"""

import ast
import builtins
import copy
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator

import numpy as np

from illustrated_attention.causes.evidence import Cause, Evidence, Tried
from illustrated_attention.comparing import alike
from illustrated_attention.contents import data_names_of
from illustrated_attention.language import _
from illustrated_attention.outcomes import Case, call, named

MOST_TRIED = 3  # wrong cases that are called with other values in the notebook
MOST_READ = 10_000  # characters of a text that a stand-in brings: a stranger wrote it


class Source:
    """The text of a function as a tree, with its lines.

    `tree` is None where the text cannot be had: a built-in, a function made by a library.
    """

    def __init__(self, function: Callable):
        self.function = innermost(function)
        self.tree: ast.FunctionDef | ast.Lambda | None = None
        self.lines: list[str] = []
        if isinstance(brought := getattr(self.function, "__written__", None), str):
            self._read(brought)
            return
        try:
            text = textwrap.dedent(inspect.getsource(self.function))
            module = ast.parse(text)
        except (OSError, TypeError, SyntaxError, ValueError):
            return
        code = getattr(self.function, "__code__", None)
        self.lines = text.split("\n")
        for node in ast.walk(module):
            if isinstance(node, (ast.FunctionDef, ast.Lambda)) and _is_code_of(node, code):
                self.tree = node
                return

    def _read(self, text: str) -> None:
        """Take what a cell binds to the function's name last, if it is a function."""
        if len(text) > MOST_READ:
            return
        try:
            module = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        name = getattr(self.function, "__name__", "")
        for statement in module.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == name:
                self.tree = None if statement.decorator_list else statement
            elif isinstance(statement, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in statement.targets
            ):
                self.tree = statement.value if isinstance(statement.value, ast.Lambda) else None
        self.lines = text.split("\n")

    def line(self, node: ast.expr | ast.stmt) -> str:
        return self.lines[node.lineno - 1].strip()

    @property
    def found(self) -> ast.FunctionDef | ast.Lambda:
        """The tree of a function whose text was found; causes are looked for in no other."""
        assert self.tree is not None
        return self.tree

    def walk(self) -> Iterator[ast.AST]:
        body = self.found.body if isinstance(self.found.body, list) else [self.found.body]
        for statement in body:
            yield from ast.walk(statement)

    @property
    def parameters(self) -> list[str]:
        arguments = self.found.args
        return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def innermost(function: Callable) -> Callable:
    """Return the function behind wrappers and methods: the one whose text and names count."""
    if not inspect.isroutine(function) or inspect.isbuiltin(function):
        return function
    function = inspect.unwrap(named(function))
    return getattr(function, "__func__", function)


def _is_code_of(node, code) -> bool:
    if code is None:
        return False
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    named_right = getattr(node, "name", "<lambda>") == code.co_name
    return named_right and names == list(code.co_varnames[: code.co_argcount])


def made_again(tree: ast.FunctionDef, function: types.FunctionType) -> Callable:
    """Make a function of a changed tree, with the names of the learner's own one."""
    inner = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    scope = {**function.__globals__, **{name: cell.cell_contents for name, cell in inner.items()}}
    bare = copy.copy(tree)
    bare.decorator_list, bare.returns = [], None
    exec(compile(ast.Module([bare], []), "<made again>", "exec"), scope)
    return scope[tree.name]


def _with_a_name(function: types.FunctionType, name: str, value: object) -> types.FunctionType:
    """Return the function as it would be with another value under a name of its notebook."""
    scope = {**function.__globals__, name: value}
    code, defaults, closure = function.__code__, function.__defaults__, function.__closure__
    changed = types.FunctionType(code, scope, function.__name__, defaults, closure)
    changed.__kwdefaults__ = function.__kwdefaults__
    return changed


def _ends_otherwise(changed: Callable, one: Tried) -> bool:
    """True when a changed function does something else on a case than the learner's did."""
    again = call(changed, one.case)
    if (again.error, again.message) != (one.outcome.error, one.outcome.message):
        return True
    return again.returned and not alike(again.value, one.outcome.value)


def certain_cause_in_source(evidence: Evidence) -> Cause | None:
    """Return a cause that is wrong wherever it stands: known mistakes may only look like it."""
    finders = (
        _notebook_name,
        _thrown_away,
        _kept_between_calls,
        _loop_of_one_round,
        _overwritten_in_loop,
    )
    return _first(finders, evidence)


def cause_in_source(evidence: Evidence) -> Cause | None:
    """Return the first cause in the function's text that agrees with what it did."""
    finders = (
        _slip_of_precedence,
        _power_as_xor,
        _pytorch,
        _axes_fixed_by_unpacking,
        _plain_transpose,
        _pythons_own,
        _cache_or,
        _mutable_default,
    )
    return _first(finders, evidence)


def unused_argument(evidence: Evidence) -> Cause | None:
    """Return that an argument is not used: true, but often only a part of what is wrong."""
    return _first((_argument_not_used,), evidence)


def _first(finders: tuple[Callable, ...], evidence: Evidence) -> Cause | None:
    source = Source(evidence.function)
    if source.tree is None or not evidence.wrong:
        return None
    found = (find(source, evidence) for find in finders)
    try:
        return next(filter(None, found), None)
    except RecursionError:  # an expression too deep to be written out again
        return None


# --- slips that are wrong wherever they stand -----------------------------------------------------


def _slip_of_precedence(source: Source, evidence: Evidence) -> Cause | None:
    for node in source.walk():
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, (ast.Div, ast.FloorDiv)):
            continue
        power = node.left  # in a / b ** 1 / 2 it is the right side of what is on the left
        if isinstance(power, ast.BinOp) and isinstance(power.op, (ast.Div, ast.Mult)):
            power = power.right
        if (
            isinstance(power, ast.BinOp)
            and isinstance(power.op, ast.Pow)
            and _number(power.right) in (1, -1)
            and _number(node.right) in (2, 3, 4)
            and not _in_brackets(source, power)
        ):
            text = _(
                "In your line `{line}`: `**` binds more tightly than `/`, so `{slip}` is "
                "`{meant}`. Put the exponent in brackets, or use np.sqrt."
            )
            slip = f"{ast.unparse(power)} / {ast.unparse(node.right)}"
            meant = f"({ast.unparse(power)}) / {ast.unparse(node.right)}"
            return Cause("precedence", text.format(line=source.line(node), slip=slip, meant=meant))
    return None


def _power_as_xor(source: Source, evidence: Evidence) -> Cause | None:
    """`^` before a number: between whole numbers it gives no error."""
    for node in source.walk():
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.BitXor):
            continue
        after = node.right  # in d ^ 2 + d it is the sum
        while isinstance(after, ast.BinOp):
            after = after.left
        if _number(after) is not None:
            text = _("In your line `{line}`: `^` is no power in Python: write `**`.")
            return Cause("xor_for_power", text.format(line=source.line(node)))
    return None


def _in_brackets(source: Source, node: ast.expr) -> bool:
    after = source.lines[node.lineno - 1][node.end_col_offset :]
    return after[:1] == ")"


def _number(node: ast.AST) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _number(node.operand)
        return None if value is None else -value
    return None


# PyTorch's words, and what NumPy has in their place.
_METHODS = {
    "view": "x.reshape(...)",
    "permute": "np.transpose(x, ...)",
    "unsqueeze": "x[..., None]",
    "masked_fill": "np.where(mask, x, value)",
    "masked_fill_": "np.where(mask, x, value)",
    "chunk": "np.split(x, 3, axis=-1)",
    "size": "x.shape",
    "contiguous": "x",
    "mm": "x @ w",
    "bmm": "x @ w",
    "matmul": "x @ w",
    "softmax": "softmax(x)",
    "expand": "np.broadcast_to(x, shape)",
    "float": "x.astype(float)",
    "cat": "np.concatenate([...], axis=-2)",
    "tril": "np.tril(x)",
    "triu": "np.triu(x)",
    "exp": "np.exp(x)",
    "sqrt": "np.sqrt(x)",
    "pow": "x ** n",
    "mul": "x * y",
    "div": "x / y",
    "add": "x + y",
    "t": "np.swapaxes(x, -1, -2)",
    "numel": "x.size",
    "rsqrt": "1 / np.sqrt(x)",
    "tanh": "np.tanh(x)",
    "abs": "np.abs(x)",
}
_KEYWORDS = {
    "dim": "axis",
    "keepdim": "keepdims",
    "unbiased": "ddof",
    "dim0": "axis",
    "dim1": "axis",
}


def _pytorch(source: Source, evidence: Evidence) -> Cause | None:
    errors = [one.outcome for one in evidence.wrong if one.outcome.error]
    if cause := _two_of_a_maximum(source, errors):
        return cause
    for node in source.walk():
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg in _KEYWORDS and _blamed(errors, keyword.arg):
                text = _("`{word}=` is PyTorch's word; NumPy's is `{numpy}=`.")
                return Cause(
                    "pytorch_word", text.format(word=keyword.arg, numpy=_KEYWORDS[keyword.arg])
                )
        if not isinstance(node.func, ast.Attribute):
            continue
        word = node.func.attr
        # Not by the line in hidden cases: with a line for each value, it would tell the value.
        stopped_here = not evidence.key.hidden and _at(errors, source, node)
        if word in _METHODS and (
            _blamed(errors, f"attribute '{word}'") or (word in ("view", "size") and stopped_here)
        ):
            text = _("`.{word}(...)` is PyTorch's; with NumPy write `{numpy}`.")
            return Cause("pytorch_word", text.format(word=word, numpy=_METHODS[word]))
        if word in ("transpose", "swapaxes_") and len(node.args) == 2:
            axes = [axis for arg in node.args if (axis := _number(arg)) is not None]
            of_module = isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
            if not of_module and len(axes) == 2:
                text = _(
                    "In your line `{line}`: PyTorch's `transpose({a}, {b})` exchanges two axes; "
                    "NumPy's takes the order of all axes. NumPy's word is "
                    "`np.swapaxes(x, {a}, {b})`."
                )
                words = text.format(line=source.line(node), a=int(axes[0]), b=int(axes[1]))
                return Cause("pytorch_word", words)
    return None


def _two_of_a_maximum(source: Source, errors: list) -> Cause | None:
    """PyTorch's max gives values and indices; NumPy's gives the values."""
    if not _blamed(errors, "values to unpack") and not _blamed(errors, "cannot unpack"):
        return None
    for node in source.walk():
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
            and node.value.func.attr in ("max", "min", "sort")
        ):
            text = _(
                "In your line `{line}`: PyTorch's `{word}` gives the values and where they were; "
                "NumPy's gives the values alone."
            )
            words = text.format(line=source.line(node), word=node.value.func.attr)
            return Cause("pytorch_word", words)
    return None


def _blamed(errors: list, words: str) -> bool:
    return any(words in outcome.message for outcome in errors)


def _at(errors: list, source: Source, node: ast.expr) -> bool:
    return any(outcome.line and outcome.line == source.line(node) for outcome in errors)


# --- names that come from the notebook ------------------------------------------------------------


def _notebook_name(source: Source, evidence: Evidence) -> Cause | None:
    """Data of the notebook that stands where an argument should."""
    function = source.function
    if not isinstance(function, types.FunctionType):
        return None  # a stand-in: what its notebook holds is not here
    scope = getattr(function, "__globals__", {})
    local = set(function.__code__.co_varnames) | set(function.__code__.co_cellvars)
    for node in source.walk():
        if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        name = node.id
        if name in local or name not in scope or hasattr(builtins, name):
            continue
        value = scope[name]
        lessons = data_names_of(evidence.key.lesson)
        if _stands_for_an_argument(name, value, lessons) and _result_hangs_on(
            function, name, value, evidence
        ):
            text = _(
                "`{name}` in your line `{line}` is not an argument: it is the notebook's `{name}`"
                "{value}, whatever your function is called with. Take it from the arguments."
            )
            shown = f" ({value})" if isinstance(value, (bool, int, float)) else ""
            words = text.format(name=name, line=source.line(node), value=shown)
            return Cause("notebook_name", words)
    return None


# What the course's functions take: one of these that is no argument was meant to be one.
_ARGUMENTS = {
    *("x", "q", "k", "v", "w", "b", "g", "z", "d", "n", "D", "T", "H", "N", "V", "w_q", "w_k"),
    *("w_v", "token_ids", "ids", "wte", "wpe", "start", "scores", "mask", "weights", "table"),
    *("attention", "q_new", "k_new", "v_new", "cache", "past", "chunk_sizes", "n_new", "n_past"),
    *("n_tokens", "n_layer", "n_head", "d_head", "d_k", "d_model", "n_embd", "n_vocab"),
    *("n_positions", "batch", "itemsize", "merged", "params", "eps", "text", "tokens", "keys"),
    *("queries", "values", "positions"),
}


def _stands_for_an_argument(name: str, value, lessons: frozenset[str]) -> bool:
    """Data of the notebook that was meant to come from the call, by its name.

    So are the lesson's own data. Under another name it is a constant, which is nobody's mistake.
    """
    kinds = (bool, int, float, np.ndarray, np.generic, dict, list, tuple)
    return isinstance(value, kinds) and (name in _ARGUMENTS or name in lessons)


def _result_hangs_on(function, name: str, value, evidence: Evidence) -> bool:
    """True when a wrong case comes out otherwise with another value under that name."""
    if not isinstance(function, types.FunctionType):
        return False
    smallest_first = sorted(evidence.wrong, key=lambda one: one.case.size())
    tries = [(one, o) for one in smallest_first[:MOST_TRIED] for o in _others(value, one.case)]
    return any(_ends_otherwise(_with_a_name(function, name, other), one) for one, other in tries)


def _others(value, case: Case) -> list:
    """Other values of the same kind, such as might have come with the call."""
    if isinstance(value, (bool, np.bool_)):
        return [not value]
    if isinstance(value, (int, float, np.number)):
        return [value + 1, value * 2, 1]  # 1 divides every width: nothing is refused
    if isinstance(value, np.ndarray):
        narrow = [value[..., :1], value[:1]] if value.ndim else []
        return [value + 1 if value.dtype.kind in "biuf" else value, *narrow]
    return [type(value)(), *(arg for arg in case.args if isinstance(arg, type(value)))]


def _argument_not_used(source: Source, evidence: Evidence) -> Cause | None:
    names = {node.id for node in source.walk() if isinstance(node, ast.Name)}
    if any(
        isinstance(n, ast.Call) and getattr(n.func, "id", "") == "locals" for n in source.walk()
    ):
        return None
    asked = max((len(one.case.args) for one in evidence.tried), default=0)
    unused = [
        name for name in source.parameters[:asked] if name not in names and not name.startswith("_")
    ]
    if not unused:
        return None
    text = _("Your function never uses its argument `{name}`: the result cannot depend on it.")
    return Cause("unused_argument", text.format(name=unused[0]))


# --- what works for two axes only -----------------------------------------------------------------


def _axes_fixed_by_unpacking(source: Source, evidence: Evidence) -> Cause | None:
    unpacked = [one for one in evidence.wrong if "values to unpack" in one.outcome.message]
    if not unpacked:
        return None
    for node in source.walk():
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "shape"
        ):
            count = len(node.targets[0].elts)
            text = _(
                "Your line `{line}` works for arrays of {count} axes only. There may be more or "
                "fewer: take the sizes from the end, with `x.shape[-1]` and `x.shape[-2]`."
            )
            return Cause("fixed_axes", text.format(line=source.line(node), count=count))
    return None


def _plain_transpose(source: Source, evidence: Evidence) -> Cause | None:
    """`.T` turns all axes round: right for two, wrong for more."""
    if not evidence.right or any(one.case.axes() <= 2 for one in evidence.wrong):
        return None
    for node in source.walk():
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "T"
            and _last_two_would_differ(source, node, evidence)
        ):
            text = _(
                "In your line `{line}`: `.T` turns round all axes, also the leading ones. "
                "Exchange only the last two: `np.swapaxes(x, -1, -2)`."
            )
            return Cause("all_axes_transposed", text.format(line=source.line(node)))
    return None


def _last_two_would_differ(source: Source, node: ast.Attribute, evidence: Evidence) -> bool:
    """True when a wrong case comes out otherwise with the last two axes exchanged in its place.

    Of a function that runs in another process that cannot be seen.
    """
    function, tree = source.function, source.tree
    if not isinstance(function, types.FunctionType) or not isinstance(tree, ast.FunctionDef):
        return True
    swapped = ast.parse("__import__('numpy').swapaxes(0, -1, -2)", mode="eval").body
    assert isinstance(swapped, ast.Call)
    swapped.args[0] = node.value
    # A copy of the tree that has the other node in this one's place.
    changed = copy.deepcopy(tree, {id(node): ast.copy_location(swapped, node)})
    try:
        other = made_again(changed, function)
    except (SyntaxError, ValueError, TypeError, NameError):
        return True
    smallest = min(evidence.wrong, key=lambda one: one.case.size())
    return _ends_otherwise(other, smallest)


# --- Python's habits ------------------------------------------------------------------------------


def _thrown_away(source: Source, evidence: Evidence) -> Cause | None:
    for node in source.walk():
        if not isinstance(node, ast.Expr):
            continue
        value = node.value
        lost = isinstance(value, (ast.BinOp, ast.Compare)) or (
            isinstance(value, ast.Call) and _makes_a_new_array(value.func)
        )
        if lost and not any(keyword.arg == "out" for keyword in getattr(value, "keywords", [])):
            text = _(
                "Your line `{line}` works something out and throws it away: give the result a "
                "name, or return it."
            )
            return Cause("thrown_away", text.format(line=source.line(node)))
    return None


def _makes_a_new_array(function: ast.AST) -> bool:
    if not isinstance(function, ast.Attribute):
        return False
    of_numpy = isinstance(function.value, ast.Name) and function.value.id in ("np", "numpy")
    makers = (
        *("where", "swapaxes", "transpose", "reshape", "concatenate", "exp", "sqrt", "matmul"),
        *("stack", "tril", "triu", "maximum", "minimum", "split", "round", "append", "sum"),
    )
    methods = (
        *("reshape", "swapaxes", "transpose", "astype", "copy", "sum", "mean", "max", "dot"),
        *("squeeze", "round"),
    )
    return function.attr in (makers if of_numpy else methods)


def _loop_of_one_round(source: Source, evidence: Evidence) -> Cause | None:
    """A loop that returns in its first round, whatever comes."""
    for node in source.walk():
        if not isinstance(node, ast.For):
            continue
        if any(isinstance(inner, (ast.Continue, ast.Break)) for inner in ast.walk(node)):
            continue
        ends = next((child for child in node.body if _always_returns(child)), None)
        if ends is None:
            continue
        text = _(
            "Your `return` stands inside the loop, so only its first round is done: line "
            "`{line}`. Move it to the left, below the loop."
        )
        if isinstance(ends, ast.If):
            text = _(
                "Only the first round of your loop is done: it comes to a `return` whatever its "
                "condition says, `{line}` among them. What is returned when no round has found "
                "anything belongs below the loop."
            )
            ends = ends.orelse[-1]
        return Cause("return_in_loop", text.format(line=source.line(ends)))
    return None


def _always_returns(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        branches = (statement.body, statement.orelse)
        return all(any(map(_always_returns, branch)) for branch in branches)
    return isinstance(statement, ast.Return)


def _overwritten_in_loop(source: Source, evidence: Evidence) -> Cause | None:
    """A name that is returned and gets a new value in every round, which nothing reads before."""
    returned = {
        part.id
        for node in source.walk()
        if isinstance(node, ast.Return) and node.value is not None
        for part in getattr(node.value, "elts", [node.value])
        if isinstance(part, ast.Name)
    }
    for node in source.walk():
        if not isinstance(node, ast.For) or node.orelse:
            continue
        if any(isinstance(inner, (ast.Break, ast.Return)) for inner in ast.walk(node)):
            continue  # a search: the last value is the one that was found
        for statement in node.body:
            name = _plainly_assigned(statement)
            if name in returned and not _is_read(name, node):
                text = _(
                    "Each round of your loop gives `{name}` a new value, in the line `{line}`, and "
                    "after the loop only that of the last round is left. Should the values be "
                    "added up, or collected?"
                )
                words = text.format(name=name, line=source.line(statement))
                return Cause("overwritten_in_loop", words)
    return None


def _plainly_assigned(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return getattr(statement.targets[0], "id", "")
    return ""


def _is_read(name: str, loop: ast.For) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        for statement in loop.body
        for node in ast.walk(statement)
    )


# --- what is kept from call to call ---------------------------------------------------------------


def _kept_between_calls(source: Source, evidence: Evidence) -> Cause | None:
    """Something of the notebook that the function fills: empty in every call, all is right."""
    function = source.function
    if not isinstance(function, types.FunctionType):
        return None  # a stand-in: what its notebook holds is not here
    for name, empty in _filled(source, function):

        def afresh(*args, _name=name, _empty=empty, **named):
            return _with_a_name(function, _name, _empty())(*args, **named)

        if evidence.all_right_with(afresh):
            text = _(
                "`{name}` keeps what an earlier call left there, and the next call uses it: with "
                "an empty one in each call every case comes out right. A result may depend on the "
                "arguments only."
            )
            return Cause("kept_between_calls", text.format(name=name))
    return None


def _filled(source: Source, function: types.FunctionType) -> Iterator[tuple[str, Callable]]:
    """The names of the notebook into which the function writes, each with what makes it empty."""
    written = {
        name for node in source.walk() if isinstance(node, ast.Global) for name in node.names
    }
    for name in sorted(written):
        value = function.__globals__.get(name)
        yield name, type(value) if isinstance(value, (dict, list, set)) else type(None)
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if (
            isinstance(value, (dict, list, set))
            and name not in written
            and _written_to(source, name)
        ):
            yield name, type(value)


def _pythons_own(source: Source, evidence: Evidence) -> Cause | None:
    """Python's max, min, sum and abs where NumPy's belong: they look at the first axis only."""
    scope = getattr(source.function, "__globals__", {})
    for node in source.walk():
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("max", "min", "sum", "all", "any", "round")
            and node.func.id not in scope
            and len(node.args) == 1
            and _names_an_array(node.args[0], source, evidence)
        ):
            text = _(
                "In your line `{line}`: Python's `{name}` goes along the first axis of an array. "
                "NumPy's `np.{name}(x, axis=-1, keepdims=True)` takes the axis that you name."
            )
            return Cause("pythons_own", text.format(line=source.line(node), name=node.func.id))
    return None


def _names_an_array(node: ast.AST, source: Source, evidence: Evidence) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
    if not isinstance(node, ast.Name) or node.id not in source.parameters:
        return False
    position = source.parameters.index(node.id)
    return any(
        position < len(one.case.args)
        and isinstance(one.case.args[position], np.ndarray)
        and one.case.args[position].ndim > 1
        for one in evidence.wrong
    )


def _cache_or(source: Source, evidence: Evidence) -> Cause | None:
    ambiguous = any("truth value" in one.outcome.message for one in evidence.wrong)
    for node in source.walk():
        if not isinstance(node, ast.BoolOp) or not isinstance(node.op, ast.Or):
            continue
        first = node.values[0]
        if isinstance(first, ast.Name) and first.id in source.parameters and ambiguous:
            text = _(
                "In your line `{line}`: `{name} or ...` asks an array whether it is true, and an "
                "array cannot say. Ask `if {name} is None`."
            )
            return Cause("or_with_array", text.format(line=source.line(node), name=first.id))
    return None


def _mutable_default(source: Source, evidence: Evidence) -> Cause | None:
    arguments = source.found.args
    for default in arguments.defaults:
        if isinstance(default, (ast.List, ast.Dict, ast.Set)):
            names = source.parameters[-len(arguments.defaults) :]
            name = names[arguments.defaults.index(default)]
            if not _written_to(source, name):
                continue
            text = _(
                "The default of `{name}` is made once and kept from call to call: what one call "
                "puts in, the next one finds. Use None, and make a new one inside."
            )
            return Cause("mutable_default", text.format(name=name))
    return None


def _written_to(source: Source, name: str) -> bool:
    for node in source.walk():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            value = node.func.value
            if isinstance(value, ast.Name) and value.id == name and node.func.attr in (
                "append", "extend", "insert", "update", "setdefault", "add", "pop",
            ):  # fmt: skip
                return True
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                inside = getattr(target, "value", None)
                if isinstance(target, ast.Subscript) and getattr(inside, "id", None) == name:
                    return True
    return False
