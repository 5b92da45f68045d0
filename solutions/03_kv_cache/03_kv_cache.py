# %% [markdown]
# # 03 · The KV cache
#
# **Goal:** read a text token by token without doing old work again: keep old keys and values, and
# compute only what is new.
#
# **You will be able to** let new tokens attend to a text that was read before, and say what the
# cache saves.
#
# **Time:** 60 minutes. **You need:** lessons 01 and 02.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*

# %%
import numpy as np

from illustrated_attention import answer, bring_along, check, hint, progress
from illustrated_attention.figures import kv_cache as draw
from illustrated_attention.figures.key import colour_key
from illustrated_attention.widgets.explorer import explore
from illustrated_attention.widgets.kv_cache import cache_stepper

np.set_printoptions(precision=3, suppress=True)
colour_key(["vectors", "hidden", "query"])

# %% [markdown]
# **What you built so far.** The next cell, folded up, holds the course's version of the functions that
# you need from earlier lessons. The one after it puts **yours** in their place, where they pass their
# check.

# %% built_so_far=["make_qkv", "scaled_scores", "softmax", "weighted_sum", "causal_mask", "masked_softmax", "causal_attention"]
# Filled by the build.

# %%
bring_along()

# %% [markdown]
# ## The same work again
#
# GPT-2 writes one token at a time. After each token it needs the next one, for a text that is one
# token longer. Must it compute everything again?
#
# Here is the toy again. It has read "robot must obey"; now "orders" comes.

# %%
tokens = ["robot", "must", "obey", "orders"]
x = np.array(
    [
        [-1.0, 1.0, 1.0, 0.0],
        [0.0, 2.0, -1.0, 0.0],
        [2.0, 0.0, 0.0, -1.0],
        [1.0, -1.0, 0.0, 1.0],
    ]
)
w_q = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.5], [-0.5, 1.0, 0.5], [0.0, 0.5, 0.5]])
w_k = np.array([[0.5, 0.0, -0.5], [0.0, -0.5, 0.0], [0.0, 0.0, 0.5], [0.5, 1.0, 0.0]])
w_v = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, -0.5], [0.5, 0.0, 1.0], [-1.0, 1.0, 1.0]])

# %% [markdown]
# **Predict `03-same-rows`.** We make the keys of three tokens, then of all four. How many of the
# first three rows change?

# %%
answer("03-same-rows", ...)

# %%
q, k, v = make_qkv(x, w_q, w_k, w_v)
_, k_of_three, _ = make_qkv(x[:3], w_q, w_k, w_v)
print(k_of_three)
print(k)

# %% [markdown]
# A token's key is made from its own row of `x`, so old rows stay. The same holds for `q` and `v`.
#
# **One token.** "orders" needs a result: score, softmax, sum.
#
# **Predict `03-needed`.** Which rows does that take?
#
# - (a) its own query, key and value
# - (b) all queries, keys and values
# - (c) all queries, its own key and value
# - (d) its own query, all keys and all values

# %%
answer("03-needed", "?")

# %%
weights = softmax(scaled_scores(q[3:], k))
print(weighted_sum(weights, v))
print(causal_attention(q, k, v)[0])

# %% [markdown]
# The first line is the last row of the full result. No old query took part. So old keys and
# values are worth keeping, old queries are not. What is kept is the **KV cache**.
#
# GPT-2 has several layers, each with its own keys and values. Those of layer 1 are made from the
# results of layer 0.
#
# **Predict `03-layer-1`.** "orders" comes. Do the old keys of layer 1 stay as they are?
#
# - (a) Yes, because the mask hides "orders" from older tokens.
# - (b) Yes, with a mask or without.
# - (c) No.

# %%
answer("03-layer-1", "?")

# %%
masked, _ = causal_attention(q, k, v)
masked_of_three, _ = causal_attention(q[:3], k[:3], v[:3])
print(np.abs(masked[:3] - masked_of_three).max())

unmasked = weighted_sum(softmax(scaled_scores(q, k)), v)
unmasked_of_three = weighted_sum(softmax(scaled_scores(q[:3], k[:3])), v[:3])
print(np.abs(unmasked[:3] - unmasked_of_three).max())

