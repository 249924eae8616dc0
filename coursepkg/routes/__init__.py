"""One network, one loss, one batch, and every route of the course to its gradient, with what each one costs.

The routes share no code where that can be avoided, so each is a witness for the others. They count the products of
numbers that they carry out (:class:`Meter`), and say how many bytes they keep from the forward pass for later. Exact
routes are compared with reverse mode, estimates by their z-scores: how many standard errors the mean of many draws lies
away from the gradient. Baydin et al. (2018) survey the routes; the papers stand in the chapter named beside each.
"""

from coursepkg.routes.choosing import ESTIMATES, EXACT, QUESTIONS, SITUATIONS, Route, agreement, survey
from coursepkg.routes.costs import bytes_by_size, predict_products, products_by_size
from coursepkg.routes.estimates import (
    draw,
    forward_gradient,
    in_light_with_noise,
    noise,
    predicted_noise,
    relative_gap,
    sketched,
    z_scores,
)
from coursepkg.routes.exact import (
    by_hand,
    by_symbols,
    checkpointed,
    complex_step,
    differences,
    formula_operations,
    forward_mode,
    reverse_mode,
)
from coursepkg.routes.forms import as_recurrence, as_tree, carried_forward, recurrent_matrix
from coursepkg.routes.light import in_light, weight_from_phases
from coursepkg.routes.measuring import measures
from coursepkg.routes.problem import Found, Meter, Problem, flat, flowers

__all__ = [
    "ESTIMATES",
    "EXACT",
    "QUESTIONS",
    "SITUATIONS",
    "Found",
    "Meter",
    "Problem",
    "Route",
    "agreement",
    "as_recurrence",
    "as_tree",
    "by_hand",
    "by_symbols",
    "bytes_by_size",
    "carried_forward",
    "checkpointed",
    "complex_step",
    "differences",
    "draw",
    "flat",
    "flowers",
    "formula_operations",
    "forward_gradient",
    "forward_mode",
    "in_light",
    "in_light_with_noise",
    "measures",
    "noise",
    "predict_products",
    "predicted_noise",
    "products_by_size",
    "recurrent_matrix",
    "relative_gap",
    "reverse_mode",
    "sketched",
    "survey",
    "weight_from_phases",
    "z_scores",
]
