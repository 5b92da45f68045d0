"""What may be given to each function of the course, drawn at random: see `fuzz`.

A strategy of `CONTRACTS` draws a case within the function's contract: shapes (equal axes and
axes of 1 too), leading axes, kinds of numbers, magnitudes, and how the arrays lie in memory.
Numbers themselves come from a seed: what hypothesis makes small is everything else.
"""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from autograder.exercises.recover_divisor import fitting_interval
from illustrated_attention import attentions
from illustrated_attention.outcomes import Case

sizes = st.integers(1, 5)
counts = st.integers(1, 3)
leading = st.lists(st.integers(1, 3), max_size=2).map(tuple)
seeds = st.integers(0, 2**32 - 1)
magnitudes = st.sampled_from([1.0, 1e-6, 1e-2, 30.0, 1e3])
whole_numbers = st.sampled_from([np.int64, np.int32])
floats = st.sampled_from([np.float64, np.float64, np.float32, np.dtype(">f8"), np.longdouble])


def lying_otherwise(array: np.ndarray, layout: str) -> np.ndarray:
    """Return the same array with another layout in memory."""
    if layout == "column by column":
        return np.asfortranarray(array)
    if layout == "read-only":
        array = array.copy()
        array.flags.writeable = False
        return array
    if layout == "backwards":
        return np.flip(np.flip(array).copy())
    if layout == "axes moved":
        return np.ascontiguousarray(array.T).T
    if layout == "every second" and array.ndim:
        room = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        room[..., ::2] = array
        return room[..., ::2]
    return array


LAYOUTS = ["as usual", "column by column", "read-only", "backwards", "axes moved", "every second"]
layouts = st.sampled_from(LAYOUTS)


@st.composite
def arrays(draw, shape, kinds=floats, magnitude=None):
    """Numbers from a normal distribution, times a magnitude; whole ones lie near 0."""
    kind = draw(kinds)
    size = draw(magnitudes) if magnitude is None else magnitude
    numbers = np.random.default_rng(draw(seeds)).standard_normal(shape)
    whole = np.dtype(kind).kind == "i"
    numbers = np.round(2 * numbers) if whole else numbers * size
    return lying_otherwise(np.asarray(numbers).astype(kind), draw(layouts))


real = floats | whole_numbers


def calm(shape, kinds=real):
    """Numbers of ordinary size, as in parameters and in what goes through a softmax."""
    return arrays(shape, kinds, magnitude=1.0)


@st.composite
def ids(draw, shape, n_vocab):
    numbers = np.random.default_rng(draw(seeds)).integers(n_vocab, size=shape)
    return lying_otherwise(numbers.astype(draw(whole_numbers)), draw(layouts))


CONTRACTS: dict[str, st.SearchStrategy] = {}  # by the name of the exercise


def case(function):
    """Make a strategy of cases from a function that draws the arguments; both have one name."""

    @st.composite
    def drawn(draw):
        args = function(draw)
        return args if isinstance(args, Case) else Case(function.__name__, args)

    CONTRACTS[function.__name__] = drawn()
    return function


@case
def embed(draw):
    shape, n_vocab, width = (*draw(leading), draw(sizes)), draw(sizes), draw(sizes)
    start, more = draw(st.integers(0, 3)), draw(st.integers(0, 2))
    wpe = draw(arrays((start + shape[-1] + more, width), real))
    args = draw(ids(shape, n_vocab)), draw(arrays((n_vocab, width), real)), wpe, start
    return args if start or draw(st.booleans()) else args[:3]


def _projections(draw):
    width, d, dv = draw(sizes), draw(sizes), draw(sizes)
    x = draw(calm((*draw(leading), draw(sizes), width)))
    return x, *(draw(calm((width, n))) for n in (d, d, dv))


@case
def make_qkv(draw):
    return _projections(draw)


@case
def self_attention(draw):
    return _projections(draw)


@case
def scaled_scores(draw):
    before, d = draw(leading), draw(sizes)
    return tuple(draw(arrays((*before, draw(sizes), d), real)) for _ in range(2))


@case
def softmax(draw):
    return (draw(arrays((*draw(leading), draw(sizes)), real)),)


@case
def weighted_sum(draw):
    before, n_keys = draw(leading), draw(sizes)
    weights = draw(calm((*before, draw(sizes), n_keys)))
    return weights, draw(arrays((*before, n_keys, draw(sizes)), real))


@case
def next_token_pairs(draw):
    tokens = draw(ids((draw(sizes),), 50))
    return (tokens.tolist() if draw(st.booleans()) else tokens,)