# %% [markdown]
# With the mask, old results stay, and so do the keys and values that the next layer makes from
# them. Without it (lesson 01), each new token would change them all. The mask is what makes a
# cache possible.
#
# Let us give the toy a second layer, and look at the moment when it reads its second token:

# %%
second = np.random.default_rng(3).standard_normal((3, 3, 3)).round(1)
layers = [(q, k, v), make_qkv(masked, *second)]
draw.cache_step(tokens, layers, step=1)

# %% [markdown]
# ### Exercise 3.1 · append_kv
#
# *5 minutes · easy.* Put new rows after the old ones.
#
# - **In:** `cache`, a pair `(k, v)` of old rows, `[..., T, d]` and `[..., T, dv]`, or None if
#   there are no old tokens; `k_new`, `v_new` with the rows of one or more new tokens.
# - **Out:** a new pair `(k, v)`. The old cache must stay as it was: someone may go on from it
#   again.


# %% solution="append_kv"
def append_kv(cache, k_new, v_new):
    """Put the keys and values of new tokens after those of the old ones.

    Parameters
    ----------
    cache : (k, v) or None
        Old keys, [..., T, d], and values, [..., T, dv]; None if there are none.
    k_new : ndarray, [..., T_new, d]
    v_new : ndarray, [..., T_new, dv]

    Returns
    -------
    (k, v) : tuple of ndarray, [..., T + T_new, d] and [..., T + T_new, dv]
    """
    ### BEGIN SOLUTION
    if cache is None:
        return k_new.copy(), v_new.copy()
    k, v = cache
    return np.concatenate([k, k_new], axis=-2), np.concatenate([v, v_new], axis=-2)
    ### END SOLUTION


# %% tests="append_kv"
# Hidden tests run here when your work is graded. They try batches and heads in front, values of
# another size than keys, equal sizes (where a wrong axis goes unnoticed), and two continuations
# of one cache.

# %% [markdown]
# Next you can step through the toy; your `append_kv` fills the caches. Move the slider with the
# mouse or the arrow keys.

# %%
cache_stepper(tokens, layers, append_kv)

# %% [markdown]
# **Why? `03-why-no-queries`** Queries are crossed out. Why is none kept?
#
# - (a) They take more room than keys.
# - (b) An old token's result is done and never changes, so its query is not needed again.
# - (c) They can be computed from the keys.

# %%
answer("03-why-no-queries", "?")

# %% [markdown]
# ## Mask: several new tokens at once
#
# A prompt comes in one piece, and GPT-2 reads it in one piece. Say four tokens are in the cache,
# and "given it" comes. The scores then have 2 rows, one for each new query, and 6 columns: four
# old keys, then two new ones.
#
# **The first row.** "given" stands at position 4. It sees columns 0 to 4, and not column 5, "it".
#
# **Predict `03-true`.** How many True has this mask in both rows together?

# %%
answer("03-true", ...)

# %% [markdown]
# ### Exercise 3.2 · cached_causal_mask
#
# *5 minutes · medium*
#
# - **In:** `n_new`, `n_past`: how many tokens are new, and how many are in the cache (0 or more).
# - **Out:** bool `[n_new, n_past + n_new]`, True where a new token may look.


# %% solution="cached_causal_mask"
def cached_causal_mask(n_new, n_past):
    """Say which keys each new token may look at: the past, and new tokens up to itself.

    Parameters
    ----------
    n_new, n_past : int

    Returns
    -------
    bool ndarray, [n_new, n_past + n_new]
        True where a new token may look.
    """
    ### BEGIN SOLUTION
    return np.tri(n_new, n_past + n_new, n_past, dtype=bool)
    ### END SOLUTION


# %% tests="cached_causal_mask"
# Hidden tests run here when your work is graded. They try more old tokens than new ones, more new
# than old ones, one new token, and an empty cache.

# %%
draw.cached_mask([*tokens, "given", "it"], cached_causal_mask(2, 4), n_past=4)

# %% [markdown]
# **Why? `03-why-corner`** `np.tri(1, 5)` starts its triangle in the upper left corner. With it,
# what would one new token after four old ones see?
#
# - (a) only itself
# - (b) everything
# - (c) only the oldest token
# - (d) nothing

