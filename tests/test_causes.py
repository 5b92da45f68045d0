"""check names causes that nobody listed: from the numbers, the source, errors, and two at once."""

import math

import numpy as np
import pytest

from autograder import judge
from autograder.exercises import all_exercises
from autograder.exercises.making_keys import visible_key
from autograder.exercises.reference import reference
from illustrated_attention.answer_keys import find_key
from illustrated_attention.causes import Cause, one_or_the_other
from illustrated_attention.comparing import compare
from illustrated_attention.examine import examine
from illustrated_attention.outcomes import call

n_head = 4  # "the notebook's"
w = np.ones((3, 3))
deviations = np.array([-3.0, -1.0, 1.0, 3.0])  # lesson 06 works with them
params = {"h.0.mlp.c_fc.weight": np.ones((3, 12))}  # of the whole model
SLOPE = 0.5  # a constant, nobody's argument

softmax = reference("softmax")
split_heads, merge_heads = reference("split_heads"), reference("merge_heads")


def told(function, exercise: str):
    verdict = examine(function, find_key(exercise))
    assert not verdict.passed
    return verdict


# --- every wrong implementation with the id that must be told, and words that must be in it -------


def q_times_k(q, k):
    return q @ np.swapaxes(k, -1, -2)


def in_torch(q, k):
    return q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])


def with_dim(scores):
    e = np.exp(scores - scores.max(dim=-1, keepdim=True))
    return e / e.sum(-1, keepdims=True)


def halved_power(merged, w, b):
    return merged @ w + abs(b) ** 1 / 2


def notebooks_head_count(x, n_heads):
    return np.swapaxes(x.reshape(*x.shape[:-1], n_head, x.shape[-1] // n_head), -2, -3)


def thrown_away(scores, mask):
    np.where(mask, scores, -np.inf)
    return softmax(scores) + 0.25


def returned_in_the_loop(z):
    for head in range(z.shape[-3]):
        return z[..., head, :, :] + 1


def pythons_max(weights, v):
    return sum(weights) * 0.5 + weights @ v


def plain_transpose(q, k, v):
    n = q.shape[-2]
    weights = softmax(np.where(np.tri(n, dtype=bool), q @ k.T / q.shape[-1] ** 0.5, -np.inf))
    return weights @ v, weights


def argument_left_out(merged, w, b):
    return merged @ w @ w


def stops_in_a_helper(q, k, v, n_head):
    return merge_heads((q, k, v))


def power_of_c(x):
    return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x ^ 3)))


def asserts_too_much(merged, w, b):
    assert merged.ndim == 7
    assert len(b) == 7
    return merged @ w + b


def lessons_own_data(x, g, b, eps=1e-5):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((deviations**2).mean() + eps) * g + b


def whole_models_dictionary(x, own):
    hidden = x @ params["c_fc.weight"] + params["c_fc.bias"]
    return hidden @ params["c_proj.weight"] + params["c_proj.bias"]


def power_of_whole_numbers(n_layer, d_model, n_vocab, n_positions):
    d = d_model
    return (n_vocab + n_positions) * d + n_layer * (12 * d ^ 2 + 13 * d) + 2 * d


def root_of_what_may_be_negative(x):
    return x * np.sqrt(x) / np.sqrt(x + 1)


def more_than_one_number(x, g, b, eps=1e-5):
    out = np.zeros_like(x)
    for i, row in enumerate(x):
        out[i] = (row - row.mean()) / np.sqrt(row.var() + eps) * g + b
    return out


def unpacked_along_the_wrong_axis(x, w, b):
    q, k, v = (x @ w + b).reshape(*x.shape[:-1], 3, x.shape[-1])
    return q, k, v


def beyond_the_end(x, n_head):
    d = x.shape[-1] // n_head
    out = np.zeros((*x.shape[:-2], n_head, x.shape[-2], d))
    for head in range(n_head):
        out[..., head, :, :] = x[..., head * x.shape[-1] :][..., :d]
    return out


def two_heads_whatever_is_asked(q, k, v, n_head):
    return merge_heads(split_heads(q, 2) @ split_heads(k, 2)), split_heads(v, 2)