@case
def causal_mask(draw):
    return (draw(st.integers(1, 12)),)


@case
def masked_softmax(draw):
    before, n_queries, n_keys = draw(leading), draw(sizes), draw(sizes)
    scores = draw(arrays((*before, n_queries, n_keys), real))
    axes = draw(st.integers(0, len(before)))
    shape = (*(before[axes:]), n_queries, n_keys)
    random = np.random.default_rng(draw(seeds))
    mask = random.random(shape) < 0.5
    np.put_along_axis(mask, random.integers(n_keys, size=(*shape[:-1], 1)), True, axis=-1)
    return scores, lying_otherwise(mask, draw(layouts))


def _attention(draw):
    before, n_tokens, d = draw(leading), draw(sizes), draw(sizes)
    q, k = (draw(calm((*before, n_tokens, d))) for _ in range(2))
    return q, k, draw(arrays((*before, n_tokens, draw(sizes)), real))


@case
def causal_attention(draw):
    return _attention(draw)


@case
def recover_divisor(draw):
    n, divisor = draw(st.integers(3, 5)), draw(st.floats(1.1, 19))
    scores = np.random.default_rng(draw(seeds)).uniform(-2, 2, (n, n)).round(1) * divisor
    visible = np.tril(np.ones((n, n), bool))
    weights = np.exp(np.where(visible, scores / divisor, -np.inf))
    table = np.round(weights / weights.sum(axis=-1, keepdims=True), 2)
    low, high = fitting_interval(scores, table)
    assume(high - low > 0.03)  # a search by hundredths must find one
    return Case("recover_divisor", (scores, table), within=(max(low, 1.0), min(high, 20.0)))


LEAKS = [
    getattr(attentions, name)
    for name in dir(attentions)
    if getattr(getattr(attentions, name), "__module__", "") == attentions.__name__
    and not name.startswith("_")
]


@case
def find_leak(draw):
    return draw(st.sampled_from(LEAKS)), draw(st.integers(6, 9)), draw(st.integers(2, 5))


def _cached(draw):
    before, d, dv = draw(leading), draw(sizes), draw(sizes)
    n_new, n_past = draw(sizes), draw(st.none() | st.integers(1, 5))
    kind = draw(floats | st.just(np.int64))  # as they are joined, they are of one kind
    kinds = st.just(kind)
    new = [draw(calm((*before, n_new, n), kinds)) for n in (d, d, dv)]
    if n_past is None:
        return *new, None
    return *new, tuple(draw(calm((*before, n_past, n), kinds)) for n in (d, dv))


@case
def append_kv(draw):
    _q, k, v, cache = _cached(draw)
    return cache, k, v


@case
def cached_causal_mask(draw):
    return draw(st.integers(1, 8)), draw(st.integers(0, 8))


@case
def attend_with_cache(draw):
    return _cached(draw)


def _parts(draw, total):
    """Whole numbers from 1 on with this sum."""
    cuts = sorted(draw(st.sets(st.integers(1, total - 1)))) if total > 1 else []
    return np.diff([0, *cuts, total]).tolist()


@case
def decode(draw):
    q, k, v = _attention(draw)
    return q, k, v, _parts(draw, q.shape[-2])


@case
def projection_counts(draw):
    return (draw(st.integers(1, 300)),)


@case
def kv_cache_bytes(draw):
    args = tuple(draw(st.integers(1, 500)) for _ in range(6))
    return args[: draw(st.integers(4, 6))]


@case
def qkv_projection(draw):
    width = draw(sizes)
    x = draw(calm((*draw(leading), draw(sizes), width)))
    return x, draw(calm((width, 3 * width))), draw(calm((3 * width,)))


@case
def split_heads(draw):
    n_head = draw(counts)
    shape = (*draw(leading), draw(sizes), n_head * draw(sizes))
    return draw(arrays(shape, real)), n_head


@case
def merge_heads(draw):
    return (draw(arrays((*draw(leading), draw(counts), draw(sizes), draw(sizes)), real)),)


@case
def multi_head_attention(draw):
    n_head = draw(counts)
    shape = (*draw(leading), draw(sizes), n_head * draw(sizes))
    return *(draw(calm(shape)) for _ in range(3)), n_head


@case
def project(draw):
    width = draw(sizes)
    x = draw(calm((*draw(leading), draw(sizes), width)))
    return x, draw(calm((width, width))), draw(calm((width,)))


@case
def head_contributions(draw):
    n_head, d = draw(counts), draw(sizes)
    z = draw(calm((*draw(leading), n_head, draw(sizes), d)))
    return z, draw(calm((n_head * d, n_head * d)))


