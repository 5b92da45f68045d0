"""GPT-2's forward pass in NumPy, with a cache and a trace: for tests, tooling and benchmarks.

Source: the steps of openai/gpt-2 `src/model.py`; it equals Hugging Face's GPT2LMHeadModel on the
pocket model (tests/data). Learners write their own; this one is the instructor's.

B batch, T tokens, D width, H heads, d size of a head, V vocabulary.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Layer:
    """What one layer computed: ln_1's output [B, T, D]; q, k, v, z [B, H, T, d]; weights."""

    normed: np.ndarray
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    weights: np.ndarray
    z: np.ndarray


class Cache:
    """Keys and values of the tokens so far, with room for n_positions tokens.

    The room is made once, so that a new token copies its own keys and values only.
    """

    def __init__(self, config, batch=1):
        d_head = config["n_embd"] // config["n_head"]
        shape = (config["n_layer"], 2, batch, config["n_head"], config["n_positions"], d_head)
        self.keys_and_values = np.empty(shape, np.float32)
        self.length = 0

    def extend(self, layer, k, v):
        """Store the new tokens' k and v [B, H, T, d] of a layer; returns all of them so far."""
        end = self.length + k.shape[-2]
        keys, values = self.keys_and_values[layer]
        keys[..., self.length : end, :], values[..., self.length : end, :] = k, v
        return keys[..., :end, :], values[..., :end, :]


def layer_norm(x, weight, bias, eps=1e-5):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt(np.square(x).mean(-1, keepdims=True) + x.dtype.type(eps)) * weight + bias


def gelu(x):
    """GPT-2's tanh form."""
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attend(layer, q, k, v):
    """Causal attention; the queries are those of the last tokens. Returns (z, weights)."""
    n_new, n_all = q.shape[-2], k.shape[-2]
    scores = q @ k.swapaxes(-1, -2) * q.dtype.type(q.shape[-1] ** -0.5)
    if n_new > 1:  # one new token may look at everything
        future = np.arange(n_all) > np.arange(n_all - n_new, n_all)[:, None]
        scores[..., future] = -np.inf
    weights = softmax(scores)
    return weights @ v, weights


def last_states(token_ids, params, config, cache=None, attend=attend, trace=None):
    """What every token's row is after ln_f.

    Parameters
    ----------
    token_ids : int array [B, T] or [T]
        The new tokens.
    params : dict of arrays
        Under Hugging Face's names without the prefix ``transformer.``.
    config : dict
        n_layer, n_head, n_embd, n_positions.
    cache : Cache, optional
        Holds the tokens before; the new ones are added to it.
    attend : function
        ``attend(layer, q, k, v) -> (z, weights)``; another one can change what a head does.
    trace : list, optional
        A `Layer` is appended for every layer.

    Returns
    -------
    array [B, T, D] or [T, D]

    Raises
    ------
    ValueError
        Where the tokens do not fit into n_positions.
    """
    token_ids = np.asarray(token_ids)
    ids = np.atleast_2d(token_ids)
    start = cache.length if cache else 0
    end = start + ids.shape[-1]
    if end > config["n_positions"]:
        raise ValueError(
            f"{end} tokens do not fit: the model has {config['n_positions']} positions"
        )
    x = params["wte.weight"][ids] + params["wpe.weight"][start:end]
    for i in range(config["n_layer"]):
        p = f"h.{i}."

        def affine(x, name, p=p):
            return x @ params[p + name + ".weight"] + params[p + name + ".bias"]

        def heads(x):
            return x.reshape(*x.shape[:-1], config["n_head"], -1).swapaxes(-2, -3)

        normed = layer_norm(x, params[p + "ln_1.weight"], params[p + "ln_1.bias"])
        q, k, v = (heads(part) for part in np.split(affine(normed, "attn.c_attn"), 3, -1))
        if cache:
            k, v = cache.extend(i, k, v)
        z, weights = attend(i, q, k, v)
        x = x + affine(z.swapaxes(-2, -3).reshape(x.shape), "attn.c_proj")
        hidden = layer_norm(x, params[p + "ln_2.weight"], params[p + "ln_2.bias"])
        x = x + affine(gelu(affine(hidden, "mlp.c_fc")), "mlp.c_proj")
        if trace is not None:
            trace.append(Layer(normed, q, k, v, weights, z))
    if cache:
        cache.length = end
    x = layer_norm(x, params["ln_f.weight"], params["ln_f.bias"])
    return x.reshape(*token_ids.shape, -1)


def forward(token_ids, params, config, cache=None, attend=attend, trace=None):
    """Logits [B, T, V] or [T, V] of the next token after each of token_ids; see `last_states`."""
    return last_states(token_ids, params, config, cache, attend, trace) @ params["wte.weight"].T


def generate(token_ids, params, config, n_new, cached=True):
    """The prompt and n_new more tokens, always the likeliest; with the cache or without."""
    ids = list(token_ids)
    cache = Cache(config) if cached else None
    new = ids
    for _ in range(n_new):
        logits = params["wte.weight"] @ last_states(new, params, config, cache)[-1]
        ids.append(int(logits.argmax()))
        new = ids[-1:] if cached else ids
    return ids
