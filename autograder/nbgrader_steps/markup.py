"""Text of strangers made into HTML, in a process of its own that can be stopped.

Libraries that read Markdown, HTML and code were not made for text that wants to hurt: there is
always one more input for which they take hours or all memory. `render` gives the work to a process
with limits and returns None where they do not suffice. Run as a program, this file is that process.
"""

import json
import os
import re
import subprocess
import sys
import threading
from html import escape, unescape
from pathlib import Path
from typing import Any

from autograder.nbgrader_steps.cleaning import clean_card

MEMORY = 768 << 20  # bytes of the process
PATIENCE = 20  # times as long by the clock as of CPU time: where nothing else stops the process
MOST_HTML = 400_000  # characters that one text may become

_LINK = re.compile(r"(?i)(https?://|mailto:)")
_BREAK = re.compile(r"<(br|BR)\s*/?>")
_TAG = re.compile(r"<[^>]*>")
_TEX_BLOCK = (
    r"^ {0,3}(?:\$\$(?:\\.|[^\\$])+\$\$"
    r"|\\begin\{(?P<tex_name>[a-z]{1,20}\*?)\}[\s\S]*?\\end\{(?P=tex_name)\})[ \t]*(?:\n|$)"
)
_TEX = r"\$\$(?:\\.|[^\\$])+\$\$|\$(?=[^\s$])(?:\\.|[^\\$])+\$|\\\\\(.*?\\\\\)|\\\\\[.*?\\\\\]"


def markdown(source: str) -> str:
    r"""Turn a stranger's Markdown into HTML in which all tags are ours.

    HTML in it is shown as it was written. So are formulas: what is between dollars, in ``\\(``,
    ``\\[`` or an environment is no Markdown. A picture of the cell's attachments becomes
    ``<img alt="words" src="attachment:name">``, one from elsewhere its words.
    """
    import mistune

    class Renderer(mistune.HTMLRenderer):
        def text(self, text):
            return escape(unescape(text))

        def heading(self, text, level, **attrs):
            return f"<h{level}>{text}</h{level}>\n"  # no id: it could be one of the page's own

        def link(self, text, url, title=None):
            if not _LINK.match(unescape(url)):
                return text
            return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{text}</a>'

        def image(self, text, url, title=None):
            words = escape(unescape(_TAG.sub("", text)))
            if not url.startswith("attachment:"):
                return f"[{words}]"
            return f'<img alt="{words}" src="{escape(url)}">'

        def block_code(self, code, info=None):
            return f"<pre><code>{escape(code)}</code></pre>\n"

        def inline_html(self, html):
            return "<br>" if _BREAK.fullmatch(html) else escape(html)

        def task_list_item(self, text, checked=False):
            return f"<li>{chr(0x2611 if checked else 0x2610)} {text}</li>\n"

        def tex(self, text):
            return escape(text, quote=False)

        def tex_block(self, text):
            return f"<p>{escape(text, quote=False)}</p>\n"

    def with_tex(md):
        def inline(_parser, match, state):
            state.append_token({"type": "tex", "raw": match[0]})
            return match.end()

        def block(_parser, match, state):
            state.append_token({"type": "tex_block", "raw": match[0].strip()})
            return match.end()

        md.inline.register("tex", f"(?s:{_TEX})", inline, before=md.inline.rules[0])
        md.block.register("tex_block", _TEX_BLOCK, block, before=md.block.rules[0])

    plugins: list[Any] = ["strikethrough", "table", "url", "task_lists", "def_list", with_tex]
    return str(mistune.create_markdown(renderer=Renderer(escape=True), plugins=plugins)(source))


def code(source: str) -> str:
    """Highlight Python as notebooks do."""
    from ipython_pygments_lexers import IPython3Lexer
    from pygments import highlight
    from pygments.formatters import HtmlFormatter

    return highlight(source, IPython3Lexer(), HtmlFormatter(cssclass=" highlight hl-ipython3"))


def card(source: str) -> str:
    """Return the HTML of a card with what cards are made of, and nothing else."""
    return clean_card(source)


def render(kind: str, source: str, seconds: float) -> tuple[str | None, float]:
    """Let the process make HTML: None if it takes more CPU time, or becomes too much.

    Parameters
    ----------
    kind : str
        The function of this module that makes it: "markdown", "code" or "card".
    seconds : float
        CPU time that it may take.

    Returns
    -------
    html : str or None
    seconds : float
        What it took.
    """
    with _lock:
        answer = _ask({"kind": kind, "source": source, "seconds": seconds}, seconds)
    return answer if answer else (None, seconds)


_lock = threading.Lock()
_process: subprocess.Popen | None = None


def _ask(request: dict, seconds: float) -> tuple[str | None, float] | None:
    global _process
    if _process is None or _process.poll() is not None:
        _process = _start()
    stdin, stdout = _process.stdin, _process.stdout
    assert stdin is not None and stdout is not None  # both are pipes
    # Systems without a limit on CPU time, and a process that only waits.
    timer = threading.Timer(PATIENCE * (seconds + 1), _process.kill)
    timer.start()
    try:
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        line = stdout.readline()
    except OSError:
        line = ""
    finally:
        timer.cancel()
    if line.endswith("\n"):
        return tuple(json.loads(line))
    for stream in (stdin, stdout):
        try:
            stream.close()
        except BrokenPipeError:  # what it was to read next: nobody needs it
            continue
    _process.kill()
    _process.wait()
    return None


def _start() -> subprocess.Popen:
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],  # not from whatever folder we are in
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="ascii",  # JSON is
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )


def _serve() -> None:
    """Answer each line of the input with one, until it ends."""
    import time

    for make in (markdown, code, card):  # what they import costs no text its time
        make("")
    limit = _limits()
    for line in sys.stdin:
        request = json.loads(line)
        start = time.process_time()
        limit(request["seconds"])
        try:
            make = {"markdown": markdown, "code": code, "card": card}[request["kind"]]
            html = make(request["source"])
        except Exception:  # a library's fault, whatever it is: the text is shown as it is
            html = None
        limit(0)
        if html is not None and len(html) > MOST_HTML:
            html = None
        print(json.dumps([html, time.process_time() - start]), flush=True)


def _limits():
    """Limit this process's memory; return the function that limits CPU time from now on."""
    if sys.platform == "win32":
        return lambda seconds: None
    import resource
    import signal

    if sys.platform == "linux":  # macOS does not know this limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Linux ends the process: no Python has to be run for it, and none could catch it.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    return lambda seconds: signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    _serve()