def _dense(draw, name, n_in, n_out, kinds):
    return {
        f"{name}.weight": draw(calm((n_in, n_out), kinds)),
        f"{name}.bias": draw(calm((n_out,), kinds)),
    }


def _norm(draw, name, width, kinds):
    return {f"{name}.{part}": draw(calm((width,), kinds)) for part in ("weight", "bias")}


def _attention_params(draw, width, kinds, before=""):
    return {
        **_dense(draw, f"{before}c_attn", width, 3 * width, kinds),
        **_dense(draw, f"{before}c_proj", width, width, kinds),
    }


def _mlp_params(draw, width, kinds, before=""):
    return {
        **_dense(draw, f"{before}c_fc", width, 4 * width, kinds),
        **_dense(draw, f"{before}c_proj", 4 * width, width, kinds),
    }


def _block_params(draw, width, kinds, before=""):
    return {
        **_norm(draw, f"{before}ln_1", width, kinds),
        **_attention_params(draw, width, kinds, f"{before}attn."),
        **_norm(draw, f"{before}ln_2", width, kinds),
        **_mlp_params(draw, width, kinds, f"{before}mlp."),
    }


def _gpt2_params(draw, n_layer, width, n_vocab, n_positions):
    params = {
        "wte.weight": draw(calm((n_vocab, width), floats)),
        "wpe.weight": draw(calm((n_positions, width), floats)),
        **_norm(draw, "ln_f", width, floats),
    }
    for layer in range(n_layer):
        params |= _block_params(draw, width, floats, f"h.{layer}.")
    return params


def _past(draw, before, n_head, d):
    n_past = draw(st.none() | st.integers(1, 4))
    if n_past is None:
        return None
    return tuple(draw(calm((*before, n_head, n_past, d), floats)) for _ in range(2))


def _in_a_layer(draw, make_params):
    before, n_head, d = draw(leading), draw(counts), draw(st.integers(2, 4))
    x = draw(calm((*before, draw(sizes), n_head * d), floats))
    args = x, make_params(draw, n_head * d, floats), n_head
    past = _past(draw, before, n_head, d)
    return args if past is None and draw(st.booleans()) else (*args, past)


@case
def gpt2_attention(draw):
    return _in_a_layer(draw, _attention_params)


@case
def layer_norm(draw):
    width = draw(st.integers(1, 9))
    x = draw(arrays((*draw(leading), width), real))
    args = x, draw(calm((width,))), draw(calm((width,)))
    return (*args, draw(st.sampled_from([1e-5, 1e-3, 1e-2]))) if draw(st.booleans()) else args


@case
def gelu(draw):
    return (draw(arrays(draw(leading), real)),)


@case
def mlp(draw):
    width = draw(sizes)
    x = draw(calm((*draw(leading), draw(sizes), width)))
    return x, _mlp_params(draw, width, real)


@case
def block(draw):
    return _in_a_layer(draw, _block_params)


@case
def gpt2(draw):
    before, n_head, d = draw(leading), draw(counts), draw(st.integers(2, 4))
    n_layer, n_vocab, n_new = draw(counts), draw(st.integers(2, 9)), draw(sizes)
    first = _past(draw, before, n_head, d)
    n_past = 0 if first is None else first[0].shape[-2]
    params = _gpt2_params(draw, n_layer, n_head * d, n_vocab, n_past + n_new + draw(counts))
    tokens = draw(ids((*before, n_new), n_vocab))
    if first is None:
        return tokens, params, n_head
    shape = (*before, n_head, n_past, d)
    more = [tuple(draw(calm(shape, floats)) for _ in range(2)) for _ in range(n_layer - 1)]
    return tokens, params, n_head, [first, *more]


@case
def generate(draw):
    n_head, d, n_vocab = draw(counts), draw(st.integers(2, 4)), draw(st.integers(2, 9))
    n_layer, n_prompt, n_new = draw(counts), draw(sizes), draw(st.integers(0, 5))
    n_positions = n_prompt + n_new + draw(st.integers(0, 2))
    params = _gpt2_params(draw, n_layer, n_head * d, n_vocab, n_positions)
    return draw(ids((n_prompt,), n_vocab)).tolist(), params, n_head, n_new


@case
def count_parameters(draw):
    return tuple(draw(st.integers(1, 60_000)) for _ in range(4))


# Functions whose first argument holds ids: these stay whole numbers.
OF_IDS = {"embed", "next_token_pairs", "gpt2", "generate"}
