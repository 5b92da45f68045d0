"""`mlp`, lesson 06. The two layers after attention."""

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
from autograder.exercises.pieces import (
    exact_gelu,
    in_float32,
    inner_of_gelu,
    linear,
    mlp_of,
    normalise,
    relu,
    sigmoid,
    softmax,
    tanh_gelu,
)
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import (
    ACTIVATIONS,
    INPUTS,
    MLP_BIASES,
    OUTPUTS,
    RIGHT_BIAS,
    gelu_of,
    same,
)
from illustrated_attention.language import later as _


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


_MLP_X = tidy(3, 3, seed=631)

_MLP_PARAMS = _mlp_params(3, 12, seed=632, make=tidy)

_HIDDEN_MLP = _mlp_params(6, 24, seed=640, make=rough)

MLP = Exercise(
    name="mlp",
    lesson="06_block",
    can="You can now run the half of a block that works on each token by itself.",
    visible=(
        Case("three tokens", (_MLP_X, _MLP_PARAMS)),
        Case("one token", (_MLP_X[:1], _MLP_PARAMS)),
        Case("one feature", (tidy(2, 1, seed=643), _mlp_params(1, 4, seed=636, make=tidy))),
        Case("two sentences at once", (tidy(2, 2, 3, seed=644), _MLP_PARAMS)),
        late("whole numbers", (np.array([[1, -2, 0], [2, 1, 3]]), _MLP_PARAMS)),
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
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 2, 3, seed=644), _MLP_PARAMS),
            (1, rough(3, 4, 6, seed=657), _HIDDEN_MLP),
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


# --- known mistakes ------------------------------------------------------------------------------

MLP.mistake(
    "no_activation",
    "There is no GELU between your two products. Without it, both together could do no "
    "more than one matrix.",
    lambda x, p: mlp_of(x, p, lambda h: h),
)

MLP.mistake(
    "activation_last",
    "Your GELU comes after the second product. It belongs between the two: after `c_fc`, "
    "before `c_proj`.",
    lambda x, p: tanh_gelu(linear(linear(x, p, "c_fc"), p, "c_proj")),
)

MLP.mistake(
    "activation_first",
    "Your GELU comes before the first product. It belongs between the two: after `c_fc`, "
    "before `c_proj`.",
    lambda x, p: mlp_of(tanh_gelu(x), p, lambda h: h),
)

MLP.mistake(
    "activation_twice",
    "GELU is applied more than once. Once is right: after the first product with its bias, "
    "before the second.",
    lambda x, p: tanh_gelu(mlp_of(x, p)),
    lambda x, p: mlp_of(x, p, lambda h: tanh_gelu(tanh_gelu(h))),
    lambda x, p: mlp_of(tanh_gelu(x), p),
)

MLP.mistake(
    "relu",
    "You use ReLU between the products: negative numbers become 0. GPT-2 uses GELU: call "
    "your "
    "gelu.",
    lambda x, p: mlp_of(x, p, relu),
)

MLP.mistake(
    "exact_gelu",
    "Between the products is the exact GELU, with erf. GPT-2 uses the formula with tanh: "
    "call your gelu.",
    lambda x, p: mlp_of(x, p, exact_gelu),
)

MLP.mistake(
    "other_activation",
    "Between the products is another function than GELU: SiLU, the quick form with 1.702, "
    "tanh or sigmoid. Call your gelu.",
    lambda x, p: mlp_of(x, p, lambda h: h * sigmoid(h)),
    lambda x, p: mlp_of(x, p, lambda h: h * sigmoid(1.702 * h)),
    lambda x, p: mlp_of(x, p, np.tanh),
    lambda x, p: mlp_of(x, p, sigmoid),
)

MLP.mistake(
    "softmax_between",
    "You put a softmax between the products. Softmax makes weights in attention; here "
    "every number goes through your gelu by itself.",
    lambda x, p: mlp_of(x, p, softmax),
)

MLP.mistake(
    "first_bias_missing",
    "The bias of the first product is missing: `c_fc.bias`. Each product has its own.",
    lambda x, p: linear(tanh_gelu(x @ p["c_fc.weight"]), p, "c_proj"),
)

