"""`masked_softmax`, lesson 02. Weights where some scores are hidden."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.pieces import flip, softmax, softmax_of_visible, triangle
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import HIDES, RIGHT_HIDE, RIGHT_SHARES, SHARES, same, weights_of
from illustrated_attention.language import later as _

# The article's scores before softmax (figure F9) and its weights after it (F11).
ARTICLE_SCORES = np.array(
    [
        [0.11, 0.00, 0.81, 0.79],
        [0.19, 0.50, 0.30, 0.48],
        [0.53, 0.98, 0.95, 0.14],
        [0.81, 0.86, 0.38, 0.90],
    ]
)


def _quarters(*shape, seed):
    """Multiples of 1/4: float32 holds them exactly even when a large number is added."""
    return np.round(rough(*shape, seed=seed) * 8) / 4


def _from_the_corner(n_queries, n_keys):
    """The newest query sees all keys, the one before it all but one, and so on."""
    return np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool)


_FIRST_TWO_ONLY = np.array([[True, True, False]] * 3)

_HIGH_SCORES_HIDDEN = np.array([[True, False, True], [True, True, False]])

_EACH_ITS_OWN = np.array(
    [[[1, 0, 0], [1, 1, 0], [1, 1, 1]], [[0, 1, 1], [0, 1, 1], [0, 0, 1]]], dtype=bool
)

_SCATTERED = np.array(
    [[1, 0, 1, 1, 0], [0, 0, 0, 1, 0], [1, 1, 1, 1, 1], [0, 1, 0, 0, 1]], dtype=bool
)

MASKED_SOFTMAX = Exercise(
    name="masked_softmax",
    lesson="02_masked_attention",
    can="You can now hide tokens so that they get exactly no weight.",
    visible=(
        Case("the article's scores", (ARTICLE_SCORES, triangle(4))),
        Case("two queries, three keys", (tidy(2, 3, seed=200), _from_the_corner(2, 3))),
        Case("a mask that is no triangle", (tidy(3, 3, seed=201), _FIRST_TWO_ONLY)),
        Case("scores near -20000", (_quarters(3, 3, seed=202) - 2e4, triangle(3))),
        Case("scores near 1000", (_quarters(3, 3, seed=203) + 1e3, triangle(3))),
        Case("whole numbers", (np.array([[1, 2, 0], [3, 1, 1], [0, 2, 1]]), triangle(3))),
        Case("a batch with two heads", (tidy(2, 2, 3, 3, seed=204), triangle(3))),
        Case("a mask for each sentence", (tidy(2, 3, 3, seed=205), _EACH_ITS_OWN)),
        Case(
            "a mask shared by the heads of each sentence",
            (tidy(2, 2, 3, 3, seed=206), _EACH_ITS_OWN[:, None]),
        ),
        late(
            "hidden scores far above the visible ones",
            (np.array([[0.0, 1000.0, 1.0], [-1.0, 1.0, 2000.0]]), _HIGH_SCORES_HIDDEN),
        ),
    ),
    hidden=(
        Case("more keys than queries", (rough(5, 7, seed=210), _from_the_corner(5, 7))),
        Case("four axes", (rough(2, 3, 5, 5, seed=211) * 2, triangle(5))),
        Case("a mask that is no triangle", (rough(4, 5, seed=212), _SCATTERED)),
        Case("very low scores", (_quarters(5, 5, seed=213) - 3e4, triangle(5))),
        Case("very high scores", (_quarters(4, 6, seed=214) + 5e4, _from_the_corner(4, 6))),
        Case("one query", (rough(1, 6, seed=215), _from_the_corner(1, 6))),
        Case("one key may be seen", (rough(3, 4, seed=216), np.eye(3, 4, 1, dtype=bool))),
        Case("whole numbers", (np.array([[7, -3, 0], [1, 1, 5]]), _from_the_corner(2, 3))),
        Case(
            "a mask shared by the heads of each sentence",
            (
                rough(2, 3, 4, 5, seed=217),
                np.stack([_SCATTERED, ~_SCATTERED | (np.arange(5) == 2)])[:, None],
            ),
        ),
        late(
            "hidden scores far above the visible ones",
            (
                np.where(_SCATTERED, rough(4, 5, seed=218), 3000 + rough(4, 5, seed=219)),
                _SCATTERED,
            ),
        ),
        late(
            "hidden scores far above very low ones",
            (np.where(triangle(5), _quarters(5, 5, seed=224) - 2e4, 3e4), triangle(5)),
        ),
        late("one query in a batch", (rough(3, 1, 6, seed=225), np.arange(6)[None] % 2 == 1)),
        late("many keys", (rough(2, FAR, seed=226), _from_the_corner(2, FAR))),
        late("many queries", (rough(LONG, LONG, seed=227), triangle(LONG))),
        late("all sizes equal", (rough(4, 4, 4, 4, seed=228), triangle(4))),
        late(
            "all sizes equal, a mask for each sentence",
            (
                rough(4, 4, 4, 4, seed=229),
                np.stack([np.roll(triangle(4), i, axis=1) for i in range(4)])[:, None],
            ),
        ),
        late("everything may be seen", (rough(3, 4, seed=230), np.ones((3, 4), bool))),
        late("one key", (rough(2, 3, 1, seed=231), np.ones((3, 1), bool))),
    ),
    promises=(
        Promise(
            "hidden keys get exactly 0",
            "hidden_keys_get_zero",
            (tidy(3, 3, seed=220), triangle(3)),
            (rough(2, 5, 7, seed=221), _from_the_corner(5, 7)),
        ),
        Promise(
            "hidden scores do not matter",
            "hidden_scores_do_not_matter",
            (tidy(4, 4, seed=222), triangle(4)),
            (rough(3, 6, 6, seed=223), triangle(6)),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 2, 3, 3, seed=204), triangle(3)),
            (1, rough(3, 2, 4, 4, seed=224), triangle(4)),
        ),
    ),
    hints=(
        "A hidden key must get the weight 0, and the visible ones must share everything. So hide "
        "before softmax. Which score makes exp exactly 0?",
        "Make new scores: the old score where the mask is True, minus infinity where it is "
        "False. `np.where` chooses between two values, cell by cell. Then your `softmax`.",
        "`np.where(mask, scores, -np.inf)` are the scores to give to `softmax`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _with_hidden_score(score):
    """Masked softmax that gives hidden keys this score instead of minus infinity."""
    return lambda s, mask: softmax(np.where(mask, s, score))


MASKED_SOFTMAX.mistake(
    "score_zero",
    "Hidden keys still get weight: you give them the score 0, and exp(0) is 1. Zero is an "
    "ordinary score. The weight must become 0; which score does that?",
    _with_hidden_score(0.0),
    lambda s, mask: softmax(s * mask),
    _with_hidden_score(1e-10),
)

MASKED_SOFTMAX.mistake(
    "hidden_after_softmax",
    "Your rows no longer sum to 1. The hidden keys took their share first and you threw "
    "it away afterwards. Hide before softmax, so that the seen keys share everything.",
    lambda s, mask: softmax(s) * mask,
)


def hidden_after_and_shared_again(s, mask):
    weights = softmax(s) * mask
    return weights / weights.sum(axis=-1, keepdims=True)


def exp_times_mask_below_the_largest_of_all(s, mask):
    exp = np.exp(s - s.max()) * mask
    return exp / exp.sum(axis=-1, keepdims=True)


MASKED_SOFTMAX.mistake(
    "hidden_too_late",
    "Right until a hidden score is far above the visible ones: then it takes all the "
    "weight, nothing is left for the others, and 0 divided by 0 is nan. Hide before "
    "softmax: a hidden score must not even take part in the row's largest.",
    hidden_after_and_shared_again,
    exp_times_mask_below_the_largest_of_all,
)

MASKED_SOFTMAX.mistake(
    "softmax_again_after_hiding",
    "The zeros come back: after hiding you apply softmax once more, and exp(0) is 1. "
    "Hide before the only softmax.",
    lambda s, mask: softmax(softmax(s) * mask),
)

MASKED_SOFTMAX.mistake(
    "softmax_twice",
    "Hidden keys have weight again: you apply softmax to weights. Mask the scores, then "
    "apply softmax once.",
    lambda s, mask: softmax(softmax_of_visible(s, mask)),
)

MASKED_SOFTMAX.mistake(
    "plus_infinity",
    "Rows with a hidden key are nan. A hidden score of plus infinity does that, for it makes "
    "the hidden key the best one of all, and so does one of nan. What is exp of minus infinity?",
    _with_hidden_score(np.inf),
)

MASKED_SOFTMAX.mistake(
    "zero_times_infinity",
    "All of your results are nan. Either a mask is multiplied with infinity, and in NumPy 0 "
    "times infinity is nan; or every key is hidden: `~` of a mask of whole numbers is never 0, so "
    "it is True everywhere. Choose between two values with `np.where` and the mask as it is.",
    lambda s, mask: softmax(s + (1 - mask) * -np.inf),
    lambda s, mask: softmax(s * mask - (1 - mask) * np.inf),
)

MASKED_SOFTMAX.mistake(
    "mask_inverted",
    "You hide what may be seen and show what is hidden. In this course True in the mask "
    "means 'may look'.",
    lambda s, mask: softmax(np.where(mask, -np.inf, s)),
    lambda s, mask: softmax(np.where(mask, -1e10, s)),
    lambda s, mask: softmax(s + np.where(mask, -1e10, 0)),
    lambda s, mask: softmax(np.where(mask, 0, s)),
)


def _times(factor):
    return lambda s, mask: softmax(s * np.where(mask, 1.0, factor))


MASKED_SOFTMAX.mistake(
    "multiplied_by_minus_a_lot",
    "You multiply hidden scores by a very negative number. A negative score then becomes "
    "very large, and takes everything. Set hidden scores, do not multiply them.",
    _times(-1e10),
    _times(-1e9),
    _times(-1e4),
)

MASKED_SOFTMAX.mistake(
    "multiplied_by_infinity",
    "You multiply hidden scores by minus infinity. A negative score becomes plus "
    "infinity, and 0 becomes nan. Set hidden scores, do not multiply them.",
    _times(-np.inf),
)

MASKED_SOFTMAX.mistake(
    "mask_added",
    "You add the mask itself. Adding True adds 1: hidden keys are only a little worse "
    "than before, and have weight.",
    lambda s, mask: softmax(s + mask),
    lambda s, mask: softmax(s - ~mask),
)

MASKED_SOFTMAX.mistake(
    "not_low_enough",
    "Your score for hidden keys is not low enough. Where the visible scores are lower "
    "still, near -20000, hidden keys take everything. Earlier Hugging Face code had this "
    "bug with -10000. Which score is below every number?",
    _with_hidden_score(-1e4),
    _with_hidden_score(-50.0),
    _with_hidden_score(-20.0),
    _with_hidden_score(-10.0),
    _with_hidden_score(-1.0),
)


def _with_added_score(score):
    return lambda s, mask: softmax(s + np.where(mask, 0.0, score))


MASKED_SOFTMAX.mistake(
    "lowered_too_little",
    "You lower hidden scores by a fixed amount, and it is too small: some weight is left. "
    "It must become exactly 0, however large the scores are.",
    _with_added_score(-100.0),
    _with_added_score(-10.0),
    _with_added_score(-5.0),
    _with_added_score(-2.0),
)

MASKED_SOFTMAX.mistake(
    "no_mask",
    "Nothing is hidden: your weights are those of plain softmax. Where does `mask` come in?",
    lambda s, mask: softmax(s),
)

MASKED_SOFTMAX.mistake(
    "own_triangle",
    "You build a triangle of your own. Right for a square, wrong for the other masks. "
    "Use the mask that you are given.",
    lambda s, mask: softmax_of_visible(s, np.tri(*s.shape[-2:], dtype=bool)),
    lambda s, mask: softmax_of_visible(s, _from_the_corner(*s.shape[-2:])),
    lambda s, mask: softmax_of_visible(s, triangle(s.shape[-1])),
    lambda s, mask: softmax_of_visible(s, triangle(s.shape[-2])),
)

MASKED_SOFTMAX.mistake(
    "mask_transposed",
    "You turn the mask on its side. Rows of the mask are queries, just as in the scores: "
    "no transpose is needed.",
    lambda s, mask: softmax_of_visible(s, flip(mask)),
    lambda s, mask: softmax_of_visible(s, mask.T),
)


@MASKED_SOFTMAX.mistake(
    "over_queries",
    "Your columns sum to 1, your rows do not. Softmax runs along each row, over the keys.",
)
def _over_queries(s, mask):
    exp = np.exp(np.where(mask, s - s.max(axis=-2, keepdims=True), -np.inf))
    return exp / exp.sum(axis=-2, keepdims=True)


def _over_everything(s, mask):
    exp = np.where(mask, np.exp(s - s.max()), 0)
    return exp / exp.sum()


def _visible_in_one_row(s, mask):
    weights = np.zeros_like(s)
    weights[np.broadcast_to(mask, s.shape)] = softmax(s[np.broadcast_to(mask, s.shape)])
    return weights


MASKED_SOFTMAX.mistake(
    "over_everything",
    "All your cells together sum to 1. Normalise each row by itself. (An index with the mask, "
    "`scores[mask]`, makes one long row of all that is visible.)",
    _over_everything,
    _visible_in_one_row,
)


MASKED_SOFTMAX.mistake(
    "not_normalised",
    "Hidden keys have 0, but the rows do not sum to 1. Divide each row by its sum.",
    lambda s, mask: np.exp(s) * mask,
    lambda s, mask: np.exp(np.where(mask, s, -np.inf)),
    lambda s, mask: np.exp(s - s.max(axis=-1, keepdims=True)) * mask,
)


def _no_shift(scores):
    exp = np.exp(scores)
    return exp / exp.sum(axis=-1, keepdims=True)


MASKED_SOFTMAX.mistake(
    "no_max_subtracted",
    "Right on ordinary scores, nan near 1000 and -20000: your own exp overflows, or a "
    "whole row becomes 0. Your `softmax` of lesson 01 subtracts the largest score.",
    lambda s, mask: _no_shift(np.where(mask, s, -np.inf)),
    lambda s, mask: _no_shift(np.where(mask, s, -1e10)),
    lambda s, mask: np.exp(s) * mask / (np.exp(s) * mask).sum(axis=-1, keepdims=True),
)

MASKED_SOFTMAX.mistake(
    "scores_returned",
    "You return scores with minus infinity in them. Softmax is still to come.",
    lambda s, mask: np.where(mask, s, -np.inf),
    lambda s, mask: np.where(mask, s, -1e10),
    lambda s, mask: np.where(mask, s, -1e9),
)

MASKED_SOFTMAX.mistake(
    "weights_minus_infinity",
    "You set hidden WEIGHTS to minus infinity. A weight is never below 0. It is the "
    "score that goes to minus infinity, before softmax.",
    lambda s, mask: np.where(mask, softmax(s), -np.inf),
)

MASKED_SOFTMAX.mistake(
    "scaled_here",
    "Your weights are too flat: the scores are divided once more. Take the scores as "
    "they are given; scaling comes before.",
    lambda s, mask: softmax_of_visible(s / 4, mask),
    lambda s, mask: softmax_of_visible(s / np.sqrt(s.shape[-1]), mask),
)


@MASKED_SOFTMAX.mistake(
    "writes_into_whole_numbers",
    "Right, except for whole numbers: an array of integers cannot hold minus infinity. "
    "Make a new array of floats, for example with `np.where`.",
)
def _index_in_integers(s, mask):
    s = s.copy()
    s[~np.broadcast_to(mask, s.shape)] = -np.inf
    return softmax(s)


def _at_hidden(value, *, index=lambda mask: ~mask, in_place=False):
    """Masked softmax by assigning to the hidden cells, with the mask as an index."""

    def masked_softmax(s, mask):
        s = s if in_place else s.copy()
        s[index(mask)] = value
        return softmax(s)

    return masked_softmax


def _last_axes(mask):
    return (..., ~mask)


MASKED_SOFTMAX.mistake(
    "mask_as_index",
    "You use the mask as an index. That needs a mask with just the axes of the scores, "
    "and scores that are floats. `np.where` takes any leading axes by broadcasting.",
    _at_hidden(-np.inf),
    _at_hidden(-np.inf, index=_last_axes),
    _at_hidden(-1e9),
    _at_hidden(-1e9, index=_last_axes),
)


def _writes_into_scores(s, mask):
    np.copyto(s, -1e9, where=~mask, casting="unsafe")
    return softmax(s)


MASKED_SOFTMAX.mistake(
    "scores_changed",
    "`scores` is different after the call: you write into the caller's array. Make a new "
    "one, for example with `np.where`.",
    _writes_into_scores,
    _at_hidden(-np.inf, in_place=True),
    _at_hidden(-np.inf, index=_last_axes, in_place=True),
    _at_hidden(-1e9, in_place=True),
    _at_hidden(-1e9, index=_last_axes, in_place=True),
)


@MASKED_SOFTMAX.mistake(
    "mask_changed",
    "The weights are right, but `mask` is different after the call. Make a new array "
    "instead of writing into it.",
)
def _mask_changed(s, mask):
    weights = softmax_of_visible(s, mask)
    np.logical_not(mask, out=mask)
    return weights


MASKED_SOFTMAX.mistake(
    "rounded",
    "Your weights are rounded, like those in the article. Round when you print, never in "
    "what you return.",
    lambda s, mask: np.round(softmax_of_visible(s, mask), 2),
    lambda s, mask: np.round(softmax_of_visible(s, mask), 3),
)

MASKED_SOFTMAX.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    lambda s, mask: softmax_of_visible(s, mask).astype(np.float16),
)

MASKED_SOFTMAX.mistake(
    "list_returned",
    "The numbers are right, but you return a list. Return the NumPy array.",
    lambda s, mask: softmax_of_visible(s, mask).tolist(),
)

# --- unusual, and right --------------------------------------------------------------------------

MASKED_SOFTMAX.also_right("np.where and minus infinity", softmax_of_visible)

MASKED_SOFTMAX.also_right("minus ten billion", _with_hidden_score(-1e10))

MASKED_SOFTMAX.also_right("minus one billion", _with_hidden_score(-1e9))


@MASKED_SOFTMAX.also_right("OpenAI's formula")
def _openai(s, mask):
    m = mask.astype(s.dtype)
    return softmax(s * m - 1e10 * (1 - m))


@MASKED_SOFTMAX.also_right("the lowest float")
def _finfo_min(s, mask):
    s = s.astype(float)
    return softmax(np.where(mask, s, np.finfo(s.dtype).min))


MASKED_SOFTMAX.also_right("minus infinity added", _with_added_score(-np.inf))

MASKED_SOFTMAX.also_right("minus a billion added", _with_added_score(-1e9))


@MASKED_SOFTMAX.also_right("exp times mask, then shared out")
def _exp_times_mask(s, mask):
    top = np.max(np.where(mask, s, -np.inf), axis=-1, keepdims=True)
    exp = np.exp(np.minimum(s - top, 0)) * mask
    return exp / exp.sum(axis=-1, keepdims=True)


@MASKED_SOFTMAX.also_right("softmax of the visible keys, row by row")
def _rows_of_visible_keys(s, mask):
    mask = np.broadcast_to(mask, s.shape)
    weights = np.zeros(s.shape)
    for index in np.ndindex(s.shape[:-1]):
        weights[index][mask[index]] = softmax(s[index][mask[index]])
    return weights


@MASKED_SOFTMAX.also_right("np.putmask on a copy")
def _putmask_on_a_copy(s, mask):
    s = s.astype(float)
    np.putmask(s, ~np.broadcast_to(mask, s.shape), -np.inf)
    return softmax(s)


@MASKED_SOFTMAX.also_right("a masked array")
def _masked_array(s, mask):
    s = np.ma.array(s, mask=~np.broadcast_to(mask, s.shape))
    exp = np.ma.exp(s - s.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


MASKED_SOFTMAX.also_right(
    "float32",
    lambda s, mask: softmax_of_visible(s.astype("f4"), mask).astype("f4"),
)

MASKED_SOFTMAX.also_right(
    "logarithm of the mask", lambda s, mask: softmax(s + np.log(mask.astype(float)))
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(mask_is, hide, shares, out):
    return lambda scores, mask: out(
        weights_of(scores, mask_is(np.asarray(mask, bool), scores), hide, shares)
    )


MASKED_SOFTMAX.steps = Steps(
    _build,
    {"mask_is": lambda m, s: m, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "out": same},
    {
        "mask_is": (
            Wrong("mask_inverted", _("The mask is used the other way round."), lambda m, s: ~m),
            Wrong("own_mask", _("An own triangle is used, not the mask that is given."), lambda m, s: np.tri(s.shape[-2], s.shape[-1], dtype=bool)),
            Wrong("first_mask_for_all", _("The first sentence's mask is used for all."), lambda m, s: m[:1] if m.ndim > 2 else m),
            Wrong("mask_transposed", _("The mask is transposed."), lambda m, s: flip(m)),
            Wrong("mask_ignored", _("The mask is not used."), lambda m, s: np.ones_like(m)),
            Wrong("first_row_for_all", _("The mask's first row is used for all queries."), lambda m, s: m[..., :1, :]),
            Wrong("last_row_for_all", _("The mask's last row is used for all queries."), lambda m, s: m[..., -1:, :]),
        ),
        "hide": HIDES,
        "shares": SHARES,
        "out": (
            Wrong("rounded", _("The weights are rounded."), lambda w: np.round(w, 2)),
            Wrong("small_share_for_all", _("Every key gets a small share, hidden ones too."), lambda w: (w + 1e-3) / (w + 1e-3).sum(-1, keepdims=True)),
            Wrong("log", _("The logarithm of the weights is returned."), lambda w: np.log(w)),
            Wrong("in_percent", _("The weights are returned in percent."), lambda w: 100 * w),
        ),
    },
)  # fmt: skip
