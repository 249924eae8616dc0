"""Submissions that try everything, each with what it deserves; every one also answers 91.2 honestly where it can.

``SUBMISSIONS`` maps a name to ``Submission``: cells, the points that 91.1 and 91.2 deserve, and, where it matters, what
the verdict on 91.1 must be. Run as a script, this module grades them all in one tier and prints the points as JSON.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

SPECS = Path(__file__).parent / "specs"
SECRET = b"a secret of the tests, and of nobody else"

RIGHT = "import numpy as np\ndef squared_slope(x, w):\n    return 2 * x**2 * w"
PRODUCT = "def product(a, b):\n    return a * b"
WRONG = "def squared_slope(x, w):\n    return x**2 * w"


@dataclass(frozen=True)
class Submission:
    """Cells, and the points that both exercises deserve."""

    cells: tuple
    first: float = 0
    second: float = 1
    finding: str | None = None


def body(lines, before=""):
    """An answer to 91.1 with these lines inside, and an honest one to 91.2."""
    inner = "\n".join("    " + line for line in lines.strip("\n").splitlines())
    return (before, f"def squared_slope(x, w):\n{inner}", PRODUCT)


FORGE = """
import json, os
def send(text):
    for number in range(3, 64):
        try:
            os.write(number, text)
        except OSError:
            pass
"""

SUBMISSIONS = {
    # honest work
    "right": Submission((RIGHT, PRODUCT), 2, 1, ""),
    "a warning in a right answer": Submission(
        body("import warnings\nwarnings.warn('overflow')\nprint('x')\nreturn 2 * x**2 * w"), 2
    ),
    "forgets the factor": Submission((WRONG, PRODUCT), finding="forgets-factor"),
    "wrong sign": Submission(body("return -2 * x**2 * w"), finding="wrong-sign"),
    "sums up": Submission(body("return (2 * x**2 * w).sum()"), finding="adds-up"),
    "raises": Submission(body("return 1 / 0"), finding="ZeroDivisionError"),
    "is no Python": Submission(("def squared_slope(x, w):\n    retrun 2", PRODUCT), finding="SyntaxError"),
    "is not written": Submission(body("raise NotImplementedError('91.1: write your answer here')")),
    "returns at the top level": Submission(("return 3", RIGHT + "\nbreak", "await x", PRODUCT), 2),
    "overwrites np afterwards": Submission((RIGHT, "np = 3", PRODUCT), 2),
    # to be believed without being right
    "patches every comparison": Submission(body("return x", """
import builtins, numpy as np, numpy.testing, math
for name in ("allclose", "isclose", "array_equal", "all", "equal"):
    setattr(np, name, lambda *a, **k: True)
np.testing.assert_allclose = lambda *a, **k: None
math.isclose = lambda *a, **k: True
builtins.all = builtins.any = lambda *a: True
builtins.abs = lambda x: 0.0
""")),
    "patches the grader's own modules": Submission(body("return x", """
import sys
from coursepkg.grading.judging import calling
from coursepkg.grading.judging import values
from coursepkg.grading.judging import judge
from coursepkg.grading.sandbox import worker
values.difference = judge.difference = lambda *a, **k: None
calling.difference = lambda *a, **k: None
judge.judge = lambda *a, **k: judge.Verdict('91.1', 'passed')
values.encode = worker.Outcome = lambda *a, **k: {"passed": True, "score": 1}
"""), finding="value"),
    "returns what equals everything": Submission(body(
        "return Equal()", "class Equal:\n    def __eq__(self, other): return True\n    shape = (2,)\n    dtype = float"
    )),
    "returns an array that lies": Submission(body("return np.zeros(len(x)).view(Lying)", """