MLP.mistake(
    "second_bias_missing",
    "The bias of the second product is missing: `c_proj.bias`. Each product has its own.",
    lambda x, p: tanh_gelu(linear(x, p, "c_fc")) @ p["c_proj.weight"],
)

MLP.mistake(
    "both_biases_missing",
    "Both biases are missing. `c_fc.bias` is added to the first product, before GELU, and "
    "`c_proj.bias` to the second.",
    lambda x, p: tanh_gelu(x @ p["c_fc.weight"]) @ p["c_proj.weight"],
)

MLP.mistake(
    "first_bias_after_gelu",
    "You add `c_fc.bias` after GELU. It belongs to the first product: add it before the GELU.",
    lambda x, p: linear(tanh_gelu(x @ p["c_fc.weight"]) + p["c_fc.bias"], p, "c_proj"),
)

MLP.mistake(
    "bias_subtracted",
    "You subtract a bias. Both biases are added, one after each product: `c_fc.bias` and "
    "`c_proj.bias`.",
    lambda x, p: linear(tanh_gelu(x @ p["c_fc.weight"] - p["c_fc.bias"]), p, "c_proj"),
    lambda x, p: tanh_gelu(linear(x, p, "c_fc")) @ p["c_proj.weight"] - p["c_proj.bias"],
)

MLP.mistake(
    "first_product_only",
    "You return the D to 4D part only. `c_proj` brings the result back to D features.",
    lambda x, p: tanh_gelu(linear(x, p, "c_fc")),
    lambda x, p: linear(x, p, "c_fc"),
)

MLP.mistake(
    "products_in_the_wrong_order",
    "Your first matrix does not fit: a token of `x` has D numbers, and the matrix takes "
    "4D. Either you begin with `c_proj`, but `c_fc` comes first, or you transpose "
    "`c_fc.weight`. It has the shape [in, out], and needs no transpose.",
    lambda x, p: linear(tanh_gelu(linear(x, p, "c_proj")), p, "c_fc"),
    lambda x, p: linear(tanh_gelu(linear(x, p, "c_proj")), p, "c_proj"),
    lambda x, p: linear(tanh_gelu(x @ p["c_fc.weight"].T + p["c_fc.bias"]), p, "c_proj"),
    lambda x, p: (
        tanh_gelu(x @ p["c_fc.weight"].T + p["c_fc.bias"]) @ p["c_proj.weight"].T + p["c_proj.bias"]
    ),
)

MLP.mistake(
    "weights_transposed",
    "Your second matrix does not fit: after GELU a token has 4D numbers, and the matrix "
    "takes D. Either you transpose `c_proj.weight`, which has the shape [in, out] and "
    "needs no transpose, or you use `c_fc` a second time.",
    lambda x, p: tanh_gelu(linear(x, p, "c_fc")) @ p["c_proj.weight"].T + p["c_proj.bias"],
    lambda x, p: linear(tanh_gelu(linear(x, p, "c_fc")), p, "c_fc"),
)

MLP.mistake(
    "sides_swapped",
    "You put the matrix on the left. Tokens are rows here, so `x` stands on the left of `@`.",
    lambda x, p: (
        p["c_proj.weight"] @ tanh_gelu(p["c_fc.weight"] @ x + p["c_fc.bias"]) + p["c_proj.bias"]
    ),
)

MLP.mistake(
    "input_added",
    "Your result holds `x` as well. That sum is made in the block, after the MLP; here it "
    "is the two products only.",
    lambda x, p: x + mlp_of(x, p),
)

MLP.mistake(
    "normalised_inside",
    "You normalise inside the MLP. The block does that, before it calls the MLP.",
    lambda x, p: mlp_of(normalise(x, 1.0, 0.0), p),
)

MLP.mistake(
    "name_mistyped",
    "Python finds no entry of that name. The four are `c_fc.weight`, `c_fc.bias`, "
    "`c_proj.weight` and `c_proj.bias`, without anything in front.",
    lambda x, p: p["mlp.c_fc.weight"],
    lambda x, p: p["mlp.c_proj.weight"],
    lambda x, p: p["c_fc"],
    lambda x, p: p["fc.weight"],
    lambda x, p: p["c_fc_weight"],
    lambda x, p: p["h.0.mlp.c_fc.weight"],
)

