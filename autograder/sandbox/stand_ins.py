"""Stand-ins, in the judge's process, for what the student defined.

A call of a stand-in ships its arguments to the student's process and brings plain data back. What
is not plain data comes back as a stand-in too. Its attributes are asked for, its methods can be
called. It does what Python's operators do to it only where the instructor's own classes do
(`instructors_code.operations`): elsewhere it is never equal to anything, never true, and never
turns into a number or an array.
"""

import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

from autograder.sandbox.inside.changing import changed_to
from autograder.sandbox.inside.hook import translate as _
from autograder.sandbox.inside.operations import OPERATIONS, is_among, is_drawing
from autograder.sandbox.inside.wire import WireError, encode, malformed
from autograder.sandbox.instructors_code import IDENTITY
from autograder.sandbox.raised import make_exception, make_exception_type
from autograder.sandbox.student_process import StudentDied

# Of Python's own attributes, what a test may look at.
_SHOWN = {"__dict__", "__doc__", "__annotations__", "__defaults__"}
# What an operation must give, where Python or a test relies on it.
_GIVES: dict[str, type] = {
    **{"__len__": int, "__hash__": int, "__int__": int, "__index__": int, "__float__": float},
    **{"__bool__": bool, "__contains__": bool, "__complex__": complex},
    **{"__str__": str, "__repr__": str, "__format__": str},
}
MAX_MESSAGE, MAX_LINE = 2_000, 500  # characters of an error's message, and of the line it is from
_MOST_NESTED = 30  # calls of the student's code and of a test's, one within the other


class Remote:
    """What a stand-in knows of its object."""

    __slots__ = ("does", "name", "number", "overwrote", "parameters", "student")

    def __init__(
        self, student, number: int, name: str, parameters: list[str] | None, does: list[str]
    ):
        self.student, self.number, self.name = student, number, name
        self.parameters, self.does, self.overwrote = parameters, frozenset(does), False


class RemoteObject:
    """Something in the student's process that is not plain data."""

    __slots__ = ("__weakref__", "_stand_in")

    def __repr__(self) -> str:
        if _may(self, "__repr__"):
            return _operate("__repr__", self)
        return f"<the student's {type(self).__name__} {self._stand_in.name}>".replace(" >", ">")

    def __str__(self) -> str:
        return _operate("__str__", self) if _may(self, "__str__") else repr(self)

    def __format__(self, how: str) -> str:
        return _operate("__format__", self, how) if _may(self, "__format__") else repr(self)

    def __getattr__(self, name: str):
        """What the student's object has under this name, a method say; nothing of Python's own."""
        if name.startswith("__") and name not in _SHOWN:
            raise AttributeError(name)
        return only(ask(self._stand_in.student, "attribute", self, name), self._stand_in.student)

    def __setattr__(self, name: str, value) -> None:
        if name.startswith("__"):
            raise AttributeError(name)
        ask(self._stand_in.student, "set_attribute", self, name, value)

    def __eq__(self, other):
        if _may(self, "__eq__"):
            return _operate("__eq__", self, other)
        if _has_identity(self) and "__eq__" not in self._stand_in.does:
            return isinstance(other, RemoteObject) and _same(self, other)
        return self._refuse()

    def __ne__(self, other):
        if _may(self, "__ne__"):
            return _operate("__ne__", self, other)
        return not self == other

    def __hash__(self) -> int:
        if _may(self, "__hash__"):
            return _operate("__hash__", self)
        if _has_identity(self) and "__eq__" not in self._stand_in.does:
            return hash(self._stand_in.number)
        return self._refuse()

    def __bool__(self) -> bool:
        if _may(self, "__bool__"):
            return _operate("__bool__", self)
        return _has_identity(self) or self._refuse()

    def _refuse(self, *_args):
        text = _("the student's {kind} is no plain data")
        raise TypeError(text.format(kind=type(self).__name__))

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _refuse
    __float__ = __int__ = __complex__ = __index__ = __reduce_ex__ = _refuse


_OWN_WAY = {"__repr__", "__str__", "__format__", "__eq__", "__ne__", "__hash__", "__bool__"}


