# %% [markdown]
# # 05 · The projection
#
# **Goal:** mix the heads with one more matrix, see what each head writes into a token, and put
# GPT-2's whole attention together, cache included: **Project · Split · Score · Scale · Mask ·
# Softmax · Sum · Merge · Project**.
#
# **You will be able to** say what each head adds to a token, and run the whole attention of GPT-2.
#
# **Time:** 45 minutes. **You need:** lessons 00 to 04.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*

# %%
import numpy as np

from illustrated_attention import answer, bring_along, check, hint, progress
from illustrated_attention.figures import projection as draw
from illustrated_attention.figures.key import colour_key
from illustrated_attention.figures.multi_head import shape_flow
from illustrated_attention.gpt2_files import load_pocket, robot_sentence

np.set_printoptions(precision=3, suppress=True)
colour_key(["numbers", "vectors"])

# %% [markdown]
# **What you built so far.** The next cell, folded up, holds the course's version of the functions that
# you need from earlier lessons. The one after it puts **yours** in their place, where they pass their
# check.

# %% built_so_far=["scaled_scores", "softmax", "weighted_sum", "masked_softmax", "append_kv", "cached_causal_mask", "attend_with_cache", "qkv_projection", "split_heads", "merge_heads"]
# Filled by the build.

# %%
bring_along()

# %% [markdown]
# ## Side by side is not mixed
#
# Here is the pocket model again, up to where lesson 04 ended: four heads have attended, and
# their results lie side by side, 4 · 32 numbers for each token. (`attend_with_cache` takes the
# heads as a leading axis.)

# %%
pocket, sentence = load_pocket(), robot_sentence()
tokens, x, n_head = sentence.tokens, sentence.normed, pocket.config["n_head"]
start = f"h.{sentence.layer}.attn."
params = {
    name.removeprefix(start): array
    for name, array in pocket.params.items()
    if name.startswith(start)
}
q, k, v = qkv_projection(x, params["c_attn.weight"], params["c_attn.bias"])
z, _ = attend_with_cache(*(split_heads(part, n_head) for part in (q, k, v)), None)
merged = merge_heads(z)
w, b = params["c_proj.weight"], params["c_proj.bias"]
print(z.shape, merged.shape, w.shape, b.shape)

# %% [markdown]
# The merged row of a token now goes through one more matrix, `c_proj`, and gets one more bias.
#
# **Predict `05-mixed`.** We switch head 0 off: all its numbers become 0. How many of the 128
# numbers of "it" can change, in its merged row and after the product with `w`?
#
# - (a) 32 in both
# - (b) 32 in the merged row, 128 after the product
# - (c) 128 in both

# %%
answer("05-mixed", "?")

# %%
off = z.copy()
off[0] = 0
row, row_off = merged[8], merge_heads(off)[8]
print(np.count_nonzero(row != row_off))
print(np.count_nonzero(row @ w != row_off @ w))

# %% [markdown]
# So that is what the projection is for: in the merged row each head has its own place, and after
# it every number comes from all heads.
#
# ## Project
#
# **One token first.** Two heads with two numbers each, so D = 4. The first number of the result is
# the row times the first column of `w`, plus the first number of `b`:
# 1 · 1 + 0 · 2 + 2 · 0.5 + (-1) · 0 + 0.5 = 2.5.

# %%
toy_row = np.array([1.0, 0.0, 2.0, -1.0])
toy_w = np.array(
    [
        [1.0, 0.0, -1.0, 0.5],
        [2.0, 1.0, 0.0, -0.5],
        [0.5, 0.0, 1.0, 0.0],
        [0.0, -1.0, 0.5, 1.0],
    ]
)
toy_b = np.array([0.5, 0.0, -1.0, 0.0])
toy_result = [sum(toy_row * toy_w[:, column]) + toy_b[column] for column in range(4)]
draw.mixing("it", toy_row, toy_w, toy_b, toy_result, n_head=2)

