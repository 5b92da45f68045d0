"""`layer_norm`, lesson 06. Every token brought to one mean and one spread."""

import math

import numpy as np

from autograder.exercises.kit import (
    FAR,
    WIDE,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.pieces import in_float32, normalise, softmax, spread_of
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import OUTPUTS, same
from illustrated_attention.language import later as _

_LN_X = np.array([[1.0, 3.0, 5.0, 7.0], [2.0, 2.0, 4.0, 8.0], [0.0, -2.0, 2.0, 4.0]])

_LN_G, _LN_B = np.array([1.0, 2.0, 0.5, -1.0]), np.array([0.5, 0.0, -1.0, 1.0])

_ALMOST_EQUAL = np.array([[0.001, -0.001, 0.002, -0.002], [2.0, 2.0, 2.0, 2.0]])

_HIDDEN_G, _HIDDEN_B = rough(18, seed=601), rough(18, seed=602)

LAYER_NORM = Exercise(
    name="layer_norm",
    lesson="06_block",
    can="You can now bring every token to one size.",
    visible=(
        Case("one token, gain 1 and bias 0", (_LN_X[0], np.ones(4), np.zeros(4))),
        Case("three tokens", (_LN_X, _LN_G, _LN_B)),
        Case("features that are almost or all equal", (_ALMOST_EQUAL, _LN_G, _LN_B)),
        Case("another eps", (_LN_X, _LN_G, _LN_B, 2.0)),
        Case("two sentences at once", (tidy(2, 4, 4, seed=603), _LN_G, _LN_B)),
        Case("whole numbers", (np.array([[1, 3, 5, 7], [0, 0, 4, 0]]), np.arange(4), np.ones(4))),
        late(
            "one feature of many stands out",
            (np.eye(2, WIDE) * 50 + [[0.0], [1000.0]], np.ones(WIDE), np.zeros(WIDE)),
        ),
    ),
    hidden=(
        Case("other sizes", (3 * rough(5, 18, seed=604) + 1, _HIDDEN_G, _HIDDEN_B)),
        Case("one token", (rough(18, seed=605), _HIDDEN_G, _HIDDEN_B)),
        Case("a grid of sentences", (rough(2, 3, 5, 18, seed=606), _HIDDEN_G, _HIDDEN_B)),
        Case(
            "features that hardly differ",
            (0.001 * rough(5, 18, seed=607), _HIDDEN_G, _HIDDEN_B),
        ),
        Case("features that are all equal", (np.full((3, 18), -1.5), _HIDDEN_G, _HIDDEN_B)),
        Case("another eps", (rough(5, 18, seed=608), _HIDDEN_G, _HIDDEN_B, 0.3)),
        Case(
            "whole numbers",
            (np.arange(12).reshape(3, 4) ** 2 % 7, np.arange(4) - 1, np.arange(4)),
        ),
        Case("as many tokens as features", (rough(6, 6, seed=609), rough(6, seed=610), np.ones(6))),
        late(
            "one feature of many stands out",
            (np.eye(2, FAR) * 50, rough(FAR, seed=605), rough(FAR, seed=606)),
        ),
        late(
            "many features",
            (rough(2, 3, WIDE, seed=607), rough(WIDE, seed=608), rough(WIDE, seed=609)),
        ),
        late("many tokens", (rough(FAR, 2, seed=610), rough(2, seed=611), rough(2, seed=612))),
        late("large numbers", (rough(3, 18, seed=613) * 1e4, _HIDDEN_G, _HIDDEN_B)),
        late(
            "small numbers",
            (rough(3, 18, seed=614) * np.array([[1e-2], [1e-3], [1e-5]]), _HIDDEN_G, _HIDDEN_B),
        ),
        late(
            "large gains and biases",
            (rough(3, 4, seed=615), np.array([1e3, -1e3, 0, 50]), np.array([0, 1e4, -1e4, 0])),
        ),
        late("no eps", (rough(3, 18, seed=616) * 1e-3, _HIDDEN_G, _HIDDEN_B, 0.0)),
        late("all sizes equal", (rough(5, 5, 5, seed=617), rough(5, seed=618), rough(5, seed=619))),
        late(
            "a large eps, a whole number",
            (np.array([[1, 2, 4], [0, 0, 3]]), np.array([1, 2, 3]), np.array([0, 1, 0]), 33),
        ),
    ),
    promises=(
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 4, 4, seed=603), _LN_G, _LN_B),
            (1, rough(3, 5, 18, seed=611), _HIDDEN_G, _HIDDEN_B),
        ),
    ),
    hints=(
        "Two numbers of each token are needed: the mean and the variance of its own features. "
        "Over which axis do you take them, and which option keeps that axis?",
        "Subtract the mean. Divide by the square root of (variance + eps). Only then use `g` and "
        "`b`; they have one number for each feature, so NumPy lines them up by itself.",
        "With `mean = x.mean(axis=-1, keepdims=True)` and `x.var(axis=-1, keepdims=True)` for the "
        "variance: `(x - mean) / np.sqrt(variance + eps)`, times `g`, plus `b`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _ln_with(mean, variance):
    return lambda x, g, b, eps=1e-5: (x - mean(x)) / np.sqrt(variance(x) + eps) * g + b


def _ln_over(axis):
    return _ln_with(
        lambda x: x.mean(axis=axis, keepdims=True), lambda x: x.var(axis=axis, keepdims=True)
    )


_EACH_ALONE = "Every token is normalised alone, over its own features: the last axis."

LAYER_NORM.mistake(
    "over_the_tokens",
    "You take mean and variance over the tokens: a token's numbers would depend on the "
    "other tokens, even later ones. " + _EACH_ALONE,
    _ln_over(-2),
    _ln_over(0),
)


def _own_mean(x):
    return x.mean(axis=-1, keepdims=True)


LAYER_NORM.mistake(
    "over_everything",
    "You take one mean or one variance over all tokens together. " + _EACH_ALONE,
    _ln_over(None),
    _ln_with(lambda x: x.mean(), lambda x: x.var(axis=-1, keepdims=True)),
    _ln_with(_own_mean, lambda x: x.var()),
)

LAYER_NORM.mistake(
    "over_the_sentence",
    "You take mean and variance over the last two axes: all tokens of a sentence together. "
    + _EACH_ALONE,
    _ln_with(
        lambda x: x.mean(axis=tuple(range(-min(x.ndim, 2), 0)), keepdims=True),
        lambda x: x.var(axis=tuple(range(-min(x.ndim, 2), 0)), keepdims=True),
    ),
)

LAYER_NORM.mistake(
    "over_axis_1",
    "You work along axis 1. That is the features of one sentence, but the tokens of a "
    "batch, and a single token has no axis 1. Count the axis from the back.",
    _ln_over(1),
)


def _ln_no_keepdims(x, g, b, eps=1e-5):
    return (x - x.mean(axis=-1)) / np.sqrt(x.var(axis=-1) + eps) * g + b


def _ln_no_keepdims_below(x, g, b, eps=1e-5):
    return (x - _own_mean(x)) / np.sqrt(x.var(axis=-1) + eps) * g + b


LAYER_NORM.mistake(
    "keepdims_missing",
    "Mean or variance has lost its last axis, so NumPy lines its numbers up with the "
    "features instead of the tokens. What keeps an axis of size 1?",
    _ln_no_keepdims,
    _ln_no_keepdims_below,
)


def _ln_row_after_row(x, g, b, eps=1e-5):
    rows = [(row - row.mean()) / np.sqrt(row.var() + eps) * g + b for row in x]
    return np.array(rows)


LAYER_NORM.mistake(
    "one_sentence_only",
    "Your function works for a table of tokens, but not for a batch, or not for one token "
    "alone. Count the axis from the back: the last one, whatever comes in front of it.",
    lambda x, g, b, eps=1e-5: ((x.T - x.mean(axis=-1)) / np.sqrt(x.var(axis=-1) + eps)).T * g + b,
    _ln_row_after_row,
)


@LAYER_NORM.mistake(
    "math_instead_of_numpy",
    "Functions of Python's `math` take one number only. Their namesakes in NumPy, such as "
    "`np.sqrt`, work on whole arrays.",
)
def _ln_by_math(x, g, b, eps=1e-5):
    return (x - _own_mean(x)) / math.sqrt(x.var(axis=-1, keepdims=True) + eps) * g + b


LAYER_NORM.mistake(
    "variance_of_a_sample",
    "You divide the squared deviations by D - 1. The features are all there is, not a "
    "sample: divide by D. (`ddof=1`, or PyTorch's default, divides by D - 1.)",
    _ln_with(_own_mean, lambda x: x.var(axis=-1, ddof=1, keepdims=True)),
)

LAYER_NORM.mistake(
    "squares_not_averaged",
    "You add up the squared deviations, but do not divide by their number. The variance is "
    "their mean.",
    _ln_with(_own_mean, lambda x: ((x - _own_mean(x)) ** 2).sum(-1, keepdims=True)),
)


def _ln_divided_by(size):
    return lambda x, g, b, eps=1e-5: (x - _own_mean(x)) / size(x, eps) * g + b


LAYER_NORM.mistake(
    "eps_outside_the_root",
    "You add eps to the root. It is added to the variance, inside the root. On ordinary "
    "tokens that hardly shows; on features that are almost equal it does.",
    _ln_divided_by(lambda x, eps: x.std(axis=-1, keepdims=True) + eps),
)

LAYER_NORM.mistake(
    "eps_missing",
    "There is no eps in your division. When all features are equal the variance is 0, and "
    "0 / 0 is nan. Add eps to the variance, inside the root.",
    _ln_divided_by(lambda x, eps: x.std(axis=-1, keepdims=True)),
)

LAYER_NORM.mistake(
    "eps_after_the_division",
    "You add eps after the division, outside of the root. It is added to the variance: look where "
    "the bracket of the root closes.",
    lambda x, g, b, eps=1e-5: (
        (x - _own_mean(x)) / np.sqrt(x.var(axis=-1, keepdims=True)) + eps * g + b
    ),
    lambda x, g, b, eps=1e-5: (
        g * (x - _own_mean(x)) / np.sqrt(x.var(axis=-1, keepdims=True)) + eps + b
    ),
    lambda x, g, b, eps=1e-5: (
        ((x - _own_mean(x)) / np.sqrt(x.var(axis=-1, keepdims=True)) + eps) * g + b
    ),
)

LAYER_NORM.mistake(
    "eps_ignored",
    "Your eps is always 1e-5. Use the argument `eps`; 1e-5 is only its default.",
    lambda x, g, b, eps=1e-5: normalise(x, g, b),
)

LAYER_NORM.mistake(
    "other_eps",
    "Your eps is too small or too large, or it has no effect: add the argument `eps` to the "
    "variance. (1e-12, 1e-6 and 1e-3 are known from other models. GPT-2 uses 1e-5.)",
    lambda x, g, b, eps=1e-5: normalise(x, g, b, 1e-12),
    lambda x, g, b, eps=1e-5: normalise(x, g, b, 1e-6),
    lambda x, g, b, eps=1e-5: normalise(x, g, b, 1e-3),
    lambda x, g, b, eps=1e-5: normalise(x, g, b, 1e-8),
)

LAYER_NORM.mistake(
    "other_default_eps",
    "With `eps` given you are right; without it you are not. The default is 1e-5.",
    lambda x, g, b, eps=1e-12: normalise(x, g, b, eps),
    lambda x, g, b, eps=1e-6: normalise(x, g, b, eps),
    lambda x, g, b, eps=1e-3: normalise(x, g, b, eps),
    lambda x, g, b, eps=1e-8: normalise(x, g, b, eps),
)

LAYER_NORM.mistake(
    "eps_squared",
    "You add the square of eps to the variance, inside the root. Add eps itself: the "
    "variance "
    "is a square already.",
    _ln_divided_by(lambda x, eps: spread_of(x, eps**2)),
)

LAYER_NORM.mistake(
    "divided_by_the_variance",
    "You divide by the variance. Divide by its square root, so that the features come out "
    "with variance 1.",
    _ln_divided_by(lambda x, eps: x.var(axis=-1, keepdims=True) + eps),
)

LAYER_NORM.mistake(
    "mean_not_subtracted",
    "You do not subtract the mean first. (Some newer models leave that out and call it "
    "RMSNorm.) GPT-2 subtracts the mean, then divides.",
    _ln_with(lambda x: 0, lambda x: (x**2).mean(axis=-1, keepdims=True)),
    _ln_with(lambda x: 0, lambda x: x.var(axis=-1, keepdims=True)),
)

LAYER_NORM.mistake(
    "only_centred",
    "You subtract the mean, but do not divide. The features must also come out with variance 1.",
    lambda x, g, b, eps=1e-5: (x - _own_mean(x)) * g + b,
)

LAYER_NORM.mistake(
    "brackets_missing",
    "A pair of brackets is missing: Python divides before it subtracts, so only the mean "
    "is divided.",
    lambda x, g, b, eps=1e-5: (x - _own_mean(x) / spread_of(x, eps)) * g + b,
    lambda x, g, b, eps=1e-5: x - _own_mean(x) / spread_of(x, eps) * g + b,
)

LAYER_NORM.mistake(
    "mean_subtracted_last",
    "You divide first and subtract the mean afterwards. Then the mean is still of the old "
    "size. Subtract first, then divide.",
    lambda x, g, b, eps=1e-5: (x / spread_of(x, eps) - _own_mean(x)) * g + b,
)

LAYER_NORM.mistake(
    "squares_of_x",
    "Your variance is the mean of the squares of `x`. It is the mean of the squared "
    "deviations: subtract the mean first, then square.",
    _ln_with(_own_mean, lambda x: (x**2).mean(axis=-1, keepdims=True)),
)


def _ln_then(end):
    """Right rows of mean 0 and variance 1, but another use of g and b."""
    return lambda x, g, b, eps=1e-5: end((x - _own_mean(x)) / spread_of(x, eps), g, b)


LAYER_NORM.mistake(
    "gain_missing",
    "You leave out `g`. After the division each feature is multiplied by its own learned number.",
    _ln_then(lambda y, g, b: y + b),
)

LAYER_NORM.mistake(
    "bias_missing",
    "You leave out `b`. At the end each feature gets its own learned number added.",
    _ln_then(lambda y, g, b: y * g),
)

LAYER_NORM.mistake(
    "gain_and_bias_missing",
    "The features have mean 0 and variance 1, but `g` and `b` are not used. Multiply by "
    "`g`, then add `b`.",
    _ln_then(lambda y, g, b: y),
)

LAYER_NORM.mistake(
    "bias_before_gain",
    "You add `b` first and multiply by `g` afterwards. It is the other way round: times "
    "`g`, then plus `b`.",
    _ln_then(lambda y, g, b: (y + b) * g),
)

LAYER_NORM.mistake(
    "gain_and_bias_swapped",
    "`g` and `b` have changed places. Multiply by `g`, the gain, and add `b`, the bias.",
    _ln_then(lambda y, g, b: y * b + g),
)

LAYER_NORM.mistake(
    "gain_plus_one",
    "You multiply by 1 + g. Some newer models store the gain that way; GPT-2 stores it as it is.",
    _ln_then(lambda y, g, b: y * (1 + g) + b),
)

LAYER_NORM.mistake(
    "divided_by_the_length",
    "You divide by the length of the vector. Divide by the root of the mean square "
    "deviation: with D features that is smaller by the root of D.",
    lambda x, g, b, eps=1e-5: x / np.sqrt((x**2).sum(axis=-1, keepdims=True) + eps) * g + b,
)

LAYER_NORM.mistake(
    "mean_deviation",
    "You divide by the mean of the absolute deviations. The spread is the root of the mean "
    "of their squares.",
    _ln_divided_by(lambda x, eps: np.abs(x - _own_mean(x)).mean(axis=-1, keepdims=True) + eps),
)

LAYER_NORM.mistake(
    "squeezed_between_0_and_1",
    "You move the smallest feature to 0 and the largest to 1. Layer norm gives the "
    "features mean 0 and variance 1.",
    lambda x, g, b, eps=1e-5: (
        (x - x.min(-1, keepdims=True)) / (np.ptp(x, axis=-1, keepdims=True) + eps) * g + b
    ),
)

LAYER_NORM.mistake(
    "softmax_instead",
    "That is a softmax: your numbers are never negative and sum to 1 before `g` and `b`. "
    "Layer norm gives the features mean 0 and variance 1.",
    lambda x, g, b, eps=1e-5: softmax(x) * g + b,
)


@LAYER_NORM.mistake(
    "whole_numbers_result",
    "Your result array takes its type from `x`, so for whole numbers it cuts off all "
    "decimals. Make a float array.",
)
def _ln_integer_result(x, g, b, eps=1e-5):
    out = np.zeros_like(x)
    out[...] = normalise(x, g, b, eps)
    return out


LAYER_NORM.mistake(
    "rounded",
    "Your numbers are rounded, or went through float16. Round when you print, not when you return.",
    lambda *args: normalise(*args).round(2),
    lambda *args: normalise(*args).round(3),
    lambda *args: normalise(*args).astype(np.float16),
)


def _ln_changes_x(x, g, b, eps=1e-5):
    x -= _own_mean(x).astype(x.dtype)
    return x / spread_of(x, eps) * g + b


def _ln_in_place(x, g, b, eps=1e-5):
    x -= _own_mean(x)
    return x / spread_of(x, eps) * g + b


def _ln_all_in_place(x, g, b, eps=1e-5):
    spread = spread_of(x, eps)
    x -= _own_mean(x)
    x /= spread
    return x * g + b


LAYER_NORM.mistake(
    "x_changed",
    "`x` is different after the call: `-=` writes into the caller's array. Make a new one: "
    "`x = x - ...`.",
    _ln_changes_x,
    _ln_in_place,
    _ln_all_in_place,
)


@LAYER_NORM.mistake(
    "gain_before_normalising",
    "You multiply by `g` before you normalise, so mean and variance are not those of `x`. "
    "Normalise first, then multiply by `g` and add `b`.",
)
def _gain_first(x, g, b, eps=1e-5):
    x = x * g
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) + b


