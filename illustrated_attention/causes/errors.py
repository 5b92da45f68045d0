"""What usually lies behind an exception: its usual reason, in words."""

import re

from illustrated_attention.causes.evidence import Cause, Evidence
from illustrated_attention.language import _, together
from illustrated_attention.outcomes import Outcome
from illustrated_attention.same_behaviour import raised_on_purpose
from illustrated_attention.undefined import where_it_is_written


def _reasons() -> list[tuple[str, str, str]]:
    """Patterns of messages, each with an id and what it says to a learner. The first that fits."""
    return [
        (
            "missing_argument",
            r"^(\w+)\(\) missing \d+ required positional arguments?: (.+)$",
            _(
                "`{0}` was called without {1}: give it in the call, or take it out of the `def` "
                "line."
            ),
        ),
        (
            "one_list_of_arrays",
            (
                r"^(?:argument for )?(concatenate|stack|vstack|hstack)\(\) "
                r"(?:given by name|got multiple values|takes)"
            ),
            _("`np.{0}` takes one list of arrays: two pairs of brackets, `np.{0}([a, b], ...)`."),
        ),
        (
            "too_many_arguments",
            (
                r"^(\w+|<lambda>)\(\) takes (?:from \d+ to )?(\d+) positional arguments? but (\d+) "
                r"(?:was|were) given"
            ),
            _(
                "`{0}` was called with {2} arguments and takes {1}: compare its `def` line with "
                "the exercise's."
            ),
        ),
        (
            "unknown_keyword",
            r"^(\w+)\(\) got an unexpected keyword argument '(\w+)'",
            _("`{0}` knows no argument `{1}`: is its name spelled as in the documentation?"),
        ),
        (
            "none_used",
            (
                r"'NoneType' object is not (?:subscriptable|iterable)|NoneType|cannot unpack "
                r"non-iterable NoneType"
            ),
            _(
                "Something here is None and is used like an array. Is it an argument that may be "
                "None, such as a cache that does not exist yet?"
            ),
        ),
        (
            "not_defined",
            r"^name '(\w+)' is not defined",
            _(
                "There is no `{0}`: is it spelled as where it was defined, is it an argument, is "
                "it imported?"
            ),
        ),
        (
            "used_before_set",
            r"^cannot access local variable '(\w+)'",
            _(
                "`{0}` is used before it has a value: it gets one only in a branch or loop that "
                "was not run."
            ),
        ),
        (
            "fixed_axes",
            r"(?:too many|not enough) values to unpack \(expected (?:at least )?(\d+)",
            _(
                "Here {0} values are unpacked, and there is another number of them. A shape has "
                "one for each axis, and there may be leading axes; an array is unpacked along "
                "its first axis."
            ),
        ),
        (
            "text_for_array",
            r"did not contain a loop with signature matching types.*<U",
            _(
                "A text stands where an array belongs. `*params` hands over the names that stand "
                "in a dictionary, `params[name]` an array."
            ),
        ),
        (
            "truth_of_array",
            r"truth value of an array",
            _(
                "An array is asked whether it is true, and it holds many answers. `if`, `and`, "
                "`or`, `not`, `max` and `min` ask so, and `==` between lists or tuples that hold "
                "arrays. Use np.where, `&`, `~`, np.maximum, np.array_equal, or `is None`."
            ),
        ),
        (
            "xor_for_power",
            r"ufunc 'bitwise_xor' not supported",
            _("`^` is no power in Python: write `**`."),
        ),
        (
            "one_list_of_arrays",
            r"only (?:integer scalar arrays|length-1 arrays) can be converted to",
            _(
                "An array stands where a whole number belongs: an index, a size, or an axis. (The "
                "second argument of np.concatenate is the axis: it takes one list of arrays.)"
            ),
        ),
        (
            "number_for_a_list",
            r"'(?:numpy\.)?(?:float|int|bool_?)\d*' object is not iterable",
            _(
                "A single number is gone through like a list. `for` over an array with one axis "
                "gives numbers, and Python's `max` and `sum` need several."
            ),
        ),
        (
            "no_attribute",
            r"'numpy\.ndarray' object has no attribute '(\w+)'",
            _(
                "Arrays have no `{0}`: is it a word of another library, or a function of NumPy, "
                "`np.{0}`?"
            ),
        ),
        (
            "no_attribute",
            r"module 'numpy' has no attribute '(\w+)'",
            _("NumPy has no `{0}`: is it a word of another library?"),
        ),
        (
            "list_for_array",
            r"'(list|tuple)' object has no attribute '(\w+)'",
            _("This is a {0}, which has no `{1}`: only arrays have."),
        ),
        (
            "dictionary_with_a_dot",
            r"'dict' object has no attribute '(\w+)'",
            _(
                "A dictionary has no `.{0}`. What is in it is read with square brackets and its "
                'whole name, as in `params["c_proj.bias"]`. Print its names: `params.keys()`.'
            ),
        ),
        (
            "unknown_key",
            r"^'([\w.]+)'$",
            _("There is no entry `{0}` in this dictionary. Print its keys: `params.keys()`."),
        ),
        (
            "beyond_the_end",
            r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)",
            _("Index {0} is beyond the end: axis {1} has {2} entries, numbered from 0."),
        ),
        (
            "no_such_axis",
            r"axis (-?\d+) is out of bounds for array of dimension (\d+)",
            _(
                "Axis {0} does not exist in an array of {1} axes. Count axes from the end: -1 is "
                "the last."
            ),
        ),
        (
            "sizes_do_not_fit",
            r"matmul: .*\(size (\d+) is different from (\d+)\)",
            _(
                "In a product `a @ b` the last axis of a must be as long as the last but one of "
                "b; here they are {1} and {0}. Does one of them have to be transposed, or does "
                "another array belong here?"
            ),
        ),
        (
            "sizes_do_not_fit",
            r"shapes (\(.*?\)) and (\(.*?\)) not aligned",
            _(
                "Shapes {0} and {1} do not fit for a product. Does one of them have to be "
                "transposed, or does another array belong here?"
            ),
        ),
        (
            "do_not_broadcast",
            r"could not be broadcast together(?: with shapes)? (\(.*?\)) (\(.*?\))",
            _(
                "Shapes {0} and {1} do not fit together. Axes are compared from the last; each "
                "must be equal or 1. Is a `keepdims=True` missing, or an axis in another place?"
            ),
        ),
        (
            "empty_slice",
            r"could not broadcast input array from shape (\((?:\d+,)*0(?:,\d*)*\))",
            _(
                "An array of shape {0} is put here: it is empty. Does a slice begin at the end, or "
                "beyond it?"
            ),
        ),
        (
            "do_not_broadcast",
            r"could not broadcast input array from shape (\(.*?\)) into shape (\(.*?\))",
            _("An array of shape {0} is put where {1} is expected. Which axis was not thought of?"),
        ),
        (
            "letters_of_einsum",
            r"contains too many subscripts for operand|more dimensions than subscripts given",
            _(
                "`np.einsum` has a letter for every axis, and this array has another number of "
                "axes. `...` stands for any leading ones."
            ),
        ),
        (
            "letters_of_einsum",
            r"could not be broadcast together with remapped shapes",
            _(
                "In `np.einsum` axes with the same letter must be equally long. Which axes belong "
                "together?"
            ),
        ),
        (
            "reshape_does_not_fit",
            r"cannot reshape array of size (\d+) into shape (\(.*?\))",
            _("{0} numbers do not fit into shape {1}. Which axes are missing there?"),
        ),
        (
            "fixed_axes",
            r"axes don't match array",
            _(
                "This transpose names another number of axes than the array has: there may be "
                "leading axes, or none. `np.swapaxes(x, -1, -2)` counts from the end."
            ),
        ),
        (
            "sizes_do_not_join",
            (
                r"all the input array dimensions except for the concatenation axis must match "
                r"exactly|all the input arrays must have same number of dimensions"
            ),
            _(
                "These arrays cannot be joined: all axes but the joined one must be equally "
                "long. Along which axis do tokens run?"
            ),
        ),
        (
            "cannot_be_stacked",
            r"all input arrays must have the same shape",
            _("`np.stack` needs arrays of one and the same shape, and these have several."),
        ),
        (
            "shape_as_two_numbers",
            r"Cannot interpret '?(\d+)'? as a data type",
            _(
                "A shape is one argument, with brackets of its own: np.ones((n, n)), and so for "
                "np.zeros and the like."
            ),
        ),
        (
            "whole_number_buffer",
            r"Cannot cast ufunc '\w+' output from dtype\('float\d+'\) to dtype\('u?int\d+'\)",
            _(
                "Numbers with a decimal point are written into an array of whole numbers. Make a "
                "new array: `x = x / y`, not `x /= y`."
            ),
        ),
        (
            "not_a_mask",
            r"ufunc 'invert' not supported",
            _(
                "`~` turns a mask of True and False round; this array holds numbers. Use a "
                "comparison, or `.astype(bool)`."
            ),
        ),
        (
            "not_callable",
            r"'(\w+)' object is not callable",
            _(
                "A {0} is called like a function: `x.shape` has no brackets, and a product needs "
                "`*` or `@`."
            ),
        ),
        (
            "not_subscriptable",
            r"'(?:builtin_function_or_method|function|method)' object is not subscriptable",
            _("A function is followed by square brackets: call it with round ones."),
        ),
        (
            "needs_whole_numbers",
            r"'float' object cannot be interpreted as an integer|(?:slice indices|only integers)",
            _(
                "A whole number is needed here, and this is one with a decimal point: `/` always "
                "gives such; use `//`."
            ),
        ),
        (
            "too_few_axes",
            r"^tuple index out of range$",
            _(
                "Something here has fewer axes than it is asked for; a single number has none. "
                "Does it belong in a list or an array, such as `np.array([x])`?"
            ),
        ),
        (
            "too_few_axes",
            r"too many indices for array: array is (\d+)-dimensional, but (\d+) were indexed",
            _("This array has {0} axes, and the index names {1}."),
        ),
        (
            "number_indexed",
            r"invalid index to scalar variable|'(?:int|float)' object is not subscriptable",
            _("Square brackets stand behind a single number: it has no parts to choose from."),
        ),
        (
            "list_for_array",
            r"list indices must be integers or slices, not (\w+)",
            _("Lists know no index with a comma or an array in it: make an array with np.array."),
        ),
        (
            "several_for_one",
            r"only 0-dimensional arrays can be converted to Python scalars",
            _(
                "`int`, `float` and the functions of `math` take one number, and this array holds "
                "several. Choose one, or take NumPy's function."
            ),
        ),
        (
            "rows_of_other_lengths",
            r"inhomogeneous shape",
            _("An array is made of parts of different shapes: all its rows must be equally long."),
        ),
        (
            "several_for_one",
            r"setting an array element with a sequence",
            _(
                "Several numbers are put where there is room for one. Does a loop go over another "
                "axis than you think of, or does an index name one axis too many?"
            ),
        ),
        (
            "mask_of_another_shape",
            r"boolean index did not match indexed array",
            _(
                "A mask in square brackets must have the shape of the array that it chooses from. "
                "np.where stretches it to fit."
            ),
        ),
        (
            "kinds_do_not_go",
            r"unsupported operand type\(s\) for (\S+): '([\w.]+)' and '([\w.]+)'",
            _("`{0}` does not go between {1} and {2}: what was meant to be here?"),
        ),
        (
            "nothing_to_reduce",
            r"zero-size array to reduction operation (\w+)",
            _(
                "The {0} of nothing is asked for: an array here is empty. Does a slice begin at "
                "its end?"
            ),
        ),
        (
            "read_only",
            r"read-only",
            _("This array cannot be written to. Make a new one instead of changing an argument."),
        ),
    ]


