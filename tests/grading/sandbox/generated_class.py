"""A class of any size: right, partly right, wrong and hostile notebooks of one chapter, each with what it deserves.

Right and wrong answers are those of the chapter's own specification, taken out of its source with all that they need;
those that load SymPy or SciPy are left out, since loading takes longer than grading. Hostile ones come from the hostile
suite: what they do stands in the place of one answer, the others stay.
"""

import ast
import copy
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import hostile_notebooks

from coursepkg.grading.specification.build import BEGIN, source_of
from coursepkg.grading.specification.chapters import spec_files

PROJECT = Path(__file__).parents[3]
SPECS = PROJECT / "solutions" / "specs"
SHARES = {"right": 0.4, "partial": 0.35, "wrong": 0.15, "hostile": 0.1}
# What is over at once and harms nothing but its own answer, so that every other one keeps what it deserves.
QUICK = (
    "exits", "ends the process", "crashes the interpreter", "recurses", "raises", "returns NaN",
    "returns what equals everything", "returns an array that lies", "returns what unpickles badly", "data without end",
    "forges a passed score", "forges the grader's trouble", "forges nonsense", "forges a shape", "forges depth",
    "forges a number without end", "forges keys", "floods every descriptor", "floods standard output",
    "closes every descriptor", "kills everything", "a fork bomb", "threads", "starts programs", "the network",
    "writes everywhere", "new namespaces", "an array of 10 GB", "fills the scratch folder", "a script in its error",
    "walks frames and the heap", "a list that grows",
)  # fmt: skip
SLOW = ("loops and swallows", "loops, with signals ignored and clocks stopped", "sleeps in C")


@dataclass(frozen=True)
class Answer:
    """An answer to one exercise: its cell, and the id of the wrong idea in it ("" where it is right)."""

    source: str
    idea: str


@dataclass(frozen=True)
class HandedIn:
    """A notebook, and what each exercise deserves: whether it is right, and the wrong idea that should be named."""

    student: str
    kind: str
    data: bytes
    right: dict
    ideas: dict


# --- answers, out of the specification's source -----------------------------------------------------------------------


@cache
def answers(chapter):
    """All answers that the specification of a chapter knows: exercise id to (name, right ones, wrong ones)."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in spec_files(SPECS / f"ex_{chapter}")]
    definitions = _definitions(statement for tree in trees for statement in tree.body)
    found = {}
    for module, call in [(tree, call) for tree in trees for call in _calls(tree, "Exercise")]:
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        name = given["function"].value

        def cell(expression, name=name):
            return _cell(name, expression, definitions)

        right = [cell(item) for item in given["accepted"].elts if not isinstance(item, ast.Starred)]
        right = [source for source in right if "sympy" not in source and "scipy" not in source]
        wrong = []
        for entry in _calls(module, "wrong"):
            if not isinstance(entry.args[0], ast.Constant):
                continue  # made in a loop: its answer is no expression of its own
            wrong.append(Answer(cell(entry.args[1]), entry.args[0].value))
        found[given["id"].value] = (name, [Answer(source, "") for source in right], wrong)
    return found


def _calls(tree, name):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name]


def _definitions(statements):
    """Top-level statements by the names that they define."""
    found = {}
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names = [statement.name]
        elif isinstance(statement, ast.ImportFrom) and statement.level:
            continue  # from a neighbouring file, whose own statements are here
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            names = [(alias.asname or alias.name).split(".")[0] for alias in statement.names]
        elif isinstance(statement, ast.Assign):
            names = [node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        else:
            continue
        found.update(dict.fromkeys(names, statement))
    return found


def _cell(name, expression, definitions):
    """A cell that defines an answer, with everything that it needs in a scope of its own."""
    needed, queue = {}, [expression]
    while queue:
        for node in ast.walk(queue.pop()):
            statement = definitions.get(node.id) if isinstance(node, ast.Name) else None
            if statement is not None and id(statement) not in needed:
                needed[id(statement)] = statement
                queue.append(statement)
    body = [statement for statement in dict.fromkeys(definitions.values()) if id(statement) in needed]
    inner = "\n".join(ast.unparse(statement) for statement in [*body, ast.Return(expression)])
    indented = "\n".join(f"    {line}" for line in inner.splitlines())
    return f"def answer():\n{indented}\n\n{name} = answer()"


# --- notebooks --------------------------------------------------------------------------------------------------------


@cache
def _solution(chapter):
    [path] = (PROJECT / "solutions").glob(f"{chapter}_*.ipynb")
    return path.name, json.loads(path.read_text(encoding="utf-8"))


def notebook_name(chapter):
    """The file that learners of a chapter hand in."""
    return _solution(chapter)[0]


def fill_in(notebook, chosen):
    """A notebook with the sources ``chosen`` (exercise id to cell) in the place of its answers; checks stay."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        found = re.search(r'^check\("(\d\d\.\d+)".*$', source_of(cell), re.MULTILINE)
        if cell["cell_type"] == "code" and found and found[1] in chosen and _holds_an_answer(cell):
            cell["source"] = f"{chosen[found[1]]}\n\n{found[0]}"
    return notebook


