# %% [markdown]
# # 02 · Masked attention
#
# **Goal:** hide the future from every token, as GPT-2 does:
# **Project · Score · Scale · Mask · Softmax · Sum**. And write a test that finds leaks.
#
# **You will be able to** hide the future in a table of scores, and test any attention for leaks.
#
# **Time:** 60 minutes. **You need:** lesson 01.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*

# %%
import numpy as np

from illustrated_attention import answer, attentions, bring_along, check, hint, progress
from illustrated_attention.figures import masked_attention as draw
from illustrated_attention.figures.key import colour_key
from illustrated_attention.widgets.explorer import explore

np.set_printoptions(precision=3, suppress=True)
colour_key(["numbers", "weights", "hidden", "query"])

# %% [markdown]
# **What you built so far.** The next cell, folded up, holds the course's version of the functions that
# you need from earlier lessons. The one after it puts **yours** in their place, where they pass their
# check.

# %% built_so_far=["make_qkv", "scaled_scores", "softmax", "weighted_sum"]
# Filled by the build.

# %%
bring_along()

# %% [markdown]
# ## A table that does not fit
#
# These are the article's numbers: scores for "robot must obey orders", and the weights printed for
# them. They should be what softmax gives when each token sees only itself and the tokens before it.

# %%
tokens = ["robot", "must", "obey", "orders"]
article_scores = np.array(
    [
        [0.11, 0.00, 0.81, 0.79],
        [0.19, 0.50, 0.30, 0.48],
        [0.53, 0.98, 0.95, 0.14],
        [0.81, 0.86, 0.38, 0.90],
    ]
)
article_table = np.array(
    [
        [1.00, 0.00, 0.00, 0.00],
        [0.48, 0.52, 0.00, 0.00],
        [0.31, 0.35, 0.34, 0.00],
        [0.25, 0.26, 0.23, 0.26],
    ]
)

# %% [markdown]
# **Worked example: one token.** "must" is row 1. It sees "robot", score 0.19, and itself, score
# 0.50. exp of these is 1.21 and 1.65; the sum is 2.86.
#
# **Predict `02-softmax`.** Which weight does "robot" get, with two decimals?

# %%
answer("02-softmax", ...)

# %%
softmax(np.array([0.19, 0.50]))

# %% [markdown]
# The table says 0.48 and 0.52. So a step is missing between the scores and the table. Which one? At
# the end of the lesson you may look for it.
#
# ## One text, many predictions
#
# GPT-2 learns to predict the next token. A **context** is what it may read, the **target** is
# the token that comes next.
#
# **Predict `02-pairs`.** The first context is one token long. How many pairs of context and
# target are in a text of 9 tokens?

# %%
answer("02-pairs", ...)

# %% [markdown]
# ### Exercise 2.1 · next_token_pairs
#
# *5 minutes · easy*
#
# - **In:** `token_ids`, a list (or array) of T ids.
# - **Out:** a list of pairs `(context, target)`. The contexts start with the first token and have
#   the lengths 1, 2, ... T - 1. One token alone gives an empty list.


# %% solution="next_token_pairs"
def next_token_pairs(token_ids):
    """List every context of a text with the token that comes next.

    Parameters
    ----------
    token_ids : list or int ndarray, [T]

    Returns
    -------
    list of (context, target)
        T - 1 pairs: a list of ids, and the id after it.
    """
    ### BEGIN SOLUTION
    ids = list(token_ids)
    return [(ids[:t], ids[t]) for t in range(1, len(ids))]
    ### END SOLUTION


# %% tests="next_token_pairs"
# Hidden tests run here when your work is graded. They try other lengths, arrays of ids, and
# whether the list of ids stays as it was.

# %%
for context, target in next_token_pairs(tokens):
    print(context, "->", target)

# %% [markdown]
# **Fact-check: "a batch of 4 examples".** The article draws such pairs as four examples. GPT-2
# does not run them one by one. The whole text goes through once, as ONE sequence, and every row
# makes its own prediction. For that no row may see the tokens after it: its target is among
# them.
#
# ## Mask
#
# A **mask** says who may look at whom: rows look, columns are looked at. Row 1, "must", may look
# at columns 0 and 1: `[True, True, False, False]`.
#
# ### Exercise 2.2 · causal_mask
#
# *4 minutes · easy*
#
# - **In:** `n`, the number of tokens.
# - **Out:** an array `[n, n]` of True (may look) and False (hidden).


