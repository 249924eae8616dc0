"""The checks of a gradient of numbers, under the name by which notebooks know them."""

from coursepkg.autodiff.comparison import compare_routes
from coursepkg.autodiff.differences import Difference, central_difference, complex_step, differences

__all__ = ["Difference", "central_difference", "compare_routes", "complex_step", "differences"]
