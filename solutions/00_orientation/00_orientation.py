# %% [markdown]
# # 00 · Orientation
#
# **Goal:** know how a lesson works, read shapes and axes, and write your first function:
# `embed` turns the tokens of a sentence into the numbers that attention works on.
#
# **You will be able to** read the shape of an array, add up along an axis, and turn a sentence into
# vectors.
#
# **Time:** 35 minutes. **You need:** Python functions; a first look at NumPy is enough.
#
# *The course follows the order of Jay Alammar's
# [The Illustrated GPT-2](https://jalammar.github.io/illustrated-gpt2/). Text, code and figures
# are our own (text and figures CC BY 4.0, code MIT).*
#
# ## How a lesson works
#
# Go from top to bottom. **Shift+Enter** runs a cell and moves to the next one.
#
# - **Run** a cell that is ready, and look at what it shows.
# - **Answer** a question: write your letter or number into the cell and run it. Not graded. Decide
#   before you run the cell after it: your own guess, right or wrong, helps you to understand.
# - **Write** a function where you read `# YOUR CODE HERE`. These are graded.
#
# Run the next cell first.

# %%
import numpy as np

from illustrated_attention import answer, check, hint, progress
from illustrated_attention.figures import orientation as draw
from illustrated_attention.figures.key import colour_key
from illustrated_attention.gpt2_files import robot_sentence
from illustrated_attention.widgets.explorer import explore_recorded

np.set_printoptions(precision=3, suppress=True)
colour_key(["numbers"])

# %% [markdown]
# ## Where this leads
#
# A small GPT-2 reads a sentence. Each token (here a word or a full stop) looks at itself and at
# the tokens before it, and from what it finds there the model says which word comes next. In front
# stands a start token, `<|endoftext|>`. Run the cell.

# %%
explore_recorded()

# %% [markdown]
# The **query** is the token that looks; the percentages say how much it takes from each token. **Try:**
#
# - As it stands, "It" looks at "robot". Choose the sentence with the dog: what follows now?
# - Choose another query, or another **head**: each head looks for something else.
#
# You need not understand the rest yet. At the end of the course all of this is your own code.
#
# ## One sentence
#
# The whole course uses the beginning of the Second Law of Robotics, from Isaac Asimov's story
# "Runaround" (1942): *A robot must obey the orders given it …*
#
# GPT-2 reads a text as **tokens**: words, or pieces of words. In this sentence every word is one
# token.

# %%
sentence = ["A", "robot", "must", "obey", "the", "orders", "given", "it"]
len(sentence)

# %% [markdown]
# The place of a token is its **position**. Drawings often count positions from 1; Python counts
# from 0. The article draws a start token in front of the sentence and counts from 1, so its
# number 9 is "it".
#
# **Predict `00-index`.** Our list has no start token. Which index has "it"? Put a number in
# place of the dots, then run the cell.

# %%
answer("00-index", ...)

# %%
draw.token_positions(sentence)

# %% [markdown]
# ## Shapes and axes
#
# Attention works on arrays. An array has **axes**, and its **shape** is the list of their sizes.
# Here are four tokens with three numbers each. The numbers of one token are called its features.

# %%
x = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [2.0, 0.0, 2.0], [1.0, 1.0, 1.0]])
draw.axes_of(x, ["tokens", "features"])

# %% [markdown]
# `x.sum(axis=1)` adds up *along* axis 1: that axis disappears, and one sum is left for each
# token. `axis=-1` means the last axis, whichever number it has. Here it is axis 1.
#
# **Predict `00-sum`.** What is the shape of `x.sum(axis=-1)`?
#
# - (a) `(4,)`
# - (b) `(3,)`
# - (c) `(4, 3)`
# - (d) `()`, a single number

# %%
answer("00-sum", "?")

# %%
x.sum(axis=-1), x.sum(axis=-1, keepdims=True)

# %% [markdown]
# With `keepdims=True` the axis stays, with size 1. Its shape `(4, 1)` still lines up with the
# rows of `x`, so `x / x.sum(axis=-1, keepdims=True)` divides each row by its own sum. You will
# need that in lesson 01.
#
# Now two sentences at once, a **batch**. It has one more axis, in front.

# %%
batch = np.stack([x, x + 1])
draw.axes_of(batch, ["sentences", "tokens", "features"])

# %% [markdown]
# Axes in front of those that a function works on are **leading axes**. In a shape we write them
# as three dots: `[..., T, D]` means "any leading axes, then T tokens, then D features".
#
# **Predict `00-leading`.** Which line adds up the features of each token for `x` and for `batch`
# alike, if you put either in place of `a`?
#
# - (a) `a.sum(axis=0)`
# - (b) `a.sum(axis=1)`
# - (c) `a.sum(axis=2)`
# - (d) `a.sum(axis=-1)`

