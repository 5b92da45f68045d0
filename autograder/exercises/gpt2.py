"""Exercises of lesson 06: the whole GPT-2."""

import math

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    WIDE,
    Case,
    Exercise,
    Mistake,
    Promise,
    Question,
    Right,
    late,
    rough,
    tidy,
)

LESSON = "06_gpt2"


# --- right pieces, from which wrong and unusual implementations are put together ---------------


def _spread(x, eps):
    return np.sqrt(x.var(axis=-1, keepdims=True) + eps)


def _layer_norm(x, g, b, eps=1e-5):
    return (x - x.mean(axis=-1, keepdims=True)) / _spread(x, eps) * g + b


def _inner(x, cubic=0.044715):
    return (2 / np.pi) ** 0.5 * (x + cubic * x**3)


def _gelu(x):
    return 0.5 * x * (1 + np.tanh(_inner(x)))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _erf(x):
    return np.vectorize(math.erf, otypes=[float])(x)


def _exact_gelu(x):
    return 0.5 * x * (1 + _erf(x / 2**0.5))


def _relu(x):
    return np.maximum(x, 0)


def _linear(x, params, name):
    return x @ params[f"{name}.weight"] + params[f"{name}.bias"]


def _mlp(x, params, activation=_gelu):
    return _linear(activation(_linear(x, params, "c_fc")), params, "c_proj")


def _softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def _append(past, k, v):
    if past is None:
        return k.copy(), v.copy()
    old_k, old_v = past
    return np.concatenate([old_k, k], axis=-2), np.concatenate([old_v, v], axis=-2)


def _attention(x, params, n_head, past=None):
    *leading, n_tokens, width = x.shape
    parts = np.split(_linear(x, params, "c_attn"), 3, axis=-1)
    in_heads = (*leading, n_tokens, n_head, width // n_head)
    q, k, v = (part.reshape(in_heads).swapaxes(-2, -3) for part in parts)
    k, v = _append(past, k, v)
    scores = q @ np.swapaxes(k, -1, -2) / (width // n_head) ** 0.5
    n_all = k.shape[-2]
    mask = np.tri(n_tokens, n_all, n_all - n_tokens, dtype=bool)
    out = _softmax(np.where(mask, scores, -np.inf)) @ v
    return _linear(out.swapaxes(-2, -3).reshape(x.shape), params, "c_proj"), (k, v)


def _part(params, prefix):
    return {
        name.removeprefix(prefix): array
        for name, array in params.items()
        if name.startswith(prefix)
    }


def _block_with(rule):
    """A block from its four parts: `rule(x, ln_1, attention, ln_2, mlp)` is its result."""

    def block(x, params, n_head, past=None):
        presents = []

        def norm(name):
            return lambda h: _layer_norm(h, params[f"{name}.weight"], params[f"{name}.bias"])

        def attention(h):
            out, present = _attention(h, _part(params, "attn."), n_head, past)
            presents.append(present)
            return out

        def mlp(h):
            return _mlp(h, _part(params, "mlp."))

        return rule(x, norm("ln_1"), attention, norm("ln_2"), mlp), presents[0]

    return block


_block = _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_1(x))) + mlp(ln_2(x)))


def _past_length(past):
    return 0 if past is None else past[0][0].shape[-2]


def _positions(start, n_tokens):
    return np.arange(start, start + n_tokens)


def _layers(params):
    n_layer = len({name.split(".")[1] for name in params if name.startswith("h.")})
    return [_part(params, f"h.{i}.") for i in range(n_layer)]


def _input(token_ids, params, positions):
    n_positions = len(params["wpe.weight"])
    if positions.max() >= n_positions:
        # In the words of the embed that learners find in the lesson.
        raise ValueError(
            f"{len(positions)} tokens from position {positions[0]} on do not fit in "
            f"{n_positions} positions"
        )
    return params["wte.weight"][token_ids] + params["wpe.weight"][positions]


def _ln_f(x, params):
    return _layer_norm(x, params["ln_f.weight"], params["ln_f.bias"])


def _gpt2_with(
    positions=lambda n_tokens, past: _positions(_past_length(past), n_tokens),
    embed=_input,
    layers=_layers,
    past_of=lambda past, layer: past[layer],
    returned=lambda presents: presents,
    end=_ln_f,
    out=lambda x, params: x @ params["wte.weight"].T,
):
    """The whole model, right where nothing else is said."""

    def gpt2(token_ids, params, n_head, past=None):
        token_ids = np.asarray(token_ids)
        x = embed(token_ids, params, positions(token_ids.shape[-1], past))
        presents = []
        for layer, own in enumerate(layers(params)):
            x, present = _block(x, own, n_head, None if past is None else past_of(past, layer))
            presents.append(present)
        return out(end(x, params), params), returned(presents)

    return gpt2


_gpt2 = _gpt2_with()


def _refuse(token_ids, params, n_new):
    if len(token_ids) + n_new > len(params["wpe.weight"]):
        raise ValueError("there are not enough positions")


def _generate_with(choose=lambda logits: int(logits[-1].argmax()), extra=0):
    """Greedy generation with a cache: `choose` picks the next id from the logits, and `extra`
    rounds are added to the loop after the lengths were compared."""

    def generate(token_ids, params, n_head, n_new):
        _refuse(token_ids, params, n_new)
        ids, new, past = list(token_ids), list(token_ids), None
        for _ in range(n_new + extra):
            logits, past = _gpt2(new, params, n_head, past)
            new = [choose(logits)]
            ids = ids + new
        return ids

    return generate


_generate = _generate_with()


def _single(function):
    """The same in float32."""

    def convert(value):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return value.astype(np.float32)
        if isinstance(value, dict):
            return {name: convert(array) for name, array in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(convert, value))
        return value

    return lambda *args: function(*map(convert, args))


# --- layer_norm -------------------------------------------------------------------------------


def _ln_with(mean, variance):
    return lambda x, g, b, eps=1e-5: (x - mean(x)) / np.sqrt(variance(x) + eps) * g + b


def _own_mean(x):
    return x.mean(axis=-1, keepdims=True)


def _ln_over(axis):
    return _ln_with(
        lambda x: x.mean(axis=axis, keepdims=True), lambda x: x.var(axis=axis, keepdims=True)
    )


def _ln_then(end):
    """Right rows of mean 0 and variance 1, but another use of g and b."""
    return lambda x, g, b, eps=1e-5: end((x - _own_mean(x)) / _spread(x, eps), g, b)


def _ln_divided_by(size):
    return lambda x, g, b, eps=1e-5: (x - _own_mean(x)) / size(x, eps) * g + b


def _ln_changes_x(x, g, b, eps=1e-5):
    x -= _own_mean(x).astype(x.dtype)
    return x / _spread(x, eps) * g + b


def _ln_in_place(x, g, b, eps=1e-5):
    x -= _own_mean(x)
    return x / _spread(x, eps) * g + b


def _ln_all_in_place(x, g, b, eps=1e-5):
    spread = _spread(x, eps)
    x -= _own_mean(x)
    x /= spread
    return x * g + b


def _ln_row_after_row(x, g, b, eps=1e-5):
    rows = [(row - row.mean()) / np.sqrt(row.var() + eps) * g + b for row in x]
    return np.array(rows)


def _ln_by_math(x, g, b, eps=1e-5):
    return (x - _own_mean(x)) / math.sqrt(x.var(axis=-1, keepdims=True) + eps) * g + b


def _ln_no_keepdims(x, g, b, eps=1e-5):
    return (x - x.mean(axis=-1)) / np.sqrt(x.var(axis=-1) + eps) * g + b


def _ln_no_keepdims_below(x, g, b, eps=1e-5):
    return (x - _own_mean(x)) / np.sqrt(x.var(axis=-1) + eps) * g + b


def _ln_integer_result(x, g, b, eps=1e-5):
    out = np.zeros_like(x)
    out[...] = _layer_norm(x, g, b, eps)
    return out


def _ln_by_hand(x, g, b, eps=1e-5):
    out = np.empty(x.shape)
    for index in np.ndindex(*x.shape[:-1]):
        row = [float(value) for value in x[index]]
        mean = sum(row) / len(row)
        variance = sum((value - mean) ** 2 for value in row) / len(row)
        out[index] = [(value - mean) / math.sqrt(variance + eps) for value in row]
    return out * g + b


def _ln_by_matrix(x, g, b, eps=1e-5):
    width = x.shape[-1]
    centred = x @ (np.eye(width) - 1 / width)
    squares = np.einsum("...i,...i->...", centred, centred)[..., None]
    return centred / np.hypot(np.sqrt(squares / width), eps**0.5) * g + b


_LN_X = np.array([[1.0, 3.0, 5.0, 7.0], [2.0, 2.0, 4.0, 8.0], [0.0, -2.0, 2.0, 4.0]])
_LN_G, _LN_B = np.array([1.0, 2.0, 0.5, -1.0]), np.array([0.5, 0.0, -1.0, 1.0])
_ALMOST_EQUAL = np.array([[0.001, -0.001, 0.002, -0.002], [2.0, 2.0, 2.0, 2.0]])
_HIDDEN_G, _HIDDEN_B = rough(18, seed=601), rough(18, seed=602)

_EACH_ALONE = "Every token is normalised alone, over its own features: the last axis."