class RemoteFunction(RemoteObject):
    """Something in the student's process that can be called."""

    __slots__ = ()

    @property
    def __name__(self) -> str:
        return self._stand_in.name

    @property
    def __signature__(self) -> inspect.Signature:
        if self._stand_in.parameters is None:
            text = _("{name} does not tell its parameters")
            raise TypeError(text.format(name=self._stand_in.name))
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature(
            [inspect.Parameter(name, kind) for name in self._stand_in.parameters]
        )

    @property
    def __written__(self) -> str:
        """The text of the cell in which it was handed in, while its process lives: to be read."""
        student = self._stand_in.student
        return student.written(self._stand_in.name) if student.written and student.alive else ""

    def __beside__(self, name: str) -> object:
        """Return what the student's notebook has under another name; None if it has nothing."""
        student = self._stand_in.student
        return student.beside(name) if student.beside else None

    @property
    def overwrote(self) -> bool:
        """Did the last call change what an earlier one returned? The student's process tells."""
        return self._stand_in.overwrote

    def time_limit(self, seconds: float):
        """Within this context a call is stopped in the student's process, by its CPU time."""
        return self._stand_in.student.within(seconds)

    def __call__(self, *args, **kwargs):
        student = self._stand_in.student
        reply = ask(student, "call", self, list(args), kwargs)
        match reply:
            case [value, None | [list(), dict()] as changed, str(printed), bool(overwrote), same]:
                pass
            case _:
                raise _nonsense(student)
        if changed:  # the caller sees it, as if the call had run in this process
            changed_to([list(args), kwargs], changed)
        if type(same) is int and 0 <= same < len(args):
            value = args[same]
        if printed:
            sys.stdout.write(printed)
        self._stand_in.overwrote = overwrote
        if student.refresh:
            student.refresh()
        return value


class RemoteClass(RemoteFunction):
    """A class of the student's."""

    __slots__ = ()

    def __instancecheck__(self, thing) -> bool:
        return self._asked(thing, subclass=False)

    def __subclasscheck__(self, thing) -> bool:
        return self._asked(thing, subclass=True)

    def _asked(self, thing, subclass: bool) -> bool:
        if not isinstance(thing, RemoteObject):
            return False
        student = self._stand_in.student
        answer = only(ask(student, "is_a", thing, self, subclass), student)
        if type(answer) is not bool:
            raise _nonsense(student)
        return answer


def rename(stand_in: RemoteObject, name: str) -> None:
    """Give a stand-in the name that it was asked for."""
    stand_in._stand_in.name = name


def ask(student, request: str, *args) -> list:
    """Ask the student's process; raise what it raised."""
    if student.sync:
        student.sync()
    reply = student.ask(
        request,
        *args,
        refer=lambda thing: _refer(student, thing),
        resolve=lambda *parts: _resolve(student, *parts),
        answer=lambda request: _answer(student, request),
    )
    match reply:
        case ["ok", *values]:
            return values
        case ["error", [*bases], str(text), str(line), None | int() as number] if _are_bases(bases):
            names = [name for name, _number in bases]
            text, line = text[:MAX_MESSAGE], line[:MAX_LINE]  # cards show them
            if request == "operate" and args[0] == "__next__" and names[:1] == ["StopIteration"]:
                raise StopIteration
            own = _exception_type(student, bases)
            error: Any = own(text) if own else make_exception(names, text, line, student.discreet)
            error.student_line = line
            if own and number is not None:
                error.students = make_stand_in(student, number, "object", "", None, [], [])
            raise error
    raise _nonsense(student)


def can_be_sent(student, value: object) -> bool:
    """Is a value plain data, or something that may be lent?"""
    try:
        encode(value, lambda thing: _refer(student, thing))
    except (TypeError, WireError, StudentDied):
        return False
    return True


def only(reply: list, student):
    """Return the one value of a reply."""
    if len(reply) != 1:
        raise _nonsense(student)
    return reply[0]


def _nonsense(student) -> StudentDied:
    student.end()
    return StudentDied(_("the student's process answered nonsense"))


def _answer(student, request: list) -> bytes:
    """Do what the student's code asks for with something that a test has lent to it."""

    def refer(thing):
        return _refer(student, thing)

    if student.nested >= _MOST_NESTED:
        return encode(["raised", ["RecursionError"], _("too many calls, one within the other")])
    student.nested += 1
    try:
        return encode(["value", student.lending.answer(request)], refer)
    except StudentDied:
        raise
    except Exception as error:
        names = [kind.__name__ for kind in type(error).__mro__]
        return encode(["raised", names, str(error)[:2000]])
    finally:
        student.nested -= 1


def _refer(student, thing) -> list:
    """Refer to something that is not plain data: the student's own, or what a test lends."""
    if isinstance(thing, RemoteObject):
        if thing._stand_in.student is not student:
            raise StudentDied(_("the student's process that had this object has ended"))
        return ["object", thing._stand_in.number]
    for number, kind in student.exceptions.items():
        if kind is thing:
            return ["object", number]
    return student.lending.refer(thing)


