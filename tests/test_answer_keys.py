"""The answer keys: what students get is fresh, complete, and holds no secret."""

import ast
import json

import numpy as np
import pytest
from classroom import ROOT, solution_sources
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autograder.exercises import LESSONS, all_exercises, questions
from autograder.exercises.making_keys import visible_key
from illustrated_attention import properties
from illustrated_attention.answer_keys import (
    AnswerKey,
    KnownMistake,
    Property,
    Signature,
    find_key,
    find_question,
    read_arrays,
    read_lesson,
    write_lesson,
)
from illustrated_attention.comparing import alike
from illustrated_attention.contents import data_names_of, exercise_names
from illustrated_attention.outcomes import Case, Outcome

DATA = ROOT / "data"
NAMES = [exercise.name for exercise in all_exercises()]

numbers = arrays.arrays(
    st.sampled_from(["f8", "f4", "i8", "?"]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=4) | numbers,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def same(a, b):
    """The same data in the same types, bit by bit."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and (a.shape, a.dtype) == (b.shape, b.dtype)
            and a.tobytes() == b.tobytes()
        )
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


@given(args=st.tuples(values, values), expected=values, wrong=values)
def test_a_key_comes_back_from_its_files_as_it_was(tmp_path_factory, args, expected, wrong):
    folder = tmp_path_factory.mktemp("key")
    key = AnswerKey(
        "softmax",
        "01",
        (Case("a case", args), Case("must refuse", args, "ValueError")),
        (expected, None),
        (Property("a promise", "rows_sum_to_one", args),),
        (
            KnownMistake(
                "wrong",
                "A message.",
                (
                    Signature((Outcome(wrong, changed=(0, 1)), Outcome(error="KeyError"))),
                    Signature((Outcome(timed_out=True),)),
                    Signature((Outcome(expected), Outcome(error="E", message="m")), (True, False)),
                ),
            ),
        ),
        ("one", "two", "three"),
    )
    write_lesson(folder, "01", [key], [])
    [back] = read_lesson(folder, "01")
    assert same(back.cases[0].args, args) and same(back.expected[0], expected)
    assert [(c.title, c.raises) for c in back.cases] == [(c.title, c.raises) for c in key.cases]
    assert same(back.properties[0].args, args)
    assert back.hints == key.hints
    for old, new in zip(key.mistakes[0].signatures, back.mistakes[0].signatures, strict=True):
        assert old.held == new.held
        for a, b in zip(old.outcomes, new.outcomes, strict=True):
            assert same(a.value, b.value)
            assert (a.error, a.message, a.timed_out) == (b.error, b.message, b.timed_out)
            assert a.changed == b.changed


def test_the_same_keys_give_the_same_files(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        keys = [visible_key("softmax"), visible_key("make_qkv")]
        write_lesson(folder, "01", keys, questions("01_self_attention"))
    for name in ("01.json", "01.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_what_a_key_cannot_hold_is_refused(tmp_path):
    key = AnswerKey("f", "01", (Case("c", (object(),)),), (1,), (), (), ())
    with pytest.raises(TypeError, match="cannot hold a object"):
        write_lesson(tmp_path, "01", [key], [])


def test_arrays_of_any_type_shape_and_order_come_back(tmp_path):
    whole = np.arange(12)
    given = (whole, np.arange(6.0).reshape(2, 3).T, np.zeros((0, 4)), np.array(2.5), whole > 3)
    given = (*given, whole[::2], np.float32([0.1]), np.array(["a", "bcd"]), whole.reshape(3, 4))
    write_lesson(tmp_path, "01", [AnswerKey("f", "01", (Case("c", given),), (1,), (), (), ())], [])
    back = read_lesson(tmp_path, "01")[0].cases[0].args
    for old, new in zip(given, back, strict=True):
        assert (old.dtype, old.shape) == (new.dtype, new.shape) and old.tobytes() == new.tobytes()
    assert back[1].flags.f_contiguous and not back[1].flags.c_contiguous


def test_a_function_of_the_course_travels_by_its_name(tmp_path):
    case = Case("c", (properties.close, 1))
    write_lesson(tmp_path, "01", [AnswerKey("f", "01", (case,), (1,), (), (), ())], [])
    assert read_lesson(tmp_path, "01")[0].cases[0].args == (properties.close, 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_key_is_fresh(name):
    """Words exactly, numbers within the tolerance: other machines round in other ways."""
    old, new = find_key(name), visible_key(name)
    assert old.hints == new.hints
    assert [(c.title, c.raises, c.within) for c in old.cases] == [
        (c.title, c.raises, c.within) for c in new.cases
    ]
    assert [(p.title, p.name) for p in old.properties] == [
        (p.title, p.name) for p in new.properties
    ]
    assert [(m.id, m.message) for m in old.mistakes] == [(m.id, m.message) for m in new.mistakes]
    for a, b in zip(old.cases, new.cases, strict=True):
        assert close(a.args, b.args)
    assert all(map(close, old.expected, new.expected))
    assert all(close(a.args, b.args) for a, b in zip(old.properties, new.properties, strict=True))
    for a, b in zip(old.mistakes, new.mistakes, strict=True):
        for s, t in zip(a.signatures, b.signatures, strict=True):
            assert s.held == t.held
            for x, y in zip(s.outcomes, t.outcomes, strict=True):
                assert (x.error, x.message, x.timed_out) == (y.error, y.message, y.timed_out)
                assert x.changed == y.changed
                assert close(x.value, y.value)


def close(a, b):
    if callable(a):
        return a is b
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(close, a, b))
    return a is b is None or alike(a, b)


def test_the_committed_questions_are_fresh():
    for lesson in LESSONS:
        for question in questions(lesson):
            assert find_question(question.id) == question


def test_there_is_a_key_for_every_exercise_and_for_nothing_else():
    assert exercise_names() == NAMES
    assert {path.stem for path in (DATA / "answers").iterdir()} == set(LESSONS)


def test_an_unknown_name_has_no_key():
    assert find_key("sotfmax") is None
    assert find_question("99-nothing") is None


def arrays_of(value):
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from arrays_of(item)
    elif isinstance(value, dict):
        yield from arrays_of(list(value.values()))


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda e: e.name)
def test_no_hidden_case_is_in_the_students_files(exercise):
    shipped = {(a.shape, a.tobytes()) for a in read_arrays(DATA / "answers", exercise.lesson)}
    words = json.loads((DATA / "answers" / f"{exercise.lesson}.json").read_text(encoding="utf-8"))
    [key] = [key for key in words["exercises"] if key["exercise"] == exercise.name]
    assert [case["title"] for case in key["cases"]] == [case.title for case in exercise.visible]
    for case in exercise.hidden:
        for array in arrays_of(case.args):
            if array.dtype.kind == "f":  # a mask of six cells may well be in both
                assert (array.shape, array.tobytes()) not in shipped, case.title
    for promise in exercise.promises:
        for array in arrays_of(promise.hidden):
            if array.dtype.kind == "f":
                assert (array.shape, array.tobytes()) not in shipped, promise.title


def bodies(source):
    """What each function in a source does, without its name and its docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            steps = node.body[1:] if ast.get_docstring(node) else node.body
            yield node.name, [ast.dump(step) for step in steps]


def test_no_solution_is_in_what_students_install():
    modules = list((ROOT / "illustrated_attention").rglob("*.py"))
    shipped = [pair for path in modules for pair in bodies(path.read_text(encoding="utf-8"))]
    steps = [steps for _name, steps in shipped]
    for lesson in LESSONS:
        for source in solution_sources(lesson).values():
            for name, body in bodies(source):
                assert body not in steps, name
    assert not [path for path in DATA.rglob("*") if path.suffix in (".py", ".ipynb")]


def test_what_students_install_never_imports_the_instructors_side():
    for path in (ROOT / "illustrated_attention").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for forbidden in (
            "import autograder",
            "from autograder",
            "import nbgrader",
            "from nbgrader",
        ):
            assert forbidden not in text, path


def is_list_of_ids(arg):
    return isinstance(arg, list) and all(isinstance(item, int) for item in arg)


@pytest.mark.parametrize("name", NAMES)
def test_no_width_is_the_same_in_all_that_check_shows(name):
    """Else a function with that width fixed in it would pass here, and lose its points."""
    cases = [case for case in find_key(name).cases if not case.raises]
    for position in range(max(len(case.args) for case in cases)):
        given = [case.args[position] for case in cases if len(case.args) > position]
        given = [np.array(arg) if is_list_of_ids(arg) else arg for arg in given]
        widths = {a.shape[-1] for arg in given for a in arrays_of(arg) if a.ndim}
        assert len(widths) != 1 or len(given) == 1, (position, widths)


def test_the_names_that_a_lesson_gives_to_data_are_known():
    names = data_names_of("06_block")
    assert {"params", "features", "deviations", "first"} <= names
    assert not {"layer_norm", "out", "np"} & names  # functions, and what is inside them
    assert data_names_of("99_nothing") == frozenset()
