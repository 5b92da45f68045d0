"""What `check` promises a learner, whatever the function does."""

import functools
import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from classroom import on_stderr, outputs, run_notebook, solution_sources, surroundings
from nbformat.v4 import new_code_cell, new_notebook

from illustrated_attention import CheckFailed, case, check, checking, outcomes
from illustrated_attention.answer_keys import find_key
from illustrated_attention.examine import examine


def right_softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def right_embed(token_ids, wte, wpe, start=0):
    if start + token_ids.shape[-1] > len(wpe):
        raise ValueError("too long")
    return wte[token_ids] + wpe[start : start + token_ids.shape[-1]]


def right_qkv(x, w_q, w_k, w_v):
    return x @ w_q, x @ w_k, x @ w_v


def said_about(function, exercise="softmax"):
    """The text of the card that a wrong function gets."""
    with pytest.raises(CheckFailed) as failure:
        check(function, exercise)
    assert failure.value.exercise == exercise
    return str(failure.value)


def verdict_on(function, exercise="softmax"):
    return examine(function, find_key(exercise))


def returns(value):
    return lambda *args: value


def test_the_line_on_a_failing_card_loads_the_case_that_it_names():
    said = said_about(lambda weights, v: weights, "weighted_sum")
    line = re.search(r"`(from illustrated_attention import case; .*?)`", said)[1]
    notebook = {}
    exec(line, notebook)
    cases = [one.args for one in find_key("weighted_sum").cases]
    number = int(re.search(r"(\d+)\)$", line)[1])
    for name, argument in zip(("weights", "v"), cases[number - 1], strict=True):
        np.testing.assert_array_equal(notebook[name], argument)
        notebook[name][...] = 7  # a copy
        assert not (argument == 7).any()
    assert isinstance(case("softmax", 1), np.ndarray)
    for number in (0, 1000, "1"):
        with pytest.raises(ValueError, match=r"softmax has the cases 1 to \d+\."):
            case("softmax", number)


def test_a_function_that_is_not_the_notebooks_is_not_tried(monkeypatch, capsys):
    monkeypatch.setattr(checking, "doubt", lambda *_asked: "Run the cell of softmax first.")
    tried = []
    with pytest.raises(CheckFailed) as failure:
        check(tried.append, "softmax")
    assert tried == []
    assert "softmax: not checked" in str(failure.value) == capsys.readouterr().out.rstrip("\n")
    assert "Run the cell of softmax first." in str(failure.value)
    said = failure.value._render_traceback_()
    assert said == ["softmax was not checked: see the card above."]


class Tensor:
    """As of another library: it can become an array, and is none."""

    def __init__(self, data):
        self.data = data

    def __array__(self, dtype=None, copy=None):
        return self.data


def test_what_could_become_an_array_is_none_yet():
    said = said_about(lambda scores: Tensor(right_softmax(scores)))
    assert "softmax returned an object of type Tensor; expected an array of float64." in said


def test_a_mask_of_numbers_passes_and_is_told_what_it_will_break():
    verdict = verdict_on(lambda n: np.tril(np.ones((n, n))), "causal_mask")
    assert verdict.passed
    assert "`~mask`" in verdict.remarks[0]


def test_a_mask_of_floats_that_is_turned_around_is_named():
    def causal_attention(q, k, v):
        scores = np.where(~np.tril(np.ones((len(q), len(q)))), -np.inf, q @ k.T)
        return right_softmax(scores) @ v, right_softmax(scores)

    assert "does your mask hold 0.0 and 1.0?" in said_about(causal_attention, "causal_attention")


def test_ids_that_come_back_as_floats_are_told_of():
    verdict = verdict_on(
        lambda ids: [([float(i) for i in ids[:t]], float(ids[t])) for t in range(1, len(ids))],
        "next_token_pairs",
    )
    assert verdict.passed
    assert "`wte[ids]` refuses floats" in verdict.remarks[0]


# --- passing -----------------------------------------------------------------------------------


def test_a_right_function_passes_returns_nothing_and_says_so(capsys):
    assert check(right_softmax, "softmax") is None
    said, noise = capsys.readouterr()
    assert said.startswith("✓ softmax: passed\nYou can now turn scores into shares")
    assert "\n12 of 12 checks passed\n" in said
    assert noise == ""


