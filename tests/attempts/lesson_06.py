"""Wrong attempts at lesson 06, written without a look at known ones."""

import numpy as np
from attempts.kit import attempt, right

layer_norm, gelu, mlp = right("layer_norm"), right("gelu"), right("mlp")
gpt2_attention = right("gpt2_attention")


def under(params, start):
    return {k[len(start) :]: v for k, v in params.items() if k.startswith(start)}


def norm(x, params, name):
    return layer_norm(x, params[name + ".weight"], params[name + ".bias"])


@attempt("layer_norm", "over_everything")
def of_everything(x, g, b, eps=1e-5):
    return (x - x.mean()) / np.sqrt(x.var() + eps) * g + b


@attempt("layer_norm", "eps_outside_the_root")
def std_plus_eps(x, g, b, eps=1e-5):
    return (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + eps) * g + b


@attempt("layer_norm", "bias_before_gain")
def bias_before_gain(x, g, b, eps=1e-5):
    return ((x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) + b) * g


@attempt("layer_norm", "keepdims_missing")
def axes_lost(x, g, b, eps=1e-5):
    return (x - x.mean(-1)) / np.sqrt(x.var(-1) + eps) * g + b


@attempt("gelu", "wrong_operator")
def other_factor(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 * np.pi) * (x + 0.044715 * x**3)))


@attempt("gelu", "brackets_wrong")
def cube_outside(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * x + 0.044715 * x**3))


@attempt("gelu", "half_missing")
def half_missing(x):
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@attempt("mlp", "no_activation")
def no_nonlinearity(x, params):
    h = x @ params["c_fc.weight"] + params["c_fc.bias"]
    return h @ params["c_proj.weight"] + params["c_proj.bias"]


@attempt("mlp", "activation_last")
def gelu_at_the_end(x, params):
    h = x @ params["c_fc.weight"] + params["c_fc.bias"]
    return gelu(h @ params["c_proj.weight"] + params["c_proj.bias"])


@attempt("block", "normalised_after_the_sum")
def norm_afterwards(x, params, n_head, past=None):
    a, present = gpt2_attention(x, under(params, "attn."), n_head, past)
    x = norm(x + a, params, "ln_1")
    return norm(x + mlp(x, under(params, "mlp.")), params, "ln_2"), present


@attempt("block", "second_residual_missing")
def second_residual_missing(x, params, n_head, past=None):
    a, present = gpt2_attention(norm(x, params, "ln_1"), under(params, "attn."), n_head, past)
    x = x + a
    return mlp(norm(x, params, "ln_2"), under(params, "mlp.")), present


@attempt("block", "past_not_passed_on")
def past_left_out(x, params, n_head, past=None):
    a, present = gpt2_attention(norm(x, params, "ln_1"), under(params, "attn."), n_head)
    x = x + a
    return x + mlp(norm(x, params, "ln_2"), under(params, "mlp.")), present


@attempt("gelu", "or_with_array")
def zero_for_nothing(x):
    x = x or 0.0
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@attempt("mlp", "whole_numbers")
def filled_with_the_type_of_x(x, params):
    result = np.zeros_like(x)
    result[...] = right("mlp")(x, params)
    return result


@attempt("block", "text_for_array")
def names_for_arrays(x, params, n_head, past=None):
    normed = layer_norm(x, *under(params, "ln_1."))
    out, present = gpt2_attention(normed, under(params, "attn."), n_head, past)
    return x + out, present
