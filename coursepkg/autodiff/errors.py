"""What the engine refuses, and says why: a call it cannot differentiate, and a step that would cut a gradient."""

from __future__ import annotations

__all__ = ["LeavesGraphError", "MissingAttributeError", "MissingPrimitiveError", "UnsupportedArgumentError"]


class MissingPrimitiveError(NotImplementedError):
    """A NumPy function was called on a traced value and the table has no entry for it."""


class UnsupportedArgumentError(MissingPrimitiveError, TypeError):
    """A function of the table was called with an argument that its entry does not support."""


class MissingAttributeError(MissingPrimitiveError, AttributeError):
    """An attribute that arrays have was asked of a traced value, which has not."""


class LeavesGraphError(TypeError):
    """A traced value was about to be turned into plain numbers, which would cut its gradient in silence."""
