"""`hint` and `answer`: help in three steps, and questions that are answered at once."""

import re

import jupytext
import numpy as np
import pytest
from classroom import ROOT, read_release, read_solution

from autograder.authoring.graded_cells import with_graded_cells
from autograder.exercises import LESSONS, all_exercises, questions
from illustrated_attention import answer, checking, hint
from illustrated_attention.answer_keys import Question, find_question
from illustrated_attention.typed_numbers import typed_number

QUESTIONS = [question for lesson in LESSONS for question in questions(lesson)]


@pytest.fixture(autouse=True)
def no_hint_given_yet(monkeypatch):
    monkeypatch.setattr(checking, "_hints_given", {})


def test_three_hints_come_one_by_one_and_the_last_stays(capsys):
    for number in (1, 2, 3, 3, 3):
        hint("softmax")
        assert capsys.readouterr().out.startswith(f"Hint {number} of 3 for softmax\n")
    hint("softmax")
    assert "This was the last hint" in capsys.readouterr().out


def test_a_hint_is_asked_for_with_the_function_itself(capsys):
    def softmax(scores):
        raise NotImplementedError()

    hint(softmax)
    exec("embed = lambda: None\nhint(embed)", {"hint": hint})
    said = capsys.readouterr().out
    assert "Hint 1 of 3 for softmax" in said
    assert "Hint 1 of 3 for embed" in said


def test_a_hint_for_no_exercise_names_the_exercises():
    with pytest.raises(ValueError, match=r"no exercise named 'sotfmax'.*softmax"):
        hint("sotfmax")


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda e: e.name)
def test_every_exercise_has_three_hints_that_say_more_and_more(exercise):
    assert len(exercise.hints) == 3
    assert len(set(exercise.hints)) == 3
    for text in exercise.hints:
        assert len(text.split()) <= 160
        assert text.count("`") % 2 == 0
    assert "def " not in exercise.hints[0] and "return " not in exercise.hints[0]


# --- questions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.id)
def test_every_question_has_a_right_answer_and_a_reply_to_each(question, capsys):
    if isinstance(question.right, str):
        assert question.right in question.replies
        for letter in question.replies:
            answer(question.id, letter)
            mark = "✓" if letter == question.right else "✗"
            said = capsys.readouterr().out
            assert said.startswith(f"{mark} {letter} is")
            assert question.replies[letter] in said
    else:
        assert set(question.replies) == {"right", "wrong"}
        answer(question.id, question.right)
        assert capsys.readouterr().out.startswith("✓")
        answer(question.id, question.right + 1)
        assert capsys.readouterr().out.startswith("✗")


def letter_question():
    return next(q for q in QUESTIONS if isinstance(q.right, str))


def number_question():
    return next(q for q in QUESTIONS if not isinstance(q.right, str))


@pytest.mark.parametrize("reply", ["?", "", "z", ..., None, 3, [1]])
def test_no_letter_yet_is_no_wrong_answer(reply, capsys):
    question = letter_question()
    answer(question.id, reply)
    said = capsys.readouterr().out
    assert said.startswith("Your answer, please\nAnswer with one of these letters")
    assert "✗" not in said


@pytest.mark.parametrize("reply", [..., "?"])
def test_no_number_yet_is_no_wrong_answer(reply, capsys):
    answer(number_question().id, reply)
    assert capsys.readouterr().out == (
        "Your answer, please\nAnswer with a number: replace the dots.\n"
    )


