"""A translation reaches the learner: cards, messages, hints, answers, figures, and all the rest."""

import ast
import gettext
import shutil
import string
import subprocess
import sys

import numpy as np
import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from classroom import ROOT, surroundings
from matplotlib.text import Text

from autograder.__main__ import main
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


def test_without_a_translation_the_english_text_is_shown():
    untranslated = gettext.translation("illustrated_attention", "/nowhere", fallback=True)
    assert untranslated.gettext("passed") == "passed"


# --- the template -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "illustrated_attention.pot"
    assert main(["template", str(path)]) == 0
    with open(path, "rb") as file:
        return read_po(file)


def test_the_template_holds_every_sentence_of_the_exercises(template):
    for exercise in all_exercises():
        for mistake in exercise.mistakes:
            assert mistake.message in template
        for text in exercise.hints:
            assert text in template
        for case in (*exercise.visible, *exercise.hidden):
            assert case.title in template
    for lesson in LESSONS:
        for question in questions(lesson):
            assert all(reply in template for reply in question.replies.values())


def calls_of_underscore():
    for path in sorted((ROOT / "illustrated_attention").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "_":
                yield path.name, node


def test_the_template_holds_every_sentence_of_the_code(template):
    found = 0
    for name, node in calls_of_underscore():
        if isinstance(node.args[0], ast.Constant):
            found += 1
            assert node.args[0].value in template, (name, node.lineno)
    assert found > 100


def test_a_sentence_is_never_put_together_before_it_is_translated():
    """An f-string or a sum inside _() could never be found in a catalogue."""
    for name, node in calls_of_underscore():
        assert not isinstance(node.args[0], (ast.JoinedStr, ast.BinOp)), (name, node.lineno)


def test_a_real_catalogue_is_found_by_the_environment(template, tmp_path):
    """The whole way of a translator: template, catalogue, .mo file, LANGUAGE."""
    template.locale = "de"
    template["{count} of {all} checks passed"].string = "{count} von {all} Prüfungen bestanden"
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "illustrated_attention", clone / "illustrated_attention")
    shutil.copytree(ROOT / "data" / "answers", clone / "data" / "answers")
    folder = clone / "data" / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / "illustrated_attention.mo", "wb") as file:
        write_mo(file, template)
    program = "from illustrated_attention import check\ncheck(lambda scores: scores, 'softmax')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=clone,
        capture_output=True,
        encoding="utf-8",
        env=surroundings(LANGUAGE="de", PYTHONPATH=str(clone), PYTHONIOENCODING="utf-8"),
    )
    assert "0 von 12 Prüfungen bestanden" in done.stderr
