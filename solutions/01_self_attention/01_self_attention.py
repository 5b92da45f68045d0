# %% [markdown]
# # 01 · Self-attention
#
# **Goal:** write self-attention, the step by which a token takes in what it needs from the other
# tokens: **Project · Score · Scale · Softmax · Sum**.
#
# **You will be able to** compute by hand what one token takes from another, and for a whole sentence
# in NumPy.
#
# **Time:** 60 minutes. **You need:** lesson 00.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*

# %%
import numpy as np

from illustrated_attention import answer, check, hint, progress
from illustrated_attention.figures import self_attention as draw
from illustrated_attention.figures.key import colour_key
from illustrated_attention.gpt2_files import robot_sentence
from illustrated_attention.widgets.explorer import explore

np.set_printoptions(precision=3, suppress=True)
colour_key(["numbers", "weights", "query"])

# %% [markdown]
# ## Where does "it" look?
#
# *A robot must obey the orders given it …* (Isaac Asimov, Second Law of Robotics)
#
# To go on after "it", a model should find out what "it" stands for.
#
# **Predict `01-it`.** Which token helps most?
#
# - (a) "orders"
# - (b) "given"
# - (c) "robot"
# - (d) "it" itself

# %%
answer("01-it", "?")

# %%
recorded = robot_sentence()
last = len(recorded.tokens) - 1
draw.attention_row(recorded.tokens, recorded.weights, query=last)

# %% [markdown]
# These bars were recorded in one part, a **head**, of a small GPT-2 that was trained for this
# course. The first is the start token. Every token has a share, "it" itself included. The shares
# are called **weights**, and they always sum to 1. (Printed numbers are rounded, so they may miss it
# by a little; the article's drawings add up to 99.13 % and to 1.0013.)
#
# At the end of this lesson your own functions will compute this row. You build them on a toy with
# numbers small enough to follow by hand: the four rows that `embed` made in lesson 00.

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
# ## Project
#
# Each token plays three parts. Its **query** says what it looks for, its **key** says what it can
# be found by, its **value** is what it gives. Each is the token's row of `x` times a matrix.
# GPT-2 learns these matrices; ours are made up. (It also normalises `x` first and adds a bias:
# lessons 06 and 04.)
#
# **One token first.** "obey" is row 2, `[2, 0, 0, -1]`. So its query is 2 times row 0 of `w_q`,
# minus row 3:
#
# 2 · `[0.5, 0.5, 0.0]` - `[0.0, 0.5, 0.5]` = `[1.0, 0.5, -0.5]`
#
# The next cell prints query, key and value of "obey".

# %%
print(x[2] @ w_q)
print(x[2] @ w_k)
print(x[2] @ w_v)

# %% [markdown]
# ### Exercise 1.1 · make_qkv
#
# *3 minutes · easy.* Do the same for all tokens at once.
#
# - **In:** `x` `[..., T, D]`, `w_q` and `w_k` `[D, d]`, `w_v` `[D, dv]`. The toy has T = 4, D = 4,
#   d = dv = 3.
# - **Out:** `(q, k, v)`: `[..., T, d]`, `[..., T, d]`, `[..., T, dv]`


# %% solution="make_qkv"
def make_qkv(x, w_q, w_k, w_v):
    """Project: make the queries, keys and values of all tokens.

    Parameters
    ----------
    x : ndarray, [..., T, D]
    w_q, w_k : ndarray, [D, d]
    w_v : ndarray, [D, dv]

    Returns
    -------
    q, k : ndarray, [..., T, d]
    v : ndarray, [..., T, dv]
    """
    ### BEGIN SOLUTION
    return x @ w_q, x @ w_k, x @ w_v
    ### END SOLUTION


# %% tests="make_qkv"
# Hidden tests run here when your work is graded. They try other sizes, square matrices (where a
# transpose goes unnoticed), several leading axes, and whether the arguments stay as they were.

# %% [markdown]
# The next cell draws your three products.
#
# **Why? `01-why-three`** Next, queries meet keys: the better they fit, the higher the score. What
# would go wrong if one matrix made both? Run the cell, look, and put your letter in.
#
# - (a) The shapes would not fit.
# - (b) All scores would be equal.
# - (c) A token could not look at itself.
# - (d) "obey" would score "orders" exactly as "orders" scores "obey".

# %%
answer("01-why-three", "?")
q, k, v = make_qkv(x, w_q, w_k, w_v)
draw.projections(x, w_q, w_k, w_v, q, k, v, tokens)

