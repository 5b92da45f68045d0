"""Right pieces, from which wrong and unusual implementations are put together."""

import math

import numpy as np


def softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def flip(k):
    return np.swapaxes(k, -1, -2)


def dot(q, k):
    return q @ flip(k)


def triangle(n):
    return np.tri(n, dtype=bool)


def softmax_of_visible(scores, mask):
    return softmax(np.where(mask, scores, -np.inf))


def scaled(q, k):
    return q @ flip(k) / np.sqrt(q.shape[-1])


def attend_causally(q, k, v):
    weights = softmax_of_visible(scaled(q, k), triangle(q.shape[-2]))
    return weights @ v, weights


def mask_with_past(n_new, n_past):
    return np.tri(n_new, n_past + n_new, n_past, dtype=bool)


def join(past, new):
    return np.concatenate([past, new], axis=-2)


def append(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return join(cache[0], k_new), join(cache[1], v_new)


def blend_of_visible(q, k, v, mask, hidden=-np.inf):
    return softmax(np.where(mask, scaled(q, k), hidden)) @ v


def attend_rows(q, k, v, start, end, cache):
    """Attend with the rows from `start` to before `end`, behind those in the cache."""
    q, k, v = (rows_of(array, start, end) for array in (q, k, v))
    return attend_with_past(q, k, v, cache)


def attend_with_past(q_new, k_new, v_new, cache):
    k, v = append(cache, k_new, v_new)
    n_new = q_new.shape[-2]
    return blend_of_visible(q_new, k, v, mask_with_past(n_new, k.shape[-2] - n_new)), (k, v)


def rows_of(array, start, stop):
    return array[..., start:stop, :]


def split(x, n_head):
    d = x.shape[-1] // n_head
    return x.reshape(*x.shape[:-1], n_head, d).swapaxes(-2, -3)


def merge(x):
    *leading, n_head, n_tokens, d = x.shape
    return x.swapaxes(-2, -3).reshape(*leading, n_tokens, n_head * d)


def in_heads(x, n_head):
    """[..., T, H, d]: cut, but not yet moved."""
    return x.reshape(*x.shape[:-1], n_head, x.shape[-1] // n_head)


def merged_shape(x):
    *leading, n_head, n_tokens, d = x.shape
    return (*leading, n_tokens, n_head * d)


def blocks_of_rows(w, n_head):
    """The rows of w, a block for each head: [H, d, D]."""
    return w.reshape(n_head, -1, w.shape[-1])


def contributions(z, w):
    return z @ blocks_of_rows(w, z.shape[-3])


def spread_of(x, eps):
    return np.sqrt(x.var(axis=-1, keepdims=True) + eps)


def normalise(x, g, b, eps=1e-5):
    return (x - x.mean(axis=-1, keepdims=True)) / spread_of(x, eps) * g + b


def inner_of_gelu(x, cubic=0.044715):
    return (2 / np.pi) ** 0.5 * (x + cubic * x**3)


def tanh_gelu(x):
    return 0.5 * x * (1 + np.tanh(inner_of_gelu(x)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def erf(x):
    return np.vectorize(math.erf, otypes=[float])(x)


def exact_gelu(x):
    return 0.5 * x * (1 + erf(x / 2**0.5))


def relu(x):
    return np.maximum(x, 0)


def linear(x, params, name):
    return x @ params[f"{name}.weight"] + params[f"{name}.bias"]


def mlp_of(x, params, activation=tanh_gelu):
    return linear(activation(linear(x, params, "c_fc")), params, "c_proj")


def append_copies(past, k, v):
    if past is None:
        return k.copy(), v.copy()
    old_k, old_v = past
    return np.concatenate([old_k, k], axis=-2), np.concatenate([old_v, v], axis=-2)


def attend_as_gpt2(x, params, n_head, past=None):
    *leading, n_tokens, width = x.shape
    parts = np.split(linear(x, params, "c_attn"), 3, axis=-1)
    in_heads = (*leading, n_tokens, n_head, width // n_head)
    q, k, v = (part.reshape(in_heads).swapaxes(-2, -3) for part in parts)
    k, v = append_copies(past, k, v)
    scores = q @ np.swapaxes(k, -1, -2) / (width // n_head) ** 0.5
    n_all = k.shape[-2]
    mask = np.tri(n_tokens, n_all, n_all - n_tokens, dtype=bool)
    out = softmax(np.where(mask, scores, -np.inf)) @ v
    return linear(out.swapaxes(-2, -3).reshape(x.shape), params, "c_proj"), (k, v)


def part_of(params, prefix):
    return {
        name.removeprefix(prefix): array
        for name, array in params.items()
        if name.startswith(prefix)
    }


def block_with(rule):
    """A block from its four parts: `rule(x, ln_1, attention, ln_2, mlp)` is its result."""

    def block(x, params, n_head, past=None):
        presents = []

        def norm(name):
            return lambda h: normalise(h, params[f"{name}.weight"], params[f"{name}.bias"])

        def attention(h):
            out, present = attend_as_gpt2(h, part_of(params, "attn."), n_head, past)
            presents.append(present)
            return out

        def mlp(h):
            return mlp_of(h, part_of(params, "mlp."))

        return rule(x, norm("ln_1"), attention, norm("ln_2"), mlp), presents[0]

    return block


right_block = block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_1(x))) + mlp(ln_2(x)))


def past_length(past):
    return 0 if past is None else past[0][0].shape[-2]


def positions_from(start, n_tokens):
    return np.arange(start, start + n_tokens)


def layers_of(params):
    n_layer = len({name.split(".")[1] for name in params if name.startswith("h.")})
    return [part_of(params, f"h.{i}.") for i in range(n_layer)]


def embedded(token_ids, params, positions):
    n_positions = len(params["wpe.weight"])
    if positions.max() >= n_positions:
        # In the words of the embed that learners find in the lesson.
        raise ValueError(
            f"{len(positions)} tokens from position {positions[0]} on do not fit in "
            f"{n_positions} positions"
        )
    return params["wte.weight"][token_ids] + params["wpe.weight"][positions]


def last_norm(x, params):
    return normalise(x, params["ln_f.weight"], params["ln_f.bias"])


def gpt2_with(
    positions=lambda n_tokens, past: positions_from(past_length(past), n_tokens),
    embed=embedded,
    layers=layers_of,
    past_of=lambda past, layer: past[layer],
    returned=lambda presents: presents,
    end=last_norm,
    out=lambda x, params: x @ params["wte.weight"].T,
):
    """The whole model, right where nothing else is said."""

    def gpt2(token_ids, params, n_head, past=None):
        token_ids = np.asarray(token_ids)
        x = embed(token_ids, params, positions(token_ids.shape[-1], past))
        presents = []
        for layer, own in enumerate(layers(params)):
            x, present = right_block(x, own, n_head, None if past is None else past_of(past, layer))
            presents.append(present)
        return out(end(x, params), params), returned(presents)

    return gpt2


right_gpt2 = gpt2_with()


def in_float32(function):
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