def cause_in_errors(evidence: Evidence) -> Cause | None:
    """Return the usual reason of the exception that stops the smallest of the wrong cases."""
    smallest = min(evidence.wrong, key=lambda one: one.case.size())
    outcome = smallest.outcome
    if smallest.problem is None or smallest.problem.kind != "raised":
        return None
    found = _reason(outcome)
    if evidence.key.hidden:
        return _without_its_words(outcome, found)
    if raised_on_purpose(outcome):
        return _refused(outcome)
    if found is None:
        return None
    id, reason = found
    if id == "missing_argument" and not outcome.line:  # nobody but the exercise called it
        text = _(
            "The exercise calls your function without {names}: give a default in the `def` line, "
            "as the exercise's has it."
        )
        reason = text.format(names=outcome.message.partition(": ")[2].replace("'", "`"))
    if any(one.outcome.returned for one in evidence.wrong):
        reason = together(reason, _("(Other cases come back, and are wrong, too.)"))
    if outcome.inside:
        text = _("Your line `{calling}` leads to `{inside}`, which stops at `{line}`: {reason}")
    elif outcome.line:
        text = _("In your line `{line}`: {reason}")
    else:
        text = "{reason}"
    where = {"line": outcome.line, "inside": outcome.inside, "calling": outcome.calling}
    return Cause(id, text.format(reason=reason, **where))


