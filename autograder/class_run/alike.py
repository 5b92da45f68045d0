"""Hand-ins whose functions are built alike, whatever the names in them: a hint to look, no verdict.

Who learns from the same lesson writes much the same, and a short function has hardly another way.
So a pair is shown only if nearly all of their longer functions are built alike, and at least two of
these as nobody else's but one: neither like the solution nor like the rest of the class. Functions
lie in buckets, by a hash of their structure, and only what lies in a small one is compared: a class
of a thousand takes about thirty times as long as one of thirty.
"""

import ast
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import combinations
from typing import Any

LONGEST = 10_000  # characters of a cell that is read: a stranger wrote it
SHORT = 30  # nodes of a syntax tree: what has fewer has hardly another way
MOST = 3  # students who have built a function so: of more it is a usual way
RARE = 2  # functions, at least, that hardly anybody else has built so
NEARLY_ALL = 0.75  # of the longer functions that both have written


@dataclass(frozen=True)
class Alike:
    """Two students, and the exercises that they have built alike."""

    one: str
    other: str
    exercises: tuple[str, ...]


def structure(source: str) -> str:
    """Return the hash of a cell's syntax tree without its own names; "" if short or no code."""
    if len(source) > LONGEST:
        return ""
    try:
        tree = _plain(ast.parse(source))
        nodes = sum(1 for _node in ast.walk(tree))
        shape = ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return hashlib.sha256(shape.encode()).hexdigest() if nodes >= SHORT else ""


def structures_in(cells: Iterable[Any], before: str = "") -> dict[str, str]:
    """Return the structures of a notebook's longer solution cells.

    Parameters
    ----------
    before : str
        What stands before their grade_ids.
    """
    found = {}
    for cell in cells:
        about = cell["metadata"].get("nbgrader") or {}
        is_code = about.get("solution") and cell["cell_type"] == "code"
        if is_code and (built := structure("".join(cell["source"]))):
            found[before + about["grade_id"]] = built
    return found


def find_alike(
    structures: Mapping[str, Mapping[str, str]], usual: Set[str] = frozenset()
) -> list[Alike]:
    """Return the pairs of students whose functions are built alike, those with the most first.

    Parameters
    ----------
    structures : mapping
        For each student, the structures of the longer functions by exercise.
    usual : set of str
        The structures of the solution.
    """
    buckets: dict[tuple[str, str], list[str]] = defaultdict(list)
    for student, its in structures.items():
        for exercise, built in its.items():
            if built not in usual:
                buckets[exercise, built].append(student)
    rare = Counter(
        pair
        for students in buckets.values()
        if len(students) <= MOST
        for pair in combinations(sorted(students), 2)
    )
    found = []
    for (one, other), count in rare.items():
        both = structures[one].keys() & structures[other].keys()
        alike = sorted(name for name in both if structures[one][name] == structures[other][name])
        if count >= RARE and len(alike) >= NEARLY_ALL * len(both):
            found.append(Alike(one, other, tuple(alike)))
    return sorted(found, key=lambda pair: (-len(pair.exercises), pair.one, pair.other))


def _plain(tree: ast.Module) -> ast.Module:
    """Take out of a tree what says nothing of how it is built: its names, and texts for people."""
    own: dict[str, str] = {}  # the names that the code gives, by the order in which they come
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            own.setdefault(node.arg, f"own{len(own)}")
            node.annotation = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.setdefault(node.id, f"own{len(own)}")
        elif isinstance(node, ast.FunctionDef):
            own.setdefault(node.name, f"own{len(own)}")
            node.returns = None
            node.body = [line for line in node.body if not _is_text(line)] or [ast.Pass()]
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.arg = own[node.arg]
        elif isinstance(node, ast.Name):
            node.id = own.get(node.id, node.id)
        elif isinstance(node, ast.FunctionDef):
            node.name = own[node.name]
    return tree


def _is_text(node: ast.stmt) -> bool:
    """A docstring, or another line that is only a text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
