"""Where the course lies: inside the installed package, and in a checkout around it."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder() -> Path:
    """The folder that holds ``notebooks``, ``exercises``, ``solutions`` and ``benchmarks/results``."""
    inside = _PACKAGE / "course"  # only a wheel has it: pyproject.toml says what goes in
    return inside if inside.is_dir() else _PACKAGE.parent