# %% [markdown]
# ## Score and scale
#
# How well does a query fit a key? Multiply number by number and add up: the **dot product**.
# "obey" asks, "orders" answers:
#
# `[1.0, 0.5, -0.5]` · `[1.0, 1.5, -0.5]` = 1.0 + 0.75 + 0.25 = 2.0
#
# Then **scale**: divide by the square root of d, the size of a query: how many numbers it has.
# You will see why below. (The article leaves this step out; GPT-2 does it.)
#
# d is 3 and its root is 1.732, so the scaled score is 1.15.

# %%
query = x[2] @ w_q
for token, row in zip(tokens, x):
    key = row @ w_k
    print(token, query @ key, round(query @ key / np.sqrt(3), 3))

# %% [markdown]
# ### Exercise 1.2 · scaled_scores
#
# *7 minutes · medium.* Let every query meet every key. NumPy can do it in one expression; a loop
# counts as well.
#
# - **In:** `q` `[..., Tq, d]`, `k` `[..., Tk, d]`. There may be more keys than queries.
# - **Out:** `[..., Tq, Tk]`: a row for each query, a column for each key.


# %% solution="scaled_scores"
def scaled_scores(q, k):
    """Score and scale: how well each query fits each key.

    Parameters
    ----------
    q : ndarray, [..., Tq, d]
    k : ndarray, [..., Tk, d]

    Returns
    -------
    ndarray, [..., Tq, Tk]
        Dot products divided by the square root of d.
    """
    ### BEGIN SOLUTION
    d = q.shape[-1]
    return q @ np.swapaxes(k, -1, -2) / d**0.5
    ### END SOLUTION


# %% tests="scaled_scores"
# Hidden tests run here when your work is graded. They try more keys than queries, queries of
# other sizes, leading axes, and whole numbers.

# %% [markdown]
# The numbers of "obey" from the loop are now row 2 of a table. Run the next cell and find them.
#
# **Why? `01-why-row`** What does `scores[3, 0]` tell?
#
# - (a) how well the query of "orders" fits the key of "robot"
# - (b) how well the query of "robot" fits the key of "orders"
# - (c) both: the table is symmetric

# %%
answer("01-why-row", "?")
q, k, v = make_qkv(x, w_q, w_k, w_v)
scores = scaled_scores(q, k)
scores

# %% [markdown]
# ## Softmax
#
# Scores become weights in three moves. For "obey":
#
# 1. `exp` of each score -0.72, -0.14, 0.29, 1.15 gives 0.49, 0.87, 1.33, 3.17: never negative, and
#    the order stays.
# 2. Their sum is 5.86.
# 3. Divide each by the sum: "orders" gets 3.17 / 5.86 = 54 %.
#
# **Predict `01-weight`.** Which weight does "robot" get? Answer as a number between 0 and 1.

# %%
answer("01-weight", ...)

# %%
scores_of_obey = np.array([-1.25, -0.25, 0.5, 2.0]) / np.sqrt(3)
exp = np.exp(scores_of_obey)
weights_of_obey = exp / exp.sum()
print(exp, exp.sum())
print(weights_of_obey)

# %% [markdown]
# A negative score, yet 8 %: exp makes every finite score positive. (Where a score lies hundreds below
# the others, the computer rounds its weight to 0.)
#
# **Predict `01-shift`.** Subtract 2 from every score of a row. What happens to its weights?
#
# - (a) All become smaller.
# - (b) Nothing.
# - (c) The largest grows, the others shrink.

# %%
answer("01-shift", "?")

# %%
exp = np.exp(scores_of_obey - 2)
print(exp / exp.sum())

# %% [markdown]
# ### Exercise 1.3 · softmax
#
# *8 minutes · medium*
#
# - **In:** `scores` `[..., Tk]`. **Out:** the same shape; along the last axis the weights sum to 1.
# - `np.exp(1000)` is too large for a float, but scores of 1000 must work. Which shift helps?
# - A score of -inf gives the weight 0. Lesson 02 needs it.


# %% solution="softmax"
def softmax(scores):
    """Softmax: turn scores into weights along the last axis.

    Parameters
    ----------
    scores : ndarray, [..., Tk]

    Returns
    -------
    ndarray, [..., Tk]
        Weights from 0 to 1; they sum to 1 along the last axis.
    """
    ### BEGIN SOLUTION
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)
    ### END SOLUTION


# %% tests="softmax"
# Hidden tests run here when your work is graded. They try other sizes, one to four axes, very
# large and very small scores, minus infinity, whole numbers, and shifted rows.

# %% [markdown]
# The next cell draws row 2 before and after your softmax.
#
# **Why? `01-why-exp`** Why not leave `exp` out, and divide each score by the sum of the scores?
#
# - (a) Large scores would get too little.
# - (b) The shape would change.
# - (c) Scores can be negative: so would weights be, and the sum could be 0.
# - (d) It would take longer.