# %% [markdown]
# ### Exercise 5.1 · project
#
# *3 minutes · easy.* The same for all tokens.
#
# - **In:** `merged` `[..., T, D]`, `w` `[D, D]`, which is [in, out], `b` `[D]`
# - **Out:** `[..., T, D]`


# %% solution="project"
def project(merged, w, b):
    """Project: mix the heads of every token.

    Parameters
    ----------
    merged : ndarray, [..., T, D]
        The results of the heads side by side.
    w : ndarray, [D, D]
        [in, out]: what goes in meets the rows.
    b : ndarray, [D]

    Returns
    -------
    ndarray, [..., T, D]
    """
    ### BEGIN SOLUTION
    return merged @ w + b
    ### END SOLUTION


# %% tests="project"
# Hidden tests run here when your work is graded. They try other sizes, one token, leading axes,
# as many tokens as features (where a wrong axis goes unnoticed), and whole numbers.

# %% [markdown]
# **Why? `05-why-mix`** The picture below shows the pocket model's matrix. Suppose a model had no
# projection and used the merged row as it is. What could its head 0 not do?
#
# - (a) look at other tokens
# - (b) write into the numbers 32 to 127
# - (c) give negative numbers

# %%
answer("05-why-mix", "?")
draw.mixing(tokens[8], merged[8], w, b, project(merged, w, b)[8], n_head)

# %% [markdown]
# ## What each head writes
#
# In the toy, the product can be taken apart. Head 0 fills the first two numbers of the row, so it
# meets the first two rows of `w`. Head 1 meets the other two.

# %%
head_0 = toy_row[:2] @ toy_w[:2]
head_1 = toy_row[2:] @ toy_w[2:]
print(head_0, head_1)
print(head_0 + head_1 + toy_b)
print(np.array(toy_result))

# %% [markdown]
# So a head does not need the others: it writes a row of D numbers, its **contribution**. The
# contributions and the bias add up to the result.
#
# **Predict `05-rows`.** GPT-2 small has 12 heads with 64 numbers each, and `w` has 768 rows. At
# which row do those of the last head, head 11, begin?

# %%
answer("05-rows", ...)

# %% [markdown]
# ### Exercise 5.2 · head_contributions
#
# *8 minutes · medium*
#
# - **In:** `z` `[..., H, T, d]`, the results of the heads before they are merged; `w` `[D, D]`
# - **Out:** `[..., H, T, D]`: what each head writes into each token. Summed over the heads, plus
#   the bias, it equals your `project` of the merged heads.


# %% solution="head_contributions"
def head_contributions(z, w):
    """Take the projection apart: what each head writes into each token.

    Parameters
    ----------
    z : ndarray, [..., H, T, d]
        The results of the heads, not merged.
    w : ndarray, [D, D]
        [in, out], with D = H * d.

    Returns
    -------
    ndarray, [..., H, T, D]
        Without the bias, which belongs to no head.
    """
    ### BEGIN SOLUTION
    n_head, d = z.shape[-3], z.shape[-1]
    blocks = w.reshape(n_head, d, -1)
    return z @ blocks
    ### END SOLUTION


# %% tests="head_contributions"
# Hidden tests run here when your work is graded. They try other sizes, one head, heads of one
# number, one token, leading axes, whole numbers, and heads that are switched off.

# %% [markdown]
# **Why? `05-why-bias`** The contributions hold no bias. Suppose a classmate adds `b` to each of
# the 4 contributions, and then takes their sum. How many times `b` too much is in it?

# %%
answer("05-why-bias", ...)

# %%
written = head_contributions(z, w)
out = project(merged, w, b)
print(np.abs(written.sum(axis=0) + b - out).max())