# %%
answer("00-leading", "?")

# %%
x.sum(axis=-1).shape, batch.sum(axis=-1).shape

# %% [markdown]
# The matrix product `@` works on the last two axes and leaves leading axes alone. In
# `[4, 3] @ [3, 2]` each row on the left meets each column on the right. The two 3s must agree,
# and they disappear: the result is `[4, 2]`. Its row 2 is made from row 2 on the left alone, so
# one product does the work of a loop over all tokens.
#
# **Predict `00-product`.** `w` has the shape `[3, 2]`. What is the shape of `batch @ w`?
#
# - (a) `(4, 2)`
# - (b) `(2, 4, 3)`
# - (c) `(2, 4, 2)`
# - (d) NumPy refuses: the number of axes differs

# %%
answer("00-product", "?")

# %%
w = np.array([[1.0, 0.0], [0.5, 1.0], [0.0, -1.0]])
print((x @ w).shape, (batch @ w).shape)
print(x[2] @ w)
print(x @ w)

# %% [markdown]
# ## Rules for every graded function
#
# 1. It works for any leading axes, unless the exercise says otherwise.
# 2. It returns new arrays and never changes an argument.
# 3. It takes any kind of float, and whole numbers too. A result that is off by less than one part
#    in 10,000 is right.
# 4. It raises `ValueError` only where the exercise asks for it.
#
# Your own helper functions are welcome. How you compute is up to you.
#
# **Predict `00-change`.** The next cell calls `halve(a)`. What is `a` afterwards?
#
# - (a) `[2. 4.]`, as before
# - (b) `[1. 2.]`: the function changed it

# %%
answer("00-change", "?")


# %%
def halve(values):
    values /= 2
    return values


a = np.array([2.0, 4.0])
halve(a)
print(a)

# %% [markdown]
# `values /= 2` writes into the caller's array and breaks rule 2. `values = values / 2` makes a
# new one.
#
# ## From tokens to vectors
#
# GPT-2 has two tables of learned numbers: `wte` has a row for each token it knows, `wpe` a row
# for each position. A token is given by its **id**, the number of its row in `wte`. Here is a
# tiny model with 6 tokens, 5 positions and 4 features.

# %%
vocabulary = ["a", "robot", "must", "obey", "the", "orders"]
wte = np.array(
    [
        [0.3, 0.1, -0.2, 0.0],
        [-1.1, 0.8, 1.0, 0.1],
        [-0.2, 1.9, -0.9, 0.0],
        [1.7, 0.1, -0.1, -0.8],
        [0.2, 0.0, 0.1, -0.1],
        [0.9, -0.7, -0.2, 0.9],
    ]
)
wpe = np.array(
    [
        [0.1, 0.2, 0.0, -0.1],
        [0.2, 0.1, -0.1, 0.0],
        [0.3, -0.1, 0.1, -0.2],
        [0.1, -0.3, 0.2, 0.1],
        [0.0, 0.2, -0.3, 0.1],
    ]
)
tokens = ["robot", "must", "obey", "orders"]
token_ids = np.array([vocabulary.index(token) for token in tokens])
token_ids

# %% [markdown]
# **Worked example: one token.** "obey" has id 3 and stands at position 2. Its vector is
#
# row 3 of `wte` + row 2 of `wpe` = `[1.7, 0.1, -0.1, -0.8]` + `[0.3, -0.1, 0.1, -0.2]`
#
# **Predict `00-obey`.** What is the last number of the sum?

# %%
answer("00-obey", ...)

# %%
wte[3] + wpe[2]

# %% [markdown]
# An array of ids picks several rows at once: `wte[np.array([3, 3, 0])]` is rows 3, 3 and 0.
#
# ### Exercise 0.1 · embed
#
# *10 minutes · easy*
#
# - **In:** `token_ids` `[..., T]`, `wte` `[V, D]`, `wpe` `[N, D]`, and `start`, the position of
#   the first token (0 unless it is given).
# - **Out:** `[..., T, D]`: for each token its row of `wte` plus the row of its position.
#   The positions are `start`, `start + 1`, and so on.
# - **Refuse:** there are only N positions. If `start + T` is larger than N, raise a `ValueError`
#   that says so.


