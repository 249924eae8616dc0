"""A cell is read as IPython reads it, and what cannot be read costs what it defines and nothing around it."""

from types import ModuleType

import pytest

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.sandbox.reading import MOST, Broken, as_ipython_reads, read_cell
from coursepkg.grading.sandbox.worker import Answers

OURS = (*vars(ModuleType("__main__")), "__builtins__", "display", "get_ipython")


def loaded(*cells):
    answers = Answers()
    answers.load(list(cells))
    return answers


def names(*cells):
    """What cells leave behind; of what can be called, that there is something."""
    left = loaded(*cells).namespace.items()
    return {name: "defined" if callable(value) else value for name, value in left if name not in OURS}


# --- what IPython alone knows ----------------------------------------------------------------------------------------

CELLS = {
    "a line magic runs its line": ("%time x = 1", {"x": 1}),
    "with options": ("%prun -q x = 1", {"x": 1}),
    "and has its value": ("x = %time 2 + 3", {"x": 5}),
    "others define nothing": ("%timeit x = 1\n%load_ext autoreload\ny = 2", {"y": 2}),
    "a magic that is assigned": ("r = %timeit -o sum([1])\ny = 2", {"r": None, "y": 2}),
    "a magic over two lines": ("%load_ext \\\n  something\ny = 2", {"y": 2}),
    "%%time": ("%%time\ndef f(): pass", {"f": "defined"}),
    "%%timeit": ("%%timeit -n 1\ny = 2", {"y": 2}),
    "%%prun after empty lines": ("\n\n%%prun\ny = 2", {"y": 2}),
    "%%capture": ("%%capture out --no-stderr\ny = 2", {"out": None, "y": 2}),
    "%%capture of %%time": ("%%capture out\n%%time\ny = 2", {"out": None, "y": 2}),
    "%%python3": ("%%python3\ny = 2", {"y": 2}),
    "%%bash": ("%%bash --out listing\nfor x in {1..3}; do y=2; done", {"listing": None}),
    "%%html": ("%%html\n<b>x = 1</b>", {}),
    "%%writefile": ("%%writefile answers.py\ndef f(): pass", {}),
    "%%javascript": ("%%javascript\nlet x = 1", {}),
    "a shell line": ("!pip install numpy\ny = 2", {"y": 2}),
    "its output": ("files = !ls\nfor name in files: x = name\ny = len(files)", {"files": [], "y": 0}),
    "twice": ("!!ls\ny = 2", {"y": 2}),
    "in a branch": ("if True:\n    !ls\n    y = 2", {"y": 2}),
    "help": ("y = 2\ny?\ny.real??\n?y\nprint?\n*int*?", {"y": 2}),
    "prompts of Python": (">>> def f(x):\n...     return x\n>>> y = f(2)", {"f": "defined", "y": 2}),
    "prompts of IPython": ("In [3]: x = 1\n\nIn [4]: y = 2", {"x": 1, "y": 2}),
    "one prompt of IPython": ("In [3]: y = 2", {"y": 2}),
    "a cell further in": ("    def f(x):\n        return x\n    y = f(2)", {"f": "defined", "y": 2}),
    "await": ("async def f(): return 2\ny = await f()", {"f": "defined", "y": 2}),
    "a semicolon": ("y = 2;\ny;", {"y": 2}),
    "display": ("display(1, 2)\ny = 2", {"y": 2}),
    "the shell itself": ("get_ipython().run_line_magic('time', 'y = 2')\nget_ipython().kernel", {"y": 2}),
    "its cells": ("get_ipython().run_cell_magic('time', '', 'y = 2')\nx = get_ipython().getoutput('ls')",
                  {"y": 2, "x": []}),
    "a word that is a magic by itself": ("pip install numpy", {}),
    "a text": ("x = '''\n%time a\n!ls\n?\n'''\n!ls", {"x": "\n%time a\n!ls\n?\n"}),
    "remainders": ("x = 7 \\\n% 4\n!ls", {"x": 3}),
    "null characters": ("x = '\\d'\0?", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_what_ipython_knows_is_read_as_ipython_reads_it(name):
    cell, left = CELLS[name]
    assert names(cell) == left


def test_a_question_in_a_docstring_is_no_request_for_help():
    source = 'def f(x):\n    """Which of them pass?\n\n    ! is a factorial, % a remainder?\n    """\n    return x'
    answers = loaded(source + "\n!ls", "def g(x):\n    return x\ng?")
    assert "Which of them pass?\n\n    ! is a factorial, % a remainder?" in answers.defined["f"].__doc__
    assert answers.defined["g"](3) == 3


def test_lines_keep_their_numbers():
    for source in (
        "\n\n%%time\nx = 1\ny = 1 / 0",
        "%%capture out\n\n!ls\n\ny = 1 / 0",
        ">>> x = 1\n\n\n\n>>> y = 1 / 0",
    ):
        assert as_ipython_reads(source).splitlines()[4].strip() == "y = 1 / 0"


def test_plain_python_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr("coursepkg.grading.sandbox.reading.as_ipython_reads", None)
    for source in ("x = 1", "def f():\n    return 2 % 3", ""):
        assert read_cell(source, "cell").text == source


def test_without_ipython_its_lines_are_broken_and_others_are_kept(monkeypatch):
    monkeypatch.setattr("coursepkg.grading.sandbox.reading._ipython", lambda: None)
    assert names("%matplotlib inline\ndef f(): pass\n!ls\ny = 2") == {"f": "defined", "y": 2}


def test_a_cell_that_is_no_python_and_larger_than_any_is_not_read():
    assert not loaded("(" * (MOST + 1) + "\ny = 2").defined


# --- what cannot be read ---------------------------------------------------------------------------------------------


def test_a_broken_statement_costs_what_it_defines_and_the_others_stay():
    answers = loaded(
        "def before(): return 1\n"
        "def broken(:\n    def inside(): pass\n    '''names: def mentioned(): pass'''\n"
        "@staticmethod\ndef after(): return 2\n"
        "class Broken:\n    def method(self):\n        return a b\n"
        "shorter = lambda x: x x\n"
        "x y z\n"
        "last = 3\n"
    )
    assert set(answers.defined) == {"before", "after"}
    assert set(answers.failures) == {"broken", "Broken", "shorter"}
    assert answers.namespace["last"] == 3
    assert (answers.failures["broken"].line, answers.failures["broken"].source) == (2, "def broken(:")
    assert (answers.failures["Broken"].line, answers.failures["Broken"].source) == (9, "return a b")


@pytest.mark.parametrize("code", [
    "\ufeffdef f(x):\n    return x", "\u200bclass f:\n    pass", "\u200b\ufeffasync def f(x): pass", "\ufefff = 3",
    "def f(x):\n\u00a0\u00a0\u00a0\u00a0return x", "def f(x):\u200b\n    return x",
])  # fmt: skip
def test_what_cannot_be_seen_is_no_python_and_that_is_said(code):
    answers = loaded(f"{code}\ny = 2\n")
    assert answers.namespace["y"] == 2
    assert answers.failures["f"].error == "SyntaxError"
    assert answers.failures["f"].message.startswith("invalid non-printable character U+")


def test_an_answer_that_cannot_be_imported_says_so():
    for cell in ("from mine import f", "from mine import f as g, h as f", "import mine.parts as f"):
        failure = loaded(cell).failures["f"]
        assert (failure.error, failure.message) == ("ModuleNotFoundError", "No module named 'mine'")


def test_a_text_at_the_left_margin_belongs_to_its_statement():
    answers = loaded('def f():\n    """A text\nof words: x = 1\ndef g(): pass\n    """\n    return 8\nbroken line\n')
    assert answers.defined["f"]() == 8
    assert set(answers.namespace) - set(OURS) == {"f"}


def test_after_quotes_that_are_never_closed_nothing_is_taken_for_code():
    answers = loaded('def f():\n    """never closed\n    return 8\ndef g(): return 1\nx = 1\n')
    assert not answers.defined
    assert set(answers.failures) == {"f", "g", "x"}


def test_else_belongs_to_its_if():
    assert names("if False:\n    x = 1\nelse:\n    x = 2\nfor y in ():\n    pass\nelse:\n    z = 3\nbroken line") == {
        "x": 2, "z": 3,
    }  # fmt: skip


def test_a_cell_of_commands_without_end_ends(monkeypatch):
    monkeypatch.setattr("IPython.core.inputtransformer2.TRANSFORM_LOOP_LIMIT", 20)  # 500, which takes ten seconds
    parts = read_cell("!ls\n" * 30 + "x = = 1", "cell").parts
    assert isinstance(parts[-1], Broken)


# --- which answer counts ---------------------------------------------------------------------------------------------

F = "def f(x): return {}\n"


def value(answers, exercise="02.1"):
    request = {"exercise": exercise, "function": "f", "driver": "call", "seconds": 5.0}
    outcome = answers.call(request, {"args": [1.0], "kwargs": {}})
    return outcome.value if outcome.kind == "value" else outcome.error or outcome.kind


def judged(*cells):
    """The value that the answer to 02.1 gives, and what is noted about it; ``check`` is there as if imported."""
    answers = Answers()
    answers.namespace["check"] = answers.checks
    answers.load(list(cells))
    return value(answers), [note for note in answers.notes([["02.1", "f"]])[0] if note != "checked"]


CHECK = 'check("02.1", f)\n'
STUB = 'def f(x):\n    raise NotImplementedError("02.1: write your answer here")\n'
COUNTS = {
    "the last one, without checks": ((F.format(1), F.format(2)), 2, []),
    "the checked one": ((F.format(1) + CHECK,), 1, []),
    "the last one that was checked": ((F.format(1) + CHECK, F.format(2) + CHECK), 2, []),
    "not a helper of the same name": ((F.format(1) + CHECK, F.format(2)), 1, ["reused"]),
    "not a number of the same name": ((F.format(1) + CHECK + "f = 3",), 1, ["reused"]),
    "not in the same statement's turn": ((F.format(1), CHECK, "x = f(2)"), 1, []),
    "one of another name": (("def g(x): return 5\ncheck('02.1', g)",), 5, []),
    "of another name beside the name": ((F.format(1), "def g(x): return 5\ncheck('02.1', g)"), 5, []),
    "in a loop and a try": (
        (F.format(1), "for _ in 'ab':\n    try:\n        check('02.1', f)\n    finally: pass"),
        1,
        [],
    ),
    "by keyword": ((F.format(1), "check(answer=f, exercise_id='02.1')", F.format(2)), 1, ["reused"]),
    "another exercise's check": ((F.format(1) + "check('02.2', f)", F.format(2)), 2, []),
    "what is no answer": ((F.format(1) + "check('02.1', 3)\ncheck('02.1')\ncheck(f, '02.1')\ncheck()",), 1, []),
    "a check that is not ours": ((F.format(1) + "check = print\n" + CHECK, F.format(2)), 2, []),
    "a broken one later": ((F.format(1), "def f(:\n    pass\n"), 1, ["broken"]),
    "a failing one later": ((F.format(1), "def f(x, y=1 / 0): pass\n"), 1, ["broken"]),
    "what is written below a stub and its check": ((STUB + CHECK, F.format(2)), 2, []),
    "not a stub below": ((F.format(1) + CHECK, STUB + CHECK), 1, ["reused"]),
    "a stub alone": ((STUB + CHECK,), "not-attempted", []),
    "a broken one after a stub": ((STUB, "def f(:\n    pass\n"), "SyntaxError", ["broken"]),
    "a broken one alone": (("def f(:\n    pass\n",), "SyntaxError", []),
    "a broken one, then a whole one": (("def f(:\n    pass\n", F.format(1)), 1, []),
    "a part that was left and is never reached": (
        ("def g(x):\n    if x:\n        return 5\n    " + STUB.split("    ")[1] + "check('02.1', g)",),
        5,
        [],
    ),
    "one that cannot be imported later": ((F.format(1), "from mine import f"), 1, ["broken"]),
    "nothing": (("x = 1",), "not-attempted", []),
}


def test_a_class_with_a_part_that_is_not_written_counts_where_no_other_is_further_on():
    begun = "class {}:\n    def a(self): return 1\n    def b(self):\n    " + STUB.split("\n")[1] + "\n"
    stub = begun.replace("return 1", STUB.split("\n")[1].strip())
    answers = Answers()
    answers.namespace["check"] = answers.checks
    answers.load([stub.format("f") + CHECK, begun.format("Mine") + "check('02.1', Mine)", stub.format("f") + CHECK])
    assert answers._answer("02.1", "f") == (answers.defined["Mine"], True)
    answers.load(["class f:\n    def a(self): return 1\n    def b(self): return 2\n"])
    assert answers._answer("02.1", "f") == (answers.defined["f"], False)


@pytest.mark.parametrize("name", COUNTS)
def test_which_answer_counts_and_what_is_said_about_it(name):
    cells, expected, notes = COUNTS[name]
    assert judged(*cells) == (expected, notes)


OWN = {
    "a class": "from coursepkg.autodiff.scalar import Scalar as f",
    "one made from it": "from coursepkg.autodiff.scalar import Scalar\nclass f(Scalar): pass",
    "one that says otherwise": "from coursepkg.autodiff.scalar import Scalar as f\nf.__module__ = '__main__'",
    "a function": "from coursepkg.gradients import reverse as f",
    "half of one": "import functools\nfrom coursepkg.gradients import reverse\nf = functools.partial(reverse)",
    "one in a wrapper": "import functools\nfrom coursepkg.gradients import reverse\n"
    "@functools.wraps(reverse)\ndef f(x): return reverse(x)",
    "a method": "from coursepkg.autodiff.scalar import Scalar\nf = Scalar(1.0).backward",
}


@pytest.mark.parametrize("name", OWN)
def test_an_answer_that_is_the_courses_own_is_known(name, monkeypatch):
    monkeypatch.setattr(Scalar, "__module__", Scalar.__module__)  # one of them says otherwise, and others read it
    assert judged(OWN[name])[1] == ["own"]


def test_answers_of_others_are_their_own():
    for cell in ("import numpy as np\nf = np.exp", "f = max", "class f(dict): pass", "f = lambda x: x", F.format(1)):
        assert judged(cell)[1] == []


def test_an_object_that_answers_every_question_for_ever_is_left_alone():
    answers = loaded(
        "class Odd:\n    def __getattr__(self, name):\n        while True: pass\n    def __call__(self): pass\n"
    )
    answers.defined["f"] = answers.defined["Odd"]()
    assert answers.notes([["02.1", "f"]]) == [[]]


def test_whether_it_was_checked_is_known():
    answers = Answers()
    answers.namespace["check"] = answers.checks
    answers.load([F.format(1) + "g = f\n" + CHECK])
    assert answers.notes([["02.1", "f"], ["02.2", "g"], ["02.3", "h"]]) == [["checked"], [], []]


def test_an_odd_answer_takes_no_words_from_others():
    answers = loaded("from coursepkg.autodiff.scalar import Scalar as g\nclass f:\n    __wrapped__ = 1 / 3\nf = f()")
    answers.defined["f"] = type("Odd", (), {"__getattr__": lambda self, name: 1 / 0})()
    assert answers.notes([["02.1", "f"], ["02.2", "g"]]) == [[], ["own"]]
