"""Arrows point one way: no room imports one above it, and no modules form a circle, not even inside functions."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "coursepkg"

# Each room and what it may know. A room stands below all that know it, so the list is the order, from the bottom up.
TOOLS = ("_checks", "_course", "_drawings", "derivatives", "predictions", "tables")
MAY_KNOW = {
    **dict.fromkeys(TOOLS, ()),
    "autodiff": TOOLS,
    "datasets": TOOLS,
    "docstrings": TOOLS,
    "history": (),
    "in_browser": (),
    "kitchen": (*TOOLS, "autodiff"),
    "stored": ("_course",),
    "optimizers": (*TOOLS, "autodiff"),
    "nn": (*TOOLS, "autodiff"),
    "training": (*TOOLS, "autodiff", "datasets", "nn", "optimizers"),
    "clinic": (*TOOLS, "autodiff", "datasets", "nn", "optimizers", "training"),
    "sequences": (*TOOLS, "autodiff", "nn", "training"),
    "estimators": (*TOOLS, "autodiff", "nn", "optimizers", "training"),
    "gradients": (*TOOLS, "autodiff", "estimators"),
    "engine_trial": (*TOOLS, "autodiff", "datasets"),
    "neural_tree": (*TOOLS, "autodiff", "datasets", "optimizers", "training"),
    "photonics": (*TOOLS, "autodiff", "datasets", "nn", "optimizers", "training"),
    "routes": (*TOOLS, "autodiff", "datasets", "estimators", "gradients", "neural_tree", "nn", "photonics"),
    "visualize": (*TOOLS, "autodiff", "datasets", "engine_trial", "kitchen", "neural_tree", "photonics"),
    "grading": ("_course", "derivatives"),  # the judge uses nothing that a learner's work could have changed
    "setup_check": ("autodiff", "grading", "in_browser"),
    "start": ("_course",),
    "__main__": ("datasets", "grading", "start"),
}
# The rooms of the judge, likewise. What is above them all: the command line, and `check` and `hint` themselves.
JUDGE_MAY_KNOW = {
    "judging": (),
    "specification": ("judging",),
    "submissions": (),
    "sandbox": ("judging",),
    "running": ("judging", "specification", "submissions", "sandbox"),
    "reporting": ("judging", "specification", "submissions", "running"),
    "learning": ("judging",),
}
# The rooms of the drawings: paper and figures that move below, one room for each subject above.
SUBJECTS = ("chart", "diagram", "graph", "matrix", "field", "light", "tree")
DRAWINGS_MAY_KNOW = {"paper": (), "alive": ("paper",), **dict.fromkeys(SUBJECTS, ("paper", "alive"))}
EXCEPTIONS = {
    # The sandbox loads what answers import, by name, before it gives its rights away; the judge uses none of it.
    ("grading.sandbox.inside", "autodiff.scalar"),
    ("grading.sandbox.inside", "gradients"),
    ("grading.sandbox.inside", "optimizers"),
}


def modules_of(package):
    """The files of a package by the name of their module, without that of the package; "" is the package itself."""
    paths = {".".join(path.relative_to(package).with_suffix("").parts): path for path in package.rglob("*.py")}
    return {name.removesuffix("__init__").rstrip("."): path for name, path in paths.items()}


@cache
def arrows_of(package):
    """All pairs of modules, one of which names the other: in an import anywhere in it, or in a string by itself."""
    modules = modules_of(package)
    arrows = set()
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for other in _named(node, package.name, name if path.name == "__init__.py" else name.rpartition(".")[0]):
                found = next((part for part in _shorter(other) if part in modules), None)
                if found is not None and found != name:
                    arrows.add((name, found))
    return arrows


def _named(node, package, folder):
    """What an import or a string names, as modules without the package's own name."""
    prefix = f"{package}."
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        parts = f"{prefix}{folder}".rstrip(".").split(".")
        base = [*parts[: len(parts) - node.level + 1], *filter(None, [node.module])] if node.level else [node.module]
        names = [".".join([*base, alias.name]) for alias in node.names]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
        names = [node.value]
    else:
        return []
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _shorter(name):
    """ "a.b.c", "a.b", "a": the name of something in a module comes behind the module's own."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def room(module):
    return module.partition(".")[0]


def circle_in(arrows):
    known = {}
    for module, other in sorted(arrows):  # the same circle each time, whatever the order of the set
        known.setdefault(module, []).append(other)
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        return error.args[1]
    return []


# --- the finder


FILES = {
    "__init__.py": "from .top import now",
    "top.py": "import demo.room.first\nfrom demo.room import first as one",
    "late.py": "def f():\n    from demo.room.first import thing\n    import demo.room.inner.deep as deep",
    "kinds.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from demo.top import now",
    "words.py": "NAMES = ('demo.late', 'demo.late is words', 'another.late')",
    "room/__init__.py": "",
    "room/first.py": "from . import second\nfrom .second import thing\nfrom ..top import now\nfrom .. import kinds",
    "room/second.py": "import numpy, demos.late\nfrom .inner import deep",
    "room/inner/__init__.py": "from .deep import thing",
    "room/inner/deep.py": "from ..second import thing",
}
ARROWS = {
    ("", "top"),
    ("top", "room.first"), ("late", "room.first"), ("late", "room.inner.deep"), ("kinds", "top"), ("words", "late"),
    ("room.first", "room.second"), ("room.first", "top"), ("room.first", "kinds"),
    ("room.second", "room.inner.deep"), ("room.inner", "room.inner.deep"), ("room.inner.deep", "room.second"),
}  # fmt: skip


def test_every_way_to_import_is_found(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "demo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert arrows_of(tmp_path / "demo") == ARROWS
    assert circle_in(ARROWS) == ["top", "kinds", "room.first", "top"]
    assert circle_in(ARROWS - {("room.first", "top"), ("room.inner.deep", "room.second"), ("kinds", "top")}) == []


# --- the package


def test_rooms_know_only_rooms_below_them():
    order = list(MAY_KNOW)
    for name, known in MAY_KNOW.items():
        assert set(known) <= set(order[: order.index(name)]), name
    assert set(order) == {room(module) for module in modules_of(PACKAGE)} - {""}


@pytest.mark.parametrize("name", MAY_KNOW)
def test_no_import_runs_upward(name):
    upward = {
        (module, other)
        for module, other in arrows_of(PACKAGE)
        if room(module) == name and room(other) not in (name, "", *MAY_KNOW[name])
    }
    assert upward == {pair for pair in EXCEPTIONS if room(pair[0]) == name}


@pytest.mark.parametrize(("house", "may_know"), [("grading", JUDGE_MAY_KNOW), ("visualize", DRAWINGS_MAY_KNOW)])
def test_rooms_inside_a_room_know_only_rooms_below_them(house, may_know):
    assert {path.name for path in (PACKAGE / house).iterdir() if (path / "__init__.py").is_file()} == {*may_know}
    for module, other in sorted(arrows_of(PACKAGE)):
        [*_, above] = module.split(".")[:2] if module.startswith(f"{house}.") else [""]
        [*_, below] = other.split(".")[:2] if other.startswith(f"{house}.") else [""]
        if above in may_know and below:
            assert below in (above, *may_know[above]), f"{module} knows {other}"


def test_the_package_itself_only_says_where_drawings_are():
    assert {other.split(".")[0] for module, other in arrows_of(PACKAGE) if module == ""} <= {"_drawings", "visualize"}


def test_no_modules_import_each_other_in_a_circle():
    assert circle_in(arrows_of(PACKAGE)) == []
