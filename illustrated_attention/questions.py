"""A reply to a question of a lesson: is it right, and the card that says so."""

from illustrated_attention.answer_keys import Question, find_question
from illustrated_attention.cards import Card, paragraph
from illustrated_attention.language import _, listed
from illustrated_attention.typed_numbers import typed_number


def reply_card(question: str, reply: tuple[str | float, ...]) -> Card:
    """Return the card for what a learner gave to `answer`.

    Raises
    ------
    ValueError
        If there is no such question.
    """
    asked = find_question(question)
    if asked is None:
        raise ValueError(_("There is no question {id!r}.").format(id=question))
    if isinstance(asked.right, str):
        return _letter_card(asked, "".join(map(str, reply)).strip().lower())
    return _number_card(asked, typed_number(reply), left_open=reply in ((), (...,), ("?",)))


def _letter_card(asked, letter: str) -> Card:
    if letter not in asked.replies:
        letters = listed(sorted(asked.replies))
        text = _("Answer with one of these letters between the quotes: {letters}.")
        return Card(_("Your answer, please"), None, [paragraph(text.format(letters=letters))])
    good = letter == asked.right
    title = _("✓ {letter} is right") if good else _("✗ {letter} is not it")
    return Card(title.format(letter=letter), good, [paragraph(_(asked.replies[letter]))])


def _number_card(asked, number: float | None, left_open: bool) -> Card:
    if number is None:
        text = _("Answer with a number: replace the dots.")
        if not left_open:
            text = _('That is not one number. Write it with digits: 8, 0.33, "8 %" or "1/3".')
        return Card(_("Your answer, please"), None, [paragraph(text)])
    good = _near(number, asked.right)
    title = _("✓ {number:.10g} is right") if good else _("✗ {number:.10g} is not it")
    reply_text = asked.replies["right" if good else "wrong"]
    return Card(title.format(number=number), good, [paragraph(_(reply_text))])


def _near(number: float, right: float) -> bool:
    # A whole number is counted, so the next one is wrong; others may be rounded.
    counted = float(right).is_integer()
    return abs(number - right) <= 0.005 * (1.0 if counted else max(1.0, abs(right)))


def is_right(asked: Question, reply: str) -> bool:
    """Is this reply, as it was typed, the right one?"""
    if isinstance(asked.right, str):
        return reply.strip().lower() == asked.right
    number = typed_number((reply,))
    return number is not None and _near(number, asked.right)
