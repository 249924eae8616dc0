"""Automatic differentiation: the scalar engine, the array engine on its table, and the checks that compare routes.

The modules load on first use (``coursepkg.autodiff.scalar`` needs neither NumPy nor SymPy, and stays that way).
"""

from importlib import import_module
from types import ModuleType

__all__ = ["comparison", "differences", "dual", "linalg", "scalar", "symbolic", "symbolic_array", "table", "tensor"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
