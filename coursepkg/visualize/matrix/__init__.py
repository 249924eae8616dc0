"""Matrices and the maps they stand for: entries, products, sketches, directions."""