def _resolve(student, kind: str, *parts):
    if kind == "lent":
        (number,) = parts
        return student.lending.thing(number)
    if kind != "object":
        raise malformed()
    return make_stand_in(student, *parts)


def make_stand_in(student, *parts) -> RemoteObject | type[Exception]:
    """Make the stand-in for a reference; its type has the name of the type it stands for.

    Of a discreet student's object the names that its process chose are left out.
    """
    match parts:
        case [int(number), str(kind), str(name), None | [*_] as parameters, [*bases], [*does]]:
            texts = [*(parameters or ()), *does]
        case _:
            raise malformed()
    if not all(type(text) is str for text in texts) or not _are_bases(bases):
        raise malformed()
    if own := _exception_type(student, bases):
        return own
    base = RemoteObject if parameters is None else RemoteClass if bases else RemoteFunction
    if parameters is not None:
        parameters = list(dict.fromkeys(filter(str.isidentifier, parameters)))
    claimed, kind = kind, kind.rpartition(".")[2]
    if student.discreet:
        kind, name = ("object" if base is RemoteObject else "function"), ""
        parameters = None if parameters is None else []
    kind = kind[:80] if kind.isidentifier() else base.__name__
    known = student.stand_ins.get((number, student.discreet, kind, *does))
    if known is not None and base is RemoteObject:  # `a is a`
        return known
    methods: dict[str, Any] = {"__slots__": (), "__doc__": property(_doc)}
    methods["__annotations__"] = property(lambda self: self.__getattr__("__annotations__"))
    if claimed in _LAZY or is_drawing(claimed):  # as isinstance sees it
        methods["__class__"] = property(lambda self: _library_type(claimed) or type(self))
    for operation in does:
        if operation in OPERATIONS and operation not in _OWN_WAY:
            methods[operation] = _operation(operation)
    made = type(kind, (base,), methods)()
    object.__setattr__(made, "_stand_in", Remote(student, number, name[:80], parameters, does))
    student.stand_ins[number, student.discreet, kind, *does] = made
    return made


def _library_type(kind: str) -> type | None:
    """Return the type of which an object says to be, if it is one that a test may ask for.

    Only what does nothing by itself: an iterator of Python's, something that Matplotlib draws.
    """
    if kind in _LAZY:
        return _LAZY[kind]
    module, _dot, name = kind.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) else None


_LAZY: dict[str, type] = {"generator": types.GeneratorType}
_LAZY |= {kind.__name__: kind for kind in (map, filter, zip, enumerate, reversed)}


def _are_bases(bases: list) -> bool:
    """Is it what a student's process tells of the types that a type derives from?"""
    return all(
        type(base) is list and [type(part) for part in base] in ([str, int], [str, type(None)])
        for base in bases
    )


def _exception_type(student, bases: list) -> type[Exception] | None:
    """The type that stands for a student's own kind of error; None if it is none of these."""
    own: type[Exception] | None = None
    for place in reversed(range(len(bases))):  # what it derives from comes first
        _name, number = bases[place]
        if number is not None:
            if number not in student.exceptions:
                names = [name for name, _number in bases[place:]]
                made = make_exception_type(names, own, student.discreet)
                student.exceptions[number] = made
            own = student.exceptions[number]
    return own if bases and bases[0][1] is not None else None


def _doc(self: RemoteObject) -> str | None:
    told = self.__getattr__("__doc__")
    return told if isinstance(told, str) else None


def _operation(name: str) -> Callable:
    return lambda self, *args: _operate(name, self, *args)


def _operate(name: str, thing: RemoteObject, *args):
    if not is_among(name, thing._stand_in.student.operations):
        return thing._refuse()
    student = thing._stand_in.student
    if name == "__contains__" and name not in student.operations:
        # It may be looped over: what is in it is not for the object to say.
        return any(item is args[0] or item == args[0] for item in _operate("__iter__", thing))
    value = only(ask(student, "operate", name, [thing, *args]), student)
    if name in _GIVES and type(value) is not _GIVES[name]:
        raise TypeError(f"the student's {name} gives a {type(value).__name__}")
    return value


def _may(thing: RemoteObject, name: str) -> bool:
    """Does the object do this in its own way, and may it?"""
    known = thing._stand_in
    return name in known.does and is_among(name, known.student.operations)


def _has_identity(thing: RemoteObject) -> bool:
    return IDENTITY in thing._stand_in.student.operations


def _same(one: RemoteObject, other: RemoteObject) -> bool:
    return (one._stand_in.student, one._stand_in.number) == (
        other._stand_in.student,
        other._stand_in.number,
    )
