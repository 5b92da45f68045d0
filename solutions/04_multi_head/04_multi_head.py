# %% [markdown]
# # 04 · Several heads
#
# **Goal:** make queries, keys and values with one product, **split** them into heads, let every
# head attend, and **merge** the results: **Project · Split · Attend · Merge**.
#
# **You will be able to** cut queries, keys and values into heads and put the heads together again,
# without mixing tokens.
#
# **Time:** 55 minutes. **You need:** lessons 00 to 03.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*

# %%
import numpy as np

from illustrated_attention import answer, bring_along, check, hint, progress
from illustrated_attention.figures import multi_head as draw
from illustrated_attention.figures.heads import attention_maps
from illustrated_attention.figures.key import colour_key
from illustrated_attention.figures.orientation import token_positions
from illustrated_attention.gpt2_files import load_pocket, robot_sentence
from illustrated_attention.widgets.explorer import explore

np.set_printoptions(precision=3, suppress=True)
colour_key(["vectors", "weights", "hidden", "query"])

# %% [markdown]
# **What you built so far.** The next cell, folded up, holds the course's version of the functions that
# you need from earlier lessons. The one after it puts **yours** in their place, where they pass their
# check.

# %% built_so_far=["scaled_scores", "softmax", "weighted_sum", "causal_mask", "masked_softmax", "causal_attention"]
# Filled by the build.

# %%
bring_along()

# %% [markdown]
# ## Why several heads?
#
# **Predict `04-two-places`.** "it" wants to look at "robot" with a weight of 90 %, to know what it
# stands for, and at "given" with 90 %, to know what happens. Can one row of weights do that?
#
# - (a) Yes, if both scores are high enough.
# - (b) Yes, without the mask.
# - (c) No.

# %%
answer("04-two-places", "?")

# %% [markdown]
# So GPT-2 runs several attentions side by side: **multi-head attention**. Each is a **head**, with
# queries, keys and values of its own, but smaller ones.
#
# From here on you work with real weights. The **pocket model** is a small GPT-2 that was trained
# for this course on short stories: D = 128 features and 4 heads in each layer. (GPT-2 small has 768
# and 12.) `x` is what enters the attention of one layer: not the embeddings themselves but
# normalised vectors, a step you will write in lesson 06.

# %%
pocket = load_pocket()
sentence = robot_sentence()
tokens, x = sentence.tokens, sentence.normed
w = pocket.params[f"h.{sentence.layer}.attn.c_attn.weight"]
b = pocket.params[f"h.{sentence.layer}.attn.c_attn.bias"]
n_head = pocket.config["n_head"]
print(x.shape, w.shape, b.shape, n_head)
token_positions(tokens)

# %% [markdown]
# ## Project
#
# In lesson 01 you had three matrices. GPT-2 puts them side by side into one, called `c_attn`, and
# adds a **bias**: one learned number for each column. (The article draws the matrix and has the
# bias only in a caption.) The columns are Q, then K, then V.
#
# **One token first.** "it" has index 8; the article counts it as number 9. (The start token,
# `<|endoftext|>`, has index 0.) Its row of `x` has 128 numbers.
#
# **Predict `04-width`.** How many numbers does `x[8] @ w + b` have?

# %%
answer("04-width", ...)

# %%
row = x[8] @ w + b
draw.qkv_slices(row, tokens[8])

# %% [markdown]
# The cuts are at D and 2D. In GPT-2 small the row has 2304 numbers, with cuts at 768 and 1536.
#
# ### Exercise 4.1 · qkv_projection
#
# *5 minutes · easy.* The same for all tokens.
#
# - **In:** `x` `[..., T, D]`, `w` `[D, 3D]`, `b` `[3D]`
# - **Out:** `(q, k, v)`, each `[..., T, D]`


# %% solution="qkv_projection"
def qkv_projection(x, w, b):
    """Project: make the queries, keys and values of all tokens with one product.

    Parameters
    ----------
    x : ndarray, [..., T, D]
    w : ndarray, [D, 3D]
        The columns of the queries first, then those of the keys, then those of the values.
    b : ndarray, [3D]
        The bias: a number for each column of w.

    Returns
    -------
    q, k, v : ndarray, [..., T, D]
    """
    ### BEGIN SOLUTION
    q, k, v = np.split(x @ w + b, 3, axis=-1)
    return q, k, v
    ### END SOLUTION


