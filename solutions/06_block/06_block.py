# %% [markdown]
# # 06 · The block
#
# **Goal:** build the block that GPT-2 repeats: your attention, a small network for each token, and a
# layer norm before both.
#
# **You will be able to** normalise a token, say what an MLP adds to attention, and build a block
# from its drawing.
#
# **Time:** 40 minutes. **You need:** lessons 00 to 05.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*

# %%
import numpy as np

from illustrated_attention import answer, bring_along, check, hint, progress
from illustrated_attention.figures import gpt2 as draw
from illustrated_attention.figures.key import colour_key
from illustrated_attention.gpt2_files import load_pocket

np.set_printoptions(precision=3, suppress=True)
colour_key(["numbers"])

# %% [markdown]
# **What you built so far.** The next cell, folded up, holds the course's version of the functions that
# you need from earlier lessons. The one after it puts **yours** in their place, where they pass their
# check.

# %% built_so_far=["embed", "softmax", "scaled_scores", "weighted_sum", "causal_mask", "masked_softmax", "append_kv", "cached_causal_mask", "attend_with_cache", "qkv_projection", "split_heads", "merge_heads", "project", "gpt2_attention"]
# Filled by the build.

# %%
bring_along()

# %% [markdown]
# ## A trained model
#
# The **pocket model** comes with the course: a GPT-2 with 4 layers of 4 heads and D = 128, trained
# on short stories. It has the parts, names and file format of the true GPT-2.
#
# Here are the weights of its first layer. Your `gpt2_attention` uses those in `attn`. The rest is
# this lesson.

# %%
model = load_pocket()
params, n_head = model.params, model.config["n_head"]
for name, array in params.items():
    if name.startswith("h.0."):
        print(name, array.shape)

# %% [markdown]
# ## Layer norm
#
# Every block adds something to the row of a token, so rows grow. In the pocket model, the features of
# our sentence spread about 0.1 after `embed`, 2 after the first block, and up to 9 after the last.
# Large numbers would make large scores, and softmax saturates (lesson 01). So attention and MLP should
# meet numbers of one size in every layer.
#
# **Layer norm** brings every token to that size. **One token:** `[1, 3, 5, 7]`
#
# 1. Subtract the mean, 4: `[-3, -1, 1, 3]`.
# 2. The variance is the mean of their squares: (9 + 1 + 1 + 9) / 4 = 5.
# 3. Divide by its square root, 2.236: `[-1.342, -0.447, 0.447, 1.342]`.
#
# (Before step 3, eps = 0.00001 is added to the variance.) Then each feature is multiplied by its
# learned gain in `g`, and its bias in `b` is added.
#
# **Predict `06-norm`.** What do steps 1 to 3 make of `[10, 30, 50, 70]`?
#
# - (a) ten times the numbers above
# - (b) a tenth of them
# - (c) the same numbers, to three decimals

# %%
answer("06-norm", "?")

# %%
for features in np.array([[1.0, 3.0, 5.0, 7.0], [10.0, 30.0, 50.0, 70.0]]):
    deviations = features - features.mean()
    print(deviations / np.sqrt((deviations**2).mean() + 1e-5))

# %% [markdown]
# ### Exercise 6.1 · layer_norm
#
# *5 minutes · easy*
#
# - **In:** `x` `[..., D]`, `g` and `b` `[D]`, `eps`. **Out:** `[..., D]`, each token normalised alone.


# %% solution="layer_norm"
def layer_norm(x, g, b, eps=1e-5):
    """Give each token's features mean 0 and variance 1, then scale and shift them.

    Parameters
    ----------
    x : ndarray, [..., D]
    g, b : ndarray, [D]
        Gain and bias.
    eps : float
        Added to the variance.

    Returns
    -------
    ndarray, [..., D]
    """
    ### BEGIN SOLUTION
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + eps) * g + b
    ### END SOLUTION


# %% tests="layer_norm"
# Hidden tests run here when your work is graded. They try other sizes, leading axes, features that
# hardly differ or are all equal, another eps, and whole numbers.

# %% [markdown]
# **Why? `06-why-eps`** A token's features are all equal. What would come out without eps?
#
# - (a) nan, because 0 is divided by 0
# - (b) zeros
# - (c) ones

