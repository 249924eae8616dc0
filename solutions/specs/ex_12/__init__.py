"""Chapter 12, one gradient, many routes: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those with which routes are compared badly or combined badly: a gap without a scale, a scatter that
is not that of the mean, a pass forgotten, the product of a rotation for its derivative, weights that favour noise.
"""
