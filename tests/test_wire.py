"""The wire carries plain data exactly, and nothing that arrives on it can hurt the grader."""

import array
import contextlib
import json
import math
import socket
import struct
import threading
import time
from collections import Counter, OrderedDict, deque
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import (
    array_shapes,
    arrays,
    boolean_dtypes,
    complex_number_dtypes,
    floating_dtypes,
    integer_dtypes,
    unsigned_integer_dtypes,
)

from autograder.sandbox.inside import wire
from benchmarks import fuzz_wire
from illustrated_attention.language import speaking
from illustrated_attention.outcomes import identical


def there_and_back(value, **kwargs):
    """Send a value through a real socket."""
    return of_frame(wire.encode(value), **kwargs)


def of_frame(frame, **kwargs):
    ours, theirs = socket.socketpair()

    def send():
        with theirs, contextlib.suppress(BrokenPipeError):  # refused before all of it was read
            theirs.sendall(frame)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        with ours:
            return wire.receive(ours, **kwargs)
    finally:
        sender.join()


def frame_of(tree, buffers=()):
    """A frame as a hostile process may write it."""
    text = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    return wire.frame(text, list(buffers))


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -7, 2**70, -(2**70), 1.5, -0.0, 1e-320, float("inf"), 2 - 3j),
        *("", "Wörter\x00 ✓", b"", b"\x00\xff", [], (), {}, [1, (2.0, {"k": [None]})]),
    ],
    ids=repr,
)
def test_plain_values_arrive_as_they_were(value):
    got = there_and_back(value)
    assert got == value
    assert type(got) is type(value)
    assert repr(got) == repr(value)


class Third(Fraction):
    """What is made of one of the kinds below is a thing of its own."""


PLAIN = [
    *({1, "a", (2, None)}, frozenset({b"x"}), {1: "a", (1, 2): [3], None: {}}, deque([1], 3)),
    *(Fraction(-1, 3), Decimal("1.50"), Decimal("nan"), slice(1, None, 2), Path("a/b.txt")),
    *(date(2024, 2, 29), clock(1, 2, 3), datetime(2024, 2, 29, 12), timedelta(days=-1, seconds=3)),
    *(np.array([["a", "bcd"]]), np.array(["2020-01-01"], "M8[D]"), np.timedelta64(3, "ms")),
    *(np.datetime64("2020-01-01T12:00"), Counter("abca"), Counter({(1, None): -2.5})),
    *(float, type(None), range(2, 8, 3), range(0), bytearray(b"\x00a"), OrderedDict(b=1, a=None)),
    *({"a": [1]}.keys(), {1: "a", 2: "a"}.values(), {(1, 2): None}.items()),
    np.array([[("Ada", 36)], [("Bo", 20)]], [("name", "U10"), ("age", "i4")]),
    np.array([[1, "a"], [None, [2, (3,)]]], object),
]


def shown(value):
    """What a value is, in text. A set's items have no order: it hangs on what was put in when."""
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(map(repr, value))
    if type(value) is list:
        return [shown(item) for item in value]
    if type(value) is dict:
        return [(repr(key), shown(item)) for key, item in value.items()]
    return repr(value)


@pytest.mark.parametrize("value", PLAIN, ids=lambda v: type(v).__name__)
def test_values_made_of_plain_data_arrive_as_they_were(value):
    for sent in (value, [value], {"k": value}):
        got = there_and_back(sent)
        assert type(got) is type(sent)
        assert shown(got) == shown(sent)