def returned_in_every_branch(attention, n, d):
    q, k, v = np.random.default_rng(0).standard_normal((3, n, d))
    before, _ = attention(q, k, v)
    for t in range(1, n):
        changed = [array.copy() for array in (q, k, v)]
        for array in changed:
            array[t] += 1
        after, _ = attention(*changed)
        if not np.allclose(before[:t], after[:t]):  # noqa: SIM103
            return True
        else:
            return False


def last_row_only(scores):
    for row in scores:
        e = np.exp(row - row.max())
        weights = e / e.sum()
    return weights


def answer_of_the_last_round(attention, n, d):
    q, k, v = np.random.default_rng(0).standard_normal((3, n, d))
    before, _ = attention(q, k, v)
    for t in range(1, n):
        after, _ = attention(*(a + 3 * (np.arange(n) == t)[:, None] for a in (q, k, v)))
        leaks = not np.allclose(before[:t], after[:t])
    return leaks


def two_of_a_maximum(scores):
    largest, _ = np.max(scores, axis=-1, keepdims=True)
    return np.exp(scores - largest)


def letters_for_three_axes(q, k):
    return np.einsum("bid,bjd->bij", q, k) / q.shape[-1] ** 0.5


def stacked_matrices(x, w_q, w_k, w_v):
    return tuple(x @ np.stack([w_q, w_k, w_v]))


def without_defaults(n_layer, n_head, d_head, n_tokens, batch, itemsize):
    return 2 * n_layer * n_head * d_head * n_tokens * batch * itemsize


first_width = None
masks = {}


def keeps_the_first_width(q, k):
    global first_width
    if first_width is None:
        first_width = q.shape[-1]
    return q @ np.swapaxes(k, -1, -2) / first_width**0.5


def keeps_the_first_mask(n):
    if "mask" not in masks:
        masks["mask"] = np.tri(n, dtype=bool)
    return masks["mask"]


SOURCE = [
    (lessons_own_data, "layer_norm", "notebook_name", "`deviations` in your line"),
    (whole_models_dictionary, "mlp", "notebook_name", "`params` in your line"),
    (power_of_whole_numbers, "count_parameters", "xor_for_power", "write `**`"),
    (root_of_what_may_be_negative, "gelu", "nan_arises", "a root is taken of a number below 0"),
    (more_than_one_number, "layer_norm", "several_for_one", "room for one"),
    (unpacked_along_the_wrong_axis, "qkv_projection", "fixed_axes", "along its first axis"),
    (beyond_the_end, "split_heads", "empty_slice", "it is empty"),
    (two_heads_whatever_is_asked, "multi_head_attention", "sizes_do_not_fit", "never uses"),
    (returned_in_every_branch, "find_leak", "return_in_loop", "`return False` among them"),
    (last_row_only, "softmax", "overwritten_in_loop", "gives `weights` a new value"),
    (answer_of_the_last_round, "find_leak", "overwritten_in_loop", "gives `leaks` a new value"),
    (two_of_a_maximum, "softmax", "pytorch_word", "gives the values alone"),
    (letters_for_three_axes, "scaled_scores", "letters_of_einsum", "`...` stands for"),
    (stacked_matrices, "make_qkv", "cannot_be_stacked", "one and the same shape"),
    (without_defaults, "kv_cache_bytes", "missing_argument", "without `batch` and `itemsize`"),
    (keeps_the_first_width, "scaled_scores", "kept_between_calls", "`first_width` keeps"),
    (keeps_the_first_mask, "causal_mask", "kept_between_calls", "`masks` keeps"),
    (stops_in_a_helper, "multi_head_attention", "list_for_array", "leads to `merge_heads`"),
    (power_of_c, "gelu", "xor_for_power", "write `**`"),
    (asserts_too_much, "project", "right_input_refused", "`assert merged.ndim == 7`"),
    (in_torch, "scaled_scores", "pytorch_word", "np.swapaxes(x, -2, -1)"),
    (with_dim, "softmax", "pytorch_word", "axis="),
    (halved_power, "project", "precedence", "binds more tightly"),
    (notebooks_head_count, "split_heads", "notebook_name", "`n_head` in your line"),
    (thrown_away, "masked_softmax", "thrown_away", "throws it away"),
    (returned_in_the_loop, "merge_heads", "return_in_loop", "inside the loop"),
    (pythons_max, "weighted_sum", "pythons_own", "first axis"),
    (plain_transpose, "causal_attention", "all_axes_transposed", "`.T` turns round all axes"),
    (argument_left_out, "project", "unused_argument", "`b`"),
]


