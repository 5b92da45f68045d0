"""`weighted_sum`, lesson 01. The values, mixed by their weights."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.pieces import flip, softmax
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import BLENDS, INPUTS, OUTPUTS, RIGHT_BLEND, same, softmax_over
from illustrated_attention.language import later as _

_WEIGHTS = np.array([[0.2, 0.1, 0.5, 0.2], [0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4]])

# No result lies between two tenths: processors would round it to different ones.
_VALUES = tidy(4, 2, seed=211)

_NOT_ONE = np.array([[0.001, 0.3, 0.5, 0.2], [0.4, 0.1, 0.2, 0.1]])

_HW, _HV = softmax(rough(5, 7, seed=91)), rough(7, 4, seed=92)

WEIGHTED_SUM = Exercise(
    name="weighted_sum",
    lesson="01_self_attention",
    can="You can now blend values by their weights.",
    visible=(
        Case("three queries, four keys", (_WEIGHTS, _VALUES)),
        Case("one query", (np.array([[0.2, 0.1, 0.5, 0.2]]), tidy(4, 3, seed=93))),
        Case(
            "as many queries as keys", (softmax(tidy(3, 3, seed=98)).round(1), tidy(3, 3, seed=99))
        ),
        Case("weights that do not sum to 1", (_NOT_ONE, _VALUES)),
        Case(
            "a batch with two heads",
            (softmax(tidy(2, 2, 3, 4, seed=168)).round(1), tidy(2, 2, 4, 2, seed=169)),
        ),
        late(
            "values that are whole numbers",
            (_WEIGHTS, np.array([[1, 0], [2, 3], [0, -1], [4, 4]])),
        ),
        late("weights below 0 and above 1", (np.array([[-0.2, 1.5, 0.1, 0.4]]), _VALUES)),
    ),
    hidden=(
        Case("other sizes", (_HW, _HV)),
        Case(
            "other sizes in four axes",
            (softmax(rough(2, 3, 5, 7, seed=98)), rough(2, 3, 7, 4, seed=99)),
        ),
        Case(
            "weights that do not sum to 1", (np.abs(rough(3, 4, seed=100)), rough(4, 5, seed=101))
        ),
        Case("as many queries as keys", (softmax(rough(6, 6, seed=102)), rough(6, 6, seed=103))),
        Case("whole numbers", (np.array([[1, 0, 2]]), np.array([[1, 2], [3, 4], [5, 6]]))),
        late(
            "values wider than the weights",
            (softmax(rough(3, 4, seed=108)), rough(4, 9, seed=109)),
        ),
        late("many keys", (softmax(rough(2, FAR, seed=90)), rough(FAR, 3, seed=91))),
        late("many queries", (softmax(rough(FAR, 2, seed=92)), rough(2, 3, seed=93))),
        late("many features", (softmax(rough(3, 2, seed=94)), rough(2, LONG, seed=95))),
        late("all sizes equal", (softmax(rough(3, 3, 3, 3, seed=96)), rough(3, 3, 3, 3, seed=97))),
        late(
            "tiny weights on large values",
            (np.array([[1e-6, 2e-7, 1.0], [0.0, 1.0, 1e-9]]), rough(3, 4, seed=98) * 1e7),
        ),
        late("negative and large weights", (rough(3, 4, seed=99) * 1e4, rough(4, 2, seed=100))),
        late("one query, one key", (np.full((2, 1, 1), 0.5), rough(2, 1, 3, seed=101))),
    ),
    promises=(
        Promise(
            "the result grows in proportion to the values",
            "linear_in_last",
            (_WEIGHTS, _VALUES),
            (_HW, _HV),
        ),
        Promise(
            "every example of a batch gives what it gives alone",
            "every_example_alone",
            (2, softmax(tidy(2, 3, 4, seed=104)), tidy(2, 4, 3, seed=105)),
            (2, softmax(rough(3, 2, 5, seed=106)), rough(3, 5, 4, seed=107)),
        ),
    ),
    hints=(
        "For one query: each value row times its weight, then all rows added. Which axis of "
        "`weights` runs over the values?",
        "A row of `weights` and a column of `v` have the same length, one number for each key. "
        "Multiplying them pairwise and adding up is what a matrix product does.",
        "The whole sum, for all queries and any leading axes, is `weights @ v`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

WEIGHTED_SUM.mistake(
    "weights_transposed",
    "You use the columns of the weights. Row i of the weights mixes the values for query i.",
    lambda w, v: flip(w) @ v,
)

WEIGHTED_SUM.mistake(
    "divided_by_keys",
    "Your result is divided by the number of keys: you take a mean. The weights already "
    "sum to 1; only add up.",
    lambda w, v: w @ v / w.shape[-1],
    lambda w, v: (w[..., None] * v[..., None, :, :]).mean(axis=-2),
)

WEIGHTED_SUM.mistake(
    "divided_by_queries",
    "You divide by the number of queries. The weights already sum to 1; only add up.",
    lambda w, v: w @ v / w.shape[-2],
)

WEIGHTED_SUM.mistake(
    "plain_mean",
    "Every query gets the plain mean of the values. Where do the weights come in?",
    lambda w, v: np.broadcast_to(
        v.mean(axis=-2, keepdims=True), (*w.shape[:-1], v.shape[-1])
    ).copy(),
)

WEIGHTED_SUM.mistake(
    "not_summed",
    "You multiply each value by its weight, but do not add up: there is an axis too many. "
    "Sum over the keys.",
    lambda w, v: w[..., None] * v[..., None, :, :],
)

WEIGHTED_SUM.mistake(
    "one_value_left_out",
    "One value is left out, the last or the first. Every key brings its value: where does your "
    "loop or slice begin and end?",
    lambda w, v: w[..., :-1] @ v[..., :-1, :],
    lambda w, v: w[..., 1:] @ v[..., 1:, :],
)

WEIGHTED_SUM.mistake(
    "summed_over_queries",
    "You sum over the queries. Each query keeps a row of its own; sum over the keys.",
    lambda w, v: (w[..., None] * v[..., None, :, :]).sum(axis=-3),
)

WEIGHTED_SUM.mistake(
    "summed_over_everything",
    "You sum over queries and keys. Each query keeps a row of its own; sum over the keys only.",
    lambda w, v: (w @ v).sum(axis=-2),
)

WEIGHTED_SUM.mistake(
    "last_key_only",
    "Only the value of the last key is left in your result. Does each step of a loop "
    "overwrite the one before? Add up with `+=`.",
    lambda w, v: w[..., -1:] * v[..., -1:, :],
)


@WEIGHTED_SUM.mistake(
    "first_row_only",
    "Only the first row of your result is filled. Does a `return` stand inside the loop?",
)
def _first_row_only(weights, v):
    out = weights @ v
    out[..., 1:, :] = 0
    return out


@WEIGHTED_SUM.mistake(
    "best_only", "You take the value with the largest weight. The result is a blend of all values."
)
def _pick_best(weights, v):
    best = weights.argmax(axis=-1)
    return np.take_along_axis(v, best[..., None], axis=-2)


WEIGHTED_SUM.mistake(
    "result_transposed",
    "The last two axes of your result are swapped. A row belongs to a query.",
    lambda w, v: flip(w @ v),
)

WEIGHTED_SUM.mistake(
    "first_query_only",
    "You return the result of the first query only. Every query has a row.",
    lambda w, v: w[..., 0, :] @ v,
)

WEIGHTED_SUM.mistake(
    "elementwise",
    "You multiply cell by cell with `*`. A matrix product, `@`, multiplies and adds up.",
    lambda w, v: w * v,
)

WEIGHTED_SUM.mistake(
    "sides_swapped",
    "You put the values on the left. Row i of the weights meets the columns of `v`: the "
    "weights stand on the left of `@`.",
    lambda w, v: v @ w,
)

WEIGHTED_SUM.mistake(
    "values_transposed",
    "You transpose the values. A row of `v` is the value of one token; it stays a row.",
    lambda w, v: w @ flip(v),
)

WEIGHTED_SUM.mistake(
    "normalised_again",
    "You bring the weights to a sum of 1 first. Use them as they are given.",
    lambda w, v: w @ v / w.sum(axis=-1, keepdims=True),
)

WEIGHTED_SUM.mistake(
    "softmax_again",
    "You apply softmax to the weights. They are weights already; use them as given.",
    lambda w, v: softmax(w) @ v,
)

WEIGHTED_SUM.mistake(
    "dot_for_batches",
    "The result has too many axes: `np.dot` combines every example of a batch with every "
    "other. `@` keeps the examples apart.",
    lambda w, v: np.dot(w, v),
)

WEIGHTED_SUM.mistake(
    "weights_squared",
    "The weights come in twice. Multiply each value by its weight once.",
    lambda w, v: (w * w) @ v,
)

WEIGHTED_SUM.mistake(
    "rounded",
    "Your numbers are rounded. Round when you print, never in what you return.",
    lambda w, v: np.round(w @ v, 1),
    lambda w, v: np.round(w @ v, 2) if w.ndim != 2 else np.round(w @ v, 1),
)

WEIGHTED_SUM.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    lambda w, v: (w @ v).astype(np.float16),
)

WEIGHTED_SUM.mistake(
    "list_returned",
    "The numbers are right, but you return a list. Return the NumPy array.",
    lambda w, v: (w @ v).tolist(),
)


@WEIGHTED_SUM.mistake(
    "weights_changed",
    "`weights` is different after the call: `/=` writes into the caller's array. And the "
    "weights should be used as they are given.",
)
def _weights_changed(weights, v):
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights @ v


# --- unusual, and right --------------------------------------------------------------------------

WEIGHTED_SUM.also_right("einsum", lambda w, v: np.einsum("...ij,...jd->...id", w, v))

WEIGHTED_SUM.also_right(
    "broadcast and sum", lambda w, v: (w[..., None] * v[..., None, :, :]).sum(axis=-2)
)


@WEIGHTED_SUM.also_right("loops")
def _sum_by_hand(weights, v):
    out = np.zeros((*weights.shape[:-1], v.shape[-1]))
    for index in np.ndindex(*weights.shape[:-1]):
        for j in range(v.shape[-2]):
            out[index] += weights[index][j] * v[*index[:-1], j]
    return out


WEIGHTED_SUM.also_right("transposed on both sides", lambda w, v: flip(flip(v) @ flip(w)))

WEIGHTED_SUM.also_right("float32", lambda w, v: w.astype("f4") @ v.astype("f4"))


def _matmul_out(weights, v):
    out = np.empty((*weights.shape[:-1], v.shape[-1]))
    np.matmul(weights, v, out=out)
    return out


WEIGHTED_SUM.also_right("np.matmul into an array", lambda w, v: _matmul_out(w, v))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(weights_are, values_are, blend, out):
    return lambda weights, v: out(blend(weights_are(weights), values_are(v)), weights)


WEIGHTED_SUM.steps = Steps(
    _build,
    {"weights_are": same, "values_are": same, "blend": RIGHT_BLEND, "out": lambda y, w: y},
    {
        "weights_are": (
            Wrong("weights_transposed", _("The weights are transposed before they are used."), flip),
            Wrong("weights_softmaxed", _("Softmax is applied to the weights first."), softmax_over(-1)),
            Wrong("weights_renormalised", _("The weights are divided by their sum first; they are to be used as given."), lambda w: w / w.sum(-1, keepdims=True)),
            Wrong("weights_masked", _("The weights are masked; they are to be used as given."), lambda w: w * np.tri(*w.shape[-2:])),
            Wrong("small_weights_dropped", _("Small weights are dropped."), lambda w: np.where(w < 0.05, 0, w)),
            Wrong("two_largest_only", _("Only the two largest weights of each row are used."), lambda w: np.where(w >= np.sort(w, -1)[..., -2:-1], w, 0)),
            Wrong("weights_rounded", _("The weights are rounded first."), lambda w: np.round(w, 1)),
        ),
        "values_are": (*INPUTS, Wrong("values_backwards", _("The values stand in reverse order."), lambda v: v[..., ::-1, :])),
        "blend": (BLENDS[1], BLENDS[5]),
        "out": (
            Wrong("divided_by_tokens", _("The weighted sum is divided by the number of keys."), lambda y, w: y / w.shape[-1]),
            Wrong("divided_by_queries", _("The weighted sum is divided by the number of queries."), lambda y, w: y / w.shape[-2]),
            *(Wrong(w.id, w.sentence, lambda y, _w, f=w.way: f(y)) for w in OUTPUTS),
        ),
    },
)  # fmt: skip
