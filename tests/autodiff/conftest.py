"""What the tests of the table need before they are collected: every entry, also those that are loaded when asked."""

from coursepkg.autodiff import linalg, tensor  # noqa: F401  (enter SciPy's linear algebra)
from coursepkg.autodiff.primitives import further, special  # noqa: F401  (enter NumPy's further functions and SciPy's)