# --- unusual, and right --------------------------------------------------------------------------

LAYER_NORM.also_right(
    "np.std squared", _ln_with(_own_mean, lambda x: x.std(axis=-1, keepdims=True) ** 2)
)

LAYER_NORM.also_right(
    "mean of squares minus square of mean",
    _ln_with(_own_mean, lambda x: (x**2).mean(axis=-1, keepdims=True) - _own_mean(x) ** 2),
)


@LAYER_NORM.also_right("row by row")
def _ln_by_hand(x, g, b, eps=1e-5):
    out = np.empty(x.shape)
    for index in np.ndindex(*x.shape[:-1]):
        row = [float(value) for value in x[index]]
        mean = sum(row) / len(row)
        variance = sum((value - mean) ** 2 for value in row) / len(row)
        out[index] = [(value - mean) / math.sqrt(variance + eps) for value in row]
    return out * g + b


@LAYER_NORM.also_right("a centring matrix and hypot")
def _ln_by_matrix(x, g, b, eps=1e-5):
    width = x.shape[-1]
    centred = x @ (np.eye(width) - 1 / width)
    squares = np.einsum("...i,...i->...", centred, centred)[..., None]
    return centred / np.hypot(np.sqrt(squares / width), eps**0.5) * g + b


LAYER_NORM.also_right("float32", in_float32(normalise))