# %% tests="qkv_projection"
# Hidden tests run here when your work is graded. They try other sizes, one token, leading axes,
# whole numbers, and each of the three parts by itself.

# %% [markdown]
# **Why? `04-why-key-bias`** The next cell adds one and the same vector to all keys, as another
# bias would, and prints how much the weights change at most. Then it does so with the queries.
# What do you expect for the keys?
#
# - (a) All weights become larger.
# - (b) The weights move towards the last token.
# - (c) Nothing changes.

# %%
answer("04-why-key-bias", "?")

# %%
q, k, v = qkv_projection(x, w, b)
some_bias = np.linspace(-1, 1, 128)
as_it_is = causal_attention(q, k, v)[1]
print("keys:   ", np.abs(causal_attention(q, k + some_bias, v)[1] - as_it_is).max().round(4))
print("queries:", np.abs(causal_attention(q + some_bias, k, v)[1] - as_it_is).max().round(4))

# %% [markdown]
# So a forgotten bias of the keys never shows in the result. A test must look at the keys
# themselves, and `check` does.
#
# ## Split
#
# Each head gets its own part of the features. To see where numbers go, take numbered cells: four
# tokens, 6 features, 2 heads of d = 3.
#
# **One token first.** The row of "must" is 6 to 11. Head 0 gets 6, 7, 8, head 1 gets 9, 10, 11.
# For one token that is just another shape of the same six numbers:

# %%
words = ["robot", "must", "obey", "orders"]
numbers = np.arange(24).reshape(4, 6)
print(numbers)
print(numbers[1].reshape(2, 3))

# %% [markdown]
# The article says that splitting is simply reshaping, and it follows one token. Check that for a
# sentence: two heads, four tokens, three features, so `numbers.reshape(2, 4, 3)`.
#
# **Predict `04-reshape`.** Which numbers are in head 0 for "must", that is, in
# `numbers.reshape(2, 4, 3)[0, 1]`?
#
# - (a) 6, 7, 8
# - (b) 3, 4, 5
# - (c) 12, 13, 14

# %%
answer("04-reshape", "?")

# %%
slices = np.stack([numbers[:, :3], numbers[:, 3:]])
reshaped = numbers.reshape(2, 4, 3)
draw.index_map(words, numbers, {"slices of features": slices, "reshape(2, 4, 3)": reshaped})

# %% [markdown]
# A reshape never moves a number: it reads row after row and only breaks the lines elsewhere. The
# shape is right, and no error warns you. "Simply reshaping" is true for one token only. For a
# sentence you also have to swap two axes.
#
# ### Exercise 4.2 · split_heads
#
# *8 minutes · medium*
#
# - **In:** `x` `[..., T, D]`, `n_head`
# - **Out:** `[..., H, T, d]` with d = D / H. Head h holds the features from h·d to (h+1)·d - 1 of
#   every token.
# - **Refuse:** if D cannot be shared out evenly, raise a `ValueError` that says so.