@pytest.mark.parametrize(
    "kind",
    [
        lambda q, k, v: [q, k, v],
        lambda q, k, v: (q.astype("f4"), k.astype("f4"), v.astype("f4")),
        lambda q, k, v: (q.astype(np.longdouble), k, v),
        lambda q, k, v: tuple(np.ma.array(a) for a in (q, k, v)),
        lambda q, k, v: (q.copy(order="F"), k, v),
    ],
)
def test_the_kind_of_container_and_of_float_is_free(kind):
    check(lambda *args: kind(*right_qkv(*args)), "make_qkv")


def test_one_stacked_array_may_stand_for_a_tuple():
    def stacked(x, w_q, w_k, w_v):
        if w_q.shape == w_v.shape:
            return np.stack(right_qkv(x, w_q, w_k, w_v))
        return right_qkv(x, w_q, w_k, w_v)

    check(stacked, "make_qkv")


def test_extra_arguments_with_defaults_and_helpers_are_welcome():
    check(lambda scores, axis=-1, *, verbose=False: right_softmax(scores), "softmax")


def test_a_print_costs_nothing_and_gets_a_remark(capsys):
    def softmax(scores):
        print("shape:", scores.shape)
        return right_softmax(scores)

    check(softmax)
    said, noise = capsys.readouterr()
    assert "Your function prints. That costs nothing" in said
    assert "shape:" not in said
    assert noise == ""


def test_warnings_stay_inside(capfd, recwarn):
    def softmax(scores):
        warnings.warn("slow", stacklevel=2)
        np.log(np.zeros(2) * -1)
        np.exp(scores * 1e9)
        return right_softmax(scores)

    check(softmax)
    said_about(lambda scores: np.exp(scores) / np.exp(scores).sum(-1, keepdims=True))
    assert capfd.readouterr().err == ""
    assert not recwarn.list


def test_it_does_not_matter_what_numpy_and_warnings_were_told(capfd):
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        check(right_softmax, "softmax")
        said_about(lambda scores: np.exp(scores) / np.exp(scores).sum(-1, keepdims=True))
        said_about(lambda scores: scores * np.inf)
        said_about(lambda scores: right_softmax(scores) * 1e300 * 1e300)
    assert capfd.readouterr().err == ""


# --- finding the exercise -----------------------------------------------------------------------


def in_a_namespace(source, **names):
    """Run lines as a notebook does: in a namespace of their own."""
    namespace = {"check": check, "np": np, "functools": functools, **names}
    exec(source, namespace)
    return namespace


@pytest.mark.parametrize(
    "definition",
    [
        "softmax = lambda scores: right(scores)",
        "softmax = functools.partial(right)",
        "softmax = np.vectorize(right, signature='(n)->(n)')",
        "softmax = right",
        "softmax = Softmax()",
    ],
)
def test_a_function_with_another_name_is_found_by_the_learners_name_for_it(definition, capsys):
    class Softmax:
        def __call__(self, scores):
            return right_softmax(scores)

    in_a_namespace(definition + "\ncheck(softmax)", right=right_softmax, Softmax=Softmax)
    assert capsys.readouterr().out.startswith("✓ softmax: passed")


def test_a_learners_name_wins_over_the_name_in_def(capsys):
    in_a_namespace(
        "def embed(scores): return right(scores)\nsoftmax = embed\ndel embed\ncheck(softmax)",
        right=right_softmax,
    )
    assert capsys.readouterr().out.startswith("✓ softmax")


def test_any_other_namespace_will_do(capsys):
    class Stand_in(dict):
        def __missing__(self, name):
            raise NameError(name)

    namespace = Stand_in(check=check, right=right_softmax, __builtins__=__builtins__)
    exec("softmax = lambda scores: right(scores)\ncheck(softmax)", namespace)
    assert capsys.readouterr().out.startswith("✓ softmax")


def test_a_name_that_is_no_exercise_gets_the_list_of_exercises():
    def sotfmax(scores):
        return scores

    with pytest.raises(ValueError, match=r"no exercise named 'sotfmax'.*embed, .*softmax"):
        check(sotfmax)
    with pytest.raises(ValueError, match="no exercise named 'nothing'"):
        check(right_softmax, "nothing")


def test_a_result_in_place_of_the_function_is_explained():
    with pytest.raises(TypeError, match=r"write check\(softmax\), not check\(softmax\(x\)\)"):
        check(right_softmax(np.ones(3)))


# --- failing --------------------------------------------------------------------------------------


def test_the_stub_is_told_to_be_written():
    def softmax(scores):
        raise NotImplementedError()

    said = said_about(softmax)
    assert "softmax is not written yet" in said
    assert "not tried" in said