# %%
answer("01-why-exp", "?")
q, k, v = make_qkv(x, w_q, w_k, w_v)
scores = scaled_scores(q, k)
weights = softmax(scores)
draw.scores_and_weights(tokens, scores, weights, query=2)

# %% [markdown]
# **Optional: be the grader.** `wrong_softmax` makes a common mistake. Add one `assert` to
# `my_test` that fails for it and holds for your `softmax`. The goal is `True False`: the wrong
# one is rejected, yours is not.


# %%
def wrong_softmax(scores):
    positive = np.exp(scores - scores.max())
    return positive / positive.sum(axis=0)


def my_test(function):
    some_scores = np.array([[0.0, 1.0, 2.0], [3.0, 1.0, 1.0]])
    some_weights = function(some_scores)
    assert some_weights.shape == some_scores.shape


def rejects(test, function):
    try:
        test(function)
    except AssertionError:
        return True
    return False


print(rejects(my_test, wrong_softmax), rejects(my_test, softmax))

# %% [markdown]
# ## Why scale?
#
# A dot product has d terms. Random terms add up and cancel, so they do not spread d times as far.
# How far? Here are 500 products of random queries and keys, for each d:

# %%
random = np.random.default_rng(0)
print("  d   spread   root of d")
for d in [4, 16, 64, 256]:
    products = (random.standard_normal((500, d)) * random.standard_normal((500, d))).sum(axis=-1)
    print(f"{d:3}   {products.std():6.2f}   {np.sqrt(d):9.2f}")

# %% [markdown]
# They spread as far as the **root** of d. Divided by it, scores spread about as far as 1, whatever d
# is.
#
# And without? Take random queries and 9 random keys with d = 64, as in GPT-2, and look at the largest
# of the 9 weights. Equal shares would be 11 % each.
#
# **Predict `01-saturation`.** How large is it on average, without scaling?
#
# - (a) about 11 %
# - (b) about 33 %
# - (c) about 60 %
# - (d) over 80 %

# %%
answer("01-saturation", "?")

# %%
random = np.random.default_rng(1)
dims = [2, 8, 32, 64, 128, 512]
unscaled, scaled = [], []
for d in dims:
    some_q = random.standard_normal((60, 1, d))
    some_k = random.standard_normal((60, 9, d))
    some_scores = scaled_scores(some_q, some_k)
    scaled.append(softmax(some_scores).max(axis=-1).mean())
    unscaled.append(softmax(some_scores * np.sqrt(d)).max(axis=-1).mean())
draw.saturation(dims, unscaled, scaled)

# %% [markdown]
# Softmax **saturates**: one key takes nearly all.
#
# **Why? `01-why-scale`** Why is that bad for a model that has to learn?
#
# - (a) Small changes of the scores hardly change the weights, so there is little to learn from.
# - (b) The weights no longer sum to 1.
# - (c) `exp` overflows at d = 64.
# - (d) The scores get too small.

# %%
answer("01-why-scale", "?")

# %% [markdown]
# How strongly does a weight follow its own score? Its **gradient** says it: raise the score a
# little, and the weight grows by w · (1 - w) times as much. A weight of 0.5 has 0.25, the most there
# is. From this number a model learns.
#
# In the **explorer** below you choose the divisor, for any query. Each control takes the mouse, or
# Tab and the arrow keys; what you point at, or choose as the key, is lit everywhere.

# %%
explore(scaled_scores, softmax, tokens=tokens, q=q, k=k, query=2)

# %% [markdown]
# **Try:** make the divisor smaller and smaller. What becomes of the gradient of "orders", and what is
# left of all four in the end? Then make the divisor as large as it goes: what becomes of the weights?

# %% [markdown]
# ## Sum
#
# "obey" now takes its share of every value. The first numbers of the four values are -0.5, -0.5,
# 3 and 0; the weights are 0.083, 0.148, 0.228 and 0.542:
#
# 0.083 · (-0.5) + 0.148 · (-0.5) + 0.228 · 3 + 0.542 · 0 = 0.57

# %%
out_of_obey = np.zeros(3)
for weight, row in zip(weights_of_obey, x):
    value = row @ w_v
    out_of_obey = out_of_obey + weight * value
out_of_obey

# %% [markdown]
# ### Exercise 1.4 · weighted_sum
#
# *3 minutes · easy.* The same for all queries. Again one expression is enough, and a loop counts
# as well.
#
# - **In:** `weights` `[..., Tq, Tk]`, `v` `[..., Tk, dv]`. Use the weights as they are given.
# - **Out:** `[..., Tq, dv]`


# %% solution="weighted_sum"
def weighted_sum(weights, v):
    """Sum: for each query, add up the values, each times its weight.

    Parameters
    ----------
    weights : ndarray, [..., Tq, Tk]
    v : ndarray, [..., Tk, dv]

    Returns
    -------
    ndarray, [..., Tq, dv]
    """
    ### BEGIN SOLUTION
    return weights @ v
    ### END SOLUTION


