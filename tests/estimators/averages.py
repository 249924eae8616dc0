"""Judging averages: z-scores of means, and moments of Gaussian directions without drawing."""

from itertools import product

import numpy as np

WORLD = 4.5
"""Largest |z| that a right estimator may show: one false alarm in 150,000."""


def largest_z(samples, expected, blocks=1):
    """Largest |z| of the means of the columns of `samples` (n, m) against `expected`.

    `blocks` rows in a row may depend on each other; they are averaged before the standard error is taken. A column
    without any spread must equal its expectation.
    """
    samples = np.asarray(samples, dtype=float)
    grouped = samples.reshape(len(samples) // blocks, blocks, -1).mean(axis=1)
    error = grouped.std(axis=0, ddof=1) / np.sqrt(len(grouped))
    difference = np.abs(grouped.mean(axis=0) - expected)
    still = error < 1e-12
    np.testing.assert_allclose(difference[still], 0.0, atol=1e-12)
    return float(np.max(difference[~still] / error[~still], initial=0.0))


def gauss_hermite(d):
    """Points and weights of the three-point rule in d dimensions: exact for polynomials to degree 5 in each entry."""
    nodes, weights = (-np.sqrt(3.0), 0.0, np.sqrt(3.0)), (1 / 6, 2 / 3, 1 / 6)
    points = np.array(list(product(nodes, repeat=d)))
    return points, np.prod(np.array(list(product(weights, repeat=d))), axis=1)


def weighted_moments(estimates, d):
    """Mean, mean squared length and variance per entry of estimates along Gaussian directions, exactly."""
    points, weights = gauss_hermite(d)
    moving = np.any(points, axis=1)  # the estimate along the zero direction is zero
    g = np.zeros_like(points)
    g[moving] = estimates(points[moving])
    mean = weights @ g
    return mean, weights @ np.sum(g**2, axis=1), weights @ g**2 - mean**2