# %% solution="causal_mask"
def causal_mask(n):
    """Mask: let each token look at itself and back.

    Parameters
    ----------
    n : int

    Returns
    -------
    bool ndarray, [n, n]
        True where the row's token may look at the column's token.
    """
    ### BEGIN SOLUTION
    return np.tri(n, dtype=bool)
    ### END SOLUTION


# %% tests="causal_mask"
# Hidden tests run here when your work is graded. They try other numbers of tokens, one and two
# among them.

# %%
draw.next_token_table(tokens, causal_mask(4), targets=["must", "obey", "orders", "given"])

# %% [markdown]
# The last target comes from the text that follows. (The article writes an end token; in GPT-2's
# training it comes only where a document ends.)
#
# **Why? `02-why-itself`** The diagonal is True. Why does it do no harm that a token sees itself?
#
# - (a) Its own weight is always small.
# - (b) A token's own value is not used.
# - (c) Only the first row needs it, so that it is not empty.
# - (d) Its target is the next token, not itself.

# %%
answer("02-why-itself", "?")

# %% [markdown]
# ## Score 0, or minus infinity?
#
# **Fact-check: "score them as 0".** In one place the article says that hidden tokens get the
# score 0, in another that they get a very large negative score. Take its first row: "robot" has
# the score 0.11, and three tokens are hidden. Give the hidden ones the score 0.
#
# **Predict `02-zero`.** How much weight do the three hidden tokens get together?
#
# - (a) none
# - (b) about a quarter
# - (c) about three quarters

# %%
answer("02-zero", "?")

# %%
print(softmax(np.array([0.11, 0.0, 0.0, 0.0])))
print(softmax(np.array([0.11, -np.inf, -np.inf, -np.inf])))

# %% [markdown]
# exp(0) is 1: zero is an ordinary score. It is the *weight* that must become 0, so the *score*
# goes to minus infinity, before softmax.
#
# ### Exercise 2.3 · masked_softmax
#
# *8 minutes · medium*
#
# - **In:** `scores` `[..., Tq, Tk]`, and `mask`, True where a query may look. Use the mask you
#   are given: it need not be a triangle. Its shape is `[Tq, Tk]`, or it has leading axes that
#   line up with those of the scores (NumPy's broadcasting), such as `[B, 1, Tq, Tk]`.
# - **Out:** weights like `scores`: each row sums to 1, and hidden keys get exactly 0, also when
#   all scores are near -20,000.


# %% solution="masked_softmax"
def masked_softmax(scores, mask):
    """Mask and softmax: share the weight among the keys that may be seen.

    Parameters
    ----------
    scores : ndarray, [..., Tq, Tk]
    mask : bool ndarray, [Tq, Tk], or with leading axes that broadcast to those of `scores`
        True where the query may look at the key. Each row has at least one True.

    Returns
    -------
    ndarray, [..., Tq, Tk]
        Weights; exactly 0 where the mask is False.
    """
    ### BEGIN SOLUTION
    return softmax(np.where(mask, scores, -np.inf))
    ### END SOLUTION


# %% tests="masked_softmax"
# Hidden tests run here when your work is graded. They try masks that are not triangles, more keys
# than queries, very high and very low scores, whole numbers, and leading axes.

# %%
article_mask = causal_mask(4)
article_weights = masked_softmax(article_scores, article_mask)
draw.mask_and_softmax(tokens, article_scores, article_mask, article_weights)

# %% [markdown]
# **Fact-check: "-1 billion in GPT-2".** OpenAI's code sets hidden scores to minus ten billion
# (`1e10`), not one. Earlier versions of the Hugging Face library set them to -10,000. Any such number
# gives weight to hidden tokens once all visible scores lie below it; minus infinity never does.
#
# **Optional: be the grader.** `wrong_masked_softmax` hides after softmax. Add one `assert` to
# `my_test` that fails for it and holds for yours. The goal is `True False`.


# %%
def wrong_masked_softmax(scores, mask):
    return softmax(scores) * mask


def my_test(function):
    some_mask = np.array([[True, False, False], [True, True, False]])
    weights = function(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]), some_mask)
    assert np.all(weights[~some_mask] == 0)


def rejects(test, function):
    try:
        test(function)
    except AssertionError:
        return True
    return False


print(rejects(my_test, wrong_masked_softmax), rejects(my_test, masked_softmax))