def _holds_an_answer(cell):
    return BEGIN in source_of(cell) or "raise NotImplementedError" in source_of(cell)


def hostile_cell(name, attack):
    """A submission of the hostile suite as an answer to another exercise, given whatever arguments."""
    before, answer, _ = hostile_notebooks.SUBMISSIONS[attack].cells
    head = f"def {name}(*given, **named):\n    import numpy\n    x = w = numpy.array([1.5, -2.0])"
    changed = answer.replace("def squared_slope(x, w):", head)
    assert changed != answer, f"{attack} answers in another way"
    return before + "\n" + changed.replace("return squared_slope(", f"return {name}(")


def generate(chapter, size, rng, *, notebook=None, shares=SHARES, attacks=QUICK):
    """A class that hands in a chapter.

    Parameters
    ----------
    chapter : str
        "03".
    size : int
        Number of learners.
    rng : numpy.random.Generator
        Chooses who hands in what.
    notebook : dict, optional
        The notebook that is filled in (default: that of ``solutions/``, answered).
    shares : dict
        Share of each kind.
    attacks : sequence of str
        Hostile ones, by their names in the hostile suite; they take turns.

    Returns
    -------
    list of HandedIn
    """
    bound = [kind for kind, share in shares.items() for _ in range(round(share * size))]
    kinds = [*bound, *["right"] * size][:size]
    rng.shuffle(kinds)
    made, turns = [], 0
    for number, kind in enumerate(kinds):
        chosen = _choose(chapter, kind, rng)
        ideas = {exercise: answer.idea for exercise, answer in chosen.items() if answer.idea}
        sources = {exercise: answer.source for exercise, answer in chosen.items()}
        if kind == "hostile":
            attack, turns = attacks[turns % len(attacks)], turns + 1
            exercise = str(rng.choice(list(chosen)))
            sources[exercise] = hostile_cell(answers(chapter)[exercise][0], attack)
            ideas[exercise] = f"hostile: {attack}"
        filled = fill_in(notebook or _solution(chapter)[1], sources)
        right = {exercise: exercise not in ideas for exercise in answers(chapter)}
        data = json.dumps(filled, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass")
        made.append(HandedIn(f"learner{number:04}", kind, data, right, ideas))
    return made


def _choose(chapter, kind, rng):
    """An answer for each exercise; where none is chosen, the notebook's own stays."""
    wrong_share = {"right": 0.0, "partial": 0.4, "wrong": 1.0, "hostile": 0.2}[kind]
    chosen = {}
    for exercise, (name, right, wrong) in answers(chapter).items():
        draw = rng.random()
        if draw < wrong_share / 4 and kind != "hostile":
            chosen[exercise] = Answer(f"def {name}(*given):\n    raise NotImplementedError('{exercise}')", "untouched")
        elif draw < wrong_share:
            chosen[exercise] = wrong[rng.integers(len(wrong))]
        else:
            chosen[exercise] = right[rng.integers(len(right))]
    return chosen
