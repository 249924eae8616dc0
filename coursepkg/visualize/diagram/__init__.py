"""Boxes and lines in a fixed order: the route, a history, a choice, a chain, a network."""
