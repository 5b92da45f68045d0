"""Help with the commonest error in a notebook: using a function whose cell was not run."""

from illustrated_attention.contents import exercise_names
from illustrated_attention.language import _
from illustrated_attention.notebook_state import ipython


def explain_undefined_functions() -> None:
    """In IPython, add a sentence to the NameError of an exercise's function."""
    shell = ipython()
    if shell is not None:
        shell.set_custom_exc((NameError,), _explain)


def _explain(shell, kind, error, traceback, tb_offset=None):
    if getattr(error, "name", None) in exercise_names():
        text = _("{name} is not defined yet. Run the cell above in which you write it, then this.")
        error.add_note(text.format(name=error.name))
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
