"""`kv_cache_bytes`, lesson 03. The memory that a cache takes."""

import numpy as np

from autograder.exercises.kit import (
    Case,
    Exercise,
    Promise,
    late,
)
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import same
from illustrated_attention.language import later as _

KV_CACHE_BYTES = Exercise(
    name="kv_cache_bytes",
    lesson="03_kv_cache",
    can="You can now say what a cache costs.",
    visible=(
        Case("GPT-2 small, one token", (12, 12, 64, 1)),
        Case("GPT-2 small, a full context", (12, 12, 64, 1024)),
        Case("a small model, three texts at once", (2, 5, 7, 11, 3)),
        Case("a small model in float16", (2, 5, 7, 11, 1, 2)),
        Case("a small model, three texts in float64", (2, 5, 7, 11, 3, 8)),
        late("a large model, 32 texts at once", (96, 96, 128, 2048, 32, 2)),
    ),
    hidden=(
        Case("GPT-2 medium", (24, 16, 64, 1024)),
        Case("GPT-2 XL in float16", (48, 25, 64, 1000, 1, 2)),
        Case("several texts", (3, 7, 5, 13, 17, 8)),
        Case("one layer, one head", (1, 1, 6, 7, 2, 1)),
        late("just over 2 GiB", (16, 32, 128, 4097, 4, 4)),
        late("just over 4 GiB", (32, 32, 128, 4099, 4, 4)),
        late("a large model, a long text", (97, 101, 131, 1_000_003, 67, 8)),
        late("a single number", (1, 1, 1, 1, 1, 1)),
    ),
    promises=(
        Promise(
            "one more of anything adds the same every time",
            "one_more_adds_the_same",
            ((2, 5, 7, 11, 3, 8), (0, 1, 2, 3, 4, 5)),
            ((3, 7, 5, 13, 17, 8), (0, 1, 2, 3, 4, 5)),
        ),
    ),
    hints=(
        "How many numbers does one token leave behind in one head of one layer? Mind that two "
        "vectors are kept.",
        "One head of one layer keeps a key and a value for each token: 2 times `d_head` numbers. "
        "Multiply by all that there are several of, and by the bytes of one number.",
        "It is one product of 2 and all six arguments.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

KV_CACHE_BYTES.mistake(
    "one_array",
    "Your number is half of the right one. Each layer keeps two arrays: keys and values.",
    lambda L, H, d, n, b=1, i=4: L * H * d * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "queries_too",
    "You count three arrays. Queries are not kept: only keys and values.",
    lambda L, H, d, n, b=1, i=4: 3 * L * H * d * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "batch_ignored",
    "Right for one text only. Every text of a batch has a cache of its own.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * i,
)

KV_CACHE_BYTES.mistake(
    "itemsize_ignored",
    "You always count 4 bytes a number. `itemsize` says how many bytes one number takes.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * b * 4,
)

KV_CACHE_BYTES.mistake(
    "fixed_itemsize",
    "Your numbers have a fixed size, and it is not that of float32. `itemsize` says how "
    "many bytes one number takes.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * b * 8,
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * b * 2,
)


def _bytes(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    return 2 * n_layer * n_head * d_head * n_tokens * batch * itemsize


KV_CACHE_BYTES.mistake(
    "one_layer_more",
    "You count one layer too many. The embedding keeps nothing: only layers with "
    "attention have keys and values.",
    lambda L, H, d, n, b=1, i=4: _bytes(L + 1, H, d, n, b, i),
)

KV_CACHE_BYTES.mistake(
    "batch_and_itemsize_ignored",
    "Right for one text in float32 only: `batch` and `itemsize` are not used.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * 4,
)

KV_CACHE_BYTES.mistake(
    "numbers_not_bytes",
    "You count numbers, not bytes. Each number takes `itemsize` bytes: 4 in float32, 2 in float16.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * b,
)

KV_CACHE_BYTES.mistake(
    "bits",
    "Your number is 8 times as large as it should be. `itemsize` counts bytes already, not bits.",
    lambda L, H, d, n, b=1, i=4: 8 * _bytes(L, H, d, n, b, i),
)

KV_CACHE_BYTES.mistake(
    "layers_missing",
    "You count one layer. Each layer keeps its own keys and values.",
    lambda L, H, d, n, b=1, i=4: 2 * H * d * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "heads_missing",
    "You count one head. Each head keeps its own keys and values.",
    lambda L, H, d, n, b=1, i=4: 2 * L * d * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "head_size_missing",
    "You count one number for each head. A key has `d_head` numbers, a value too.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "tokens_missing",
    "You count one token. The cache has a row for every token.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * b * i,
)

KV_CACHE_BYTES.mistake(
    "one_token_less",
    "One token is missing: the newest one is in the cache too.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * (n - 1) * b * i,
)

KV_CACHE_BYTES.mistake(
    "tokens_squared",
    "Your number grows with the square of the tokens. That is the table of weights; the "
    "cache has one row a token.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * n * b * i,
    lambda L, H, d, n, b=1, i=4: 2 * L * H * n * n * b * i,
    lambda L, H, d, n, b=1, i=4: L * H * n * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "heads_squared",
    "The heads come in twice. `d_head` is the size of one head; all heads together have "
    "`n_head` times that.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * H * d * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "added_up",
    "You add the sizes. The number of cells of an array is the product of its sizes.",
    lambda L, H, d, n, b=1, i=4: 2 * (L + H + d + n) * b * i,
    lambda L, H, d, n, b=1, i=4: L + H + d + n + b + i,
    lambda L, H, d, n, b=1, i=4: 2 * L * (H + d) * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "mebibytes",
    "You return a larger unit, such as KiB or MiB. The exercise asks for bytes.",
    lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) / 2**20,
    lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) / 2**10,
    lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) / 1e6,
    lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) // 2**20,
    lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) // 2**10,
)

