"""Grading many notebooks: one after another, in many processes, and what is kept of it."""
