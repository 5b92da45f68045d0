"""`gelu`, lesson 06. GPT-2's bend."""

import math

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
from autograder.exercises.pieces import (
    exact_gelu,
    in_float32,
    inner_of_gelu,
    relu,
    sigmoid,
    tanh_gelu,
)
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import _C, gelu_of, same
from illustrated_attention.language import later as _

GELU = Exercise(
    name="gelu",
    lesson="06_block",
    can="You can now bend numbers as GPT-2 does.",
    visible=(
        Case("four numbers", (np.array([-1.0, 0.0, 1.0, 2.0]),)),
        Case("far from 0", (np.array([-6.0, -4.0, -3.0, -2.6, -2.2, 3.0, 5.0]),)),
        Case("a batch", (tidy(2, 3, 4, seed=621),)),
        Case("whole numbers", (np.array([[-2, -1], [1, 3]]),)),
        late("very far from 0", (np.array([-1000.0, -30.0, 30.0, 1000.0]),)),
    ),
    hidden=(
        Case("other sizes", (2 * rough(5, 18, seed=622),)),
        Case("one number", (np.array([-2.5]),)),
        Case("four axes", (2 * rough(2, 3, 5, 6, seed=623),)),
        Case("far below and far above 0", (np.linspace(-9, 9, 37),)),
        Case("whole numbers", (np.arange(-5, 7).reshape(3, 4),)),
        late("from far below to far above 0", (np.linspace(-60, 60, 241),)),
        late("very far from 0", (np.array([[-1e5, -300.0], [300.0, 1e5]]),)),
        late("many numbers", (rough(FAR, 2, seed=629),)),
        late("zeros", (np.zeros((2, 3)),)),
        late("large whole numbers", (np.array([[-3000, 0, 3000]]),)),
        late("all sizes equal", (rough(4, 4, 4, seed=630) * 3,)),
    ),
    promises=(
        Promise(
            "every number gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 3, 4, seed=621)),
            (1, rough(3, 5, 6, seed=625)),
        ),
    ),
    hints=(
        "It is one formula, and NumPy works on every number of an array by itself: no loop and no "
        "axis is needed. From the inside out: which part comes first?",
        "First the sum x + 0.044715 x³, times the square root of 2 / pi. Then `np.tanh` of that, "
        "plus 1. Then times 0.5 x. In Python the third power is `x**3`.",
        "With `inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)`, the result is half of x, times "
        "the sum of 1 and `np.tanh(inner)`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

GELU.mistake(
    "exact_gelu",
    "You use the exact GELU, with the error function erf. GPT-2 uses the formula with "
    "tanh, which comes close to it but differs by up to 0.0005, most for numbers near "
    "-2.7 and 2.7.",
    exact_gelu,
)

GELU.mistake(
    "relu",
    "That is ReLU: every negative number becomes 0. GELU is smooth, and gives small "
    "negative numbers a small negative value.",
    relu,
    lambda x: x * (x > 0),
)

GELU.mistake(
    "leaky_relu",
    "That is a leaky ReLU: a bend at 0 between two straight lines. GELU is smooth: use the "
    "formula with tanh.",
    lambda x: np.where(x > 0, x, 0.01 * x),
    lambda x: np.where(x > 0, x, 0.1 * x),
)

GELU.mistake(
    "silu",
    "That is SiLU (or swish): x times the sigmoid of x. It looks much like GELU. GPT-2 "
    "uses the formula with tanh.",
    lambda x: x * sigmoid(x),
)

GELU.mistake(
    "quick_gelu",
    "You use a quick form, x times the sigmoid of 1.702 x. It differs by up to 0.02. GPT-2 "
    "uses the formula with tanh.",
    lambda x: x * sigmoid(1.702 * x),
)

GELU.mistake(
    "sigmoid_alone",
    "That is a sigmoid: all your values lie between 0 and 1. GELU keeps large numbers as "
    "they are: x times something between 0 and 1.",
    sigmoid,
)

GELU.mistake(
    "tanh_alone",
    "That is only the tanh: all your values lie between -1 and 1. Add 1 to it, then "
    "multiply by 0.5 x.",
    lambda x: np.tanh(inner_of_gelu(x)),
    np.tanh,
)

GELU.mistake(
    "squared_not_cubed",
    "You have the square of x in the formula where its third power belongs.",
    lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**2))),
)

