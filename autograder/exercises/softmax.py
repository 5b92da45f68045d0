"""`softmax`, lesson 01. Scores into weights."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.pieces import softmax
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import same
from illustrated_attention.language import later as _


def _quarters(*shape, seed):
    """Multiples of 1/4: float32 holds them exactly even when a large number is added."""
    return np.round(rough(*shape, seed=seed) * 12) / 4


_INF = np.inf

SOFTMAX = Exercise(
    name="softmax",
    lesson="01_self_attention",
    can="You can now turn scores into shares, however large they are.",
    visible=(
        Case("one row", (np.array([1.0, 2.0, 3.0]),)),
        Case("three queries, four keys", (tidy(3, 4, seed=70),)),
        Case("as many queries as keys", (tidy(3, 3, seed=71),)),
        Case(
            "scores near 1000",
            (np.array([[1000.0, 1001.0, 1002.0], [999.0, 1000.5, 994.0]]),),
        ),
        Case("a score of minus infinity", (np.array([[0.5, -_INF, 1.5], [-_INF, -_INF, -20.0]]),)),
        Case("whole numbers", (np.array([[1, 7, 0], [3, 3, 1]]),)),
        Case("a batch with two heads", (tidy(2, 2, 3, 4, seed=72),)),
        Case("a row of zeros and a row of equal scores", (np.array([[0.0, 0.0], [1.5, 1.5]]),)),
        Case("one score far above the others", (np.array([[1.0, 0.0, 2.0, 900.0]]),)),
        Case(
            "one row far below the other",
            (np.array([[-1000.0, -1001.0, -1002.0], [1000.0, 1001.0, 1002.0]]),),
        ),
    ),
    hidden=(
        Case("other sizes in two axes", (rough(5, 7, seed=73),)),
        Case("four axes", (rough(2, 3, 5, 7, seed=74),)),
        Case("as many queries as keys", (rough(6, 6, seed=75),)),
        Case(
            "very large and very small scores",
            (_quarters(4, 5, seed=76) + np.array([[1e3], [-1e3], [5e4], [0]]),),
        ),
        Case("one score far above the others", (np.array([[0.0, 1.0, -2.0, 1.5, 800.0, 0.5]]),)),
        Case("minus infinity", (np.where(np.tri(5, dtype=bool), rough(5, 5, seed=77), -_INF),)),
        Case("whole numbers", (np.array([[7, -3, 0, 2], [1, 1, 5, 4]]),)),
        Case("one row", (rough(9, seed=78),)),
        Case("one key", (rough(3, 1, seed=79),)),
        late("many keys", (rough(2, FAR, seed=84),)),
        late("many queries", (rough(FAR, 2, seed=85),)),
        late("all sizes equal", (rough(4, 4, 4, 4, seed=86),)),
        late("one key in a batch", (rough(2, 3, 1, 1, seed=87) * 1e4,)),
        late("equal scores", (np.full((2, 3, 5), -700.0),)),
        late(
            "a weight near the smallest float",
            (np.array([[0.0, -700.0, -750.0], [1e5, 1e5, -1e5]]),),
        ),
        late("a batch of one", (rough(1, 3, 4, seed=84),)),
    ),
    promises=(
        Promise(
            "every row is positive and sums to 1",
            "rows_sum_to_one",
            (tidy(3, 1, seed=80),),  # one score alone: its weight is 1
            (rough(2, 4, 6, seed=81) * 30,),
        ),
        Promise(
            "adding the same number to all scores changes nothing",
            "same_after_adding",
            (tidy(2, 3, seed=82), 100.0),
            (_quarters(3, 4, seed=83), -2e4),
        ),
    ),
    hints=(
        "A row belongs to one query, and its cells are the keys. On which axis do the keys lie, "
        "so that each row sums to 1?",
        "Three steps: make every number positive with `np.exp`, sum each row, divide. exp of "
        "1000 is too large for a float; but a row in which the largest score was subtracted "
        "from all gives the same weights.",
        "First `scores - scores.max(axis=-1, keepdims=True)`, then `np.exp` of it, then divide "
        "that by its own `.sum(axis=-1, keepdims=True)`. keepdims keeps the axis, so that "
        "every row lines up with its own number.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _exp_shifted(scores):
    return np.exp(scores - scores.max(axis=-1, keepdims=True))


SOFTMAX.mistake(
    "over_axis_0",
    "Your columns sum to 1, your rows do not. Each query's row must sum to 1. Which axis "
    "runs over the keys?",
    lambda s: np.exp(s - s.max(axis=0)) / np.exp(s - s.max(axis=0)).sum(axis=0),
    lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(axis=0),
    lambda s: _exp_shifted(s) / _exp_shifted(s).sum(axis=0),
    lambda s: np.exp(s) / np.exp(s).sum(axis=0),
)


def _over_axis_1(scores):
    exp = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


SOFTMAX.mistake(
    "over_axis_1",
    "You normalise over axis 1. With one row or a batch, the keys are on another axis. "
    "They are always on the last one: -1.",
    _over_axis_1,
    lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(axis=1, keepdims=True),
    lambda s: np.exp(s) / np.exp(s).sum(axis=1, keepdims=True),
)

SOFTMAX.mistake(
    "over_everything",
    "All your cells together sum to 1. Normalise each row by itself.",
    lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(),
    lambda s: _exp_shifted(s) / _exp_shifted(s).sum(),
    lambda s: np.exp(s) / np.exp(s).sum(),
)

SOFTMAX.mistake(
    "no_max_subtracted",
    "Right on small scores, but exp(1000) is too large for any float (the limit is near "
    "709 in float64, 88 in float32). Subtract the row's largest score first: the result "
    "does not change.",
    lambda s: np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True),
    lambda s: np.exp(s) / (np.exp(s).sum(axis=-1, keepdims=True) + 1e-9),
)


def _exp_normalised(scores, exp):
    return exp / exp.sum(axis=-1, keepdims=True)


SOFTMAX.mistake(
    "min_subtracted",
    "You subtract the smallest score of the row. With a score of minus infinity that "
    "gives nan, and large scores can still overflow. Subtract the largest.",
    lambda s: _exp_normalised(s, np.exp(s - s.min(axis=-1, keepdims=True))),
)

SOFTMAX.mistake(
    "mean_subtracted",
    "You subtract the mean of the row. A score of minus infinity makes the mean minus "
    "infinity too, and then everything is nan. Subtract the largest score.",
    lambda s: _exp_normalised(s, np.exp(s - s.mean(axis=-1, keepdims=True))),
)


@SOFTMAX.mistake(
    "one_max_for_all",
    "You subtract the largest score of the whole array. A row far below it comes out as "
    "nan: each of its exp is 0. Subtract from each row its own largest score.",
)
def _global_shift(scores):
    exp = np.exp(scores - scores.max())
    return exp / exp.sum(axis=-1, keepdims=True)


SOFTMAX.mistake(
    "absolute_max_subtracted",
    "You subtract the largest absolute value of the row. In a row of very low scores, or "
    "with minus infinity, nothing is left for the sum. Subtract the largest score, with "
    "its sign.",
    lambda s: _exp_normalised(s, np.exp(s - np.abs(s).max(axis=-1, keepdims=True))),
)

SOFTMAX.mistake(
    "constant_subtracted",
    "You subtract the same number from every row, whatever its scores are. Ordinary "
    "scores then come out as nan. Subtract from each row its own largest score.",
    lambda s: _exp_normalised(s, np.exp(s - 1000)),
)

SOFTMAX.mistake(
    "max_per_column",
    "You subtract the largest score of each column. Within a row, every score must be "
    "lowered by the same number: the largest of that row.",
    lambda s: _exp_normalised(s, np.exp(s - s.max(axis=0))),
)


@SOFTMAX.mistake(
    "overflow_hidden",
    "You replace nan by numbers. Rows with large scores come out as zeros. Avoid the "
    "overflow instead: subtract the row's largest score before exp.",
)
def _nan_replaced(scores):
    exp = np.exp(scores)
    return np.nan_to_num(exp / exp.sum(axis=-1, keepdims=True))


SOFTMAX.mistake(
    "overflow_in_the_logarithm",
    "Right on ordinary scores. Near 1000 the exp inside of your logarithm overflows, near -1000 "
    "nothing is left of it. Subtract the row's largest score before exp.",
    lambda scores: np.exp(scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))),
)


@SOFTMAX.mistake(
    "clipped",
    "You cut large scores off. Then 1000 and 1002 come out the same. Subtract the row's "
    "largest score instead: nothing is lost.",
)
def _clipped(scores):
    exp = np.exp(np.clip(scores, -50, 50))
    return exp / exp.sum(axis=-1, keepdims=True)


SOFTMAX.mistake(
    "unshifted_denominator",
    "You subtract the largest score above the fraction bar, but not below. Use the same "
    "exp in both places.",
    lambda s: _exp_shifted(s) / np.exp(s).sum(axis=-1, keepdims=True),
)


def _without_keepdims_in_max(scores):
    return _exp_normalised(scores, np.exp(scores - scores.max(axis=-1)))


def _without_keepdims_in_sum(scores):
    exp = _exp_shifted(scores)
    return exp / exp.sum(axis=-1)


def _without_any_keepdims(scores):
    exp = np.exp(scores - scores.max(axis=-1))
    return exp / exp.sum(axis=-1)


SOFTMAX.mistake(
    "keepdims_missing",
    "The largest score or the sum has lost its axis, so that it no longer lines up with "
    "its row. On square input NumPy does not even complain. Keep the axis: keepdims=True.",
    _without_keepdims_in_max,
    _without_keepdims_in_sum,
    _without_any_keepdims,
    lambda s: np.exp(s) / np.exp(s).sum(axis=-1),
    lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(axis=-1),
)

SOFTMAX.mistake(
    "no_exp",
    "You divide the scores by their sum, without exp. Weights are then negative for "
    "negative scores. Where is exp?",
    lambda s: s / s.sum(axis=-1, keepdims=True),
)


@SOFTMAX.mistake(
    "absolute_values",
    "You divide absolute values by their sum. A strongly negative score then gets a large "
    "weight. Use exp: it is always positive and keeps the order.",
)
def _l1(scores):
    return np.abs(scores) / np.abs(scores).sum(axis=-1, keepdims=True)


@SOFTMAX.mistake(
    "min_max",
    "You stretch each row from 0 to 1. Softmax gives the lowest score a share, too, "
    "and its rows sum to 1.",
)
def _min_max(scores):
    low, high = scores.min(axis=-1, keepdims=True), scores.max(axis=-1, keepdims=True)
    return (scores - low) / (high - low)


def _sum(array):
    return array.sum(axis=-1, keepdims=True)


SOFTMAX.mistake(
    "log_softmax",
    "Your values are negative: these are the logarithms of the weights. Return the weights.",
    lambda s: np.log(softmax(s)),
    lambda s: s - s.max(axis=-1, keepdims=True) - np.log(_sum(_exp_shifted(s))),
    lambda s: s - np.log(_sum(np.exp(s))),
    lambda s: np.log(np.exp(s) / _sum(np.exp(s))),
)

SOFTMAX.mistake(
    "not_normalised",
    "The largest value of each row is 1, and the rows do not sum to 1. Divide each row by its sum.",
    _exp_shifted,
)

SOFTMAX.mistake(
    "only_exp",
    "You return exp of the scores. Divide each row by its sum.",
    lambda s: np.exp(s),
)

SOFTMAX.mistake(
    "divided_by_max",
    "You divide by the largest value of the row. Divide by the sum of the row.",
    lambda s: np.exp(s) / np.exp(s).max(axis=-1, keepdims=True),
)

SOFTMAX.mistake(
    "divided_by_count",
    "You divide by the number of keys. Divide by the sum of the row.",
    lambda s: _exp_shifted(s) / s.shape[-1],
    lambda s: np.exp(s) / s.shape[-1],
)

SOFTMAX.mistake(
    "sigmoid",
    "Each of your cells depends on its own score only (sigmoid). In softmax the cells of "
    "a row compete: if one gets more, the others get less.",
    lambda s: 1 / (1 + np.exp(-s)),
    lambda s: np.exp(s) / (1 + np.exp(s)),
)

SOFTMAX.mistake(
    "base_2",
    "Your rows sum to 1, but they are too flat: you use powers of 2. Softmax uses exp, "
    "powers of e.",
    lambda s: _exp_normalised(s, 2.0 ** (s - s.max(axis=-1, keepdims=True))),
    lambda s: 2.0**s / _sum(2.0**s),
)

SOFTMAX.mistake(
    "epsilon_added",
    "Your rows sum to a little less than 1: a small number is added to the sum. After "
    "subtracting the largest score the sum is at least 1, so nothing needs to be added.",
    lambda s: _exp_shifted(s) / (_exp_shifted(s).sum(axis=-1, keepdims=True) + 1e-2),
    lambda s: _exp_shifted(s) / (_exp_shifted(s).sum(axis=-1, keepdims=True) + 1e-3),
)

SOFTMAX.mistake(
    "hard_max",
    "The largest score gets everything. Softmax is soft: scores that are nearly as large "
    "get nearly as much.",
    lambda s: np.eye(s.shape[-1])[s.argmax(axis=-1)],
    lambda s: (s == s.max(axis=-1, keepdims=True)).astype(float),
    lambda s: (s == s.max(axis=-1, keepdims=True)).astype(int),
)

SOFTMAX.mistake(
    "softmin",
    "The order is turned round: your smallest score gets the largest weight. Look for a "
    "minus sign.",
    lambda s: _exp_normalised(-s, np.exp(-s - (-s).max(axis=-1, keepdims=True))),
    lambda s: np.exp(-s) / _sum(np.exp(-s)),
)

SOFTMAX.mistake(
    "softmax_twice",
    "Your weights are nearly equal: softmax is applied twice.",
    lambda s: softmax(softmax(s)),
    lambda s: softmax(np.exp(s) / _sum(np.exp(s))),
)


def _changed_in_place(scores):
    scores -= scores.max(axis=-1, keepdims=True)
    exp = np.exp(scores)
    return exp / exp.sum(axis=-1, keepdims=True)


def _minus_inf_written(scores):
    weights = softmax(scores)
    scores[...] = np.exp(_exp_shifted(scores)).astype(scores.dtype)
    return weights


SOFTMAX.mistake(
    "scores_changed",
    "The weights are right, but `scores` is different after the call: `-=` writes into "
    "the caller's array. Write `scores - ...` and give the result a new name.",
    _changed_in_place,
    _minus_inf_written,
)


def _row_loop_2d(scores):
    rows = [np.exp(row - row.max()) for row in scores]
    return np.array([row / row.sum() for row in rows])


def _rows_written_2d(scores):
    weights = np.zeros_like(scores)
    for i, row in enumerate(_row_loop_2d(scores)):
        weights[i] = row
    return weights


SOFTMAX.mistake(
    "rows_of_two_axes_only",
    "Right with two axes only. You go through the first axis and treat what you find as "
    "one row. With leading axes a row is the LAST axis: use axis=-1 instead of a loop.",
    _row_loop_2d,
    _rows_written_2d,
    lambda s: np.array([np.exp(row) / np.exp(row).sum() for row in s]),
)

SOFTMAX.mistake(
    "list_returned",
    "The numbers are right, but you return a list. Return the NumPy array.",
    lambda s: softmax(s).tolist(),
    lambda s: (np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True)).tolist(),
)


@SOFTMAX.mistake(
    "whole_number_result",
    "For whole numbers your weights are all 0 or 1: your result array has an integer "
    "type, which cuts off the decimals. `np.zeros_like` copies the type of its input.",
)
def _into_integers(scores):
    weights = np.zeros_like(scores)
    weights[...] = softmax(scores)
    return weights


SOFTMAX.mistake(
    "rounded",
    "Your weights are rounded. Round when you print, never in what you return.",
    lambda s: np.round(softmax(s), 2),
    lambda s: np.round(softmax(s), 3),
)

SOFTMAX.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    lambda s: softmax(s).astype(np.float16),
)

# --- unusual, and right --------------------------------------------------------------------------


@SOFTMAX.also_right("log-sum-exp")
def _log_sum_exp(scores):
    top = scores.max(axis=-1, keepdims=True)
    total = top + np.log(np.exp(scores - top).sum(axis=-1, keepdims=True))
    return np.exp(scores - total)


SOFTMAX.also_right(
    "logaddexp",
    lambda s: np.exp(s - np.logaddexp.reduce(s.astype(float), axis=-1, keepdims=True)),
)


def _recursive(scores):
    if scores.ndim > 1:
        return np.stack([_recursive(part) for part in scores])
    exp = [float(np.exp(s - max(scores))) for s in scores]
    return np.array([e / sum(exp) for e in exp])


SOFTMAX.also_right("apply_along_axis", lambda s: np.apply_along_axis(_recursive, -1, s))

SOFTMAX.also_right("loops by recursion", _recursive)

SOFTMAX.also_right(
    "rows in a comprehension",
    lambda s: np.array([softmax(r) for r in s.reshape(-1, s.shape[-1])]).reshape(s.shape),
)

SOFTMAX.also_right("float32", lambda s: softmax(s.astype(np.float32)))

SOFTMAX.also_right("longdouble", lambda s: softmax(s.astype(np.longdouble)))

SOFTMAX.also_right(
    "times the reciprocal",
    lambda s: _exp_shifted(s) * (1 / _exp_shifted(s).sum(axis=-1, keepdims=True)),
)

SOFTMAX.also_right(
    "max with newaxis",
    lambda s: _exp_normalised(s, np.exp(s - np.max(s, axis=-1)[..., None])),
)


def _front_softmax(scores):
    exp = np.exp(scores - scores.max(axis=0))
    return exp / exp.sum(axis=0)


SOFTMAX.also_right(
    "last axis moved to the front",
    lambda s: np.moveaxis(_front_softmax(np.moveaxis(s, -1, 0)), 0, -1),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(shift, power, total, out):
    def softmax(scores):
        with np.errstate(all="ignore"):
            e = power(shift(scores))
            return out(e / total(e))

    return softmax


_SHIFTS = (
    Wrong("no_max_subtracted", _("The row's maximum is not subtracted: exp overflows for large scores."), same),
    Wrong("min_subtracted", _("The minimum is subtracted, not the maximum."), lambda a: a - a.min(-1, keepdims=True)),
    Wrong("mean_subtracted", _("The mean is subtracted, not the maximum."), lambda a: a - a.mean(-1, keepdims=True)),
    Wrong("overall_max", _("The maximum of all scores is subtracted, not each row's."), lambda a: a - a.max()),
    Wrong("max_of_columns", _("The columns' maximum is subtracted, not the rows'."), lambda a: a - a.max(-2 if a.ndim > 1 else -1, keepdims=True)),
    Wrong("divided_by_max", _("The scores are divided by their maximum."), lambda a: a / a.max(-1, keepdims=True)),
    Wrong("temperature", _("The scores are divided by 2 (a temperature) before exp."), lambda a: (a - a.max(-1, keepdims=True)) / 2),
    Wrong("max_added", _("The maximum is added, not subtracted."), lambda a: a + a.max(-1, keepdims=True)),
    Wrong("clipped", _("Scores are cut off before exp."), lambda a: np.clip(a, -50, 50)),
)  # fmt: skip


_POWERS = (
    Wrong("base_two", _("2 is raised to the scores, not e."), lambda a: 2.0**a),
    Wrong("base_ten", _("10 is raised to the scores, not e."), lambda a: 10.0**a),
    Wrong("softmin", _("exp gets the negative of the scores: the smallest wins."), lambda a: np.exp(-a)),
    Wrong("no_exp", _("exp is missing."), same),
    Wrong("squares", _("Scores are squared in place of exp."), np.square),
    Wrong("expm1", _("exp(x) - 1 is used in place of exp(x)."), np.expm1),
    Wrong("series", _("exp is replaced by the first terms of its series."), lambda a: 1 + a + a**2 / 2 + a**3 / 6),
    Wrong("max_after_exp", _("The maximum is subtracted after exp."), lambda a: np.exp(a) - np.exp(a).max(-1, keepdims=True)),
    Wrong("softplus", _("log(1 + exp(x)) is used in place of exp(x)."), lambda a: np.log1p(np.exp(a))),
)  # fmt: skip


_TOTALS = (
    Wrong("sum_of_columns", _("Each column is divided by its sum, not each row."), lambda e: e.sum(-2 if e.ndim > 1 else -1, keepdims=True)),
    Wrong("sum_of_axis_0", _("The sum runs over axis 0, whatever that is."), lambda e: e.sum(0, keepdims=True)),
    Wrong("sum_of_axis_1", _("The sum runs over axis 1, whatever that is."), lambda e: e.sum(1, keepdims=True)),
    Wrong("sum_of_all", _("All is divided by one sum over everything."), lambda e: e.sum()),
    Wrong("divided_by_max_of_exp", _("The exponentials are divided by their maximum, not by their sum."), lambda e: e.max(-1, keepdims=True)),
    Wrong("divided_by_mean", _("The exponentials are divided by their mean, not by their sum."), lambda e: e.mean(-1, keepdims=True)),
    Wrong("divided_by_length", _("The exponentials are divided by how many they are, not by their sum."), lambda e: e.shape[-1]),
    Wrong("not_divided", _("The exponentials are not divided by their sum."), lambda e: 1.0),
    Wrong("root_of_squares", _("The exponentials are divided by the root of the sum of their squares."), lambda e: np.sqrt((e * e).sum(-1, keepdims=True))),
    Wrong("one_added_to_sum", _("1 is added to the sum."), lambda e: 1 + e.sum(-1, keepdims=True)),
)  # fmt: skip


SOFTMAX.steps = Steps(
    _build,
    {"shift": lambda a: a - a.max(-1, keepdims=True), "power": np.exp, "total": lambda e: e.sum(-1, keepdims=True), "out": same},
    {
        "shift": _SHIFTS,
        "power": _POWERS,
        "total": _TOTALS,
        "out": (
            Wrong("rounded", _("The result is rounded."), lambda w: np.round(w, 2)),
            Wrong("log", _("The logarithm of the weights is returned."), np.log),
            Wrong("one_minus", _("1 minus the weights is returned."), lambda w: 1 - w),
            Wrong("in_percent", _("The weights are returned in percent."), lambda w: 100 * w),
        ),
    },
)  # fmt: skip
