"""The two tasks that the chip of Pai et al. (2023) was trained on, as light."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coursepkg.photonics.encoding import encode_points

__all__ = ["Task", "circle_and_moons"]


class Task(NamedTuple):
    """Points of the plane in two classes, and the same as amplitudes at four ports, in a training and a test part.

    Attributes
    ----------
    points : ndarray, shape (250, 2)
        All of them.
    classes : ndarray of int, shape (250,)
        0 or 1.
    train, test : (ndarray, ndarray)
        Amplitudes, shape (200, 4) and (50, 4), and classes.
    """

    points: np.ndarray
    classes: np.ndarray
    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def circle_and_moons() -> dict[str, Task]:
    """Both tasks with the authors' settings: 250 points, noise 0.2, 80 % to train on.

    Examples
    --------
    >>> circle_and_moons()["moons"].train[0].shape
    (200, 4)
    """
    from sklearn.datasets import make_circles, make_moons
    from sklearn.model_selection import train_test_split

    clouds = {
        "circle": make_circles(250, noise=0.2, factor=0.5, random_state=1),
        "moons": make_moons(250, noise=0.2, random_state=0),
    }
    found = {}
    for name, (points, classes) in clouds.items():
        x, x_test, t, t_test = train_test_split(points, classes, test_size=0.2, random_state=42)
        found[name] = Task(points, classes, (encode_points(x), t), (encode_points(x_test), t_test))
    return found
