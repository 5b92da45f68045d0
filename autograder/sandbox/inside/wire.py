"""Plain data over a socket: the only language that the grader and a student's process share.

Never pickle. These values exist: None, bool, int, float, complex, str, bytes, list, tuple, dict
with plain keys, NumPy arrays and scalars of bool, int, uint, float and complex kind, and the kinds
of `values`, which are made of these. A subclass of int, float, str, list, tuple or dict travels as
the plain thing, as does an array.array; of a masked array, a masked number is 0, because to NumPy's
tests it would equal everything. Everything else, also in an array of objects, is a
reference, which each side makes and reads in its own way.

A frame is: length of the text, number of buffers, length of all buffers together, length of every
buffer (each 4 bytes), the text (JSON), the buffers (the bytes of arrays). Everything about it is
checked before memory is taken.
"""

import array
import itertools
import json
import math
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.sandbox.inside import values
from autograder.sandbox.inside.hook import translate as _

MAX_BYTES = 32 << 20  # of one frame
MAX_TEXT = 4 << 20  # of its JSON part
MAX_BUFFERS = 4096
MAX_NAMED = 100  # kinds of named tuples in a frame: each takes long to make
MAX_DEPTH = 20
MAX_AXES = 32
MAX_AXIS = 1 << 25  # also for empty arrays: (0, 10**12) must not blow up in the next sum
MAX_INT_BITS = 1 << 17  # of 10,000!, say: people test with such numbers

_KINDS = "biufc"
_NAMES = {np.dtype(order + code).str for code in "?bhilqBHILQefdgFDG" for order in "<>"}
_DTYPES = {name: np.dtype(name) for name in _NAMES}
_DTYPE_NAMES = {dtype: name for name, dtype in _DTYPES.items()}  # to ask NumPy takes longer


class WireError(Exception):
    """A value that cannot be sent, or a frame that is not one. Students read what it says."""


def malformed() -> WireError:
    """What is wrong with a frame that `encode` did not write is of no use to anybody."""
    return WireError(_("the value is malformed"))


def encode(value: object, refer: Callable[[object], list] | None = None) -> bytes:
    """Return the frame of a value. `refer` makes a reference to what is not plain data."""
    written = _Written(refer)
    text = _JSON.encode(_write(value, written, 0)).encode()
    if len(text) > MAX_TEXT:
        raise WireError(_("the value is too large"))
    return frame(text, written.buffers)


@dataclass
class _Written:
    """What is known of a frame while it is written.

    Not the variables of functions within functions: these stay until somebody looks for cycles.
    """

    refer: Callable[[object], list] | None
    buffers: list[bytes] = field(default_factory=list)
    room: int = MAX_BYTES
    parts: int = 0

    def store(self, data: np.ndarray | np.generic | bytes) -> int:
        """Keep the bytes of a part; return which buffer it is."""
        self.room -= len(data) if isinstance(data, bytes) else data.nbytes
        if self.room < 0:
            raise WireError(_("the value is too large"))
        if len(self.buffers) == MAX_BUFFERS:
            raise WireError(_("the value has too many parts"))
        self.buffers.append(data if isinstance(data, bytes) else data.tobytes())
        return len(self.buffers) - 1


def _write(v: Any, frame: _Written, depth: int):
    frame.parts += 1
    if depth > MAX_DEPTH:
        raise WireError(_("the value is nested too deeply"))
    if frame.parts > MAX_TEXT // 4:
        raise WireError(_("the value has too many parts"))
    kind = type(v)
    if v is None or kind is bool:  # these first: most of what is sent
        return v
    if kind is np.ndarray and v.dtype.kind in _KINDS:
        return _write_array(v, frame)
    if isinstance(v, list):
        return ["l", *[_write(item, frame, depth + 1) for item in list.__iter__(v)]]
    if isinstance(v, str):
        v = str.__str__(v)
        if len(v) > MAX_TEXT:
            raise WireError(_("the value is too large"))
        return v
    if isinstance(v, int):
        v = int.__int__(v)
        if v.bit_length() > MAX_INT_BITS:
            raise WireError(_("the number is too large"))
        return ["i", hex(v)]
    if isinstance(v, float) and not isinstance(v, np.generic):
        v = float.__float__(v)
        return v if math.isfinite(v) else ["f", str(v)]
    if kind is complex:
        return ["c", v.real.hex(), v.imag.hex()]
    if kind is bytes:
        return ["b", frame.store(v)]
    if isinstance(v, tuple):
        fields = [_write(item, frame, depth + 1) for item in tuple.__iter__(v)]
        names = None if kind is tuple else values.field_names(v)
        return ["n", kind.__name__, names, *fields] if names else ["t", *fields]
    if kind is dict and all(type(key) is str for key in v):
        return ["d", *[[key, _write(item, frame, depth + 1)] for key, item in v.items()]]
    if isinstance(v, np.ma.MaskedArray) and v.dtype.kind in _KINDS:
        v = np.asarray(v.filled(0))
    if isinstance(v, array.array) and v.typecode in "bBhHiIlLqQfd":
        v = np.array(v)
    if isinstance(v, np.ndarray) and v.dtype.kind in _KINDS:
        return _write_array(np.ndarray.view(v, np.ndarray), frame)
    if isinstance(v, np.generic) and v.dtype.kind in _KINDS:
        return ["g", v.dtype.str, frame.store(v)]
    if isinstance(v, np.ndarray) and v.dtype == object and v.ndim:
        if v.size > MAX_TEXT // 4:
            raise WireError(_("the value has too many parts"))
        things = np.ndarray.ravel(np.ndarray.view(v, np.ndarray)).tolist()
        return ["o", list(v.shape), *[_write(thing, frame, depth + 1) for thing in things]]
    if made_of := values.take_apart(v):
        kind_of_value, parts = made_of
        return ["v", kind_of_value, *(_write(part, frame, depth + 1) for part in parts)]
    if isinstance(v, dict) and all(type(key) is str for key in dict.keys(v)):
        return ["d", *([key, _write(item, frame, depth + 1)] for key, item in dict.items(v))]
    if isinstance(v, dict) and all(map(values.is_key, dict.keys(v))):
        items = dict.items(v)
        return [
            "D",
            *([_write(k, frame, depth + 1), _write(i, frame, depth + 1)] for k, i in items),
        ]
    if frame.refer is None:
        text = _("only plain data and arrays can be sent, not {kind}")
        raise WireError(text.format(kind=kind.__name__))
    return ["r", *frame.refer(v)]


