"""The companion package of the course: every gradient here has a second, independent witness.

Importing this package loads nothing heavy; each room (``coursepkg.autodiff``, ``coursepkg.visualize``,
``coursepkg.grading``, ...) loads what it needs.
"""

from importlib import import_module as _import_module

from coursepkg import _drawings

__version__ = "0.1.0"

# A training history can draw itself, and the drawings lie above it. The package, above both, says where they are.
_drawings.offer(lambda name: getattr(_import_module("coursepkg.visualize"), name))
