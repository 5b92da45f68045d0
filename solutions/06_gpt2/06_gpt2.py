# %% [markdown]
# # 06 · GPT-2
#
# **Goal:** build a whole GPT-2 around your attention, run a trained one, and switch off the head that
# reads "it".
#
# **Time:** 45 minutes. **You need:** lessons 00 to 05.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*

# %%
import numpy as np

from illustrated_attention import answer, check, hint
from illustrated_attention.figures import gpt2 as draw
from illustrated_attention.figures.self_attention import attention_row
from illustrated_attention.gpt2_files import (
    held_out_story,
    load_pocket,
    parameter_shapes,
    pocket_heads,
)
from illustrated_attention.widgets.explorer import explore

np.set_printoptions(precision=3, suppress=True)

# %% [markdown]
# **What you built so far:** the next cell holds your functions of earlier lessons. Just run it.

# %% built_so_far=["embed", "softmax", "scaled_scores", "weighted_sum", "causal_mask", "masked_softmax", "append_kv", "cached_causal_mask", "attend_with_cache", "qkv_projection", "split_heads", "merge_heads", "project", "gpt2_attention"]
# Filled by the build.

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
# **Layer norm** brings every token to one size. **One token:** `[1, 3, 5, 7]`
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
# **Predict `06-silent`.** If attention and MLP gave nothing but zeros, what would the block return?
#
# - (a) zeros
# - (b) `x` normalised
# - (c) `x` as it came in

# %%
answer("06-silent", "?")

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
# **Why? `06-why-sum`** Why is it good that each half only adds?
#
# - (a) It saves memory.
# - (b) What earlier layers found stays.
# - (c) The numbers stay between -1 and 1.
#
# **Optional: be the grader.** `wrong_block` normalises after each sum. Add one `assert` to `my_test`
# that fails for it and holds for yours. The goal is `True False`.

# %%
answer("06-why-sum", "?")


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
# ## The whole model
#
# Embed, all blocks, one last layer norm (`ln_f`), and then: which word comes next? The dot product of
# a token's row with a word's vector, its row of `wte`, is the word's **logit**. So `wte` serves for
# input and output. ("Word" is short for every token that has a row in `wte`: pieces of words and full
# stops, too.)
#
# **One token:** its row is `[1, 0, 2]`, "beeped" has the vector `[2, 1, 0]`, "hummed" `[1, 3, 1]`. The
# logit of "beeped" is 2.
#
# **Predict `06-logit`.** What is the logit of "hummed"?

# %%
answer("06-logit", ...)

# %%
logits = np.array([1, 0, 2]) @ np.array([[2, 1, 0], [1, 3, 1]]).T
print(logits, softmax(logits))

# %% [markdown]
# ### Exercise 6.5 · gpt2
#
# *10 minutes · hard*
#
# - **In:** `token_ids` `[..., T]`; all `params`; `n_head`; `past`, a list with a pair for each layer,
#   or None.
# - **Out:** `(logits, presents)`: `[..., T, V]`, and a new list of pairs.
# - Positions start where the past ends.
# - `layers` is given: `layers(params)` is a list with the parameters of each block.


# %% solution="gpt2"
def layers(params):
    """Return a list with one dictionary of parameters for each block."""
    n_layer = len({name.split(".")[1] for name in params if name.startswith("h.")})
    return [part(params, f"h.{layer}.") for layer in range(n_layer)]


def gpt2(token_ids, params, n_head, past=None):
    """Run the whole model: a logit for every word, after each token.

    Parameters
    ----------
    token_ids : ndarray of int, [..., T]
    params : dict of str to ndarray
        ``wte.weight``, ``wpe.weight``, ``h.0.*``, ``h.1.*``, ..., ``ln_f.*``.
    n_head : int
    past : list of (k, v), one for each layer, or None

    Returns
    -------
    logits : ndarray, [..., T, V]
    presents : list of (k, v), one for each layer
    """
    ### BEGIN SOLUTION
    start = 0 if past is None else past[0][0].shape[-2]
    x = embed(np.asarray(token_ids), params["wte.weight"], params["wpe.weight"], start)
    presents = []
    for layer, own in enumerate(layers(params)):
        x, present = block(x, own, n_head, None if past is None else past[layer])
        presents.append(present)
    x = layer_norm(x, params["ln_f.weight"], params["ln_f.bias"])
    return x @ params["wte.weight"].T, presents
    ### END SOLUTION