def test_none_is_told():
    assert "returned None. Does every way through it end with `return` and a value?" in said_about(
        returns(None)
    )
    assert "One of the values that make_qkv returns is None" in said_about(
        lambda *args: (*right_qkv(*args)[:2], None), "make_qkv"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1.0], "a list"),
        ("0.1 0.9", "a string"),
        ((x for x in [1]), "type generator"),
        (object(), "type object"),
        ({"w": 1}, "a dictionary"),
        (print, "builtin_function_or_method"),
        (np.array(["a"]), "an array of"),
        (np.array([1 + 2j]), "complex128"),
    ],
)
def test_what_is_no_array_of_numbers_is_named_as_what_it_is(value, words):
    assert words in said_about(returns(value))


@pytest.mark.parametrize("value", [0.5, np.float64(0.5), np.array(0.5), True])
def test_a_single_number_has_the_wrong_shape(value):
    assert "has the wrong shape" in said_about(returns(value))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (0, 3, 4), (1,) * 7, (2, 3, 4, 5)])
def test_any_shape_can_be_told(shape):
    assert f"yours {shape}, expected" in said_about(returns(np.zeros(shape)))


def test_too_many_values_are_told():
    assert "wrong number of values" in said_about(lambda *args: (*right_qkv(*args), 1), "make_qkv")


def test_one_array_is_not_told_as_several_values():
    """Also when it has as many rows as values are expected."""
    for rows in (2, 3, 5):
        said = said_about(lambda *args, rows=rows: np.zeros((rows, 4)), "make_qkv")
        assert "make_qkv returned one array; expected several values, separated by comm" in said
        assert f"yours 1, an array of shape ({rows}, 4), expected 3" in said

    def only_out(q_new, k_new, v_new, cache):
        return right_softmax(q_new) * 1.5

    said = said_about(only_out, "attend_with_cache")
    assert "returned one array; expected several values" in said


def test_a_stacked_array_is_told_by_its_values():
    said = said_about(lambda x, w_q, *rest: np.stack([x @ w_q] * 3) + 1, "make_qkv")
    assert "(returned value 1) has the right shape, but not the right numbers" in said


def test_a_list_of_rows_is_told_how_to_become_an_array():
    said = said_about(lambda *args: [list(row) for row in args[0]], "weighted_sum")
    assert "weighted_sum returned a list; expected an array of float64." in said
    assert "`np.array(...)` makes an array of it." in said
    for value in ([[1.0], [1.0, 2.0]], ["a"], (np.ones(3), np.ones(4)), (np.ones(3), np.ones(3))):
        assert "np.array" not in said_about(lambda *args, value=value: value, "weighted_sum")


def test_a_result_that_is_another_one_each_time_is_told():
    rng, calls = np.random.default_rng(1), []

    def remembers(scores):
        calls.append(scores)
        return right_softmax(scores) * len(calls)

    for softmax in (lambda scores: rng.random(scores.shape), remembers):
        assert "softmax returns something else each time" in said_about(softmax)
    for softmax in (lambda s: s * np.nan, lambda s: object(), lambda s: s + 1j, lambda s: s + 1):
        assert "each time" not in said_about(softmax)


def test_an_exception_is_told_with_the_line():
    def softmax(scores):
        shifted = scores - scores.maximum()
        return shifted

    said = said_about(softmax)
    assert "softmax stopped with AttributeError" in said
    assert "has no attribute 'maximum'" in said
    assert "in your line: shifted = scores - scores.maximum()" in said


def test_too_few_parameters_are_told():
    assert "takes 1 positional argument but 2 were given" in said_about(
        lambda q: q, "scaled_scores"
    )


def test_exit_and_endless_recursion_are_told():
    def softmax(scores):
        return softmax(scores)

    assert "tried to end the program" in said_about(lambda scores: sys.exit(1))
    assert "calls itself without end" in said_about(softmax)


def test_before_a_changed_input_only_another_structure_is_told():
    """What a wrong number comes of may be that; what a wrong shape comes of is not."""

    def changing(scores):
        scores -= scores.max(axis=-1, keepdims=True)
        return np.exp(scores)

    assert "changed its argument scores" in said_about(changing, "softmax")
    said = said_about(lambda scores: changing(scores)[..., :1], "softmax")
    assert "has the wrong shape" in said and "changed its argument" not in said


def test_a_changed_input_is_told_by_its_name():
    def weighted_sum(weights, values):
        result = weights @ values
        values *= 0
        return result

    said = said_about(weighted_sum, "weighted_sum")
    assert "changed its argument values. Work on a new array" in said