GELU.mistake(
    "cubic_term_missing",
    "The term with the third power of x is missing: 0.044715 x³ is added to x before the "
    "root is multiplied.",
    lambda x: 0.5 * x * (1 + np.tanh(inner_of_gelu(x, 0))),
)

GELU.mistake(
    "inner_x_missing",
    "Inside the tanh stands the third power alone. The sum is x + 0.044715 x³: add x.",
    lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * 0.044715 * x**3)),
)

GELU.mistake(
    "three_times_not_cubed",
    "You take 3 times x where the third power of x belongs. In Python that is `x**3`.",
    lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x * 3))),
)

GELU.mistake(
    "caret_for_power",
    "In Python `^` is no power: it compares bits, and does not work with decimals. The "
    "third power of x is `x**3`.",
    lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * (x ^ 3)))),
)

GELU.mistake(
    "cubic_factor_missing",
    "The factor of the third power is missing: x³ is multiplied by 0.044715 before it is "
    "added to x.",
    lambda x: 0.5 * x * (1 + np.tanh(inner_of_gelu(x, 1))),
)

GELU.mistake(
    "cubic_factor_mistyped",
    "One digit of 0.044715 is wrong, or the point has moved. It is 0.044715.",
    lambda x: 0.5 * x * (1 + np.tanh(inner_of_gelu(x, 0.44715))),
    lambda x: 0.5 * x * (1 + np.tanh(inner_of_gelu(x, 0.0044715))),
    lambda x: 0.5 * x * (1 + np.tanh(inner_of_gelu(x, 0.04715))),
    lambda x: 0.5 * x * (1 + np.tanh(inner_of_gelu(x, 0.47715))),
    lambda x: 0.5 * x * (1 + np.tanh(inner_of_gelu(x, 0.044175))),
)

GELU.mistake(
    "brackets_wrong",
    "The brackets are in another place. The root multiplies the whole sum of x and 0.044715 x³.",
    lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * x + 0.044715 * x**3)),
)

GELU.mistake(
    "sum_cubed",
    "You take the third power of the whole sum. Only x is cubed: x + 0.044715 x³.",
    lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x) ** 3)),
    lambda x: 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + (0.044715 * x) ** 3))),
)

GELU.mistake(
    "root_of_pi_over_2",
    "The root is upside down: it is the square root of 2 / pi, about 0.798.",
    lambda x: 0.5 * x * (1 + np.tanh((np.pi / 2) ** 0.5 * (x + 0.044715 * x**3))),
)

GELU.mistake(
    "root_missing",
    "You multiply by 2 / pi itself, about 0.637. Take its square root, about 0.798, "
    "before you "
    "multiply.",
    lambda x: 0.5 * x * (1 + np.tanh(2 / np.pi * (x + 0.044715 * x**3))),
)

GELU.mistake(
    "root_of_one_number",
    "Only one of the two numbers is under your root. It is the square root of the whole fraction "
    "2 / pi, about 0.798.",
    lambda x: 0.5 * x * (1 + np.tanh(2**0.5 / np.pi * (x + 0.044715 * x**3))),
    lambda x: 0.5 * x * (1 + np.tanh(2 / np.pi**0.5 * (x + 0.044715 * x**3))),
)

GELU.mistake(
    "root_left_out",
    "The square root of 2 / pi is missing in front of the sum.",
    lambda x: 0.5 * x * (1 + np.tanh(x + 0.044715 * x**3)),
)

GELU.mistake(
    "half_missing",
    "Your values are twice as large as they should be: large numbers should come out nearly as "
    "they are. The factor 0.5 is missing.",
    lambda x: x * (1 + np.tanh(inner_of_gelu(x))),
)

GELU.mistake(
    "one_missing",
    "You multiply by the tanh alone: negative numbers come out positive. Add 1 to the tanh first.",
    lambda x: 0.5 * x * np.tanh(inner_of_gelu(x)),
    lambda x: x * np.tanh(inner_of_gelu(x)),
)

GELU.mistake(
    "x_missing",
    "Your values lie between 0 and 1: they are the share of x that passes. Multiply by x.",
    lambda x: 0.5 * (1 + np.tanh(inner_of_gelu(x))),
)

