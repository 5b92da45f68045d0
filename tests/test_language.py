"""A translation reaches the learner: cards, messages, hints, answers, figures, and all the rest."""

import ast
import gettext
import re
import shutil
import string
import subprocess
import sys

import numpy as np
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from classroom import ROOT, surroundings
from matplotlib.text import Text

from autograder.__main__ import main
from autograder.authoring.code_sentences import code_sentences
from autograder.class_run.batch import Result
from autograder.class_run.grade import Progress
from autograder.exercises import LESSONS, all_exercises, find_exercise, questions
from autograder.exercises.judging import judge
from illustrated_attention import CheckFailed, answer, check, checking, hint, language
from illustrated_attention.figures import self_attention as draw


class Shouting(gettext.NullTranslations):
    """A language that anybody can read: English in capitals. {names} in braces stay."""

    def gettext(self, message):
        pieces = []
        for text, name, spec, conversion in string.Formatter().parse(message):
            pieces.append(text.upper().replace("{", "{{").replace("}", "}}"))
            if name is not None:
                pieces.append("{" + name + (f"!{conversion}" if conversion else ""))
                pieces.append((f":{spec}" if spec else "") + "}")
        return "".join(pieces)


@pytest.fixture(autouse=True)
def shouting(monkeypatch):
    monkeypatch.setattr(language, "_catalogue", Shouting())


def test_a_translation_reaches_the_card_and_a_mistakes_message():
    with pytest.raises(CheckFailed) as failure:
        check(lambda scores: np.exp(scores), "softmax")
    said = str(failure.value)
    assert "✗ softmax: NOT YET" in said
    assert "YOU RETURN EXP OF THE SCORES. DIVIDE EACH ROW BY ITS SUM." in said
    assert "ONE ROW" in said
    assert failure.value._render_traceback_() == ["softmax IS NOT RIGHT YET: SEE THE CARD ABOVE."]


def test_a_translation_reaches_the_good_card(capsys):
    check(find_exercise("softmax").right[0].implementation, "softmax")
    card = capsys.readouterr().out
    assert "✓ softmax: PASSED\nYOU CAN NOW TURN SCORES INTO SHARES, HOWEVER LARGE THEY ARE." in card
    assert "12 OF 12 CHECKS PASSED" in card


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda s: None, "RETURNED NONE"),
        (lambda s: [1], "A LIST"),
        (lambda s: s.nothing, "STOPPED WITH AttributeError"),
        (lambda s: s + 1, "NOT THE RIGHT NUMBERS"),
        (lambda s: s * np.nan, "HOLDS nan WHERE A PLAIN NUMBER"),
        (lambda s: s[None], "WRONG SHAPE"),
    ],
)
def test_a_translation_reaches_every_kind_of_failure(function, words):
    with pytest.raises(CheckFailed, match=words):
        check(function, "softmax")


def test_a_translation_reaches_hints_and_answers(capsys, monkeypatch):
    monkeypatch.setattr(checking, "_hints_given", {})
    hint("softmax")
    assert find_exercise("softmax").hints[0].upper() in capsys.readouterr().out
    [question] = [q for q in questions("00_orientation") if q.id == "00-sum"]
    answer("00-sum", question.right)
    said = capsys.readouterr().out
    assert f"{question.right} IS RIGHT" in said
    assert question.replies[question.right].upper() in said


def test_a_translation_reaches_the_judge_and_errors():
    assert judge(lambda s: np.sin(7 * s) + s**2, "softmax").message.startswith(
        "ON A CASE OF THE KIND «"
    )
    with pytest.raises(ValueError, match="THERE IS NO EXERCISE NAMED 'sotfmax'"):
        check(lambda s: s, "sotfmax")


def test_a_translation_reaches_a_figures_title_and_alt_text():
    figure = draw.attention_row(["a", "b"], np.array([[0.5, 0.5], [0.25, 0.75]]), query=1)
    assert "TAKES FROM EACH TOKEN" in " ".join(t.get_text() for t in figure.findobj(Text))
    assert "ATTENTION WEIGHTS OF THE QUERY" in figure.alt_text


