"""The chapters of a folder of specifications, loaded from their files when somebody asks for them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from coursepkg.grading.specification.exercise import Exercise, SpecError


@dataclass(frozen=True)
class Chapter:
    """The specification of one chapter, and the hash of its files."""

    exercises: tuple[Exercise, ...]
    sha256: str


class Chapters(Mapping[str, Chapter]):
    """The chapters of a folder of specifications, each loaded when it is asked for, since most classes need one alone.

    Parameters
    ----------
    specs : Path
        The folder.

    Raises
    ------
    SpecError
        If it holds no specification; later, if one cannot be loaded.
    """

    def __init__(self, specs: Path):
        self._paths = chapters_in(specs)
        self._loaded: dict[str, Chapter] = {}
        if not self._paths:
            raise SpecError(f"{specs} holds no specification (ex_01 and so on)")

    def __getitem__(self, name: str) -> Chapter:
        if name not in self._loaded:
            path = self._paths[name]
            sha256 = hashlib.sha256(b"".join(file.read_bytes() for file in spec_files(path))).hexdigest()
            self._loaded[name] = Chapter(tuple(load_chapter(path)), sha256)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def chapters_in(specs: Path) -> dict[str, Path]:
    """The chapters of a folder by name; each is a folder of files, or one file."""
    found = [path for path in sorted(specs.glob("ex_*")) if path.suffix == ".py" or (path / "__init__.py").is_file()]
    return {path.stem.removeprefix("ex_"): path for path in found}


def spec_files(path: Path) -> list[Path]:
    """The files of a chapter, or of a folder of chapters."""
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def load_specs(folder: Path, only: Sequence[str] | None = None) -> dict[str, list[Exercise]]:
    """The chapters of a ``specs`` folder, or ``only`` some: ``{"01": [Exercise, ...]}``; raises as ``load_chapter``."""
    found = chapters_in(folder)
    return {name: load_chapter(path) for name, path in found.items() if only is None or name in only}


def load_chapter(path: Path) -> list[Exercise]:
    """The exercises of a chapter: a folder with a file for each, or a file that lists them as ``EXERCISES``.

    Raises
    ------
    SpecError
        If there are none, or an id does not belong to its chapter or occurs twice.
    """
    chapter = path.stem.removeprefix("ex_")
    exercises = _of_folder(path) if path.is_dir() else getattr(_load_module(path), "EXERCISES", None)
    if not isinstance(exercises, list) or not exercises:
        raise SpecError(f"{path.name} defines no list EXERCISES, and holds no files e01_name.py with an EXERCISE")
    ids = [exercise.id for exercise in exercises]
    if any(name.split(".")[0] != chapter for name in ids) or len(set(ids)) != len(ids):
        raise SpecError(f"{path.name}: ids must be unique and begin with {chapter}: {', '.join(ids)}")
    functions = [exercise.function for exercise in exercises]
    if len(set(functions)) != len(functions):
        raise SpecError(f"{path.name}: two exercises ask for the same name, so answers could not be told apart")
    return exercises


def _of_folder(folder: Path) -> list[Exercise]:
    package = _load_module(folder / "__init__.py").__name__
    with _no_byte_code():
        modules = [importlib.import_module(f"{package}.{path.stem}") for path in sorted(folder.glob("e[0-9]*.py"))]
    if missing := [module.__name__.split(".")[-1] for module in modules if not hasattr(module, "EXERCISE")]:
        raise SpecError(f"{folder.name}: no EXERCISE is defined in {', '.join(missing)}")
    return [module.EXERCISE for module in modules]


def _load_module(path: Path) -> ModuleType:
    is_package = path.name == "__init__.py"
    name = f"coursepkg_spec_{path.parent.stem if is_package else path.stem}"
    for earlier in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[earlier]  # another folder of the same name, or this one before it was edited
    inside = [str(path.parent)] if is_package else None
    found = importlib.util.spec_from_file_location(name, path, submodule_search_locations=inside)
    if found is None or found.loader is None:
        raise SpecError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # relative imports, and dataclasses in a specification, look modules up
    importlib.invalidate_caches()
    with _no_byte_code():
        found.loader.exec_module(module)
    return module


@contextmanager
def _no_byte_code() -> Iterator[None]:
    """No byte code is kept: it is looked up by the second, and would hide an edit made within the same one."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
