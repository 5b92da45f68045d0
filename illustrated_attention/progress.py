"""The learner's map of GPT-2: parts light up whose functions pass their check.

What passed is kept in a small file on the learner's machine, and nothing is sent anywhere.
"""

import contextlib
import html
import json
import os
import sys
import tempfile
from pathlib import Path

from illustrated_attention.being_graded import being_graded
from illustrated_attention.contents import exercise_names
from illustrated_attention.figures.palette import CARD_CELL, CARD_GOOD
from illustrated_attention.language import _, labelled, later, listed

# The way of a token through GPT-2. The block is run many times.
PARTS = (
    (later("Tokens become vectors"), ("embed",)),
    (later("Block: layer norm, before attention and before the MLP"), ("layer_norm",)),
    (later("Block: queries, keys and values, cut into heads"), ("qkv_projection", "split_heads")),
    (
        later("Block: attention in each head"),
        ("scaled_scores", "causal_mask", "softmax", "masked_softmax", "weighted_sum"),
    ),
    (later("Block: the cache"), ("append_kv", "cached_causal_mask", "attend_with_cache")),
    (
        later("Block: heads together, and the whole attention"),
        ("merge_heads", "project", "gpt2_attention"),
    ),
    (later("Block: the MLP"), ("gelu", "mlp")),
    (later("The whole block"), ("block",)),
    (later("The whole model: a logit for every word"), ("gpt2",)),
    (later("Writing"), ("generate",)),
    (
        later("Along the way: first versions, tests and sums"),
        (
            *("make_qkv", "self_attention", "next_token_pairs", "causal_attention", "find_leak"),
            *("recover_divisor", "decode", "projection_counts", "kv_cache_bytes"),
            *("multi_head_attention", "head_contributions", "count_parameters"),
        ),
    ),
)


class Progress:
    """The map, as HTML in a notebook and as text anywhere else.

    Parameters
    ----------
    passed : set of str
        The functions that pass.
    """

    def __init__(self, passed: set[str]):
        self.passed = passed

    def __str__(self) -> str:
        lines = [self._title()]
        for part, names in PARTS:
            marked = listed(f"✓ {n}" if n in self.passed else n for n in names)
            lines.append("  " + labelled(_(part), marked))
        return "\n".join([*lines, self._where()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<li style="margin:0.35em 0">{html.escape(_(part))}<br>'
            f"{' '.join(map(self._chip, names))}</li>"
            for part, names in PARTS
        )
        title = html.escape(self._title())
        return (
            f'<section aria-label="{title}" style="max-width:52em;line-height:1.9">'
            f'<p style="margin:0 0 0.3em;font-weight:600">{title}</p>'
            f'<ol style="margin:0;padding-left:2.4em">{rows}</ol>'
            '<p style="margin:0.4em 0 0;overflow-wrap:anywhere">'  # a path may be long
            f"{html.escape(self._where())}</p></section>"
        )

    def _chip(self, name: str) -> str:
        if name in self.passed:
            said, line = _("✓ {name}").format(name=name), f"2px solid {CARD_GOOD}"
        else:
            said, line = name, f"1px dashed {CARD_CELL}"
        return (
            f'<code style="border:{line};border-radius:4px;padding:1px 6px;'
            f'white-space:nowrap">{html.escape(said)}</code>'
        )

    def _title(self) -> str:
        text = _("Your GPT-2: {count} of {all} functions pass their check (✓)")
        return text.format(count=len(self.passed), all=len(exercise_names()))

    def _where(self) -> str:
        if being_graded():
            return _("While a notebook is graded nothing is kept.")
        if sys.platform == "emscripten":  # its home is in memory
            return _("In the browser it is kept until the kernel is restarted or the page closed.")
        text = _("Kept in {file} on this machine, and nowhere else. Delete it to begin anew.")
        return text.format(file=_file())


def progress() -> Progress:
    """Show which parts of GPT-2 you have built: a map of all functions that pass their check."""
    return Progress(_passed())


def remember(name: str, passed: bool) -> None:
    """Keep that a function passes, or that it no longer does.

    A check is worth as much where nothing can be kept: a home that is full or read-only stops none.
    """
    before = _passed()
    now = before | {name} if passed else before - {name}
    if being_graded() or now == before:
        return
    file = _file()
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: two notebooks may pass at once.
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
            json.dump(sorted(now), new)
        os.replace(new.name, file)


def _file() -> Path:
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(share) / "illustrated_attention" / "progress.json"


def _passed() -> set[str]:
    if being_graded():
        return set()
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or no longer readable: the next check writes it anew
        return set()
    return {name for name in exercise_names() if name in kept} if isinstance(kept, list) else set()