# %% tests="gpt2"
# Hidden tests run here when your work is graded. They try one to twelve layers, several numbers of
# heads, batches, new tokens after a past, and texts cut in several ways.

# %% [markdown]
# **Why? `06-why-start`** Suppose positions began at 0 again after a past. When would you notice?
#
# - (a) Always.
# - (b) Never: the cache knows the positions.
# - (c) Only with a past: one pass over a whole text would be right.
#
# Now run the trained model. How does it go on after "It"?

# %%
answer("06-why-start", "?")
prompt = np.array(model.encode("A robot must obey the orders given it by humans. It"))
logits, _ = gpt2(prompt, params, n_head)
likeliest = np.argsort(-logits[-1])[:6]
draw.next_words(model.tokens(likeliest), {"all heads": softmax(logits[-1])[likeliest]})

# %% [markdown]
# In its stories, that is what robots do. Is your whole model right? The course recorded its
# **perplexity** on a story that was not used for training. Perplexity 3 means: as unsure as between 3
# equally likely words.
#
# **Predict `06-perplexity`.** A model finds all V words equally likely. What is its perplexity?
#
# - (a) V
# - (b) 1
# - (c) 1 / V

# %%
answer("06-perplexity", "?")

# %%
story = held_out_story()
ids = np.array(story["ids"])
logits, _ = gpt2(ids, params, n_head)
chances = softmax(logits[:-1])[np.arange(len(ids) - 1), ids[1:]]
print("V", logits.shape[-1])
yours = np.exp(-np.log(chances).mean())
print("yours", round(float(yours), 4), "recorded", story["perplexity"])

# %% [markdown]
# ## Where "it" looks
#
# One head of the pocket model looks from "it" to its noun; `pocket_heads` says which one. Your
# functions lead up to its weights.
#
# **Predict `06-it`.** In "A robot must obey the orders given it", where does this head look from "it"?
#
# - (a) at "orders", the nearest noun
# - (b) at the first token
# - (c) at "robot"
# - (d) at "given", the word before

# %%
answer("06-it", "?")

# %%
found = pocket_heads()["pronoun"]
layer, head = found["layer"], found["head"]
x = embed(sentence, params["wte.weight"], params["wpe.weight"])
for own in layers(params)[:layer]:
    x, _ = block(x, own, n_head)
own = layers(params)[layer]
normed = layer_norm(x, own["ln_1.weight"], own["ln_1.bias"])
q, k, v = qkv_projection(normed, own["attn.c_attn.weight"], own["attn.c_attn.bias"])
scores = scaled_scores(split_heads(q, n_head), split_heads(k, n_head))
weights = masked_softmax(scores, causal_mask(len(sentence)))
print("layer", layer, "head", head)
attention_row(model.tokens(sentence), weights[head], query=len(sentence) - 1)

# %% [markdown]
# ## Switch it off
#
# Does the model *need* that look? What a head adds goes through its own d rows of
# `attn.c_proj.weight` (lesson 05). Set these rows to 0 in a copy, and the head adds nothing.
#
# **Predict `06-off`.** "... by humans. It": what will the model say with this head off?
#
# - (a) the same as before
# - (b) what other things or animals do
# - (c) nan

# %%
answer("06-off", "?")


# %%
def without_head(layer, head):
    name = f"h.{layer}.attn.c_proj.weight"
    weight = params[name].copy()
    d = weight.shape[0] // n_head
    weight[head * d : (head + 1) * d] = 0
    return {**params, name: weight}


def next_word(params):
    logits, _ = gpt2(prompt, params, n_head)
    return softmax(logits[-1])