# %%
answer("06-why-eps", "?")
x = np.array([[1.0, 3.0, 5.0, 7.0], [10.0, 30.0, 50.0, 70.0], [2.0, 2.0, 2.0, 2.0]])
draw.normalised(x, layer_norm(x, np.ones(4), np.zeros(4)), ["ordinary", "large", "equal"])

# %% [markdown]
# ## GELU
#
# Between two matrix products, GPT-2 bends every number with **GELU**:
#
# gelu(x) = 0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))
#
# For x = 1 the inner sum is 1.0447, times √(2/π) = 0.798 is 0.834, and its tanh 0.682. So gelu(1) =
# 0.5 · 1 · 1.682 = 0.841.
#
# **Predict `06-gelu`.** For x = -1 the tanh is -0.682. What is gelu(-1), with three decimals?

# %%
answer("06-gelu", ...)

# %%
for number in [1, -1]:
    print(0.5 * number * (1 + np.tanh(np.sqrt(2 / np.pi) * (number + 0.044715 * number**3))))

# %% [markdown]
# ### Exercise 6.2 · gelu
#
# *3 minutes · easy*
#
# - **In:** `x`, any shape. **Out:** the same shape.


# %% solution="gelu"
def gelu(x):
    """Bend every number with GPT-2's GELU, the formula with tanh.

    Parameters
    ----------
    x : ndarray, any shape

    Returns
    -------
    ndarray, the same shape
    """
    ### BEGIN SOLUTION
    return 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
    ### END SOLUTION


# %% tests="gelu"
# Hidden tests run here when your work is graded. They try one to four axes, numbers far from 0,
# whole numbers, and numbers at which similar formulas differ from GPT-2's.

# %% [markdown]
# **Why? `06-why-exact`** The exact GELU, with the function erf, differs by up to 0.0005. Would it be
# better for running GPT-2?
#
# - (a) Yes: exact is always better.
# - (b) No: its weights were learned with this formula.
# - (c) It makes no difference at all.
#
# The figure also shows **ReLU**, an older function: it makes negative numbers 0 and keeps the others.
# Where it is flat, a small change of the input changes nothing, and training learns nothing. GELU is
# smooth, and just below 0 it still has a slope.

# %%
answer("06-why-exact", "?")
numbers = np.linspace(-4, 3, 141)
draw.activation(numbers, gelu(numbers))

# %% [markdown]
# ## MLP
#
# Attention moves things between tokens. The **MLP** (multilayer perceptron) then works on each token
# by itself: `c_fc`, a product with bias, makes it four times as wide (9 tokens: `[9, 128]` becomes
# `[9, 512]`), GELU bends it, and `c_proj` brings it back.
#
# ### Exercise 6.3 · mlp
#
# *3 minutes · easy*
#
# - **In:** `x` `[..., D]`, `params` (shapes below). **Out:** `[..., D]`


# %% solution="mlp"
def mlp(x, params):
    """Work on each token by itself: wider, GELU, and back.

    Parameters
    ----------
    x : ndarray, [..., D]
    params : dict of str to ndarray
        ``c_fc.weight`` [D, 4D], ``c_fc.bias`` [4D], ``c_proj.weight`` [4D, D],
        ``c_proj.bias`` [D].

    Returns
    -------
    ndarray, [..., D]
    """
    ### BEGIN SOLUTION
    hidden = gelu(x @ params["c_fc.weight"] + params["c_fc.bias"])
    return hidden @ params["c_proj.weight"] + params["c_proj.bias"]
    ### END SOLUTION


# %% tests="mlp"
# Hidden tests run here when your work is graded. They try other sizes, as many tokens as neurons,
# leading axes, whole numbers, and tokens in another order.

# %% [markdown]
# **Why? `06-why-bend`** What could two products in a row do without GELU that one cannot?
#
# - (a) They could mix tokens.
# - (b) They could learn four times as much.
# - (c) Nothing: two matrices in a row are one matrix.

# %%
answer("06-why-bend", "?")

# %% [markdown]
# ## The block
#
# A layer, or **block**, has two halves. Follow the line above the boxes: what comes in is kept, and
# each half only adds to it.

# %%
sentence = np.array(model.encode("A robot must obey the orders given it"))
first = {name[4:]: array for name, array in params.items() if name.startswith("h.0.")}
draw.block_flow(first, len(sentence), n_head)