KV_CACHE_BYTES.mistake(
    "gpt2_fixed",
    "Right for GPT-2 small only: its numbers are fixed in your formula. Use the arguments.",
    lambda L, H, d, n, b=1, i=4: 73_728 * n * b * i // 4,
    lambda L, H, d, n, b=1, i=4: 73_728 * n,
    lambda L, H, d, n, b=1, i=4: 2 * L * 768 * n * b * i,
    lambda L, H, d, n, b=1, i=4: 2 * 12 * H * d * n * b * i,
    lambda L, H, d, n, b=1, i=4: 2 * L * H * 64 * n * b * i,
)

KV_CACHE_BYTES.mistake(
    "batch_added",
    "You add the batch where it multiplies: every text has a whole cache of its own.",
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * (n + b - 1) * i,
    lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * i + (b - 1),
)

KV_CACHE_BYTES.mistake(
    "text_returned",
    "You return a text. Return the number of bytes, without a unit.",
    lambda L, H, d, n, b=1, i=4: f"{_bytes(L, H, d, n, b, i):,}",
    lambda L, H, d, n, b=1, i=4: str(_bytes(L, H, d, n, b, i)),
    lambda L, H, d, n, b=1, i=4: f"{_bytes(L, H, d, n, b, i)} bytes",
)

# --- unusual, and right --------------------------------------------------------------------------


@KV_CACHE_BYTES.also_right("layer by layer")
def _bytes_added_up(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    total = 0
    for _layer in range(n_layer):
        for _part in ("k", "v"):
            total += batch * n_head * n_tokens * d_head * itemsize
    return total


@KV_CACHE_BYTES.also_right("size of an array")
def _bytes_of_arrays(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    one = np.broadcast_to(np.zeros(1, f"V{itemsize}"), (batch, n_head, n_tokens, d_head))
    return 2 * n_layer * one.nbytes


KV_CACHE_BYTES.also_right("a float", lambda *a: float(_bytes(*a)))

KV_CACHE_BYTES.also_right("a NumPy number", lambda *a: np.int64(_bytes(*a)))

KV_CACHE_BYTES.also_right(
    "the model width first",
    lambda L, H, d, n, b=1, i=4: b * n * (H * d) * L * (i + i),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(pair, layer, head, size, tokens, batch, item, extra):
    def kv_cache_bytes(n_layer, n_head, d_head, n_tokens, batch_size=1, item_size=4, **kw):
        b, i = kw.get("batch", batch_size), kw.get("itemsize", item_size)
        count = (
            pair
            * layer(n_layer)
            * head(n_head)
            * size(d_head, n_head)
            * tokens(n_tokens)
            * batch(b)
        )
        return int((count + extra(n_layer, n_head, d_head, n_tokens, b)) * item(i))

    return kv_cache_bytes


KV_CACHE_BYTES.steps = Steps(
    _build,
    {"pair": 2, "layer": same, "head": same, "size": lambda d, h: d, "tokens": same, "batch": same, "item": same, "extra": lambda *a: 0},
    {
        "pair": (
            Wrong("one_array", _("Only one of keys and values is counted."), 1),
            Wrong("queries_too", _("Queries are counted, too."), 3),
        ),
        "layer": (Wrong("layers_missing", _("The layers are not counted."), lambda n: 1), Wrong("one_layer_more", _("One layer too many is counted."), lambda n: n + 1), Wrong("layers_squared", _("The number of layers is squared."), lambda n: n * n)),
        "head": (Wrong("heads_missing", _("The heads are not counted."), lambda n: 1), Wrong("heads_squared", _("The number of heads is squared."), lambda n: n * n)),
        "size": (
            Wrong("size_missing", _("The size of a head is not counted."), lambda d, h: 1),
            Wrong("size_over_heads", _("The size of a head is divided by the number of heads: it is one head's already."), lambda d, h: d / h),
            Wrong("size_squared", _("The size of a head is squared."), lambda d, h: d * d),
        ),
        "tokens": (Wrong("tokens_missing", _("The tokens are not counted."), lambda n: 1), Wrong("one_token_less", _("One token too few is counted."), lambda n: n - 1), Wrong("one_token_more", _("One token too many is counted."), lambda n: n + 1), Wrong("tokens_squared", _("The number of tokens is squared."), lambda n: n * n)),
        "batch": (Wrong("batch_ignored", _("`batch` is not used."), lambda b: 1), Wrong("batch_squared", _("`batch` is squared."), lambda b: b * b)),
        "item": (Wrong("itemsize_ignored", _("`itemsize` is not used: numbers are counted, not bytes."), lambda i: 1), Wrong("itemsize_fixed", _("`itemsize` is fixed at 4."), lambda i: 4), Wrong("bits", _("Bits are counted, not bytes."), lambda i: 8 * i), Wrong("itemsize_over_8", _("The bytes are divided by 8 once more."), lambda i: i / 8), Wrong("itemsize_squared", _("`itemsize` is squared."), lambda i: i * i)),
        "extra": (Wrong("weights_too", _("The attention weights are counted, too; they are not kept."), lambda n, h, d, t, b: n * h * t * t * b),),
    },
)  # fmt: skip
