"""Five real data sets that scikit-learn carries inside its own package, so they work offline and never change.

scikit-learn is imported when one of them is asked for, not before.
"""

from __future__ import annotations

import numpy as np

from coursepkg.datasets.core import Dataset


def iris() -> Dataset:
    """Fisher's iris: 150 flowers, 4 lengths in cm, 3 species."""
    return _bundled("iris")


def wine() -> Dataset:
    """Wine: 178 bottles, 13 chemical measurements, 3 cultivars."""
    return _bundled("wine")


def breast_cancer() -> Dataset:
    """Wisconsin diagnostic breast cancer: 569 cell images, 30 measurements, 0 malignant and 1 benign."""
    return _bundled("breast_cancer")


def digits() -> Dataset:
    """Handwritten digits: 1797 images of 8x8 pixels, flattened to 64 columns with grey levels 0 to 16, 10 classes."""
    return _bundled("digits")


def diabetes() -> Dataset:
    """Diabetes: 442 patients, 10 standardised measurements, progression after one year (regression)."""
    return _bundled("diabetes")


def _bundled(name: str) -> Dataset:
    from sklearn import datasets as scikit_learn

    bunch = getattr(scikit_learn, f"load_{name}")()
    return Dataset(
        name=name,
        X=np.asarray(bunch.data, dtype=np.float64),
        y=bunch.target,
        feature_names=tuple(str(feature) for feature in bunch.feature_names),
        target_names=tuple(str(label) for label in bunch.get("target_names", ())),
        source=f"scikit-learn, sklearn.datasets.load_{name}",
    )
