"""Wrong attempts at lesson 07, written without a look at known ones."""

from attempts.kit import attempt, right

gpt2 = right("gpt2")


@attempt("generate", "first_row_of_the_whole_text")
def first_row(token_ids, params, n_head, n_new):
    ids = list(token_ids)
    if len(ids) + n_new > len(params["wpe.weight"]):
        raise ValueError("too long")
    for _ in range(n_new):
        logits, _past = gpt2(ids, params, n_head)
        ids.append(int(logits[0].argmax()))
    return ids


@attempt("generate", "argmax_over_everything")
def no_row_chosen(token_ids, params, n_head, n_new):
    ids = list(token_ids)
    if len(ids) + n_new > len(params["wpe.weight"]):
        raise ValueError("too long")
    for _ in range(n_new):
        logits, _past = gpt2(ids, params, n_head)
        ids.append(int(logits.argmax()))
    return ids


@attempt("generate", "prompt_lost")
def only_the_new(token_ids, params, n_head, n_new):
    ids, start = list(token_ids), len(token_ids)
    if start + n_new > len(params["wpe.weight"]):
        raise ValueError("too long")
    for _ in range(n_new):
        logits, _past = gpt2(ids, params, n_head)
        ids.append(int(logits[-1].argmax()))
    return ids[start:]


@attempt("count_parameters", "output_counted")
def head_counted(n_layer, d_model, n_vocab, n_positions):
    layer = 12 * d_model**2 + 13 * d_model
    return 2 * n_vocab * d_model + n_positions * d_model + n_layer * layer + 2 * d_model


@attempt("count_parameters", "no_biases")
def without_biases(n_layer, d_model, n_vocab, n_positions):
    return (n_vocab + n_positions) * d_model + n_layer * 12 * d_model**2


@attempt("generate", "mutable_default")
def kept_from_call_to_call(token_ids, params, n_head, n_new, ids=[]):  # noqa: B006
    ids.extend(token_ids)
    if len(ids) + n_new > len(params["wpe.weight"]):
        raise ValueError("too long")
    for _ in range(n_new):
        logits, _past = gpt2(ids, params, n_head)
        ids.append(int(logits[-1].argmax()))
    return ids