import numpy as np
class Lying(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __sub__(self, other): return np.zeros(self.shape)
    __rsub__ = __sub__
    def __array_ufunc__(self, *a, **k): return np.zeros(self.shape)
    def __array_function__(self, *a, **k): return True
""")),
    "returns NaN": Submission(body("return x * float('nan')")),
    "returns what unpickles badly": Submission(body(
        "return Bomb()",
        "import os\nclass Bomb:\n    def __reduce__(self): return os.system, ('touch /tmp/unpickled',)",
    )),
    "data without end": Submission(body(
        "return Endless()", "class Endless:\n    @property\n    def data(self): return Endless()"
    )),
    "knows the visible inputs by heart": Submission(body("return known.get(round(float(x[0]), 3), x)", """
import numpy as np
known = {1.5: np.array([2.25, 24.0]), 0.7: np.array([1.96, -5.07, 3.528]), -1.1: np.array([4.114])}
"""), finding="value"),
    "answers by who asks": Submission(body("""
import os, sys
trusted = 'coursepkg.grading.sandbox.worker' not in sys.modules
return 2 * x**2 * w if trusted else x
""")),
    "an import hook": Submission(body("return x", """
import sys
class Hook:
    def find_spec(self, name, path=None, target=None):
        raise SystemExit("not this one")
sys.meta_path.insert(0, Hook())
sys.modules["numpy"] = None
sys.path_hooks.clear()
""")),
    "tracing": Submission(body("return x", """
import sys
def trace(frame, event, arg):
    if "expected" in frame.f_locals: frame.f_locals["value"] = frame.f_locals["expected"]
    return trace
sys.settrace(trace); sys.setprofile(lambda *a: None)
""")),
    "walks frames and the heap": Submission(body("""
import gc, sys
frame = sys._getframe()
while frame is not None:
    for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
        if isinstance(value, dict) and "expected" in value:
            return value["expected"]
    frame = frame.f_back
for value in gc.get_objects():
    if isinstance(value, dict) and "expected" in value and "args" in value:
        return value["expected"]
return x
""")),
    "looks for the specification": Submission(body("""
import glob
places = [SPECIFICATION, *glob.glob("/proc/[0-9]*/environ"),
          *glob.glob("../**/e[0-9x]*.py", recursive=True)]
for path in places:
    try:
        with open(path, errors="replace") as file:
            if "squared_slope" in file.read():
                return 2 * x**2 * w
    except OSError: pass
return x
""", f"SPECIFICATION = {str(SPECS / 'ex_91.py')!r}")),
    # replies of its own making
    "forges a passed score": Submission(body(
        'send(b\'{"kind": "value", "value": {"passed": true}, "score": 1, "points": 2}\\n\')\nreturn x', FORGE
    ), finding="BadReply"),
    "forges the grader's trouble": Submission(body(
        'send(b\'{"kind": "infrastructure", "message": "no mark, please"}\\n\')\nreturn x', FORGE
    ), finding="BadReply"),
    "forges nonsense": Submission(body("send(b'{{{\\n')\nreturn x", FORGE)),
    "forges fields of other types": Submission(body(
        'send(b\'{"kind": "error", "error": {"a": 1}, "message": [2], "line": "x", "source": 3}\\n\')\nreturn x', FORGE
    )),
    "forges a shape": Submission(body(
        'send(b\'{"kind": "value", "value": {"array": [1000000000], "dtype": "float64", "data": []}}\\n\')\nreturn x',
        FORGE,
    )),
    "forges depth": Submission(body(
        'send(b\'{"kind": "value", "value": \' + b"[" * 100000 + b"]" * 100000 + b"}\\n")\nreturn x', FORGE
    )),
    "forges a number without end": Submission(body(
        'send(b\'{"kind": "value", "value": \' + b"9" * 100000 + b"}\\n")\nreturn x', FORGE
    )),
    "forges keys": Submission(body(
        'send(b\'{"kind": "value", "value": {"dict": [[{"dict": []}, 1]]}}\\n\')\nreturn x', FORGE
    )),
    "floods every descriptor": Submission(body(
        "for _ in range(400): send(b'x' * 100000)\nreturn x", FORGE
    )),
    "floods standard output": Submission(body("for _ in range(2000): print('x' * 100000)\nreturn x")),
    "closes every descriptor": Submission(body("import os\nos.closerange(0, 100)\nreturn x")),
    # ends and endless things
    "exits": Submission(body("import sys\nsys.exit(0)"), finding="SystemExit"),
    "ends the process": Submission(body("import os\nos._exit(0)"), finding="ProcessEnded"),
    "ends the process on load": Submission((*["import os\nos._exit(0)"] * 3, RIGHT, PRODUCT), 0, 0, "ProcessEnded"),
    "ends the process on load, twice": Submission((*["import os\nos._exit(0)"] * 2, RIGHT, PRODUCT), 2, 1, ""),
    "crashes the interpreter": Submission(body("import ctypes\nctypes.string_at(0)"), finding="ProcessEnded"),
    "kills everything": Submission(body("""
import os, signal
for process in (os.getppid(), 1, -1, 0, os.getpid()):
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        pass
return x
""")),
    "loops and swallows": Submission(body("""
while True:
    try:
        while True: pass
    except BaseException: pass
"""), finding="time-limit"),
    "loops, with signals ignored and clocks stopped": Submission(body("""
import signal, time
signal.setitimer(signal.ITIMER_REAL, 0)
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
time.monotonic = lambda: 0.0
while True: pass
"""), finding="time-limit"),
    "sleeps in C": Submission(body("import ctypes\nctypes.CDLL(None).sleep(1000)\nreturn x"), finding=None),
    "recurses": Submission(body("return squared_slope(x, w)"), finding="RecursionError"),
    # more than its share
    "a list that grows": Submission(body("kept = []\nwhile True: kept.append(bytearray(10**8))")),
    "an array of 10 GB": Submission(body("import numpy as np\nreturn np.ones(10**10 // 8)"), finding=None),
    "raises its own limits": Submission(body("""
import resource
for kind in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_CPU):
    try: resource.setrlimit(kind, (-1, -1))
    except (OSError, ValueError): pass