@pytest.mark.parametrize(
    "tree",
    [
        *(["v", "set", ["l", ["r", 1]]], ["D", [["r", 1], None]], ["v", "date", ["r", 1], 1, 1]),
        *(["v", "Decimal", "1e999999999"], ["v", "Fraction", ["i", "0x1"], ["i", "0x0"]]),
        *(["v", "open", "/etc/passwd"], ["v", "put_together", "set", ["l"]], ["v"], ["v", "set"]),
        *(
            ["v", "set", ["l", ["l"]]],
            ["D", [["l"], None]],
            ["v", "texts", ["l"], ["l"], ["i", "0x10000000000"]],
        ),
        ["v", "times", "<M8[7us]", False, ["l"]],
        *(["v", "type", "object"], ["v", "type", "ndarray"], ["v", "type", ["l"]]),
        *(["v", "range", ["i", "0x0"], ["i", hex(2**70)], ["i", "0x1"]], ["v", "bytearray", 1.5]),
        *(["v", "records", ["l", "a"], ["l"]], ["v", "records", ["l", None], ["l", ["l"]]]),
        *(["v", "dict_items", ["l", ["t", ["l"], None]]], ["v", "dict_values", ["l", ["l"]]]),
    ],
    ids=str,
)
def test_what_only_looks_like_one_is_refused_and_asks_for_nothing(tree):
    class Asked:
        __hash__ = __index__ = lambda self: pytest.fail("asked")

    with pytest.raises(wire.WireError):
        of_frame(frame_of(tree), resolve=lambda *parts: Asked())


@pytest.mark.parametrize(
    "part",
    [
        lambda i: ["n", f"a{i}", ["b"], None],
        lambda i: ["v", "texts", ["l"], ["l", "a"], ["i", "0x100000"]],
    ],
    ids=["kinds of named tuples", "room for text"],
)
def test_a_small_frame_makes_no_large_value(part):
    of_frame(frame_of(["l", *map(part, range(5))]))
    with pytest.raises(wire.WireError, match="too"):
        of_frame(frame_of(["l", *map(part, range(200))]))


def test_a_number_of_ten_thousand_digits_arrives():
    assert there_and_back([math.factorial(3000), -(3**20_000)]) == [
        math.factorial(3000),
        -(3**20_000),
    ]


def test_keys_that_would_slow_a_dictionary_down_are_refused():
    modulus = 2**61 - 1  # ints that differ by it have one hash
    keys = [["i", hex(modulus * n)] for n in range(20_000)]
    for tree in (["v", "set", ["l", *keys]], ["D", *([key, None] for key in keys)]):
        began = time.process_time()
        with pytest.raises(wire.WireError):
            of_frame(frame_of(tree))
        assert time.process_time() - began < 5


def test_nan_arrives_as_nan():
    assert np.isnan(there_and_back(float("nan")))


@pytest.mark.parametrize("dtype", "?bhilqBHILQefdgFDG")
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (0, 5), (2, 0)], ids=str)
def test_arrays_arrive_with_their_dtype_and_shape(dtype, shape):
    given = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape) % 3, dtype)
    got = there_and_back(given)
    assert type(got) is np.ndarray
    assert (got.dtype, got.shape) == (given.dtype, given.shape)
    np.testing.assert_array_equal(got, given)
    assert got.flags.writeable


def test_views_and_other_byte_orders_arrive_by_value():
    base = np.arange(24.0).reshape(4, 6)
    for view in [base.T, base[::2, ::-1], base.astype(">f8"), np.asfortranarray(base)]:
        np.testing.assert_array_equal(there_and_back(view), view)


@pytest.mark.parametrize("scalar", [np.float16(0.1), np.longdouble(1) / 3, np.int8(-3), np.True_])
def test_numpy_scalars_keep_their_type(scalar):
    got = there_and_back(scalar)
    assert type(got) is type(scalar)
    assert got == scalar


def test_what_is_masked_arrives_as_zero():
    got = there_and_back(np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, True, False]))
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, [1, 0, 3])


def test_a_subclass_of_a_number_or_a_text_arrives_as_its_value():
    class Int(int):
        __int__ = __eq__ = __hash__ = None

    class Float(float):
        __float__ = __eq__ = __hash__ = None

    class Text(str):
        __str__ = __eq__ = __hash__ = None

    got = there_and_back([Int(3), Float(0.5), Text("a"), np.str_("b"), HTTPStatus.OK])
    assert got == [3, 0.5, "a", "b", 200]
    assert [type(value) for value in got] == [int, float, str, str, int]


def test_an_array_of_python_arrives_as_one_of_numpy():
    got = there_and_back(array.array("d", [1, 2]))
    assert got.dtype == float
    np.testing.assert_array_equal(got, [1, 2])