LAYER_NORM = Exercise(
    name="layer_norm",
    lesson=LESSON,
    visible=(
        Case("one token, gain 1 and bias 0", (_LN_X[0], np.ones(4), np.zeros(4))),
        Case("three tokens", (_LN_X, _LN_G, _LN_B)),
        Case("features that are almost or all equal", (_ALMOST_EQUAL, _LN_G, _LN_B)),
        Case("another eps", (_LN_X, _LN_G, _LN_B, 2.0)),
        Case("two sentences at once", (tidy(2, 4, 4, seed=603), _LN_G, _LN_B)),
        Case("whole numbers", (np.array([[1, 3, 5, 7], [0, 0, 4, 0]]), np.arange(4), np.ones(4))),
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
            "every token gives what it gives alone",
            "every_example_alone",
            (1, _LN_X, _LN_G, _LN_B),
            (1, rough(5, 18, seed=611), _HIDDEN_G, _HIDDEN_B),
        ),
    ),
    mistakes=(
        Mistake(
            "over_the_tokens",
            "You take mean and variance over the tokens: a token's numbers would depend on the "
            "other tokens, even later ones. " + _EACH_ALONE,
            _ln_over(-2),
            _ln_over(0),
        ),
        Mistake(
            "over_everything",
            "You take one mean or one variance over all tokens together. " + _EACH_ALONE,
            _ln_over(None),
            _ln_with(lambda x: x.mean(), lambda x: x.var(axis=-1, keepdims=True)),
            _ln_with(_own_mean, lambda x: x.var()),
        ),
        Mistake(
            "over_the_sentence",
            "You take mean and variance over the last two axes: all tokens of a sentence together. "
            + _EACH_ALONE,
            _ln_with(
                lambda x: x.mean(axis=tuple(range(-min(x.ndim, 2), 0)), keepdims=True),
                lambda x: x.var(axis=tuple(range(-min(x.ndim, 2), 0)), keepdims=True),
            ),
        ),
        Mistake(
            "over_axis_1",
            "You work along axis 1. That is the features of one sentence, but the tokens of a "
            "batch, and a single token has no axis 1. Count the axis from the back.",
            _ln_over(1),
        ),
        Mistake(
            "keepdims_missing",
            "Mean or variance has lost its last axis, so NumPy lines its numbers up with the "
            "features instead of the tokens. What keeps an axis of size 1?",
            _ln_no_keepdims,
            _ln_no_keepdims_below,
        ),
        Mistake(
            "one_sentence_only",
            "Your function works for a table of tokens, but not for a batch, or not for one token "
            "alone. Count the axis from the back: the last one, whatever comes in front of it.",
            lambda x, g, b, eps=1e-5: (
                ((x.T - x.mean(axis=-1)) / np.sqrt(x.var(axis=-1) + eps)).T * g + b
            ),
            _ln_row_after_row,
        ),
        Mistake(
            "math_instead_of_numpy",
            "Functions of Python's `math` take one number only. Their namesakes in NumPy, such as "
            "`np.sqrt`, work on whole arrays.",
            _ln_by_math,
        ),
        Mistake(
            "variance_of_a_sample",
            "You divide the squared deviations by D - 1. The features are all there is, not a "
            "sample: divide by D. (`ddof=1`, or PyTorch's default, divides by D - 1.)",
            _ln_with(_own_mean, lambda x: x.var(axis=-1, ddof=1, keepdims=True)),
        ),
        Mistake(
            "squares_not_averaged",
            "You add up the squared deviations, but do not divide by their number. The variance is "
            "their mean.",
            _ln_with(_own_mean, lambda x: ((x - _own_mean(x)) ** 2).sum(-1, keepdims=True)),
        ),
        Mistake(
            "eps_outside_the_root",
            "You add eps to the root. It is added to the variance, inside the root. On ordinary "
            "tokens that hardly shows; on features that are almost equal it does.",
            _ln_divided_by(lambda x, eps: x.std(axis=-1, keepdims=True) + eps),
        ),
        Mistake(
            "eps_missing",
            "There is no eps in your division. When all features are equal the variance is 0, and "
            "0 / 0 is nan. Add eps to the variance, inside the root.",
            _ln_divided_by(lambda x, eps: x.std(axis=-1, keepdims=True)),
        ),
        Mistake(
            "eps_ignored",
            "Your eps is always 1e-5. Use the argument `eps`; 1e-5 is only its default.",
            lambda x, g, b, eps=1e-5: _layer_norm(x, g, b),
        ),
        Mistake(
            "other_eps",
            "Your eps is too small or too large: 1e-12, 1e-6 and 1e-3 are known from other models. "
            "GPT-2 uses 1e-5: take the argument `eps`.",
            lambda x, g, b, eps=1e-5: _layer_norm(x, g, b, 1e-12),
            lambda x, g, b, eps=1e-5: _layer_norm(x, g, b, 1e-6),
            lambda x, g, b, eps=1e-5: _layer_norm(x, g, b, 1e-3),
            lambda x, g, b, eps=1e-5: _layer_norm(x, g, b, 1e-8),
        ),
        Mistake(
            "other_default_eps",
            "With `eps` given you are right; without it you are not. The default is 1e-5.",
            lambda x, g, b, eps=1e-12: _layer_norm(x, g, b, eps),
            lambda x, g, b, eps=1e-6: _layer_norm(x, g, b, eps),
            lambda x, g, b, eps=1e-3: _layer_norm(x, g, b, eps),
            lambda x, g, b, eps=1e-8: _layer_norm(x, g, b, eps),
        ),
        Mistake(
            "eps_squared",
            "You add the square of eps to the variance, inside the root. Add eps itself: the "
            "variance "
            "is a square already.",
            _ln_divided_by(lambda x, eps: _spread(x, eps**2)),
        ),
        Mistake(
            "divided_by_the_variance",
            "You divide by the variance. Divide by its square root, so that the features come out "
            "with variance 1.",
            _ln_divided_by(lambda x, eps: x.var(axis=-1, keepdims=True) + eps),
        ),
        Mistake(
            "mean_not_subtracted",
            "You do not subtract the mean first. (Some newer models leave that out and call it "
            "RMSNorm.) GPT-2 subtracts the mean, then divides.",
            _ln_with(lambda x: 0, lambda x: (x**2).mean(axis=-1, keepdims=True)),
            _ln_with(lambda x: 0, lambda x: x.var(axis=-1, keepdims=True)),
        ),
        Mistake(
            "only_centred",
            "You subtract the mean, but do not divide. The features must also come out with "
            "variance 1.",
            lambda x, g, b, eps=1e-5: (x - _own_mean(x)) * g + b,
        ),
        Mistake(
            "brackets_missing",
            "A pair of brackets is missing: Python divides before it subtracts, so only the mean "
            "is divided.",
            lambda x, g, b, eps=1e-5: (x - _own_mean(x) / _spread(x, eps)) * g + b,
            lambda x, g, b, eps=1e-5: x - _own_mean(x) / _spread(x, eps) * g + b,
        ),
        Mistake(
            "mean_subtracted_last",
            "You divide first and subtract the mean afterwards. Then the mean is still of the old "
            "size. Subtract first, then divide.",
            lambda x, g, b, eps=1e-5: (x / _spread(x, eps) - _own_mean(x)) * g + b,
        ),
        Mistake(
            "squares_of_x",
            "Your variance is the mean of the squares of `x`. It is the mean of the squared "
            "deviations: subtract the mean first, then square.",
            _ln_with(_own_mean, lambda x: (x**2).mean(axis=-1, keepdims=True)),
        ),
        Mistake(
            "gain_missing",
            "You leave out `g`. After the division each feature is multiplied by its own learned "
            "number.",
            _ln_then(lambda y, g, b: y + b),
        ),
        Mistake(
            "bias_missing",
            "You leave out `b`. At the end each feature gets its own learned number added.",
            _ln_then(lambda y, g, b: y * g),
        ),
        Mistake(
            "gain_and_bias_missing",
            "The features have mean 0 and variance 1, but `g` and `b` are not used. Multiply by "
            "`g`, then add `b`.",
            _ln_then(lambda y, g, b: y),
        ),
        Mistake(
            "bias_before_gain",
            "You add `b` first and multiply by `g` afterwards. It is the other way round: times "
            "`g`, then plus `b`.",
            _ln_then(lambda y, g, b: (y + b) * g),
        ),
        Mistake(
            "gain_and_bias_swapped",
            "`g` and `b` have changed places. Multiply by `g`, the gain, and add `b`, the bias.",
            _ln_then(lambda y, g, b: y * b + g),
        ),
        Mistake(
            "gain_plus_one",
            "You multiply by 1 + g. Some newer models store the gain that way; GPT-2 stores it as "
            "it is.",
            _ln_then(lambda y, g, b: y * (1 + g) + b),
        ),
        Mistake(
            "divided_by_the_length",
            "You divide by the length of the vector. Divide by the root of the mean square "
            "deviation: with D features that is smaller by the root of D.",
            lambda x, g, b, eps=1e-5: x / np.sqrt((x**2).sum(axis=-1, keepdims=True) + eps) * g + b,
        ),
        Mistake(
            "mean_deviation",
            "You divide by the mean of the absolute deviations. The spread is the root of the mean "
            "of their squares.",
            _ln_divided_by(
                lambda x, eps: np.abs(x - _own_mean(x)).mean(axis=-1, keepdims=True) + eps
            ),
        ),
        Mistake(
            "squeezed_between_0_and_1",
            "You move the smallest feature to 0 and the largest to 1. Layer norm gives the "
            "features mean 0 and variance 1.",
            lambda x, g, b, eps=1e-5: (
                (x - x.min(-1, keepdims=True)) / (np.ptp(x, axis=-1, keepdims=True) + eps) * g + b
            ),
        ),
        Mistake(
            "softmax_instead",
            "That is a softmax: your numbers are never negative and sum to 1 before `g` and `b`. "
            "Layer norm gives the features mean 0 and variance 1.",
            lambda x, g, b, eps=1e-5: _softmax(x) * g + b,
        ),
        Mistake(
            "whole_numbers_result",
            "Your result array takes its type from `x`, so for whole numbers it cuts off all "
            "decimals. Make a float array.",
            _ln_integer_result,
        ),
        Mistake(
            "rounded",
            "Your numbers are rounded, or went through float16. Round when you print, not when you "
            "return.",
            lambda *args: _layer_norm(*args).round(2),
            lambda *args: _layer_norm(*args).round(3),
            lambda *args: _layer_norm(*args).astype(np.float16),
        ),
        Mistake(
            "x_changed",
            "`x` is different after the call: `-=` writes into the caller's array. Make a new one: "
            "`x = x - ...`.",
            _ln_changes_x,
            _ln_in_place,
            _ln_all_in_place,
        ),
    ),
    right=(
        Right("np.std squared", _ln_with(_own_mean, lambda x: x.std(axis=-1, keepdims=True) ** 2)),
        Right(
            "mean of squares minus square of mean",
            _ln_with(_own_mean, lambda x: (x**2).mean(axis=-1, keepdims=True) - _own_mean(x) ** 2),
        ),
        Right("row by row", _ln_by_hand),
        Right("a centring matrix and hypot", _ln_by_matrix),
        Right("float32", _single(_layer_norm)),
        Right(
            "apply_along_axis",
            lambda x, g, b, eps=1e-5: (
                np.apply_along_axis(lambda row: _layer_norm(row, 1.0, 0.0, eps), -1, x) * g + b
            ),
        ),
        Right(
            "gain divided first",
            lambda x, g, b, eps=1e-5: (x - _own_mean(x)) * (g / _spread(x, eps)) + b,
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


# --- gelu -------------------------------------------------------------------------------------


def _gelu_changes_x(x):
    right = _gelu(x)
    x *= 0
    return right


def _gelu_in_place(x):
    x *= 0.5 * (1 + np.tanh(_inner(x)))
    return x


def _gelu_integer_result(x):
    out = np.zeros_like(x)
    out[...] = _gelu(x)
    return out


def _tanh_by_exp(y):
    return (np.exp(y) - np.exp(-y)) / (np.exp(y) + np.exp(-y))


def _tanh_by_small_exp(y):
    small = np.exp(-2 * np.abs(y))
    return np.sign(y) * (1 - small) / (1 + small)


def _gelu_of_one(x):
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _gelu_cell_by_cell(x):
    out = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        out[index] = _gelu_of_one(float(x[index]))
    return out


GELU = Exercise(
    name="gelu",
    lesson=LESSON,
    visible=(
        Case("four numbers", (np.array([-1.0, 0.0, 1.0, 2.0]),)),
        Case("far from 0", (np.array([-6.0, -4.0, -3.0, -2.6, -2.2, 3.0, 5.0]),)),
        Case("a batch", (tidy(2, 3, 4, seed=621),)),
        Case("whole numbers", (np.array([[-2, -1], [1, 3]]),)),
        late("very far from 0", (np.array([-1000.0, -30.0, 30.0, 1000.0]),)),
    ),
    hidden=(
        Case("other sizes", (2 * rough(5, 18, seed=622),)),
        Case("one number", (np.array([-2.5]),)),
        Case("four axes", (2 * rough(2, 3, 5, 6, seed=623),)),
        Case("far below and far above 0", (np.linspace(-9, 9, 37),)),
        Case("whole numbers", (np.arange(-5, 7).reshape(3, 4),)),
        late("from far below to far above 0", (np.linspace(-60, 60, 241),)),
        late("very far from 0", (np.array([[-1e5, -300.0], [300.0, 1e5]]),)),
        late("many numbers", (rough(FAR, 2, seed=629),)),
        late("zeros", (np.zeros((2, 3)),)),
        late("large whole numbers", (np.array([[-3000, 0, 3000]]),)),
        late("all sizes equal", (rough(4, 4, 4, seed=630) * 3,)),
    ),
    promises=(
        Promise(
            "every number gives what it gives alone",
            "every_example_alone",
            (1, tidy(3, 4, seed=624)),
            (1, rough(5, 6, seed=625)),
        ),
    ),
    mistakes=(
        Mistake(
            "exact_gelu",
            "You use the exact GELU, with the error function erf. GPT-2 uses the formula with "
            "tanh, which comes close to it but differs by up to 0.0005, most for numbers near "
            "-2.7 and 2.7.",
            _exact_gelu,
        ),
        Mistake(
            "relu",
            "That is ReLU: every negative number becomes 0. GELU is smooth, and gives small "
            "negative numbers a small negative value.",
            _relu,
            lambda x: x * (x > 0),
        ),
        Mistake(
            "leaky_relu",
            "That is a leaky ReLU: a bend at 0 between two straight lines. GELU is smooth: use the "
            "formula with tanh.",
            lambda x: np.where(x > 0, x, 0.01 * x),
            lambda x: np.where(x > 0, x, 0.1 * x),
        ),
        Mistake(
            "silu",
            "That is SiLU (or swish): x times the sigmoid of x. It looks much like GELU. GPT-2 "
            "uses the formula with tanh.",
            lambda x: x * _sigmoid(x),
        ),
        Mistake(
            "quick_gelu",
            "You use a quick form, x times the sigmoid of 1.702 x. It differs by up to 0.02. GPT-2 "
            "uses the formula with tanh.",
            lambda x: x * _sigmoid(1.702 * x),
        ),
        Mistake(
            "sigmoid_alone",
            "That is a sigmoid: all your values lie between 0 and 1. GELU keeps large numbers as "
            "they are: x times something between 0 and 1.",
            _sigmoid,
        ),
        Mistake(
            "tanh_alone",
            "That is only the tanh: all your values lie between -1 and 1. Add 1 to it, then "
            "multiply by 0.5 x.",
            lambda x: np.tanh(_inner(x)),
            np.tanh,
        ),
        Mistake(
            "squared_not_cubed",
            "You have the square of x in the formula where its third power belongs.",
            lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**2))),
        ),
        Mistake(
            "cubic_term_missing",
            "The term with the third power of x is missing: 0.044715 x³ is added to x before the "
            "root is multiplied.",
            lambda x: 0.5 * x * (1 + np.tanh(_inner(x, 0))),
        ),
        Mistake(
            "inner_x_missing",
            "Inside the tanh stands the third power alone. The sum is x + 0.044715 x³: add x.",
            lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * 0.044715 * x**3)),
        ),
        Mistake(
            "three_times_not_cubed",
            "You take 3 times x where the third power of x belongs. In Python that is `x**3`.",
            lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x * 3))),
        ),
        Mistake(
            "caret_for_power",
            "In Python `^` is no power: it compares bits, and does not work with decimals. The "
            "third power of x is `x**3`.",
            lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * (x ^ 3)))),
        ),
        Mistake(
            "cubic_factor_missing",
            "The factor of the third power is missing: x³ is multiplied by 0.044715 before it is "
            "added to x.",
            lambda x: 0.5 * x * (1 + np.tanh(_inner(x, 1))),
        ),
        Mistake(
            "cubic_factor_mistyped",
            "One digit of 0.044715 is wrong, or the point has moved. It is 0.044715.",
            lambda x: 0.5 * x * (1 + np.tanh(_inner(x, 0.44715))),
            lambda x: 0.5 * x * (1 + np.tanh(_inner(x, 0.0044715))),
            lambda x: 0.5 * x * (1 + np.tanh(_inner(x, 0.04715))),
            lambda x: 0.5 * x * (1 + np.tanh(_inner(x, 0.47715))),
            lambda x: 0.5 * x * (1 + np.tanh(_inner(x, 0.044175))),
        ),
        Mistake(
            "brackets_wrong",
            "The brackets are in another place. The root multiplies the whole sum of x and "
            "0.044715 x³.",
            lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * x + 0.044715 * x**3)),
        ),
        Mistake(
            "sum_cubed",
            "You take the third power of the whole sum. Only x is cubed: x + 0.044715 x³.",
            lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x) ** 3)),
            lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + (0.044715 * x) ** 3))),
        ),
        Mistake(
            "root_of_pi_over_2",
            "The root is upside down: it is the square root of 2 / pi, about 0.798.",
            lambda x: 0.5 * x * (1 + np.tanh((np.pi / 2) ** 0.5 * (x + 0.044715 * x**3))),
        ),
        Mistake(
            "root_missing",
            "You multiply by 2 / pi itself, about 0.637. Take its square root, about 0.798, "
            "before you "
            "multiply.",
            lambda x: 0.5 * x * (1 + np.tanh(2 / np.pi * (x + 0.044715 * x**3))),
        ),
        Mistake(
            "root_of_2_only",
            "Only the 2 is under your root. It is the square root of the whole fraction 2 / pi, "
            "about 0.798.",
            lambda x: 0.5 * x * (1 + np.tanh(2**0.5 / np.pi * (x + 0.044715 * x**3))),
        ),
        Mistake(
            "root_left_out",
            "The square root of 2 / pi is missing in front of the sum.",
            lambda x: 0.5 * x * (1 + np.tanh(x + 0.044715 * x**3)),
        ),
        Mistake(
            "half_missing",
            "Your values are twice too large: large numbers should come out nearly as they are. "
            "The factor 0.5 is missing.",
            lambda x: x * (1 + np.tanh(_inner(x))),
        ),
        Mistake(
            "one_missing",
            "You multiply by the tanh alone: negative numbers come out positive. Add 1 to the "
            "tanh first.",
            lambda x: 0.5 * x * np.tanh(_inner(x)),
            lambda x: x * np.tanh(_inner(x)),
        ),
        Mistake(
            "x_missing",
            "Your values lie between 0 and 1: they are the share of x that passes. Multiply by x.",
            lambda x: 0.5 * (1 + np.tanh(_inner(x))),
        ),
        Mistake(
            "one_added_outside",
            "A bracket is missing: 1 is added to the tanh first, and the sum is multiplied by "
            "0.5 x.",
            lambda x: 0.5 * x * 1 + np.tanh(_inner(x)),
            lambda x: 0.5 * (x + np.tanh(_inner(x))),
        ),
        Mistake(
            "sign_wrong",
            "Your function lets negative numbers pass and stops positive ones. Add the tanh to 1, "
            "do not subtract it.",
            lambda x: 0.5 * x * (1 - np.tanh(_inner(x))),
        ),
        Mistake(
            "sigmoid_not_doubled",
            "A sigmoid can replace the tanh, but then its argument must be twice as large, and 0.5 "
            "and 1 fall away.",
            lambda x: x * _sigmoid(_inner(x)),
            lambda x: 0.5 * x * (1 + _sigmoid(_inner(x))),
        ),
        Mistake(
            "sin_or_tan",
            "You call `np.tan` or `np.sinh`. The function is `np.tanh`, which stays between -1 "
            "and 1.",
            lambda x: 0.5 * x * (1 + np.tan(_inner(x))),
            lambda x: 0.5 * x * (1 + np.sinh(_inner(x))),
            lambda x: 0.5 * x * (1 + np.arctan(_inner(x))),
        ),
        Mistake(
            "elu_or_softplus",
            "That is another smooth function, ELU or softplus. GPT-2 uses GELU: the formula with "
            "tanh.",
            lambda x: np.where(x > 0, x, np.exp(x) - 1),
            lambda x: np.log1p(np.exp(x)),
        ),
        Mistake(
            "math_instead_of_numpy",
            "Functions of Python's `math` take one number only. Their namesakes in NumPy, such as "
            "`np.tanh`, work on whole arrays.",
            lambda x: 0.5 * x * (1 + math.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))),
        ),
        Mistake(
            "tanh_overflows",
            "Right near 0, nan far from it: you compute tanh from exp, and exp of a large number "
            "is too large for any float. `np.tanh` takes numbers of any size.",
            lambda x: 0.5 * x * (1 + _tanh_by_exp(_inner(x))),
            lambda x: 0.5 * x * (1 + (np.exp(2 * _inner(x)) - 1) / (np.exp(2 * _inner(x)) + 1)),
            lambda x: 0.5 * x * (1 + (1 - np.exp(-2 * _inner(x))) / (1 + np.exp(-2 * _inner(x)))),
        ),
        Mistake(
            "nothing_done",
            "Numbers come out as they went in. Without a bend, two matrices in a row could do no "
            "more than one.",
            lambda x: x.copy(),
        ),
        Mistake(
            "whole_numbers_result",
            "Your result array takes its type from `x`, so for whole numbers it cuts off all "
            "decimals. Make a float array.",
            _gelu_integer_result,
        ),
        Mistake(
            "rounded",
            "Your numbers are rounded, or went through float16. Round when you print, not when you "
            "return.",
            lambda x: _gelu(x).round(2),
            lambda x: _gelu(x).round(3),
            lambda x: _gelu(x).astype(np.float16),
        ),
        Mistake(
            "x_changed",
            "`x` is different after the call. Somewhere you write into the caller's array. Make a "
            "new one.",
            _gelu_changes_x,
            _gelu_in_place,
        ),
    ),
    right=(
        Right("sigmoid of twice as much", lambda x: x * _sigmoid(2 * _inner(x))),
        Right(
            "root as a number",
            lambda x: 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3))),
        ),
        Right("cell by cell with math.tanh", _gelu_cell_by_cell),
        Right("the sigmoid's form, which has no upper end", lambda x: x * _sigmoid(2 * _inner(x))),
        Right("tanh by exp of one sign", lambda x: 0.5 * x * (1 + _tanh_by_small_exp(_inner(x)))),
        Right("np.vectorize", np.vectorize(_gelu_of_one, otypes=[float])),
        Right("float32", _single(_gelu)),
        Right(
            "multiplied out",
            lambda x: x / 2 + x / 2 * np.tanh(np.sqrt(2 / np.pi) * x * (1 + 0.044715 * x * x)),
        ),
    ),
    hints=(
        "It is one formula, and NumPy works on every number of an array by itself: no loop and no "
        "axis is needed. From the inside out: which part comes first?",
        "First the sum x + 0.044715 x³, times the square root of 2 / pi. Then `np.tanh` of that, "
        "plus 1. Then times 0.5 x. In Python the third power is `x**3`.",
        "With `inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)`, the result is half of x, times "
        "the sum of 1 and `np.tanh(inner)`.",
    ),
)