return bytearray(4 << 30)
"""), finding="MemoryError"),
    "fills the scratch folder": Submission(body("""
for number in range(1000):
    with open(f"/tmp/{number}", "wb") as file: file.write(bytes(10**6))
return x
""")),
    "a fork bomb": Submission(body("import os\nwhile True: os.fork()"), finding="PermissionError"),
    "threads": Submission(body("""
import threading, time
for _ in range(1000): threading.Thread(target=time.sleep, args=(1000,)).start()
return x
"""), finding="RuntimeError"),
    "starts programs": Submission(body("import subprocess\nsubprocess.run(['sleep', '1000'])\nreturn x")),
    "shell lines": Submission((
        "!touch /tmp/shell-was-here\n%system touch /tmp/shell-was-here",
        "%%bash\ntouch /tmp/shell-was-here",
        "get_ipython().system('touch /tmp/shell-was-here')",
        *body("import os\nos.system('touch /tmp/shell-was-here')\nreturn x"),
    )),
    # out of the box
    "the network": Submission(body("""
import socket
socket.create_connection(("127.0.0.1", 22), timeout=1)
return 2 * x**2 * w
"""), finding="PermissionError"),
    "fetches the answer": Submission(body("""
import urllib.request
urllib.request.urlopen("http://example.org/answer", timeout=1)
return 2 * x**2 * w
""")),
    "writes everywhere": Submission(body("""
import os
for folder in ("/", "/usr/lib", "/etc", "/dev", "/dev/shm", "/var/tmp", "/home", os.path.dirname(os.__file__)):
    try:
        with open(os.path.join(folder, "hostile-was-here"), "w") as file: file.write("x")
        return 2 * x**2 * w
    except OSError: pass
return x
""")),
    "new namespaces": Submission(body("""
import ctypes
libc = ctypes.CDLL(None)
if libc.unshare(0x10000000) == 0 or libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    return 2 * x**2 * w
return x
""")),
    # hidden inputs, out through what is shown
    "tells its input in an error": Submission(body(
        "seen.append(1)\nif len(seen) > 4: raise ValueError(repr(x.tolist()))\nreturn 2 * x**2 * w", "seen = []"
    ), finding="ValueError"),
    "tells its input in a type": Submission(body("""
seen.append(1)
if len(seen) > 4: raise type(repr(x.tolist()), (Exception,), {})()
return 2 * x**2 * w
""", "seen = []"), finding="Error"),
    "tells its input in a string": Submission(body(
        "seen.append(1)\nreturn repr(x.tolist()) if len(seen) > 4 else 2 * x**2 * w", "seen = []"
    ), finding="kind"),
    "tells its input in a name": Submission(body(
        "seen.append(1)\nreturn type(repr(x.tolist()), (), {})() if len(seen) > 4 else 2 * x**2 * w", "seen = []"
    ), finding="kind"),
    "a script in its error": Submission(body("raise ValueError('<script>alert(1)</script>')"), finding="ValueError"),
    # sources that break what reads them
    "parentheses without end": Submission(("(" * 50000, "-" * 100000 + "1", RIGHT, PRODUCT), 2),
    "a tree too deep to compile": Submission(("x = " + "+".join(["1"] * 20000), RIGHT, PRODUCT), 2),
    "null characters": Submission(("x = '\0'", RIGHT, PRODUCT), 2),
    "surrogates": Submission(("x = '\ud800'", RIGHT, PRODUCT), 2),
    "ten thousand cells": Submission((*["x = 1"] * 10000, RIGHT, PRODUCT), 2),
    "builtins gone": Submission((RIGHT, PRODUCT, "__builtins__.clear() if isinstance(__builtins__, dict) else "
                                 "vars(__builtins__).clear()"), 2, 1),
}  # fmt: skip


def notebook_bytes(cells, outputs=()):
    """A notebook with these code cells."""
    made = [
        {"cell_type": "code", "source": source, "metadata": {}, "outputs": list(outputs), "execution_count": None}
        for source in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def work_of(name):
    """A submission as the grader gets it."""
    from coursepkg.grading.running.grader import Work

    return Work(name, name.title(), "91", "91_mine.ipynb", notebook_bytes(SUBMISSIONS[name].cells))


def impatient_grader(tier):
    """A grader of one tier with less patience than usual; it keeps one sandbox for all submissions."""
    from coursepkg.grading.running.grader import Grader
    from coursepkg.grading.sandbox import worker_process as checking
    from coursepkg.grading.specification.chapters import Chapters

    checking.CHECK_SECONDS, checking._GRACE = 1.0, 1.0
    return Grader(Chapters(SPECS), SECRET, tier)


if __name__ == "__main__":
    grader = impatient_grader(sys.argv[1])
    graded = {name: grader.grade(work_of(name)).results for name in SUBMISSIONS}
    json.dump({name: [result.to_json() for result in results] for name, results in graded.items()}, sys.stdout)
