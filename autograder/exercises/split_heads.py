"""`split_heads`, lesson 04. One wide vector into heads."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.pieces import flip, in_heads, split
from autograder.exercises.small_models import numbered
from autograder.exercises.steps import Steps
from autograder.exercises.ways import _HEAD_AXES, OUTPUTS, SPLITS, cut_into_heads, same

SPLIT_HEADS = Exercise(
    name="split_heads",
    lesson="04_multi_head",
    can="You can now share out the features among heads.",
    visible=(
        Case("numbered cells, two heads", (numbered(2, 6), 2)),
        Case("four tokens, three heads", (tidy(4, 6, seed=421), 3)),
        Case("four tokens, two heads", (numbered(4, 6), 2)),
        Case("one token", (tidy(1, 6, seed=422), 3)),
        Case("one head", (tidy(3, 4, seed=423), 1)),
        Case("two sentences at once", (tidy(2, 4, 6, seed=424), 3)),
        Case("must refuse: 6 features, 4 heads", (tidy(2, 6, seed=425), 4), raises="ValueError"),
        Case("must refuse: 4 features, 8 heads", (tidy(2, 4, seed=426), 8), raises="ValueError"),
    ),
    hidden=(
        Case("other sizes", (rough(5, 18, seed=431), 3)),
        Case("other sizes in three axes", (rough(2, 5, 18, seed=432), 3)),
        Case("a grid of sentences", (rough(2, 3, 5, 18, seed=433), 6)),
        Case("two heads", (rough(8, 14, seed=434), 2)),
        Case("one token", (rough(1, 18, seed=435), 6)),
        Case("whole numbers", (np.arange(60).reshape(5, 12), 4)),
        Case("the width of GPT-2 small", (rough(3, 768, seed=436), 12)),
        Case("heads of one number", (rough(3, 5, seed=437), 5)),
        Case("a rest of features", (rough(3, 5, 18, seed=438), 4), raises="ValueError"),
        Case("more heads than features", (rough(3, 6, seed=439), 7), raises="ValueError"),
        late("as many heads as features in each", (rough(5, 16, seed=430), 4)),
        late("all sizes equal", (rough(6, 6, 6, seed=431), 6)),
        late("as many tokens as heads", (rough(3, 12, seed=432), 3)),
        late("as many tokens as features in a head", (rough(2, 4, 12, seed=433), 3)),
        late("25 heads of 64 features, as in GPT-2 XL", (rough(2, 1600, seed=434), 25)),
        late("many heads", (rough(2, 3, 37 * 11, seed=435), 37)),
        late("a long text", (rough(FAR, 4, seed=436), 2)),
        late("one feature", (rough(4, 1, seed=437), 1)),
        late("one feature for two heads", (rough(4, 1, seed=438), 2), raises="ValueError"),
        late("a rest of one feature", (rough(12, 3, 13, seed=439), 12), raises="ValueError"),
    ),
    promises=(
        Promise(
            "every number of x comes exactly once",
            "only_moves_numbers",
            (numbered(4, 6), 3),
            (rough(2, 5, 18, seed=441), 3),
        ),
        Promise(
            "shuffled tokens give shuffled rows in every head",
            "tokens_in_any_order",
            (numbered(4, 6), np.array([2, 0, 3, 1]), 2),
            (rough(2, 5, 18, seed=442), np.array([3, 1, 4, 0, 2]), 3),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 3, 4, seed=443), 2),
            (1, rough(3, 5, 18, seed=444), 6),
        ),
    ),
    hints=(
        "First write down two shapes for four tokens, 6 features and 2 heads: the one you have and "
        "the one you need. Which axis is cut, and which axes change places?",
        "Two steps. A reshape cuts the last axis only: from [..., T, D] to [..., T, H, d]. Then "
        "heads and tokens change places: `np.swapaxes` with axes counted from the back. Before "
        "that, refuse what cannot be shared out: `%` gives the rest of a division.",
        "`x.reshape(*x.shape[:-1], n_head, d)` cuts, where d is `x.shape[-1] // n_head`. Then swap "
        "the axes -2 and -3. Before all that, raise a ValueError if `x.shape[-1] % n_head` is not "
        "0.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _refuse(x, n_head):
    if x.shape[-1] % n_head:
        raise ValueError("the features cannot be shared out evenly")


def _split_by(formula):
    """A wrong formula behind the right refusal: only the formula is the mistake."""

    def split_heads(x, n_head):
        _refuse(x, n_head)
        return formula(x, n_head, x.shape[-1] // n_head)

    return split_heads


SPLIT_HEADS.mistake(
    "reshaped_only",
    "The shape is right, but tokens and heads are mixed: a reshape straight to (H, T, d) "
    "reads row after row. Row t of head h must come from row t of `x`. (With one token "
    "nothing shows.) Cut the last axis first, then swap.",
    _split_by(lambda x, n, d: x.reshape(*x.shape[:-2], n, x.shape[-2], d)),
    _split_by(lambda x, n, d: x.reshape(n, x.shape[-2], d)),
    _split_by(lambda x, n, d: x.reshape(n, -1, d)),
    _split_by(lambda x, n, d: x.reshape(n, x.shape[0], -1)),
)

SPLIT_HEADS.mistake(
    "not_transposed",
    "The features are cut rightly, but the axes are in the order tokens, heads, features. "
    "Attention works on the last two axes: they must be tokens and features. Move the "
    "heads in front of the tokens.",
    _split_by(lambda x, n, d: in_heads(x, n)),
)

SPLIT_HEADS.mistake(
    "features_interleaved",
    "Your head 0 gets every H-th feature. GPT-2 gives a head features that lie side by "
    "side: head 0 the first d, head 1 the next d, and so on.",
    _split_by(lambda x, n, d: np.moveaxis(x.reshape(*x.shape[:-1], d, n), -1, -3)),
    _split_by(lambda x, n, d: np.stack([x[..., h::n] for h in range(n)], axis=-3)),
    _split_by(
        lambda x, n, d: x.reshape(*x.shape[:-1], n, d, order="F").swapaxes(-2, -3),
    ),
)

SPLIT_HEADS.mistake(
    "count_and_size_exchanged",
    "You make d heads of H numbers. It should be H heads of d numbers: in a reshape the "
    "number of heads comes first, then the size of a head.",
    _split_by(lambda x, n, d: x.reshape(*x.shape[:-1], d, n)),
    _split_by(lambda x, n, d: x.reshape(*x.shape[:-1], d, n).swapaxes(-2, -3)),
)

SPLIT_HEADS.mistake(
    "all_axes_reversed",
    "`.T` reverses all axes. Only heads and tokens change places here; the features stay "
    "last, and leading axes stay where they are.",
    _split_by(lambda x, n, d: in_heads(x, n).T),
    _split_by(lambda x, n, d: x.T.reshape(n, x.shape[-2], d)),
)

SPLIT_HEADS.mistake(
    "wrong_axes_swapped",
    "Heads and features have changed places. It is heads and tokens that must: from "
    "[T, H, d] to [H, T, d].",
    _split_by(lambda x, n, d: flip(in_heads(x, n))),
    _split_by(lambda x, n, d: in_heads(x, n).swapaxes(-1, -3)),
)

SPLIT_HEADS.mistake(
    "heads_transposed",
    "Each head is right, but lies on its side: [d, T]. A row belongs to a token here, too: [T, d].",
    _split_by(lambda x, n, d: np.moveaxis(in_heads(x, n), -3, -1)),
)

SPLIT_HEADS.mistake(
    "transposed_first",
    "You swap axes first and reshape afterwards. Then the reshape cuts columns that are "
    "no tokens any more. Cut the features first; swap afterwards.",
    _split_by(lambda x, n, d: flip(x).reshape(*x.shape[:-2], n, x.shape[-2], d)),
)

SPLIT_HEADS.mistake(
    "tokens_split",
    "You share out the tokens (or the sentences). Every head sees ALL tokens; the "
    "features are shared out: cut the last axis.",
    lambda x, n_head: np.stack(np.split(x, n_head, axis=-2), axis=-3),
    lambda x, n_head: np.stack(np.split(x, n_head)),
    lambda x, n_head: np.array(np.split(x, n_head)),
    lambda x, n_head: x.reshape(*x.shape[:-2], n_head, x.shape[-2] // n_head, x.shape[-1]),
)


def _slices(x, n_head, d):
    return [x[..., h * d : (h + 1) * d] for h in range(n_head)]


SPLIT_HEADS.mistake(
    "list_returned",
    "Your heads are in a list or tuple. Return one array, with an axis for the heads: "
    "`np.stack` can make it.",
    _split_by(lambda x, n, d: _slices(x, n, d)),
    _split_by(lambda x, n, d: tuple(_slices(x, n, d))),
    _split_by(lambda x, n, d: split(x, n).tolist()),
)

SPLIT_HEADS.mistake(
    "heads_before_the_batch",
    "With one sentence the result is right. With several, the heads stand in front of the "
    "sentences. The heads belong right in front of the tokens: [..., H, T, d].",
    _split_by(lambda x, n, d: np.stack(_slices(x, n, d))),
    _split_by(lambda x, n, d: np.moveaxis(in_heads(x, n), -2, 0)),
    _split_by(lambda x, n, d: np.array(_slices(x, n, d))),
)


def _two_axes_only(x, n_head, d):
    n_tokens, _width = x.shape
    return x.reshape(n_tokens, n_head, d).transpose(1, 0, 2)


def _three_axes_only(x, n_head, d):
    n_examples, n_tokens, _width = x.shape
    return x.reshape(n_examples, n_tokens, n_head, d).transpose(0, 2, 1, 3)


SPLIT_HEADS.mistake(
    "axes_counted_from_the_front",
    "Your function works for one sentence or for a batch, but not for both. Count axes "
    "from the back: the last is -1, the one before it -2, and so on. Keep all sizes before "
    "them with `*x.shape[:-1]`.",
    _split_by(_two_axes_only),
    _split_by(_three_axes_only),
    _split_by(lambda x, n, d: in_heads(x, n).transpose(1, 0, 2)),
    _split_by(lambda x, n, d: in_heads(x, n).transpose(0, 2, 1, 3)),
    _split_by(lambda x, n, d: in_heads(x, n).swapaxes(0, 1)),
    _split_by(lambda x, n, d: in_heads(x, n).swapaxes(1, 2)),
    _split_by(lambda x, n, d: x.reshape(x.shape[0], n, d).swapaxes(0, 1)),
    _split_by(lambda x, n, d: x.reshape(*x.shape[:2], n, d).swapaxes(1, 2)),
    _split_by(lambda x, n, d: x.reshape(x.shape[-2], n, d).swapaxes(0, 1)),
    _split_by(lambda x, n, d: np.stack([x[:, h * d : (h + 1) * d] for h in range(n)])),
    _split_by(lambda x, n, d: np.stack(np.split(x, n, axis=1))),
)

SPLIT_HEADS.mistake(
    "always_a_batch",
    "You make all leading axes into one, or add one where there is none. Leading axes must "
    "come out as they went in.",
    _split_by(lambda x, n, d: x.reshape(-1, x.shape[-2], n, d).transpose(0, 2, 1, 3)),
)

SPLIT_HEADS.mistake(
    "sizes_of_gpt2",
    "You use 12 heads or 64 numbers a head, whatever is asked. Those are the sizes of "
    "GPT-2 small. Use `n_head`, and work out the size of a head from D.",
    lambda x, n_head: x.reshape(*x.shape[:-1], 12, 64).swapaxes(-2, -3),
    lambda x, n_head: x.reshape(*x.shape[:-1], 12, -1).swapaxes(-2, -3),
    lambda x, n_head: x.reshape(*x.shape[:-1], -1, 64).swapaxes(-2, -3),
    _split_by(lambda x, n, d: x.reshape(*x.shape[:-1], n, 64).swapaxes(-2, -3)),
    lambda x, n_head: np.stack(np.split(x, 12, axis=-1), axis=-3),
)

SPLIT_HEADS.mistake(
    "heads_reversed",
    "Your heads are reversed. Head 0 gets the first d features of every token, head 1 the next d.",
    _split_by(lambda x, n, d: split(x, n)[..., ::-1, :, :]),
)

SPLIT_HEADS.mistake(
    "one_head_repeated",
    "All your heads hold the same features. Head h starts at feature h times d.",
    _split_by(lambda x, n, d: np.stack([x[..., :d]] * n, axis=-3)),
    _split_by(lambda x, n, d: np.stack([x[..., -d:]] * n, axis=-3)),
)

SPLIT_HEADS.mistake(
    "overlapping_slices",
    "Your heads overlap: each starts one feature after the one before. Head h starts at "
    "feature h times d.",
    _split_by(lambda x, n, d: np.stack([x[..., h : h + d] for h in range(n)], axis=-3)),
)

SPLIT_HEADS.mistake(
    "first_head_only",
    "You return one head. Return all of them, with an axis of size H in front of the tokens.",
    _split_by(lambda x, n, d: x[..., :d]),
)

SPLIT_HEADS.mistake(
    "full_width_for_every_head",
    "Every head gets all D features. The features are shared out: each head gets d = D / H "
    "of them. That is why more heads cost nothing.",
    _split_by(lambda x, n, d: np.stack([x] * n, axis=-3)),
)

SPLIT_HEADS.mistake(
    "heads_and_tokens_in_one_axis",
    "Heads and tokens lie on one axis. They need two: [..., H, T, d], so that attention "
    "can work on each head by itself.",
    _split_by(lambda x, n, d: split(x, n).reshape(*x.shape[:-2], -1, d)),
    _split_by(lambda x, n, d: np.concatenate(_slices(x, n, d), axis=-2)),
)

SPLIT_HEADS.mistake(
    "x_unchanged",
    "You return `x` as it came. Cut its last axis into H heads of d features.",
    _split_by(lambda x, n, d: x.copy()),
)


def _rest_dropped(x, n_head):
    return np.stack(_slices(x, n_head, x.shape[-1] // n_head), axis=-3)


SPLIT_HEADS.mistake(
    "rest_dropped",
    "When the features cannot be shared out evenly you drop the rest without a word. Then "
    "the model loses information and nobody knows. Raise a `ValueError` that says so.",
    _rest_dropped,
    lambda x, n_head: split(
        x[..., : x.shape[-1] // n_head * n_head],
        n_head,
    ),
)


def _split_asserts(x, n_head):
    assert x.shape[-1] % n_head == 0
    return split(x, n_head)


def _refusal_printed(x, n_head):
    if x.shape[-1] % n_head:
        print("the features cannot be shared out evenly")
        return None
    return split(x, n_head)


SPLIT_HEADS.mistake(
    "not_a_value_error",
    "All is right but the refusal: when D cannot be shared out evenly, raise a "
    "`ValueError`. An assert raises an AssertionError, and a printed sentence stops "
    "nobody.",
    _split_asserts,
    _refusal_printed,
)


def _split_in_place(x, n_head, d):
    x.shape = (*x.shape[:-1], n_head, d)
    return x.swapaxes(-2, -3).copy()


SPLIT_HEADS.mistake(
    "x_changed",
    "`x` has another shape or other numbers after the call: assigning to `x.shape` changes "
    "the caller's array. `x.reshape(...)` gives you a new view and leaves `x` alone.",
    _split_by(_split_in_place),
)

# --- unusual, and right --------------------------------------------------------------------------

SPLIT_HEADS.also_right(
    "slices, stacked", _split_by(lambda x, n, d: np.stack(_slices(x, n, d), axis=-3))
)

SPLIT_HEADS.also_right(
    "np.split, stacked",
    _split_by(lambda x, n, d: np.stack(np.split(x, n, axis=-1), axis=-3)),
)

SPLIT_HEADS.also_right("moveaxis", _split_by(lambda x, n, d: np.moveaxis(in_heads(x, n), -2, -3)))

SPLIT_HEADS.also_right(
    "transpose with a tuple of axes",
    _split_by(
        lambda x, n, d: in_heads(x, n).transpose(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2, x.ndim)
    ),
)

SPLIT_HEADS.also_right(
    "einsum",
    _split_by(lambda x, n, d: np.einsum("...thd->...htd", in_heads(x, n))),
)

SPLIT_HEADS.also_right(
    "transposed, reshaped, transposed back",
    _split_by(lambda x, n, d: flip(flip(x).reshape(*x.shape[:-2], n, d, x.shape[-2]))),
)


@SPLIT_HEADS.also_right("fancy index")
def _fancy_index(x, n_head):
    _refuse(x, n_head)
    columns = np.arange(x.shape[-1]).reshape(n_head, -1)
    return np.moveaxis(x[..., columns], -2, -3)


@SPLIT_HEADS.also_right("cell by cell")
def _cell_by_cell(x, n_head):
    d = x.shape[-1] // n_head
    if d * n_head != x.shape[-1]:
        raise ValueError("D must be a multiple of n_head")
    out = np.empty((*x.shape[:-2], n_head, x.shape[-2], d))
    for *leading, token, feature in np.ndindex(*x.shape):
        out[(*leading, feature // d, token, feature % d)] = x[(*leading, token, feature)]
    return out


@SPLIT_HEADS.also_right("as_strided")
def _strided(x, n_head):
    _refuse(x, n_head)
    d, (*leading, row, cell) = x.shape[-1] // n_head, x.strides
    return np.lib.stride_tricks.as_strided(
        x, (*x.shape[:-2], n_head, x.shape[-2], d), (*leading, d * cell, row, cell)
    )


SPLIT_HEADS.also_right(
    "contiguous copy", lambda x, n: _refuse(x, n) or np.ascontiguousarray(split(x, n))
)

SPLIT_HEADS.also_right(
    "NumPy's own refusal", lambda x, n: np.stack(np.split(x, n, axis=-1), axis=-3)
)

SPLIT_HEADS.also_right("float32", lambda x, n: _refuse(x, n) or split(x.astype("f4"), n))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(split, out):
    def split_heads(x, n_head):
        if x.shape[-1] % n_head:
            raise ValueError
        return out(split(x, n_head))

    return split_heads


SPLIT_HEADS.steps = Steps(
    _build,
    {"split": cut_into_heads, "out": same},
    {"split": SPLITS, "out": (*_HEAD_AXES, *OUTPUTS[:5])},
)