on, off = next_word(params), next_word(without_head(layer, head))
words = list(dict.fromkeys([*np.argsort(-on)[:2], *np.argsort(-off)[:4]]))
draw.next_words(model.tokens(words), {"all heads": on[words], "that head off": off[words]})

# %% [markdown]
# And the other heads? Now each is switched off alone. The number is the probability of the two robot
# verbs together.

# %%
on = next_word(params)
verbs = np.argsort(-on)[:2]
chances = np.array(
    [
        [next_word(without_head(i, j))[verbs].sum() for j in range(n_head)]
        for i in range(model.config["n_layer"])
    ]
)
draw.every_head_off(chances, on[verbs].sum())

# %% [markdown]
# Here one head does this work. In large models it is spread over many heads and layers.
#
# Now ask your own questions. The explorer runs the whole model with your functions, on any sentence
# of up to 15 words and full stops that you type; the next word is the one after the query. **Try:**
#
# - switch heads off, one or several: which take "beeped" away, which change nothing?
# - put "dog" in place of "robot", then "bell";
# - switch the mask or the scale off: which of them spoils the next words more?

# %%
mine = [embed, layer_norm, qkv_projection, split_heads, scaled_scores, causal_mask]
mine += [masked_softmax, weighted_sum, merge_heads, project, mlp]
explore(*mine, model=model, layer=layer, head=head)

# %% [markdown]
# ## Generate
#
# To write, append the likeliest word (**greedy**), and go on. The first call of `gpt2` reads the
# prompt; each later call gets the newest token only, and the cache.
#
# **Predict `06-fed`.** A prompt of 12 tokens, 5 new ones: how many tokens go through `gpt2`? (The last
# new one need not.)

# %%
answer("06-fed", ...)

# %% [markdown]
# ### Exercise 6.6 · generate
#
# *7 minutes · medium*
#
# - **In:** `token_ids`, a list of int; `params`; `n_head`; `n_new`. **Out:** a list: the prompt, then
#   n_new ids.
# - **Refuse:** if prompt and new tokens are more than the rows of `wpe.weight`, raise a `ValueError`.


# %% solution="generate"
def generate(token_ids, params, n_head, n_new):
    """Go on with a text, always with the likeliest token, using the cache.

    Parameters
    ----------
    token_ids : list of int
        The prompt, at least one token.
    params : dict of str to ndarray
    n_head : int
    n_new : int

    Returns
    -------
    list of int
        The prompt and n_new more ids.

    Raises
    ------
    ValueError
        If there are not enough positions.
    """
    ### BEGIN SOLUTION
    ids = [int(i) for i in token_ids]
    n_positions = params["wpe.weight"].shape[0]
    if len(ids) + n_new > n_positions:
        raise ValueError(f"{len(ids)} + {n_new} tokens do not fit in {n_positions} positions")
    new, past = ids, None
    for _ in range(n_new):
        logits, past = gpt2(np.array(new), params, n_head, past)
        new = [int(logits[-1].argmax())]
        ids = ids + new
    return ids
    ### END SOLUTION


# %% tests="generate"
# Hidden tests run here when your work is graded. They try another model, other numbers of heads,
# short and long prompts, texts up to the last position, and texts that are too long.

# %% [markdown]
# `check` cannot see whether you used the cache: the ids are the same without. The next cell counts
# what you feed, then writes 60 tokens. Where `<|endoftext|>` appears, the model has ended a story, and
# it begins another.
#
# **Why? `06-why-loop`** Why does greedy text often go round in circles?
#
# - (a) The cache is full.
# - (b) Much the same text leads to the same likeliest word, again and again.
# - (c) The prompt is forgotten.

# %%
answer("06-why-loop", "?")
real_gpt2, fed = gpt2, []


def gpt2(token_ids, *rest, **named):
    fed.append(np.size(token_ids))
    return real_gpt2(token_ids, *rest, **named)


try:
    generate(list(prompt[:-1]), params, n_head, 5)
finally:
    gpt2 = real_gpt2  # the one that does not count