# %% [markdown]
# ## All together
#
# ### Exercise 2.4 · causal_attention
#
# *4 minutes · easy.* Put your functions together.
#
# - **In:** `q`, `k` `[..., T, d]`, `v` `[..., T, dv]`.
# - **Out:** `(out, weights)`: `[..., T, dv]` and `[..., T, T]`


# %% solution="causal_attention"
def causal_attention(q, k, v):
    """Let every token take in what it needs from itself and the tokens before it.

    Parameters
    ----------
    q, k : ndarray, [..., T, d]
    v : ndarray, [..., T, dv]

    Returns
    -------
    out : ndarray, [..., T, dv]
    weights : ndarray, [..., T, T]
    """
    ### BEGIN SOLUTION
    weights = masked_softmax(scaled_scores(q, k), causal_mask(q.shape[-2]))
    return weighted_sum(weights, v), weights
    ### END SOLUTION


# %% tests="causal_attention"
# Hidden tests run here when your work is graded. They try other sizes, leading axes, and whether
# changing a token leaves the results before it as they are.

# %% [markdown]
# Now the toy of lesson 01. The article draws one row of queries times a square of keys. A table
# of scores takes all queries and all keys, with these shapes:

# %%
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
q, k, v = make_qkv(x, w_q, w_k, w_v)
scores = scaled_scores(q, k)
draw.scores_of_all(q, k, scores, tokens)

# %% [markdown]
# **Predict `02-first`.** "robot" is row 0 and gives itself the score 0.43. Which weight does it
# give itself under the mask? Then try: choose "robot" as the query, and switch the mask off.

# %%
answer("02-first", ...)

# %%
mine = [scaled_scores, causal_mask, masked_softmax, weighted_sum]
explore(*mine, tokens=tokens, q=q, k=k, v=v, query=1)

# %% [markdown]
# ## Does it leak?
#
# A mask that leaks is a silent bug: every shape is right, and training even goes better than it
# should, until the model has to write by itself. So test it. **Change a token and look at the
# results of the others.**
#
# **Predict `02-moves`.** "obey" is changed. Which results of your causal_attention move?
#
# - (a) all four
# - (b) only that of "obey"
# - (c) those of "robot" and "must"
# - (d) those of "obey" and "orders"

# %%
answer("02-moves", "?")

# %%
changed = x.copy()
changed[2] = [0.0, 1.0, -1.0, 2.0]
before, _ = causal_attention(q, k, v)
after, _ = causal_attention(*make_qkv(changed, w_q, w_k, w_v))
draw.changed_rows(tokens, before, after, changed=2)

# %% [markdown]
# ### Exercise 2.5 · find_leak
#
# *10 minutes · hard.* Now you write the test. It is graded on attentions that see the future and
# on others that do not.
#
# - **In:** `attention`, a function of `(q, k, v)` that returns `(out, weights)`; `n`, how many
#   tokens to try it with; `d`, the size of their vectors.
# - **Out:** True if, with n tokens, some result depends on a later token, else False.
# - Make `q`, `k`, `v` yourself, of the shape `(n, d)`, for example with
#   `np.random.default_rng(0).standard_normal((n, d))`.
# - An attention need not compute its weights as yours does. Compare it with itself.
# - `check` names the attention that your test gets wrong. `help(attentions.pairs)`, for
#   example, says who sees whom in it. Your function gets it without its name, and has to try it.


# %% solution="find_leak"
def find_leak(attention, n, d):
    """Tell whether an attention lets a token see the future.

    Parameters
    ----------
    attention : callable
        From (q, k, v), each [n, d], to (out, weights): [n, d] and [n, n].
    n : int
        The number of tokens to try.
    d : int
        The size of a query, a key and a value.

    Returns
    -------
    bool
        True if a result depends on a later token's query, key or value.
    """
    ### BEGIN SOLUTION
    random = np.random.default_rng(0)
    plain = [random.standard_normal((n, d)) for _ in range(3)]
    before, _ = attention(*plain)
    for t in range(1, n):
        changed = [array.copy() for array in plain]
        for array in changed:
            array[t] += 1
        after, _ = attention(*changed)
        if not np.allclose(after[:t], before[:t]):
            return True
    return False
    ### END SOLUTION


# %% tests="find_leak"
# Hidden tests run here when your work is graded. They try leaks in other places and of other
# kinds, through queries, keys or values, and attentions without a leak.

# %%
for attention in [causal_attention, attentions.one_ahead, attentions.mean_removed]:
    print(attention.__name__, find_leak(attention, 6, 3))

