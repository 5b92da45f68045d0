"""What counts as right, and how the first difference is found."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from illustrated_attention.comparing import ATOL, RTOL, alike, compare

A = np.array([[1.0, 2.0], [3.0, 4.0]])
finite = arrays.arrays(
    "f8",
    arrays.array_shapes(max_dims=4, max_side=4),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


def kind(got, expected):
    difference = compare(got, expected)
    return difference and difference.kind


@given(finite)
def test_an_array_is_right_beside_itself_and_as_float32_and_longdouble(array):
    for dtype in ("f8", "f4", np.longdouble):
        assert compare(array.astype(dtype), array) is None


@given(finite, st.data())
def test_one_wrong_cell_is_found_where_it_is(array, data):
    where = tuple(data.draw(st.integers(0, n - 1)) for n in array.shape)
    got = array.copy()
    got[where] += 2 * (ATOL + RTOL * abs(array[where])) + 1e-3
    difference = compare(got, array)
    assert (difference.kind, difference.where, difference.wrong) == ("value", where, 1)


@given(finite, finite)
def test_another_shape_is_never_right(a, b):
    assume(a.shape != b.shape)
    assert kind(a, b) == "shape"


@pytest.mark.parametrize(
    "got", [(A, A), [A, A], np.stack([A, A]), (A.astype("f4"), A), np.ma.array([A, A])]
)
def test_a_tuple_may_come_as_a_list_or_one_stacked_array(got):
    assert compare(got, (A, A)) is None


@pytest.mark.parametrize(
    ("got", "kind_of_difference"),
    [
        (None, "none"),
        ((A, None), "none"),
        ((A,), "length"),
        (np.stack([A, A, A]), "length"),
        (A, "type"),  # one array with as many rows as there are values
        (A[:1], "type"),
        (A.ravel(), "type"),
        (A[0, 0], "type"),
        ({"q": A, "k": A}, "type"),
        ((a for a in (A, A)), "type"),
        ("AA", "type"),
        ((A, A + 1), "value"),
        ((A, A[0]), "shape"),
        ((A, A.tolist()), "type"),
    ],
)
def test_what_is_wrong_with_a_tuple(got, kind_of_difference):
    assert kind(got, (A, A)) == kind_of_difference


def test_one_array_inside_a_tuple_is_one_value_or_a_stack():
    inner = compare((A, A), (A, (A, A)))
    assert (inner.kind, inner.part) == ("type", (1,))
    stacked = compare((A, np.stack([A, A + 1])), (A, (A, A)))
    assert (stacked.kind, stacked.part) == ("value", (1, 1))
    pairs = [([1], 2), ([1, 2], 3)]
    assert compare(np.array(pairs, dtype=object), pairs) is None
    assert kind(np.array([1, 2, 3]), [1, 2]) == "length"


def test_the_part_of_a_tuple_that_is_wrong_is_told():
    assert compare((A, A + 1), (A, A)).part == (1,)


class Stubborn:
    """Like a tensor that wants to be detached first."""

    def __array__(self, *args, **kwargs):
        raise RuntimeError("detach me")


@pytest.mark.parametrize(
    "got",
    [
        A.tolist(),
        "numbers",
        (x for x in A),
        {1: A},
        {1.0},
        Stubborn(),
        object(),
        A.astype(object),
        A.astype(complex),
        A.astype(str),
        Fraction(1, 2),
        lambda: A,
    ],
)
def test_what_is_not_an_array_of_numbers_is_told_as_such(got):
    assert kind(got, A) == "type"


@pytest.mark.parametrize(
    "got", [np.asmatrix(A), np.ma.array(A), A[:, ::-1][:, ::-1], A.view(np.recarray)]
)
def test_every_kind_of_array_with_the_right_numbers_is_right(got):
    assert compare(got, A) is None


def test_a_masked_weight_is_a_weight_of_zero():
    weights = np.ma.array([[0.5, 9.0], [0.5, 0.5]], mask=[[0, 1], [0, 0]])
    assert compare(weights, np.array([[0.5, 0.0], [0.5, 0.5]])) is None


def test_zeros_and_ones_pass_where_a_mask_is_asked():
    mask = np.tri(3, dtype=bool)
    for dtype in (bool, int, float):
        assert compare(mask.astype(dtype), mask) is None
    assert kind(np.where(mask, 0.0, -np.inf), mask) == "not_finite"


@pytest.mark.parametrize("got", [3, 3.0, np.float32(3), np.array(3), np.int64(3), True + 2])
def test_a_single_number_may_be_of_any_kind(got):
    assert compare(got, 3) is None


def test_a_number_in_an_array_of_one_is_another_shape():
    assert kind(np.array([3.0]), 3.0) == "shape"


def test_nan_is_found_before_a_wrong_number():
    got = np.array([[9.0, 2.0], [np.nan, 4.0]])
    difference = compare(got, A)
    assert (difference.kind, difference.where) == ("not_finite", (1, 0))


def test_minus_infinity_is_right_where_it_is_expected():
    expected = np.array([1.0, -np.inf])
    assert compare(expected.copy(), expected) is None
    assert kind(np.array([1.0, np.inf]), expected) == "not_finite"
    assert kind(np.array([1.0, -1e30]), expected) == "value"


@pytest.mark.parametrize("error", [4.7e-4, 2e-3, 5e-3])
def test_the_smallest_real_mistakes_are_outside_the_tolerance(error):
    assert kind(A + error, A) == "value"


def test_float32_noise_is_inside_the_tolerance():
    assert compare(A * (1 + 4.1e-6) + 4.1e-6, A) is None


def test_comparing_is_silent_and_calm_whatever_numpy_was_told(recwarn):
    with np.errstate(all="raise"):
        assert kind(np.array([np.inf, np.nan, 1e308]), np.array([1.0, 1.0, -1e308]))
        assert compare(np.array([1e-320]), np.array([0.0])) is None
        assert not alike(np.array([np.inf]), np.array([1e308]))
    assert not recwarn.list


def test_a_mistake_in_a_list_is_the_same_mistake_as_in_a_tuple():
    assert alike((A, A), [A, A])


@given(finite)
def test_alike_is_symmetric_and_knows_nan(array):
    other = array.copy()
    other.flat[0] = np.nan
    assert alike(other, other.copy())
    assert not alike(array, other) and not alike(other, array)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (A, A.tolist()),
        (A, A[None]),
        (np.tri(2), np.tri(2, dtype=bool)),
        ({"q": A}, {"k": A}),
        (A, None),
        ((A,), (A, A)),
        ("a", "b"),
        (A, Stubborn()),
    ],
)
def test_two_mistakes_are_told_apart_by_structure(a, b):
    assert not alike(a, b) and not alike(b, a)


def test_a_list_that_lies_about_its_length_has_the_wrong_length():
    class Lying(list):
        def __len__(self):
            return 2

    difference = compare(Lying([1.0]), (1.0, 2.0))
    assert difference.kind == "length"
    assert len(difference.got) == 1
