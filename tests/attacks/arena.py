"""Let an attack run against a grader and see whether it succeeded."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bank import Attack
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from small_course import ASSIGNMENT, DOUBLE, NOTEBOOK, SECRET, SOFTMAX, SmallCourse

from autograder.nbgrader_steps.execute import close_grader
from autograder.nbgrader_steps.settings import configure_grading

HONEST = 3  # points of the exercise that a ruinous attack leaves honest


@dataclass
class Arena:
    """What an attacker can go for: files, a process, ports of the instructor's."""

    course: SmallCourse
    outside: Path
    victim: subprocess.Popen = None
    _listening: list = field(default_factory=list)

    def __post_init__(self):
        self.secret, self.target = self.outside / "secret", self.outside / "target"
        for kind, address in [
            (socket.AF_INET, ("127.0.0.1", 0)),
            (socket.AF_UNIX, str(self.outside / "socket")),
        ]:
            listening = socket.socket(kind)
            listening.bind(address)
            listening.listen(50)
            threading.Thread(target=_accept, args=(listening,), daemon=True).start()
            self._listening.append(listening)

    def _prepare(self) -> None:
        self.secret.write_text("ESCAPED")
        os.utime(self.secret, (2, 2))
        if self.target.is_dir() and not self.target.is_symlink():
            self.target.rmdir()
        else:
            self.target.unlink(missing_ok=True)
        if self.victim is None or self.victim.poll() is not None:
            self.victim = subprocess.Popen(["sleep", "1000"])

    def _fill(self, source: str) -> str:
        gradebook = self.course.root / "gradebook.db"
        places = {
            "secret": self.secret,
            "target": self.target,
            "victim": self.victim.pid,
            "port": self._listening[0].getsockname()[1],
            "socket": self._listening[1].getsockname(),
            "solutions": self.course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb",
            "gradebook": gradebook,
        }
        for name, place in places.items():
            source = source.replace("{" + name + "}", str(place))
        return source

    def try_out(self, attack: Attack, stock: bool, **config) -> bool:
        """Hand the attack in, grade it, and return whether it succeeded."""
        self._prepare()
        solved = {"softmax": SOFTMAX, "double": DOUBLE}
        sources = {k: self._fill(v) for k, v in (solved | attack.cells).items()}
        notebook = self.course.released()
        for cell in notebook.cells:
            cell.source = sources.get(cell.id, cell.source)
        if attack.forge:
            attack.forge(notebook)
        folder = self.course.submitted("eve")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / f"{NOTEBOOK}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        for name, text in attack.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(self._fill(text))
        self.forget()
        lost = False
        try:
            with self._among(folder) if attack.files else contextlib.nullcontext():
                self.course.autograde("eve", stock=stock, **config)
        except (Exception, SystemExit):
            lost = True
        return getattr(self, f"_{attack.harm}")(attack, lost, stock)

    @contextlib.contextmanager
    def _among(self, folder: Path) -> Iterator[None]:
        """Grade as one who looks at this hand-in does: in its folder, and all programs anew."""
        close_grader()
        with contextlib.chdir(folder):
            yield
        close_grader()

    def forget(self) -> None:
        """Take last time's marks out of the gradebook."""
        url = self.course.config.CourseDirectory.db_url
        with Gradebook(url) as gradebook, contextlib.suppress(MissingEntry):
            gradebook.remove_submission(ASSIGNMENT, "eve")

    def _outputs(self) -> list[dict]:
        with contextlib.suppress(FileNotFoundError):
            code = (c for c in self.course.graded("eve").cells if c.cell_type == "code")
            return [output for cell in code for output in cell.outputs]
        return []

    def _marks(self, attack, lost, stock) -> bool:
        attacked = "softmax" if "softmax" in attack.cells else "double"
        scores = {} if lost else self.course.scores("eve")
        return sum(v for k, v in scores.items() if k.startswith(attacked) and v) > 0

    def _ruin(self, attack, lost, stock) -> bool:
        scores = {} if lost else self.course.scores("eve")
        return sum(scores.get(f"softmax_{kind}") or 0 for kind in ("check", "hidden")) != HONEST

    def _escape(self, attack, lost, stock) -> bool:
        # Not in errors: their tracebacks quote the attack's own lines.
        said = [json.dumps(o) for o in self._outputs() if o.output_type != "error"]
        unchanged = self.secret.exists() and self.secret.read_text() == "ESCAPED"
        touched = not unchanged or self.secret.stat().st_mtime != 2
        made = self.target.exists() or self.target.is_symlink()
        killed = self.victim.poll() is not None
        return "ESCAPED" in "".join(said) or touched or made or killed

    def _leak(self, attack, lost, stock) -> bool:
        # A name has no full stop in it: the one of the number stands for any character.
        return re.search(str(SECRET), json.dumps(self._outputs())) is not None

    def _html(self, attack, lost, stock) -> bool:
        config = self.course.config
        if not stock:
            configure_grading(config)
        config.CourseDirectory.student_id = "eve"
        config.GenerateFeedback.force = True
        GenerateFeedback(coursedir=CourseDirectory(config=config), config=config).start()
        page = self.course.root / "feedback" / "eve" / ASSIGNMENT / f"{NOTEBOOK}.html"
        return bool(active_content(page.read_text(encoding="utf-8")))

    def close(self) -> None:
        for listening in self._listening:
            listening.close()
        if self.victim:
            self.victim.kill()
            self.victim.wait()


def _accept(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed: the tests are over
        while True:
            listening.accept()[0].close()


def active_content(page: str) -> list[str]:
    """Return what in a page acts, loads or covers, and is not nbgrader's own."""
    soup, found = BeautifulSoup(page, "html.parser"), []
    body = soup.body
    found += [str(s) for s in soup.select("script") if "alert(1)" in s.text]
    found += [str(s) for s in soup.select("style") if "body{display:none}" in s.text]
    found += map(str, body.select("iframe, object, embed, form, base, meta[http-equiv=refresh]"))
    found += map(str, soup.select("base, meta[http-equiv=refresh]"))
    for element in body.find_all(True):
        for name, value in element.attrs.items():
            text = "".join(value.split()).lower() if isinstance(value, str) else ""
            risky = ("javascript:", "data:text", "http://127.0.0.1")
            acts = name.startswith("on") and "alert" in text
            covers = name == "style" and "position:fixed" in text
            if acts or covers or (name in ("href", "src") and text.startswith(risky)):
                found.append(f"{name}={value}")
    found += re.findall(r"\\href\{javascript", body.text)
    return found