# --- mlp --------------------------------------------------------------------------------------


def _mlp_params(width, inner, seed, make):
    return {
        "c_fc.weight": make(width, inner, seed=seed),
        "c_fc.bias": make(inner, seed=seed + 1),
        "c_proj.weight": make(inner, width, seed=seed + 2),
        "c_proj.bias": make(width, seed=seed + 3),
    }


def _calm(*shape, seed):
    """Numbers that keep the result near 1, as those of a trained model do."""
    return rough(*shape, seed=seed) / np.sqrt(shape[0])


def _mlp_changes_x(x, params):
    right = _mlp(x, params)
    x += right.astype(x.dtype)
    return right


def _mlp_adds_to_x(x, params):
    x += _mlp(x, params)
    return x


def _mlp_changes_params(x, params):
    params["c_fc.weight"] *= 1.5
    return _mlp(x, {**params, "c_fc.weight": params["c_fc.weight"] / 1.5})


def _mlp_token_by_token(x, params):
    out = np.empty((*x.shape[:-1], params["c_proj.weight"].shape[1]))
    for index in np.ndindex(*x.shape[:-1]):
        out[index] = _mlp(x[index], params)
    return out


def _mlp_into_room(x, params):
    hidden = np.empty((*x.shape[:-1], 4 * x.shape[-1]))
    hidden[...] = x @ params["c_fc.weight"] + params["c_fc.bias"]
    return _linear(_gelu(hidden), params, "c_proj")


def _mlp_neuron_by_neuron(x, params):
    out = np.zeros((*x.shape[:-1], params["c_proj.weight"].shape[1])) + params["c_proj.bias"]
    for i, bias in enumerate(params["c_fc.bias"]):
        strength = _gelu(x @ params["c_fc.weight"][:, i] + bias)
        out = out + strength[..., None] * params["c_proj.weight"][i]
    return out


_MLP_X = tidy(3, 3, seed=631)
_MLP_PARAMS = _mlp_params(3, 12, seed=632, make=tidy)
_HIDDEN_MLP = _mlp_params(6, 24, seed=640, make=rough)

MLP = Exercise(
    name="mlp",
    lesson=LESSON,
    visible=(
        Case("three tokens", (_MLP_X, _MLP_PARAMS)),
        Case("one token", (_MLP_X[:1], _MLP_PARAMS)),
        Case("one feature", (tidy(2, 1, seed=643), _mlp_params(1, 4, seed=636, make=tidy))),
        Case("two sentences at once", (tidy(2, 2, 3, seed=644), _MLP_PARAMS)),
    ),
    hidden=(
        Case("other sizes", (rough(5, 6, seed=645), _HIDDEN_MLP)),
        Case("two sentences of other sizes", (rough(2, 5, 6, seed=646), _HIDDEN_MLP)),
        Case("a grid of sentences", (rough(2, 3, 5, 6, seed=647), _HIDDEN_MLP)),
        Case("as many tokens as neurons", (rough(24, 6, seed=648), _HIDDEN_MLP)),
        Case("one vector", (rough(6, seed=653), _HIDDEN_MLP)),
        Case("whole numbers", (np.arange(12).reshape(2, 6) % 5 - 2, _HIDDEN_MLP)),
        late("large numbers", (rough(3, 6, seed=655) * 1e3, _HIDDEN_MLP)),
        late(
            "many features",
            (rough(3, WIDE, seed=656), _mlp_params(WIDE, 4 * WIDE, seed=657, make=_calm)),
        ),
        late("a long text", (rough(FAR, 2, seed=661), _mlp_params(2, 8, seed=662, make=rough))),
        late(
            "all sizes equal", (rough(4, 4, 4, seed=666), _mlp_params(4, 16, seed=667, make=rough))
        ),
    ),
    promises=(
        Promise(
            "shuffled tokens give shuffled results",
            "tokens_in_any_order",
            (_MLP_X, np.array([2, 0, 1]), _MLP_PARAMS),
            (rough(5, 6, seed=654), np.array([3, 1, 4, 0, 2]), _HIDDEN_MLP),
        ),
    ),
    mistakes=(
        Mistake(
            "no_activation",
            "There is no GELU between your two products. Without it, both together could do no "
            "more than one matrix.",
            lambda x, p: _mlp(x, p, lambda h: h),
        ),
        Mistake(
            "activation_last",
            "Your GELU comes after the second product. It belongs between the two: after `c_fc`, "
            "before `c_proj`.",
            lambda x, p: _gelu(_linear(_linear(x, p, "c_fc"), p, "c_proj")),
        ),
        Mistake(
            "activation_first",
            "Your GELU comes before the first product. It belongs between the two: after `c_fc`, "
            "before `c_proj`.",
            lambda x, p: _mlp(_gelu(x), p, lambda h: h),
        ),
        Mistake(
            "activation_twice",
            "GELU is applied more than once. Once is right: after the first product with its bias, "
            "before the second.",
            lambda x, p: _gelu(_mlp(x, p)),
            lambda x, p: _mlp(x, p, lambda h: _gelu(_gelu(h))),
            lambda x, p: _mlp(_gelu(x), p),
        ),
        Mistake(
            "relu",
            "You use ReLU between the products: negative numbers become 0. GPT-2 uses GELU: call "
            "your "
            "gelu.",
            lambda x, p: _mlp(x, p, _relu),
        ),
        Mistake(
            "exact_gelu",
            "Between the products is the exact GELU, with erf. GPT-2 uses the formula with tanh: "
            "call your gelu.",
            lambda x, p: _mlp(x, p, _exact_gelu),
        ),
        Mistake(
            "other_activation",
            "Between the products is another function than GELU: SiLU, the quick form with 1.702, "
            "tanh or sigmoid. Call your gelu.",
            lambda x, p: _mlp(x, p, lambda h: h * _sigmoid(h)),
            lambda x, p: _mlp(x, p, lambda h: h * _sigmoid(1.702 * h)),
            lambda x, p: _mlp(x, p, np.tanh),
            lambda x, p: _mlp(x, p, _sigmoid),
        ),
        Mistake(
            "softmax_between",
            "You put a softmax between the products. Softmax makes weights in attention; here "
            "every number goes through your gelu by itself.",
            lambda x, p: _mlp(x, p, _softmax),
        ),
        Mistake(
            "first_bias_missing",
            "The bias of the first product is missing: `c_fc.bias`. Each product has its own.",
            lambda x, p: _linear(_gelu(x @ p["c_fc.weight"]), p, "c_proj"),
        ),
        Mistake(
            "second_bias_missing",
            "The bias of the second product is missing: `c_proj.bias`. Each product has its own.",
            lambda x, p: _gelu(_linear(x, p, "c_fc")) @ p["c_proj.weight"],
        ),
        Mistake(
            "both_biases_missing",
            "Both biases are missing. `c_fc.bias` is added to the first product, before GELU, and "
            "`c_proj.bias` to the second.",
            lambda x, p: _gelu(x @ p["c_fc.weight"]) @ p["c_proj.weight"],
        ),
        Mistake(
            "first_bias_after_gelu",
            "You add `c_fc.bias` after GELU. It belongs to the first product: add it before the "
            "GELU.",
            lambda x, p: _linear(_gelu(x @ p["c_fc.weight"]) + p["c_fc.bias"], p, "c_proj"),
        ),
        Mistake(
            "bias_subtracted",
            "You subtract a bias. Both biases are added, one after each product: `c_fc.bias` and "
            "`c_proj.bias`.",
            lambda x, p: _linear(_gelu(x @ p["c_fc.weight"] - p["c_fc.bias"]), p, "c_proj"),
            lambda x, p: _gelu(_linear(x, p, "c_fc")) @ p["c_proj.weight"] - p["c_proj.bias"],
        ),
        Mistake(
            "first_product_only",
            "You return the D to 4D part only. `c_proj` brings the result back to D features.",
            lambda x, p: _gelu(_linear(x, p, "c_fc")),
            lambda x, p: _linear(x, p, "c_fc"),
        ),
        Mistake(
            "products_in_the_wrong_order",
            "Your first matrix does not fit: a token of `x` has D numbers, and the matrix takes "
            "4D. Either you begin with `c_proj`, but `c_fc` comes first, or you transpose "
            "`c_fc.weight`. It has the shape [in, out], and needs no transpose.",
            lambda x, p: _linear(_gelu(_linear(x, p, "c_proj")), p, "c_fc"),
            lambda x, p: _linear(_gelu(_linear(x, p, "c_proj")), p, "c_proj"),
            lambda x, p: _linear(_gelu(x @ p["c_fc.weight"].T + p["c_fc.bias"]), p, "c_proj"),
            lambda x, p: (
                _gelu(x @ p["c_fc.weight"].T + p["c_fc.bias"]) @ p["c_proj.weight"].T
                + p["c_proj.bias"]
            ),
        ),
        Mistake(
            "weights_transposed",
            "Your second matrix does not fit: after GELU a token has 4D numbers, and the matrix "
            "takes D. Either you transpose `c_proj.weight`, which has the shape [in, out] and "
            "needs no transpose, or you use `c_fc` a second time.",
            lambda x, p: _gelu(_linear(x, p, "c_fc")) @ p["c_proj.weight"].T + p["c_proj.bias"],
            lambda x, p: _linear(_gelu(_linear(x, p, "c_fc")), p, "c_fc"),
        ),
        Mistake(
            "sides_swapped",
            "You put the matrix on the left. Tokens are rows here, so `x` stands on the left of "
            "`@`.",
            lambda x, p: (
                p["c_proj.weight"] @ _gelu(p["c_fc.weight"] @ x + p["c_fc.bias"]) + p["c_proj.bias"]
            ),
        ),
        Mistake(
            "input_added",
            "Your result holds `x` as well. That sum is made in the block, after the MLP; here it "
            "is the two products only.",
            lambda x, p: x + _mlp(x, p),
        ),
        Mistake(
            "normalised_inside",
            "You normalise inside the MLP. The block does that, before it calls the MLP.",
            lambda x, p: _mlp(_layer_norm(x, 1.0, 0.0), p),
        ),
        Mistake(
            "name_mistyped",
            "Python finds no entry of that name. The four are `c_fc.weight`, `c_fc.bias`, "
            "`c_proj.weight` and `c_proj.bias`, without anything in front.",
            lambda x, p: p["mlp.c_fc.weight"],
            lambda x, p: p["mlp.c_proj.weight"],
            lambda x, p: p["c_fc"],
            lambda x, p: p["fc.weight"],
            lambda x, p: p["c_fc_weight"],
            lambda x, p: p["h.0.mlp.c_fc.weight"],
        ),
        Mistake(
            "whole_numbers_or_rounded",
            "Your numbers are rounded, or went through float16 or whole numbers. Keep floats, and "
            "round when you print.",
            lambda x, p: _mlp(x, p).round(2),
            lambda x, p: _mlp(x, p).round(3),
            lambda x, p: _mlp(x, p).astype(np.float16),
            lambda x, p: _mlp(x, p).astype(int),
        ),
        Mistake(
            "argument_changed",
            "`x` or `params` is different after the call. Somewhere you write into it, perhaps "
            "with `+=` or `*=`. Make a new array instead.",
            _mlp_changes_x,
            _mlp_adds_to_x,
            _mlp_changes_params,
        ),
    ),
    right=(
        Right("token by token", _mlp_token_by_token),
        Right("room for 4D", _mlp_into_room),
        Right("neuron by neuron", _mlp_neuron_by_neuron),
        Right("float32", _single(_mlp)),
        Right("GELU by sigmoid", lambda x, p: _mlp(x, p, lambda h: h * _sigmoid(2 * _inner(h)))),
        Right(
            "np.dot and named steps",
            lambda x, p: (
                np.dot(_gelu(np.dot(x, p["c_fc.weight"]) + p["c_fc.bias"]), p["c_proj.weight"])
                + p["c_proj.bias"]
            ),
        ),
    ),
    hints=(
        "Three steps: a product that makes each token four times as wide, your gelu, and a product "
        "that brings it back. Which names in `params` belong to which product?",
        "A product with its bias has the form `x @ weight + bias`. You wrote it before: your "
        "project does it. First with `c_fc`, then with `c_proj`.",
        'First `h = gelu(x @ params["c_fc.weight"] + params["c_fc.bias"])`. Then the same kind of '
        "line with `h` and `c_proj`, without a gelu.",
    ),
)


