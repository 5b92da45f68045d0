# %% [markdown]
# # 07 · GPT-2
#
# **Goal:** put a whole GPT-2 together, let it write, and take hold of the head that reads "it".
#
# **You will be able to** run a GPT-2 with functions that are all yours, let it write greedily or by
# chance, and find out by experiment what a head is for.
#
# **Time:** 50 minutes. **You need:** lessons 00 to 06.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*

# %%
import numpy as np

from illustrated_attention import answer, bring_along, check, hint, progress
from illustrated_attention.figures import gpt2 as draw
from illustrated_attention.figures.key import colour_key
from illustrated_attention.figures.self_attention import attention_row
from illustrated_attention.gpt2_files import (
    held_out_story,
    load_pocket,
    open_gpt2,
    parameter_shapes,
    pocket_heads,
)
from illustrated_attention.widgets.explorer import explore

np.set_printoptions(precision=3, suppress=True)
colour_key(["weights", "query"])

# %% [markdown]
# **What you built so far.** The next cell, folded up, holds the course's version of the functions that
# you need from earlier lessons. The one after it puts **yours** in their place, where they pass their
# check.

# %% built_so_far=["embed", "softmax", "scaled_scores", "weighted_sum", "causal_mask", "masked_softmax", "append_kv", "cached_causal_mask", "attend_with_cache", "qkv_projection", "split_heads", "merge_heads", "project", "gpt2_attention", "layer_norm", "gelu", "mlp", "part", "block"]
# Filled by the build.

# %%
bring_along()

# %%
model = load_pocket()
params, n_head = model.params, model.config["n_head"]
print(model.config)

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
# **Predict `07-logit`.** What is the logit of "hummed"?

# %%
answer("07-logit", ...)

# %%
logits = np.array([1, 0, 2]) @ np.array([[2, 1, 0], [1, 3, 1]]).T
print(logits, softmax(logits))

# %% [markdown]
# ### Exercise 7.1 · gpt2
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
# **Why? `07-why-start`** Suppose positions began at 0 again after a past. What would show it?
#
# - (a) an error from NumPy
# - (b) one pass over a whole text
# - (c) a text in two pieces, compared with one pass
#
# Now run the trained model. How does it go on after "It"?

# %%
answer("07-why-start", "?")
prompt = np.array(model.encode("A robot must obey the orders given it by humans. It"))
logits, _ = gpt2(prompt, params, n_head)
likeliest = np.argsort(-logits[-1])[:6]
draw.next_words(model.tokens(likeliest), {"all heads": softmax(logits[-1])[likeliest]})

# %% [markdown]
# In its stories, that is what robots do.
#
# Is your whole model right? **Perplexity** says how unsure a model is of the word that really comes
# next: 3 means as unsure as between 3 equally likely words. The course recorded it on a story that was
# not used for training. (A model that finds all V words equally likely has perplexity V.)

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
# functions compute its weights.

# %%
found = pocket_heads()["pronoun"]
layer, head = found["layer"], found["head"]
sentence = np.array(model.encode("A robot must obey the orders given it"))


def heads_of(ids):
    """Return x as it enters that layer, its parameters, and the weights and values of its heads."""
    x = embed(ids, params["wte.weight"], params["wpe.weight"])
    for own in layers(params)[:layer]:
        x, _ = block(x, own, n_head)
    own = layers(params)[layer]
    normed = layer_norm(x, own["ln_1.weight"], own["ln_1.bias"])
    q, k, v = qkv_projection(normed, own["attn.c_attn.weight"], own["attn.c_attn.bias"])
    q, k, v = (split_heads(array, n_head) for array in (q, k, v))
    return x, own, masked_softmax(scaled_scores(q, k), causal_mask(len(ids))), v


_, _, weights, _ = heads_of(sentence)
print("layer", layer, "head", head)
attention_row(model.tokens(sentence), weights[head], query=len(sentence) - 1)

# %% [markdown]
# ## Switch it off
#
# Does the model *need* that look? What a head adds goes through its own d rows of
# `attn.c_proj.weight` (lesson 05). Set these rows to 0 in a copy, and the head adds nothing.
#
# **Predict `07-off`.** "... by humans. It": what will the model say with this head off?
#
# - (a) the same as before
# - (b) what other things or animals do
# - (c) nan

# %%
answer("07-off", "?")


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
# - leave layer 0, head 0 on, and switch off as many others as you like: does "beeped" go away?
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
# **Predict `07-fed`.** A prompt of 12 tokens, 5 new ones: how many tokens go through `gpt2`? (The last
# new one need not.)

# %%
answer("07-fed", ...)

# %% [markdown]
# ### Exercise 7.2 · generate
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

# %%
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
# It goes round in circles: much the same text leads to the same likeliest word, again and again.

# %% [markdown]
# ## Count
#
# A layer norm has 2D numbers; a product with bias from a to b features has a · b + b. In GPT-2
# small, D = 768, so `c_attn` has 768 · 2304 + 2304 = 1,771,776.
#
# ### Exercise 7.3 · count_parameters
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
# **Predict `07-short`.** The article's table gives `c_fc.bias` 768 numbers instead of 3,072, in all 12
# layers, and leaves out `ln_f`. By how much is its sum, 124,410,624, short?

# %%
answer("07-short", ...)

# %%
small = {"n_layer": 12, "n_embd": 768, "vocab_size": 50257, "n_positions": 1024}
counted = count_parameters(12, 768, 50257, 1024)
print(counted - 124_410_624)
draw.parameter_counter(parameter_shapes(small), counted)