@pytest.mark.parametrize(
    "reply",
    [
        *((None,), ("seven",), ([1, 2],), ({},), ("between 3 and 4",), ("1/0",), ("1,2,3",)),
        *((1, 2, 3), (0, 5, 7), (1, 50, 368)),
    ],
)
def test_what_is_no_number_is_told_in_words(reply, capsys):
    answer(number_question().id, *reply)
    said = capsys.readouterr().out
    assert said.startswith("Your answer, please\nThat is not one number. Write it with digits")


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ((2_362_368,), 2_362_368),
        ((2, 362, 368), 2_362_368),
        ((2, 000, 000), 2_000_000),
        (("2,362,368",), 2_362_368),
        (("2 362 368",), 2_362_368),
        (("2.362.368",), 2_362_368),
        (("2_362_368 parameters",), 2_362_368),
        (("0,33",), 0.33),
        ((0, 33), 0.33),
        ((3, 14), 3.14),
        (("0,125",), 0.125),
        (("about 8",), 8),
        (("≈ 8.5 %",), 0.085),
        (("8\uff05",), 0.08),
        (("It is 8.",), 8),
        (("1/3",), 1 / 3),
        (("1 / 3",), 1 / 3),
        (("-0.5",), -0.5),
        (("\u22120,5",), -0.5),
        (("1e-5",), 1e-5),
        ((np.float32(0.5),), 0.5),
    ],
)
def test_a_number_is_read_as_people_write_it(reply, number):
    assert typed_number(reply) == pytest.approx(number, rel=1e-12)


def test_capital_letters_and_blanks_do_not_matter(capsys):
    question = letter_question()
    answer(question.id, f" {question.right.upper()} ")
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    ("right", "reply", "good"),
    [
        (0.7071, "0.7071", True),
        (0.7071, 0.71, True),
        (0.7071, 0.72, False),
        (7, "7", True),
        (7, 7.0, True),
        (1023, 1024, False),
        (124_439_808, 124_439_808, True),
        (124_439_808, 124_410_624, False),
    ],
)
def test_a_measured_number_may_be_rounded_and_a_counted_one_may_not(
    right, reply, good, capsys, monkeypatch
):
    asked = Question("q", right, {"right": "Yes.", "wrong": "No."})
    monkeypatch.setattr("illustrated_attention.questions.find_question", lambda id: asked)
    answer("q", reply)
    assert capsys.readouterr().out.startswith("✓" if good else "✗")


def test_nan_is_never_right(capsys):
    answer(number_question().id, float("nan"))
    assert capsys.readouterr().out.startswith("✗")


def test_an_unknown_question_is_told():
    with pytest.raises(ValueError, match="no question '99-nothing'"):
        answer("99-nothing", "a")


def test_ids_are_unique_and_begin_with_the_lessons_number():
    for lesson in LESSONS:
        for question in questions(lesson):
            assert question.id.startswith(lesson[:2] + "-")
            assert find_question(question.id) == question
    assert len({q.id for q in QUESTIONS}) == len(QUESTIONS)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_notebook_asks_exactly_the_questions_that_there_are(lesson):
    code = [c.source for c in read_solution(lesson).cells if c.cell_type == "code"]
    asked = re.findall(r'^answer\("([\w-]+)", (.+)\)$', "\n".join(code), re.MULTILINE)
    assert sorted(id for id, _reply in asked) == sorted(q.id for q in questions(lesson))
    # Neither the right answer nor a wrong one is filled in already.
    letters = {q.id for q in questions(lesson) if isinstance(q.right, str)}
    for id, reply in asked:
        assert reply == ('"?"' if id in letters else "...")


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_question_is_put_in_the_text_with_its_id_and_its_letters(lesson):
    text = "\n".join(c.source for c in read_release(lesson).cells if c.cell_type == "markdown")
    for question in questions(lesson):
        assert f"`{question.id}`" in text
        if isinstance(question.right, str):
            put = text.split(f"`{question.id}`", 1)[1]
            for letter in question.replies:
                assert f"- ({letter}) " in put


def test_the_source_is_what_jupytext_reads():
    for lesson in LESSONS:
        path = ROOT / "solutions" / lesson / f"{lesson}.py"
        written = with_graded_cells(jupytext.read(path, fmt="py:percent").cells)
        assert [c.cell_type for c in written] == [c.cell_type for c in read_solution(lesson).cells]