def test_subclasses_of_containers_and_arrays_arrive_plain():
    from collections import defaultdict, namedtuple

    Pair = namedtuple("Pair", "k v")
    got = there_and_back(
        [defaultdict(list, a=1), np.matrix([[1.0]]), time.gmtime(0), Counter({"a": [1]})]
    )
    assert [type(item) for item in got] == [dict, np.ndarray, tuple, dict]
    (pair,) = there_and_back([Pair(1, [2])])
    assert (pair.k, pair.v, pair) == (1, [2], (1, [2]))


@pytest.mark.parametrize(
    "value",
    [
        *(object(), len, json, iter([]), np.array([len]), object, {len}, {len: 1}, Third(1, 3)),
        *(
            range(10**12),
            {"a": len}.values(),
            np.ndarray,
            deque([len]),
            slice(len),
            datetime(2020, 1, 1, tzinfo=UTC),
        ),
    ],
    ids=lambda v: type(v).__name__,
)
def test_other_objects_are_refused_without_a_reference(value):
    with pytest.raises(wire.WireError, match="plain data"):
        wire.encode(value)


def test_other_objects_become_references_where_both_sides_agree():
    frame = wire.encode([1, len], refer=lambda v: [v.__name__])
    assert of_frame(frame, resolve=lambda name: f"<{name}>") == [1, "<len>"]
    with pytest.raises(wire.WireError):
        of_frame(frame)


