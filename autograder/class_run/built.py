"""How a cell is built: a hash that names, order, layout and steps in between leave as it is.

A name stands for the value that it was given. So lines that do not need each other may change
places, what has another name is the same, and so is what was put into a variable first. Code is a
stranger's: it is parsed, never run.
"""

import ast
import hashlib
from collections.abc import Iterable, Sequence

LONGEST = 10_000  # characters of a cell that is read
_OWN = "own"  # a name whose value hangs on how often a loop runs, or which way a branch goes
_SAYS_NOTHING = {"ctx", "kind", "type_comment", "annotation", "returns", "type_params"}
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def built(source: str) -> str:
    """Return the hash of how a cell is built; "" if it is too long or no code."""
    if len(source) > LONGEST:
        return ""
    try:
        return _hash(_effects(ast.parse(source).body, {}))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _effects(body: Sequence[ast.stmt], known: dict[str, str], lasting: bool = True) -> list[str]:
    """Return what statements do, each as a hash, in no order.

    Parameters
    ----------
    body : sequence of ast.stmt
        One after the other.
    known : dict
        What each name of the code's own stands for. It changes with the statements.
    lasting : bool
        Whether the names live on after these statements, so that what they stand for is an effect.
    """
    effects, given = [], set()
    for line in body:
        before = dict(known)
        match line:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue  # a docstring says nothing of how it is built
            case ast.Assign(targets=[target], value=value) if _is_plain(target):
                _give(target, value, known)
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                _give(target, value, known)
            case ast.AugAssign(target=ast.Name(id=name)):
                old = ast.Name(name, ast.Load())
                known[name] = _value(ast.BinOp(old, line.op, line.value), known)
            case ast.FunctionDef():
                known[line.name] = _function(line, known)
            case _:
                stored = dict.fromkeys(_stored(line), _OWN)
                if hasattr(line, "body"):
                    known.update(stored)
                effects.append(_value(line, known))
                known.update(stored)
        given |= {name for name in known if known[name] != before.get(name)}
    if lasting:
        effects += [_hash(["given", known[name]]) for name in given]
    return sorted(effects)


def _is_plain(target: ast.expr) -> bool:
    """Names, one or several, and nothing like x[0] or x.shape."""
    return all(isinstance(name, ast.Name) for name in _parts(target))


def _parts(target: ast.expr) -> list[ast.expr]:
    return target.elts if isinstance(target, ast.Tuple) else [target]


def _give(target: ast.expr, value: ast.expr, known: dict[str, str]) -> None:
    """Let the names of an assignment stand for its value."""
    targets = _parts(target)
    values = _parts(value) if isinstance(target, ast.Tuple) else [value]
    if len(targets) == len(values):  # also a, b = b, a
        worth = [_value(one, known) for one in values]
    else:
        whole = _value(value, known)
        worth = [_hash(["part", n, whole]) for n in range(len(targets))]
    for one, its in zip(targets, worth, strict=True):
        if isinstance(one, ast.Name):
            known[one.id] = its


def _value(node: ast.AST, known: dict[str, str]) -> str:
    """Return the hash of a node, in which names are what they stand for."""
    match node:
        case ast.Name():
            return known.get(node.id, node.id)
        case ast.Lambda() | ast.FunctionDef():
            return _function(node, known)
        case ast.NamedExpr():
            known[node.target.id] = _value(node.value, known)
            return known[node.target.id]
    if isinstance(node, _COMPREHENSIONS):
        known = known | dict.fromkeys(_stored(node), _OWN)
    parts: list[object] = [type(node).__name__]
    for name, field in ast.iter_fields(node):
        if name in _SAYS_NOTHING:
            continue
        if isinstance(field, list) and field and isinstance(field[0], ast.stmt):
            values: list[object] = [*_effects(field, known)]
        else:
            fields = field if isinstance(field, list) else [field]
            values = [
                _value(one, known) if isinstance(one, ast.AST) else repr(one) for one in fields
            ]
        parts += [name, *(sorted(map(str, values)) if name == "keywords" else values)]
    return _hash(parts)


def _function(node: ast.Lambda | ast.FunctionDef, known: dict[str, str]) -> str:
    """Return the hash of a function: its own name and those of its arguments do not count."""
    its = node.args
    arguments = [*its.posonlyargs, *its.args, *its.kwonlyargs]
    arguments += [one for one in (its.vararg, its.kwarg) if one]
    defaults = [_value(one, known) for one in (*its.defaults, *its.kw_defaults) if one]
    inner = known | {argument.arg: f"argument {n}" for n, argument in enumerate(arguments)}
    if isinstance(node, ast.Lambda):
        effects = [_hash(["Return", "value", _value(node.body, inner)])]  # as of a function
    else:
        effects = _effects(node.body, inner, lasting=False)
    return _hash(["function", len(arguments), *defaults, "does", *effects])


def _stored(node: ast.AST) -> set[str]:
    """Return the names that are given a value somewhere in a node."""
    return {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)
    }


def _hash(parts: Iterable[object]) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:16]