def _without_its_words(outcome: Outcome, found: tuple[str, str] | None) -> Cause | None:
    """Name the kind only: what an exception says, and its line, may be what it was given."""
    if raised_on_purpose(outcome):
        text = _("A `raise` or `assert` of your own refuses input that is right.")
        return Cause("right_input_refused", text)
    if found is None:
        return None
    text = _(
        "It stops with an error. Where `check` finds none, try other input by hand: a batch, one "
        "token, sizes that all differ."
    )
    return Cause(found[0], text)


def _refused(outcome: Outcome) -> Cause:
    """The learner's own raise or assert stopped what is right."""
    if outcome.inside:
        text = _(
            "Your line `{calling}` leads to `{inside}`, which refuses what it is given: `{line}`. "
            "Is it given what it asks for?"
        )
        words = text.format(calling=outcome.calling, inside=outcome.inside, line=outcome.line)
        return Cause("refused_by_another", words)
    text = _("Your own line `{line}` refuses input that is right: look at its condition.")
    if outcome.line.startswith("raise"):
        text = _(
            "Your own line `{line}` refuses input that is right: look at the condition above it."
        )
    return Cause("right_input_refused", text.format(line=outcome.line))


def cause_in_refusals(evidence: Evidence) -> Cause | None:
    """Return how bad input is refused, where it is refused in another way than asked for."""
    refused = [one for one in evidence.all if one.case.raises and one.problem]
    if not refused or not all(one.outcome.error for one in refused):
        return None
    if all(raised_on_purpose(one.outcome) for one in refused):
        text = _("Bad input is refused, but not with {wanted}: write `raise {wanted}(...)`.")
        if all("assert" in one.outcome.line for one in refused):
            text = _(
                "`assert` raises an AssertionError. Asked for is {wanted}: an `if`, and "
                "`raise {wanted}(...)`."
            )
        return Cause("refused_in_another_way", text.format(wanted=refused[0].case.raises))
    text = _(
        "On bad input your function breaks by accident. Look whether it is bad before anything "
        "else, and raise {wanted}."
    )
    return Cause("breaks_by_accident", text.format(wanted=refused[0].case.raises))


def _reason(outcome: Outcome) -> tuple[str, str] | None:
    for id, pattern, sentence in _reasons():
        match = re.search(pattern, outcome.message)
        if match and id == "not_defined" and (written := where_it_is_written(match[1])):
            return id, written
        if match and (id != "unknown_key" or outcome.error == "KeyError"):
            reason = sentence.format(*(group or "" for group in match.groups()))
            if "operands could not be broadcast" in outcome.message and " * " in outcome.line:
                more = _("(`*` goes cell by cell; the product of matrices is `@`.)")
                reason = together(reason, more)
            return id, reason
    return None