# %% [markdown]
# (A number as small as 5e-07, or smaller, is rounding.)
#
# In lesson 04 you met the head that looks from "it" to "robot": here it is called the **pronoun
# head**. Next you see what it writes into "it", and what the others write. Guess first: does it
# write more than they do? The **length** of a row (the root of the sum of its squares) says how
# much.
#
# **Predict `05-lengths`.** Add up the lengths of the four contributions and of the bias. How does
# that compare with the length of the result?
#
# - (a) It is always the same.
# - (b) It is as much or more.
# - (c) It is always less.

# %%
answer("05-lengths", "?")

# %%
written, out = head_contributions(z, w), project(merged, w, b)
draw.head_writing(tokens, written, b, out, 8, pronoun_head=sentence.head)

# %% [markdown]
# Every head writes into all 128 numbers, on top of what the others write. Into "it" the pronoun
# head writes most. But a length says only how much, not how important it is: in lesson 07 you
# switch that head off and see what it breaks.
#
# **Optional.** Set the pronoun head's part of a copy of `z` to 0, merge, project, and compare with
# `out - written[sentence.head]`.
#
# ## The whole attention
#
# Now you have every step. A layer's weights come as a dictionary, under the names that Hugging
# Face uses: `c_attn.weight`, `c_attn.bias`, `c_proj.weight`, `c_proj.bias`.

# %%
qkv = {"q": split_heads(q, n_head), "k": split_heads(k, n_head), "v": split_heads(v, n_head)}
shape_flow(
    [
        ("", {"x": x}),
        ("project, split", qkv),
        ("attend", {"z": z}),
        ("merge", {"merged": merged}),
        ("project", {"out": project(merged, w, b)}),
    ]
)

# %% [markdown]
# ### Exercise 5.3 · gpt2_attention
#
# *8 minutes · medium.* Project, split, attend with the cache, merge, project.
#
# - **In:** `x` `[..., T, D]`, the new tokens; `params`, the dictionary; `n_head`; `past`, the
#   cache of all heads, a pair `(k, v)` of `[..., H, past, d]`, or None.
# - **Out:** `(out, present)`: the result `[..., T, D]`, and the cache for the next call, a pair
#   `(k, v)` of `[..., H, past + T, d]`: old and new tokens.


# %% solution="gpt2_attention"
def gpt2_attention(x, params, n_head, past=None):
    """Run the whole attention of one GPT-2 layer, with its cache.

    Parameters
    ----------
    x : ndarray, [..., T, D]
        The new tokens.
    params : dict
        ``c_attn.weight`` [D, 3D], ``c_attn.bias`` [3D], ``c_proj.weight`` [D, D],
        ``c_proj.bias`` [D].
    n_head : int
        The number of heads, H.
    past : (k, v) or None
        Keys and values of old tokens, each [..., H, past, d].

    Returns
    -------
    out : ndarray, [..., T, D]
    present : (k, v)
        Of old and new tokens, each [..., H, past + T, d].
    """
    ### BEGIN SOLUTION
    q, k, v = qkv_projection(x, params["c_attn.weight"], params["c_attn.bias"])
    q, k, v = (split_heads(part, n_head) for part in (q, k, v))
    z, present = attend_with_cache(q, k, v, past)
    out = project(merge_heads(z), params["c_proj.weight"], params["c_proj.bias"])
    return out, present
    ### END SOLUTION


# %% tests="gpt2_attention"
# Hidden tests run here when your work is graded. They try other sizes and numbers of heads, short
# and long pasts, leading axes, very low scores, texts cut in several ways, a past with noise in it
# (the result must change), and changed later tokens (it must not).

# %% [markdown]
# The sentence again, now in two pieces: six tokens, then three.
#
# **Predict `05-past`.** After the second call, how many rows has each head's part of the keys in
# `present`?

# %%
answer("05-past", ...)

# %%
whole, _ = gpt2_attention(x, params, n_head)
first, past = gpt2_attention(x[:6], params, n_head)
second, present = gpt2_attention(x[6:], params, n_head, past)
print(past[0].shape, present[0].shape)
print(np.abs(np.concatenate([first, second]) - whole).max())

