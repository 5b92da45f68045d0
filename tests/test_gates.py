"""What `make fix` would change is refused, and what the type checker objects to."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy"])
def test_the_code_is_clean(command):
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_page_of_attacks_tells_of_all_attacks_and_what_came_of_them(monkeypatch):
    """On ours none succeeds: `tests/attacks` tries them all. Stock nbgrader's are as last tried."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "attacks")
    from bank import ATTACKS
    from table import TOO_DANGEROUS, page, stock_outcomes

    text = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")
    known = stock_outcomes(text)
    named = [(attack.kind, attack.name) for attack in ATTACKS]
    again = "run: python tests/attacks/against_stock.py docs/attacks.md"
    assert list(known) == named, again
    assert {name for (_kind, name), stock in known.items() if stock is None} == TOO_DANGEROUS, again
    assert text == page([(known[attack], False) for attack in named]), again