# %%
answer("03-why-corner", "?")

# %% [markdown]
# ## Attend with the cache
#
# ### Exercise 3.3 · attend_with_cache
#
# *8 minutes · medium.* Append, score, mask, softmax, sum: you have a function for each.
#
# - **In:** `q_new`, `k_new` `[..., T_new, d]`, `v_new` `[..., T_new, dv]`, and `cache`: a pair, or
#   None at first.
# - **Out:** `(out, cache)`: results of the new tokens, `[..., T_new, dv]`, and the cache with old
#   and new rows.


# %% solution="attend_with_cache"
def attend_with_cache(q_new, k_new, v_new, cache):
    """Let new tokens attend to the past and to each other, and extend the cache.

    Parameters
    ----------
    q_new, k_new : ndarray, [..., T_new, d]
    v_new : ndarray, [..., T_new, dv]
    cache : (k, v) or None
        Old keys, [..., T, d], and values, [..., T, dv]; None if there are none.

    Returns
    -------
    out : ndarray, [..., T_new, dv]
    cache : (k, v)
        Old and new keys, [..., T + T_new, d], and values, [..., T + T_new, dv].
    """
    ### BEGIN SOLUTION
    k, v = append_kv(cache, k_new, v_new)
    n_new = q_new.shape[-2]
    mask = cached_causal_mask(n_new, k.shape[-2] - n_new)
    weights = masked_softmax(scaled_scores(q_new, k), mask)
    return weighted_sum(weights, v), (k, v)
    ### END SOLUTION


# %% tests="attend_with_cache"
# Hidden tests run here when your work is graded. They try batches and heads, several ways to cut a
# text, caches with noise in them (the result must change), and two continuations of one beginning.

# %% [markdown]
# The explorer reads the toy with your cache: the query is the token that is being read. **Try:** go
# from "robot" to "orders" with the arrow keys. Which rows of the chain change when a token comes, and
# which keys does it meet?

# %%
mine = [append_kv, cached_causal_mask, scaled_scores, masked_softmax, weighted_sum]
explore(*mine, tokens=tokens, layers=layers, query=0)

# %% [markdown]
# Now we tamper with a cache of three tokens, then let "orders" attend: once as it is, once with
# other old values, once with two old tokens exchanged, keys and values alike.
#
# **Predict `03-tamper`.** Which of the two changes shows in the result of "orders"?
#
# - (a) only the other values
# - (b) only the exchange
# - (c) both
# - (d) none

# %%
answer("03-tamper", "?")

# %%
_, cache = attend_with_cache(q[:3], k[:3], v[:3], None)
old_k, old_v = cache
other_values = (old_k, old_v + 1)
exchanged = (old_k[[1, 0, 2]], old_v[[1, 0, 2]])
for past in [cache, other_values, exchanged]:
    out, _ = attend_with_cache(q[3:], k[3:], v[3:], past)
    print(out)

# %% [markdown]
# Old rows really come from the cache: spoil them, and the result is spoilt. But a blend does not
# depend on the order of its parts, and no part of the past is hidden. So a reordered past never
# shows in an output. (Lesson 04 has another mistake that no output shows.) `check` therefore looks
# into your cache.
#
# **Why? `03-why-order`** What could still go wrong with a reordered cache?
#
# - (a) Nothing, since no output can change.
# - (b) The weights would no longer sum to 1.
# - (c) Cut to its first two rows, it would no longer hold the first two tokens.

# %%
answer("03-why-order", "?")

# %% [markdown]
# One beginning can have two continuations, as when a model tries several endings. Both start
# from the same `cache`, so a step must not write into it:

# %%
_, cache = attend_with_cache(q[:3], k[:3], v[:3], None)
before, _ = attend_with_cache(q[3:], k[3:], v[3:], cache)
attend_with_cache(q[:2], k[:2], v[:2], cache)  # another continuation: "robot must" again
after, _ = attend_with_cache(q[3:], k[3:], v[3:], cache)
np.array_equal(before, after)