# --- block ------------------------------------------------------------------------------------


def _layer_params(width, seed, decimals=None):
    """The weights of one block, of a size that makes every part of it matter."""
    random = np.random.default_rng(seed)

    def make(*shape, about=0.0):
        array = about + random.normal(size=shape) * (0.5 if len(shape) == 2 else 0.3)
        return array if decimals is None else array.round(decimals)

    return {
        "ln_1.weight": make(width, about=1),
        "ln_1.bias": make(width),
        "attn.c_attn.weight": make(width, 3 * width),
        "attn.c_attn.bias": make(3 * width),
        "attn.c_proj.weight": make(width, width),
        "attn.c_proj.bias": make(width),
        "ln_2.weight": make(width, about=1),
        "ln_2.bias": make(width),
        "mlp.c_fc.weight": make(width, 4 * width),
        "mlp.c_fc.bias": make(4 * width),
        "mlp.c_proj.weight": make(4 * width, width),
        "mlp.c_proj.bias": make(width),
    }


def _block_gains_swapped(x, params, n_head, past=None):
    swapped = {"weight": "bias", "bias": "weight"}
    norms = {
        f"{name}.{kind}": params[f"{name}.{swapped[kind]}"]
        for name in ("ln_1", "ln_2")
        for kind in swapped
    }
    return _block(x, {**params, **norms}, n_head, past)


def _block_present(change):
    """A right result beside another second value."""

    def block(x, params, n_head, past=None):
        out, present = _block(x, params, n_head, past)
        return out, change(present, past)

    return block


def _block_changes_x(x, params, n_head, past=None):
    attended, present = _attention(
        _layer_norm(x, params["ln_1.weight"], params["ln_1.bias"]),
        _part(params, "attn."),
        n_head,
        past,
    )
    x += attended.astype(x.dtype)
    hidden = _layer_norm(x, params["ln_2.weight"], params["ln_2.bias"])
    return x + _mlp(hidden, _part(params, "mlp.")), present


def _block_in_place(x, params, n_head, past=None):
    normed = _layer_norm(x, params["ln_1.weight"], params["ln_1.bias"])
    attended, present = _attention(normed, _part(params, "attn."), n_head, past)
    x += attended
    hidden = _layer_norm(x, params["ln_2.weight"], params["ln_2.bias"])
    return x + _mlp(hidden, _part(params, "mlp.")), present


def _block_all_in_place(x, params, n_head, past=None):
    out, present = _block(x, params, n_head, past)
    x += out - x
    return x, present


def _block_changes_x_twice(x, params, n_head, past=None):
    out, present = _block(x, params, n_head, past)
    x += (out - x).astype(x.dtype)
    return x, present


def _past_of_the_heads(n_past, width, n_head, seed, lead=()):
    shape = (*lead, n_head, n_past, width // n_head)
    return tuple(tidy(*shape, seed=seed + i) for i in (0, 1))


def _new_rows_only(present, past):
    n_past = 0 if past is None else past[0].shape[-2]
    return tuple(part[..., n_past:, :] for part in present)


def _heads_shuffled(x, params, n_head, past=None):
    return _block(x, params, 1 if past is None else n_head, past)


_BLOCK_X, _BLOCK_PARAMS = tidy(3, 4, seed=661), _layer_params(4, seed=662, decimals=1)
_HIDDEN_BLOCK, _HIDDEN_SMALL_BLOCK = _layer_params(18, seed=663), _layer_params(4, seed=660)
_PAST = _past_of_the_heads(2, 4, 2, seed=664)


def _calmer(params):
    """The same parameters with matrices that keep wide tokens near 1."""
    return {name: a / 6 if a.ndim == 2 else a for name, a in params.items()}


def _far_ahead(width, seed):
    """Tokens and parameters of a block: the last key's score is above 1,000 for every query.

    All queries are the same. The key of a token is its first number after ln_1, 1,000 times; the
    last token alone has one.
    """
    params = _layer_params(width, seed=seed)
    weight, bias = params["attn.c_attn.weight"], params["attn.c_attn.bias"]
    weight[:, : 2 * width], bias[: 2 * width] = 0, 0
    bias[:width], weight[0, width : 2 * width] = 2, 1000
    params["ln_1.weight"][0], params["ln_1.bias"][0] = 1, 0
    some = np.round(8 * rough(5, width // 2 - 1, seed=seed + 1)) / 8  # exact in float32, too
    x = np.concatenate([np.zeros((5, 2)), some, -some], axis=-1)
    x[-1] = [width - 1] + [-1] * (width - 1)
    return x, params


_HIDDEN_PAST = _past_of_the_heads(7, 18, 3, seed=666)

BLOCK = Exercise(
    name="block",
    lesson=LESSON,
    visible=(
        Case("three tokens", (_BLOCK_X, _BLOCK_PARAMS, 2)),
        Case("one token", (_BLOCK_X[1:2], _BLOCK_PARAMS, 2)),
        Case("two tokens after two others", (_BLOCK_X[:2], _BLOCK_PARAMS, 2, _PAST)),
        Case("two sentences at once", (tidy(2, 2, 4, seed=668), _BLOCK_PARAMS, 2)),
    ),
    hidden=(
        Case("other sizes", (rough(5, 18, seed=669), _HIDDEN_BLOCK, 3)),
        Case("other tokens after a past", (rough(3, 18, seed=670), _HIDDEN_BLOCK, 3, _HIDDEN_PAST)),
        Case("one token after a past", (rough(1, 18, seed=671), _HIDDEN_BLOCK, 3, _HIDDEN_PAST)),
        Case("a batch of other sizes", (rough(2, 5, 18, seed=672), _HIDDEN_BLOCK, 3)),
        Case(
            "a batch after a past",
            (
                rough(2, 3, 18, seed=673),
                _HIDDEN_BLOCK,
                6,
                _past_of_the_heads(4, 18, 6, seed=674, lead=(2,)),
            ),
        ),
        Case("one head", (rough(4, 4, seed=676), _HIDDEN_SMALL_BLOCK, 1)),
        Case("whole numbers", (np.arange(12).reshape(3, 4) % 5 - 2, _HIDDEN_SMALL_BLOCK, 2)),
        late("a later token with a far higher score", (*_far_ahead(6, seed=671), 2)),
        *(
            late(
                "the same tokens, another number of heads",
                (rough(3, 18, seed=672), _HIDDEN_BLOCK, n, _past_of_the_heads(4, 18, n, seed=673)),
            )
            for n in (1, 2, 9, 18)
        ),
        late(
            "a very long past",
            (
                rough(2, 4, seed=674),
                _HIDDEN_SMALL_BLOCK,
                2,
                _past_of_the_heads(FAR, 4, 2, seed=675),
            ),
        ),
        late("a long text", (rough(LONG, 4, seed=676), _HIDDEN_SMALL_BLOCK, 2)),
        late(
            "many features",
            (
                rough(3, 130, seed=677),
                _calmer(_layer_params(130, seed=678)),
                13,
                _past_of_the_heads(2, 130, 13, seed=679),
            ),
        ),
        late("large numbers", (rough(3, 18, seed=680) * 1e3, _HIDDEN_BLOCK, 3)),
        late(
            "all sizes equal",
            (
                rough(4, 4, 4, seed=681),
                _HIDDEN_SMALL_BLOCK,
                4,
                _past_of_the_heads(4, 4, 4, seed=682, lead=(4,)),
            ),
        ),
        late("as many heads as features in each", (rough(3, 4, seed=683), _HIDDEN_SMALL_BLOCK, 2)),
    ),
    promises=(
        Promise(
            "cut in any way, with the past passed on, tokens give the results of one pass",
            "every_cut_is_one_pass",
            (-2, _BLOCK_X, (_BLOCK_PARAMS, 2), [1, 1, 1], [1, 2]),
            (-2, rough(2, 5, 18, seed=677), (_HIDDEN_BLOCK, 3), [2, 1, 2], [1, 4]),
        ),
    ),
    mistakes=(
        Mistake(
            "normalised_after_the_sum",
            "You normalise after each sum. The first Transformer did; GPT-2 normalises before: "
            "what goes into attention and into the MLP is normalised, and the sums stay as they "
            "are.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: ln_2((x := ln_1(x + attn(x))) + mlp(x))),
        ),
        Mistake(
            "normalised_after_the_parts",
            "You normalise what comes out of attention and MLP. GPT-2 normalises what goes in, "
            "and adds "
            "what comes out as it is.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + ln_1(attn(x))) + ln_2(mlp(x))),
        ),
        Mistake(
            "ln_1_missing",
            "Attention gets `x` as it is. First it goes through layer norm, with `ln_1.weight` and "
            "`ln_1.bias`.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(x)) + mlp(ln_2(x))),
        ),
        Mistake(
            "ln_2_missing",
            "The MLP gets `x` as it is. First it goes through layer norm, with `ln_2.weight` and "
            "`ln_2.bias`.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_1(x))) + mlp(x)),
        ),
        Mistake(
            "no_layer_norm",
            "Nothing is normalised. What goes into attention goes through `ln_1` first, what goes "
            "into the MLP through `ln_2`.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(x)) + mlp(x)),
        ),
        Mistake(
            "ln_1_used_twice",
            "You use `ln_1` for both. The MLP has a layer norm of its own: `ln_2`.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_1(x))) + mlp(ln_1(x))),
        ),
        Mistake(
            "ln_2_used_twice",
            "You use `ln_2` for both. Attention has a layer norm of its own: `ln_1`.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_2(x))) + mlp(ln_2(x))),
        ),
        Mistake(
            "norms_swapped",
            "`ln_1` and `ln_2` have changed places: `ln_1` belongs to attention, `ln_2` to the "
            "MLP.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_2(x))) + mlp(ln_1(x))),
        ),
        Mistake(
            "gain_and_bias_swapped",
            "You give layer_norm the bias first. Its gain `g` comes first, and is called `weight` "
            "here; then the bias.",
            _block_gains_swapped,
        ),
        Mistake(
            "first_residual_missing",
            "What attention gives replaces `x`. It is added to `x`, so that nothing of what came "
            "in is lost.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := attn(ln_1(x))) + mlp(ln_2(x))),
        ),
        Mistake(
            "second_residual_missing",
            "What the MLP gives replaces `x`. It is added to `x`, so that nothing of the sum "
            "before it is lost.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: mlp(ln_2(x + attn(ln_1(x))))),
        ),
        Mistake(
            "no_residuals",
            "Attention and MLP each replace `x`. What they give is added to `x`: follow the line "
            "above the boxes in the figure.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: mlp(ln_2(attn(ln_1(x))))),
        ),
        Mistake(
            "normalised_x_added",
            "You add to the normalised `x`. Keep `x` itself: only what goes into attention and "
            "into the MLP is normalised. Does one name stand for both?",
            _block_with(
                lambda x, ln_1, attn, ln_2, mlp: (x := ln_2((n := ln_1(x)) + attn(n))) + mlp(x)
            ),
            _block_with(
                lambda x, ln_1, attn, ln_2, mlp: (x := (n := ln_1(x)) + attn(n)) + mlp(ln_2(x))
            ),
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (n := ln_2(x + attn(ln_1(x)))) + mlp(n)),
        ),
        Mistake(
            "side_by_side",
            "Attention and MLP both start from the `x` that came in. (Some newer models do that.) "
            "In GPT-2 the MLP works on the sum after attention.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: x + attn(ln_1(x)) + mlp(ln_2(x))),
            _block_with(lambda x, ln_1, attn, ln_2, mlp: x + attn(ln_1(x)) + mlp(ln_1(x))),
        ),
        Mistake(
            "attention_left_out_of_the_sum",
            "The last sum starts from the `x` that came in, so what attention gave is lost. Add "
            "the MLP's result to the sum after attention.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: x + mlp(ln_2(x + attn(ln_1(x))))),
        ),
        Mistake(
            "first_sum_not_normalised_on",
            "The MLP gets what attention gave, without `x`. It works on their sum, normalised by "
            "`ln_2`.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: x + (a := attn(ln_1(x))) + mlp(ln_2(a))),
            _block_with(lambda x, ln_1, attn, ln_2, mlp: x + mlp(ln_2(attn(ln_1(x))))),
        ),
        Mistake(
            "mlp_first",
            "The MLP comes first in your block. In GPT-2 attention comes first, with `ln_1`; then "
            "the MLP, with `ln_2`.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + mlp(ln_2(x))) + attn(ln_1(x))),
            _block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + mlp(ln_1(x))) + attn(ln_2(x))),
        ),
        Mistake(
            "mlp_left_out",
            "The MLP is missing: your block ends after attention. A second half follows, with "
            "`ln_2` and mlp, and a sum of its own.",
            _block_with(lambda x, ln_1, attn, ln_2, mlp: x + attn(ln_1(x))),
        ),
        Mistake(
            "x_added_twice",
            "`x` is in your result twice. Does your gpt2_attention or your mlp add it as well? "
            "Only the block does.",
            _block_with(
                lambda x, ln_1, attn, ln_2, mlp: (x := x + x + attn(ln_1(x))) + mlp(ln_2(x))
            ),
            _block_with(
                lambda x, ln_1, attn, ln_2, mlp: x + (h := x + attn(ln_1(x))) + mlp(ln_2(h))
            ),
        ),
        Mistake(
            "normalised_at_the_end",
            "Your result is normalised once more. The last layer norm, `ln_f`, comes once in the "
            "whole model, after all blocks.",
            _block_with(
                lambda x, ln_1, attn, ln_2, mlp: ln_2((x := x + attn(ln_1(x))) + mlp(ln_2(x)))
            ),
        ),
        Mistake(
            "past_not_passed_on",
            "Your block does not use `past`: new tokens do not see the ones before. Pass it on to "
            "gpt2_attention.",
            lambda x, params, n_head, past=None: _block(x, params, n_head),
        ),
        Mistake(
            "n_head_not_passed_on",
            "The number of heads in your block is fixed, such as 1, 4 or 12. Pass `n_head` on to "
            "gpt2_attention.",
            lambda x, params, n_head, past=None: _block(x, params, 1, past),
            lambda x, params, n_head, past=None: _block(x, params, 4, past),
            _heads_shuffled,
        ),
        Mistake(
            "present_not_returned",
            "You return only `x`. Return the cache that gpt2_attention gave as well: "
            "`return x, present`.",
            lambda *args: _block(*args)[0],
        ),
        Mistake(
            "present_first",
            "You return the cache first. Return `x` first, then the cache, as gpt2_attention does: "
            "`return x, present`.",
            lambda *args: _block(*args)[::-1],
        ),
        Mistake(
            "past_returned",
            "Your second value is the cache that came in. Return the one that gpt2_attention gave: "
            "it holds the new tokens as well.",
            _block_present(lambda present, past: past),
        ),
        Mistake(
            "new_rows_only",
            "Your cache holds the new tokens only. Return past and new ones together, as "
            "gpt2_attention gives them.",
            _block_present(_new_rows_only),
        ),
        Mistake(
            "keys_and_values_swapped",
            "Keys and values have changed places in your cache. Return it as gpt2_attention gave "
            "it.",
            _block_present(lambda present, past: present[::-1]),
        ),
        Mistake(
            "pair_not_unpacked",
            "gpt2_attention returns two things, a result and a cache, but you use them as one "
            "array. Unpack them: `out, present = ...`.",
            lambda x, params, n_head, past=None: (
                x
                + _attention(
                    _layer_norm(x, params["ln_1.weight"], params["ln_1.bias"]),
                    _part(params, "attn."),
                    n_head,
                    past,
                )
            ),
        ),
        Mistake(
            "whole_params_passed_on",
            "gpt2_attention knows its weights as `c_attn.weight`, mlp as `c_fc.weight`. In the "
            "block's `params` they have `attn.` or `mlp.` in front. Pass on only that part, with "
            "`part`.",
            lambda x, params, n_head, past=None: params["c_attn.weight"],
            lambda x, params, n_head, past=None: params["c_fc.weight"],
            lambda x, params, n_head, past=None: params["c_proj.weight"],
            lambda x, params, n_head, past=None: _part(params, "attn")["c_attn.weight"],
            lambda x, params, n_head, past=None: _part(params, "mlp")["c_fc.weight"],
        ),
        Mistake(
            "name_mistyped",
            "Python finds no entry of that name. The layer norms' are `ln_1.weight`, `ln_1.bias`, "
            "`ln_2.weight` and `ln_2.bias`.",
            lambda x, params, n_head, past=None: params["ln_1.g"],
            lambda x, params, n_head, past=None: params["ln_1"],
            lambda x, params, n_head, past=None: params["ln1.weight"],
            lambda x, params, n_head, past=None: params["ln_1_weight"],
            lambda x, params, n_head, past=None: params["h.0.ln_1.weight"],
        ),
        Mistake(
            "rounded",
            "Your numbers are rounded, or went through float16. Round when you print, not when you "
            "return.",
            lambda *args: (_block(*args)[0].round(2), _block(*args)[1]),
            lambda *args: (_block(*args)[0].astype(np.float16), _block(*args)[1]),
        ),
        Mistake(
            "x_changed",
            "`x` is different after the call: `x += ...` writes into the caller's array. Write "
            "`x = x + ...`, which makes a new one.",
            _block_changes_x,
            _block_changes_x_twice,
            _block_in_place,
            _block_all_in_place,
        ),
    ),
    right=(
        Right("float32", _single(_block)),
        Right(
            "sums kept apart",
            _block_with(
                lambda x, ln_1, attn, ln_2, mlp: x + ((a := attn(ln_1(x))) + mlp(ln_2(x + a)))
            ),
        ),
        Right(
            "a list and a stacked cache",
            lambda *args: [_block(*args)[0], np.array(_block(*args)[1])],
        ),
        Right(
            "token by token with the cache",
            lambda x, params, n_head, past=None: _token_by_token(x, params, n_head, past),
        ),
    ),
    hints=(
        "Two halves, each of the form `x = x + part(normalised x)`. Which part comes first, and "
        "which layer norm belongs to which part?",
        'First `layer_norm(x, params["ln_1.weight"], params["ln_1.bias"])` goes into '
        "gpt2_attention, together with `n_head` and `past`. It returns two things. Add the first "
        "to `x`, keep the second for the end.",
        'For the first half: `out, present = gpt2_attention(normed, part(params, "attn."), n_head, '
        "past)`, then `x = x + out`. The second half has `ln_2`, mlp and no cache. Return "
        "`x, present`.",
    ),
)