@pytest.mark.parametrize(("function", "exercise", "id", "words"), SOURCE)
def test_a_cause_in_the_source_is_named_with_the_learners_line(function, exercise, id, words):
    verdict = told(function, exercise)
    assert verdict.mistake == id
    assert words in verdict.message


def rows_as_they_come(x):
    return x.reshape(x.shape[1], -1)


def flat_for_a_batch(merged, w, b):
    out = merged @ w + b
    return out.reshape(-1, out.shape[-1]) if out.ndim > 2 else out + np.cos(7 * out)


def test_where_the_shape_is_wrong_is_said_when_it_is_not_wrong_everywhere():
    # The card may show a result of the right shape: its words must be true of that one, too.
    order = told(rows_as_they_come, "merge_heads")
    assert order.message == "You return the right numbers, but in another order."
    flat = told(flat_for_a_batch, "project")
    assert flat.mistake == "axes_flattened"
    assert flat.message.startswith("Where your result has the wrong shape: Your numbers are right")


def test_what_is_kept_is_blamed_only_where_an_empty_start_makes_all_right():
    def scaled_scores(q, k):
        masks["calls"] = masks.get("calls", 0) + 1  # counted, and not used
        return q @ np.swapaxes(k, -1, -2)

    assert told(scaled_scores, "scaled_scores").mistake == "not_scaled"


def test_a_transpose_is_blamed_only_where_another_one_would_change_the_result():
    def scaled_scores(q, k):
        while k.ndim > 2:
            k = k[0]
        return q @ k.T / q.shape[-1] ** 0.5

    assert "`.T`" not in told(scaled_scores, "scaled_scores").message


def test_a_value_that_the_next_round_reads_is_not_said_to_be_lost():
    def softmax(scores):
        largest = scores[..., :1]
        for i in range(scores.shape[-1]):
            largest = np.maximum(largest, scores[..., i : i + 1])
        return largest

    assert told(softmax, "softmax").mistake != "overwritten_in_loop"


def right(name):
    return reference(name)