# %% [markdown]
# **Optional: be the grader.** `wrong_attend` puts new tokens in front. For one new token its
# results are right. Add one `assert` to `my_test` that fails for it and holds for yours. The goal
# is `True False`.


# %%
def wrong_attend(q_new, k_new, v_new, cache):
    k, v = (k_new, v_new) if cache is None else append_kv((k_new, v_new), *cache)
    mask = cached_causal_mask(len(q_new), len(k) - len(q_new))
    return weighted_sum(masked_softmax(scaled_scores(q_new, k), mask), v), (k, v)


def my_test(attend):
    _, cache = attend(q[:2], k[:2], v[:2], None)
    out, _ = attend(q[2:3], k[2:3], v[2:3], cache)
    assert np.allclose(out, causal_attention(q, k, v)[0][2:3])


def rejects(test, function):
    try:
        test(function)
    except AssertionError:
        return True
    return False


print(rejects(my_test, wrong_attend), rejects(my_test, attend_with_cache))

# %% [markdown]
# ## A whole text
#
# ### Exercise 3.4 · decode
#
# *8 minutes · medium.* Read a text in chunks. However it is cut, the result must be that of one
# pass.
#
# - **In:** `q`, `k` `[..., T, d]`, `v` `[..., T, dv]`, and `chunk_sizes`, such as `[2, 1, 1]`: two
#   tokens, then one, then one.
# - **Out:** `[..., T, dv]`
# - **Refuse:** if the sizes do not add up to T, raise a `ValueError` that says so.


# %% solution="decode"
def decode(q, k, v, chunk_sizes):
    """Read a text chunk by chunk, with a cache.

    Parameters
    ----------
    q, k : ndarray, [..., T, d]
    v : ndarray, [..., T, dv]
    chunk_sizes : list of int
        How many tokens each chunk has, in order.

    Returns
    -------
    ndarray, [..., T, dv]

    Raises
    ------
    ValueError
        If the sizes do not add up to T.
    """
    ### BEGIN SOLUTION
    n_tokens = q.shape[-2]
    if sum(chunk_sizes) != n_tokens:
        raise ValueError(f"chunks of {chunk_sizes} do not add up to {n_tokens} tokens")
    cache, outs, start = None, [], 0
    for size in chunk_sizes:
        end = start + size
        out, cache = attend_with_cache(
            q[..., start:end, :], k[..., start:end, :], v[..., start:end, :], cache
        )
        outs.append(out)
        start = end
    return np.concatenate(outs, axis=-2)
    ### END SOLUTION


# %% tests="decode"
# Hidden tests run here when your work is graded. They try longer texts cut in several ways, batches
# and heads in front, and sizes that add up to too many or too few tokens.

# %%
whole, _ = causal_attention(q, k, v)
for sizes in [[4], [3, 1], [2, 2], [1, 2, 1], [1, 1, 1, 1]]:
    print(sizes, np.abs(decode(q, k, v, sizes) - whole).max())

# %% [markdown]
# (Numbers such as 2.8e-17 are rounding.)
#
# **Why? `03-why-chunks`** Suppose each step returned a cache with its own tokens only. For which
# sizes would `decode` still be right?
#
# - (a) `[1, 1, 1, 1]`
# - (b) `[2, 2]`
# - (c) `[1, 2, 1]`
# - (d) none of these

# %%
answer("03-why-chunks", "?")

# %% [markdown]
# ## What it saves
#
# Times differ from machine to machine, counts do not. `project` counts every token that goes
# through it. Both functions below read a text token by token and return that count.


# %%
def project(rows):
    global projected
    projected = projected + len(rows)
    return make_qkv(rows, w_q, w_k, w_v)


def count_without_cache(text):
    global projected
    projected = 0
    for end in range(1, len(text) + 1):
        causal_attention(*project(text[:end]))
    return projected


def count_with_cache(text):
    global projected
    projected, cache = 0, None
    for t in range(len(text)):
        _, cache = attend_with_cache(*project(text[t : t + 1]), cache)
    return projected


# %% [markdown]
# **Predict `03-nine`.** The article's sentence, with its start token, has 9 tokens up to "it".
# What is the count without a cache?

# %%
answer("03-nine", ...)