# %% [markdown]
# ### Exercise 6.4 · block
#
# *7 minutes · medium*
#
# - **In:** `x` `[..., T, D]`; the `params` of one block; `n_head`; `past`, a pair `(k, v)` or None.
# - **Out:** `(x, present)`: the new `x`, and the cache from `gpt2_attention`.
# - `part` is given: `part(params, "attn.")` is what `gpt2_attention` needs.


# %% solution="block"
def part(params, prefix):
    """Return the entries whose names begin with prefix, without that beginning."""
    return {
        name.removeprefix(prefix): array
        for name, array in params.items()
        if name.startswith(prefix)
    }


def block(x, params, n_head, past=None):
    """Run one block of GPT-2.

    Parameters
    ----------
    x : ndarray, [..., T, D]
    params : dict of str to ndarray
        ``ln_1.*``, ``attn.*``, ``ln_2.*`` and ``mlp.*`` of this block.
    n_head : int
    past : (k, v) or None
        The cache of this block, each [..., H, past, d].

    Returns
    -------
    x : ndarray, [..., T, D]
    present : (k, v)
        Past and new keys and values, each [..., H, past + T, d].
    """
    ### BEGIN SOLUTION
    normed = layer_norm(x, params["ln_1.weight"], params["ln_1.bias"])
    attended, present = gpt2_attention(normed, part(params, "attn."), n_head, past)
    x = x + attended
    normed = layer_norm(x, params["ln_2.weight"], params["ln_2.bias"])
    return x + mlp(normed, part(params, "mlp.")), present
    ### END SOLUTION


# %% tests="block"
# Hidden tests run here when your work is graded. They try other sizes and numbers of heads, batches,
# new tokens after a past, texts cut in several ways, and whether x stays as it was.

# %% [markdown]
# Zeros in both `c_proj` silence attention and MLP. Does your block then return `x`?

# %%
zeros = {
    f"{name}.c_proj.{kind}": 0 * first[f"{name}.c_proj.{kind}"]
    for name in ("attn", "mlp")
    for kind in ("weight", "bias")
}
silent = {**first, **zeros}
x = embed(sentence, params["wte.weight"], params["wpe.weight"])
np.array_equal(block(x, silent, n_head)[0], x)

# %% [markdown]
# It does: what comes in is kept, and the halves only add. In training,
# corrections reach every layer directly, through the sums.
#
# **Why? `06-why-last`** After its last block, GPT-2 has one more layer norm. Why?
#
# - (a) The last block has no layer norm of its own.
# - (b) What leaves a block has not been normalised.
# - (c) It makes the features sum to 1.
#
# **Optional: be the grader.** `wrong_block` normalises after each sum. Add one `assert` to `my_test`
# that fails for it and holds for yours. The goal is `True False`.

# %%
answer("06-why-last", "?")


def wrong_block(x, params, n_head, past=None):
    out, present = gpt2_attention(x, part(params, "attn."), n_head, past)
    x = layer_norm(x + out, params["ln_1.weight"], params["ln_1.bias"])
    out = mlp(x, part(params, "mlp."))
    return layer_norm(x + out, params["ln_2.weight"], params["ln_2.bias"]), present


def my_test(function):
    out, _ = function(x, silent, n_head)
    assert out.shape == x.shape


def rejects(test, function):
    try:
        test(function)
    except AssertionError:
        return True
    return False


print(rejects(my_test, wrong_block), rejects(my_test, block))

# %% [markdown]
# ## Take away
#
# You built a block. GPT-2 small has 12 of them, the pocket model 4, and all are run by your function.
#
# - A block adds to `x` twice: attention between tokens, then the MLP on each token. A layer norm
#   stands before both.
# - Layer norm gives every token the same size. GELU is the bend without which two matrices would be
#   one.
#
# **Recall `06-recall-mask`** (lesson 03). Why can every layer keep the keys and values of old tokens?
#
# - (a) The mask hides new tokens from old ones, so old results stay.
# - (b) In every layer they are made without the other tokens.
# - (c) Layer norm brings them back to one size.

# %%
answer("06-recall-mask", "?")

# %%
progress()

# %% [markdown]
# **Hand in.** **Restart Kernel and Run All Cells** goes to the last cell, also where a check fails.
# Look at the cards, save, and press **Submit** in the **Assignment List**; lesson 00 has the steps.
# Exercises may stay open, each counts by itself. Hidden tests run when the work is graded.
#
# **Next:** [07 · GPT-2](../07_gpt2/07_gpt2.ipynb), where your functions run a whole model.