# %% solution="split_heads"
def split_heads(x, n_head):
    """Split: share out the features of every token among the heads.

    Parameters
    ----------
    x : ndarray, [..., T, D]
    n_head : int
        The number of heads, H.

    Returns
    -------
    ndarray, [..., H, T, d]
        d = D / H; head h holds the features h*d to (h+1)*d - 1.

    Raises
    ------
    ValueError
        If D is not a multiple of H.
    """
    ### BEGIN SOLUTION
    *leading, n_tokens, width = x.shape
    if width % n_head:
        raise ValueError(f"{width} features cannot be shared out evenly among {n_head} heads")
    return x.reshape(*leading, n_tokens, n_head, width // n_head).swapaxes(-2, -3)
    ### END SOLUTION


# %% tests="split_heads"
# Hidden tests run here when your work is graded. They try other sizes, none to two leading axes,
# one token, heads of one number, and widths that cannot be shared out.

# %% [markdown]
# **Why? `04-why-features`** The next cell splits the queries of the pocket model. What does one of
# its heads see?
#
# - (a) all 9 tokens, and 32 features of each
# - (b) a quarter of the tokens, with all their features
# - (c) all tokens and all features

# %%
answer("04-why-features", "?")
q, k, v = qkv_projection(x, w, b)
split_heads(q, n_head).shape

# %% [markdown]
# ## Merge
#
# After attention every head has a result `z` for every token. They are put side by side: with 3
# heads of 6 numbers, a token gets a row of 18.
#
# **Predict `04-merge`.** In the pocket model each head gives 32 numbers a token. At which index of
# the merged row does head 2 begin? (The heads count from 0.)

# %%
answer("04-merge", ...)

# %% [markdown]
# ### Exercise 4.3 · merge_heads
#
# *5 minutes · medium.* The way back from `split_heads`.
#
# - **In:** `x` `[..., H, T, d]`. **Out:** `[..., T, H·d]`


# %% solution="merge_heads"
def merge_heads(x):
    """Merge: put the heads of every token side by side.

    Parameters
    ----------
    x : ndarray, [..., H, T, d]

    Returns
    -------
    ndarray, [..., T, H*d]
    """
    ### BEGIN SOLUTION
    *leading, n_head, n_tokens, d = x.shape
    return x.swapaxes(-2, -3).reshape(*leading, n_tokens, n_head * d)
    ### END SOLUTION


# %% tests="merge_heads"
# Hidden tests run here when your work is graded. They try other sizes, none to two leading axes,
# one token, and shuffled tokens.

# %% [markdown]
# ## A bug that makes no noise
#
# A classmate writes both functions with a reshape alone, and tests them: split, merge, compare
# with the beginning.
#
# **Predict `04-undo`.** What does the test say?
#
# - (a) It passes.
# - (b) It fails for more than one token.
# - (c) NumPy raises an error.

# %%
answer("04-undo", "?")


# %%
def reshaped_split(x, n_head):
    return x.reshape(n_head, x.shape[0], x.shape[1] // n_head)


def reshaped_merge(x):
    return x.reshape(x.shape[1], x.shape[0] * x.shape[2])


print((reshaped_merge(reshaped_split(numbers, 2)) == numbers).all())

# %% [markdown]
# Two wrongs undo each other. In between, attention runs on mixed heads: look at the lower half of
# the picture above. Head 1 holds "obey" and "orders" only, so in it "orders" can never see
# "robot". No error says so. The bug has been found in several public programs.
#
# **Optional: be the grader.** Add one `assert` to `my_test` that fails for `reshaped_split` and
# holds for your `split_heads`. The goal is `True False`.


# %%
def my_test(split):
    heads = split(numbers, 2)
    assert heads.shape == (2, 4, 3)


def rejects(test, function):
    try:
        test(function)
    except AssertionError:
        return True
    return False


print(rejects(my_test, reshaped_split), rejects(my_test, split_heads))

# %% [markdown]
# ## All heads at once
#
# Your `causal_attention` of lesson 02 takes any leading axes, and the heads are one more of them.
# So no loop is needed.
#
# ### Exercise 4.4 · multi_head_attention
#
# *5 minutes · easy.* Split, attend with the causal mask, merge.
#
# - **In:** `q`, `k`, `v` `[..., T, D]`, `n_head`
# - **Out:** `(merged, weights)`: `[..., T, D]`, and the weights of every head `[..., H, T, T]`


# %% solution="multi_head_attention"
def multi_head_attention(q, k, v, n_head):
    """Let every head attend, each with its own part of the features, and merge the results.

    Parameters
    ----------
    q, k, v : ndarray, [..., T, D]
    n_head : int
        The number of heads, H.

    Returns
    -------
    merged : ndarray, [..., T, D]
    weights : ndarray, [..., H, T, T]
        Of every head; a token sees itself and those before it.
    """
    ### BEGIN SOLUTION
    q, k, v = (split_heads(part, n_head) for part in (q, k, v))
    z, weights = causal_attention(q, k, v)
    return merge_heads(z), weights
    ### END SOLUTION


# %% tests="multi_head_attention"
# Hidden tests run here when your work is graded. They try other sizes and numbers of heads, one
# token, leading axes, very low scores, and each head by itself.

# %% [markdown]
# **Why? `04-why-scale`** GPT-2 small has D = 768 and 12 heads. By which number does each of
# its heads divide the scores?

# %%
answer("04-why-scale", ...)
q, k, v = qkv_projection(x, w, b)
merged, weights = multi_head_attention(q, k, v, n_head)
z = split_heads(merged, n_head)
draw.shape_flow(
    [
        ("", {"x": x}),
        ("project", {"q": q, "k": k, "v": v}),
        ("split", {"q": split_heads(q, 4), "k": split_heads(k, 4), "v": split_heads(v, 4)}),
        ("attend", {"weights": weights, "z": z}),
        ("merge", {"merged": merged}),
    ]
)

# %% [markdown]
# ## Where the heads look
#
# These are your own weights, of a trained model. When the pocket model was recorded, its weights
# were saved; the next cell compares yours with them.
#
# **Predict `04-compete`.** Take the column "robot" in the row of "it", and add it up over the 4
# heads. What can come out?
#
# - (a) Exactly 1.
# - (b) At most 1.
# - (c) Anything from 0 to 4.

# %%
answer("04-compete", "?")

# %%
merged, weights = multi_head_attention(*qkv_projection(x, w, b), n_head)
print(np.allclose(weights, sentence.all_weights[sentence.layer], atol=1e-4))
attention_maps(tokens, weights)

# %% [markdown]
# **Try:** go through the heads for the query "it". Which one tells the model what "it" stands for?
# Then choose other queries, and say in your own words what each head looks at.

# %%
mine = [scaled_scores, causal_mask, masked_softmax, weighted_sum]
q, k, v = (split_heads(part, n_head) for part in qkv_projection(x, w, b))
explore(*mine, tokens=tokens, q=q, k=k, v=v, query=8)

# %% [markdown]
# The rows of "it" in all four heads, one under the other:

# %%
merged, weights = multi_head_attention(*qkv_projection(x, w, b), n_head)
draw.head_rows(tokens, weights, query=8)

# %% [markdown]
# With its row of weights each head blends its own part of the values. That gives four results of
# 32 numbers. Merged, they are 128 numbers for "it". Lesson 05 goes on from them.

# %%
merged, weights = multi_head_attention(*qkv_projection(x, w, b), n_head)
z = split_heads(merged, n_head)
draw.head_results(tokens, z, query=8)

# %%
merged, weights = multi_head_attention(*qkv_projection(x, w, b), n_head)
z = split_heads(merged, n_head)
draw.concatenation(tokens, z, merged, query=8)

# %% [markdown]
# ## What do heads cost?
#
# `c_attn` of this layer holds 128 · 384 weights and 384 biases: 49,536 numbers for 4 heads.
#
# **Predict `04-parameters`.** How many would it hold for 8 heads?

# %%
answer("04-parameters", ...)

# %%
q, k, v = qkv_projection(x, w, b)
print(w.size + b.size)
for heads in (1, 2, 4, 8):
    print(heads, split_heads(q, heads).shape, split_heads(q, heads).size)

# %% [markdown]
# **Optional.** `attention_maps(tokens, sentence.all_weights)` draws all 16 heads of the model. In
# which of them does "it" give most of its weight to the start token? (In the true GPT-2 many heads
# do so.)

# %% [markdown]
# ## Take away
#
# - One product with bias gives q, k and v; heads share out the features, not the tokens, and cost
#   no extra numbers.
# - Split is reshape and swap, merge is swap and reshape. A reshape alone mixes tokens without an
#   error.
# - Each head has weights of its own, and their results lie side by side.
#
# **Recall `04-recall-mask`** (lesson 02). How is a later token hidden?
#
# - (a) Its score is set to 0 before softmax.
# - (b) Its score is set to minus infinity before softmax.
# - (c) Its weight is set to 0 after softmax.
#
# **Recall `04-recall-cache`** (lesson 03). What does GPT-2 keep of a token for the steps to come?
#
# - (a) its query, key and value
# - (b) its key and its value
# - (c) its weights

# %%
answer("04-recall-mask", "?")
answer("04-recall-cache", "?")

# %%
progress()

# %% [markdown]
# **Hand in.** **Restart Kernel and Run All Cells** goes to the last cell, also where a check fails.
# Look at the cards, save, and press **Submit** in the **Assignment List**; lesson 00 has the steps.
# Exercises may stay open, each counts by itself. Hidden tests run when the work is graded.
#
# **Next:** [05 · The projection](../05_projection/05_projection.ipynb).