def test_a_very_long_message_is_cut():
    def softmax(scores):
        raise ValueError("no " * 100_000)

    assert len(said_about(softmax)) < 3_000


def test_an_endless_loop_is_stopped_and_told(monkeypatch):
    monkeypatch.setattr(outcomes, "SECONDS_PER_CALL", 0.2)

    def softmax(scores):
        while True:
            try:
                scores = right_softmax(scores)
            except:  # noqa: E722
                continue

    start = time.process_time()  # of this process: a loop spends it, a busy machine does not
    assert "still running after a few seconds and was stopped" in said_about(softmax)
    assert time.process_time() - start < 2


def test_an_endless_loop_is_stopped_without_an_alarm_too(monkeypatch):
    monkeypatch.setattr(outcomes, "SECONDS_PER_CALL", 0.2)
    monkeypatch.delattr(signal, "setitimer")

    def softmax(scores):
        while True:
            pass

    assert "was stopped" in said_about(softmax)


def test_a_loop_that_ends_only_sometimes_is_waited_for_once(monkeypatch):
    monkeypatch.setattr(outcomes, "SECONDS_PER_CALL", 0.2)

    waited = []

    def softmax(scores):
        while scores.ndim > 1:
            waited[:] = [*waited, scores] if not waited or waited[-1] is not scores else waited
        return right_softmax(scores)

    verdict = verdict_on(softmax)
    assert len(waited) == 1
    assert verdict.failure.kind == "timeout"
    assert [ok for _title, ok in verdict.results][:3] == [True, False, None]


def test_the_learners_own_interrupt_gets_through():
    def softmax(scores):
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        time.sleep(5)

    # A shell starts a program in the background with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            check(softmax)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_property_may_be_what_fails():
    seen = []

    def softmax(scores):
        seen.append(1)
        # Right on every case of the key, wrong on whatever comes after them.
        return right_softmax(scores) if len(seen) <= 10 else 2 * np.ones_like(scores)

    said = said_about(softmax)
    assert "a property does not hold" in said
    assert "✗ every row is positive and sums to 1: not yet" in said


# --- naming mistakes ------------------------------------------------------------------------------


def test_a_known_mistake_is_named():
    with pytest.raises(CheckFailed) as failure:
        check(lambda s: right_softmax(s.T).T, "softmax")
    assert failure.value.mistake == "over_axis_0"
    assert "Your columns sum to 1, your rows do not." in str(failure.value)


def test_a_mistake_is_named_only_when_all_cases_match():
    key = find_key("softmax")
    for wrong_case in range(len(key.cases)):
        calls = []

        def softmax(scores, calls=calls, wrong_case=wrong_case):
            calls.append(1)
            columns = right_softmax(scores.T).T
            return columns + (len(calls) == wrong_case + 1)

        assert verdict_on(softmax).mistake not in [mistake.id for mistake in key.mistakes]


@pytest.mark.parametrize(
    ("formula", "mistake"),
    [
        (lambda ids, wte, wpe, start: wte[ids] * wpe[start : start + ids.shape[-1]], "multiplied"),
        (lambda ids, wte, wpe, start: wte[ids], "no_positions"),
    ],
)
def test_a_mistake_is_named_although_the_refusal_is_still_missing(formula, mistake):
    verdict = verdict_on(lambda ids, wte, wpe, start=0: formula(ids, wte, wpe, start), "embed")
    assert verdict.mistake == mistake


def test_a_missing_refusal_alone_is_named():
    def embed(ids, wte, wpe, start=0):
        return wte[ids] + wpe[start : start + ids.shape[-1]]

    assert verdict_on(embed, "embed").mistake == "refusal_missing"


def test_the_wording_of_a_refusal_is_free():
    def embed(*args):
        try:
            return right_embed(*args)
        except ValueError:
            raise ValueError("a sentence of my own") from None

    check(embed)


def test_a_refusal_with_another_exception_is_not_right():
    def embed(*args):
        try:
            return right_embed(*args)
        except ValueError:
            raise KeyError("too long") from None

    assert "stopped with KeyError" in said_about(embed, "embed")


def test_an_error_that_is_returned_is_told():
    def embed(ids, wte, wpe, start=0):
        if start + ids.shape[-1] > len(wpe):
            return ValueError("too long")
        return right_embed(ids, wte, wpe, start)

    assert "write `raise`, not `return`" in said_about(embed, "embed")