# %% [markdown]
# **Why? `05-why-cached-bias`** A classmate keeps keys and values in `present` as they are before
# the bias of `c_attn` is added, and never adds it later. The attention of the call itself uses it.
# When does a result go wrong?
#
# - (a) at once
# - (b) from the second call on
# - (c) never

# %%
answer("05-why-cached-bias", "?")

# %% [markdown]
# **Optional: be the grader.** `wrong_attention` returns the new tokens only. (OpenAI's own code
# does that and joins elsewhere; here it is wrong.) The test below does not notice. Add one
# `assert`, with a third piece or without, that fails for it and holds for yours. The goal is
# `True False`.


# %%
def wrong_attention(x, params, n_head, past=None):
    out, (k, v) = gpt2_attention(x, params, n_head, past)
    n_new = x.shape[-2]
    return out, (k[..., -n_new:, :], v[..., -n_new:, :])


def my_test(attention):
    first, past = attention(x[:6], params, n_head)
    second, past = attention(x[6:8], params, n_head, past)
    assert np.allclose(np.concatenate([first, second]), whole[:8], atol=1e-4)


def rejects(test, function):
    try:
        test(function)
    except AssertionError:
        return True
    return False


print(rejects(my_test, wrong_attention), rejects(my_test, gpt2_attention))

# %% [markdown]
# ## What it costs
#
# All that this attention has learned is in two matrices and two biases.
#
# **Predict `05-parameters`.** How many numbers are that in one layer of GPT-2 small, with
# D = 768? (Use Python to multiply.)

# %%
answer("05-parameters", ...)

# %%
for name, array in params.items():
    print(name, array.shape, array.size)
print(sum(array.size for array in params.values()))

# %% [markdown]
# These are the pocket model's. In the 12 layers of GPT-2 small, attention holds 28,348,416
# of 124,439,808 parameters: less than a quarter.
#
# ## Before and after
#
# In the article the result goes straight to the next network. In GPT-2 there is more:
#
# - Before: what enters a layer is first normalised, by ln_1. That is your `x`.
# - After: the result is **added** to what entered the layer, before ln_1. The sum is normalised by
#   ln_2 and goes through a network of two more matrices, the MLP, whose result is added in turn.
#
# You build ln_1, ln_2 and the MLP in lesson 06.
#
# **Predict `05-nothing-written`.** Suppose a layer's heads and biases write only zeros. What does
# its attention part pass on?
#
# - (a) zeros
# - (b) what entered the layer, unchanged
# - (c) the mean of all tokens

# %%
answer("05-nothing-written", "?")

# %% [markdown]
# So "it" stays "it", and the heads write on top of it, for instance what they found at "robot".
#
# ## Take away
#
# - Merged heads lie side by side; `c_proj` mixes them.
# - Each head writes a row of D numbers of its own, and these rows and one bias add up to the
#   result.
# - `gpt2_attention` is the whole of it: project, split, attend, merge, project, with `present` as
#   the next call's past.
#
# **Recall `05-recall-values`** (lesson 01). What do the weights blend?
#
# - (a) the embeddings of the tokens
# - (b) their keys
# - (c) their values
#
# **Recall `05-recall-reshape`** (lesson 04). Heads are split with a reshape alone. For how many
# tokens does that give the right heads?

# %%
answer("05-recall-values", "?")

# %%
answer("05-recall-reshape", ...)

# %%
progress()

# %% [markdown]
# **Hand in.** **Restart Kernel and Run All Cells** goes to the last cell, also where a check fails.
# Look at the cards, save, and press **Submit** in the **Assignment List**; lesson 00 has the steps.
# Exercises may stay open, each counts by itself. Hidden tests run when the work is graded.
#
# **Next:** [06 · The block](../06_block/06_block.ipynb).