def test_what_is_too_large_is_refused_before_it_is_copied():
    a_terabyte = np.broadcast_to(np.float64(1), (10**6, 10**5))
    too_many = [0] * (wire.MAX_TEXT // 4)
    for value in [a_terabyte, too_many, "x" * (wire.MAX_TEXT + 1), 1 << wire.MAX_INT_BITS]:
        with pytest.raises(wire.WireError, match=r"large|many"):
            wire.encode(value)


def test_what_cannot_be_sent_or_read_is_said_in_the_readers_language():
    with speaking("zh_CN"):
        with pytest.raises(wire.WireError, match=r"^值太大$"):
            wire.encode("x" * (wire.MAX_TEXT + 1))
        with pytest.raises(wire.WireError, match=r"^值的格式不对$"):
            of_frame(frame_of(["?"], []))


def test_a_list_that_holds_itself_and_one_that_doubles_are_refused():
    circle = []
    circle.append(circle)
    doubled = [0]
    for _ in range(wire.MAX_DEPTH):
        doubled = [doubled, doubled, doubled, doubled]
    for value in [circle, doubled]:
        with pytest.raises(wire.WireError):
            wire.encode(value)


HOSTILE = {
    "not JSON": b"{",
    "not UTF-8": b'"\xff"',
    "a bare number": 5,
    "a bare object": {"a": 1},
    "an empty list": [],
    "a tag that is a list": [["l"]],
    "an unknown tag": ["x", 1],
    "an old friend": ["r", 1],
    "NaN as a word": b'["l",NaN]',
    "nested in JSON": b"[" * 100_000,
    "nested in values": json.loads('["l",' * 50 + '["l"]' + "]" * 50),
    "an int as a number of a million digits": b"1" * 1_000_000,
    "an int with a million hex digits": ["i", "0x" + "f" * 1_000_000],
    "an int of words": ["i", "seven"],
    "a float of words": ["f", "seven"],
    "a dict with a list as key": ["d", [["l"], 1]],
    "a dict with half a pair": ["d", ["a"]],
    "no such buffer": ["b", 3],
    "buffer -1": ["b", -1],
    "buffer true": ["b", True],
    "an object array": ["a", "|O", [1], 0],
    "an array of text": ["a", "<U1", [2], 0],
    "a structured array": ["a", "V8", [1], 0],
    "a dtype with a comma": ["a", "f4,f4", [1], 0],
    "a shape larger than its data": ["a", "<f8", [1000], 0],
    "a shape smaller than its data": ["a", "<f4", [1], 0],
    "a shape with a negative axis": ["a", "<f8", [-1, -1], 0],
    "a shape with true": ["a", "<f8", [True], 0],
    "a shape with a float": ["a", "<f8", [1.0], 0],
    "an empty array with a huge axis": ["a", "<f8", [0, 10**12], 1],
    "an empty array with many large axes": ["a", "<f8", [0, 10**6, 10**6], 1],
    "a hundred axes": ["a", "<f8", [1] * 100, 0],
    "an array of objects, one too many": ["o", [2], 1.5],
    "an array of objects without axes": ["o", [], None],
    "an array of no objects with large axes": ["o", [0, 1 << 25, 1 << 25]],
    "a scalar larger than its data": ["g", "<c16", 0],
}


@pytest.mark.parametrize("tree", HOSTILE.values(), ids=HOSTILE)
def test_a_forged_frame_is_refused(tree):
    with pytest.raises(wire.WireError):
        of_frame(frame_of(tree, [b"\0" * 8, b""]))


def test_a_truth_value_is_0_or_1_whatever_byte_arrives():
    got = of_frame(frame_of(["a", "|b1", [3], 0], [b"\x00\x02\xff"]))
    assert got.tobytes() == b"\x00\x01\x01"


def test_a_frame_that_promises_gigabytes_is_refused_at_its_head():
    for numbers in [(2**31, 0, 0), (2, 2**31, 0), (2, 1, 2**31)]:
        with pytest.raises(wire.WireError, match="too large"):
            of_frame(struct.pack(">III", *numbers))


def test_what_comes_after_a_frame_is_refused():
    with pytest.raises(wire.WireError, match="malformed"):
        of_frame(wire.encode(1) + b"\0")


def test_a_frame_whose_sizes_disagree_is_refused():
    with pytest.raises(wire.WireError, match="malformed"):
        of_frame(struct.pack(">IIII", 2, 1, 4, 3) + b"{}" + b"\0" * 4)


_NUMBERS = (
    boolean_dtypes()
    | integer_dtypes()
    | unsigned_integer_dtypes()
    | floating_dtypes()
    | complex_number_dtypes()
)
BUFFERS = st.lists(st.binary(max_size=64), max_size=3)
_DTYPE = st.sampled_from([*sorted(wire._DTYPES), "|O", "<U1", "V8", "f4,f4", ""])
_SHAPE = st.lists(st.integers(-1, 4) | st.sampled_from([2**25, 2**40, True, 1.5]), max_size=4)
_SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_INDEX = st.integers(-1, 3)
_LEAF = (
    _SIMPLE
    | st.tuples(st.sampled_from("aT"), _DTYPE, _SHAPE, _INDEX)
    | st.tuples(st.just("g"), _DTYPE, _INDEX)
    | st.tuples(st.sampled_from("bif"), _SIMPLE | _INDEX | st.sampled_from(["nan", "0x1f"]))
    | st.tuples(st.just("c"), st.sampled_from(["0x1p3", "nan", "1e", ""]), _SIMPLE)
    | st.tuples(st.just("r"), _SIMPLE, _SIMPLE, _SIMPLE, st.lists(_SIMPLE, max_size=3))
)
_KINDS = [*("set", "frozenset", "deque", "slice", "Fraction", "Decimal", "PosixPath", "date")]
_KINDS += [
    "Counter",
    "time",
    "datetime",
    "timedelta",
    "texts",
    "times",
    "DataFrame",
    "Series",
    "Index",
]
_TREE = st.recursive(
    _LEAF,
    lambda parts: (
        st.tuples(st.sampled_from("ltdr"), parts, parts)
        | st.tuples(st.sampled_from("lt"))
        | st.tuples(st.just("d"), st.tuples(st.text(max_size=3), parts))
        | st.tuples(st.just("D"), st.tuples(parts, parts))
        | st.tuples(st.just("o"), st.lists(st.integers(-1, 3), max_size=2), parts, parts)
        | st.tuples(st.just("n"), st.text(max_size=3), st.lists(st.text(max_size=3)), parts)
        | st.tuples(st.just("v"), st.sampled_from(_KINDS), parts, parts)
        | st.tuples(st.just("v"), st.sampled_from(_KINDS), parts)
        | st.tuples(st.just("r"), st.just("lent"), st.integers(-1, 2))
        | st.lists(parts, max_size=3)
    ),
    max_leaves=12,
)
_WORD = st.sampled_from(["call", "attribute", "set_attribute", "operate", "input", "__add__"])
_CHANGES = st.tuples(st.just("l"), st.tuples(st.just("l"), _TREE, _TREE), st.just(["d"]))
_REPLY = (
    st.tuples(
        *(st.just("l"), st.just("ok"), _TREE, st.none() | _CHANGES, st.text(), st.booleans(), _TREE)
    )
    | st.tuples(st.just("l"), st.just("error"), _TREE, st.text(), st.text(), _TREE)
    | st.tuples(st.just("l"), st.just("back"), st.text() | _WORD, _TREE, _TREE)
    | _TREE
)


@settings(max_examples=300, deadline=None)
@given(_REPLY, BUFFERS)
def test_whatever_is_answered_a_call_ends_as_a_call_may(tree, buffers):
    fuzz_wire.answer(frame_of(json.dumps(tree).encode(), buffers))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([*map(fuzz_wire.as_frame, fuzz_wire.corpus())]),
    st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=4)), max_size=6),
)
def test_damaged_frames_end_as_a_call_may(frame, changes):
    for position, data in changes:
        frame = frame[:position] + data + frame[position + len(data) % 3 :]
    fuzz_wire.answer(frame)


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        _SIMPLE | st.binary(max_size=9) | arrays(_NUMBERS, array_shapes(min_side=0)),
        lambda parts: (
            st.lists(parts, max_size=3)
            | st.tuples(parts, parts)
            | st.dictionaries(st.text(max_size=3), parts, max_size=2)
        ),
        max_leaves=8,
    )
)
def test_plain_values_of_any_make_arrive_as_they_were(value):
    got = there_and_back(value)
    assert repr(got) == repr(value)
    assert identical(got, value) or "nan" in repr(value)