# --- gpt2 -------------------------------------------------------------------------------------


def _model(n_layer, width, n_vocab, n_positions, seed, decimals=None):
    """A whole GPT-2 of random numbers, under Hugging Face's names."""
    random = np.random.default_rng(seed)

    def make(*shape, about=0.0, size=0.7):
        array = about + random.normal(size=shape) * size
        return array if decimals is None else array.round(decimals)

    params = {"wte.weight": make(n_vocab, width), "wpe.weight": make(n_positions, width)}
    for layer in range(n_layer):
        own = _layer_params(width, seed=1000 * seed + layer, decimals=decimals)
        params |= {f"h.{layer}.{name}": array for name, array in own.items()}
    params |= {"ln_f.weight": make(width, about=1, size=0.3), "ln_f.bias": make(width, size=0.3)}
    return params


def _token_by_token(x, params, n_head, past):
    rows = []
    for t in range(x.shape[-2]):
        row, past = _block(x[..., t : t + 1, :], params, n_head, past)
        rows.append(row)
    return np.concatenate(rows, axis=-2), past


def _gpt2_ids_one_by_one(token_ids, params, n_head, past=None):
    rows = []
    for t in range(token_ids.shape[-1]):
        logits, past = _gpt2(token_ids[..., t : t + 1], params, n_head, past)
        rows.append(logits)
    return np.concatenate(rows, axis=-2), past


def _gpt2_keeps_first_input(token_ids, params, n_head, past=None):
    x = _input(token_ids, params, _positions(_past_length(past), token_ids.shape[-1]))
    presents = []
    for layer, own in enumerate(_layers(params)):
        y, present = _block(x, own, n_head, None if past is None else past[layer])
        presents.append(present)
    return _ln_f(y, params) @ params["wte.weight"].T, presents


def _gpt2_keeps_blocks_apart(token_ids, params, n_head, past=None):
    x = _input(token_ids, params, _positions(_past_length(past), token_ids.shape[-1]))
    presents = []
    for layer, own in enumerate(_layers(params)):
        _y, present = _block(x, own, n_head, None if past is None else past[layer])
        presents.append(present)
    return _ln_f(x, params) @ params["wte.weight"].T, presents


def _gpt2_ends_with_input(token_ids, params, n_head, past=None):
    x = _input(token_ids, params, _positions(_past_length(past), token_ids.shape[-1]))
    _logits, presents = _gpt2(token_ids, params, n_head, past)
    return _ln_f(x, params) @ params["wte.weight"].T, presents


def _gpt2_keeps_pairs(mean):
    """`x` becomes what a block returns; the next layer norm takes the mean of that pair."""

    def gpt2(token_ids, params, n_head, past=None):
        x = _input(token_ids, params, _positions(_past_length(past), token_ids.shape[-1]))
        own = _layers(params)[0]
        return mean(_block(x, own, n_head, None if past is None else past[0]))

    return gpt2


def _gpt2_needs_past(use):
    """Right with a past; without one it stops where `use` takes something from it."""

    def gpt2(token_ids, params, n_head, past=None):
        use(past)
        return _gpt2(token_ids, params, n_head, past)

    return gpt2


def _gpt2_extends_past(token_ids, params, n_head, past=None):
    logits, presents = _gpt2(token_ids, params, n_head, past)
    past = [] if past is None else past
    past.extend(presents)
    return logits, past


def _gpt2_replaces_past(token_ids, params, n_head, past=None):
    logits, presents = _gpt2(token_ids, params, n_head, past)
    if past is None:
        return logits, presents
    past[:] = presents
    return logits, past


def _gpt2_changes_wte(token_ids, params, n_head, past=None):
    logits, presents = _gpt2(token_ids, params, n_head, past)
    params["wte.weight"] += 1.0
    return logits, presents


def _gpt2_whole_past(token_ids, params, n_head, past=None):
    x = _input(token_ids, params, _positions(_past_length(past), token_ids.shape[-1]))
    presents = []
    for own in _layers(params):
        x, present = _block(x, own, n_head, past)
        presents.append(present)
    return _ln_f(x, params) @ params["wte.weight"].T, presents


def _ln_f_everywhere(token_ids, params, n_head, past=None):
    x = _input(token_ids, params, _positions(_past_length(past), token_ids.shape[-1]))
    presents = []
    for layer, own in enumerate(_layers(params)):
        x, present = _block(x, own, n_head, None if past is None else past[layer])
        x = _ln_f(x, params)
        presents.append(present)
    return x @ params["wte.weight"].T, presents


def _without_positions(token_ids, params, positions):
    return params["wte.weight"][token_ids]


def _long_ids(n_tokens):
    return np.random.default_rng(697).integers(0, 7, n_tokens)


def _past_after(token_ids, params, n_head):
    """The cache that the right model has after these tokens."""
    return _gpt2(token_ids, params, n_head)[1]


_ONE_LAYER = _model(1, 4, 7, 6, seed=681, decimals=1)
_TWO_LAYERS = _model(2, 4, 7, 9, seed=691, decimals=1)
_THREE_LAYERS = _model(3, 6, 11, 13, seed=683)
_LONG_MODEL = _model(1, 4, 7, FAR + 9, seed=715)
_IDS = np.array([3, 6, 1])
_HIDDEN_IDS = np.array([8, 0, 3, 10, 5])
_HIDDEN_BATCH = np.array([[4, 4, 9], [7, 2, 0]])