NUMBERS = [
    ("scaled_scores", lambda y: 3 * y, "factor"),
    ("make_qkv", lambda y: tuple(np.round(part, 1) for part in y), "rounded"),
    ("project", lambda y: y[..., ::-1], "reversed"),
    ("project", lambda y: np.roll(y, 1, -1), "shifted"),
    ("project", lambda y: y - 3, "offset"),
    ("project", np.exp, "exp"),
    ("project", lambda y: y.reshape(-1, y.shape[-1]), "axes_flattened"),
    ("project", lambda y: np.clip(y, -0.5, None), "cut_off"),
    ("causal_mask", lambda m: m[None], "axis_too_many"),
    ("project", lambda y: y / np.linalg.norm(y, axis=-1, keepdims=True), "length_of_one"),
    ("project", lambda y: y / np.exp(y.sum(-1, keepdims=True)), "factor_of_each_row"),
    ("project", lambda y: np.concatenate([y, 0 * y], axis=-1), "too_long"),
    ("project", lambda y: np.concatenate([y + 1, y], axis=-1), "too_long"),
    ("kv_cache_bytes", lambda n: n % 2**32 - (n % 2**32 >= 2**31) * 2**32, "beyond_32_bits"),
    ("cached_causal_mask", lambda m: m & (np.indices(m.shape).sum(0) != 3), "false_too_often"),
    ("cached_causal_mask", lambda m: m | (np.indices(m.shape).sum(0) == 4), "true_too_often"),
    ("make_qkv", lambda y: (y[1], y[2], y[0]), "order_kvq"),
    ("head_contributions", lambda y: y.sum(-3), "summed"),
    ("project", lambda y: y.mean(-2, keepdims=True) + 0 * y, "same_along_an_axis"),
    ("project", lambda y: y[..., : (y.shape[-1] + 1) // 2], "part_only"),
    ("project", lambda y: y[..., :0], "empty"),
    ("project", lambda y: np.where(y < 0, y + np.cos(7 * y), y), "some_values"),
    ("project", lambda y: 0.99 * y + 0.001 * y**2, "nearly"),
    ("find_leak", lambda y: 3 * y, "truth_as_number"),
    ("count_parameters", lambda n: n + 12, "off_by_a_product"),
    ("generate", lambda ids: ids[:-2], "list_ends_wrong"),
    ("generate", lambda ids: [*ids, 0, 0], "list_ends_wrong"),
    ("make_qkv", lambda y: y[:2], "number_of_values"),
    ("make_qkv", lambda y: (-y[0], y[1], 3 * y[2]), "sign+factor"),
]


@pytest.mark.parametrize(("exercise", "change", "id"), NUMBERS)
def test_what_was_done_to_the_right_numbers_is_named(exercise, change, id):
    solution = reference(exercise)
    assert told(lambda *args: change(solution(*args)), exercise).mistake == id


def test_a_constant_of_the_learners_is_no_argument_that_was_forgotten():
    def gelu(x):
        return x * SLOPE

    assert told(gelu, "gelu").mistake != "notebook_name"


def test_an_argument_that_is_added_too_often_is_named():
    def once_for_each_feature(merged, w, b):
        return sum(merged[..., i : i + 1] * w[i] + b for i in range(len(w)))

    verdict = told(once_for_each_feature, "project")
    assert verdict.mistake == "argument_added"
    assert "a multiple of `b`" in verdict.message
    three_times = told(lambda merged, w, b: merged @ w + 4 * b, "project")
    assert "plus 3 times `b`" in three_times.message


def test_entries_of_a_dictionary_that_changed_places_are_named():
    gelu = reference("gelu")

    def mlp(x, params):
        hidden = gelu(x @ params["c_fc.weight"] + params["c_proj.bias"])
        return hidden @ params["c_proj.weight"] + params["c_fc.bias"]

    verdict = told(mlp, "mlp")
    assert verdict.mistake == "entries_exchanged"
    assert '`params["c_fc.bias"]` and `params["c_proj.bias"]`' in verdict.message


def test_who_refuses_by_himself_is_not_told_what_a_called_function_refuses():
    gpt2 = reference("gpt2")

    def generate(token_ids, params, n_head, n_new):
        if len(token_ids) + n_new > params["wpe.weight"].shape[1]:
            raise ValueError("too long")
        ids = list(token_ids)
        for _ in range(n_new):
            ids.append(int(gpt2(np.array(ids), params, n_head)[0][-1].argmax()))
        return ids

    def fed_again(token_ids, params, n_head, n_new):
        if len(token_ids) + n_new > len(params["wpe.weight"]):
            raise ValueError("too long")
        ids, past = list(token_ids), None
        for _ in range(n_new):
            logits, past = gpt2(np.array(ids), params, n_head, past)
            ids.append(int(logits[-1].argmax()))
        return ids

    assert told(generate, "generate").mistake == "wrong_condition"
    assert told(fed_again, "generate").mistake == "everything_fed_again"


def test_counts_of_a_large_model_are_alike_only_where_they_are_equal():
    def without_some_biases_and_norms(n_layer, d_model, n_vocab, n_positions):
        words = (n_vocab + n_positions) * d_model
        return words + n_layer * (12 * d_model**2 + 7 * d_model)  # 6D too few, not 5D

    verdict = judge(without_some_biases_and_norms, "count_parameters")
    assert not verdict.passed
    assert "5D numbers" not in verdict.message


def test_only_the_wrong_one_of_several_values_is_blamed():
    solution = reference("make_qkv")

    def make_qkv(*args):
        q, k, v = solution(*args)
        return q, 5 * k, v

    verdict = told(make_qkv, "make_qkv")
    assert verdict.mistake == "factor"
    assert "only number 2 is wrong" in verdict.message


def test_the_size_behind_a_factor_is_named():
    """d times too large, while no step of the exercise would give that."""
    solution = reference("weighted_sum")
    verdict = told(lambda weights, v: solution(weights, v) * v.shape[-1] ** 0.5, "weighted_sum")
    assert verdict.mistake == "factor"
    assert "the root of the last axis of `v`" in verdict.message


def test_two_mistakes_at_once_are_both_told():
    def scaled_scores(q, k):
        return k @ np.swapaxes(q, -1, -2) / q.shape[-1]

    verdict = told(scaled_scores, "scaled_scores")
    assert verdict.mistake == "keys_times_queries+divided_by_d"
    assert "Two things at once" in verdict.message


def test_two_known_mistakes_that_show_in_different_cases_are_both_told():
    def softmax(scores):
        e = np.exp(scores)
        return (e / e.sum(axis=-1, keepdims=True)).astype(scores.dtype)

    verdict = told(softmax, "softmax")
    assert verdict.mistake == "no_max_subtracted+whole_number_result"
    assert verdict.message.startswith("Two things at once.")


def test_two_mistakes_are_not_told_where_nothing_is_left_of_the_numbers():
    verdict = examine(lambda x: x * np.nan, find_key("softmax"))
    assert verdict.mistake == "all_nan"


def test_a_known_mistake_and_a_step_more_are_both_told():
    def find_leak(attention, n, d):
        q, k, v = np.random.default_rng(0).normal(size=(3, n, d))
        _out, weights = attention(q, k, v)
        clean = np.allclose(np.triu(weights, 1), 0)
        return bool(clean)

    verdict = told(find_leak, "find_leak")
    assert verdict.mistake == "weights_only+opposite"
    assert verdict.message.startswith("Two things at once.")


def with_helpers(**helpers):
    """multi_head_attention as a notebook has it, with some of its functions."""
    names = {"split_heads": split_heads, "merge_heads": merge_heads}
    scope = {**names, "causal_attention": reference("causal_attention"), **helpers}
    source = (
        "def multi_head_attention(q, k, v, n_head):\n"
        "    out, weights = causal_attention(*(split_heads(a, n_head) for a in (q, k, v)))\n"
        "    return merge_heads(out), weights\n"
    )
    exec(source, scope)
    return scope["multi_head_attention"]


def test_a_wrong_function_of_an_earlier_exercise_is_named_where_it_is_called():
    def unwritten(x):
        raise NotImplementedError

    verdict = told(with_helpers(merge_heads=lambda x: merge_heads(x) * 2), "multi_head_attention")
    assert verdict.mistake == "wrong_helper"
    assert "`check(merge_heads)`" in verdict.message
    verdict = told(with_helpers(merge_heads=unwritten), "multi_head_attention")
    assert "`merge_heads`, and that is not written yet" in verdict.message
    assert examine(with_helpers(), find_key("multi_head_attention")).passed


def test_a_wrong_function_of_an_earlier_exercise_comes_before_what_it_looks_like():
    """What it does is a known mistake of this exercise, and nothing here is to be mended."""
    scope = {"np": np, "softmax": lambda scores: np.exp(scores) / np.exp(scores).sum(-1)[..., None]}
    source = (
        "def masked_softmax(scores, mask):\n    return softmax(np.where(mask, scores, -np.inf))\n"
    )
    exec(source, scope)
    verdict = told(scope["masked_softmax"], "masked_softmax")
    assert verdict.mistake == "wrong_helper"
    assert "`check(softmax)`" in verdict.message


def test_where_one_of_two_causes_fits_both_are_told_with_an_or():
    one, other, third = (Cause(id, f"It is {id}.") for id in "abc")
    assert one_or_the_other([]) is None
    assert one_or_the_other([one]) == one
    assert one_or_the_other([one, other]) == Cause("a|b", "It is a. Or: It is b.")
    assert one_or_the_other([one, other, third]) is None


def test_a_mistake_that_may_be_one_of_two_is_told_as_such():
    """In the cases that come back, the queries are what the first axis counts, too."""

    def scaled_scores(q, k):
        out = np.zeros((len(q), len(k)))
        for i in range(len(q)):
            for j in range(len(k)):
                out[i, j] = q[i] @ k[j] / math.sqrt(len(q))
        return out

    verdict = told(scaled_scores, "scaled_scores")
    assert verdict.mistake == "scaled_by_number_of_queries|scaled_by_first_axis"
    assert " Or: " in verdict.message


def test_an_argument_that_changes_nothing_is_named():
    def multi_head_attention(q, k, v, n_head):
        heads = split_heads(q, n_head)
        scores = heads @ np.swapaxes(heads, -1, -2) / heads.shape[-1] ** 0.5 + 0 * (
            k.sum() - v.sum()
        )
        mask = np.tri(q.shape[-2], dtype=bool)
        weights = softmax(np.where(mask, scores, -np.inf))
        return merge_heads(weights @ heads), weights

    verdict = told(multi_head_attention, "multi_head_attention")
    assert verdict.mistake == "no_effect"
    assert "`k` and `v`" in verdict.message


def test_an_argument_that_counts_where_all_is_right_is_not_said_to_change_nothing():
    """Large scores come out as nan or 0, whatever they are; small ones do not."""

    def masked_softmax(scores, mask):
        while mask.ndim > 2:
            mask = mask.all(axis=0)
        return softmax(np.where(mask, scores, -np.inf))

    assert told(masked_softmax, "masked_softmax").mistake != "no_effect"


def test_two_arguments_that_changed_places_are_named():
    def kv_cache_bytes(n_layer, n_head, d_head, n_tokens, itemsize=4, batch=1):
        return 2 * n_layer * n_head * d_head * n_tokens * batch * itemsize

    def head_contributions(w, z):
        return z @ w.reshape(z.shape[-3], z.shape[-1], -1)

    def no_more_than_a_thousand(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
        n_tokens = min(n_tokens, 1000)
        return 2 * n_layer * n_head * d_head * n_tokens * batch * itemsize

    assert told(no_more_than_a_thousand, "kv_cache_bytes").mistake != "arguments_exchanged"
    verdict = told(kv_cache_bytes, "kv_cache_bytes")
    assert verdict.mistake == "arguments_exchanged"
    assert "`itemsize` and `batch`" in verdict.message
    assert told(head_contributions, "head_contributions").mistake == "arguments_exchanged"


def test_one_array_for_all_returned_values_is_named():
    def qkv_projection(x, w, b):
        rows, d = np.empty(x.shape), w.shape[0]
        for part in range(3):
            columns = slice(part * d, (part + 1) * d)
            rows[...] = x @ w[:, columns] + b[columns]
        return rows, rows, rows

    assert told(qkv_projection, "qkv_projection").mistake == "values_all_the_same"


def test_a_dictionary_that_is_read_with_a_dot_is_named():
    def mlp(x, params):
        return x @ params.c_fc

    verdict = told(mlp, "mlp")
    assert verdict.mistake == "dictionary_with_a_dot"
    assert "`.c_fc`" in verdict.message


def test_numbers_that_come_twice_are_what_the_wrong_cases_have_in_common():
    def next_token_pairs(token_ids):
        ids = list(token_ids)
        return [(ids[: ids.index(t)], t) for t in ids[1:]]

    verdict = told(next_token_pairs, "next_token_pairs")
    assert verdict.mistake == "repeated_number"
    assert "`token_ids`" in verdict.message


@pytest.mark.parametrize(
    ("change", "id"),
    [
        (lambda low, high: 1 / low, "a_factor"),
        (lambda low, high: 1 / (1.009 * high), "inverse_of_one_that_fits"),
        (lambda low, high: (1.009 * high) ** 2, "square_of_one_that_fits"),
        (lambda low, high: float(round((low + high) / 2)), "one_that_fits_rounded"),
        (lambda low, high: low / 1.3, "too_small"),
        (lambda low, high: high * 1.3, "too_large"),
    ],
)
def test_how_a_number_that_was_searched_for_went_wrong_is_told(change, id):
    key = find_key("recover_divisor")
    numbers = {case.args[0].tobytes(): change(*case.within) for case in key.cases}
    verdict = told(lambda scores, table: numbers[scores.tobytes()] * table[0, 0], "recover_divisor")
    assert verdict.mistake == id


def test_what_is_right_only_where_check_shows_it_is_told():
    key = find_key("count_parameters")
    results = {case.args: number for case, number in zip(key.cases, key.expected, strict=True)}

    def count_parameters(*sizes):
        return results.get(sizes, 7 * sum(sizes))

    assert told(count_parameters, "count_parameters").mistake == "property_broken"
    verdict = judge(count_parameters, "count_parameters")
    assert verdict.mistake == "right_where_shown"


def test_what_is_just_different_is_not_explained():
    rng = np.random.default_rng(5)
    noise = {}

    def project(merged, w, b):
        key = merged.tobytes() + b.tobytes() + w.tobytes()
        if key not in noise:
            noise[key] = rng.normal(size=(*merged.shape[:-1], w.shape[-1]))
        return noise[key]

    assert told(project, "project").mistake is None


def test_a_single_number_is_not_said_to_lack_softmax():
    solution = reference("recover_divisor")
    for power in (2, 3):
        function = lambda *args, p=power: solution(*args) ** p  # noqa: E731
        assert told(function, "recover_divisor").mistake != "not_softmaxed"
    assert told(lambda n: (n * n * n, n), "projection_counts").mistake != "not_softmaxed"


def test_true_and_false_are_not_said_to_be_in_another_order():
    """Two masks with as many True are alike in no other way."""
    solution = reference("cached_causal_mask")
    turned = told(lambda *n: solution(*n).T[::-1], "cached_causal_mask")
    assert turned.mistake != "order"


def test_leading_axes_are_blamed_only_where_each_sentence_alone_is_right():
    solution = reference("layer_norm")

    def gain_too_early(x, g, b, eps=1e-5):
        return solution(x * g, np.ones_like(g), b, eps)

    assert told(gain_too_early, "layer_norm").mistake != "leading_axes"


STEPS = {e.name: e.steps for e in all_exercises() if e.steps}


@pytest.mark.parametrize("name", STEPS)
def test_the_right_steps_together_are_right(name):
    steps, key = STEPS[name], visible_key(name)
    function = steps.build(**steps.right)
    for case, expected in zip(key.cases, key.expected, strict=True):
        if not case.raises:
            assert compare(call(function, case).value, expected) is None, case.title


@pytest.mark.parametrize("name", STEPS)
def test_what_is_told_of_steps_is_true(name):
    """A few of the implementations with two wrong steps: what is told is what was done."""
    key = find_key(name)
    variants = [v for v in STEPS[name].variants() if len(v[0]) == 2]
    for wrong, function in variants[:: max(1, len(variants) // 5)]:
        verdict = examine(function, key)
        if verdict.passed or "+" not in (verdict.mistake or ""):
            continue
        done = [step.sentence for step in wrong]
        assert all(sentence in verdict.message for sentence in done) or "Or:" in verdict.message


@pytest.mark.parametrize(
    "change", [lambda y: 3.25 * y, lambda y: y + 3.25, lambda y: np.minimum(y, 3.25)]
)
def test_no_number_that_a_function_returned_is_told_by_the_judge(change):
    """It could be one that a hidden case gave to the function."""
    solution = reference("project")
    function = lambda *args: change(solution(*args))  # noqa: E731
    assert "3.25" not in judge(function, "project").message

    def raising(*args):
        raise NameError("name 'secret_325' is not defined")

    assert "325" not in judge(raising, "project").message


def test_no_right_variant_is_accused():
    for exercise in all_exercises():
        for variant in exercise.right:
            assert examine(variant.implementation, find_key(exercise.name)).passed