def test_one_deadline_holds_for_the_whole_frame():
    ours, theirs = socket.socketpair()
    end = time.monotonic() + 0.3

    def patience():
        if time.monotonic() > end:
            raise TimeoutError
        return end - time.monotonic()

    def drip():
        with contextlib.suppress(OSError):  # the other end was closed: the test is over
            while True:
                theirs.sendall(b"\0")
                time.sleep(0.05)

    dripping = threading.Thread(target=drip)
    with ours, theirs:
        theirs.sendall(struct.pack(">III", 1000, 0, 0))
        dripping.start()
        with pytest.raises(TimeoutError):  # the frame itself would take 50 seconds
            wire.receive(ours, patience)
        ours.close()
        dripping.join()


def test_a_frame_that_nobody_reads_is_not_waited_for_longer_than_patience():
    ours, theirs = socket.socketpair()
    asked = []

    def patience():
        asked.append(1)
        if len(asked) > 3:
            raise TimeoutError

    with ours, theirs:
        ours.settimeout(0.01)
        with pytest.raises(TimeoutError):
            wire.send(ours, bytes(4 << 20), patience)


@pytest.mark.parametrize("size", [1, 100, 1 << 15, 1 << 18])
def test_frames_of_any_size_arrive_in_pieces_and_one_after_the_other(size):
    ours, theirs = socket.socketpair()
    value = [np.arange(size), "é" * size]
    frame = wire.encode(value)

    def in_pieces():
        for _ in range(2):
            cut = len(frame) // 3
            for piece in (frame[:5], frame[5:cut], frame[cut:]):
                theirs.sendall(piece)
            turn.acquire()

    turn = threading.Semaphore(0)
    sender = threading.Thread(target=in_pieces)
    with ours, theirs:
        ours.settimeout(0.01)
        sender.start()
        for _ in range(2):
            got = wire.receive(ours)
            turn.release()
            np.testing.assert_array_equal(got[0], value[0])
            assert got[1] == value[1]
        sender.join()
