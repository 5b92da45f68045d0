"""`generate`, lesson 07. Token after token."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    Case,
    Exercise,
    Promise,
    late,
)
from autograder.exercises.pieces import (
    gpt2_with,
    in_float32,
    past_length,
    positions_from,
    right_gpt2,
    softmax,
)
from autograder.exercises.small_models import LONG_MODEL, calmer, long_ids, random_model
from autograder.exercises.steps import Steps, Wrong
from illustrated_attention.language import later as _

_TALKER = random_model(2, 6, 11, 9, seed=3232, decimals=1)

_HIDDEN_TALKER = random_model(3, 6, 13, 12, seed=6545)

GENERATE = Exercise(
    name="generate",
    lesson="07_gpt2",
    can="You can now let a GPT-2 write.",
    visible=(
        Case("one new token", ([4, 1, 7], _TALKER, 2, 1)),
        Case("four new tokens", ([4, 1, 7], _TALKER, 2, 4)),
        Case("two new tokens after a longer prompt", ([2, 9, 0, 3, 5], _TALKER, 2, 2)),
        Case("no new token", ([6, 2], _TALKER, 2, 0)),
        Case("as many as there are positions", ([8, 5], _TALKER, 3, 7)),
        Case(
            "must refuse: 9 positions, but 10 tokens",
            ([4, 1, 7], _TALKER, 2, 7),
            raises="ValueError",
        ),
        Case(
            "must refuse: 9 positions, but 13 tokens",
            ([4, 1, 7], _TALKER, 2, 10),
            raises="ValueError",
        ),
        late("token 0, and a token twice in a row", ([3, 6, 1], _TALKER, 6, 6)),
    ),
    hidden=(
        Case("another model", ([12, 3, 3, 0], _HIDDEN_TALKER, 3, 5)),
        Case("one token as prompt", ([9], _HIDDEN_TALKER, 2, 6)),
        Case("another number of heads", ([1, 11, 6], _HIDDEN_TALKER, 6, 3)),
        Case("up to the last position", ([5, 7, 2], _HIDDEN_TALKER, 3, 9)),
        Case("nothing to add", ([5, 7, 2], _HIDDEN_TALKER, 3, 0)),
        Case("one token too many", ([5, 7, 2], _HIDDEN_TALKER, 3, 10), raises="ValueError"),
        Case(
            "far more tokens than positions", ([5, 7], _HIDDEN_TALKER, 3, 40), raises="ValueError"
        ),
        Case(
            "a prompt that is too long",
            (list(range(13)) * 2, _HIDDEN_TALKER, 3, 1),
            raises="ValueError",
        ),
        *(
            late(
                "the first and the last id are nothing special",
                ([3, 5], random_model(2, 6, 9, 40, seed=seed), 3, 12),
            )
            for seed in (7010, 7234, 7260)
        ),
        late("a long prompt", (long_ids(FAR).tolist(), LONG_MODEL, 2, 3)),
        late("many new tokens", ([1, 4, 2], LONG_MODEL, 2, 70)),
        late("a prompt of zeros", ([0, 0, 0], _HIDDEN_TALKER, 3, 4)),
        late(
            "one token past a long table",
            (long_ids(FAR).tolist(), LONG_MODEL, 2, 10),
            raises="ValueError",
        ),
        late("just up to the end of a long table", (long_ids(FAR).tolist(), LONG_MODEL, 2, 9)),
        late("many features", ([3, 5, 0], calmer(random_model(1, 130, 11, 12, seed=747)), 13, 6)),
    ),
    promises=(
        Promise(
            "a call does not depend on the call before it",
            "same_after_another_call",
            (([4, 1], _TALKER, 2, 1), ([6], _TALKER, 2, 1)),
            (([12, 3], _HIDDEN_TALKER, 3, 3), ([0, 1], _HIDDEN_TALKER, 3, 2)),
        ),
        Promise(
            "with fewer new tokens the text is the same as far as it goes",
            "a_shorter_text_is_the_beginning",
            ([4, 1, 7], _TALKER, 2, 4),
            ([1, 11, 6], _HIDDEN_TALKER, 6, 3),
        ),
    ),
    hints=(
        "A loop with n_new rounds. Each round calls gpt2 once. What does it feed in the first "
        "round, and what in all the others?",
        "`logits[-1].argmax()` is the next id. In the first round feed the whole prompt, then only "
        "the newest id; each time pass on the caches that gpt2 returned. Collect the ids in a "
        "list of your own.",
        "Before the loop: refuse if `len(token_ids) + n_new` is larger than the number of rows of "
        '`params["wpe.weight"]`. Then `new = ids = list(token_ids)` and `past = None`. In the '
        "loop: `logits, past = gpt2(np.array(new), params, n_head, past)`, then a new `new` with "
        "one id, and `ids = ids + new`.",
    ),
    of_one_kind=True,
)


# --- known mistakes ------------------------------------------------------------------------------


def _refuse(token_ids, params, n_new):
    if len(token_ids) + n_new > len(params["wpe.weight"]):
        raise ValueError("there are not enough positions")


def _generate_with(choose=lambda logits: int(logits[-1].argmax()), extra=0):
    """Greedy generation with a cache: `choose` picks the next id from the logits, and `extra`
    rounds are added to the loop after the lengths were compared.
    """

    def generate(token_ids, params, n_head, n_new):
        _refuse(token_ids, params, n_new)
        ids, new, past = list(token_ids), list(token_ids), None
        for _round in range(n_new + extra):
            logits, past = right_gpt2(new, params, n_head, past)
            new = [choose(logits)]
            ids = ids + new
        return ids

    return generate


GENERATE.mistake(
    "first_logits",
    "You take the prediction of the first row of logits. What follows the text is in the last row.",
    _generate_with(lambda logits: int(logits[0].argmax())),
)

GENERATE.mistake(
    "argmax_over_everything",
    "You take the largest of all logits, of all rows together. Take the last row first, "
    "then its argmax.",
    _generate_with(lambda logits: int(logits.argmax())),
    _generate_with(lambda logits: np.argmax(logits)),
)

GENERATE.mistake(
    "argmax_over_tokens",
    "You look down a column of the logits: at which token does one word fit best? Take the "
    "last row, every word after the last token, and then its argmax.",
    _generate_with(lambda logits: int(logits.argmax(axis=0)[-1])),
    _generate_with(lambda logits: int(logits[:, -1].argmax())),
)

GENERATE.mistake(
    "several_rows_as_one_number",
    "Your argmax gives several ids, one for each row or column of the logits, and Python "
    "cannot make one number of them. Only the last row says what follows the text.",
    _generate_with(lambda logits: int(logits.argmax(axis=-1))),
    _generate_with(lambda logits: int(logits.argmax(axis=0))),
)


@GENERATE.mistake(
    "all_predictions_added",
    "You add a prediction for every row of logits. Only the last row says what follows the "
    "text; the others predict tokens that are there already.",
)
def _adds_all_predictions(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, new, past = list(token_ids), list(token_ids), None
    for _round in range(n_new):
        logits, past = right_gpt2(new, params, n_head, past)
        ids = ids + [int(i) for i in logits.argmax(axis=-1)]
        new = ids[-1:]
    return ids


GENERATE.mistake(
    "batch_axis_expected",
    "You index the logits as if there were a batch in front. For one list of ids they are "
    "[T, V]: the last row is `logits[-1]`.",
    _generate_with(lambda logits: int(logits[0, -1].argmax())),
    _generate_with(lambda logits: int(logits[0, -1, :].argmax())),
    _generate_with(lambda logits: int(logits[:, -1, :].argmax())),
)


@GENERATE.mistake(
    "added_as_numbers",
    "Your list of ids does not grow: `+` joins lists, but adds arrays number by number. "
    "Use lists here, or np.append.",
)
def _adds_numbers(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, new, past = np.array(token_ids), list(token_ids), None
    for _round in range(n_new):
        logits, past = right_gpt2(new, params, n_head, past)
        new = [int(logits[-1].argmax())]
        ids = ids + new
    return ids


GENERATE.mistake(
    "least_likely",
    "You pick the smallest logit, so the text takes the least likely turn at every step. "
    "The likeliest token has the largest.",
    _generate_with(lambda logits: int(logits[-1].argmin())),
    _generate_with(lambda logits: int(np.argsort(logits[-1])[0])),
)


def _sampled(new_generator):
    """Draws each id by its probability, from a generator made before the loop or in each round."""

    def generate(token_ids, params, n_head, n_new):
        rng = np.random.default_rng(0)

        def choose(logits):
            now = np.random.default_rng(0) if new_generator else rng
            return int(now.choice(logits.shape[-1], p=softmax(logits[-1])))

        return _generate_with(choose)(token_ids, params, n_head, n_new)

    return generate


GENERATE.mistake(
    "sampled",
    "You draw the next id at random, by the probabilities. Programs that write stories do "
    "that (sampling). Here the text is greedy: always the id of the largest logit.",
    _sampled(new_generator=False),
    _sampled(new_generator=True),
)


def _pair_as_logits(choose):
    """Takes what gpt2 returns, logits and caches, for the logits."""

    def generate(token_ids, params, n_head, n_new):
        _refuse(token_ids, params, n_new)
        ids = list(token_ids)
        for _round in range(n_new):
            ids = [*ids, int(choose(right_gpt2(ids, params, n_head)[-1]))]
        return ids

    return generate


GENERATE.mistake(
    "pair_not_unpacked",
    "gpt2 returns two things, logits and caches, but you use them as one. The last of the "
    "two is the caches. Unpack them: `logits, past = ...`.",
    _pair_as_logits(lambda caches: caches.argmax()),
    _pair_as_logits(np.argmax),
    _pair_as_logits(lambda caches: np.argmax(caches[-1])),
)

GENERATE.mistake(
    "largest_logit_itself",
    "You add the largest logit, not the id of its token. Which function gives the place of "
    "the largest number?",
    _generate_with(lambda logits: float(logits[-1].max())),
    _generate_with(lambda logits: logits[-1].max()),
    _generate_with(lambda logits: int(logits[-1].max())),
)

_generate = _generate_with()


def _ids_changed(change):
    """What becomes of the right ids; `change` gets them, and how many the prompt had."""
    return lambda token_ids, *args: change(_generate(token_ids, *args), len(token_ids))


GENERATE.mistake(
    "prompt_lost",
    "You return the new ids only. Return the prompt and the new ids after it.",
    _ids_changed(lambda ids, n: ids[n:]),
)

GENERATE.mistake(
    "last_id_only",
    "You return one id. Return the prompt and all new ids after it, as a list.",
    _ids_changed(lambda ids, n: ids[-1]),
    _ids_changed(lambda ids, n: ids[-1:]),
)

GENERATE.mistake(
    "new_ids_in_front",
    "Your new ids stand in front of the prompt, or in reverse order. Each goes to the end.",
    _ids_changed(lambda ids, n: ids[n:] + ids[:n]),
    _ids_changed(lambda ids, n: ids[n:][::-1] + ids[:n]),
)

GENERATE.mistake(
    "nested_list",
    "Your new ids are lists inside the list, or the prompt is. Return one flat list of "
    "ids: mind the difference between `append` and `+`.",
    _ids_changed(lambda ids, n: [*ids[:n], *([i] for i in ids[n:])]),
    _ids_changed(lambda ids, n: [ids[:n], *ids[n:]]),
    _ids_changed(lambda ids, n: (ids[:n], ids[n:])),
    _ids_changed(lambda ids, n: [ids]),
)


def _generate_changes_prompt(token_ids, params, n_head, n_new):
    for new in _generate(token_ids, params, n_head, n_new)[len(token_ids) :]:
        token_ids.append(new)
    return token_ids


def _generate_changes_prompt_and_copies(token_ids, params, n_head, n_new):
    return list(_generate_changes_prompt(token_ids, params, n_head, n_new))


GENERATE.mistake(
    "prompt_changed",
    "The caller's list is longer after the call: `append` and `+=` write into it. Start "
    "from a copy of your own.",
    _generate_changes_prompt,
    _generate_changes_prompt_and_copies,
)


@GENERATE.mistake(
    "everything_fed_again",
    "You give gpt2 old tokens again, together with the cache. They are in the cache already, "
    "so now they are there twice. After the prompt, feed the newest id only.",
)
def _feeds_everything_again(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, past = list(token_ids), None
    for _round in range(n_new):
        logits, past = right_gpt2(ids, params, n_head, past)
        ids = [*ids, int(logits[-1].argmax())]
    return ids


@GENERATE.mistake(
    "cache_not_passed_on",
    "You feed the newest id only, but without the cache: the model sees one word and has "
    "forgotten the rest. Pass on the caches that gpt2 returned.",
)
def _feeds_last_id_only(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, new = list(token_ids), list(token_ids)
    for _round in range(n_new):
        new = [int(right_gpt2(new, params, n_head)[0][-1].argmax())]
        ids = ids + new
    return ids


@GENERATE.mistake(
    "prompt_not_fed",
    "You feed the last id of the prompt only, so the model has not read what is before it. "
    "The first call gets the whole prompt.",
)
def _feeds_last_id_from_the_start(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, past = list(token_ids), None
    for _round in range(n_new):
        logits, past = right_gpt2(ids[-1:], params, n_head, past)
        ids = [*ids, int(logits[-1].argmax())]
    return ids


@GENERATE.mistake(
    "cache_not_updated",
    "You use the cache of the prompt again and again, so the new tokens do not see each "
    "other. Each call of gpt2 returns a new cache for the next.",
)
def _keeps_first_cache(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids, new, past = list(token_ids), list(token_ids), None
    for _round in range(n_new):
        logits, present = right_gpt2(new, params, n_head, past)
        past = present if past is None else past
        new = [int(logits[-1].argmax())]
        ids = ids + new
    return ids


@GENERATE.mistake(
    "predicted_once",
    "All your new ids are the same: gpt2 is called once. Each new id goes back in, to "
    "predict the next one.",
)
def _predicts_once(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    new = int(right_gpt2(list(token_ids), params, n_head)[0][-1].argmax()) if n_new else None
    return list(token_ids) + [new] * n_new


GENERATE.mistake(
    "one_id_too_many",
    "You make one id too many. The logits of the prompt give the first new id already.",
    _generate_with(extra=1),
)

GENERATE.mistake(
    "one_id_missing",
    "You make one id too few. The logits of the prompt give the first new id; the last one "
    "is not lost either.",
    _generate_with(extra=-1),
)


@GENERATE.mistake(
    "list_without_shape",
    "Your embed asks for the shape of the ids, and a list has none. Make an array of them: "
    "`np.array(ids)`.",
)
def _generate_from_list(token_ids, params, n_head, n_new):
    """Gives gpt2 a list, which has no shape."""
    _refuse(token_ids, params, n_new)
    return token_ids.shape


def _stops_when_full(token_ids, params, n_head, n_new):
    room = len(params["wpe.weight"]) - len(token_ids)
    return _generate(token_ids, params, n_head, min(n_new, room))


def _returns_the_prompt_when_full(token_ids, params, n_head, n_new):
    if len(token_ids) + n_new > len(params["wpe.weight"]):
        return list(token_ids)
    return _generate(token_ids, params, n_head, n_new)


GENERATE.mistake(
    "stops_early",
    "When the positions run out, you silently return less than was asked for. Refuse "
    "before you begin: raise a ValueError with a clear message.",
    _stops_when_full,
    _returns_the_prompt_when_full,
)


@GENERATE.mistake(
    "oldest_tokens_dropped",
    "When the positions run out, you drop the oldest tokens and go on. Some programs do. "
    "Here that must be refused: raise a ValueError.",
)
def _forgets_the_oldest(token_ids, params, n_head, n_new):
    ids, n_positions = list(token_ids), len(params["wpe.weight"])
    for _round in range(n_new):
        logits, _past = right_gpt2(ids[-n_positions:], params, n_head)
        ids = [*ids, int(logits[-1].argmax())]
    return ids


@GENERATE.mistake(
    "last_position_again",
    "When the positions run out, you use the last one again and again. The model never "
    "learned that: raise a ValueError.",
)
def _last_position_again(token_ids, params, n_head, n_new):
    def positions(n_tokens, past):
        last = len(params["wpe.weight"]) - 1
        return np.minimum(positions_from(past_length(past), n_tokens), last)

    model, past = gpt2_with(positions=positions), None
    ids, new = list(token_ids), list(token_ids)
    for _round in range(n_new):
        logits, past = model(new, params, n_head, past)
        new = [int(logits[-1].argmax())]
        ids = ids + new
    return ids


def _other_error(error):
    def generate(token_ids, params, n_head, n_new):
        if len(token_ids) + n_new > len(params["wpe.weight"]):
            raise error("index 9 is out of bounds for axis 0 with size 9")
        return _generate(token_ids, params, n_head, n_new)

    return generate


GENERATE.mistake(
    "other_error",
    "When the positions run out, another error appears. Compare the lengths before you "
    "begin, and raise a ValueError with a clear message.",
    _other_error(IndexError),
    _other_error(AssertionError),
    _other_error(RuntimeError),
)


def _late_refusal(token_ids, params, n_head, n_new):
    ids, new, past = [*token_ids], token_ids, None
    while len(ids) < len(token_ids) + n_new:
        logits, past = right_gpt2(new, params, n_head, past)  # refuses when positions run out
        new = [int(logits[-1].argmax())]
        ids += new
    return ids


def _accepts_one_more(token_ids, params, n_head, n_new):
    ids = _generate(token_ids, params, n_head, max(n_new - 1, 0))
    return ids if n_new == 0 else [*ids, int(right_gpt2(ids, params, n_head)[0][-1].argmax())]


GENERATE.mistake(
    "one_more_accepted",
    "You accept a text that is one token longer than the positions. The last new id is "
    "never fed, so embed does not refuse it for you: compare the lengths before you begin.",
    _late_refusal,
    _accepts_one_more,
)


@GENERATE.mistake(
    "exact_fit_refused",
    "You refuse a text that just fits. Prompt and new ids together may take all N "
    "positions, but not more.",
)
def _refuses_exact_fit(token_ids, params, n_head, n_new):
    if len(token_ids) + n_new >= len(params["wpe.weight"]):
        raise ValueError("there are not enough positions")
    return _generate(token_ids, params, n_head, n_new)


@GENERATE.mistake(
    "never_twice",
    "You never pick a token that is in the text already. Some programs do that against "
    "repetitions. Greedy means: the largest logit, even if its token has come before.",
)
def _never_twice(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids = list(token_ids)
    for _round in range(n_new):
        logits = right_gpt2(ids, params, n_head)[0][-1]
        logits[ids] = -np.inf
        ids = [*ids, int(logits.argmax())]
    return ids


# --- unusual, and right --------------------------------------------------------------------------


@GENERATE.also_right("the whole text each time, without a cache")
def _uncached(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    ids = list(token_ids)
    for _round in range(n_new):
        ids.append(right_gpt2(ids, params, n_head)[0][-1].argmax())
    return ids


GENERATE.also_right("an array", lambda *args: np.array(_generate(*args)))

GENERATE.also_right("a tuple of NumPy's integers", lambda *args: tuple(np.array(_generate(*args))))


@GENERATE.also_right("the prompt token by token")
def _prompt_token_by_token(token_ids, params, n_head, n_new):
    _refuse(token_ids, params, n_new)
    past, ids = None, list(token_ids)
    for t in range(len(token_ids) + n_new - 1 if n_new else 0):
        logits, past = right_gpt2([ids[t]], params, n_head, past)
        if t == len(ids) - 1:
            ids = [*ids, int(np.argmax(softmax(logits[0])))]
    return ids


@GENERATE.also_right("every id fed, and gpt2 refuses")
def _last_id_fed_too(token_ids, params, n_head, n_new):
    ids = [*token_ids]
    logits, past = right_gpt2(ids, params, n_head)
    while len(ids) < len(token_ids) + n_new:
        ids += [int(logits[-1].argmax())]
        logits, past = right_gpt2(ids[-1:], params, n_head, past)  # refuses when positions run out
    return ids


GENERATE.also_right("float32", in_float32(_generate))

GENERATE.also_right(
    "argmax of the probabilities",
    _generate_with(lambda logits: int(softmax(logits)[-1].argmax())),
)


# --- the steps: what goes wrong in each ------------------------------------------------------------


def _build(pick, feed, rounds, returned):
    def generate(token_ids, params, n_head, n_new):
        _refuse(token_ids, params, n_new)
        ids, past = list(token_ids), None
        for round in range(n_new + rounds):
            logits, past = feed(ids, round == 0, past, params, n_head)
            ids = [*ids, int(pick(logits))]
        return returned(ids, len(token_ids))

    return generate


def _feeding(
    given=lambda ids, first: ids if first else ids[-1:],
    model=right_gpt2,
    kept=lambda past, present: present,
):
    """One call of the model: which ids it is given, and which cache is kept for the next call."""

    def feed(ids, first, past, params, n_head):
        logits, present = model(given(ids, first), params, n_head, past)
        return logits, kept(past, present)

    return feed


_from_position_0 = gpt2_with(positions=lambda n_tokens, past: positions_from(0, n_tokens))


def _first_row_of_the_whole(ids, first, past, params, n_head):
    return right_gpt2(ids, params, n_head)[0][:1], None


GENERATE.steps = Steps(
    _build,
    {"pick": lambda logits: logits[-1].argmax(), "feed": _feeding(), "rounds": 0, "returned": lambda ids, n: ids},
    {
        "pick": (
            Wrong("first_row", _("The first row of logits is used, not the last."), lambda logits: logits[0].argmax()),
            Wrong("all_rows", _("The largest logit of all rows is taken."), lambda logits: logits.argmax()),
            Wrong("smallest", _("The smallest logit is chosen, not the largest."), lambda logits: logits[-1].argmin()),
            Wrong("second_largest", _("The second largest logit is chosen."), lambda logits: logits[-1].argsort()[-2]),
        ),
        "feed": (
            Wrong("everything_again", _("The model gets the whole text again, together with the cache."), _feeding(lambda ids, first: ids)),
            Wrong("everything_again_from_0", _("The model gets the whole text again, together with the cache, and positions begin at 0 each time."), _feeding(lambda ids, first: ids, _from_position_0)),
            Wrong("positions_from_0", _("After the prompt every new token gets position 0."), _feeding(model=_from_position_0)),
            Wrong("no_cache", _("The model gets the newest id without the cache."), _feeding(kept=lambda past, present: None)),
            Wrong("first_row_of_the_whole_text", _("The model gets the whole text, and the first row of its logits is used."), _first_row_of_the_whole),
            Wrong("prompts_end_only", _("Of the prompt the model gets the last id only."), _feeding(lambda ids, first: ids[-1:])),
            Wrong("first_cache", _("The cache of the prompt is used again and again."), _feeding(kept=lambda past, present: past or present)),
        ),
        "rounds": (
            Wrong("one_too_many", _("One id too many is made."), 1),
            Wrong("one_too_few", _("One id too few is made."), -1),
        ),
        "returned": (
            Wrong("without_prompt", _("The prompt is not returned."), lambda ids, n: ids[n:]),
            Wrong("last_only", _("Only the last id is returned."), lambda ids, n: ids[-1:]),
            Wrong("new_in_front", _("The new ids stand in front of the prompt."), lambda ids, n: ids[n:] + ids[:n]),
            Wrong("new_backwards", _("The new ids stand in reverse order."), lambda ids, n: ids[:n] + ids[n:][::-1]),
        ),
    },
)  # fmt: skip