LAYER_NORM.also_right(
    "apply_along_axis",
    lambda x, g, b, eps=1e-5: (
        np.apply_along_axis(lambda row: normalise(row, 1.0, 0.0, eps), -1, x) * g + b
    ),
)

LAYER_NORM.also_right(
    "gain divided first",
    lambda x, g, b, eps=1e-5: (x - _own_mean(x)) * (g / spread_of(x, eps)) + b,
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(centre, spread, join, gain, out):
    def layer_norm(x, g, b, eps=1e-5):
        centred = centre(x)
        return out(gain(join(centred, spread(x, centred), eps), g, b))

    return layer_norm


_CENTRES = (
    Wrong("not_centred", _("The mean is not taken away."), same),
    Wrong("centred_at_median", _("The median is taken away, not the mean."), lambda x: x - np.median(x, -1, keepdims=True)),
    Wrong("mean_over_tokens", _("The mean runs over the tokens, not over the features."), lambda x: x - x.mean(-2 if x.ndim > 1 else -1, keepdims=True)),
    Wrong("mean_over_everything", _("The mean runs over everything, not over each token's features."), lambda x: x - x.mean()),
)  # fmt: skip


_SPREADS = (
    Wrong("sample_variance", _("The variance is that of a sample: divided by D - 1 (ddof=1)."), lambda x, c: x.var(-1, keepdims=True, ddof=1) if x.shape[-1] > 1 else x.var(-1, keepdims=True)),
    Wrong("squares_over_one_less", _("The squares of x are summed and divided by D - 1; the variance is asked for."), lambda x, c: (x * x).sum(-1, keepdims=True) / max(x.shape[-1] - 1, 1)),
    Wrong("mean_of_squares", _("The mean of the squares of x is taken, not the variance."), lambda x, c: (x * x).mean(-1, keepdims=True)),
    Wrong("sum_of_squares", _("The squares are summed, not averaged."), lambda x, c: ((x - x.mean(-1, keepdims=True)) ** 2).sum(-1, keepdims=True)),
    Wrong("variance_over_tokens", _("The variance runs over the tokens."), lambda x, c: x.var(-2 if x.ndim > 1 else -1, keepdims=True)),
    Wrong("variance_over_everything", _("The variance runs over everything."), lambda x, c: x.var()),
    Wrong("mean_not_squared", _("The mean is taken away from the mean of the squares; its square is meant."), lambda x, c: (x * x).mean(-1, keepdims=True) - x.mean(-1, keepdims=True)),
    Wrong("mean_deviation", _("The mean absolute deviation is taken, not the variance."), lambda x, c: np.abs(x - x.mean(-1, keepdims=True)).mean(-1, keepdims=True) ** 2),
)  # fmt: skip


_JOINS = (
    Wrong("eps_outside_the_root", _("eps is added outside of the root."), lambda c, v, e: c / (np.sqrt(v) + e)),
    Wrong("eps_missing", _("eps is not added."), lambda c, v, e: c / np.sqrt(v)),
    Wrong("eps_fixed", _("eps is fixed; the argument is not used."), lambda c, v, e: c / np.sqrt(v + 1e-5)),
    Wrong("eps_squared", _("eps is squared."), lambda c, v, e: c / np.sqrt(v + e * e)),
    Wrong("eps_as_floor", _("eps is used as the least value of the variance, not added to it."), lambda c, v, e: c / np.sqrt(np.maximum(v, e))),
    Wrong("divided_by_variance", _("It is divided by the variance, not by its root."), lambda c, v, e: c / (v + e)),
    Wrong("multiplied_by_root", _("It is multiplied by the root, not divided."), lambda c, v, e: c * np.sqrt(v + e)),
    Wrong("deviations_squared", _("The squared deviations are divided, not the deviations."), lambda c, v, e: c**2 / np.sqrt(v + e)),
    Wrong("not_divided", _("It is not divided by the root of the variance."), lambda c, v, e: c),
)  # fmt: skip


_GAINS = (
    Wrong("gain_missing", _("The gain g is not used."), lambda n, g, b: n + b),
    Wrong("bias_missing", _("The bias b is not added."), lambda n, g, b: n * g),
    Wrong("gain_and_bias_missing", _("Gain and bias are not used."), lambda n, g, b: n),
    Wrong(
        "bias_before_gain",
        _("The bias is added before the gain is multiplied."),
        lambda n, g, b: (n + b) * g,
    ),
    Wrong("gain_and_bias_exchanged", _("Gain and bias are exchanged."), lambda n, g, b: n * b + g),
    Wrong("gain_plus_one", _("1 is added to the gain."), lambda n, g, b: n * (1 + g) + b),
    Wrong("bias_subtracted", _("The bias is subtracted."), lambda n, g, b: n * g - b),
)


LAYER_NORM.steps = Steps(
    _build,
    {"centre": lambda x: x - x.mean(-1, keepdims=True), "spread": lambda x, c: x.var(-1, keepdims=True), "join": lambda c, v, e: c / np.sqrt(v + e), "gain": lambda n, g, b: n * g + b, "out": same},
    {"centre": _CENTRES, "spread": _SPREADS, "join": _JOINS, "gain": _GAINS, "out": OUTPUTS[:5]},
)  # fmt: skip