def _write_array(v: np.ndarray, frame: _Written) -> list:
    tag, name = "a", _DTYPE_NAMES.get(v.dtype) or v.dtype.str
    if v.ndim > 1 and v.flags.fnc:  # as a transposed array: that it is one arrives, too
        tag, v = "T", v.T
    return [tag, name, list(v.shape), frame.store(v)]


def frame(text: bytes, buffers: list[bytes]) -> bytes:
    """Put together what is sent: how long each part is, then the parts."""
    sizes = [len(buffer) for buffer in buffers]
    head = struct.pack(f">III{len(sizes)}I", len(text), len(sizes), sum(sizes), *sizes)
    return b"".join([head, text, *buffers])


def decode(
    text: bytes,
    buffers: Sequence[bytes | memoryview],
    resolve: Callable[..., object] | None = None,
):
    """Return the value of a frame. Whatever is not exactly as `encode` writes it is a WireError.

    `resolve` gets the parts of a reference and returns the object that stands for it.
    """
    try:
        tree, end = _FROM_JSON.raw_decode(written := text.decode())
        if end != len(written):
            raise malformed()
        return _read(tree, _Frame(buffers, resolve), 0)
    except WireError:
        raise
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        raise malformed() from None


@dataclass
class _Frame:
    """What is known of a frame while its value is made."""

    buffers: Sequence[bytes | memoryview]
    resolve: Callable[..., object] | None
    named: set[type] = field(default_factory=set)  # the kinds of named tuples in it
    room: int = MAX_BYTES  # for arrays of text and of times, which take less in the frame


def _read(v, frame: _Frame, depth: int):
    if depth > MAX_DEPTH:
        raise WireError(_("the value is nested too deeply"))
    kind = type(v)
    if v is None or kind is str or kind is bool or kind is float:
        return v
    if kind is not list or not v or type(v[0]) is not str:
        raise malformed()
    tag, *parts = v
    if tag == "a":  # these first: most of what arrives
        return _array(parts, frame.buffers)
    if tag == "l":
        return [_read(part, frame, depth + 1) for part in parts]
    if tag == "t":
        return tuple([_read(part, frame, depth + 1) for part in parts])
    if tag == "o":
        shape, *items = parts
        return _array_of_objects(shape, [_read(item, frame, depth + 1) for item in items])
    if tag == "n":
        name, names, *items = parts
        made = values.named_tuple(_text(name), *map(_text, names))
        frame.named.add(made)
        if len(frame.named) > MAX_NAMED:
            raise WireError(_("the value has too many parts"))
        return made(*(_read(item, frame, depth + 1) for item in items))
    if tag == "d":
        return {_text(key): _read(part, frame, depth + 1) for key, part in parts}
    if tag == "D":
        read = [[_read(part, frame, depth + 1) for part in pair] for pair in parts]
        keys = values.checked_keys([key for key, _item in read])
        return dict(zip(keys, (item for _key, item in read), strict=True))
    if tag == "v":
        kind, *of = parts
        # Of plain data alone: what stands in for an object would be asked for its number.
        resolve, frame.resolve = frame.resolve, None
        try:
            value = values.put_together(_text(kind), [_read(part, frame, depth + 1) for part in of])
        except WireError:
            raise
        except Exception:
            raise malformed() from None
        finally:
            frame.resolve = resolve
        frame.room -= value.nbytes if isinstance(value, np.ndarray) else 0
        if frame.room < 0:
            raise WireError(_("the value is too large"))
        return value
    if tag == "i":
        (digits,) = parts
        if len(_text(digits)) > MAX_INT_BITS // 4 + 3:
            raise WireError(_("the number is too large"))
        return int(digits, 16)
    if tag == "f":
        return {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}[_one_of(parts, "nan", "inf", "-inf")]
    if tag == "c":
        real, imag = parts
        return complex(float.fromhex(real), float.fromhex(imag))
    if tag == "b":
        return bytes(_buffer(parts, frame.buffers))
    if tag == "T":
        return _array(parts, frame.buffers).T
    if tag == "g":
        dtype, where = parts
        return _array([dtype, [], where], frame.buffers)[()]
    if tag == "r" and frame.resolve is not None:
        return frame.resolve(*parts)
    raise malformed()