def test_a_mistake_is_named_although_a_batch_stops_with_an_error():
    def softmax(scores):
        rows = np.atleast_2d(scores)
        if rows.ndim > 2:
            raise TypeError("one sentence at a time")
        return (np.exp(rows - rows.max(axis=-1, keepdims=True))).reshape(scores.shape)

    assert verdict_on(softmax).mistake == "not_normalised"


def test_nothing_is_named_when_what_came_back_before_the_error_is_right():
    def softmax(scores):
        if scores.ndim > 2:
            raise TypeError("one sentence at a time")
        return right_softmax(scores)

    known = {mistake.id for mistake in find_key("softmax").mistakes}
    assert verdict_on(softmax).mistake not in known


def test_a_wrong_formula_is_shown_before_a_missing_refusal():
    said = said_about(lambda ids, wte, wpe, start=0: wte[ids] * 3.7, "embed")
    assert "not the right numbers" in said


# --- where it runs --------------------------------------------------------------------------------


def test_in_plain_python_everything_is_text():
    program = (
        "from illustrated_attention import check\n"
        "def softmax(scores): return scores\n"
        "check(softmax)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=surroundings()
    )
    assert done.returncode == 1
    assert "CheckFailed: ✗ softmax: not yet" in done.stderr
    assert "<" not in done.stderr.split("CheckFailed:")[1]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A learner's notebook with many kinds of failure, run to its end."""
    cells = {
        "imports": "import numpy as np\nfrom illustrated_attention import check, hint, answer",
        "undefined": "check(softmax)",
        "undefined_elsewhere": "weights = softmax(np.ones(3))",
        "typo": "sotfmax",
        "write_wrong": "def softmax(scores):\n    return scores",
        "check_wrong": "check(softmax)",
        "write_exit": "def softmax(scores):\n    exit()",
        "check_exit": "check(softmax)",
        "write_raise": "def softmax(scores):\n    return scores.maximum()",
        "check_raise": "check(softmax)",
        "write_right": "softmax = lambda s: (np.exp(s - s.max(-1, keepdims=True)) / "
        "np.exp(s - s.max(-1, keepdims=True)).sum(-1, keepdims=True))",
        "check_right": "check(softmax)",
        "hint": "hint(softmax)",
    }
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells.values()])
    run_notebook(notebook, tmp_path_factory.mktemp("learner"), allow_errors=True)
    return dict(zip(cells, notebook.cells, strict=True)), notebook


def error_of(cell):
    [error] = [output for output in cell.outputs if output.output_type == "error"]
    return error


def card_of(cell):
    [card] = [output.data for output in cell.outputs if output.output_type == "display_data"]
    return card


def test_an_undefined_function_gets_a_sentence_that_helps(notebook):
    for name in ("undefined", "undefined_elsewhere"):
        told = "\n".join(error_of(notebook[0][name]).traceback)
        assert "Run the cell that defines it first: in lesson 01 the one" in told
    assert "in lesson" not in "\n".join(error_of(notebook[0]["typo"]).traceback)


def test_in_a_notebook_the_card_is_html_and_the_error_is_short(notebook):
    cell = notebook[0]["check_wrong"]
    card = card_of(cell)
    assert card["text/html"].startswith('<section role="status" aria-label="✗ softmax: not yet"')
    assert card["text/plain"].startswith("✗ softmax: not yet")
    assert error_of(cell).traceback == ["softmax is not right yet: see the card above."]


def test_in_a_notebook_a_right_function_leaves_one_card_and_nothing_else(notebook):
    cell = notebook[0]["check_right"]
    assert "✓ softmax: passed" in card_of(cell)["text/html"]
    assert len(cell.outputs) == 1


def test_in_a_notebook_the_line_that_raised_is_shown(notebook):
    assert (
        "in your line: return scores.maximum()" in card_of(notebook[0]["check_raise"])["text/plain"]
    )


def test_in_a_notebook_exit_is_caught_and_the_kernel_lives_on(notebook):
    assert "tried to end the program" in card_of(notebook[0]["check_exit"])["text/plain"]
    assert card_of(notebook[0]["hint"])["text/plain"].startswith("Hint 1 of 3 for softmax")


def test_in_a_notebook_nothing_goes_to_stderr(notebook):
    assert on_stderr(notebook[1]) == ""
    assert outputs(notebook[1], "stream") == []


def test_the_solution_passes_its_own_check(capsys):
    for lesson in ("00_orientation", "01_self_attention"):
        namespace = {"check": check}
        exec("import numpy as np", namespace)
        for name, source in solution_sources(lesson).items():
            exec(f"{source}\ncheck({name})", namespace)
    assert capsys.readouterr().out.count("passed\n") >= 6