print(fed, sum(fed))
print(model.decode(generate(list(prompt[:-1]), params, n_head, 60)))

# %% [markdown]
# ## Count
#
# A layer norm has 2D numbers; a product with bias from a to b features has a · b + b. In GPT-2
# small, D = 768, so `c_attn` has 768 · 2304 + 2304 = 1,771,776.
#
# ### Exercise 6.7 · count_parameters
#
# *5 minutes · medium*
#
# - **In:** `n_layer`, `d_model` (D), `n_vocab` (V), `n_positions` (N). **Out:** an int
# - `wte` serves twice, but counts once.


# %% solution="count_parameters"
def count_parameters(n_layer, d_model, n_vocab, n_positions):
    """Say how many learned numbers a GPT-2 has.

    Parameters
    ----------
    n_layer, d_model, n_vocab, n_positions : int

    Returns
    -------
    int
    """
    ### BEGIN SOLUTION
    norm = 2 * d_model
    attention = d_model * 3 * d_model + 3 * d_model + d_model * d_model + d_model
    mlp = d_model * 4 * d_model + 4 * d_model + 4 * d_model * d_model + d_model
    block = norm + attention + norm + mlp
    return n_vocab * d_model + n_positions * d_model + n_layer * block + norm
    ### END SOLUTION


# %% tests="count_parameters"
# Hidden tests run here when your work is graded. They try small models in which every part counts,
# a model without layers, and other sizes of GPT-2.

# %% [markdown]
# **Predict `06-short`.** The article's table gives `c_fc.bias` 768 numbers instead of 3,072, in all 12
# layers, and leaves out `ln_f`. By how much is its sum, 124,410,624, short?

# %%
answer("06-short", ...)

# %%
small = {"n_layer": 12, "n_embd": 768, "vocab_size": 50257, "n_positions": 1024}
counted = count_parameters(12, 768, 50257, 1024)
print(counted - 124_410_624)
draw.parameter_counter(parameter_shapes(small), counted)

# %% [markdown]
# **Why? `06-why-heads`** GPT-2 small has 12 heads, but no head is in your formula. Why?
#
# - (a) Heads have no parameters at all.
# - (b) Heads share out the D features: more heads are only smaller ones.
# - (c) Their parameters are in `wpe`.

# %%
answer("06-why-heads", "?")

# %% [markdown]
# ## The true GPT-2
#
# Your functions fit its names and shapes. With the extra `illustrated-attention[hub]` and about 550
# MB to download:
#
# ```python
# from illustrated_attention.gpt2_files import load_gpt2
#
# true = load_gpt2("openai-community/gpt2")
# ids = true.encode("A robot must obey the orders given it by")
# print(true.decode(generate(ids, true.params, true.config["n_head"], 20)))
# ```
#
# Or give `load_gpt2` a folder with its files.
#
# ## Take away
#
# - A block adds to `x` twice: attention between tokens, then the MLP on each, both after a layer norm.
# - Logits are dot products with the word vectors; greedy generation feeds the likeliest word back.
# - In the pocket model one head reads "it"; without it the model no longer knows who acts.
#
# **Recall `06-recall-leak`** (lesson 02). How does a hidden token get weight 0?
#
# - (a) Its score becomes 0 before softmax.
# - (b) Its weight becomes 0 after softmax.
# - (c) Its value becomes 0.
# - (d) Its score becomes minus infinity before softmax.
#
# **Recall `06-recall-cut`** (lesson 04). Which slip mixes tokens without an error?
#
# - (a) a reshape to (H, T, d) without a swap of axes
# - (b) a bias that is too short
# - (c) a mask that is too long

# %%
answer("06-recall-leak", "?")
answer("06-recall-cut", "?")

# %% [markdown]
# **Hand in.** **Restart Kernel and Run All Cells** goes to the last cell, also where a check fails.
# Look at the cards, save, and press **Submit** in the **Assignment List**; lesson 00 has the steps.
# Exercises may stay open, each counts by itself. Hidden tests run when the work is graded.