# %% tests="weighted_sum"
# Hidden tests run here when your work is graded. They try as many queries as keys (where a
# transpose goes unnoticed), weights that do not sum to 1, leading axes, and whole numbers.

# %% [markdown]
# The next cell prints row 2 of your result and draws the sum behind it.
#
# **Why? `01-why-blend`** The first numbers of the values go from -0.5 to 3. Can a weighted sum
# have 4 as its first number, if its weights come from softmax?
#
# - (a) Yes, if the scores are large enough.
# - (b) Yes, if there are more tokens.
# - (c) No: the weights are not negative and sum to 1.

# %%
answer("01-why-blend", "?")
q, k, v = make_qkv(x, w_q, w_k, w_v)
weights = softmax(scaled_scores(q, k))
out = weighted_sum(weights, v)
print(out[2])
draw.weighted_values(tokens, weights, v, query=2)

# %% [markdown]
# ## All together
#
# ### Exercise 1.5 · self_attention
#
# *4 minutes · easy.* Put your four functions together.
#
# - **In:** as for `make_qkv`. **Out:** `(out, weights)`: `[..., T, dv]` and `[..., T, T]`


# %% solution="self_attention"
def self_attention(x, w_q, w_k, w_v):
    """Let every token take in what it needs from all tokens.

    Parameters
    ----------
    x : ndarray, [..., T, D]
    w_q, w_k : ndarray, [D, d]
    w_v : ndarray, [D, dv]

    Returns
    -------
    out : ndarray, [..., T, dv]
    weights : ndarray, [..., T, T]
    """
    ### BEGIN SOLUTION
    q, k, v = make_qkv(x, w_q, w_k, w_v)
    weights = softmax(scaled_scores(q, k))
    return weighted_sum(weights, v), weights
    ### END SOLUTION


# %% tests="self_attention"
# Hidden tests run here when your work is graded. They try other sizes, square matrices, leading
# axes, very large scores, and tokens in another order.

# %%
q, k, v = make_qkv(x, w_q, w_k, w_v)
out, weights = self_attention(x, w_q, w_k, w_v)
draw.pipeline(x, q, k, v, weights, out, tokens)

# %% [markdown]
# **Predict `01-order`.** `x[::-1]` is the sentence backwards: "orders obey must robot", with the
# same four vectors. What happens to the rows of `out`?
#
# - (a) The same rows, backwards.
# - (b) All numbers change.
# - (c) Nothing: same rows, same order.

# %%
answer("01-order", "?")

# %%
out = self_attention(x, w_q, w_k, w_v)[0]
backwards = self_attention(x[::-1], w_q, w_k, w_v)[0]
print(out)
print(backwards)

# %% [markdown]
# Attention by itself knows no order. That is why `embed` adds positions.
#
# The explorer once more, now with all your functions. **Try:** type another query for "obey", three
# numbers and Enter, so that "robot" gets most of its weight. Then type another *key*: whose rows
# change, only that of "obey"?

# %%
explore(scaled_scores, softmax, weighted_sum, tokens=tokens, q=q, k=k, v=v, query=2)

# %% [markdown]
# ## The real row of "it"
#
# `recorded` also holds the queries and keys from which the model made the picture at the top.
# GPT-2 hides later tokens with a mask (lesson 02). "it" is the last token, so nothing is hidden
# from it: its row is the same with a mask or without.

# %%
real_scores = scaled_scores(recorded.q, recorded.k)
real_weights = softmax(real_scores)
print(recorded.q.shape, recorded.k.shape, real_weights.shape)
print(np.abs(real_weights[last] - recorded.weights[last]).max().round(4))
draw.attention_row(recorded.tokens, real_weights, query=last)

# %% [markdown]
# ## Take away
#
# - Project, Score, Scale, Softmax, Sum: a token's output is a blend of all values, by how well its
#   query fits their keys.
# - Dividing by the square root of d keeps softmax from saturating.
# - Rows are queries, columns are keys, and each row of weights sums to 1.
#
# **Recall `01-recall-position`** (lesson 00). The first token of a sentence gets which row of
# `wpe`? Answer with its index.

# %%
answer("01-recall-position", ...)

# %%
progress()

# %% [markdown]
# **Hand in.** **Restart Kernel and Run All Cells** goes to the last cell, also where a check fails.
# Look at the cards, save, and press **Submit** in the **Assignment List**; lesson 00 has the steps.
# Exercises may stay open, each counts by itself. Hidden tests run when the work is graded.
#
# **Next:** [02 · Masked attention](../02_masked_attention/02_masked_attention.ipynb).