GELU.mistake(
    "one_added_outside",
    "A bracket is missing: 1 is added to the tanh first, and the sum is multiplied by 0.5 x.",
    lambda x: 0.5 * x * 1 + np.tanh(inner_of_gelu(x)),
    lambda x: 0.5 * (x + np.tanh(inner_of_gelu(x))),
)

GELU.mistake(
    "sign_wrong",
    "Your function lets negative numbers pass and stops positive ones. Add the tanh to 1, "
    "do not subtract it.",
    lambda x: 0.5 * x * (1 - np.tanh(inner_of_gelu(x))),
)

GELU.mistake(
    "sigmoid_not_doubled",
    "A sigmoid can replace the tanh, but then its argument must be twice as large, and 0.5 "
    "and 1 fall away.",
    lambda x: x * sigmoid(inner_of_gelu(x)),
    lambda x: 0.5 * x * (1 + sigmoid(inner_of_gelu(x))),
)

GELU.mistake(
    "sin_or_tan",
    "You call `np.tan`, `np.sinh` or `np.arctan`. The function is `np.tanh`: it stays between -1 "
    "and 1, and comes close to both.",
    lambda x: 0.5 * x * (1 + np.tan(inner_of_gelu(x))),
    lambda x: 0.5 * x * (1 + np.sinh(inner_of_gelu(x))),
    lambda x: 0.5 * x * (1 + np.arctan(inner_of_gelu(x))),
)

GELU.mistake(
    "elu_or_softplus",
    "That is another smooth function, ELU or softplus. GPT-2 uses GELU: the formula with tanh.",
    lambda x: np.where(x > 0, x, np.exp(x) - 1),
    lambda x: np.log1p(np.exp(x)),
)

GELU.mistake(
    "math_instead_of_numpy",
    "Functions of Python's `math` take one number only. Their namesakes in NumPy, such as "
    "`np.tanh`, work on whole arrays.",
    lambda x: 0.5 * x * (1 + math.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))),
)


def _tanh_by_exp(y):
    return (np.exp(y) - np.exp(-y)) / (np.exp(y) + np.exp(-y))


GELU.mistake(
    "tanh_overflows",
    "Right near 0, nan far from it: you compute tanh from exp, and exp of a large number "
    "is too large for any float. `np.tanh` takes numbers of any size.",
    lambda x: 0.5 * x * (1 + _tanh_by_exp(inner_of_gelu(x))),
    lambda x: (
        0.5 * x * (1 + (np.exp(2 * inner_of_gelu(x)) - 1) / (np.exp(2 * inner_of_gelu(x)) + 1))
    ),
    lambda x: (
        0.5 * x * (1 + (1 - np.exp(-2 * inner_of_gelu(x))) / (1 + np.exp(-2 * inner_of_gelu(x))))
    ),
)

GELU.mistake(
    "nothing_done",
    "Numbers come out as they went in. Without a bend, two matrices in a row could do no "
    "more than one.",
    lambda x: x.copy(),
)


@GELU.mistake(
    "whole_numbers_result",
    "Your result array takes its type from `x`, so for whole numbers it cuts off all "
    "decimals. Make a float array.",
)
def _gelu_integer_result(x):
    out = np.zeros_like(x)
    out[...] = tanh_gelu(x)
    return out


GELU.mistake(
    "rounded",
    "Your numbers are rounded, or went through float16. Round when you print, not when you return.",
    lambda x: tanh_gelu(x).round(2),
    lambda x: tanh_gelu(x).round(3),
    lambda x: tanh_gelu(x).astype(np.float16),
)


def _gelu_changes_x(x):
    right = tanh_gelu(x)
    x *= 0
    return right


def _gelu_in_place(x):
    x *= 0.5 * (1 + np.tanh(inner_of_gelu(x)))
    return x


GELU.mistake(
    "x_changed",
    "`x` is different after the call. Somewhere you write into the caller's array. Make a new one.",
    _gelu_changes_x,
    _gelu_in_place,
)

# --- unusual, and right --------------------------------------------------------------------------

GELU.also_right("sigmoid of twice as much", lambda x: x * sigmoid(2 * inner_of_gelu(x)))

GELU.also_right(
    "root as a number",
    lambda x: 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3))),
)