# %% solution="embed"
def embed(token_ids, wte, wpe, start=0):
    """Turn token ids into vectors: token vector + position vector.

    Parameters
    ----------
    token_ids : int ndarray, [..., T]
    wte : ndarray, [V, D]
        One row for each token of the vocabulary.
    wpe : ndarray, [N, D]
        One row for each position.
    start : int
        The position of the first token.

    Returns
    -------
    ndarray, [..., T, D]

    Raises
    ------
    ValueError
        If ``start + T > N``.
    """
    ### BEGIN SOLUTION
    n_tokens = token_ids.shape[-1]
    n_positions = wpe.shape[0]
    if start + n_tokens > n_positions:
        raise ValueError(
            f"{n_tokens} tokens from position {start} on do not fit in {n_positions} positions"
        )
    return wte[token_ids] + wpe[start : start + n_tokens]
    ### END SOLUTION


# %% [markdown]
# `check` tries your function on small cases and shows a card. If something is wrong, the card
# says what it saw, and often which mistake it is. Try as often as you like. If you are stuck, run
# `hint(embed)` in a cell of your own (**Esc**, then **B** makes one): there are three hints, and
# each says more.

# %% tests="embed"
# Hidden tests run here when your work is graded. They try the same things as check with other
# numbers: longer sentences, several leading axes, a later start, and too few positions.

# %% [markdown]
# The next cell draws what your function makes of the four words. A table of zeros adds nothing,
# so the first two arrays are the token part and the position part alone. The sum, `x`, is the
# input of lesson 01.
#
# **Why? `00-why-positions`** In "a robot and a robot" the word "robot" comes twice. What would be
# lost without `wpe`? Run the cell, look, and put your letter in.
#
# - (a) The two words would get the same id.
# - (b) The vectors would be too short.
# - (c) Nothing: the rows of `x` are in order anyway.
# - (d) The two words would get exactly the same vector.

# %%
answer("00-why-positions", "?")
x = embed(token_ids, wte, wpe)
draw.embedding_sum(tokens, embed(token_ids, wte, 0 * wpe), embed(token_ids, 0 * wte, wpe), x)

# %% [markdown]
# The smallest GPT-2, **GPT-2 small**, has the same two tables, only larger: 50,257 tokens, 1,024
# positions, 768 features. Its tokens are not always whole words: at the start of a text, "robot"
# with a small letter is two tokens, `ro` and `bot`.
#
# For this course a much smaller GPT-2 was trained. This is what it makes of our sentence, with
# its start token in front. The shape is `[T, D]`.

# %%
recorded = robot_sentence()
print(recorded.tokens)
print(recorded.x.shape)

# %% [markdown]
# **Predict `00-start`.** GPT-2 writes a text token by token. It has read 5 tokens, at positions 0
# to 4, and now `embed` gets the next token alone. Which `start` must it be given?

# %%
answer("00-start", ...)

# %% [markdown]
# ## Take away
#
# - A shape names the size of each axis; `axis=-1` and `@` leave leading axes alone.
# - A token's vector is its row of `wte` plus the row of its position in `wpe`; positions start
#   at 0.
# - Predict, run, write, check; `hint` when stuck.
#
# **Recall `00-recall-shape`.** A batch of 2 sentences of 7 tokens goes through `embed`, D is 768.
# What is the shape of the result?
#
# - (a) `(7, 768)`
# - (b) `(14, 768)`
# - (c) `(2, 7, 768)`
# - (d) `(2, 768, 7)`
#
# **Recall `00-recall-keepdims`.** `scores` has the shape `(5, 7)`. You want to divide each row by
# its own sum. What do you divide by?
#
# - (a) `scores.sum(axis=-1)`
# - (b) `scores.sum(axis=-1, keepdims=True)`
# - (c) `scores.sum()`
# - (d) `scores.sum(axis=0)`

# %%
answer("00-recall-shape", "?")
answer("00-recall-keepdims", "?")

# %%
progress()

# %% [markdown]
# ## Hand in
#
# 1. Menu **Kernel**, **Restart Kernel and Run All Cells**. It runs to the last cell, also where a
#    check fails: there the card says what is wrong, with an error under it. You may hand in with
#    exercises open. Each counts by itself.
# 2. Save: **Ctrl+S**, on a Mac **Cmd+S**.
# 3. Menu **Nbgrader**, **Assignment List**. Find this lesson under **Downloaded assignments** and
#    press **Submit**. You may hand in again; the latest one counts.
#
# When your work is graded, hidden tests with other numbers and shapes run beside `check`. A
# function that keeps the rules passes both. The button **Validate** runs no hidden tests: "passes
# all the tests" means the visible ones. (On Windows there is no Submit: hand in the file as your
# instructor says.)
#
# **Next:** [01 · Self-attention](../01_self_attention/01_self_attention.ipynb).
