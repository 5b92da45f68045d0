"""Ways to cheat or to harm, as a student could hand them in.

Every attack is a hand-in of the small course (tests/small_course.py). The exercise `double` is
never solved in it; `softmax` is, unless the attack is on it. What counts as success is its `harm`:

* marks: points for what was not solved
* escape: ESCAPED stands in an output, or the file {target} was made or {secret} changed
* ruin: the honest exercise loses its points, or the whole hand-in is lost
* leak: the secret number of a hidden test stands in what the student gets to read
* html: something active stands in the page that an instructor or a student opens

Words in braces are filled in: {secret} a file that only the instructor may read, {target} a path
that no student may write, {victim} a process of the instructor's, {port} a port that listens,
{socket} a unix socket that listens, {solutions} the instructor's notebook, {gradebook}.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Attack:
    name: str
    kind: str
    harm: str
    cells: dict[str, str] = field(default_factory=dict)  # sources by cell id
    forge: Callable | None = None  # changes the notebook itself
    files: dict[str, str] = field(default_factory=dict)  # beside the notebook, by their paths


ATTACKS: list[Attack] = []
WRONG = "def double(x):\n    return -7\n"


def add(kind: str, harm: str, name: str, double: str = WRONG, **cells: str) -> None:
    ATTACKS.append(Attack(name, kind, harm, {"double": double, **cells}))


def escape(kind: str, **lines: str) -> None:
    """Attacks whose code prints ESCAPED by itself or leaves a trace."""
    for name, line in lines.items():
        add(kind, "escape", name.replace("_", " "), line + "\n" + WRONG)


# -- cheating inside the process -----------------------------------------------------------------
P = "in the process"
add(
    P, "marks", "np.testing replaced", "np.testing.assert_allclose = lambda *a, **k: None\n" + WRONG
)
add(
    *(P, "marks", "the code of assert_allclose replaced"),
    "f = np.testing.assert_allclose\n"
    "while hasattr(f, '__wrapped__'):\n    f = f.__wrapped__\n"
    "f.__code__ = (lambda *a, **k: None).__code__\n" + WRONG,
)
add(P, "marks", "np.all says True", "np.all = lambda *a, **k: True\n" + WRONG)
add(
    *(P, "marks", "numpy is another module"),
    "import sys, types\nfake = types.ModuleType('numpy')\nfake.__getattr__ = lambda n: fake\n"
    "fake.testing = types.SimpleNamespace(assert_allclose=lambda *a, **k: None)\n"
    "fake.array = fake.arange = lambda *a: 0\nfake.all = lambda x: True\n"
    "sys.modules['numpy'] = fake\n" + WRONG,
)
EQUAL = """\
class Equal{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def all(self, *a, **k): return True
    __array_priority__ = 1e9
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
    __hash__ = None
def double(x):
    return {make}
"""
for base, make in [
    ("", "Equal()"),
    ("(np.ndarray)", "np.zeros(np.shape(x)).view(Equal)"),
    ("(float)", "Equal(1)"),
    ("(int)", "Equal(1)"),
    ("(str)", "Equal('4')"),
    ("(list)", "Equal([1, 2])"),
]:
    add(P, "marks", f"always equal{base}", EQUAL.replace("{base}", base).replace("{make}", make))
add(
    *(P, "marks", "a class that says it is an array"),
    EQUAL.replace("{base}", "")
    .replace("{make}", "Equal()")
    .replace(
        "    __hash__ = None",
        "    __class__ = property(lambda self: np.ndarray)\n    __hash__ = None",
    ),
)
add(
    *(P, "marks", "asserts cut out of every cell"),
    "import ast\nclass Cut(ast.NodeTransformer):\n"
    "    def visit_Assert(self, node): return ast.Pass()\n"
    "    def visit_Expr(self, node): return ast.Pass()\n"
    "get_ipython().ast_transformers.append(Cut())\n" + WRONG,
)
add(
    *(P, "marks", "every cell's text replaced"),
    "get_ipython().input_transformers_cleanup.append(lambda lines: ['2.0'])\n" + WRONG,
)
add(
    *(P, "marks", "run_cell replaced"),
    "shell = type(get_ipython())\nold = shell.run_cell_async\n"
    "async def run(self, cell, *a, **k): return await old(self, 'pass', *a, **k)\n"
    "shell.run_cell_async = run\nshell.should_run_async = lambda *a, **k: True\n" + WRONG,
)
add(
    *(P, "marks", "the compiler replaced"),
    "import ast\nget_ipython().compile.ast_parse = lambda *a, **k: ast.Module([], [])\n" + WRONG,
)
add(
    *(P, "marks", "points shown by the function"),
    "def double(x):\n    get_ipython().displayhook(1.0)\n    raise ValueError\n",
)
add(
    *(P, "marks", "points published as a result"),
    "from IPython import get_ipython\ndef double(x):\n    k = get_ipython().kernel\n"
    "    k.session.send(k.iopub_socket, 'execute_result', {'data': {'text/plain': '1'},"
    " 'metadata': {}, 'execution_count': 1}, parent=k.get_parent())\n    raise ValueError\n",
)
add(
    *(P, "marks", "the answer read from the cell's own text"),
    "import re\ndef double(x):\n"
    "    found = re.search(r'(?s)double\\(np.*?\\]\\), (\\[.*?\\])', In[-1])\n"
    "    return np.array(eval(found[1]))\n",
)
add(
    *(P, "marks", "the answer read from the caller's frames"),
    softmax="import sys\ndef softmax(scores):\n    frame = sys._getframe()\n    while frame:\n"
    "        if 'expected' in frame.f_locals: return frame.f_locals['expected']\n"
    "        frame = frame.f_back\n",
)
add(
    *(P, "marks", "the answer found by the garbage collector"),
    softmax="import gc\ndef softmax(scores):\n    for f in gc.get_objects():\n"
    "        if getattr(f, '__name__', 0) == 'softmax' and type(f) is type(softmax):\n"
    "            if f.__globals__.get('__name__') == 'solutions': return f(scores)\n",
)
add(
    *(P, "marks", "the reference imported"),
    softmax="from autograder.exercises.reference import reference\nstolen = reference('softmax')\n"
    "def softmax(scores):\n    return stolen(scores)\n",
)
add(
    *(P, "marks", "the instructor's notebook read"),
    "import json\nfor cell in json.load(open('{solutions}'))['cells']:\n"
    "    if cell.get('id') == 'double': exec(''.join(cell['source']))\n",
)
add(
    *(P, "marks", "a fake autograder module"),
    softmax="import sys, types\nfake = types.ModuleType('autograder')\n"
    "fake.judge = lambda *a: types.SimpleNamespace(passed=True, message='')\n"
    "sys.modules['autograder'] = fake\nsoftmax = len\n",
)
add(
    *(P, "marks", "a finder for fake modules"),
    softmax="import sys, importlib.abc, importlib.machinery\n"
    "class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):\n"
    "    def find_spec(self, name, *a):\n"
    "        if name == 'illustrated_attention':\n"
    "            return importlib.machinery.ModuleSpec(name, self)\n"
    "    def create_module(self, spec): return None\n"
    "    def exec_module(self, module): module.check = lambda *a: None\n"
    "sys.modules.pop('illustrated_attention', None)\nsys.meta_path.insert(0, Finder())\n"
    "softmax = len\n",
)
add(
    *(P, "marks", "check replaced"),
    softmax="import illustrated_attention\nillustrated_attention.check = lambda *a: None\n"
    "softmax = len\n",
)
add(
    *(P, "marks", "compare replaced"),
    softmax="import illustrated_attention.examine as e\ne.compare = lambda *a: None\n"
    "e._holds = lambda *a: True\ndef softmax(scores): return 0\n",
)
add(
    *(P, "marks", "the verdict's class changed"),
    softmax="import illustrated_attention.examine as e\n"
    "e.Verdict.__init__ = lambda self, *a: self.__dict__.update(passed=True, message='')\n"
    "e.Verdict.__getattr__ = lambda self, name: ()\ndef softmax(scores): return 0\n",
)
add(
    *(P, "marks", "an import hook"),
    softmax="import builtins, types\nold = builtins.__import__\n"
    "def hook(name, *a, **k):\n"
    "    if name in ('autograder', 'illustrated_attention'):\n"
    "        verdict = types.SimpleNamespace(passed=True, message='')\n"
    "        return types.SimpleNamespace(check=print, judge=lambda *a: verdict)\n"
    "    return old(name, *a, **k)\nbuiltins.__import__ = hook\nsoftmax = len\n",
)
add(
    *(P, "marks", "another exercise's name"),
    softmax="def softmax(scores):\n    return None\nsoftmax.__name__ = 'no_such_exercise'\n",
)
add(
    *(P, "marks", "a thread that patches later"),
    "import threading, time\ndef work():\n    while True:\n"
    "        np.testing.assert_allclose = lambda *a, **k: None\n        time.sleep(0.001)\n"
    "threading.Thread(target=work, daemon=True).start()\ntime.sleep(0.01)\n" + WRONG,
)
add(P, "marks", "errors shown to nobody", "get_ipython().showtraceback = print\n" + WRONG)
add(
    *(P, "marks", "StopIteration ends the test's loop"),
    "def double(x):\n    raise StopIteration\n",
)

# -- forged notebooks ----------------------------------------------------------------------------
F = "forged notebook"


def forge(name: str, harm: str = "marks"):
    def wrap(change):
        ATTACKS.append(Attack(name, F, harm, {"double": WRONG}, change))
        return change

    return wrap


def _cell(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


@forge("tests told to be skipped")
def _(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]


@forge("tests replaced by pass")
def _(notebook):
    for cell in notebook.cells:
        if "check" in cell.id or "hidden" in cell.id:
            cell.source = "pass"


@forge("tests made text")
def _(notebook):
    for n, cell in enumerate(notebook.cells):
        if cell.id == "double_check":
            notebook.cells[n] = type(cell)(
                cell_type="markdown", id=cell.id, metadata=cell.metadata, source="done"
            )


@forge("tests flagged as solutions")
def _(notebook):
    for cell in notebook.cells:
        if cell.id.startswith("double_"):
            cell.metadata.nbgrader.update(solution=True, locked=False)
            cell.source = "pass"


@forge("tests unlocked and emptied")
def _(notebook):
    for cell in notebook.cells:
        if cell.id.startswith("double_"):
            cell.metadata.nbgrader.update(locked=False)
            cell.source = ""


@forge("points multiplied")
def _(notebook):
    for cell in notebook.cells:
        if cell.id.startswith("double_"):
            cell.metadata.nbgrader["points"] = 1000


@forge("a test's id on a cell that passes")
def _(notebook):
    tests = {cell.id: cell for cell in notebook.cells}
    good, bad = tests["softmax_check"].metadata.nbgrader, tests["double_check"].metadata.nbgrader
    good["grade_id"], bad["grade_id"] = bad["grade_id"], good["grade_id"]
    good["locked"] = bad["locked"] = False


@forge("tests moved to the top")
def _(notebook):
    notebook.cells.sort(key=lambda cell: not cell.id.startswith("double_"))


@forge("tests deleted")
def _(notebook):
    notebook.cells = [c for c in notebook.cells if not c.id.startswith("double_")]


@forge("a second copy of a test that passes")
def _(notebook):
    copy = type(notebook.cells[0])(_cell(notebook, "double_check"))
    copy.id, copy.source = "copy", "pass"
    notebook.cells.append(copy)


@forge("a test marked as a manual answer")
def _(notebook):
    _cell(notebook, "double_hidden").metadata.nbgrader.update(solution=True, cell_type="markdown")


@forge("another kernel", harm="ruin")
def _(notebook):
    notebook.metadata.kernelspec.name = "no-such-kernel"


@forge("another schema version", harm="ruin")
def _(notebook):
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader["schema_version"] = 99


@forge("metadata that is no metadata", harm="ruin")
def _(notebook):
    _cell(notebook, "double").metadata.nbgrader = {"grade_id": "double", "points": "many"}


@forge("one id for all cells", harm="ruin")
def _(notebook):
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader["grade_id"] = "double"


# -- reading outside -----------------------------------------------------------------------------
escape(
    "reading outside",
    open="print(open('{secret}').read())",
    os_open="import os\nprint(os.read(os.open('{secret}', 0), 99))",
    numpy_fromfile="print(bytes(np.fromfile('{secret}', 'u1')))",
    mmap="import mmap\nprint(mmap.mmap(open('{secret}').fileno(), 0, prot=1)[:])",
    through_proc_root="print(open('/proc/self/root{secret}').read())",
    a_raw_system_call="import ctypes\nc = ctypes.CDLL(None)\nb = ctypes.create_string_buffer(99)\n"
    "c.read(c.open(b'{secret}', 0), b, 99)\nprint(b.value)",
    cat="import subprocess\nprint(subprocess.run(['cat', '{secret}'], capture_output=True).stdout)",
    shell_magic="print(get_ipython().getoutput('cat {secret}'))",
    a_link_to_it="import os\nos.symlink('{secret}', 'link')\nprint(open('link').read())",
    the_graders_environment="import os\nprint(os.environ['GRADER_SECRET'])",
    a_parents_environment="import os\nprint(open(f'/proc/{os.getppid()}/environ').read())",
    the_first_process_environment="print(open('/proc/1/environ').read(), 'ESCAPED')",
    the_password_file="print(len(open('/etc/passwd').read()), 'ESCAPED')",
    the_gradebook="import sqlite3\nprint(sqlite3.connect('file:{gradebook}?mode=ro', uri=True)"
    ".execute('select count(*) from grade').fetchall(), 'ESCAPED')",
    other_hand_ins="import os\nprint(os.listdir(os.path.dirname('{gradebook}')), 'ESCAPED')",
    another_processs_memory="import os\nprint(open(f'/proc/{os.getppid()}/mem', 'rb'), 'ESCAPED')",
)

# -- writing outside -----------------------------------------------------------------------------
escape(
    "writing outside",
    open_for_writing="open('{target}', 'w').write('x')",
    append_to_a_file="open('{secret}', 'a').write('x')",
    remove="import os\nos.unlink('{secret}')",
    rename="import os\nos.rename('{secret}', '{target}')",
    make_a_folder="import os\nos.mkdir('{target}')",
    make_a_link="import os\nos.symlink('/', '{target}')",
    make_a_hard_link="import os\nos.link('{secret}', '{target}')",
    make_a_pipe="import os\nos.mkfifo('{target}')",
    change_the_mode="import os\nos.chmod('{secret}', 0o666)\nprint('ESCAPED')",
    truncate="import os\nos.truncate('{secret}', 0)",
    change_the_time="import os\nos.utime('{secret}', (1, 1))\nprint('ESCAPED')",
    numpy_save="np.save(open('{target}', 'wb'), np.ones(3))",
    the_gradebook_changed="import sqlite3\nc = sqlite3.connect('{gradebook}')\n"
    "c.execute('create table hacked (x)')\nc.commit()\nprint('ESCAPED')",
    shared_memory="open('/dev/shm/from-a-student', 'w').write('x')\nprint('ESCAPED')",
    a_temporary_file="import tempfile\ntempfile.NamedTemporaryFile().write(b'x')\nprint('ESCAPED')",
    the_student_package="import illustrated_attention as i\n"
    "open(i.__file__, 'a')\nprint('ESCAPED')",
    ctypes_open="import ctypes\nctypes.CDLL(None).open(b'{target}', 0o101, 0o600)",
)

# -- processes, network, signals -----------------------------------------------------------------
escape(
    "processes",
    fork="import os\nif os.fork() == 0: os._exit(0)\nprint('ESCAPED')",
    subprocess="import subprocess\nsubprocess.run(['true'], check=True)\nprint('ESCAPED')",
    system="import os\nif os.system('touch {target}') == 0: print('ESCAPED')",
    multiprocessing="import multiprocessing as m\n"
    "m.Process(target=print).start()\nprint('ESCAPED')",
    spawn="import os\nos.posix_spawn('/bin/true', ['true'], {})\nprint('ESCAPED')",
    exec="import os\nos.execv('/usr/bin/touch', ['touch', '{target}'])",
    clone="import ctypes\nc = ctypes.CDLL(None)\npid = c.syscall(56, 17, 0, 0, 0, 0)\n"
    "if pid == 0: c._exit(0)\nif pid > 0: print('ESCAPED')",
    ptrace="import ctypes\nif ctypes.CDLL(None).ptrace(16, {victim}, 0, 0) == 0: print('ESCAPED')",
    a_new_namespace="import ctypes\n"
    "if ctypes.CDLL(None).unshare(0x10000000) == 0: print('ESCAPED')",
)
escape(
    "network",
    tcp="import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\nprint('ESCAPED')",
    udp="import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "s.sendto(b'x', ('127.0.0.1', {port}))\nprint('ESCAPED')",
    a_unix_socket="import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('{socket}')\n"
    "print('ESCAPED')",
    a_listening_server="import socket\ns = socket.socket()\ns.bind(('', 0))\ns.listen()\n"
    "print('ESCAPED')",
    a_datagram_pair="import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    "print('ESCAPED')",
    urllib="import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}', timeout=2)",
    netlink="import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\nprint('ESCAPED')",
)
escape(
    "signals",
    kill="import os\nos.kill({victim}, 9)",
    kill_the_parent="import os\nos.kill(os.getppid(), 0)\nprint('ESCAPED')",
    kill_everything="import os\nos.kill(-1, 0)\nprint('ESCAPED')",
    kill_the_group="import os\nos.killpg(0, 0)\nprint('ESCAPED')",
    signal_by_file_owner="import fcntl, os\nr, w = os.pipe()\n"
    "fcntl.fcntl(r, fcntl.F_SETOWN, {victim})\n"
    "fcntl.fcntl(r, 10, 9)\nfcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC)\nos.write(w, b'x')\n"
    "print('ESCAPED')",
    signal_by_pidfd="import os, signal\nsignal.pidfd_send_signal(os.pidfd_open({victim}), 9)",
)

# -- using things up: the honest exercise must keep its points -----------------------------------
U = "using things up"
for name, body in {
    "memory in a call": "return bytearray(1 << 45)",
    "memory bit by bit": "return [bytearray(1 << 26) for _ in range(10**6)]",
    "an endless loop": "while True: pass",
    "an endless loop that swallows everything": "while True:\n        try:\n"
    "            while True: pass\n        except BaseException: pass",
    "an endless sleep": "import time; time.sleep(10**6)",
    "threads without end": "import threading, time\n    while True:\n"
    "        threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
    "output without end": "while True: print('x' * 10**6)",
    "files without end": "import os; return [os.dup(0) for _ in range(10**5)]",
    "recursion": "return double(x)",
    "a segmentation fault": "import ctypes; ctypes.string_at(0)",
    "os._exit": "import os; os._exit(0)",
    "abort": "import os; os.abort()",
    "exit": "exit()",
    "an endless regular expression": "import re; re.match(r'(a+)+$', 'a' * 99 + 'b')",
    "Ctrl-C": "raise KeyboardInterrupt",
    "its own death": "import os; os.kill(os.getpid(), 9)",
}.items():
    add(U, "ruin", name, f"def double(x):\n    {body}\n")
add(U, "ruin", "a cell that never ends", "while True: pass\n" + WRONG)
add(U, "ruin", "a cell that ends Python", "import os\nos._exit(1)\n" + WRONG)
add(U, "ruin", "a cell that prints without end", "while True: print('x' * 10**5)\n" + WRONG)

# -- hostile values ------------------------------------------------------------------------------
V = "hostile values"
for name, value in {
    "a trillion cells without memory": "np.broadcast_to(np.float64(4), (10**6, 10**6))",
    "an empty array of a huge shape": "np.empty((0, 2**50))",
    "a list that holds itself": "(lambda a: a.append(a) or a)([])",
    "a list that doubles 60 times": "reduce(lambda a, _: [a, a], range(60))",
    "a billion items": "[0] * 10**9",
    "nesting 10,000 deep": "reduce(lambda a, _: [a], range(10**4))",
    "a number of a million digits": "10 ** 10**6",
    "an endless generator": "iter(int, 1)",
    "an array of objects": "np.array([object()] * 2)",
    "truth values that are 2": "np.full(np.shape(x) or 1, 2, 'u1').view(bool)",
    "a module": "np",
    "the shell": "get_ipython()",
    "an array that is masked all over": "np.ma.masked_all(np.shape(x))",
    "numbers that are masked": "np.ma.masked_all(np.shape(x)) * 2.0 + x",
    "a stranger's class": "type('E', (), {'__eq__': lambda s, o: True})()",
    "text of 100 MB": "'x' * 10**8",
    "a hundred thousand arrays": "[np.zeros(1)] * 10**5",
}.items():
    source = f"from functools import reduce\ndef double(x):\n    return {value}\n"
    add(V, "marks", name, source)
for name, error in {
    "an exception that cannot be shown": "type('E', (Exception,), {'__str__': lambda s: 1 / 0})()",
    "an exception of 100 MB": "ValueError('x' * 10**8)",
    "an exception with a forged name": "type('SystemExit', (Exception,), {})()",
    "a generator's exit": "GeneratorExit()",
    "a base exception": "type('B', (BaseException,), {})()",
    "a group of exceptions": "ExceptionGroup('g', [StopIteration()])",
}.items():
    add(V, "marks", name, f"def double(x):\n    raise {error}\n")

# -- forged frames: file 3 is the line to the grader ---------------------------------------------
W = "forged frames"
FRAME = """\
import json, os, struct
def frame(text, *sizes):
    return struct.pack('>II%dI' % len(sizes), len(text), len(sizes), *sizes) + text
"""
for name, data in {
    "a verdict of one's own": "frame(json.dumps(['l', 'ok', ['l', True]]).encode())",
    "the right shape, a wish as value": "frame(json.dumps(['l', 'ok', ['l', ['i', '0x5'], None, '',"
    " ['l'], False]]).encode())",
    "a frame of 4 GB": "struct.pack('>II', 2**32 - 1, 0)",
    "four billion buffers": "struct.pack('>II', 2, 2**32 - 1)",
    "nested JSON": "frame(b'[' * 10**6)",
    "noise": "os.urandom(5000)",
    "an object that asks for pickle": "frame(json.dumps(['p', 'cposix\\nsystem']).encode())",
    "a stand-in with bad parts": "frame(json.dumps(['l', 'ok', ['r', 'x', 1, 2, 3]]).encode())",
    "an unknown exception": "frame(json.dumps(['l', 'error', ['l', 'eval'], '1', '']).encode())",
    "half a frame": "struct.pack('>II', 1000, 0) + b'x'",
}.items():
    add(W, "marks", name, FRAME + f"def double(x):\n    os.write(3, {data})\n    return -7\n")
add(W, "marks", "the line closed", "import os\ndef double(x):\n    os.close(3)\n")
add(
    *(W, "marks", "answers ahead of the questions"),
    FRAME
    + "for _ in range(20):\n    os.write(3, frame(json.dumps(['l', 'ok', ['l']]).encode()))\n",
)

# -- secrets of hidden tests ---------------------------------------------------------------------
L = "secrets of hidden tests"
KEEP = "kept = []\ndef double(x):\n    kept.append(x)\n    {then}\n"
add(L, "leak", "a failing hidden test's traceback")
add(L, "leak", "printed at once", KEEP.format(then="print(x)"))
add(L, "leak", "raised", KEEP.format(then="raise ValueError(repr(x))"))
add(L, "leak", "raised as an assertion", KEEP.format(then="raise AssertionError(repr(x))"))
add(L, "leak", "printed in a later test", KEEP.format(then="print(kept)"))
add(
    *(L, "leak", "shown as a result"),
    KEEP.format(then="get_ipython().displayhook(kept) if 'get_ipython' in globals() else None"),
)
NAMED = "N = lambda x: 'V' + ''.join(c if c.isalnum() else '_' for c in repr(x))[:70]\n"
add(
    *(L, "leak", "the name of an exception"),
    NAMED + KEEP.format(then="raise type(N(x), (Exception,), {})()"),
)
add(*(L, "leak", "the name of a type"), NAMED + KEEP.format(then="return type(N(x), (), {})()"))
add(
    *(L, "leak", "the name of a parameter of the next function"),
    NAMED + "import inspect\n" + KEEP.format(then="softmax.__signature__ = inspect.Signature("
    "[inspect.Parameter(N(x), inspect.Parameter.POSITIONAL_OR_KEYWORD)])\n    return x"),
    softmax="def softmax(scores):\n    scores[...] = 0\n    return scores\n",
)  # fmt: skip
add(L, "leak", "the gradebook's own copy", "print(open('{gradebook}', 'rb').read())\n" + WRONG)


def _later(notebook):
    from nbformat.v4 import new_code_cell

    notebook.cells.append(new_code_cell("print(kept)\nkept"))


ATTACKS.append(
    Attack("printed in a later cell", L, "leak", {"double": KEEP.format(then="return x")}, _later)
)

# -- pages ---------------------------------------------------------------------------------------
H = "pages"
PAGES = {
    "a script": "<script>alert(1)</script>",
    "an image's error": "<img src=x onerror=alert(1)>",
    "a vector graphic": "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "a frame": "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "a script as a link": "[x](javascript:alert(1))",
    "a page as a link": "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "a page as a link, in entities": "<a href='&#100;ata:text/html,<b onclick=alert(1)>'>x</a>",
    "a page as a link, with a tab": "<a href='da\tta:text/html,<script>alert(1)</script>'>x</a>",
    "a form": "<form action=/><input name=score value=99></form>",
    "a style over the page": "<style>body{display:none}</style><div style='position:fixed'>x</div>",
    "a picture from elsewhere": "![x](http://127.0.0.1/track.png)",
    "a formula with a link": "$\\href{javascript:alert(1)}{x}$",
    "a formula with a link, in entities": "$&#92;href{javascript:alert(1)}{x}$",
    "a formula with a link, in two parts": "$\\<!-- -->href{javascript:alert(1)}{x}$",
    "an object": "<object data=x></object><embed src=x>",
    "a base": "<base href=http://127.0.0.1/><meta http-equiv=refresh content='0;url=x'>",
}


def _text_cell(text):
    def change(notebook):
        from nbformat.v4 import new_markdown_cell

        notebook.cells.append(new_markdown_cell(text))

    return change


def _raw_cell(notebook):
    from nbformat.v4 import new_raw_cell

    notebook.cells.append(new_raw_cell("<script>alert(1)</script>"))


for name, text in PAGES.items():
    ATTACKS.append(Attack(name, H, "html", {}, _text_cell(text)))
ATTACKS.append(Attack("a raw cell", H, "html", {}, _raw_cell))
for name, line in {
    "HTML displayed": "HTML('<script>alert(1)</script>')",
    "JavaScript displayed": "Javascript('alert(1)')",
    "SVG displayed": 'SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>\')',
}.items():
    source = f"from IPython.display import *\ndisplay({line})\n"
    ATTACKS.append(Attack(name, H, "html", {"double": source}))

# -- further ways, from reading the source --------------------------------------------------------
X = "tricks of Python"
for name, source in {
    "the answer's encoder replaced": "import autograder.sandbox.inside.wire as w\n"
    "old = w.encode\nw.encode = lambda v, *a: old(['ok', True] if v[0] == 'ok' else v, *a)\n"
    + WRONG,
    "the server of calls replaced": "import autograder.sandbox.inside.student as s\n"
    "s.Student.call = lambda self, f, args, kwargs: [args[0], None, '', False]\n" + WRONG,
    "references to what the grader did not ask": "import autograder.sandbox.inside.student as s\n"
    "s.Student.refer = lambda self, thing: [0, 'ndarray', 'double', ['x']]\n" + WRONG,
    "a stand-in under a test's name": "import autograder.sandbox.inside.student as s\n"
    "s.Student.refer = lambda self, t: [2**70, 'assert_allclose', 'np', []]\n"
    "def double(x):\n    return object()\n",
    "a trace function that changes results": "import sys\ndef trace(frame, event, arg):\n"
    "    if event == 'return' and frame.f_code.co_name == 'double':\n"
    "        frame.f_locals['x'] = 4\n    return trace\nsys.settrace(trace)\n" + WRONG,
    "a profile function": "import sys\nsys.setprofile(lambda *a: np.testing.__dict__.update("
    "assert_allclose=print))\n" + WRONG,
    "a finalizer that answers": "import weakref\nclass Late:\n    def __del__(self):\n"
    "        import os; os.write(3, b'\\0' * 64)\ndef double(x):\n    Late()\n    return -7\n",
    "atexit": "import atexit, os\natexit.register(os.write, 3, b'\\0\\0\\0\\4\\0\\0\\0\\0null')\n"
    "def double(x):\n    exit()\n",
    "a hook of the garbage collector": "import gc\n"
    "gc.callbacks.append(lambda *a: np.__dict__.update(all=lambda *a: True))\n" + WRONG,
    "an audit hook": "import sys\nsys.addaudithook(lambda *a: globals().update(double=abs))\n"
    + WRONG,
    "excepthook and displayhook": "import sys\nsys.excepthook = sys.displayhook = lambda *a: None\n"
    + WRONG,
    "builtins that agree": "import builtins\nbuiltins.all = builtins.any = lambda *a: True\n"
    "builtins.AssertionError = type('Fine', (Exception,), {})\n" + WRONG,
    "isinstance replaced": "import builtins\nbuiltins.isinstance = lambda *a: True\n" + WRONG,
    "a metaclass that is everything": "class M(type):\n    __instancecheck__ = lambda *a: True\n"
    "    __eq__ = lambda *a: True\n    __hash__ = None\nclass E(metaclass=M): pass\n"
    "def double(x):\n    return E\n",
    "a descriptor in the place of a method": "class D:\n"
    "    __get__ = lambda *a: (lambda *b: True)\n"
    "class E:\n    __eq__ = all = D()\ndef double(x):\n    return E()\n",
    "a type that hides its kind": "class A(np.ndarray):\n    dtype = property(lambda s: 'O')\n"
    "    __array_finalize__ = None\ndef double(x):\n    return np.zeros(np.shape(x)).view(A)\n",
    "an array that grows while it is sent": "class A(np.ndarray):\n"
    "    def tobytes(self): return b'\\0' * 10**6\n"
    "def double(x):\n    return np.zeros(np.shape(x)).view(A)\n",
    "a shape that lies": "class A(np.ndarray):\n    shape = (1 << 40,)\n"
    "def double(x):\n    return np.zeros(2).view(A)\n",
    "a number with two values": "class F(float):\n    __float__ = lambda s: 4.0\n"
    "    __eq__ = lambda *a: True\n    __hash__ = None\ndef double(x):\n    return F(1)\n",
    "an integer that counts": "class I(int):\n    __index__ = __int__ = lambda s: 4\n"
    "def double(x):\n    return I(50)\n",
    "text that is a number": "def double(x):\n    return '4'\n",
    "a dictionary of the answers": "class D(dict):\n    __getitem__ = lambda *a: 4\n"
    "    __iter__ = lambda s: iter(range(4))\ndef double(x):\n    return D()\n",
    "keys that collide": "class K(str):\n    __hash__ = lambda s: 1\n    __eq__ = lambda *a: True\n"
    "def double(x):\n    return {K(n): n for n in range(999)}\n",
    "a structured array": "def double(x):\n    return np.zeros(2, [('a', 'f8'), ('b', 'O')])\n",
    "a dtype with metadata": "def double(x):\n"
    "    return np.zeros(np.shape(x), np.dtype('f8', metadata={'equal': True}))\n",
    "a datetime that is no time": "def double(x):\n    return np.array(['NaT'] * 2, 'M8[s]')\n",
    "not a number at all": "def double(x):\n    return np.full(np.shape(x), np.nan)\n",
    "infinities of both signs": "def double(x):\n    return np.full(np.shape(x), np.inf)\n",
    "strides of nothing": "def double(x):\n"
    "    return np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 24,), (0,))\n",
    "memory that is not its own": "def double(x):\n    return np.lib.stride_tricks.as_strided("
    "np.zeros(1), (2,), (1 << 20,))\n",
    "a record of a million fields": "def double(x):\n"
    "    return {str(n): n for n in range(10**6)}\n",
    "an object with a pickle": "class P:\n    __reduce__ = lambda s: (eval, ('4',))\n"
    "def double(x):\n    return P()\n",
    "a coroutine": "async def double(x):\n    return 2 * x\n",
    "a generator of the right answer": "def double(x):\n    yield 2 * x\n",
    "a function that returns the right one": "def double(x):\n    return lambda *a: 2 * x\n",
    "the arguments made right": "def double(x):\n    if np.ndim(x): x[...] = 0\n    return -7\n",
    "a warning as an error": "import warnings\nwarnings.simplefilter('error')\n" + WRONG,
    "an error of floating point": "np.seterr(all='raise')\n" + WRONG,
    "recursion without a limit": "import sys\nsys.setrecursionlimit(10**9)\n"
    "def double(x):\n    return double(x)\n",
    "exceptions in a circle": "def double(x):\n    a, b = ValueError(), ValueError()\n"
    "    a.__cause__, b.__cause__ = b, a\n    raise a\n",
    "an exception's class that lies": "class E(Exception):\n"
    "    __class__ = property(lambda s: AssertionError)\ndef double(x):\n    raise E\n",
    "a traceback of its own": "class E(Exception):\n"
    "    def _render_traceback_(self): return ['ok']\n"
    "def double(x):\n    raise E\n",
    "SystemExit with points": "def double(x):\n    raise SystemExit(0)\n",
}.items():
    add(X, "marks", name, source)

for name, body in {
    "a handler for every signal": "import signal\n    for n in range(1, 65):\n        try:\n"
    "            signal.signal(n, signal.SIG_IGN)\n        except (OSError, ValueError):\n"
    "            continue\n    while True: continue",
    "an alarm of its own": "import signal\n    signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)\n"
    "    while True: continue",
    "the line to the grader in another's place": "import os\n    os.dup2(0, 3)",
    "the line half shut": "import socket\n    socket.socket(fileno=3).shutdown(1)",
    "answers while none is read": "import os\n    while True: os.write(3, b'x' * 65536)",
    "one byte a second": "import os, time\n    while True:\n        os.write(3, b'\\0')\n"
    "        time.sleep(0.2)",
    "a thread for each processor that never ends": "import threading\n"
    "    def spin():\n        while True: continue\n"
    "    for _ in range(32): threading.Thread(target=spin).start()\n    spin()",
    "threads that start threads": "import threading\n    def more():\n"
    "        threading.Thread(target=more).start()\n    more()\n    while True: continue",
    "a hash that takes for ever": "return {2**61 * n: 0 for n in range(10**7)}",
    "digits without end": "import sys\n"
    "    sys.set_int_max_str_digits(0)\n    return str(9 ** 9**8)",
    "a format of a billion": "return f'{x!r:>{10**9}}'",
    "a sum that is too deep": "return eval('+'.join('1' * 10**6))",
    "a regular expression of nests": "import re\n    return re.compile('(' * 10**4 + ')' * 10**4)",
    "JSON that is deep": "import json\n    return json.loads('[' * 10**5 + ']' * 10**5)",
    "memory of many maps": "import mmap\n    return [mmap.mmap(-1, 4096) for _ in range(10**6)]",
    "the collector stopped": "import gc\n    gc.disable()\n    while True:\n        a = []\n"
    "        a.append(a)",
    "the switch interval of years": "import sys\n    sys.setswitchinterval(10**6)\n"
    "    while True: continue",
    "the stack's end": "import ctypes\n    return ctypes.memset(0, 1, 1)",
    "faults in a row": "import faulthandler\n    faulthandler._sigsegv()",
    "its memory freed under it": "import ctypes\n    ctypes.memset(id(x), 0, 64)\n    return x",
}.items():
    add(U, "ruin", name, f"def double(x):\n    {body}\n")

escape(
    "reading outside",
    the_fork_servers_memory="import os\n"
    "for n in range(1, os.getpid() + 9): open(f'/proc/{n}/mem', 'r+b') and print('ESCAPED')",
    the_machines_processes="import os\nprint(os.listdir('/proc'), 'ESCAPED')",
    a_link_in_proc="import os\nprint(os.listdir('/proc/self/fd'), 'ESCAPED')",
    a_process_vm="import ctypes, os\nc = ctypes.CDLL(None)\n"
    "b = ctypes.create_string_buffer(8)\niov = (ctypes.c_void_p * 2)(ctypes.addressof(b), 8)\n"
    "if c.process_vm_readv(os.getppid() or {victim}, iov, 1, iov, 1, 0) > 0: print('ESCAPED')",
    a_file_by_handle="import ctypes\n"
    "if ctypes.CDLL(None).syscall(304, -100, b'x', 0) >= 0: print('ESCAPED')",
    io_uring="import ctypes\n"
    "if ctypes.CDLL(None).syscall(425, 8, bytes(200)) >= 0: print('ESCAPED')",
    bpf="import ctypes\n"
    "if ctypes.CDLL(None).syscall(321, 0, bytes(200), 128) >= 0: print('ESCAPED')",
    perf_events="import ctypes\n"
    "if ctypes.CDLL(None).syscall(298, bytes(128), 0, -1, -1, 0) >= 0: print('ESCAPED')",
    user_faults="import ctypes\nif ctypes.CDLL(None).syscall(323, 0) >= 0: print('ESCAPED')",
    a_memory_file="import os\nos.memfd_create('x')\nprint('ESCAPED')",
    openat2="import ctypes\n"
    "if ctypes.CDLL(None).syscall(437, -100, b'{secret}', bytes(24), 24) >= 0:"
    " print('ESCAPED')",
    a_watch_on_files="import ctypes\nif ctypes.CDLL(None).inotify_init() >= 0: print('ESCAPED')",
    a_lease_on_a_file="import fcntl, os\n"
    "fcntl.fcntl(os.open(np.__file__, 0), fcntl.F_SETLEASE, fcntl.F_RDLCK)\nprint('ESCAPED')",
    a_32_bit_call="import ctypes, mmap\nm = mmap.mmap(-1, 4096, prot=7)\n"
    "m.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')\n"
    "f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))\n"
    "if f() > 0: print('ESCAPED')",
)


@forge("a grade_id that is a list", harm="ruin")
def _(notebook):
    for cell in notebook.cells:
        if cell.id == "double":
            cell.metadata.nbgrader["grade_id"] = ["double"]


@forge("ids that differ by case")
def _(notebook):
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata and cell.id.startswith("double_"):
            cell.metadata.nbgrader["grade_id"] = cell.id.upper()
            cell.source = "pass"


@forge("a source that is a number")
def _(notebook):
    _cell(notebook, "double").source = 7


@forge("outputs that are no outputs", harm="ruin")
def _(notebook):
    _cell(notebook, "double").outputs = {"text": ["1"] * 99}


@forge("four hundred cells", harm="ruin")
def _(notebook):
    from nbformat.v4 import new_code_cell

    notebook.cells += [new_code_cell("pass") for _ in range(400)]


@forge("metadata a mile deep", harm="ruin")
def _(notebook):
    deep = {}
    for _ in range(150):
        deep = {"x": deep}
    notebook.metadata["deep"] = deep


@forge("a verdict in the metadata")
def _(notebook):
    for cell in notebook.cells:
        cell.metadata["illustrated_attention"] = {"message": "passed", "exercise": "double"}
        if cell.cell_type == "code":
            cell.outputs = [
                {"output_type": "execute_result", "data": {"text/plain": "2.0"},
                 "metadata": {}, "execution_count": 1}
            ]  # fmt: skip


@forge("the hidden marker in one's own cell")
def _(notebook):
    _cell(
        notebook, "double"
    ).source = "### BEGIN HIDDEN TESTS\ndef double(x):\n    return -7\n### END HIDDEN TESTS"


# -- secrets, once more ---------------------------------------------------------------------------
for name, then in {
    "written to the error stream": "import sys; print(x, file=sys.stderr)",
    "a warning's text": "import warnings; warnings.warn(repr(x))",
    "the name of a returned function": "f = lambda: 0; f.__name__ = 'V' + repr(x); return f",
    "a long double of it": "return np.longdouble(1e300) ** 9 * x",
    "a logarithm of it": "return np.log10(x)",
    "a dictionary's key of it": "return {repr(x): 1}",
    "a text of it": "return repr(x)",
    "an object array of it": "return np.array([repr(x), x], dtype=object)",
    "a chain of exceptions": "raise ValueError('no') from KeyError(repr(x))",
    "a note on an exception": "e = ValueError(); e.add_note(repr(x)); raise e",
    "a title of the shell": "get_ipython().set_next_input(repr(x))",
    "the number of axes": "return np.zeros((1,) * (int(np.max(x)) % 30))",
    "an assertion that it is": "assert False, repr(x)",
}.items():
    add(L, "leak", name, KEEP.format(then=then))

# -- answers that are small on the wire and large behind it ---------------------------------------
RETURNED = '["l","ok",ITEMS,null,"",false,null]'
CHANGED = '["l","ok",null,["l",["l",ITEMS],["d"]],"",false,null]'  # what became of the arguments
for name, answer, tag, item, count in [
    ("one buffer in two thousand arrays", RETURNED, "l", '["a","|u1",[31457280],0]', 2_000),
    ("arguments of one buffer", CHANGED, "l", '["a","|u1",[31457280],0]', 2_000),
    ("half a million lists", RETURNED, "l", '["l"]', 500_000),
    ("types without end", RETURNED, "l", '["r",0,"a_type_of_its_own","",[]]', 20_000),
    ("names that are long", RETURNED, "d", '["' + "k" * 999 + '",null]', 4_000),
    ("an array that is empty and endless", RETURNED, "l", '["a","|u1",[33554432,0],1]', 1),
]:
    before, after = answer.split("ITEMS")
    add(
        *(W, "ruin", name),
        f"{FRAME}import socket\nzeros = bytes(30 << 20)\ndef double(x):\n"
        f"    items = ',{item}' * {count}\n"
        f"    text = ('{before}[\"{tag}\"' + items + ']{after}').encode()\n"
        "    socket.socket(fileno=3).sendall(frame(text, len(zeros), 0) + zeros)\n"
        "    os._exit(0)\n",
    )

# -- through the judge's own card, which quotes what a function did -------------------------------
ACTS = "<img src=x onerror=alert(1)><script>alert(1)</script>"
for name, source in {
    "an error's words on the card": f"def softmax(scores):\n    raise ValueError('{ACTS}')\n",
    "an error's words in backticks": f"def softmax(scores):\n    raise ValueError('`{ACTS}`')\n",
    "a line of code on the card": f"def softmax(scores):\n    return scores.none  # {ACTS}\n",
    "a returned text on the card": f"def softmax(scores):\n    return '{ACTS}'\n",
    "a returned key on the card": f"def softmax(scores):\n    return {{'{ACTS}': 1}}\n",
    "a missing key on the card": f"def softmax(scores):\n    return {{}}['{ACTS}']\n",
    "a print in a check": f"def softmax(scores):\n    print('{ACTS}')\n",
    "a missing file on the card": f"def softmax(scores):\n    return open('{ACTS}')\n",
}.items():
    add(H, "html", name, softmax=source)

# -- files beside the notebook, which the grader's own programs might take for theirs -------------
STRANGER = "open('{target}', 'w').write('x')\nprint('ESCAPED')\n"
CALLED = [
    *("sitecustomize.py", "usercustomize.py", "json.py", "numpy.py", "nbgrader_config.py"),
    *("autograder/__init__.py", "illustrated_attention/__init__.py", "encodings/__init__.py"),
    *("conftest.py", "week.py", "jupyter_nbconvert_config.py", "alembic.ini"),
]
ATTACKS.append(
    Attack(
        *("files called like the grader's own modules", "writing outside", "escape"),
        files=dict.fromkeys(CALLED, STRANGER),
    )
)