def _gelu_of_one(x):
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@GELU.also_right("cell by cell with math.tanh")
def _gelu_cell_by_cell(x):
    out = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        out[index] = _gelu_of_one(float(x[index]))
    return out


GELU.also_right(
    "the sigmoid's form, which has no upper end", lambda x: x * sigmoid(2 * inner_of_gelu(x))
)


def _tanh_by_small_exp(y):
    small = np.exp(-2 * np.abs(y))
    return np.sign(y) * (1 - small) / (1 + small)


GELU.also_right(
    "tanh by exp of one sign", lambda x: 0.5 * x * (1 + _tanh_by_small_exp(inner_of_gelu(x)))
)

GELU.also_right("np.vectorize", np.vectorize(_gelu_of_one, otypes=[float]))

GELU.also_right("float32", in_float32(tanh_gelu))

GELU.also_right(
    "multiplied out",
    lambda x: x / 2 + x / 2 * np.tanh(np.sqrt(2 / np.pi) * x * (1 + 0.044715 * x * x)),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------

GELU.steps = Steps(
    gelu_of,
    {"factor": _C, "cubic": 0.044715, "power": lambda x: x**3, "half": 0.5, "one": 1.0, "outer": same, "squash": np.tanh},
    {
        "factor": (
            Wrong("factor_rounded", _("The root of 2 / pi is rounded to 0.8."), 0.8),
            Wrong("factor_without_root", _("The root of 2 / pi is missing: 2 / pi is used."), 2 / np.pi),
            Wrong("factor_turned", _("pi / 2 stands under the root, not 2 / pi."), np.sqrt(np.pi / 2)),
            Wrong("factor_one", _("The factor sqrt(2 / pi) is missing."), 1.0),
            Wrong("factor_root_2", _("The root of 2 is used, without pi."), 2**0.5),
            Wrong("factor_root_2_over_pi", _("The root is taken of 2 only: sqrt(2) / pi."), 2**0.5 / np.pi),
        ),
        "cubic": (
            Wrong("cubic_zero", _("The cubic term is missing."), 0.0),
            Wrong("cubic_one", _("The factor 0.044715 is missing."), 1.0),
            Wrong("cubic_mistyped", _("The factor of the cubic term is mistyped: 0.44715."), 0.44715),
            Wrong("cubic_mistyped_small", _("The factor of the cubic term is mistyped: 0.0044715."), 0.0044715),
            Wrong("cubic_rounded", _("The factor of the cubic term is rounded to 0.04."), 0.04),
            Wrong("cubic_negative", _("The cubic term has the wrong sign."), -0.044715),
        ),
        "power": (
            Wrong("square", _("x is squared where it should be cubed."), np.square),
            Wrong("fourth", _("x is raised to 4 where it should be cubed."), lambda x: x**4),
            Wrong("three_times", _("x is multiplied by 3 where it should be cubed."), lambda x: 3 * x),
            Wrong("cube_of_size", _("The cube has lost its sign."), lambda x: np.abs(x) ** 3),
            Wrong("cube_root", _("The cube root is taken, not the cube."), np.cbrt),
        ),
        "half": (
            Wrong("half_missing", _("The factor 0.5 is missing."), 1.0),
            Wrong("half_zero", _("The factor is 0: with // one half is 0."), 0.0),
            Wrong("half_doubled", _("The factor is 2, not 0.5."), 2.0),
        ),
        "one": (Wrong("one_missing", _("1 is not added to tanh."), 0.0), Wrong("one_subtracted", _("1 is subtracted from tanh."), -1.0)),
        "outer": (Wrong("x_missing", _("The factor x is missing."), np.ones_like), Wrong("size_of_x", _("The factor x has lost its sign."), np.abs)),
        "squash": (
            Wrong("sigmoid_for_tanh", _("Sigmoid is used in place of tanh."), lambda x: 1 / (1 + np.exp(-x))),
            Wrong("tan_for_tanh", _("tan is used in place of tanh."), np.tan),
            Wrong("sin_for_tanh", _("sin is used in place of tanh."), np.sin),
            Wrong("clipped_for_tanh", _("A straight line, cut off at -1 and 1, is used in place of tanh."), lambda x: np.clip(x, -1, 1)),
        ),
    },
)  # fmt: skip