MLP.mistake(
    "whole_numbers_or_rounded",
    "Your numbers are rounded, or went through float16 or whole numbers. Keep floats, and "
    "round when you print.",
    lambda x, p: mlp_of(x, p).round(2),
    lambda x, p: mlp_of(x, p).round(3),
    lambda x, p: mlp_of(x, p).astype(np.float16),
    lambda x, p: mlp_of(x, p).astype(int),
)


def _mlp_changes_x(x, params):
    right = mlp_of(x, params)
    x += right.astype(x.dtype)
    return right


def _mlp_adds_to_x(x, params):
    x += mlp_of(x, params)
    return x


def _mlp_changes_params(x, params):
    params["c_fc.weight"] *= 1.5
    return mlp_of(x, {**params, "c_fc.weight": params["c_fc.weight"] / 1.5})


MLP.mistake(
    "argument_changed",
    "`x` or `params` is different after the call. Somewhere you write into it, perhaps "
    "with `+=` or `*=`. Make a new array instead.",
    _mlp_changes_x,
    _mlp_adds_to_x,
    _mlp_changes_params,
)


@MLP.mistake(
    "matrices_exchanged_and_transposed",
    "You begin with `c_proj.weight`, transposed, and end with `c_fc.weight`, transposed: the "
    "shapes fit, the numbers do not. The matrices are [in, out]: begin with `c_fc.weight` as it is.",
)
def _exchanged_and_transposed(x, p):
    inner = tanh_gelu(x @ p["c_proj.weight"].T + p["c_fc.bias"])
    return inner @ p["c_fc.weight"].T + p["c_proj.bias"]


# --- unusual, and right --------------------------------------------------------------------------


@MLP.also_right("token by token")
def _mlp_token_by_token(x, params):
    out = np.empty((*x.shape[:-1], params["c_proj.weight"].shape[1]))
    for index in np.ndindex(*x.shape[:-1]):
        out[index] = mlp_of(x[index], params)
    return out


@MLP.also_right("room for 4D")
def _mlp_into_room(x, params):
    hidden = np.empty((*x.shape[:-1], 4 * x.shape[-1]))
    hidden[...] = x @ params["c_fc.weight"] + params["c_fc.bias"]
    return linear(tanh_gelu(hidden), params, "c_proj")


@MLP.also_right("neuron by neuron")
def _mlp_neuron_by_neuron(x, params):
    out = np.zeros((*x.shape[:-1], params["c_proj.weight"].shape[1])) + params["c_proj.bias"]
    for i, bias in enumerate(params["c_fc.bias"]):
        strength = tanh_gelu(x @ params["c_fc.weight"][:, i] + bias)
        out = out + strength[..., None] * params["c_proj.weight"][i]
    return out


MLP.also_right("float32", in_float32(mlp_of))

MLP.also_right(
    "GELU by sigmoid", lambda x, p: mlp_of(x, p, lambda h: h * sigmoid(2 * inner_of_gelu(h)))
)

MLP.also_right(
    "np.dot and named steps",
    lambda x, p: (
        np.dot(tanh_gelu(np.dot(x, p["c_fc.weight"]) + p["c_fc.bias"]), p["c_proj.weight"])
        + p["c_proj.bias"]
    ),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------

_MLP_OUT = (
    Wrong(
        "input_added",
        _("The input is added to the result: that belongs to the block."),
        lambda y, x: y + x,
    ),
    Wrong("gelu_last", _("GELU is applied to the result, too."), lambda y, x: gelu_of()(y)),
    Wrong(
        "divided_by_root_2", _("The result is divided by the root of 2."), lambda y, x: y / 2**0.5
    ),
    *(Wrong(w.id, w.sentence, lambda y, x, f=w.way: f(y)) for w in OUTPUTS),
)


def _build(x_is, biases, act, out):
    first, second = biases

    def mlp(x, params):
        h = act(first(x_is(x) @ params["c_fc.weight"], params["c_fc.bias"]))
        return out(second(h @ params["c_proj.weight"], params["c_proj.bias"]), x)

    return mlp


MLP.steps = Steps(
    _build,
    {"x_is": same, "biases": (RIGHT_BIAS, RIGHT_BIAS), "act": gelu_of(), "out": lambda y, x: y},
    {"x_is": INPUTS, "biases": MLP_BIASES, "act": ACTIVATIONS, "out": _MLP_OUT},
)  # fmt: skip