# %%
text = np.random.default_rng(0).standard_normal((32, 4))
lengths = list(range(1, 33))
without = [count_without_cache(text[:n]) for n in lengths]
with_cache = [count_with_cache(text[:n]) for n in lengths]
print(without[8], with_cache[8])
draw.projection_curve(lengths, without, with_cache)

# %% [markdown]
# ### Exercise 3.5 · projection_counts
#
# *3 minutes · easy.* Put what you counted into a formula.
#
# - **In:** `n_tokens`, at least 1. **Out:** `(without_cache, with_cache)`


# %% solution="projection_counts"
def projection_counts(n_tokens):
    """Count the tokens that are projected while a text is read token by token.

    Parameters
    ----------
    n_tokens : int
        At least 1.

    Returns
    -------
    without_cache, with_cache : int
    """
    ### BEGIN SOLUTION
    return n_tokens * (n_tokens + 1) // 2, n_tokens
    ### END SOLUTION


# %% tests="projection_counts"
# Hidden tests run here when your work is graded. They try other lengths, odd and even.

# %%
print([tuple(projection_counts(n)) for n in lengths] == list(zip(without, with_cache)))
print(projection_counts(1024))

# %% [markdown]
# What still grows is the score work: the one new query meets all keys.

# %% [markdown]
# ## Take away
#
# - The mask keeps old results as they are, so old keys and values can be kept. Old queries are
#   never needed again.
# - New rows go to the end, and the triangle of the mask ends in the lower right corner. However a
#   text is cut, the result is that of one pass.
# - The cache saves projections and costs memory.
#
# **Recall `03-recall-start`** (lesson 00). The cache holds 7 tokens. `embed` gets the next token
# alone. Which `start` does it need?

# %%
answer("03-recall-start", ...)

# %% [markdown]
# ## Optional: what it costs
#
# The exercise counts like the others, but nothing later needs it.
#
# The cache costs memory. In GPT-2 small, a token leaves a key and a value in each of 12 heads, 64
# numbers each: 2 · 12 · 64 = 1,536 numbers in one layer.
#
# **Predict `03-bytes`.** There are 12 layers, and a number in float32 takes 4 bytes. How many KiB
# (1 KiB is 1,024 bytes) does one token leave?

# %%
answer("03-bytes", ...)

# %% [markdown]
# ### Exercise 3.6 · kv_cache_bytes
#
# *3 minutes · easy · optional*
#
# - **In:** `n_layer`, `n_head`, `d_head` (numbers in a key of one head; a value has as many),
#   `n_tokens`, `batch` (texts read at once), `itemsize` (bytes of one number).
# - **Out:** the bytes of the whole cache.


# %% solution="kv_cache_bytes"
def kv_cache_bytes(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    """Say how many bytes a KV cache takes.

    Parameters
    ----------
    n_layer, n_head : int
    d_head : int
        Numbers in one key or value of one head.
    n_tokens : int
    batch : int
        Texts that are read at once.
    itemsize : int
        Bytes of one number: 4 in float32.

    Returns
    -------
    int
    """
    ### BEGIN SOLUTION
    return 2 * n_layer * n_head * d_head * n_tokens * batch * itemsize
    ### END SOLUTION


# %% tests="kv_cache_bytes"
# Hidden tests run here when your work is graded. They try larger GPT-2 models, several texts, and
# numbers of other sizes.

# %% [markdown]
# The four sizes of GPT-2, each with a full context of 1,024 tokens:

# %%
names = ["GPT-2 small", "GPT-2 medium", "GPT-2 large", "GPT-2 XL"]
layers_and_heads = [(12, 12), (24, 16), (36, 20), (48, 25)]
draw.cache_memory(names, [kv_cache_bytes(*sizes, 64, 1024) for sizes in layers_and_heads])

# %%
progress()

# %% [markdown]
# **Hand in.** **Restart Kernel and Run All Cells** goes to the last cell, also where a check fails.
# Look at the cards, save, and press **Submit** in the **Assignment List**; lesson 00 has the steps.
# Exercises may stay open, each counts by itself. Hidden tests run when the work is graded.
#
# **Next:** [04 · Several heads](../04_multi_head/04_multi_head.ipynb).