GPT2 = Exercise(
    name="gpt2",
    lesson=LESSON,
    visible=(
        Case("three tokens, one layer", (_IDS, _ONE_LAYER, 2)),
        Case("three tokens, two layers", (_IDS, _TWO_LAYERS, 2)),
        Case(
            "two tokens after six others",
            (_IDS[:2], _TWO_LAYERS, 4, _past_after(np.array([5, 2, 4, 0, 1, 6]), _TWO_LAYERS, 4)),
        ),
        Case("two sentences at once", (np.array([[3, 0], [6, 2]]), _ONE_LAYER, 2)),
    ),
    hidden=(
        Case("three layers", (_HIDDEN_IDS, _THREE_LAYERS, 3)),
        Case("one token", (_HIDDEN_IDS[:1], _THREE_LAYERS, 3)),
        Case(
            "tokens after a past of three layers",
            (
                _HIDDEN_IDS[:3],
                _THREE_LAYERS,
                3,
                _past_after(np.array([1, 9, 6, 6, 2]), _THREE_LAYERS, 3),
            ),
        ),
        Case(
            "one token after a past, other heads",
            (_HIDDEN_IDS[:1], _THREE_LAYERS, 2, _past_after(np.array([7, 3]), _THREE_LAYERS, 2)),
        ),
        Case("a batch of other sizes", (_HIDDEN_BATCH, _THREE_LAYERS, 3)),
        Case(
            "a batch after a past",
            (
                _HIDDEN_BATCH,
                _THREE_LAYERS,
                3,
                _past_after(np.array([[1, 5, 5, 0], [10, 8, 2, 3]]), _THREE_LAYERS, 3),
            ),
        ),
        Case("twelve layers", (_HIDDEN_IDS, _model(12, 6, 11, 9, seed=686), 2)),
        late(
            "the first and the last id, several times",
            (np.array([0, 10, 10, 0, 0]), _THREE_LAYERS, 2),
        ),
        *(
            late(
                "the same tokens, another number of heads",
                (_HIDDEN_IDS, _THREE_LAYERS, n, _past_after(np.array([1, 0, 9]), _THREE_LAYERS, n)),
            )
            for n in (1, 3, 6)
        ),
        late("a long text", (_long_ids(LONG), _LONG_MODEL, 2)),
        late(
            "new tokens after a long text",
            (np.array([4, 0, 6]), _LONG_MODEL, 2, [_past_of_the_heads(FAR, 4, 2, seed=692)]),
        ),
        late("many features", (_HIDDEN_IDS, _calmer(_model(1, 130, 11, 6, seed=693)), 13)),
        late("all sizes equal", (np.array([[0, 1, 2, 3]] * 4), _model(4, 4, 4, 4, seed=694), 4)),
        late("another model with the same sizes", (_HIDDEN_IDS, _model(3, 6, 11, 13, seed=695), 3)),
        late("ids in a small type", (_HIDDEN_IDS.astype(np.uint8), _THREE_LAYERS, 3)),
        late("more layers than GPT-2 XL has", (np.array([2, 0]), _model(49, 4, 5, 4, seed=698), 2)),
    ),
    promises=(
        Promise(
            "cut in any way, with the past passed on, a text gives the results of one pass",
            "every_cut_is_one_pass",
            (-1, np.array([3, 6, 1, 5]), (_TWO_LAYERS, 2), [1, 1, 1, 1], [2, 2]),
            (-1, _HIDDEN_BATCH, (_THREE_LAYERS, 3), [1, 1, 1], [2, 1]),
        ),
    ),
    mistakes=(
        Mistake(
            "positions_start_over",
            "Without a past you are right. With one, your new tokens get the positions 0, 1, 2 ... "
            "again. They stand after the tokens of the past: how many are those?",
            _gpt2_with(positions=lambda n, past: _positions(0, n)),
        ),
        Mistake(
            "number_of_layers_as_start",
            "`len(past)` is the number of layers, and `len(past[0])` is 2, a pair. How many tokens "
            "the past holds is the length of its keys: axis -2.",
            _gpt2_with(positions=lambda n, past: _positions(len(past) if past else 0, n)),
            _gpt2_with(positions=lambda n, past: _positions(len(past[0]) if past else 0, n)),
        ),
        Mistake(
            "wrong_axis_as_start",
            "You read the length of the past from the wrong axis. Keys are [..., H, T, d]: the "
            "tokens are on axis -2, the heads on -3, the features on -1.",
            _gpt2_with(
                positions=lambda n, past: _positions(past[0][0].shape[-1] if past else 0, n)
            ),
            _gpt2_with(
                positions=lambda n, past: _positions(past[0][0].shape[-3] if past else 0, n)
            ),
            _gpt2_with(positions=lambda n, past: _positions(len(past[0][0]) if past else 0, n)),
        ),
        Mistake(
            "last_position_for_all",
            "All your new tokens get the same position. Each one gets the next: past, past + 1, "
            "and so on.",
            _gpt2_with(positions=lambda n, past: np.full(n, _past_length(past) + n - 1)),
            _gpt2_with(positions=lambda n, past: np.full(n, _past_length(past))),
        ),
        Mistake(
            "positions_shifted",
            "Your positions are too large or too small by one. The first token of a text has "
            "position 0; after a past of 2 tokens the next one has position 2.",
            _gpt2_with(positions=lambda n, past: _positions(_past_length(past) + 1, n)),
            _gpt2_with(positions=lambda n, past: _positions(max(_past_length(past) - 1, 0), n)),
            _gpt2_with(
                positions=lambda n, past: _positions(_past_length(past) + (1 if past else 0), n)
            ),
        ),
        Mistake(
            "no_positions",
            "There are no positions in your input. Your embed adds them: it needs `wpe.weight` as "
            "well.",
            _gpt2_with(embed=_without_positions),
        ),
        Mistake(
            "embedding_scaled",
            "You multiply the embedding by the square root of D. The first Transformer did that; "
            "GPT-2 does not.",
            _gpt2_with(
                embed=lambda ids, p, positions: (
                    p["wte.weight"][ids] * p["wte.weight"].shape[1] ** 0.5
                    + p["wpe.weight"][positions]
                )
            ),
        ),
        Mistake(
            "ln_f_missing",
            "The last layer norm is missing. After all blocks `x` goes through `ln_f.weight` and "
            "`ln_f.bias`. (The article's table of parameters forgets it, too.)",
            _gpt2_with(end=lambda x, params: x),
        ),
        Mistake(
            "ln_f_after_the_logits",
            "You normalise the logits: they have V numbers, but `ln_f` has D. It works on `x`, "
            "after the last block and before the product.",
            _gpt2_with(end=lambda x, p: x, out=lambda x, p: _ln_f(x @ p["wte.weight"].T, p)),
        ),
        Mistake(
            "ln_f_in_every_layer",
            "You use `ln_f` after every block. It comes once, after the last: is that line inside "
            "your loop?",
            _ln_f_everywhere,
        ),
        Mistake(
            "other_norm_at_the_end",
            "At the end you use a layer norm of a block, or none of its learned numbers. The last "
            "one is `ln_f`.",
            _gpt2_with(end=lambda x, p: _layer_norm(x, p["h.0.ln_1.weight"], p["h.0.ln_1.bias"])),
            _gpt2_with(end=lambda x, p: _layer_norm(x, p["h.0.ln_2.weight"], p["h.0.ln_2.bias"])),
            _gpt2_with(end=lambda x, p: _layer_norm(x, 1.0, 0.0)),
        ),
        Mistake(
            "softmax_at_the_end",
            "You return probabilities, or their logarithms. Return logits: the plain product with "
            "`wte.weight`, without a softmax.",
            _gpt2_with(out=lambda x, p: _softmax(x @ p["wte.weight"].T)),
            _gpt2_with(out=lambda x, p: np.log(_softmax(x @ p["wte.weight"].T))),
        ),
        Mistake(
            "logits_scaled",
            "You divide the logits by a square root. That scale belongs to attention scores. "
            "Logits are the plain product.",
            _gpt2_with(out=lambda x, p: x @ p["wte.weight"].T / x.shape[-1] ** 0.5),
        ),
        Mistake(
            "output_not_transposed",
            "You multiply by `wte.weight` as it is: [T, D] @ [V, D] does not fit. Each row of it "
            "is one token's vector, and each must meet each row of `x`: transpose it.",
            _gpt2_with(out=lambda x, p: x @ p["wte.weight"]),
        ),
        Mistake(
            "positions_as_output",
            "You multiply with `wpe.weight` at the end. Next words are compared with the token "
            "vectors, `wte.weight`.",
            _gpt2_with(out=lambda x, p: x @ p["wpe.weight"].T),
        ),
        Mistake(
            "no_output_product",
            "You return the rows of `x`, D numbers each. To make V logits, multiply by the token "
            "vectors: `wte.weight`, transposed.",
            _gpt2_with(out=lambda x, p: x),
        ),
        Mistake(
            "lm_head_looked_for",
            "There is no `lm_head.weight`, or no name with `transformer.` in front. GPT-2 uses "
            "`wte.weight` twice: for input and output.",
            _gpt2_with(out=lambda x, p: x @ p["lm_head.weight"].T),
            _gpt2_with(embed=lambda ids, p, positions: p["transformer.wte.weight"]),
        ),
        Mistake(
            "last_token_only",
            "You return the logits of the last token only. Return a row for every token; "
            "generate will take the last.",
            _gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T)[..., -1, :]),
            _gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T)[..., -1:, :]),
        ),
        Mistake(
            "ids_returned",
            "You return token ids. Return the logits; which token is the likeliest is decided "
            "in generate.",
            _gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T).argmax(axis=-1)),
        ),
        Mistake(
            "same_weights_in_all_layers",
            "All your layers use the weights of one of them. Each has its own: `h.0.`, `h.1.` and "
            "so on.",
            _gpt2_with(layers=lambda p: _layers(p)[:1] * len(_layers(p))),
            _gpt2_with(layers=lambda p: _layers(p)[-1:] * len(_layers(p))),
        ),
        Mistake(
            "one_layer_only",
            "Only one layer is used: with one layer you are right, with two you are not. The "
            "result of each block goes into the next.",
            _gpt2_with(layers=lambda p: _layers(p)[:1]),
        ),
        Mistake(
            "last_layer_left_out",
            "One layer is left out: the last or the first one. `range(n)` already ends before n.",
            _gpt2_with(layers=lambda p: _layers(p)[:-1]),
            _gpt2_with(layers=lambda p: _layers(p)[1:]),
        ),
        Mistake(
            "layers_reversed",
            "Your layers run from the last to the first. Begin with `h.0.`, and give each block's "
            "result to the next.",
            _gpt2_with(layers=lambda p: _layers(p)[::-1]),
        ),
        Mistake(
            "number_of_layers_fixed",
            "Your number of layers is fixed, such as 4 or 12, and here there are fewer. Count "
            "them: `layers(params)` gives one dictionary for each.",
            _gpt2_with(layers=lambda p: [_part(p, f"h.{i}.") for i in range(2)]),
            _gpt2_with(layers=lambda p: [_part(p, f"h.{i}.") for i in range(4)]),
        ),
        Mistake(
            "input_not_passed_on",
            "Every block gets the embedding, so only the last one counts. The result of each block "
            "is the input of the next.",
            _gpt2_keeps_first_input,
        ),
        Mistake(
            "blocks_lost",
            "Your logits come from the embedding: what the blocks return is lost on the way. The "
            "result of the last block goes through `ln_f` and meets the token vectors.",
            _gpt2_keeps_blocks_apart,
            _gpt2_ends_with_input,
        ),
        Mistake(
            "pair_not_unpacked",
            "block returns two things, the new `x` and a cache, but you use them as one array. "
            "Unpack them: `x, present = ...`.",
            _gpt2_keeps_pairs(lambda pair: pair.mean(axis=-1, keepdims=True)),
            _gpt2_keeps_pairs(lambda pair: np.mean(pair, axis=-1, keepdims=True)),
            _gpt2_keeps_pairs(lambda pair: pair.shape),
        ),
        Mistake(
            "past_ignored",
            "Your blocks do not get the past, so new tokens do not see the ones before. Each layer "
            "needs its own part: `past[layer]`.",
            _gpt2_with(past_of=lambda past, layer: None),
            lambda ids, params, n_head, past=None: _gpt2(ids, params, n_head),
        ),
        Mistake(
            "one_cache_for_all_layers",
            "All your layers get the past of one layer. Each has its own keys and values: "
            "`past[layer]`.",
            _gpt2_with(past_of=lambda past, layer: past[0]),
            _gpt2_with(past_of=lambda past, layer: past[-1]),
        ),
        Mistake(
            "caches_reversed",
            "The pasts of your layers are in reverse order. Layer 0 gets `past[0]`, layer 1 gets "
            "`past[1]`, and so on.",
            _gpt2_with(past_of=lambda past, layer: past[-1 - layer]),
        ),
        Mistake(
            "whole_past_passed_on",
            "You pass the whole `past` to a block. It holds a pair for each layer; a block needs "
            "its own pair only: `past[layer]`.",
            _gpt2_whole_past,
        ),
        Mistake(
            "past_not_checked_for_none",
            "At the beginning there is no past: `past` is None, and None has no entries. What does "
            "a block get then?",
            _gpt2_needs_past(lambda past: past[0]),
            _gpt2_needs_past(len),
            _gpt2_needs_past(list),
        ),
        Mistake(
            "presents_not_returned",
            "You return only the logits. Return the caches of all layers as well: "
            "`return logits, presents`.",
            lambda *args: _gpt2(*args)[0],
        ),
        Mistake(
            "presents_first",
            "You return the caches first. Return the logits first, then the caches: "
            "`return logits, presents`.",
            lambda *args: _gpt2(*args)[::-1],
        ),
        Mistake(
            "last_cache_only",
            "You return the cache of one layer. Collect all of them in a list: one pair for each "
            "layer.",
            _gpt2_with(returned=lambda presents: presents[-1]),
            _gpt2_with(returned=lambda presents: presents[-1:]),
            _gpt2_with(returned=lambda presents: presents[:1]),
        ),
        Mistake(
            "presents_reversed",
            "Your list of caches is in reverse order: the pair of layer 0 comes first.",
            _gpt2_with(returned=lambda presents: presents[::-1]),
        ),
        Mistake(
            "presents_in_one_row",
            "Keys and values of all layers are in one flat list. Put one pair for each layer into "
            "it: use `append`, not `extend` or `+=`.",
            _gpt2_with(returned=lambda presents: [part for pair in presents for part in pair]),
        ),
        Mistake(
            "keys_only",
            "Your caches hold keys only, or values only. Each layer needs the pair that its block "
            "returned.",
            _gpt2_with(returned=lambda presents: [k for k, v in presents]),
            _gpt2_with(returned=lambda presents: [v for k, v in presents]),
        ),
        Mistake(
            "past_returned",
            "You return the past that came in. Return what the blocks gave: it holds the new "
            "tokens as well.",
            lambda ids, params, n_head, past=None: (_gpt2(ids, params, n_head, past)[0], past),
        ),
        Mistake(
            "argument_changed",
            "`past` or `params` is different after the call. Collect the caches in a new list, and "
            "write into no argument.",
            _gpt2_extends_past,
            _gpt2_replaces_past,
            _gpt2_changes_wte,
        ),
        Mistake(
            "rounded",
            "Your logits are rounded, or went through float16. Round when you print, not when you "
            "return.",
            _gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T).round(2)),
            _gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T).astype(np.float16)),
        ),
    ),
    right=(
        Right("float32", _single(_gpt2)),
        Right("token by token with the cache", _gpt2_ids_one_by_one),
        Right("a tuple of caches", _gpt2_with(returned=tuple)),
        Right("caches as lists", _gpt2_with(returned=lambda presents: [list(p) for p in presents])),
        Right("one stacked cache", _gpt2_with(returned=np.array)),
        Right(
            "einsum at the end",
            _gpt2_with(out=lambda x, p: np.einsum("...d,vd->...v", x, p["wte.weight"])),
        ),
        Right(
            "one-hot tokens",
            _gpt2_with(
                embed=lambda ids, p, positions: (
                    np.eye(len(p["wte.weight"]))[ids] @ p["wte.weight"] + p["wpe.weight"][positions]
                )
            ),
        ),
    ),
    hints=(
        "Four steps: embed, all blocks in a row, the last layer norm, and the product with the "
        "token vectors. With a past, at which position do the new tokens start?",
        "The number of old tokens is the length of axis -2 of the first layer's keys, and 0 if "
        "`past` is None. In the loop, a block gets `past[layer]`, or None. `x` goes from block to "
        "block, the caches go into a list.",
        "Loop with `for layer, own in enumerate(layers(params))`. Inside: `x, present = block(x, "
        "own, n_head, None if past is None else past[layer])`. At the end: layer_norm with `ln_f`, "
        'then `@ params["wte.weight"].T`.',
    ),
    of_one_kind=True,
)


# --- generate ---------------------------------------------------------------------------------


def _generate_from_list(token_ids, params, n_head, n_new):
    """Gives gpt2 a list, which has no shape."""
    _refuse(token_ids, params, n_new)
    return token_ids.shape


def _generate_changes_prompt(token_ids, params, n_head, n_new):
    for new in _generate(token_ids, params, n_head, n_new)[len(token_ids) :]:
        token_ids.append(new)
    return token_ids


def _generate_changes_prompt_and_copies(token_ids, params, n_head, n_new):
    return list(_generate_changes_prompt(token_ids, params, n_head, n_new))


def _sampled(new_generator):
    """Draws each id by its probability, from a generator made before the loop or in each round."""

    def generate(token_ids, params, n_head, n_new):
        rng = np.random.default_rng(0)

        def choose(logits):
            now = np.random.default_rng(0) if new_generator else rng
            return int(now.choice(logits.shape[-1], p=_softmax(logits[-1])))

        return _generate_with(choose)(token_ids, params, n_head, n_new)

    return generate


def _pair_as_logits(choose):
    """Takes what gpt2 returns, logits and caches, for the logits."""

    def generate(token_ids, params, n_head, n_new):
        _refuse(token_ids, params, n_new)
        ids = list(token_ids)
        for _ in range(n_new):
            ids = [*ids, int(choose(_gpt2(ids, params, n_head)[-1]))]
        return ids

    return generate