def test_a_translation_reaches_what_grading_says_on_a_terminal(capsys):
    progress = Progress(3, sys.stdout)
    progress.tell(Result("ada", True, seconds=1, notes="NOTE."))
    progress.tell(Result("bob", True, "a link", seconds=1))
    progress.tell(Result("eve", False, "it broke", died=True))
    print(progress.summary("01", already=4))
    said = capsys.readouterr().out
    assert "1/3 ada: GRADED IN 1.0 S. NOTE.\n2/3 bob: REFUSED, NO POINTS: a link" in said
    assert "3/3 eve: NOT GRADED: it broke\n01: 2 GRADED IN 0.0 S. 1 OF THEM REFUSED" in said
    assert "4 GRADED BEFORE. 1 NOT GRADED; THEY ARE TRIED AGAIN WITH --RETRY ONLY." in said


def test_a_translation_reaches_the_help_of_the_commands(capsys):
    with pytest.raises(SystemExit):
        main(["grade", "--help"])
    assert "GRADE AGAIN WHAT IS GRADED" in capsys.readouterr().out


def test_without_a_translation_the_english_text_is_shown():
    untranslated = gettext.translation("illustrated_attention", "/nowhere", fallback=True)
    assert untranslated.gettext("passed") == "passed"


# --- what translators get -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def sentences():
    return {text for text, _origin in code_sentences()}


def test_translators_get_every_sentence_of_the_exercises(sentences):
    for exercise in all_exercises():
        assert {mistake.message for mistake in exercise.mistakes} <= sentences
        assert set(exercise.hints) <= sentences
        steps = exercise.steps.wrong.values() if exercise.steps else ()
        assert {wrong.sentence for ways in steps for wrong in ways} <= sentences
        assert {case.title for case in (*exercise.visible, *exercise.hidden)} <= sentences
    for lesson in LESSONS:
        for question in questions(lesson):
            assert set(question.replies.values()) <= sentences


