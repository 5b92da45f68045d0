"""Help with the commonest error in a notebook: using a function whose cell was not run."""

from illustrated_attention.contents import lesson_of_exercise
from illustrated_attention.language import _
from illustrated_attention.notebook_state import ipython


def explain_undefined_functions() -> None:
    """In IPython, add a sentence to the NameError of an exercise's function."""
    shell = ipython()
    if shell is not None:
        shell.set_custom_exc((NameError,), _explain)


def _explain(shell, kind, error, traceback, tb_offset=None):
    if sentence := where_it_is_written(getattr(error, "name", None)):
        error.add_note(sentence)
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)


def where_it_is_written(name: str | None) -> str | None:
    """Say which cell defines an exercise's function; None if there is no such exercise."""
    lesson = lesson_of_exercise(name) if name else None
    if lesson is None:
        return None
    text = _(
        "{name} is not defined yet. Run the cell that defines it first: in lesson {number} the one "
        "in which you write it, in a later lesson the folded one at its beginning."
    )
    return text.format(name=name, number=lesson[:2])
