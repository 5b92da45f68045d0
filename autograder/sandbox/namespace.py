"""The names of the test cells: their own, and those that the student was to define."""

import builtins
import contextlib
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.sandbox.inside.changing import changed_to
from autograder.sandbox.inside.state import State, Unknown
from autograder.sandbox.inside.wire import WireError, encode
from autograder.sandbox.instructors_code import Setting, asked_by
from autograder.sandbox.lending import importable
from autograder.sandbox.stand_ins import RemoteObject, ask, can_be_sent, only, rename
from autograder.sandbox.student_process import GraderFailure

_DELETED = object()
# What a line may bind. `f(1)` binds nothing, and `f.x = 1` no `f`.
_BINDING = re.compile(
    r"^(?:async +)?(?:def|class) +([^\W\d]\w*)|^([^\W\d]\w*+)(?! *[.(\[])", re.MULTILINE
)


class Namespace(dict):
    """The names of the test cells: their own, and those that the student was to define.

    `names` are the latter. They are looked up in the student's process when a cell asks for them,
    anew in every cell, because a student may define a function again. What a cell does to a name
    that the student's code looks up is done there too, before that code runs next.
    """

    def __init__(self, names: set[str], setting: Setting | None = None):
        super().__init__(__name__="__main__", __builtins__=builtins)
        self.student = None
        self.setting = setting or Setting()
        self._names = frozenset(names)
        self._fetched: dict = {}
        self._hidden = False
        self._texts: dict[str, str] = {}  # of the student's cells, by the names that they bind
        self._changes: dict = {}  # of names, that the student's process has not been told
        self.told: dict = {}  # what it was told in the cell in work
        self._shared_told = Counter[str]()  # how often, of names that its functions look up
        self._common: dict[str, bytes | None] = {}  # names of which both know the value, and it
        self._random: tuple | None = None  # of a cell that sets random numbers: their state

    def new_cell(
        self,
        student,
        operations: frozenset[str] = frozenset(),
        hidden: bool = False,
        seeds: bool = False,
    ) -> None:
        """Forget what the last cell fetched; from now on `student` is asked.

        Parameters
        ----------
        operations : frozenset of str
            What its objects may do in this cell.
        hidden : bool
            Is the cell's text hidden? Then the student's process is told less of what it does.
        seeds : bool
            Does the cell set random numbers? Then the student's process gets the same.
        """
        self._forget()
        self.told, self._hidden = {}, hidden
        self._random = () if seeds else None
        self.student = student
        if student is not None:
            student.operations = operations
            student.sync, student.refresh = self.sync, self.refresh
            student.written, student.beside = self.written, self.beside

    def _forget(self) -> None:
        self._note_changes()
        for name in self._names.intersection(self):
            value = self[name]
            # What functions of the notebook use, too, they may change before it is asked for again.
            known = name in self._common or self._fetched.get(name) is value
            if known or isinstance(value, RemoteObject):
                super().__delitem__(name)
        self._fetched.clear()
        self._common.clear()

    def fetch_all(self) -> None:
        """Ask for every name that there is: a cell is about to look which there are."""
        for name in self._names:
            with contextlib.suppress(NameError):
                self[name]

    def place(self, student, number: int, source: str) -> "Place | None":
        """Keep in mind all that a test cell would find now.

        None if that cannot be compared with what it would find later.
        """
        self._forget()
        asked = asked_by(source)
        if asked is None:
            return None
        for name in asked - self._names:
            with contextlib.suppress(Exception):  # the test's own affair, when it runs
                self[name]
        try:
            own = State(asked, self)
        except Unknown:
            return None
        theirs = self._names & (asked | own.asked)
        if not _is_true(student, "remember", number, sorted(theirs)):
            return None
        return Place(student, number, theirs, own, dict(self._texts), self._shared_told.copy())

    def is_at(self, place: "Place") -> bool:
        """Would the test cell find the same now?"""
        self._forget()
        theirs = _is_true(place.student, "is_unchanged", place.number)
        return theirs and place.own.is_unchanged() and place.told == self._shared_told

    def was_at(self, place: "Place") -> bool:
        """Has the test cell asked for nothing else than what is the same as at its place?"""
        others = self._fetched.keys() - place.names
        return all(self._texts.get(name) == place.texts.get(name) for name in others)

    def students_cell(self, source: str) -> None:
        """A cell of the student's has run: where it binds a name anew, that one counts again."""
        found = {match[1] or match[2] for match in _BINDING.finditer(source)}
        bound = self._names & found
        self._texts |= dict.fromkeys(bound, source)
        for name in bound.intersection(self):
            super().__delitem__(name)

    def written(self, name: str) -> str:
        """Return the text of the student's cell that bound a name last, "" if there is none.

        It is what was handed in: nothing that runs can change it.
        """
        return self._texts.get(name, "")

    def beside(self, name: str) -> object:
        """Return what the student's notebook has under a name; None if it has nothing."""
        try:
            return self[name] if name in self._names else None
        except NameError:
            return None

    def __missing__(self, name: str):
        if name not in self._names:
            value = self._imported(name)
            super().__setitem__(name, value)
            return value
        try:
            reply = ask(self.student, "get", name)
        except KeyError:
            raise NameError(f"name '{name}' is not defined") from None
        value = only(reply, self.student)
        if isinstance(value, RemoteObject):
            # Not what the student's object says of itself: `check` finds the exercise by it.
            rename(value, name)
        self._fetched[name] = value
        super().__setitem__(name, value)
        self._share(name, value)
        return value

    def _imported(self, name: str):
        """Return what cells of the notebook import or define under this name: the judge's own."""
        found: dict = {}
        if name in self.setting.own:
            exec(self.setting.own[name], self, found)
        elif name in self.setting.imports:
            exec(self.setting.imports[name], found)
        elif not hasattr(builtins, name):
            for line in self.setting.stars:
                exec(line, found)
        return found[name]

    def __setitem__(self, name: str, value) -> None:
        super().__setitem__(name, value)
        self._fetched.pop(name, None)
        if self._crosses(name, value):
            self._changes[name] = value
            self._share(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            self[name]  # is it there at all?
        super().__delitem__(name)
        self._fetched.pop(name, None)
        self._common.pop(name, None)
        self._changes[name] = _DELETED

    def _crosses(self, name: str, value) -> bool:
        """Does the student's code see what a test binds to this name?

        What it asks for by this name: that is known from the instructor's own code alone, so that
        no student reads what a test keeps for itself, such as the expected result. What was
        imported is no secret, nor is what a test puts in the place of a function of Python's own,
        which nobody may use then.
        """
        forbids = hasattr(builtins, name) and (value is None or callable(value))
        if name in self.setting.shared or forbids or importable(value):
            return True
        return not self._hidden and name in self.setting.shown

    def done(self) -> dict:
        """Return what the cell in work has done to names, to be done again in another process."""
        return self.told | self._changes

    def sync(self) -> None:
        """Tell the student's process what has been done to names since, and in them."""
        self._note_changes()
        if self._changes:
            changes, self._changes = self._changes, {}
            self.told |= changes
            self._shared_told.update(
                name for name in changes if self._may_matter(name, changes[name])
            )
            tell(self.student, changes)
        if self._random is not None and self._random != (state := _random_state()[0]):
            self._random = state
            ask(self.student, "seed", *_random_state()[1])

    def _note_changes(self) -> None:
        for name, before in self._common.items():
            if before is not None and (now := _encoded(self[name])) != before:
                self._common[name], self._changes[name] = now, self[name]

    def _may_matter(self, name: str, value) -> bool:
        """Is it something to a function of the student's that a test has done this to a name?

        What anybody can import is nothing new, but where a test has taken it away before.
        """
        if importable(value) and name not in self._shared_told:
            return False
        return name in self.setting.shared or hasattr(builtins, name)

    def refresh(self) -> None:
        """After a call: take over what it did to names that functions of the notebook use."""
        if not self._common:
            return
        values = only(ask(self.student, "get_all", list(self._common)), self.student)
        for name, value in values.items() if isinstance(values, dict) else ():
            if name in self._common and not isinstance(value, RemoteObject):
                value = changed_to(self[name], value)
                super().__setitem__(name, value)
                self._common[name] = _encoded(value)
                if name in self._fetched:
                    self._fetched[name] = value

    def _share(self, name: str, value) -> None:
        """From now on, both sides have the same value: functions of the notebook use it."""
        if name in self.setting.shared and type(value) in _DATA:
            self._common[name] = _encoded(value)
        else:
            self._common.pop(name, None)


def _is_true(student, request: str, *args) -> bool:
    """Does the student's process say so? Whatever else comes of the request is a no."""
    try:
        return only(ask(student, request, *args), student) is True
    except GraderFailure:
        raise
    except BaseException:
        return False


@dataclass(frozen=True)
class Place:
    """What a test cell would have found where it stands in the notebook.

    Attributes
    ----------
    student : StudentProcess
    number : int
        Under which that process keeps in mind what its `names` stood for.
    names : frozenset of str
    own : State
        Of what tests had bound.
    texts : dict
        Of the student's cells, by the names that they had bound.
    told : Counter
        How often tests had changed names that the student's functions look up: what a test forbids
        at this place is known here, whatever the student's process says.
    """

    student: Any
    number: int
    names: frozenset[str]
    own: State
    texts: dict[str, str]
    told: Counter[str]


_DATA = {bool, int, float, str, tuple, type(None), list, dict, set, np.ndarray}
_CHANGEABLE = {list, dict, set, np.ndarray}


def _encoded(value) -> bytes | None:
    """What a value is now, if it can be changed in place, is plain and not too large."""
    if type(value) not in _CHANGEABLE or getattr(value, "nbytes", 0) > _LARGE:
        return None
    try:
        return encode(value)
    except WireError:
        return None


_LARGE = 1 << 20  # bytes


def _random_state() -> tuple:
    """The state of Python's and NumPy's common random numbers: to compare, and as it is told."""
    of_python = random.getstate()
    of_numpy: Any = np.random.get_state()  # noqa: NPY002
    return (of_python, of_numpy[1].tobytes(), of_numpy[2:]), (of_python, tuple(of_numpy))


def run_cell(student, source: str, pictures: bool = True) -> list:
    """Run a cell in the student's process; return its outputs, as they come: not to be believed."""
    return only(ask(student, "run", source, pictures), student)


def tell(student, changes: dict) -> None:
    """Tell a student's process what a test has done to names, as far as it can be told."""
    deleted = [name for name, value in changes.items() if value is _DELETED]
    imported, values = [], {}
    for name, value in changes.items():
        if value is _DELETED:
            continue
        if found := importable(value):
            imported.append([name, *found[1:]])
        elif can_be_sent(student, value):
            values[name] = value
    ask(student, "bind", values, deleted, imported)