# %% [markdown]
# `one_ahead` shows each token the next one. `mean_removed` looks only back, and leaks all the same:
# before that, it subtracts the mean of all values from each, and later values are in that mean.
#
# **Why? `02-why-mask`** When GPT-2 writes, the future does not exist yet. Why is it trained with
# the mask?
#
# - (a) In training the whole text is there, and without a mask the target could be copied.
# - (b) The mask makes the scores smaller, so that softmax does not saturate.
# - (c) Without a mask the rows of weights would not sum to 1.

# %%
answer("02-why-mask", "?")

# %% [markdown]
# ## Take away
#
# - The mask sets hidden scores to minus infinity before softmax; then hidden weights are exactly
#   0. A score of 0 hides nothing.
# - One pass over one text makes a prediction at every token.
# - To find a leak, change a token and look at the results of the others.
#
# **Recall `02-recall-scale`** (lesson 01). In GPT-2, d is 64. By what are the scores divided?
#
# **Recall `02-recall-batch`** (lesson 00). `batch` has the shape `(2, 5, 6)`, `w` the shape
# `(6, 3)`. What is the shape of `batch @ w`?
#
# - (a) `(5, 3)`
# - (b) `(2, 6, 3)`
# - (c) `(2, 5, 3)`

# %%
answer("02-recall-scale", ...)
answer("02-recall-batch", "?")

# %% [markdown]
# ## Optional: the missing step
#
# The exercise counts like the others, but nothing later needs it.
#
# Back to the puzzle of the beginning. Here is the article's table beside yours:

# %%
article_weights = masked_softmax(article_scores, causal_mask(4))
draw.compare_tables(tokens, article_weights, article_table, "yours")

# %% [markdown]
# From the second row on, the article's weights are flatter than yours. Lesson 01 had a step that
# flattens: the scores are divided by something. By what? Let the computer search.
#
# ### Exercise 2.6 · recover_divisor
#
# *8 minutes · medium · optional*
#
# - **In:** `scores` `[T, T]`, and `table` `[T, T]`: causal weights, rounded to 2 decimals.
# - **Out:** a number. With the scores divided by it, your weights, rounded with
#   `np.round(..., 2)`, equal the table in every cell. It lies between 1 and 20; steps of 0.01
#   are fine enough. If several fit, return any.


# %% solution="recover_divisor"
def recover_divisor(scores, table):
    """Find what the scores were divided by before softmax.

    Parameters
    ----------
    scores : ndarray, [T, T]
    table : ndarray, [T, T]
        Causal weights, rounded to 2 decimals.

    Returns
    -------
    float
        A divisor between 1 and 20 that gives this table.
    """
    ### BEGIN SOLUTION
    mask = causal_mask(len(scores))
    fitting = [
        divisor
        for divisor in np.arange(1, 20, 0.01)
        if np.array_equal(np.round(masked_softmax(scores / divisor, mask), 2), table)
    ]
    return float(np.mean(fitting))
    ### END SOLUTION


# %% tests="recover_divisor"
# Hidden tests run here when your work is graded. They try other scores and tables, made with
# other divisors.

# %%
recover_divisor(article_scores, article_table)

# %% [markdown]
# Look for it by hand, too: move the divisor until all 10 visible cells are as printed. Where does the
# range of such divisors begin, and where does it end?

# %%
explore(masked_softmax, causal_mask, tokens=tokens, scores=article_scores, table=article_table)

# %% [markdown]
# Everything from 3.62 to 4.51 fits: a rounded table does not tell more. (The slider goes in steps: of
# its numbers, those from 3.63 to 4.47 fit.)
#
# **Why? `02-why-four`** Which is the natural one, and why?
#
# - (a) 3.62, the smallest that fits
# - (b) 4, the root of d = 16
# - (c) 4, the number of tokens
# - (d) 4.07, the middle of all that fit

# %%
answer("02-why-four", "?")

# %% [markdown]
# That is our reading. The article does not say how its table was made, so what its author had in
# mind is unknown.

# %%
progress()

# %% [markdown]
# **Hand in.** **Restart Kernel and Run All Cells** goes to the last cell, also where a check fails.
# Look at the cards, save, and press **Submit** in the **Assignment List**; lesson 00 has the steps.
# Exercises may stay open, each counts by itself. Hidden tests run when the work is graded.
#
# **Next:** [03 · The KV cache](../03_kv_cache/03_kv_cache.ipynb).
