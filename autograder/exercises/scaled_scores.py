"""`scaled_scores`, lesson 01. How well each query fits each key."""

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
from autograder.exercises.pieces import dot, flip, softmax
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import (
    OUTPUTS,
    RIGHT_SCALE,
    RIGHT_SCORES,
    SCALES,
    SCORES,
    same,
    sizes,
)
from illustrated_attention.language import later as _

_Q, _K = tidy(3, 3, seed=40), tidy(4, 3, seed=41)

_HQ, _HK = rough(5, 6, seed=42), rough(7, 6, seed=43)

SCALED_SCORES = Exercise(
    name="scaled_scores",
    lesson="01_self_attention",
    can="You can now let every query meet every key.",
    visible=(
        Case("three queries, four keys", (_Q, _K)),
        Case("one query, two keys", (tidy(1, 2, seed=44), tidy(2, 2, seed=45))),
        Case("as many keys as numbers in a key", (tidy(2, 4, seed=256), tidy(4, 4, seed=257))),
        Case("a batch with two heads", (tidy(2, 2, 3, 5, seed=48), tidy(2, 2, 4, 5, seed=49))),
        Case("eight numbers in a vector", (tidy(2, 8, seed=50), tidy(2, 8, seed=51))),
        late(
            "whole numbers among others",
            (np.array([[1, 0, 2], [0, -1, 1]]), _K),
        ),
        late("large numbers", (30 * _Q, 30 * _K)),
    ),
    hidden=(
        Case("more keys than queries", (_HQ, _HK)),
        Case("other sizes in four axes", (rough(2, 3, 5, 6, seed=52), rough(2, 3, 7, 6, seed=53))),
        Case("64 numbers in a vector", (rough(3, 64, seed=54), rough(4, 64, seed=55))),
        Case("as many keys as numbers", (rough(3, 6, seed=56), rough(6, 6, seed=57))),
        Case("one number in a vector", (rough(3, 1, seed=58), rough(2, 1, seed=59))),
        Case("whole numbers", (np.array([[1, 2, 3]]), np.array([[3, -1, 0], [2, 2, 2]]))),
        late("many keys", (rough(2, 3, seed=64), rough(FAR, 3, seed=65))),
        late("many queries", (rough(FAR, 3, seed=66), rough(2, 3, seed=67))),
        late("many numbers in a vector", (rough(3, LONG, seed=68), rough(2, LONG, seed=69))),
        late("all sizes equal", (rough(3, 3, 3, 3, seed=40), rough(3, 3, 3, 3, seed=41))),
        late("one query, one key", (rough(2, 1, 5, seed=42), rough(2, 1, 5, seed=43))),
        late("large numbers", (rough(3, 5, seed=44) * 1e4, rough(4, 5, seed=45) * 1e4)),
    ),
    promises=(
        Promise(
            "every example of a batch gives what it gives alone",
            "every_example_alone",
            (2, tidy(2, 3, 4, seed=60), tidy(2, 2, 4, seed=61)),
            (2, rough(3, 4, 5, seed=62), rough(3, 6, 5, seed=63)),
        ),
        Promise(
            "the scores grow in proportion to the keys",
            "linear_in_last",
            (_Q, _K),
            (_HQ, _HK),
        ),
    ),
    hints=(
        "Which axis of `q` and which axis of `k` hold the numbers of one vector? Those two must "
        "meet in the product; the result has a row for each query and a column for each key.",
        "For `@` the keys must stand as columns: swap the last two axes of `k`, and only these. "
        "`np.swapaxes(k, -1, -2)` does it for any number of leading axes. Then scale: d is "
        "`q.shape[-1]`.",
        "The unscaled scores are `q @ np.swapaxes(k, -1, -2)`. Divide them by "
        "`np.sqrt(q.shape[-1])` and return the result.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

SCALED_SCORES.mistake(
    "not_scaled",
    "Your scores are too big by the factor sqrt(d): they are not scaled. With 64 numbers "
    "in a vector, softmax would give nearly everything to one key.",
    dot,
)

SCALED_SCORES.mistake(
    "divided_by_d",
    "You divide by d. Divide by its square root, and only once (two divisions by "
    "sqrt(d) give the same as one by d).",
    lambda q, k: dot(q, k) / q.shape[-1],
    lambda q, k: dot(q / np.sqrt(q.shape[-1]), k / np.sqrt(k.shape[-1])),
)

SCALED_SCORES.mistake(
    "times_sqrt_d",
    "You multiply by sqrt(d). The scores should become smaller: divide.",
    lambda q, k: dot(q, k) * np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "scaled_by_number_of_keys",
    "You divide by the square root of the number of keys. The scale comes from the size "
    "of one vector, d, not from the length of the sentence.",
    lambda q, k: dot(q, k) / np.sqrt(k.shape[-2]),
)

SCALED_SCORES.mistake(
    "scaled_by_number_of_queries",
    "You divide by the square root of the number of queries. The scale comes from the "
    "size of one vector, d, not from the length of the sentence.",
    lambda q, k: dot(q, k) / np.sqrt(q.shape[-2]),
)

SCALED_SCORES.mistake(
    "scaled_by_first_axis",
    "You divide by the square root of the first axis of `q`. In a batch that is the "
    "number of examples. d is the size of the last axis.",
    lambda q, k: dot(q, k) / np.sqrt(len(q)),
)

SCALED_SCORES.mistake(
    "scaled_by_model_width",
    "You divide by the square root of the heads' widths together. d is the size of ONE "
    "query vector: the last axis of `q`.",
    lambda q, k: dot(q, k) / np.sqrt(q.shape[-1] * (q.shape[1] if q.ndim > 2 else 1)),
    lambda q, k: dot(q, k) / np.sqrt(q[0].size if q.ndim > 2 else q.shape[-1]),
)

SCALED_SCORES.mistake(
    "scale_is_8",
    "You divide by 8. That is right only for vectors of 64 numbers, as in GPT-2. Read d "
    "from the shape of `q`.",
    lambda q, k: dot(q, k) / 8,
)

SCALED_SCORES.mistake(
    "scale_of_the_toy",
    "You divide by the root of 3. That is right only for vectors of 3 numbers, as in the "
    "worked example. Read d from the shape of `q`.",
    lambda q, k: dot(q, k) / np.sqrt(3),
)

SCALED_SCORES.mistake(
    "half_of_d",
    "You divide by d / 2: Python reads `d ** 1 / 2` as `(d ** 1) / 2`. Write `np.sqrt(d)` "
    "or `d ** 0.5`.",
    lambda q, k: dot(q, k) / (q.shape[-1] / 2),
)

SCALED_SCORES.mistake(
    "scaled_by_axis_1",
    "You divide by the square root of axis 1 of `q`. That is d only when there are no "
    "leading axes. d is the size of the last axis: `q.shape[-1]`.",
    lambda q, k: dot(q, k) / np.sqrt(q.shape[1]),
)

SCALED_SCORES.mistake(
    "scale_rounded",
    "You round sqrt(d) to a whole number. Keep it as it is.",
    lambda q, k: dot(q, k) / int(np.sqrt(q.shape[-1])),
)

SCALED_SCORES.mistake(
    "one_root_too_many",
    "You divide by the fourth root of d: the square root is taken twice, or only one of "
    "`q` and `k` is scaled by it. Divide the scores by sqrt(d).",
    lambda q, k: dot(q, k) / q.shape[-1] ** 0.25,
)

SCALED_SCORES.mistake(
    "k_not_transposed",
    "You multiply `q` with `k` as it is. The rows of `k` are keys; for a score, the two "
    "last axes of `k` must be swapped first. (With as many keys as numbers in a key, "
    "NumPy does not complain.)",
    lambda q, k: q @ k / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "queries_and_keys_swapped",
    "Your rows belong to keys and your columns to queries. A row of scores belongs to a "
    "query: `q` stands on the left.",
    lambda q, k: dot(k, q) / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "all_axes_reversed",
    "`.T` reverses all axes. That is the same as swapping the last two only when there "
    "are no others. In a batch, swap the last two and leave the rest.",
    lambda q, k: q @ k.T / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "dot_for_batches",
    "The result has too many axes: `np.dot` combines every example of a batch with every "
    "other. `@` keeps the examples apart.",
    lambda q, k: np.dot(q, flip(k)) / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "reshaped_not_transposed",
    "The shape is right, the numbers are not: you reshape `k`. Reshaping cuts the numbers "
    "into rows of another length; swapping axes turns rows into columns.",
    lambda q, k: q @ k.reshape(*k.shape[:-2], k.shape[-1], k.shape[-2]) / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "elementwise",
    "You multiply cell by cell. Each query meets EVERY key: for 3 queries and 4 keys "
    "there are 12 scores.",
    lambda q, k: q * k / np.sqrt(q.shape[-1]),
    lambda q, k: (q * k).sum(axis=-1) / np.sqrt(q.shape[-1]),
)


@SCALED_SCORES.mistake(
    "cosine",
    "You bring all vectors to length 1 first (cosine). Attention uses the dot product "
    "itself: a longer key gets a larger score.",
)
def _cosine(q, k):
    unit_q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    unit_k = k / np.linalg.norm(k, axis=-1, keepdims=True)
    return dot(unit_q, unit_k)


def _distance(q, k):
    return -np.linalg.norm(q[..., :, None, :] - k[..., None, :, :], axis=-1)


SCALED_SCORES.mistake(
    "distance",
    "You measure distances. Attention uses the dot product: it is large when two "
    "vectors point the same way.",
    _distance,
    lambda q, k: -_distance(q, k),
)

SCALED_SCORES.mistake(
    "q_with_q",
    "You compare the queries with themselves. Compare every query with every key.",
    lambda q, k: dot(q, q) / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "k_with_k",
    "You compare the keys with themselves. Compare every query with every key.",
    lambda q, k: dot(k, k) / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "softmax_inside",
    "Your rows sum to 1: these are weights already. Return the scores; softmax is the "
    "next exercise.",
    lambda q, k: softmax(dot(q, k) / np.sqrt(q.shape[-1])),
    lambda q, k: softmax(dot(q, k)),
)

SCALED_SCORES.mistake(
    "sign_turned",
    "All your scores have the wrong sign. A query and a key that point the same way get "
    "a large positive score.",
    lambda q, k: -dot(q, k) / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.mistake(
    "rounded",
    "Your scores are rounded. Round when you print, never in what you return.",
    lambda q, k: np.round(dot(q, k) / np.sqrt(q.shape[-1]), 2),
)

SCALED_SCORES.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    lambda q, k: dot(q, k).astype(np.float16) / np.float16(np.sqrt(q.shape[-1])),
    lambda q, k: (dot(q, k) / np.sqrt(q.shape[-1])).astype(np.float16),
)

SCALED_SCORES.mistake(
    "list_returned",
    "The numbers are right, but you return a list. Return the NumPy array.",
    lambda q, k: (dot(q, k) / np.sqrt(q.shape[-1])).tolist(),
)


def _q_changed(q, k):
    q /= np.sqrt(q.shape[-1])
    return dot(q, k)


def _q_centred_in_place(q, k):
    result = dot(q, k) / np.sqrt(q.shape[-1])
    q *= 0
    return result


SCALED_SCORES.mistake(
    "q_changed",
    "`q` is different after the call: `/=` and `*=` write into the caller's array. Make "
    "a new one, for example with `q / ...`.",
    _q_changed,
    _q_centred_in_place,
)

# --- unusual, and right --------------------------------------------------------------------------

SCALED_SCORES.also_right(
    "einsum", lambda q, k: np.einsum("...id,...jd->...ij", q, k) / q.shape[-1] ** 0.5
)


@SCALED_SCORES.also_right("three loops")
def _scores_by_hand(q, k):
    out = np.zeros((*q.shape[:-1], k.shape[-2]))
    for index in np.ndindex(*q.shape[:-1]):
        for j in range(k.shape[-2]):
            out[index][j] = sum(a * b for a, b in zip(q[index], k[*index[:-1], j], strict=True))
    return out / q.shape[-1] ** 0.5


SCALED_SCORES.also_right(
    "scale the queries first", lambda q, k: (q / np.sqrt(q.shape[-1])) @ flip(k)
)

SCALED_SCORES.also_right(
    "fourth root on both sides",
    lambda q, k: (q / q.shape[-1] ** 0.25) @ flip(k / k.shape[-1] ** 0.25),
)

SCALED_SCORES.also_right(
    "broadcast and sum",
    lambda q, k: (q[..., :, None, :] * k[..., None, :, :]).sum(-1) * q.shape[-1] ** -0.5,
)

SCALED_SCORES.also_right("moveaxis", lambda q, k: q @ np.moveaxis(k, -1, -2) / np.sqrt(q.shape[-1]))

SCALED_SCORES.also_right(
    "transpose with a tuple of axes",
    lambda q, k: q @ k.transpose(*range(k.ndim - 2), k.ndim - 1, k.ndim - 2) / np.sqrt(k.shape[-1]),
)

SCALED_SCORES.also_right(
    "keys times queries, then swapped",
    lambda q, k: flip(k @ flip(q)) / np.sqrt(q.shape[-1]),
)

SCALED_SCORES.also_right(
    "float32",
    lambda q, k: dot(q.astype("f4"), k.astype("f4")) / np.float32(np.sqrt(q.shape[-1])),
)


def _inner(q, k):
    if q.ndim == 2:
        return np.inner(q, k) / np.sqrt(q.shape[-1])
    return np.stack([_inner(a, b) for a, b in zip(q, k, strict=True)])


SCALED_SCORES.also_right("np.inner row by row", lambda q, k: _inner(q, k))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(scores, scale, out):
    return lambda q, k: out(scores(q, k) / scale(**sizes(q, k, k)))


SCALED_SCORES.steps = Steps(
    _build,
    {"scores": RIGHT_SCORES, "scale": RIGHT_SCALE, "out": same},
    {
        "scores": (
            *SCORES,
            Wrong("distance", _("Distances are taken in place of dot products."), lambda q, k: -np.linalg.norm(q[..., :, None, :] - k[..., None, :, :], axis=-1)),
            Wrong("not_turned", _("The keys are reshaped, not transposed."), lambda q, k: q @ k.reshape(*k.shape[:-2], k.shape[-1], k.shape[-2])),
            Wrong("root_of_products", _("The root is taken of the products, too."), lambda q, k: np.sqrt(q @ flip(k))),
            Wrong("first_batch_keys", _("The first sentence's keys are used for all."), lambda q, k: q @ flip(np.broadcast_to(k[:1], k.shape) if k.ndim > 2 else k)),
        ),
        "scale": SCALES,
        "out": (
            *OUTPUTS,
            Wrong("root_of_scores", _("The root is taken of the scores, not of d."), lambda s: np.sqrt(s)),
            Wrong("absolute", _("The signs of the scores are lost."), np.abs),
            Wrong("squared", _("The scores are squared."), np.square),
        ),
    },
)  # fmt: skip
