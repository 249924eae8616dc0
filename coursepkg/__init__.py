"""The companion package of the course: every gradient here has a second, independent witness.

Importing this package loads nothing heavy; each room (``coursepkg.autodiff``, ``coursepkg.visualize``,
``coursepkg.grading``, ...) loads what it needs.
"""

__version__ = "0.1.0"