def modules():
    for package in ("illustrated_attention", "autograder"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def calls_of_underscore():
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("_", "later"):
                yield f"{path.name}:{node.lineno}", node.args[0]


def test_translators_get_every_sentence_of_the_code(sentences):
    found = [(at, text.value) for at, text in calls_of_underscore() if type(text) is ast.Constant]
    assert len(found) > 1000
    assert [at for at, text in found if text not in sentences] == []


def test_a_sentence_is_never_put_together_before_it_is_translated():
    """An f-string or a sum inside _() could never be found in a catalogue."""
    together = (ast.JoinedStr, ast.BinOp)
    assert [at for at, text in calls_of_underscore() if isinstance(text, together)] == []


def test_no_sentence_is_translated_before_a_language_is_chosen():
    """What stands outside of functions is read when a module is: it is marked with `later`."""
    early = []
    for path, tree in modules():
        names = {
            name.asname or name.name: name.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and str(node.module).endswith(("language", "hook"))
            for name in node.names
        }
        if names.get("_") not in (None, "later"):
            early += [f"{path.name}:{line}" for line in translated_at_once(tree)]
    assert early == []


def translated_at_once(node):
    """The lines of calls of `_` outside of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.Call) and ast.unparse(child.func) == "_":
            yield child.lineno
        yield from translated_at_once(child)


# -- what no translator gets ---------------------------------------------------------------------

# The sentences of exercises have a way of their own; who makes lessons reads English.
NOT_BY_UNDERSCORE = re.compile("exercises/(?!judging)|authoring/")
NOT_SAID = {  # English words that nobody is told
    "causes/errors": "patterns of what Python and NumPy say",
    "causes/source": "a pattern of what Python says",
    "same_behaviour": "a pattern of what NumPy says",
    "answer_keys": "for who builds the keys",
    "widgets/explored": "sentences for the model, which knows English",
    "widgets/drawing": "CSS",
    "widgets/explorer_controls": "CSS",
    "class_run/own_tests": "a line for nbgrader_config.py",
    "nbgrader_steps/execute": "help of settings, as nbgrader shows it; a log",
    "nbgrader_steps/late": "help of settings, as nbgrader shows it",
    "nbgrader_steps/gradebook": "an exception of nbgrader's that is caught",
    "nbgrader_steps/markup": "HTML",
    "nbgrader_steps/settings": "a pattern of what nbgrader says",
    "nbgrader_steps/collect": "a name that nobody has",
    "sandbox/inside/confine": "an error of the system's",
    "sandbox/inside/landlock": "an error of the system's",
    "sandbox/inside/seccomp": "an error of the system's",
    "sandbox/inside/values": "what our side says to a process that broke the rules",
    "sandbox/pictures": "why a picture is left out; only that it is, is told",
    "sandbox/namespace": "what Python says",
    "sandbox/lending": "what our side says to a process that broke the rules",
    "__init__": "what Python says",
}
TO_INSTRUCTORS = ("GraderFailure", "Unsafe")
SENTENCE = re.compile("[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")
# Where a single word is read: a control's name, a figure's words.
NAMES = {"description", "tooltip", "placeholder", "title", "label", "alt", "caption", "summary"}
WRITES = {"set_title", "set_xlabel", "set_ylabel", "suptitle", "text", "annotate", "print"}
WRITES |= {"set_label", "paragraph", "Card"}


def words_outside_the_door(node):
    """Every string in a piece of code but docstrings and what passes through `_`."""
    body = getattr(node, "body", None)
    for child in ast.iter_child_nodes(node):
        if isinstance(body, list) and child is body[0] and isinstance(child, ast.Expr):
            continue  # a docstring
        if isinstance(child, ast.Call):
            name = ast.unparse(child.func).split(".")[-1]
            if name in ("_", "later", *TO_INSTRUCTORS):
                continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child
        yield from words_outside_the_door(child)


def names_in(node):
    """The words that stand in an argument themselves, and not in another call's."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif not isinstance(node, (ast.Call, ast.Subscript, ast.Compare)):
        for child in ast.iter_child_nodes(node):
            yield from names_in(child)


def untranslated(tree):
    """Sentences and names that a person reads and no translator gets."""
    for text in words_outside_the_door(tree):
        if SENTENCE.search(text.value):
            yield text
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        read = [keyword.value for keyword in call.keywords if keyword.arg in NAMES]
        if ast.unparse(call.func).split(".")[-1] in WRITES:
            read += call.args
        for text in (text for argument in read for text in names_in(argument)):
            if re.search("[A-Za-z]{3}", text.value):
                yield text


def test_nothing_that_a_person_reads_stands_outside_the_door():
    found = []
    for path, tree in modules():
        name = path.relative_to(ROOT).with_suffix("").as_posix().partition("/")[2]
        if name in NOT_SAID or NOT_BY_UNDERSCORE.match(name):
            continue
        found += [f"{path.name}:{text.lineno}: {text.value!r}" for text in untranslated(tree)]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError('this has no rows')",
        "raise ValueError(f'{name} has no such rows')",
        "Dropdown(description='layer')",
        "axes.set_title('weights')",
        "print('passed')",
        "html = '<p>' + 'Write the function first' + '</p>'",
    ],
)
def test_a_sentence_or_a_name_outside_the_door_is_found(code):
    assert list(untranslated(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["print(_('passed'))", "x = later('one two three')", "print(text, 'q')", "f('one two')"]
)
def test_what_passes_through_the_door_is_not(code):
    assert not list(untranslated(ast.parse(code)))


def test_a_real_catalogue_is_found_by_the_environment(sentences, tmp_path):
    """The whole way of a translator: sentences, catalogue, .mo file, LANGUAGE."""
    translation = Catalog(locale="de")
    known = "{count} of {all} checks passed"
    assert known in sentences
    translation.add(known, "{count} von {all} Prüfungen bestanden")
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "illustrated_attention", clone / "illustrated_attention")
    shutil.copytree(ROOT / "data" / "answers", clone / "data" / "answers")
    shutil.copy(ROOT / "data" / "contents.json", clone / "data")
    folder = clone / "data" / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / "illustrated_attention.mo", "wb") as file:
        write_mo(file, translation)
    program = "from illustrated_attention import check\ncheck(lambda scores: scores, 'softmax')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=clone,
        capture_output=True,
        encoding="utf-8",
        env=surroundings(LANGUAGE="de", PYTHONPATH=str(clone), PYTHONIOENCODING="utf-8"),
    )
    assert "0 von 12 Prüfungen bestanden" in done.stderr