# %% [markdown]
# ## Let it speak
#
# Greedy text has no surprises. Programs that write draw the next word by chance, by its probability.
# Before softmax they divide the logits by a **temperature**.
#
# **Predict `07-temperature`.** Temperature 2 halves all logits. What does that do to the
# probabilities?
#
# - (a) The likeliest word becomes likelier still.
# - (b) They come closer together: unlikely words come up more often.
# - (c) Nothing: softmax takes the factor out again.

# %%
answer("07-temperature", "?")


# %%
def speak(prompt, n_words=40, temperature=1.0, seed=0, model=model):
    """Write word by word. Another seed is another story."""
    random = np.random.default_rng(seed)
    new, past = model.encode(prompt), None
    print(prompt, end="")
    for _ in range(n_words):
        logits, past = gpt2(np.array(new), model.params, model.config["n_head"], past)
        chances = softmax(logits[-1] / temperature)
        new = [int(random.choice(len(chances), p=chances))]
        print(model.decode(new) or "\n", end="")  # a new story, a new line
    print("\n")


for temperature in (0.1, 1, 2):
    print("temperature", temperature)
    speak("Ada found a robot.", temperature=temperature)

# %% [markdown]
# Now your own prompt. The model knows the words of its stories: robot, dog, cat, bell, kettle, boat,
# tree, snail; stars, children, wolves; Ada, Grace, Tom, Alan; found, met, heard; garden, river,
# castle. What it does not know it reads in pieces.

# %%
speak("Grace met a kettle and some wolves.", temperature=0.8, seed=1)

# %% [markdown]
# ## Steer it
#
# In "A robot must obey the orders. A dog came to the garden. It", the head gives most of its weight,
# 64 %, to "dog", and not to "robot". Now **you** decide where it looks: its last row of weights becomes
# 1 at one token and 0 at all others. No word of the text is changed, and no other head.
#
# **Predict `07-steer`.** You make it look at "robot". What will the model say?
#
# - (a) barked or growled: the other heads still see the dog
# - (b) beeped or hummed
# - (c) no word in particular

# %%
answer("07-steer", "?")


# %%
def steered(text, look_at=None):
    """Return the probabilities of the next word, with that head looking at one token only."""
    ids = np.array(model.encode(text))
    x, own, weights, v = heads_of(ids)
    if look_at is not None:
        weights[head, -1] = 0
        weights[head, -1, model.tokens(ids).index(look_at)] = 1
    merged = merge_heads(weighted_sum(weights, v))
    x = x + project(merged, own["attn.c_proj.weight"], own["attn.c_proj.bias"])
    x = x + mlp(layer_norm(x, own["ln_2.weight"], own["ln_2.bias"]), part(own, "mlp."))
    for own in layers(params)[layer + 1 :]:
        x, _ = block(x, own, n_head)
    logits = layer_norm(x, params["ln_f.weight"], params["ln_f.bias"]) @ params["wte.weight"].T
    return softmax(logits[-1])


text = "A robot must obey the orders. A dog came to the garden. It"
look_at = "robot"  # your choice: a word of the text
before, after = steered(text), steered(text, look_at)
words = list(dict.fromkeys([*np.argsort(-before)[:3], *np.argsort(-after)[:3]]))
draw.next_words(model.tokens(words), {"as trained": before[words], "at " + look_at: after[words]})

# %% [markdown]
# This head reads who "it" is, and the rest of the model goes by it. Try "orders", "garden" and "must":
# is the model still sure what "It" did?
#
# ## It copies
#
# Some stories have a song, and the tune comes twice. No tune can be learned by heart: each is made by
# chance. The model goes on all the same. How?

# %%
speak("A robot must obey the orders. A song: ka ru vo ta pa. Again:", n_words=6, temperature=0.1)
song = "A robot beeped. A song: ka ru vo ta. Again: ka"
copying = pocket_heads()["copy"]
explore(*mine, model=model, text=song, layer=copying["layer"], head=copying["head"])

# %% [markdown]
# The query is the second "ka". The head looks at what came **after** the first "ka": that is the note
# to write. Type other notes. Heads like this were found in large models too;
# they are called *induction heads*.
#
# ## The true GPT-2
#
# Your functions fit GPT-2 small as it was published: 124,439,808 numbers, a file of about 550 MB. Is
# that fine with you? Then write `"openai-community/gpt2"` between the quotes: it is fetched once. A
# folder that holds its `model.safetensors`, `config.json` and `tokenizer.json` serves as well. Left
# empty, nothing is fetched.

# %%
gpt2_small = open_gpt2("")

# %%
if gpt2_small:
    speak("A robot must obey the orders given it by", 20, temperature=0.7, model=gpt2_small)
    display(
        explore(*mine, model=gpt2_small, text="A robot must obey the orders given it by", layer=5)
    )

# %% [markdown]
# ## Take away
#
# You built GPT-2. From the ids of the tokens to the next word, every step of it is your code.
#
# - A logit is the dot product of a token's row and a word's vector. Generation feeds the chosen word
#   back.
# - In the pocket model one head reads "it". With that head off, the model no longer knows who acts;
#   steered, the head lets somebody else act.
# - You know the parts: you can ask a model questions, and check the answers.
#
# **Recall `07-recall-root`** (lesson 01). Why are scores divided by the root of d?
#
# - (a) Otherwise the weights would not sum to 1.
# - (b) Otherwise they spread wider, the larger d is, and softmax saturates.
# - (c) Otherwise `exp` would overflow in your softmax.

# %%
answer("07-recall-root", "?")

# %%
progress()

# %% [markdown]
# **Hand in.** **Restart Kernel and Run All Cells** goes to the last cell, also where a check fails.
# Look at the cards, save, and press **Submit** in the **Assignment List**; lesson 00 has the steps.
# Exercises may stay open, each counts by itself. Hidden tests run when the work is graded.
#
# **After the course:** the article that it follows,
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/), reads differently now.
