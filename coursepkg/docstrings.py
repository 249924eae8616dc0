"""A real text task that every Python carries: which package of the standard library does this docstring belong to?

The one idea: the documentation strings of large packages are short texts by many authors, up to three hundred per
package, and they need no download. Equal texts are kept once, so that none can stand in the training part and in the
test part. They differ a little from one Python version to the next. (Python Software Foundation licence; they are read
where they are installed, not copied.)
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, NamedTuple

import numpy as np

from coursepkg._checks import check_rng

__all__ = ["PACKAGES", "Texts", "docstring_task", "package_docstrings"]

PACKAGES = ("asyncio", "email", "http", "logging", "multiprocessing", "unittest", "urllib", "xml")
FEWEST_WORDS = 6
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[0-9]+")


class Texts(NamedTuple):
    """Texts as numbers, in two parts.

    Attributes
    ----------
    train, test : (ndarray, ndarray)
        Words, integers of shape (n, length) with 0 for padding, and the numbers of the packages, shape (n,).
    words : tuple of str
        What the integers stand for; 0 is padding and 1 any word that is not in the list.
    packages : tuple of str
        What the classes stand for.
    """

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    words: tuple[str, ...]
    packages: tuple[str, ...]


def package_docstrings(package: str) -> list[str]:
    """Read all docstrings of a package from its source, without importing it.

    Parameters
    ----------
    package : str
        Name of an importable package.

    Returns
    -------
    list of str
        In the order of the source, modules by name.

    Raises
    ------
    ValueError
        If there is no such package, or its source is not installed.
    """
    spec = find_spec(package)
    sources = [] if spec is None else list(_sources(spec, package))
    if not sources:
        raise ValueError(f"there is no package {package!r} with source code in this Python; try one of {PACKAGES}")
    found = []
    for name, source in sources:
        for node in ast.walk(ast.parse(source, filename=name)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node)
                if text:
                    found.append(text)
    return found


def _sources(spec: ModuleSpec, name: str) -> Iterator[tuple[str, str]]:
    source = spec.loader.get_source(name) if hasattr(spec.loader, "get_source") else None  # type: ignore[union-attr]
    if source:
        yield name, source
    for info in sorted(iter_modules(spec.submodule_search_locations or []), key=lambda info: info.name):
        if info.name not in ("test", "tests"):
            inner = info.module_finder.find_spec(f"{name}.{info.name}")  # type: ignore[call-arg]
            if inner is not None:
                yield from _sources(inner, f"{name}.{info.name}")


def docstring_task(
    *,
    rng: np.random.Generator,
    packages: Sequence[str] = PACKAGES,
    length: int = 32,
    words: int = 1000,
    test: float = 0.2,
) -> Texts:
    """Make the task: texts of at most ``length`` words, each to be told apart by its package.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides which texts are held out.
    packages : sequence of str
        The classes.
    length : int
        Later words of a text are cut off.
    words : int
        Size of the vocabulary: the most frequent words of the training part, padding, and one for all other words.
    test : float
        Share of the texts that are held out.

    Returns
    -------
    Texts
    """
    texts, labels = _distinct(packages)
    order = check_rng(rng).permutation(len(texts))
    held_out = round(test * len(texts))
    parts = order[held_out:], order[:held_out]
    counts = Counter(word for i in parts[0] for word in texts[i][:length])
    common = sorted(counts, key=lambda word: (-counts[word], word))[: words - 2]
    numbers = {word: k + 2 for k, word in enumerate(common)}
    tokens = np.zeros((len(texts), length), int)
    for row, text in zip(tokens, texts, strict=True):
        row[: len(text[:length])] = [numbers.get(word, 1) for word in text[:length]]
    train, held = ((tokens[part], np.array(labels)[part]) for part in parts)
    return Texts(train, held, ("", "?", *common), tuple(packages))


def _distinct(packages: Sequence[str]) -> tuple[list[tuple[str, ...]], list[int]]:
    """Texts as words, long enough to say something; a text that several packages have belongs to none of them."""
    owners: dict[tuple[str, ...], set[int]] = {}
    for label, package in enumerate(packages):
        for text in package_docstrings(package):
            found = tuple(_WORD.findall(text.lower()))
            if len(found) >= FEWEST_WORDS:
                owners.setdefault(found, set()).add(label)
    kept: list[Any] = [(text, min(labels)) for text, labels in owners.items() if len(labels) == 1]
    return [text for text, _ in kept], [label for _, label in kept]
