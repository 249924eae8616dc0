"""NumPy, or the little of it that the judge needs where it is missing, such as in a browser that reaches no network.

The one place that asks. The rest of the judge takes ``np`` from here and does not know which of the two it has.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
else:
    try:
        import numpy as np
    except ImportError:
        from coursepkg.grading.judging import plain_arrays as np

NUMPY_IS_HERE = np.__name__ == "numpy"


def numpy_came_later() -> bool:
    """Whether NumPy was loaded after the judge had begun to do without it, and might be in an answer."""
    return not NUMPY_IS_HERE and sys.modules.get("numpy") is not None


class ErrorSettings:
    """What NumPy does about errors in arithmetic, as it is now, to be put back later; nothing without NumPy."""

    def __init__(self) -> None:
        self._how, self._handler = _error_settings()

    def restore(self) -> bool:
        """Put the settings back; returns whether they had changed."""
        how, handler = _error_settings()
        if how == self._how and handler is self._handler:
            return False
        np.seterr(**self._how)
        np.seterrcall(self._handler)
        return True


def _error_settings() -> tuple[Any, Any]:
    return (np.geterr(), np.geterrcall()) if NUMPY_IS_HERE else (None, None)