def _array(parts: list, buffers: Sequence[bytes | memoryview]) -> np.ndarray:
    name, shape, where = parts
    dtype = _DTYPES.get(_text(name))
    if dtype is None:
        raise malformed()
    count, buffer = _count(shape), _buffer([where], buffers)
    if count * dtype.itemsize != len(buffer):
        raise malformed()
    if dtype.kind == "b":  # a byte that is neither 0 nor 1 would be a truth of its own kind
        return (np.frombuffer(buffer, np.uint8) != 0).reshape(shape)
    return np.ndarray(shape, dtype, buffer).copy()


def _count(shape: list) -> int:
    """Return how many items an array of a shape has, if that is one."""
    if type(shape) is not list or len(shape) > MAX_AXES:
        raise malformed()
    count = most = 1
    for length in shape:
        if type(length) is not int or not 0 <= length <= MAX_AXIS:
            raise malformed()
        count *= length
        most *= length or 1
    if most > MAX_BYTES:
        raise WireError(_("the value is too large"))
    return count


def _array_of_objects(shape: list, items: list) -> np.ndarray:
    if _count(shape) != len(items) or not shape:
        raise malformed()
    made = np.empty(len(items), object)
    for place, item in enumerate(items):  # all at once, NumPy would look into lists
        made[place] = item
    return made.reshape(shape)


def _buffer(parts: list, buffers: Sequence[bytes | memoryview]) -> bytes | memoryview:
    (index,) = parts
    if type(index) is not int or not 0 <= index < len(buffers):
        raise malformed()
    return buffers[index]


def _text(value) -> str:
    if type(value) is not str:
        raise malformed()
    return value


def _one_of(parts: list, *words: str) -> str:
    (word,) = parts
    if word not in words:
        raise malformed()
    return word


def _no_constant(word: str):  # noqa: ARG001
    raise malformed()


_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)
_FROM_JSON = json.JSONDecoder(parse_constant=_no_constant)


def send(sock: socket.socket, frame: bytes, patience: Callable[[], object]) -> None:
    """Send a frame, with `patience` as in `receive`. OSError: the other side is gone."""
    rest = memoryview(frame)
    while rest:
        patience()
        try:
            rest = rest[sock.send(rest) :]
        except TimeoutError:
            continue


def receive(
    sock: socket.socket,
    patience: Callable[[], object] = lambda: None,
    resolve: Callable[..., object] | None = None,
):
    """Wait for a frame and return its value.

    Nothing comes after it: the two sides speak in turn.

    `patience` raises TimeoutError when the time for the whole frame is over. It is asked whenever
    the socket's own timeout is over and whenever there is more to come: sending a frame drop by
    drop does not stretch it. EOFError: the other side is gone.
    """
    data = bytearray(_MOSTLY)
    got = _receive_bytes(sock, data, 0, 12, patience)
    n_text, n_buffers, n_bytes = struct.unpack_from(">III", data)
    if n_text > MAX_TEXT or n_buffers > MAX_BUFFERS or n_bytes > MAX_BYTES:
        raise WireError(_("the value is too large"))
    begin = 12 + 4 * n_buffers
    size = begin + n_text + n_bytes
    if got > size:
        raise malformed()
    if got < size:
        data, begun = bytearray(size), data
        data[:got] = begun[:got]
        _receive_bytes(sock, data, got, size, patience)
    sizes = struct.unpack_from(f">{n_buffers}I", data, 12)
    if sum(sizes) != n_bytes:
        raise malformed()
    view = memoryview(data)
    ends = itertools.accumulate(sizes, initial=begin + n_text)
    parts = [view[start:end] for start, end in itertools.pairwise(ends)]
    return decode(bytes(view[begin : begin + n_text]), parts, resolve)


_MOSTLY = 1 << 14  # bytes that a frame has at most, mostly


def _receive_bytes(
    sock: socket.socket, data: bytearray, got: int, least: int, patience: Callable[[], object]
) -> int:
    """Fill the data after the first `got` bytes until `least` are there; return how many are."""
    with memoryview(data) as view:
        while True:
            try:
                n = sock.recv_into(view[got:])
            except TimeoutError:
                patience()
                continue
            if n == 0:
                raise EOFError
            got += n
            if got >= least:
                return got
            patience()