def _feeds_everything_again(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, past = list(token_ids), None
    for _ in range(n_new):
        logits, past = _gpt2(ids, params, n_head, past)
        ids = [*ids, int(logits[-1].argmax())]
    return ids


def _feeds_last_id_only(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, new = list(token_ids), list(token_ids)
    for _ in range(n_new):
        new = [int(_gpt2(new, params, n_head)[0][-1].argmax())]
        ids = ids + new
    return ids


def _feeds_last_id_from_the_start(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, past = list(token_ids), None
    for _ in range(n_new):
        logits, past = _gpt2(ids[-1:], params, n_head, past)
        ids = [*ids, int(logits[-1].argmax())]
    return ids


def _keeps_first_cache(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, new, past = list(token_ids), list(token_ids), None
    for _ in range(n_new):
        logits, present = _gpt2(new, params, n_head, past)
        past = present if past is None else past
        new = [int(logits[-1].argmax())]
        ids = ids + new
    return ids


def _predicts_once(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    new = int(_gpt2(list(token_ids), params, n_head)[0][-1].argmax()) if n_new else None
    return list(token_ids) + [new] * n_new


def _adds_all_predictions(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, new, past = list(token_ids), list(token_ids), None
    for _ in range(n_new):
        logits, past = _gpt2(new, params, n_head, past)
        ids = ids + [int(i) for i in logits.argmax(axis=-1)]
        new = ids[-1:]
    return ids


def _adds_numbers(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, new, past = np.array(token_ids), list(token_ids), None
    for _ in range(n_new):
        logits, past = _gpt2(new, params, n_head, past)
        new = [int(logits[-1].argmax())]
        ids = ids + new
    return ids


def _uncached(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids = list(token_ids)
    for _ in range(n_new):
        ids.append(_gpt2(ids, params, n_head)[0][-1].argmax())
    return ids


def _prompt_token_by_token(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    past, ids = None, list(token_ids)
    for t in range(len(token_ids) + n_new - 1 if n_new else 0):
        logits, past = _gpt2([ids[t]], params, n_head, past)
        if t == len(ids) - 1:
            ids = [*ids, int(np.argmax(_softmax(logits[0])))]
    return ids


def _late_refusal(token_ids, params, n_head, n_new):
    ids, new, past = [*token_ids], token_ids, None
    while len(ids) < len(token_ids) + n_new:
        logits, past = _gpt2(new, params, n_head, past)  # refuses when positions run out
        new = [int(logits[-1].argmax())]
        ids += new
    return ids


def _last_id_fed_too(token_ids, params, n_head, n_new):
    ids = [*token_ids]
    logits, past = _gpt2(ids, params, n_head)
    while len(ids) < len(token_ids) + n_new:
        ids += [int(logits[-1].argmax())]
        logits, past = _gpt2(ids[-1:], params, n_head, past)  # refuses when positions run out
    return ids


def _accepts_one_more(token_ids, params, n_head, n_new):
    ids = _generate(token_ids, params, n_head, max(n_new - 1, 0))
    return ids if n_new == 0 else [*ids, int(_gpt2(ids, params, n_head)[0][-1].argmax())]


def _stops_when_full(token_ids, params, n_head, n_new):
    room = len(params["wpe.weight"]) - len(token_ids)
    return _generate(token_ids, params, n_head, min(n_new, room))


def _forgets_the_oldest(token_ids, params, n_head, n_new):
    ids, n_positions = list(token_ids), len(params["wpe.weight"])
    for _ in range(n_new):
        logits, _past = _gpt2(ids[-n_positions:], params, n_head)
        ids = [*ids, int(logits[-1].argmax())]
    return ids


def _last_position_again(token_ids, params, n_head, n_new):
    def positions(n_tokens, past):
        last = len(params["wpe.weight"]) - 1
        return np.minimum(_positions(_past_length(past), n_tokens), last)

    model, past = _gpt2_with(positions=positions), None
    ids, new = list(token_ids), list(token_ids)
    for _ in range(n_new):
        logits, past = model(new, params, n_head, past)
        new = [int(logits[-1].argmax())]
        ids = ids + new
    return ids


def _returns_the_prompt_when_full(token_ids, params, n_head, n_new):
    if len(token_ids) + n_new > len(params["wpe.weight"]):
        return list(token_ids)
    return _generate(token_ids, params, n_head, n_new)


def _refuses_exact_fit(token_ids, params, n_head, n_new):
    if len(token_ids) + n_new >= len(params["wpe.weight"]):
        raise ValueError("there are not enough positions")
    return _generate(token_ids, params, n_head, n_new)


def _other_error(error):
    def generate(token_ids, params, n_head, n_new):
        if len(token_ids) + n_new > len(params["wpe.weight"]):
            raise error("index 9 is out of bounds for axis 0 with size 9")
        return _generate(token_ids, params, n_head, n_new)

    return generate


def _ids_changed(change):
    """What becomes of the right ids; `change` gets them, and how many the prompt had."""
    return lambda token_ids, *args: change(_generate(token_ids, *args), len(token_ids))


_TALKER = _model(2, 6, 11, 9, seed=3232, decimals=1)
_HIDDEN_TALKER = _model(3, 6, 13, 12, seed=6545)

GENERATE = Exercise(
    name="generate",
    lesson=LESSON,
    visible=(
        Case("one new token", ([4, 1, 7], _TALKER, 2, 1)),
        Case("four new tokens", ([4, 1, 7], _TALKER, 2, 4)),
        Case("two new tokens after a longer prompt", ([2, 9, 0, 3, 5], _TALKER, 2, 2)),
        Case("no new token", ([6, 2], _TALKER, 2, 0)),
        Case("as many as there are positions", ([8, 5], _TALKER, 3, 7)),
        Case(
            "must refuse: 9 positions, but 10 tokens",
            ([4, 1, 7], _TALKER, 2, 7),
            raises="ValueError",
        ),
        Case(
            "must refuse: 9 positions, but 13 tokens",
            ([4, 1, 7], _TALKER, 2, 10),
            raises="ValueError",
        ),
    ),
    hidden=(
        Case("another model", ([12, 3, 3, 0], _HIDDEN_TALKER, 3, 5)),
        Case("one token as prompt", ([9], _HIDDEN_TALKER, 2, 6)),
        Case("another number of heads", ([1, 11, 6], _HIDDEN_TALKER, 6, 3)),
        Case("up to the last position", ([5, 7, 2], _HIDDEN_TALKER, 3, 9)),
        Case("nothing to add", ([5, 7, 2], _HIDDEN_TALKER, 3, 0)),
        Case("one token too many", ([5, 7, 2], _HIDDEN_TALKER, 3, 10), raises="ValueError"),
        Case(
            "far more tokens than positions", ([5, 7], _HIDDEN_TALKER, 3, 40), raises="ValueError"
        ),
        Case(
            "a prompt that is too long",
            (list(range(13)) * 2, _HIDDEN_TALKER, 3, 1),
            raises="ValueError",
        ),
        *(
            late(
                "the first and the last id are nothing special",
                ([3, 5], _model(2, 6, 9, 40, seed=seed), 3, 12),
            )
            for seed in (7010, 7234, 7260)
        ),
        late("a long prompt", (_long_ids(FAR).tolist(), _LONG_MODEL, 2, 3)),
        late("many new tokens", ([1, 4, 2], _LONG_MODEL, 2, 70)),
        late("a prompt of zeros", ([0, 0, 0], _HIDDEN_TALKER, 3, 4)),
        late(
            "one token past a long table",
            (_long_ids(FAR).tolist(), _LONG_MODEL, 2, 10),
            raises="ValueError",
        ),
        late("just up to the end of a long table", (_long_ids(FAR).tolist(), _LONG_MODEL, 2, 9)),
        late("many features", ([3, 5, 0], _calmer(_model(1, 130, 11, 12, seed=747)), 13, 6)),
    ),
    promises=(
        Promise(
            "a call does not depend on the call before it",
            "same_after_another_call",
            (([4, 1, 7], _TALKER, 2, 2), ([6, 6], _TALKER, 2, 2)),
            (([12, 3], _HIDDEN_TALKER, 3, 3), ([0, 1], _HIDDEN_TALKER, 3, 2)),
        ),
    ),
    mistakes=(
        Mistake(
            "first_logits",
            "You take the prediction of the first row of logits. What follows the text is in the "
            "last row.",
            _generate_with(lambda logits: int(logits[0].argmax())),
        ),
        Mistake(
            "argmax_over_everything",
            "You take the largest of all logits, of all rows together. Take the last row first, "
            "then its argmax.",
            _generate_with(lambda logits: int(logits.argmax())),
            _generate_with(lambda logits: np.argmax(logits)),
        ),
        Mistake(
            "argmax_over_tokens",
            "You look down a column of the logits: at which token does one word fit best? Take the "
            "last row, every word after the last token, and then its argmax.",
            _generate_with(lambda logits: int(logits.argmax(axis=0)[-1])),
            _generate_with(lambda logits: int(logits[:, -1].argmax())),
        ),
        Mistake(
            "several_rows_as_one_number",
            "Your argmax gives several ids, one for each row or column of the logits, and Python "
            "cannot make one number of them. Only the last row says what follows the text.",
            _generate_with(lambda logits: int(logits.argmax(axis=-1))),
            _generate_with(lambda logits: int(logits.argmax(axis=0))),
        ),
        Mistake(
            "all_predictions_added",
            "You add a prediction for every row of logits. Only the last row says what follows the "
            "text; the others predict tokens that are there already.",
            _adds_all_predictions,
        ),
        Mistake(
            "batch_axis_expected",
            "You index the logits as if there were a batch in front. For one list of ids they are "
            "[T, V]: the last row is `logits[-1]`.",
            _generate_with(lambda logits: int(logits[0, -1].argmax())),
            _generate_with(lambda logits: int(logits[0, -1, :].argmax())),
            _generate_with(lambda logits: int(logits[:, -1, :].argmax())),
        ),
        Mistake(
            "added_as_numbers",
            "Your list of ids does not grow: `+` joins lists, but adds arrays number by number. "
            "Use lists here, or np.append.",
            _adds_numbers,
        ),
        Mistake(
            "least_likely",
            "You pick the smallest logit, so the text takes the least likely turn at every step. "
            "The likeliest token has the largest.",
            _generate_with(lambda logits: int(logits[-1].argmin())),
            _generate_with(lambda logits: int(np.argsort(logits[-1])[0])),
        ),
        Mistake(
            "sampled",
            "You draw the next id at random, by the probabilities. Programs that write stories do "
            "that (sampling). Here the text is greedy: always the id of the largest logit.",
            _sampled(new_generator=False),
            _sampled(new_generator=True),
        ),
        Mistake(
            "pair_not_unpacked",
            "gpt2 returns two things, logits and caches, but you use them as one. The last of the "
            "two is the caches. Unpack them: `logits, past = ...`.",
            _pair_as_logits(lambda caches: caches.argmax()),
            _pair_as_logits(np.argmax),
            _pair_as_logits(lambda caches: np.argmax(caches[-1])),
        ),
        Mistake(
            "largest_logit_itself",
            "You add the largest logit, not the id of its token. Which function gives the place of "
            "the largest number?",
            _generate_with(lambda logits: float(logits[-1].max())),
            _generate_with(lambda logits: logits[-1].max()),
            _generate_with(lambda logits: int(logits[-1].max())),
        ),
        Mistake(
            "prompt_lost",
            "You return the new ids only. Return the prompt and the new ids after it.",
            _ids_changed(lambda ids, n: ids[n:]),
        ),
        Mistake(
            "last_id_only",
            "You return one id. Return the prompt and all new ids after it, as a list.",
            _ids_changed(lambda ids, n: ids[-1]),
            _ids_changed(lambda ids, n: ids[-1:]),
        ),
        Mistake(
            "new_ids_in_front",
            "Your new ids stand in front of the prompt, or in reverse order. Each goes to the end.",
            _ids_changed(lambda ids, n: ids[n:] + ids[:n]),
            _ids_changed(lambda ids, n: ids[n:][::-1] + ids[:n]),
        ),
        Mistake(
            "nested_list",
            "Your new ids are lists inside the list, or the prompt is. Return one flat list of "
            "ids: mind the difference between `append` and `+`.",
            _ids_changed(lambda ids, n: [*ids[:n], *([i] for i in ids[n:])]),
            _ids_changed(lambda ids, n: [ids[:n], *ids[n:]]),
            _ids_changed(lambda ids, n: (ids[:n], ids[n:])),
            _ids_changed(lambda ids, n: [ids]),
        ),
        Mistake(
            "prompt_changed",
            "The caller's list is longer after the call: `append` and `+=` write into it. Start "
            "from a copy of your own.",
            _generate_changes_prompt,
            _generate_changes_prompt_and_copies,
        ),
        Mistake(
            "everything_fed_again",
            "You give gpt2 the whole text again, together with the cache. The old tokens are in "
            "the cache already, so now they are there twice. After the prompt, feed the newest id "
            "only.",
            _feeds_everything_again,
        ),
        Mistake(
            "cache_not_passed_on",
            "You feed the newest id only, but without the cache: the model sees one word and has "
            "forgotten the rest. Pass on the caches that gpt2 returned.",
            _feeds_last_id_only,
        ),
        Mistake(
            "prompt_not_fed",
            "You feed the last id of the prompt only, so the model has not read what is before it. "
            "The first call gets the whole prompt.",
            _feeds_last_id_from_the_start,
        ),
        Mistake(
            "cache_not_updated",
            "You use the cache of the prompt again and again, so the new tokens do not see each "
            "other. Each call of gpt2 returns a new cache for the next.",
            _keeps_first_cache,
        ),
        Mistake(
            "predicted_once",
            "All your new ids are the same: gpt2 is called once. Each new id goes back in, to "
            "predict the next one.",
            _predicts_once,
        ),
        Mistake(
            "one_id_too_many",
            "You make one id too many. The logits of the prompt give the first new id already.",
            _generate_with(extra=1),
        ),
        Mistake(
            "one_id_missing",
            "You make one id too few. The logits of the prompt give the first new id; the last one "
            "is not lost either.",
            _generate_with(extra=-1),
        ),
        Mistake(
            "list_without_shape",
            "Your embed asks for the shape of the ids, and a list has none. Make an array of them: "
            "`np.array(ids)`.",
            _generate_from_list,
        ),
        Mistake(
            "stops_early",
            "When the positions run out, you silently return less than was asked for. Refuse "
            "before you begin: raise a ValueError with a clear message.",
            _stops_when_full,
            _returns_the_prompt_when_full,
        ),
        Mistake(
            "oldest_tokens_dropped",
            "When the positions run out, you drop the oldest tokens and go on. Some programs do. "
            "Here that must be refused: raise a ValueError.",
            _forgets_the_oldest,
        ),
        Mistake(
            "last_position_again",
            "When the positions run out, you use the last one again and again. The model never "
            "learned that: raise a ValueError.",
            _last_position_again,
        ),
        Mistake(
            "other_error",
            "When the positions run out, another error appears. Compare the lengths before you "
            "begin, and raise a ValueError with a clear message.",
            _other_error(IndexError),
            _other_error(AssertionError),
            _other_error(RuntimeError),
        ),
        Mistake(
            "one_more_accepted",
            "You accept a text that is one token longer than the positions. The last new id is "
            "never fed, so embed does not refuse it for you: compare the lengths before you begin.",
            _late_refusal,
            _accepts_one_more,
        ),
        Mistake(
            "exact_fit_refused",
            "You refuse a text that just fits. Prompt and new ids together may take all N "
            "positions, but not more.",
            _refuses_exact_fit,
        ),
    ),
    right=(
        Right("the whole text each time, without a cache", _uncached),
        Right("an array", lambda *args: np.array(_generate(*args))),
        Right("a tuple of NumPy's integers", lambda *args: tuple(np.array(_generate(*args)))),
        Right("the prompt token by token", _prompt_token_by_token),
        Right("every id fed, and gpt2 refuses", _last_id_fed_too),
        Right("float32", _single(_generate)),
        Right(
            "argmax of the probabilities",
            _generate_with(lambda logits: int(_softmax(logits)[-1].argmax())),
        ),
    ),
    hints=(
        "A loop with n_new rounds. Each round calls gpt2 once. What does it feed in the first "
        "round, and what in all the others?",
        "`logits[-1].argmax()` is the next id. In the first round feed the whole prompt, then only "
        "the newest id; each time pass on the caches that gpt2 returned. Collect the ids in a "
        "list of your own.",
        "Before the loop: refuse if `len(token_ids) + n_new` is larger than the number of rows of "
        '`params["wpe.weight"]`. Then `new = ids = list(token_ids)` and `past = None`. In the '
        "loop: `logits, past = gpt2(np.array(new), params, n_head, past)`, then a new `new` with "
        "one id, and `ids = ids + new`.",
    ),
    of_one_kind=True,
)


# --- count_parameters -------------------------------------------------------------------------


def _count(
    n_layer,
    d_model,
    n_vocab,
    n_positions,
    *,
    attention=lambda d: d * 3 * d + 3 * d + d * d + d,
    mlp=lambda d: d * 4 * d + 4 * d + 4 * d * d + d,
    norms=lambda d: 4 * d,
    end=lambda d: 2 * d,
):
    block = attention(d_model) + mlp(d_model) + norms(d_model)
    return (n_vocab + n_positions) * d_model + n_layer * block + end(d_model)


def _counting(**parts):
    return lambda *sizes: _count(*sizes, **parts)


def _counted_with(change):
    """The right count and something more or less, from (n_layer, d_model, n_vocab, ...)."""
    return lambda *sizes: _count(*sizes) + change(*sizes)


def _sum_of_shapes(n_layer, d_model, n_vocab, n_positions):
    d = d_model
    once = [(n_vocab, d), (n_positions, d), (d,), (d,)]
    each = [(d, 3 * d), (3 * d,), (d, d), (d,), (d, 4 * d), (4 * d,), (4 * d, d), (d,)] + [(d,)] * 4
    return sum(math.prod(shape) for shape in once + n_layer * each)


COUNT_PARAMETERS = Exercise(
    name="count_parameters",
    lesson=LESSON,
    visible=(
        Case("one layer, width 2, 5 words, 3 positions", (1, 2, 5, 3)),
        Case("three layers, width 4, 10 words, 7 positions", (3, 4, 10, 7)),
        Case("GPT-2 small", (12, 768, 50257, 1024)),
    ),
    hidden=(
        Case("other sizes", (2, 6, 13, 11)),
        Case("no layer", (0, 5, 7, 3)),
        Case("more layers", (7, 3, 4, 9)),
        Case("GPT-2 medium", (24, 1024, 50257, 1024)),
        Case("GPT-2 XL", (48, 1600, 50257, 1024)),
        late("GPT-3", (96, 12288, 50257, 2048)),
        late("twelve layers of another width", (12, 5, 7, 11)),
        late("GPT-2 small's sizes with one changed", (12, 768, 50257, 2048)),
        late("GPT-2 small's sizes with another changed", (12, 768, 50304, 1024)),
        late("one of everything", (1, 1, 1, 1)),
        late("a large odd width", (3, 1031, 11, 7)),
    ),
    promises=(),
    mistakes=(
        Mistake(
            "the_articles_table",
            "You follow the article's table. It has two slips: `c_fc.bias` has 4D numbers, not D; "
            "and the last layer norm, `ln_f`, is missing.",
            _counting(mlp=lambda d: 8 * d * d + 2 * d, end=lambda d: 0),
        ),
        Mistake(
            "d_missing_in_each_layer",
            "D numbers are missing in each layer: the bias of a projection back to D features, "
            "`c_proj.bias`. There are two of that name, in attention and in the MLP.",
            _counting(attention=lambda d: 4 * d * d + 3 * d),
            _counting(mlp=lambda d: 8 * d * d + 4 * d),
        ),
        Mistake(
            "2d_missing_in_each_layer",
            "2D numbers are missing in each layer. Did you count both layer norms, each with gain "
            "and bias, and 3D numbers for `c_attn.bias`?",
            _counting(norms=lambda d: 2 * d),
            _counting(attention=lambda d: 4 * d * d + 2 * d),
        ),
        Mistake(
            "3d_missing_in_each_layer",
            "3D numbers are missing in each layer. A bias has one number for each column: 4D in "
            "`c_fc.bias` (the article's table says D), and 3D in `c_attn.bias`.",
            _counting(mlp=lambda d: 8 * d * d + 2 * d),
            _counting(attention=lambda d: 4 * d * d + d),
        ),
        Mistake(
            "4d_missing_in_each_layer",
            "4D numbers are missing in each layer: `c_fc.bias`, or both biases of attention, or "
            "both layer norms.",
            _counting(mlp=lambda d: 8 * d * d + d),
            _counting(attention=lambda d: 4 * d * d),
            _counting(norms=lambda d: 0),
        ),
        Mistake(
            "no_mlp_biases",
            "The biases of the MLP are missing: 4D numbers in `c_fc.bias`, and D in "
            "`c_proj.bias`, in each layer.",
            _counting(mlp=lambda d: 8 * d * d),
        ),
        Mistake(
            "no_biases",
            "You count matrices only. Each of the four products in a layer has a bias as well: 3D, "
            "D, 4D and D numbers.",
            _counting(attention=lambda d: 4 * d * d, mlp=lambda d: 8 * d * d),
            _counting(
                attention=lambda d: 4 * d * d,
                mlp=lambda d: 8 * d * d,
                norms=lambda d: 0,
                end=lambda d: 0,
            ),
        ),
        Mistake(
            "second_mlp_bias_too_long",
            "You count 4D numbers for the second bias of the MLP. A bias has one number for each "
            "column of its product, and `c_proj` has D columns.",
            _counting(mlp=lambda d: 8 * d * d + 8 * d),
        ),
        Mistake(
            "ln_f_missing",
            "The last layer norm is missing: `ln_f` has a gain and a bias, once in the whole "
            "model.",
            _counting(end=lambda d: 0),
        ),
        Mistake(
            "ln_f_in_every_layer",
            "You count three layer norms in each layer. There are two; `ln_f` comes once, after "
            "all layers.",
            _counting(norms=lambda d: 6 * d, end=lambda d: 0),
            _counting(norms=lambda d: 6 * d),
        ),
        Mistake(
            "norms_missing",
            "No layer norm is counted. Each has a gain and a bias of D numbers: two in every "
            "layer, and `ln_f` at the end.",
            _counting(norms=lambda d: 0, end=lambda d: 0),
        ),
        Mistake(
            "norms_without_bias",
            "You count D numbers for a layer norm. It has 2D: a gain and a bias for each feature.",
            _counting(norms=lambda d: 2 * d, end=lambda d: d),
            _counting(end=lambda d: d),
        ),
        Mistake(
            "attention_projection_missing",
            "In attention, the projection back is missing: `c_proj`, a matrix D x D and a bias of "
            "D numbers.",
            _counting(attention=lambda d: 3 * d * d + 3 * d),
        ),
        Mistake(
            "qkv_counted_once",
            "You count D x D numbers for `c_attn`. It has 3D columns: queries, keys and values.",
            _counting(attention=lambda d: 2 * d * d + 2 * d),
            _counting(attention=lambda d: 2 * d * d + 4 * d),
        ),
        Mistake(
            "half_an_mlp",
            "You count one matrix of the MLP. There are two: D x 4D, and 4D x D.",
            _counting(mlp=lambda d: 4 * d * d + 4 * d),
            _counting(mlp=lambda d: 4 * d * d + 5 * d),
        ),
        Mistake(
            "mlp_not_wider",
            "You count an MLP of width D inside. GPT-2's is four times as wide: D x 4D, and "
            "4D x D.",
            _counting(mlp=lambda d: 2 * d * d + 2 * d),
        ),
        Mistake(
            "attention_missing",
            "Attention is missing in your layers: `c_attn`, D x 3D, and `c_proj`, D x D, each "
            "with a "
            "bias.",
            _counting(attention=lambda d: 0),
        ),
        Mistake(
            "mlp_missing",
            "The MLP is missing in your layers: `c_fc`, D x 4D, and `c_proj`, 4D x D, each with a "
            "bias.",
            _counting(mlp=lambda d: 0),
        ),
        Mistake(
            "output_counted",
            "You count the output matrix. GPT-2 uses `wte.weight` for it: the same numbers, so "
            "they count once.",
            _counted_with(lambda n_layer, d, n_vocab, n_positions: n_vocab * d),
        ),
        Mistake(
            "positions_missing",
            "`wpe.weight` is missing: it holds D learned numbers for every position, and they are "
            "parameters like all others.",
            _counted_with(lambda n_layer, d, n_vocab, n_positions: -n_positions * d),
        ),
        Mistake(
            "words_missing",
            "`wte.weight` is missing: it holds D learned numbers for every word of the "
            "vocabulary, a "
            "large part of the model.",
            _counted_with(lambda n_layer, d, n_vocab, n_positions: -n_vocab * d),
        ),
        Mistake(
            "embeddings_missing",
            "Both tables of the embedding are missing: `wte.weight`, with D numbers for every "
            "word, and `wpe.weight`, with D for every position.",
            _counted_with(lambda n_layer, d, n_vocab, n_positions: -(n_vocab + n_positions) * d),
        ),
        Mistake(
            "one_layer_counted",
            "You count one layer only. Every layer has weights of its own: count one, times "
            "`n_layer`.",
            lambda n_layer, *sizes: _count(1, *sizes),
        ),
        Mistake(
            "embeddings_in_every_layer",
            "You count the embedding in every layer, or `ln_f`, too. The embedding comes once, "
            "before "
            "the first layer; `ln_f` once, after the last.",
            _counted_with(
                lambda n_layer, d, n_vocab, n_positions: (n_layer - 1) * (n_vocab + n_positions) * d
            ),
            lambda n_layer, *sizes: n_layer * _count(1, *sizes),
        ),
        Mistake(
            "the_known_number",
            "You return one fixed number. Compute it from the four sizes: the model can have any.",
            lambda *sizes: 124_439_808,
            lambda *sizes: 124_410_624,
        ),
        Mistake(
            "millions",
            "You return millions, or a text. Return the number itself, as an integer, without "
            "rounding "
            "or commas.",
            lambda *sizes: _count(*sizes) / 1e6,
            lambda *sizes: _count(*sizes) // 10**6,
            lambda *sizes: f"{_count(*sizes):,}",
            lambda *sizes: str(_count(*sizes)),
        ),
    ),
    right=(
        Right("sum over all shapes", _sum_of_shapes),
        Right("12 D squared", lambda n, d, v, p: n * (12 * d * d + 13 * d) + (v + p + 2) * d),
        Right("a float", lambda *sizes: float(_count(*sizes))),
        Right("a NumPy integer", lambda *sizes: np.int64(_count(*sizes))),
    ),
    hints=(
        "Go through the names once: `wte`, `wpe`, then one layer with two layer norms, attention "
        "and MLP, then `ln_f`. Which of them comes n_layer times?",
        "A layer norm has 2D numbers. A product with bias, from `a` features to `b`, has "
        "a * b + b: in a layer there are four of them. The output matrix is `wte`: count it once.",
        "One layer: 2D for each of the two layer norms; `D * 3D + 3D` and `D * D + D` in "
        "attention; `D * 4D + 4D` and `4D * D + D` in the MLP. Times n_layer, plus "
        "`(n_vocab + n_positions) * D`, plus 2D for `ln_f`.",
    ),
)

EXERCISES = (LAYER_NORM, GELU, MLP, BLOCK, GPT2, GENERATE, COUNT_PARAMETERS)

QUESTIONS = (
    Question(
        id="06-norm",
        right="c",
        replies={
            "a": "Layer norm takes the size out: ten times larger deviations are divided by a "
            "spread that is ten times larger.",
            "b": "Deviations and spread both grow ten times. What does that do to the quotient?",
            "c": "Deviations and spread both grow ten times, so the quotient stays (but for eps).",
        },
    ),
    Question(
        id="06-why-eps",
        right="a",
        replies={
            "a": "Every deviation is 0, and so is the variance. With eps the last row below is 0.",
            "b": "That is what comes out with eps. Without it, 0 is divided by the root of 0.",
            "c": "Every deviation is 0, and so is the variance. What is 0 / 0 in NumPy?",
        },
    ),
    Question(
        id="06-gelu",
        right=-0.159,
        replies={
            "right": "0.5 · (-1) · (1 - 0.682) = -0.159. Most of a negative number is held back.",
            "wrong": "Put the numbers in: 0.5 times -1, times the sum of 1 and -0.682.",
        },
    ),
    Question(
        id="06-why-exact",
        right="b",
        replies={
            "a": "The weights were learned together with the tanh formula; another function gives "
            "slightly other results in every layer.",
            "b": "A trained model must be run as it was trained. Each of the 12 layers would "
            "deviate a little.",
            "c": "A difference of 0.0005 in thousands of numbers of every layer does show in the "
            "logits.",
        },
    ),
    Question(
        id="06-why-bend",
        right="c",
        replies={
            "a": "A product changes features only; GELU works on single numbers. Neither mixes "
            "tokens.",
            "b": "More numbers, but (x @ a) @ b is x @ (a @ b): one matrix could do it.",
            "c": "(x @ a) @ b is x @ (a @ b). Only the bend between them makes two worth more "
            "than one.",
        },
    ),
    Question(
        id="06-silent",
        right="c",
        replies={
            "a": "The halves add to `x`. What is x + 0?",
            "b": "Only what goes into attention and MLP is normalised. Follow the line above the "
            "boxes.",
            "c": "x + 0 + 0. The line above the boxes carries `x` round both halves.",
        },
    ),
    Question(
        id="06-why-sum",
        right="b",
        replies={
            "a": "It costs a little: `x` must be kept while a half is computed.",
            "b": "Every layer can read what earlier ones found, and in training each layer gets "
            "its corrections directly through the sums.",
            "c": "Sums can grow without limit. That is one reason for the layer norms.",
        },
    ),
    Question(
        id="06-logit",
        right=3.0,
        replies={
            "right": "1 · 1 + 0 · 3 + 2 · 1 = 3: softmax makes it the likelier of the two words.",
            "wrong": "Multiply number by number and add up: 1 · 1, 0 · 3, 2 · 1.",
        },
    ),
    Question(
        id="06-why-start",
        right="c",
        replies={
            "a": "Without a past the positions do begin at 0, so that pass is right.",
            "b": "The cache holds keys and values only. New tokens bring their position with "
            "them, from `wpe`.",
            "c": "This mistake has been made in real programs. It hides until someone generates "
            "with a cache.",
        },
    ),
    Question(
        id="06-perplexity",
        right="a",
        replies={
            "a": "It is as unsure as between V equally likely words, because it is.",
            "b": "Perplexity 1 is a model that is always sure, and right.",
            "c": "1 / V is the probability of each word. Perplexity counts equally likely words.",
        },
    ),
    Question(
        id="06-it",
        right="c",
        replies={
            "a": "Nearest is a fair guess, but orders are not given to orders.",
            "b": "Many heads of the true GPT-2 do look there. This one looks for a noun.",
            "c": 'The robot gets the orders: the head finds the noun that "it" stands for.',
            "d": "Some heads look at the token before. This one looks for a noun.",
        },
    ),
    Question(
        id="06-off",
        right="b",
        replies={
            "a": "Then the head would not matter. See the figure below.",
            "b": 'It still knows that a verb must follow. Which noun "It" stands for is lost.',
            "c": "Zeros added to a sum do no harm: all numbers stay finite.",
        },
    ),
    Question(
        id="06-fed",
        right=16,
        replies={
            "right": "12 in the first call, then one in each of 4 more calls. Without a cache it "
            "would be 12 + 13 + 14 + 15 + 16 = 70.",
            "wrong": "The first call reads the 12 and gives the first new token. Four more tokens "
            "are needed: how many does each of these calls read?",
        },
    ),
    Question(
        id="06-why-loop",
        right="b",
        replies={
            "a": "A full cache would stop it with a ValueError.",
            "b": "Nothing is left to chance, so a circle is hard to leave. Programs that write "
            "texts draw the next word at random, by its probability.",
            "c": "The prompt stays in the cache, and every new token can look at it.",
        },
    ),
    Question(
        id="06-short",
        right=29184,
        replies={
            "right": "12 · (3072 - 768) + 2 · 768 = 27,648 + 1,536.",
            "wrong": "The bias: 12 times 3072 - 768. And `ln_f` has a gain and a bias of 768 "
            "numbers each.",
        },
    ),
    Question(
        id="06-why-heads",
        right="b",
        replies={
            "a": "They do: their columns of `c_attn` and their rows of `c_proj`.",
            "b": "`c_attn` and `c_proj` are cut among them. 12 heads of 64 or 6 of 128: the same "
            "768.",
            "c": "`wpe` holds a row for every position, and nothing about heads.",
        },
    ),
    Question(
        id="06-recall-leak",
        right="d",
        replies={
            "a": "exp(0) is 1: a score of 0 is an ordinary score.",
            "b": "Then the other weights no longer sum to 1.",
            "c": "Its weight would still be taken away from the others.",
            "d": "exp of minus infinity is 0, and the others sum to 1.",
        },
    ),
    Question(
        id="06-recall-cut",
        right="a",
        replies={
            "a": "The shape is right, the rows are mixed, and with one token you cannot see it.",
            "b": "NumPy complains, unless it has one number only.",
            "c": "NumPy complains. And a mask has nothing to do with heads.",
        },
    ),
)
